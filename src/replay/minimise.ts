/**
 * Reduces a bundle: as little input as possible with which the operation still ends in the same way. Delta debugging, the coarse parts
 * first, until nothing more can go.
 *
 *     what the file holds is sound     objects: subnodes, rows, columns, properties, bytes of values      here
 *     the file is damaged              blocks, pages, their entries and bytes                             minimise-pieces.ts
 * @module
 */
import { type Bundle, inputBytes } from './bundle.js';
import { ddmin, type Holds, shorten } from './ddmin.js';
import { reducePieces } from './minimise-pieces.js';
import { layOut, type NodeObject, type Property } from './object.js';
import { type Rebuilder, rebuilderOf } from './rebuild.js';
import { Trial, type TrialOptions } from './trial.js';

export interface Minimised {
  readonly bundle: Bundle;
  /** What is left, when it could be taken apart into objects. */
  readonly object: NodeObject | undefined;
  readonly before: number;
  readonly after: number;
  /** Operations run. */
  readonly replays: number;
  /** A whole pass over what is left found no part that can go. False when the replays were used up before. */
  readonly isIrreducible: boolean;
  /** What it was reduced by: `objects`, or, where damage is in the bytes of the file, its blocks and pages. */
  readonly unit: 'objects' | 'pieces';
  /** Why nothing was tried: the bundle does not end here as it says. */
  readonly refused?: string;
}

export function minimise(bundle: Bundle, options: TrialOptions = {}): Minimised {
  const before = inputBytes(bundle);
  const trial = new Trial(bundle, options);
  const result = (rest: Pick<Minimised, 'unit' | 'isIrreducible'> & Partial<Minimised>): Minimised => {
    const best = trial.best ?? bundle;
    const isSmaller = inputBytes(best) < before;
    return {
      bundle: isSmaller ? changed(best) : bundle,
      object: undefined,
      before,
      after: isSmaller ? inputBytes(best) : before,
      replays: trial.replays,
      ...rest,
    };
  };
  if (!trial.holds(() => bundle)) {
    return result({
      unit: 'pieces',
      isIrreducible: false,
      refused: 'on this core the operation does not end as the bundle says',
    });
  }
  const object = reduceObjects(bundle, trial);
  if (object !== undefined) return result({ unit: 'objects', isIrreducible: !trial.isSpent, object });
  return result({ unit: 'pieces', isIrreducible: reducePieces(trial) });
}

const changed = (bundle: Bundle): Bundle => ({ ...bundle, changes: [...new Set([...bundle.changes, 'minimised'])] });

/** Reduces the object of the bundle. undefined: it cannot be taken apart, or, put together again, does not end in the same way. */
function reduceObjects(bundle: Bundle, trial: Trial): NodeObject | undefined {
  const rebuilder = rebuilderOf(bundle);
  if (rebuilder === undefined) return undefined;
  const holds = (): boolean => trial.holds(() => rebuilder.rebuild());
  if (!holds()) return undefined;
  for (
    let size = Number.POSITIVE_INFINITY, best = trial.best!;
    inputBytes(best) < size && !trial.isSpent;
    best = trial.best!
  ) {
    size = inputBytes(best);
    hoist(rebuilder, holds);
    reduce(rebuilder.object, holds);
  }
  return rebuilder.object;
}

/** A subnode, or one of its own, that fails alone takes the node's place. */
function hoist(rebuilder: Rebuilder, holds: Holds): void {
  for (let isFound = true; isFound; ) {
    const { object } = rebuilder;
    isFound = object.subnodes.some((sub) => {
      rebuilder.object = { ...sub, nid: object.nid };
      return holds();
    });
    if (!isFound) rebuilder.object = object;
  }
}

function reduce(object: NodeObject, holds: Holds): void {
  ddmin(object.subnodes, (kept) => (object.subnodes = kept), holds);
  for (const sub of object.subnodes) reduce(sub, holds);
  ddmin(object.rows, (kept) => (object.rows = kept), holds);
  reduceColumns(object, holds);
  reduceCells(object, holds);
  ddmin(object.properties, (kept) => (object.properties = kept), holds);
  shortenValues(object.properties, holds);
  shorten(object, holds);
}

/** A column goes with all its cells, and makes every row shorter. */
function reduceColumns(object: NodeObject, holds: Holds): void {
  if (object.columns.length === 0) return;
  const whole = { columns: object.columns, rgib: object.rgib };
  const [id, ...others] = layOut(object.columns).columns;
  const isGone = ddmin(others, (kept) => Object.assign(object, layOut([id!, ...kept])), holds);
  if (!isGone) Object.assign(object, whole); // or they would only be laid out anew, which nobody has tried
  const tags = new Set(object.columns.map(({ tag }) => tag));
  for (const row of object.rows) row.cells = row.cells.filter(({ tag }) => tags.has(tag));
}

/** Cells of all rows together: there are thousands of them, and mostly all can go at once. */
function reduceCells(object: NodeObject, holds: Holds): void {
  const cells = object.rows.flatMap((row) => row.cells.map((cell) => ({ row, cell })));
  ddmin(
    cells,
    (kept) => {
      const left = new Map(object.rows.map((row) => [row, [] as Property[]]));
      for (const { row, cell } of kept) left.get(row)!.push(cell);
      for (const [row, own] of left) row.cells = own;
    },
    holds,
  );
  shortenValues(
    object.rows.flatMap((row) => row.cells),
    holds,
  );
}

/** All values to nothing at once, or each as far as it goes. */
function shortenValues(properties: readonly Property[], holds: Holds): void {
  const values = properties.filter(({ flags, bytes }) => flags === 0 && bytes.length > 0);
  if (values.length === 0) return;
  const whole = values.map(({ bytes }) => bytes);
  for (const value of values) value.bytes = value.bytes.subarray(0, 0);
  if (values.length > 1 && holds()) return;
  values.forEach((value, k) => {
    value.bytes = whole[k]!;
  });
  for (const value of values) shorten(value, holds);
}
