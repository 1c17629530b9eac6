/**
 * Compares two stores by the canonical digest of every node. Neither is written, neither is trusted: both are read in full, with
 * every checksum.
 * @module
 */
import { Core, type CoreBuild } from '../core/core.js';
import { hex, type PstError } from '../errors.js';
import type { Source } from '../host/source.js';
import { Ndb } from '../ndb/ndb.js';
import { isDamage } from './content.js';
import { faultOfContents } from './contents.js';
import { type Difference, differences } from './difference.js';
import { type Counters, NodeDigester } from './digest.js';
import { leftOf, type Omitted } from './omission.js';
import { type Plan, planWithout, WHOLE } from './plan.js';

/** What a manifest says of the items that are missing. */
export interface Made {
  readonly omitted: readonly Pick<Omitted, 'nid' | 'of'>[];
  readonly reencoded: boolean;
  readonly rebuilt?: readonly Pick<Omitted, 'nid'>[];
}

export interface VerifyOptions {
  /** What `target` was made without, as its manifest says: those items are differences, what follows from them is none. */
  readonly made?: Made;
  readonly core?: CoreBuild;
  readonly progress?: (done: number, total: number) => void;
}

export interface VerifyReport {
  readonly source: { readonly name: string; readonly size: number; readonly counters: Counters };
  readonly target: { readonly name: string; readonly size: number; readonly counters: Counters };
  /** Items that the target was made without, and indeed are not there; nodes among them are in `onlyInSource`. */
  readonly omitted: Made['omitted'];
  /** Contents tables that were made anew, as the manifest says: compared with their messages, not with the source. */
  readonly rebuilt: readonly number[];
  /** Nodes whose digests are equal, or are what they are without the items left out. */
  readonly equal: number;
  readonly onlyInSource: readonly number[];
  readonly onlyInTarget: readonly number[];
  readonly differences: readonly Difference[];
  /** Nodes that differ; `differences` lists the first of them in full. */
  readonly differing: number;
  readonly findings: readonly PstError[];
  readonly isIdentical: boolean;
}

/** Differences listed in all; what comes after is counted only. */
const LISTED_MAX = 1000;

/**
 * Compares `target` with `source`. A node of the source that cannot be read is a finding, and a difference. Throws PstError when the target
 * cannot be read, or the trees of either.
 */
export function verifyStores(source: Source, target: Source, options: VerifyOptions = {}): VerifyReport {
  const findings: PstError[] = [];
  const open = (file: Source) => {
    const ndb = Ndb.open(file, Core.load(options.core));
    ndb.beginPass();
    return { ndb, digester: new NodeDigester(ndb, (finding) => findings.push(finding)) };
  };
  const a = open(source);
  const b = open(target);
  const onlyInSource: number[] = [];
  const onlyInTarget: number[] = [];
  const listed: Difference[] = [];
  const rebuilt: number[] = [];
  let equal = 0;
  let differing = 0;
  const [nbtA, nbtB] = [a.ndb.nbt, b.ndb.nbt];
  const total = nbtA.count + nbtB.count;
  const plan = options.made === undefined ? WHOLE : planOf(source, options.made, options.core);
  let i = 0;
  let j = 0;
  const omitted = options.made?.omitted ?? [];
  /** An index that goes with what it lists. */
  const isIndex = (nid: number): boolean => plan.without.has(nid) && !omitted.some((item) => item.nid === nid);
  /** Of node `i` of the source, as it is to arrive. One that did not arrive is only counted. */
  const digestOf = (): Uint8Array => {
    const nid = nbtA.nid(i);
    if (plan.without.has(nid) || plan.rebuilt.has(nid)) return NO_DIGEST;
    try {
      return a.digester.node(i, plan.amended.get(nid));
    } catch (error) {
      if (!isDamage(error)) throw error;
      findings.push(error);
      return NO_DIGEST;
    }
  };
  while (i < nbtA.count || j < nbtB.count) {
    const nidA = i < nbtA.count ? nbtA.nid(i) : Number.POSITIVE_INFINITY;
    const nidB = j < nbtB.count ? nbtB.nid(j) : Number.POSITIVE_INFINITY;
    const digestA = nidA <= nidB ? digestOf() : undefined;
    const digestB = nidB <= nidA ? b.digester.node(j) : undefined;
    if (digestA === undefined) onlyInTarget.push(nidB);
    else if (digestB === undefined) {
      if (!isIndex(nidA)) onlyInSource.push(nidA);
    } else if (isEqual(digestA, digestB)) equal++;
    else if (plan.rebuilt.has(nidA)) {
      rebuilt.push(nidA);
      const message = faultOfContents(b.ndb, nidA);
      if (message === undefined) equal++;
      else {
        differing++;
        listed.push({ nid: nidA, subnodes: [], message });
      }
    } else {
      differing++;
      if (nbtA.parent(i) !== nbtB.parent(j)) {
        const message = `parent ${hex(nbtA.parent(i))} in the source, ${hex(nbtB.parent(j))} in the target`;
        listed.push({ nid: nidA, subnodes: [], message });
      } else if (listed.length < LISTED_MAX) {
        const sideA = { ndb: a.ndb, bidData: nbtA.bidData(i), bidSub: nbtA.bidSub(i) };
        const sideB = { ndb: b.ndb, bidData: nbtB.bidData(j), bidSub: nbtB.bidSub(j) };
        listed.push(...differences(nidA, sideA, sideB));
      }
    }
    if (digestA !== undefined) i++;
    if (digestB !== undefined) j++;
    if (((i + j) & 63) === 0) options.progress?.(i + j, total);
  }
  options.progress?.(total, total);
  a.ndb.close();
  b.ndb.close();
  return {
    source: { name: source.name, size: source.size, counters: a.digester.counters },
    target: { name: target.name, size: target.size, counters: b.digester.counters },
    omitted,
    rebuilt,
    equal,
    onlyInSource,
    onlyInTarget,
    differences: listed,
    differing,
    findings,
    isIdentical: onlyInSource.length + onlyInTarget.length + differing + omitted.length + rebuilt.length === 0,
  };
}

/** The plan of the clone that left things out. */
function planOf(source: Source, { omitted, reencoded, rebuilt = [] }: Made, build?: CoreBuild): Plan {
  const ndb = Ndb.open(source, Core.load(build));
  ndb.beginPass(); // against messages that share one tree over and over
  try {
    return planWithout(ndb, {
      left: leftOf(omitted),
      reencode: reencoded,
      rebuilt: new Set(rebuilt.map(({ nid }) => nid)),
    });
  } finally {
    ndb.close();
  }
}

/** Equal to none. */
const NO_DIGEST = new Uint8Array(0);

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}
