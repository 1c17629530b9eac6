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

const DIGIT = 2 ** 16;

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

  let order = Uint32Array.from({ length: count }, (_, i) => i);
  let spare = new Uint32Array(count);
  const starts = new Uint32Array(DIGIT + 1);
  for (let unit = 1; unit <= largest; unit *= DIGIT) {
    const digit = (i: number): number => Math.floor(keys[i]! / unit) % DIGIT;
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[digit(i) + 1]!++;
    for (let d = 0; d < DIGIT; d++) starts[d + 1]! += starts[d]!;
    for (let k = 0; k < count; k++) spare[starts[digit(order[k]!)]!++] = order[k]!;
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
