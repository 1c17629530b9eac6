/**
 * Clone: every node of a Unicode store arrives in a new Unicode PST under its own NID, with every property, row, subnode and
 * attachment; nothing is renumbered. ARCHITECTURE.md, life of a clone.
 * @module
 */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { Core, type CoreBuild } from '../core/core.js';
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
import { type Counters, NodeDigester } from './digest.js';
import { NodeCopier } from './operation.js';

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

export interface CloneOptions {
  /** Decode and encode every property context and table instead of keeping their blocks. */
  readonly reencode?: boolean;
  readonly core?: CoreBuild;
  readonly progress?: Progress;
  readonly recorder?: Recorder;
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
  /** What was read in the source, and what was read back in the target. */
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

/** Clones an open source into a sink. The sink holds a whole, verified store when this returns. Throws PstError, UsageError. */
export function cloneStore(source: Source, sink: Sink & Source, options: CloneOptions = {}): CloneReport {
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
  const nids = new Uint32Array(nbt.count);
  const digests = new Uint8Array(nbt.count * 32);
  const all = sha256();
  for (let i = 0; i < nbt.count; i++) {
    recorder?.beginNode(i);
    const digest = copier.node(i);
    nids[i] = nbt.nid(i);
    digests.set(digest, i * 32);
    all.update(digest);
    if ((i & 63) === 0) options.progress?.('copy', i, nbt.count);
  }
  options.progress?.('copy', nbt.count, nbt.count);
  copier.close();
  recorder?.endNodes();
  ndb.endPass();
  ndb.close();
  const { digester, kept } = copier;
  const layout = writer.finish();

  // A second instance, so that nothing the first one remembers can make a fault look right.
  options.progress?.('read back', 0, 1);
  const reader = Core.load(options.core);
  const targetCounters =
    options.reencode === true
      ? proveDigests(sink, reader, digests, options.progress)
      : proveKept(sink, reader, nbt, copier);

  return {
    source: { name: source.name, size: source.size, crypt: header.crypt, dwUnique: header.dwUnique },
    target: { name: sink.name, size: sink.size },
    reencoded: options.reencode === true,
    verifier: core.build,
    pageheap: core.pageheap,
    counters: digester.counters,
    targetCounters,
    classes: digester.classes,
    folders: countFolders(ndb, digester),
    blocks: { kept, written: layout.blocks - kept, dropped: copier.orphans },
    nids,
    digests,
    contentDigest: all.digest(),
    findings,
    peakCore: Math.max(core.x.pagesPeak(), reader.x.pagesPeak()) * 4096,
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
 * included, has the length and the CRC it had there: so the target holds, and would count, what the source does.
 */
function proveKept(sink: Sink & Source, reader: Core, nodes: NodeIndex, copier: NodeCopier): Counters {
  readBack(sink, reader, {
    block: (bid, cb, dwCRC) => copier.requireKept(bid, cb, dwCRC),
    nodes(nbt) {
      if (nbt.count !== nodes.count) throw new Error(`${nodes.count} nodes written, ${nbt.count} read`);
      for (let i = 0; i < nbt.count; i++) {
        const isSame =
          nbt.nid(i) === nodes.nid(i) &&
          nbt.parent(i) === nodes.parent(i) &&
          nbt.bidData(i) === bidKey(nodes.bidData(i)) &&
          nbt.bidSub(i) === bidKey(nodes.bidSub(i));
        if (!isSame) throw new Error(`node ${hex(nodes.nid(i))} did not arrive as it was`);
      }
    },
  });
  return { ...copier.digester.counters };
}

/** Reads the target back, then digests every node of it and compares: what was meant to arrive is what can be read there. */
function proveDigests(
  sink: Sink & Source,
  reader: Core,
  digests: Uint8Array,
  progress: Progress | undefined,
): Counters {
  readBack(sink, reader);
  const target = Ndb.open(sink, reader);
  const { nbt } = target;
  const digester = new NodeDigester(target, () => {}); // findings were told when the source was read
  if (nbt.count * 32 !== digests.length) throw new Error(`${digests.length / 32} nodes written, ${nbt.count} read`);
  for (let i = 0; i < nbt.count; i++) {
    const digest = digester.node(i);
    for (let k = 0; k < 32; k++) {
      if (digest[k] !== digests[i * 32 + k]) throw new Error(`node ${hex(nbt.nid(i))} did not arrive as it was`);
    }
    if ((i & 63) === 0) progress?.('prove', i, nbt.count);
  }
  progress?.('prove', nbt.count, nbt.count);
  target.close();
  return digester.counters;
}

/** Items by folder: rows of its tables against nodes that name it as their parent. */
function countFolders(ndb: Ndb, digester: NodeDigester): FolderCount[] {
  const { nbt } = ndb;
  const messages = new Map<number, number>();
  const associated = new Map<number, number>();
  const folders: number[] = [];
  for (let i = 0; i < nbt.count; i++) {
    const type = nidType(nbt.nid(i));
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

/** Clones the file `sourcePath` to the new file `targetPath`. Nothing is left under that name unless the clone is whole. */
export function cloneFile(sourcePath: string, targetPath: string, options: CloneOptions = {}): CloneReport {
  const source = openSource(sourcePath);
  try {
    refuseSourceAsPartial(sourcePath, targetPath);
    const target = createTarget(targetPath);
    try {
      const whole = cloneStore(source, target.sink, options);
      const report = { ...whole, target: { ...whole.target, name: basename(targetPath) } }; // the sink is the partial file
      options.beforeCommit?.(report, target.partialPath);
      target.commit();
      return report;
    } catch (error) {
      target.abort();
      throw error;
    }
  } finally {
    source.close();
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
