/**
 * Bad input on the command line, in processes of their own: exit code 2 when the file is at fault, 3 when it is no store; one plain
 * sentence on stderr that says where; no file under the target's name, and no part of one.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { openSource } from '../../src/host/file.js';
import { encodePc } from '../../src/ltp/pc.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { StoreWriter } from '../../src/ndb/write/store-writer.js';
import { invoke } from '../cli/invoke.js';
import { MemoryFile } from '../memory-file.js';
import { sealHeader } from '../ndb/forge.js';
import { PACKAGED_STORES } from '../stores.js';
import { mutate } from './mutator.js';
import { runProgram } from './process.js';
import { specimens } from './specimens.js';

const ENRON = join(PACKAGED_STORES, 'enron.pst');
const SEED = process.env.PSTWRIGHT_SEED ?? 'cli';
const MUTANTS = 40;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-hostile-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

/** Where clone says that it has kept the failing operation. */
const BUNDLE = /^pstwright: the failing operation \([^\n]*\n/;

/** One sentence of this program, and nothing from the depths of it. */
function mustBeOneSentence(stderr: string): void {
  expect(stderr.replace(BUNDLE, '')).toMatch(/^pstwright: [^\n]+\n$/);
  expect(stderr).not.toMatch(/\bat .*\.(ts|js):\d|undefined|NaN|\[object/);
}

/** Clones `source` in a process; what is left in the folder of the target is told. */
function clone(source: string): { status: number | null; stderr: string; stdout: string; left: string[] } {
  const out = mkdtempSync(join(folder, 'out-'));
  const { status, stderr, stdout } = runProgram(['clone', source, join(out, 'target.pst')]);
  return { status, stderr, stdout, left: readdirSync(out) };
}

describe('not a store', () => {
  it.each([
    ['text', 'From: me\nTo: you\n\nhello', /no "!BDN" at its start/],
    ['a ZIP archive', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0), /looks like a ZIP archive/],
    ['zeros', new Uint8Array(70_000), /looks like zeros/],
    ['nothing', '', /is empty/],
    ['four bytes', '!BDN', /not a PST or OST/],
    [
      'a PAB',
      Uint8Array.from([...Buffer.from('!BDN'), 0, 0, 0, 0, 0x58, 0x58, 23, 0, ...new Uint8Array(600)]),
      /the client is 0x5858/,
    ],
  ])('%s', { timeout: 30_000 }, (name, bytes, said) => {
    const { status, stderr, stdout, left } = clone(file(`${name}.pst`, bytes));
    mustBeOneSentence(stderr);
    expect(stderr).toMatch(said);
    expect(status).toBe(3);
    expect(stdout).toBe('');
    expect(left).toEqual([]);
  });

  it('a folder, a pipe, a device, a link to nowhere, no file', { timeout: 60_000 }, () => {
    mkdirSync(join(folder, 'folder.pst'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link.pst'));
    const pipe = join(folder, 'pipe.pst');
    const sources = [join(folder, 'folder.pst'), join(folder, 'link.pst'), join(folder, 'absent.pst')];
    if (spawnSync('mkfifo', [pipe]).status === 0) sources.push(pipe);
    if (process.platform === 'linux') sources.push('/dev/zero');
    for (const source of sources) {
      const { status, stderr, left } = clone(source);
      mustBeOneSentence(stderr);
      expect(status, source).toBe(3);
      expect(left, source).toEqual([]);
    }
  });
});

describe('damaged', () => {
  const enron = readFileSync(ENRON);
  const ndb = Ndb.open(openSource(ENRON), Core.load());
  const place = ndb.bbt.count >>> 1;
  const ib = ndb.bbt.ib(place);
  const bent = (bend: (bytes: Buffer) => Buffer | undefined): Buffer => {
    const bytes = Buffer.from(enron);
    return bend(bytes) ?? bytes;
  };
  it.each<[string, (bytes: Buffer) => Buffer | undefined, RegExp]>([
    ['cut in its header', (bytes) => bytes.subarray(0, 300), /PST_TRUNCATED/],
    ['cut in the middle', (bytes) => bytes.subarray(0, bytes.length >>> 1), /ib 0x.*PST_TRUNCATED|PST_TRUNCATED/],
    ['cut by one byte', (bytes) => bytes.subarray(0, ndb.header.root.nbt.ib + 511), /PST_TRUNCATED/],
    [
      'a bit of a block',
      (bytes) => void (bytes[ib + 5]! ^= 4),
      new RegExp(`CRC.*bid 0x.*ib 0x${ib.toString(16)}.*PST_BAD_CRC`),
    ],
    ['a bit of a B-tree page', (bytes) => void (bytes[ndb.header.root.bbt.ib + 9]! ^= 4), /CRC.*ib 0x.*PST_BAD_CRC/],
    ['the NBT root nowhere', (bytes) => void bytes.writeBigUInt64LE(0xffffffffffn, 224), /PST_TRUNCATED/],
    ['the NBT root beyond numbers', (bytes) => void bytes.fill(0xff, 224, 232), /PST_ABSURD/],
  ])('%s', { timeout: 30_000 }, (name, bend, said) => {
    const bytes = bent(bend);
    if (bytes.length > 600) sealHeader(bytes, 1);
    const { status, stderr, stdout, left } = clone(file(`${name}.pst`, bytes));
    mustBeOneSentence(stderr);
    expect(stderr).toMatch(said);
    expect(stderr).toMatch(/\[.*(ib|field|HEADER|ROOT|MS-PST).*\]/);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(left).toEqual(['target.pst.replay']); // the failing operation, to be replayed; nothing of the target
  });

  it('says the same in JSON', { timeout: 30_000 }, () => {
    const source = file(
      'json.pst',
      bent((bytes) => void (bytes[ib + 5]! ^= 4)),
    );
    const { status, stdout } = runProgram(['clone', source, join(folder, 'json-target.pst'), '--json']);
    expect(status).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'PST_BAD_CRC', where: { ib, bid: ndb.bbt.bid(place) } });
  });
});

describe('refused', () => {
  it('a target that is there, whatever it is, untouched', { timeout: 30_000 }, () => {
    const target = file('taken.pst', 'mine');
    const { status, stderr } = runProgram(['clone', ENRON, target]);
    mustBeOneSentence(stderr);
    expect(status).toBe(3);
    expect(readFileSync(target, 'utf8')).toBe('mine');
    expect(readdirSync(folder).filter((name) => name.startsWith('taken.pst'))).toEqual(['taken.pst']);
  });

  it('the source as its own target', { timeout: 30_000 }, () => {
    const source = file('self.pst', readFileSync(ENRON));
    const { status } = runProgram(['clone', source, source]);
    expect(status).toBe(3);
    expect(readFileSync(source).equals(readFileSync(ENRON))).toBe(true);
  });

  it('a folder that is not there', { timeout: 30_000 }, () => {
    const { status, stderr } = runProgram(['clone', ENRON, join(folder, 'no', 'target.pst')]);
    mustBeOneSentence(stderr);
    expect(status).toBe(3);
  });
});

it('what a store says of itself cannot command the terminal', { timeout: 30_000 }, async () => {
  const core = Core.load();
  const sink = new MemoryFile('evil.pst');
  const writer = new StoreWriter(core, sink);
  const evil = new Uint8Array(Buffer.from('\u001b]0;owned\u0007\u001b[2J\u009b31m\r\n\u202efolder\u0000\b', 'utf16le'));
  const pc = (tags: readonly number[]): number => {
    const stream = new StreamWriter().set(0x0ff90102, new Uint8Array(16).fill(3));
    for (const tag of tags) stream.set(tag, evil);
    const chain = encodePc(core, stream.build(), {});
    const bid = writer.addTree(chain);
    core.x.chainFree(chain);
    return bid;
  };
  writer.addNode(0x21, pc([0x3001001f]), 0, 0);
  writer.addNode(0x122, pc([0x3001001f]), 0, 0x122);
  writer.addNode(0x8022, pc([0x3001001f, 0x3613001f]), 0, 0x122);
  writer.addNode(0x200024, pc([0x001a001f, 0x0037001f, 0x1000001f, 0x0c1a001f]), 0, 0x8022);
  writer.finish();
  const source = file('evil\u001b[31m.pst', sink.bytes);
  const calls = [
    ['info'],
    ['ls', '--all', '--messages'],
    ['cat', '0x200024'],
    ['cat', '0x8022'],
    ['check'],
    ['node', '0x200024'],
    ['page', 'nbt'],
  ];
  for (const [verb, ...args] of [...calls, ['clone', join(folder, 'evil-target\u001b[31m.pst')]]) {
    const { code, out, err } = await invoke(verb!, source, ...args);
    expect(code, `${verb}: ${err}`).toBeLessThanOrEqual(2);
    expect(out + err, verb).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  }
});

it(`${MUTANTS} mutants, seed ${SEED}, clone whole or leave nothing`, { timeout: 120_000 }, async () => {
  const all = specimens().filter(({ bytes }) => bytes.length < 300_000);
  for (let k = 0; k < MUTANTS; k++) {
    const { name, bytes, notes } = mutate(all[k % all.length]!, all, SEED, k);
    const what = `${name}, seed ${SEED}: ${notes.join('; ')}`;
    const source = file('mutant.pst', bytes);
    const out = mkdtempSync(join(folder, 'mutant-'));
    const { code, err } = await invoke(
      'clone',
      source,
      join(out, 'target.pst'),
      ...(k % 2 === 0 ? [] : ['--reencode']),
    );
    if (code > 1) {
      expect([2, 3], what).toContain(code);
      expect(err.replace(BUNDLE, ''), what).toMatch(/^pstwright: [^\n]+\n$/);
      expect(readdirSync(out), what).toEqual(code === 2 ? ['target.pst.replay'] : []);
    } else {
      expect(readdirSync(out).sort(), what).toEqual(['target.pst', 'target.pst.manifest']);
      const again = await invoke('verify', source, join(out, 'target.pst'));
      expect(again.code, `${what}\n${again.out}${again.err}`).toBeLessThanOrEqual(1);
    }
    rmSync(out, { recursive: true });
  }
});
