/** What became of the items of a mailbox, by kind: every item expected is accounted for. @module */
import type { Core } from '../core/core.js';
import { PstError } from '../errors.js';
import type { Source } from '../host/source.js';
import { Ndb } from '../ndb/ndb.js';
import { SUBNODE_DEPTH_MAX } from '../ndb/subnode.js';
import { NID_TYPE, nidType } from '../wire/nid.js';

export const KINDS = ['nodes', 'folders', 'messages', 'associated', 'embedded', 'attachments'] as const;
export type Kind = (typeof KINDS)[number];

/** How many of each kind; what a digester counts has these fields, too. */
export type Count = Readonly<Record<Kind, number>>;

/** `expected` = `copied` + `rewritten` + `skipped` + `failed`. */
export interface Fate {
  expected: number;
  /** Their blocks arrived as they were. */
  copied: number;
  /** Decoded and encoded anew. */
  rewritten: number;
  /** Arrived in an earlier run. */
  skipped: number;
  /** Not in the target: the mailbox failed, or the item was left out of it. */
  failed: number;
}
export type Tally = Record<Kind, Fate>;

const noFate = (): Fate => ({ expected: 0, copied: 0, rewritten: 0, skipped: 0, failed: 0 });

const tallyOf = (fate: (kind: Kind) => Fate): Tally =>
  Object.fromEntries(KINDS.map((kind) => [kind, fate(kind)])) as Tally;

export const noTally = (): Tally => tallyOf(noFate);

/** A tally in which `expected` is what the source has and `fate` what `arrived`. */
export const tally = (expected: Count, fate: Exclude<keyof Fate, 'expected'>, arrived: Count): Tally =>
  tallyOf((kind) => ({ ...noFate(), expected: expected[kind], [fate]: arrived[kind] }));

export const noCount = (): Record<Kind, number> =>
  Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;

/** What `tallyOfCopy` needs of a report. */
interface Copied {
  readonly reencoded: boolean;
  readonly targetCounters: Count;
  readonly failed: Count;
  readonly amended: Count;
}

/** The tally of one clone: what arrived, as it was or written anew, and what was left out. */
export const tallyOfCopy = ({ reencoded, targetCounters, failed, amended }: Copied): Tally =>
  tallyOf((kind) => {
    const arrived = targetCounters[kind];
    const rewritten = reencoded ? arrived : amended[kind];
    const [copied, lost] = [arrived - rewritten, failed[kind]];
    return { expected: arrived + lost, copied, rewritten, skipped: 0, failed: lost };
  });

/** The tally of a copy that an earlier run made. */
export const tallyOfEarlier = (counters: Count, failed: Count): Tally =>
  tallyOf((kind) => ({
    ...noFate(),
    expected: counters[kind] + failed[kind],
    skipped: counters[kind],
    failed: failed[kind],
  }));

/** Adds `more` to `sum`. */
export function addTally(sum: Tally, more: Tally): void {
  for (const kind of KINDS) {
    for (const key of Object.keys(sum[kind]) as (keyof Fate)[]) sum[kind][key] += more[kind][key];
  }
}

/** Throws when an item is unaccounted for: that would be our bug. */
export function checkTally(sums: Tally, name: string): void {
  for (const kind of KINDS) {
    const { expected, copied, rewritten, skipped, failed } = sums[kind];
    if (expected !== copied + rewritten + skipped + failed) {
      throw new Error(`${name}: ${expected} ${kind} expected, ${copied + rewritten + skipped + failed} accounted for`);
    }
  }
}

/**
 * Counts a store that could not be cloned, by its node and subnode trees alone: no heap is decoded, so nothing that stopped the clone
 * is touched but a damaged tree. undefined when the store cannot be opened; what lies under a damaged subnode tree is not counted.
 */
export function census(source: Source, core: Core): Count | undefined {
  const count = noCount();
  let ndb: Ndb;
  try {
    ndb = Ndb.open(source, core);
  } catch (error) {
    if (error instanceof PstError) return undefined;
    throw error;
  }
  ndb.beginPass(); // against nodes that all share one large tree: what comes when it is spent is not counted
  for (let i = 0; i < ndb.nbt.count; i++) countNode(ndb, i, count);
  ndb.close();
  return count;
}

/** Adds node `i` and what lies below it to `count`. What lies under a damaged subnode tree is not counted. */
export function countNode(ndb: Ndb, i: number, count: Record<Kind, number>): void {
  const { nbt } = ndb;
  count.nodes++;
  const type = nidType(nbt.nid(i));
  if (type === NID_TYPE.NORMAL_FOLDER || type === NID_TYPE.SEARCH_FOLDER) count.folders++;
  if (type === NID_TYPE.NORMAL_MESSAGE) count.messages++;
  if (type === NID_TYPE.ASSOC_MESSAGE) count.associated++;
  countBelow(ndb, nbt.bidSub(i), count, 1);
}

/** Adds attachment `nid` of node `i` and what lies below it to `count`. */
export function countAttachment(ndb: Ndb, i: number, nid: number, count: Record<Kind, number>): void {
  const subnodes = ndb.subnodes(ndb.nbt.bidSub(i), {});
  count.attachments++;
  countBelow(ndb, subnodes.bidSub(subnodes.find(nid)), count, 1);
}

/** `left`: trees that may still be read. Against trees that share trees, level by level: an honest node has no more than the store has blocks. */
function countBelow(
  ndb: Ndb,
  bidSub: number,
  count: Record<Kind, number>,
  depth: number,
  left = { trees: ndb.bbt.count },
): void {
  if (bidSub === 0 || depth > SUBNODE_DEPTH_MAX || left.trees-- <= 0) return;
  try {
    const subnodes = ndb.subnodes(bidSub, {});
    for (let k = 0; k < subnodes.count; k++) {
      const type = nidType(subnodes.nid(k));
      if (type === NID_TYPE.ATTACHMENT) count.attachments++;
      if (type === NID_TYPE.NORMAL_MESSAGE) count.embedded++;
      countBelow(ndb, subnodes.bidSub(k), count, depth + 1, left);
    }
  } catch (error) {
    if (!(error instanceof PstError)) throw error;
  }
}
