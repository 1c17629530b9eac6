// BTree-on-heap, writing. MS-PST 2.3.2; bth.ts draws it.

import { damage, KEY_ORDER } from '../damage';
import { alloc, free } from '../memory/pageheap';
import {
  FREE_BTH_WRITER_ABOVE,
  FREE_BTH_WRITER_FAILED,
  FREE_BTH_WRITER_LAST,
  FREE_BTH_WRITER_LEVEL,
  SITE_BTH_WRITER_LEVEL,
} from '../memory/site';
import { copy, get16, get32, put8, put32, take } from '../memory/span';
import { hwItem, MAX_ITEM, newAt, newLo, newSpan } from './heapwriter';

// The item that the records will go to, when their number is known before the values are written: a large item laid early leaves
// its gaps to small ones.
export let reservedHid: u32 = 0;
export let reservedLo: usize = 0;
export let reservedAt: usize = 0;
/** Its address, the span taken: good until a block is freed. */
export let reservedSpan: usize = 0;

/** Lays an item of `size` bytes for records to come, if one item can hold them. */
export function bthReserve(size: usize): void {
  reservedHid = size != 0 && size <= MAX_ITEM ? hwItem(size) : 0;
  reservedLo = reservedHid ? newLo() : 0;
  reservedAt = newAt;
  reservedSpan = newSpan;
}

/** Takes up a reservation made earlier, while other heaps were written. */
export function bthReserved(hid: u32, lo: usize, at: usize): void {
  reservedHid = hid;
  reservedLo = lo;
  reservedAt = at;
}

/**
 * Writes `count` records of key and value, ascending, as a BTH whose header is the 8-byte heap item at `headerLo` +
 * `headerAt`. Key sizes 2 and 4. A reserved item must have their size. Returns 0 with a damage record.
 */
export function bthWrite(
  headerLo: usize,
  headerAt: usize,
  keySize: u32,
  valueSize: u32,
  records: usize,
  count: u32,
): u32 {
  let level = records;
  let levelCount = count;
  let step = <usize>(keySize + valueSize);
  let levels: u32 = 0;
  let root: u32 = 0;
  if (!ascending(take(records, 0, <usize>count * step), count, step, keySize)) return 0;
  while (levelCount > 0) {
    const perItem = <u32>(MAX_ITEM / step);
    const itemCount = (levelCount + perItem - 1) / perItem;
    // One item is the root, and nothing is above it.
    const above = itemCount == 1 ? 0 : alloc(<usize>itemCount * <usize>(keySize + 4), SITE_BTH_WRITER_LEVEL);
    for (let k: u32 = 0; k < itemCount; k++) {
      const from = k * perItem;
      const n = from + perItem > levelCount ? levelCount - from : perItem;
      const size = <usize>n * step;
      const isReserved = reservedHid != 0 && levels == 0;
      const hid = isReserved ? reservedHid : hwItem(size);
      if (!hid) {
        if (above) free(above, FREE_BTH_WRITER_ABOVE);
        if (level != records) free(level, FREE_BTH_WRITER_FAILED);
        return 0;
      }
      copy(isReserved ? take(reservedLo, reservedAt, size) : newSpan, take(level, <usize>from * step, size), size);
      root = hid;
      if (!above) break;
      const e = take(above, <usize>k * <usize>(keySize + 4), <usize>(keySize + 4));
      copy(e, take(level, <usize>from * step, <usize>keySize), <usize>keySize);
      put32(e + <usize>keySize, hid);
    }
    if (level != records) free(level, FREE_BTH_WRITER_LEVEL);
    level = above ? above : records;
    if (!above) break;
    levelCount = itemCount;
    step = <usize>(keySize + 4);
    levels++;
  }
  if (level != records) free(level, FREE_BTH_WRITER_LAST);
  writeHeader(take(headerLo, headerAt, 8), keySize, valueSize, levels, root);
  return 1;
}

/** The same when the records have been written into the reserved item already, `header` being the address of the header's item. */
export function bthWritten(header: usize, keySize: u32, valueSize: u32, count: u32): u32 {
  if (!ascending(reservedSpan, count, <usize>(keySize + valueSize), keySize)) return 0;
  writeHeader(header, keySize, valueSize, 0, reservedHid);
  return 1;
}

function writeHeader(h: usize, keySize: u32, valueSize: u32, levels: u32, root: u32): void {
  reservedHid = 0;
  put8(h, 0xb5);
  put8(h + 1, keySize);
  put8(h + 2, valueSize);
  put8(h + 3, levels);
  put32(h + 4, root);
}

/** Are the keys of `count` records at address `p` in order, each once? Returns 0 with a damage record. */
function ascending(p: usize, count: u32, step: usize, keySize: u32): u32 {
  if (count < 2) return 1;
  let last = keySize == 2 ? get16(p) : get32(p);
  for (let k: u32 = 1; k < count; k++) {
    p += step;
    const key = keySize == 2 ? get16(p) : get32(p);
    if (key <= last) return <u32>damage(KEY_ORDER, key, last);
    last = key;
  }
  return 1;
}
