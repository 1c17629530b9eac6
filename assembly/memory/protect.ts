// --protect: the allocator's own tables are summed at the end of each call and compared at the beginning of the next.

import { descriptor, PAGE_BITS } from './descriptor';
import { CLASSES, LIGHT_CLASSES, POOL } from './layout';
import { cursor } from './runs';
import { HEAP_LIST, stop } from './stop';

let tableSum: u32 = 0;

/** Descriptors that FLAG_PROTECT sums: of the first 64 MB of the pool. */
const PROTECTED_PAGES: usize = (64 << 20) >>> PAGE_BITS;

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

export function verifyTables(ordinal: u32): void {
  if (tableSum != 0 && sumTables() != tableSum) stop(HEAP_LIST, CLASSES, 0, 0, 0, 0, 0, ordinal);
}

export function keepTables(): void {
  tableSum = sumTables();
}
