/**
 * Makes mutants of replay bundles: raw bytes, the msgpack inside, single values of it, the pieces of the store it carries, and bombs.
 * @module
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { decode, encode } from '@msgpack/msgpack';
import { Core } from '../../src/core/core.js';
import { FULL, type PageHeapOptions } from '../../src/core/options.js';
import { memoryFile } from '../../src/host/memory.js';
import { cloneStore } from '../../src/migrate/clone.js';
import { encodeBundle } from '../../src/replay/bundle.js';
import { Capture } from '../../src/replay/capture.js';
import { mutate } from './mutator.js';
import type { Random } from './random.js';
import type { Specimen } from './specimens.js';

export interface BundleSeed {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The bundle of a clone that fails; undefined when it does not. */
function capture(bytes: Uint8Array<ArrayBuffer>, pageheap: PageHeapOptions, reencode: boolean): Uint8Array | undefined {
  const before = Core.settings;
  Core.settings = pageheap;
  const source = memoryFile('mailbox.pst', bytes);
  const recorder = new Capture({ engine: '9.9.9', build: 'core', reencode, pageheap });
  try {
    cloneStore(source, memoryFile('target'), { reencode, recorder });
    return undefined;
  } catch (error) {
    const bundle = recorder.bundle(source, error);
    return bundle === undefined ? undefined : encodeBundle(bundle);
  } finally {
    Core.settings = before;
  }
}

/** Bundles of real failures: injected faults in nodes early and late, damage in nodes, damage on opening. */
export function bundleSeeds(all: readonly Specimen[]): BundleSeed[] {
  const seeds: BundleSeed[] = [];
  const add = (name: string, bytes: Uint8Array | undefined): void => {
    if (bytes !== undefined) seeds.push({ name, bytes });
  };
  const fixture = all.find(({ name }) => name === 'fixtures/attachments.pst')!;
  for (const after of [100, 900, 1500]) {
    add(`fault after ${after}`, capture(fixture.bytes, { ...FULL, fault: { rate: 10_000, after }, seed: 1 }, true));
  }
  for (let k = 0; seeds.length < 9 && k < 60; k++) {
    const { bytes, notes } = mutate(fixture, all, 'bundles', k);
    add(`damage: ${notes.join('; ')}`, capture(bytes, FULL, k % 2 === 0));
  }
  return seeds;
}

const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1,
  0.5,
  0xffff,
  0x10000,
  0xffffffff,
  2 ** 53,
  2 ** 53 - 1,
  -(2 ** 53),
  1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  'x',
  'node',
  'open',
  'stop',
  'fault',
  'error',
  'none',
  'core',
  'paranoid',
  'watch',
  'full',
  'normal',
  '../../etc/passwd',
  '__proto__',
  'x'.repeat(5000),
  [],
  [[]],
  {},
  { length: 1e9 },
  new Uint8Array(0),
  new Uint8Array(600),
];

/** Every place in a value: the object or array it is in, and its key. */
function placesOf(value: unknown, into: { of: Record<string | number, unknown>; key: string | number }[] = []) {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return into;
  for (const key of Object.keys(value)) {
    const of = value as Record<string | number, unknown>;
    into.push({ of, key: Array.isArray(value) ? Number(key) : key });
    placesOf(of[key], into);
  }
  return into;
}

function bendValue(bundle: unknown, random: Random): string {
  const places = placesOf(bundle);
  // Most places are numbers of blocks: the shallow ones are tried as often as those.
  const named = places.filter(({ key }) => typeof key === 'string');
  const { of, key } = random.pick(random.chance(0.6) ? named : places);
  const was = of[key];
  switch (random.below(6)) {
    case 0:
      if (Array.isArray(of)) of.splice(Number(key), 1);
      else delete of[key];
      return `${key} left out`;
    case 1:
      if (typeof was === 'number') {
        of[key] = was + random.pick([-1, 1, 8, 64, -64, 0.5, 2 ** 32]);
        return `${key} ${was} → ${of[key]}`;
      }
      break;
    case 2:
      if (Array.isArray(was) && was.length > 1) {
        const [a, b] = [random.below(was.length), random.below(was.length)];
        [was[a], was[b]] = [was[b], was[a]];
        return `${key}: ${a} and ${b} change places`;
      }
      break;
    case 3:
      if (Array.isArray(was) && was.length > 0) {
        was.push(...Array.from({ length: random.pick([1, 3, 1000]) }, () => was[random.below(was.length)]));
        return `${key} now ${was.length} long`;
      }
      break;
    case 4:
      if (was instanceof Uint8Array && was.length > 0) {
        const bytes = was.slice();
        for (let k = random.pick([1, 4, 64]); k > 0; k--) bytes[random.below(bytes.length)] = random.below(256);
        of[key] = bytes;
        return `${key}: bytes`;
      }
      break;
  }
  // A copy: a value that holds its own place would have no end.
  of[key] = structuredClone(
    random.chance(0.3) ? random.pick(places.map((place) => place.of[place.key])) : random.pick(VALUES),
  );
  return `${key} → ${JSON.stringify(of[key])?.slice(0, 60)}`;
}

/** Deflated bytes that are small and say they are much. */
export const BUNDLE_BOMBS: readonly (readonly [string, () => Uint8Array])[] = [
  ['600 MB of zeros', () => deflateSync(new Uint8Array(600 << 20))],
  ['arrays in arrays, 40 million deep', () => deflateSync(new Uint8Array(40 << 20).fill(0x91))],
  ['maps in maps', () => deflateSync(new Uint8Array(10 << 20).fill(0x81))],
  [
    'an array of 100 million empty arrays',
    () =>
      deflateSync(Buffer.concat([Uint8Array.of(0xdd, 0x05, 0xf5, 0xe1, 0), new Uint8Array(100_000_000).fill(0x90)])),
  ],
  ['an array that says it has 4 thousand million', () => deflateSync(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff))],
  ['a map that says it has 4 thousand million', () => deflateSync(Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff))],
  ['a text that says it has 4 thousand million', () => deflateSync(Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff))],
  ['bytes that say they are 4 thousand million', () => deflateSync(Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff))],
  ['nothing', () => new Uint8Array(0)],
  ['nothing, deflated', () => deflateSync(new Uint8Array(0))],
];

export function mutateBundle(seed: BundleSeed, random: Random): { bytes: Uint8Array; note: string } {
  let bytes = new Uint8Array(seed.bytes);
  const scatter = (target: Uint8Array): void => {
    for (let k = random.pick([1, 1, 2, 8]); k > 0 && target.length > 0; k--)
      target[random.below(target.length)]! ^= 1 << random.below(8);
  };
  switch (random.weighted({ raw: 1, cut: 1, msgpack: 4, values: 14 })) {
    case 'raw':
      scatter(bytes);
      return { bytes, note: 'bits' };
    case 'cut':
      bytes = bytes.slice(0, random.below(bytes.length));
      return { bytes, note: `cut to ${bytes.length}` };
    case 'msgpack': {
      const inner = new Uint8Array(inflateSync(bytes));
      // The names and numbers at the beginning are more telling than the bytes of the store.
      scatter(random.chance(0.6) ? inner.subarray(0, 700) : inner);
      return { bytes: deflateSync(inner), note: 'bits of the msgpack' };
    }
    case 'values': {
      const bundle = decode(inflateSync(bytes)) as unknown;
      const notes = Array.from({ length: random.pick([1, 1, 1, 3]) }, () => bendValue(bundle, random));
      return { bytes: deflateSync(encode(bundle)), note: notes.join('; ') };
    }
  }
}
