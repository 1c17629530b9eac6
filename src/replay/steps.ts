/**
 * An operation step by step: what the host asked of the core, and what the core took and gave back on the way. The trace of the core
 * holds its last 8,192 allocations and frees; an operation with more is run again for those before, which repeats them exactly.
 * @module
 */
import type { Core, CoreExports } from '../core/core.js';
import { CoreFault, InjectedFault } from '../core/fault.js';
import { type HeapBlock, type HeapEvent, type HeapMap, readHeap } from '../core/heapmap.js';
import type { PageHeapOptions } from '../core/options.js';
import { UsageError } from '../errors.js';
import type { Bundle } from './bundle.js';
import { type Replay, replay } from './replay.js';

/** A call of the host into the core that took or gave back blocks or, watched, touched one, or in which the operation ended. */
export interface Call {
  readonly name: keyof CoreExports;
  readonly args: readonly number[];
  /** Events of the operation before the call, and after it. */
  readonly from: number;
  readonly until: number;
  /** Accesses before it and after it, where the watch build counts them; else 0. */
  readonly fromAccess: number;
  readonly untilAccess: number;
}

/** A replay with all that was seen of it. */
export interface Observation {
  readonly replay: Replay;
  /** The heap as it was left; of the raw core nothing is known. */
  readonly heap: HeapMap;
  /** Events of the operation, the oldest first, `heap.eventsLost` of them missing at the front. */
  readonly calls: readonly Call[];
  /** BIDs of the blocks the operation looked up, in that order. */
  readonly lookups: readonly number[];
}

const NO_HEAP: HeapMap = { pages: [], blocks: [], events: [], eventsLost: 0 };

/** Calls kept; an operation over a large attachment makes one a block. The oldest go first. */
const CALLS_MAX = 20_000;
const LOOKUPS_MAX = 20_000;

/** Calls that only look, or that are the host's own housekeeping. */
const QUIET: ReadonlySet<string> = new Set([
  'init',
  'configure',
  'beginOperation',
  'allocations',
  'traceCount',
  'pagesLive',
  'pagesPeak',
  'drawPages',
  'context',
  'plant',
]);

/** Replays a bundle and watches. `prepare` sees the core before it has done anything. */
export function observe(
  bundle: Bundle,
  pageheap?: PageHeapOptions,
  prepare?: (core: Core, calls: readonly Call[]) => void,
): Observation {
  const calls: Call[] = [];
  const lookups: number[] = [];
  const result = replay(bundle, {
    ...(pageheap === undefined ? {} : { pageheap }),
    onCore(core) {
      note(core, calls);
      prepare?.(core, calls);
    },
    onStore: (ndb) =>
      ndb.listen({
        onRead() {},
        onLookup(index) {
          if (index >= 0 && lookups.length < LOOKUPS_MAX) lookups.push(ndb.bbt.bid(index));
        },
      }),
  });
  const { core } = result;
  const heap = core.build === 'raw' ? NO_HEAP : readHeap(core.scene());
  return { replay: result, heap, calls, lookups };
}

/** Thrown by who listens to accesses, to end the operation there. */
export class Halted extends Error {
  override readonly name = 'Halted';
}

/**
 * Puts a note-taker before every function of the core that can take or give back blocks. Once the core has stopped its functions do
 * nothing any more: the host gives blocks back while the error passes, and the heap shall stay as the stop left it.
 */
export function note(core: Core, calls: Call[]): void {
  const functions = core.x as unknown as Record<string, (...args: number[]) => number>;
  const count = functions.traceCount!;
  let isSpent = false;
  for (const [name, call] of Object.entries(functions)) {
    if (QUIET.has(name)) continue;
    functions[name] = (...args) => {
      if (isSpent) return 0;
      const from = count();
      const fromAccess = core.accesses;
      try {
        return call(...args);
      } catch (error) {
        isSpent = error instanceof CoreFault || error instanceof InjectedFault || error instanceof Halted;
        throw error;
      } finally {
        const until = count();
        const untilAccess = core.accesses;
        if (until > from || untilAccess > fromAccess || isSpent) {
          calls.push({ name: name as keyof CoreExports, args, from, until, fromAccess, untilAccess });
        }
        if (calls.length > CALLS_MAX) calls.shift();
      }
    };
  }
}

// --- up to an allocation ------------------------------------------------------------------------------------------------

export interface StateAt extends Observation {
  /** The allocation that was about to be made; undefined when the operation ended before it. */
  readonly next:
    | { readonly ordinal: number; readonly size: number; readonly siteId: number; readonly tag: number }
    | undefined;
}

/** The settings of a bundle, for a look at its steps: traces on. */
export function settingsOf(bundle: Bundle, pageheap: PageHeapOptions = bundle.pageheap): PageHeapOptions {
  if (pageheap.mode === 'off') {
    throw new UsageError('USAGE', 'the raw core keeps no count of allocations: --pageheap full or normal does');
  }
  return { ...pageheap, noTraces: false };
}

/** Under `settings`; a bundle that is watched stays on the watch build, which no settings ask for. */
const observeAs = (bundle: Bundle, settings: PageHeapOptions): Observation =>
  bundle.core.build === 'watch' ? observe({ ...bundle, pageheap: settings }) : observe(bundle, settings);

/** Every allocation fails, from one on. */
const ALL = 10_000;

/** Runs the operation until allocation `ordinal`, which is not made any more. */
export function runUntil(bundle: Bundle, ordinal: number, pageheap?: PageHeapOptions): StateAt {
  const settings = settingsOf(bundle, pageheap);
  const fault = { rate: ALL, after: bundle.operation.allocations + ordinal - 1 };
  const observation = observeAs(bundle, { ...settings, fault });
  const { outcome } = observation.replay;
  const isThere = outcome.kind === 'fault' && outcome.stop.ordinal === ordinal;
  return { ...observation, next: isThere ? outcome.stop : undefined };
}

// --- all of it ------------------------------------------------------------------------------------------------------------

/** Events kept at most: 64 runs of an operation. */
const EVENTS_MAX = 500_000;

export interface Steps extends Observation {
  /** All events of the operation, or its last. */
  readonly events: readonly HeapEvent[];
  readonly eventsLost: number;
}

/** Every allocation and free of the operation. */
export function allSteps(bundle: Bundle, pageheap?: PageHeapOptions): Steps {
  const settings = settingsOf(bundle, pageheap);
  const whole = observeAs(bundle, settings);
  let { events, eventsLost } = whole.heap;
  while (eventsLost > 0 && events.length < EVENTS_MAX) {
    const first = events.find(({ kind }) => kind === 'alloc');
    if (first === undefined) break;
    const index = eventsLost + events.indexOf(first);
    // Before its allocation was made there were `index` events; the ring then held those right before it.
    const before = runUntil(bundle, first.ordinal, settings).heap;
    if (before.eventsLost + before.events.length !== index || before.eventsLost >= eventsLost) break;
    events = [...before.events, ...events.slice(index - eventsLost)];
    eventsLost = before.eventsLost;
  }
  return { ...whole, events, eventsLost };
}

export interface Live {
  readonly blocks: number;
  readonly bytes: number;
}

/** Blocks and bytes live after each event, from the first one that is known. */
export function liveAfter(events: readonly HeapEvent[]): Live[] {
  let blocks = 0;
  let bytes = 0;
  return events.map(({ kind, size }) => {
    const sign = kind === 'alloc' ? 1 : -1;
    blocks += sign;
    bytes += sign * size;
    return { blocks, bytes };
  });
}

/** Blocks of the operation that are live, in the order they were taken. The host's own have no ordinal. */
export const liveBlocks = ({ blocks }: HeapMap): HeapBlock[] =>
  blocks.filter(({ state, ordinal }) => state === 'live' && ordinal > 0).sort((a, b) => a.ordinal - b.ordinal);

// --- words ----------------------------------------------------------------------------------------------------------------

const DEEDS: Readonly<Record<string, string>> = {
  alloc: 'a buffer of the host',
  free: 'the host gives a block back',
  crc: 'compute a CRC',
  blockCheck: 'verify a block',
  blockLoad: 'load and decode a block',
  blockDecode: 'decode a block in place',
  blockSeal: 'encode and seal a block',
  blockCopy: 'copy a block',
  pageSeal: 'seal a page',
  chainNew: 'begin a chain of blocks',
  chainAdd: 'add a block to a chain',
  chainFree: 'give a chain back',
  hnClient: 'ask what a heap holds',
  hnRoot: 'find the root of a heap',
  hnCopy: 'copy an item of a heap',
  bthCopy: 'copy the records of a BTH',
  pcRead: 'decode a property context',
  pcWrite: 'encode a property context',
  tcOpen: 'open a table',
  tcRead: 'decode rows of a table',
  tcClose: 'close a table',
  twNew: 'begin to encode a table',
  twRow: 'encode a row of a table',
  twEnd: 'finish an encoded table',
  twClose: 'close an encoded table',
  lzfuDecode: 'decompress RTF',
  endOperation: 'end the operation',
};

/** What the host asked of the core, in words and by name. */
export function callText({ name, args }: Call): string {
  const known = DEEDS[name];
  const place = name === 'blockLoad' ? ` (${args[2]} bytes)` : '';
  return known === undefined ? name : `${known}${place}: ${name}`;
}
