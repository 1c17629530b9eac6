/** Many stores in one run: names, the account of every item, failures, resumption after any kill, and what two mailboxes never share. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { decode } from '@msgpack/msgpack';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { buildStore } from '../../src/build/store.js';
import { VERSION } from '../../src/cli/version.js';
import { Core, type CoreBuild } from '../../src/core/core.js';
import { FULL, type PageHeapOptions } from '../../src/core/options.js';
import { openSource } from '../../src/host/file.js';
import { type BatchOptions, type BatchReport, cloneBatch } from '../../src/migrate/batch.js';
import { findStores, nameTargets, selectAccounts } from '../../src/migrate/inputs.js';
import { JOURNAL_NAME } from '../../src/migrate/journal.js';
import { type Job, runMailbox } from '../../src/migrate/mailbox.js';
import type { Manifest } from '../../src/migrate/manifest.js';
import { KINDS, type Tally } from '../../src/migrate/tally.js';
import { verifyStores } from '../../src/migrate/verify.js';
import { invoke } from '../cli/invoke.js';
import { PACKAGED_STORES } from '../stores.js';
import { dataOf, wound } from './wounds.js';

const root = mkdtempSync(join(tmpdir(), 'pstwright-batch-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const folder = (): string => {
  const path = join(root, `f${++count}`);
  mkdirSync(path);
  return path;
};

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const ENRON = join(PACKAGED_STORES, 'enron.pst');
const OST_4K = join(PACKAGED_STORES, 'pstextractortest@outlook.com.ost');

/** A folder with stores: name in the folder, and what is copied there. */
function exportsOf(stores: Readonly<Record<string, string>>): string {
  const path = folder();
  for (const [name, source] of Object.entries(stores)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    copyFileSync(source, join(path, name));
  }
  return path;
}
const fixture = (name: string): string => join(FIXTURES, `${name}.pst`);

/** A store with one bit of a block turned over: of its root folder, without which no copy of it can be. */
const damaged = (path: string): string => wound(fixture('everyday'), path, [dataOf(fixture('everyday'), 0x122)]);

const run = (stores: readonly string[], options: Partial<BatchOptions> & { out: string }): Promise<BatchReport> =>
  cloneBatch(stores, { engine: VERSION, jobs: 1, ...options });
const states = ({ mailboxes }: BatchReport): string[] => mailboxes.map(({ state }) => state);
const journalOf = (out: string): Record<string, unknown>[] =>
  readFileSync(join(out, JOURNAL_NAME), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Every copy and manifest in a folder, by name. */
const filesOf = (out: string): Record<string, Buffer> =>
  Object.fromEntries(
    readdirSync(out)
      .filter((name) => name !== JOURNAL_NAME)
      .sort()
      .map((name) => [name, readFileSync(join(out, name))]),
  );

function expectSame(out: string, undisturbed: string): void {
  const [a, b] = [filesOf(out), filesOf(undisturbed)];
  expect(Object.keys(a)).toEqual(Object.keys(b));
  for (const [name, bytes] of Object.entries(a)) expect(bytes.equals(b[name]!), name).toBe(true);
}

describe('which stores', () => {
  it('a folder is every .pst and .ost in it and below, sorted, and not its copies', () => {
    const tiny = fixture('tiny');
    const path = exportsOf({ 'b.pst': tiny, 'B.PST': tiny, 'a/z.ost': tiny, 'c.pst': tiny, 'out/old.pst': tiny });
    writeFileSync(join(path, 'notes.txt'), 'no store');
    symlinkSync(path, join(path, 'loop'));
    const found = findStores([path], { out: join(path, 'out') });
    expect(found.map((store) => store.slice(path.length + 1))).toEqual(['B.PST', 'a/z.ost', 'b.pst', 'c.pst']);
    expect(() => findStores([path], { out: path })).toThrow(/is the folder for the copies/);
    expect(() => findStores([folder()], { out: path })).toThrow(/no .pst and no .ost in it/);
    expect(() => findStores([join(path, 'd')], { out: path })).toThrow(/no such file or folder/);
  });

  it('a list is paths or accounts, counted from the list', () => {
    const path = exportsOf({ 'anna.pst': fixture('tiny'), 'sub/ben.ost': fixture('tiny'), backup: fixture('tiny') });
    const list = join(path, 'list.txt');
    writeFileSync(list, '! whom\r\nsub/ben.ost\r\nanna\r\nbackup\r\nanna.pst\r\n');
    const names = findStores([list], { out: folder() }).map((store) => basename(store));
    expect(names).toEqual(['ben.ost', 'anna.pst', 'backup']);
    writeFileSync(list, 'anna\ncarl\n');
    expect(() => findStores([list], { out: folder() })).toThrow(/list.txt, line 2: carl: no such store/);
    copyFileSync(fixture('tiny'), join(path, 'anna.ost'));
    expect(() => findStores([list], { out: folder() })).toThrow(/line 1: anna is a .pst and an .ost/);
  });

  it('accounts choose among stores, in their own order', () => {
    const stores = ['/x/Anna.pst', '/x/ben.ost', '/x/carl.pst', '/y/carl.pst'];
    expect(selectAccounts(stores, ['ben', 'anna'])).toEqual(['/x/ben.ost', '/x/Anna.pst']);
    expect(() => selectAccounts(stores, ['ben', 'dora', 'emil'])).toThrow('no store for dora, emil');
    expect(() => selectAccounts(stores, ['carl'])).toThrow(/account carl has 2 stores: \/x\/carl.pst, \/y\/carl.pst/);
  });
});

describe('target names', () => {
  const names = (stores: string[], known = new Map<string, string>()) => {
    const targets = nameTargets(stores, known);
    return stores.map((store) => targets.get(store));
  };

  it('are NAME.pst, the first of equals; the others go past the names of others', () => {
    expect(names(['/a/x.ost', '/b/x.pst', '/c/X.pst', '/d/x-2.pst', '/e/y.backup'])).toEqual([
      'x.pst',
      'x-3.pst',
      'X-4.pst',
      'x-2.pst',
      'y.backup.pst',
    ]);
    expect(names(['/a/é.pst', '/b/e\u0301.pst'])).toEqual(['é.pst', 'e\u0301-2.pst']);
  });

  it('stand once they are given', () => {
    const known = new Map([['/b/x.pst', 'x.pst']]);
    expect(names(['/a/x.pst', '/b/x.pst'], known)).toEqual(['x-2.pst', 'x.pst']);
  });
});

describe('a run', () => {
  it('copies every store, with an account of every item', async () => {
    const stores = ['attachments', 'everyday', 'strings', 'tiny'].map(fixture);
    const out = join(folder(), 'made', 'here');
    const report = await run(stores, { out });
    expect(states(report)).toEqual(['copied', 'copied', 'copied', 'copied']);
    expect(report.firstFailure).toBeUndefined();
    const sum: Partial<Record<string, number>> = {};
    for (const { store, target, items, manifest } of report.mailboxes) {
      expect(verifyStores(openSource(store), openSource(target)).isIdentical).toBe(true);
      const { counters } = decode(readFileSync(manifest!)) as Manifest;
      for (const kind of KINDS) {
        expect(items![kind]).toEqual({
          expected: counters[kind],
          copied: counters[kind],
          rewritten: 0,
          skipped: 0,
          failed: 0,
        });
        sum[kind] = (sum[kind] ?? 0) + counters[kind];
      }
    }
    for (const kind of KINDS) expect(report.totals[kind].copied).toBe(sum[kind]);
    expect(readdirSync(out).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  it('counts what was encoded anew as rewritten', async () => {
    const report = await run([fixture('everyday')], { out: folder(), clone: { reencode: true } });
    const { messages } = report.totals;
    expect(messages.rewritten).toBe(messages.expected);
    expect(messages.copied).toBe(0);
    expect(messages.expected).toBeGreaterThan(0);
  });

  it('is the same whatever the number of threads', async () => {
    const stores = ['attachments', 'everyday', 'strings', 'tiny'].map(fixture);
    const [one, many] = [folder(), folder()];
    await run(stores, { out: one, jobs: 1 });
    const report = await run(stores, { out: many, jobs: 64 });
    expect(report.jobs).toBe(4);
    expectSame(many, one);
  });

  it('tells how far it is', async () => {
    const said: number[] = [];
    const stores = [fixture('everyday'), fixture('tiny')];
    await run(stores, { out: folder(), jobs: 2, progress: ({ done }) => said.push(done) });
    expect(said[0]).toBe(0);
    expect(said.at(-1)).toBe(stores.reduce((sum, store) => sum + readFileSync(store).length, 0));
    expect([...said].sort((a, b) => a - b)).toEqual(said);
  });

  it.each([[0], [257], [1.5]])('refuses %d threads', async (jobs) => {
    const stores = Array.from({ length: 300 }, () => fixture('tiny'));
    await expect(run(stores, { out: folder(), jobs })).rejects.toThrow(/--jobs/);
  });
});

const isAccounted = (items: Tally): boolean =>
  KINDS.every((kind) => {
    const { expected, copied, rewritten, skipped, failed } = items[kind];
    return expected === copied + rewritten + skipped + failed;
  });

describe('a mailbox that fails', () => {
  const four = (): string[] => {
    const path = exportsOf({ 'a.pst': fixture('tiny'), 'c.ost': OST_4K, 'd.pst': fixture('tiny') });
    damaged(join(path, 'b.pst'));
    return findStores([path], { out: root });
  };

  it('stops the run: what runs ends, nothing else begins', async () => {
    const out = folder();
    const report = await run(four(), { out, jobs: 1 });
    expect(states(report)).toEqual(['copied', 'failed', 'not run', 'not run']);
    expect(report.firstFailure?.index).toBe(1);
    expect(report.firstFailure?.failure).toMatchObject({ family: 'store', code: 'PST_BAD_CRC' });
    expect(report.mailboxes[1]!.items!.messages).toMatchObject({ copied: 0, failed: report.totals.messages.failed });
    expect(report.totals.messages.failed).toBeGreaterThan(0);
    expect(existsSync(join(out, 'b.pst'))).toBe(false);
    expect(existsSync(join(out, 'b.pst.partial'))).toBe(false);
  });

  it('is skipped on demand: the rest arrives, every item is accounted for', async () => {
    const report = await run(four(), { out: folder(), onError: 'skip' });
    expect(states(report)).toEqual(['copied', 'failed', 'failed', 'copied']);
    expect(report.mailboxes[2]!.failure).toMatchObject({ family: 'refused', code: 'REFUSED' });
    expect(report.mailboxes.every(({ items }) => items !== undefined && isAccounted(items))).toBe(true);
    expect(isAccounted(report.totals)).toBe(true);
  });

  it('is done again by the next run', async () => {
    const out = folder();
    const stores = four();
    await run(stores, { out, onError: 'skip' });
    copyFileSync(fixture('everyday'), stores[1]!);
    const report = await run(stores, { out, onError: 'skip' });
    expect(states(report)).toEqual(['skipped', 'copied', 'failed', 'skipped']);
  });

  it('says so when it is none, or gone', async () => {
    const path = folder();
    writeFileSync(join(path, 'text.pst'), 'no store at all');
    const report = await run([join(path, 'text.pst'), join(path, 'gone.pst')], { out: folder(), onError: 'skip' });
    expect(report.mailboxes.map(({ failure }) => failure?.family)).toEqual(['refused', 'refused']);
    expect(report.mailboxes.map(({ items }) => items)).toEqual([undefined, undefined]);
    expect(report.mailboxes[0]!.failure!.code).toBe('PST_NOT_A_STORE');
  });

  it('takes its thread with it at most', async () => {
    const entry = join(folder(), 'dies.mjs');
    writeFileSync(
      entry,
      "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => process.exit(7));",
    );
    const stores = [fixture('tiny'), fixture('everyday')];
    const worker = new URL(`file://${entry}`);
    const report = await run(stores, { out: folder(), worker, onError: 'skip', jobs: 1 });
    expect(report.mailboxes.map(({ failure }) => failure?.message)).toEqual([
      'the thread ended with code 7',
      'the thread ended with code 7',
    ]);
  });
});

describe('faults that are ours, or asked for', () => {
  afterEach(() => {
    Core.settings = FULL;
  });

  it('an injected fault: no target, a bundle, exit code 2; the rerun without it succeeds', async () => {
    const [exports, out] = [exportsOf({ 'a.pst': fixture('everyday') }), folder()];
    const failed = await invoke('clone', exports, '--out', out, '--fault', '10000:200', '--json');
    expect(failed.code).toBe(2);
    const { failure } = (JSON.parse(failed.out) as BatchReport).mailboxes[0]!;
    expect(failure).toMatchObject({ family: 'injected', code: 'FAULT_INJECTED', bundle: join(out, 'a.pst.replay') });
    expect(readdirSync(out).sort()).toEqual(['a.pst.replay', JOURNAL_NAME].sort());
    expect((await invoke('clone', exports, '--out', out)).code).toBe(0);
  });

  it('a verifier stop: its own family, with the whole report', () => {
    const path = folder();
    const load = Core.load;
    let isFirst = true;
    vi.spyOn(Core, 'load').mockImplementation((...args) => {
      const core = load.apply(Core, args);
      if (isFirst) {
        core.x.blockCheck = (lo) => {
          core.x.free(lo + 1, 0); // not the start of a block
          return 1;
        };
      }
      isFirst = false;
      return core;
    });
    const result = runMailbox({
      index: 0,
      store: fixture('tiny'),
      target: join(path, 'tiny.pst'),
      journal: join(path, 'journal'),
      known: undefined,
      engine: VERSION,
      clone: {},
      pageheap: FULL,
    });
    vi.restoreAllMocks();
    expect(result.failure).toMatchObject({ family: 'stop', code: 'CORE_FAULT' });
    expect(result.failure!.text).toMatch(/VERIFIER STOP/);
    expect(result.failure!.report!.sentence).toMatch(/\.$/);
    expect(structuredClone(result)).toEqual(result); // it has to cross threads
    expect(result.items!.nodes.failed).toBe(result.items!.nodes.expected);
    expect(existsSync(join(path, 'tiny.pst'))).toBe(false);
  });
});

describe('never over a file', () => {
  it('that was there before', async () => {
    const out = folder();
    writeFileSync(join(out, 'tiny.pst'), 'mine');
    writeFileSync(join(out, 'strings.pst.manifest'), 'mine, too');
    const report = await run([fixture('tiny'), fixture('strings'), fixture('everyday')], { out, onError: 'skip' });
    expect(states(report)).toEqual(['failed', 'failed', 'copied']);
    for (const { failure } of report.mailboxes.slice(0, 2)) expect(failure!.code).toBe('TARGET_EXISTS');
    expect(readFileSync(join(out, 'tiny.pst'), 'utf8')).toBe('mine');
    expect(readFileSync(join(out, 'strings.pst.manifest'), 'utf8')).toBe('mine, too');
    // The same again: what was refused is no more ours than before.
    expect(states(await run([fixture('tiny')], { out }))).toEqual(['failed']);
  });

  it('in which the target should be a folder', async () => {
    const path = join(folder(), 'file');
    writeFileSync(path, '');
    await expect(run([fixture('tiny')], { out: path })).rejects.toThrow(/is no folder/);
  });
});

describe('a rerun', () => {
  const stores = (): string[] =>
    findStores([exportsOf({ 'a.pst': fixture('tiny'), 'b.pst': fixture('everyday'), 'c.pst': fixture('strings') })], {
      out: root,
    });

  it('skips what is complete, and accounts for it', async () => {
    const out = folder();
    const [a, b, c] = stores() as [string, string, string];
    const first = await run([a, b], { out });
    const before = filesOf(out);
    const second = await run([c, a, b], { out });
    expect(states(second)).toEqual(['copied', 'skipped', 'skipped']);
    for (const kind of KINDS) expect(second.totals[kind].skipped).toBe(first.totals[kind].copied);
    expect(second.mailboxes[1]!.content).toBe(first.mailboxes[0]!.content);
    for (const [name, bytes] of Object.entries(before)) expect(readFileSync(join(out, name)).equals(bytes)).toBe(true);
  });

  /** One complete run of three, then what `disturb` does, then the rerun. */
  async function rerun(disturb: (out: string, stores: readonly string[]) => void, options: Partial<BatchOptions> = {}) {
    const [out, all] = [folder(), stores()];
    await run(all, { out });
    disturb(out, all);
    return { out, report: await run(all, { out, onError: 'skip', ...options }) };
  }

  it.each<[string, (out: string) => void]>([
    ['without its target', (out) => unlinkSync(join(out, 'b.pst'))],
    ['without its manifest', (out) => unlinkSync(join(out, 'b.pst.manifest'))],
    ['with a manifest that breaks off', (out) => truncateSync(join(out, 'b.pst.manifest'), 100)],
    ['with the manifest of another', (out) => copyFileSync(join(out, 'c.pst.manifest'), join(out, 'b.pst.manifest'))],
    ['killed before its name', (out) => renameSync(join(out, 'b.pst'), join(out, 'b.pst.partial'))],
  ])('does a mailbox again that is %s', async (_, disturb) => {
    const { out, report } = await rerun(disturb);
    expect(states(report)).toEqual(['skipped', 'copied', 'skipped']);
    const undisturbed = folder();
    await run(
      report.mailboxes.map(({ store }) => store),
      { out: undisturbed },
    );
    expectSame(out, undisturbed);
  });

  it.each<[string, RegExp, (out: string, stores: readonly string[]) => void]>([
    [
      'whose target was changed',
      /no longer as it was written/,
      (out) => writeFileSync(join(out, 'b.pst'), 'other', { flag: 'r+' }),
    ],
    [
      'whose target has grown',
      /no longer as it was written/,
      (out) => writeFileSync(join(out, 'b.pst'), 'x', { flag: 'a' }),
    ],
    ['whose source was touched', /earlier state of/, (_, [, b]) => utimesSync(b!, 1, 1)],
    ['whose source is another', /earlier state of/, (_, [a, b]) => copyFileSync(a!, b!)],
  ])('leaves a mailbox alone %s', async (_, message, disturb) => {
    const { out, report } = await rerun(disturb);
    expect(states(report)).toEqual(['skipped', 'failed', 'skipped']);
    expect(report.firstFailure!.failure).toMatchObject({ family: 'refused', code: 'TARGET_EXISTS' });
    expect(report.firstFailure!.failure.message).toMatch(message);
    expect(existsSync(join(out, 'b.pst'))).toBe(true);
  });

  it('goes past a line that a kill has cut off', async () => {
    const { out, report } = await rerun((dir) => {
      const journal = join(dir, JOURNAL_NAME);
      writeFileSync(journal, '{"event":"whole","store":"/x', { flag: 'a' });
    });
    expect(states(report)).toEqual(['skipped', 'skipped', 'skipped']);
    expect(journalOf(out).length).toBeGreaterThan(3);
  });

  it('needs a journal of the same kind of run', async () => {
    const corrupt = (text: string) => (out: string) => writeFileSync(join(out, JOURNAL_NAME), text);
    const first = '{"event":"journal","format":"pstwright journal","version":1,"policy":"clone","reencode":false}\n';
    await expect(rerun(() => {}, { clone: { reencode: true } })).rejects.toThrow(/without --reencode/);
    await expect(rerun(() => {}, { fresh: true })).rejects.toThrow(/--fresh asks for a new folder/);
    await expect(rerun(corrupt('hello\n'))).rejects.toThrow(/line 1, is none of ours/);
    await expect(rerun(corrupt(first.replace('"version":1', '"version":2')))).rejects.toThrow(/another version/);
    const outside = '{"event":"begin","store":"/a","target":"../../x"}\n';
    await expect(rerun(corrupt(first + outside))).rejects.toThrow(/line 2, is none of ours/);
  });

  it('with --fresh begins in a new folder', async () => {
    expect(states(await run([fixture('tiny')], { out: folder(), fresh: true }))).toEqual(['copied']);
  });
});

describe('a kill in the middle', () => {
  const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  const start = (exports: string, out: string): ChildProcess => {
    const args = ['--import', 'tsx', program, 'clone', exports, '--out', out, '--jobs', '2'];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    children.push(child);
    return child;
  };
  const ended = (child: ChildProcess): Promise<number | null> =>
    new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  const lines = (out: string): number => {
    try {
      return readFileSync(join(out, JOURNAL_NAME), 'utf8').split('\n').length - 1;
    } catch {
      return 0;
    }
  };

  it('any number of times, then a rerun: the same bytes as an undisturbed run', async () => {
    const exports = exportsOf({
      'a.pst': ENRON,
      'b.pst': fixture('strings'),
      'c.pst': ENRON,
      'd.pst': ENRON,
      'e.pst': fixture('tiny'),
    });
    const undisturbed = folder();
    await run(findStores([exports], { out: undisturbed }), { out: undisturbed });
    const out = join(folder(), 'out');
    for (const [kill, delay] of [
      [2, 0],
      [2, 120],
      [3, 40],
    ] as const) {
      const child = start(exports, out);
      const end = ended(child);
      const from = lines(out);
      while (child.exitCode === null && lines(out) < from + kill)
        await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill('SIGKILL');
      await end;
      for (const name of readdirSync(out).filter((file) => file.endsWith('.pst'))) {
        expect(readFileSync(join(out, name)).equals(readFileSync(join(undisturbed, name))), name).toBe(true);
      }
    }
    expect(await ended(start(exports, out))).toBe(0);
    expectSame(out, undisturbed);
  });
});

describe('two mailboxes share no memory', () => {
  /** A store with `marker` in everything it decodes: subjects, bodies, names, addresses, attachments. Not encoded, so in windows, too. */
  function planted(path: string, marker: string): void {
    buildStore(path, { displayName: `${marker} store`, crypt: 'none' }, (b) => {
      const inbox = b.ipmSubtree.folder(`${marker} folder`);
      for (let k = 0; k < 20; k++) {
        inbox.message({
          subject: `${marker} subject ${k}`,
          body: `${marker} body `.repeat(500),
          from: { name: `${marker} person`, address: `${marker}@example.org` },
          attachments: [{ name: `${marker}.txt`, data: Buffer.from(`${marker} content `.repeat(300)) }],
        });
      }
    });
  }

  /** Whether `marker` is anywhere in the memory of `core`, in 8-bit or in 16-bit characters. */
  function holds(core: Core, marker: string): boolean {
    const memory = Buffer.from(core.u8.buffer as ArrayBuffer);
    return memory.includes(marker, 0, 'utf16le') || memory.includes(marker, 0, 'latin1');
  }

  const MODES: [string, CoreBuild, PageHeapOptions][] = [
    ['full', 'core', FULL],
    ['normal', 'core', { mode: 'normal' }],
    ['random', 'core', { mode: 'full', random: 50 }],
    ['aligned', 'core', { mode: 'full', aligned: true }],
    ['backwards', 'core', { mode: 'full', backwards: true }],
    ['off', 'raw', { mode: 'off' }],
    ['paranoid', 'paranoid', { mode: 'paranoid' }],
  ];
  afterEach(() => {
    vi.restoreAllMocks();
    Core.settings = FULL;
  });

  // The paranoid core has 2 GB of memory, all of which is searched.
  it.each(MODES)('one after the other in one thread, page heap %s', { timeout: 300_000 }, (_, build, pageheap) => {
    const path = folder();
    const [alpha, bravo] = ['Canary-of-Alpha-5d1c', 'Canary-of-Bravo-77e0'];
    planted(join(path, 'a.pst'), alpha!);
    planted(join(path, 'b.pst'), bravo!);
    const cores: Core[] = [];
    let isSecond = false;
    let isClean = true;
    const load = Core.load;
    vi.spyOn(Core, 'load').mockImplementation((...args) => {
      const core = load.apply(Core, args);
      if (isSecond && holds(core, alpha!)) isClean = false;
      cores.push(core);
      return core;
    });
    /** Runs mailbox `name`; true when its marker was in its core once all nodes were read: so the search can find it. */
    const clone = (name: string, marker: string): boolean => {
      let isFound = false;
      const job: Job = {
        index: 0,
        store: join(path, `${name}.pst`),
        target: join(path, `copy-${name}.pst`),
        journal: join(path, 'journal'),
        known: undefined,
        engine: VERSION,
        clone: { reencode: true },
        pageheap,
      };
      const recorder = {
        opened() {},
        beginNode() {},
        onRead() {},
        onLookup() {},
        endNodes() {
          isFound = holds(cores.at(-1)!, marker);
        },
      };
      const result = runMailbox(job, { watch: () => ({ recorder, save: () => undefined }) });
      expect(result.failure).toBeUndefined();
      return isFound;
    };
    expect(clone('a', alpha!)).toBe(true);
    const ofA = cores.splice(0);
    isSecond = true;
    expect(clone('b', bravo!)).toBe(true);
    expect(isClean).toBe(true); // nothing of A was there when B's cores began …
    for (const core of cores) expect(holds(core, alpha!)).toBe(false); // … nor when they ended
    expect(cores.length).toBeGreaterThanOrEqual(2);
    expect(new Set([...ofA, ...cores].map((core) => core.u8.buffer)).size).toBe(ofA.length + cores.length);
    for (const core of cores) {
      expect(core.build).toBe(build);
      expect(core.u8.buffer).toBeInstanceOf(ArrayBuffer); // a memory that threads share has another kind of buffer
    }
  });

  it('at the same time, in two threads: neither heap has a byte of the other', { timeout: 120_000 }, async () => {
    const path = folder();
    const markers = ['Canary-of-Alpha-5d1c', 'Canary-of-Bravo-77e0'];
    markers.forEach((marker, k) => {
      planted(join(path, `${k}.pst`), marker);
    });
    const dist = new URL('../../dist/', import.meta.url).href;
    const entry = join(path, 'meets.mjs');
    // Each thread waits, all its nodes read, until the other has come as far; then both look through all memories they have.
    writeFileSync(
      entry,
      `import { parentPort, workerData } from 'node:worker_threads';
       const { Core } = await import('${dist}core/core.js');
       const { runMailbox } = await import('${dist}migrate/mailbox.js');
       const { job, markers, met } = workerData;
       const cores = [];
       const load = Core.load;
       Core.load = (...args) => (cores.push(load.apply(Core, args)), cores.at(-1));
       let seen;
       const recorder = { opened() {}, beginNode() {}, onRead() {}, onLookup() {}, endNodes() {
         Atomics.add(met, 0, 1);
         Atomics.notify(met, 0);
         for (let n = Atomics.load(met, 0); n < 2; n = Atomics.load(met, 0)) if (Atomics.wait(met, 0, n, 60000) === 'timed-out') break;
         seen = markers.map((text) => cores.some((core) => ['utf16le', 'latin1'].some((kind) => Buffer.from(core.u8.buffer).includes(Buffer.from(text, kind)))));
       } };
       const { failure } = runMailbox(job, { watch: () => ({ recorder, save: () => undefined }) });
       parentPort.postMessage({ seen, failure, met: Atomics.load(met, 0) });`,
    );
    const met = new Int32Array(new SharedArrayBuffer(4));
    const answers = await Promise.all(
      markers.map((_, k) => {
        const job: Job = {
          index: k,
          store: join(path, `${k}.pst`),
          target: join(path, `copy-${k}.pst`),
          journal: join(path, `journal-${k}`),
          known: undefined,
          engine: VERSION,
          clone: { reencode: true },
          pageheap: FULL,
        };
        const worker = new Worker(entry, { workerData: { job, markers, met } });
        return new Promise<unknown>((resolve, reject) => worker.once('message', resolve).once('error', reject));
      }),
    );
    expect(answers).toEqual([
      { seen: [true, false], failure: undefined, met: 2 },
      { seen: [false, true], failure: undefined, met: 2 },
    ]);
  });

  it('at the same time: what crosses threads is plain data', async () => {
    const path = folder();
    const entry = join(path, 'listens.mjs');
    writeFileSync(
      entry,
      `import { parentPort } from 'node:worker_threads';
       const isPlain = (value) => value === null || value === undefined || ['string', 'number', 'boolean'].includes(typeof value) ||
         (Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain));
       parentPort.on('message', (job) => parentPort.postMessage({ kind: 'result',
         result: { index: job.index, store: job.store, target: job.target, state: isPlain(job) ? 'copied' : 'failed' } }));`,
    );
    const report = await run([fixture('tiny'), fixture('strings')], {
      out: path,
      worker: new URL(`file://${entry}`),
      jobs: 2,
    });
    expect(states(report)).toEqual(['copied', 'copied']);
  });
});

describe('on the command line', () => {
  it('0: everything arrived', async () => {
    const out = folder();
    const exports = exportsOf({ 'anna.pst': fixture('tiny'), 'sub/anna.ost': fixture('everyday') });
    const { code, out: text } = await invoke('clone', exports, '--out', out, '--jobs', '1');
    expect(code).toBe(0);
    expect(text).toMatch(/2 mailboxes → .*\n/);
    expect(text).toMatch(/anna\.ost → anna-2\.pst .* copied/);
    expect(text).toContain('Everything arrived.');
    const again = await invoke('clone', exports, '--out', out);
    expect(again.code).toBe(0);
    expect(again.out.match(/skipped: complete since an earlier run/g)).toHaveLength(2);
    const fresh = await invoke('clone', exports, '--out', out, '--fresh');
    expect(fresh.code).toBe(3);
  });

  it('1: a control file with words that mean nothing here', async () => {
    const exports = exportsOf({
      'anna.pst': fixture('tiny'),
      'ben.pst': fixture('everyday'),
      'carl.pst': fixture('tiny'),
    });
    writeFileSync(join(exports, 'who.txt'), 'Ben\r\nanna\r\n');
    const control = join(exports, 'batch.ctl');
    const lines = [
      '! c',
      'Mode,EXCHANGE',
      'File,.',
      'Accounts,who.txt',
      'Home-Server,X',
      'ImportDestination,PST',
      'PSTPath,out',
    ];
    writeFileSync(control, `\ufeff${lines.join('\r\n')}\r\n`, 'utf16le');
    const { code, out } = await invoke('clone', '--control', control, '--json');
    expect(code).toBe(1);
    const report = JSON.parse(out) as BatchReport & { warnings: string[]; exitCode: number };
    expect(report.warnings).toHaveLength(1);
    expect(report.warnings[0]).toMatch(/Home-Server means nothing/);
    expect(report.exitCode).toBe(1);
    expect(report.mailboxes.map(({ store }) => basename(store))).toEqual(['ben.pst', 'anna.pst']);
    expect(readdirSync(join(exports, 'out')).sort()).toEqual(
      ['anna.pst', 'anna.pst.manifest', 'ben.pst', 'ben.pst.manifest', JOURNAL_NAME].sort(),
    );
  });

  it('2: a mailbox failed; the first one is named, with its bundle', async () => {
    const exports = exportsOf({ 'a.pst': fixture('tiny'), 'c.pst': fixture('tiny') });
    damaged(join(exports, 'b.pst'));
    const out = folder();
    const stopped = await invoke('clone', exports, '--out', out, '--jobs', '1');
    expect(stopped.code).toBe(2);
    expect(stopped.out).toContain(`First failing mailbox: ${join(exports, 'b.pst')}\n`);
    expect(stopped.out).toMatch(/CRC .*bid 0x/);
    expect(stopped.out).toContain(`Its replay bundle: ${join(out, 'b.pst.replay')}`);
    expect(stopped.out).toMatch(/Not run: c\.pst; --on-error skip goes on/);
    const skipped = await invoke('clone', exports, '--out', out, '--on-error', 'skip', '--json');
    expect(skipped.code).toBe(2);
    const report = JSON.parse(skipped.out) as { mailboxes: { state: string }[]; firstFailure: number };
    expect(report.mailboxes.map(({ state }) => state)).toEqual(['skipped', 'failed', 'copied']);
    expect(report.firstFailure).toBe(1);
  });

  it('3: nothing was done', async () => {
    const [exports, out] = [exportsOf({ 'a.ost': OST_4K }), folder()];
    expect((await invoke('clone', exports, '--out', out)).code).toBe(3);
    const refused = async (message: RegExp, ...args: string[]) => {
      const { code, err } = await invoke('clone', ...args);
      expect(err).toMatch(message);
      expect(code).toBe(3);
    };
    const control = join(exports, 'filter.ctl');
    writeFileSync(control, 'Mode,EXCHANGE\nEmailStart,20060101000000\n');
    await refused(/EmailStart,20060101000000 would leave something out/, exports, '--control', control, '--out', out);
    writeFileSync(control, 'Mode,EXCHANGE\n');
    await refused(/no folder for the copies/, exports, '--control', control);
    await refused(/no store to copy/, '--out', out);
    await refused(/--jobs is a number/, exports, '--out', out, '--jobs', 'many');
    await refused(/--no-manifest cannot go with --out/, exports, '--out', out, '--no-manifest');
    await refused(/--fresh is for many stores/, 'a.pst', 'b.pst', '--fresh');
    await refused(/clone takes a source and a target/, 'a.pst');
    await refused(/clone takes a source and a target/, 'a.pst', 'b.pst', 'c.pst');
    await refused(/Allowed choices are stop, skip/, exports, '--out', out, '--on-error', 'retry');
  });
});
