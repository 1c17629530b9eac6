/** The page heap's options: what each becomes, what excludes what, in exact words; on the command line, in the environment, in the listing. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { Core } from '../../src/core/core.js';
import { FULL, listing, parsePageHeap, parseWords, type RawOptions } from '../../src/core/options.js';
import { openStore } from '../../src/messaging/store.js';
import { ENRON, invoke } from '../cli/invoke.js';

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    expect((error as { code: string }).code).toBe('USAGE');
    return (error as Error).message;
  }
  return expect.unreachable('nothing was refused');
};

afterEach(() => {
  delete process.env['PSTWRIGHT_PAGEHEAP'];
});
afterAll(() => {
  Core.settings = FULL;
});

describe('what is typed', () => {
  it.each<[RawOptions, object]>([
    [{}, { mode: 'full', seed: 1 }],
    [{ pageheap: 'full' }, { mode: 'full', seed: 1 }],
    [{ pageheap: 'normal' }, { mode: 'normal', seed: 1 }],
    [{ pageheap: 'paranoid' }, { mode: 'paranoid', seed: 1 }],
    [{ pageheap: 'off' }, { mode: 'off', seed: 1 }],
    [{ size: '24:4096' }, { mode: 'full', size: [24, 4096], seed: 1 }],
    [
      { random: '10', seed: '7' },
      { mode: 'full', random: 10, seed: 7 },
    ],
    [{ decoders: 'ltp.pc, rtf' }, { mode: 'full', decoders: ['ltp.pc', 'rtf'], seed: 1 }],
    [{ sites: '65:66' }, { mode: 'full', sites: [65, 66], seed: 1 }],
    [{ backwards: true }, { mode: 'full', backwards: true, seed: 1 }],
    [{ aligned: true }, { mode: 'full', aligned: true, seed: 1 }],
    [{ unaligned: true }, { mode: 'full', seed: 1 }],
    [{ fault: '500' }, { mode: 'full', fault: { rate: 500, after: 0 }, seed: 1 }],
    [{ fault: '500:20' }, { mode: 'full', fault: { rate: 500, after: 20 }, seed: 1 }],
    [{ fault: ':20' }, { mode: 'full', fault: { rate: 100, after: 20 }, seed: 1 }],
    [{ leaks: true }, { mode: 'normal', leaks: true, seed: 1 }],
    [
      { leaks: true, random: '5' },
      { mode: 'full', random: 5, leaks: true, seed: 1 },
    ],
    [{ protect: true }, { mode: 'full', protect: true, seed: 1 }],
    [{ notraces: true }, { mode: 'full', noTraces: true, seed: 1 }],
    [
      { decommit: true, noSync: true, noLockChecks: true },
      { mode: 'full', ignored: ['decommit', 'no-sync', 'no-lock-checks'], seed: 1 },
    ],
  ])('%o', (raw, expected) => {
    expect(parsePageHeap(raw)).toEqual(expected);
  });
});

describe('what is refused', () => {
  it.each<[RawOptions, string]>([
    [{ pageheap: 'most' }, '--pageheap takes full, normal, paranoid or off, not "most"'],
    [
      { pageheap: 'full', random: '5' },
      '--pageheap full and --random exclude each other: at most one says what is full',
    ],
    [{ size: '1:2', random: '5' }, '--size and --random exclude each other: at most one says what is full'],
    [{ size: '1:2', decoders: 'rtf' }, '--size and --decoders exclude each other: at most one says what is full'],
    [{ random: '5', sites: '1:2' }, '--random and --sites exclude each other: at most one says what is full'],
    [{ decoders: 'rtf', sites: '1:2' }, '--decoders and --sites exclude each other: at most one says what is full'],
    [{ pageheap: 'normal', random: '5' }, '--random chooses between full and normal: it excludes --pageheap normal'],
    [{ pageheap: 'off', size: '1:2' }, '--size chooses between full and normal: it excludes --pageheap off'],
    [
      { pageheap: 'paranoid', sites: '1:2' },
      '--sites chooses between full and normal: it excludes --pageheap paranoid',
    ],
    [{ backwards: true, random: '5' }, '--backwards needs --pageheap full or paranoid'],
    [{ backwards: true, pageheap: 'normal' }, '--backwards needs --pageheap full or paranoid'],
    [{ backwards: true, leaks: true }, '--backwards needs --pageheap full or paranoid'],
    [{ aligned: true, unaligned: true }, '--aligned and --unaligned exclude each other'],
    [
      { aligned: true, backwards: true },
      '--aligned and --backwards exclude each other: a block behind its guard has no header',
    ],
    [{ aligned: true, pageheap: 'normal' }, '--aligned needs full blocks: --pageheap normal has none'],
    [{ unaligned: true, pageheap: 'normal' }, '--unaligned needs full blocks: --pageheap normal has none'],
    [{ leaks: true, pageheap: 'full' }, '--leaks and --pageheap full exclude each other'],
    [{ leaks: true, pageheap: 'off' }, '--leaks needs a page heap: --pageheap off has none'],
    [{ aligned: true, pageheap: 'off' }, '--aligned needs a page heap: --pageheap off has none'],
    [{ protect: true, pageheap: 'off' }, '--protect needs a page heap: --pageheap off has none'],
    [{ fault: '5', pageheap: 'off' }, '--fault needs a page heap: --pageheap off has none'],
    [{ size: '5' }, '--size takes A:B, not "5"'],
    [{ size: '5:4' }, '--size: 5 is above 4'],
    [{ size: '5:x' }, '--size: "x" is not a whole number'],
    [{ random: '101' }, '--random: 101 is not between 0 and 100'],
    [{ sites: '0:176' }, '--sites: 176 is not between 0 and 175'],
    [{ fault: '10001' }, '--fault: 10001 is not between 1 and 10000'],
    [{ fault: '0' }, '--fault: 0 is not between 1 and 10000'],
    [{ fault: '1:2:3' }, '--fault takes RATE[:AFTER], not "1:2:3"'],
    [{ seed: '-1' }, '--seed: "-1" is not a whole number'],
    [
      { decoders: 'ltp.pc,ltp' },
      '--decoders: no decoder "ltp"; there are host, ndb.block, ndb.chain, ltp.bth, ltp.pc, ltp.tc, ltp.heap.write, ltp.pc.write, ltp.tc.write, rtf, check',
    ],
  ])('%o', (raw, message) => {
    expect(refusal(() => parsePageHeap(raw))).toBe(message);
  });
});

describe('PSTWRIGHT_PAGEHEAP', () => {
  it('has the same words', () => {
    expect(parseWords('')).toEqual({ mode: 'full', seed: 1 });
    expect(parseWords(' random=10  seed=7 protect no-sync ')).toEqual({
      mode: 'full',
      random: 10,
      protect: true,
      ignored: ['no-sync'],
      seed: 7,
    });
    expect(parseWords('--full --backwards')).toEqual(parseWords('/full /backwards'));
    expect(parseWords('normal leaks')).toMatchObject({ mode: 'normal', leaks: true });
  });

  it.each([
    ['ful', 'PSTWRIGHT_PAGEHEAP: "ful" is no option of the page heap'],
    ['constructor', 'PSTWRIGHT_PAGEHEAP: "constructor" is no option of the page heap'],
    ['random', 'PSTWRIGHT_PAGEHEAP: "random" is missing its value, random=…'],
    ['protect=1', 'PSTWRIGHT_PAGEHEAP: "protect=1" is an option without a value'],
    ['full normal', 'PSTWRIGHT_PAGEHEAP: full and normal exclude each other'],
    [
      'full random=10',
      'PSTWRIGHT_PAGEHEAP: --pageheap full and --random exclude each other: at most one says what is full',
    ],
  ])('refuses %s', (words, message) => {
    expect(refusal(() => parseWords(words))).toBe(message);
  });
});

describe('the listing', () => {
  it.each<[RawOptions, string]>([
    [{ aligned: true }, 'pstwright: page heap enabled with flags (full traces aligned )'],
    [{}, 'pstwright: page heap enabled with flags (full traces )'],
    [{ notraces: true }, 'pstwright: page heap enabled with flags (full )'],
    [{ pageheap: 'normal' }, 'pstwright: page heap enabled with flags (traces )'],
    [{ pageheap: 'off' }, 'pstwright: page heap is not enabled'],
    [{ pageheap: 'paranoid' }, 'pstwright: page heap enabled with flags (full traces paranoid )'],
    [{ random: '10', seed: '7' }, 'pstwright: page heap enabled with flags (traces random=10 seed=7 )'],
    [
      { size: '1:2', protect: true, fault: '5' },
      'pstwright: page heap enabled with flags (traces protect size=1:2 fault=5:0 seed=1 )',
    ],
    [{ decoders: 'rtf,check' }, 'pstwright: page heap enabled with flags (traces decoders=rtf,check )'],
    [{ sites: '1:2' }, 'pstwright: page heap enabled with flags (traces sites=1:2 )'],
    [{ leaks: true }, 'pstwright: page heap enabled with flags (traces leaks )'],
    [{ backwards: true }, 'pstwright: page heap enabled with flags (full traces backwards )'],
  ])('%o', (raw, text) => {
    expect(listing(parsePageHeap(raw))).toBe(text);
  });
});

describe('the command line', () => {
  it('every verb takes every option', async () => {
    const program = await createProgram();
    for (const verb of program.commands) {
      const flags = verb.options.map(({ long }) => long);
      for (const flag of ['--pageheap', '--size', '--random', '--decoders', '--sites', '--seed', '--backwards'])
        expect(flags, verb.name()).toContain(flag);
      for (const flag of ['--aligned', '--unaligned', '--fault', '--leaks', '--protect', '--notraces', '--no-sync'])
        expect(flags, verb.name()).toContain(flag);
      for (const flag of ['--no-lock-checks', '--decommit', '--stop-codes']) expect(flags, verb.name()).toContain(flag);
    }
  });

  it('shows them once: in the help of pageheap', async () => {
    expect((await invoke('pageheap', '--help')).out).toContain('--decoders <names>');
    const { out } = await invoke('ls', '--help');
    expect(out).not.toContain('--decoders');
    expect(out).toContain('pstwright pageheap --help');
  });

  it('sets the page heap of every core of the run, and of that run only', async () => {
    expect((await invoke('info', ENRON, '--size', '16:64', '--seed', '9')).code).toBe(0);
    expect(Core.settings).toEqual({ mode: 'full', size: [16, 64], seed: 9 });
    expect((await invoke('info', ENRON)).code).toBe(0);
    expect(Core.settings).toEqual(FULL);
  });

  it('goes before the environment, which goes before the default', async () => {
    process.env['PSTWRIGHT_PAGEHEAP'] = 'normal notraces';
    expect((await invoke('pageheap')).out).toContain('page heap enabled with flags ()');
    expect((await invoke('pageheap')).out).toContain('PSTWRIGHT_PAGEHEAP');
    const { out } = await invoke('pageheap', '--random', '5');
    expect(out).toContain('flags (traces random=5 seed=1 )');
    expect(out).toContain('command line');
  });

  it('refuses what excludes each other: exit 3, in the words of the rule', async () => {
    const { code, out, err } = await invoke('ls', ENRON, '--size', '1:2', '--random', '5');
    expect([code, out]).toEqual([3, '']);
    expect(err).toBe('pstwright: --size and --random exclude each other: at most one says what is full\n');
    process.env['PSTWRIGHT_PAGEHEAP'] = 'half';
    const { code: refused, err: why } = await invoke('ls', ENRON);
    expect([refused, why]).toEqual([3, 'pstwright: PSTWRIGHT_PAGEHEAP: "half" is no option of the page heap\n']);
  });

  it('says on stderr what it ignores', async () => {
    const { code, err } = await invoke('info', ENRON, '--decommit', '--no-sync', '--no-lock-checks');
    expect(code).toBe(0);
    expect(err).toBe(
      [
        'pstwright: --decommit is accepted and ignored: closed pages are never given to the system\n',
        'pstwright: --no-sync is accepted and ignored: a core is used by one thread only\n',
        'pstwright: --no-lock-checks is accepted and ignored: the core has no locks\n',
      ].join(''),
    );
  });

  it('lists settings, decoders and sites as JSON, too', async () => {
    const { out } = await invoke('pageheap', '--json', '--decoders', 'rtf');
    const json = JSON.parse(out);
    expect(json).toMatchObject({
      listing: 'pstwright: page heap enabled with flags (traces decoders=rtf )',
      settings: { mode: 'full', decoders: ['rtf'], seed: 1 },
      from: 'command line',
      core: { build: 'core' },
    });
    expect(json.sites.length).toBeGreaterThan(25);
    for (const { place } of json.sites) expect(place).toMatch(/^assembly\/[\w/]+\.ts:\d+$/);
  });
});

it.each<RawOptions>([
  {},
  { pageheap: 'normal' },
  { pageheap: 'paranoid' },
  { pageheap: 'off' },
  { size: '100:1000' },
  { random: '30' },
  { decoders: 'ltp.pc,ndb.chain' },
  { sites: '49:66' },
  { backwards: true },
  { pageheap: 'paranoid', backwards: true },
  { aligned: true },
  { leaks: true },
  { random: '50', aligned: true, leaks: true },
  { pageheap: 'normal', protect: true },
])('a store reads the same with %o', (raw) => {
  const subjects = (options?: RawOptions): string[] => {
    const store = openStore(ENRON, options === undefined ? {} : { pageheap: parsePageHeap(options) });
    const found: string[] = [];
    for (const folder of store.folders()) {
      for (const message of folder.messages()) found.push(`${message.subject} ${message.get('PidTagMessageSize')}`);
    }
    store.core.end();
    store.close();
    return found;
  };
  expect(subjects(raw)).toEqual(subjects());
});
