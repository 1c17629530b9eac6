// Cells and the property stream. A cell is a value found but not yet copied; a run of cells in tag order
// becomes a property stream, the one form in which everything above the heap sees properties.
//
//     stream  ─▶ count u32 · size u32 · rowId u32 · 0 u32
//                { tag u32, flags u32, length u32, place u32 } × count, ascending by tag
//                values, each at a multiple of 8, gaps zero
//
//     cell    ─▶ tag u32 · flags u32 · length u32 · at u32 · lo u32 · 0 u32
//
// flags: INLINE the value is `place` itself, zero padded · EXTERNAL `place` is the NID of the subnode that holds
// it, length 0 · DAMAGED `place` is the HNID as found, length the damage code. Equal properties give equal streams.

import { damage, damageCode, VALUE_SIZE, VALUES_ABSURD } from '../damage';
import { hnItem, itemAt, itemLo, itemSize } from '../ltp/heap';
import { copy, get32, part, put32, put64, take } from '../memory/span';
import { contextOf } from '../memory/stop';

export const INLINE: u32 = 1;
export const EXTERNAL: u32 = 2;
export const DAMAGED: u32 = 4;

export const STREAM_HEADER: usize = 16;
export const RECORD: usize = 16;
export const CELL: usize = 24;

const TAG: usize = 0;
const FLAGS: usize = 4;
const LENGTH: usize = 8;
const AT: usize = 12; // or the inline value, the NID, the HNID
const LO: usize = 16;

/** The `length` bytes that count of a dword that holds a value. */
// @ts-ignore: decorator
@inline export function inlineValue(value: u32, length: u32): u32 {
  return length == 4 ? value : value & ((1 << (length << 3)) - 1);
}

/** Do values of this fixedSize() lie in the record itself? */
// @ts-ignore: decorator
@inline export function isInline(size: u32): bool {
  return size == 255 || (size != 0 && size <= 4);
}

// The three cell functions fill the cell at `c`, an address inside the caller's span of cells.

export function cellInline(c: usize, tag: u32, length: u32, value: u32): void {
  put32(c + TAG, tag);
  put32(c + FLAGS, INLINE);
  put32(c + LENGTH, length);
  put32(c + AT, inlineValue(value, length));
  put32(c + LO, 0);
}

/** A value of `length` bytes at `lo` + `at`. Nothing is copied yet. */
export function cellAt(c: usize, tag: u32, lo: usize, at: usize, length: usize): void {
  put32(c + TAG, tag);
  put32(c + FLAGS, 0);
  put32(c + LENGTH, <u32>length);
  put32(c + AT, <u32>at);
  put32(c + LO, <u32>lo);
}

// What resolve() found: the flags, length and place of a record; a value that has to be copied is the heap item hnItem() found.
export let valueFlags: u32 = 0;
export let valueLength: u32 = 0;
export let valuePlace: u32 = 0;

/**
 * What an HNID stands for: nothing (0), a heap item, or a subnode. `size` of a fixed-size type, else 0. A HID that leads nowhere
 * makes a damaged value, not a damaged node.
 */
// @ts-ignore: decorator
@inline export function resolve(chain: usize, variant: u32, hnid: u32, size: u32): void {
  valueFlags = 0;
  valueLength = 0;
  valuePlace = 0;
  if (hnid == 0) return;
  valuePlace = hnid;
  if (hnid & 0x1f) {
    valueFlags = EXTERNAL;
    return;
  }
  const found = hnItem(chain, hnid, variant);
  if (found && (size == 0 || itemSize == <usize>size)) {
    valueLength = <u32>itemSize;
    return;
  }
  valueFlags = DAMAGED;
  valueLength = found ? VALUE_SIZE : damageCode();
}

/** The same as a cell. */
export function cellHnid(c: usize, tag: u32, chain: usize, variant: u32, hnid: u32, size: u32): void {
  resolve(chain, variant, hnid, size);
  const isItem = valueFlags == 0 && valueLength != 0;
  put32(c + TAG, tag);
  put32(c + FLAGS, valueFlags);
  put32(c + LENGTH, valueLength);
  put32(c + AT, isItem ? <u32>itemAt : valuePlace);
  put32(c + LO, isItem ? <u32>itemLo : 0);
}

// @ts-ignore: decorator
@inline function isPlaced(c: usize): bool {
  return get32(c + FLAGS) == 0;
}

/**
 * Attack: a million properties, or table cells, that all name one 8 KB item: gigabytes of values from a store of a few
 * KB. Honest items are disjoint, so that the values of a heap are smaller than the heap; eight times as much is let pass.
 */
const SHARED_MAX: u64 = 8;

/** 1 when values of `size` bytes may come from `held` bytes of heap and rows, else 0 with a damage record. */
export function sharedOk(size: u64, held: u64): u32 {
  if (size <= held * SHARED_MAX) return 1;
  return <u32>damage(VALUES_ABSURD, <u32>(size >>> 10), <u32>(held >>> 10));
}

/** Bytes of the values that `count` cells place behind the records, each padded to 8. */
export function valuesSize(cells: usize, count: u32): u64 {
  let size: u64 = 0;
  let c = take(cells, 0, <usize>count * CELL);
  for (let k: u32 = 0; k < count; k++, c += CELL) {
    if (isPlaced(c)) size += (<u64>get32(c + LENGTH) + 7) & ~7;
  }
  return size;
}

/** Bytes of the stream of `count` cells and their values. */
export function streamSize(count: u32, values: u64): usize {
  return STREAM_HEADER + <usize>count * RECORD + <usize>values;
}

/** Orders cells by tag. */
export function sortCells(cells: usize, count: u32): void {
  const base = take(cells, 0, <usize>count * CELL);
  let sorted = true;
  for (let k: usize = 1; k < <usize>count && sorted; k++) {
    sorted = get32(base + k * CELL) >= get32(base + (k - 1) * CELL);
  }
  if (sorted) return;
  // Shell sort with Knuth's gaps: in place, and hostile counts stay far from quadratic.
  let gap: u32 = 1;
  while (gap < count / 3) gap = gap * 3 + 1;
  for (; gap > 0; gap = gap / 3) {
    for (let i = gap; i < count; i++) {
      let j = i;
      while (j >= gap && get32(base + <usize>(j - gap) * CELL) > get32(base + <usize>j * CELL)) {
        swap(base + <usize>(j - gap) * CELL, base + <usize>j * CELL);
        j -= gap;
      }
    }
  }
}

function swap(a: usize, b: usize): void {
  // The last word of a cell is never written, so it is not moved either.
  for (let k: usize = 0; k <= LO; k += 4) {
    const x = get32(a + k);
    put32(a + k, get32(b + k));
    put32(b + k, x);
  }
}

/** Writes the stream of `count` sorted cells, `size` bytes as streamSize() says, at `lo` + `at`. */
export function writeStream(cells: usize, count: u32, rowId: u32, lo: usize, at: usize, size: usize): void {
  const out = take(lo, at, size);
  put32(out, count);
  put32(out + 4, <u32>size);
  put32(out + 8, rowId);
  put32(out + 12, 0);
  let record = out + STREAM_HEADER;
  let place = STREAM_HEADER + <usize>count * RECORD;
  let c = take(cells, 0, <usize>count * CELL);
  for (let k: u32 = 0; k < count; k++, c += CELL, record += RECORD) {
    const tag = get32(c + TAG);
    contextOf(tag);
    put32(record, tag);
    const flags = get32(c + FLAGS);
    const length = <usize>get32(c + LENGTH);
    put32(record + 4, flags);
    put32(record + 8, <u32>length);
    if (flags) {
      put32(record + 12, get32(c + AT));
      continue;
    }
    put32(record + 12, <u32>place);
    if (length == 0) continue;
    const padded = (length + 7) & ~7;
    const to = part(out, size, place, padded);
    put64(to + padded - 8, 0);
    copy(to, take(<usize>get32(c + LO), <usize>get32(c + AT), length), length);
    place += padded;
  }
  contextOf(0);
}
