/**
 * What the writer remembers of its blocks: 14 bytes a block and 8 a reference, in columns. From them
 * come the BBT and its reference counts. MS-PST 2.2.2.7.7.3.
 * @module
 */
import { hex, PstError, UsageError } from '../../errors.js';
import { bidKey, isInternal } from '../../wire/btree.js';
import { ascendingOrder, Column, indexOfKey } from './columns.js';
import { blockWireSize, SLOT } from './maps.js';
import { eachReference } from './references.js';
import type { Space } from './space.js';

/** BBTENTRY.cRef is 16 bits wide. */
const CREF_MAX = 0xffff;

/** The blocks of a finished store, ascending by BID. */
export interface BlockTable {
  readonly count: number;
  bid(i: number): number;
  ib(i: number): number;
  cb(i: number): number;
  cRef(i: number): number;
  /** BIDs of blocks nothing refers to. They are not in the table, and their space is free again. */
  readonly dropped: number[];
}

export class BlockList {
  readonly #bids = new Column(Float64Array);
  /** Places, in slots of 64 bytes. */
  readonly #slots = new Column(Uint32Array);
  readonly #sizes = new Column(Uint16Array);
  readonly #references = new Column(Float64Array);

  get count(): number {
    return this.#bids.count;
  }

  add(bid: number, ib: number, cb: number): void {
    this.#bids.push(bid);
    this.#slots.push(ib / SLOT);
    this.#sizes.push(cb);
  }

  /** One reference to `bid`; 0 refers to nothing. */
  reference(bid: number): void {
    const key = bidKey(bid);
    if (key !== 0) this.#references.push(key);
  }

  /**
   * Counts references, drops what has none (and what only dropped blocks refer to), and orders the rest.
   * Throws PST_MISSING when a reference leads nowhere, UsageError when a BID was used twice.
   */
  finish(space: Space): BlockTable {
    const bids = this.#bids.values();
    const order = ascendingOrder(bids);
    const place = (n: number): number => (order === undefined ? n : order[n]!);
    for (let n = 1; n < bids.length; n++) {
      if (bids[place(n)] === bids[place(n - 1)]) {
        throw new UsageError('USAGE', `two blocks have the BID ${hex(bids[place(n)]!)}`);
      }
    }

    const counts = this.#count(bids, place);
    const dropped = this.#drop(bids, order, counts, space);
    const kept = new Uint32Array(bids.length - dropped.length);
    let count = 0;
    for (let n = 0; n < bids.length; n++) {
      const i = place(n);
      if (counts[i] !== 0) kept[count++] = i;
    }
    return {
      count,
      bid: (n) => bids[kept[n]!]!,
      ib: (n) => this.#ib(kept[n]!),
      cb: (n) => this.#sizes.at(kept[n]!),
      cRef: (n) => 1 + counts[kept[n]!]!,
      dropped,
    };
  }

  #ib(i: number): number {
    return this.#slots.at(i) * SLOT;
  }

  /** References to each block, in the order of the columns. Sorted references meet sorted blocks. */
  #count(bids: Float64Array, place: (n: number) => number): Uint32Array {
    const counts = new Uint32Array(bids.length);
    const references = this.#references.values().sort();
    let n = 0;
    for (let r = 0; r < references.length; r++) {
      const key = references[r]!;
      while (n < bids.length && bids[place(n)]! < key) n++;
      const i = n < bids.length ? place(n) : -1;
      if (i < 0 || bids[i] !== key) {
        throw new PstError('PST_MISSING', 'a block is referred to that was never written', { bid: key });
      }
      if (++counts[i]! >= CREF_MAX) {
        throw new PstError('PST_LIMIT', `a block is referred to more than ${CREF_MAX - 1} times`, { bid: key });
      }
    }
    this.#references.clear();
    return counts;
  }

  /** Frees blocks without references. A dropped internal block takes its references with it. */
  #drop(bids: Float64Array, order: Uint32Array | undefined, counts: Uint32Array, space: Space): number[] {
    const dropped: number[] = [];
    const queue: number[] = [];
    for (let i = 0; i < bids.length; i++) if (counts[i] === 0) queue.push(i);
    for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
      const bid = bids[i]!;
      const cb = this.#sizes.at(i);
      if (isInternal(bid)) {
        const block = new Uint8Array(cb);
        space.read(block, this.#ib(i));
        eachReference(new DataView(block.buffer), 0, cb, bid, (child) => {
          const c = indexOfKey(bids, order, bidKey(child));
          if (c >= 0 && --counts[c]! === 0) queue.push(c);
        });
      }
      space.release(this.#ib(i), blockWireSize(cb));
      dropped.push(bid);
    }
    return dropped.sort((a, b) => a - b);
  }
}
