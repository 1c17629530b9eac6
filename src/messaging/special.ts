/**
 * Special folders: found by identifier, never by their names, which are in the language of who made the store.
 *
 *     store PC       35E0 … 35E7    MS-PST 2.4.3
 *     root, Inbox    36D0 … 36D9    MS-OXOSFLD 2.2.3 to 2.2.5
 *     node 0x62B     message class ─▶ folder: the Inbox is where IPM goes
 *     cached Exchange stores have fixed NIDs instead of the first group: seen in real stores (3 of 3)
 * @module
 */
import { PstError } from '../errors.js';
import { parseEntryId } from '../mapi/entryid.js';
import { parsePersistData } from '../mapi/persistdata.js';
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import type { Folder } from './folder.js';
import type { PropertyHolder } from './properties.js';
import type { Store } from './store.js';
import { TableView } from './tableview.js';

export type SpecialFolder =
  | 'ipmSubtree'
  | 'inbox'
  | 'outbox'
  | 'sentItems'
  | 'deletedItems'
  | 'drafts'
  | 'calendar'
  | 'contacts'
  | 'journal'
  | 'notes'
  | 'tasks'
  | 'reminders'
  | 'junkMail'
  | 'conflicts'
  | 'syncIssues'
  | 'localFailures'
  | 'serverFailures'
  | 'rssFeeds'
  | 'trackedMail'
  | 'toDoSearch'
  | 'conversationActions'
  | 'quickSteps'
  | 'suggestedContacts'
  | 'contactSearch'
  | 'imContactList'
  | 'imContacts'
  | 'views'
  | 'commonViews'
  | 'finder';

const OF_STORE: readonly (readonly [SpecialFolder, number])[] = [
  ['ipmSubtree', 0x35e0_0102],
  ['outbox', 0x35e2_0102],
  ['deletedItems', 0x35e3_0102],
  ['sentItems', 0x35e4_0102],
  ['views', 0x35e5_0102],
  ['commonViews', 0x35e6_0102],
  ['finder', 0x35e7_0102],
];
const OF_ROOT: readonly (readonly [SpecialFolder, number])[] = [
  ['calendar', 0x36d0_0102],
  ['contacts', 0x36d1_0102],
  ['journal', 0x36d2_0102],
  ['notes', 0x36d3_0102],
  ['tasks', 0x36d4_0102],
  ['reminders', 0x36d5_0102],
  ['drafts', 0x36d7_0102],
];
/** Items of PidTagAdditionalRenEntryIds. MS-OXOSFLD 2.2.4. */
const ADDITIONAL = 0x36d8_1102;
const OF_ADDITIONAL: readonly SpecialFolder[] = [
  'conflicts',
  'syncIssues',
  'localFailures',
  'serverFailures',
  'junkMail',
];
/** Blocks of PidTagAdditionalRenEntryIdsEx, by PersistID. MS-OXOSFLD 2.2.5.1. */
const ADDITIONAL_EX = 0x36d9_0102;
const OF_ADDITIONAL_EX: ReadonlyMap<number, SpecialFolder> = new Map([
  [0x8001, 'rssFeeds'],
  [0x8002, 'trackedMail'],
  [0x8004, 'toDoSearch'],
  [0x8006, 'conversationActions'],
  [0x8007, 'quickSteps'],
  [0x8008, 'suggestedContacts'],
  [0x8009, 'contactSearch'],
  [0x800a, 'imContactList'],
  [0x800b, 'imContacts'],
]);
const OF_CACHED_STORE: readonly (readonly [SpecialFolder, number])[] = [
  ['commonViews', 0x20c2],
  ['finder', 0x20e2],
  ['views', 0x2122],
  ['ipmSubtree', 0x2142],
  ['deletedItems', 0x2162],
  ['inbox', 0x2182],
  ['outbox', 0x21a2],
  ['sentItems', 0x21c2],
];
/** The top of the mailbox in a cached Exchange store; an ordinary store has no such node. */
const CACHED_ROOT = 0x20a2;

const RECEIVE_FOLDER = 0x6605_0003; // of the receive-folder table; in no specification
const MAIL_CLASS = 'ipm';

export class SpecialFolders {
  readonly #found = new Map<SpecialFolder, Folder>();

  constructor(store: Store) {
    const add = (kind: SpecialFolder, nid: number | undefined): void => {
      const folder = nid === undefined || this.#found.has(kind) ? undefined : store.findFolder(nid);
      if (folder !== undefined) this.#found.set(kind, folder);
    };
    const addAll = (holder: PropertyHolder | undefined, list: readonly (readonly [SpecialFolder, number])[]): void => {
      for (const [kind, tag] of list) add(kind, holder && store.attempt(() => nidOf(holder.binary(tag))));
    };
    addAll(store.findNode(NID.MESSAGE_STORE), OF_STORE);
    if (!this.#found.has('ipmSubtree') && store.ndb.nbt.find(CACHED_ROOT) >= 0) {
      for (const [kind, nid] of OF_CACHED_STORE) add(kind, nid);
    }
    add(
      'inbox',
      store.attempt(() => receiveFolder(store)),
    );
    const root = store.findFolder(NID.ROOT_FOLDER);
    for (const holder of [root, this.#found.get('inbox')]) {
      addAll(holder, OF_ROOT);
      if (holder === undefined) continue;
      const more = store.attempt(() => holder.get(ADDITIONAL));
      if (Array.isArray(more)) {
        OF_ADDITIONAL.forEach((kind, k) => {
          const item = more[k];
          if (item instanceof Uint8Array) add(kind, nidOf(item));
        });
      }
      const blocks = store.attempt(() => holder.binary(ADDITIONAL_EX));
      if (blocks === undefined) continue;
      const { entryIds, damage } = parsePersistData(blocks);
      for (const [id, entryId] of entryIds) {
        const kind = OF_ADDITIONAL_EX.get(id);
        if (kind !== undefined) add(kind, nidOf(entryId));
      }
      if (damage !== undefined) {
        const field = 'PidTagAdditionalRenEntryIdsEx';
        store.report(new PstError('PST_BAD_VALUE', damage, { nid: holder.nid, field }));
      }
    }
  }

  find(kind: SpecialFolder): Folder | undefined {
    return this.#found.get(kind);
  }
  [Symbol.iterator](): IterableIterator<[SpecialFolder, Folder]> {
    return this.#found.entries();
  }
  /** What a folder is special as. */
  kindOf(nid: number): SpecialFolder | undefined {
    for (const [kind, folder] of this.#found) if (folder.nid === nid) return kind;
    return undefined;
  }
}

function nidOf(entryId: Uint8Array | undefined): number | undefined {
  if (entryId === undefined || entryId.length === 0) return undefined;
  const parsed = parseEntryId(entryId);
  return parsed.kind === 'pst' ? parsed.nid : undefined;
}

/** The folder that takes messages of class IPM. */
function receiveFolder(store: Store): number | undefined {
  const { nbt } = store.ndb;
  const i = nbt.find(NID.RECEIVE_FOLDER_TABLE_TEMPLATE);
  if (i < 0) return undefined;
  const table = new TableView(store, nbt.bidData(i), nbt.bidSub(i), { nid: NID.RECEIVE_FOLDER_TABLE_TEMPLATE });
  let found: number | undefined;
  for (const row of table.rows()) {
    const nid = row.integer(RECEIVE_FOLDER);
    const messageClass = row.text('PidTagMessageClass')?.toLowerCase() ?? '';
    if (nid === undefined || nidType(nid) !== NID_TYPE.NORMAL_FOLDER || nid === NID.ROOT_FOLDER) continue;
    if (messageClass === MAIL_CLASS) return nid;
    if (messageClass === '' || messageClass === 'ipm.note') found ??= nid;
  }
  return found;
}
