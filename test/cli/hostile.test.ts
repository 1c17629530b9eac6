/**
 * Damaged stores on the command line: whatever is in the file, a verb ends with 0 to 3, in time, and under --json with one
 * JSON document. The seed of a failure is in its message.
 */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { realStores } from '../stores.js';
import { invoke, workshop } from './invoke.js';

const shop = workshop();
afterAll(shop.remove);

const MUTANTS = 24;
const SIZE_MAX = 600_000;
const SECONDS_MAX = 10;
const NIDS = ['0x21', '0x61', '0x122', '0x8022', '0x200024', '0x12d', '0x60e', '0x671', '0x692'];

/** Small, fast, the same everywhere. Park and Miller. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state % below;
  };
}

describe('mutants', () => {
  const stores = realStores().filter(({ path }) => readFileSync(path).length <= SIZE_MAX);
  if (stores.length === 0) {
    it.skip('skipped: no small store on this machine', () => {});
    return;
  }
  it.each(Array.from({ length: MUTANTS }, (_, k) => 1000 + 77 * k))('seed %i', async (seed) => {
    const next = random(seed);
    const store = stores[next(stores.length)]!;
    const bytes = readFileSync(store.path);
    for (let k = 1 + next(30); k > 0; k--) bytes[next(3) === 0 ? next(600) : next(bytes.length)] = next(256);
    const length = next(6) === 0 ? next(bytes.length) : bytes.length;
    const path = shop.file(`${seed}.pst`, bytes.subarray(0, length));
    const nid = NIDS[next(NIDS.length)]!;
    const calls = [
      ['info'],
      ['ls', '--all', '--messages'],
      ['cat', nid],
      ['node', nid],
      ['page', 'nbt'],
      ['page', String(0x4400 + 512 * next(300))],
      ['block', String(2 * next(400))],
    ];
    for (const [verb, ...args] of calls) {
      const json = next(2) === 0 ? [] : ['--json'];
      const begin = performance.now();
      const { code, out, err } = await invoke(verb!, path, ...args, ...json);
      const what = `${store.name}, ${verb} ${args.join(' ')}: ${err}`;
      expect(code, what).toBeLessThanOrEqual(3);
      expect((performance.now() - begin) / 1000, what).toBeLessThan(SECONDS_MAX);
      if (json.length > 0) expect(() => JSON.parse(out), what).not.toThrow();
    }
  });
});
