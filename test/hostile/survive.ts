/**
 * What every store must survive, sound or not: all that this program does with a store, in memory. Each step may end well or
 * in a named error with its place; nothing else is borne.
 * @module
 */
import { checkStore } from '../../src/check/check.js';
import { Core, type CoreBuild } from '../../src/core/core.js';
import { PAGE } from '../../src/core/heapmap.js';
import { PstError, UsageError } from '../../src/errors.js';
import { cloneStore } from '../../src/migrate/clone.js';
import { NodeDigester } from '../../src/migrate/digest.js';
import { rootOf } from '../../src/migrate/omission.js';
import { cloneWithout } from '../../src/migrate/skip.js';
import { verifyStores } from '../../src/migrate/verify.js';
import { Ndb, type NdbOptions } from '../../src/ndb/ndb.js';
import { NID } from '../../src/wire/nid.js';
import { UNICODE } from '../../src/wire/variant.js';
import { MemoryFile } from '../memory-file.js';
import { readEverything } from './reading.js';

/** Against an input that takes for ever: what the slowest step may take, in ms, on a machine busy with other things. */
export const STEP_MS_MAX = 10_000;
/**
 * Against an input that takes much longer than it should: so many times what the step takes on the sound store, and never less than the
 * floor. Tables of shared blocks are read again and again: PASS_FACTOR in src/ndb/ndb.ts.
 */
export const SLOWER_MAX = 20;
const STEP_MS_FLOOR = 1000;
/** Against an input that takes all memory: what a core may hold at most, for a file of `size` bytes. */
export const coreBytesMax = (size: number): number => (16 << 20) + 8 * size;

export interface Verdict {
  /** Step by step: `ok`, or the code of the error that ended it. */
  readonly outcomes: Readonly<Record<string, string>>;
  /** Step by step, in ms. */
  readonly times: Readonly<Record<string, number>>;
  /** What the slowest step took, and which it was. */
  readonly slowestMs: number;
  readonly slowest: string;
  /** Highest memory of any core. */
  readonly peakBytes: number;
}

/**
 * Cores for `Core.load`, which here gives those again that hold nothing: a fresh one costs more than most mutants. So a
 * mutant meets a core that others have been through, and what a core has taken is seen, whoever loaded it.
 */
const idle: Core[] = [];
const loaded: Core[] = [];
const load = Core.load;
/** PSTWRIGHT_CORE=paranoid tries the build that checks every access. */
const BUILD = (process.env.PSTWRIGHT_CORE ?? 'core') as CoreBuild;
Core.load = () => {
  const core = idle.pop() ?? load.call(Core, BUILD);
  loaded.push(core);
  return core;
};

/** A core that has held more than this is not used again, so that its peak is that of a mutant and not of an earlier one. */
const REUSE_BYTES_MAX = 8 << 20;

/** Takes the cores of a step back. Returns the highest memory of one. */
function takeBack(): number {
  let peak = 0;
  for (const core of loaded) {
    const bytes = core.x.pagesPeak() * PAGE;
    peak = Math.max(peak, bytes);
    if (core.x.pagesLive() === 0 && bytes < REUSE_BYTES_MAX) idle.push(core);
  }
  loaded.length = 0;
  return peak;
}

interface Options {
  /** How long each step took on the sound store: a mutant may take {@link SLOWER_MAX} times that. */
  readonly usual?: Readonly<Record<string, number>>;
  /** The sound store it was made of: what differs is told. */
  readonly original?: Uint8Array;
  /** With a verify of its own after each clone. */
  readonly thorough?: boolean;
  /** Object by object too. */
  readonly lazily?: boolean;
}

/** Throws when a step ends otherwise than it may: whatever went wrong is the cause. */
export function survive(
  name: string,
  bytes: Uint8Array,
  { original, thorough = true, lazily = true, usual = {} }: Options = {},
): Verdict {
  const outcomes: Record<string, string> = {};
  const times: Record<string, number> = {};
  let slowestMs = 0;
  let slowest = '';
  let peakBytes = 0;
  loaded.length = 0;

  const step = <T>(what: string, run: () => T): T | undefined => {
    const start = performance.now();
    let result: T | undefined;
    try {
      result = run();
      outcomes[what] = 'ok';
    } catch (error) {
      outcomes[what] = judge(what, error);
    }
    const ms = performance.now() - start;
    if (ms > slowestMs) [slowestMs, slowest] = [ms, what];
    times[what] = ms;
    const most = Math.min(STEP_MS_MAX, Math.max(STEP_MS_FLOOR, SLOWER_MAX * (usual[what] ?? STEP_MS_MAX)));
    if (ms > most) throw new Error(`${what} took ${ms.toFixed(0)} ms, at most ${most.toFixed(0)}`);
    // A clone that goes on without what fails leaves the cores behind that have failed.
    if (result !== undefined && !what.startsWith('skip')) {
      for (const { x } of loaded)
        if (x.pagesLive() !== 0) throw new Error(`${what} left ${x.pagesLive()} pages behind`);
    }
    peakBytes = Math.max(peakBytes, takeBack());
    if (peakBytes > coreBytesMax(bytes.length)) {
      throw new Error(`${what} took ${peakBytes} bytes of the core for a file of ${bytes.length}`);
    }
    return result;
  };

  try {
    const source = new MemoryFile(name, bytes);
    const read = step('read', () => digest(source, {}));
    if (read === undefined) step('salvage', () => digest(source, { damage: () => {} }));
    step('walk', () => readEverything(source, lazily));
    const checked = step('check', () => checkStore(source, Core.load(), { profile: thorough ? 'own' : 'foreign' }));
    // What cannot be read must not be called sound.
    const mustBeFound = (what: string): void => {
      if (checked !== undefined && checked.counts.error + checked.counts.warning === 0)
        throw new Error(`${what}, and check finds nothing wrong`);
    };
    if (read === undefined) mustBeFound(`the store opens with ${outcomes.read}`);
    else if (read.unreadable > 0) mustBeFound(`${read.unreadable} nodes cannot be read`);
    if (read?.isUnicode) {
      for (const reencode of [false, true]) {
        const sink = new MemoryFile('target.pst');
        const what = reencode ? 're-encode' : 'clone';
        const report = step(what, () => cloneStore(source, sink, { reencode }));
        if (report === undefined) {
          mustBeFound(`${what} ends in ${outcomes[what]}`);
          if (thorough || (reencode && lazily))
            step(reencode ? 'skip, re-encoded' : 'skip', () => cloneTheRest(source, reencode));
          continue;
        }
        if (!Buffer.from(report.digests).equals(Buffer.concat(read.digests)))
          throw new Error(`${what}: the digests differ`);
        if (!thorough) continue;
        const verified = step('verify', () => verifyStores(source, sink));
        if (verified?.isIdentical !== true)
          throw new Error(`${what}: verify finds ${verified?.differing} nodes that differ`);
      }
    } else step('clone', () => cloneStore(source, new MemoryFile('target.pst')));
    if (thorough && original !== undefined) {
      const sound = new MemoryFile('original.pst', original);
      step('compare', () => verifyStores(sound, source));
    }
    if (source.writes.length > 0) throw new Error('the source was written to');
  } catch (error) {
    loaded.length = idle.length = 0;
    throw error;
  }
  return { outcomes, times, slowestMs, slowest, peakBytes };
}

/** Clones without what fails, and holds verify against it: what is missing is what the report says is missing. */
function cloneTheRest(source: MemoryFile, reencode: boolean): true {
  let sink = new MemoryFile('target.pst');
  const options = { reencode, onError: 'skip' } as const;
  const { omitted, rebuilt } = cloneWithout(source, options, (leaving) => {
    sink = new MemoryFile('target.pst');
    return cloneStore(source, sink, options, leaving);
  });
  const nids = omitted.filter(({ of }) => of === undefined).map(({ nid }) => nid); // an attachment's message is there
  if (omitted.length + rebuilt.length === 0) throw new Error('nothing was left out, though the clone failed');
  const report = verifyStores(source, sink, { made: { omitted, rebuilt, reencoded: reencode } });
  // The message index goes with them: src/migrate/plan.ts.
  const missing = report.onlyInSource.filter((nid) => nid !== NID.MESSAGE_INDEX);
  if (report.differing > 0 || report.onlyInTarget.length > 0 || missing.join() !== nids.join()) {
    const more = report.differences.slice(0, 3).map(({ nid, message }) => `${nid}: ${message}`);
    throw new Error(`verify: ${report.differing} differ (${more.join('; ')}), left out ${nids}, missing ${missing}`);
  }
  return true;
}

/** The code of an error that may be; any other is thrown on. */
function judge(what: string, thrown: unknown): string {
  const error = rootOf(thrown);
  if (error instanceof UsageError) return error.code;
  if (!(error instanceof PstError)) throw new Error(`${what}: ${(error as Error)?.message ?? error}`, { cause: error });
  const { where } = error;
  const isEmpty = error.code === 'PST_NOT_A_STORE' && error.message.endsWith('is empty');
  if (!isEmpty && Object.values(where).every((part) => part === undefined)) {
    throw new Error(`${what}: ${error.code} without a place: ${error.message}`, { cause: error });
  }
  return error.code;
}

/** Digests of every node; of a node whose blocks cannot be read, zeros. */
function digest(
  source: MemoryFile,
  options: NdbOptions,
): { isUnicode: boolean; digests: Uint8Array[]; unreadable: number } {
  const ndb = Ndb.open(source, Core.load(), options);
  try {
    ndb.beginPass();
    const digester = new NodeDigester(ndb, () => {});
    const digests: Uint8Array[] = [];
    let unreadable = 0;
    for (let i = 0; i < ndb.nbt.count; i++) {
      try {
        digests.push(digester.node(i));
      } catch (error) {
        judge('digest', error);
        digests.push(new Uint8Array(32));
        unreadable++;
      }
    }
    return { isUnicode: ndb.variant === UNICODE, digests, unreadable };
  } finally {
    ndb.close();
  }
}
