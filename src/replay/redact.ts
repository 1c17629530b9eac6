/**
 * Redacts a bundle: text, addresses and attachment content are replaced by letters of the same length, structure and lengths stay, and so do the
 * bytes without which it would not fail. What had to be kept is listed, in the result and in the bundle.
 *
 *     what the file holds is sound     objects: their values             here
 *     the file is damaged              blocks and pages, in place        redact-pieces.ts
 * @module
 */
import { EXTERNAL } from '../ltp/stream.js';
import { tagName } from '../mapi/tags.js';
import type { Bundle } from './bundle.js';
import { maskBytes, maskValue } from './mask.js';
import { publicNames } from './names.js';
import type { NodeObject, Property } from './object.js';
import { Pieces } from './pieces.js';
import { rebuilderOf } from './rebuild.js';
import { damageOf, type Secret, secretsOf } from './redact-pieces.js';
import { runBundle } from './replay.js';
import { Trial } from './trial.js';

export interface Redacted {
  readonly bundle: Bundle;
  /** Values replaced; where the file is damaged, payloads and trailers of blocks and pages. */
  readonly replaced: number;
  /** What had to stay for the operation to fail in the same way: where it is. */
  readonly kept: readonly string[];
  /** Why the bundle cannot be redacted; the bundle is unchanged then and must not be shared. */
  readonly refused?: string;
}

/** Secrets kept at most; a failure that needs more of them is about all of the content. */
const KEPT_MAX = 256;

export function redact(bundle: Bundle): Redacted {
  const trial = new Trial(bundle);
  const hidden = redactObjects(bundle, trial) ?? redactPieces(bundle, trial);
  if (hidden === undefined || trial.best === undefined) {
    return { bundle, replaced: 0, kept: [], refused: 'without its text the operation does not fail in the same way' };
  }
  const { replaced, kept } = hidden;
  const nameless: Bundle = {
    ...trial.best,
    source: { ...trial.best.source, name: 'redacted', fingerprint: '' },
    path: bundle.path.map(({ nid }) => ({ nid, name: '' })),
    ...(bundle.names === undefined ? {} : { names: publicNames(bundle.names) }),
    changes: [...new Set([...bundle.changes, 'redacted'])],
    redaction: { replaced, kept },
  };
  // Some sentences name the store.
  return { bundle: { ...nameless, outcome: runBundle(nameless).outcome }, replaced, kept };
}

interface Hidden {
  readonly replaced: number;
  readonly kept: readonly string[];
}

/** undefined: it cannot be taken apart, or does not fail without its text, put together again. */
function redactObjects(bundle: Bundle, trial: Trial): Hidden | undefined {
  const rebuilder = rebuilderOf(bundle);
  if (rebuilder === undefined) return undefined;
  const secrets = secretsOfObject(rebuilder.object, '', new Map());
  const kept = hide(secrets, () => trial.holds(() => rebuilder.rebuild()));
  return kept && { replaced: secrets.length - kept.length, kept: kept.map(({ place }) => place) };
}

function redactPieces(bundle: Bundle, trial: Trial): Hidden | undefined {
  const pieces = new Pieces(bundle, { keepsAll: true });
  const secrets = secretsOf(pieces);
  const holds = (): boolean => trial.holds(() => pieces.bundled());
  const shown = hide(secrets, holds);
  if (shown === undefined) return undefined;
  // Of what must stay, only the few bytes that are needed.
  const parts = shown.map((secret) => secret.parts?.() ?? []);
  const kept = shown.length === 0 ? [] : hide(parts.flat(), holds);
  if (kept === undefined) return undefined;
  const whole = parts.filter((each) => each.every((part) => kept.includes(part))).length;
  return { replaced: secrets.length - whole, kept: [...damageOf(pieces), ...kept.map(({ place }) => place)] };
}

// --- what there is to hide in an object -----------------------------------------------------------------------------------

/** `types`: of the values that lie in subnodes, by NID. */
function secretsOfObject(object: NodeObject, path: string, types: ReadonlyMap<number, number>): Secret[] {
  const secrets: Secret[] = [];
  const here = `${path}0x${object.nid.toString(16)}`;
  const external = new Map<number, number>();
  const add = (place: string, of: { bytes: Uint8Array }, after: Uint8Array): void => {
    const before = of.bytes;
    if (before.every((byte, k) => byte === after[k])) return;
    secrets.push({
      place: `${place}, ${before.length} bytes`,
      show: (isShown) => (of.bytes = isShown ? before : after),
    });
  };
  const addProperty = (property: Property, place: string): void => {
    const type = property.tag & 0xffff;
    if (property.flags & EXTERNAL) external.set(property.place, type);
    if (property.flags !== 0) return;
    const name = tagName(property.tag) ?? `0x${property.tag.toString(16).padStart(8, '0')}`;
    add(`${place} ${name}`, property, maskValue(type, property.bytes));
  };
  for (const property of object.properties) addProperty(property, here);
  for (const row of object.rows) {
    for (const cell of row.cells) addProperty(cell, `${here} row 0x${row.rowId.toString(16)}`);
  }
  if (object.kind === 'raw') {
    const type = types.get(object.nid);
    add(`${here} data`, object, type === undefined ? maskBytes(object.bytes) : maskValue(type, object.bytes));
  }
  for (const sub of object.subnodes) secrets.push(...secretsOfObject(sub, `${here} / `, external));
  return secrets;
}

// --- which of it must stay --------------------------------------------------------------------------------------------------

/**
 * Hides all, and finds by halving a small set of secrets that must stay. Returns them, the operation failing with all others hidden, as it
 * was tried last; undefined when it does not fail even with all shown, or needs too many.
 */
function hide(secrets: readonly Secret[], holds: () => boolean): Secret[] | undefined {
  const kept: Secret[] = [];
  const show = (shown: readonly Secret[], isShown: boolean): void => {
    for (const secret of shown) secret.show(isShown);
  };
  /** Are the first `n` of the candidates enough, with those already kept? */
  const isEnough = (candidates: readonly Secret[], n: number): boolean => {
    show(secrets, false);
    show(kept, true);
    show(candidates.slice(0, n), true);
    return holds();
  };
  if (isEnough([], 0)) return kept;
  if (!isEnough(secrets, secrets.length)) return undefined;
  let candidates = [...secrets];
  while (kept.length <= KEPT_MAX) {
    // The shortest beginning of the candidates that is enough: its last one is needed.
    let low = 0;
    let high = candidates.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (isEnough(candidates, middle)) high = middle;
      else low = middle;
    }
    kept.push(candidates[high - 1]!);
    candidates = candidates.slice(0, high - 1);
    if (isEnough([], 0)) return kept;
  }
  return undefined;
}
