/**
 * Text files people write for a run: control files, accounts files, lists of stores. What they are encoded in is stated or said by
 * their first bytes, never guessed from the machine (mailmig.md 7, flaw 6).
 * @module
 */
import { readFileSync, statSync } from 'node:fs';
import { UsageError } from '../errors.js';
import { codePageLabel, decodeAnsi } from '../mapi/codepage.js';

/** Against a mailbox, or a device, given as a list: a million names of 64 bytes are shorter. */
const TEXT_BYTES_MAX = 64 << 20;

const isBom = (bytes: Uint8Array, ...bom: number[]): boolean => bom.every((byte, k) => bytes[k] === byte);

/** What the first bytes say of the rest. */
function bomOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | undefined {
  if (isBom(bytes, 0xef, 0xbb, 0xbf)) return 'utf-8';
  if (isBom(bytes, 0xff, 0xfe)) return 'utf-16le';
  if (isBom(bytes, 0xfe, 0xff)) return 'utf-16be';
  return undefined;
}

/** `windows-1252`, `cp1252` and `1252` are one code page, other names are those of the Encoding Standard. */
function decoderOf(encoding: string): (bytes: Uint8Array) => string {
  const label = encoding.toLowerCase().trim();
  const codePage = Number(/^(?:windows-|cp)?(\d+)$/.exec(label)?.[1] ?? Number.NaN);
  if (!Number.isNaN(codePage) && codePageLabel(codePage) !== undefined) return (bytes) => decodeAnsi(bytes, codePage);
  try {
    const decoder = new TextDecoder(label, { fatal: true });
    return decoder.encoding === 'windows-1252' ? (bytes) => decodeAnsi(bytes, 1252) : (bytes) => decoder.decode(bytes);
  } catch {
    throw new UsageError('USAGE', `--encoding ${encoding}: no such encoding; write utf-8, utf-16le or windows-1252`);
  }
}

/** `encoding` undefined: UTF-8, or UTF-16LE with its mark. Throws UsageError when the bytes are something else. */
export function decodeText(bytes: Uint8Array, name: string, encoding?: string): string {
  const bom = bomOf(bytes);
  const decode = decoderOf(encoding ?? bom ?? 'utf-8');
  if (encoding === undefined && bom === 'utf-16be') {
    throw new UsageError('USAGE', `${name} is UTF-16 with the high byte first; if so, say --encoding utf-16be`);
  }
  if (encoding !== undefined && bom !== undefined && !sameEncoding(encoding, bom)) {
    throw new UsageError('USAGE', `${name} begins with the mark of ${bom}, and --encoding says ${encoding}`);
  }
  let text: string | undefined;
  try {
    text = decode(bytes);
  } catch {
    // said below, as for a character that means nothing
  }
  if (text === undefined || text.includes('\ufffd')) {
    throw new UsageError(
      'USAGE',
      encoding === undefined && bom === undefined
        ? `${name} is not UTF-8; say what it is, --encoding windows-1252 for example`
        : `${name} is not ${encoding ?? bom}`,
    );
  }
  if (text.includes('\0')) throw new UsageError('USAGE', `${name} is not text`);
  return text;
}

const sameEncoding = (encoding: string, bom: string): boolean =>
  new Set([bom, bom.replace('-', '')]).has(encoding.toLowerCase().replace('_', '-'));

/** Reads and decodes the file at `path`. Throws UsageError. */
export function readText(path: string, encoding?: string): string {
  let bytes: Uint8Array;
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new UsageError('USAGE', `${path} is no file`);
    if (stat.size > TEXT_BYTES_MAX) throw new UsageError('USAGE', `${path} is too long to be a list`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ENOENT'
      ? new UsageError('NOT_FOUND', `${path}: no such file`)
      : new UsageError('IO', `${path}: cannot be read (${code})`);
  }
  return decodeText(bytes, path, encoding);
}

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Lines without their ends (CR LF or LF). Empty ones and comments, `!` in the first column, are left out. */
export function linesOf(text: string): Line[] {
  return text
    .split(/\r?\n/)
    .map((line, k) => ({ number: k + 1, text: line }))
    .filter(({ text: line }) => line.trim() !== '' && !line.startsWith('!'));
}

/** The accounts file: one account a line. The last line should be ended, too; the original ignores it otherwise. */
export interface Accounts {
  /** As written, in order, each once; case does not count. */
  readonly names: readonly string[];
  readonly warnings: readonly string[];
}

export function parseAccounts(text: string, name: string): Accounts {
  const names = new Map<string, string>();
  for (const line of linesOf(text)) {
    const account = line.text.trim();
    const key = account.toLowerCase();
    if (!names.has(key)) names.set(key, account);
  }
  if (names.size === 0) throw new UsageError('USAGE', `${name} names no account`);
  const isEnded = text.endsWith('\n');
  return {
    names: [...names.values()],
    warnings: isEnded ? [] : [`${name}: the last line has no end; it was read all the same`],
  };
}
