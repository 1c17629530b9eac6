/**
 * What people and earlier runs have written beside the stores: control files, accounts, lists, journals, manifests. Bent by a seed, each
 * is read, or refused with a sentence; what is refused is left as it was.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode, encode } from '@msgpack/msgpack';
import { afterAll, describe, expect, it } from 'vitest';
import { FULL } from '../../src/core/options.js';
import { UsageError } from '../../src/errors.js';
import { parseControl, planControl } from '../../src/migrate/control.js';
import { findStores, selectAccounts } from '../../src/migrate/inputs.js';
import { appendEntry, JOURNAL_NAME, openJournal } from '../../src/migrate/journal.js';
import { type Job, type MailboxResult, runMailbox } from '../../src/migrate/mailbox.js';
import { readManifest } from '../../src/migrate/manifest.js';
import { decodeText, parseAccounts } from '../../src/migrate/textfile.js';
import { Random } from './random.js';

const SEED = process.env.PSTWRIGHT_SEED ?? 'texts';
const ROUNDS = Number(process.env.PSTWRIGHT_MUTANTS ?? 2000);
const root = mkdtempSync(join(tmpdir(), 'pstwright-texts-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const folder = (): string => {
  const path = join(root, `f${++count}`);
  mkdirSync(path);
  return path;
};
const TINY = fileURLToPath(new URL('../../fixtures/tiny.pst', import.meta.url));

const CONTROL = [
  'Mode,EXCHANGE',
  '! a comment',
  'Function,FULL',
  'EmailStart,20010203040506',
  'File,"stores of ""A"""',
  'Accounts,accounts.txt',
  'ImportDestination,PST',
  'PSTPath,copies',
  'Port,389',
  'Email,TRUE',
  '',
].join('\r\n');
const ACCOUNTS = 'Ann\r\nBob Smith\r\n! nobody\r\nÆsop\r\n';

/** Bytes bent at a few places, cut, doubled; pieces of syntax thrown in. */
function bend(bytes: Uint8Array, random: Random): Uint8Array {
  const pieces = [
    ',',
    '"',
    '""',
    '!',
    '\r',
    '\n',
    '\0',
    '\ufeff',
    '\ufffe',
    '\u2028',
    ' ',
    '../',
    '%s',
    'Mode',
    '{',
    '}',
    'null',
    '\ud83d\ude00',
  ];
  let out = Buffer.from(bytes);
  for (let k = random.pick([1, 1, 2, 5]); k > 0; k--) {
    const at = random.below(out.length + 1);
    switch (random.below(5)) {
      case 0:
        if (at < out.length) out[at] = random.below(256);
        break;
      case 1:
        out = Buffer.concat([out.subarray(0, at), Buffer.from(random.pick(pieces)), out.subarray(at)]);
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), out.subarray(random.between(at, out.length))]);
        break;
      case 3:
        out = Buffer.concat([out, out.subarray(at)]);
        break;
      case 4:
        if (random.chance(0.2))
          out = Buffer.from(random.chance(0.5) ? `\ufeff${out.toString()}` : out.toString(), 'utf16le');
        break;
    }
  }
  return out;
}

/** Runs `read`; it gives something or refuses. Returns whether it gave something. */
function borne(what: string, read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof UsageError)) throw new Error(`${what}: ${(error as Error).stack}`);
    expect(error.message, what).toMatch(/^[^\n]{10,}$/);
    expect(error.message, what).not.toMatch(/undefined|NaN|\[object/);
    return false;
  }
}

describe('texts that people write', () => {
  it(`${ROUNDS} control files and accounts files, seed ${SEED}`, () => {
    const random = new Random(SEED, 'control');
    let read = 0;
    for (let k = 0; k < ROUNDS; k++) {
      const control = bend(Buffer.from(CONTROL), random);
      const encoding = random.pick([undefined, undefined, 'utf-8', 'windows-1252', 'utf-16le', '932', 'koi8-r', 'x']);
      const line = { hasOut: random.chance(0.5), hasStores: random.chance(0.5), hasAccounts: random.chance(0.5) };
      const what = `control ${k}, ${JSON.stringify(control.toString())}`;
      if (borne(what, () => planControl(parseControl(decodeText(control, '/c/x.ctl', encoding), '/c/x.ctl'), line)))
        read++;
      const accounts = bend(Buffer.from(ACCOUNTS), random);
      borne(`accounts ${k}`, () =>
        selectAccounts(
          ['/s/ann.pst', '/s/bob smith.ost'],
          parseAccounts(decodeText(accounts, 'a.txt', encoding), 'a.txt').names,
        ),
      );
    }
    expect(read).toBeGreaterThan(0);
  });

  it(`lists of stores, seed ${SEED}`, () => {
    const random = new Random(SEED, 'lists');
    const here = folder();
    copyFileSync(TINY, join(here, 'a.pst'));
    copyFileSync(TINY, join(here, 'b.ost'));
    let read = 0;
    for (let k = 0; k < ROUNDS / 10; k++) {
      const list = join(here, 'list.txt');
      writeFileSync(list, bend(Buffer.from('a.pst\r\nb\r\n! c\r\n./a.pst\r\n'), random));
      if (borne(`list ${k}`, () => findStores([list], { out: join(here, 'out') }))) read++;
    }
    expect(read).toBeGreaterThan(0);
  });
});

const SETTINGS = { policy: 'clone', reencode: false } as const;
const PROOF = { source: { size: 1, mtime: '2', header: 'ab' }, size: 3, header: 'cd', content: 'ef' };

describe('journals', () => {
  it(`bent are read or refused, and refused they stay as they are; seed ${SEED}`, () => {
    const random = new Random(SEED, 'journals');
    const out = folder();
    openJournal(out, SETTINGS, false);
    const path = join(out, JOURNAL_NAME);
    appendEntry(path, { event: 'begin', store: '/s/a.pst', target: 'a.pst' });
    appendEntry(path, { event: 'whole', store: '/s/a.pst', target: 'a.pst', ...PROOF });
    appendEntry(path, { event: 'failed', store: '/s/b.pst', target: 'b.pst', message: 'why' });
    const whole = readFileSync(path);
    for (let k = 0; k < ROUNDS / 4; k++) {
      const bytes = bend(whole, random);
      writeFileSync(path, bytes);
      const isRead = borne(`journal ${k}`, () => {
        for (const { target } of openJournal(out, SETTINGS, false).known.values())
          expect(basename(target)).toBe(target);
      });
      const after = readFileSync(path);
      if (isRead) expect(after.at(-1)).toBe(0x0a);
      else expect(after.equals(bytes), `journal ${k}`).toBe(true);
    }
  });

  it.each([
    ['notes of somebody', 'my notes'],
    ['half a line of another program', '{"event":"jour'.replace('jour', 'start')],
    ['no text', '\u00ff\u00fe'],
  ])('%s under its name are left alone', (_, text) => {
    const out = folder();
    const path = join(out, JOURNAL_NAME);
    writeFileSync(path, text, 'latin1');
    expect(() => openJournal(out, SETTINGS, false)).toThrow(/is no journal of ours/);
    expect(readFileSync(path, 'latin1')).toBe(text);
  });

  it('of which a kill has left half the first line is begun anew', () => {
    const out = folder();
    const { path } = openJournal(out, SETTINGS, false);
    const line = readFileSync(path);
    writeFileSync(path, line.subarray(0, 20));
    openJournal(out, SETTINGS, false);
    expect(readFileSync(path).equals(line)).toBe(true);
  });

  it('whose proof is nothing are none of ours', () => {
    const out = folder();
    const { path } = openJournal(out, SETTINGS, false);
    appendEntry(path, { event: 'whole', store: '/s/a.pst', target: 'a.pst', ...PROOF, source: null as never });
    expect(() => openJournal(out, SETTINGS, false)).toThrow(/line 2, is none of ours/);
  });
});

describe('manifests of an earlier run', () => {
  const out = folder();
  const target = join(out, 'tiny.pst');
  const run = (): MailboxResult => {
    const { path: journal, known } = openJournal(out, SETTINGS, false);
    const job: Job = {
      index: 0,
      store: TINY,
      target,
      journal,
      known: known.get(TINY),
      engine: '9',
      clone: {},
      pageheap: FULL,
    };
    return runMailbox(job);
  };
  const path = `${target}.manifest`;
  let whole: Buffer;

  it('prove the copy when they are whole', () => {
    expect(run().state).toBe('copied');
    whole = readFileSync(path);
    expect(run().state).toBe('skipped');
  });

  it(`bent make it be done again, or prove it as before; seed ${SEED}`, () => {
    const random = new Random(SEED, 'manifests');
    const fates: Record<string, number> = {};
    for (let k = 0; k < Math.min(ROUNDS / 20, 400); k++) {
      const bytes = Buffer.from(whole);
      for (let n = random.pick([1, 2, 8]); n > 0; n--)
        bytes[random.below(Math.min(bytes.length, 700))]! ^= 1 << random.below(8);
      writeFileSync(path, bytes);
      const { state, failure } = run();
      expect(failure, `manifest ${k}`).toBeUndefined();
      fates[state] = (fates[state] ?? 0) + 1;
    }
    expect(Object.keys(fates).sort()).toEqual(['copied', 'skipped']);
    expect(readdirSync(out).sort()).toEqual([JOURNAL_NAME, 'tiny.pst', 'tiny.pst.manifest'].sort());
  });

  it.each([
    ['target', undefined],
    ['target', { size: 'large' }],
    ['counters', null],
    ['counters', { nodes: -1 }],
    ['findings', 3],
    ['contentDigest', 'text'],
    ['format', 'another'],
  ])('with a bad %s prove nothing: %j', (field, value) => {
    writeFileSync(path, encode({ ...(decode(whole) as object), [field]: value }));
    expect(readManifest(path)).toBeUndefined();
    expect(run().state).toBe('copied');
  });

  it('of arrays in arrays prove nothing, at once', () => {
    writeFileSync(path, new Uint8Array(20 << 20).fill(0x91));
    expect(readManifest(path)).toBeUndefined();
  });
});
