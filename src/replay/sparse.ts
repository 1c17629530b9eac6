/** A source of which only some ranges are at hand; everything else reads as zeros. @module */
import type { Source } from '../host/source.js';

export interface Range {
  readonly ib: number;
  readonly bytes: Uint8Array;
}

/** `ranges` ascend by offset and do not overlap. */
export function sparseSource(name: string, size: number, ranges: readonly Range[]): Source {
  return {
    name,
    size,
    read(target, ib) {
      const length = Math.max(0, Math.min(target.length, size - ib));
      target.fill(0, 0, length);
      for (let k = firstAfter(ranges, ib); k < ranges.length; k++) {
        const { ib: from, bytes } = ranges[k]!;
        if (from >= ib + length) break;
        const begin = Math.max(from, ib);
        const end = Math.min(from + bytes.length, ib + length);
        target.set(bytes.subarray(begin - from, end - from), begin - ib);
      }
      return length;
    },
    close() {},
  };
}

/** First range that ends after `ib`. */
function firstAfter(ranges: readonly Range[], ib: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { ib: from, bytes } = ranges[middle]!;
    if (from + bytes.length <= ib) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Zeros in a row from which on they are left out: what is not stored reads as zeros, and a range costs some 20 bytes of its own. */
const ZEROS_MIN = 16;

/** The ranges that hold all of `bytes` but its zeros; `ib` is where it begins in the store. */
export function withoutZeros(ib: number, bytes: Uint8Array): Range[] {
  const ranges: Range[] = [];
  let from = -1;
  let end = 0;
  for (let k = 0; k < bytes.length; k++) {
    if (bytes[k] === 0) continue;
    if (from >= 0 && k - end >= ZEROS_MIN) {
      ranges.push({ ib: ib + from, bytes: bytes.slice(from, end) });
      from = -1;
    }
    if (from < 0) from = k;
    end = k + 1;
  }
  if (from >= 0) ranges.push({ ib: ib + from, bytes: bytes.slice(from, end) });
  return ranges;
}
