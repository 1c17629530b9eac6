// Inspection: what is wrong with a heap, a BTH or a PC, all of it, and nothing changed. For `check`, which collects where
// the readers beside this file stop. Notes go into a block of the host's; src/check/notes.ts puts them into words.
//
//     notes ─▶ count u32 · capacity u32 · 0 u32 × 2
//              { code u32, a u32, b u32, c u32 } × capacity; count may be larger, what is beyond was not kept

import { damageA, damageB, damageCode } from '../damage';
import { alloc, free } from '../memory/pageheap';
import { FREE_INSPECT_BTH, FREE_INSPECT_COPY, FREE_INSPECT_PC, FREE_INSPECT_PC_SIZES, SITE_HOST } from '../memory/site';
import { copy, get8, get16, get32, get64, put32, take } from '../memory/span';
import { ANSI, UNICODE_4K } from '../ndb/block';
import { chainCount, chainPtr, chainSize, chainTotal } from '../ndb/chain';
import { fixedSize } from '../stream/types';
import { BLOCK_PAYLOAD_MAX, BLOCK_PAYLOAD_MAX_ANSI } from '../wire';
import { bthCount, bthKeySize, bthRead, bthValueSize } from './bth';
import { CLIENT_PC, hnForget, hnItem, hnOpen, itemAt, itemLo, itemSize, rootHid } from './heap';

export const NOTE_DAMAGE: u32 = 1; // the readers' damage code a, about the structure (not a value)
export const HN_ODD: u32 = 10; // ibHnpm a, block c
export const HN_OUTSIDE: u32 = 11; // page map ends at a, block of b bytes, block c
export const HN_FIRST: u32 = 12; // first offset a, header of b bytes, block c
export const HN_ORDER: u32 = 13; // offset a after b, block c
export const HN_LAST: u32 = 14; // last offset a, ibHnpm b, block c
export const HN_FREE: u32 = 15; // cFree a, items of size 0 b, block c
export const HN_LARGE: u32 = 16; // item of a bytes, at most b, block c
export const HN_COUNT: u32 = 17; // a items, a HID counts to b, block c
export const HN_TAIL: u32 = 18; // page map ends at a, the last block has b bytes, block c
export const HN_FILL: u32 = 19; // fill level a, computed b, block c
export const BTH_ORDER: u32 = 30; // record a of the leaf with HID b
export const BTH_INDEX: u32 = 31; // index record a of HID b does not carry its child's first key
export const BTH_EMPTY: u32 = 32; // the item with HID a has no records
export const BTH_CHILD: u32 = 33; // index record a of HID b leads to HID 0
export const PC_HID: u32 = 40; // tag a, HNID b, damage code c
export const PC_ZERO: u32 = 41; // tag a, HID b of an item without bytes
export const PC_SIZE: u32 = 42; // tag a, value of b bytes, expected c
export const PC_TYPE: u32 = 43; // tag a of a type nobody defined, dword b
export const PC_BOOL: u32 = 44; // tag a, dword b
export const PC_KEYS: u32 = 45; // keys of a bytes, values of b

const NOTES_HEADER: usize = 16;
const NOTE: usize = 16;
const HN_ITEM_MAX: u32 = 3580;

let notes: usize = 0;

/** Where `note` writes from now on. */
export function noteInto(block: usize): void {
  notes = block;
}

export function note(code: u32, a: u32, b: u32, c: u32): void {
  const h = take(notes, 0, NOTES_HEADER);
  const count = get32(h);
  put32(h, count + 1);
  if (count >= get32(h + 4)) return;
  const n = take(notes, NOTES_HEADER + <usize>count * NOTE, NOTE);
  put32(n, code);
  put32(n + 4, a);
  put32(n + 8, b);
  put32(n + 12, c);
}

/** A block for notes, without any yet. The host frees it. */
export function notesNew(capacity: u32): usize {
  const block = alloc(NOTES_HEADER + <usize>capacity * NOTE, SITE_HOST);
  const h = take(block, 0, NOTES_HEADER);
  put32(h, 0);
  put32(h + 4, capacity);
  put32(h + 8, 0);
  put32(h + 12, 0);
  return block;
}

export function noteDamage(): void {
  note(NOTE_DAMAGE, damageCode(), damageA(), damageB());
}

/** Bytes of the header of heap block `b`. 2.3.1.3, 2.3.1.4. */
function headerSize(b: u32): u32 {
  if (b == 0) return 12;
  return b >= 8 && (b - 8) % 128 == 0 ? 66 : 2;
}

function payloadMax(variant: u32): u32 {
  return variant == ANSI ? BLOCK_PAYLOAD_MAX_ANSI : BLOCK_PAYLOAD_MAX;
}

/** 2.3.1.2: the fill level for `room` free bytes. */
function fillLevel(room: u32): u32 {
  if (room >= 3584) return 0;
  if (room >= 2560) return 1;
  if (room >= 2048) return 2;
  if (room >= 1792) return 3;
  if (room >= 1536) return 4;
  if (room >= 1280) return 5;
  if (room >= 1024) return 6;
  if (room >= 768) return 7;
  if (room >= 512) return 8;
  if (room >= 256) return 9;
  if (room >= 128) return 10;
  if (room >= 64) return 11;
  if (room >= 32) return 12;
  if (room >= 16) return 13;
  return room >= 8 ? 14 : 15;
}

/** The fill level stored for heap block `b`; NO_LEVEL when the block that holds it is too short. Low nibble first. */
function storedLevel(chain: usize, b: u32): u32 {
  const holder: u32 = b < 8 ? 0 : b - ((b - 8) % 128);
  const first: u32 = b < 8 ? 8 : 2;
  const k = b - holder;
  const at = <usize>(first + (k >>> 1));
  if (at >= chainSize(chain, holder)) return NO_LEVEL;
  const pair = get8(take(chainPtr(chain, holder), at, 1));
  return k & 1 ? pair >>> 4 : pair & 15;
}

const NO_LEVEL: u32 = 16;

/** Page maps of every block of the heap. 2.3.1.5. Returns 0 with a note when the chain is no heap. */
export function inspectHeap(chain: usize, variant: u32, block: usize): u32 {
  notes = block;
  if (!hnOpen(chain, 0)) {
    noteDamage();
    return 0;
  }
  const indexMax: u32 = variant == UNICODE_4K ? 0x3fff : 0x7ff;
  const blocks = chainCount(chain);
  for (let b: u32 = 0; b < blocks; b++) {
    const lo = chainPtr(chain, b);
    const size = <u32>chainSize(chain, b);
    const header = headerSize(b);
    if (size < header + 6) {
      note(HN_OUTSIDE, header + 6, size, b);
      continue;
    }
    const map = get16(take(lo, 0, 2));
    if (map & 1) note(HN_ODD, map, 0, b);
    if (map < header || map + 4 > size) {
      note(HN_OUTSIDE, map + 4, size, b);
      continue;
    }
    const m = take(lo, <usize>map, 4);
    const cAlloc = get16(m);
    const cFree = get16(m + 2);
    const end = map + 4 + ((cAlloc + 1) << 1);
    if (end > size) {
      note(HN_OUTSIDE, end, size, b);
      continue;
    }
    if (cAlloc > indexMax) note(HN_COUNT, cAlloc, indexMax, b);
    const offsets = take(lo, <usize>map + 4, (<usize>cAlloc + 1) << 1);
    let last = get16(offsets);
    if (last != header) note(HN_FIRST, last, header, b);
    let empty: u32 = 0;
    let ordered = true;
    for (let k: usize = 1; k <= <usize>cAlloc; k++) {
      const next = get16(offsets + (k << 1));
      if (next < last) {
        note(HN_ORDER, next, last, b);
        ordered = false;
      } else if (next == last) empty++;
      else if (next - last > HN_ITEM_MAX) note(HN_LARGE, next - last, HN_ITEM_MAX, b);
      last = next;
    }
    if (ordered) {
      if (cFree != empty) note(HN_FREE, cFree, empty, b);
      if (last != map && last + 1 != map) note(HN_LAST, last, map, b);
    }
    if (b == blocks - 1 && end != size) note(HN_TAIL, end, size, b);
    if (variant == UNICODE_4K) continue; // unknown: the levels in 4K stores follow another measure
    const room = payloadMax(variant);
    const level = fillLevel(end < room ? room - end : 0);
    const stored = storedLevel(chain, b);
    if (stored != NO_LEVEL && stored != level) note(HN_FILL, stored, level, b);
  }
  return 1;
}

let keySize: u32 = 0;
let valueSize: u32 = 0;
let budget: usize = 0;
let lastHigh: u64 = 0;
let lastLow: u64 = 0;
let hasLast: bool = false;
let high: u64 = 0;
let low: u64 = 0;

/** Reads the key at `p` into `high` and `low`: numbers by value, 16 bytes by their order in the file (seen in node 0xC01). */
function readKey(p: usize): void {
  high = 0;
  if (keySize == 2) low = <u64>get16(p);
  else if (keySize == 4) low = <u64>get32(p);
  else if (keySize == 8) low = get64(p);
  else {
    high = bswap<u64>(get64(p));
    low = bswap<u64>(get64(p + 8));
  }
}

/** Order and index keys of the BTH at `hid`. 2.3.2. Returns 0 with a note when it cannot be walked to its end. */
export function inspectBth(chain: usize, hid: u32, variant: u32, block: usize): u32 {
  notes = block;
  // What bth.ts refuses, it says in its own words.
  const records = bthRead(chain, hid, variant);
  if (!records) {
    noteDamage();
    return 0;
  }
  free(records, FREE_INSPECT_BTH);
  hnItem(chain, hid, variant);
  const h = take(itemLo, itemAt, 8);
  keySize = get8(h + 1);
  valueSize = get8(h + 2);
  const root = get32(h + 4);
  if (root == 0) return 1;
  const levels = get8(h + 3);
  budget = <usize>chainTotal(chain);
  hasLast = false;
  walk(chain, root, levels, variant);
  return 1;
}

function walk(chain: usize, hid: u32, level: u32, variant: u32): void {
  if (!hnItem(chain, hid, variant)) return; // bthRead has said so
  const lo = itemLo;
  const at = itemAt;
  const size = itemSize;
  const step = <usize>keySize + (level == 0 ? <usize>valueSize : 4);
  if (size == 0) {
    note(BTH_EMPTY, hid, 0, 0);
    return;
  }
  if (size % step || size > budget) return;
  budget -= size;
  for (let k: usize = 0; k < size; k += step) {
    const p = take(lo, at + k, step);
    readKey(p);
    if (level == 0) {
      if (hasLast && (high < lastHigh || (high == lastHigh && low <= lastLow)))
        note(BTH_ORDER, <u32>(k / step), hid, 0);
      hasLast = true;
      lastHigh = high;
      lastLow = low;
      continue;
    }
    const keyHigh = high;
    const keyLow = low;
    const child = get32(p + <usize>keySize);
    if (child == 0) {
      note(BTH_CHILD, <u32>(k / step), hid, 0);
      continue;
    }
    if (hnItem(chain, child, variant) && itemSize >= <usize>keySize) {
      readKey(take(itemLo, itemAt, <usize>keySize));
      if (high != keyHigh || low != keyLow) note(BTH_INDEX, <u32>(k / step), hid, 0);
    }
    walk(chain, child, level - 1, variant);
  }
}

/** A PC: its BTH, and that every value can be found. 2.3.3. Returns 0 with a note when it cannot be read at all. */
export function inspectPc(chain: usize, variant: u32, block: usize): u32 {
  notes = block;
  if (!hnOpen(chain, CLIENT_PC)) {
    noteDamage();
    return 0;
  }
  if (!inspectBth(chain, rootHid, variant, block)) return 0;
  const records = bthRead(chain, rootHid, variant);
  if (!records) return 0;
  if (bthKeySize != 2 || bthValueSize != 6) {
    note(PC_KEYS, bthKeySize, bthValueSize, 0);
    free(records, FREE_INSPECT_PC_SIZES);
    return 0;
  }
  const count = bthCount;
  for (let k: u32 = 0; k < count; k++) {
    const r = take(records, (<usize>k) << 3, 8);
    const type = get16(r + 2);
    const tag = (get16(r) << 16) | type;
    const value = get32(r + 4);
    const size = fixedSize(type);
    if (size == 255) note(PC_TYPE, tag, value, 0);
    else if (size != 0 && size <= 4) {
      if (type == 0x000b && value > 1) note(PC_BOOL, tag, value, 0);
    } else if (value != 0 && (value & 0x1f) == 0) {
      if (!hnItem(chain, value, variant)) note(PC_HID, tag, value, damageCode());
      else if (itemSize == 0) note(PC_ZERO, tag, value, 0);
      else if (size != 0 && itemSize != <usize>size) note(PC_SIZE, tag, <u32>itemSize, size);
    }
  }
  free(records, FREE_INSPECT_PC);
  return 1;
}

/** hidUserRoot of a heap whose client nobody published; 0 when it is no heap. 2.3.1.2. */
export function hnRoot(chain: usize): u32 {
  return hnOpen(chain, 0) ? rootHid : 0;
}

/** A copy of a heap item of any size, in a block the host frees: its size u32, then its bytes. 0 with a damage record. */
export function hnCopy(chain: usize, hid: u32, variant: u32): usize {
  hnForget();
  if (!hnItem(chain, hid, variant)) return 0;
  const size = itemSize;
  const block = alloc(4 + size, SITE_HOST);
  put32(take(block, 0, 4), <u32>size);
  copy(take(block, 4, size), take(itemLo, itemAt, size), size);
  return block;
}

/** Leaf records of a BTH, in a block the host frees: key size, value size, count u32, then the records. 0 with a damage record. */
export function bthCopy(chain: usize, hid: u32, variant: u32): usize {
  const records = bthRead(chain, hid, variant);
  if (!records) return 0;
  const bytes = <usize>bthCount * <usize>(bthKeySize + bthValueSize);
  const block = alloc(12 + bytes, SITE_HOST);
  const h = take(block, 0, 12);
  put32(h, bthKeySize);
  put32(h + 4, bthValueSize);
  put32(h + 8, bthCount);
  copy(take(block, 12, bytes), take(records, 0, bytes), bytes);
  free(records, FREE_INSPECT_COPY);
  return block;
}
