/** `pstwright check STORE`: everything wrong with a store. @module */
import type { Command } from 'commander';
import { Option } from 'commander';
import { checkStore } from '../check/check.js';
import type { CheckReport, Finding, Profile, Severity } from '../check/findings.js';
import { Core } from '../core/core.js';
import { openSource } from '../host/file.js';
import { nidName } from '../wire/nid.js';
import { action, EXIT, type ExitCode } from './exit.js';
import { count, escapeText, number, paint, print, printHead, printJson, printTable } from './output.js';
import { startProgress } from './progress.js';

const HELP = `
Reads the whole store and lists what breaks a rule of MS-PST, or of what Outlook and ScanPST are known to expect: checksums, trees,
allocation maps, reference counts, heaps, tables (structure); required nodes and properties, rows against objects, counts and
computed sizes (content). The store is only read.

Profiles:
  foreign  any store: what older versions of Outlook do otherwise without harm is a note (the default)
  own      a store that pstwright built from nothing: every rule is an error

Exit codes: 0 sound, or notes only · 1 warnings · 2 errors · 3 not a store`;

interface Options {
  profile: Profile;
  json?: true;
  all?: true;
}

export function register(program: Command): void {
  program
    .command('check')
    .summary('find everything wrong with a store')
    .description('Finds everything wrong with a store, and does not stop at the first.')
    .argument('<store>', 'a PST or OST')
    .addOption(new Option('--profile <profile>', 'how strict').choices(['foreign', 'own']).default('foreign'))
    .option('--all', 'print every finding, not the first few of each rule')
    .option('--json', 'one JSON document')
    .addHelpText('after', HELP)
    .action(action(check));
}

function check(path: string, { profile, json, all }: Options): ExitCode {
  const source = openSource(path);
  const progress = startProgress('check');
  let report: CheckReport;
  try {
    const show = (done: number, total: number): void => progress.update(done, total);
    const core = Core.load();
    report = checkStore(source, core, { profile, progress: show });
    core.end();
  } finally {
    progress.stop();
    source.close();
  }
  if (json) printJson({ store: source.name, ...report, verdict: verdict(report) });
  else printReport(report, all === true ? Number.POSITIVE_INFINITY : SHOWN);
  const { error, warning } = report.counts;
  return error > 0 ? EXIT.DAMAGE : warning > 0 ? EXIT.WARNINGS : EXIT.OK;
}

/** Findings printed of each rule. */
const SHOWN = 5;
const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note'];
const STYLE = { error: 'red', warning: 'yellow', note: 'dim' } as const;

function printReport(report: CheckReport, shown: number): void {
  const { counts, findings } = report;
  for (const severity of SEVERITIES) {
    if (counts[severity] === 0) continue;
    printHead(`${severity[0]!.toUpperCase()}${severity.slice(1)}s`);
    const rules = new Map<string, Finding[]>();
    for (const finding of findings) {
      if (finding.severity !== severity) continue;
      const list = rules.get(finding.rule);
      if (list === undefined) rules.set(finding.rule, [finding]);
      else list.push(finding);
    }
    for (const [rule, list] of rules) printRule(rule, list, severity, counts.rules[rule] ?? list.length, shown);
  }
  if (findings.length > 0) {
    print();
    printTable(
      (['structure', 'content'] as const).map((kind) => [
        kind,
        ...SEVERITIES.map((severity) => counts[kind][severity]),
      ]),
      { head: ['', 'errors', 'warnings', 'notes'] },
    );
    print();
  }
  print(verdict(report));
}

function printRule(rule: string, list: readonly Finding[], severity: Severity, total: number, shown: number): void {
  const section = list[0]!.section === '' ? '' : `MS-PST ${list[0]!.section}, `;
  print(`  ${paint(STYLE[severity], rule)}  ${paint('dim', `${section}${list[0]!.kind}`)}`);
  for (const finding of list.slice(0, shown)) print(`    ${escapeText(finding.message)}${placeOf(finding)}`);
  const left = Math.max(list.length, total) - Math.min(list.length, shown);
  if (left <= 0) return;
  const how = list.length > shown ? '; --all shows them' : '';
  // One rule may have findings of two severities: the total is exact for the rule only.
  print(
    paint(
      'dim',
      `    … ${number(left)} more${list.length < total ? `, ${number(total)} of this rule in all` : ''}${how}`,
    ),
  );
}

const hex = (n: number): string => `0x${n.toString(16)}`;

function placeOf({ nid, bid, ib }: Finding): string {
  const parts: string[] = [];
  if (nid !== undefined) parts.push(`${nidName(nid)} ${hex(nid)}`);
  if (bid !== undefined) parts.push(`bid ${hex(bid)}`);
  if (ib !== undefined) parts.push(`ib ${hex(ib)}`);
  return parts.length === 0 ? '' : paint('dim', `  [${parts.join(', ')}]`);
}

/** The last line, as plain as it can be. */
function verdict({ counts: { error, warning, note } }: CheckReport): string {
  if (error + warning + note === 0) return 'sound: nothing found';
  const parts = [
    error > 0 ? count(error, 'error') : '',
    warning > 0 ? count(warning, 'warning') : '',
    note > 0 ? count(note, 'note') : '',
  ].filter((part) => part !== '');
  return error + warning === 0 ? `sound: ${parts.join(', ')}` : parts.join(', ');
}
