// Inspection of table contexts. MS-PST 2.3.4. Drawn at the head of tc.ts; notes as in inspect.ts.
//
// Parses the TCINFO by itself: what tc.ts reads with forgiveness is what is looked for here.

import { alloc, free } from '../memory/pageheap';
import {
  FREE_INSPECT_INDEX,
  FREE_INSPECT_INDEX_SIZES,
  FREE_INSPECT_SEEN,
  FREE_INSPECT_TAKEN,
  SITE_INSPECT_SEEN,
  SITE_INSPECT_TAKEN,
} from '../memory/site';
import { get8, get16, get32, put8, take, zero } from '../memory/span';
import { ANSI } from '../ndb/block';
import { chainCount, chainPtr, chainSize } from '../ndb/chain';
import { fixedSize } from '../stream/types';
import { bthCount, bthKeySize, bthRead, bthValueSize } from './bth';
import { CLIENT_TC, hnItem, hnOpen, itemAt, itemLo, itemSize, rootHid } from './heap';
import { inspectBth, note, noteDamage, noteInto } from './inspect';

export const TC_SHORT: u32 = 50; // item of a bytes, b columns
export const TC_SIGNATURE: u32 = 51; // bType a
export const TC_GROUPS: u32 = 52; // group end a after b
export const TC_BITMAP: u32 = 53; // row of a bytes, expected b
export const TC_INDEX_HID: u32 = 54; // deprecated hidIndex a
export const TC_COLUMN_ORDER: u32 = 55; // column a after b
export const TC_COLUMN_PLACE: u32 = 56; // column a lies at b, its group ends or begins at c
export const TC_COLUMN_WIDTH: u32 = 57; // column a of b bytes, its type takes c
export const TC_COLUMN_BIT: u32 = 58; // column a has bit b, which another has too or none may have
export const TC_COLUMN_OVERLAP: u32 = 59; // column a at b lies in another column
export const TC_ROW_ID_COLUMN: u32 = 60; // column 67F2 at a, bit b; absent: both 0xFFFF
export const TC_ROW_VERSION_COLUMN: u32 = 61; // column 67F3 at a, bit b
export const TC_INDEX_RECORD: u32 = 62; // keys of a bytes, values of b
export const TC_ROW_COUNT: u32 = 63; // a rows in the matrix, b in the index
export const TC_ROW_INDEX: u32 = 64; // row id a names row b of c
export const TC_ROW_TWICE: u32 = 65; // row id a names row b, which another names too
export const TC_ROW_ID: u32 = 66; // cell a, key b, row c
export const TC_BITS: u32 = 67; // unused bits a set, row b
export const TC_CELL: u32 = 68; // cleared cell of column a has bytes, row b
export const TC_HID: u32 = 69; // column a, HID b, row c leads nowhere
export const TC_ZERO: u32 = 70; // column a, HID b, row c: an item without bytes
export const TC_SIZE: u32 = 71; // column a, row b, value of c bytes
export const TC_BLOCK_TAIL: u32 = 72; // block a of the matrix: bytes behind its last row
export const TC_ROW_WIDTH: u32 = 73; // rows of a bytes in blocks of b
export const TC_BOOL: u32 = 74; // column a, byte b, row c

const TCINFO_SIZE: usize = 22;
const TCOLDESC_SIZE: usize = 8;
const ROW_ID: u32 = 0x67f20003;
const ROW_VERSION: u32 = 0x67f30003;

let columns: usize = 0; // place of the TCOLDESCs in block columnsLo
let columnsLo: usize = 0;
let columnCount: u32 = 0;
let bitmapAt: u32 = 0;
let rowSize: u32 = 0;

/**
 * A TC: TCINFO, columns, row index and every row. `rows` is the chain of the row matrix when it is a subnode, else 0; `heapA` and
 * `heapB` those that HIDs of the columns with ids `idA` and `idB` count in (4K stores), else 0. Returns 0 with a note when
 * the rows cannot be looked at.
 */
export function inspectTable(
  chain: usize,
  rows: usize,
  variant: u32,
  block: usize,
  idA: u32,
  heapA: usize,
  idB: u32,
  heapB: usize,
): u32 {
  noteInto(block);
  if (!hnOpen(chain, CLIENT_TC) || !hnItem(chain, rootHid, variant)) {
    noteDamage();
    return 0;
  }
  const count = itemSize < TCINFO_SIZE ? 0 : get8(take(itemLo, itemAt, TCINFO_SIZE) + 1);
  if (itemSize < TCINFO_SIZE + <usize>count * TCOLDESC_SIZE) {
    note(TC_SHORT, <u32>itemSize, count, 0);
    return 0;
  }
  const info = take(itemLo, itemAt, TCINFO_SIZE);
  if (get8(info) != 0x7c) {
    note(TC_SIGNATURE, get8(info), 0, 0);
    return 0;
  }
  columnsLo = itemLo;
  columns = itemAt + TCINFO_SIZE;
  columnCount = count;
  const end4 = get16(info + 2);
  const end2 = get16(info + 4);
  const end1 = get16(info + 6);
  bitmapAt = end1;
  rowSize = get16(info + 8);
  const rowIndexHid = get32(info + 10);
  const hnidRows = get32(info + 14);
  if (get32(info + 18) != 0) note(TC_INDEX_HID, get32(info + 18), 0, 0);
  let sound = true;
  if (end4 > end2) note(TC_GROUPS, end2, end4, 0);
  if (end2 > end1) note(TC_GROUPS, end1, end2, 0);
  if (end4 > end2 || end2 > end1) sound = false;
  const expected = end1 + ((count + 7) >>> 3);
  if (rowSize != expected) note(TC_BITMAP, rowSize, expected, 0);
  if (rowSize == 0 || rowSize < expected || !inspectColumns(end4, end2, end1)) sound = false;
  if (!inspectBth(chain, rowIndexHid, variant, block)) return 0;
  if (!sound) return 0;
  return inspectRows(chain, rows, hnidRows, rowIndexHid, variant, idA, heapA, idB, heapB);
}

function inspectColumns(end4: u32, end2: u32, end1: u32): bool {
  let sound = true;
  let hasId = false;
  let lastTag: u32 = 0;
  // One byte per byte of the row, then one per bit of the bitmap: taken or not.
  const room = <usize>rowSize + ((<usize>(rowSize - bitmapAt)) << 3);
  const taken = alloc(room + 1, SITE_INSPECT_TAKEN);
  zero(take(taken, 0, room), room);
  for (let k: u32 = 0; k < columnCount; k++) {
    const c = take(columnsLo, columns + <usize>k * TCOLDESC_SIZE, TCOLDESC_SIZE);
    const tag = get32(c);
    const ibData = get16(c + 4);
    const cbData = get8(c + 6);
    const iBit = get8(c + 7);
    if (k != 0 && tag <= lastTag) note(TC_COLUMN_ORDER, tag, lastTag, 0);
    lastTag = tag;
    const size = fixedSize(tag & 0xffff);
    const width: u32 = size == 0 || size > 8 || (tag & 0xffff) == 0x000d ? 4 : size == 255 ? cbData : size;
    if (cbData != width) note(TC_COLUMN_WIDTH, tag, cbData, width);
    const from: u32 = cbData >= 4 ? 0 : cbData == 2 ? end4 : end2;
    const to: u32 = cbData >= 4 ? end4 : cbData == 2 ? end2 : end1;
    if (ibData < from || ibData + cbData > to) note(TC_COLUMN_PLACE, tag, ibData, ibData < from ? from : to);
    if (ibData + cbData > end1) sound = false;
    else {
      let free = true;
      for (let b: u32 = ibData; b < ibData + cbData; b++) {
        const p = take(taken, <usize>b, 1);
        if (get8(p)) free = false;
        put8(p, 1);
      }
      if (!free) note(TC_COLUMN_OVERLAP, tag, ibData, 0);
    }
    if (iBit >= columnCount || iBit >= (rowSize - bitmapAt) << 3) {
      note(TC_COLUMN_BIT, tag, iBit, 0);
      if (iBit >= (rowSize - bitmapAt) << 3) sound = false;
    } else {
      const p = take(taken, <usize>(rowSize + iBit), 1);
      if (get8(p)) note(TC_COLUMN_BIT, tag, iBit, 0);
      put8(p, 1);
    }
    if (tag == ROW_ID) {
      hasId = true;
      if (ibData != 0 || iBit != 0) note(TC_ROW_ID_COLUMN, ibData, iBit, 0);
    }
    if (tag == ROW_VERSION && (ibData != 4 || iBit != 1)) note(TC_ROW_VERSION_COLUMN, ibData, iBit, 0);
  }
  free(taken, FREE_INSPECT_TAKEN);
  if (!hasId) note(TC_ROW_ID_COLUMN, 0xffff, 0xffff, 0);
  return sound;
}

function inspectRows(
  chain: usize,
  rows: usize,
  hnidRows: u32,
  rowIndexHid: u32,
  variant: u32,
  idA: u32,
  heapA: usize,
  idB: u32,
  heapB: usize,
): u32 {
  // Where the rows are: `perBlock` of them in each block of a chain, or all in one heap item.
  let heapLo: usize = 0;
  let heapAt: usize = 0;
  let capacity: u32 = 0;
  let perBlock: u32 = 0;
  if (rows) {
    const blocks = chainCount(rows);
    if (blocks) {
      perBlock = <u32>chainSize(rows, 0) / rowSize;
      if (perBlock == 0) {
        note(TC_ROW_WIDTH, rowSize, <u32>chainSize(rows, 0), 0);
        return 0;
      }
      const last = <u32>chainSize(rows, blocks - 1) / rowSize;
      capacity = (blocks - 1) * perBlock + (last < perBlock ? last : perBlock);
      for (let b: u32 = 0; b < blocks; b++) {
        const size = <u32>chainSize(rows, b);
        const used = size - (size % rowSize);
        if (b == blocks - 1 ? used != size : !isZero(chainPtr(rows, b), used, size - used))
          note(TC_BLOCK_TAIL, b, 0, 0);
      }
    }
  } else if (hnidRows != 0) {
    if (!hnItem(chain, hnidRows, variant)) {
      noteDamage();
      return 0;
    }
    heapLo = itemLo;
    heapAt = itemAt;
    capacity = <u32>itemSize / rowSize;
    if (<u32>itemSize % rowSize) note(TC_BLOCK_TAIL, 0, 0, 0);
  }

  const index = bthRead(chain, rowIndexHid, variant);
  if (!index) return 0;
  // ANSI: 2 bytes, but 4 in the templates 0x6D7 and 0x6F8 of ANSI stores seen.
  if (bthKeySize != 4 || (bthValueSize != 4 && (bthValueSize != 2 || variant != ANSI))) {
    note(TC_INDEX_RECORD, bthKeySize, bthValueSize, 0);
    free(index, FREE_INSPECT_INDEX_SIZES);
    return 0;
  }
  const records = bthCount;
  const step = <usize>(4 + bthValueSize);
  if (records != capacity) note(TC_ROW_COUNT, capacity, records, 0);
  const seen = alloc(<usize>capacity + 1, SITE_INSPECT_SEEN);
  zero(take(seen, 0, <usize>capacity + 1), <usize>capacity + 1);
  for (let k: u32 = 0; k < records; k++) {
    const r = take(index, <usize>k * step, step);
    const id = get32(r);
    const row = step == 6 ? get16(r + 4) : get32(r + 4);
    // A block in the middle may be shorter than the first.
    if (row >= capacity || (rows && ((row % perBlock) + 1) * rowSize > <u32>chainSize(rows, row / perBlock))) {
      note(TC_ROW_INDEX, id, row, capacity);
      continue;
    }
    const s = take(seen, <usize>row, 1);
    if (get8(s)) note(TC_ROW_TWICE, id, row, 0);
    put8(s, 1);
    let lo = heapLo;
    let at = heapAt + <usize>row * <usize>rowSize;
    if (rows) {
      lo = chainPtr(rows, row / perBlock);
      at = <usize>(row % perBlock) * <usize>rowSize;
    }
    inspectRow(chain, variant, lo, at, id, row, idA, heapA, idB, heapB);
  }
  free(seen, FREE_INSPECT_SEEN);
  free(index, FREE_INSPECT_INDEX);
  return 1;
}

function isZero(lo: usize, at: u32, size: u32): bool {
  const p = take(lo, <usize>at, <usize>size);
  for (let k: usize = 0; k < <usize>size; k++) if (get8(p + k)) return false;
  return true;
}

function inspectRow(
  chain: usize,
  variant: u32,
  lo: usize,
  at: usize,
  id: u32,
  row: u32,
  idA: u32,
  heapA: usize,
  idB: u32,
  heapB: usize,
): void {
  const r = take(lo, at, <usize>rowSize);
  const bitmap = r + <usize>bitmapAt;
  const bits = (rowSize - bitmapAt) << 3;
  for (let bit = columnCount; bit < bits; bit++) {
    if (get8(bitmap + <usize>(bit >>> 3)) & (0x80 >>> (bit & 7))) {
      note(TC_BITS, bit, row, 0);
      break;
    }
  }
  for (let k: u32 = 0; k < columnCount; k++) {
    const c = take(columnsLo, columns + <usize>k * TCOLDESC_SIZE, TCOLDESC_SIZE);
    const tag = get32(c);
    const cell = r + <usize>get16(c + 4);
    const cbData = get8(c + 6);
    const bit = get8(c + 7);
    if (!(get8(bitmap + <usize>(bit >>> 3)) & (0x80 >>> (bit & 7)))) {
      for (let b: usize = 0; b < <usize>cbData; b++) {
        if (get8(cell + b)) {
          note(TC_CELL, tag, row, 0);
          break;
        }
      }
      if (tag == ROW_ID) note(TC_ROW_ID, 0, id, row);
      continue;
    }
    if (tag == ROW_ID && cbData == 4 && get32(cell) != id) note(TC_ROW_ID, get32(cell), id, row);
    if ((tag & 0xffff) == 0x000b && get8(cell) > 1) note(TC_BOOL, tag, get8(cell), row);
    const size = fixedSize(tag & 0xffff);
    const isPlaced = cbData == 4 && size != 255 && (size == 0 || size > 8 || (tag & 0xffff) == 0x000d);
    if (!isPlaced) continue;
    const hnid = get32(cell);
    if (hnid == 0 || (hnid & 0x1f) != 0) continue;
    let heap = chain;
    if (heapA && tag >>> 16 == idA) heap = heapA;
    if (heapB && tag >>> 16 == idB) heap = heapB;
    if (!hnItem(heap, hnid, variant)) note(TC_HID, tag, hnid, row);
    else if (itemSize == 0) note(TC_ZERO, tag, hnid, row);
    else if (size != 0 && itemSize != <usize>size) note(TC_SIZE, tag, row, <u32>itemSize);
  }
}
