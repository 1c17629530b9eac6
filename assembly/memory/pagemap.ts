// The page map, as it is drawn when somebody looks: in the default build descriptors say all that a span is checked against, so that blocks
// come and go without a mark, and a stop or a report draws the map from the descriptors first. The builds that check every access (CHECK 1) ask the
// map at each of them and mark it at once. Arenas of normal mode are marked at once in all builds.

import {
  descriptor,
  FREED,
  GUARD,
  LAST_PTR,
  LIGHT,
  LIVE,
  LIVE_PTR,
  NEXT,
  PAGE_BITS,
  RUN_PAGES,
  SITE,
  SIZE,
  stateOf,
  UNUSED,
} from './descriptor';
import { CLASSES, MEMORY_LIMIT, PAGE_MAP, POOL } from './layout';
import { FLAG_ALIGNED, flags, grainMask } from './options';
import { CLASS_COUNT, cursor } from './runs';

/** Header of the aligned layout, in front of a block. */
export const HEADER: usize = 32;

/** Sets the state of `pages` pages: a few, for which memory.fill would cost more than all the rest. */
export function mark(page: usize, pages: usize, state: u8): void {
  const eight = <u64>state * 0x0101010101010101;
  let p = PAGE_MAP + page;
  const end = p + pages;
  for (; p + 8 <= end; p += 8) store<u64>(p, eight);
  for (; p < end; p++) store<u8>(p, state);
}

/** Draws the map. What is no block, no arena and not in the list of a class is a guard. */
export function drawPages(): void {
  if (CHECK != 7) return;
  const first = POOL >>> PAGE_BITS;
  for (let page = first; page < cursor; page++) {
    if (load<u8>(PAGE_MAP + page) != LIGHT) store<u8>(PAGE_MAP + page, GUARD);
  }
  for (let head = CLASSES; head < CLASSES + (CLASS_COUNT << 2); head += 4) {
    for (let run = <usize>load<u32>(head); run; run = <usize>load<u32>(descriptor(run), NEXT)) {
      mark(run, <usize>load<u32>(descriptor(run), RUN_PAGES), UNUSED);
    }
  }
  for (let page = first; page < cursor; page++) {
    const d = descriptor(page);
    const ptr = <usize>load<u32>(d, LAST_PTR);
    if (ptr >>> PAGE_BITS != page) continue;
    const isAligned = (flags & FLAG_ALIGNED) != 0 && load<u16>(d, SITE) != 0;
    const start = (isAligned ? ptr - HEADER : ptr) & ~grainMask;
    const end = (ptr + <usize>load<u32>(d, SIZE) + grainMask) & ~grainMask;
    mark(start >>> PAGE_BITS, (end - start) >>> PAGE_BITS, load<u32>(d, LIVE_PTR) ? LIVE : FREED);
  }
}

/** True when the pages of the first and the last of `n` bytes at `p` are open (paranoid build). */
// @ts-ignore: decorator
@inline export function open(p: usize, n: usize): bool {
  const last = p + (n - 1);
  return (p | last) < MEMORY_LIMIT && (stateOf(p) & stateOf(last)) == LIVE;
}

/** True when every page of `n` bytes at `p` is open, for `n` of any size above 0 (paranoid build). */
export function openAll(p: usize, n: usize): bool {
  const last = p + (n - 1);
  if (last < p || last >= MEMORY_LIMIT) return false;
  for (let page = p >>> PAGE_BITS; page <= last >>> PAGE_BITS; page++) {
    if (load<u8>(PAGE_MAP + page) != LIVE) return false;
  }
  return true;
}
