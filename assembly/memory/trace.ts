// The last allocations and frees, in a ring: the timeline of a report. Left out with --notraces.
//
//     event: ordinal u32 (upper bit: a free) · block u32 · size u32 · site u32

import { TRACE } from './layout';

export const TRACE_EVENTS: u32 = 8192;
const FREE: u32 = 0x80000000;

let events: u32 = 0;

function note(ordinal: u32, ptr: usize, size: usize, site: u32): void {
  const e = TRACE + ((<usize>(events % TRACE_EVENTS)) << 4);
  store<u32>(e, ordinal);
  store<u32>(e, <u32>ptr, 4);
  store<u32>(e, <u32>size, 8);
  store<u32>(e, site, 12);
  events++;
}

export function noteAlloc(ordinal: u32, ptr: usize, size: usize, site: u32): void {
  note(ordinal, ptr, size, site);
}

export function noteFree(ordinal: u32, ptr: usize, size: usize, site: u32): void {
  note(ordinal | FREE, ptr, size, site);
}

/** Events since the instance began; the ring holds the last TRACE_EVENTS of them. */
export function traceCount(): u32 {
  return events;
}
