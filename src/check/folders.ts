/**
 * Folders: their tables name every child and no other, counts are counted, rows equal objects. MS-PST 2.4.4.
 * @module
 */
import type { PropertyStream } from '../ltp/stream.js';
import { CLIENT_SIGNATURE } from '../wire/heap.js';
import { NID, NID_TYPE, nidType, siblingNid } from '../wire/nid.js';
import type { Context } from './context.js';
import { hex, tagHex, tagText } from './findings.js';
import { messageKey } from './indexes.js';
import { checkMessage } from './messages.js';
import { clientOf, loadNode, loadObject, type StoreObject, withTable } from './objects.js';
import { compareRow } from './rows.js';
import type { RuleId } from './rules.js';
import { Sizes } from './sizes.js';

/** 3001 name, 3602 and 3603 counts, 360A has subfolders. 2.4.4.1.1. */
const REQUIRED: readonly number[] = [0x3001001f, 0x36020003, 0x36030003, 0x360a000b];
const STRING8 = 0x001e;

const HIERARCHY_ROW_ONLY: ReadonlySet<number> = new Set([0x67f2, 0x67f3, 0x0e30, 0x0e33, 0x0e34]);
/** Ids that make replication possible: all in a row, or none. scanpst section 11. */
const REPLICATION: readonly number[] = [0x0e300102, 0x0e330014, 0x0e340102];

/** What the rows of a store told together. */
export interface RowFacts {
  /** Row versions (67F3) seen, and the highest. */
  highestVersion: number;
  /** Hierarchy rows with replication ids: NID by id in hex; and how many have none. */
  readonly replication: Map<string, number>;
  withoutReplication: number;
  /** Key in the message index by message, where there is an index. */
  readonly conversations: Map<number, number>;
}

/** Row versions as they come: 67F3, and the NID of the row. Eight bytes a row, whatever the store's size. */
class Versions {
  #values = new Uint32Array(1024);
  #nids = new Uint32Array(1024);
  #count = 0;

  add(value: number, nid: number): void {
    if (this.#count === this.#values.length) {
      const [values, nids] = [this.#values, this.#nids];
      this.#values = new Uint32Array(2 * this.#count);
      this.#nids = new Uint32Array(2 * this.#count);
      this.#values.set(values);
      this.#nids.set(nids);
    }
    this.#values[this.#count] = value;
    this.#nids[this.#count++] = nid;
  }

  /** Pairs of rows with one version. */
  *twice(): Generator<{ value: number; a: number; b: number }> {
    const values = this.#values;
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
    for (let k = 1; k < order.length; k++) {
      const [a, b] = [order[k - 1]!, order[k]!];
      if (values[a] === values[b]) yield { value: values[a]!, a: this.#nids[a]!, b: this.#nids[b]! };
    }
  }
}

export class FolderChecker {
  readonly sizes: Sizes;
  readonly facts: RowFacts = {
    highestVersion: 0,
    replication: new Map(),
    withoutReplication: 0,
    conversations: new Map(),
  };
  readonly #listed: Uint8Array;
  readonly #versions = new Versions();
  readonly #hasMessageIndex: boolean;

  constructor(readonly context: Context) {
    this.sizes = new Sizes(context);
    this.#listed = new Uint8Array(context.ndb.nbt.count);
    this.#hasMessageIndex = context.ndb.nbt.find(NID.MESSAGE_INDEX) >= 0;
  }

  run(): void {
    const { context } = this;
    const { nbt } = context.ndb;
    for (let i = 0; i < nbt.count; i++) {
      const type = nidType(nbt.nid(i));
      if (type === NID_TYPE.NORMAL_FOLDER) this.#folder(i);
      else if (type === NID_TYPE.SEARCH_FOLDER) this.#searchFolder(i);
      context.advance();
    }
    for (let i = 0; i < nbt.count; i++) if (this.#listed[i] === 0) this.#unlisted(i);
    for (const { value, a, b } of this.#versions.twice()) {
      const text = `PidTagLtpRowVer (0x67f3) of the rows of ${hex(a)} and ${hex(b)} is ${value}, it is unique in a store`;
      context.add('row.version', text, { nid: b, found: value });
    }
    const { replication, withoutReplication } = this.facts;
    if (replication.size > 0 && withoutReplication > 0) {
      const text = `${replication.size} hierarchy rows have replication ids, ${withoutReplication} have none`;
      context.add('hierarchy.replication-mixed', text, { found: withoutReplication, expected: 0 });
    }
  }

  #folder(i: number): void {
    const { context } = this;
    const { nbt } = context.ndb;
    const nid = nbt.nid(i);
    const folder = loadNode(context, i);
    if (folder !== undefined) this.#required(folder);
    const children = this.#hierarchy(nid);
    const contents = this.#contents(nid, NID_TYPE.CONTENTS_TABLE, false);
    this.#contents(nid, NID_TYPE.ASSOC_CONTENTS_TABLE, true);
    if (folder === undefined) return;
    this.#expect(folder, 0x36020003, contents?.count, 'folder.count');
    this.#expect(folder, 0x36030003, contents?.unread, 'folder.unread');
    this.#expect(folder, 0x360a000b, children === undefined ? undefined : Number(children > 0), 'folder.has-children');
  }

  #searchFolder(i: number): void {
    const { context } = this;
    const nid = context.ndb.nbt.nid(i);
    const folder = loadNode(context, i);
    if (folder !== undefined) this.#required(folder);
    const tableNid = siblingNid(nid, NID_TYPE.SEARCH_CONTENTS_TABLE);
    // Seen in real stores: node 0x730 with client signature 0xAC, which nobody published.
    if (clientOf(context, tableNid) !== CLIENT_SIGNATURE.TC) return;
    const count = this.#withTableNode(tableNid, (table) => {
      for (const id of table.rowIds()) {
        if (context.ndb.nbt.find(id) >= 0) continue;
        const text = `row ${hex(id)} of ${hex(tableNid)} has no message`;
        context.add('folder.search-row', text, { nid: tableNid, found: id });
      }
      return table.rowCount;
    });
    if (folder !== undefined) this.#expect(folder, 0x36020003, count, 'folder.search-count');
  }

  #required(folder: StoreObject): void {
    for (const tag of REQUIRED) {
      const is8 = (tag & 0xffff) === 0x001f && folder.pc.find((tag & ~0xffff) | STRING8) >= 0;
      if (folder.pc.find(tag) >= 0 || is8) continue;
      const place = { nid: folder.nid, expected: tagHex(tag) };
      this.context.add('folder.required', `${tagText(tag)} is missing`, place);
    }
    for (const tag of REPLICATION) {
      if (folder.pc.findId(tag >>> 16) < 0) continue;
      const text = `${tagText(tag)} is stored in the folder, it belongs to the row`;
      this.context.add('folder.replication', text, { nid: folder.nid });
    }
  }

  #expect(folder: StoreObject, tag: number, expected: number | undefined, rule: RuleId): void {
    const found = folder.pc.inline(tag);
    if (found === undefined || expected === undefined || found === expected) return;
    const text = `${tagText(tag)} is ${found}, counted ${expected}`;
    this.context.add(rule, text, { nid: folder.nid, found, expected });
  }

  #withTableNode<T>(nid: number, use: Parameters<typeof withTable<T>>[5]): T | undefined {
    const { nbt } = this.context.ndb;
    const i = nbt.find(nid);
    if (i < 0) return undefined; // said by the nodes part
    return withTable(this.context, nid, nid, nbt.bidData(i), nbt.bidSub(i), use);
  }

  /** Rows of the hierarchy table: the folder's children. Returns how many, undefined when it cannot be read. */
  #hierarchy(folder: number): number | undefined {
    const { context } = this;
    const { nbt } = context.ndb;
    const nid = siblingNid(folder, NID_TYPE.HIERARCHY_TABLE);
    return this.#withTableNode(nid, (table, subnodes) => {
      for (const row of table.rows()) {
        const child = row.rowId;
        this.#version(nid, row);
        this.#replication(nid, row);
        const index = nbt.find(child);
        const type = nidType(child);
        if (index < 0 || (type !== NID_TYPE.NORMAL_FOLDER && type !== NID_TYPE.SEARCH_FOLDER)) {
          context.add('hierarchy.no-node', `row ${hex(child)} of ${hex(nid)} has no folder`, { nid, found: child });
          continue;
        }
        this.#list(index, nid);
        if (nbt.parent(index) !== folder) {
          const text = `the folder ${hex(child)} is listed in ${hex(nid)}, its parent is ${hex(nbt.parent(index))}`;
          context.add('hierarchy.parent', text, { nid: child, found: nbt.parent(index), expected: folder });
        }
        const object = loadObject(context, child, child, nbt.bidData(index), nbt.bidSub(index));
        if (object === undefined) continue;
        const at = { table, nid, subnodes, row };
        // Outlook 2003 leaves the row of its search folder empty. Seen in real stores.
        const foreign = type === NID_TYPE.SEARCH_FOLDER ? 'note' : undefined;
        compareRow(context, at, object, HIERARCHY_ROW_ONLY, 'hierarchy.row', 'hierarchy.row', foreign);
      }
      return table.rowCount;
    });
  }

  /** Rows of a contents table, and every message they name. */
  #contents(
    folder: number,
    tableType: number,
    isAssociated: boolean,
  ): { count: number; unread: number | undefined } | undefined {
    const { context } = this;
    const { nbt } = context.ndb;
    const nid = siblingNid(folder, tableType);
    const messageType = isAssociated ? NID_TYPE.ASSOC_MESSAGE : NID_TYPE.NORMAL_MESSAGE;
    return this.#withTableNode(nid, (table, subnodes) => {
      let unread: number | undefined = 0; // undefined once a message could not be read
      for (const row of table.rows()) {
        this.#version(nid, row);
        const index = nbt.find(row.rowId);
        if (index < 0) {
          context.add('contents.no-node', `row ${hex(row.rowId)} of ${hex(nid)} has no message`, {
            nid,
            found: row.rowId,
          });
          continue;
        }
        if (nidType(row.rowId) !== messageType) {
          const text = `row ${hex(row.rowId)} of ${hex(nid)} is of NID type ${nidType(row.rowId)}`;
          context.add('contents.type', text, { nid: row.rowId, found: nidType(row.rowId), expected: messageType });
          continue;
        }
        this.#list(index, nid);
        this.#conversation(row);
        if (nbt.parent(index) !== folder) {
          const text = `the message ${hex(row.rowId)} is listed in ${hex(nid)}, its parent is ${hex(nbt.parent(index))}`;
          context.add('contents.parent', text, { nid: row.rowId, found: nbt.parent(index), expected: folder });
        }
        const message = loadNode(context, index);
        if (message === undefined) {
          unread = undefined;
          continue;
        }
        const at = { table, nid, subnodes, row };
        const { isRead } = checkMessage(context, this.sizes, message, isAssociated, false, at, 0);
        if (!isRead && unread !== undefined) unread++;
      }
      return { count: table.rowCount, unread };
    });
  }

  #list(index: number, table: number): void {
    const { context } = this;
    const nid = context.ndb.nbt.nid(index);
    if (this.#listed[index] === 1)
      context.add('contents.twice', `${hex(nid)} is listed again in ${hex(table)}`, { nid });
    this.#listed[index] = 1;
  }

  /** Folders and messages that no table lists. */
  #unlisted(i: number): void {
    const { context } = this;
    const { nbt } = context.ndb;
    const nid = nbt.nid(i);
    const type = nidType(nid);
    if (nid === NID.ROOT_FOLDER) return;
    if (type === NID_TYPE.NORMAL_FOLDER || type === NID_TYPE.SEARCH_FOLDER) {
      context.add('hierarchy.no-row', `the folder ${hex(nid)} is in no hierarchy table`, { nid });
    } else if (type === NID_TYPE.NORMAL_MESSAGE || type === NID_TYPE.ASSOC_MESSAGE) {
      context.add('contents.no-row', `the message ${hex(nid)} is in no contents table`, { nid });
      const message = loadNode(context, i);
      const isAssociated = type === NID_TYPE.ASSOC_MESSAGE;
      if (message !== undefined) checkMessage(context, this.sizes, message, isAssociated, false, undefined, 0);
    }
  }

  /** 67F3: unique in the whole store, below dwUnique. */
  #version(table: number, row: PropertyStream): void {
    const { context } = this;
    const version = row.inline(0x67f30003);
    if (version === undefined) {
      context.add('row.version-missing', `row ${hex(row.rowId)} of ${hex(table)} has no PidTagLtpRowVer (0x67f3)`, {
        nid: table,
      });
      return;
    }
    this.#versions.add(version, row.rowId);
    this.facts.highestVersion = Math.max(this.facts.highestVersion, version);
  }

  #conversation(row: PropertyStream): void {
    if (!this.#hasMessageIndex) return;
    const k = row.find(0x30130102);
    if (k < 0 || row.flags(k) !== 0 || row.length(k) !== 16) return;
    this.facts.conversations.set(row.rowId, messageKey(row.value(k)));
  }

  #replication(table: number, row: PropertyStream): void {
    const { context } = this;
    const set = REPLICATION.filter((tag) => row.find(tag) >= 0);
    if (nidType(row.rowId) === NID_TYPE.SEARCH_FOLDER) {
      if (set.length === 0) return;
      const text = `row ${hex(row.rowId)} of ${hex(table)} has replication ids, search folders have none`;
      context.add('hierarchy.replication', text, { nid: table, found: set.length, expected: 0 }, 'none');
      return;
    }
    if (set.length !== 0 && set.length !== REPLICATION.length) {
      const text = `row ${hex(row.rowId)} of ${hex(table)} has ${set.map(tagText).join(', ')} and not all of 0x0e30, 0x0e33, 0x0e34`;
      context.add('hierarchy.replication', text, { nid: table, found: set.length, expected: REPLICATION.length });
    }
    if (set.length === 0) this.facts.withoutReplication++;
    const k = row.find(0x0e300102);
    if (k >= 0 && row.flags(k) === 0) this.facts.replication.set(Buffer.from(row.value(k)).toString('hex'), row.rowId);
  }
}
