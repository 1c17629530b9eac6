/** Replay bundles from anybody: bombs, bent bytes, bent values. Each is replayed, or refused with a sentence; none takes the memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import { decode, encode } from '@msgpack/msgpack';
import { afterAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { msgpackFault } from '../../src/host/msgpack.js';
import { type Bundle, decodeBundle } from '../../src/replay/bundle.js';
import { BUNDLE_BOMBS, bundleSeeds, mutateBundle } from './bundle-mutator.js';
import { Random } from './random.js';
import { specimens } from './specimens.js';
import { tryVerb } from './verbs.js';

const SEED = process.env.PSTWRIGHT_SEED ?? 'bundles';
const MUTANTS = 60;
const folder = mkdtempSync(join(tmpdir(), 'pstwright-bundles-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const seeds = bundleSeeds(specimens());
const [seed] = seeds as [(typeof seeds)[0]];
const bundle = decode(inflateSync(seed.bytes)) as Bundle;

describe('bombs', () => {
  it.each(BUNDLE_BOMBS.filter(([name]) => !name.startsWith('600')))('%s', (_, make) => {
    const bytes = make();
    const before = process.memoryUsage().rss;
    expect(() => decodeBundle(bytes, 'bomb')).toThrow(/bomb is not a replay bundle/);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 << 20);
  });
});

describe('msgpack is walked through before it is built', () => {
  const fault = (...bytes: number[]): string | undefined => msgpackFault(Uint8Array.from(bytes), 100);
  it('as the package reads it', () => {
    const values: unknown[] = [
      null,
      true,
      -1,
      -33,
      -40000,
      127,
      128,
      65536,
      2 ** 40,
      1.5,
      '',
      'x'.repeat(40),
      'x'.repeat(300),
      'x'.repeat(70000),
    ];
    values.push(
      new Uint8Array(3),
      new Uint8Array(300),
      new Uint8Array(70000),
      [],
      [1, [2, [3]]],
      Array(20).fill(7),
      {},
      { a: { b: [1] } },
    );
    values.push(Object.fromEntries(Array.from({ length: 20 }, (_, k) => [`k${k}`, k])), new Date(0), bundle);
    for (const value of [...values, values]) {
      const bytes = encode(value);
      expect(msgpackFault(bytes, 1e6), String(value)).toBeUndefined();
      expect(msgpackFault(bytes.subarray(0, -1), 1e6)).toBeDefined();
      expect(msgpackFault(Uint8Array.from([...bytes, 0]), 1e6)).toBe('1 bytes behind its end');
    }
  });
  it('and refused for what it claims', () => {
    expect(fault()).toBe('it ends in the middle');
    expect(fault(0xc1)).toBe('the byte 0xc1 begins nothing');
    expect(fault(0xdd, 0xff, 0xff, 0xff, 0xff)).toBe('it ends in the middle');
    expect(fault(0xdc, 0, 101, ...Array(101).fill(0))).toBe('more than 100 items');
    expect(fault(...Array(16).fill(0x91), 0)).toBeUndefined();
    expect(fault(...Array(17).fill(0x91), 0)).toBe('more than 16 levels');
  });
});

describe('a bundle with a field that cannot be', () => {
  const pack = (changes: object): Uint8Array => deflateSync(encode({ ...bundle, ...changes }));
  it('is sound without', () => {
    expect(decodeBundle(pack({}), 'b')).toEqual(decodeBundle(seed.bytes, 'b'));
  });
  const [first, second] = bundle.ranges;
  it.each<[string, object, string]>([
    ['no node for an operation on one', { node: null }, 'node'],
    ['half a node', { node: { nid: 1 } }, 'node'],
    ['a block of four numbers', { blocks: [[4, 0, 0, 0]] }, 'blocks'],
    ['a block too large', { blocks: [[4, 0, 65536, 0, 0]] }, 'blocks'],
    ['blocks out of order', { blocks: [8, 4].map((bid) => [bid, 0, 1, 1, 1]) }, 'blocks'],
    ['a block twice', { blocks: [4, 4].map((bid) => [bid, 0, 1, 1, 1]) }, 'blocks'],
    ['pieces that overlap', { ranges: [first, first] }, 'ranges'],
    ['pieces out of order', { ranges: [second, first] }, 'ranges'],
    ['a piece that is a text', { ranges: [{ ib: 0, bytes: 'x' }] }, 'ranges'],
    ['a size of half a byte', { source: { ...bundle.source, size: 0.5 } }, 'source'],
    ['another policy', { policy: { name: 'move', reencode: true } }, 'policy'],
    ['a build nobody made', { core: { build: '../../x', hash: '' } }, 'core'],
    ['a mode nobody knows', { pageheap: { mode: 'half' } }, 'pageheap'],
    ['an option nobody knows', { pageheap: { ...bundle.pageheap, speed: 1 } }, 'pageheap'],
    ['a stop without an address', { outcome: { kind: 'stop', stop: { kind: 'overrun' }, message: '' } }, 'outcome'],
    ['an error without a place', { outcome: { kind: 'error', code: 'X', message: 'y' } }, 'outcome'],
    ['a path of names alone', { path: ['Inbox'] }, 'path'],
    ['no changes', { changes: undefined }, 'changes'],
  ])('%s', (_, changes, field) => {
    expect(() => decodeBundle(pack(changes), 'b')).toThrow(
      new UsageError('USAGE', `b is a damaged bundle: its ${field} cannot be`),
    );
  });
  it.each([null, 'one', 1.5])('a version %j', (version) => {
    expect(() => decodeBundle(pack({ version }), 'b')).toThrow(/^b is not a replay bundle$/);
  });
});

it(`${MUTANTS} mutants, seed ${SEED}, are replayed or refused`, { timeout: 120_000 }, async () => {
  const path = join(folder, 'mutant.replay');
  const random = new Random(SEED, 'bundles');
  const codes = new Set<number>();
  for (let k = 0; k < MUTANTS; k++) {
    writeFileSync(path, mutateBundle(seeds[k % seeds.length]!, random).bytes);
    codes.add(await tryVerb(['replay', path, ...(k % 2 === 0 ? ['--json'] : [])], 'bundle'));
  }
  expect([...codes].sort()).toEqual([0, 2, 3]);
});
