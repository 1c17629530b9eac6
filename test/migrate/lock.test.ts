/** One batch at a time in a folder, and bundles of earlier failures: what a run finds and leaves. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { FULL } from '../../src/core/options.js';
import { cloneBatch } from '../../src/migrate/batch.js';
import { LOCK_NAME, lockFolder } from '../../src/migrate/lock.js';
import { invoke } from '../cli/invoke.js';

const root = mkdtempSync(join(tmpdir(), 'pstwright-lock-'));
let out = '';
let lock = '';
let count = 0;

beforeEach(() => {
  out = join(root, `${count++}`);
  mkdirSync(out);
  lock = join(out, LOCK_NAME);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const holder = (more: object): string => `${JSON.stringify({ pid: process.pid, host: hostname(), ...more })}\n`;

/** A process that does nothing, until `end`. */
async function idle(): Promise<{ pid: number; end(): Promise<void> }> {
  const child: ChildProcess = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log(1)']);
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  return {
    pid: child.pid!,
    async end() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

describe('a folder', () => {
  it('is locked once, and free again after', () => {
    const unlock = lockFolder(out);
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() });
    expect(() => lockFolder(out)).toThrow(
      `Another run (process ${process.pid}) is at work in ${out}; if there is none any more, remove ${lock}`,
    );
    unlock();
    expect(readdirSync(out)).toEqual([]);
    lockFolder(out)();
  });

  it('stays locked while its process lives, and is taken over once that is killed', async () => {
    const other = await idle();
    writeFileSync(lock, holder({ pid: other.pid }));
    expect(() => lockFolder(out)).toThrow(`process ${other.pid}`);
    await other.end();
    const unlock = lockFolder(out);
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({ pid: process.pid });
    unlock();
    expect(readdirSync(out)).toEqual([]);
  });

  it.runIf(existsSync('/proc/self/stat'))('is taken over when the number serves another process by now', () => {
    writeFileSync(lock, holder({ begun: '1' }));
    lockFolder(out)();
    expect(existsSync(lock)).toBe(false);
  });

  it.each([
    ['another machine', holder({ pid: 1, host: 'elsewhere' }), 'Another run (process 1 on elsewhere)'],
    ['one that is being written', '', 'Another run is at work'],
    ['none of ours', 'keep out', 'Another run is at work'],
    ['a process that is none', holder({ pid: -1 }), 'Another run is at work'],
  ])('with the lock of %s is refused and left as it is', (_, text, words) => {
    writeFileSync(lock, text);
    expect(() => lockFolder(out)).toThrow(words);
    expect(readFileSync(lock, 'utf8')).toBe(text);
    expect(readdirSync(out)).toEqual([LOCK_NAME]);
  });

  it('gives back only its own lock', () => {
    const unlock = lockFolder(out);
    writeFileSync(lock, holder({ pid: 1, host: 'elsewhere' }));
    unlock();
    expect(existsSync(lock)).toBe(true);
  });

  it('left locked by a killed run is taken over by one of several', async () => {
    const other = await idle();
    await other.end();
    writeFileSync(lock, holder({ pid: other.pid }));
    const code = `
      const { lockFolder } = await import(${JSON.stringify(new URL('../../src/migrate/lock.ts', import.meta.url).href)});
      while (Date.now() < ${Date.now() + 3000});
      try { lockFolder(${JSON.stringify(out)}); console.log('has it'); } catch (error) { console.log(error.code); }
      setTimeout(() => {}, 1500);`;
    const ends = Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code]);
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += String(chunk);
      });
      await new Promise((resolve) => child.once('exit', resolve));
      return text.trim();
    });
    expect((await Promise.all(ends)).sort()).toEqual(['REFUSED', 'REFUSED', 'REFUSED', 'has it']);
    expect(readdirSync(out)).toEqual([LOCK_NAME]);
  }, 30_000);
});

describe('a batch', () => {
  const store = (name = 'a.pst'): string => {
    const folder = join(root, `exports${count++}`);
    mkdirSync(folder);
    copyFileSync('fixtures/everyday.pst', join(folder, name));
    return join(folder, name);
  };

  it('refuses a folder in which another is at work, which goes on undisturbed', async () => {
    const source = store();
    const first = cloneBatch([source], { engine: '9.9.9', out, jobs: 1 });
    await expect(cloneBatch([source], { engine: '9.9.9', out, jobs: 1 })).rejects.toThrow('is at work in');
    expect((await first).mailboxes.map(({ state }) => state)).toEqual(['copied']);
    expect(existsSync(lock)).toBe(false);
  });

  it('gives the folder back when it cannot begin', async () => {
    writeFileSync(join(out, 'pstwright.journal'), 'something else\n');
    await expect(cloneBatch([store()], { engine: '9.9.9', out, jobs: 1 })).rejects.toThrow('none of ours');
    expect(existsSync(lock)).toBe(false);
  });

  it('that is refused ends with 3 and says why', async () => {
    writeFileSync(lock, holder({ pid: 1, host: 'elsewhere' }));
    const { code, err } = await invoke('clone', store(), '--out', out);
    expect(code).toBe(3);
    expect(err).toContain('Another run (process 1 on elsewhere) is at work');
  });
});

describe('the bundle of an earlier failure', () => {
  const source = 'fixtures/everyday.pst';

  it('stays when the clone succeeds later, and the run says so', async () => {
    const target = join(out, 'copy.pst');
    expect((await invoke('clone', source, target, '--fault', '10000:200')).code).toBe(2);
    Core.settings = FULL;
    const bundle = readFileSync(`${target}.replay`);
    const { code, err } = await invoke('clone', source, target);
    expect(code).toBe(0);
    expect(err).toContain(`${target}.replay is of an earlier run that failed; this one did not need it`);
    expect(readFileSync(`${target}.replay`)).toEqual(bundle);
  });

  it('is not spoken of where there is none', async () => {
    const { code, err } = await invoke('clone', source, join(out, 'copy.pst'));
    expect(code).toBe(0);
    expect(err).not.toContain('earlier run');
  });

  it('is told by a batch, too', async () => {
    expect((await invoke('clone', source, '--out', out, '--fault', '10000:200')).code).toBe(2);
    Core.settings = FULL;
    const bundle = join(out, 'everyday.pst.replay');
    expect(existsSync(bundle)).toBe(true);
    const { code, out: text } = await invoke('clone', source, '--out', out);
    expect(code).toBe(0);
    expect(text).toContain(`${bundle} is of an earlier run that failed`);
    expect(JSON.parse((await invoke('clone', source, '--out', out, '--json')).out).earlierBundles).toEqual([bundle]);
    expect(existsSync(bundle)).toBe(true);
  });
});
