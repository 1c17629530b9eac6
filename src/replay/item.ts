/**
 * The object an operation was at when it ended: the node or subnode whose property context or table was read last, its properties, and
 * where the property in question lies in its heap. Read from the bundle with the raw core, which refuses nothing; what cannot be read
 * is left out.
 * @module
 */
import { Core } from '../core/core.js';
import { FULL } from '../core/options.js';
import { readPc } from '../ltp/pc.js';
import { PropertyStream } from '../ltp/stream.js';
import { type Column, Table } from '../ltp/table.js';
import * as ptyp from '../mapi/type.js';
import { openContent } from '../migrate/content.js';
import type { Ndb } from '../ndb/ndb.js';
import { HID_BLOCK_SHIFT, HID_INDEX_SHIFT, HNPAGEMAP } from '../wire/heap.js';
import { NID_TYPE, nidType } from '../wire/nid.js';
import type { Bundle } from './bundle.js';
import { attempt, type Place, placesOf } from './places.js';
import { openBundle } from './replay.js';

/** Rows of a table kept. */
const ROWS_MAX = 24;

export interface Item {
  /** The node, then the subnodes down to the object. */
  readonly nids: readonly number[];
  readonly bidData: number;
  readonly kind: 'pc' | 'tc';
  /** One of a property context, of a table its first rows. */
  readonly streams: readonly PropertyStream[];
  readonly columns: readonly Column[];
  readonly rowCount: number;
  /** Where the value of the property in question lies, when it is a heap item. */
  readonly value: HeapValue | undefined;
}

export interface HeapValue {
  readonly hid: number;
  /** Which block of the heap, and its BID. */
  readonly blockIndex: number;
  readonly bid: number;
  /** Bytes of that block, decoded, and where in it the item begins and ends. */
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** The object that was read when the operation ended; `lookups` as steps.ts observes them, `tag` the property in question or 0. */
export function findItem(bundle: Bundle, lookups: readonly number[], tag: number): Item | undefined {
  if (bundle.node === null) return undefined;
  try {
    const ndb = openBundle(bundle, Core.load('raw', FULL));
    const places = placesOf(ndb);
    const found = lastRead(places, lookups).map((place) => () => readItem(ndb, place, tag));
    let first: Item | undefined;
    for (const read of found.slice(0, CANDIDATES_MAX)) {
      const item = attempt(read);
      if (item === undefined) continue;
      if (tag === 0 || hasTag(item, tag)) return item;
      first ??= item;
    }
    return first;
  } catch {
    return undefined; // a store that cannot be opened has no items; the page says what is damaged
  }
}

/** Objects tried until one has the property. */
const CANDIDATES_MAX = 64;

const hasTag = ({ streams, columns }: Item, tag: number): boolean =>
  streams.some((stream) => stream.find(tag) >= 0) || columns.some((column) => column.tag === tag);

/** Places in the order they were read, the last first; the node itself last of all. */
function lastRead(places: readonly Place[], lookups: readonly number[]): Place[] {
  const byBid = new Map(places.map((place) => [place.bidData, place]));
  const order = new Set<Place>();
  for (let k = lookups.length - 1; k >= 0; k--) {
    const place = byBid.get(lookups[k]!);
    if (place !== undefined) order.add(place);
  }
  order.add(places[0]!);
  return [...order];
}

function readItem(ndb: Ndb, { nids, bidData, bidSub }: Place, tag: number): Item | undefined {
  const where = { nid: nids.at(-1)! };
  const content = openContent(ndb, where.nid, bidData, where);
  if (content.kind !== 'none' && content.chain !== 0) ndb.core.x.chainFree(content.chain);
  if (content.kind === 'pc') {
    const stream = readPc(ndb, bidData, where);
    const value = tag === 0 ? undefined : attempt(() => findValue(ndb, bidData, tag));
    return { nids, bidData, kind: 'pc', streams: [stream], columns: [], rowCount: 0, value };
  }
  if (content.kind !== 'tc') return undefined;
  const table = Table.open(ndb, bidData, ndb.subnodes(bidSub, where), where);
  try {
    const streams: PropertyStream[] = [];
    for (const row of table.rows()) {
      streams.push(new PropertyStream(row.bytes.slice()));
      if (streams.length === ROWS_MAX) break;
    }
    const { columns, rowCount } = table;
    return { nids, bidData, kind: 'tc', streams, columns, rowCount, value: undefined };
  } finally {
    table.close();
  }
}

/** The heap item of a property. MS-PST 2.3.3.3: an HNID that is no node names an item. */
function findValue(ndb: Ndb, bidData: number, tag: number): HeapValue | undefined {
  const { core, variant } = ndb;
  const { x } = core;
  const chain = ndb.readTree(bidData, {});
  const records = x.bthCopy(chain, x.hnRoot(chain), variant);
  if (records === 0) return undefined;
  const { view } = core;
  const recordCount = view.getUint32(records + 8, true);
  let hid = 0;
  for (let at = records + 12; at < records + 12 + recordCount * PC_RECORD; at += PC_RECORD) {
    const found = view.getUint16(at, true) * 0x10000 + view.getUint16(at + 2, true);
    if (found === tag) hid = view.getUint32(at + 4, true);
  }
  const inRecord =
    ptyp.fixedSize(ptyp.typeOf(tag)) > 0 && ptyp.fixedSize(ptyp.typeOf(tag)) <= 4 && !ptyp.isMultiple(ptyp.typeOf(tag));
  if (hid === 0 || inRecord || nidType(hid) !== NID_TYPE.HID) return undefined;
  const blockIndex = hid >>> HID_BLOCK_SHIFT[variant];
  const index = ((hid >>> HID_INDEX_SHIFT) & ((1 << (HID_BLOCK_SHIFT[variant] - HID_INDEX_SHIFT)) - 1)) - 1;
  let k = 0;
  for (const leaf of ndb.leaves(bidData, {})) {
    if (k++ !== blockIndex) continue;
    const bytes = core.u8.slice(leaf.ptr, leaf.ptr + leaf.size);
    const map = new DataView(bytes.buffer).getUint16(0, true) + HNPAGEMAP.size + 2 * index;
    const offsets = new DataView(bytes.buffer);
    const [from, to] = [offsets.getUint16(map, true), offsets.getUint16(map + 2, true)];
    return from > to || to > bytes.length ? undefined : { hid, blockIndex, bid: leaf.bid, bytes, from, to };
  }
  return undefined;
}

/** PCENTRY, MS-PST 2.3.3.3. */
const PC_RECORD = 8;
