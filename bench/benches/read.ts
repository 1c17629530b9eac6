/** Reading everything, against two other readers. @module */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, child, largeShape, readpst, rounds, type Settings, scratch } from '../bench.js';
import { childOutput } from '../child-output.js';
import { alternate, type Command, hasProgram, megabytes, peakMemory, run } from '../process.js';
import type { Report } from '../report.js';
import { figure, ratios, spread, spreadText } from '../statistics.js';
import { builtStore, enron, sizeOf } from '../workloads/stores.js';
import type { Tally } from '../workloads/tally.js';

const ROUNDS = 7;
/** pst-extractor takes minutes on a large store. */
const EXTRACTOR_ROUNDS = 2;

export const read: Bench = {
  name: 'read',
  title: 'Reading everything',
  about:
    'Every property, recipient and attachment byte, with every checksum verified and the verifier on; against pst-extractor ' +
    '(JavaScript; verifies no checksum) and readpst (C; verifies none, and writes mbox files). Whole processes, run in turn: ' +
    'the start of Node and the compilation of the core are in the times.',
  async run(report, settings) {
    await compare(report, settings, 'enron.pst', enron(), 2.5, 1);
    await compare(report, settings, `${largeShape(settings).name}.pst`, builtStore(largeShape(settings)), 25, 1);
  },
};

async function compare(
  report: Report,
  settings: Settings,
  name: string,
  store: string,
  overExtractor: number,
  overReadpst: number,
): Promise<void> {
  const ours = child('pstwright', 'read', store);
  const extractor = child('pst-extractor', 'extract', store);
  const mbox = readpst(store);

  const tallyOf = (command: Command): Tally => childOutput<Tally>(run(command).stdout).result;
  const proof = tallyOf(child('ours', 'read', store, 'digest'));
  report.line(
    `**${name}**: ${figure(sizeOf(store) / 1e6)} MB, ${proof.messages} messages, ${proof.recipients} recipients, ` +
      `${proof.attachments} attachments of ${figure(proof.attachmentBytes / 1e6)} MB, ${proof.properties} properties.`,
  );
  report.equal(
    'digest of every value of every message, recipient and attachment, ours and pst-extractor',
    proof,
    tallyOf(child('pst-extractor', 'extract', store, 'digest')),
  );

  const rows: string[][] = [];
  const withExtractor = alternate([ours, extractor], rounds(settings, EXTRACTOR_ROUNDS));
  const [oursA, theirsA] = withExtractor.map((runs) => runs.map(({ ms }) => ms)) as [number[], number[]];
  for (const { stdout } of withExtractor.flat()) {
    const { result } = childOutput<Tally>(stdout);
    if (result.messages !== proof.messages || result.valueBytes !== proof.valueBytes)
      report.equal('a timed run', result, proof);
  }
  const faster = ratios(theirsA, oursA);
  rows.push(['pstwright', spreadText(spread(oursA)), megabytes(await peakMemory(ours)), '']);
  rows.push(['pst-extractor', spreadText(spread(theirsA)), megabytes(await peakMemory(extractor)), spreadText(faster)]);

  let fasterMbox: ReturnType<typeof ratios> | undefined;
  if (hasProgram('readpst')) {
    const [oursB, theirsB] = alternate([ours, mbox], rounds(settings, ROUNDS)).map((runs) =>
      runs.map(({ ms }) => ms),
    ) as [number[], number[]];
    fasterMbox = ratios(theirsB, oursB);
    rows.push(['pstwright, beside readpst', spreadText(spread(oursB)), '', '']);
    rows.push([
      'readpst to mbox',
      spreadText(spread(theirsB)),
      megabytes(await peakMemory(mbox)),
      spreadText(fasterMbox),
    ]);
  }
  report.table(['whole process', 'ms: median (min – max)', 'peak MB', 'times ours, pair by pair'], rows);
  if (fasterMbox === undefined) report.line('readpst is not installed here (Debian: pst-utils); left out.');
  else report.equal('messages, ours and those in the mbox files', proof.messages, mboxMessages());
  if (settings.quick) return;
  report.target(`pst-extractor's time over ours on ${name}`, faster.median, 'at least', overExtractor);
  if (fasterMbox !== undefined)
    report.target(`readpst's time over ours on ${name}`, fasterMbox.median, 'at least', overReadpst);
}

/** Messages readpst has just written. */
function mboxMessages(): number {
  const folder = scratch('readpst').path;
  let count = 0;
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'latin1');
    count += text.match(/^From ".*" \w{3} \w{3} /gm)?.length ?? 0;
  }
  return count;
}
