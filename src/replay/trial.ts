/**
 * Attempts at a smaller or a redacted bundle: each is replayed and kept when it ends as the bundle does. What "the same end" means is
 * decided here.
 * @module
 */
import { Core } from '../core/core.js';
import { PstError } from '../errors.js';
import { type Bundle, inputBytes, type Outcome } from './bundle.js';
import { isSameFree, type ReplayOptions, runBundle, withoutNumbers } from './replay.js';

/**
 * Is `b` the end of `a`, on another input? Of a stop: kind, sites and how far outside the block; the block itself may be smaller. Of an
 * error: code, sentence, structure and field, node, block and place; the numbers in the sentence may differ, a checksum over other bytes is
 * another number.
 */
export function isSameStop(a: Outcome, b: Outcome): boolean {
  if (a.kind === 'error') return b.kind === 'error' && isSameError(a, b);
  if (a.kind === 'none' || b.kind !== a.kind) return false;
  const [x, y] = [a.stop, b.stop];
  return (
    x.kind === y.kind && x.siteId === y.siteId && isSameFree(x.freeSiteId, y.freeSiteId) && beyond(x) === beyond(y)
  );
}

type Failed = Extract<Outcome, { kind: 'error' }>;

function isSameError(a: Failed, b: Failed): boolean {
  const [x, y] = [a.where, b.where];
  return (
    a.code === b.code &&
    x.field === y.field &&
    x.section === y.section &&
    x.nid === y.nid &&
    x.bid === y.bid &&
    x.ib === y.ib &&
    withoutNumbers(a.message) === withoutNumbers(b.message)
  );
}

/** Distance from the nearer edge of the block; inside it, where it is does not matter. */
const beyond = ({ address, block, size }: { address: number; block: number; size: number }): number =>
  block === 0 ? 0 : address < block ? address - block : address >= block + size ? address - block - size + 1 : 0;

export interface TrialOptions {
  readonly progress?: (replays: number, bytes: number) => void;
  /** Replays at most. */
  readonly limit?: number;
}

/** Against an input that is reduced part by part for hours: the largest reduction of ours takes some 1,500 replays. */
const REPLAYS_MAX = 20_000;

/** A series of attempts that all must end as `bundle` does. */
export class Trial {
  replays = 0;
  /** The last attempt that did, with its own outcome; undefined before there was one. */
  best: Bundle | undefined;
  readonly limit: number;
  /**
   * A core that ran an attempt which failed, and gave all its memory back: a new one for each costs more than most attempts. What is kept
   * was run on a fresh one.
   */
  #core: Core | undefined;
  #live = 0;

  constructor(
    readonly bundle: Bundle,
    readonly options: TrialOptions = {},
  ) {
    this.limit = options.limit ?? REPLAYS_MAX;
  }

  /** No replay is left: everything fails from now on. */
  get isSpent(): boolean {
    return this.replays >= this.limit;
  }

  /** Runs what `make` makes. Returns whether it ends as the bundle does. */
  holds(make: () => Bundle): boolean {
    if (this.isSpent) return false;
    this.replays++;
    let candidate: Bundle;
    try {
      candidate = make();
    } catch (error) {
      if (!(error instanceof PstError)) throw error;
      return false; // it cannot even be written
    }
    const ends = (isFresh: boolean): boolean => {
      if (isFresh) this.#core = undefined;
      const outcome = this.run(candidate);
      if (outcome === undefined || !isSameStop(this.bundle.outcome, outcome)) return false;
      candidate = { ...candidate, outcome };
      return true;
    };
    const wasUsed = this.#core !== undefined;
    if (!ends(false) || (wasUsed && !ends(true))) return false;
    this.best = candidate;
    this.options.progress?.(this.replays, inputBytes(candidate));
    return true;
  }

  /**
   * How `candidate` ends, on a core that may have run others. undefined: in what is neither a stop nor damage, as with a header that asks
   * for what there is not.
   */
  run(candidate: Bundle, options: Omit<ReplayOptions, 'core' | 'pageheap'> = {}): Outcome | undefined {
    const { core: known, pageheap } = this.bundle;
    if (this.#core === undefined) {
      this.#core = Core.load(known.build, pageheap);
      this.#live = this.#core.x.pagesLive();
    }
    const core = this.#core;
    try {
      const { outcome } = runBundle(candidate, { ...options, core });
      const isSpent = outcome.kind === 'stop' || outcome.kind === 'fault';
      if (isSpent || core.x.pagesLive() !== this.#live) this.#core = undefined;
      return outcome;
    } catch {
      this.#core = undefined;
      return undefined;
    }
  }
}
