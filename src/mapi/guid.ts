/**
 * GUIDs: sixteen bytes, the first three fields little-endian. MS-DTYP 2.3.4.
 * @module
 */
import { UsageError } from '../errors.js';

export const GUID_SIZE = 16;

/** Where in the text each stored byte goes. */
const ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** `00062008-0000-0000-c000-000000000046`: lower case, no braces. Reads 16 bytes from `at`. */
export function guidText(bytes: Uint8Array, at = 0): string {
  let text = '';
  for (let i = 0; i < GUID_SIZE; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += HEX[bytes[at + ORDER[i]!]!];
  }
  return text;
}

/** Any case, with or without braces. */
export function guidBytes(text: string): Uint8Array {
  const digits = /^\{?([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\}?$/i.exec(text);
  if (digits === null) throw new UsageError('USAGE', `"${text}" is no GUID`);
  const flat = digits.slice(1).join('');
  const bytes = new Uint8Array(GUID_SIZE);
  for (let i = 0; i < GUID_SIZE; i++) bytes[ORDER[i]!] = Number.parseInt(flat.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
