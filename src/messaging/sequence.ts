/**
 * What folders, messages, rows and chunks are handed out as: a sequence that is read while it is walked, with `for … of`
 * or with `for await … of`. The second gives the event loop a turn now and then, so that a long walk holds nobody up.
 * @module
 */

/** Work done between two turns of the event loop. */
const TURN_MS = 12;

export class Sequence<T> implements Iterable<T>, AsyncIterable<T> {
  readonly #start: () => Iterator<T>;

  /** `start` begins anew: a sequence can be walked again and again. */
  constructor(start: () => Iterator<T>) {
    this.#start = start;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#start();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    let since = performance.now();
    for (const item of this) {
      yield item;
      if (performance.now() - since < TURN_MS) continue;
      await new Promise<void>((resume) => setTimeout(resume, 0));
      since = performance.now();
    }
  }

  toArray(): T[] {
    return [...this];
  }

  /** The first item, or undefined. */
  first(): T | undefined {
    for (const item of this) return item;
    return undefined;
  }
}
