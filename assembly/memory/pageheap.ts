// The page heap. Every block has pages of its own and ends, to the byte, where its guard page
// begins; freed pages stay closed in a queue before they serve again.
//
//     page    n          n+1        n+2      n+3
//         ┌──────────┬──────────┬────────┬───────── …
//         │D0D0D0┆▓▓▓│▓▓▓▓▓▓▓▓▓▓│ GUARD  │ next run
//         └──────────┴──────────┴────────┴─────────
//          slack ▲ block        ▲ block + size
//
// WebAssembly cannot close a page and has no alignment faults: span.ts checks what a processor
// would, the block can meet its guard exactly, and a page can be as small as 512 bytes. Slack is stamped and verified when
// the block is freed. A run is np pages and a guard; runs of more than 32 pages are rounded up to one of eight
// sizes per doubling, the spare pages closed in front of the block.
//
// In the raw build (CHECK 0) rawheap.ts stands in for all of this.

import {
  descriptor,
  DESCRIPTOR_MASK,
  FREE_SITE,
  FREED,
  GUARD,
  LAST_PTR,
  LIGHT,
  LIMIT,
  LIVE,
  LIVE_PTR,
  NEXT,
  ORDINAL,
  PAGE,
  PAGE_BITS,
  RUN_PAGES,
  SITE,
  SIZE,
  STAMPED_TO,
  stateOf,
  UNUSED,
} from './descriptor';
import { DESCRIPTORS, MEMORY_LIMIT, PAGE_MAP, POOL } from './layout';
import { initLight, lightAlloc, lightArena, lightFree, lightLeaks, lightNeeds, lightOrdinal, lightSize, lightSweep } from './lightheap';
import {
  failsNow,
  FLAG_ALIGNED,
  FLAG_BACKWARDS,
  FLAG_LEAKS,
  FLAG_NO_TRACES,
  FLAG_PROTECT,
  flags,
  grain,
  grainMask,
  isSpecial,
  PLAIN_GRAIN,
  reseed,
  wantsFull,
} from './options';
import {
  END_FREED,
  END_LIVE,
  START_FREED,
  START_LIVE,
  stamp,
  verifyHeader,
  verifySlack,
  writeHeader,
} from './edges';
import { HEADER, mark } from './pagemap';
import { keepTables, verifyTables } from './protect';
import { rawAlloc, rawFree, rawSize } from './rawheap';
import { refuse, refuseFree, report } from './refuse';
import { classOf, cursor, runPages, runStampedTo, takeRun } from './runs';
import { initShadow, shadow } from './shadow';
import { context, EXTREME_SIZE, FAULT, LEAK, SLACK, stop, SUFFIX, WILD } from './stop';
import { noteAlloc, noteFree } from './trace';

/** facts: a request above this is a length gone wrong, not a wish (stop 4, EXTREME_SIZE_REQUEST). */
const EXTREME: usize = 0x7ff00000;

/**
 * Freed blocks kept closed before the oldest serves again, and their pages (256 KB): as long as either is below its limit all stay, but no
 * more than 4 MB. With much more, what serves again would have left the processor's cache.
 */
const QUARANTINE_BLOCKS: u32 = 64;
const QUARANTINE_PAGES: usize = 512;
const QUARANTINE_MAX: usize = 8192;

/** Bytes of a grain without --aligned, less one. */
const PLAIN_MASK: usize = PAGE * PLAIN_GRAIN - 1;

let ordinal: u32 = 0; // of the operation, core sites only
let total: u32 = 0; // of the run, core sites only
let liveBlocks: i32 = 0; // of core sites
let livePages: usize = 0;
let peakPages: usize = 0;
let queueHead: usize = 0;
let queueTail: usize = 0;
let queuedPages: usize = 0;
let queuedBlocks: u32 = 0;

/** Rises with every block freed: who keeps the address of a span asks whether it still holds. */
export let changes: u32 = 0;

/** What a chain names has changed. */
export function changed(): void {
  changes++;
}

/** Called once per instance. Every page is closed: its state is 0. */
export function initHeap(): void {
  initLight();
  if (CHECK == 1) initShadow();
}

/** Returns the address of `size` bytes that end at a guard page. Never 0: a request that cannot be met stops. */
export function alloc(size: usize, site: u32): usize {
  if (size - 1 >= EXTREME) stop(EXTREME_SIZE, 0, size, 0, size, site, 0, ordinal); // 0 as well
  if (CHECK == 0) return rawAlloc(size);
  if (site) {
    ordinal++;
    total++;
    liveBlocks++;
  }
  if (isSpecial) return special(size, site);
  const pages = ((size + PLAIN_MASK) & ~PLAIN_MASK) >>> PAGE_BITS;
  const run = runPages(pages);
  const first = takeRun(run, site, size);
  const end = (first + run) << PAGE_BITS;
  const ptr = end - size;
  const start = end - (pages << PAGE_BITS);
  describe(ptr, size, size, run, site);
  if (CHECK == 1) {
    mark(start >>> PAGE_BITS, pages, LIVE);
    mark(first, run - pages, GUARD);
  }
  if (runStampedTo < ptr) stamp(runStampedTo > start ? runStampedTo : start, ptr);
  if (CHECK == 1) shadow(ptr, size, site == 0);
  if (site && !(flags & FLAG_NO_TRACES)) noteAlloc(ordinal, ptr, size, site);
  return ptr;
}

/** Pages for `bytes`, in whole grains. */
function pagesOf(bytes: usize): usize {
  return ((bytes + grainMask) & ~grainMask) >>> PAGE_BITS;
}

/** The descriptor of a new block, of which `reach` bytes may be spanned. */
// @ts-ignore: decorator
@inline function describe(ptr: usize, size: usize, reach: usize, run: usize, site: u32): void {
  const d = descriptor(ptr >>> PAGE_BITS);
  store<u32>(d, <u32>ptr, LIVE_PTR);
  store<u32>(d, <u32>reach, LIMIT);
  store<u32>(d, <u32>run, RUN_PAGES);
  store<u32>(d, site, SITE); // and no FREE_SITE
  store<u32>(d, <u32>size, SIZE);
  store<u32>(d, ordinal, ORDINAL);
  store<u32>(d, <u32>ptr, LAST_PTR);
  livePages += run + grain;
  if (livePages > peakPages) peakPages = livePages;
}

/** The same with every option there is. */
function special(size: usize, site: u32): usize {
  if (flags & FLAG_PROTECT) verifyTables(ordinal);
  if (site && failsNow(total)) stop(FAULT, 0, size, 0, size, site, 0, ordinal);
  if (site && !wantsFull(size, site)) return normal(size, site);
  const isAligned = (flags & FLAG_ALIGNED) != 0 && site != 0;
  const isBackwards = (flags & FLAG_BACKWARDS) != 0 && site != 0;
  const reach = isAligned ? (size + 7) & ~7 : size;
  const pages = pagesOf(isAligned ? reach + HEADER : size);
  const run = runPages(pages);
  const first = takeRun(run, site, size);
  const stampedTo = runStampedTo;
  const end = (first + run) << PAGE_BITS;
  const start = end - (pages << PAGE_BITS);
  const ptr = isBackwards ? start : end - reach;
  if (CHECK == 1) {
    mark(start >>> PAGE_BITS, pages, LIVE);
    mark(first, run - pages, GUARD);
  }
  describe(ptr, size, reach, run, site);

  const slackEnd = isAligned ? ptr - HEADER : ptr;
  if (stampedTo < slackEnd) stamp(stampedTo > start ? stampedTo : start, slackEnd);
  if (isAligned) {
    writeHeader(ptr, size, pages, site, START_LIVE, END_LIVE);
    stamp(ptr + size, ptr + reach);
  }
  if (isBackwards) stamp(ptr + size, end);
  if (CHECK == 1) shadow(ptr, size, site == 0);
  if (site && !(flags & FLAG_NO_TRACES)) noteAlloc(ordinal, ptr, size, site);
  if (flags & FLAG_PROTECT) keepTables();
  return ptr;
}

/** A block of normal mode: lightheap.ts, in an arena of pages that are open to everyone. */
function normal(size: usize, site: u32): usize {
  const need = lightNeeds(size);
  if (need) {
    const run = runPages(pagesOf(need));
    const first = takeRun(run, site, need);
    memory.fill(PAGE_MAP + first, LIGHT, run);
    lightArena(first << PAGE_BITS, run << PAGE_BITS);
    livePages += run + grain;
    if (livePages > peakPages) peakPages = livePages;
  }
  const ptr = lightAlloc(size, site, ordinal);
  if (CHECK == 1) shadow(ptr, size, true);
  if (!(flags & FLAG_NO_TRACES)) noteAlloc(ordinal, ptr, size, site);
  if (flags & FLAG_PROTECT) keepTables();
  return ptr;
}

/** Ends a block. Verifies its slack, closes its pages and queues them. */
export function free(ptr: usize, site: u32): void {
  changes++;
  if (CHECK == 0) {
    rawFree(ptr);
    return;
  }
  if (isSpecial) {
    freeSpecial(ptr, site);
    return;
  }
  const d = liveDescriptor(ptr, site);
  if (<usize>load<u32>(d, LIVE_PTR) != ptr) refuseFree(ptr, site);
  const start = ptr & ~PLAIN_MASK;
  verifySlack(start, ptr, SLACK, d);
  retire(ptr, d, start, PLAIN_GRAIN, PLAIN_MASK, site);
}

/** The same with every option there is. */
function freeSpecial(ptr: usize, site: u32): void {
  if (flags & FLAG_PROTECT) verifyTables(ordinal);
  const d = liveDescriptor(ptr, site);
  if (<usize>load<u32>(d, LIVE_PTR) != ptr) {
    if (stateOf(ptr) != LIGHT) refuseFree(ptr, site);
    freeNormal(ptr, site);
    return;
  }
  const size = <usize>load<u32>(d, SIZE);
  const end = (ptr + size + grainMask) & ~grainMask;
  const isAligned = (flags & FLAG_ALIGNED) != 0 && load<u16>(d, SITE) != 0;
  const head = isAligned ? ptr - HEADER : ptr;
  const start = head & ~grainMask;
  if (isAligned) verifyHeader(head, d);
  verifySlack(start, head, SLACK, d);
  verifySlack(ptr + size, end, SUFFIX, d);
  if (isAligned) writeHeader(ptr, size, (end - start) >>> PAGE_BITS, site, START_FREED, END_FREED);
  retire(ptr, d, start, grain, grainMask, site);
  if (flags & FLAG_PROTECT) keepTables();
}

/** Descriptor of the block that would begin at `ptr`, or a stop when no block can. */
// @ts-ignore: decorator
@inline function liveDescriptor(ptr: usize, site: u32): usize {
  if (ptr >= MEMORY_LIMIT) stop(WILD, ptr, 0, 0, 0, 0, site, 0);
  if (ptr < POOL) refuseFree(ptr, site);
  return descriptor(ptr >>> PAGE_BITS);
}

/** Closes the pages of a block, which begin at `start`, and queues them; the oldest leave the queue. */
// @ts-ignore: decorator
@inline function retire(ptr: usize, d: usize, start: usize, guard: usize, mask: usize, site: u32): void {
  const size = <usize>load<u32>(d, SIZE);
  const held = <usize>load<u32>(d, RUN_PAGES) + guard;
  if (CHECK == 1) mark(start >>> PAGE_BITS, (((ptr + size + mask) & ~mask) - start) >>> PAGE_BITS, FREED);
  if (load<u16>(d, SITE)) {
    liveBlocks--;
    if (!(flags & FLAG_NO_TRACES)) noteFree(load<u32>(d, ORDINAL), ptr, size, site);
  }
  store<u32>(d, 0, LIVE_PTR);
  store<u16>(d, <u16>site, FREE_SITE);
  store<u32>(d, 0, NEXT);
  const page = ptr >>> PAGE_BITS;
  if (queueTail) store<u32>(descriptor(queueTail), <u32>page, NEXT);
  else queueHead = page;
  queueTail = page;
  livePages -= held;
  queuedPages += held;
  queuedBlocks++;
  while (queuedPages > QUARANTINE_PAGES && (queuedBlocks > QUARANTINE_BLOCKS || queuedPages > QUARANTINE_MAX)) {
    if (queueHead == queueTail) break;
    release(guard, mask);
  }
}

function freeNormal(ptr: usize, site: u32): void {
  const size = lightSize(ptr);
  const born = lightOrdinal(ptr);
  lightFree(ptr, site);
  liveBlocks--;
  if (!(flags & FLAG_NO_TRACES)) noteFree(born, ptr, size, site);
  if (flags & FLAG_PROTECT) keepTables();
}

/** The oldest freed block leaves the queue; its run may serve again. */
// @ts-ignore: decorator
@inline function release(guard: usize, mask: usize): void {
  const d = descriptor(queueHead);
  queueHead = <usize>load<u32>(d, NEXT);
  const run = <usize>load<u32>(d, RUN_PAGES);
  const ptr = <usize>load<u32>(d, LAST_PTR);
  const first = (((ptr + <usize>load<u32>(d, SIZE) + mask) & ~mask) >>> PAGE_BITS) - run;
  if (CHECK == 1) mark(first, run, UNUSED);
  // Its slack was verified when the block was freed and nothing could touch it since: only the bytes of the block are not D0.
  const isSlackFirst = (ptr & ~mask) == first << PAGE_BITS && !(flags & (FLAG_ALIGNED | FLAG_BACKWARDS));
  store<u32>(d, 0, LAST_PTR);
  const f = descriptor(first);
  const head = classOf(run);
  store<u32>(f, <u32>run, RUN_PAGES);
  store<u32>(f, isSlackFirst ? <u32>ptr : 0, STAMPED_TO);
  store<u32>(f, load<u32>(head), NEXT);
  store<u32>(head, <u32>first);
  queuedPages -= run + guard;
  queuedBlocks--;
}

/** Begins an operation: its ordinals, and what is drawn for it, depend on nothing before it. `before`: allocations of the run so far. */
export function beginOperation(nid: u32, seed: u32, before: u32): void {
  context(nid);
  ordinal = 0;
  total = before;
  if (isSpecial) reseed(seed ^ (nid * 0x9e3779b1));
}

/** Ends an operation: the queue of normal mode is looked through; under FLAG_LEAKS nothing the core took may be left. */
export function endOperation(): void {
  if (CHECK == 0) return;
  if (flags & FLAG_PROTECT) verifyTables(ordinal);
  if (isSpecial) lightSweep();
  if (flags & FLAG_PROTECT) keepTables();
  if (!(flags & FLAG_LEAKS) || liveBlocks == 0) return;
  lightLeaks();
  for (let page = POOL >>> PAGE_BITS; page < cursor; page++) {
    const d = descriptor(page);
    if (load<u32>(d, LIVE_PTR) && load<u16>(d, SITE)) report(LEAK, <usize>load<u32>(d, LIVE_PTR), 0, d);
  }
}

/** Size of a live block as it was asked for. */
export function sizeOf(ptr: usize): usize {
  if (CHECK == 0) return rawSize(ptr);
  if (ptr < POOL || ptr >= MEMORY_LIMIT) refuse(ptr, 0, 1);
  const d = descriptor(ptr >>> PAGE_BITS);
  if (<usize>load<u32>(d, LIVE_PTR) != ptr) {
    if (stateOf(ptr) == LIGHT) return lightSize(ptr);
    refuse(ptr, 0, 1);
  }
  return <usize>load<u32>(d, SIZE);
}

/** True when `n` bytes at `at` lie in the live block `lo`. The one test behind every span. */
// @ts-ignore: decorator
@inline export function holds(lo: usize, at: usize, n: usize): bool {
  const d = DESCRIPTORS + ((lo >>> (PAGE_BITS - 5)) & DESCRIPTOR_MASK); // stays among the descriptors for any `lo`
  const isOut: usize = <u64>at + <u64>n > <u64>load<u32>(d, LIMIT) ? 1 : 0;
  return (isOut | (<usize>load<u32>(d, LIVE_PTR) ^ lo)) == 0; // one branch for both
}

/** Blocks the core has taken in the run so far, the host's own not counted; two equal runs end in equal numbers. */
export function allocations(): u32 {
  return total;
}

/** Pages of live blocks, guards included. 0 when nothing is live. */
export function pagesLive(): usize {
  return livePages;
}

export function pagesPeak(): usize {
  return peakPages;
}
