/** `pstwright clone SOURCE TARGET`: the main job. @module */
import type { Command } from 'commander';
import { flagsText } from '../core/options.js';
import { UsageError } from '../errors.js';
import { type CloneReport, cloneFile } from '../migrate/clone.js';
import { makeManifest, writeManifest } from '../migrate/manifest.js';
import { tallyOfCopy } from '../migrate/tally.js';
import { withCapture } from './capture.js';
import { addBatchOptions, type BatchOptions, isBatch, runBatch, single } from './clone-batch.js';
import { printOmitted } from './clone-omitted.js';
import { action, EXIT, type ExitCode, errorText } from './exit.js';
import {
  count,
  escapeText,
  hexBytes,
  number,
  paint,
  print,
  printFields,
  printJson,
  printTable,
  size,
} from './output.js';
import { startProgress } from './progress.js';
import { VERSION } from './version.js';

interface Options extends BatchOptions {
  reencode?: true;
  manifest: boolean;
  json?: true;
}

const HELP = `
Copies a whole Unicode store (PST, or OST of Outlook 2003 to 2010) into a new PST. Folder IDs, entry IDs, source and
change keys, the record key, rules, views, search folders and named properties stay what they were; nothing is renumbered.
The source is opened for reading only. TARGET must not exist; it appears under its name only when it is whole, has been
read back: every node names the same blocks, and every block has the bytes it has in the source (length and CRC; after
--reencode, every node has the same digest). TARGET.manifest keeps a digest of every node.

Example:
  pstwright clone old.pst new.pst
  pstwright verify old.pst new.pst      proves it again, at any later time

When it fails, TARGET.replay holds the failing operation and all it read; \`pstwright replay\` repeats it elsewhere. With --on-error skip
a message that fails is left out with its rows and counts (or an attachment alone), a contents table is made anew from its messages, and
the rest arrives; all of it is listed here and in the manifest, and TARGET.replay is of the first. Where the store cannot be finished
without what failed (folders, names, the store itself), nothing is written, as without the option.

Exit codes: 0 everything arrived · 1 arrived, and the source has faults of its own, listed · 2 the source is damaged, nothing was
written, or with --on-error skip something failed and the rest arrived · 3 refused (TARGET exists, not a Unicode store, bad arguments) · 4 the verifier stopped: our bug`;

export function register(program: Command): void {
  const command = program
    .command('clone')
    .description('copy a store into a new PST, every identifier as it was; with --out: many stores')
    .argument('[source]', 'store to read: a Unicode PST or OST; with --out also a folder, or a list of stores')
    .argument('[target]', 'PST to write; must not exist')
    .argument('[more...]', 'with --out: more stores, folders and lists')
    .option('--reencode', 'decode and encode every property context and table anew instead of keeping their blocks')
    .option('--no-manifest', 'write no TARGET.manifest')
    .option('--json', 'print one JSON document instead of text');
  addBatchOptions(command.addHelpText('after', HELP)).action(action(dispatch));
}

function dispatch(
  source: string | undefined,
  target: string | undefined,
  more: readonly string[],
  options: Options,
): ExitCode | Promise<ExitCode> {
  if (isBatch(options)) return runBatch([source, target, ...more], options);
  return run(...single(source, target, more), options);
}

function run(source: string, target: string, options: Options): ExitCode {
  const started = performance.now();
  const progress = startProgress('copy');
  let report: CloneReport;
  try {
    const reencode = options.reencode === true;
    report = withCapture({ source, bundle: `${target}.replay`, reencode }, (recorder, onFailure) =>
      cloneFile(source, target, {
        reencode,
        recorder,
        onFailure,
        onError: options.onError ?? 'stop',
        progress(phase, done, total) {
          progress.phase(phase);
          progress.update(done, total);
        },
      }),
    );
  } finally {
    progress.stop();
  }
  let manifest: string | undefined;
  let unproved: UsageError | undefined;
  try {
    if (options.manifest) manifest = writeManifest(makeManifest(report, VERSION), target);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    unproved = error; // the target is whole and has its name: say what arrived all the same
  }
  const seconds = (performance.now() - started) / 1000;
  if (options.json) printJson(asJson(report, manifest, seconds));
  else printReport(report, target, manifest, seconds);
  if (unproved !== undefined) {
    process.stderr.write(
      `${errorText(unproved)}\npstwright: the clone itself is whole; only its manifest is missing\n`,
    );
    return EXIT.DAMAGE;
  }
  if (report.omitted.length + report.rebuilt.length > 0) return EXIT.DAMAGE;
  return report.findings.length > 0 ? EXIT.WARNINGS : EXIT.OK;
}

const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;

function asJson(report: CloneReport, manifest: string | undefined, seconds: number): Record<string, unknown> {
  const { nids, digests: _, layout, findings, ...rest } = report;
  return {
    ...rest,
    nodes: nids.length,
    items: tallyOfCopy(report),
    target: { ...report.target, blocks: layout.blocks, treePages: layout.treePages, intervals: layout.intervals },
    manifest,
    seconds,
    peakBytes: peakBytes(),
    findings: findings.map(({ code, reason, where }) => ({ code, message: reason, where })),
  };
}

const ENCODINGS = ['not encoded', 'permute', 'cyclic'] as const;
const NAMES = [
  ['folders', 'folders'],
  ['messages', 'messages'],
  ['associated', 'associated items (rules, views, forms)'],
  ['embedded', 'embedded messages'],
  ['recipients', 'recipients'],
  ['attachments', 'attachments'],
  ['properties', 'properties'],
  ['rows', 'table rows'],
  ['nodes', 'nodes'],
  ['subnodes', 'subnodes'],
] as const;
/** Findings printed; the manifest has all. */
const FINDINGS_SHOWN = 20;

function printReport(report: CloneReport, target: string, manifest: string | undefined, seconds: number): void {
  const { counters, targetCounters, blocks, source, omitted, rebuilt, indexes, failed, amended } = report;
  const failedOf: Partial<Record<keyof typeof counters, number>> = failed;
  print(paint('bold', `${escapeText(source.name)} → ${escapeText(target)}`));
  const rate = size(source.size / Math.max(seconds, 0.001));
  print(
    `${size(source.size)} of Unicode, ${ENCODINGS[source.crypt]} → ${size(report.target.size)} in ${seconds.toFixed(2)} s ` +
      `(${rate}/s, peak memory ${size(peakBytes())})`,
  );
  print();
  printTable(
    NAMES.map(([key, name]) => [name, counters[key] + (failedOf[key] ?? 0), targetCounters[key]]),
    { head: ['', 'source', 'target'], indent: 2 },
  );
  print();
  const kept = report.reencoded
    ? `${number(blocks.written)} blocks encoded anew, ${number(blocks.kept)} kept`
    : amended.nodes > 0
      ? `${count(amended.nodes, 'node')} that listed or counted what failed written anew, every other block kept as it was`
      : `every block kept as it was${blocks.dropped > 0 ? `; ${count(blocks.dropped, 'orphan block')} left behind` : ''}`;
  printFields(
    [
      [
        'identifiers',
        `${number(counters.nodes)} of ${number(counters.nodes + failed.nodes)} nodes under their own NID; ${kept}`,
      ],
      [
        'read back',
        `every page and block verified; every ${report.reencoded ? 'node has the digest' : 'block has the bytes'} ` +
          `${amended.nodes + omitted.length > 0 ? 'it is to have' : 'it has in the source'}`,
      ],
      ['page heap', `${flagsText(report.pageheap)}; no stop`],
      ['content', `sha256 ${hexBytes(report.contentDigest, '')}`],
      ...(manifest === undefined ? [] : [['manifest', escapeText(manifest)] as const]),
    ],
    2,
  );
  if (omitted.length > 0) {
    print();
    print(
      paint(
        'red',
        `${count(omitted.length, 'item')} failed and ${omitted.length === 1 ? 'is' : 'are'} not in the copy:`,
      ),
    );
    printOmitted(omitted);
    if (indexes.length > 0)
      print('  With them went the message index 0xe01, which lists messages; Outlook does without it.');
  }
  if (rebuilt.length > 0) {
    print();
    print(
      paint(
        'red',
        `${count(rebuilt.length, 'table')} failed and ${rebuilt.length === 1 ? 'was' : 'were'} made anew from the messages:`,
      ),
    );
    printOmitted(rebuilt);
  }
  printFindings(report);
}

function printFindings(report: CloneReport): void {
  const what = report.omitted.length > 0 ? 'Everything else' : 'Everything';
  if (report.findings.length === 0) {
    print();
    print(paint(report.omitted.length > 0 ? 'yellow' : 'green', `${what} arrived.`));
    return;
  }
  print();
  print(
    paint(
      'yellow',
      `${what} arrived; the source has ${count(report.findings.length, 'fault')} of its own, copied as they are:`,
    ),
  );
  for (const finding of report.findings.slice(0, FINDINGS_SHOWN)) print(`  ${escapeText(finding.message)}`);
  if (report.findings.length > FINDINGS_SHOWN)
    print(`  … ${number(report.findings.length - FINDINGS_SHOWN)} more in the manifest`);
}
