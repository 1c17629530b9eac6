/**
 * Replays a bundle: runs the operation again from the bundle alone, and says whether it ended in the same way.
 * @module
 */
import { freePlaces } from '../core/code.js';
import { Core, coreHash } from '../core/core.js';
import type { Stop } from '../core/fault.js';
import { buildOf, type PageHeapOptions } from '../core/options.js';
import { decoderOf, isOneCall } from '../core/site.js';
import { hex, PstError } from '../errors.js';
import type { Sink, Source } from '../host/source.js';
import { NodeCopier } from '../migrate/operation.js';
import { BlockIndex } from '../ndb/bbt.js';
import { NodeIndex } from '../ndb/nbt.js';
import { Ndb } from '../ndb/ndb.js';
import { StoreWriter } from '../ndb/write/store-writer.js';
import type { Bundle, Outcome } from './bundle.js';
import { outcomeOf } from './capture.js';
import { sparseSource } from './sparse.js';

export interface ReplayOptions {
  /** Other settings than the bundle's: another mode, another core. */
  readonly pageheap?: PageHeapOptions;
  /** For who watches: the core before it has done anything, and the store before the operation on a node begins. */
  readonly onCore?: (core: Core) => void;
  readonly onStore?: (ndb: Ndb) => void;
  /** Hears of every page read while a store is opened. */
  readonly onPage?: (ib: number, size: number) => void;
  /** Run on this core, which has what the bundle asks for and is not spent; when all goes well it gets its memory back. */
  readonly core?: Core;
}

export interface Replay {
  readonly outcome: Outcome;
  readonly isReproduced: boolean;
  /** What differs from the bundle, a sentence each; the core's hash too, which alone does not make it another result. */
  readonly differences: readonly string[];
  /** The core the operation ran on; its memory is as the stop left it. */
  readonly core: Core;
  /** What the operation threw; undefined when it ended well. */
  readonly error: unknown;
}

/** Takes what is written and forgets it: a replay is about reading, rewriting and encoding. */
const nowhere = (): Sink & Source => ({
  name: 'replay',
  size: 0,
  read: () => 0,
  write() {},
  sync() {},
  close() {},
});

/** The store of a bundle, as far as the operation saw it. */
export function openBundle(bundle: Bundle, core: Core, onPage?: (ib: number, size: number) => void): Ndb {
  const source = sparseSource(bundle.source.name, bundle.source.size, bundle.ranges);
  if (bundle.node === null) return Ndb.open(source, core, onPage === undefined ? {} : { onRead: onPage });
  const { nid, bidData, bidSub, parent } = bundle.node;
  const nodes = new NodeIndex(
    1,
    Uint32Array.of(nid),
    Float64Array.of(bidData),
    Float64Array.of(bidSub),
    Uint32Array.of(parent),
  );
  const { blocks } = bundle;
  const column = (k: number): number[] => blocks.map((block) => block[k]!);
  const bbt = new BlockIndex(
    blocks.length,
    Float64Array.from(column(0)),
    Float64Array.from(column(1)),
    Uint16Array.from(column(2)),
    Uint16Array.from(column(3)),
    Uint16Array.from(column(4)),
  );
  return Ndb.fromParts(source, core, nodes, bbt);
}

/** How a run ended, without a word on how it should have. */
export type Ending = Pick<Replay, 'outcome' | 'core' | 'error'>;

/** Runs the operation of `bundle` once more. Throws only what is neither a stop nor damage. */
export function runBundle(bundle: Bundle, options: ReplayOptions = {}): Ending {
  const pageheap = options.pageheap ?? bundle.pageheap;
  const build = options.pageheap === undefined ? bundle.core.build : buildOf(pageheap);
  const core = options.core ?? Core.load(build, pageheap);
  options.onCore?.(core);
  try {
    run(bundle, core, options);
  } catch (error) {
    const outcome = outcomeOf(error);
    if (outcome.kind === 'none') throw error;
    return { outcome, core, error };
  }
  return { outcome: { kind: 'none' }, core, error: undefined };
}

/** The same, compared with how the bundle says it ended, and the core with the one that made it. Throws as `runBundle` does. */
export function replay(bundle: Bundle, options: ReplayOptions = {}): Replay {
  const ending = runBundle(bundle, options);
  const { build } = ending.core;
  const differences = compare(bundle.outcome, ending.outcome);
  const isReproduced = differences.length === 0;
  const hash = coreHash(build);
  if (hash !== bundle.core.hash) {
    differences.push(
      `core ${build} ${hash.slice(0, 12)}, the bundle was made by ${bundle.core.build} ${bundle.core.hash.slice(0, 12)}`,
    );
  }
  return { ...ending, isReproduced, differences };
}

function run(bundle: Bundle, core: Core, options: ReplayOptions): void {
  const { onPage, onStore } = options;
  const ndb = openBundle(bundle, core, onPage);
  if (bundle.operation.kind === 'open') return;
  onStore?.(ndb);
  ndb.beginPass();
  const { header } = ndb;
  const writer = new StoreWriter(core, nowhere(), {
    crypt: header.crypt,
    bidNextB: 4 * Math.ceil(header.bidNextB / 4),
  });
  const giveBack = (): void => {
    if (options.core === undefined) return; // whoever looks at the heap afterwards sees it as the operation left it
    writer.abandon();
    ndb.close();
  };
  try {
    new NodeCopier(ndb, writer, bundle.policy.reencode, () => {}).node(0, bundle.operation.allocations);
  } catch (error) {
    if (error instanceof PstError) giveBack(); // a core that stopped is spent
    throw error;
  }
  giveBack();
}

/** Distance of the refused byte from the start of its block: the address itself may differ. */
const distance = ({ address, block }: Stop): number => address - block;

/** A message without its numbers; eight bytes in a row in hexadecimal are how a file that is no store begins. */
export const withoutNumbers = (message: string): string => message.replace(/0x[0-9a-f]+|\b[0-9a-f]{16}\b|\d+/g, '#');

/** How `b` is not `a`; empty when it is the same end. */
export function compare(a: Outcome, b: Outcome): string[] {
  if (a.kind !== b.kind) return [`the bundle ends in ${nameOf(a)}, the replay in ${nameOf(b)}`];
  const differences: string[] = [];
  const check = (what: string, x: unknown, y: unknown): void => {
    if (x !== y) differences.push(`${what}: ${x} in the bundle, ${y} in the replay`);
  };
  if (a.kind === 'error' && b.kind === 'error') {
    check('error', a.code, b.code);
    // How many blocks the store has is part of some limits, and not of the bundle.
    if (a.code === 'PST_LIMIT') check('message', withoutNumbers(a.message), withoutNumbers(b.message));
    else check('message', a.message, b.message);
  }
  if ((a.kind === 'stop' || a.kind === 'fault') && (b.kind === 'stop' || b.kind === 'fault')) {
    check('stop', a.stop.kind, b.stop.kind);
    check('block size', a.stop.size, b.stop.size);
    check('distance', distance(a.stop), distance(b.stop));
    check('width', a.stop.width, b.stop.width);
    check('allocation site', a.stop.site, b.stop.site);
    if (!isSameFree(a.stop.freeSiteId, b.stop.freeSiteId)) check('free site', freedBy(a.stop), freedBy(b.stop));
    check('ordinal', a.stop.ordinal, b.stop.ordinal);
    check('node', hex(a.stop.nid), hex(b.stop.nid));
    check('property', hex(a.stop.tag), hex(b.stop.tag));
  }
  return differences;
}

/** Bundles of earlier cores know the decoder that freed a block, not the call. */
export const isSameFree = (x: number, y: number): boolean =>
  x === y || (decoderOf(x) === decoderOf(y) && !(isOneCall(x) && isOneCall(y)));

const freedBy = ({ freeSite, freeSiteId }: Stop): string => `${freeSite} (${freePlaces(freeSiteId).join(', ')})`;

const nameOf = (outcome: Outcome): string =>
  outcome.kind === 'stop' || outcome.kind === 'fault'
    ? `a stop (${outcome.stop.kind})`
    : outcome.kind === 'error'
      ? outcome.code
      : 'no failure';
