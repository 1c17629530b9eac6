/**
 * Clone: every node of a Unicode store arrives in a new Unicode PST under its own NID, with every property, row, subnode and
 * attachment; nothing is renumbered. ARCHITECTURE.md, life of a clone.
 * @module
 */
import { statSync } from 'node:fs';
import { Core, type CoreBuild } from '../core/core.js';
import { PstError, UsageError } from '../errors.js';
import { sha256 } from '../host/digest.js';
import { openSource } from '../host/file.js';
import { createTarget } from '../host/target.js';
import type { Sink, Source } from '../host/source.js';
import { Ndb } from '../ndb/ndb.js';
import { readBack } from '../ndb/write/readback.js';
import { StoreWriter, type StoreSummary } from '../ndb/write/store-writer.js';
import { CLIENT } from '../wire/header.js';
import { UNICODE, VARIANT_NAMES } from '../wire/variant.js';
import { type Counters, NodeDigester } from './digest.js';
import { Reencoder } from './reencode.js';

/** What the run is doing; `done` of `total` nodes or blocks. */
export type Progress = (phase: 'copy' | 'write' | 'read back', done: number, total: number) => void;

export interface CloneOptions {
  /** Decode and encode every property context and table instead of keeping their blocks. */
  readonly reencode?: boolean;
  readonly core?: CoreBuild;
  readonly progress?: Progress;
}

/** What a clone did. */
export interface CloneReport {
  readonly source: { readonly name: string; readonly size: number };
  readonly target: { readonly name: string; readonly size: number };
  readonly reencoded: boolean;
  readonly verifier: CoreBuild;
  readonly counters: Counters;
  readonly classes: ReadonlyMap<string, number>;
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
  const core = Core.load(options.core ?? 'core');
  const ndb = Ndb.open(source, core);
  requireUnicode(ndb);
  ndb.beginPass();
  const findings: PstError[] = [...ndb.findings];
  const report = (finding: PstError): void => {
    if (findings.length < FINDINGS_MAX) findings.push(finding);
  };
  const { header, nbt, bbt } = ndb;
  const writer = new StoreWriter(core, sink, {
    crypt: header.crypt,
    magicClient: header.wMagicClient === CLIENT.OST ? 'SO' : 'SM',
    verClient: header.wVerClient,
    bidNextB: Math.ceil(header.bidNextB / 4) * 4,
    bidNextP: header.bidNextP,
    dwUnique: header.dwUnique,
    rgnid: header.rgnid,
    dwReserved1: header.dwReserved1,
    dwReserved2: header.dwReserved2,
  });
  const isCopied = new Uint8Array(bbt.count);
  let kept = 0;
  const copy = (index: number, lo: number, at: number): void => {
    if (isCopied[index]) return;
    isCopied[index] = 1;
    kept++;
    writer.copyBlock(bbt.bid(index), lo, at, bbt.cb(index));
  };

  const digester = new NodeDigester(ndb, report);
  const reencoder = options.reencode ? new Reencoder(ndb, writer, copy, () => {}) : undefined;
  if (reencoder === undefined) ndb.onBlock = copy;
  const nids = new Uint32Array(nbt.count);
  const digests = new Uint8Array(nbt.count * 32);
  const all = sha256();
  for (let i = 0; i < nbt.count; i++) {
    const nid = nbt.nid(i);
    const digest = digester.node(i);
    nids[i] = nid;
    digests.set(digest, i * 32);
    all.update(digest);
    const placed = reencoder?.object(nid, nbt.bidData(i), nbt.bidSub(i), { nid });
    writer.addNode(nid, placed?.bidData ?? nbt.bidData(i), placed?.bidSub ?? nbt.bidSub(i), nbt.parent(i));
    if ((i & 63) === 0) options.progress?.('copy', i, nbt.count);
  }
  options.progress?.('copy', nbt.count, nbt.count);
  ndb.onBlock = undefined;
  ndb.endPass();
  ndb.close();
  const layout = writer.finish();
  options.progress?.('write', 1, 1);

  // A second instance, so that nothing the first one remembers can make a fault look right.
  const reader = Core.load(options.core ?? 'core');
  const read = readBack(sink, reader);
  if (read.nodes !== nbt.count) throw new Error(`read back ${read.nodes} nodes of ${nbt.count}`);
  options.progress?.('read back', 1, 1);

  return {
    source: { name: source.name, size: source.size },
    target: { name: sink.name, size: sink.size },
    reencoded: reencoder !== undefined,
    verifier: core.build,
    counters: digester.counters,
    classes: digester.classes,
    blocks: { kept, written: layout.blocks - kept, dropped: orphans(ndb, isCopied, reencoder !== undefined) },
    nids,
    digests,
    contentDigest: all.digest(),
    findings,
    peakCore: Math.max(core.x.pagesPeak(), reader.x.pagesPeak()) * 4096,
    layout,
  };
}

/** Blocks of the source that no node leads to; a clone leaves them behind. Only counted when every block is kept. */
function orphans(ndb: Ndb, isCopied: Uint8Array, reencoded: boolean): number {
  if (reencoded) return 0;
  let count = 0;
  for (let i = 0; i < ndb.bbt.count; i++) if (!isCopied[i]) count++;
  return count;
}

/** Clones the file `sourcePath` to the new file `targetPath`. Nothing is left under that name unless the clone is whole. */
export function cloneFile(sourcePath: string, targetPath: string, options: CloneOptions = {}): CloneReport {
  const source = openSource(sourcePath);
  try {
    refuseSourceAsPartial(sourcePath, targetPath);
    const target = createTarget(targetPath);
    try {
      const report = cloneStore(source, target.sink, options);
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
