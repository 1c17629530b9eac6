/**
 * Reads everything in a store at full speed: every property of every object, every row, every byte of long values. The
 * visitor is handed views of the core's memory; nothing is copied, and no object is made per property.
 *
 *     object(store)  object(names)
 *     object(folder)  row …                          for each folder, parents first
 *       object(message)  chunk …  row(recipient) …    for each message of it, FAI and orphans included
 *         object(attachment)  chunk …  object(message) … end(message)  end(attachment)
 *       end(message)
 *     end(folder)
 *
 * Chunks belong to the object or row announced last. Views are gone when the callback returns, and any call of the library
 * within it may move the core's memory: take what is needed first. Damage of a node is a finding, and the walk goes on; only
 * a store that shares blocks until it is many times its size ends it, with PST_LIMIT.
 * @module
 */
import { CoreFault } from '../core/fault.js';
import { hex, PstError, type Where } from '../errors.js';
import { loadPc } from '../ltp/pc.js';
import { DAMAGED, EXTERNAL, PropertyStream, RECORD_SIZE, STREAM_HEADER, splitStreams } from '../ltp/stream.js';
import { Table } from '../ltp/table.js';
import { tagName } from '../mapi/tags.js';
import type { Ndb } from '../ndb/ndb.js';
import type { SubnodeIndex } from '../ndb/subnode.js';
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import { ATTACH_METHOD, containsItself, EMBEDDED_DEPTH_MAX } from './attachment.js';
import type { Folder, FolderTable } from './folder.js';
import type { Store } from './store.js';

export type ObjectKind = 'store' | 'names' | 'folder' | 'message' | 'attachment';
export type RowKind = FolderTable | 'recipient' | 'attachment';

export interface WalkedObject {
  readonly kind: ObjectKind;
  /** Of the node; of attachments and embedded messages, the subnode. */
  readonly nid: number;
  /** NID of the folder, or of the object it is in. */
  readonly parentNid: number;
  /** 0 for folders and their messages; 1 for attachments of those, 2 for a message in one. */
  readonly depth: number;
}

export interface Visitor {
  /** An object and its properties. Return false to skip what is in it, its long values included. */
  object?(object: WalkedObject, stream: PropertyStream): boolean | undefined;
  /** All of an object has been read. */
  end?(object: WalkedObject): void;
  /** A row of a table. */
  row?(kind: RowKind, tableNid: number, stream: PropertyStream): void;
  /** A leaf of a value that lies in a subnode: bytes `at` and on of `size`. */
  chunk?(tag: number, bytes: Uint8Array, at: number, size: number): void;
}

export interface WalkOptions {
  /** Rows of hierarchy, contents and FAI tables, and of attachment tables: copies of what the objects say. Default false. */
  readonly copies?: boolean;
  /** Only this folder and those below it. */
  readonly folder?: Folder;
}

const ATTACH_METHOD_TAG = 0x3705_0003;
const ATTACH_OBJECT_TAG = 0x3701_000d;
const FOLDER_TABLES: readonly FolderTable[] = ['hierarchy', 'contents', 'associated'];

export function walk(store: Store, visitor: Visitor, options: WalkOptions): void {
  const { ndb } = store;
  ndb.beginPass();
  try {
    new Walk(store, ndb, visitor, options.copies ?? false).all(options.folder);
  } finally {
    ndb.endPass();
  }
}

class Walk {
  /** NID of the node being read, for findings. */
  #where: Where = {};
  /** External values of the stream announced last: tag, NID. */
  readonly #externals: number[] = [];

  constructor(
    readonly store: Store,
    readonly ndb: Ndb,
    readonly visitor: Visitor,
    readonly copies: boolean,
  ) {}

  all(top: Folder | undefined): void {
    if (top !== undefined) {
      for (const folder of below(top)) this.#folder(folder);
      return;
    }
    this.#node('store', NID.MESSAGE_STORE);
    this.#node('names', NID.NAME_TO_ID_MAP);
    for (const folder of this.store.folders()) this.#folder(folder);
    for (const message of this.store.orphans()) this.#message(message.nid, message.bidData, message.bidSub, 0, 0);
  }

  /** Damage is a finding; but not that reading must stop, see `Ndb.beginPass`. */
  #attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      const { blocks } = this.ndb;
      if (!(error instanceof PstError) || blocks.loadedBytes > blocks.budget) throw error;
      this.store.report(error);
      return undefined;
    }
  }

  #node(kind: 'store' | 'names', nid: number): void {
    const { nbt } = this.ndb;
    const i = nbt.find(nid);
    if (i < 0) return;
    this.#where = { nid };
    this.#attempt(() => {
      const object = { kind, nid, parentNid: 0, depth: 0 };
      const subnodes = this.ndb.subnodes(nbt.bidSub(i), this.#where);
      this.#object(object, nbt.bidData(i), subnodes);
      this.visitor.end?.(object);
    });
  }

  #folder(folder: Folder): void {
    const { nbt } = this.ndb;
    const { nid } = folder;
    const object: WalkedObject = { kind: 'folder', nid, parentNid: folder.parentNid, depth: 0 };
    this.#where = { nid };
    let isWanted = true;
    this.#attempt(() => {
      isWanted = this.#object(object, folder.bidData, this.ndb.subnodes(folder.bidSub, this.#where));
    });
    if (!isWanted) return;
    if (this.copies) for (const which of FOLDER_TABLES) this.#folderRows(folder, which);
    if (!folder.isSearchFolder) {
      for (const which of ['contents', 'associated'] as const) {
        for (const i of folder.members(which)) this.#message(nbt.nid(i), nbt.bidData(i), nbt.bidSub(i), nid, 0);
      }
    }
    for (const message of folder.orphans()) this.#message(message.nid, message.bidData, message.bidSub, nid, 0);
    this.visitor.end?.(object);
  }

  #folderRows(folder: Folder, which: FolderTable): void {
    const table = folder.table(which);
    if (table === undefined) return;
    this.#where = table.where;
    this.#attempt(() => this.#rows(which, table.where.nid!, table.bidData, table.subnodes));
  }

  /** A message with all that is in it. Its damage is a finding; damage of a part leaves the other parts. */
  #message(nid: number, bidData: number, bidSub: number, parentNid: number, depth: number): void {
    if (depth === 0) this.#where = { nid };
    const { visitor } = this;
    const object: WalkedObject = { kind: 'message', nid, parentNid, depth };
    const subnodes = this.#attempt(() => this.ndb.subnodes(bidSub, this.#where));
    if (this.#attempt(() => this.#object(object, bidData, subnodes)) === false) return;
    if (subnodes !== undefined && subnodes.count > 0) {
      const recipients = subnodes.find(NID.RECIPIENT_TABLE);
      if (recipients >= 0) this.#table('recipient', subnodes, recipients);
      if (this.copies) {
        const attachments = subnodes.find(NID.ATTACHMENT_TABLE);
        if (attachments >= 0) this.#table('attachment', subnodes, attachments);
      }
      for (let i = 0; i < subnodes.count; i++) {
        if (nidType(subnodes.nid(i)) === NID_TYPE.ATTACHMENT) this.#attachment(subnodes, i, nid, depth + 1);
      }
    }
    visitor.end?.(object);
  }

  #table(kind: RowKind, subnodes: SubnodeIndex, i: number): void {
    this.#attempt(() => {
      const own = this.ndb.subnodes(subnodes.bidSub(i), this.#where);
      this.#rows(kind, subnodes.nid(i), subnodes.bidData(i), own);
    });
  }

  #attachment(within: SubnodeIndex, i: number, parentNid: number, depth: number): void {
    const object: WalkedObject = { kind: 'attachment', nid: within.nid(i), parentNid, depth };
    this.#attempt(() => {
      const subnodes = this.ndb.subnodes(within.bidSub(i), this.#where);
      this.#method = ATTACH_METHOD.NONE;
      this.#objectNid = 0;
      if (!this.#object(object, within.bidData(i), subnodes)) return;
      const method = this.#method;
      const objectNid = this.#objectNid;
      if (objectNid !== 0) {
        const at = subnodes.find(objectNid);
        if (at < 0) throw this.#missing(objectNid, ATTACH_OBJECT_TAG);
        if (method !== ATTACH_METHOD.EMBEDDED_MESSAGE) this.#leaves(ATTACH_OBJECT_TAG, subnodes.bidData(at));
        else this.#embedded(objectNid, subnodes.bidData(at), subnodes.bidSub(at), object);
      }
      this.visitor.end?.(object);
    });
  }

  #embedded(nid: number, bidData: number, bidSub: number, { nid: parentNid, depth }: WalkedObject): void {
    if (depth >= 2 * EMBEDDED_DEPTH_MAX) {
      throw new PstError('PST_LIMIT', `messages nested ${EMBEDDED_DEPTH_MAX} deep`, this.#where);
    }
    const key = `${bidData} ${bidSub}`;
    if (this.#path.has(key)) throw containsItself(this.#where);
    this.#path.add(key);
    this.#message(nid, bidData, bidSub, parentNid, depth + 1);
    this.#path.delete(key);
  }

  /** Embedded messages that are being read. */
  readonly #path = new Set<string>();

  /** Of the attachment announced last. */
  #method = 0;
  /** Subnode of its PidTagAttachDataObject, 0 when it has none. */
  #objectNid = 0;

  /** Announces an object and reads its long values. False when the visitor does not want what is in it. */
  #object(object: WalkedObject, bidData: number, subnodes: SubnodeIndex | undefined): boolean {
    const { core } = this.ndb;
    const ptr = loadPc(this.ndb, bidData, this.#where);
    const stream = new PropertyStream(core.u8.subarray(ptr, ptr + core.x.sizeOf(ptr)));
    this.#scan(stream, object.kind === 'attachment');
    let isWanted: boolean;
    try {
      isWanted = this.visitor.object?.(object, stream) !== false;
    } catch (error) {
      if (!(error instanceof CoreFault)) core.x.free(ptr);
      throw error;
    }
    core.x.free(ptr);
    if (isWanted) this.#long(subnodes);
    return isWanted;
  }

  /** Notes external values and, of an attachment, what its data are; reports damaged ones. */
  #scan(stream: PropertyStream, isAttachment: boolean): void {
    const { core } = this.ndb;
    this.#externals.length = 0;
    for (let k = 0; k < stream.count; k++) {
      const flags = stream.flags(k);
      if (flags & EXTERNAL) {
        if (isAttachment && stream.tag(k) === ATTACH_OBJECT_TAG) this.#objectNid = stream.place(k);
        else this.#externals.push(stream.tag(k), stream.place(k));
      } else if (flags & DAMAGED) {
        const field = tagName(stream.tag(k)) ?? hex(stream.tag(k));
        this.store.report(core.damageOf(stream.length(k), stream.place(k), 0, { ...this.#where, field }));
      } else if (isAttachment && stream.tag(k) === ATTACH_METHOD_TAG) this.#method = stream.place(k);
      else if (isAttachment && stream.tag(k) === ATTACH_OBJECT_TAG && stream.length(k) >= 4) {
        const { bytes } = stream;
        this.#objectNid = new DataView(bytes.buffer, bytes.byteOffset + stream.place(k), 4).getUint32(0, true);
      }
    }
  }

  #long(subnodes: SubnodeIndex | undefined): void {
    const externals = this.#externals;
    if (externals.length === 0 || subnodes === undefined) return;
    for (let k = 0; k < externals.length; k += 2) {
      const at = subnodes.find(externals[k + 1]!);
      if (at < 0) this.store.report(this.#missing(externals[k + 1]!, externals[k]!));
      else this.#attempt(() => this.#leaves(externals[k]!, subnodes.bidData(at)));
    }
    externals.length = 0;
  }

  #leaves(tag: number, bidData: number): void {
    const { ndb, visitor } = this;
    const size = ndb.treeSize(bidData, this.#where);
    let at = 0;
    ndb.eachLeaf(bidData, this.#where, (ptr, length) => {
      visitor.chunk?.(tag, ndb.core.u8.subarray(ptr, ptr + length), at, size);
      at += length;
    });
  }

  #missing(nid: number, tag: number): PstError {
    return new PstError('PST_MISSING', `the subnode ${hex(nid)} that holds the value is not there`, {
      ...this.#where,
      field: tagName(tag) ?? hex(tag),
    });
  }

  /** Rows of a table, a batch at a time. Reading a long cell could move the core's memory: such batches are copied. */
  #rows(kind: RowKind, nid: number, bidData: number, subnodes: SubnodeIndex): void {
    const { core } = this.ndb;
    const table = Table.open(this.ndb, bidData, subnodes, this.#where);
    try {
      if (table.badRows > 0) {
        const message = `${table.badRows} entries of the row index lead nowhere`;
        this.store.report(new PstError('PST_BAD_TC', message, { ...this.#where, section: '2.3.4.3' }));
      }
      table.batches((at, size, count) => {
        let bytes = core.u8.subarray(at, at + size);
        const hasLong = findLong(bytes, count);
        if (hasLong) bytes = bytes.slice();
        for (const stream of splitStreams(bytes, count)) {
          this.visitor.row?.(kind, nid, stream);
          if (!hasLong) continue;
          this.#scan(stream, false);
          this.#long(subnodes);
        }
      });
    } finally {
      table.close();
    }
  }
}

/** Whether any of `count` streams has a long or a damaged value: read off the records, most tables have none. */
function findLong(bytes: Uint8Array, count: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let k = 0, at = 0; k < count; k++) {
    const end = at + STREAM_HEADER + view.getUint32(at, true) * RECORD_SIZE;
    for (let record = at + STREAM_HEADER; record < end; record += RECORD_SIZE) {
      if (view.getUint32(record + 4, true) & (EXTERNAL | DAMAGED)) return true;
    }
    at += view.getUint32(at + 4, true);
  }
  return false;
}

/** A folder and all below it, parents first; each once: folders may name each other as their parents in a ring. */
function* below(top: Folder): IterableIterator<Folder> {
  const seen = new Set([top.nid]);
  const pending = [top];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    yield folder;
    for (const children of [folder.folders(), folder.orphanFolders()]) {
      for (const child of children) {
        if (seen.has(child.nid)) continue;
        seen.add(child.nid);
        pending.push(child);
      }
    }
  }
}
