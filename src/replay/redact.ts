/**
 * Redacts a bundle: text, addresses and attachment content are replaced by letters of the same length, structure and lengths stay, and so do the
 * bytes without which it would not fail. What had to be kept is listed.
 * @module
 */
import { PstError } from '../errors.js';
import { tagName } from '../mapi/tags.js';
import type { Bundle } from './bundle.js';
import { isSameStop } from './minimise.js';
import type { NodeObject, Property } from './object.js';
import { Rebuilder } from './rebuild.js';
import { replay } from './replay.js';

export interface Redacted {
  readonly bundle: Bundle;
  /** Values replaced. */
  readonly replaced: number;
  /** Values that had to stay for the operation to fail in the same way: where they are. */
  readonly kept: readonly string[];
  /** Why the bundle cannot be redacted; the bundle is unchanged then and must not be shared. */
  readonly refused?: string;
}

/** A value that may be replaced. */
interface Value {
  readonly place: string;
  readonly of: { bytes: Uint8Array };
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** PtypString; its units are two bytes wide. */
const PTYP_STRING = 0x001f;
/** Types whose bytes are numbers, times or structure, and no text: MS-OXCDATA 2.11.1. */
const PLAIN_TYPES = [0x0005, 0x0006, 0x0007, 0x000d, 0x0014, 0x0040, 0x0048];

/** Letters become x or X, digits 0; everything else is format and stays. Works on single bytes and on UTF-16 units alike. */
function letters(bytes: Uint8Array, step: 1 | 2): Uint8Array {
  const out = bytes.slice();
  for (let k = 0; k + step <= out.length; k += step) {
    const high = step === 2 ? out[k + 1]! : 0;
    const unit = out[k]! | (high << 8);
    const to = masked(unit);
    if (to === unit) continue;
    out[k] = to;
    if (step === 2) out[k + 1] = 0;
  }
  return out;
}

function masked(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return 0x30;
  if (unit >= 0x41 && unit <= 0x5a) return 0x58;
  if (unit >= 0x61 && unit <= 0x7a) return 0x78;
  return unit >= 0x80 ? 0x78 : unit; // letters of other scripts
}

/** Bytes that are no text of a known kind: all of them but the zeros, which are structure more often than not. */
const filler = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => (byte === 0 ? 0 : masked(byte)));

function valuesOf(object: NodeObject, path: string): Value[] {
  const values: Value[] = [];
  const here = `${path}0x${object.nid.toString(16)}`;
  const add = (place: string, of: { bytes: Uint8Array }, after: Uint8Array): void => {
    if (of.bytes.some((byte, k) => byte !== after[k])) values.push({ place, of, before: of.bytes, after });
  };
  const addProperty = (property: Property, place: string): void => {
    const type = property.tag & 0xffff;
    if (property.flags !== 0 || PLAIN_TYPES.includes(type)) return;
    const name = tagName(property.tag) ?? `0x${property.tag.toString(16).padStart(8, '0')}`;
    add(`${place} ${name}`, property, type === PTYP_STRING ? letters(property.bytes, 2) : filler(property.bytes));
  };
  for (const property of object.properties) addProperty(property, here);
  for (const row of object.rows)
    for (const cell of row.cells) addProperty(cell, `${here} row 0x${row.rowId.toString(16)}`);
  if (object.kind === 'raw') add(`${here} data`, object, filler(object.bytes));
  for (const sub of object.subnodes) values.push(...valuesOf(sub, `${here} / `));
  return values;
}

/** Values kept at most; a failure that needs more of them is about all of the content. */
const KEPT_MAX = 64;

export function redact(bundle: Bundle): Redacted {
  const refuse = (refused: string): Redacted => ({ bundle, replaced: 0, kept: [], refused });
  if (bundle.node === null)
    return refuse('opening a store reads its trees, which hold no text; but the header may be recognised');
  let rebuilder: Rebuilder;
  try {
    rebuilder = new Rebuilder(bundle);
  } catch (error) {
    if (!(error instanceof PstError)) throw error;
    return refuse(`the damage keeps the content from being taken apart: ${error.message}`);
  }
  const values = valuesOf(rebuilder.object, '');
  let candidate = bundle;
  const holds = (): boolean => {
    try {
      candidate = rebuilder.rebuild();
    } catch (error) {
      if (!(error instanceof PstError)) throw error;
      return false;
    }
    const { outcome } = replay(candidate);
    candidate = { ...candidate, outcome };
    return isSameStop(bundle.outcome, outcome);
  };
  for (const value of values) value.of.bytes = value.after;
  const kept: Value[] = [];
  if (!holds()) {
    // One value after the other comes back until it fails again; then each is tried without.
    if (!bringBack(values, kept, holds)) return refuse('without its text the operation does not fail in the same way');
  }
  return {
    bundle: {
      ...candidate,
      source: { ...candidate.source, name: 'redacted', fingerprint: '' },
      path: candidate.path.map(({ nid }) => ({ nid, name: '' })),
      changes: [...bundle.changes, 'redacted'],
    },
    replaced: values.length - kept.length,
    kept: kept.map(({ place, before }) => `${place}, ${before.length} bytes`),
  };
}

/** Finds a small set of values that must stay, by halving. */
function bringBack(values: readonly Value[], kept: Value[], holds: () => boolean): boolean {
  const show = (shown: readonly Value[], isShown: boolean): void => {
    for (const value of shown) value.of.bytes = isShown ? value.before : value.after;
  };
  show(values, true);
  if (!holds()) return false;
  let candidates = [...values];
  while (kept.length <= KEPT_MAX) {
    // The shortest beginning of the candidates that, shown with those already kept, is enough; its last one is needed.
    let low = 0;
    let high = candidates.length;
    const enough = (n: number): boolean => {
      show(values, false);
      show(kept, true);
      show(candidates.slice(0, n), true);
      return holds();
    };
    if (enough(0)) return true;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (enough(middle)) high = middle;
      else low = middle;
    }
    kept.push(candidates[high - 1]!);
    candidates = candidates.slice(0, high - 1);
  }
  return false;
}
