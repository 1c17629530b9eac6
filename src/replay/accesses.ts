/**
 * Every access of an operation: where it went, how far into which block, and from which line of the core's code. The operation is run again
 * on the watch build, which is the paranoid one and tells of each access; what another build lets pass can end the operation here, earlier.
 * @module
 */
import { accessFinder } from '../core/code.js';
import type { Core } from '../core/core.js';
import { findBlock, type HeapBlock, type HeapMap, isStillLive, readHeap } from '../core/heapmap.js';
import type { PageHeapOptions } from '../core/options.js';
import { UsageError } from '../errors.js';
import type { Bundle } from './bundle.js';
import { compare, replay } from './replay.js';
import { type Call, Halted, note, type Observation, observe, runUntil, settingsOf } from './steps.js';

/** Accesses told with their places, the last of the operation; each costs a look at the stack, some 10 microseconds. */
export const ACCESSES_MAX = 100_000;

/** One access, or several of one line whose numbers and addresses each grow by the same amount. */
export interface AccessRun {
  /** In the operation, from 1; of several the first. */
  readonly number: number;
  readonly kind: 'read' | 'write';
  readonly address: number;
  /** Bytes of each. */
  readonly size: number;
  readonly count: number;
  /** From one of them to the next: by how much numbers and addresses grow. */
  readonly numberStep: number;
  readonly addressStep: number;
  /** The block it lies in, or that it is meant for as far as can be told from where it went. */
  readonly block: HeapBlock | undefined;
  /** Of `address` in the block; beyond its size or below 0 where the access leaves it. */
  readonly offset: number | undefined;
  /** Allocations and frees before it. */
  readonly event: number;
  /** The property the core was at, or 0. */
  readonly tag: number;
  /** `assembly/ltp/pc.ts:48`, and the function. */
  readonly place: string;
  readonly function: string;
}

export interface AccessTrace {
  /** In the order of their first access. */
  readonly runs: readonly AccessRun[];
  /** Accesses of the operation, and how many of them, the first, are left out. */
  readonly total: number;
  readonly lost: number;
  readonly observation: Observation;
  /** How it ended otherwise than the bundle says; empty when it is the same. */
  readonly differences: readonly string[];
}

/** The bundle as the watch build replays it. */
export function watched(bundle: Bundle, pageheap?: PageHeapOptions): Bundle {
  const settings = settingsOf(bundle, pageheap);
  return { ...bundle, core: { ...bundle.core, build: 'watch' }, pageheap: { ...settings, mode: 'paranoid' } };
}

/** Runs the operation twice: to count its accesses, and to look at the last of them. Throws UsageError for the raw core. */
export function traceAccesses(bundle: Bundle, pageheap?: PageHeapOptions, limit = ACCESSES_MAX): AccessTrace {
  const own = watched(bundle, pageheap);
  const { core } = replay(own, { onCore: (fresh) => note(fresh, []) });
  const total = core.accesses;
  const lost = Math.max(0, total - limit);
  const collector = new Collector();
  const observation = observe(own, undefined, (fresh, calls) => {
    fresh.onAccess = collector.listener(fresh, calls, lost);
    fresh.tellAccesses(lost, total);
  });
  const differences = compare(bundle.outcome, observation.replay.outcome);
  return { runs: collector.runs(), total, lost, observation, differences };
}

// --- one by one -------------------------------------------------------------------------------------------------------------

/** Blocks remembered: decoders go back and forth between few. */
const RECENT = 8;

class Blocks {
  readonly #recent: HeapBlock[] = [];

  constructor(readonly core: Core) {}

  at(address: number): HeapBlock | undefined {
    const scene = this.core.scene();
    const k = this.#recent.findIndex(({ ptr, size }) => address >= ptr && address < ptr + size);
    const [known] = k < 0 ? [] : this.#recent.splice(k, 1);
    const block = known !== undefined && isStillLive(scene, known) ? known : findBlock(scene, address);
    if (block !== undefined && block.state === 'live') this.#recent.unshift(block);
    if (this.#recent.length > RECENT) this.#recent.pop();
    return block;
  }
}

type Listener = NonNullable<Core['onAccess']>;
type Growing = { -readonly [Key in keyof AccessRun]: AccessRun[Key] };

/** Fewer than this in a row are as well shown one by one. */
const RUN_MIN = 4;

/** Takes accesses as they are told, and joins those that go on from each other. */
class Collector {
  readonly #done: AccessRun[] = [];
  /** Runs that may still grow, by their place, kind, size and block; none outlives an allocation, a free, a property or a call. */
  readonly #growing = new Map<string, Growing>();
  #event = -1;
  #tag = -1;
  #call: Call | undefined;

  /** `calls` as they are made: the one under way is not among them yet. */
  listener(core: Core, calls: readonly Call[], lost: number): Listener {
    const find = accessFinder(core.build);
    const blocks = new Blocks(core);
    let number = lost;
    return (address, size, isWrite, event, tag) => {
      const call = calls.at(-1);
      if (event !== this.#event || tag !== this.#tag || call !== this.#call) this.#flush();
      this.#event = event;
      this.#tag = tag;
      this.#call = call;
      const frame = find();
      const block = blocks.at(address);
      this.#add(frame?.offset ?? 0, {
        number: ++number,
        kind: isWrite === 1 ? 'write' : 'read',
        address,
        size,
        count: 1,
        numberStep: 0,
        addressStep: 0,
        block,
        offset: block === undefined ? undefined : address - block.ptr,
        event,
        tag,
        place: frame?.places[0] ?? '',
        function: frame?.function ?? '',
      });
    };
  }

  #add(codeOffset: number, access: Growing): void {
    const key = `${codeOffset} ${access.kind} ${access.size} ${access.block?.ptr}`;
    const run = this.#growing.get(key);
    if (run === undefined) {
      this.#growing.set(key, access);
      return;
    }
    const numberStep = access.number - (run.number + (run.count - 1) * run.numberStep);
    const addressStep = access.address - (run.address + (run.count - 1) * run.addressStep);
    if (run.count === 1 || (numberStep === run.numberStep && addressStep === run.addressStep)) {
      Object.assign(run, { count: run.count + 1, numberStep, addressStep });
    } else {
      this.#end(run);
      this.#growing.set(key, access);
    }
  }

  #end(run: Growing): void {
    if (run.count >= RUN_MIN) this.#done.push(run);
    else this.#done.push(...single(run));
  }

  #flush(): void {
    for (const run of this.#growing.values()) this.#end(run);
    this.#growing.clear();
  }

  runs(): AccessRun[] {
    this.#flush();
    return this.#done.sort((a, b) => a.number - b.number);
  }
}

/** The accesses of a run, one by one. */
export const single = (run: AccessRun): AccessRun[] =>
  Array.from({ length: run.count }, (_, k) => ({
    ...run,
    number: run.number + k * run.numberStep,
    address: run.address + k * run.addressStep,
    offset: run.offset === undefined ? undefined : run.offset + k * run.addressStep,
    count: 1,
    numberStep: 0,
    addressStep: 0,
  }));

/** First and end offset of all its accesses in the block. */
export function extent({ offset = 0, size, count, addressStep }: AccessRun): { from: number; to: number } {
  const last = offset + (count - 1) * addressStep;
  return { from: Math.min(offset, last), to: Math.max(offset, last) + size };
}

// --- up to one --------------------------------------------------------------------------------------------------------------

/** Accesses shown before the one it stops at. */
const BEFORE = 12;

export interface AccessAt {
  /** The access that was about to be made, undefined when the operation ended before it, and those right before it. */
  readonly next: AccessRun | undefined;
  readonly before: readonly AccessRun[];
  /** Accesses there were after the allocation, when it did not come that far. */
  readonly reached: number;
  /** Whether the allocation was made at all. */
  readonly isAllocated: boolean;
  readonly heap: HeapMap;
  readonly calls: readonly Call[];
  readonly outcome: Observation['replay']['outcome'];
}

/** Runs the operation until the `nth` access (from 1) after allocation `ordinal`, 0 being its beginning; the access is not made any more. */
export function runUntilAccess(bundle: Bundle, ordinal: number, nth: number, pageheap?: PageHeapOptions): AccessAt {
  const own = watched(bundle, pageheap);
  let first = 0;
  if (ordinal > 0) {
    const { next, heap, calls, replay: ended } = runUntil(own, ordinal);
    if (next === undefined) {
      const { outcome } = ended;
      return { next, before: [], reached: 0, isAllocated: false, heap, calls, outcome };
    }
    first = heap.eventsLost + heap.events.length + 1;
  }
  let number = 0;
  let reached = 0;
  const count = runHalting(own, (core) => {
    core.tellAccesses(0, COUNT_MAX);
    core.onAccess = (_address, _size, _isWrite, event) => {
      number++;
      if (event >= first && ++reached === nth) throw new Halted();
    };
  });
  const isThere = count.isHalted;
  const from = Math.max(0, number - 1 - BEFORE);
  const collector = new Collector();
  const { core, calls, outcome } = runHalting(own, (fresh, made) => {
    fresh.tellAccesses(from, number);
    const listen = collector.listener(fresh, made, from);
    fresh.onAccess = (...told) => {
      listen(...told);
      if (isThere && fresh.accesses === number) throw new Halted();
    };
  });
  const accesses = collector
    .runs()
    .flatMap(single)
    .sort((a, b) => a.number - b.number);
  const next = isThere ? accesses.pop() : undefined;
  return { next, before: accesses, reached, isAllocated: true, heap: readHeap(core.scene()), calls, outcome };
}

/** The core counts accesses in 32 bits. */
const COUNT_MAX = 0xffffffff;

interface Halting {
  readonly core: Core;
  readonly calls: readonly Call[];
  readonly isHalted: boolean;
  readonly outcome: Observation['replay']['outcome'];
}

/** A replay that `prepare` may end with Halted. */
function runHalting(bundle: Bundle, prepare: (core: Core, calls: readonly Call[]) => void): Halting {
  const calls: Call[] = [];
  let core: Core | undefined;
  const onCore = (fresh: Core): void => {
    core = fresh;
    note(fresh, calls);
    prepare(fresh, calls);
  };
  try {
    const { outcome } = replay(bundle, { onCore });
    return { core: core!, calls, isHalted: false, outcome };
  } catch (error) {
    if (!(error instanceof Halted) || core === undefined) throw error;
    return { core, calls, isHalted: true, outcome: { kind: 'none' } };
  }
}

// --- by block ---------------------------------------------------------------------------------------------------------------

/** What one block saw between two allocations or frees. */
export interface Touch {
  readonly event: number;
  readonly block: HeapBlock | undefined;
  readonly reads: number;
  readonly writes: number;
  /** First and end offset touched. */
  readonly from: number;
  readonly to: number;
  /** Lines that did it, in their order. */
  readonly places: readonly string[];
}

/** Accesses summed by block, between two allocations or frees each. */
export function touches(runs: readonly AccessRun[]): Touch[] {
  const found = new Map<string, Touch & { places: string[] }>();
  for (const run of runs) {
    const key = `${run.event} ${run.block?.ptr} ${run.block?.ordinal}`;
    const { from, to } = extent(run);
    const known = found.get(key);
    const places = known?.places ?? [];
    if (!places.includes(run.place)) places.push(run.place);
    found.set(key, {
      event: run.event,
      block: run.block,
      reads: (known?.reads ?? 0) + (run.kind === 'read' ? run.count : 0),
      writes: (known?.writes ?? 0) + (run.kind === 'write' ? run.count : 0),
      from: Math.min(known?.from ?? from, from),
      to: Math.max(known?.to ?? to, to),
      places,
    });
  }
  return [...found.values()];
}

/** The number of an access as it is typed: `N:M`. Throws UsageError. */
export function accessOf(text: string): { ordinal: number; nth: number } | undefined {
  const match = /^(0|[1-9]\d{0,8}):([1-9]\d{0,8})$/.exec(text);
  if (match !== null) return { ordinal: Number(match[1]), nth: Number(match[2]) };
  if (!text.includes(':')) return undefined;
  throw new UsageError(
    'USAGE',
    `--until takes the number of an allocation, and behind a colon that of an access after it, from 1, not "${text}"`,
  );
}
