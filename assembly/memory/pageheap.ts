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

import { CLASSES, DESCRIPTORS, HEAP_ROOT, LIGHT_CLASSES, MEMORY_LIMIT, PAGE_MAP, POOL, SHADOW } from './layout';
import { initLight, lightAlloc, lightArena, lightFree, lightLeaks, lightNeeds, lightOrdinal, lightSize, lightSweep } from './lightheap';
import {
  failsNow,
  FLAG_ALIGNED,
  FLAG_BACKWARDS,
  FLAG_LEAKS,
  FLAG_NO_TRACES,
  FLAG_PROTECT,
  flags,
  isSpecial,
  reseed,
  wantsFull,
} from './options';
import { rawAlloc, rawFree, rawSize } from './rawheap';
import { initShadow, shadow } from './shadow';
import {
  BAD_FREE,
  context,
  DOUBLE_FREE,
  END_STAMP,
  EXHAUSTED,
  EXTREME_SIZE,
  FAULT,
  HEAP_LIST,
  HEAP_POINTER,
  LEAK,
  NULL_ACCESS,
  OVERRUN,
  SLACK,
  START_STAMP,
  stop,
  SUFFIX,
  UNDERRUN,
  UNINITIALISED,
  USE_AFTER_FREE,
  WILD,
} from './stop';
import { noteAlloc, noteFree } from './trace';

const PAGE_BITS: usize = 12;
const PAGE: usize = 1 << PAGE_BITS;

/** In the paranoid build the shadow lies above the pool. */
const POOL_LIMIT: usize = CHECK == 1 ? SHADOW : MEMORY_LIMIT;

// Page states. 0 is the only one that may be touched, so one test refuses all others.
const LIVE: u8 = 0x00;
const UNUSED: u8 = 0xf1;
const GUARD: u8 = 0xf2;
const FREED: u8 = 0xf3;
const LIGHT: u8 = 0xf4; // an arena of normal mode: its blocks are looked at when freed

const SLACK_STAMP: i8 = -48; // 0xD0, as Pageheap.exe stamps the bytes beside a full block

/** facts: a request above this is a length gone wrong, not a wish (stop 4, EXTREME_SIZE_REQUEST). */
const EXTREME: usize = 0x7ff00000;

/** Freed pages kept closed before the oldest serve again: 2 MB, some 250 small blocks. With 8 MB they have left the processor's cache by then. */
const QUARANTINE_PAGES: usize = 512;

// Descriptor of a block, at DESCRIPTORS + (first page of the block << 5).
const LIVE_PTR: usize = 0; // address while live, else 0: one comparison proves start and life
const LIMIT: usize = 4; // bytes a span may reach: the size, rounded up to 8 in the aligned layout
const RUN_PAGES: usize = 8; // pages of the run, without its guard
const SITE: usize = 12; // u16
const FREE_SITE: usize = 14; // u16
const SIZE: usize = 16; // bytes asked for
const STAMPED_TO: usize = 16; // of a run in a class list
const ORDINAL: usize = 20;
const NEXT: usize = 24; // in the queue or a class list: page number, 0 ends
const LAST_PTR: usize = 28; // address, live or not, for the report

/** Keeps a wild address among the descriptors: 512 K of them, 32 bytes each. */
const DESCRIPTOR_MASK: usize = ((MEMORY_LIMIT >>> PAGE_BITS) - 1) << 5;

// The aligned layout, Pageheap.exe's own: a header before the block, D0 behind it up to a multiple of 8.
const HEADER: usize = 32;
const START_LIVE: u32 = 0xabcdbbbb;
const END_LIVE: u32 = 0xdcbabbbb;
const START_FREED: u32 = 0xabcdbbba;
const END_FREED: u32 = 0xdcbabbba;

let cursor: usize = POOL >>> PAGE_BITS; // first page never used
let ordinal: u32 = 0; // of the operation, core sites only
let total: u32 = 0; // of the run, core sites only
let liveBlocks: i32 = 0; // of core sites
let tableSum: u32 = 0; // of the allocator's own tables, under FLAG_PROTECT
let livePages: usize = 0;
let peakPages: usize = 0;
let queueHead: usize = 0;
let queueTail: usize = 0;
let queuedPages: usize = 0;
let runStampedTo: usize = 0; // of the run takeRun() gave: its first page is D0 up to here

/** Rises with every block freed: who keeps the address of a span asks whether it still holds. */
export let changes: u32 = 0;

/** What a chain names has changed. */
export function changed(): void {
  changes++;
}

/** Called once per instance: closes every page. */
export function initHeap(): void {
  memory.fill(PAGE_MAP, GUARD, MEMORY_LIMIT >>> PAGE_BITS);
  initLight();
  if (CHECK == 1) initShadow();
}

// @ts-ignore: decorator
@inline function descriptor(page: usize): usize {
  return DESCRIPTORS + (page << 5);
}

// @ts-ignore: decorator
@inline function stateOf(address: usize): u8 {
  return load<u8>(PAGE_MAP + (address >>> PAGE_BITS));
}

/** Sets the state of `pages` pages. Mostly one or two, for which memory.fill would cost more than all the rest. */
// @ts-ignore: decorator
@inline function mark(page: usize, pages: usize, state: u8): void {
  const p = PAGE_MAP + page;
  if (pages == 1) store<u8>(p, state);
  else if (pages == 2) store<u16>(p, (<u16>state) | ((<u16>state) << 8));
  else memory.fill(p, state, pages);
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
  if (site) {
    ordinal++;
    total++;
    liveBlocks++;
  }
  if (isSpecial) {
    if (flags & FLAG_PROTECT) verifyTables();
    if (site && failsNow(total)) stop(FAULT, 0, size, 0, size, site, 0, ordinal);
    if (site && !wantsFull(size, site)) return normal(size, site);
  }
  const isAligned = (flags & FLAG_ALIGNED) != 0 && site != 0;
  const isBackwards = (flags & FLAG_BACKWARDS) != 0 && site != 0;
  const reach = isAligned ? (size + 7) & ~7 : size;
  const pages = ((isAligned ? reach + HEADER : size) + (PAGE - 1)) >>> PAGE_BITS;
  const run = runPages(pages);
  const first = takeRun(run, site, size);
  const stampedTo = runStampedTo;

  const end = (first + run) << PAGE_BITS;
  const start = end - (pages << PAGE_BITS);
  const ptr = isBackwards ? start : end - reach;
  const page = start >>> PAGE_BITS;
  mark(page, pages, LIVE);
  if (run != pages) mark(first, run - pages, GUARD);
  const d = descriptor(ptr >>> PAGE_BITS);
  store<u32>(d, <u32>ptr, LIVE_PTR);
  store<u32>(d, <u32>reach, LIMIT);
  store<u32>(d, <u32>run, RUN_PAGES);
  store<u16>(d, <u16>site, SITE);
  store<u16>(d, 0, FREE_SITE);
  store<u32>(d, <u32>size, SIZE);
  store<u32>(d, ordinal, ORDINAL);
  store<u32>(d, <u32>ptr, LAST_PTR);

  const slackEnd = isAligned ? ptr - HEADER : ptr;
  if (stampedTo < slackEnd) stamp(stampedTo > start ? stampedTo : start, slackEnd);
  if (isAligned) {
    writeHeader(ptr, size, pages, site, START_LIVE, END_LIVE);
    stamp(ptr + size, ptr + reach);
  }
  if (isBackwards) stamp(ptr + size, end);
  if (CHECK == 1) shadow(ptr, size, site == 0);
  if (site && !(flags & FLAG_NO_TRACES)) noteAlloc(ordinal, ptr, size, site);
  livePages += run + 1;
  if (livePages > peakPages) peakPages = livePages;
  if (flags & FLAG_PROTECT) tableSum = sumTables();
  return ptr;
}

/** A run of pages from its class, or fresh. */
function takeRun(run: usize, site: u32, size: usize): usize {
  const head = classOf(run);
  const first = <usize>load<u32>(head);
  runStampedTo = 0;
  if (!first) return fresh(run, site, size);
  store<u32>(head, load<u32>(descriptor(first), NEXT));
  runStampedTo = <usize>load<u32>(descriptor(first), STAMPED_TO);
  return first;
}

/** A block of normal mode: lightheap.ts, in an arena of pages that are open to everyone. */
function normal(size: usize, site: u32): usize {
  const need = lightNeeds(size);
  if (need) {
    const run = runPages((need + (PAGE - 1)) >>> PAGE_BITS);
    const first = takeRun(run, site, need);
    memory.fill(PAGE_MAP + first, LIGHT, run);
    lightArena(first << PAGE_BITS, run << PAGE_BITS);
    livePages += run + 1;
    if (livePages > peakPages) peakPages = livePages;
  }
  const ptr = lightAlloc(size, site, ordinal);
  if (CHECK == 1) shadow(ptr, size, true);
  if (!(flags & FLAG_NO_TRACES)) noteAlloc(ordinal, ptr, size, site);
  if (flags & FLAG_PROTECT) tableSum = sumTables();
  return ptr;
}

/** Stamps slack from `q` up to `end`. */
function stamp(q: usize, end: usize): void {
  for (; q + 16 <= end; q += 16) v128.store(q, i8x16.splat(SLACK_STAMP));
  for (; q < end; q++) store<u8>(q, <u8>SLACK_STAMP);
}

/** The header of the aligned layout: start · heap · size · actual · queue, trace · site · end. pageheap.md 2. */
function writeHeader(ptr: usize, size: usize, pages: usize, site: u32, startStamp: u32, endStamp: u32): void {
  const h = ptr - HEADER;
  store<u32>(h, startStamp);
  store<u32>(h, <u32>HEAP_ROOT, 4);
  store<u32>(h, <u32>size, 8);
  store<u32>(h, <u32>(pages << PAGE_BITS), 12);
  store<u64>(h, 0, 16);
  store<u32>(h, site, 24);
  store<u32>(h, endStamp, 28);
}

/** Pages never used before; grows the memory when they do not fit. */
function fresh(run: usize, site: u32, size: usize): usize {
  const first = cursor;
  const end = (first + run + 1) << PAGE_BITS;
  if (run >= MEMORY_LIMIT >>> PAGE_BITS || end > POOL_LIMIT || end < first << PAGE_BITS) {
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
  changes++;
  if (CHECK == 0) {
    rawFree(ptr);
    return;
  }
  if (flags & FLAG_PROTECT) verifyTables();
  if (ptr >= MEMORY_LIMIT) stop(WILD, ptr, 0, 0, 0, 0, site, 0);
  const d = descriptor(ptr >>> PAGE_BITS);
  if (ptr < POOL || <usize>load<u32>(d, LIVE_PTR) != ptr) {
    if (ptr < POOL || stateOf(ptr) != LIGHT) refuseFree(ptr, site);
    freeNormal(ptr, site);
    return;
  }
  const size = <usize>load<u32>(d, SIZE);
  const run = <usize>load<u32>(d, RUN_PAGES);
  const end = (ptr + size + (PAGE - 1)) & ~(PAGE - 1);
  const isAligned = (flags & FLAG_ALIGNED) != 0 && load<u16>(d, SITE) != 0;
  const head = isAligned ? ptr - HEADER : ptr;
  const start = head & ~(PAGE - 1);
  if (isAligned) verifyHeader(head, d);
  verifySlack(start, head, SLACK, d);
  verifySlack(ptr + size, end, SUFFIX, d);

  const page = ptr >>> PAGE_BITS;
  mark(start >>> PAGE_BITS, (end - start) >>> PAGE_BITS, FREED);
  if (isAligned) writeHeader(ptr, size, (end - start) >>> PAGE_BITS, site, START_FREED, END_FREED);
  if (load<u16>(d, SITE)) {
    liveBlocks--;
    if (!(flags & FLAG_NO_TRACES)) noteFree(load<u32>(d, ORDINAL), ptr, size, site);
  }
  store<u32>(d, 0, LIVE_PTR);
  store<u16>(d, <u16>site, FREE_SITE);
  store<u32>(d, 0, NEXT);
  if (queueTail) store<u32>(descriptor(queueTail), <u32>page, NEXT);
  else queueHead = page;
  queueTail = page;
  livePages -= run + 1;
  queuedPages += run + 1;
  while (queuedPages > QUARANTINE_PAGES && queueHead != queueTail) release();
  if (flags & FLAG_PROTECT) tableSum = sumTables();
}

function freeNormal(ptr: usize, site: u32): void {
  const size = lightSize(ptr);
  const born = lightOrdinal(ptr);
  lightFree(ptr, site);
  liveBlocks--;
  if (!(flags & FLAG_NO_TRACES)) noteFree(born, ptr, size, site);
  if (flags & FLAG_PROTECT) tableSum = sumTables();
}

/** The oldest freed block leaves the queue; its run may serve again. */
function release(): void {
  const page = queueHead;
  const d = descriptor(page);
  queueHead = <usize>load<u32>(d, NEXT);
  const run = <usize>load<u32>(d, RUN_PAGES);
  const end = (<usize>load<u32>(d, LAST_PTR) + <usize>load<u32>(d, SIZE) + (PAGE - 1)) >>> PAGE_BITS;
  const first = end - run;
  mark(first, run, UNUSED);
  // Its slack was verified when the block was freed and nothing could touch it since: only the bytes of the block are not D0.
  const stampedTo = first == page && !(flags & (FLAG_ALIGNED | FLAG_BACKWARDS)) ? load<u32>(d, LAST_PTR) : 0;
  store<u32>(d, 0, LAST_PTR);
  const head = classOf(run);
  store<u32>(descriptor(first), stampedTo, STAMPED_TO);
  store<u32>(descriptor(first), load<u32>(head), NEXT);
  store<u32>(head, <u32>first);
  queuedPages -= run + 1;
}

function verifyHeader(h: usize, d: usize): void {
  if (load<u32>(h, 28) != END_LIVE) report(END_STAMP, h + 28, 4, d);
  if (load<u32>(h) != START_LIVE) report(START_STAMP, h, 4, d);
  if (load<u32>(h, 4) != <u32>HEAP_ROOT) report(HEAP_POINTER, h + 4, 4, d);
}

function verifySlack(start: usize, end: usize, kind: u32, d: usize): void {
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
  if (flags & FLAG_PROTECT) verifyTables();
  if (isSpecial) lightSweep();
  if (flags & FLAG_PROTECT) tableSum = sumTables();
  if (!(flags & FLAG_LEAKS) || liveBlocks == 0) return;
  lightLeaks();
  for (let page = POOL >>> PAGE_BITS; page < cursor; page++) {
    const d = descriptor(page);
    if (load<u32>(d, LIVE_PTR) && load<u16>(d, SITE)) report(LEAK, <usize>load<u32>(d, LIVE_PTR), 0, d);
  }
}

/** Descriptors that FLAG_PROTECT sums: of the first 64 MB of the pool. */
const PROTECTED_PAGES: usize = 16384;

/** A sum over the allocator's own tables: class heads and descriptors. */
function sumTables(): u32 {
  let sum: u32 = 2166136261;
  for (let p = CLASSES; p < CLASSES + 0x800; p += 4) sum = (sum ^ load<u32>(p)) * 16777619;
  for (let p = LIGHT_CLASSES; p < LIGHT_CLASSES + 0x400; p += 4) sum = (sum ^ load<u32>(p)) * 16777619;
  const first = POOL >>> PAGE_BITS;
  const pages = cursor - first;
  const end = descriptor(first + (pages < PROTECTED_PAGES ? pages : PROTECTED_PAGES));
  for (let p = descriptor(first); p < end; p += 4) sum = (sum ^ load<u32>(p)) * 16777619;
  return sum;
}

function verifyTables(): void {
  if (tableSum != 0 && sumTables() != tableSum) stop(HEAP_LIST, CLASSES, 0, 0, 0, 0, 0, ordinal);
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
  const limit = <usize>load<u32>(d, LIMIT);
  return <usize>load<u32>(d, LIVE_PTR) == lo && n <= limit && at <= limit - n;
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

/** Says what is wrong with an access of `n` bytes at `lo` + `at`, and stops. Blocks of normal mode pass: they are looked at when freed. */
export function refuse(lo: usize, at: usize, n: usize): void {
  const address = lo + at;
  if (lo >= POOL && lo < MEMORY_LIMIT && stateOf(lo) == LIGHT) return;
  if (lo < PAGE) stop(NULL_ACCESS, address, n, 0, 0, 0, 0, 0);
  if (lo < POOL || lo >= MEMORY_LIMIT) stop(WILD, address, n, 0, 0, 0, 0, 0);
  const d = descriptor(lo >>> PAGE_BITS);
  if (<usize>load<u32>(d, LIVE_PTR) == lo) {
    const size = <usize>load<u32>(d, LIMIT);
    if (<isize>at < 0) report(UNDERRUN, address, n, d);
    report(OVERRUN, at > size ? address : lo + size, n, d);
  }
  if (<usize>load<u32>(d, LAST_PTR) == lo && stateOf(lo) == FREED) report(USE_AFTER_FREE, address, n, d);
  refuseAt(address, n);
}

/** The same for a bare address: looks for the block it lies in or beside. */
export function refuseAt(address: usize, n: usize): void {
  if (address >= POOL && address < MEMORY_LIMIT && stateOf(address) == LIGHT) return;
  if (address < PAGE) stop(NULL_ACCESS, address, n, 0, 0, 0, 0, 0);
  const page = address >>> PAGE_BITS;
  let d = blockOn(page);
  // A guard page: with FLAG_BACKWARDS the block behind it begins there, else the block before it ends there.
  if (!d && flags & FLAG_BACKWARDS) d = blockOn(page + 1);
  if (!d) d = blockOn(page - 1);
  if (!d) stop(WILD, address, n, 0, 0, 0, 0, 0);
  if (!load<u32>(d, LIVE_PTR)) report(USE_AFTER_FREE, address, n, d);
  const block = <usize>load<u32>(d, LAST_PTR);
  const end = block + <usize>load<u32>(d, SIZE);
  if (address < block) report(UNDERRUN, address, n, d);
  if (address >= end) report(OVERRUN, address, n, d);
  if (n > end - address) report(OVERRUN, end, n, d);
  report(WILD, address, n, d); // inside a live block, but not by its address
}

/** A byte of a live block was read before anything wrote it (paranoid build). */
export function refuseUnwritten(address: usize): void {
  const d = blockOn(address >>> PAGE_BITS);
  if (d) report(UNINITIALISED, address, 1, d);
  stop(UNINITIALISED, address, 1, 0, 0, 0, 0, 0);
}

/** Descriptor of the block, live or in quarantine, that has `page`; 0 when there is none. */
function blockOn(page: usize): usize {
  if (page < POOL >>> PAGE_BITS || page >= cursor) return 0;
  const state = load<u8>(PAGE_MAP + page);
  if (state != LIVE && state != FREED) return 0;
  while (load<u8>(PAGE_MAP + page - 1) == state) page--; // ends at a guard at the latest: the page before the pool is one
  let d = descriptor(page);
  // In the aligned layout the header may begin a page before the block.
  if (!load<u32>(d, LAST_PTR) && flags & FLAG_ALIGNED && load<u8>(PAGE_MAP + page + 1) == state) d = descriptor(page + 1);
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
    <u32>load<u16>(d, SITE),
    <u32>load<u16>(d, FREE_SITE),
    load<u32>(d, ORDINAL),
  );
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
