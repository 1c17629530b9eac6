/** Nodes as the NBT lists them: types, parents, which go together. MS-PST 2.2.2.1, 2.2.2.7.7.4, 2.4.4. @module */
import { NID, NID_TYPE, nidIndex, nidType, nidTypeName, siblingNid } from '../wire/nid.js';
import type { Context } from './context.js';
import { hex } from './findings.js';

/** The names of 2.2.2.1, and types seen in real stores: 0x16 to 0x18 in most, 0x14, 0x15, 0x19 in OSTs. */
const KNOWN_TYPES: ReadonlySet<number> = new Set([...Object.values(NID_TYPE), 0x14, 0x15, 0x16, 0x17, 0x18, 0x19]);

const isFolder = (nid: number): boolean =>
  nidType(nid) === NID_TYPE.NORMAL_FOLDER || nidType(nid) === NID_TYPE.SEARCH_FOLDER;
const isMessage = (nid: number): boolean =>
  nidType(nid) === NID_TYPE.NORMAL_MESSAGE || nidType(nid) === NID_TYPE.ASSOC_MESSAGE;

/** Tables of a folder and of a search folder, beside its PC. */
const FOLDER_TABLES = [NID_TYPE.HIERARCHY_TABLE, NID_TYPE.CONTENTS_TABLE, NID_TYPE.ASSOC_CONTENTS_TABLE];
const SEARCH_NODES = [NID_TYPE.SEARCH_UPDATE_QUEUE, NID_TYPE.SEARCH_CRITERIA_OBJECT, NID_TYPE.SEARCH_CONTENTS_TABLE];

/** Templates and other fixed nodes have small indices and belong to no folder. Seen in real stores. */
const FIXED_INDEX_MAX = 0x80;

/** Folders whose way to the root has been looked at, and those of the climb under way. */
const SEEN = 1;
const ON_PATH = 2;

export function checkNodes(context: Context): void {
  const { nbt } = context.ndb;
  const sound = new Uint8Array(nbt.count);
  for (let i = 0; i < nbt.count; i++) {
    const nid = nbt.nid(i);
    const type = nidType(nid);
    const place = { nid };
    if (!KNOWN_TYPES.has(type) || type === NID_TYPE.HID || nid > 0x7fff_ffff) {
      context.add('node.type', `the node ${hex(nid)} is of type ${hex(type)}`, { ...place, found: type });
    }
    if (nbt.bidSub(i) !== 0 && nbt.bidData(i) === 0) {
      context.add('node.empty', `the node ${hex(nid)} has subnodes and no data`, place);
    }
    if (isFolder(nid)) checkFolder(context, i, sound);
    else if (isMessage(nid)) checkMessageParent(context, i);
    else if (FOLDER_TABLES.includes(type as never) || type === NID_TYPE.SEARCH_CONTENTS_TABLE) checkTable(context, i);
  }
}

function checkFolder(context: Context, i: number, sound: Uint8Array): void {
  const { nbt } = context.ndb;
  const nid = nbt.nid(i);
  if (nid === NID.ROOT_FOLDER && nbt.parent(i) !== nid) {
    const message = `the root folder has the parent ${hex(nbt.parent(i))}, not itself`;
    context.add('node.parent', message, { nid, found: nbt.parent(i), expected: nid });
  }
  const isSearch = nidType(nid) === NID_TYPE.SEARCH_FOLDER;
  for (const type of isSearch ? SEARCH_NODES : FOLDER_TABLES) {
    const other = siblingNid(nid, type);
    if (nbt.find(other) < 0) {
      const message = `the ${isSearch ? 'search folder' : 'folder'} ${hex(nid)} has no ${nidTypeName(other)} ${hex(other)}`;
      const place = { nid, expected: other };
      if (!isSearch) context.add('folder.tables', message, place);
      // Outlook's own 0x723 has a contents table only. Seen in real stores.
      else
        context.add(
          'folder.search-nodes',
          message,
          place,
          type === NID_TYPE.SEARCH_CONTENTS_TABLE ? 'warning' : 'note',
        );
    }
  }
  // Up to the root. Each folder is passed once: what is known to lead there ends the climb.
  const path: number[] = [];
  let at = i;
  for (;;) {
    if (sound[at] === SEEN || nbt.nid(at) === NID.ROOT_FOLDER) break;
    if (sound[at] === ON_PATH) {
      context.add('node.parent-cycle', `the folder ${hex(nid)} is inside itself`, { nid });
      break;
    }
    sound[at] = ON_PATH;
    path.push(at);
    const parent = nbt.parent(at);
    const next = nbt.find(parent);
    if (next < 0 || nidType(parent) !== NID_TYPE.NORMAL_FOLDER) {
      const message =
        next < 0
          ? `the parent ${hex(parent)} of the folder ${hex(nbt.nid(at))} does not exist`
          : `the parent ${hex(parent)} of the folder ${hex(nbt.nid(at))} is no folder`;
      context.add('node.parent', message, { nid: nbt.nid(at), found: parent });
      break;
    }
    at = next;
  }
  for (const index of path) sound[index] = SEEN;
}

function checkMessageParent(context: Context, i: number): void {
  const { nbt } = context.ndb;
  const nid = nbt.nid(i);
  const parent = nbt.parent(i);
  if (nbt.find(parent) >= 0 && nidType(parent) === NID_TYPE.NORMAL_FOLDER) return;
  const message = `the parent ${hex(parent)} of the message ${hex(nid)} ${nbt.find(parent) < 0 ? 'does not exist' : 'is no folder'}`;
  context.add('node.parent', message, { nid, found: parent });
}

function checkTable(context: Context, i: number): void {
  const { nbt } = context.ndb;
  const nid = nbt.nid(i);
  if (nbt.parent(i) !== 0) {
    const message = `the table ${hex(nid)} has the parent ${hex(nbt.parent(i))}, tables have 0`;
    context.add('node.table-parent', message, { nid, found: nbt.parent(i), expected: 0 });
  }
  if (nidIndex(nid) <= FIXED_INDEX_MAX && nidIndex(nid) !== nidIndex(NID.ROOT_FOLDER)) return;
  const type = nidType(nid) === NID_TYPE.SEARCH_CONTENTS_TABLE ? NID_TYPE.SEARCH_FOLDER : NID_TYPE.NORMAL_FOLDER;
  const folder = siblingNid(nid, type);
  if (nbt.find(folder) < 0) {
    context.add('folder.missing', `the table ${hex(nid)} has no folder ${hex(folder)}`, { nid, expected: folder });
  }
}
