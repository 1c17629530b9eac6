/**
 * A contents table that cannot be read, made anew from the messages of its folder: a row for each, cell by cell what the message has, as the
 * build layer makes them. MS-PST 2.4.4.5; scanpst.md 6.
 *
 * Row ids are NIDs and stay. Columns are those of every table of its kind; what a view had added, the order of the rows and their versions are lost.
 * @module
 */
import { conversationIdOf } from '../build/conversation.js';
import { eachCell, type Tree } from '../build/object.js';
import { EmptyTables, TableBuilder } from '../build/table.js';
import { TAG } from '../build/tag.js';
import { ASSOCIATED, CONTENTS } from '../build/template.js';
import { hex, PstError } from '../errors.js';
import { readPc } from '../ltp/pc.js';
import { EXTERNAL, type PropertyStream } from '../ltp/stream.js';
import { Table } from '../ltp/table.js';
import type { Ndb } from '../ndb/ndb.js';
import type { SubnodeIndex } from '../ndb/subnode.js';
import type { StoreWriter } from '../ndb/write/store-writer.js';
import { NID_TYPE, nidType, siblingNid } from '../wire/nid.js';
import { type Numbers, setNumbers } from './amendment.js';
import type { Placed } from './reencode.js';

/** What decides which messages there are, and what has changed of them. */
interface Kept {
  readonly without: ReadonlySet<number>;
  readonly changed: ReadonlyMap<number, Numbers>;
}

/** Whether a table of this node's type can be made anew. */
export const canRebuild = (nid: number): boolean =>
  nidType(nid) === NID_TYPE.CONTENTS_TABLE || nidType(nid) === NID_TYPE.ASSOC_CONTENTS_TABLE;

/** Places in the NBT of the messages that the table lists. */
export function messagesOf({ nbt }: Ndb, table: number, without: ReadonlySet<number>): number[] {
  const type = nidType(table) === NID_TYPE.CONTENTS_TABLE ? NID_TYPE.NORMAL_MESSAGE : NID_TYPE.ASSOC_MESSAGE;
  const folder = siblingNid(table, NID_TYPE.NORMAL_FOLDER);
  const found: number[] = [];
  for (let i = 0; i < nbt.count; i++) {
    const nid = nbt.nid(i);
    if (nidType(nid) === type && nbt.parent(i) === folder && !without.has(nid)) found.push(i);
  }
  return found;
}

/** Writes the table. Values longer than a heap item keep their blocks, which row and message share. Throws PstError. */
export function rebuildContents(ndb: Ndb, writer: StoreWriter, table: number, { without, changed }: Kept): Placed {
  const { nbt } = ndb;
  const isNormal = nidType(table) === NID_TYPE.CONTENTS_TABLE;
  const template = isNormal ? CONTENTS : ASSOCIATED;
  const rows = new TableBuilder(writer, new EmptyTables(writer), template, { nid: table });
  for (const i of messagesOf(ndb, table, without)) {
    const nid = nbt.nid(i);
    const where = { nid };
    const stream = readPc(ndb, nbt.bidData(i), where);
    setNumbers(viewOf(stream), 0, changed.get(nid));
    const subnodes = ndb.subnodes(nbt.bidSub(i), where);
    const trees = new Map<number, Tree>();
    eachCell(stream, template.tags, (tag, k, isExternal) => {
      if (!isExternal) return;
      const bid = treeOf(stream, k, subnodes);
      if (bid === 0) throw new PstError('PST_MISSING', `property ${hex(tag)} leads to no subnode`, where);
      trees.set(tag, { bid, size: ndb.treeSize(bid, where) });
    });
    rows.copy({ stream, trees, bidData: 0, bidSub: 0, leafBytes: 0 }).setNumber(TAG.MESSAGE_STATUS, 0);
    const conversation = isNormal ? conversationIdOf(stream) : undefined;
    if (conversation !== undefined) rows.setBytes(TAG.CONVERSATION_ID, conversation);
    rows.add(nid);
  }
  const { bidData, bidSub } = rows.finish();
  return { bidData, bidSub };
}

const viewOf = ({ bytes }: PropertyStream): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function treeOf(stream: PropertyStream, k: number, subnodes: SubnodeIndex): number {
  const index = subnodes.find(stream.place(k));
  return index < 0 ? 0 : subnodes.bidData(index);
}

/** Cells that only rows have. */
const ROW_ONLY: readonly number[] = [TAG.LTP_ROW_ID, TAG.LTP_ROW_VERSION, TAG.MESSAGE_STATUS, TAG.CONVERSATION_ID];

/**
 * Reads a table made anew: a row for each message and no other, and each says what its message says. Returns what is otherwise, if anything is.
 * Throws PstError.
 */
export function faultOfContents(target: Ndb, table: number): string | undefined {
  const { nbt } = target;
  const i = target.getNode(table);
  const own = target.subnodes(nbt.bidSub(i), { nid: table });
  const messages = new Set(messagesOf(target, table, new Set()).map((k) => nbt.nid(k)));
  const open = Table.open(target, nbt.bidData(i), own, { nid: table });
  try {
    for (const row of open.rows()) {
      const wrong = (what: string): string => `row ${hex(row.rowId)}: ${what}`;
      if (!messages.delete(row.rowId)) return wrong('no message of the folder');
      const k = target.getNode(row.rowId);
      const message = readPc(target, nbt.bidData(k), { nid: row.rowId });
      const subnodes = target.subnodes(nbt.bidSub(k), { nid: row.rowId });
      for (const { tag } of open.columns) {
        if (ROW_ONLY.includes(tag)) continue;
        const [a, b] = [row.find(tag), message.find(tag)];
        if (a < 0 && b < 0) continue;
        if (a < 0 || b < 0 || row.flags(a) !== message.flags(b)) return wrong(`${hex(tag)} is not the message's`);
        const isSame =
          (row.flags(a) & EXTERNAL) !== 0
            ? treeOf(row, a, own) === treeOf(message, b, subnodes)
            : Buffer.from(row.value(a)).equals(message.value(b));
        if (!isSame) return wrong(`${hex(tag)} is not the message's`);
      }
    }
  } finally {
    open.close();
  }
  return messages.size === 0 ? undefined : `${messages.size} messages have no row`;
}
