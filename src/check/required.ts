/** What every store has: fixed nodes, the store's properties, receive folder, search lists. MS-PST 2.4.1, 2.4.3, 2.7.1. @module */
import { DAMAGED } from '../ltp/stream.js';
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import type { Context } from './context.js';
import { hex, type Severity, tagHex, tagText } from './findings.js';
import { loadNode, propertyBytes, type StoreObject, withTable } from './objects.js';

/** The search update queue of the templates, a node without data. scanpst: OO 36, PF. */
const SEARCH_UPDATE_TEMPLATE = 0xec1;

/** Nodes, and what their absence means in foreign stores. Templates: columns.ts. Tables of the root: nodes.ts. */
const NODES: readonly (readonly [number, Severity | 'none'])[] = [
  [NID.MESSAGE_STORE, 'error'],
  [NID.NAME_TO_ID_MAP, 'error'],
  [NID.ROOT_FOLDER, 'error'],
  [NID.SEARCH_MANAGEMENT_QUEUE, 'error'],
  [NID.SEARCH_ACTIVITY_LIST, 'error'],
  [NID.RECEIVE_FOLDER_TABLE_TEMPLATE, 'warning'],
  [SEARCH_UPDATE_TEMPLATE, 'none'],
  [NID.REPLICATION_TEMPLATE_6B6, 'none'],
  [NID.REPLICATION_TEMPLATE_6D7, 'none'],
  [NID.REPLICATION_TEMPLATE_6F8, 'none'],
  [NID.HIERARCHY_MAP, 'none'],
];

/** Properties of the store PC. 2.4.3.1; 0E34, 0E38, 35DF, 6633, 67FF: scanpst OI, OO 36, NV, PF. */
const STORE_PROPERTIES: readonly (readonly [number, Severity | 'none'])[] = [
  [0x0ff90102, 'error'],
  [0x3001001f, 'note'],
  [0x35df0003, 'note'],
  [0x35e00102, 'warning'],
  [0x35e30102, 'note'],
  [0x35e70102, 'warning'],
  [0x0e340102, 'none'],
  [0x0e380003, 'none'],
  [0x6633000b, 'none'],
  [0x67ff0003, 'none'],
];
const RECORD_KEY = 0x0ff90102;
const RECORD_KEY_SIZE = 16;

/** Entry ids of folders in the store PC, and the bit of 35DF that says one is valid. MS-OXCSTOR 2.2.2.1; 2.4.3.2. */
const FOLDER_IDS: readonly (readonly [number, number])[] = [
  [0x35e00102, 0x01],
  [0x35e20102, 0x04],
  [0x35e30102, 0x08],
  [0x35e40102, 0x10],
  [0x35e50102, 0x20],
  [0x35e60102, 0x40],
  [0x35e70102, 0x80],
];
/** Subtree, Deleted Items, Common Views, Finder. */
const MASK_CERTAIN = 0xc9;
/** rgbFlags 4, uid 16, nid 4. 2.4.3.2. */
const ENTRY_ID_SIZE = 24;

/** The class that every message without a receive folder of its own goes by: row 1, class empty. */
const DEFAULT_CLASS_ROW = 1;
const DEFAULT_CLASS = 0x001a;
const RECEIVE_FOLDER = 0x66050003;
/** The search folder every newer Outlook makes; SCANPST misses it in the list: "SAL missing entry (nid=2223)". */
const SPAM_SEARCH_FOLDER = 0x2223;
/** Against a list of millions. */
const LIST_MAX = 1 << 20;

export function checkRequired(context: Context): void {
  const { nbt } = context.ndb;
  for (const [nid, foreign] of NODES) {
    if (nbt.find(nid) >= 0) continue;
    context.add('required.node', `the node ${hex(nid)} does not exist`, { nid }, foreign);
  }
  checkStoreObject(context);
  checkReceiveFolder(context);
  checkSearchList(context);
  for (const nid of [NID.SEARCH_MANAGEMENT_QUEUE, SEARCH_UPDATE_TEMPLATE]) {
    const i = nbt.find(nid);
    if (i < 0 || nbt.bidData(i) === 0) continue;
    // Outlook queues work here; a store nobody has opened yet has none.
    context.add('required.queue', `the queue ${hex(nid)} of a fresh store holds something`, { nid });
  }
}

function checkStoreObject(context: Context): void {
  const { nbt } = context.ndb;
  const i = nbt.find(NID.MESSAGE_STORE);
  const store = i < 0 ? undefined : loadNode(context, i);
  if (store === undefined) return;
  const { pc } = store;
  const nid = NID.MESSAGE_STORE;
  for (const [tag, foreign] of STORE_PROPERTIES) {
    const id = tag >>> 16;
    // OSTs have fixed NIDs instead of entry ids.
    const severity = context.isOst && id >= 0x35df && id <= 0x35e7 ? 'none' : foreign;
    if (id === 0x3001 ? pc.findId(id) >= 0 : pc.find(tag) >= 0) continue;
    context.add('store.required', `${tagText(tag)} is missing`, { nid, expected: tagHex(tag) }, severity);
  }
  const key = pc.find(RECORD_KEY);
  if (key >= 0 && pc.flags(key) === 0 && pc.length(key) !== RECORD_KEY_SIZE) {
    const message = `PidTagRecordKey (0x0ff9) has ${pc.length(key)} bytes, a record key has ${RECORD_KEY_SIZE}`;
    context.add('store.record-key', message, { nid, found: pc.length(key), expected: RECORD_KEY_SIZE });
  }
  const password = pc.inline(0x67ff0003);
  if (context.isOwn && password !== undefined && password !== 0) {
    context.add('store.password', `PidTagPstPassword (0x67ff) is ${hex(password)}: Outlook will ask for a password`, {
      nid,
      found: password,
    });
  }
  let mask = 0;
  for (const [tag, bit] of FOLDER_IDS) if (checkEntryId(context, store, tag)) mask |= bit;
  const stated = pc.inline(0x35df0003);
  // Outlook's own masks leave out the Outbox and Sent Items; bit 2, the Inbox, has no entry id here. Seen in real stores.
  const isRight =
    stated !== undefined && (stated & MASK_CERTAIN) === (mask & MASK_CERTAIN) && (stated & ~mask & ~2) === 0;
  if (stated !== undefined && !isRight) {
    const message = `PidTagValidFolderMask (0x35df) is ${hex(stated)}, the entry ids that are there make ${hex(mask)}`;
    context.add('store.folder-mask', message, { nid, found: stated, expected: mask });
  }
}

/** True when the property is there. */
function checkEntryId(context: Context, store: StoreObject, tag: number): boolean {
  const { pc, top } = store;
  const k = pc.find(tag);
  if (k < 0) return false;
  if (pc.flags(k) & DAMAGED) return true;
  const id = propertyBytes(context, top, pc, k, store.subnodes);
  const key = pc.find(RECORD_KEY);
  if (id === undefined || id.length === 0 || key < 0) return true;
  const nid = top;
  if (id.length !== ENTRY_ID_SIZE) {
    const message = `${tagText(tag)} has ${id.length} bytes, an entry id of a folder has ${ENTRY_ID_SIZE}`;
    context.add('store.entry-id', message, { nid, found: id.length, expected: ENTRY_ID_SIZE });
    return true;
  }
  const target = new DataView(id.buffer, id.byteOffset, id.length).getUint32(20, true);
  if (Buffer.compare(id.subarray(4, 20), pc.value(key)) !== 0) {
    context.add('store.entry-id', `${tagText(tag)} names another store`, { nid });
  } else if (context.ndb.nbt.find(target) < 0) {
    context.add('store.entry-id', `${tagText(tag)} names ${hex(target)}, which does not exist`, { nid, found: target });
  }
  return true;
}

/** Node 0x62B: one row for the empty class, its folder. scanpst: OO 36, NV, OI, PB. */
function checkReceiveFolder(context: Context): void {
  const { nbt } = context.ndb;
  const nid = NID.RECEIVE_FOLDER_TABLE_TEMPLATE;
  const i = nbt.find(nid);
  if (i < 0) return;
  withTable(context, nid, nid, nbt.bidData(i), nbt.bidSub(i), (table, subnodes) => {
    let hasDefault = false;
    for (const row of table.rows()) {
      const k = row.findId(DEFAULT_CLASS);
      const value = k < 0 ? undefined : propertyBytes(context, nid, row, k, subnodes);
      if (value?.length === 0 && (!context.isOwn || row.rowId === DEFAULT_CLASS_ROW)) hasDefault = true;
      const folder = row.inline(RECEIVE_FOLDER);
      if (folder === undefined || nbt.find(folder) < 0) {
        const message = `row ${row.rowId} leads to ${folder === undefined ? 'no folder' : hex(folder)}`;
        context.add('required.receive-folder', message, { nid, found: folder });
      }
    }
    if (!hasDefault) context.add('required.receive-folder', 'there is no row for the default message class', { nid });
  });
}

/** Node 0x201: NIDs of search folders. 2.4.8.4.2. */
function checkSearchList(context: Context): void {
  const { ndb } = context;
  const { nbt } = ndb;
  const nid = NID.SEARCH_ACTIVITY_LIST;
  const i = nbt.find(nid);
  if (i < 0) return;
  const bytes = context.attempt(nid, () => ndb.readBytes(nbt.bidData(i), { nid }, LIST_MAX));
  if (bytes === undefined) return;
  if (bytes.length % 4 !== 0) {
    context.add('required.search-list', `a list of ${bytes.length} bytes`, { nid, found: bytes.length });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const listed = new Set<number>();
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const entry = view.getUint32(at, true);
    if (listed.has(entry)) context.add('required.search-list', `${hex(entry)} is listed twice`, { nid, found: entry });
    listed.add(entry);
    if (nbt.find(entry) >= 0 && nidType(entry) === NID_TYPE.SEARCH_FOLDER) continue;
    context.add('required.search-list', `the list names ${hex(entry)}, which is no search folder`, {
      nid,
      found: entry,
    });
  }
  for (let k = 0; k < nbt.count; k++) {
    const folder = nbt.nid(k);
    if (nidType(folder) !== NID_TYPE.SEARCH_FOLDER || listed.has(folder)) continue;
    // Outlook lists those it is keeping up to date.
    const foreign = folder === SPAM_SEARCH_FOLDER ? 'note' : 'none';
    context.add(
      'required.search-unlisted',
      `the search folder ${hex(folder)} is not listed`,
      { nid, found: folder },
      foreign,
    );
  }
}
