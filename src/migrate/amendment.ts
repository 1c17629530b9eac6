/**
 * What becomes of an object when items it names are left out: rows go, counts are lowered. Everything else of it stays to the bit. The
 * digester and the encoder read the same amendment, so that what was meant can be compared with what was written.
 * @module
 */
import { EXTERNAL, INLINE, RECORD_SIZE, STREAM_HEADER } from '../ltp/stream.js';
import type { Table } from '../ltp/table.js';

/** Values held in the record itself (booleans, 16 and 32 bits), by tag. */
export type Numbers = ReadonlyMap<number, number>;

export interface Amendment {
  /** Rows of a table that go, by row id. */
  readonly rows: ReadonlySet<number>;
  /** Values set anew: of the property context under 0, of a table's rows under the row's id. What has no such property gets none. */
  readonly numbers: ReadonlyMap<number, Numbers>;
  /** Subnodes that go, with all below them, or are amended. */
  readonly subnodes: ReadonlyMap<number, Amendment | 'gone'>;
}

/** Sets numbers in the property stream at `at`. */
export function setNumbers(view: DataView, at: number, numbers: Numbers | undefined): void {
  if (numbers === undefined) return;
  const count = view.getUint32(at, true);
  for (let k = 0, record = at + STREAM_HEADER; k < count; k++, record += RECORD_SIZE) {
    const value = numbers.get(view.getUint32(record, true));
    if (value === undefined || (view.getUint32(record + 4, true) & INLINE) === 0) continue;
    view.setUint32(record + 12, value, true);
  }
}

/** Passes the rows of a table one by one, and learns which subnodes only the rows that go have values in. */
export class RowSieve {
  readonly #gone = new Set<number>();
  readonly #kept = new Set<number>();

  constructor(readonly amendment: Amendment) {}

  /** Whether the row whose stream is at `at` stays; its numbers are set then. */
  take(view: DataView, at: number): boolean {
    const rowId = view.getUint32(at + 8, true);
    const isGone = this.amendment.rows.has(rowId);
    const count = view.getUint32(at, true);
    const values = isGone ? this.#gone : this.#kept;
    for (let k = 0, record = at + STREAM_HEADER; k < count; k++, record += RECORD_SIZE) {
      if (view.getUint32(record + 4, true) & EXTERNAL) values.add(view.getUint32(record + 12, true));
    }
    if (!isGone) setNumbers(view, at, this.amendment.numbers.get(rowId));
    return !isGone;
  }

  /** Subnodes that go with the rows, once all rows have passed. */
  get values(): ReadonlySet<number> {
    return new Set([...this.#gone].filter((nid) => !this.#kept.has(nid)));
  }
}

/** How many rows of the table go. */
export const countGone = (table: Table, { rows }: Amendment): number =>
  rows.size === 0 ? 0 : table.rowIds().reduce((count, rowId) => count + (rows.has(rowId) ? 1 : 0), 0);
