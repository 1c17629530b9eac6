/**
 * A clone that goes on without the items that fail (`--on-error skip`).
 *
 *     clone as always ──fails at a node──▶ survey: try every node behind it, nothing is kept ──▶ plan ──▶ clone again, by the plan
 *
 * A sound store is cloned once, as without the option. A core that has stopped is spent, and a fresh one goes on; damage it survives.
 * @module
 */
import { Core } from '../core/core.js';
import { CoreFault } from '../core/fault.js';
import { FULL } from '../core/options.js';
import type { Source } from '../host/source.js';
import { Ndb } from '../ndb/ndb.js';
import { StoreWriter } from '../ndb/write/store-writer.js';
import { BID_STEP } from '../wire/btree.js';
import { brokenAttachments } from './attachment.js';
import type { CloneOptions, CloneReport } from './clone.js';
import { isDamage, isSurvived } from './content.js';
import { nowhere } from './nowhere.js';
import {
  EssentialError,
  type Failed,
  isItem,
  isOfNode,
  leftOf,
  lightened,
  NodeFailure,
  type Omitted,
  omittedOf,
  rebuiltOf,
} from './omission.js';
import { NodeCopier } from './operation.js';
import { listsMessages, type Plan, planWithout, WHOLE } from './plan.js';
import { type Count, countAttachment, countNode, noCount } from './tally.js';

/**
 * Injected faults move when items are left out, because the draws count allocations; then the next pass fails elsewhere, and its items go,
 * too. Against a run without end.
 */
const PASSES_MAX = 16;

/** What is left out of a store, how, and what it held. */
export interface Leaving {
  readonly plan: Plan;
  readonly omitted: readonly Omitted[];
  /** Contents tables that are made anew. */
  readonly rebuilt: readonly Omitted[];
  /** NIDs of nodes that went with the items because they only list them. */
  readonly indexes: readonly number[];
  /** Items of each kind that are not in the target; what lies in the unreadable part of an item is not counted. */
  readonly failed: Count;
}

export const NOTHING_LEFT: Leaving = { plan: WHOLE, omitted: [], rebuilt: [], indexes: [], failed: noCount() };

/** Runs `attempt` until it succeeds without the items that fail. Throws what it throws, and EssentialError. */
export function cloneWithout(
  source: Source,
  options: CloneOptions,
  attempt: (leaving: Leaving) => CloneReport,
): CloneReport {
  const failures = new Map<number, Failed>();
  /** Messages that failed without their broken attachments, too. */
  const wholly = new Set<number>();
  let bundle: string | undefined;
  let leaving = NOTHING_LEFT;
  for (let pass = 1; ; pass++) {
    try {
      return attempt(leaving);
    } catch (error) {
      if (!(error instanceof NodeFailure)) throw error;
      const { failed } = error;
      if (!isOmissible(failed)) throw new EssentialError(failed.nid, failed.error);
      if (pass === PASSES_MAX) throw new EssentialError(failed.nid, failed.error, 'something fails in every pass');
      if (failures.size === 0) bundle = options.onFailure?.(failed.error);
      if (leaving.plan.amended.has(failed.nid)) wholly.add(failed.nid);
      failures.set(failed.nid, lightened(failed));
      survey(source, options, failed, failures);
      leaving = leave(source, options, failures, wholly, bundle);
    }
  }
}

/** Items, and damaged tables that may be readable once the rows of items are gone, or be made anew: the plan tells. */
const isOmissible = ({ nid, error }: Failed): boolean =>
  isItem(nid) || (listsMessages(nid) && !(error instanceof CoreFault));

/** Tries every node behind `last`, and adds those that fail to `failures`. */
function survey(source: Source, options: CloneOptions, last: Failed, failures: Map<number, Failed>): void {
  let { ndb, copier } = begin(source, options, undefined, last.before);
  const { nbt } = ndb;
  for (let i = last.i + 1; i < nbt.count; i++) {
    const nid = nbt.nid(i);
    if (failures.has(nid)) continue;
    if ((i & 63) === 0) options.progress?.('copy', i, nbt.count);
    const before = ndb.core.x.allocations();
    try {
      copier.node(i);
    } catch (error) {
      if (!isOfNode(error)) throw error;
      const failed = { i, nid, error, before };
      if (!isOmissible(failed)) reenact(source, options, failed);
      const { loadedBytes, budget } = ndb.blocks;
      if (loadedBytes > budget) throw new EssentialError(nid, error, 'the store shares blocks until reading must stop');
      failures.set(nid, lightened(failed));
      if (isSurvived(error)) continue;
      ({ ndb, copier } = begin(source, options, ndb, before));
      ndb.blocks.loadedBytes = loadedBytes; // one budget for all of the survey, however many items fail
    }
  }
  ndb.close();
}

/** A fresh core at work on the source, writing nowhere. `earlier`: the store as a core that is spent has opened it. */
function begin(
  source: Source,
  options: CloneOptions,
  earlier: Ndb | undefined,
  before: number,
): { ndb: Ndb; copier: NodeCopier } {
  const core = Core.load(options.core);
  const ndb = earlier === undefined ? Ndb.open(source, core) : Ndb.fromParts(source, core, earlier.nbt, earlier.bbt);
  const { header } = ndb;
  const bidNextB = BID_STEP * Math.ceil(header.bidNextB / BID_STEP);
  const writer = new StoreWriter(core, nowhere(), { crypt: header.crypt, bidNextB });
  ndb.beginPass();
  core.begin(0, before);
  return { ndb, copier: new NodeCopier(ndb, writer, options.reencode === true, () => {}) };
}

/** Fails once more at a node the store cannot do without, with the recorder listening. */
function reenact(source: Source, options: CloneOptions, { i, nid, error, before }: Failed): never {
  const { recorder } = options;
  const { ndb, copier } = begin(source, options, undefined, before);
  recorder?.opened(ndb);
  recorder?.beginNode(i);
  try {
    copier.node(i);
  } catch (again) {
    if (isOfNode(again)) throw new EssentialError(nid, again);
    throw again;
  }
  recorder?.endNodes();
  throw new EssentialError(nid, error);
}

/** The plan without what failed, and the account of it. */
function leave(
  source: Source,
  options: CloneOptions,
  failures: ReadonlyMap<number, Failed>,
  wholly: ReadonlySet<number>,
  bundle: string | undefined,
): Leaving {
  const ndb = Ndb.open(source, Core.load(options.core, FULL)); // without the faults that were asked for
  ndb.beginPass();
  const failed = [...failures.values()].sort((a, b) => a.i - b.i);
  const errors = new Map(failed.map(({ nid, error }) => [nid, error]));
  const first = failures.keys().next().value;
  try {
    const triage = new Triage(source, options, ndb);
    const count = noCount();
    const omitted: Omitted[] = [];
    for (const item of failed.filter(({ nid }) => isItem(nid))) {
      const attachments = wholly.has(item.nid) ? [] : triage.attachments(item);
      const path = item.nid === first ? bundle : undefined;
      for (const nid of attachments) {
        countAttachment(ndb, item.i, nid, count);
        omitted.push(omittedOf(ndb, item, path, nid));
      }
      if (attachments.length === 0) omitted.push(omittedOf(ndb, item, path));
    }
    const plan = planWithout(ndb, { left: leftOf(omitted), reencode: options.reencode === true, failed: errors });
    for (const nid of plan.without) countNode(ndb, ndb.nbt.find(nid), count);
    const indexes = [...plan.without].filter((nid) => !isItem(nid));
    const rebuilt = [...plan.rebuilt].map((nid) =>
      rebuiltOf(ndb, nid, failures.get(nid), nid === first ? bundle : undefined),
    );
    return { plan, omitted, rebuilt, indexes, failed: count };
  } catch (error) {
    if (!(error instanceof EssentialError)) throw error;
    const table = failures.get(error.nid);
    if (table !== undefined) reenact(source, options, table);
    options.recorder?.endNodes(); // no operation has failed: there is nothing to capture
    throw error;
  } finally {
    ndb.close();
  }
}

/** Finds the attachments without which messages that failed can be read, on a core of its own. */
class Triage {
  #ndb: Ndb | undefined;

  constructor(
    readonly source: Source,
    readonly options: CloneOptions,
    readonly earlier: Ndb,
  ) {}

  /** None after a stop: the core would stop again. */
  attachments({ i, error }: Failed): number[] {
    if (!isSurvived(error)) return [];
    const { nbt, bbt } = this.earlier;
    this.#ndb ??= Ndb.fromParts(this.source, Core.load(this.options.core, FULL), nbt, bbt);
    this.#ndb.beginPass(); // against messages in messages, all of them shared
    try {
      return brokenAttachments(this.#ndb, i, this.options.reencode === true);
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      this.#ndb = undefined;
      return [];
    }
  }
}
