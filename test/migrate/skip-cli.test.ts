/** `clone --on-error skip` as a user meets it: one store and many, what is printed, written and returned. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchReport } from '../../src/migrate/batch.js';
import { readManifest } from '../../src/migrate/manifest.js';
import type { Omitted } from '../../src/migrate/omission.js';
import type { Tally } from '../../src/migrate/tally.js';
import { decodeBundle } from '../../src/replay/bundle.js';
import { replay } from '../../src/replay/replay.js';
import { NID_TYPE } from '../../src/wire/nid.js';
import { invoke } from '../cli/invoke.js';
import { blocksOf, dataOf, findingsOf, makeStore, messagesOf, nidsOf, wound } from './wounds.js';

let folder = '';
let store = '';
let wounded = '';
let broken = '';
let lost: number[] = [];
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-skip-cli-'));
  store = makeStore(join(folder, 'store.pst'));
  lost = [messagesOf(store)[1]!, messagesOf(store)[7]!];
  wounded = wound(
    store,
    join(folder, 'wounded.pst'),
    lost.map((nid) => dataOf(store, nid)),
  );
  broken = wound(store, join(folder, 'broken.pst'), [dataOf(store, lost[0]!), dataOf(store, 0x122)]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fresh = (): string => join(folder, `t${++count}.pst`);
const hex = (n: number): string => `0x${n.toString(16)}`;

describe('one store', () => {
  it('without it: nothing is written, and the option is named', async () => {
    const target = fresh();
    const { code, err } = await invoke('clone', wounded, target);
    expect(code).toBe(2);
    expect(err).toContain('repeats it without the store; --on-error skip copies the rest of the store\n');
    expect(existsSync(target)).toBe(false);
  });

  it.each([[], ['--reencode']])(
    'exits with 2, lists what is missing, and keeps the first bundle %s',
    async (...more) => {
      const target = fresh();
      const { code, out, err } = await invoke('clone', wounded, target, '--on-error', 'skip', ...more);
      expect(code).toBe(2);
      expect(out).toMatch(/2 items failed and are not in the copy:/);
      for (const nid of lost) {
        expect(out).toMatch(new RegExp(`message ${hex(nid)} in Top of Outlook data file/Inbox.*: stored CRC .*bid 0x`));
      }
      expect(out).toContain('Top of Outlook data file/Inbox/Project');
      expect(out).toMatch(/messages +10 +8\n/);
      expect(out).toContain('Everything else arrived.');
      expect(out).not.toMatch(/Inbox 1|Project 1/); // subjects
      expect(err).toContain(`the failing operation (node ${hex(lost[0]!)}`);
      expect(findingsOf(target, 'own')).toEqual([]);

      const manifest = readManifest(`${target}.manifest`)!;
      expect(manifest.source.name).toBe('wounded.pst');
      expect(manifest.omitted.map(({ nid }) => nid)).toEqual(lost);
      expect(manifest.omitted.map(({ bundle }) => bundle)).toEqual([`${target}.replay`, undefined]);
      const bundle = decodeBundle(readFileSync(`${target}.replay`), 'bundle');
      expect(bundle.operation).toMatchObject({ kind: 'node', nid: lost[0]! });
      expect(replay(bundle)).toMatchObject({ isReproduced: true, differences: [] });

      const told = await invoke('verify', wounded, target, '--manifest', `${target}.manifest`);
      expect(told.code).toBe(2);
      expect(told.out).toMatch(/Different: 0 nodes differ, 2 only in the source, 0 only in the target/);
      expect(told.out).not.toMatch(/row only in the source|PidTagContentCount/);
      const untold = await invoke('verify', wounded, target);
      expect(untold.code).toBe(2);
      expect(untold.out).toMatch(/row only in the source/);
    },
  );

  it('says the same as JSON', async () => {
    const target = fresh();
    const { code, out } = await invoke('clone', wounded, target, '--on-error', 'skip', '--json');
    expect(code).toBe(2);
    const report = JSON.parse(out) as { omitted: Omitted[]; items: Tally; failed: Record<string, number> };
    expect(report.omitted).toHaveLength(2);
    expect(report.omitted[0]).toMatchObject({
      nid: lost[0],
      kind: 'message',
      path: ['Top of Outlook data file', 'Inbox'],
      cause: 'damage',
      code: 'PST_BAD_CRC',
      where: { nid: lost[0], bid: dataOf(store, lost[0]!) },
      bundle: `${target}.replay`,
    });
    // Two folders, their contents tables, and the hierarchy tables of their parents.
    expect(report.items.messages).toEqual({ expected: 10, copied: 8, rewritten: 0, skipped: 0, failed: 2 });
    expect(report.items.folders).toEqual({ expected: 7, copied: 5, rewritten: 2, skipped: 0, failed: 0 });
    expect(report.items.nodes).toMatchObject({ rewritten: 6, failed: 2 });
  });

  it('says when a contents table was made anew, and exits with 2', async () => {
    const table = nidsOf(store, NID_TYPE.CONTENTS_TABLE).find((nid) => blocksOf(store, nid).length > 0)!;
    const source = wound(store, fresh(), [dataOf(store, table)]);
    const target = fresh();
    const { code, out } = await invoke('clone', source, target, '--on-error', 'skip');
    expect(code).toBe(2);
    expect(out).toMatch(/1 table failed and was made anew from the messages:/);
    expect(out).toMatch(new RegExp(`contents table ${hex(table)} in Top of Outlook data file/Inbox .*: stored CRC`));
    expect(out).toMatch(/messages +10 +10\n/);
    const told = await invoke('verify', source, target, '--manifest', `${target}.manifest`);
    expect(told.code).toBe(2);
    expect(told.out).toMatch(/made anew from the messages, as its manifest says:/);
    expect(told.out).toMatch(/0 nodes differ, 0 only in the source/);
    const exports = join(folder, 'tables');
    mkdirSync(exports);
    copyFileSync(source, join(exports, 'a.pst'));
    const batch = await invoke('clone', exports, '--out', join(folder, 'out3'), '--on-error', 'skip');
    expect(batch.code).toBe(2);
    expect(batch.out).toMatch(/copied, 1 table made anew/);
    expect(batch.out).not.toContain('Everything arrived.');
  });

  it('names what the store cannot be finished without, and leaves only its bundle', async () => {
    const target = fresh();
    const { code, out, err } = await invoke('clone', broken, target, '--on-error', 'skip', '--json');
    expect(code).toBe(2);
    expect(err).toMatch(/ROOT_FOLDER 0x122 is no item that can be left out: a store cannot be finished without it/);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'PST_BAD_CRC', essential: { nid: 0x122 } } });
    expect(existsSync(target)).toBe(false);
    expect(existsSync(`${target}.manifest`)).toBe(false);
    const bundle = decodeBundle(readFileSync(`${target}.replay`), 'bundle');
    expect(bundle.operation.nid).toBe(0x122);
    expect(replay(bundle).isReproduced).toBe(true);
  });

  it('stop is the default and leaves nothing', async () => {
    for (const more of [[], ['--on-error', 'stop']]) {
      const target = fresh();
      const { code, err } = await invoke('clone', wounded, target, ...more);
      expect(code).toBe(2);
      expect(err).toMatch(/stored CRC .*nid 0x/);
      expect(existsSync(target)).toBe(false);
    }
  });

  it('verify refuses a manifest that is none', async () => {
    const { code, err } = await invoke('verify', wounded, store, '--manifest', store);
    expect(code).toBe(3);
    expect(err).toMatch(/is not a manifest/);
  });
});

describe('many stores', () => {
  it('each arrives without what fails in it; the account is exact, a rerun says it again', async () => {
    const exports = join(folder, 'exports');
    mkdirSync(exports);
    copyFileSync(store, join(exports, 'a.pst'));
    copyFileSync(wounded, join(exports, 'b.pst'));
    copyFileSync(broken, join(exports, 'c.pst'));
    const out = join(folder, 'out');
    const args = ['clone', exports, '--out', out, '--on-error', 'skip', '--jobs', '2'];
    const first = await invoke(...args, '--json');
    expect(first.code).toBe(2);
    const report = JSON.parse(first.out) as BatchReport & { firstFailure: number };
    expect(report.mailboxes.map(({ state }) => state)).toEqual(['copied', 'copied', 'failed']);
    expect(report.firstFailure).toBe(2);
    const [a, b, c] = report.mailboxes;
    expect(a!.omitted).toEqual([]);
    expect(b!.omitted!.map(({ nid }) => nid)).toEqual(lost);
    expect(b!.omitted![0]!.bundle).toBe(join(out, 'b.pst.replay'));
    expect(b!.items!.messages).toEqual({ expected: 10, copied: 8, rewritten: 0, skipped: 0, failed: 2 });
    expect(c!.failure).toMatchObject({ family: 'store', code: 'PST_BAD_CRC' });
    expect(c!.failure!.message).toMatch(/ROOT_FOLDER 0x122 is no item that can be left out/);
    expect(report.totals.messages).toMatchObject({ expected: 30, copied: 18, failed: 12 });
    expect(replay(decodeBundle(readFileSync(join(out, 'b.pst.replay')), 'b')).isReproduced).toBe(true);
    expect(replay(decodeBundle(readFileSync(join(out, 'c.pst.replay')), 'c')).isReproduced).toBe(true);
    expect(findingsOf(join(out, 'b.pst'), 'own')).toEqual([]);
    expect(readManifest(join(out, 'b.pst.manifest'))!.omitted).toEqual(b!.omitted);

    const again = await invoke(...args);
    expect(again.code).toBe(2);
    expect(again.out).toMatch(/skipped: copied without 2 items by an earlier run/);
    expect(again.out).toContain(`2 items of ${join(exports, 'b.pst')} left out:`);
    expect(again.out).toMatch(new RegExp(`message ${hex(lost[0]!)} in Top of Outlook data file/Inbox`));
    expect(again.out).not.toContain('Everything arrived.');
  });

  it('stop ends at the first store that fails, as before', async () => {
    const exports = join(folder, 'stopped');
    mkdirSync(exports);
    copyFileSync(wounded, join(exports, 'a.pst'));
    copyFileSync(store, join(exports, 'b.pst'));
    const { code, out } = await invoke('clone', exports, '--out', join(folder, 'out2'), '--jobs', '1', '--json');
    expect(code).toBe(2);
    const report = JSON.parse(out) as BatchReport;
    expect(report.mailboxes.map(({ state }) => state)).toEqual(['failed', 'not run']);
  });
});
