/**
 * The page heap's options, the same for every verb: added to each command, read before its action runs, and set for every core of the
 * run. Without any of them the environment variable decides; without that the page heap is full.
 * @module
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { Core } from '../core/core.js';
import {
  ENVIRONMENT,
  FULL,
  type PageHeapOptions,
  parsePageHeap,
  parseWords,
  type RawOptions,
} from '../core/options.js';
import type { StopCodes } from '../core/stopcodes.js';

const GROUP = 'Page heap options, for every verb:';

/** Flags, what they mean, and in which member of RawOptions they arrive. */
const OPTIONS: readonly (readonly [flags: string, help: string, key: keyof RawOptions])[] = [
  ['--pageheap <mode>', 'full (default), normal, paranoid or off', 'pageheap'],
  ['--size <a:b>', 'full for blocks of A to B bytes, normal for the rest', 'size'],
  ['--random <percent>', 'full with this chance, normal for the rest', 'random'],
  ['--decoders <names>', 'full for blocks of these decoders (ltp.pc,rtf), normal for the rest', 'decoders'],
  ['--sites <a:b>', 'full for blocks of these allocation sites, normal for the rest', 'sites'],
  ['--seed <number>', 'of what --random and --fault draw (default: 1)', 'seed'],
  ['--backwards', 'the closed page before the block, not behind it', 'backwards'],
  ['--aligned', "the original tool's layout: header, 8-byte alignment, pattern behind the block", 'aligned'],
  ['--unaligned', 'blocks end at their closed page to the byte (default)', 'unaligned'],
  ['--fault <rate[:after]>', 'make allocations fail: RATE of 10000, after the first AFTER', 'fault'],
  ['--leaks', 'stop at blocks that are left over; normal unless said otherwise', 'leaks'],
  ['--protect', "check the page heap's own tables on every call; slow", 'protect'],
  ['--notraces', 'keep no list of allocations and frees', 'notraces'],
  ['--no-sync', 'accepted and ignored: a core has one thread', 'noSync'],
  ['--no-lock-checks', 'accepted and ignored: there are no locks', 'noLockChecks'],
  ['--decommit', 'accepted and ignored, as the original does since Windows XP', 'decommit'],
];

const STOP_CODES = '--stop-codes <era>';

/** Why an option without effect has none. */
const IGNORED: Readonly<Record<string, string>> = {
  'no-sync': 'a core is used by one thread only',
  'no-lock-checks': 'the core has no locks',
  decommit: 'closed pages are never given to the system',
};

let stopCodes: StopCodes = 'modern';

/** The era of stop codes that reports speak. */
export const stopCodesOf = (): StopCodes => stopCodes;

function parseStopCodes(text: string): StopCodes {
  if (text === 'classic' || text === 'modern') return text;
  throw new InvalidArgumentError('It is classic or modern.');
}

/** Adds the options to a verb: shown in the help of `pageheap`, hidden in that of all others. */
export function addPageHeapOptions(command: Command): void {
  const isShown = command.name() === 'pageheap';
  const add = (option: Option): void => {
    if (command.options.some(({ long }) => long === option.long)) return; // a verb's own meaning goes first
    command.addOption(isShown ? option.helpGroup(GROUP) : option.hideHelp());
  };
  for (const [flags, help] of OPTIONS) add(new Option(flags, help));
  const codes = new Option(
    STOP_CODES,
    'codes of stops: modern, a code per case (default), or classic, 8 for all corruption',
  );
  add(codes.argParser(parseStopCodes));
  if (!isShown)
    command.addHelpText(
      'after',
      '\nOptions of the page heap (--pageheap, --random, --fault …): pstwright pageheap --help',
    );
}

/** What was typed for the page heap on the command line of `command`; undefined when nothing was. */
function typed(command: Command): RawOptions | undefined {
  const raw: Record<string, unknown> = {};
  for (const [flags, , key] of OPTIONS) {
    const option = command.options.find(({ flags: known }) => known === flags);
    if (option === undefined) continue;
    const name = option.attributeName();
    if (command.getOptionValueSource(name) === 'cli') raw[key] = option.negate ? true : command.getOptionValue(name);
  }
  return Object.keys(raw).length === 0 ? undefined : (raw as RawOptions);
}

/** Settings that were typed with a verb, for verbs that know better than the default: a replay has those of its bundle. */
export function typedPageHeap(command: Command): PageHeapOptions | undefined {
  const raw = typed(command);
  return raw === undefined ? undefined : parsePageHeap(raw);
}

export type SettingsOrigin = 'command line' | typeof ENVIRONMENT | 'default';
let origin: SettingsOrigin = 'default';
/** Who has said what the settings are. */
export const settingsOrigin = (): SettingsOrigin => origin;

/** Sets the page heap for every core of the run. Throws UsageError. */
export function applyPageHeap(command: Command): void {
  const given = typedPageHeap(command);
  const words = process.env[ENVIRONMENT] ?? '';
  origin = given !== undefined ? 'command line' : words.trim() !== '' ? ENVIRONMENT : 'default';
  Core.settings = given ?? (origin === ENVIRONMENT ? parseWords(words) : FULL);
  stopCodes = (command.getOptionValue('stopCodes') as StopCodes | undefined) ?? 'modern';
  for (const name of Core.settings.ignored ?? []) {
    process.stderr.write(`pstwright: --${name} is accepted and ignored: ${IGNORED[name]}\n`);
  }
}
