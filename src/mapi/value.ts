/**
 * Property values: bytes to JS and back. MS-PST 2.3.3.3 to 2.3.3.5, MS-OXCDATA 2.11.
 *
 *     PtypInteger16 …32, Floating32 …64, FloatingTime, ErrorCode     number (error codes unsigned)
 *     PtypInteger64, Currency (ten-thousandths)                      bigint
 *     PtypBoolean                                                    boolean
 *     PtypTime                                                       FileTime
 *     PtypGuid                                                       string, lower case, no braces
 *     PtypString, PtypString8                                        string, trailing NULs gone
 *     PtypObject                                                     { nid, size }
 *     PtypBinary, ServerId, Restriction, RuleAction, any other       Uint8Array, a view of the input
 *     PtypMultiple…                                                  array of the above
 *
 * Lengths are canonical, as in a property stream: a Boolean is one byte.
 *
 * The array of a type whose size varies, MS-PST 2.3.3.4.2:
 *
 *     ┌───────────┬──────────────────────────┬────────┬────────┬─ …
 *     │ ulCount 4 │ rgulDataOffsets 4 x count │ item 0 │ item 1 │
 *     └───────────┴──────────────────────────┴────────┴────────┴─ …
 *       offsets count from ulCount; the last item ends with the value
 * @module
 */
import { PstError, UsageError, type Where } from '../errors.js';
import { DEFAULT_CODE_PAGE, decodeAnsi, decodeUtf16, encodeAnsi, encodeUtf16 } from './codepage.js';
import { FileTime } from './filetime.js';
import { guidBytes, guidText } from './guid.js';
import * as ptyp from './type.js';

/** Where the data of a PtypObject are: MS-PST 2.3.3.5. */
export interface ObjectRef {
  readonly nid: number;
  readonly size: number;
}

export type SingleValue = number | bigint | boolean | string | FileTime | ObjectRef | Uint8Array;
export type PropertyValue = SingleValue | SingleValue[];

/**
 * Most items of one multi-valued value. Stops an array of zero-size items from naming the same place
 * a thousand million times; the largest seen in a real store has 31.
 */
export const MULTIPLE_COUNT_MAX = 1 << 20;

const bad = (type: number, message: string, where: Where): PstError =>
  new PstError('PST_BAD_VALUE', `${ptyp.typeName(type)} ${message}`, where);

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Drops the NULs that many writers leave at the end of a string. The stored bytes keep them. */
export function trimNul(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
  return end === text.length ? text : text.slice(0, end);
}

/**
 * Throws PST_BAD_VALUE when the bytes contradict the type. A type nobody defined gives its bytes.
 * `where` says whose value it is, for the message.
 */
export function decodeValue(
  type: number,
  bytes: Uint8Array,
  codePage: number = DEFAULT_CODE_PAGE,
  where: Where = {},
): PropertyValue {
  if (!ptyp.isMultiple(type)) return decodeSingle(type, bytes, codePage, where);
  const base = ptyp.baseType(type);
  const items = ptyp.fixedSize(type) > 0 ? fixedItems(type, bytes, where) : variableItems(type, bytes, where);
  return items.map((item) => decodeSingle(base, item, codePage, where));
}

function decodeSingle(type: number, bytes: Uint8Array, codePage: number, where: Where): SingleValue {
  const size = ptyp.fixedSize(type);
  if (size > 0 && bytes.length !== size) throw bad(type, `takes ${size} bytes, the value has ${bytes.length}`, where);
  const view = viewOf(bytes);
  switch (type) {
    case ptyp.PtypInteger16:
      return view.getInt16(0, true);
    case ptyp.PtypInteger32:
      return view.getInt32(0, true);
    case ptyp.PtypFloating32:
      return view.getFloat32(0, true);
    case ptyp.PtypFloating64:
    case ptyp.PtypFloatingTime:
      return view.getFloat64(0, true);
    case ptyp.PtypErrorCode:
      return view.getUint32(0, true);
    case ptyp.PtypBoolean:
      return bytes[0] !== 0;
    case ptyp.PtypCurrency:
    case ptyp.PtypInteger64:
      return view.getBigInt64(0, true);
    case ptyp.PtypTime:
      return new FileTime(view.getBigUint64(0, true));
    case ptyp.PtypGuid:
      return guidText(bytes);
    case ptyp.PtypObject:
      return { nid: view.getUint32(0, true), size: view.getUint32(4, true) };
    case ptyp.PtypString:
      if (bytes.length % 2 !== 0) throw bad(type, `is UTF-16, the value has ${bytes.length} bytes`, where);
      return trimNul(decodeUtf16(bytes));
    case ptyp.PtypString8:
      return trimNul(decodeAnsi(bytes, codePage));
    default:
      return bytes;
  }
}

/** MS-PST 2.3.3.4.1: one after the other, the count is not stored. */
function fixedItems(type: number, bytes: Uint8Array, where: Where): Uint8Array[] {
  const size = ptyp.fixedSize(type);
  if (bytes.length % size !== 0) {
    throw bad(type, `has items of ${size} bytes, the value has ${bytes.length}`, where);
  }
  const count = bytes.length / size;
  checkCount(type, count, where);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/** MS-PST 2.3.3.4.2. A value of no bytes is an empty array: an HNID of 0 stands for one. */
function variableItems(type: number, bytes: Uint8Array, where: Where): Uint8Array[] {
  if (bytes.length === 0) return [];
  if (bytes.length < 4) throw bad(type, `starts with a count of 4 bytes, the value has ${bytes.length}`, where);
  const view = viewOf(bytes);
  const count = view.getUint32(0, true);
  const head = 4 + 4 * count;
  if (head > bytes.length) {
    throw bad(type, `of ${count} items needs ${head} bytes of offsets, the value has ${bytes.length}`, where);
  }
  checkCount(type, count, where);
  const items: Uint8Array[] = [];
  let begin = count > 0 ? view.getUint32(4, true) : 0;
  for (let i = 0; i < count; i++) {
    const end = i + 1 < count ? view.getUint32(8 + 4 * i, true) : bytes.length;
    if (begin < head || end < begin || end > bytes.length) {
      throw bad(type, `item ${i} of ${count} is said to be bytes ${begin} to ${end} of ${bytes.length}`, where);
    }
    items.push(bytes.subarray(begin, end));
    begin = end;
  }
  return items;
}

function checkCount(type: number, count: number, where: Where): void {
  if (count <= MULTIPLE_COUNT_MAX) return;
  throw new PstError(
    'PST_LIMIT',
    `${ptyp.typeName(type)} of ${count} items, the limit is ${MULTIPLE_COUNT_MAX}`,
    where,
  );
}

/**
 * The inverse: canonical bytes, strings without a NUL. Throws UsageError when the value is not of the
 * type, or a String8 has a character its code page lacks.
 */
export function encodeValue(type: number, value: PropertyValue, codePage: number = DEFAULT_CODE_PAGE): Uint8Array {
  if (!ptyp.isMultiple(type)) {
    if (Array.isArray(value)) throw misfit(type, value);
    return encodeSingle(type, value, codePage);
  }
  if (!Array.isArray(value)) throw misfit(type, value);
  const items = value.map((item) => encodeSingle(ptyp.baseType(type), item, codePage));
  return ptyp.fixedSize(type) > 0 ? join(items, 0) : join(items, 4 + 4 * items.length);
}

/** The items behind `head` bytes; the head, if any, gets count and offsets. MS-PST 2.3.3.4. */
function join(items: readonly Uint8Array[], head: number): Uint8Array {
  const bytes = new Uint8Array(items.reduce((sum, item) => sum + item.length, head));
  const view = viewOf(bytes);
  if (head > 0) view.setUint32(0, items.length, true);
  let at = head;
  items.forEach((item, i) => {
    if (head > 0) view.setUint32(4 + 4 * i, at, true);
    bytes.set(item, at);
    at += item.length;
  });
  return bytes;
}

function encodeSingle(type: number, value: SingleValue, codePage: number): Uint8Array {
  const bytes = new Uint8Array(ptyp.fixedSize(type));
  const view = viewOf(bytes);
  switch (type) {
    case ptyp.PtypInteger16:
      view.setInt16(0, integer(type, value, -0x8000, 0xffff), true);
      return bytes;
    case ptyp.PtypInteger32:
    case ptyp.PtypErrorCode:
      view.setInt32(0, integer(type, value, -0x8000_0000, 0xffff_ffff), true);
      return bytes;
    case ptyp.PtypFloating32:
      view.setFloat32(0, float(type, value), true);
      return bytes;
    case ptyp.PtypFloating64:
    case ptyp.PtypFloatingTime:
      view.setFloat64(0, float(type, value), true);
      return bytes;
    case ptyp.PtypBoolean:
      if (typeof value !== 'boolean') throw misfit(type, value);
      bytes[0] = value ? 1 : 0;
      return bytes;
    case ptyp.PtypCurrency:
    case ptyp.PtypInteger64:
      if (typeof value !== 'bigint' || value < -(1n << 63n) || value >= 1n << 64n) throw misfit(type, value);
      view.setBigInt64(0, value, true);
      return bytes;
    case ptyp.PtypTime:
      if (!(value instanceof FileTime)) throw misfit(type, value);
      view.setBigUint64(0, value.ticks, true);
      return bytes;
    case ptyp.PtypGuid:
      if (typeof value !== 'string') throw misfit(type, value);
      return guidBytes(value);
    case ptyp.PtypObject:
      if (!isObjectRef(value)) throw misfit(type, value);
      view.setUint32(0, integer(type, value.nid, 0, 0xffff_ffff), true);
      view.setUint32(4, integer(type, value.size, 0, 0xffff_ffff), true);
      return bytes;
    case ptyp.PtypString:
      if (typeof value !== 'string') throw misfit(type, value);
      return encodeUtf16(value);
    case ptyp.PtypString8:
      return ansi(type, value, codePage);
    default:
      if (!(value instanceof Uint8Array)) throw misfit(type, value);
      return value.slice();
  }
}

function ansi(type: number, value: SingleValue, codePage: number): Uint8Array {
  if (typeof value !== 'string') throw misfit(type, value);
  const bytes = encodeAnsi(value, codePage);
  if (bytes === undefined) throw new UsageError('USAGE', `"${value}" cannot be written in code page ${codePage}`);
  return bytes;
}

function integer(type: number, value: SingleValue, low: number, high: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) throw misfit(type, value);
  return value;
}

function float(type: number, value: SingleValue): number {
  if (typeof value !== 'number') throw misfit(type, value);
  return value;
}

const isObjectRef = (value: SingleValue): value is ObjectRef =>
  typeof value === 'object' && 'nid' in value && 'size' in value;

function misfit(type: number, value: PropertyValue): UsageError {
  const given = typeof value === 'object' ? value.constructor.name : `${typeof value} ${value}`;
  return new UsageError('USAGE', `${ptyp.typeName(type)} cannot hold ${given}`);
}
