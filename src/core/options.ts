/**
 * Settings of the page heap, with Pageheap.exe's names, meanings and exclusivity. Parsed once, handed to every core of a run, printed in
 * every report and kept in every bundle: a forgotten setting must never be a riddle.
 * @module
 */
import { UsageError } from '../errors.js';
import { DECODERS, type Decoder, SITE_COUNT } from './site.js';

export type PageHeapMode = 'full' | 'normal' | 'off' | 'paranoid';

export interface PageHeapOptions {
  /** `off` runs the raw core, `paranoid` the one that checks every access; the others the default core. */
  readonly mode: PageHeapMode;
  /** Full for blocks of these sizes, normal for the rest (/size). */
  readonly size?: readonly [number, number];
  /** Full with this chance in percent, normal otherwise (/random). */
  readonly random?: number;
  /** Full for blocks of these decoders, normal for the rest (/dlls). */
  readonly decoders?: readonly Decoder[];
  /** Full for blocks of these sites, normal for the rest (/address). */
  readonly sites?: readonly [number, number];
  /** The closed page lies before the block: underruns stop at once (/backwards). */
  readonly backwards?: boolean;
  /** Pageheap.exe's own layout: header, 8-byte alignment, suffix. Without it blocks end at their guard to the byte (/unaligned). */
  readonly aligned?: boolean;
  /** Share of allocations that fail, in hundredths of a percent, and how many come before (/fault). */
  readonly fault?: { readonly rate: number; readonly after: number };
  /** Blocks still live at the end of an operation are a stop (/leaks). */
  readonly leaks?: boolean;
  /** The allocator's own tables are checked on every call (/protect). */
  readonly protect?: boolean;
  /** Keep no trace of allocations (/notraces). */
  readonly noTraces?: boolean;
  /** Of sampling and faults. A replay takes the same decisions. */
  readonly seed?: number;
  /** Accepted as the original accepts them, without effect here: what was said, for the listing. */
  readonly ignored?: readonly string[];
}

export const FULL: PageHeapOptions = { mode: 'full' };

/** The build of the core that a mode needs. */
export const buildOf = ({ mode }: PageHeapOptions): 'core' | 'raw' | 'paranoid' =>
  mode === 'off' ? 'raw' : mode === 'paranoid' ? 'paranoid' : 'core';

/** What of the default core's behaviour `configure` takes: assembly/memory/options.ts. */
export const MODE = { full: 0, normal: 1, size: 2, random: 3, decoders: 4, sites: 5 } as const;
export const FLAG = { backwards: 1, aligned: 2, leaks: 4, protect: 8, noTraces: 16 } as const;

/** Settings as typed: one word each, values behind `=` or in the next word of the command line. */
export interface RawOptions {
  pageheap?: string;
  size?: string;
  random?: string;
  decoders?: string;
  sites?: string;
  backwards?: boolean;
  aligned?: boolean;
  unaligned?: boolean;
  fault?: string;
  leaks?: boolean;
  protect?: boolean;
  traces?: boolean;
  notraces?: boolean;
  decommit?: boolean;
  noSync?: boolean;
  noLockChecks?: boolean;
  seed?: string;
}

const bad = (message: string): UsageError => new UsageError('USAGE', message);

function whole(text: string, name: string, from: number, to: number): number {
  if (!/^\d+$/.test(text)) throw bad(`--${name}: "${text}" is not a whole number`);
  const n = Number(text);
  if (n < from || n > to) throw bad(`--${name}: ${text} is not between ${from} and ${to}`);
  return n;
}

function range(text: string, name: string, to: number): [number, number] {
  const [a, b, ...more] = text.split(':');
  if (a === undefined || b === undefined || more.length > 0) throw bad(`--${name} takes A:B, not "${text}"`);
  const pair: [number, number] = [whole(a, name, 0, to), whole(b, name, 0, to)];
  if (pair[0] > pair[1]) throw bad(`--${name}: ${a} is above ${b}`);
  return pair;
}

/** /fault rates are 1 to 10000, hundredths of a percent; 100 when none is given. pageheap.md 1. */
const FAULT_RATE_MAX = 10_000;
const FAULT_RATE_DEFAULT = 100;
/** The original waits 5 seconds; time cannot be replayed, so here it is allocations. */
const FAULT_AFTER_DEFAULT = 0;
const SEED_DEFAULT = 1;

/** Options that say which blocks are full: at most one of them, as with the original. */
const SELECTING = ['size', 'random', 'decoders', 'sites'] as const;

/** Throws UsageError where `raw` says what cannot be said together; pageheap.exe's rules, in the order of its help. */
function verifyTogether(raw: RawOptions, mode: PageHeapMode): void {
  const selecting = SELECTING.filter((name) => raw[name] !== undefined).map((name) => `--${name}`);
  if (raw.pageheap === 'full') selecting.unshift('--pageheap full');
  if (selecting.length > 1)
    throw bad(`${selecting[0]} and ${selecting[1]} exclude each other: at most one says what is full`);
  const [only] = selecting;
  if (only !== undefined && mode !== 'full')
    throw bad(`${only} chooses between full and normal: it excludes --pageheap ${mode}`);
  const isSampled = only !== undefined && raw.pageheap === undefined;
  if (raw.backwards && (isSampled || (mode !== 'full' && mode !== 'paranoid'))) {
    throw bad('--backwards needs --pageheap full or paranoid');
  }
  if (raw.aligned && raw.unaligned) throw bad('--aligned and --unaligned exclude each other');
  if (raw.aligned && raw.backwards)
    throw bad('--aligned and --backwards exclude each other: a block behind its guard has no header');
  if ((raw.aligned || raw.unaligned) && mode === 'normal') {
    throw bad(`--${raw.aligned ? 'aligned' : 'unaligned'} needs full blocks: --pageheap normal has none`);
  }
  // As in the original, /leaks switches full off; said together they contradict each other.
  if (raw.leaks && raw.pageheap === 'full') throw bad('--leaks and --pageheap full exclude each other');
  if (mode !== 'off') return;
  const needs = (['backwards', 'aligned', 'unaligned', 'leaks', 'protect', 'fault'] as const).find((name) => raw[name]);
  if (needs !== undefined) throw bad(`--${needs} needs a page heap: --pageheap off has none`);
}

/** Settings from what was typed. Throws UsageError in the words of the rule that was broken. */
export function parsePageHeap(raw: RawOptions): PageHeapOptions {
  const mode = raw.pageheap ?? 'full';
  if (mode !== 'full' && mode !== 'normal' && mode !== 'off' && mode !== 'paranoid') {
    throw bad(`--pageheap takes full, normal, paranoid or off, not "${mode}"`);
  }
  const isSampled = SELECTING.some((name) => raw[name] !== undefined);
  const chosen = raw.leaks && raw.pageheap === undefined && !isSampled ? 'normal' : mode;
  verifyTogether(raw, chosen);
  const ignored = [
    ...(raw.decommit ? ['decommit'] : []),
    ...(raw.noSync ? ['no-sync'] : []),
    ...(raw.noLockChecks ? ['no-lock-checks'] : []),
  ];
  return {
    mode: chosen,
    ...(raw.size === undefined ? {} : { size: range(raw.size, 'size', 0x7fffffff) }),
    ...(raw.random === undefined ? {} : { random: whole(raw.random, 'random', 0, 100) }),
    ...(raw.decoders === undefined ? {} : { decoders: decodersOf(raw.decoders) }),
    ...(raw.sites === undefined ? {} : { sites: range(raw.sites, 'sites', SITE_COUNT - 1) }),
    ...(raw.fault === undefined ? {} : { fault: faultOf(raw.fault) }),
    ...(raw.backwards ? { backwards: true } : {}),
    ...(raw.aligned ? { aligned: true } : {}),
    ...(raw.leaks ? { leaks: true } : {}),
    ...(raw.protect ? { protect: true } : {}),
    ...(raw.notraces || raw.traces === false ? { noTraces: true } : {}),
    ...(ignored.length === 0 ? {} : { ignored }),
    seed: raw.seed === undefined ? SEED_DEFAULT : whole(raw.seed, 'seed', 0, 0xffffffff),
  };
}

function decodersOf(text: string): Decoder[] {
  return text.split(',').map((name) => {
    const decoder = DECODERS.find((known) => known === name.trim());
    if (decoder === undefined) throw bad(`--decoders: no decoder "${name.trim()}"; there are ${DECODERS.join(', ')}`);
    return decoder;
  });
}

function faultOf(text: string): { rate: number; after: number } {
  const [rate, after, ...more] = text.split(':');
  if (more.length > 0) throw bad(`--fault takes RATE[:AFTER], not "${text}"`);
  return {
    rate: rate === '' || rate === undefined ? FAULT_RATE_DEFAULT : whole(rate, 'fault', 1, FAULT_RATE_MAX),
    after: after === undefined ? FAULT_AFTER_DEFAULT : whole(after, 'fault', 0, 0x7fffffff),
  };
}

/** The words of the listing: `full traces`; `off` when there is no page heap. */
export function flagsText(options: PageHeapOptions): string {
  const { mode, size, random, decoders, sites, fault, seed = SEED_DEFAULT } = options;
  if (mode === 'off') return mode;
  const isSelective = [size, random, decoders, sites].some((choice) => choice !== undefined);
  return [
    ...(mode === 'normal' || isSelective ? [] : ['full']),
    ...(options.noTraces ? [] : ['traces']),
    ...(options.backwards ? ['backwards'] : []),
    ...(options.aligned ? ['aligned'] : []),
    ...(options.leaks ? ['leaks'] : []),
    ...(options.protect ? ['protect'] : []),
    ...(size === undefined ? [] : [`size=${size.join(':')}`]),
    ...(random === undefined ? [] : [`random=${random}`]),
    ...(decoders === undefined ? [] : [`decoders=${decoders.join(',')}`]),
    ...(sites === undefined ? [] : [`sites=${sites.join(':')}`]),
    ...(fault === undefined ? [] : [`fault=${fault.rate}:${fault.after}`]),
    ...(random === undefined && fault === undefined ? [] : [`seed=${seed}`]),
    ...(mode === 'paranoid' ? ['paranoid'] : []),
  ].join(' ');
}

/** The listing of Pageheap.exe: name, `: page heap enabled with flags (`, `full ` when full, `traces `, `)`. */
export function listing(options: PageHeapOptions, program = 'pstwright'): string {
  if (options.mode === 'off') return `${program}: page heap is not enabled`;
  const flags = flagsText(options);
  return `${program}: page heap enabled with flags (${flags}${flags === '' ? '' : ' '})`;
}

/** Words of PSTWRIGHT_PAGEHEAP: the options without their dashes, `random=10 seed=7 protect`. */
const WORDS: Readonly<Record<string, keyof RawOptions>> = {
  size: 'size',
  random: 'random',
  decoders: 'decoders',
  sites: 'sites',
  fault: 'fault',
  seed: 'seed',
  backwards: 'backwards',
  aligned: 'aligned',
  unaligned: 'unaligned',
  leaks: 'leaks',
  protect: 'protect',
  notraces: 'notraces',
  decommit: 'decommit',
  'no-sync': 'noSync',
  'no-lock-checks': 'noLockChecks',
};
const VALUED: readonly string[] = ['size', 'random', 'decoders', 'sites', 'fault', 'seed'];
const MODES: readonly string[] = ['full', 'normal', 'paranoid', 'off'];

/** The variable that stands in for the command line. */
export const ENVIRONMENT = 'PSTWRIGHT_PAGEHEAP';

/** Settings from the words of the environment variable. Throws UsageError that names it. */
export function parseWords(text: string): PageHeapOptions {
  const raw: Record<string, string | boolean> = {};
  for (const word of text.split(/\s+/).filter((word) => word !== '')) {
    const [, name = '', value] = /^(?:--|\/)?([^=]*)(?:=(.*))?$/.exec(word) ?? [];
    const key = MODES.includes(name) ? 'pageheap' : Object.hasOwn(WORDS, name) ? WORDS[name] : undefined;
    const isValued = VALUED.includes(name);
    if (key === undefined || (value !== undefined) !== isValued) {
      throw bad(
        `${ENVIRONMENT}: "${word}" is ${key === undefined ? 'no option of the page heap' : isValued ? `missing its value, ${name}=…` : 'an option without a value'}`,
      );
    }
    if (key === 'pageheap' && raw[key] !== undefined)
      throw bad(`${ENVIRONMENT}: ${raw[key]} and ${name} exclude each other`);
    raw[key] = key === 'pageheap' ? name : (value ?? true);
  }
  try {
    return parsePageHeap(raw);
  } catch (error) {
    throw error instanceof UsageError ? bad(`${ENVIRONMENT}: ${error.message}`) : error;
  }
}
