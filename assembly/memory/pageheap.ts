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
// would, and the block can meet its guard exactly. Slack is stamped and verified when the block is
// freed. A run is np pages and one guard; runs of more than 32 pages are rounded up to one of eight
// sizes per doubling, the spare pages closed in front of the block.
//
// In the raw build (CHECK 0) rawheap.ts stands in for all of this.

import { CLASSES, DESCRIPTORS, MEMORY_LIMIT, PAGE_MAP, POOL } from './layout';
import { rawAlloc, rawFree, rawSize } from './rawheap';
import {
  BAD_FREE,
  DOUBLE_FREE,
  EXHAUSTED,
  EXTREME_SIZE,
  NULL_ACCESS,
  OVERRUN,
  SLACK,
  stop,
  UNDERRUN,
  USE_AFTER_FREE,
  WILD,
} from './stop';

const PAGE_BITS: usize = 12;
const PAGE: usize = 1 << PAGE_BITS;

// Page states. 0 is the only one that may be touched, so one test refuses all others.
const LIVE: u8 = 0x00;
const UNUSED: u8 = 0xf1;
const GUARD: u8 = 0xf2;
const FREED: u8 = 0xf3;

const SLACK_STAMP: i8 = -48; // 0xD0, as Pageheap.exe stamps the bytes beside a full block

/** facts: a request above this is a length gone wrong, not a wish (stop 4, EXTREME_SIZE_REQUEST). */
const EXTREME: usize = 0x7ff00000;

/** Freed pages kept closed before the oldest serve again: 8 MB. */
const QUARANTINE_PAGES: usize = 2048;

// Descriptor of a block, at DESCRIPTORS + (first page of the block << 5).
const LIVE_PTR: usize = 0; // address while live, else 0: one comparison proves start and life
const SIZE: usize = 4; // bytes asked for
const RUN_PAGES: usize = 8; // pages of the run, without its guard
const SITE: usize = 12;
const FREE_SITE: usize = 16;
const ORDINAL: usize = 20;
const NEXT: usize = 24; // in the queue or a class list: page number, 0 ends
const LAST_PTR: usize = 28; // address, live or not, for the report
const DESCRIPTOR_MASK: usize = ((MEMORY_LIMIT >>> PAGE_BITS) - 1) << 5;

let cursor: usize = POOL >>> PAGE_BITS; // first page never used
let ordinal: u32 = 0;
let livePages: usize = 0;
let peakPages: usize = 0;
let queueHead: usize = 0;
let queueTail: usize = 0;
let queuedPages: usize = 0;

/** Called once per instance: closes every page. */
export function initHeap(): void {
  memory.fill(PAGE_MAP, GUARD, MEMORY_LIMIT >>> PAGE_BITS);
}

// @ts-ignore: decorator
@inline function descriptor(page: usize): usize {
  return DESCRIPTORS + (page << 5);
}

// @ts-ignore: decorator
@inline function stateOf(address: usize): u8 {
  return load<u8>(PAGE_MAP + (address >>> PAGE_BITS));
}

/** Pages of the run that serves `pages`, see the head of this file. */
function runPages(pages: usize): usize {
  if (pages <= 32) return pages;
  const shift = 28 - clz<u32>(<u32>pages);
  return ((pages + ((<usize>1 << shift) - 1)) >>> shift) << shift;
}

function classOf(run: usize): usize {
  if (run <= 32) return CLASSES + (run << 2);
  const log = 31 - clz<u32>(<u32>run);
  return CLASSES + ((32 + ((log - 5) << 3) + ((run >>> (log - 3)) & 7)) << 2);
}

/** Returns the address of `size` bytes that end at a guard page. Never 0: a request that cannot be met stops. */
export function alloc(size: usize, site: u32): usize {
  if (size - 1 >= EXTREME) stop(EXTREME_SIZE, 0, size, 0, size, site, 0, ordinal); // 0 as well
  if (CHECK == 0) return rawAlloc(size);
  const pages = (size + (PAGE - 1)) >>> PAGE_BITS;
  const run = runPages(pages);
  const head = classOf(run);
  let first = <usize>load<u32>(head);
  if (first) store<u32>(head, load<u32>(descriptor(first), NEXT));
  else first = fresh(run, site, size);

  const end = (first + run) << PAGE_BITS;
  const ptr = end - size;
  const start = end - (pages << PAGE_BITS);
  const page = start >>> PAGE_BITS;
  memory.fill(PAGE_MAP + page, LIVE, pages);
  if (run != pages) memory.fill(PAGE_MAP + first, GUARD, run - pages);
  const d = descriptor(page);
  store<u32>(d, <u32>ptr, LIVE_PTR);
  store<u32>(d, <u32>size, SIZE);
  store<u32>(d, <u32>run, RUN_PAGES);
  store<u32>(d, site, SITE);
  store<u32>(d, 0, FREE_SITE);
  store<u32>(d, ++ordinal, ORDINAL);
  store<u32>(d, <u32>ptr, LAST_PTR);

  let q = start;
  for (; q + 16 <= ptr; q += 16) v128.store(q, i8x16.splat(SLACK_STAMP));
  for (; q < ptr; q++) store<u8>(q, <u8>SLACK_STAMP);

  livePages += run + 1;
  if (livePages > peakPages) peakPages = livePages;
  return ptr;
}

/** Pages never used before; grows the memory when they do not fit. */
function fresh(run: usize, site: u32, size: usize): usize {
  const first = cursor;
  const end = (first + run + 1) << PAGE_BITS;
  if (run >= MEMORY_LIMIT >>> PAGE_BITS || end > MEMORY_LIMIT || end < first << PAGE_BITS) {
    stop(EXHAUSTED, 0, size, 0, size, site, 0, ordinal);
  }
  const have = <usize>memory.size() << 16;
  if (end > have) {
    let more = (end - have + 0xffff) >>> 16;
    const step = have >>> 19; // an eighth of what there is, so that growing stays rare
    if (more < step && have + (step << 16) <= MEMORY_LIMIT) more = step;
    if (memory.grow(<i32>more) < 0) stop(EXHAUSTED, 0, size, 0, size, site, 0, ordinal);
  }
  cursor = first + run + 1;
  return first;
}

/** Ends a block. Verifies its slack, closes its pages and queues them. */
export function free(ptr: usize, site: u32): void {
  if (CHECK == 0) {
    rawFree(ptr);
    return;
  }
  if (ptr >= MEMORY_LIMIT) stop(WILD, ptr, 0, 0, 0, 0, site, 0);
  const page = ptr >>> PAGE_BITS;
  const d = descriptor(page);
  if (ptr < POOL || <usize>load<u32>(d, LIVE_PTR) != ptr) refuseFree(ptr, site);
  const size = <usize>load<u32>(d, SIZE);
  const start = ptr & ~(PAGE - 1);
  verifySlack(start, ptr, d);

  const pages = (ptr + size - start) >>> PAGE_BITS;
  memory.fill(PAGE_MAP + page, FREED, pages);
  store<u32>(d, 0, LIVE_PTR);
  store<u32>(d, site, FREE_SITE);
  store<u32>(d, 0, NEXT);
  if (queueTail) store<u32>(descriptor(queueTail), <u32>page, NEXT);
  else queueHead = page;
  queueTail = page;
  const run = <usize>load<u32>(d, RUN_PAGES);
  livePages -= run + 1;
  queuedPages += run + 1;
  while (queuedPages > QUARANTINE_PAGES && queueHead != queueTail) release();
}

/** The oldest freed block leaves the queue; its run may serve again. */
function release(): void {
  const page = queueHead;
  const d = descriptor(page);
  queueHead = <usize>load<u32>(d, NEXT);
  const run = <usize>load<u32>(d, RUN_PAGES);
  const end = (<usize>load<u32>(d, LAST_PTR) + <usize>load<u32>(d, SIZE)) >>> PAGE_BITS;
  const first = end - run;
  memory.fill(PAGE_MAP + first, UNUSED, run);
  store<u32>(d, 0, LAST_PTR);
  const head = classOf(run);
  store<u32>(descriptor(first), load<u32>(head), NEXT);
  store<u32>(head, <u32>first);
  queuedPages -= run + 1;
}

function verifySlack(start: usize, ptr: usize, d: usize): void {
  let q = start;
  let sum = i8x16.splat(0);
  for (; q + 16 <= ptr; q += 16) sum = v128.or(sum, v128.xor(v128.load(q), i8x16.splat(SLACK_STAMP)));
  let bad = v128.any_true(sum);
  for (; q < ptr; q++) if (load<u8>(q) != <u8>SLACK_STAMP) bad = true;
  if (!bad) return;
  for (q = start; q < ptr; q++) {
    if (load<u8>(q) != <u8>SLACK_STAMP) report(SLACK, q, 1, d);
  }
}

/** Size of a live block as it was asked for. */
export function sizeOf(ptr: usize): usize {
  if (CHECK == 0) return rawSize(ptr);
  if (ptr < POOL || ptr >= MEMORY_LIMIT) refuse(ptr, 0, 1);
  const d = descriptor(ptr >>> PAGE_BITS);
  if (<usize>load<u32>(d, LIVE_PTR) != ptr) refuse(ptr, 0, 1);
  return <usize>load<u32>(d, SIZE);
}

/** True when `n` bytes at `at` lie in the live block `lo`. The one test behind every span. */
// @ts-ignore: decorator
@inline export function holds(lo: usize, at: usize, n: usize): bool {
  const d = DESCRIPTORS + ((lo >>> (PAGE_BITS - 5)) & DESCRIPTOR_MASK); // stays among the descriptors for any `lo`
  const size = <usize>load<u32>(d, SIZE);
  return <usize>load<u32>(d, LIVE_PTR) == lo && n <= size && at <= size - n;
}

/** True when the pages of the first and the last of `n` bytes at `p` are open (paranoid build). */
// @ts-ignore: decorator
@inline export function open(p: usize, n: usize): bool {
  const last = p + (n - 1);
  return (p | last) < MEMORY_LIMIT && !(stateOf(p) | stateOf(last));
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

/** Says what is wrong with an access of `n` bytes at `lo` + `at`, and stops. */
export function refuse(lo: usize, at: usize, n: usize): void {
  const address = lo + at;
  if (lo < PAGE) stop(NULL_ACCESS, address, n, 0, 0, 0, 0, 0);
  if (lo < POOL || lo >= MEMORY_LIMIT) stop(WILD, address, n, 0, 0, 0, 0, 0);
  const d = descriptor(lo >>> PAGE_BITS);
  if (<usize>load<u32>(d, LIVE_PTR) == lo) {
    const size = <usize>load<u32>(d, SIZE);
    if (<isize>at < 0) report(UNDERRUN, address, n, d);
    report(OVERRUN, at > size ? address : lo + size, n, d);
  }
  if (<usize>load<u32>(d, LAST_PTR) == lo && stateOf(lo) == FREED) report(USE_AFTER_FREE, address, n, d);
  refuseAt(address, n);
}

/** The same for a bare address: looks for the block it lies in or beside. */
export function refuseAt(address: usize, n: usize): void {
  if (address < PAGE) stop(NULL_ACCESS, address, n, 0, 0, 0, 0, 0);
  const page = address >>> PAGE_BITS;
  let d = blockOn(page);
  if (!d) d = blockOn(page - 1); // a guard page: the block before it ends there
  if (!d) stop(WILD, address, n, 0, 0, 0, 0, 0);
  if (!load<u32>(d, LIVE_PTR)) report(USE_AFTER_FREE, address, n, d);
  const block = <usize>load<u32>(d, LAST_PTR);
  const end = block + <usize>load<u32>(d, SIZE);
  if (address < block) report(UNDERRUN, address, n, d);
  if (address >= end) report(OVERRUN, address, n, d);
  if (n > end - address) report(OVERRUN, end, n, d);
  report(WILD, address, n, d); // inside a live block, but not by its address
}

/** Descriptor of the block, live or in quarantine, that has `page`; 0 when there is none. */
function blockOn(page: usize): usize {
  if (page < POOL >>> PAGE_BITS || page >= cursor) return 0;
  const state = load<u8>(PAGE_MAP + page);
  if (state != LIVE && state != FREED) return 0;
  while (load<u8>(PAGE_MAP + page - 1) == state) page--; // ends at a guard at the latest: the page before the pool is one
  const d = descriptor(page);
  return load<u32>(d, LAST_PTR) ? d : 0;
}

function refuseFree(ptr: usize, site: u32): void {
  if (ptr < PAGE) stop(NULL_ACCESS, ptr, 0, 0, 0, 0, site, 0);
  const d = blockOn(ptr >>> PAGE_BITS);
  if (!d) stop(BAD_FREE, ptr, 0, 0, 0, 0, site, 0);
  report(<usize>load<u32>(d, LAST_PTR) == ptr ? DOUBLE_FREE : BAD_FREE, ptr, 0, d);
}

function report(kind: u32, address: usize, n: usize, d: usize): void {
  stop(
    kind,
    address,
    n,
    <usize>load<u32>(d, LAST_PTR),
    <usize>load<u32>(d, SIZE),
    load<u32>(d, SITE),
    load<u32>(d, FREE_SITE),
    load<u32>(d, ORDINAL),
  );
}

/** Blocks taken since the instance began; two equal runs end in equal ordinals. */
export function allocations(): u32 {
  return ordinal;
}

/** Pages of live blocks, guards included. 0 when nothing is live. */
export function pagesLive(): usize {
  return livePages;
}

export function pagesPeak(): usize {
  return peakPages;
}
