/**
 * What a store without some of its items is: which nodes go, and which others have to change with them, so that everything that counts or
 * lists an item agrees (scanpst.md 5 and 6; MS-PST 2.4.4, 2.4.8).
 *
 *     message ──▶ its row in every contents table: of its folder, of search folders, of the outgoing queue
 *             ──▶ 3602, 3603 or 3617 of those folders ──▶ the same cells of their rows in the parent's hierarchy table
 *     attachment ──▶ its row, the flag and the size of the message (attachment.ts) ──▶ the same cells of the message's rows
 *     message ──▶ the message index 0xE01, which no specification describes: it goes, Outlook does without
 *
 * The same NIDs and the same source give the same plan: a verify that is told the manifest makes it again.
 * @module
 */

import { readPc } from '../ltp/pc.js';
import type { PropertyStream } from '../ltp/stream.js';
import { Table } from '../ltp/table.js';
import type { Ndb } from '../ndb/ndb.js';
import { NID, NID_TYPE, nidType, siblingNid } from '../wire/nid.js';
import type { Amendment } from './amendment.js';
import { type Lessened, withoutAttachments } from './attachment.js';
import { isDamage } from './content.js';
import { EssentialError, type Left } from './omission.js';

export interface Plan {
  /** NIDs of nodes that the target does not have. */
  readonly without: ReadonlySet<number>;
  /** What becomes of other nodes, by NID. */
  readonly amended: ReadonlyMap<number, Amendment>;
}

/** Everything arrives. */
export const WHOLE: Plan = { without: new Set(), amended: new Map() };

/** PidTagContentCount, PidTagContentUnreadCount, PidTagAssociatedContentCount. */
const CONTENT_COUNT = 0x36020003;
const UNREAD_COUNT = 0x36030003;
const ASSOCIATED_COUNT = 0x36170003;
/** PidTagMessageFlags, MS-OXCMSG 2.2.1.6. */
const MESSAGE_FLAGS = 0x0e070003;
const READ = 1;

/** Tables whose rows are messages, and the type of the folder that owns them. */
const OWNERS: ReadonlyMap<number, number | undefined> = new Map([
  [NID_TYPE.CONTENTS_TABLE, NID_TYPE.NORMAL_FOLDER],
  [NID_TYPE.ASSOC_CONTENTS_TABLE, NID_TYPE.NORMAL_FOLDER],
  [NID_TYPE.SEARCH_CONTENTS_TABLE, NID_TYPE.SEARCH_FOLDER],
  [NID_TYPE.OUTGOING_QUEUE_TABLE, undefined],
]);

/** Whether the node is a table of messages, by its type. */
export const listsMessages = (nid: number): boolean => OWNERS.has(nidType(nid));

/** An amendment under construction. */
class Draft implements Amendment {
  readonly rows = new Set<number>();
  readonly numbers = new Map<number, ReadonlyMap<number, number>>();
  readonly subnodes = new Map<number, Amendment | 'gone'>();

  /** Lowers the numbers `row` (0: the property context) has by `less`, tag by tag. */
  lower(row: number, stream: PropertyStream, less: ReadonlyMap<number, number>): void {
    for (const [tag, n] of less) {
      const value = stream.inline(tag);
      if (value === undefined || n === 0) continue;
      this.numbers.set(row, new Map([...(this.numbers.get(row) ?? []), [tag, Math.max(0, value - n)]]));
    }
  }
}

/** What a plan is for. */
export interface Aim {
  readonly left: Left;
  /** Whether all is encoded anew: sizes depend on it. */
  readonly reencode: boolean;
  /** Nodes that could not be copied, with what they threw: tables that list messages may be readable without them. */
  readonly failed?: ReadonlyMap<number, unknown>;
}

/** The plan for `ndb` without what is `left` out. Throws EssentialError when something that has to change cannot be read. */
export function planWithout(ndb: Ndb, { left, reencode, failed = new Map() }: Aim): Plan {
  const items = left.messages;
  const drafts = new Map<number, Draft>();
  const draft = (nid: number): Draft => {
    const found = drafts.get(nid) ?? new Draft();
    drafts.set(nid, found);
    return found;
  };
  const less = new Map<number, Map<number, number>>();
  const { nbt } = ndb;
  const lessened = new Map<number, Lessened>();
  for (const [nid, gone] of left.attachments) {
    lessened.set(nid, withoutAttachments(ndb, ndb.getNode(nid), gone, reencode));
  }
  const touched = new Set([...items, ...lessened.keys()]);
  for (let i = 0; i < nbt.count; i++) {
    const nid = nbt.nid(i);
    const type = nidType(nid);
    if (!listsMessages(nid) || nbt.bidData(i) === 0) continue;
    const listed = rowsIn(ndb, i, touched, failed);
    if (listed.length === 0 && failed.has(nid)) throw new EssentialError(nid, failed.get(nid));
    for (const { rowId } of listed) {
      const numbers = lessened.get(rowId)?.numbers;
      if (numbers !== undefined) draft(nid).numbers.set(rowId, numbers);
    }
    const rows = listed.filter(({ rowId }) => items.has(rowId));
    if (rows.length === 0) continue;
    for (const { rowId } of rows) draft(nid).rows.add(rowId);
    const owner = OWNERS.get(type);
    if (owner === undefined) continue;
    const folder = siblingNid(nid, owner);
    const sums = less.get(folder) ?? new Map<number, number>();
    const add = (tag: number, n: number): unknown => less.set(folder, sums.set(tag, (sums.get(tag) ?? 0) + n));
    if (type === NID_TYPE.ASSOC_CONTENTS_TABLE) add(ASSOCIATED_COUNT, rows.length);
    else {
      add(CONTENT_COUNT, rows.length);
      add(UNREAD_COUNT, rows.filter(isUnread).length);
    }
  }
  for (const [folder, sums] of less) lowerFolder(ndb, folder, sums, draft);
  const without = new Set(items);
  if (namesAny(ndb, NID.MESSAGE_INDEX, items)) without.add(NID.MESSAGE_INDEX);
  const messages = [...lessened].map(([nid, { amendment }]) => [nid, amendment] as const);
  return { without, amended: new Map<number, Amendment>([...drafts, ...messages]) };
}

const isUnread = (row: PropertyStream): boolean => ((row.inline(MESSAGE_FLAGS) ?? 0) & READ) === 0;

/** Rows of the table, node `i`, that are of `items`. */
function rowsIn(
  ndb: Ndb,
  i: number,
  items: ReadonlySet<number>,
  failed: ReadonlyMap<number, unknown>,
): PropertyStream[] {
  const { nbt } = ndb;
  const nid = nbt.nid(i);
  try {
    return withTable(ndb, i, (table) => {
      if (!table.rowIds().some((rowId) => items.has(rowId))) return [];
      if (table.badRows > 0) throw new EssentialError(nid, new Error(`${table.badRows} of its rows are lost`));
      return [...table.rows()].filter(({ rowId }) => items.has(rowId));
    });
  } catch (error) {
    if (!isDamage(error)) throw error;
    // A clone keeps a broken table as bytes. That is good enough unless a row has to be taken out of it.
    const owner = OWNERS.get(nidType(nid));
    const lists =
      owner === NID_TYPE.NORMAL_FOLDER && [...items].some((item) => isIn(ndb, item, siblingNid(nid, owner)));
    if (lists || failed.has(nid)) throw new EssentialError(nid, failed.get(nid) ?? error);
    return [];
  }
}

const isIn = ({ nbt }: Ndb, item: number, folder: number): boolean => {
  const i = nbt.find(item);
  return i >= 0 && nbt.parent(i) === folder;
};

function withTable<T>(ndb: Ndb, i: number, use: (table: Table) => T): T {
  const where = { nid: ndb.nbt.nid(i) };
  const table = Table.open(ndb, ndb.nbt.bidData(i), ndb.subnodes(ndb.nbt.bidSub(i), where), where);
  try {
    return use(table);
  } finally {
    table.close();
  }
}

/** Lowers the counts of a folder, and those its parent repeats. */
function lowerFolder(ndb: Ndb, folder: number, sums: ReadonlyMap<number, number>, draft: (nid: number) => Draft): void {
  const { nbt } = ndb;
  const i = nbt.find(folder);
  if (i < 0) return;
  const parent = nbt.parent(i);
  try {
    draft(folder).lower(0, readPc(ndb, nbt.bidData(i), { nid: folder }), sums);
    const table = nbt.find(siblingNid(parent, NID_TYPE.HIERARCHY_TABLE));
    if (parent === folder || table < 0) return;
    const row = withTable(ndb, table, (open) => [...open.rows()].find(({ rowId }) => rowId === folder));
    if (row !== undefined) draft(nbt.nid(table)).lower(folder, row, sums);
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw new EssentialError(error.where.nid ?? folder, error, 'the counts of a folder have to be lowered in it');
  }
}

/** Whether the bytes of node `nid` name one of `items`, wherever. */
function namesAny(ndb: Ndb, nid: number, items: ReadonlySet<number>): boolean {
  const i = ndb.nbt.find(nid);
  if (i < 0) return false;
  try {
    const bytes = ndb.readBytes(ndb.nbt.bidData(i), { nid });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 4 <= bytes.length; at += 2) if (items.has(view.getUint32(at, true))) return true;
    return false;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return true; // it goes, because nobody can tell
  }
}
