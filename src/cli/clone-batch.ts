/** `pstwright clone STORE|FOLDER|LIST... --out FOLDER`: many stores in one run. @module */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { UsageError } from '../errors.js';
import { type BatchReport, cloneBatch, JOBS_MAX } from '../migrate/batch.js';
import type { OnError } from '../migrate/clone.js';
import { planControl, readControl } from '../migrate/control.js';
import { findStores, selectAccounts } from '../migrate/inputs.js';
import type { Failure, MailboxResult } from '../migrate/mailbox.js';
import { KINDS } from '../migrate/tally.js';
import { parseAccounts, readText } from '../migrate/textfile.js';
import { earlierBundle } from './capture.js';
import { printOmitted } from './clone-omitted.js';
import { EXIT, type ExitCode } from './exit.js';
import { type Cell, count, escapeText, number, paint, print, printJson, printTable, size } from './output.js';
import { stopCodesOf } from './pageheap-options.js';
import { startProgress } from './progress.js';
import { VERSION } from './version.js';

export interface BatchOptions {
  out?: string;
  control?: string;
  accounts?: string;
  encoding?: string;
  jobs?: string;
  onError?: OnError;
  fresh?: true;
  reencode?: true;
  manifest?: boolean;
  json?: true;
}

/** Names of mailboxes that were not run, as many as a person reads. */
const NAMES_SHOWN = 10;

const HELP = `
Many stores:
  pstwright clone exports --out copies          every .pst and .ost in exports and below it
  pstwright clone a.pst b.ost more.txt --out copies
  pstwright clone exports --control batch.ctl   what a control file of the Exchange Migration Wizard says

A list has one store a line: a path, counted from the list, or an account, whose NAME.pst or NAME.ost lies beside the list.
Each store becomes FOLDER/NAME.pst with its manifest; of two stores with one name the second becomes NAME-2.pst. A store arrives whole or
not at all; with --on-error skip it may lack items that failed, each of them listed. Run the same command again to go on after a break: what is complete is skipped, FOLDER/pstwright.journal knows.
One run at a time works in a folder: FOLDER/pstwright.lock names it, and a later run takes over what a killed one left.
When stores fail: 2, or 3 when nothing was done at all; a verifier stop is 4.`;

export function addBatchOptions(command: Command): Command {
  return command
    .option('--out <folder>', 'copy many stores: each becomes FOLDER/NAME.pst')
    .option('--control <file>', 'copy many stores as a control file of the Exchange Migration Wizard says')
    .option('--accounts <file>', 'of many stores only those this file names, one account a line')
    .option('--encoding <name>', 'of the control, accounts and list files; default: UTF-8, or UTF-16 as it is marked')
    .option('--jobs <n>', 'stores copied at a time; default: as many as the machine has processors')
    .addOption(
      new Option('--on-error <what>', 'when something fails: end the run, or go on without that item or store').choices(
        ['stop', 'skip'],
      ),
    )
    .option('--fresh', 'refuse to go on with an earlier run')
    .addHelpText('after', HELP);
}

/** Whether many stores are asked for. Throws UsageError when an option goes with nothing else. */
export function isBatch({ out, control, ...options }: BatchOptions): boolean {
  if (out !== undefined || control !== undefined) return true;
  const stray = (['accounts', 'encoding', 'jobs', 'fresh'] as const).find((name) => options[name] !== undefined);
  if (stray !== undefined) throw new UsageError('USAGE', `--${stray} is for many stores; name their folder with --out`);
  return false;
}

/** The two arguments of a clone of one store. Throws UsageError. */
export function single(
  source: string | undefined,
  target: string | undefined,
  more: readonly string[],
): [source: string, target: string] {
  if (source === undefined || target === undefined || more.length > 0) {
    throw new UsageError('USAGE', 'clone takes a source and a target; --out FOLDER copies many stores');
  }
  return [source, target];
}

/** What the arguments come to. */
interface Batch {
  readonly stores: readonly string[];
  readonly out: string;
  readonly warnings: readonly string[];
}

function plan(args: readonly string[], options: BatchOptions): Batch {
  const { encoding } = options;
  const line = {
    hasOut: options.out !== undefined,
    hasStores: args.length > 0,
    hasAccounts: options.accounts !== undefined,
  };
  const control = options.control === undefined ? undefined : readControl(options.control, encoding);
  const asked = control === undefined ? undefined : planControl(control, line);
  const out = options.out ?? asked?.out;
  if (out === undefined) {
    throw new UsageError(
      'USAGE',
      `${options.control}: no folder for the copies; say --out FOLDER, or ImportDestination,PST and PSTPath in the file`,
    );
  }
  const stores = line.hasStores ? args : asked?.source === undefined ? [] : [asked.source];
  if (stores.length === 0) throw new UsageError('USAGE', 'no store to copy; name stores, a folder or a list');
  const found = findStores(stores, { out, encoding });
  const accountsPath = options.accounts ?? asked?.accounts;
  if (accountsPath === undefined) return { stores: found, out, warnings: asked?.warnings ?? [] };
  const accounts = parseAccounts(readText(accountsPath, encoding), accountsPath);
  return {
    stores: selectAccounts(found, accounts.names),
    out,
    warnings: [...(asked?.warnings ?? []), ...accounts.warnings],
  };
}

function jobsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const jobs = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (jobs >= 1 && jobs <= JOBS_MAX) return jobs;
  throw new UsageError('USAGE', `--jobs is a number from 1 to ${JOBS_MAX}, not "${text}"`);
}

/** The threads' entry beside this file, built or not. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './clone-worker.ts' : './clone-worker.js', import.meta.url);

export async function runBatch(args: readonly (string | undefined)[], options: BatchOptions): Promise<ExitCode> {
  const jobs = jobsOf(options.jobs);
  if (options.manifest === false) {
    throw new UsageError('USAGE', '--no-manifest cannot go with --out: a rerun needs the manifests');
  }
  const batch = plan(
    args.filter((arg) => arg !== undefined),
    options,
  );
  const started = performance.now();
  const progress = startProgress('copy', 0, 'bytes');
  let report: BatchReport;
  try {
    report = await cloneBatch(batch.stores, {
      out: batch.out,
      engine: VERSION,
      worker: WORKER,
      onError: options.onError ?? 'stop',
      fresh: options.fresh === true,
      stopCodes: stopCodesOf(),
      clone: { reencode: options.reencode === true },
      ...(jobs === undefined ? {} : { jobs }),
      progress({ done, total, mailboxes, ended }) {
        progress.phase(`${number(ended)} of ${count(mailboxes, 'mailbox', 'mailboxes')}`);
        progress.update(done, total);
      },
    });
  } finally {
    progress.stop();
  }
  const seconds = (performance.now() - started) / 1000;
  const exitCode = exitCodeOf(report, batch.warnings);
  if (options.json) printJson(asJson(report, batch.warnings, seconds, exitCode));
  else printReport(report, batch.warnings, seconds);
  return exitCode;
}

/** Ours before theirs, and refused only when that is all that happened. */
function exitCodeOf({ mailboxes }: BatchReport, warnings: readonly string[]): ExitCode {
  const families = new Set(mailboxes.flatMap(({ failure }) => (failure === undefined ? [] : [failure.family])));
  if (families.has('stop') || families.has('bug')) return EXIT.STOP;
  if (families.size > 0) {
    const isAllRefused = families.size === 1 && families.has('refused') && !mailboxes.some(isThere);
    return isAllRefused ? EXIT.REFUSED : EXIT.DAMAGE;
  }
  if (mailboxes.some(isLacking)) return EXIT.DAMAGE;
  const hasFindings = mailboxes.some(({ findings = 0 }) => findings > 0);
  return warnings.length > 0 || hasFindings ? EXIT.WARNINGS : EXIT.OK;
}

/** Something in it failed, and the rest is there. */
const isLacking = ({ omitted = [], rebuilt = [] }: MailboxResult): boolean => omitted.length + rebuilt.length > 0;

const isThere = ({ state }: MailboxResult): boolean => state === 'copied' || state === 'skipped';

function asJson(
  { firstFailure, ...report }: BatchReport,
  warnings: readonly string[],
  seconds: number,
  exitCode: ExitCode,
): Record<string, unknown> {
  const left = earlierBundles(report.mailboxes);
  return { ...report, firstFailure: firstFailure?.index ?? null, earlierBundles: left, warnings, seconds, exitCode };
}

/** Bundles beside mailboxes that have arrived whole: an earlier run failed at them. */
const earlierBundles = (mailboxes: readonly MailboxResult[]): string[] =>
  mailboxes
    .filter((result) => isThere(result) && (result.omitted ?? []).length === 0)
    .map(({ target }) => `${target}.replay`)
    .filter((path) => existsSync(path));

// --- for people -------------------------------------------------------------------------------------------------------

const NAMES: Readonly<Record<(typeof KINDS)[number], string>> = {
  nodes: 'nodes',
  folders: 'folders',
  messages: 'messages',
  associated: 'associated items',
  embedded: 'embedded messages',
  attachments: 'attachments',
};

function printReport(report: BatchReport, warnings: readonly string[], seconds: number): void {
  const { mailboxes, totals, jobs } = report;
  const atATime = jobs === 1 ? 'one at a time' : `${jobs} at a time`;
  print(paint('bold', `${count(mailboxes.length, 'mailbox', 'mailboxes')} → ${escapeText(report.out)}`));
  const read = mailboxes.reduce((sum, { state, sourceSize = 0 }) => sum + (state === 'copied' ? sourceSize : 0), 0);
  print(`${size(read)} copied in ${seconds.toFixed(2)} s, ${atATime}`);
  print();
  printTable(mailboxes.map(mailboxRow), {
    head: ['mailbox', 'folders', 'messages', 'associated', 'attachments', 'size', 'result'],
    indent: 2,
  });
  print();
  printTable(
    KINDS.map((kind) => {
      const { expected, copied, rewritten, skipped, failed } = totals[kind];
      return [NAMES[kind], expected, copied, rewritten, skipped, failed];
    }),
    { head: ['in all', 'expected', 'copied', 'rewritten', 'skipped', 'failed'], indent: 2 },
  );
  print();
  printFailures(report);
  for (const warning of warnings) print(paint('yellow', escapeText(warning)));
  const withFindings = mailboxes.filter(({ findings = 0 }) => findings > 0).length;
  if (withFindings > 0) {
    const have = withFindings === 1 ? 'source has' : 'sources have';
    print(
      paint('yellow', `${count(withFindings, have, have)} faults of their own, copied as they are; see the manifests`),
    );
  }
  for (const path of earlierBundles(mailboxes)) print(earlierBundle(path));
  const lacking = mailboxes.filter(isLacking);
  for (const { store, omitted = [], rebuilt = [] } of lacking) {
    if (omitted.length > 0) print(paint('red', `${count(omitted.length, 'item')} of ${escapeText(store)} left out:`));
    printOmitted(omitted);
    if (rebuilt.length > 0) print(paint('red', `${count(rebuilt.length, 'table')} of ${escapeText(store)} made anew:`));
    printOmitted(rebuilt);
  }
  if (lacking.length === 0 && mailboxes.every(isThere)) print(paint('green', 'Everything arrived.'));
}

/** Where a mailbox comes from, and its new name where that differs. */
const nameOf = ({ store, target }: MailboxResult): string => {
  const [from, to] = [basename(store), basename(target)];
  return escapeText(from === to ? from : `${from} → ${to}`);
};

function mailboxRow(result: MailboxResult): Cell[] {
  const { items, sourceSize } = result;
  const counts = (['folders', 'messages', 'associated', 'attachments'] as const).map((kind) =>
    items === undefined ? '' : items[kind].expected,
  );
  return [nameOf(result), ...counts, sourceSize === undefined ? '' : size(sourceSize), stateText(result)];
}

function stateText({ state, failure, findings = 0, omitted = [], rebuilt = [] }: MailboxResult): string {
  switch (state) {
    case 'copied':
      if (omitted.length > 0) return paint('red', `copied without ${count(omitted.length, 'item')}`);
      if (rebuilt.length > 0) return paint('red', `copied, ${count(rebuilt.length, 'table')} made anew`);
      return findings > 0 ? paint('yellow', `copied, with ${count(findings, 'fault')} of its own`) : 'copied';
    case 'skipped':
      if (omitted.length > 0)
        return paint('red', `skipped: copied without ${count(omitted.length, 'item')} by an earlier run`);
      return 'skipped: complete since an earlier run';
    case 'not run':
      return 'not run';
    case 'failed':
      return paint('red', FAMILIES[failure?.family ?? 'bug']);
  }
}

const FAMILIES: Readonly<Record<Failure['family'], string>> = {
  store: 'failed: damaged',
  injected: 'failed: as was asked for',
  refused: 'refused',
  stop: 'failed: verifier stop',
  bug: 'failed: our bug',
};

function printFailures({ mailboxes, firstFailure, onError, journal }: BatchReport): void {
  if (firstFailure === undefined) return;
  const { failure } = firstFailure;
  print(paint('red', `First failing mailbox: ${escapeText(firstFailure.store)}`));
  printFailure(failure, true);
  const others = mailboxes.filter(({ failure: other }) => other !== undefined && other !== failure);
  for (const other of others) {
    print(paint('red', `Failed, too: ${escapeText(other.store)}`));
    printFailure(other.failure!, false);
  }
  const left = mailboxes.filter(({ state }) => state === 'not run');
  if (left.length > 0) {
    const why = onError === 'stop' ? '; --on-error skip goes on after a failure' : '';
    const more = left.length > NAMES_SHOWN ? `, … ${number(left.length - NAMES_SHOWN)} more` : '';
    print(`Not run: ${left.slice(0, NAMES_SHOWN).map(nameOf).join(', ')}${more}${why}`);
  }
  print(`The same command goes on from here; ${escapeText(resolve(journal))} knows what is complete.`);
}

/** In full: with the report of a stop, which shows bytes of the store. */
function printFailure({ family, message, text, bundle }: Failure, isFull: boolean): void {
  for (const line of (isFull && text !== undefined ? text : message).split('\n'))
    print(`  ${escapeText(line)}`.trimEnd());
  if (family === 'bug' || family === 'stop') print('  This is a bug in pstwright, not a fault of your file.');
  if (bundle !== undefined) print(`  Its replay bundle: ${escapeText(bundle)}`);
}
