/**
 * The file system against us: a full disk is a plain error that leaves nothing behind, with exit code 3, since nothing was done; and the
 * source is opened for reading only, so that it may lie where nobody can write.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { PACKAGED_STORES } from '../stores.js';
import { cannotMount, mountTmpfs, remount, runProgram, unmount } from './process.js';

const ENRON = join(PACKAGED_STORES, 'enron.pst');
const root = fileURLToPath(new URL('../..', import.meta.url));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-disk-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A small disk in memory, as long as the test runs; skips where it cannot be had. */
function withDisk(context: TestContext, name: string, options: string, use: (disk: string) => void): void {
  const disk = join(folder, name);
  mkdirSync(disk);
  const why = cannotMount ?? (mountTmpfs(disk, options) ? undefined : 'the tmpfs could not be mounted');
  if (why !== undefined) context.skip(`skipped: ${why}`);
  try {
    use(disk);
  } finally {
    unmount(disk);
  }
}

describe('a full disk', () => {
  // enron.pst is 14 MB, its clone 13: full at once, in the middle, near the end.
  it.for(['64k', '1m', '8m', '12m'])('of %s', { timeout: 60_000 }, (size, context) => {
    withDisk(context, `full-${size}`, `size=${size}`, (disk) => {
      const { status, stderr, stdout } = runProgram(['clone', ENRON, join(disk, 'target.pst')]);
      expect(stderr).toMatch(/^pstwright: .*target\.pst\.partial: the disk is full\n$/);
      expect(status).toBe(3);
      expect(stdout).toBe('');
      expect(readdirSync(disk)).toEqual([]);
    });
  });

  it('that has room for the clone and none for its manifest', { timeout: 60_000 }, (context: TestContext) => {
    const measured = join(folder, 'measured.pst');
    expect(runProgram(['clone', ENRON, measured, '--no-manifest']).status).toBe(0);
    const bytes = Math.ceil(statSync(measured).size / 4096) * 4096;
    withDisk(context, 'no-manifest', `size=${bytes}`, (disk) => {
      const target = join(disk, 'target.pst');
      const { status, stderr, stdout } = runProgram(['clone', ENRON, target]);
      expect(stderr).toMatch(
        /target\.pst\.manifest: cannot be written \(the disk is full\)\n.*the clone itself is whole/,
      );
      expect(status).toBe(2);
      expect(stdout).toContain('Everything arrived');
      expect(readdirSync(disk)).toEqual(['target.pst']);
      expect(readFileSync(target).equals(readFileSync(measured))).toBe(true);
    });
  });

  it('does not hurt a target that is there', { timeout: 60_000 }, (context: TestContext) => {
    withDisk(context, 'taken', 'size=1m', (disk) => {
      const target = join(disk, 'target.pst');
      writeFileSync(target, 'mine');
      const { status, stderr } = runProgram(['clone', ENRON, target]);
      expect(stderr).toContain('exists');
      expect(status).toBe(3);
      expect(readdirSync(disk)).toEqual(['target.pst']);
      expect(readFileSync(target, 'utf8')).toBe('mine');
    });
  });
});

describe('the source', () => {
  const verbs: readonly (readonly string[])[] = [
    ['info'],
    ['ls'],
    ['check'],
    ['page', 'nbt'],
    ['node', '0x21'],
    ['cat', '0x21'],
  ];

  it('may lie on a disk that is mounted read-only', { timeout: 60_000 }, (context: TestContext) => {
    withDisk(context, 'read-only', 'size=32m', (disk) => {
      const source = join(disk, 'source.pst');
      copyFileSync(ENRON, source);
      chmodSync(source, 0o444);
      chmodSync(disk, 0o555);
      expect(remount(disk, 'ro')).toBe(true);
      expect(() => writeFileSync(join(disk, 'x'), '')).toThrow(/EROFS/);
      const target = join(folder, 'of-read-only.pst');
      const { status, stderr } = runProgram(['clone', source, target]);
      expect([status, stderr]).toEqual([0, '']);
      expect(runProgram(['verify', source, target]).status).toBe(0);
      for (const [verb, ...args] of verbs) {
        const { status, stderr } = runProgram([verb!, source, ...args]);
        expect([0, 1, 2], `${verb}: ${stderr}`).toContain(status); // 2: check has its say about enron.pst
      }
    });
  });

  it('keeps its bytes and its times', { timeout: 60_000 }, () => {
    const source = join(folder, 'source.pst');
    copyFileSync(ENRON, source);
    chmodSync(source, 0o444);
    utimesSync(source, 1_000_000_000, 1_000_000_000);
    const before = statSync(source, { bigint: true });
    expect(runProgram(['clone', source, join(folder, 'of-kept.pst')]).status).toBe(0);
    const after = statSync(source, { bigint: true });
    expect([after.mtimeNs, after.ctimeNs, after.size, after.ino]).toEqual([
      before.mtimeNs,
      before.ctimeNs,
      before.size,
      before.ino,
    ]);
    expect(readFileSync(source).equals(readFileSync(ENRON))).toBe(true);
  });

  it('is opened O_RDONLY by every verb, and by no call that changes a file', {
    timeout: 120_000,
  }, (context: TestContext) => {
    const strace = spawnSync('strace', ['-V']);
    if (strace.status !== 0) context.skip('skipped: strace is not installed');
    const source = join(folder, 'traced.pst');
    copyFileSync(ENRON, source);
    const target = join(folder, 'of-traced.pst');
    const log = join(folder, 'calls.log');
    const calls =
      'trace=open,openat,openat2,creat,truncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,chmod,fchmodat,utimensat';
    for (const [verb, ...args] of [
      ['clone', target],
      ['clone', `${target}.2`, '--reencode'],
      ['verify', target],
      ...verbs,
    ]) {
      const command = [process.execPath, '--import', 'tsx', 'src/cli/main.ts', verb!, source, ...args];
      const { status, stderr } = spawnSync('strace', ['-f', '-o', log, '-e', calls, ...command], {
        cwd: root,
        encoding: 'utf8',
      });
      if (/ptrace|PTRACE/.test(stderr)) context.skip('skipped: strace may not trace here');
      expect([0, 1, 2], `${verb}: ${stderr}`).toContain(status); // 2: check has its say about enron.pst
      const touched = readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line.includes(`"${source}"`));
      expect(touched.length, verb).toBeGreaterThan(0);
      for (const line of touched) expect(line, verb).toMatch(/open(at)?\(.*O_RDONLY/);
      for (const line of touched) expect(line, verb).not.toMatch(/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND/);
    }
    expect(existsSync(target)).toBe(true);
  });
});
