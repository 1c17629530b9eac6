/**
 * Thousands of mutants of every kind of store: whatever is in the file, each thing done with it ends in a result or in a named
 * error with its place, soon, and within its memory. They run in a process of their own (run.ts), so that one that would hang
 * is known by its number.
 *
 *     PSTWRIGHT_SEED=other PSTWRIGHT_MUTANTS=100000 npx vitest run test/hostile/mutants.test.ts
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { sharedStoresMissing } from '../stores.js';
import type { Failure, Summary } from './run.js';

const SEED = process.env.PSTWRIGHT_SEED ?? '1';
const MUTANTS = Number(process.env.PSTWRIGHT_MUTANTS ?? 5200);
/** A mutant that takes longer hangs. */
const HANG_MS = 60_000;
/** For the whole run: stores of up to 17 MB, their mutants and their clones are held in memory. */
const RSS_BYTES_MAX = 1 << 30;

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Outcome {
  readonly failures: Failure[];
  readonly summary: Summary;
}

function tryMutants(): Promise<Outcome> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/hostile/run.ts', SEED, '0', String(MUTANTS)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const failures: Failure[] = [];
  let summary: Summary | undefined;
  let trying = 'the specimens';
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-4000);
  });
  return new Promise((resolve, reject) => {
    let watch: NodeJS.Timeout;
    const alive = (): void => {
      clearTimeout(watch);
      watch = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`${trying} (seed ${SEED}) hangs`));
      }, HANG_MS);
    };
    alive();
    createInterface(child.stdout).on('line', (line) => {
      alive();
      const said = JSON.parse(line) as { trying?: string; summary?: Summary } & Failure;
      if (said.trying !== undefined) trying = said.trying;
      else if (said.summary !== undefined) summary = said.summary;
      else failures.push(said);
    });
    child.on('close', (code, signal) => {
      clearTimeout(watch);
      if (summary !== undefined) resolve({ failures, summary });
      else reject(new Error(`${trying} (seed ${SEED}) ended the process: ${code ?? signal}\n${said}`));
    });
  });
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

it(`${MUTANTS} mutants, seed ${SEED}, end in a result or a named error`, { timeout: 900_000 }, async () => {
  if (sharedStoresMissing !== undefined) console.warn(`fewer specimens: ${sharedStoresMissing}`);
  const { failures, summary } = await tryMutants();
  const { mutants, specimens, outcomes, slowest, peak, rssBytes, seconds } = summary;
  const lines = Object.entries(outcomes).map(([step, counts]) => {
    const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
    return `  ${step.padEnd(10)} ${sorted.map(([outcome, count]) => `${outcome} ${count}`).join(', ')}`;
  });
  console.log(
    [
      `${mutants} mutants of ${specimens} stores, seed ${SEED}, in ${seconds.toFixed(0)} s`,
      ...lines,
      `  slowest step ${slowest.ms.toFixed(0)} ms: ${slowest.step} of ${slowest.mutant}`,
      `  highest memory of a core ${megabytes(peak.bytes)}: ${peak.mutant}; of the process ${megabytes(rssBytes)}`,
    ].join('\n'),
  );
  const told = failures.slice(0, 10).map(({ mutant, notes, error }) => `${mutant}\n  ${notes.join('\n  ')}\n${error}`);
  expect(failures.length, `seed ${SEED}\n${told.join('\n\n')}`).toBe(0);
  expect(mutants).toBe(MUTANTS);
  expect(specimens).toBeGreaterThanOrEqual(10);
  expect(rssBytes).toBeLessThan(RSS_BYTES_MAX);
});
