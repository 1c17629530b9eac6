/** `replay --minimise` and `--redact` as a person calls them: what is printed, what is written, and how it ends. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Core } from '../../src/core/core.js';
import { memoryFile } from '../../src/host/memory.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { cloneStore } from '../../src/migrate/clone.js';
import { decodeBundle, encodeBundle } from '../../src/replay/bundle.js';
import { minimise } from '../../src/replay/minimise.js';
import { redact } from '../../src/replay/redact.js';
import { replay } from '../../src/replay/replay.js';
import { invoke } from '../cli/invoke.js';
import { type Workshop, workshop } from './bundles.js';
import { DAMAGES, SECRETS } from './damages.js';
import { Forged, text } from './forged.js';
import { leftOver } from './left-over.js';

const FIRST = 0x200024;

let shop: Workshop;
beforeAll(async () => {
  shop = await workshop();
}, 120_000);
afterAll(() => shop.close());

/** The raw core stays raw: the crime is the other's. */
function plant(crime: number): void {
  shop.plant(crime);
  Core.substitute('raw', undefined);
}

/** A clone on the command line that fails; the path of its bundle. */
async function failed(name: string): Promise<string> {
  const damage = DAMAGES.find((each) => each.name === name)!;
  const store = join(shop.folder, `${name.replace(/\W/g, '')}.pst`);
  writeFileSync(store, damage.make());
  const { code } = await invoke('clone', ...(damage.reencode ? ['--reencode'] : []), store, `${store}.copy`);
  expect(code).toBe(2);
  return `${store}.copy.replay`;
}

describe('damage', () => {
  it('is minimised, and says that nothing more can go; --pst says why not, and the bundle is there all the same', async () => {
    const bundle = await failed('a flipped bit in a leaf');
    const { code, out, err } = await invoke('replay', bundle, '--minimise', '--pst', join(shop.folder, 'never.pst'));
    expect(out).toMatch(
      /^minimised: 3[\d,]+ bytes of the store to \d\d in \d+ replays\nnothing more can be removed\nwritten to /,
    );
    expect(err).toContain('no PST is written: the failure needs a block that is damaged in itself');
    expect(err).toContain('dwCRC is wrong');
    expect(code).toBe(3);
    expect(existsSync(join(shop.folder, 'never.pst'))).toBe(false);
    const again = await invoke('replay', bundle.replace(/\.replay$/, '.minimised.replay'));
    expect(again).toMatchObject({ code: 0 });
    expect(again.out).toContain('reproduced');
  }, 60_000);

  it('goes into a PST where every block of it is sound', async () => {
    const bundle = await failed('an XBLOCK of another type, re-encoded');
    const pst = join(shop.folder, 'small.pst');
    const { code, out } = await invoke('replay', bundle, '--minimise', '--pst', pst);
    expect(code).toBe(0);
    expect(out).toMatch(/what is left is node 0x200024 of .*small\.pst/);
    const { code: ends, err } = await invoke('clone', '--reencode', pst, join(shop.folder, 'copy.pst'));
    expect(ends).toBe(2);
    expect(err).toMatch(/block type 0x[0-9a-f]+, expected 0x1 \[XBLOCK\.btype/);
  }, 60_000);

  it('is redacted; the bundle itself says so, and what was kept', async () => {
    const bundle = await failed('nbt: too many entries');
    const { code, out } = await invoke('replay', bundle, '--redact');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^redacted: \d+ values replaced, 1 kept because it fails only with them\n {2}kept: the page at 0x[0-9a-f]+, payload, bytes 480 to 495\n/,
    );
    const path = bundle.replace(/\.replay$/, '.redacted.replay');
    expect(leftOver(decodeBundle(readFileSync(path), path), SECRETS)).toEqual([]);
    const shown = await invoke('replay', path);
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/changed +redacted/);
    expect(shown.out).toMatch(/redacted +\d+ values replaced; structure, lengths, numbers/);
    expect(shown.out).toMatch(/kept +the page at 0x[0-9a-f]+, payload, bytes 480 to 495/);
    const { bundle: told } = JSON.parse((await invoke('replay', path, '--json')).out);
    expect(told.redaction.kept).toHaveLength(1);
    expect(told.changes).toEqual(['redacted']);
  }, 60_000);
});

describe('a stop', () => {
  it('minimised and redacted leaves a PST without a word of the store', async () => {
    plant(2);
    const bundle = join(shop.folder, 'stop.replay');
    writeFileSync(bundle, encodeBundle(shop.capture()));
    const pst = join(shop.folder, 'stop.pst');
    const { code, out } = await invoke('replay', bundle, '--minimise', '--redact', '--pst', pst);
    plant(0);
    expect(code).toBe(0);
    expect(out).toMatch(/nothing more can be removed\nredacted: /);
    const small = decodeBundle(readFileSync(bundle.replace(/\.replay$/, '.redacted.replay')), 'small');
    expect(small.changes).toEqual(['minimised', 'redacted']);
    expect(readFileSync(pst).length).toBe(271_360);
  }, 60_000);

  it('that cannot be repeated here is refused, and nothing is written', async () => {
    plant(2);
    const bundle = shop.capture();
    plant(0);
    expect(minimise(bundle)).toMatchObject({
      bundle,
      replays: 1,
      isIrreducible: false,
      refused: expect.stringContaining('does not end as the bundle says'),
    });
    const path = join(shop.folder, 'other.replay');
    writeFileSync(path, encodeBundle(bundle));
    const { code, out } = await invoke('replay', path, '--minimise');
    expect(code).toBe(2);
    expect(out).toContain('not minimised: on this core the operation does not end as the bundle says\nnothing written');
    expect(existsSync(join(shop.folder, 'other.minimised.replay'))).toBe(false);
  });

  it('in what even the raw core cannot take apart is reduced by its blocks', () => {
    plant(2);
    const bundle = shop.capture();
    const load = Core.load.bind(Core);
    const spy = vi
      .spyOn(Core, 'load')
      .mockImplementation((build, settings) => load(build === 'raw' ? 'core' : build, settings));
    const small = minimise(bundle);
    expect(small).toMatchObject({ isIrreducible: true, unit: 'pieces' });
    expect(small.after).toBeLessThan(small.before);
    expect(replay(small.bundle)).toMatchObject({ isReproduced: true });
    const hidden = redact(bundle);
    expect(hidden.refused).toBeUndefined();
    expect(replay(hidden.bundle)).toMatchObject({ isReproduced: true });
    spy.mockRestore();
    plant(0);
  }, 60_000);

  it('with few replays is not called irreducible', () => {
    plant(2);
    const bundle = shop.capture();
    const cut = minimise(bundle, { limit: 3 });
    expect(cut).toMatchObject({ isIrreducible: false, replays: 3 });
    expect(minimise(bundle, {})).toMatchObject({ isIrreducible: true, unit: 'objects' });
    plant(0);
  }, 60_000);
});

/** What a clone survives leaves no bundle: these codes end no operation, the node is copied with what is wrong in it, and a finding says so. */
describe('damage inside heaps', () => {
  const note = (store: Forged): number =>
    store.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')).set(0x0037001f, text('Wintermute')));

  it.each([
    ['PST_BAD_BTH', [0xb5, 0x02, 0x06], [0xb6, 0x02, 0x06]],
    ['PST_BAD_HEAP', [0xb5, 0x02, 0x06, 0x00, 0x40], [0xb5, 0x02, 0x06, 0x00, 0xe0, 0xff]],
    ['PST_BAD_VALUE', [0x37, 0x00, 0x1f, 0x00], [0x37, 0x00, 0x48, 0x00]],
  ] as const)('%s is a finding', (code, found, bent) => {
    for (const reencode of [false, true]) {
      const forged = new Forged();
      const bid = note(forged);
      forged.bend(bid, found, bent);
      const store = forged.store([{ nid: FIRST, bidData: bid, bidSub: 0, nidParent: 0x122 }]);
      const { findings } = cloneStore(memoryFile('bent', store), memoryFile('target'), { reencode });
      expect(findings.map((finding) => finding.code)).toContain(code);
    }
  });

  it('PST_BAD_TC is a finding', () => {
    const forged = new Forged();
    const { bidData } = forged.table([FIRST], 0x3f, 'Wintermute');
    forged.bend(bidData, [0x7c, 0x03], [0x7d, 0x03]);
    const store = forged.store([{ nid: 0x12e, bidData, bidSub: 0 }]);
    const { findings } = cloneStore(memoryFile('bent', store), memoryFile('target'));
    expect(findings.map(({ code }) => code)).toContain('PST_BAD_TC');
  });
});
