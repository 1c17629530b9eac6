// Table contexts, reading. MS-PST 2.3.4.
//
//     TCINFO 22: bType 0x7C · cCols u8 · rgib u16 × 4 · hidRowIndex u32 · hnidRows u32 · hidIndex u32
//     TCOLDESC 8 × cCols: tag u32 · ibData u16 · cbData u8 · iBit u8
//     row: 4- and 8-byte columns │ 2-byte │ 1-byte │ CEB, the cell existence bitmap
//          ends at rgib[0]         rgib[1]  rgib[2]  rgib[3] = row size
//     row index: BTH, key dwRowID u32, value dwRowIndex u32 (ANSI u16)
//
// A row never crosses a block: block = index / rows per block. MS-PST 2.3.4.4.1.

import { damage, HID_TYPE, TC_COLUMN, TC_COLUMNS, TC_GROUPS, TC_RECORD, TC_ROW_SIZE, TC_TYPE } from '../damage';
import { alloc, free } from '../memory/pageheap';
import * as site from '../memory/site';
import { copy, get8, get16, get32, get64, put32, put64, take } from '../memory/span';
import { contextOf } from '../memory/stop';
import { chainCount, chainPtr, chainSize, chainTotal } from '../ndb/chain';
import {
  CELL,
  cellAt,
  cellHnid,
  cellInline,
  sharedOk,
  sortCells,
  streamSize,
  valuesSize,
  writeStream,
} from '../stream/cells';
import { fixedSize } from '../stream/types';
import { bthAt, bthCount, bthDone, bthFind, bthKeySize, bthLo, bthValueSize } from './bth';
import { CLIENT_TC, hnForget, hnItem, hnOpen, itemAt, itemLo, itemSize, rootHid } from './heap';

const TC_SIGNATURE: u32 = 0x7c;
const TCINFO_SIZE: usize = 22;
const TCOLDESC_SIZE: usize = 8;

// The handle of an open table.
const CHAIN: usize = 0;
const ROWS_CHAIN: usize = 4; // 0: the rows are one heap item
const ROWS_LO: usize = 8;
const ROWS_AT: usize = 12;
const ROWS_SIZE: usize = 16;
const COLUMNS: usize = 20; // block of TCOLDESCs, as they lie in the file
const COLUMN_COUNT: usize = 24;
const ROW_SIZE: usize = 28;
const BITMAP: usize = 32; // rgib[2]
const ROW_COUNT: usize = 36; // readable rows
const ORDER: usize = 40; // block of { row index u32, row id u32 }, ascending by row index
const BAD_ROWS: usize = 44; // row index entries that point outside the matrix, or twice at one row
const VARIANT: usize = 48;
const PER_BLOCK: usize = 52;
const OUT: usize = 56; // block that rows are read into
const OUT_CAPACITY: usize = 60;
const CELLS: usize = 64;
const OTHER_HEAPS: usize = 68; // block of u32 chains, one per column, 0: the table's own heap
const HNID_ROWS: usize = 72;
const OUT_SIZE: usize = 76;
const END_4: usize = 80; // rgib[0]
const END_2: usize = 84; // rgib[1]
const READ_TO: usize = 88; // rows from here on have not been read yet
const HELD: usize = 92; // KB of the heaps and the row matrix, rounded up
const SPENT: usize = 96; // u64: bytes of values the rows before READ_TO made
const HANDLE_SIZE: usize = 104;

const NO_ROW: u32 = 0xffffffff;

/** hnidRows of a TC: 0 no rows, a HID, or the NID of the subnode with the row matrix. NO_ROW with a damage record. */
export function tcRowsHnid(chain: usize, variant: u32): u32 {
  if (!hnOpen(chain, CLIENT_TC) || !hnItem(chain, rootHid, variant)) return NO_ROW;
  if (itemSize < TCINFO_SIZE) {
    damage(TC_COLUMNS, 0, <u32>itemSize);
    return NO_ROW;
  }
  const hnidRows = get32(take(itemLo, itemAt, TCINFO_SIZE) + 14);
  if (hnidRows == NO_ROW) damage(HID_TYPE, hnidRows, 0); // what stands for no answer is no answer either
  return hnidRows;
}

/**
 * Opens a table. `rows` is the chain of the row matrix when hnidRows is a NID, else 0; the table owns both chains.
 * Returns a handle, or 0 with a damage record (the caller keeps the chains then).
 */
export function tcOpen(chain: usize, rows: usize, variant: u32): usize {
  if (!hnOpen(chain, CLIENT_TC) || !hnItem(chain, rootHid, variant)) return 0;
  if (itemSize < TCINFO_SIZE) return damage(TC_COLUMNS, 0, <u32>itemSize);
  const info = take(itemLo, itemAt, TCINFO_SIZE);
  if (get8(info) != TC_SIGNATURE) return damage(TC_TYPE, get8(info), TC_SIGNATURE);
  const count = get8(info + 1);
  if (itemSize < TCINFO_SIZE + <usize>count * TCOLDESC_SIZE) return damage(TC_COLUMNS, count, <u32>itemSize);
  const end4 = get16(info + 2);
  const end2 = get16(info + 4);
  const end1 = get16(info + 6);
  const rowSize = get16(info + 8);
  if (end4 > end2) return damage(TC_GROUPS, end2, end4);
  if (end2 > end1) return damage(TC_GROUPS, end1, end2);
  if (rowSize == 0 || end1 + ((count + 7) >>> 3) > rowSize) return damage(TC_GROUPS, rowSize, end1);
  const rowIndexHid = get32(info + 10);
  const hnidRows = get32(info + 14);

  const columnBytes = <usize>count * TCOLDESC_SIZE;
  const columns = alloc(columnBytes + 1, site.SITE_TABLE_COLUMNS);
  copy(take(columns, 0, columnBytes), take(itemLo, itemAt + TCINFO_SIZE, columnBytes), columnBytes);
  let c = take(columns, 0, columnBytes);
  // Attack: 255 columns over the same few bytes, so that a row grows a hundredfold. Honest columns are disjoint.
  let width: u32 = 0;
  for (let k: u32 = 0; k < count; k++, c += TCOLDESC_SIZE) {
    const reach = get16(c + 4) + get8(c + 6);
    width += get8(c + 6);
    if (reach > end1 || width > end1 || get8(c + 6) == 0 || get8(c + 7) >= (rowSize - end1) << 3) {
      const tag = get32(c);
      free(columns, site.FREE_TABLE_COLUMN_RANGE);
      return damage(TC_COLUMN, tag, reach);
    }
  }

  let rowsLo: usize = 0;
  let rowsAt: usize = 0;
  let rowsSize: usize = 0;
  let perBlock: u32 = 0;
  let capacity: u32 = 0;
  if (rows) {
    const blocks = chainCount(rows);
    // Every block but the last is full, so the first one's size tells the payload of this kind of store.
    perBlock = blocks ? <u32>chainSize(rows, 0) / rowSize : 0;
    if (blocks && perBlock == 0) {
      const first = <u32>chainSize(rows, 0);
      free(columns, site.FREE_TABLE_ROW_SIZE);
      return damage(TC_ROW_SIZE, rowSize, first);
    }
    capacity = blocks * perBlock;
  } else if (hnidRows) {
    if (!hnItem(chain, hnidRows, variant)) {
      free(columns, site.FREE_TABLE_NO_ROWS);
      return 0;
    }
    rowsLo = itemLo;
    rowsAt = itemAt;
    rowsSize = itemSize;
    capacity = <u32>rowsSize / rowSize;
  }

  if (!bthFind(chain, rowIndexHid, variant)) {
    free(columns, site.FREE_TABLE_NO_INDEX);
    return 0;
  }
  if (bthKeySize != 4 || (bthValueSize != 4 && bthValueSize != 2)) {
    free(columns, site.FREE_TABLE_INDEX_SIZES);
    bthDone();
    return damage(TC_RECORD, bthKeySize, bthValueSize);
  }
  const records = bthCount;
  const order = alloc(((<usize>records) << 3) + 1, site.SITE_TABLE_ORDER);
  const rowCount = orderRows(records, capacity, order, rows, perBlock, rowSize);
  bthDone();

  const table = alloc(HANDLE_SIZE, site.SITE_TABLE_HANDLE);
  const h = take(table, 0, HANDLE_SIZE);
  put32(h + CHAIN, <u32>chain);
  put32(h + ROWS_CHAIN, <u32>rows);
  put32(h + ROWS_LO, <u32>rowsLo);
  put32(h + ROWS_AT, <u32>rowsAt);
  put32(h + ROWS_SIZE, <u32>rowsSize);
  put32(h + COLUMNS, <u32>columns);
  put32(h + COLUMN_COUNT, count);
  put32(h + ROW_SIZE, rowSize);
  put32(h + BITMAP, end1);
  put32(h + ROW_COUNT, rowCount);
  put32(h + ORDER, <u32>order);
  put32(h + BAD_ROWS, records - rowCount);
  put32(h + VARIANT, variant);
  put32(h + PER_BLOCK, perBlock);
  put32(h + OUT, 0);
  put32(h + OUT_CAPACITY, 0);
  put32(h + CELLS, <u32>alloc(<usize>count * CELL + 1, site.SITE_TABLE_CELLS));
  put32(h + OTHER_HEAPS, 0);
  put32(h + HNID_ROWS, hnidRows);
  put32(h + OUT_SIZE, 0);
  put32(h + READ_TO, 0);
  put32(h + HELD, kilobytes(chain) + (rows ? kilobytes(rows) : 0));
  put64(h + SPENT, 0);
  put32(h + END_4, end4);
  put32(h + END_2, end2);
  return table;
}

/** Against a sum of chains that wraps, sizes are kept in KB. */
function kilobytes(chain: usize): u32 {
  return (chainTotal(chain) >>> 10) + 1;
}

/**
 * Puts the row index into the order of the matrix. Row indices are dense in every honest store, so each record has a
 * slot of its own; one that points past the matrix, past the end of a block that is shorter than the first, or at a
 * taken slot is left out and counted.
 */
function orderRows(records: u32, capacity: u32, order: usize, rows: usize, perBlock: u32, rowSize: u32): u32 {
  const step = <usize>(4 + bthValueSize);
  const base = take(order, 0, (<usize>records) << 3);
  const slots = records < capacity ? records : capacity;
  for (let k: usize = 0; k < <usize>records; k++) put64(base + (k << 3), <u64>NO_ROW);
  const from = take(bthLo, bthAt, <usize>records * step);
  for (let k: usize = 0; k < <usize>records; k++) {
    const r = from + k * step;
    const row = bthValueSize == 2 ? get16(r + 4) : get32(r + 4);
    if (row >= slots) continue;
    if (rows && <usize>(((row % perBlock) + 1) * rowSize) > chainSize(rows, row / perBlock)) continue;
    const slot = base + ((<usize>row) << 3);
    if (get32(slot) != NO_ROW) continue;
    put32(slot, row);
    put32(slot + 4, get32(r));
  }
  let count: usize = 0;
  for (let k: usize = 0; k < <usize>records; k++) {
    const e = get64(base + (k << 3));
    if (<u32>e == NO_ROW) continue;
    put64(base + (count << 3), e);
    count++;
  }
  return <u32>count;
}

function field(table: usize, at: usize): u32 {
  return get32(take(table, 0, HANDLE_SIZE) + at);
}

export function tcRowCount(table: usize): u32 {
  return field(table, ROW_COUNT);
}

export function tcBadRows(table: usize): u32 {
  return field(table, BAD_ROWS);
}

export function tcColumnCount(table: usize): u32 {
  return field(table, COLUMN_COUNT);
}

/** Address of the TCOLDESCs, as they lie in the file. */
export function tcColumns(table: usize): usize {
  return <usize>field(table, COLUMNS);
}

export function tcRowSize(table: usize): u32 {
  return field(table, ROW_SIZE);
}

/** rgib[group]: ends of the 4- and 8-byte, 2-byte and 1-byte columns, and of the row. */
export function tcGroup(table: usize, group: u32): u32 {
  return field(table, group == 0 ? END_4 : group == 1 ? END_2 : group == 2 ? BITMAP : ROW_SIZE);
}

export function tcHnidRows(table: usize): u32 {
  return field(table, HNID_ROWS);
}

/** Row ids in the order of the matrix: address of { row index u32, row id u32 } × row count. */
export function tcOrder(table: usize): usize {
  return <usize>field(table, ORDER);
}

/** The heap that HIDs of column `index` count in, when it is not the table's own (seen in 4K stores). Owned by the table. */
export function tcOtherHeap(table: usize, index: u32, chain: usize): void {
  const h = take(table, 0, HANDLE_SIZE);
  const bytes = (<usize>get32(h + COLUMN_COUNT)) << 2;
  let heaps = <usize>get32(h + OTHER_HEAPS);
  if (!heaps) {
    heaps = alloc(bytes, site.SITE_TABLE_HEAPS);
    for (let k: usize = 0; k < bytes; k += 4) put32(take(heaps, k, 4), 0);
    put32(h + OTHER_HEAPS, <u32>heaps);
  }
  put32(take(heaps, (<usize>index) << 2, 4), <u32>chain);
  put32(h + HELD, get32(h + HELD) + kilobytes(chain));
}

/**
 * Reads up to `limit` rows from row `from` on into the table's buffer: streams one after the other. Returns how many;
 * 0 before the last row means that there is a damage record.
 */
export function tcRead(table: usize, from: u32, limit: u32): u32 {
  hnForget();
  const h = take(table, 0, HANDLE_SIZE);
  const rowCount = get32(h + ROW_COUNT);
  const rowSize = <usize>get32(h + ROW_SIZE);
  const cells = <usize>get32(h + CELLS);
  let out = <usize>get32(h + OUT);
  let capacity = <usize>get32(h + OUT_CAPACITY);
  let used: usize = 0;
  let done: u32 = 0;
  while (done < limit && from + done < rowCount) {
    const o = take(<usize>get32(h + ORDER), (<usize>(from + done)) << 3, 8);
    const row = get32(o);
    let lo = <usize>get32(h + ROWS_LO);
    let at = <usize>get32(h + ROWS_AT) + <usize>row * rowSize;
    const rows = <usize>get32(h + ROWS_CHAIN);
    if (rows) {
      const perBlock = get32(h + PER_BLOCK);
      lo = chainPtr(rows, row / perBlock);
      at = <usize>(row % perBlock) * rowSize;
    }
    const count = rowCells(h, lo, at, rowSize, cells);
    const values = valuesSize(cells, count);
    if (from + done >= get32(h + READ_TO)) {
      const spent = get64(h + SPENT) + values;
      if (!sharedOk(spent, (<u64>get32(h + HELD)) << 10)) break;
      put32(h + READ_TO, from + done + 1);
      put64(h + SPENT, spent);
    }
    const size = streamSize(count, values);
    if (used + size > capacity) {
      if (done) break;
      if (out) free(out, site.FREE_TABLE_OUTGROWN);
      put32(h + OUT, 0);
      capacity = size < OUT_MINIMUM ? OUT_MINIMUM : size;
      out = alloc(capacity, site.SITE_TABLE_ROWS);
      put32(h + OUT, <u32>out);
      put32(h + OUT_CAPACITY, <u32>capacity);
    }
    writeStream(cells, count, get32(o + 4), out, used, size);
    used += size;
    done++;
  }
  put32(h + OUT_SIZE, <u32>used);
  return done;
}

/** Enough for a hundred usual rows: fewer calls, and still within the cache. */
const OUT_MINIMUM: usize = 0x10000;

function rowCells(h: usize, lo: usize, at: usize, rowSize: usize, cells: usize): u32 {
  const chain = <usize>get32(h + CHAIN);
  const variant = get32(h + VARIANT);
  const columnCount = get32(h + COLUMN_COUNT);
  const row = take(lo, at, rowSize);
  const bitmap = row + <usize>get32(h + BITMAP);
  const heaps = <usize>get32(h + OTHER_HEAPS);
  let c = take(<usize>get32(h + COLUMNS), 0, <usize>columnCount * TCOLDESC_SIZE);
  let to = take(cells, 0, <usize>columnCount * CELL);
  let count: u32 = 0;
  for (let k: u32 = 0; k < columnCount; k++, c += TCOLDESC_SIZE) {
    const bit = get8(c + 7);
    if (!(get8(bitmap + <usize>(bit >>> 3)) & (0x80 >>> (bit & 7)))) continue;
    const tag = get32(c);
    contextOf(tag);
    const ibData = <usize>get16(c + 4);
    const cbData = get8(c + 6);
    const size = fixedSize(tag & 0xffff);
    if (size != 0 && size <= 8 && cbData == size && (tag & 0xffff) != 0x000d) {
      if (size == 8) cellAt(to, tag, lo, at + ibData, 8);
      else
        cellInline(
          to,
          tag,
          size,
          size == 1 ? get8(row + ibData) : size == 2 ? get16(row + ibData) : get32(row + ibData),
        );
    } else if (cbData == 4 && size != 255) {
      let heap = chain;
      if (heaps) {
        const other = <usize>get32(take(heaps, (<usize>k) << 2, 4));
        if (other) heap = other;
      }
      cellHnid(to, tag, heap, variant, get32(row + ibData), size);
    } else {
      cellAt(to, tag, lo, at + ibData, <usize>cbData); // a type we do not know: its bytes as they are
    }
    to += CELL;
    count++;
  }
  contextOf(0);
  sortCells(cells, count);
  return count;
}

/** Address of the rows tcRead() left, and their size. */
export function tcOut(table: usize): usize {
  return <usize>field(table, OUT);
}

export function tcOutSize(table: usize): u32 {
  return field(table, OUT_SIZE);
}

/** Ends the table. The chains are the caller's to free. */
export function tcClose(table: usize): void {
  const h = take(table, 0, HANDLE_SIZE);
  free(<usize>get32(h + COLUMNS), site.FREE_TABLE_COLUMNS);
  free(<usize>get32(h + ORDER), site.FREE_TABLE_ORDER);
  free(<usize>get32(h + CELLS), site.FREE_TABLE_CELLS);
  if (get32(h + OUT)) free(<usize>get32(h + OUT), site.FREE_TABLE_ROWS);
  if (get32(h + OTHER_HEAPS)) free(<usize>get32(h + OTHER_HEAPS), site.FREE_TABLE_HEAPS);
  free(table, site.FREE_TABLE_HANDLE);
}
