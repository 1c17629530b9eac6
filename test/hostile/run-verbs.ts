/**
 * Tries mutants on every verb:
 *
 *     node --import tsx test/hostile/run-verbs.ts SEED FIRST COUNT        mutants FIRST, FIRST + 1 …, over the small specimens
 *
 * A line for each that fails, with the call that repeats it once the mutant is written by run.ts; a summary at the end.
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anatomyOf, mutate } from './mutator.js';
import { Random } from './random.js';
import { specimens } from './specimens.js';
import { callsOf, tryVerb } from './verbs.js';

/** Larger stores take too long for all verbs. */
const SIZE_MAX = 1_200_000;

const [seed = '1', from = '0', count = '200'] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'pstwright-verbs-'));
const all = specimens();
const small = all.filter(({ bytes }) => bytes.length < SIZE_MAX);
const path = join(folder, 'mutant.pst');
const sounds = new Map<string, string>();
const codes: Record<string, Record<string, number>> = {};
let failures = 0;
let slowest = { ms: 0, call: '' };
const started = performance.now();

for (const [k, specimen] of small.entries()) {
  const sound = join(folder, `sound-${k}.pst`);
  writeFileSync(sound, specimen.bytes);
  sounds.set(specimen.name, sound);
  const random = new Random(seed, specimen.name);
  for (const call of callsOf(sound, sound, anatomyOf(specimen), random)) await tryVerb(call, specimen.name, true);
}
for (let k = Number(from); k < Number(from) + Number(count); k++) {
  const specimen = small[k % small.length]!;
  const number = Math.floor(k / small.length);
  const { name, bytes, notes } = mutate(specimen, all, seed, number);
  writeFileSync(path, bytes);
  const random = new Random(seed, specimen.name, number, 'verbs');
  for (const call of callsOf(path, sounds.get(specimen.name)!, anatomyOf(specimen), random)) {
    const begun = performance.now();
    try {
      const code = await tryVerb(call, specimen.name);
      const of = (codes[call[0]!] ??= {});
      of[code] = (of[code] ?? 0) + 1;
    } catch (error) {
      failures++;
      console.log(JSON.stringify({ mutant: name, seed, notes, error: (error as Error).message }));
    }
    const ms = performance.now() - begun;
    if (ms > slowest.ms) slowest = { ms, call: `${name}: ${call.join(' ')}` };
  }
}
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify({ mutants: Number(count), codes, slowest, failures, seconds: (performance.now() - started) / 1000 }),
);
