// Planted crimes, for test/core/planted.test.ts alone: what every build must stop, or let pass. Compiled beside the core
// with the same flags; never part of it. `take` states the access first, as all code of the core does; the crimes that begin
// with `stray` go past what they stated, as a bug behind a right span would.

import { get8, get64, put8, put64, take } from './memory/span';

export * from './index';

/** Reads one byte at offset `at` of block `lo`. */
export function read8(lo: usize, at: usize): u32 {
  return get8(take(lo, at, 1));
}

export function write8(lo: usize, at: usize, value: u32): void {
  put8(take(lo, at, 1), value);
}

export function read64(lo: usize, at: usize): u32 {
  return <u32>get64(take(lo, at, 8));
}

/** Writes eight times the byte `value`. */
export function write64(lo: usize, at: usize, value: u32): void {
  put64(take(lo, at, 8), <u64>value * 0x0101010101010101);
}

/** States the whole block of `size` bytes, then writes a byte at `at`, wherever that is. */
export function stray8(lo: usize, size: usize, at: usize, value: u32): void {
  put8(take(lo, 0, size) + at, value);
}
