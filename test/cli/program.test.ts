import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT, errorText, exitCodeOf } from '../../src/cli/exit.js';
import { freeRuns } from '../../src/cli/map-view.js';
import { parseNid, parseNumber } from '../../src/cli/number.js';
import { escapeText, hexDump, quote, size, table, width } from '../../src/cli/output.js';
import { createProgram } from '../../src/cli/program.js';
import { CoreFault } from '../../src/core/fault.js';
import { PstError, UsageError } from '../../src/errors.js';
import { ENRON, invoke, workshop } from './invoke.js';

const shop = workshop();
afterAll(shop.remove);

const VERBS = (await createProgram()).commands.map((verb) => verb.name()).filter((name) => name !== 'help');
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

describe('help', () => {
  it('names every verb, the exit codes, and where to go next', async () => {
    const { code, out } = await invoke('--help');
    expect(code).toBe(0);
    for (const verb of VERBS) expect(out).toMatch(new RegExp(`^ {2}${verb} `, 'm'));
    expect(out).toContain('Exit codes:');
    expect(out).toContain('Where to go next');
    for (const verb of ['info', 'ls', 'cat', 'clone', 'verify', 'page', 'block', 'node']) expect(VERBS).toContain(verb);
  });

  it.each(VERBS)('explains %s, which takes --json', async (verb) => {
    const { code, out } = await invoke('help', verb);
    expect(code).toBe(0);
    expect(out).toContain(`pstwright ${verb}`);
    expect(out).toContain('--json');
  });

  it('prints the version of package.json', async () => {
    expect(await invoke('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it('without a verb is a usage error', async () => {
    const { code, out, err } = await invoke();
    expect(code).toBe(3);
    expect(out).toBe('');
    expect(err).toContain('Usage: pstwright');
  });
});

describe('refusals', () => {
  const notAStore = shop.file('letter.txt', 'Dear Sir or Madam, this is not a mailbox.');

  it.each(['info', 'ls'])('%s: a file that is no store', async (verb) => {
    const { code, out, err } = await invoke(verb, notAStore);
    expect(code).toBe(3);
    expect(out).toBe('');
    expect(err).toContain('letter.txt is not a PST or OST');
    expect(err).not.toContain('    at ');
  });

  it.each([
    [['info', 'no-such.pst'], 'no such file'],
    [['info'], "missing required argument 'store'"],
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['inof', ENRON], 'Did you mean info?'],
    [['info', ENRON, '--frob'], "unknown option '--frob'"],
    [['cat', ENRON, '0x9999999'], 'has no node 0x9999999'],
    [['page', ENRON, '-1'], '"-1" is no place'],
    [['cat', ENRON, '0x21', '--limit', 'many'], '"many" is no number of bytes'],
  ])('%j', async (args, message) => {
    const { code, out, err } = await invoke(...args);
    expect(code).toBe(3);
    expect(out).toBe('');
    expect(err).toContain(message);
  });

  it('are one JSON document under --json, too', async () => {
    const missing = await invoke('info', 'no-such.pst', '--json');
    expect(missing.code).toBe(3);
    expect(JSON.parse(missing.out)).toEqual({ error: { code: 'NOT_FOUND', message: 'no-such.pst: no such file' } });
    const letter = JSON.parse((await invoke('ls', notAStore, '--json')).out);
    expect(letter.error).toMatchObject({ code: 'PST_NOT_A_STORE', where: { field: 'HEADER.dwMagic' } });
    expect(JSON.parse((await invoke('info', '--json')).out).error.code).toBe('USAGE');
  });
});

describe('exit codes', () => {
  it('tell apart whose fault it is', () => {
    expect(exitCodeOf(new PstError('PST_BAD_CRC', 'x'))).toBe(EXIT.DAMAGE);
    expect(exitCodeOf(new PstError('PST_NOT_A_STORE', 'x'))).toBe(EXIT.REFUSED);
    expect(exitCodeOf(new PstError('PST_UNSUPPORTED', 'x'))).toBe(EXIT.REFUSED);
    expect(exitCodeOf(new UsageError('TARGET_EXISTS', 'x'))).toBe(EXIT.REFUSED);
    expect(exitCodeOf(new CoreFault(undefined, new Error('unreachable')))).toBe(EXIT.STOP);
    expect(exitCodeOf(new TypeError('x is undefined'))).toBe(EXIT.STOP);
    expect(exitCodeOf(Object.assign(new Error('EIO'), { syscall: 'read', code: 'EIO' }))).toBe(EXIT.REFUSED);
  });

  it('own up to our bugs with a stack, and to nothing else', () => {
    expect(errorText(new TypeError('x is undefined'))).toMatch(
      /bug in pstwright[\s\S]*TypeError: x is undefined[\s\S]* at /,
    );
    expect(errorText(new UsageError('USAGE', 'no\u001b[31m'))).toBe('pstwright: no\\u001b[31m');
    expect(errorText(new PstError('PST_BAD_CRC', 'stored', { nid: 0x21 }))).toBe(
      'pstwright: stored [nid 0x21] (PST_BAD_CRC)',
    );
  });
});

describe('output', () => {
  it('escapes controls, marks of direction and lone surrogates', () => {
    expect(escapeText('a\u001b[2Jb\u0007\n\u202ecod.exe\ud800 é 日本 👩‍🚀')).toBe(
      'a\\u001b[2Jb\\u0007\\n\\u202ecod.exe\\ud800 é 日本 👩‍🚀',
    );
    expect(quote('say "\\"', 100)).toBe('"say \\"\\\\\\""');
    expect(quote('abcdef', 3)).toBe('"abc" … (6 characters)');
  });

  it('aligns columns, numbers to the right, wide characters counted', () => {
    expect(width('日本')).toBe(4);
    expect(width('e\u0301')).toBe(1);
    expect(
      table(
        [
          ['日本', 1],
          ['abc', 1234],
        ],
        { head: ['name', 'n'] },
      ),
    ).toEqual(['name      n', '日本      1', 'abc   1,234']);
  });

  it('cuts hex dumps and says how to see more', () => {
    const lines = hexDump(new Uint8Array(40).fill(0x41), { base: 0x1000, limit: 20 });
    expect(lines).toEqual([
      '1000  41 41 41 41 41 41 41 41  41 41 41 41 41 41 41 41  AAAAAAAAAAAAAAAA',
      '1010  41 41 41 41                                       AAAA',
      '… 20 more bytes; --limit 40 or --limit all shows them',
    ]);
  });

  it('writes sizes', () => {
    expect([0, 10_239, 10_240, 13_984_768, 5 * 2 ** 30].map(size)).toEqual([
      '0 B',
      '10,239 B',
      '10.0 KB',
      '13.3 MB',
      '5.0 GB',
    ]);
  });

  it('reads numbers', () => {
    expect([parseNumber('0x10', 'x'), parseNumber('16', 'x'), parseNid('nid_root_folder')]).toEqual([16, 16, 0x122]);
    for (const text of ['', '-1', '1.5', '0x', '1e3', '9007199254740992']) {
      expect(() => parseNumber(text, 'number')).toThrow(UsageError);
    }
  });

  it('adds up free runs of a map', () => {
    expect(freeRuns(Uint8Array.of(0b1111_1000, 0b0111_1110))).toEqual({
      free: 5,
      runs: [
        { at: 5, length: 4 },
        { at: 15, length: 1 },
      ],
    });
  });
});

/** The program as it is installed. */
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

describe('dist/cli/main.js', () => {
  if (!existsSync(MAIN)) {
    it.skip('skipped: dist is not built (npm run build)', () => {});
    return;
  }
  const start = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [MAIN, ...args], { maxBuffer: 64 << 20 }, (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
      );
    });

  it('runs, and ends with the exit code of its verb', async () => {
    expect((await start('info', ENRON, '--json')).code).toBe(0);
    expect((await start('info', 'no-such.pst')).code).toBe(3);
    const damaged = shop.mutant('dist.pst', (bytes) => bytes.writeUInt8(0, 0xd0c40 + 500));
    expect((await start('cat', damaged, '0x2000e4')).code).toBe(2);
    expect((await start('--version')).out).toBe(`${version}\n`);
  });

  it('writes all of a long output to a pipe', async () => {
    const { out } = await start('ls', ENRON, '--all', '--messages', '--json');
    expect(JSON.parse(out).folders).toHaveLength(11);
  });
});
