/** Reading everything against the least any checking reader must do. @module */
import { type Bench, child, largeShape, rounds } from '../bench.js';
import { childOutput } from '../child-output.js';
import { alternate, megabytes } from '../process.js';
import { figure, ratios, spread, spreadText } from '../statistics.js';
import { builtStore, sizeOf } from '../workloads/stores.js';

const ROUNDS = 9;

export const floor: Bench = {
  name: 'floor',
  title: 'Reading everything, against the floor',
  about:
    'The floor reads the file in pieces of 1 MB and does CRC and decoding of every block, with the raw core and nothing else; where ' +
    'the blocks are it knows before its clock starts. Both clocks start when the program is loaded, in a fresh process each time.',
  run(report, settings) {
    const store = builtStore(largeShape(settings));
    const commands = [child('read everything', 'read', store), child('floor', 'floor', store)];
    const outputs = alternate(commands, rounds(settings, ROUNDS)).map((runs) =>
      runs.map(({ stdout }) => childOutput<{ badBlocks?: number; bytes?: number }>(stdout)),
    );
    const times = outputs.map((runs) => runs.map(({ ms }) => ms[0]!)) as [number[], number[]];
    const ratio = ratios(...times);
    report.table(
      ['in the process', 'ms: median (min – max)', 'MB/s', 'peak MB', 'times the floor, pair by pair'],
      commands.map(({ name }, k) => [
        name,
        spreadText(spread(times[k]!)),
        figure(sizeOf(store) / 1e3 / spread(times[k]!).median),
        megabytes(outputs[k]!.at(-1)!.peakMegabytes),
        k === 0 ? spreadText(ratio) : '',
      ]),
    );
    report.equal('the floor found bad blocks', outputs[1]!.at(-1)!.result.badBlocks, 0);
    if (!settings.quick) report.target('read everything over the floor', ratio.median, 'at most', 4);
  },
};
