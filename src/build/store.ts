/**
 * Builds a whole store from folders and messages: a Unicode PST (wVer 23) that Outlook opens and ScanPST has nothing to
 * say of. MS-PST 2.7; format.md 7; scanpst.md.
 *
 *     messages as they come ─▶ blocks in the file, rows in the core ─▶ tables when a folder closes
 *                                                                              │ finish()
 *     folders, children first ─▶ hierarchy map, name map, store ─▶ NBT, BBT, head
 *
 * Nothing is kept of a message but its row (and 30 bytes a block). A table under construction holds its rows in the
 * core: some 500 bytes a message until the folder closes.
 * @module
 */
import { Core } from '../core/core.js';
import { UsageError } from '../errors.js';
import type { Sink, Source } from '../host/source.js';
import { createTarget, type Target } from '../host/target.js';
import { makePstEntryId } from '../mapi/entryid.js';
import { GUID_SIZE } from '../mapi/guid.js';
import { readBack } from '../ndb/write/readback.js';
import { type StoreSummary, StoreWriter } from '../ndb/write/store-writer.js';
import { CRYPT } from '../wire/header.js';
import { makeNid, NID, NID_TYPE } from '../wire/nid.js';
import type { Context, Counts } from './context.js';
import { FolderBuilder, type Hierarchy, versionHistory } from './folder.js';
import { hierarchyMap } from './hierarchy-map.js';
import { Identity, randomKey } from './identity.js';
import { NamedProperties } from './named.js';
import { ObjectWriter } from './object.js';
import { entriesOf, type Properties, type Time, toFileTime } from './properties.js';
import { EmptyTables, TableBuilder } from './table.js';
import { TAG } from './tag.js';
import { EMPTY_TEMPLATES, RECEIVE_FOLDERS } from './template.js';

export interface StoreOptions {
  readonly displayName?: string;
  /** 16 bytes; random by default. Every other id follows from it: the same key and content give the same bytes. */
  readonly recordKey?: Uint8Array;
  readonly crypt?: 'permute' | 'none' | 'cyclic';
  /** Creation time of messages that have no date of their own. */
  readonly now?: Time;
  /** Further properties of the store object; they win, but for what finds the folders. */
  readonly properties?: Properties;
  /** Skips reading the whole store back through the verifier before it gets its name. */
  readonly trust?: boolean;
  readonly core?: Core;
}

export interface BuiltStore extends StoreSummary {
  readonly counts: Readonly<Counts>;
  readonly recordKey: Uint8Array;
}

/** Usual places, seen in 85 to 89 of 89 stores: the first folders a store gives out. format.md 7. */
const IPM_SUBTREE = makeNid(NID_TYPE.NORMAL_FOLDER, 0x401);
const SEARCH_ROOT = makeNid(NID_TYPE.NORMAL_FOLDER, 0x402);
const DELETED_ITEMS = makeNid(NID_TYPE.NORMAL_FOLDER, 0x403);
const COMMON_VIEWS = makeNid(NID_TYPE.NORMAL_FOLDER, 0x404);

/** PidTagValidFolderMask: IPM subtree, wastebasket, finder, common views. MS-OXCSTOR; scanpst.md 4. */
const VALID_FOLDERS = 0xc9;

/** Nodes that are there and hold nothing: queues of search folders, of which there are none. scanpst.md 4. */
const EMPTY_NODES: readonly number[] = [
  NID.SEARCH_MANAGEMENT_QUEUE,
  NID.SEARCH_ACTIVITY_LIST,
  NID.SEARCH_DOMAIN_OBJECT,
  0xe41,
  0xec1,
  0xf21,
];

export class StoreBuilder {
  readonly recordKey: Uint8Array;
  /** The folder above all: its children are not shown. */
  readonly root: FolderBuilder;
  /** The top of what a person sees. */
  readonly ipmSubtree: FolderBuilder;
  readonly deletedItems: FolderBuilder;
  readonly searchRoot: FolderBuilder;
  readonly commonViews: FolderBuilder;
  readonly #context: Context;
  readonly #hierarchy: Hierarchy;
  readonly #options: StoreOptions;

  constructor(core: Core, sink: Sink & Source, options: StoreOptions = {}) {
    this.recordKey = options.recordKey?.slice() ?? randomKey();
    if (this.recordKey.length !== GUID_SIZE) throw new UsageError('USAGE', 'a record key has 16 bytes');
    this.#options = options;
    const crypt = { none: CRYPT.NONE, permute: CRYPT.PERMUTE, cyclic: CRYPT.CYCLIC }[options.crypt ?? 'permute'];
    const writer = new StoreWriter(core, sink, { crypt });
    const identity = new Identity(this.recordKey);
    this.#context = {
      writer,
      empty: new EmptyTables(writer),
      identity,
      names: new NamedProperties(),
      now: toFileTime(options.now ?? new Date()),
      counts: { folders: 0, messages: 0, associated: 0, embedded: 0, attachments: 0, recipients: 0 },
    };
    this.#hierarchy = { replica: identity.next(), ids: [], changeNumber: 0x60 };
    this.root = new FolderBuilder(this.#context, this.#hierarchy, NID.ROOT_FOLDER, '', {}, undefined);
    const displayName = 'Top of Outlook data file';
    this.ipmSubtree = this.#folder(this.root, IPM_SUBTREE, displayName);
    this.searchRoot = this.#folder(this.root, SEARCH_ROOT, 'Search Root');
    this.deletedItems = this.#folder(this.ipmSubtree, DELETED_ITEMS, 'Deleted Items');
    this.commonViews = this.#folder(this.root, COMMON_VIEWS, 'IPM_COMMON_VIEWS');
  }

  /** A folder of known place: the first ones drawn have the NIDs above. */
  #folder(parent: FolderBuilder, nid: number, name: string): FolderBuilder {
    const folder = parent.folder(name);
    if (folder.nid !== nid) throw new Error(`folder "${name}" got 0x${folder.nid.toString(16)}`);
    return folder;
  }

  /** The property id of a named property: `set` a GUID as text, `name` its number or string. */
  named(set: string, name: number | string): number {
    return this.#context.names.get(set, name);
  }

  /** Completes the store. The builder is spent; the sink stays open. */
  finish(): BuiltStore {
    const { writer, counts } = this.#context;
    this.#templates();
    this.root.finish();
    this.#store();
    const names = new ObjectWriter(writer, { nid: NID.NAME_TO_ID_MAP });
    this.#context.names.write(writer.core, names);
    const map = names.finish();
    writer.addNode(NID.NAME_TO_ID_MAP, map.bidData, map.bidSub, 0);
    writer.addNode(NID.HIERARCHY_MAP, writer.addTreeBytes(hierarchyMap(this.#hierarchy.ids)), 0, 0);
    for (const nid of EMPTY_NODES) writer.addNode(nid, 0, 0, 0);
    return { ...writer.finish(), counts, recordKey: this.recordKey };
  }

  /** Gives the core's memory back without completing the store. */
  abandon(): void {
    this.#context.writer.abandon();
  }

  #templates(): void {
    const { writer, empty } = this.#context;
    for (const template of EMPTY_TEMPLATES) writer.addNode(template.nid, empty.get(template).bidData, 0, 0);
    // Where messages of any class go: one row with the empty class. scanpst.md 4.
    const receive = new TableBuilder(writer, empty, RECEIVE_FOLDERS, { nid: RECEIVE_FOLDERS.nid });
    receive.setText(TAG.MESSAGE_CLASS, '').setNumber(TAG.SEND_FOLDER_ID, NID.ROOT_FOLDER).add(1);
    const { bidData, bidSub } = receive.finish();
    writer.addNode(RECEIVE_FOLDERS.nid, bidData, bidSub, 0);
  }

  #store(): void {
    const { writer } = this.#context;
    const object = new ObjectWriter(writer, { nid: NID.MESSAGE_STORE });
    const { recordKey } = this;
    object
      .setBytes(TAG.REPL_VERSION_HISTORY, versionHistory(this.#hierarchy.replica))
      .setNumber(TAG.REPL_FLAGS, 0)
      .setBytes(TAG.RECORD_KEY, recordKey)
      .setText(TAG.DISPLAY_NAME, this.#options.displayName ?? 'Outlook data file')
      .setNumber(TAG.VALID_FOLDER_MASK, VALID_FOLDERS)
      .setBytes(TAG.IPM_SUBTREE_ENTRY_ID, makePstEntryId(recordKey, IPM_SUBTREE))
      .setBytes(TAG.IPM_WASTEBASKET_ENTRY_ID, makePstEntryId(recordKey, DELETED_ITEMS))
      .setBytes(TAG.COMMON_VIEWS_ENTRY_ID, makePstEntryId(recordKey, COMMON_VIEWS))
      .setBytes(TAG.FINDER_ENTRY_ID, makePstEntryId(recordKey, SEARCH_ROOT));
    for (const [tag, value] of entriesOf(this.#options.properties ?? {}))
      if (!object.hasId(tag)) object.set(tag, value);
    if (!object.hasId(TAG.PST_NO_RESTRICTIONS)) object.setNumber(TAG.PST_NO_RESTRICTIONS, 1);
    if (!object.hasId(TAG.PST_PASSWORD)) object.setNumber(TAG.PST_PASSWORD, 0); // 0: none
    const { bidData, bidSub } = object.finish();
    writer.addNode(NID.MESSAGE_STORE, bidData, bidSub, 0);
  }
}

/**
 * Builds a store at a path, or in a sink that can be read back. At a path it is written as PATH.partial, read back
 * through the verifier, and named only when it is whole; a file that is there is refused (TARGET_EXISTS). Returns when
 * `fill` has: a promise when `fill` gives one.
 */
export function buildStore(
  target: string | (Sink & Source),
  options: StoreOptions,
  fill: (b: StoreBuilder) => Promise<void>,
): Promise<BuiltStore>;
export function buildStore(
  target: string | (Sink & Source),
  options: StoreOptions,
  fill: (b: StoreBuilder) => void,
): BuiltStore;
export function buildStore(
  target: string | (Sink & Source),
  options: StoreOptions,
  fill: (b: StoreBuilder) => void | Promise<void>,
): BuiltStore | Promise<BuiltStore> {
  const core = options.core ?? Core.load();
  const file: Target | undefined = typeof target === 'string' ? createTarget(target) : undefined;
  const sink = file?.sink ?? (target as Sink & Source);
  let builder: StoreBuilder | undefined;
  const complete = (): BuiltStore => {
    const built = builder!.finish();
    if (options.trust !== true) readBack(sink, core);
    file?.commit();
    return built;
  };
  const abort = (error: unknown): never => {
    builder?.abandon();
    file?.abort();
    throw error;
  };
  try {
    builder = new StoreBuilder(core, sink, options);
    const filled = fill(builder);
    return filled instanceof Promise ? filled.then(complete).catch(abort) : complete();
  } catch (error) {
    return abort(error);
  }
}
