/**
 * Replays bundles in a process of its own, on a planted core: `replay-child.ts WASM (CRIME BUNDLE)…`. Prints one JSON document: for each whether
 * it was reproduced, and what differed.
 */
import { readFileSync } from 'node:fs';
import { Core } from '../../src/core/core.js';
import { decodeBundle } from '../../src/replay/bundle.js';
import { replay } from '../../src/replay/replay.js';

const [wasm, ...rest] = process.argv.slice(2) as [string, ...string[]];
const results: Record<string, unknown> = {};
for (let k = 0; k < rest.length; k += 2) {
  const crime = Number(rest[k]);
  const path = rest[k + 1]!;
  Core.substitute('core', readFileSync(wasm), (core) => (core.x as unknown as { plant(n: number): void }).plant(crime));
  const { isReproduced, differences, outcome } = replay(decodeBundle(readFileSync(path), path));
  results[crime] = { isReproduced, differences, outcome: outcome.kind };
}
process.stdout.write(JSON.stringify(results));
