/**
 * The planted builds: the raw core lets each crime pass, normal mode finds it when the block is freed or leaves the queue, full mode at the
 * access itself; the bundle reproduces it in another process without the store, and still does so minimised and redacted.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateStore } from '../../src/build/generate.js';
import { Core } from '../../src/core/core.js';
import { CoreFault, type Stop } from '../../src/core/fault.js';
import { FULL, type PageHeapOptions } from '../../src/core/options.js';
import { openSource } from '../../src/host/file.js';
import { memoryFile } from '../../src/host/memory.js';
import type { Sink, Source } from '../../src/host/source.js';
import { cloneStore } from '../../src/migrate/clone.js';
import { NodeCopier } from '../../src/migrate/operation.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { StoreWriter } from '../../src/ndb/write/store-writer.js';
import { type Bundle, decodeBundle, encodeBundle } from '../../src/replay/bundle.js';
import { Capture } from '../../src/replay/capture.js';
import { minimise } from '../../src/replay/minimise.js';
import { writeReducedStore } from '../../src/replay/pst.js';
import { redact } from '../../src/replay/redact.js';
import { replay } from '../../src/replay/replay.js';
import { isSameStop } from '../../src/replay/trial.js';
import { pstExtractor } from '../readers.js';
import { leftOver } from '../replay/left-over.js';
import { CRIMES, compilePlanted, LEAK } from './crimes.js';

const run = promisify(execFile);

let folder = '';
let store = '';
let bytes: Uint8Array<ArrayBuffer>;
const cores: Record<'core' | 'raw', Uint8Array> = { core: new Uint8Array(0), raw: new Uint8Array(0) };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-planted-'));
  store = join(folder, 'mailbox.pst');
  generateStore(store, { messages: 300, textBytes: 3_000_000, attachmentBytes: 6_000_000 });
  bytes = new Uint8Array(readFileSync(store));
  cores.core = await compilePlanted('core');
  cores.raw = await compilePlanted('raw');
  writeFileSync(join(folder, 'core.wasm'), cores.core);
}, 120_000);

afterAll(() => {
  Core.substitute('core', undefined);
  Core.substitute('raw', undefined);
  Core.settings = FULL;
  rmSync(folder, { recursive: true, force: true });
});

function plant(crime: number, settings: PageHeapOptions): void {
  Core.settings = settings;
  for (const build of ['core', 'raw'] as const) {
    Core.substitute(build, cores[build], (core) => (core.x as unknown as { plant(n: number): void }).plant(crime));
  }
}

/** The raw core stays raw where it only takes objects apart and puts them together: the crime is the other core's. */
function plantVerifiedOnly(crime: number): void {
  plant(crime, FULL);
  Core.substitute('raw', undefined);
}

const nowhere = (): Sink & Source => ({ name: 'nowhere', size: 0, read: () => 0, write() {}, sync() {}, close() {} });

/** Re-encodes every node; returns how it stopped. */
function attempt(): Stop | undefined {
  const core = Core.load();
  const ndb = Ndb.open(memoryFile('mailbox.pst', bytes), core);
  const writer = new StoreWriter(core, nowhere(), {
    crypt: ndb.header.crypt,
    bidNextB: 4 * Math.ceil(ndb.header.bidNextB / 4),
  });
  const copier = new NodeCopier(ndb, writer, true, () => {});
  try {
    for (let i = 0; i < ndb.nbt.count; i++) copier.node(i);
  } catch (error) {
    if (error instanceof CoreFault && error.stop !== undefined) return error.stop;
    throw error;
  }
  return undefined;
}

/** A clone under capture that must fail; the bundle it leaves. */
function captured(crime: number, settings: PageHeapOptions = FULL): Bundle {
  plant(crime, settings);
  const source = openSource(store);
  const capture = new Capture({ engine: 'test', build: 'core', reencode: true, pageheap: settings });
  try {
    cloneStore(source, memoryFile('target'), { reencode: true, recorder: capture });
  } catch (error) {
    const bundle = capture.bundle(source, error);
    source.close();
    if (bundle !== undefined) return bundle;
  }
  throw new Error(`crime ${crime} did not stop the clone`);
}

const distance = ({ address, block }: Stop): number => address - block;

/** Fails on the first node of the store, which holds no text of these. */
const smallest = new Set([19]);

describe.each(CRIMES)('$id $name', ({ id, full, normal }) => {
  it('passes unseen in the raw core', () => {
    plant(id, { mode: 'off' });
    expect(attempt()).toBeUndefined();
  });

  it('is found by normal mode when the block is freed or leaves the queue', () => {
    plant(id, { mode: 'normal' });
    expect(attempt()?.kind).toBe(normal);
  });

  it('is stopped by full mode at the access itself', () => {
    plant(id, FULL);
    const stop = attempt()!;
    expect(stop.kind).toBe(full.kind);
    if (full.size !== undefined) expect(stop.size).toBe(full.size);
    if (full.tag !== undefined) expect(stop.tag).toBe(full.tag);
    // -1: at the end of the block, whatever its size
    expect(distance(stop)).toBe(full.kind === 'overrun' && full.distance === -1 ? stop.size : full.distance);
    expect(stop.nid).not.toBe(0);
    expect(stop.decoder).not.toBe('host');
  });

  it('leaves a bundle that reproduces it, minimised and redacted too', () => {
    const bundle = captured(id);
    expect(bundle.outcome).toMatchObject({ kind: 'stop', stop: { kind: full.kind } });
    writeFileSync(join(folder, `${id}.replay`), encodeBundle(bundle));

    plantVerifiedOnly(id);
    const started = performance.now();
    const small = minimise(bundle);
    const seconds = (performance.now() - started) / 1000;
    expect(small).toMatchObject({ isIrreducible: true, unit: 'objects' });
    expect(isSameStop(bundle.outcome, small.bundle.outcome)).toBe(true);
    const again = decodeBundle(encodeBundle(small.bundle), 'minimised');
    expect(replay(again)).toMatchObject({ isReproduced: true });
    const share = (100 * small.after) / small.before;
    console.log(
      `crime ${id}: ${small.before} bytes to ${small.after} (${share.toFixed(1)} %) in ${small.replays} replays, ${seconds.toFixed(2)} s`,
    );
    expect(small.after).toBeLessThan(small.before);
    // Either next to nothing is left, or a second pass from there finds nothing that could go.
    if (share > 5) expect(minimise(small.bundle)).toMatchObject({ after: small.after, isIrreducible: true });

    const hidden = redact(bundle);
    expect(hidden.refused).toBeUndefined();
    expect(replay(decodeBundle(encodeBundle(hidden.bundle), 'redacted'))).toMatchObject({ isReproduced: true });
    if (!smallest.has(id)) expect(leftOver(bundle, STRINGS)).not.toEqual([]);
    expect(hidden.kept.length, hidden.kept.join()).toBeLessThan(3);
    if (hidden.kept.length === 0) expect(leftOver(hidden.bundle, STRINGS)).toEqual([]);
  }, 60_000);
});

describe('another process', () => {
  it('reproduces every bundle without the store', async () => {
    rmSync(store);
    const pairs = CRIMES.flatMap(({ id }) => [String(id), join(folder, `${id}.replay`)]);
    const { stdout } = await run(process.execPath, [
      '--import',
      'tsx',
      'test/planted/replay-child.ts',
      join(folder, 'core.wasm'),
      ...pairs,
    ]);
    const results = JSON.parse(stdout) as Record<string, unknown>;
    for (const { id } of CRIMES)
      expect(results[id], `crime ${id}`).toMatchObject({ isReproduced: true, differences: [] });
    writeFileSync(store, bytes);
  }, 60_000);
});

/** Words the generated store is made of, its people and its file names. */
const STRINGS = ['meeting', 'spring', 'accounts', 'Archer', 'Baker', 'Diaz', 'Green', 'example.org', 'example.com'];

describe('what is left of a minimised bundle', () => {
  it('is a small PST that other readers open and that ends in the same stop', () => {
    const bundle = captured(2);
    plantVerifiedOnly(2);
    const { object } = minimise(bundle);
    const path = join(folder, 'reduced.pst');
    const nid = writeReducedStore(path, object!);
    const source = openSource(path);
    expect(source.size).toBe(271_360); // one interval: nothing but the mandatory nodes and the object
    expect(pstExtractor(path)?.some((line) => line.endsWith(` ${nid}`))).toBe(true);
    try {
      cloneStore(source, memoryFile('target'), { reencode: true });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(CoreFault);
      expect((error as CoreFault).stop).toMatchObject({ kind: 'overrun', nid, size: 26, tag: 0x3707001f });
    }
  });
});

describe('a leak', () => {
  it('passes in the raw core and in full mode, and is named with --leaks', () => {
    plant(LEAK, { mode: 'off' });
    expect(attempt()).toBeUndefined();
    plant(LEAK, FULL);
    expect(attempt()).toBeUndefined();
    plant(LEAK, { mode: 'normal', leaks: true });
    expect(attempt()).toMatchObject({ kind: 'leak', size: 72 });
  });

  it('reproduces from its bundle', () => {
    const bundle = captured(LEAK, { mode: 'normal', leaks: true });
    expect(replay(bundle)).toMatchObject({ isReproduced: true, differences: [] });

    plantVerifiedOnly(LEAK);
    const small = minimise(bundle);
    expect(small).toMatchObject({ isIrreducible: true, unit: 'objects' });
    console.log(`crime ${LEAK}: ${small.before} bytes to ${small.after} in ${small.replays} replays`);
    expect(small.after).toBeLessThan(0.05 * small.before);
    expect(replay(small.bundle)).toMatchObject({ isReproduced: true });
    const hidden = redact(bundle);
    expect(replay(hidden.bundle)).toMatchObject({ isReproduced: true });
    expect(leftOver(bundle, STRINGS)).not.toEqual([]);
    expect(leftOver(hidden.bundle, STRINGS)).toEqual([]);
  }, 60_000);
});

describe('without a crime', () => {
  it('the planted core reads as the shipped one: nothing stops', () => {
    for (const settings of [FULL, { mode: 'normal' }, { mode: 'off' }] as const) {
      plant(0, settings);
      expect(attempt()).toBeUndefined();
    }
  });
});
