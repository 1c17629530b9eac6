/** Numbers on the command line: NIDs, BIDs and places, `0x8025` or decimal. @module */
import { UsageError } from '../errors.js';
import { NID } from '../wire/nid.js';

const NID_MAX = 0xffff_ffff;

/** A whole number from 0 to 2^53 - 1. `what` says in the message what it should have been. */
export function parseNumber(text: string, what: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new UsageError('USAGE', `"${text}" is no ${what}: write a number like 0x8025 or 32805`);
}

/** As `parseNumber`; a fixed node also by its name in MS-PST 2.4.1, with or without `NID_`. */
export function parseNid(text: string): number {
  const name = text.toUpperCase().replace(/^NID_/, '');
  const fixed = (NID as Readonly<Record<string, number>>)[name];
  if (fixed !== undefined) return fixed;
  const nid = parseNumber(text, 'node id');
  if (nid > NID_MAX) throw new UsageError('USAGE', `${text} is no node id: they have 32 bits`);
  return nid;
}

/** Whether `parseNid` would take it for a number: what is not may be a path. */
export const isNumber = (text: string): boolean => /^(0x[0-9a-f]+|\d+)$/i.test(text);

/** `--limit`: a number of bytes, or `all`. */
export const parseLimit = (text: string): number =>
  text === 'all' ? Number.POSITIVE_INFINITY : parseNumber(text, 'number of bytes');
