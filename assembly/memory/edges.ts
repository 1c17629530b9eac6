// What surrounds a full block in its pages: slack, stamped when the block is taken and verified when it is given back, and in the aligned
// layout the header before it.

import { PAGE_BITS } from './descriptor';
import { HEAP_ROOT } from './layout';
import { HEADER } from './pagemap';
import { report } from './refuse';
import { END_STAMP, HEAP_POINTER, START_STAMP } from './stop';

const SLACK_STAMP: i8 = -48; // 0xD0, as Pageheap.exe stamps the bytes beside a full block

// The aligned layout, Pageheap.exe's own: a header before the block, D0 behind it up to a multiple of 8.
export const START_LIVE: u32 = 0xabcdbbbb;
export const END_LIVE: u32 = 0xdcbabbbb;
export const START_FREED: u32 = 0xabcdbbba;
export const END_FREED: u32 = 0xdcbabbba;

/** Stamps slack from `q` up to `end`. */
export function stamp(q: usize, end: usize): void {
  for (; q + 16 <= end; q += 16) v128.store(q, i8x16.splat(SLACK_STAMP));
  for (; q < end; q++) store<u8>(q, <u8>SLACK_STAMP);
}

/** The header of the aligned layout: start · heap · size · actual · queue, trace · site · end. pageheap.md 2. */
export function writeHeader(ptr: usize, size: usize, pages: usize, site: u32, startStamp: u32, endStamp: u32): void {
  const h = ptr - HEADER;
  store<u32>(h, startStamp);
  store<u32>(h, <u32>HEAP_ROOT, 4);
  store<u32>(h, <u32>size, 8);
  store<u32>(h, <u32>(pages << PAGE_BITS), 12);
  store<u64>(h, 0, 16);
  store<u32>(h, site, 24);
  store<u32>(h, endStamp, 28);
}

/** Verifies the header at `h` of the block that `d` describes. */
export function verifyHeader(h: usize, d: usize): void {
  if (load<u32>(h, 28) != END_LIVE) report(END_STAMP, h + 28, 4, d);
  if (load<u32>(h) != START_LIVE) report(START_STAMP, h, 4, d);
  if (load<u32>(h, 4) != <u32>HEAP_ROOT) report(HEAP_POINTER, h + 4, 4, d);
}

/** Verifies that all from `start` up to `end` is still stamped; `kind` says what is damaged if not. */
export function verifySlack(start: usize, end: usize, kind: u32, d: usize): void {
  const d0 = i8x16.splat(SLACK_STAMP);
  let q = start;
  let sum = i8x16.splat(0);
  for (; q + 64 <= end; q += 64) {
    const a = v128.or(v128.xor(v128.load(q), d0), v128.xor(v128.load(q, 16), d0));
    const b = v128.or(v128.xor(v128.load(q, 32), d0), v128.xor(v128.load(q, 48), d0));
    sum = v128.or(sum, v128.or(a, b));
  }
  for (; q + 16 <= end; q += 16) sum = v128.or(sum, v128.xor(v128.load(q), i8x16.splat(SLACK_STAMP)));
  let bad = v128.any_true(sum);
  for (; q < end; q++) if (load<u8>(q) != <u8>SLACK_STAMP) bad = true;
  if (!bad) return;
  for (q = start; q < end; q++) {
    if (load<u8>(q) != <u8>SLACK_STAMP) report(kind, q, 1, d);
  }
}
