/**
 * Growable typed columns, and sorting them. A store of 50 GB has millions of blocks: what the writer
 * remembers of each must be a few machine words, not an object.
 * @module
 */

type Words = Float64Array | Uint32Array | Uint16Array | Uint8Array;

/** A typed array that grows by half when it is full. */
export class Column<T extends Words> {
  #words: T;
  #count = 0;

  constructor(private readonly make: new (length: number) => T) {
    this.#words = new make(256);
  }

  get count(): number {
    return this.#count;
  }

  push(value: number): void {
    if (this.#count === this.#words.length) {
      const wider = new this.make(Math.ceil(this.#words.length * 1.5));
      wider.set(this.#words);
      this.#words = wider;
    }
    this.#words[this.#count++] = value;
  }

  at(i: number): number {
    return this.#words[i]!;
  }

  set(i: number, value: number): void {
    this.#words[i] = value;
  }

  /** The values as they are now: a view, good until the next push. */
  values(): T {
    return this.#words.subarray(0, this.#count) as T;
  }

  /** Frees the memory. */
  clear(): void {
    this.#words = new this.make(0);
    this.#count = 0;
  }
}

/** Bits of a digit: 65,536 buckets are worth their while for a long column only. */
const DIGIT = { short: 11, long: 16, longFrom: 2 ** 19 } as const;

/**
 * The order that sorts whole numbers below 2^53 ascending, equal ones staying as they stand:
 * `keys[order[0]] <= keys[order[1]] ...`. Undefined when they are in order already.
 * A radix sort: a comparing sort of ten million takes ten times as long.
 */
export function ascendingOrder(keys: Float64Array | Uint32Array): Uint32Array | undefined {
  const count = keys.length;
  let largest = 0;
  let isSorted = true;
  for (let i = 0; i < count; i++) {
    const key = keys[i]!;
    if (i > 0 && key < keys[i - 1]!) isSorted = false;
    if (key > largest) largest = key;
  }
  if (isSorted) return undefined;

  let order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i++) words[i] = keys[i]!; // the low 32 bits
  order = sortBy(words, order, largest);
  const high = Math.floor(largest / 2 ** 32);
  if (high === 0) return order;
  for (let i = 0; i < count; i++) words[i] = Math.floor(keys[i]! / 2 ** 32);
  return sortBy(words, order, high);
}

/** Radix sort of `order` by 32-bit words; those of equal words stay as they stand. */
function sortBy(words: Uint32Array, order: Uint32Array<ArrayBuffer>, largest: number): Uint32Array<ArrayBuffer> {
  const count = words.length;
  const bits = count < DIGIT.longFrom ? DIGIT.short : DIGIT.long;
  const mask = 2 ** bits - 1;
  const starts = new Uint32Array(mask + 2);
  let spare = new Uint32Array(count);
  for (let shift = 0; shift < 32 && largest >= 2 ** shift; shift += bits) {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[((words[i]! >>> shift) & mask) + 1]!++;
    for (let d = 0; d <= mask; d++) starts[d + 1]! += starts[d]!;
    for (let k = 0; k < count; k++) {
      const i = order[k]!;
      spare[starts[(words[i]! >>> shift) & mask]!++] = i;
    }
    [order, spare] = [spare, order];
  }
  return order;
}

/** Index of `key` in ascending `keys`, taken through `order` when there is one; -1 when absent. */
export function indexOfKey(keys: Float64Array, order: Uint32Array | undefined, key: number): number {
  let low = 0;
  let high = keys.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const i = order === undefined ? middle : order[middle]!;
    const found = keys[i]!;
    if (found === key) return i;
    if (found < key) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
