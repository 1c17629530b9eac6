/** `pstwright replay BUNDLE`: repeats a failed operation without its store. @module */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { type Bundle, decodeBundle, inputBytes, type Outcome } from '../replay/bundle.js';
import { type Replay, replay } from '../replay/replay.js';
import { nidName } from '../wire/nid.js';
import { action, EXIT, type ExitCode } from './exit.js';
import { escapeText, number, paint, print, printFields, printJson, size } from './output.js';

const HELP = `
A bundle (NAME.replay) is written when a clone fails. It holds the options of the run and the blocks and pages that the failing
operation read, nothing else of the store. The replay runs that one operation again and compares how it ends.

Exit codes: 0 reproduced · 2 ended otherwise; what differs is listed · 3 not a bundle`;

export function register(program: Command): void {
  program
    .command('replay')
    .description('repeat a failed operation from its bundle, without the store')
    .argument('<bundle>', 'NAME.replay, as a failed clone left it')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', HELP)
    .action(action(run));
}

function run(path: string, options: { json?: true }): ExitCode {
  const bundle = load(path);
  const result = replay(bundle);
  if (options.json) {
    const { isReproduced, differences, outcome } = result;
    const { ranges: _, ...rest } = bundle;
    printJson({ isReproduced, differences, outcome, bundle: { ...rest, inputBytes: inputBytes(bundle) } });
  } else {
    printReplay(bundle, result);
  }
  return result.isReproduced ? EXIT.OK : EXIT.DAMAGE;
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

const hex = (n: number): string => `0x${n.toString(16)}`;

const textOf = (outcome: Outcome): string =>
  outcome.kind === 'none'
    ? 'no failure'
    : outcome.kind === 'error'
      ? `${outcome.code}: ${outcome.message}`
      : outcome.message;

function printReplay(bundle: Bundle, { outcome, isReproduced, differences }: Replay): void {
  const { operation, source, policy } = bundle;
  const path = bundle.path.map(({ nid, name }) => (name === '' ? hex(nid) : escapeText(name))).join(' / ');
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
    ['it ended', escapeText(textOf(bundle.outcome))],
    ['now', escapeText(textOf(outcome))],
  ]);
  print();
  print(isReproduced ? paint('green', 'reproduced') : paint('red', 'not reproduced'));
  for (const difference of differences) print(`  ${escapeText(difference)}`);
}
