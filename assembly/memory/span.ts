// Spans: the ONLY file that loads or stores bytes of blocks and streams.
//
// A span is taken once per structure: take(lo, at, n) proves that n bytes at offset `at` lie in the
// live block that begins at `lo`, and returns their address. What follows inside those n bytes is
// unchecked in the default build (CHECK 7); the paranoid build (CHECK 1) also checks, on every single access, the
// page state and that what is read was written; the raw build (CHECK 0) checks nothing. `at` may be computed from hostile
// numbers: the comparison cannot wrap. The watch build (CHECK 1, WATCH) tells the host of every access besides.

import { noteAccess } from './access';
import { holds } from './pageheap';
import { open, openAll } from './pagemap';
import { refuse, refuseAt, refusePart, refuseUnwritten } from './refuse';
import { firstUnwritten, isWritten, shadow, written } from './shadow';

/** Address of `n` bytes at offset `at` of block `lo`, or a stop. */
// @ts-ignore: decorator
@inline export function take(lo: usize, at: usize, n: usize): usize {
  if (CHECK != 0 && !holds(lo, at, n)) refuse(lo, at, n);
  return lo + at;
}

/** Address of `n` bytes at offset `at` of the span `p` of `size` bytes, or a stop. Costs no load. */
// @ts-ignore: decorator
@inline export function part(p: usize, size: usize, at: usize, n: usize): usize {
  if (CHECK != 0 && <u64>at + <u64>n > <u64>size) refusePart(p + at, at, n);
  return p + at;
}

export function get8(p: usize): u32 {
  if (CHECK == 1) reads(p, 1);
  return <u32>load<u8>(p);
}

export function get16(p: usize): u32 {
  if (CHECK == 1) reads(p, 2);
  return <u32>load<u16>(p);
}

export function get32(p: usize): u32 {
  if (CHECK == 1) reads(p, 4);
  return load<u32>(p);
}

export function get64(p: usize): u64 {
  if (CHECK == 1) reads(p, 8);
  return load<u64>(p);
}

export function get128(p: usize): v128 {
  if (CHECK == 1) reads(p, 16);
  return v128.load(p);
}

export function put8(p: usize, value: u32): void {
  if (CHECK == 1) writes(p, 1);
  store<u8>(p, <u8>value);
}

export function put16(p: usize, value: u32): void {
  if (CHECK == 1) writes(p, 2);
  store<u16>(p, <u16>value);
}

export function put32(p: usize, value: u32): void {
  if (CHECK == 1) writes(p, 4);
  store<u32>(p, value);
}

export function put64(p: usize, value: u64): void {
  if (CHECK == 1) writes(p, 8);
  store<u64>(p, value);
}

/** Up to so many bytes are copied here: memory.copy leaves the module, which takes longer than these do. */
const SHORT: usize = 32;

/** Copies `n` bytes between two spans that have no byte in common. */
export function copy(to: usize, from: usize, n: usize): void {
  if (n == 0) return;
  if (CHECK == 1) {
    if (WATCH) noteAccess(to, n, true);
    if (!openAll(to, n)) refuseAt(to, n);
    if (WATCH) noteAccess(from, n, false);
    if (!openAll(from, n)) refuseAt(from, n);
    const bad = firstUnwritten(from, n);
    if (bad) refuseUnwritten(bad);
    shadow(to, n, true);
  }
  if (n > SHORT) {
    memory.copy(to, from, n);
    return;
  }
  while (n >= 8) {
    store<u64>(to, load<u64>(from));
    to += 8;
    from += 8;
    n -= 8;
  }
  if (n & 4) {
    store<u32>(to, load<u32>(from));
    to += 4;
    from += 4;
  }
  if (n & 2) {
    store<u16>(to, load<u16>(from));
    to += 2;
    from += 2;
  }
  if (n & 1) store<u8>(to, load<u8>(from));
}

/** Sets `n` bytes of a span to zero. */
export function zero(p: usize, n: usize): void {
  if (n == 0) return;
  if (CHECK == 1) {
    if (WATCH) noteAccess(p, n, true);
    if (!openAll(p, n)) refuseAt(p, n);
    shadow(p, n, true);
  }
  memory.fill(p, 0, n);
}

/** The paranoid build's view of a read: the pages are open, the bytes were written. */
function reads(p: usize, n: u32): void {
  if (WATCH) noteAccess(p, n, false);
  if (!open(p, n)) refuseAt(p, n);
  if (!isWritten(p, n)) refuseUnwritten(p);
}

function writes(p: usize, n: u32): void {
  if (WATCH) noteAccess(p, n, true);
  if (!open(p, n)) refuseAt(p, n);
  written(p, n);
}
