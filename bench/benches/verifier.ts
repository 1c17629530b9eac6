/** What the verifier costs: full and paranoid against the raw core. @module */
import Benchmark from 'benchmark';
import { type Bench, child, largeShape, rounds, type Settings, scratch } from '../bench.js';
import { childOutput } from '../child-output.js';
import { alternate, type Command } from '../process.js';
import type { Report } from '../report.js';
import { figure, ratios, spread, spreadText } from '../statistics.js';
import { builtStore } from '../workloads/stores.js';
import { largeStreamWorkload, type StreamWorkload, streamWorkload } from '../workloads/streams.js';

/** Settings, the yardstick first, the default second. */
const MODES = ['off', 'full', 'normal', 'random=10', 'paranoid'] as const;
const NAMES = {
  off: 'off (raw core)',
  full: 'full (default)',
  normal: 'normal',
  'random=10': 'random 10 %',
  paranoid: 'paranoid',
} as const;
const CLONE_ROUNDS = 7;
const STREAM_ROUNDS = 9;
/** Seconds of one measurement by `benchmark`. */
const SECONDS = 0.3;

export const verifier: Bench = {
  name: 'verifier',
  title: 'The price of verification',
  about:
    'The same work under five settings of the page heap: off is the raw core, which checks nothing, full (the default) proves every span, normal ' +
    'looks at blocks when they are freed, random gives every tenth block full treatment, paranoid checks every access.' +
    ' The whole clone in processes of their own, clocks starting when the program is loaded; and the pure property-stream ' +
    'workload, in which property contexts that lie in the core are decoded and encoded again, every block allocated and freed, without ' +
    'files or JavaScript to dilute it.',
  run(report, settings) {
    const store = builtStore(largeShape(settings));
    const target = scratch('verifier.pst');
    const commands = MODES.map(
      (mode): Command => ({ ...child(NAMES[mode], 'clone', store, target.path, mode), before: target.clear }),
    );
    const outputs = alternate(commands, rounds(settings, CLONE_ROUNDS)).map((runs) =>
      runs.map(({ stdout }) => childOutput<unknown>(stdout)),
    );
    target.clear();
    for (const k of [1, 2, 3, 4]) {
      report.equal(`clones by ${NAMES[MODES[k]!]} and raw`, outputs[k]!.at(-1)!.result, outputs[0]!.at(-1)!.result);
    }
    const clone = tell(
      report,
      'whole clone, ms',
      outputs.map((runs) => runs.map(({ ms }) => ms[0]!)),
    );
    report.table(
      ['peak memory of a clone, MB', 'median'],
      MODES.map((mode, k) => [
        NAMES[mode],
        figure(spread(outputs[k]!.map(({ peakMegabytes }) => peakMegabytes)).median),
      ]),
    );

    const small = streams(report, settings, 'property streams of messages', (mode) => streamWorkload(store, mode));
    const large = streams(report, settings, 'property streams of 100 to 400 properties', largeStreamWorkload);
    beside(report, clone, small, large);
    if (settings.quick) return;
    report.target('full over raw, whole clone', clone[1]!, 'at most', 1.25);
    report.target('full over raw, property streams of messages', small[1]!, 'at most', 1.3);
    report.target('full over raw, property streams of 100 to 400 properties', large[1]!, 'at most', 1.3);
  },
};

/** What others have published of theirs: other programs on other machines, so that only the order of size compares. */
const PUBLISHED: readonly (readonly [string, string, string])[] = [
  ['AddressSanitizer, native', 'shadow memory, red zones, quarantine', '1.93 in the mean of SPEC 2006, 1.12 to 3.79'],
  ['AddressSanitizer, Android', 'the same', '2; memory about 2'],
  ['Valgrind Memcheck', 'binary instrumentation', '20; by Red Hat 4 to 50'],
  ['Dr. Memory', 'binary instrumentation', '10'],
  ['Mudflap', 'compiler instrumentation', '2 to 40'],
  ['GWP-ASan, tcmalloc', 'guard pages for samples', 'less than 1.005'],
  ['HAProxy DEBUG_UAF', 'a page an object', 'memory about 10'],
  ['Electric Fence', 'guard pages', 'memory: at least two pages a block'],
  [
    'WebAssembly Memory Tagging (2025)',
    'tag check at each load and store',
    '1.72 on wasm32, 1.49 on wasm64; 1.18 and 1.06 with Arm MTE',
  ],
  ['Cage', 'MTE and PAC, wasm64', 'less than 1.06; memory less than 1.04'],
  ['WebAssembly bounds checks, explicit', 'a comparison at each load and store', 'up to 7.5 at worst'],
  ['Wasm-R3 (2024)', 'recording for replay', '3.79 in the median while it records'],
  ['rr', 'recording for replay, native', '1.2 to 1.4'],
];

/** Ours beside those: times raw, of each setting. */
function beside(report: Report, clone: readonly number[], small: readonly number[], large: readonly number[]): void {
  const ours = MODES.slice(1).map((mode, k): [string, string, string] => [
    `pstwright, ${NAMES[mode]}`,
    mode === 'paranoid' ? 'check of each load and store, in software' : 'page heap in software',
    `${figure(clone[k + 1]!)} a whole clone, ${figure(small[k + 1]!)} and ${figure(large[k + 1]!)} property streams`,
  ]);
  report.table(['verifier', 'how', 'times without it, as published; ours as above'], [...ours, ...PUBLISHED]);
}

/** Times one stream workload under every setting, in turns. Returns each over raw. */
function streams(report: Report, settings: Settings, what: string, of: (mode: string) => StreamWorkload): number[] {
  const workloads = MODES.map(of);
  for (const k of [1, 2, 3, 4]) {
    report.equal(`${what} by ${NAMES[MODES[k]!]} and raw`, workloads[k]!.cycle(), workloads[0]!.cycle());
  }
  const seconds = settings.quick ? SECONDS / 10 : SECONDS;
  const times: number[][] = MODES.map(() => []);
  for (let round = 0; round < rounds(settings, STREAM_ROUNDS); round++) {
    workloads.forEach((workload, k) => {
      // Bound: Benchmark compiles a function it can read anew, and loses what the function had closed over.
      const bench = new Benchmark(workload.cycle.bind(workload), { maxTime: seconds, minSamples: 5 }).run();
      times[k]!.push((bench.stats.mean * 1e6) / workload.contexts);
    });
  }
  return tell(report, `${what}, µs a context`, times);
}

/** Prints the table of one workload. Returns each setting over raw, pair by pair in the median. */
function tell(report: Report, what: string, times: readonly number[][]): number[] {
  report.table(
    [what, 'median (min – max)', 'times raw, pair by pair'],
    MODES.map((mode, k) => [
      NAMES[mode],
      spreadText(spread(times[k]!)),
      k === 0 ? '' : spreadText(ratios(times[k]!, times[0]!)),
    ]),
  );
  const medians = times.map((own) => ratios(own, times[0]!).median);
  if (times[0]!.length > 1) report.line(`Full verification: ${figure(medians[1]!)} times raw.`);
  return medians;
}
