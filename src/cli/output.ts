/**
 * What verbs print: lines, tables with aligned columns, hex dumps, JSON. Text from a store is escaped before it reaches
 * a terminal; colour is used on a terminal only, and not when NO_COLOR is set.
 * @module
 */
import { hex } from '../errors.js';

export const print = (line = ''): void => {
  process.stdout.write(`${line}\n`);
};

/**
 * Characters a terminal would act on, or that would make the text read otherwise than it is stored: C0, DEL, C1, line
 * and paragraph separators, marks that reverse the direction, halves of surrogate pairs.
 */
const UNSAFE = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\p{Cs}/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text from a file, safe to print on one line. A backslash of its own stays single: the result is for people. */
export const escapeText = (text: string): string => text.replace(UNSAFE, (unit) => SHORT[unit] ?? escapeUnit(unit));

/** The same in quotes, cut behind `limit` characters; quotes and backslashes are escaped, so the end is certain. */
export function quote(text: string, limit = Number.POSITIVE_INFINITY): string {
  const cut = text.length > limit ? text.slice(0, limit) : text;
  const body = escapeText(cut.replace(/["\\]/g, '\\$&'));
  return cut.length < text.length ? `"${body}" … (${count(text.length, 'character')})` : `"${body}"`;
}

/** Cut to `limit` characters with an ellipsis, and escaped. */
export const shorten = (text: string, limit: number): string =>
  escapeText(text.length > limit ? `${text.slice(0, limit - 1)}…` : text);

/** `13,984,768`. */
export const number = (n: number): string => n.toLocaleString('en-US');

/** `1 message`, `71 messages`. */
export const count = (n: number, noun: string, plural = `${noun}s`): string =>
  `${number(n)} ${n === 1 ? noun : plural}`;

/** `13.3 MB`; below 10 KB the bytes themselves. Powers of 1024. */
export function size(bytes: number): string {
  if (bytes < 10_240) return `${number(bytes)} B`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(value < 100 ? 1 : 0)} ${units[unit]}`;
}

/** `2026-01-31 08:30`, UTC. */
export const dateText = (date: Date | undefined): string =>
  date === undefined ? '' : date.toISOString().slice(0, 16).replace('T', ' ');

// --- colour -----------------------------------------------------------------------------------------------------------

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  yellow: [33, 39],
  green: [32, 39],
  cyan: [36, 39],
} as const;

const hasColour = (): boolean => process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';

/** The text in a colour, or as it is where there is none. */
export function paint(style: keyof typeof CODES, text: string): string {
  if (!hasColour()) return text;
  const [on, off] = CODES[style];
  return `\x1b[${on}m${text}\x1b[${off}m`;
}

// --- tables -----------------------------------------------------------------------------------------------------------

export type Cell = string | number;

/** CJK and emoji take two columns, combining marks none. Unicode TR11, by the large ranges. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const COMBINING = /\p{M}/u;
/** What `paint` adds; it takes no column. */
const COLOUR = /\x1b\[\d+m/g;

/** Columns of a terminal that the text takes. */
export function width(text: string): number {
  let columns = 0;
  for (const char of text.replace(COLOUR, '')) columns += COMBINING.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return columns;
}

/** Numbers, sizes as `size` writes them, and nothing. */
const isQuantity = (cell: Cell): boolean => typeof cell === 'number' || cell === '' || /^[\d,.]+ [KMGT]?B$/.test(cell);

export interface TableOptions {
  /** Names of the columns; printed bold over them. */
  head?: readonly string[];
  /** Indent of every line. */
  indent?: number;
}

/**
 * Aligned columns, two blanks apart. Numbers are grouped and go to the right, text to the left. Cells are printed as they
 * are: escape what comes from a store.
 */
export function table(rows: readonly (readonly Cell[])[], { head, indent = 0 }: TableOptions = {}): string[] {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? number(cell) : cell)));
  const all = head === undefined ? texts : [head, ...texts];
  const widths: number[] = [];
  for (const row of all) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell));
  const isRight = widths.map((_, i) => rows.every((row) => isQuantity(row[i] ?? '')));
  return all.map((row, r) => {
    const cells = row.map((cell, i) => {
      const gap = ' '.repeat(widths[i]! - width(cell));
      const text = head !== undefined && r === 0 ? paint('bold', cell) : cell;
      return isRight[i] ? gap + text : text + gap;
    });
    return (' '.repeat(indent) + cells.join('  ')).trimEnd();
  });
}

export const printTable = (rows: readonly (readonly Cell[])[], options?: TableOptions): void => {
  for (const line of table(rows, options)) print(line);
};

/** `name   value` lines, names dim. */
export const printFields = (fields: readonly (readonly [string, Cell])[], indent = 0): void => {
  const names = Math.max(...fields.map(([name]) => width(name)));
  for (const [name, value] of fields) {
    const text = typeof value === 'number' ? number(value) : value;
    print(`${' '.repeat(indent)}${paint('dim', name.padEnd(names))}  ${text}`.trimEnd());
  }
};

/** A heading with an empty line before it. */
export const printHead = (text: string): void => {
  print();
  print(paint('bold', text));
};

// --- bytes ------------------------------------------------------------------------------------------------------------

/** Bytes of a hex dump that are printed without being asked for more. */
export const HEX_LIMIT = 512;

/** `00 01 ff`, all of it. */
export const hexBytes = (bytes: Uint8Array, separator = ' '): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(separator);

/**
 * Lines of 16 bytes with their place and their ASCII. At most `limit` bytes; then a line that says how many are left and
 * how to see them. `base` is the place of the first byte.
 */
export function hexDump(bytes: Uint8Array, { base = 0, limit = HEX_LIMIT, indent = 0 } = {}): string[] {
  const lines: string[] = [];
  const end = Math.min(bytes.length, limit);
  const digits = Math.max(4, (base + bytes.length).toString(16).length);
  for (let at = 0; at < end; at += 16) {
    const part = bytes.subarray(at, Math.min(at + 16, end));
    const left = hexBytes(part.subarray(0, 8));
    const right = hexBytes(part.subarray(8));
    const ascii = Array.from(part, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    const place = paint('dim', (base + at).toString(16).padStart(digits, '0'));
    lines.push(`${' '.repeat(indent)}${place}  ${left.padEnd(23)}  ${right.padEnd(23)}  ${ascii}`);
  }
  if (end < bytes.length) {
    lines.push(
      `${' '.repeat(indent)}… ${count(bytes.length - end, 'more byte')}; --limit ${bytes.length} or --limit all shows them`,
    );
  }
  return lines;
}

/** Fields of a wire structure as lines: numbers in hex and decimal, bytes in hex. */
export function structFields(values: Readonly<Record<string, unknown>>): [string, Cell][] {
  const fields: [string, Cell][] = [];
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (typeof value === 'number') fields.push([name, value < 10 ? String(value) : `${hex(value)} (${value})`]);
    else if (value instanceof Uint8Array) fields.push([name, bytesText(value)]);
    else if (value instanceof Uint32Array) fields.push([name, Array.from(value, hex).join(' ')]);
    else if (typeof value === 'object' && value !== null) {
      for (const [inner, text] of structFields(value as Record<string, unknown>))
        fields.push([`${name}.${inner}`, text]);
    }
  }
  return fields;
}

/** Bytes of a field that are shown; all of them are in the dump below it. */
const FIELD_BYTES = 16;

/** Runs of one byte are said, not drawn. */
function bytesText(bytes: Uint8Array): string {
  if (bytes.length > 4 && bytes.every((byte) => byte === bytes[0])) {
    return `${bytes.length} bytes of ${hexBytes(bytes.subarray(0, 1))}`;
  }
  const shown = hexBytes(bytes.subarray(0, FIELD_BYTES));
  return bytes.length > FIELD_BYTES ? `${shown} … (${bytes.length} bytes)` : shown;
}

// --- JSON -------------------------------------------------------------------------------------------------------------

/** Bytes as hex, 64-bit numbers exact: as a number where it is, else as text. */
function plain(this: Record<string, unknown>, key: string, converted: unknown): unknown {
  const value = this[key]; // before toJSON: a Buffer has one
  if (value instanceof Uint8Array) return hexBytes(value, '');
  if (ArrayBuffer.isView(value)) return [...(value as Uint32Array)];
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value !== 'bigint') return converted;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
}

/** One JSON document: the whole output of a verb under `--json`. What a terminal would act on is escaped here, too. */
export const printJson = (value: unknown): void => {
  print(JSON.stringify(value, plain, 2).replace(UNSAFE, (unit) => (unit === '\n' ? unit : escapeUnit(unit))));
};
