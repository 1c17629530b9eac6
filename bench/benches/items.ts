/** Does the cost of an item depend on how many lie beside it? @module */
import { type Bench, child, rounds, scratch } from '../bench.js';
import { type ChildOutput, childOutput } from '../child-output.js';
import { megabytes, run } from '../process.js';
import { figure, spread, spreadText } from '../statistics.js';
import { builtStore, flat } from '../workloads/stores.js';
import type { Tally } from '../workloads/tally.js';

const COUNTS = [1_000, 10_000, 100_000];
const QUICK_COUNTS = [100, 400];
/** Items that one process handles in all rounds together, at least three rounds; the first of them warm the engine up. */
const ITEMS = { read: 200_000, clone: 100_000 } as const;
/** Processes of each size, in turn. */
const PASSES = 2;
/** Rounds that measure what a store without messages costs. */
const EMPTY_ROUNDS = 40;
const FLAT_WITHIN = 0.15;

export const items: Bench = {
  name: 'items',
  title: 'Cost of an item, by items in the folder',
  about:
    'Stores of small messages, all in one folder. Read everything, and clone, several times over in one process so that the engine is warm; ' +
    'the first rounds do not count. Processor time of all threads; what a store without a message costs (two cores, synced files) is ' +
    'taken off. The cost of an item should not depend on the folder.',
  run(report, settings) {
    const counts = settings.quick ? QUICK_COUNTS : COUNTS;
    const target = scratch('items.pst');
    for (const what of ['read', 'clone'] as const) {
      const measure = (count: number, total: number): ChildOutput<Tally & { counters?: { messages: number } }> => {
        const store = builtStore(flat(count));
        const args = what === 'read' ? ['read', store] : ['clone', store, target.path, 'full'];
        const output = run(child(what, '--rounds', String(total), ...args)).stdout;
        target.clear();
        return childOutput(output);
      };
      const warm = (times: readonly number[]): readonly number[] =>
        times.slice(Math.min(Math.floor(times.length / 3), 20));
      const empty = spread(warm(measure(0, rounds(settings, EMPTY_ROUNDS)).cpuMs)).median;
      const costs = counts.map((): number[] => []);
      const peaks = counts.map(() => 0);
      for (let pass = 0; pass < rounds(settings, PASSES); pass++) {
        counts.forEach((count, k) => {
          const { result, cpuMs, peakMegabytes } = measure(count, rounds(settings, Math.max(3, ITEMS[what] / count)));
          const messages = result.counters?.messages ?? result.messages;
          if (messages !== count || pass === 0) report.equal(`messages met of ${count}`, messages, count);
          costs[k]!.push(...warm(cpuMs).map((value) => ((value - empty) * 1000) / count));
          peaks[k] = Math.max(peaks[k]!, peakMegabytes);
        });
      }
      const medians = costs.map((each) => spread(each).median);
      report.table(
        [`items, ${what}`, 'µs an item: median (min – max)', 'times the first', 'peak MB'],
        counts.map((count, k) => [
          `${count}`,
          spreadText(spread(costs[k]!)),
          figure(medians[k]! / medians[0]!),
          megabytes(peaks[k]),
        ]),
      );
      report.line(`A store without a message: ${figure(empty)} ms.`);
      if (settings.quick) continue;
      report.target(
        `${what}, cost at ${counts.at(-1)} items over cost at ${counts[0]}`,
        medians.at(-1)! / medians[0]!,
        'at most',
        1 + FLAT_WITHIN,
      );
    }
  },
};
