/** `pstwright replay BUNDLE`: repeats a failed operation without its store. @module */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { PageHeapOptions } from '../core/options.js';
import { itemText } from '../core/sentence.js';
import { UsageError } from '../errors.js';
import { accessOf, traceAccesses } from '../replay/accesses.js';
import { type Bundle, decodeBundle, encodeBundle, inputBytes, type Outcome } from '../replay/bundle.js';
import { renderPage } from '../replay/html.js';
import { type Minimised, minimise } from '../replay/minimise.js';
import { writeDamagedStore, writeReducedStore } from '../replay/pst.js';
import { objectOf } from '../replay/rebuild.js';
import { redact } from '../replay/redact.js';
import type { Replay } from '../replay/replay.js';
import { type Observation, observe } from '../replay/steps.js';
import { nidName } from '../wire/nid.js';
import { action, EXIT, type ExitCode } from './exit.js';
import { escapeText, number, paint, print, printFields, printJson, size } from './output.js';
import { typedPageHeap } from './pageheap-options.js';
import { startProgress } from './progress.js';
import { printUntilAccess } from './replay-accesses.js';
import { printSteps, printUntil, VIEWS, type View } from './replay-steps.js';
import { VERSION } from './version.js';

const HELP = `
A bundle (NAME.replay) is written when a clone fails. It holds the options of the run, the blocks and pages that the failing operation
read, and what the mailbox, the folders above the item and the item's named properties are called; nothing else of the store. The replay runs that one operation again and compares how it ends. It runs under the page heap
of the bundle; --pageheap and its like show the failure under another.

--until N stops before allocation N of the operation; allocations are numbered from 1, as reports name them. --until N:M stops before the
M-th access of memory after allocation N (0: the beginning). --step goes through the operation from its first step to its last:
  --step            blocks taken and given back, and between them what was read and written in which block, by which lines
  --step calls      what the host asked of the core
  --step blocks     blocks taken and given back only
  --step accesses   every read and write: its bytes, block, offset and line; equal steps of one line are joined
Accesses are those of the build that checks each of them, as --pageheap paranoid does: it may end an operation earlier than the bundle says,
and --step says so. --html writes one file that needs nothing else.

Exit codes: 0 reproduced · 2 ended otherwise; what differs is listed · 3 not a bundle; no valid PST can hold what is left (--pst)`;

export function register(program: Command): void {
  program
    .command('replay')
    .description('repeat a failed operation from its bundle, without the store')
    .argument('<bundle>', 'NAME.replay, as a failed clone left it')
    .option('--minimise', 'reduce the bundle to the fewest properties and bytes that still fail in the same way')
    .option('--redact', 'replace all text, addresses and attachments by letters of the same length')
    .option('--html <file>', 'also write what happened as a page: the report, the heap, the item, the allocations')
    .option(
      '--until <n[:m]>',
      'stop before allocation <n>, or before access <m> after it, and show the heap as it is then',
    )
    .option('--step [what]', 'walk through the operation, step by step on a terminal: calls, blocks or accesses')
    .option('-o, --out <file>', 'where the minimised or redacted bundle goes')
    .option('--pst <file>', 'also write what is left as a small PST, where a valid one can hold it')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', HELP)
    .action(action(run));
}

interface Options {
  minimise?: true;
  redact?: true;
  html?: string;
  until?: string;
  step?: true | string;
  out?: string;
  pst?: string;
  json?: true;
}

function run(path: string, options: Options, command: Command): ExitCode | Promise<ExitCode> {
  const bundle = load(path);
  const { html, until, step } = options;
  if ([html, until, step, options.minimise ?? options.redact].filter((each) => each !== undefined).length > 1) {
    throw new UsageError('USAGE', '--html, --until, --step and --minimise or --redact exclude each other');
  }
  if (options.minimise || options.redact) return reduce(bundle, path, options);
  if (options.out !== undefined || options.pst !== undefined) {
    throw new UsageError('USAGE', '--out and --pst go with --minimise or --redact');
  }
  const pageheap = typedPageHeap(command);
  if (until !== undefined) {
    const access = accessOf(until);
    if (access !== undefined) return printUntilAccess(bundle, access, pageheap, options.json === true);
    return printUntil(bundle, ordinalOf(until), pageheap, options.json === true);
  }
  if (step !== undefined) return printSteps(bundle, viewOf(step), pageheap, options.json === true);
  const observation = observe(bundle, pageheap);
  const result = observation.replay;
  if (html !== undefined) {
    writeNew(html, Buffer.from(pageOf(bundle, path, observation, pageheap)), 'name');
  }
  if (options.json) {
    const { isReproduced, differences, outcome } = result;
    const { ranges: _, ...rest } = bundle;
    printJson({ isReproduced, differences, outcome, bundle: { ...rest, inputBytes: inputBytes(bundle) } });
  } else {
    printReplay(bundle, result);
    if (html !== undefined) print(`\nthe page is ${escapeText(html)}`);
  }
  return result.isReproduced ? EXIT.OK : EXIT.DAMAGE;
}

/** Of damage single accesses tell nothing, and the raw core counts none. */
function pageOf(bundle: Bundle, path: string, observation: Observation, pageheap?: PageHeapOptions): string {
  const { outcome, core } = observation.replay;
  const hasAccesses = (outcome.kind === 'stop' || outcome.kind === 'fault') && core.build !== 'raw';
  return renderPage(bundle, observation, {
    bundleName: basename(path),
    engine: VERSION,
    ...(hasAccesses ? { accesses: traceAccesses(bundle, pageheap) } : {}),
  });
}

function load(path: string): Bundle {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UsageError('NOT_FOUND', `${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  return decodeBundle(bytes, path);
}

/** Minimises first, so that less has to be redacted; each step is written only when it still fails in the same way. */
function reduce(bundle: Bundle, path: string, options: Options): ExitCode {
  const out = options.out ?? path.replace(/(\.replay)?$/, options.redact ? '.redacted.replay' : '.minimised.replay');
  const document: Record<string, unknown> = { out };
  const lines: string[] = [];
  let result = bundle;
  let isDone = true;
  let refusal: UsageError | undefined;
  if (options.minimise) {
    const progress = startProgress('minimise');
    let small: Minimised;
    try {
      small = minimise(bundle, { progress: (replays) => progress.update(replays) });
    } finally {
      progress.stop();
    }
    result = small.bundle;
    const { before, after, replays, isIrreducible, unit, refused } = small;
    document.minimised = { before, after, replays, isIrreducible, unit, refused };
    isDone = refused === undefined;
    lines.push(
      refused === undefined
        ? `minimised: ${number(before)} bytes of the store to ${number(after)} in ${number(replays)} replays`
        : `not minimised: ${refused}`,
    );
    if (isDone)
      lines.push(isIrreducible ? 'nothing more can be removed' : 'more might be removed; the replays were used up');
  }
  if (options.redact) {
    const hidden = redact(result);
    document.redacted = { replaced: hidden.replaced, kept: hidden.kept, refused: hidden.refused };
    if (hidden.refused === undefined) {
      result = hidden.bundle;
      lines.push(
        `redacted: ${number(hidden.replaced)} values replaced, ${number(hidden.kept.length)} kept because it fails only with them`,
      );
      for (const place of hidden.kept) lines.push(`  kept: ${escapeText(place)}`);
      lines.push(REDACTED_STAYS);
    } else {
      isDone = false;
      lines.push(`not redacted: ${hidden.refused}`);
    }
  }
  if (isDone) {
    writeNew(out, encodeBundle(result));
    lines.push(`written to ${escapeText(out)}`);
    try {
      if (options.pst !== undefined) document.pst = writePst(options.pst, result, lines);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      refusal = error; // the bundle is written all the same
    }
  } else {
    lines.push('nothing written');
  }
  if (options.json) printJson({ ...document, written: isDone });
  else for (const line of lines) print(line);
  if (refusal !== undefined) throw refusal;
  return isDone ? EXIT.OK : EXIT.DAMAGE;
}

/** What is left, as a PST: redacted, if the bundle is. */
function writePst(path: string, bundle: Bundle, lines: string[]): { path: string; nid: number } {
  const object = objectOf(bundle);
  const nid = object === undefined ? writeDamagedStore(path, bundle) : writeReducedStore(path, object);
  lines.push(`what is left is node ${hex(nid)} of ${escapeText(path)}`);
  return { path, nid };
}

const REDACTED_STAYS = 'structure, lengths, numbers, times and identifiers are as they were';

function writeNew(path: string, bytes: Uint8Array, way = 'name with --out'): void {
  try {
    writeFileSync(path, bytes, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new UsageError('TARGET_EXISTS', `${path} exists; choose another ${way}`);
  }
}

/** 9 digits: allocations of an operation are counted in 32 bits. */
function ordinalOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new UsageError('USAGE', `--until takes the number of an allocation, from 1, not "${text}"`);
  }
  return Number(text);
}

function viewOf(step: true | string): View | undefined {
  if (step === true) return undefined;
  const view = VIEWS.find((name) => name === step);
  if (view === undefined) throw new UsageError('USAGE', `--step takes calls, blocks or accesses, not "${step}"`);
  return view;
}

const hex = (n: number): string => `0x${n.toString(16)}`;

const textOf = (outcome: Outcome): string =>
  outcome.kind === 'none'
    ? 'no failure'
    : outcome.kind === 'error'
      ? `${outcome.code}: ${outcome.message}`
      : outcome.message;

function printReplay(bundle: Bundle, { outcome, isReproduced, differences }: Replay): void {
  const { operation, source, policy } = bundle;
  const path = bundle.path
    .map(({ nid, name }) => (name === '' ? itemText({ nid, tag: 0 }) : escapeText(name)))
    .join(' / ');
  printFields([
    ['store', `${escapeText(source.name)}, ${size(source.size)}`],
    ['policy', policy.reencode ? `${policy.name}, re-encoded` : policy.name],
    [
      'operation',
      operation.kind === 'open'
        ? 'opening the store'
        : `the ${number(operation.ordinal)}. of the run: ${nidName(operation.nid)} ${hex(operation.nid)}`,
    ],
    ...(path === '' ? [] : [['path', path] as const]),
    ['input', `${size(inputBytes(bundle))} in ${number(bundle.ranges.length)} ranges`],
    ['engine', `${bundle.engine}, core ${bundle.core.build} ${bundle.core.hash.slice(0, 12)}`],
    ...(bundle.changes.length === 0 ? [] : [['changed', bundle.changes.join(', ')] as const]),
    ...redactionFields(bundle),
    ['it ended', escapeText(textOf(bundle.outcome))],
    ['now', escapeText(textOf(outcome))],
  ]);
  print();
  print(isReproduced ? paint('green', 'reproduced') : paint('red', 'not reproduced'));
  for (const difference of differences) print(`  ${escapeText(difference)}`);
}

/** What a redacted bundle still shows of its store. */
function redactionFields({ redaction }: Bundle): (readonly [string, string])[] {
  if (redaction === undefined) return [];
  const { replaced, kept } = redaction;
  return [
    ['redacted', `${number(replaced)} values replaced; ${REDACTED_STAYS}`],
    ...kept.map((place) => ['kept', escapeText(place)] as const),
  ];
}
