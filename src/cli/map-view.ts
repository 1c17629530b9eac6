/** Free space in the bits of an allocation map, MS-PST 2.2.2.7.2.1. @module */

export interface FreeRuns {
  /** Clear bits. */
  readonly free: number;
  /** Runs of clear bits: the first of each, and how many. */
  readonly runs: readonly { at: number; length: number }[];
}

/** Bit 0 of the map is the highest of its first byte; a set bit is taken. */
export function freeRuns(bits: Uint8Array): FreeRuns {
  const runs: { at: number; length: number }[] = [];
  let free = 0;
  let begin = -1;
  for (let k = 0; k <= bits.length * 8; k++) {
    const isFree = k < bits.length * 8 && ((bits[k >> 3]! >> (7 - (k & 7))) & 1) === 0;
    if (isFree) free++;
    if (isFree && begin < 0) begin = k;
    if (!isFree && begin >= 0) {
      runs.push({ at: begin, length: k - begin });
      begin = -1;
    }
  }
  return { free, runs };
}
