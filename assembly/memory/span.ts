// Spans: the ONLY file that loads or stores bytes of blocks and streams.
//
// A span is taken once per structure: take(lo, at, n) proves that n bytes at offset `at` lie in the
// live block that begins at `lo`, and returns their address. What follows inside those n bytes is
// unchecked in the default build (CHECK 7); the paranoid build (CHECK 1) also checks the page state on
// every single access; the raw build (CHECK 0) checks nothing. `at` may be computed from hostile
// numbers: the comparison cannot wrap.

import { holds, open, openAll, refuse, refuseAt } from './pageheap';

/** Address of `n` bytes at offset `at` of block `lo`, or a stop. */
// @ts-ignore: decorator
@inline export function take(lo: usize, at: usize, n: usize): usize {
  if (CHECK != 0 && !holds(lo, at, n)) refuse(lo, at, n);
  return lo + at;
}

export function get8(p: usize): u32 {
  if (CHECK == 1 && !open(p, 1)) refuseAt(p, 1);
  return <u32>load<u8>(p);
}

export function get16(p: usize): u32 {
  if (CHECK == 1 && !open(p, 2)) refuseAt(p, 2);
  return <u32>load<u16>(p);
}

export function get32(p: usize): u32 {
  if (CHECK == 1 && !open(p, 4)) refuseAt(p, 4);
  return load<u32>(p);
}

export function get64(p: usize): u64 {
  if (CHECK == 1 && !open(p, 8)) refuseAt(p, 8);
  return load<u64>(p);
}

export function get128(p: usize): v128 {
  if (CHECK == 1 && !open(p, 16)) refuseAt(p, 16);
  return v128.load(p);
}

export function put8(p: usize, value: u32): void {
  if (CHECK == 1 && !open(p, 1)) refuseAt(p, 1);
  store<u8>(p, <u8>value);
}

export function put16(p: usize, value: u32): void {
  if (CHECK == 1 && !open(p, 2)) refuseAt(p, 2);
  store<u16>(p, <u16>value);
}

export function put32(p: usize, value: u32): void {
  if (CHECK == 1 && !open(p, 4)) refuseAt(p, 4);
  store<u32>(p, value);
}

export function put64(p: usize, value: u64): void {
  if (CHECK == 1 && !open(p, 8)) refuseAt(p, 8);
  store<u64>(p, value);
}

/** Copies `n` bytes between two spans. */
export function copy(to: usize, from: usize, n: usize): void {
  if (n == 0) return;
  if (CHECK == 1 && !openAll(to, n)) refuseAt(to, n);
  if (CHECK == 1 && !openAll(from, n)) refuseAt(from, n);
  memory.copy(to, from, n);
}

/** Sets `n` bytes of a span to zero. */
export function zero(p: usize, n: usize): void {
  if (n == 0) return;
  if (CHECK == 1 && !openAll(p, n)) refuseAt(p, n);
  memory.fill(p, 0, n);
}
