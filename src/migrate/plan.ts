/**
 * What a store without some of its items is: which nodes go, and which others have to change with them, so that everything that counts or
 * lists an item agrees (scanpst.md 5 and 6; MS-PST 2.4.4, 2.4.8).
 *
 *     message ──▶ its row in every contents table: of its folder, of search folders, of the outgoing queue
 *             ──▶ 3602, 3603 or 3617 of those folders ──▶ the same cells of their rows in the parent's hierarchy table
 *     attachment ──▶ its row, the flag and the size of the message (attachment.ts) ──▶ the same cells of the message's rows
 *     message ──▶ the message index 0xE01, which no specification describes: it goes, Outlook does without
 *
 * A contents table that cannot be read is made anew from the messages (contents.ts), and the counts are counted.
 *
 * The same NIDs and the same source give the same plan: a verify that is told the manifest makes it again.
 * @module
 */

import { PstError } from '../errors.js';
import { readPc } from '../ltp/pc.js';
import type { PropertyStream } from '../ltp/stream.js';
import { Table } from '../ltp/table.js';
import type { Ndb } from '../ndb/ndb.js';
import { NID, NID_TYPE, nidType, siblingNid } from '../wire/nid.js';
import type { Amendment, Numbers } from './amendment.js';
import { type Lessened, withoutAttachments } from './attachment.js';
import { isDamage } from './content.js';
import { canRebuild, messagesOf } from './contents.js';
import { NodeDigester } from './digest.js';
import { EssentialError, isOfNode, type Left } from './omission.js';

export interface Plan {
  /** NIDs of nodes that the target does not have. */
  readonly without: ReadonlySet<number>;
  /** What becomes of other nodes, by NID. */
  readonly amended: ReadonlyMap<number, Amendment>;
  /** Contents tables that cannot be read and are made anew. */
  readonly rebuilt: ReadonlySet<number>;
  /** Numbers of amended messages, which their rows repeat. */
  readonly changed: ReadonlyMap<number, Numbers>;
}

/** Everything arrives. */
export const WHOLE: Plan = { without: new Set(), amended: new Map(), rebuilt: new Set(), changed: new Map() };

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

/** What becomes of the numbers of a folder, by tag. */
type Changes = Map<number, (before: number) => number>;

/** An amendment under construction. */
class Draft implements Amendment {
  readonly rows = new Set<number>();
  readonly numbers = new Map<number, Numbers>();
  readonly subnodes = new Map<number, Amendment | 'gone'>();

  /** Changes the numbers that `stream`, row `row` (0: the property context), has. */
  change(row: number, stream: PropertyStream, changes: Changes): void {
    for (const [tag, change] of changes) {
      const before = stream.inline(tag);
      if (before === undefined || change(before) === before) continue;
      this.numbers.set(row, new Map([...(this.numbers.get(row) ?? []), [tag, change(before)]]));
    }
  }
}

/** What a plan is for. */
export interface Aim {
  readonly left: Left;
  /** Whether all is encoded anew: sizes depend on it. */
  readonly reencode: boolean;
  /** Nodes that could not be copied, with what they threw: tables that list messages may be readable without them, or made anew. */
  readonly failed?: ReadonlyMap<number, unknown>;
  /** Tables that were made anew when the plan was followed. */
  readonly rebuilt?: ReadonlySet<number>;
}

/** The plan for `ndb` without what is `left` out. Throws EssentialError when something that has to change cannot be read. */
export function planWithout(ndb: Ndb, aim: Aim): Plan {
  return new Planner(ndb, aim).plan();
}

class Planner {
  readonly #drafts = new Map<number, Draft>();
  readonly #folders = new Map<number, Changes>();
  readonly #lessened = new Map<number, Lessened>();
  readonly #rebuilt = new Set<number>();
  /** Messages whose rows change, or go. */
  readonly #touched: ReadonlySet<number>;

  constructor(
    readonly ndb: Ndb,
    readonly aim: Aim,
  ) {
    const { left, reencode } = aim;
    for (const [nid, gone] of left.attachments) {
      this.#lessened.set(nid, withoutAttachments(ndb, ndb.getNode(nid), gone, reencode));
    }
    this.#touched = new Set([...left.messages, ...this.#lessened.keys()]);
  }

  plan(): Plan {
    const { ndb } = this;
    const { messages } = this.aim.left;
    const { nbt } = ndb;
    for (let i = 0; i < nbt.count; i++) if (listsMessages(nbt.nid(i)) && nbt.bidData(i) !== 0) this.#table(i);
    for (const [folder, changes] of this.#folders) this.#folder(folder, changes);
    const without = new Set(messages);
    // It is keyed by 3013 of the rows: those made anew may have another.
    const listed = [...this.#rebuilt].flatMap((table) => messagesOf(ndb, table, messages).map((i) => nbt.nid(i)));
    if (namesAny(ndb, NID.MESSAGE_INDEX, new Set([...messages, ...listed]))) without.add(NID.MESSAGE_INDEX);
    const lessened = [...this.#lessened];
    return {
      without,
      amended: new Map<number, Amendment>([
        ...this.#drafts,
        ...lessened.map(([nid, { amendment }]) => [nid, amendment] as const),
      ]),
      rebuilt: this.#rebuilt,
      changed: new Map(lessened.map(([nid, { numbers }]) => [nid, numbers])),
    };
  }

  #draft(nid: number): Draft {
    const found = this.#drafts.get(nid) ?? new Draft();
    this.#drafts.set(nid, found);
    return found;
  }

  /** A table of messages: rows go, rows change; or the whole of it is made anew. */
  #table(i: number): void {
    const { failed, rebuilt } = this.aim;
    const nid = this.ndb.nbt.nid(i);
    const error = failed?.get(nid);
    try {
      if (rebuilt?.has(nid)) this.#rebuild(nid);
      else {
        const rows = this.#rowsOf(i, error);
        if (rows !== undefined) this.#rows(i, rows, error);
        else this.#rebuild(nid);
      }
    } catch (thrown) {
      if (!isOfNode(thrown)) throw thrown;
      throw new EssentialError(nid, error ?? thrown);
    }
  }

  /** Rows of touched messages. undefined: the table has to be made anew. `error`: what its operation threw. */
  #rowsOf(i: number, error: unknown): PropertyStream[] | undefined {
    const { ndb } = this;
    const nid = ndb.nbt.nid(i);
    try {
      return withTable(ndb, i, (table) => {
        if (!table.rowIds().some((rowId) => this.#touched.has(rowId))) return [];
        if (table.badRows > 0) throw new PstError('PST_BAD_TC', `${table.badRows} of its rows are lost`, { nid });
        return [...table.rows()].filter(({ rowId }) => this.#touched.has(rowId));
      });
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      // A clone keeps a broken table as bytes. That is good enough unless a row has to be taken out of it.
      const owner = OWNERS.get(nidType(nid));
      const isNeeded = owner === NID_TYPE.NORMAL_FOLDER && [...this.#touched].some((m) => this.#lies(m, nid, owner));
      if (error === undefined && !isNeeded) return [];
      if (canRebuild(nid)) return undefined;
      throw thrown;
    }
  }

  /** Whether message `nid` belongs into table `table`. */
  #lies(nid: number, table: number, owner: number): boolean {
    const { nbt } = this.ndb;
    const i = nbt.find(nid);
    const type = nidType(table) === NID_TYPE.CONTENTS_TABLE ? NID_TYPE.NORMAL_MESSAGE : NID_TYPE.ASSOC_MESSAGE;
    return i >= 0 && nidType(nid) === type && nbt.parent(i) === siblingNid(table, owner);
  }

  #rows(i: number, listed: readonly PropertyStream[], error: unknown): void {
    const { ndb } = this;
    const { messages } = this.aim.left;
    const nid = ndb.nbt.nid(i);
    const type = nidType(nid);
    if (error !== undefined && !isDamage(error) && listed.length === 0) throw new EssentialError(nid, error);
    const draft = listed.length > 0 || error !== undefined ? this.#draft(nid) : undefined;
    for (const { rowId } of listed) {
      const numbers = this.#lessened.get(rowId)?.numbers;
      if (numbers !== undefined) draft!.numbers.set(rowId, numbers);
      if (messages.has(rowId)) draft!.rows.add(rowId);
    }
    if (error !== undefined && !this.#isReadable(i, draft!)) {
      if (!canRebuild(nid)) throw new EssentialError(nid, error);
      this.#drafts.delete(nid);
      this.#rebuild(nid);
      return;
    }
    const rows = listed.filter(({ rowId }) => messages.has(rowId));
    const owner = OWNERS.get(type);
    if (owner === undefined || rows.length === 0) return;
    const changes = this.#changes(siblingNid(nid, owner));
    const lower = (tag: number, n: number): unknown => changes.set(tag, (before) => Math.max(0, before - n));
    if (type === NID_TYPE.ASSOC_CONTENTS_TABLE) lower(ASSOCIATED_COUNT, rows.length);
    else {
      lower(CONTENT_COUNT, rows.length);
      lower(UNREAD_COUNT, rows.filter(isUnread).length);
    }
  }

  /** A table that failed may be readable without the rows that go: their values may be all that is broken. */
  #isReadable(i: number, draft: Amendment): boolean {
    try {
      new NodeDigester(this.ndb, () => {}).node(i, draft);
      return true;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return false;
    }
  }

  #rebuild(nid: number): void {
    const { ndb } = this;
    this.#rebuilt.add(nid);
    const messages = messagesOf(ndb, nid, this.aim.left.messages);
    const changes = this.#changes(siblingNid(nid, NID_TYPE.NORMAL_FOLDER));
    if (nidType(nid) === NID_TYPE.ASSOC_CONTENTS_TABLE) {
      changes.set(ASSOCIATED_COUNT, () => messages.length);
      return;
    }
    const unread = messages.filter((i) => isUnread(readPc(ndb, ndb.nbt.bidData(i), { nid: ndb.nbt.nid(i) })));
    changes.set(CONTENT_COUNT, () => messages.length);
    changes.set(UNREAD_COUNT, () => unread.length);
  }

  #changes(folder: number): Changes {
    const found = this.#folders.get(folder) ?? new Map();
    this.#folders.set(folder, found);
    return found;
  }

  /** Changes the numbers of a folder, and those its parent repeats. */
  #folder(folder: number, changes: Changes): void {
    const { ndb } = this;
    const { nbt } = ndb;
    const i = nbt.find(folder);
    if (i < 0) return;
    const parent = nbt.parent(i);
    try {
      this.#change(folder, 0, readPc(ndb, nbt.bidData(i), { nid: folder }), changes);
      const table = nbt.find(siblingNid(parent, NID_TYPE.HIERARCHY_TABLE));
      if (parent === folder || table < 0) return;
      const row = withTable(ndb, table, (open) => [...open.rows()].find(({ rowId }) => rowId === folder));
      if (row !== undefined) this.#change(nbt.nid(table), folder, row, changes);
    } catch (error) {
      if (!isOfNode(error)) throw error;
      const nid = isDamage(error) ? error.where.nid : undefined;
      throw new EssentialError(nid ?? folder, error, 'the counts of a folder have to be changed in it');
    }
  }

  #change(nid: number, row: number, stream: PropertyStream, changes: Changes): void {
    const draft = this.#drafts.get(nid) ?? new Draft();
    draft.change(row, stream, changes);
    if (draft.numbers.size > 0) this.#drafts.set(nid, draft);
  }
}

const isUnread = (row: PropertyStream): boolean => ((row.inline(MESSAGE_FLAGS) ?? 0) & READ) === 0;

function withTable<T>(ndb: Ndb, i: number, use: (table: Table) => T): T {
  const where = { nid: ndb.nbt.nid(i) };
  const table = Table.open(ndb, ndb.nbt.bidData(i), ndb.subnodes(ndb.nbt.bidSub(i), where), where);
  try {
    return use(table);
  } finally {
    table.close();
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
