/** Targets: whole or not there, and never over a file that is. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Core } from '../../src/core/core.js';
import { openSource } from '../../src/host/file.js';
import { createTarget, publish } from '../../src/host/target.js';
import { readBack } from '../../src/ndb/write/readback.js';
import { StoreWriter } from '../../src/ndb/write/store-writer.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-target-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

describe('createTarget', () => {
  test('commit gives the name, and only then', () => {
    const target = createTarget(at('a.pst'));
    target.sink.write(Uint8Array.of(1, 2, 3), 0);
    expect(readdirSync(folder)).toEqual(['a.pst.partial']);
    target.commit();
    expect(readdirSync(folder)).toEqual(['a.pst']);
    expect([...readFileSync(at('a.pst'))]).toEqual([1, 2, 3]);
    target.abort(); // too late to undo
    expect(readdirSync(folder)).toEqual(['a.pst']);
  });

  test('abort leaves nothing', () => {
    const target = createTarget(at('a.pst'));
    target.sink.write(new Uint8Array(10), 0);
    target.abort();
    target.abort();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('an existing target is refused: file, folder, dangling link', () => {
    writeFileSync(at('file.pst'), 'mine');
    mkdirSync(at('folder.pst'));
    symlinkSync(at('nowhere'), at('link.pst'));
    for (const name of ['file.pst', 'folder.pst', 'link.pst']) {
      expect(() => createTarget(at(name))).toThrow(expect.objectContaining({ code: 'TARGET_EXISTS' }));
    }
    expect(readFileSync(at('file.pst'), 'utf8')).toBe('mine');
    expect(existsSync(at('file.pst.partial'))).toBe(false);
  });

  test('a file that appears while we write is never overwritten', () => {
    const target = createTarget(at('a.pst'));
    target.sink.write(Uint8Array.of(1), 0);
    writeFileSync(at('a.pst'), 'mine');
    expect(() => target.commit()).toThrow(expect.objectContaining({ code: 'TARGET_EXISTS' }));
    target.abort();
    expect(readdirSync(folder)).toEqual(['a.pst']);
    expect(readFileSync(at('a.pst'), 'utf8')).toBe('mine');
  });

  test('the partial file of an earlier run is replaced; something else in its place is not', () => {
    writeFileSync(at('a.pst.partial'), 'left over');
    const target = createTarget(at('a.pst'));
    expect(target.sink.size).toBe(0);
    target.abort();
    mkdirSync(at('b.pst.partial'));
    expect(() => createTarget(at('b.pst'))).toThrow('is in the way');
  });

  test('of two runs into one name neither publishes what the other wrote', () => {
    const first = createTarget(at('a.pst'));
    const second = createTarget(at('a.pst'));
    first.sink.write(Uint8Array.of(1), 0);
    second.sink.write(Uint8Array.of(2), 0);
    expect(() => first.commit()).toThrow('was taken away while it was written');
    first.abort();
    second.commit();
    expect([...readFileSync(at('a.pst'))]).toEqual([2]);
  });

  test('a folder that is not there', () => {
    expect(() => createTarget(at('no/a.pst'))).toThrow(expect.objectContaining({ code: 'IO' }));
  });
});

describe('publish without hard links', () => {
  const noLinks = () => {
    throw Object.assign(new Error('no links here'), { code: 'ENOTSUP' });
  };
  test('renames', () => {
    writeFileSync(at('p'), 'whole');
    publish(at('p'), at('a.pst'), noLinks);
    expect(readdirSync(folder)).toEqual(['a.pst']);
    expect(readFileSync(at('a.pst'), 'utf8')).toBe('whole');
  });
  test('never over a file', () => {
    writeFileSync(at('p'), 'whole');
    writeFileSync(at('a.pst'), 'mine');
    expect(() => publish(at('p'), at('a.pst'), noLinks)).toThrow(expect.objectContaining({ code: 'TARGET_EXISTS' }));
    expect(readFileSync(at('a.pst'), 'utf8')).toBe('mine');
    expect(lstatSync(at('p')).size).toBe(5);
  });
  test('leaves no empty file when the rename fails', () => {
    expect(() => publish(at('not there'), at('a.pst'), noLinks)).toThrow();
    expect(readdirSync(folder)).toEqual([]);
  });
});

const hasPffinfo = spawnSync('pffinfo', ['-V']).status === 0;
if (!hasPffinfo) console.warn('skipped: pffinfo is not installed');

test.skipIf(!hasPffinfo)('pffinfo opens a store written to a file', () => {
  const core = Core.load();
  const target = createTarget(at('a.pst'));
  const writer = new StoreWriter(core, target.sink, { crypt: 1 });
  for (let i = 0; i < 400; i++)
    writer.addNode((0x10001 + i) * 32 + 4, writer.addTreeBytes(new Uint8Array(i * 90).fill(i)), 0, 0);
  writer.finish();
  readBack(target.sink, core);
  target.commit();
  readBack(openSource(at('a.pst')), core);
  const said = spawnSync('pffinfo', [at('a.pst')], { encoding: 'utf8' });
  expect(said.stdout).toContain('Personal Storage Tables (PST)');
  expect(said.stdout).toContain('64-bit');
  expect(said.stdout).toMatch(/Encryption type:\s+compressible/);
});

test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  'a full disk is a plain error, and nothing gets the name',
  (context) => {
    mkdirSync(at('small'));
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at('small')]).status !== 0) return context.skip();
    try {
      const core = Core.load();
      const target = createTarget(at('small/a.pst'));
      const writer = new StoreWriter(core, target.sink);
      expect(() => writer.addNode(0x21, writer.addTreeBytes(new Uint8Array(5_000_000).fill(7)), 0, 0)).toThrow(
        'the disk is full',
      );
      writer.abandon();
      target.abort();
      expect(readdirSync(at('small'))).toEqual([]);
      expect(core.x.pagesLive()).toBe(0);
    } finally {
      execFileSync('umount', [at('small')]);
    }
  },
);
