// Diagnosis: what is wrong with an access, and which block it belongs to. Nothing here is reached by a run that goes well.

import {
  descriptor,
  FREE_SITE,
  FREED,
  LAST_PTR,
  LIGHT,
  LIMIT,
  LIVE,
  LIVE_PTR,
  ORDINAL,
  PAGE,
  PAGE_BITS,
  SITE,
  SIZE,
  stateOf,
} from './descriptor';
import { MEMORY_LIMIT, PAGE_MAP, POOL } from './layout';
import { FLAG_BACKWARDS, flags, grain } from './options';
import { drawPages } from './pagemap';
import {
  BAD_FREE,
  DOUBLE_FREE,
  NULL_ACCESS,
  OVERRUN,
  stop,
  UNDERRUN,
  UNINITIALISED,
  USE_AFTER_FREE,
  WILD,
} from './stop';

/** Says what is wrong with an access of `n` bytes at `lo` + `at`, and stops. Blocks of normal mode pass: they are looked at when freed. */
export function refuse(lo: usize, at: usize, n: usize): void {
  const address = lo + at;
  if (lo >= POOL && lo < MEMORY_LIMIT && stateOf(lo) == LIGHT) return;
  drawPages();
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

/** The same for bytes that should lie in a span that begins `at` bytes before `address`: they are its block's, however far from it. */
export function refusePart(address: usize, at: usize, n: usize): void {
  if (address >= POOL && address < MEMORY_LIMIT && stateOf(address) == LIGHT) return;
  drawPages();
  const d = blockOn((address - at) >>> PAGE_BITS);
  if (d && load<u32>(d, LIVE_PTR)) {
    const end = <usize>load<u32>(d, LAST_PTR) + <usize>load<u32>(d, LIMIT);
    if (<isize>at > 0 && <u64>address + <u64>n > <u64>end) report(OVERRUN, address > end ? address : end, n, d);
    if (<isize>at < 0 && address < <usize>load<u32>(d, LAST_PTR)) report(UNDERRUN, address, n, d);
  }
  refuseAt(address, n);
}

/** The same for a bare address: looks for the block it lies in or beside. */
export function refuseAt(address: usize, n: usize): void {
  if (address >= POOL && address < MEMORY_LIMIT && stateOf(address) == LIGHT) return;
  drawPages();
  if (address < PAGE) stop(NULL_ACCESS, address, n, 0, 0, 0, 0, 0);
  const page = address >>> PAGE_BITS;
  let d = blockOn(page);
  // A guard: with FLAG_BACKWARDS the block behind it begins there, else the block before it ends there.
  for (let k: usize = 1; k <= grain && !d && flags & FLAG_BACKWARDS; k++) d = blockOn(page + k);
  for (let k: usize = 1; k <= grain && !d; k++) d = blockOn(page - k);
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
  if (page < POOL >>> PAGE_BITS || page >= MEMORY_LIMIT >>> PAGE_BITS) return 0;
  const state = load<u8>(PAGE_MAP + page);
  if (state != LIVE && state != FREED) return 0;
  while (load<u8>(PAGE_MAP + page - 1) == state) page--; // ends at a guard at the latest: the page before the pool is one
  // The block begins in the first page, or where pages come in grains, and headers before blocks, in one of the next.
  for (let k: usize = 0; k <= grain && load<u8>(PAGE_MAP + page + k) == state; k++) {
    const d = descriptor(page + k);
    if (load<u32>(d, LAST_PTR)) return d;
  }
  return 0;
}

export function refuseFree(ptr: usize, site: u32): void {
  if (ptr < PAGE) stop(NULL_ACCESS, ptr, 0, 0, 0, 0, site, 0);
  drawPages();
  const d = blockOn(ptr >>> PAGE_BITS);
  if (!d) stop(BAD_FREE, ptr, 0, 0, 0, 0, site, 0);
  report(<usize>load<u32>(d, LAST_PTR) == ptr ? DOUBLE_FREE : BAD_FREE, ptr, 0, d);
}

export function report(kind: u32, address: usize, n: usize, d: usize): void {
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
