/** `pstwright verify SOURCE TARGET`: do two stores hold the same? @module */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { openSource } from '../host/file.js';
import { tagName } from '../mapi/tags.js';
import type { Difference } from '../migrate/difference.js';
import { type Manifest, readManifest } from '../migrate/manifest.js';
import { type VerifyReport, verifyStores } from '../migrate/verify.js';
import { nidName } from '../wire/nid.js';
import { printOmitted } from './clone-omitted.js';
import { action, EXIT, type ExitCode } from './exit.js';
import { count, escapeText, number, paint, print, printJson, printTable } from './output.js';
import { startProgress } from './progress.js';

const HELP = `
Reads both stores in full, with every checksum, and compares the canonical digest of every node: every property, table row,
recipient, attachment and subnode. Where they lie in the file does not matter; what they hold does.

A copy that lacks items, made by clone --on-error skip, differs by them and by the rows and counts they had. --manifest tells which were
left out: then they are listed, and any other difference is one.

Exit codes: 0 identical · 1 identical, and a store has faults of its own, listed · 2 different, or damaged · 3 not a store`;

export function register(program: Command): void {
  program
    .command('verify')
    .description('compare two stores, property by property')
    .argument('<source>', 'store that was copied')
    .argument('<target>', 'its copy')
    .option('--manifest <file>', "the copy's manifest, which knows what was left out")
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', HELP)
    .action(action(run));
}

function run(sourcePath: string, targetPath: string, options: { json?: true; manifest?: string }): ExitCode {
  const made = options.manifest === undefined ? undefined : manifestAt(options.manifest);
  const source = openSource(sourcePath);
  const target = openSource(targetPath);
  const progress = startProgress('compare');
  let report: VerifyReport;
  try {
    report = verifyStores(source, target, {
      ...(made === undefined ? {} : { made }),
      progress: (done, total) => progress.update(done, total),
    });
  } finally {
    progress.stop();
    source.close();
    target.close();
  }
  if (options.json) {
    printJson({
      ...report,
      findings: report.findings.map(({ code, reason, where }) => ({ code, message: reason, where })),
    });
  } else {
    printReport(report, made?.omitted ?? [], made?.rebuilt ?? []);
  }
  if (!report.isIdentical) return EXIT.DAMAGE;
  return report.findings.length > 0 ? EXIT.WARNINGS : EXIT.OK;
}

/** The manifest at `path`. Throws UsageError. */
function manifestAt(path: string): Manifest {
  const manifest = readManifest(path);
  if (manifest === undefined) throw new UsageError('USAGE', `${path} is not a manifest`);
  return manifest;
}

const hex = (n: number): string => `0x${n.toString(16)}`;
/** Lines of differences printed; --json has all that are listed. */
const SHOWN = 50;

function placeOf({ nid, subnodes, row, tag }: Difference): string {
  const parts = [`${nidName(nid)} ${hex(nid)}`, ...subnodes.map((sub) => `subnode ${hex(sub)}`)];
  if (row !== undefined) parts.push(`row ${hex(row)}`);
  if (tag !== undefined) parts.push(tagName(tag) ?? `property 0x${tag.toString(16).padStart(8, '0')}`);
  return parts.join(', ');
}

function printReport(report: VerifyReport, omitted: Manifest['omitted'], rebuilt: Manifest['rebuilt']): void {
  const { source, target } = report;
  const names = [
    ['nodes', 'nodes'],
    ['subnodes', 'subnodes'],
    ['folders', 'folders'],
    ['messages', 'messages'],
    ['associated', 'associated items'],
    ['embedded', 'embedded messages'],
    ['recipients', 'recipients'],
    ['attachments', 'attachments'],
    ['properties', 'properties'],
    ['rows', 'table rows'],
  ] as const;
  printTable(
    names.map(([key, name]) => [name, source.counters[key], target.counters[key]]),
    { head: ['', escapeText(source.name), escapeText(target.name)] },
  );
  print();
  if (omitted.length > 0) print('left out of the target, as its manifest says:');
  printOmitted(omitted);
  if (rebuilt.length > 0) print('made anew from the messages, as its manifest says:');
  printOmitted(rebuilt);
  const listed = new Set(omitted.map(({ nid }) => nid));
  const missing = report.onlyInSource.filter((nid) => !listed.has(nid));
  for (const nid of missing.slice(0, SHOWN)) print(`only in the source: ${nidName(nid)} ${hex(nid)}`);
  for (const nid of report.onlyInTarget.slice(0, SHOWN)) print(`only in the target: ${nidName(nid)} ${hex(nid)}`);
  for (const difference of report.differences.slice(0, SHOWN)) {
    print(`${placeOf(difference)}: ${escapeText(difference.message)}`);
  }
  const left = report.differences.length - SHOWN;
  if (left > 0) print(`… ${count(left, 'more difference')}; --json lists them`);
  for (const finding of report.findings.slice(0, SHOWN)) print(`fault: ${escapeText(finding.message)}`);
  if (report.isIdentical) {
    print(paint('green', `Identical: ${number(report.equal)} nodes, each with the same digest.`));
    return;
  }
  const added = report.onlyInTarget.length;
  print(
    paint(
      'red',
      `Different: ${count(report.differing, 'node differs', 'nodes differ')}, ${number(report.onlyInSource.length)} only in the source, ` +
        `${number(added)} only in the target; ${number(report.equal)} are equal.`,
    ),
  );
}
