/** Property values for people and for JSON: times as ISO 8601, strings in quotes, binary as hex. @module */
import { hex } from '../errors.js';
import { FileTime } from '../mapi/filetime.js';
import * as ptyp from '../mapi/type.js';
import type { PropertyValue, SingleValue } from '../mapi/value.js';
import { count, hexBytes, quote } from './output.js';

export interface ValueLimits {
  /** Characters of a string, bytes of a binary value. */
  readonly text: number;
  readonly bytes: number;
  /** Items of a multi-valued property. */
  readonly items: number;
}

/** So that a property stays a line. */
export const LINE: ValueLimits = { text: 120, bytes: 32, items: 8 };
export const EVERYTHING: ValueLimits = {
  text: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
  items: Number.POSITIVE_INFINITY,
};

/** OLE automation dates: days since 30 December 1899. MS-OXCDATA 2.11.1 (PtypFloatingTime). */
const OLE_EPOCH_MS = Date.UTC(1899, 11, 30);
const DAY_MS = 86_400_000;
/** Numbers from here on are also given in hex: flags and ids are read that way. */
const HEX_FROM = 10;

/** One line. `undefined` is a value of no bytes. */
export function valueText(type: number, value: PropertyValue | undefined, limits: ValueLimits = LINE): string {
  if (value === undefined) return 'no bytes';
  if (!Array.isArray(value)) return singleText(type, value, limits);
  const base = ptyp.baseType(type);
  const shown = value.slice(0, limits.items).map((item) => singleText(base, item, limits));
  if (value.length > shown.length) shown.push(`… (${count(value.length, 'value')})`);
  return `[${shown.join(', ')}]`;
}

function singleText(type: number, value: SingleValue, limits: ValueLimits): string {
  if (typeof value === 'string') return type === ptyp.PtypGuid ? `{${value}}` : quote(value, limits.text);
  if (typeof value === 'boolean') return String(value);
  if (value instanceof FileTime) return value.isNone ? `${value} (no time)` : value.toString();
  if (value instanceof Uint8Array) return binaryText(value, limits.bytes);
  if (typeof value === 'bigint') return type === ptyp.PtypCurrency ? currencyText(value) : integerText(value);
  if (typeof value === 'number') return numberText(type, value);
  return `object in subnode ${hex(value.nid)}, ${count(value.size, 'byte')}`;
}

function numberText(type: number, value: number): string {
  if (type === ptyp.PtypErrorCode) return hex(value);
  if (type === ptyp.PtypFloatingTime) {
    const ms = OLE_EPOCH_MS + value * DAY_MS;
    return Number.isNaN(new Date(ms).getTime()) ? String(value) : `${value} (${new Date(ms).toISOString()})`;
  }
  if (type === ptyp.PtypInteger16 || type === ptyp.PtypInteger32) {
    const bits = type === ptyp.PtypInteger16 ? value & 0xffff : value >>> 0;
    return value >= 0 && value < HEX_FROM ? String(value) : `${value} (${hex(bits)})`;
  }
  return String(value);
}

const integerText = (value: bigint): string =>
  value >= 0n && value < HEX_FROM ? String(value) : `${value} (0x${BigInt.asUintN(64, value).toString(16)})`;

function currencyText(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(5, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
}

function binaryText(bytes: Uint8Array, limit: number): string {
  if (bytes.length === 0) return '(0 bytes)';
  const cut = bytes.subarray(0, Math.min(bytes.length, limit));
  return `(${count(bytes.length, 'byte')}) ${hexBytes(cut, ' ')}${cut.length < bytes.length ? ' …' : ''}`;
}

/** The value for JSON: as it is where JSON has a form for it, bytes as hex. Times that mean "no time" keep their ISO form. */
export function valueJson(value: PropertyValue | undefined): unknown {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(valueJson);
  if (value instanceof FileTime) return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}
