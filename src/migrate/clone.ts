/**
 * Clone: every node of a Unicode store arrives in a new Unicode PST under its own NID, with every property, row, subnode and
 * attachment; nothing is renumbered. ARCHITECTURE.md, life of a clone.
 * @module
 */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { Core, type CoreBuild } from '../core/core.js';
import { PAGE } from '../core/heapmap.js';
import type { PageHeapOptions } from '../core/options.js';
import { hex, type PstError, UsageError } from '../errors.js';
import { sha256 } from '../host/digest.js';
import { openSource } from '../host/file.js';
import type { Sink, Source } from '../host/source.js';
import { createTarget } from '../host/target.js';
import type { NodeIndex } from '../ndb/nbt.js';
import { type Listener, Ndb } from '../ndb/ndb.js';
import { readBack } from '../ndb/write/readback.js';
import { type StoreSummary, StoreWriter } from '../ndb/write/store-writer.js';
import { BID_STEP, bidKey } from '../wire/btree.js';
import { CLIENT } from '../wire/header.js';
import { NID_TYPE, nidType, siblingNid } from '../wire/nid.js';
import { UNICODE, VARIANT_NAMES } from '../wire/variant.js';
import { faultOfContents } from './contents.js';
import { type Counters, NodeDigester } from './digest.js';
import { EssentialError, isItem, isOfNode, NodeFailure, type Omitted } from './omission.js';
import { NodeCopier } from './operation.js';
import type { Plan } from './plan.js';
import { cloneWithout, type Leaving, NOTHING_LEFT } from './skip.js';
import { type Count, noCount } from './tally.js';

/** What the run is doing; `done` of `total` nodes or blocks. */
export type Progress = (phase: 'copy' | 'read back' | 'prove', done: number, total: number) => void;

/** Follows the run, so that the operation that fails can be captured: src/replay/capture.ts. */
export interface Recorder extends Listener {
  /** The trees are read; what follows are nodes. */
  opened(ndb: Ndb): void;
  /** The next operation is node `i` of the NBT. */
  beginNode(i: number): void;
  /** All nodes are copied; what follows is writing and reading back. */
  endNodes(): void;
}

/** When an item fails: end the run (the default), or go on without it. */
export type OnError = 'stop' | 'skip';

export interface CloneOptions {
  /** Decode and encode every property context and table instead of keeping their blocks. */
  readonly reencode?: boolean;
  readonly core?: CoreBuild;
  readonly progress?: Progress;
  readonly recorder?: Recorder;
  /** Of cloneFile; what is left out is in the report. */
  readonly onError?: OnError;
  /** Called with what the first item left out has thrown, while the recorder still has it. Returns the path of a replay bundle. */
  readonly onFailure?: (error: unknown) => string | undefined;
  /** Called by cloneFile when the target is whole and has not got its name yet. What it throws undoes the target. */
  readonly beforeCommit?: (report: CloneReport, partialPath: string) => void;
}

/** A folder's items: what its tables list, and the nodes that arrived. */
export interface FolderCount {
  readonly nid: number;
  readonly expected: number;
  readonly copied: number;
  readonly expectedAssociated: number;
  readonly copiedAssociated: number;
}

/** What a clone did. */
export interface CloneReport {
  readonly source: { readonly name: string; readonly size: number; readonly crypt: number; readonly dwUnique: number };
  readonly target: { readonly name: string; readonly size: number };
  readonly reencoded: boolean;
  readonly verifier: CoreBuild;
  /** Settings of the page heap it ran under. */
  readonly pageheap: PageHeapOptions;
  /** What was read in the source, items left out not counted, and what was read back in the target. */
  readonly counters: Counters;
  readonly targetCounters: Counters;
  readonly classes: ReadonlyMap<string, number>;
  readonly folders: readonly FolderCount[];
  readonly blocks: { readonly kept: number; readonly written: number; readonly dropped: number };
  /** NIDs in order, and the 32-byte digest of each, one after the other. */
  readonly nids: Uint32Array;
  readonly digests: Uint8Array;
  /** SHA-256 over all digests: equal for stores that hold the same. */
  readonly contentDigest: Uint8Array;
  readonly findings: readonly PstError[];
  /** Items left out because they failed, by NID. */
  readonly omitted: readonly Omitted[];
  /** Contents tables that failed and were made anew from their messages. */
  readonly rebuilt: readonly Omitted[];
  /** NIDs of nodes that went with them because they only list them: the message index 0xE01. */
  readonly indexes: readonly number[];
  /** What was left out with them, and what was written anew for it in a clone that keeps blocks. */
  readonly failed: Count;
  readonly amended: Count;
  /** Highest memory of the core, bytes. */
  readonly peakCore: number;
  readonly layout: StoreSummary;
}

/** Findings kept; a hostile store could make one per property. */
const FINDINGS_MAX = 10_000;

/** Refuses what clone does not do, with the policy that will. */
function requireUnicode(ndb: Ndb): void {
  if (ndb.variant === UNICODE) return;
  throw new UsageError(
    'REFUSED',
    `${ndb.source.name} is ${VARIANT_NAMES[ndb.variant]}: its blocks cannot be kept as they are. ` +
      'Converting it to a Unicode PST is what the policy "rekey" will do; clone refuses so that nothing is changed on the way.',
  );
}

/**
 * Clones an open source into a sink, without what `leaving` says. The sink holds a whole, verified store when this returns. Throws PstError,
 * UsageError; with `onError` "skip" NodeFailure and EssentialError for what cloneFile then leaves out, or cannot.
 */
export function cloneStore(
  source: Source,
  sink: Sink & Source,
  options: CloneOptions = {},
  leaving: Leaving = NOTHING_LEFT,
): CloneReport {
  const core = Core.load(options.core);
  const { recorder } = options;
  const ndb = Ndb.open(source, core, recorder === undefined ? {} : { onRead: (ib, size) => recorder.onRead(ib, size) });
  recorder?.opened(ndb);
  requireUnicode(ndb);
  ndb.beginPass();
  const findings: PstError[] = [...ndb.findings];
  const report = (finding: PstError): void => {
    if (findings.length < FINDINGS_MAX) findings.push(finding);
  };
  const { header, nbt } = ndb;
  const writer = new StoreWriter(core, sink, {
    crypt: header.crypt,
    magicClient: header.wMagicClient === CLIENT.OST ? 'SO' : 'SM',
    verClient: header.wVerClient,
    bidNextB: nextBid(ndb),
    bidNextP: header.bidNextP,
    dwUnique: header.dwUnique,
    rgnid: header.rgnid,
    dwReserved1: header.dwReserved1,
    dwReserved2: header.dwReserved2,
  });
  const copier = new NodeCopier(ndb, writer, options.reencode === true, report);
  const { plan } = leaving;
  const arriving = Array.from({ length: nbt.count }, (_, i) => i).filter((i) => !plan.without.has(nbt.nid(i)));
  const nids = Uint32Array.from(arriving, (i) => nbt.nid(i));
  const digests = new Uint8Array(arriving.length * 32);
  arriving.forEach((i, k) => {
    if ((i & 63) === 0) options.progress?.('copy', i, nbt.count);
    if (plan.amended.has(nids[k]!) || plan.rebuilt.has(nids[k]!)) return;
    recorder?.beginNode(i);
    const before = core.x.allocations();
    try {
      digests.set(copier.node(i), k * 32);
    } catch (error) {
      if (options.onError !== 'skip' || !isOfNode(error)) throw error;
      throw new NodeFailure({ i, nid: nids[k]!, error, before });
    }
  });
  recorder?.endNodes();
  arriving.forEach((i, k) => {
    const amendment = plan.amended.get(nids[k]!);
    try {
      if (plan.rebuilt.has(nids[k]!)) copier.rebuild(i, plan);
      else if (amendment !== undefined) digests.set(copier.amend(i, amendment), k * 32);
    } catch (error) {
      if (!isOfNode(error)) throw error;
      if (isItem(nids[k]!)) throw new NodeFailure({ i, nid: nids[k]!, error, before: 0 });
      throw new EssentialError(
        nids[k]!,
        error,
        'it lists or counts items that are left out, and could not be written anew',
      );
    }
  });
  options.progress?.('copy', nbt.count, nbt.count);
  copier.close();
  ndb.endPass();
  ndb.close();
  const { digester, kept } = copier;
  const layout = writer.finish();

  // A second instance, so that nothing the first one remembers can make a fault look right.
  options.progress?.('read back', 0, 1);
  const reader = Core.load(options.core);
  const targetCounters =
    options.reencode === true
      ? proveDigests(sink, reader, nids, digests, copier, leaving, options.progress)
      : proveKept(sink, reader, arriving, digests, copier, leaving);
  const all = sha256();
  all.update(digests);

  return {
    source: { name: source.name, size: source.size, crypt: header.crypt, dwUnique: header.dwUnique },
    target: { name: sink.name, size: sink.size },
    reencoded: options.reencode === true,
    verifier: core.build,
    pageheap: core.pageheap,
    counters: digester.counters,
    targetCounters,
    classes: digester.classes,
    folders: countFolders(ndb, digester, leaving),
    blocks: { kept, written: layout.blocks - kept, dropped: copier.orphans },
    nids,
    digests,
    contentDigest: all.digest(),
    findings,
    omitted: leaving.omitted,
    rebuilt: leaving.rebuilt,
    indexes: leaving.indexes,
    failed: leaving.failed,
    amended: options.reencode === true ? noCount() : countAmended(leaving),
    peakCore: Math.max(core.x.pagesPeak(), reader.x.pagesPeak()) * PAGE,
    layout,
  };
}

/** First BID no block has: the header's counter, unless a block of the store is above it. */
function nextBid({ header, bbt }: Ndb): number {
  const last = bbt.count === 0 ? 0 : bbt.bid(bbt.count - 1);
  return Math.max(Math.ceil(header.bidNextB / BID_STEP), Math.floor(last / BID_STEP) + 1) * BID_STEP;
}

/**
 * Reads back a target that kept every block. Its nodes name the blocks they name in the source, and every block, those of the trees
 * included, has the length and the CRC it had there: so the target holds, and would count, what the source does. Nodes that were amended
 * are digested.
 */
function proveKept(
  sink: Sink & Source,
  reader: Core,
  arriving: readonly number[],
  digests: Uint8Array,
  copier: NodeCopier,
  { plan }: Leaving,
): Counters {
  const { nbt: nodes } = copier.source;
  const isWrittenAnew = (nid: number): boolean => plan.amended.has(nid) || plan.rebuilt.has(nid);
  readBack(sink, reader, {
    block: (bid, cb, dwCRC) => copier.requireKept(bid, cb, dwCRC),
    nodes(nbt) {
      requireCount(arriving.length, nbt);
      arriving.forEach((i, k) => {
        const isSame =
          nbt.nid(k) === nodes.nid(i) &&
          nbt.parent(k) === nodes.parent(i) &&
          (isWrittenAnew(nodes.nid(i)) ||
            (nbt.bidData(k) === bidKey(nodes.bidData(i)) && nbt.bidSub(k) === bidKey(nodes.bidSub(i))));
        if (!isSame) throw notAsItWas(nodes.nid(i));
      });
    },
  });
  if (plan.amended.size + plan.rebuilt.size > 0) {
    const target = Ndb.open(sink, reader);
    const digester = new NodeDigester(target, () => {});
    for (let k = 0; k < arriving.length; k++) {
      if (plan.amended.has(target.nbt.nid(k))) requireDigest(digester, k, digests);
    }
    proveRebuilt(target, digests, copier.digester, plan);
    target.close();
  }
  return { ...copier.digester.counters };
}

/** Reads the target back, then digests every node of it and compares: what was meant to arrive is what can be read there. */
function proveDigests(
  sink: Sink & Source,
  reader: Core,
  nids: Uint32Array,
  digests: Uint8Array,
  { digester: source }: NodeCopier,
  { plan }: Leaving,
  progress: Progress | undefined,
): Counters {
  readBack(sink, reader);
  const target = Ndb.open(sink, reader);
  const { nbt } = target;
  const digester = new NodeDigester(target, () => {}); // findings were told when the source was read
  requireCount(nids.length, nbt);
  proveRebuilt(target, digests, source, plan);
  for (let i = 0; i < nbt.count; i++) {
    requireDigest(digester, i, digests);
    if ((i & 63) === 0) progress?.('prove', i, nbt.count);
  }
  progress?.('prove', nbt.count, nbt.count);
  target.close();
  return digester.counters;
}

/** What was made anew has no digest in the source: it is compared with the messages, and has the digest of what is there. */
function proveRebuilt(target: Ndb, digests: Uint8Array, source: NodeDigester, { rebuilt }: Plan): void {
  const digester = new NodeDigester(target, () => {});
  for (const nid of rebuilt) {
    const fault = faultOfContents(target, nid);
    if (fault !== undefined) throw new Error(`table ${hex(nid)} was not made as it should be: ${fault}`);
    const k = target.getNode(nid);
    digests.set(digester.node(k), k * 32);
  }
  for (const key of Object.keys(source.counters) as (keyof Counters)[]) source.counters[key] += digester.counters[key];
}

const notAsItWas = (nid: number): Error => new Error(`node ${hex(nid)} did not arrive as it was`);

function requireCount(count: number, nbt: NodeIndex): void {
  if (nbt.count !== count) throw new Error(`${count} nodes written, ${nbt.count} read`);
}

function requireDigest(digester: NodeDigester, i: number, digests: Uint8Array): void {
  const digest = digester.node(i);
  for (let k = 0; k < 32; k++) {
    if (digest[k] !== digests[i * 32 + k]) throw notAsItWas(digester.ndb.nbt.nid(i));
  }
}

/** Nodes that changed with what was left out. */
function countAmended({ plan }: Leaving): Count {
  const types = [...plan.amended.keys(), ...plan.rebuilt].map(nidType);
  const count = (...wanted: number[]): number => types.filter((type) => wanted.includes(type)).length;
  return {
    ...noCount(),
    nodes: types.length,
    folders: count(NID_TYPE.NORMAL_FOLDER, NID_TYPE.SEARCH_FOLDER),
    messages: count(NID_TYPE.NORMAL_MESSAGE),
    associated: count(NID_TYPE.ASSOC_MESSAGE),
  };
}

/** Items by folder: rows of its tables against nodes that name it as their parent. */
function countFolders(ndb: Ndb, digester: NodeDigester, { plan }: Leaving): FolderCount[] {
  const { nbt } = ndb;
  const messages = new Map<number, number>();
  const associated = new Map<number, number>();
  const folders: number[] = [];
  for (let i = 0; i < nbt.count; i++) {
    const type = nidType(nbt.nid(i));
    if (plan.without.has(nbt.nid(i))) continue;
    if (type === NID_TYPE.NORMAL_FOLDER) folders.push(nbt.nid(i));
    const counts =
      type === NID_TYPE.NORMAL_MESSAGE ? messages : type === NID_TYPE.ASSOC_MESSAGE ? associated : undefined;
    counts?.set(nbt.parent(i), (counts.get(nbt.parent(i)) ?? 0) + 1);
  }
  return folders.map((nid) => ({
    nid,
    expected: digester.tableRows.get(siblingNid(nid, NID_TYPE.CONTENTS_TABLE)) ?? 0,
    copied: messages.get(nid) ?? 0,
    expectedAssociated: digester.tableRows.get(siblingNid(nid, NID_TYPE.ASSOC_CONTENTS_TABLE)) ?? 0,
    copiedAssociated: associated.get(nid) ?? 0,
  }));
}

/**
 * Clones the file `sourcePath` to the new file `targetPath`. Nothing is left under that name unless the clone is whole, or with `onError`
 * "skip" whole but for the items that the report lists. Throws PstError, UsageError, CoreFault, InjectedFault, and EssentialError.
 */
export function cloneFile(sourcePath: string, targetPath: string, options: CloneOptions = {}): CloneReport {
  const source = openSource(sourcePath);
  try {
    refuseSourceAsPartial(sourcePath, targetPath);
    if (options.onError !== 'skip') return cloneTo(targetPath, source, options, NOTHING_LEFT);
    return cloneWithout(source, options, (leaving) => cloneTo(targetPath, source, options, leaving));
  } finally {
    source.close();
  }
}

function cloneTo(targetPath: string, source: Source, options: CloneOptions, leaving: Leaving): CloneReport {
  const target = createTarget(targetPath);
  try {
    const whole = cloneStore(source, target.sink, options, leaving);
    const report = { ...whole, target: { ...whole.target, name: basename(targetPath) } }; // the sink is the partial file
    options.beforeCommit?.(report, target.partialPath);
    target.commit();
    return report;
  } catch (error) {
    target.abort();
    throw error;
  }
}

/** The partial file is emptied at the start: it must not be the source under another name. */
function refuseSourceAsPartial(sourcePath: string, targetPath: string): void {
  const source = statSync(sourcePath);
  const partial = statSync(`${targetPath}.partial`, { throwIfNoEntry: false });
  if (partial !== undefined && partial.ino === source.ino && partial.dev === source.dev) {
    throw new UsageError('REFUSED', `${targetPath}.partial is the source; choose another target`);
  }
}
