/**
 * A node taken apart and put together again: properties, rows, bytes and subnodes as values that can be left out or changed one by one.
 * What a bundle is reduced and redacted on.
 * @module
 */
import type { Core } from '../core/core.js';
import { PstError } from '../errors.js';
import { type MemoryFile, memoryFile } from '../host/memory.js';
import { encodePc, readPc } from '../ltp/pc.js';
import { DAMAGED, EXTERNAL, INLINE, PropertyStream, RECORD_SIZE, STREAM_HEADER } from '../ltp/stream.js';
import { type Column, Table, TableWriter, tcInfo } from '../ltp/table.js';
import { openContent } from '../migrate/content.js';
import type { Ndb } from '../ndb/ndb.js';
import { SUBNODE_DEPTH_MAX, type SubnodeIndex } from '../ndb/subnode.js';
import { StoreWriter } from '../ndb/write/store-writer.js';
import type { Subnode } from '../ndb/write/subnode.js';
import { makeNid, NID_TYPE, nidIndex } from '../wire/nid.js';

/** One property: as in a stream, but with its own bytes. */
export interface Property {
  readonly tag: number;
  /** INLINE, EXTERNAL or 0. */
  readonly flags: number;
  /** Inline value or NID. */
  readonly place: number;
  bytes: Uint8Array;
}

export interface Row {
  readonly rowId: number;
  cells: Property[];
}

export interface NodeObject {
  readonly nid: number;
  readonly kind: 'none' | 'raw' | 'pc' | 'tc';
  bytes: Uint8Array;
  properties: Property[];
  columns: readonly Column[];
  rgib: readonly [number, number, number, number];
  readonly rowsNid: number;
  rows: Row[];
  subnodes: NodeObject[];
}

const NO_BYTES = new Uint8Array(0);

/**
 * Takes a node of `ndb` apart. A subnode that cannot be read is left out: a bundle holds what the operation had read when it failed, and what
 * it had not reached it did not need. Throws PstError when the node's own data cannot be read.
 */
export function readObject(ndb: Ndb, nid: number, bidData: number, bidSub: number, depth = 0): NodeObject {
  const where = { nid };
  if (depth > SUBNODE_DEPTH_MAX) throw new PstError('PST_LIMIT', `subnodes nested ${SUBNODE_DEPTH_MAX} deep`, where);
  const index = ndb.subnodes(bidSub, where);
  const content = openContent(ndb, nid, bidData, where);
  if (content.kind !== 'none' && content.chain !== 0) ndb.core.x.chainFree(content.chain);
  const object: NodeObject = {
    nid,
    kind: content.kind,
    bytes: content.kind === 'raw' ? ndb.readBytes(bidData, where) : NO_BYTES,
    properties: content.kind === 'pc' ? propertiesOf(readPc(ndb, bidData, where)) : [],
    columns: [],
    rgib: [0, 0, 0, 0],
    rowsNid: 0,
    rows: [],
    subnodes: [],
  };
  let whole = object;
  if (content.kind === 'tc') {
    const table = Table.open(ndb, bidData, index, where);
    const { columns, rgib, rowsNid } = table;
    const rows = Array.from(table.rows(), (row) => ({ rowId: row.rowId, cells: propertiesOf(row) }));
    table.close();
    whole = { ...object, columns, rgib, rowsNid, rows };
  }
  for (let k = 0; k < index.count; k++) {
    if (whole.rowsNid !== 0 && index.nid(k) === whole.rowsNid) continue;
    const sub = readSubnode(ndb, index, k, depth + 1);
    if (sub !== undefined) whole.subnodes.push(sub);
  }
  return whole;
}

function readSubnode(ndb: Ndb, index: SubnodeIndex, k: number, depth: number): NodeObject | undefined {
  try {
    return readObject(ndb, index.nid(k), index.bidData(k), index.bidSub(k), depth);
  } catch (error) {
    if (!(error instanceof PstError) || error.code === 'PST_LIMIT') throw error;
    return undefined;
  }
}

function propertiesOf(stream: PropertyStream): Property[] {
  return Array.from({ length: stream.count }, (_, k) => {
    const flags = stream.flags(k);
    if (flags & DAMAGED) throw new PstError('PST_BAD_VALUE', `property 0x${stream.tag(k).toString(16)} is damaged`);
    return {
      tag: stream.tag(k),
      flags,
      place: flags === 0 ? 0 : stream.place(k),
      bytes: flags & EXTERNAL ? NO_BYTES : stream.value(k).slice(),
    };
  });
}

/** The stream of properties that ascend by tag. */
export function streamOf(properties: readonly Property[], rowId = 0): PropertyStream {
  let size = STREAM_HEADER + properties.length * RECORD_SIZE;
  for (const { flags, bytes } of properties) if (flags === 0) size += (bytes.length + 7) & ~7;
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setUint32(0, properties.length, true);
  view.setUint32(4, size, true);
  view.setUint32(8, rowId, true);
  let place = STREAM_HEADER + properties.length * RECORD_SIZE;
  properties.forEach((property, k) => {
    const at = STREAM_HEADER + k * RECORD_SIZE;
    const { tag, flags, bytes } = property;
    view.setUint32(at, tag, true);
    view.setUint32(at + 4, flags, true);
    view.setUint32(at + 8, flags & EXTERNAL ? 0 : bytes.length, true);
    view.setUint32(at + 12, flags === 0 ? place : property.place, true);
    if (flags & INLINE) out.set(bytes.subarray(0, 4), at + 12);
    if (flags !== 0) return;
    out.set(bytes, place);
    place += (bytes.length + 7) & ~7;
  });
  return new PropertyStream(out);
}

/** PidTagLtpRowId, the row's id, and PidTagLtpRowVer: the first two columns of every row. MS-PST 2.3.4.4.1. */
const ROW_ID = 0x67f20003;
const ROW_VERSION = 0x67f30003;

/**
 * The layout of a row that has only these of a table's columns: by width, those of 4 and 8 bytes first, then a bit for each. MS-PST 2.3.4.1,
 * 2.3.4.4.1. The row's id is always there.
 */
export function layOut(columns: readonly Column[]): Pick<NodeObject, 'columns' | 'rgib'> {
  const rank = ({ tag, cbData }: Column): number =>
    tag === ROW_ID ? 0 : tag === ROW_VERSION ? 1 : cbData >= 4 ? 2 : cbData === 2 ? 3 : 4;
  const sorted = [...columns].sort((a, b) => rank(a) - rank(b) || a.tag - b.tag);
  const ends = [0, 0, 0];
  let at = 0;
  const laid = sorted.map((column, iBit) => {
    const ibData = at;
    at += column.cbData;
    for (let group = Math.max(0, rank(column) - 2); group < 3; group++) ends[group] = at;
    return { ...column, ibData, iBit };
  });
  const [end4, end2, end1] = ends as [number, number, number];
  return { columns: laid, rgib: [end4, end2, end1, end1 + Math.ceil(laid.length / 8)] };
}

/** Writes an object. Returns where it lies. */
export function writeObject(writer: StoreWriter, object: NodeObject): { bidData: number; bidSub: number } {
  const { core } = writer;
  const where = { nid: object.nid };
  const entries: Subnode[] = object.subnodes.map((sub) => ({ nid: sub.nid, ...writeObject(writer, sub) }));
  let bidData = 0;
  if (object.kind === 'raw') bidData = writer.addTreeBytes(object.bytes);
  if (object.kind === 'pc') {
    const chain = encodePc(core, streamOf(object.properties), where);
    bidData = writer.addTree(chain);
    core.x.chainFree(chain);
  }
  if (object.kind === 'tc') {
    const table = new TableWriter(core, tcInfo(object.columns, object.rgib), where);
    for (const { rowId, cells } of object.rows) table.row(streamOf(cells, rowId));
    const nid = object.rowsNid !== 0 ? object.rowsNid : freeNid(object.subnodes);
    const { heap, rows } = table.end(nid);
    bidData = writer.addTree(heap);
    core.x.chainFree(heap);
    if (rows !== 0) {
      entries.push({ nid, bidData: writer.addTree(rows), bidSub: 0 });
      core.x.chainFree(rows);
    }
  }
  entries.sort((a, b) => a.nid - b.nid);
  return { bidData, bidSub: writer.addSubnodes(entries) };
}

const freeNid = (subnodes: readonly NodeObject[]): number =>
  makeNid(NID_TYPE.LTP, 1 + Math.max(0, ...subnodes.map(({ nid }) => nidIndex(nid))));

/** A store that holds the object as its one node: structurally sound, nothing else in it. */
export function storeOf(object: NodeObject, parent: number, crypt: 0 | 1 | 2, core: Core): MemoryFile {
  const file = memoryFile('object');
  const writer = new StoreWriter(core, file, { crypt });
  const { bidData, bidSub } = writeObject(writer, object);
  writer.addNode(object.nid, bidData, bidSub, parent);
  writer.finish();
  return file;
}
