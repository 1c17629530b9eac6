// Table contexts, writing. MS-PST 2.3.4; tc.ts draws them. The BTH header is heap item 0x20 and TCINFO 0x40, as Outlook
// lays them; columns, offsets and bits are the caller's, so that a copied table keeps its own.
//
// Rows stream in one at a time: cells go to the row matrix, long values to the heap. The matrix becomes a heap item when
// it fits one, else the caller writes it as a subnode.

import {
  damage,
  TC_COLUMN,
  TC_COLUMNS,
  TC_GROUPS,
  TC_OVERLAP,
  TC_ROWS,
  TC_TYPE,
  VALUE_DAMAGED,
  VALUE_TOO_LONG,
} from '../damage';
import { alloc, free, sizeOf } from '../memory/pageheap';
import {
  FREE_TABLE_WRITER_HANDLE,
  FREE_TABLE_WRITER_INDEX,
  FREE_TABLE_WRITER_INFO,
  FREE_TABLE_WRITER_OUTGROWN,
  SITE_TABLE_WRITER_GROW,
  SITE_TABLE_WRITER_HANDLE,
  SITE_TABLE_WRITER_INDEX,
  SITE_TABLE_WRITER_INFO,
  SITE_TABLE_WRITER_ROWS,
} from '../memory/site';
import { copy, get8, get16, get32, part, put8, put32, put64, take, zero } from '../memory/span';
import { contextOf } from '../memory/stop';
import { chainCount, chainFree, chainNew, chainPtr, chainPut, chainTotal, chainTrim } from '../ndb/chain';
import { DAMAGED, EXTERNAL, INLINE, RECORD, STREAM_HEADER } from '../stream/cells';
import { fixedSize, UNKNOWN } from '../stream/types';
import { bthReserve, bthReserved, bthWrite, reservedAt, reservedHid, reservedLo } from './bthwriter';
import { CLIENT_TC } from './heap';
import {
  hwBegin,
  hwChain,
  hwEnd,
  hwFill,
  hwItem,
  hwResume,
  hwState,
  MAX_ITEM,
  newAt,
  newLo,
  newSpan,
  PAYLOAD,
} from './heapwriter';
import { valueOk, writeValue } from './pcwriter';

const TCINFO_SIZE: usize = 22;
const TCOLDESC_SIZE: usize = 8;

// The handle of a table being written.
const HEAP: usize = 0;
const OPEN: usize = 4; // first block of the heap that is not sealed
const INFO: usize = 12; // TCINFO and TCOLDESCs, the caller's block
const ROWS: usize = 16; // chain of row matrix blocks
const ROW_SIZE: usize = 20;
const PER_BLOCK: usize = 24;
const COUNT: usize = 28;
const INDEX: usize = 32; // { row id u32, row index u32 } of every row so far
const INDEX_CAPACITY: usize = 36;
const INDEX_HID: usize = 40; // item reserved for the row index, its place, and the rows it is for
const INDEX_LO: usize = 44;
const INDEX_AT: usize = 48;
const EXPECTED: usize = 52;
const MATRIX_HID: usize = 56; // the same for a matrix in the heap
const MATRIX_LO: usize = 60;
const MATRIX_AT: usize = 64;
const HANDLE_SIZE: usize = 68;

const HID_HEADER: u32 = 0x20;
const HID_TCINFO: u32 = 0x40;

/**
 * Begins a table with the columns of `info`, a TCINFO with its TCOLDESCs (copied). `rows`: how many are to come, 0 when that is not known;
 * `isMatrixInHeap`: they will be a heap item, if one can hold them. Returns 0 with a damage record.
 */
export function twNew(info: usize, rows: u32, isMatrixInHeap: u32): usize {
  const size = sizeOf(info);
  if (size < TCINFO_SIZE) return damage(TC_COLUMNS, 0, <u32>size);
  const i = take(info, 0, size);
  const columns = get8(i + 1);
  if (get8(i) != CLIENT_TC) return damage(TC_TYPE, get8(i), CLIENT_TC);
  if (size != TCINFO_SIZE + <usize>columns * TCOLDESC_SIZE) return damage(TC_COLUMNS, columns, <u32>size);
  const end1 = get16(i + 6);
  const rowSize = get16(i + 8);
  if (rowSize == 0 || <usize>rowSize > PAYLOAD) return damage(TC_GROUPS, rowSize, end1);
  for (let k: u32 = 0; k < columns; k++) {
    const c = i + TCINFO_SIZE + <usize>k * TCOLDESC_SIZE;
    const bit = <u32>get8(c + 7);
    if (get16(c + 4) + get8(c + 6) > end1 || end1 + (bit >>> 3) >= rowSize) return damage(TC_COLUMN, get32(c), end1);
    if (k > 0 && get32(c) <= get32(c - TCOLDESC_SIZE)) return damage(TC_COLUMN, get32(c), get32(c - TCOLDESC_SIZE));
    // A reader bears columns that share bytes; written one after the other, each would spoil the one before.
    for (let other = i + TCINFO_SIZE; other < c; other += TCOLDESC_SIZE) {
      const isBefore = get16(c + 4) + get8(c + 6) <= get16(other + 4);
      const isBehind = get16(other + 4) + get8(other + 6) <= get16(c + 4);
      if (!isBefore && !isBehind) return damage(TC_OVERLAP, get32(c), get32(other));
    }
  }
  hwBegin(CLIENT_TC);
  hwItem(8);
  zero(newSpan, 8);
  hwItem(size);
  copy(newSpan, i, size);
  bthReserve((<usize>rows) << 3);
  const matrix = <usize>rows * <usize>rowSize;
  const matrixHid = isMatrixInHeap && matrix != 0 && matrix <= MAX_ITEM ? hwItem(matrix) : 0;
  const matrixLo = newLo();
  const matrixAt = newAt;

  const own = alloc(size, SITE_TABLE_WRITER_INFO);
  copy(take(own, 0, size), i, size);
  const writer = alloc(HANDLE_SIZE, SITE_TABLE_WRITER_HANDLE);
  const h = take(writer, 0, HANDLE_SIZE);
  keepHeap(h);
  put32(h + INFO, <u32>own);
  put32(h + ROWS, <u32>chainNew(1));
  put32(h + ROW_SIZE, rowSize);
  put32(h + PER_BLOCK, <u32>(PAYLOAD / <usize>rowSize));
  put32(h + COUNT, 0);
  put32(h + INDEX, <u32>alloc(1024, SITE_TABLE_WRITER_INDEX));
  put32(h + INDEX_CAPACITY, 128);
  put32(h + EXPECTED, rows);
  put32(h + INDEX_HID, reservedHid);
  put32(h + INDEX_LO, <u32>reservedLo);
  put32(h + INDEX_AT, <u32>reservedAt);
  put32(h + MATRIX_HID, matrixHid);
  put32(h + MATRIX_LO, <u32>matrixLo);
  put32(h + MATRIX_AT, <u32>matrixAt);
  return writer;
}

function keepHeap(h: usize): void {
  put32(h + HEAP, <u32>hwChain());
  put32(h + OPEN, hwState());
}

function resumeHeap(h: usize): void {
  hwResume(<usize>get32(h + HEAP), get32(h + OPEN));
}

/**
 * Appends a row; its id is the stream's rowId. Properties without a column are left out. Returns 0 with a damage record;
 * the table is then as it was before, but for what the row has put into the heap.
 */
export function twRow(writer: usize, stream: usize, at: usize): u32 {
  const h = take(writer, 0, HANDLE_SIZE);
  const rowSize = <usize>get32(h + ROW_SIZE);
  const perBlock = get32(h + PER_BLOCK);
  const count = get32(h + COUNT);
  const rows = <usize>get32(h + ROWS);
  if (chainCount(rows) * perBlock == count) {
    const fresh = alloc(PAYLOAD, SITE_TABLE_WRITER_ROWS);
    zero(take(fresh, 0, PAYLOAD), PAYLOAD);
    chainPut(rows, fresh, PAYLOAD);
  }
  const block = chainPtr(rows, chainCount(rows) - 1);
  const row = take(block, <usize>(count % perBlock) * rowSize, rowSize);
  resumeHeap(h);
  const size = <usize>get32(take(stream, at, STREAM_HEADER) + 4);
  const head = take(stream, at, size);
  const records = get32(head);
  let r = part(head, size, STREAM_HEADER, <usize>records * RECORD);
  const end = r + <usize>records * RECORD;
  const info = <usize>get32(h + INFO);
  const columns = get8(take(info, 0, TCINFO_SIZE) + 1);
  const bitmap = row + <usize>get16(take(info, 0, TCINFO_SIZE) + 6);
  let c = take(info, TCINFO_SIZE, <usize>columns * TCOLDESC_SIZE);
  const lastColumn = c + <usize>columns * TCOLDESC_SIZE;
  // Both run in tag order.
  while (r < end && c < lastColumn) {
    const tag = get32(r);
    const column = get32(c);
    if (tag < column) {
      r += RECORD;
    } else if (tag > column) {
      c += TCOLDESC_SIZE;
    } else {
      contextOf(tag);
      if (!cell(head, size, r, row + <usize>get16(c + 4), get8(c + 6))) {
        zero(row, rowSize);
        keepHeap(h);
        return 0;
      }
      const bit = get8(c + 7);
      const b = bitmap + <usize>(bit >>> 3);
      put8(b, get8(b) | (0x80 >>> (bit & 7)));
      r += RECORD;
      c += TCOLDESC_SIZE;
    }
  }
  contextOf(0);
  keepHeap(h);
  appendIndex(h, get32(head + 8), count);
  put32(h + COUNT, count + 1);
  return 1;
}

/** Fills the `cb` bytes of a cell, which are zero, from record `r` of the `size` bytes at `stream`. As rowCells() in tc.ts reads them. */
function cell(stream: usize, size: usize, r: usize, to: usize, cb: u32): u32 {
  const flags = get32(r + 4);
  const length = get32(r + 8);
  const tag = get32(r);
  if (flags & DAMAGED) return <u32>damage(VALUE_DAMAGED, 0, tag);
  if (flags & INLINE) {
    let value = get32(r + 12);
    for (let k: u32 = 0; k < 4 && k < cb; k++, value >>>= 8) put8(to + <usize>k, value);
    return 1;
  }
  if (cb != 4 || fixedSize(tag & 0xffff) == UNKNOWN) {
    if (flags & EXTERNAL) return <u32>damage(VALUE_TOO_LONG, 0, tag); // no room for its NID
    if (length != 0)
      copy(to, part(stream, size, <usize>get32(r + 12), <usize>length), <usize>(length < cb ? length : cb));
    return 1;
  }
  put32(to, writeValue(stream, size, r));
  return valueOk;
}

function appendIndex(h: usize, rowId: u32, index: u32): void {
  let block = <usize>get32(h + INDEX);
  const capacity = get32(h + INDEX_CAPACITY);
  if (index == capacity) {
    const bytes = (<usize>capacity) << 3;
    const bigger = alloc(bytes << 1, SITE_TABLE_WRITER_GROW);
    copy(take(bigger, 0, bytes), take(block, 0, bytes), bytes);
    free(block, FREE_TABLE_WRITER_OUTGROWN);
    block = bigger;
    put32(h + INDEX, <u32>block);
    put32(h + INDEX_CAPACITY, capacity << 1);
  }
  put64(take(block, (<usize>index) << 3, 8), <u64>rowId | ((<u64>index) << 32));
}

/** Row ids ascend in most tables; where they do not, the index is ordered before it becomes a BTH. */
function sortIndex(block: usize, count: u32): void {
  const p = take(block, 0, (<usize>count) << 3);
  let sorted = true;
  for (let k: usize = 1; k < <usize>count && sorted; k++) sorted = get32(p + (k << 3)) > get32(p + ((k - 1) << 3));
  if (sorted) return;
  let gap: u32 = 1;
  while (gap < count / 3) gap = gap * 3 + 1;
  for (; gap > 0; gap = gap / 3) {
    for (let i = gap; i < count; i++) {
      const key = get32(p + ((<usize>i) << 3));
      const value = get32(p + ((<usize>i) << 3) + 4);
      let j = i;
      for (; j >= gap && get32(p + ((<usize>(j - gap)) << 3)) > key; j -= gap) {
        const from = p + ((<usize>(j - gap)) << 3);
        const to = p + ((<usize>j) << 3);
        put32(to, get32(from));
        put32(to + 4, get32(from + 4));
      }
      put32(p + ((<usize>j) << 3), key);
      put32(p + ((<usize>j) << 3) + 4, value);
    }
  }
}

/**
 * Completes heap and matrix. `rowsNid` names the subnode the matrix goes to if it needs one. A table that is written anew keeps its size, see hwFill():
 * its heap takes at least `target` bytes, and a matrix that was a subnode of `rowsTarget` bytes stays one. 0 and 0 for a new table.
 * Returns 0 with a damage record.
 */
export function twEnd(writer: usize, rowsNid: u32, target: usize, rowsTarget: usize): u32 {
  const h = take(writer, 0, HANDLE_SIZE);
  const count = get32(h + COUNT);
  const rowSize = <usize>get32(h + ROW_SIZE);
  const rows = <usize>get32(h + ROWS);
  resumeHeap(h);
  const expected = get32(h + EXPECTED);
  if (expected != 0 && expected != count) return <u32>damage(TC_ROWS, count, expected);
  let hnidRows: u32 = 0;
  if (count > 0) {
    const perBlock = get32(h + PER_BLOCK);
    const last = <usize>(count % perBlock == 0 ? perBlock : count % perBlock) * rowSize;
    chainTrim(rows, last);
    if (rowsTarget != 0) {
      const total = <usize>chainTotal(rows);
      if (rowsTarget > total && rowsTarget - total <= PAYLOAD - last) chainTrim(rows, last + rowsTarget - total);
      hnidRows = rowsNid;
    } else if (count <= perBlock && last <= MAX_ITEM) {
      const isReserved = get32(h + MATRIX_HID) != 0;
      hnidRows = isReserved ? get32(h + MATRIX_HID) : hwItem(last);
      if (!hnidRows) return 0;
      const to = isReserved ? take(<usize>get32(h + MATRIX_LO), <usize>get32(h + MATRIX_AT), last) : newSpan;
      copy(to, take(chainPtr(rows, 0), 0, last), last);
      chainFree(rows);
      put32(h + ROWS, 0);
    } else {
      hnidRows = rowsNid;
    }
  } else {
    chainFree(rows);
    put32(h + ROWS, 0);
  }
  const index = <usize>get32(h + INDEX);
  sortIndex(index, count);
  bthReserved(get32(h + INDEX_HID), <usize>get32(h + INDEX_LO), <usize>get32(h + INDEX_AT));
  const first = chainPtr(hwChain(), 0);
  // Items 1 and 2 of the first block, laid by twNew(): 8 bytes behind the 12 of the HNHDR, and what follows.
  const ok = bthWrite(first, 12, 4, 4, index, count);
  if (!ok || !hwFill(target)) return 0;
  const info = take(first, 20, TCINFO_SIZE);
  put32(info + 10, HID_HEADER);
  put32(info + 14, hnidRows);
  put32(info + 18, 0);
  hwEnd(HID_TCINFO);
  keepHeap(h);
  return 1;
}

/** The heap of a completed table; the caller's to free. */
export function twHeap(writer: usize): usize {
  return <usize>get32(take(writer, 0, HANDLE_SIZE) + HEAP);
}

/** The row matrix of a completed table when it goes to a subnode, else 0; the caller's to free. */
export function twRows(writer: usize): usize {
  return <usize>get32(take(writer, 0, HANDLE_SIZE) + ROWS);
}

/** Ends the writer. Chains not taken over by the caller stay the caller's to free. */
export function twClose(writer: usize): void {
  const h = take(writer, 0, HANDLE_SIZE);
  free(<usize>get32(h + INFO), FREE_TABLE_WRITER_INFO);
  free(<usize>get32(h + INDEX), FREE_TABLE_WRITER_INDEX);
  free(writer, FREE_TABLE_WRITER_HANDLE);
}
