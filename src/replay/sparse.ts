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
