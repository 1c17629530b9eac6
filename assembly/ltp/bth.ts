// BTree-on-heap, reading. MS-PST 2.3.2.
//
//     BTHHEADER 8: bType 0xB5 · cbKey u8 · cbEnt u8 · bIdxLevels u8 · hidRoot u32
//     index record: key, HID of the item one level below; leaf record: key, data

import { BTH_ABSURD, BTH_ITEM, BTH_LEVELS, BTH_SIZES, BTH_TYPE, damage } from '../damage';
import { alloc, free } from '../memory/pageheap';
import { FREE_BTH_DONE, FREE_BTH_FAILED, FREE_BTH_OUTGROWN, SITE_BTH_EMPTY, SITE_BTH_RECORDS } from '../memory/site';
import { copy, get8, get32, take } from '../memory/span';
import { chainTotal } from '../ndb/chain';
import { hnForget, hnItem, itemAt, itemLo, itemSize, itemSpan } from './heap';

const BTH_SIGNATURE: u32 = 0xb5;

/** Attack: a tree deep enough to exhaust the stack. Real ones have at most 3 levels. */
const MAX_LEVELS: u32 = 8;

export let bthKeySize: u32 = 0;
export let bthValueSize: u32 = 0;
/** Records in the buffer bthRead() returned. */
export let bthCount: u32 = 0;

let record: usize = 0;
let buffer: usize = 0;
let capacity: usize = 0;
let filled: usize = 0;
let budget: usize = 0;

/** Where the records bthFind() found lie. */
export let bthLo: usize = 0;
export let bthAt: usize = 0;
/** Their address, the span taken: good until a block is freed. */
export let bthSpan: usize = 0;

let root: u32 = 0;
let levels: u32 = 0;

/** Reads the BTHHEADER, and makes ready to walk. */
function open(chain: usize, hid: u32, variant: u32): u32 {
  hnForget();
  if (!hnItem(chain, hid, variant)) return 0;
  if (itemSize < 8) return <u32>damage(BTH_ITEM, <u32>itemSize, 8);
  const h = itemSpan;
  if (get8(h) != BTH_SIGNATURE) return <u32>damage(BTH_TYPE, get8(h), BTH_SIGNATURE);
  bthKeySize = get8(h + 1);
  bthValueSize = get8(h + 2);
  levels = get8(h + 3);
  root = get32(h + 4);
  const keyOk = bthKeySize == 2 || bthKeySize == 4 || bthKeySize == 8 || bthKeySize == 16;
  if (!keyOk || bthValueSize == 0 || bthValueSize > 32) return <u32>damage(BTH_SIZES, bthKeySize, bthValueSize);
  if (levels > MAX_LEVELS) return <u32>damage(BTH_LEVELS, levels, MAX_LEVELS);

  record = <usize>(bthKeySize + bthValueSize);
  capacity = 0;
  filled = 0;
  buffer = 0;
  // Attack: index records that all lead to one item. Honest items are disjoint, so all that is visited
  // fits into the heap once.
  budget = <usize>chainTotal(chain);
  return 1;
}

/** Collects the leaf records in `buffer`, which stays 0 when there are none. */
function collect(chain: usize, variant: u32): u32 {
  if (root != 0 && !walk(chain, root, levels, variant)) {
    if (buffer) free(buffer, FREE_BTH_FAILED);
    buffer = 0;
    return 0;
  }
  bthCount = <u32>(filled / record);
  return 1;
}

/**
 * All leaf records of the BTH at `hid`, copied one after the other into a block the caller frees (never 0
 * bytes long). Sets bthKeySize, bthValueSize, bthCount. Returns 0 with a damage record.
 */
export function bthRead(chain: usize, hid: u32, variant: u32): usize {
  if (!open(chain, hid, variant) || !collect(chain, variant)) return 0;
  return buffer ? buffer : alloc(1, SITE_BTH_EMPTY);
}

/**
 * The same, but records that lie in one heap item, as nearly all do, stay there: sets bthLo, bthAt, bthSpan. Whoever has used them
 * calls bthDone(). Returns 0 with a damage record, and then there is nothing to be done.
 */
export function bthFind(chain: usize, hid: u32, variant: u32): u32 {
  if (!open(chain, hid, variant)) return 0;
  bthLo = itemLo;
  bthAt = itemAt;
  bthSpan = itemSpan;
  if (levels == 0 && root != 0) {
    if (!hnItem(chain, root, variant)) return 0;
    if (itemSize % record) return <u32>damage(BTH_ITEM, <u32>itemSize, <u32>record);
    if (itemSize > budget) return <u32>damage(BTH_ABSURD, <u32>itemSize, <u32>budget);
    bthLo = itemLo;
    bthAt = itemAt;
    bthSpan = itemSpan;
    bthCount = <u32>(itemSize / record);
    return 1;
  }
  if (!collect(chain, variant)) return 0;
  if (buffer) {
    bthLo = buffer;
    bthAt = 0;
    bthSpan = take(buffer, 0, filled);
  }
  return 1;
}

/** The records of bthFind() are not used any more. */
export function bthDone(): void {
  if (buffer) free(buffer, FREE_BTH_DONE);
  buffer = 0;
}

function walk(chain: usize, hid: u32, level: u32, variant: u32): u32 {
  if (!hnItem(chain, hid, variant)) return 0;
  const lo = itemLo;
  const at = itemAt;
  const size = itemSize;
  const step = level == 0 ? record : <usize>bthKeySize + 4;
  if (size % step) return <u32>damage(BTH_ITEM, <u32>size, <u32>step);
  if (size > budget) return <u32>damage(BTH_ABSURD, <u32>(filled + size), <u32>chainTotal(chain));
  budget -= size;
  if (size == 0) return 1;
  if (level == 0) {
    append(lo, at, size);
    return 1;
  }
  for (let k: usize = 0; k < size; k += step) {
    const child = get32(take(lo, at + k + <usize>bthKeySize, 4));
    if (!walk(chain, child, level - 1, variant)) return 0;
  }
  return 1;
}

function append(lo: usize, at: usize, size: usize): void {
  if (filled + size > capacity) {
    const more = buffer ? (filled + size) << 1 : size;
    const bigger = alloc(more, SITE_BTH_RECORDS);
    if (buffer) {
      copy(take(bigger, 0, filled), take(buffer, 0, filled), filled);
      free(buffer, FREE_BTH_OUTGROWN);
    }
    buffer = bigger;
    capacity = more;
  }
  copy(take(buffer, filled, size), take(lo, at, size), size);
  filled += size;
}
