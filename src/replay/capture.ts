/**
 * Captures the operation that fails: listens to a run and, when it ends in a stop or an error, gathers what the operation had read into
 * a bundle.
 * @module
 */
import { createHash } from 'node:crypto';
import { Core, type CoreBuild, coreHash } from '../core/core.js';
import { CoreFault, InjectedFault } from '../core/fault.js';
import { FULL, type PageHeapOptions } from '../core/options.js';
import { PstError } from '../errors.js';
import type { Source } from '../host/source.js';
import { readPc } from '../ltp/pc.js';
import { Store } from '../messaging/store.js';
import type { Recorder } from '../migrate/clone.js';
import { Ndb } from '../ndb/ndb.js';
import { NID, NID_TYPE, nidType, siblingNid } from '../wire/nid.js';
import { BUNDLE_FORMAT, BUNDLE_VERSION, type Bundle, type Outcome } from './bundle.js';
import { type BundleName, namesOf } from './names.js';
import { attempt } from './places.js';
import type { Range } from './sparse.js';

/** Against bundles as large as a mailbox: an operation that read more than this is captured without the rest. */
const CAPTURE_BYTES_MAX = 256 << 20;
/** HEADER, MS-PST 2.2.2.6: every operation needs it. */
const HEADER_BYTES = 564;
/** Folders above a folder; a cycle of parents ends here. */
const PATH_MAX = 64;

const PIDTAG_DISPLAY_NAME = 0x3001001f;

/** Settings of the run, as they go into the bundle. */
export interface CaptureSettings {
  readonly engine: string;
  readonly build: CoreBuild;
  readonly reencode: boolean;
  readonly pageheap: PageHeapOptions;
}

export class Capture implements Recorder {
  #phase: 'open' | 'node' | 'end' = 'open';
  #ndb: Ndb | undefined;
  #node = 0;
  #ordinal = 0;
  #allocations = 0;
  #reads: number[] = [];
  #lookups: number[] = [];

  constructor(readonly settings: CaptureSettings) {}

  onRead(ib: number, size: number): void {
    this.#reads.push(ib, size);
  }

  onLookup(index: number): void {
    if (index >= 0) this.#lookups.push(index);
  }

  opened(ndb: Ndb): void {
    this.#phase = 'open'; // again, when the run begins anew without an item
    this.#ndb = ndb;
    ndb.listen(this);
  }

  beginNode(i: number): void {
    this.#phase = 'node';
    this.#node = i;
    this.#ordinal = i + 1;
    this.#allocations = this.#ndb?.core.x.allocations() ?? 0;
    if (this.#reads.length > 0) this.#reads = [];
    if (this.#lookups.length > 0) this.#lookups = [];
  }

  endNodes(): void {
    this.#phase = 'end';
    this.#ndb?.listen(undefined);
  }

  /** The bundle of the operation that `error` ended; undefined when it is none that a replay could repeat (a full disk, say). */
  bundle(source: Source, error: unknown): Bundle | undefined {
    const outcome = outcomeOf(error);
    if (outcome.kind === 'none' || this.#phase === 'end') return undefined;
    const { settings } = this;
    const ndb = this.#phase === 'node' ? this.#ndb : undefined;
    const header = new Uint8Array(Math.min(HEADER_BYTES, source.size));
    source.read(header, 0);
    const tag = 'stop' in outcome ? outcome.stop.tag : 0;
    const { path, names } = ndb === undefined ? NOWHERE : placeOf(source, ndb.nbt.nid(this.#node), tag);
    return {
      format: BUNDLE_FORMAT,
      version: BUNDLE_VERSION,
      engine: settings.engine,
      core: { build: settings.build, hash: coreHash(settings.build) },
      pageheap: settings.pageheap,
      policy: { name: 'clone', reencode: settings.reencode },
      source: { name: source.name, size: source.size, fingerprint: createHash('sha256').update(header).digest('hex') },
      path,
      operation:
        ndb === undefined
          ? { kind: 'open', nid: 0, ordinal: 0, allocations: 0 }
          : { kind: 'node', nid: ndb.nbt.nid(this.#node), ordinal: this.#ordinal, allocations: this.#allocations },
      node: ndb === undefined ? null : nodeOf(ndb, this.#node),
      blocks: ndb === undefined ? [] : this.#blocks(ndb),
      ranges: readRanges(source, [0, HEADER_BYTES, ...this.#reads]),
      ...(names.length === 0 ? {} : { names }),
      outcome,
      changes: [],
    };
  }

  #blocks({ bbt }: Ndb): Bundle['blocks'] {
    const indices = [...new Set(this.#lookups)].sort((a, b) => a - b);
    return indices.map((i) => [bbt.bid(i), bbt.ib(i), bbt.cb(i), bbt.inflated(i), bbt.cRef(i)] as const);
  }
}

export function outcomeOf(error: unknown): Outcome {
  if (error instanceof CoreFault && error.stop !== undefined) {
    return { kind: 'stop', stop: error.stop, message: error.message };
  }
  if (error instanceof InjectedFault) return { kind: 'fault', stop: error.stop, message: error.message };
  if (error instanceof PstError) {
    return { kind: 'error', code: error.code, message: error.reason, where: error.where };
  }
  return { kind: 'none' };
}

function nodeOf({ nbt }: Ndb, i: number): NonNullable<Bundle['node']> {
  return { nid: nbt.nid(i), bidData: nbt.bidData(i), bidSub: nbt.bidSub(i), parent: nbt.parent(i) };
}

/** Reads the pieces `[ib, size, ib, size …]`, joined where they touch. */
function readRanges(source: Source, pieces: readonly number[]): Range[] {
  const sorted: [number, number][] = [];
  for (let k = 0; k < pieces.length; k += 2)
    sorted.push([pieces[k]!, Math.min(pieces[k]! + pieces[k + 1]!, source.size)]);
  sorted.sort((a, b) => a[0] - b[0]);
  const ranges: Range[] = [];
  let total = 0;
  let from = 0;
  let end = -1;
  const flush = (): void => {
    if (end <= from || total + end - from > CAPTURE_BYTES_MAX) return;
    const bytes = new Uint8Array(end - from);
    source.read(bytes, from);
    total += bytes.length;
    ranges.push({ ib: from, bytes });
  };
  for (const [ib, until] of sorted) {
    if (ib > end) {
      flush();
      from = ib;
      end = until;
    } else {
      end = Math.max(end, until);
    }
  }
  flush();
  return ranges;
}

interface NamedPlace {
  readonly path: Bundle['path'];
  readonly names: readonly BundleName[];
}
const NOWHERE: NamedPlace = { path: [], names: [] };

/**
 * Where `nid` is and what its named properties are called. Read with a core of its own, because the one that stopped is spent; what cannot be
 * read has no name.
 */
function placeOf(source: Source, nid: number, tag: number): NamedPlace {
  try {
    const ndb = Ndb.open(source, Core.load('raw', FULL));
    const store = new Store(ndb, () => {}, {});
    const i = ndb.nbt.find(nid);
    return { path: pathOf(store, nid), names: i < 0 ? [] : (attempt(() => namesOf(store, i, tag)) ?? []) };
  } catch {
    return { path: [{ nid, name: '' }], names: [] };
  }
}

/** Tables of a folder: their nodes have no parent, but the folder's index. MS-PST 2.4.4. */
const FOLDER_TABLES: readonly number[] = [
  NID_TYPE.HIERARCHY_TABLE,
  NID_TYPE.CONTENTS_TABLE,
  NID_TYPE.ASSOC_CONTENTS_TABLE,
  NID_TYPE.SEARCH_CONTENTS_TABLE,
];

/** The mailbox, the folders above `nid`, the root first, then the node itself. */
function pathOf(store: Store, nid: number): Bundle['path'] {
  const { ndb } = store;
  const { nbt } = ndb;
  const path: { nid: number; name: string }[] = [{ nid, name: '' }];
  const folder = [NID_TYPE.NORMAL_FOLDER, NID_TYPE.SEARCH_FOLDER].map((type) => siblingNid(nid, type));
  const own = nbt.find(nid);
  let at = FOLDER_TABLES.includes(nidType(nid))
    ? (folder.find((owner) => nbt.find(owner) >= 0) ?? 0)
    : own < 0
      ? 0
      : nbt.parent(own);
  while (path.length < PATH_MAX) {
    const i = at === path[0]!.nid || at === 0 ? -1 : nbt.find(at);
    if (i < 0) break;
    path.unshift({ nid: at, name: nameOf(ndb, i) });
    at = nbt.parent(i);
  }
  if (nid !== NID.MESSAGE_STORE && nbt.find(NID.MESSAGE_STORE) >= 0) {
    path.unshift({ nid: NID.MESSAGE_STORE, name: store.displayName });
  }
  return path;
}

function nameOf(ndb: Ndb, i: number): string {
  try {
    const stream = readPc(ndb, ndb.nbt.bidData(i), { nid: ndb.nbt.nid(i) });
    const k = stream.find(PIDTAG_DISPLAY_NAME);
    return k < 0 ? '' : new TextDecoder('utf-16le').decode(stream.value(k));
  } catch {
    return '';
  }
}
