// Runs: the pages a block gets, by class. A run is np pages and a guard behind them; runs of more than 32 pages are rounded up to one
// of eight sizes per doubling. Freed runs wait in the list of their class; what has never been used comes from the end of the memory.

import { descriptor, NEXT, PAGE_BITS, STAMPED_TO } from './descriptor';
import { CLASSES, MEMORY_LIMIT, POOL, SHADOW } from './layout';
import { grain } from './options';
import { EXHAUSTED, stop } from './stop';

/** In the paranoid build the shadow lies above the pool. */
const POOL_LIMIT: usize = CHECK == 1 ? SHADOW : MEMORY_LIMIT;

/** First page never used. */
export let cursor: usize = POOL >>> PAGE_BITS;
/** Of the run takeRun() gave: its first page is D0 up to here. */
export let runStampedTo: usize = 0;

/** Pages of the run that serves `pages`, see the head of this file. Whole grains become whole grains. */
export function runPages(pages: usize): usize {
  if (pages <= 32) return pages;
  const shift = 28 - clz<u32>(<u32>pages);
  return ((pages + (((<usize>1) << shift) - 1)) >>> shift) << shift;
}

/** Heads of lists: 512 u32 at CLASSES. */
export const CLASS_COUNT: usize = 512;

export function classOf(run: usize): usize {
  if (run <= 32) return CLASSES + (run << 2);
  const log = 31 - clz<u32>(<u32>run);
  return CLASSES + ((32 + ((log - 5) << 3) + ((run >>> (log - 3)) & 7)) << 2);
}

/** A run of pages from its class, or fresh. */
export function takeRun(run: usize, site: u32, size: usize): usize {
  const head = classOf(run);
  const first = <usize>load<u32>(head);
  runStampedTo = 0;
  if (!first) return fresh(run, site, size);
  store<u32>(head, load<u32>(descriptor(first), NEXT));
  runStampedTo = <usize>load<u32>(descriptor(first), STAMPED_TO);
  return first;
}

/** Pages never used before; grows the memory when they do not fit. */
function fresh(run: usize, site: u32, size: usize): usize {
  const first = cursor;
  const end = (first + run + grain) << PAGE_BITS;
  if (run >= MEMORY_LIMIT >>> PAGE_BITS || end > POOL_LIMIT || end < first << PAGE_BITS) {
    stop(EXHAUSTED, 0, size, 0, size, site, 0, 0);
  }
  const have = (<usize>memory.size()) << 16;
  if (end > have) {
    let more = (end - have + 0xffff) >>> 16;
    const step = have >>> 19; // an eighth of what there is, so that growing stays rare
    if (more < step && have + (step << 16) <= MEMORY_LIMIT) more = step;
    if (memory.grow(<i32>more) < 0) stop(EXHAUSTED, 0, size, 0, size, site, 0, 0);
  }
  cursor = first + run + grain;
  return first;
}
