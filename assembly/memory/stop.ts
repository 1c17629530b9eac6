// The stop record: what the verifier saw, left for the host to read after the trap. Wording is the
// host's (src/core/fault.ts); nothing here allocates.

import { STOP } from './layout';

// Why an access was refused. Mirrored by STOP_KINDS in src/core/fault.ts.
export const OVERRUN: u32 = 1;
export const UNDERRUN: u32 = 2;
export const USE_AFTER_FREE: u32 = 3;
export const DOUBLE_FREE: u32 = 4;
export const BAD_FREE: u32 = 5;
export const WILD: u32 = 6;
export const NULL_ACCESS: u32 = 7;
export const SLACK: u32 = 8;
export const EXTREME_SIZE: u32 = 9;
export const EXHAUSTED: u32 = 10;
export const SUFFIX: u32 = 11;
export const START_STAMP: u32 = 12;
export const END_STAMP: u32 = 13;
export const HEAP_POINTER: u32 = 14;
export const INFIX: u32 = 15;
export const LEAK: u32 = 16;
export const FAULT: u32 = 17;
export const HEAP_LIST: u32 = 18;
export const UNINITIALISED: u32 = 19;

let contextNid: u32 = 0;
let contextTag: u32 = 0;
let operation: u32 = 0;

/** Names the node whose bytes come next; the record carries it. */
export function context(nid: u32): void {
  contextNid = nid;
  contextTag = 0;
  operation++;
}

/** Names the property within that node. */
export function contextOf(tag: u32): void {
  contextTag = tag;
}

/** The property it is at, or 0. */
export function propertyNow(): u32 {
  return contextTag;
}

/**
 * Writes the record and traps; nothing is thrown and the instance is spent.
 *
 *     0 kind · 4 address of the first refused byte · 8 width of the access · 12 block · 16 size
 *     20 allocation site · 24 free site · 28 allocation ordinal · 32 nid · 36 tag · 40 operation
 */
export function stop(
  kind: u32,
  address: usize,
  width: usize,
  block: usize,
  size: usize,
  site: u32,
  freeSite: u32,
  ordinal: u32,
): void {
  store<u32>(STOP, kind);
  store<u32>(STOP, <u32>address, 4);
  store<u32>(STOP, <u32>width, 8);
  store<u32>(STOP, <u32>block, 12);
  store<u32>(STOP, <u32>size, 16);
  store<u32>(STOP, site, 20);
  store<u32>(STOP, freeSite, 24);
  store<u32>(STOP, ordinal, 28);
  store<u32>(STOP, contextNid, 32);
  store<u32>(STOP, contextTag, 36);
  store<u32>(STOP, operation, 40);
  unreachable();
}
