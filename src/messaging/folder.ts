/**
 * Folders: a node of type 2 (or 3, a search folder) and the tables that share its index. MS-PST 2.4.4.
 *
 *     …2  properties      …D  hierarchy table     …E  contents table     …F  FAI contents table
 *     …3  search folder   …6  update queue        …7  criteria           …10 result table
 *
 * A node belongs to the folder it names as its parent; the tables list it there. A folder or message that is in no table is
 * an orphan: a finding, and at hand all the same.
 * @module
 */
import { hex, PstError } from '../errors.js';
import { NID_TYPE, nidName, nidType, siblingNid } from '../wire/nid.js';
import { isFolder, isMessage } from './children.js';
import { Message } from './message.js';
import { NodeHolder } from './properties.js';
import { isWideTable, wideTableIds } from './results.js';
import { Sequence } from './sequence.js';
import type { Store } from './store.js';
import { TableView } from './tableview.js';

export type FolderTable = 'hierarchy' | 'contents' | 'associated';

export class Folder extends NodeHolder {
  /** `index`: the folder's place in the NBT. */
  constructor(
    store: Store,
    readonly index: number,
  ) {
    const { nbt } = store.ndb;
    super(store, nbt.nid(index), nbt.bidData(index), nbt.bidSub(index));
  }

  get displayName(): string {
    return this.text('PidTagDisplayName') ?? '';
  }
  /** `IPF.Note`; undefined for a folder of no kind. */
  get containerClass(): string | undefined {
    return this.text('PidTagContainerClass');
  }
  get isSearchFolder(): boolean {
    return nidType(this.nid) === NID_TYPE.SEARCH_FOLDER;
  }
  get isRoot(): boolean {
    return this.parentNid === this.nid;
  }
  get parentNid(): number {
    return this.store.ndb.nbt.parent(this.index);
  }
  /** undefined for the root, and when the parent is not there. */
  get parent(): Folder | undefined {
    return this.isRoot ? undefined : this.store.findFolder(this.parentNid);
  }
  /** PidTagContentCount, as the store states it. */
  get messageCount(): number {
    return this.integer('PidTagContentCount') ?? 0;
  }
  get unreadCount(): number {
    return this.integer('PidTagContentUnreadCount') ?? 0;
  }
  get hasSubfolders(): boolean {
    return this.flag('PidTagSubfolders') ?? false;
  }
  /** The node with what a search folder searches for. MS-PST 2.4.8.6.1. */
  get criteriaNid(): number | undefined {
    const nid = siblingNid(this.nid, NID_TYPE.SEARCH_CRITERIA_OBJECT);
    return this.isSearchFolder && this.store.ndb.nbt.find(nid) >= 0 ? nid : undefined;
  }

  /** NID of one of the folder's tables; undefined for the tables that search folders do not have. */
  tableNid(which: FolderTable): number | undefined {
    if (this.isSearchFolder) {
      return which === 'contents' ? siblingNid(this.nid, NID_TYPE.SEARCH_CONTENTS_TABLE) : undefined;
    }
    return siblingNid(this.nid, TABLE_TYPES[which]);
  }

  /**
   * One of the folder's tables. undefined when a search folder has none of that kind; undefined, and a finding, when its
   * node is missing.
   */
  table(which: FolderTable): TableView | undefined {
    const table = this.#node(which);
    return table && this.#isWide(table) ? undefined : table;
  }

  #node(which: FolderTable): TableView | undefined {
    const nid = this.tableNid(which);
    if (nid === undefined) return undefined;
    const { ndb } = this.store;
    const i = ndb.nbt.find(nid);
    if (i >= 0) return new TableView(this.store, ndb.nbt.bidData(i), ndb.nbt.bidSub(i), { nid });
    if (!this.isSearchFolder) this.#report(() => `the folder has no ${nidName(nid)}`, nid); // else not searched yet
    return undefined;
  }

  #isWide(table: TableView): boolean {
    const { ndb } = this.store;
    return this.isSearchFolder && (this.store.attempt(() => isWideTable(ndb, table.bidData, table.where)) ?? false);
  }

  /** Row ids of a table; none, and a finding, when it cannot be read. */
  ids(which: FolderTable): Uint32Array {
    const table = this.#node(which);
    const read = (node: TableView): Uint32Array =>
      this.#isWide(node) ? wideTableIds(this.store.ndb, node.bidData, node.where) : node.ids();
    return (table && this.store.attempt(() => read(table))) ?? new Uint32Array(0);
  }

  /** The folders in it, in the order of its hierarchy table. */
  folders(): Sequence<Folder> {
    return new Sequence(() => this.#listed('hierarchy', isFolder, (i) => new Folder(this.store, i)));
  }

  /**
   * The messages in it, in the order of its contents table. Those of a search folder are its results: they are in other
   * folders.
   */
  messages(): Sequence<Message> {
    return new Sequence(() => this.#listed('contents', isMessage, (i) => this.#message(i)));
  }

  /** The folder-associated messages: settings, views, rules. */
  associated(): Sequence<Message> {
    return new Sequence(() => this.#listed('associated', isMessage, (i) => this.#message(i)));
  }

  #message(index: number): Message {
    const { nbt } = this.store.ndb;
    const folder = this.isSearchFolder ? this.store.findFolder(nbt.parent(index)) : this;
    return new Message(this.store, nbt.nid(index), nbt.bidData(index), nbt.bidSub(index), { folder });
  }

  *#listed<T>(which: FolderTable, isWanted: (nid: number) => boolean, make: (index: number) => T): IterableIterator<T> {
    for (const index of this.members(which, isWanted)) yield make(index);
  }

  /** Places in the NBT of what a table lists and the nodes agree with; every disagreement is a finding. */
  members(which: FolderTable, isWanted: (nid: number) => boolean = WANTED[which]): Uint32Array {
    const ids = this.ids(which);
    const { nbt } = this.store.ndb;
    const found = new Uint32Array(ids.length);
    const seen = new Set<number>();
    let count = 0;
    for (const nid of ids) {
      const i = nbt.find(nid);
      if (i < 0) this.#report(() => `the ${which} table lists ${hex(nid)}, which is not there`, nid);
      else if (!isWanted(nid)) this.#report(() => `the ${which} table lists ${hex(nid)}, a ${nidName(nid)}`, nid);
      else if (seen.has(nid)) this.#report(() => `the ${which} table lists ${hex(nid)} twice`, nid);
      else if (!this.isSearchFolder && (nbt.parent(i) !== this.nid || nid === this.nid)) {
        // Following it could lead in circles; it will be found where it says it belongs.
        this.#report(() => `the ${which} table of ${hex(this.nid)} lists ${hex(nid)} of ${hex(nbt.parent(i))}`, nid);
      } else {
        seen.add(nid);
        found[count++] = i;
      }
    }
    return found.subarray(0, count);
  }

  /** Messages that name this folder as their parent and that no table of it lists. Each is a finding. */
  orphans(): Sequence<Message> {
    return new Sequence(() => this.#orphans(isMessage, ['contents', 'associated'], (i) => this.#message(i)));
  }

  /** Folders that name this one as their parent and are not in its hierarchy table. Each is a finding. */
  orphanFolders(): Sequence<Folder> {
    return new Sequence(() => this.#orphans(isFolder, ['hierarchy'], (i) => new Folder(this.store, i)));
  }

  *#orphans<T>(
    isWanted: (nid: number) => boolean,
    tables: readonly FolderTable[],
    make: (index: number) => T,
  ): IterableIterator<T> {
    for (const i of this.orphanMembers(isWanted, tables)) yield make(i);
  }

  /** Places in the NBT of the orphans. */
  orphanMembers(isWanted: (nid: number) => boolean, tables: readonly FolderTable[]): number[] {
    const { nbt } = this.store.ndb;
    const listed = new Set<number>();
    for (const which of this.isSearchFolder ? [] : tables) for (const i of this.members(which)) listed.add(i);
    const found: number[] = [];
    for (const i of this.store.children.of(this.nid)) {
      if (!isWanted(nbt.nid(i)) || listed.has(i)) continue;
      this.#report(
        () => `the ${nidName(nbt.nid(i))} ${hex(nbt.nid(i))} is in no table of its folder ${hex(this.nid)}`,
        nbt.nid(i),
      );
      found.push(i);
    }
    return found;
  }

  /** The words are made only when there is room for them: a hostile store could have a disagreement a node. */
  #report(message: () => string, nid: number): void {
    if (this.store.isFull) return;
    this.store.report(new PstError('PST_MISSING', message(), { nid, section: '2.4.4' }));
  }
}

const TABLE_TYPES: Readonly<Record<FolderTable, number>> = {
  hierarchy: NID_TYPE.HIERARCHY_TABLE,
  contents: NID_TYPE.CONTENTS_TABLE,
  associated: NID_TYPE.ASSOC_CONTENTS_TABLE,
};
const WANTED: Readonly<Record<FolderTable, (nid: number) => boolean>> = {
  hierarchy: isFolder,
  contents: isMessage,
  associated: isMessage,
};
