/** Cloning, against readpst and against copying the file. @module */
import { type Bench, child, largeShape, program, readpst, rounds, scratch } from '../bench.js';
import { childOutput } from '../child-output.js';
import { alternate, type Command, hasProgram, megabytes, peakMemory, run } from '../process.js';
import { figure, ratios, spread, spreadText } from '../statistics.js';
import { builtStore, sizeOf } from '../workloads/stores.js';
import type { Tally } from '../workloads/tally.js';

const ROUNDS = 7;
/** The project's bound for a store of any size. */
const PEAK_MB = 512;

export const clone: Bench = {
  name: 'clone',
  title: 'Cloning',
  about:
    '`pstwright clone` as people run it: every block verified, every property context and table decoded under the verifier, the new ' +
    'store synced, read back and proved, a manifest written. Against readpst extracting the same store to mbox, and against ' +
    'copying the file through user space in pieces of 128 KB as cat does (dd), once as it is and once synced as ours is. Whole ' +
    'processes, run in turn.',
  async run(report, settings) {
    const store = builtStore(largeShape(settings));
    const target = scratch('clone.pst');
    const copy = scratch('copy.pst');
    const ours: Command = { ...program('pstwright clone', 'clone', store, target.path), before: target.clear };
    const dd = (name: string, ...more: string[]): Command => ({
      name,
      file: 'dd',
      args: ['bs=128K', `if=${store}`, `of=${copy.path}`, 'status=none', ...more],
      before: copy.clear,
    });
    const others = [dd('dd'), dd('dd conv=fsync', 'conv=fsync')];
    if (hasProgram('readpst')) others.push(readpst(store));
    else report.line('readpst is not installed here (Debian: pst-utils); left out.');

    run(ours);
    const tallyOf = (path: string): Tally =>
      childOutput<Tally>(run(child('read', 'read', path, 'digest')).stdout).result;
    report.equal('digest of every value of source and target', tallyOf(store), tallyOf(target.path));

    const commands = [ours, ...others];
    const times = alternate(commands, rounds(settings, ROUNDS)).map((runs) => runs.map(({ ms }) => ms));
    const rows: string[][] = [];
    for (const [k, command] of commands.entries()) {
      rows.push([
        command.name,
        spreadText(spread(times[k]!)),
        figure(sizeOf(store) / 1e3 / spread(times[k]!).median),
        megabytes(await peakMemory(command)),
        k === 0 ? '' : spreadText(ratios(times[k]!, times[0]!)),
      ]);
    }
    report.table(['whole process', 'ms: median (min – max)', 'MB/s', 'peak MB', 'times ours, pair by pair'], rows);
    target.clear();
    copy.clear();
    scratch('readpst').clear();
    if (settings.quick) return;
    report.target('copying time over clone time', ratios(times[1]!, times[0]!).median, 'at least', 0.2);
    if (times[3] !== undefined)
      report.target("readpst's time over clone time", ratios(times[3], times[0]!).median, 'at least', 1);
    report.target('peak memory of clone in MB', Number(rows[0]![3]), 'at most', PEAK_MB);
  },
};
