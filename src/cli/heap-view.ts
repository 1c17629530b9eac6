/**
 * A heap as it lies in its blocks, and what stands on it: BTH, property context, table context. MS-PST 2.3.
 *
 * Items and B-trees are read by the core. The page maps are drawn from the bytes here, because a microscope must show
 * those that the core refuses, too; nothing else is built on this.
 * @module
 */
import type { Core } from '../core/core.js';
import { hex, type Where } from '../errors.js';
import { Table } from '../ltp/table.js';
import { lookUpTag, NAMED_ID_FIRST } from '../mapi/tags.js';
import { typeName } from '../mapi/type.js';
import type { Ndb } from '../ndb/ndb.js';
import type { SubnodeIndex } from '../ndb/subnode.js';
import {
  BTHHEADER,
  CLIENT_SIGNATURE,
  HID_BLOCK_SHIFT,
  HID_INDEX_SHIFT,
  HN_SIGNATURE,
  HNHDR,
  HNPAGEMAP,
  TCINFO,
} from '../wire/heap.js';
import { NID_TYPE, nidType } from '../wire/nid.js';
import { type Cell, count, hexBytes, print, printFields, printHead, printTable, structFields } from './output.js';
import type { Faults } from './store.js';

/** Whether an HNID is a NID: heap ids have hidType 0. 2.3.3.2. */
const isNodeId = (hnid: number): boolean => nidType(hnid) !== NID_TYPE.HID;

/** Lines of each list; --json has all. */
const ITEMS_SHOWN = 24;
const BLOCKS_SHOWN = 16;
const RECORDS_SHOWN = 64;
/** Bytes at the start of an item that are shown. */
const ITEM_BYTES = 16;
/** Blocks whose page maps are read: more are a row matrix, not a heap. */
const BLOCKS_MAX = 4096;

const CLIENTS = new Map<number, string>([
  [CLIENT_SIGNATURE.TC, 'table context'],
  [CLIENT_SIGNATURE.BTH, 'BTH'],
  [CLIENT_SIGNATURE.PC, 'property context'],
]);

/** `property context (0xbc)`. */
export const clientName = (signature: number): string =>
  `${CLIENTS.get(signature) ?? 'unpublished'} (${hex(signature)})`;

/** Whether the first block of a node's data begins as a heap does. 2.3.1.2. */
export const looksLikeHeap = (first: Uint8Array): boolean => first.length >= HNHDR.size && first[2] === HN_SIGNATURE;

export interface HeapItem {
  readonly hid: number;
  readonly size: number;
  readonly first: Uint8Array;
}

export interface HeapBlock {
  readonly index: number;
  readonly size: number;
  readonly ibHnpm: number;
  readonly cAlloc: number;
  readonly cFree: number;
  readonly items: readonly HeapItem[];
}

export interface HeapView {
  readonly HNHDR: ReturnType<typeof HNHDR.read>;
  readonly blocks: readonly HeapBlock[];
}

/** Page maps of the heap's blocks; a page map that leaves its block has no items. */
export function readHeap(leaves: readonly Uint8Array[], variant: 0 | 1 | 2): HeapView {
  const first = leaves[0]!;
  const blocks = leaves.slice(0, BLOCKS_MAX).map((bytes, index): HeapBlock => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const ibHnpm = bytes.length >= 2 ? view.getUint16(0, true) : 0;
    const block = { index, size: bytes.length, ibHnpm, cAlloc: 0, cFree: 0, items: [] };
    if (ibHnpm + HNPAGEMAP.size > bytes.length) return block;
    const { cAlloc, cFree } = HNPAGEMAP.read(view, ibHnpm);
    const items: HeapItem[] = [];
    for (let k = 0; k < cAlloc && ibHnpm + 8 + 2 * k <= bytes.length; k++) {
      const at = view.getUint16(ibHnpm + 4 + 2 * k, true);
      const end = view.getUint16(ibHnpm + 6 + 2 * k, true);
      const hid = ((index << HID_BLOCK_SHIFT[variant]) | ((k + 1) << HID_INDEX_SHIFT)) >>> 0;
      const size = end - at;
      items.push({ hid, size, first: bytes.slice(at, Math.max(at, Math.min(end, at + ITEM_BYTES))) });
    }
    return { ...block, cAlloc, cFree, items };
  });
  return { HNHDR: HNHDR.read(new DataView(first.buffer, first.byteOffset, first.byteLength)), blocks };
}

export function printHeap({ HNHDR: header, blocks }: HeapView): void {
  printHead('Heap (2.3.1)');
  printFields(
    [
      ['blocks', blocks.length],
      ['client', clientName(header.bClientSig)],
      ['hidUserRoot', hex(header.hidUserRoot)],
      ['rgbFillLevel', hex(header.rgbFillLevel)],
    ],
    2,
  );
  printHead('Page maps');
  printTable(
    blocks
      .slice(0, BLOCKS_SHOWN)
      .map((block) => [block.index, block.size, hex(block.ibHnpm), block.cAlloc, block.cFree]),
    { head: ['block', 'bytes', 'ibHnpm', 'items', 'free'], indent: 2 },
  );
  more(blocks.length - BLOCKS_SHOWN, 'block');
  const items = blocks.flatMap((block) => block.items);
  printHead(`${count(items.length, 'item')}`);
  printTable(
    items.slice(0, ITEMS_SHOWN).map((item) => [hex(item.hid), item.size, hexBytes(item.first)]),
    { head: ['HID', 'bytes', 'begins with'], indent: 2 },
  );
  more(items.length - ITEMS_SHOWN, 'item');
}

const more = (left: number, noun: string): void => {
  if (left > 0) print(`  … ${count(left, `more ${noun}`)}; --json lists them all`);
};

export interface BthView {
  readonly BTHHEADER: ReturnType<typeof BTHHEADER.read>;
  readonly records: readonly { key: Uint8Array; value: Uint8Array }[];
}

/** The item with that HID, or undefined with a fault noted. */
function readItem(core: Core, chain: number, hid: number, variant: number, faults: Faults, where: Where) {
  const ptr = core.x.hnCopy(chain, hid, variant);
  if (ptr === 0) {
    faults.damage(core.damage(where));
    return undefined;
  }
  const size = core.view.getUint32(ptr, true);
  const bytes = core.u8.slice(ptr + 4, ptr + 4 + size);
  core.x.free(ptr);
  return bytes;
}

/** A BTH's header and leaf records; undefined when it cannot be read, with a fault noted. */
export function readBth(ndb: Ndb, chain: number, hid: number, faults: Faults, where: Where): BthView | undefined {
  const { core, variant } = ndb;
  const head = readItem(core, chain, hid, variant, faults, where);
  if (head === undefined) return undefined;
  const header = faults.attempt(() => BTHHEADER.read(new DataView(head.buffer)));
  if (header === undefined) return undefined;
  const ptr = core.x.bthCopy(chain, hid, variant);
  if (ptr === 0) {
    faults.damage(core.damage(where));
    return { BTHHEADER: header, records: [] };
  }
  const keySize = core.view.getUint32(ptr, true);
  const valueSize = core.view.getUint32(ptr + 4, true);
  const recordCount = core.view.getUint32(ptr + 8, true);
  const bytes = core.u8.slice(ptr + 12, ptr + 12 + recordCount * (keySize + valueSize));
  core.x.free(ptr);
  const records = Array.from({ length: recordCount }, (_, k) => {
    const at = k * (keySize + valueSize);
    return { key: bytes.subarray(at, at + keySize), value: bytes.subarray(at + keySize, at + keySize + valueSize) };
  });
  return { BTHHEADER: header, records };
}

const littleEndian = (bytes: Uint8Array): number => bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);

/** Name of a property by its tag alone: named ones stay numbers, `cat` gives their names. */
const plainName = (tag: number): string =>
  tag >>> 16 >= NAMED_ID_FIRST ? '(named)' : (lookUpTag(tag)?.name.replace(/^PidTag/, '') ?? '');

export function printBth({ BTHHEADER: header, records }: BthView, title: string): void {
  printHead(title);
  printFields(structFields(header), 2);
  printHead(count(records.length, 'record'));
  printTable(
    records.slice(0, RECORDS_SHOWN).map(({ key, value }) => [hex(littleEndian(key)), hexBytes(value)]),
    { head: ['key', 'data'], indent: 2 },
  );
  more(records.length - RECORDS_SHOWN, 'record');
}

/** The records of a PC's BTH: what a property's value is, or where. 2.3.3.3. */
export function printPcRecords({ BTHHEADER: header, records }: BthView): void {
  printHead('Property context: BTHHEADER (2.3.2.1)');
  printFields(structFields(header), 2);
  printHead(`${count(records.length, 'property', 'properties')} (2.3.3.3)`);
  const rows = records.slice(0, RECORDS_SHOWN).map(({ key, value }): Cell[] => {
    const id = littleEndian(key);
    const type = littleEndian(value.subarray(0, 2));
    const hnid = littleEndian(value.subarray(2, 6));
    const tag = id * 65536 + type;
    return [hex(id), typeName(type), hex(hnid), place(type, hnid), plainName(tag)];
  });
  printTable(rows, { head: ['wPropId', 'wPropType', 'dwValueHnid', 'which is', 'property'], indent: 2 });
  more(records.length - RECORDS_SHOWN, 'property');
}

/** Types whose value stands in the record. 2.3.3.3. */
const INLINE_TYPES: ReadonlySet<number> = new Set([0x2, 0x3, 0x4, 0xa, 0xb]);

function place(type: number, hnid: number): string {
  if (INLINE_TYPES.has(type)) return 'the value';
  if (hnid === 0) return 'empty';
  return isNodeId(hnid) ? 'a subnode' : 'a HID';
}

export interface TableView {
  readonly TCINFO: ReturnType<typeof TCINFO.read>;
  readonly columns: Table['columns'];
  readonly rowIndex: BthView | undefined;
  readonly rowCount: number;
  readonly badRows: number;
  /** undefined when there is no row matrix. */
  readonly rowsIn: string | undefined;
}

/** A table's TCINFO, columns and row index; undefined when it cannot be read, with a fault noted. */
export function readTable(
  ndb: Ndb,
  bidData: number,
  subnodes: SubnodeIndex,
  chain: number,
  faults: Faults,
  where: Where,
): TableView | undefined {
  const root = ndb.core.x.hnRoot(chain) >>> 0;
  const bytes = readItem(ndb.core, chain, root, ndb.variant, faults, where);
  if (bytes === undefined) return undefined;
  const info = faults.attempt(() => TCINFO.read(new DataView(bytes.buffer)));
  if (info === undefined) return undefined;
  const rowIndex = readBth(ndb, chain, info.hidRowIndex, faults, where);
  const table = faults.attempt(() => Table.open(ndb, bidData, subnodes, where));
  if (table === undefined) return undefined;
  const { columns, rowCount, badRows } = table;
  table.close();
  const rowsIn =
    info.hnidRows === 0 ? undefined : `${isNodeId(info.hnidRows) ? 'subnode' : 'heap item'} ${hex(info.hnidRows)}`;
  return { TCINFO: info, columns, rowIndex, rowCount, badRows, rowsIn };
}

export function printTableView(view: TableView): void {
  printHead('Table context: TCINFO (2.3.4.1)');
  printFields(structFields(view.TCINFO), 2);
  printHead(`${count(view.columns.length, 'column')} (2.3.4.2)`);
  printTable(
    view.columns.map(({ tag, ibData, cbData, iBit }) => [
      `0x${tag.toString(16).padStart(8, '0')}`,
      typeName(tag & 0xffff),
      ibData,
      cbData,
      iBit,
      plainName(tag),
    ]),
    { head: ['tag', 'type', 'ibData', 'cbData', 'iBit', 'property'], indent: 2 },
  );
  if (view.rowsIn === undefined) {
    printHead('No rows');
    return;
  }
  printHead(`${count(view.rowCount, 'row')}, in ${view.rowsIn} (2.3.4.3, 2.3.4.4)`);
  if (view.badRows > 0) print(`  ${count(view.badRows, 'entry', 'entries')} of the row index lead nowhere`);
  const records = view.rowIndex?.records ?? [];
  printTable(
    records.slice(0, RECORDS_SHOWN).map(({ key, value }) => [hex(littleEndian(key)), littleEndian(value)]),
    { head: ['row id', 'row'], indent: 2 },
  );
  more(records.length - RECORDS_SHOWN, 'row');
}
