/**
 * A store, open for reading: where everything above the file format begins. MS-PST 2.4.3.
 * @module
 */
import { Core, type CoreBuild } from '../core/core.js';
import { CoreFault } from '../core/fault.js';
import type { PageHeapOptions } from '../core/options.js';
import { hex, PstError, UsageError, type Where } from '../errors.js';
import { openSource } from '../host/file.js';
import type { Source } from '../host/source.js';
import { readPc } from '../ltp/pc.js';
import type { PropertyStream } from '../ltp/stream.js';
import { DEFAULT_CODE_PAGE, isKnownCodePage } from '../mapi/codepage.js';
import { guidText } from '../mapi/guid.js';
import { Ndb } from '../ndb/ndb.js';
import { CLIENT } from '../wire/header.js';
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import { VARIANT_NAMES } from '../wire/variant.js';
import { Children, isFolder, isMessage } from './children.js';
import { Folder } from './folder.js';
import { Message } from './message.js';
import { NAME_STREAMS, NameMap } from './names.js';
import { NodeHolder } from './properties.js';
import { Sequence } from './sequence.js';
import { type SpecialFolder, SpecialFolders } from './special.js';
import { type Visitor, type WalkOptions, walk } from './walk.js';

export interface StoreOptions {
  /**
   * `strict` stops at the first fault of header and B-trees. `normal` stops at those after which something could be
   * missing. `salvage`, the default, reads what can be read; what was wrong is among the findings.
   */
  readonly strictness?: 'strict' | 'normal' | 'salvage';
  /** Code page of 8-bit strings where the store does not say; else it is told from its messages. */
  readonly codePage?: number;
  /** Build of the core; the one that `pageheap` needs unless said otherwise. */
  readonly build?: CoreBuild;
  /** Settings of the page heap, by `parsePageHeap`; else `Core.settings`: full. */
  readonly pageheap?: PageHeapOptions;
}

/** Findings kept; a hostile file could make one a node. */
const FINDINGS_MAX = 10_000;
/** Messages asked for the code page of a store that does not say. */
const CODE_PAGE_SAMPLE = 32;

/** A node with a property context that is neither folder nor message. */
export class StoreNode extends NodeHolder {}

/**
 * Opens a store of any kind: PST or OST, ANSI, Unicode or Unicode 4K. A path is opened, and closed by `close`; a Source
 * stays its owner's to close. Throws UsageError (no such file), PST_NOT_A_STORE, PST_UNSUPPORTED, and, unless in salvage,
 * what is wrong with header and B-trees.
 */
export function openStore(from: string | Source, options: StoreOptions = {}): Store {
  const source = typeof from === 'string' ? openSource(from) : from;
  const close = (): void => {
    if (typeof from === 'string') source.close();
  };
  try {
    return new Store(openNdb(source, options), close, options);
  } catch (error) {
    close();
    throw error;
  }
}

function openNdb(source: Source, { strictness = 'salvage', build, pageheap }: StoreOptions): Ndb {
  try {
    return Ndb.open(source, Core.load(build, pageheap), { strict: strictness === 'strict' });
  } catch (error) {
    const isHopeless =
      !(error instanceof PstError) || error.code === 'PST_NOT_A_STORE' || error.code === 'PST_UNSUPPORTED';
    if (strictness !== 'salvage' || isHopeless) throw error;
    // A core of its own: the failed attempt has left its blocks in the other.
    return Ndb.open(source, Core.load(build, pageheap), { damage: () => {} });
  }
}

export class Store {
  /** What was found wrong so far, by reading what was asked for; reading everything finds everything. */
  readonly findings: PstError[];
  readonly #said = new Set<string>();
  readonly #ndb: Ndb;
  readonly #closeSource: () => void;
  readonly #options: StoreOptions;
  #isClosed = false;
  #node: StoreNode | undefined;
  #names: NameMap | undefined;
  #children: Children | undefined;
  #special: SpecialFolders | undefined;
  #codePage: number | undefined;

  /** See {@link openStore}. */
  constructor(ndb: Ndb, closeSource: () => void, options: StoreOptions) {
    this.#ndb = ndb;
    this.#closeSource = closeSource;
    this.#options = options;
    this.findings = [...ndb.findings];
  }

  /** The node database below. */
  get ndb(): Ndb {
    if (this.#isClosed) throw new UsageError('USAGE', 'the store is closed');
    return this.#ndb;
  }
  get core(): Core {
    return this.ndb.core;
  }
  /** `ANSI`, `Unicode`, `Unicode 4K`. */
  get variant(): (typeof VARIANT_NAMES)[number] {
    return VARIANT_NAMES[this.ndb.variant];
  }
  /** A cached Exchange store, not a PST. */
  get isOst(): boolean {
    return this.ndb.header.wMagicClient === CLIENT.OST;
  }

  /** The store's own properties. */
  get properties(): StoreNode {
    return (this.#node ??= this.#getNode(NID.MESSAGE_STORE));
  }
  get displayName(): string {
    return this.attempt(() => this.properties.text('PidTagDisplayName')) ?? '';
  }
  /** PidTagRecordKey, 16 bytes: what entry ids of this store begin with. */
  get recordKey(): Uint8Array | undefined {
    return this.attempt(() => this.properties.binary('PidTagRecordKey'));
  }
  /** The record key as a GUID. */
  get id(): string | undefined {
    const key = this.recordKey;
    return key?.length === 16 ? guidText(key) : undefined;
  }

  /** Code page of 8-bit strings of whatever does not name one itself. */
  get codePage(): number {
    return (this.#codePage ??= this.#options.codePage ?? this.#guessCodePage());
  }

  /** Folder names of ANSI stores say nothing of their code page; what most messages say will hold for them. */
  #guessCodePage(): number {
    const { nbt } = this.ndb;
    const votes = new Map<number, number>();
    let asked = 0;
    for (let i = 0; i < nbt.count && asked < CODE_PAGE_SAMPLE; i++) {
      if (nidType(nbt.nid(i)) !== NID_TYPE.NORMAL_MESSAGE) continue;
      asked++;
      const message = new Voter(this, nbt.nid(i), nbt.bidData(i), nbt.bidSub(i));
      const codePage = this.attempt(() => message.vote());
      if (codePage === undefined || !isKnownCodePage(codePage)) continue;
      votes.set(codePage, (votes.get(codePage) ?? 0) + 1);
    }
    const [winner] = [...votes].sort((a, b) => b[1] - a[1]);
    return winner?.[0] ?? DEFAULT_CODE_PAGE;
  }

  /** Names of the properties from 0x8000 up. Empty, and a finding, when the map cannot be read. */
  get names(): NameMap {
    return (this.#names ??= this.attempt(() => this.#readNames()) ?? new NameMap([]));
  }

  #readNames(): NameMap {
    const node = this.findNode(NID.NAME_TO_ID_MAP);
    if (node === undefined) throw new PstError('PST_MISSING', 'the store has no named-property map', MAP_PLACE);
    const stream = (tag: number): Uint8Array => {
      const bytes = this.attempt(() => {
        if (node.has(tag)) return node.binary(tag);
        throw new PstError('PST_MISSING', `the named-property map has no stream ${hex(tag >>> 16)}`, MAP_PLACE);
      });
      return bytes ?? new Uint8Array(0);
    };
    const streams = {
      entries: stream(NAME_STREAMS.entries),
      guids: stream(NAME_STREAMS.guids),
      strings: stream(NAME_STREAMS.strings),
    };
    return NameMap.read(streams, (finding) => this.report(finding), MAP_PLACE);
  }

  /** The folder of which every other is a part. Throws PST_MISSING. */
  get rootFolder(): Folder {
    const folder = this.findFolder(NID.ROOT_FOLDER);
    if (folder === undefined) {
      throw new PstError('PST_MISSING', 'the store has no root folder', { nid: NID.ROOT_FOLDER, section: '2.7.1' });
    }
    return folder;
  }
  /** The top of what a person sees. */
  get ipmSubtree(): Folder | undefined {
    return this.specialFolder('ipmSubtree');
  }
  specialFolder(kind: SpecialFolder): Folder | undefined {
    return this.specialFolders.find(kind);
  }
  get specialFolders(): SpecialFolders {
    return (this.#special ??= new SpecialFolders(this));
  }

  /** The folder with that NID, if there is one. */
  findFolder(nid: number): Folder | undefined {
    const i = isFolder(nid) ? this.ndb.nbt.find(nid) : -1;
    return i < 0 ? undefined : new Folder(this, i);
  }
  /** Throws UsageError when there is no such folder. */
  getFolder(nid: number): Folder {
    return this.findFolder(nid) ?? missing('folder', nid);
  }
  findMessage(nid: number): Message | undefined {
    const { nbt } = this.ndb;
    const i = isMessage(nid) ? nbt.find(nid) : -1;
    if (i < 0) return undefined;
    return new Message(this, nid, nbt.bidData(i), nbt.bidSub(i), { folder: this.findFolder(nbt.parent(i)) });
  }
  /** Throws UsageError when there is no such message. */
  getMessage(nid: number): Message {
    return this.findMessage(nid) ?? missing('message', nid);
  }
  /** Any node, as a holder of properties; whether it has a property context shows when it is read. */
  findNode(nid: number): StoreNode | undefined {
    const { nbt } = this.ndb;
    const i = nbt.find(nid);
    return i < 0 ? undefined : new StoreNode(this, nid, nbt.bidData(i), nbt.bidSub(i));
  }
  #getNode(nid: number): StoreNode {
    const i = this.ndb.getNode(nid);
    return new StoreNode(this, nid, this.ndb.nbt.bidData(i), this.ndb.nbt.bidSub(i));
  }

  /** Every folder that can be reached from the root, parents first: orphans too, and folders whose parent is none. */
  folders(): Sequence<Folder> {
    return new Sequence(() => this.#folders());
  }

  *#folders(): IterableIterator<Folder> {
    const { nbt } = this.ndb;
    const seen = new Set<number>();
    const pending: Folder[] = [];
    const root = this.findFolder(NID.ROOT_FOLDER);
    if (root !== undefined) pending.push(root);
    for (let next = 0; ; ) {
      for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
        seen.add(folder.nid);
        yield folder;
        if (folder.isSearchFolder && !this.children.has(folder.nid)) continue;
        const within = [...folder.folders(), ...folder.orphanFolders()];
        for (const child of within.reverse()) if (!seen.has(child.nid)) pending.push(child);
      }
      // Folders that no path from the root leads to, the topmost first.
      while (next < nbt.count && (!isFolder(nbt.nid(next)) || seen.has(nbt.nid(next)))) next++;
      if (next === nbt.count) return;
      const top = this.#topmost(nbt.nid(next), seen);
      this.report(
        new PstError('PST_MISSING', 'no path leads from the root to the folder', { nid: top, section: '2.4.4' }),
      );
      pending.push(this.getFolder(top));
    }
  }

  /** Upwards from a folder, as far as there are parents not seen before. */
  #topmost(nid: number, seen: ReadonlySet<number>): number {
    const { nbt } = this.ndb;
    const path = new Set<number>(); // parents may name each other
    for (;;) {
      path.add(nid);
      const parent = nbt.parent(nbt.find(nid));
      if (!isFolder(parent) || nbt.find(parent) < 0 || seen.has(parent) || path.has(parent)) return nid;
      nid = parent;
    }
  }

  /** Messages whose parent is no folder of this store. Each is a finding. */
  orphans(): Sequence<Message> {
    return new Sequence(() => this.#orphans());
  }

  *#orphans(): IterableIterator<Message> {
    const { nbt } = this.ndb;
    for (const parent of this.children.parents()) {
      if (isFolder(parent) && nbt.find(parent) >= 0) continue;
      for (const i of this.children.of(parent)) {
        if (!isMessage(nbt.nid(i))) continue;
        const place = { nid: nbt.nid(i), field: 'NBTENTRY.nidParent', section: '2.2.2.7.7.4' };
        this.report(new PstError('PST_MISSING', 'the message is in no folder', place));
        yield new Message(this, nbt.nid(i), nbt.bidData(i), nbt.bidSub(i));
      }
    }
  }

  /** Reads everything, fast: see walk.ts. */
  walk(visitor: Visitor, options: WalkOptions = {}): void {
    walk(this, visitor, options);
  }

  /** Folder and message nodes by parent. */
  get children(): Children {
    return (this.#children ??= new Children(this.ndb.nbt));
  }

  /** A property context as a stream of its own. */
  readPc(bidData: number, where: Where): PropertyStream {
    return readPc(this.ndb, bidData, where);
  }

  /** No more findings are kept. */
  get isFull(): boolean {
    return this.findings.length >= FINDINGS_MAX;
  }

  /** Notes what is wrong with the file; the same is noted once. */
  report(finding: PstError): void {
    if (this.isFull || this.#said.has(finding.message)) return;
    this.#said.add(finding.message);
    this.findings.push(finding);
    if (this.findings.length < FINDINGS_MAX) return;
    const rest = new PstError('PST_LIMIT', `${FINDINGS_MAX} findings; what else is wrong is not listed`, finding.where);
    this.findings.push(rest);
  }

  /** Runs `read`; damage it meets becomes a finding and gives undefined. Anything else passes. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof PstError) || error instanceof CoreFault) throw error;
      this.report(error);
      return undefined;
    }
  }

  /** Gives the core's memory back, and the file when it was opened here. Nothing of the store can be read after it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ndb.close();
    this.#closeSource();
  }
}

const MAP_PLACE: Where = { nid: NID.NAME_TO_ID_MAP, section: '2.4.7' };

/** A message asked for its code page only. */
class Voter extends NodeHolder {
  vote(): number | undefined {
    return this.findCodePage();
  }
}

function missing(what: string, nid: number): never {
  throw new UsageError('NOT_FOUND', `the store has no ${what} 0x${nid.toString(16)}`);
}
