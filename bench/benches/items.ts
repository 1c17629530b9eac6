/** Does the cost of an item depend on how many lie beside it? @module */
import { type Bench, child, rounds, scratch } from '../bench.js';
import { childOutput } from '../child-output.js';
import { megabytes, run } from '../process.js';
import { figure, spread, spreadText } from '../statistics.js';
import { builtStore, flat } from '../workloads/stores.js';
import type { Tally } from '../workloads/tally.js';

const COUNTS = [1_000, 10_000, 100_000];
const QUICK_COUNTS = [100, 400];
/** Items that each measurement handles together, so that all are as long and as warm. */
const ITEMS = 200_000;
const FLAT_WITHIN = 0.15;

export const items: Bench = {
  name: 'items',
  title: 'Cost of an item, by items in the folder',
  about:
    'Stores of small messages, all in one folder. Read everything, and clone, many times over in one process so that the engine is warm; ' +
    'the first rounds do not count. The cost of an item should not depend on the folder.',
  run(report, settings) {
    const counts = settings.quick ? QUICK_COUNTS : COUNTS;
    const target = scratch('items.pst');
    for (const what of ['read', 'clone'] as const) {
      const rows: string[][] = [];
      const medians: number[] = [];
      for (const count of counts) {
        const store = builtStore(flat(count));
        const total = rounds(settings, Math.max(3, Math.round((what === 'read' ? ITEMS * 2 : ITEMS) / count)));
        const warm = Math.min(Math.floor(total / 4), 20);
        const args = what === 'read' ? ['read', store] : ['clone', store, target.path, 'core'];
        const { result, ms, peakMegabytes } = childOutput<Tally & { counters?: { messages: number } }>(
          run(child(what, '--rounds', String(total), ...args)).stdout,
        );
        target.clear();
        report.equal(`messages met of ${count}`, result.counters?.messages ?? result.messages, count);
        const each = spread(ms.slice(warm).map((value) => (value * 1000) / count));
        medians.push(each.median);
        rows.push([`${count}`, spreadText(each), figure(each.median / medians[0]!), megabytes(peakMegabytes)]);
      }
      report.table([`items, ${what}`, 'µs an item: median (min – max)', 'times the first', 'peak MB'], rows);
      if (settings.quick) continue;
      const worst = Math.max(...medians) / Math.min(...medians);
      report.target(`${what}, dearest over cheapest`, worst, 'at most', 1 + FLAT_WITHIN);
    }
  },
};
