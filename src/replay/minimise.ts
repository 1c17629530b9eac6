/**
 * Reduces a bundle: fewer subnodes, rows, properties and bytes, as long as the operation still ends in the same stop. Delta debugging (Zeller
 * and Hildebrandt, ddmin) over each kind of part, the coarse ones first, until nothing more can go.
 * @module
 */
import { PstError } from '../errors.js';
import { type Bundle, inputBytes, type Outcome } from './bundle.js';
import type { NodeObject, Property } from './object.js';
import { Rebuilder } from './rebuild.js';
import { replay } from './replay.js';

export interface Minimised {
  readonly bundle: Bundle;
  readonly object: NodeObject | undefined;
  readonly before: number;
  readonly after: number;
  /** Operations run. */
  readonly replays: number;
  /** Why it could not be reduced, when it could not. */
  readonly irreducible?: string;
}

export interface MinimiseOptions {
  readonly progress?: (replays: number, bytes: number) => void;
  /** Replays at most. */
  readonly limit?: number;
}

/** A large mailbox item has thousands of parts; each round of ddmin asks for some of them. */
const REPLAYS_MAX = 4000;

/** Is `b` the stop of `a`, on a smaller input? Kind, sites and how far outside the block; the block itself may be smaller. */
export function isSameStop(a: Outcome, b: Outcome): boolean {
  if (a.kind === 'error') return b.kind === 'error' && a.code === b.code;
  if (a.kind === 'none' || b.kind !== a.kind) return false;
  const [x, y] = [a.stop, b.stop];
  return x.kind === y.kind && x.siteId === y.siteId && x.freeSiteId === y.freeSiteId && beyond(x) === beyond(y);
}

/** Distance from the nearer edge of the block; inside it, where it is does not matter. */
const beyond = ({ address, block, size }: { address: number; block: number; size: number }): number =>
  block === 0 ? 0 : address < block ? address - block : address >= block + size ? address - block - size + 1 : 0;

export function minimise(bundle: Bundle, options: MinimiseOptions = {}): Minimised {
  const before = inputBytes(bundle);
  const limit = options.limit ?? REPLAYS_MAX;
  let replays = 0;
  let best = bundle;
  const none = (irreducible: string): Minimised => ({
    bundle,
    object: undefined,
    before,
    after: before,
    replays,
    irreducible,
  });
  if (bundle.node === null) return none('opening a store reads its trees: they are the input');
  let rebuilder: Rebuilder;
  try {
    rebuilder = new Rebuilder(bundle);
  } catch (error) {
    if (!(error instanceof PstError)) throw error;
    return none(`the damage is in the bytes themselves: ${error.message}`);
  }

  const { object } = rebuilder;
  /** Does the object as it is now still end in the same stop? Then it is the best so far. */
  const holds = (): boolean => {
    if (replays >= limit) return false;
    replays++;
    let candidate: Bundle;
    try {
      candidate = rebuilder.rebuild();
    } catch (error) {
      if (!(error instanceof PstError)) throw error;
      return false; // it cannot even be written
    }
    const { outcome } = replay(candidate);
    if (!isSameStop(bundle.outcome, outcome)) return false;
    best = { ...candidate, outcome };
    options.progress?.(replays, inputBytes(best));
    return true;
  };
  if (!holds())
    return none('encoded anew, the same content no longer ends in the stop: it depends on how the bytes lie');

  for (let size = Number.POSITIVE_INFINITY; inputBytes(best) < size && replays < limit; ) {
    size = inputBytes(best);
    reduce(object, holds);
  }
  holds(); // the last attempt may have failed: the object is whole again, the bundle is its
  return {
    bundle: { ...best, changes: [...bundle.changes, 'minimised'] },
    object,
    before,
    after: inputBytes(best),
    replays,
  };
}

function reduce(object: NodeObject, holds: () => boolean): void {
  ddmin(object.subnodes, (kept) => (object.subnodes = kept), holds);
  for (const sub of object.subnodes) reduce(sub, holds);
  ddmin(object.rows, (kept) => (object.rows = kept), holds);
  for (const row of object.rows) {
    ddmin(row.cells, (kept) => (row.cells = kept), holds);
    for (const cell of row.cells) shorten(cell, holds);
  }
  ddmin(object.properties, (kept) => (object.properties = kept), holds);
  for (const property of object.properties) shorten(property, holds);
  shortenBytes(object, holds);
}

/** Leaves out as many of `items` as possible; `set` puts a selection in place. */
function ddmin<T>(items: readonly T[], set: (kept: T[]) => void, holds: () => boolean): void {
  let kept = [...items];
  let parts = 1;
  while (kept.length > 0) {
    const step = Math.ceil(kept.length / parts);
    let reduced = false;
    for (let from = 0; from < kept.length; from += step) {
      const rest = [...kept.slice(0, from), ...kept.slice(from + step)];
      set(rest);
      if (holds()) {
        kept = rest;
        reduced = true;
        break;
      }
    }
    if (reduced) parts = Math.max(1, Math.min(parts - 1, kept.length));
    else if (step === 1) break;
    else parts = Math.min(parts * 2, kept.length);
  }
  set(kept);
}

function shorten(property: Property, holds: () => boolean): void {
  if (property.flags === 0) shortenBytes(property, holds);
}

/** Cuts bytes from the end: all, half, a quarter … */
function shortenBytes(of: { bytes: Uint8Array }, holds: () => boolean): void {
  let cut = of.bytes.length;
  while (cut > 0 && of.bytes.length > 0) {
    const whole = of.bytes;
    of.bytes = whole.subarray(0, Math.max(0, whole.length - cut));
    if (holds()) cut = Math.min(cut, of.bytes.length);
    else {
      of.bytes = whole;
      cut >>>= 1;
    }
  }
}
