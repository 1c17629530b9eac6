/**
 * Tries mutants of replay bundles on every form of `replay`:
 *
 *     node --import tsx test/hostile/run-bundles.ts SEED FIRST COUNT
 *
 * A line for each that fails, with the mutant in base64 when it is small; a summary at the end.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLE_BOMBS, bundleSeeds, mutateBundle } from './bundle-mutator.js';
import { Random } from './random.js';
import { specimens } from './specimens.js';
import { tryVerb } from './verbs.js';

const [seed = '1', from = '0', count = '200', only] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'pstwright-bundles-'));
const path = join(folder, 'mutant.replay');
const out = join(folder, 'out');
const codes: Record<string, number> = {};
let failures = 0;
let slowest = { ms: 0, what: '' };
const seeds = bundleSeeds(specimens());
const rss = (): number => process.resourceUsage().maxRSS * 1024;

async function tryAll(what: string, bytes: Uint8Array, calls: readonly (readonly string[])[]): Promise<void> {
  writeFileSync(path, bytes);
  for (const args of calls) {
    const begun = performance.now();
    const call = ['replay', path, ...args];
    try {
      const code = await tryVerb(call, 'bundle');
      const key = `${args.find((arg) => arg.startsWith('--')) ?? ''} ${code}`;
      codes[key] = (codes[key] ?? 0) + 1;
      // What was written anew must be a bundle, and fail in the same way.
      if (code === 0 && args.includes('-o')) {
        writeFileSync(`${path}.again`, readFileSync(out));
        const again = await tryVerb(['replay', `${path}.again`], 'bundle');
        if (again !== 0) throw new Error(`${args[0]} wrote a bundle that does not reproduce (${again})`);
      }
    } catch (error) {
      failures++;
      console.log(JSON.stringify({ what, seed, call: args.join(' '), error: (error as Error).message }));
    }
    rmSync(out, { force: true });
    rmSync(`${out}.pst`, { force: true });
    const ms = performance.now() - begun;
    if (ms > slowest.ms) slowest = { ms, what: `${what}: ${args.join(' ')}` };
  }
}

const forms = (random: Random): string[][] => [
  [],
  ['--json'],
  random.pick([
    ['--minimise', '-o', out],
    ['--minimise', '-o', out, '--pst', `${out}.pst`],
    ['--redact', '-o', out],
    ['--minimise', '--redact', '-o', out, '--json'],
  ]),
  random.pick([['--html', out], ['--until', '3'], ['--until', '40', '--json'], ['--step']]),
];

if (only === undefined) {
  for (const { name, bytes } of seeds) await tryAll(name, bytes, forms(new Random(seed, name)));
  for (const [name, make] of BUNDLE_BOMBS) {
    const before = rss();
    await tryAll(`bomb: ${name}`, make(), [[]]);
    console.log(JSON.stringify({ bomb: name, grownMb: Math.round((rss() - before) / 2 ** 20) }));
  }
}
const begin = only === undefined ? Number(from) : Number(only);
const end = only === undefined ? begin + Number(count) : begin + 1;
for (let k = begin; k < end; k++) {
  const random = new Random(seed, 'bundle', k);
  const { bytes, note } = mutateBundle(seeds[k % seeds.length]!, random);
  await tryAll(`#${k} of ${seeds[k % seeds.length]!.name}: ${note}`, bytes, forms(random));
}
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify({
    bundles: Number(count),
    seeds: seeds.length,
    codes,
    slowest,
    failures,
    rssMb: Math.round(rss() / 2 ** 20),
  }),
);
