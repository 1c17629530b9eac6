/**
 * Tries mutants in a process of its own, so that one that hangs or exhausts the memory can be told from the others:
 *
 *     node --import tsx test/hostile/run.ts SEED FIRST COUNT        mutants FIRST, FIRST + 1 …, over all specimens
 *     node --import tsx test/hostile/run.ts SEED 'NAME #7'          this one, with its notes
 *     node --import tsx test/hostile/run.ts SEED 'NAME #7' out.pst  writes it to a file
 *
 * A line of JSON before each mutant (which) and one for each that fails; the last one is the summary.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { mutate } from './mutator.js';
import { type Specimen, specimens } from './specimens.js';
import { survive } from './survive.js';

export interface Failure {
  readonly mutant: string;
  readonly notes: readonly string[];
  readonly error: string;
}

export interface Summary {
  mutants: number;
  specimens: number;
  /** Step → outcome → how often. */
  readonly outcomes: Record<string, Record<string, number>>;
  slowest: { ms: number; mutant: string; step: string };
  peak: { bytes: number; mutant: string };
  failures: number;
  rssBytes: number;
  seconds: number;
}

/** A comparison with the original, and a verify of its own for each clone, one time in so many; each clone is compared by its digests anyway. */
const THOROUGH_EVERY = 10;
/** Object by object takes as long as all else together. */
const LAZILY_EVERY = 3;

/** Which specimen a mutant is of: by weight, evenly spread, the same for the same set of specimens. */
function schedule(all: readonly Specimen[]): (k: number) => { specimen: Specimen; number: number } {
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  const due = all.map(() => 0);
  const numbers = all.map(() => 0);
  const plan: { specimen: Specimen; number: number }[] = [];
  return (k) => {
    while (plan.length <= k) {
      all.forEach(({ weight }, i) => {
        due[i]! += weight / total;
      });
      const i = due.indexOf(Math.max(...due));
      due[i]!--;
      plan.push({ specimen: all[i]!, number: numbers[i]!++ });
    }
    return plan[k]!;
  };
}

const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);

function main(seed: string, from: string, last: string | undefined): void {
  const started = performance.now();
  const all = specimens();
  const one = /^(.*) #(\d+)$/.exec(from);
  if (one !== null) {
    const specimen = all.find(({ name }) => name === one[1]);
    if (specimen === undefined)
      throw new Error(`no specimen ${one[1]}; there are ${all.map(({ name }) => name).join(', ')}`);
    const mutant = mutate(specimen, all, seed, Number(one[2]));
    say({ mutant: mutant.name, size: mutant.bytes.length, notes: mutant.notes });
    if (last !== undefined) writeFileSync(last, mutant.bytes);
    else say(survive(mutant.name, mutant.bytes, { original: specimen.bytes }));
    return;
  }
  const at = schedule(all);
  const summary: Summary = {
    mutants: 0,
    specimens: all.length,
    outcomes: {},
    slowest: { ms: 0, mutant: '', step: '' },
    peak: { bytes: 0, mutant: '' },
    failures: 0,
    rssBytes: 0,
    seconds: 0,
  };
  const usual = new Map<Specimen, Readonly<Record<string, number>>>();
  for (let k = Number(from); k < Number(from) + Number(last ?? 1); k++) {
    const { specimen, number } = at(k);
    say({ trying: `${specimen.name} #${number}` });
    const { name, bytes, notes } = mutate(specimen, all, seed, number);
    summary.mutants++;
    let times = usual.get(specimen);
    if (times === undefined) usual.set(specimen, (times = survive(specimen.name, specimen.bytes).times));
    try {
      const { outcomes, slowestMs, slowest, peakBytes } = survive(name, bytes, {
        thorough: k % THOROUGH_EVERY === 0,
        lazily: k % LAZILY_EVERY === 0,
        usual: times,
      });
      for (const [step, outcome] of Object.entries(outcomes)) {
        const counts = (summary.outcomes[step] ??= {});
        counts[outcome] = (counts[outcome] ?? 0) + 1;
      }
      if (slowestMs > summary.slowest.ms) summary.slowest = { ms: slowestMs, mutant: name, step: slowest };
      if (peakBytes > summary.peak.bytes) summary.peak = { bytes: peakBytes, mutant: name };
    } catch (error) {
      summary.failures++;
      const { message, stack, cause } = error as Error & { cause?: Error };
      say({ mutant: name, notes, error: `${message}\n${cause?.stack ?? stack}` } satisfies Failure);
    }
  }
  summary.rssBytes = process.resourceUsage().maxRSS * 1024;
  summary.seconds = (performance.now() - started) / 1000;
  say({ summary });
}

const [seed = '1', from = '0', last] = process.argv.slice(2);
main(seed, from, last);
