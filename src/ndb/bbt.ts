/** The block B-tree in columns. MS-PST 2.2.2.7.7.3. 20 bytes a block, 22 in a 4K store. @module */
import { BTREE, bidKey } from '../wire/btree.js';
import { PTYPE } from '../wire/page.js';
import { u32, u64 } from '../wire/struct.js';
import { ANSI, UNICODE_4K, type Variant } from '../wire/variant.js';
import type { Tree } from './btree.js';
import { uniqueOrder, widen } from './nbt.js';

/** All blocks of a store, by BID. */
export class BlockIndex {
  constructor(
    readonly count: number,
    /** The columns; the first `count` of each, sorted by BID (bit 0 cleared). Not to be written to. */
    readonly bids: Float64Array,
    readonly ibs: Float64Array,
    /** Stored bytes, and bytes once inflated: one and the same column but in 4K stores. */
    readonly cbs: Uint16Array,
    readonly inflateds: Uint16Array,
    readonly cRefs: Uint16Array,
  ) {}

  bid(i: number): number {
    return this.bids[i]!;
  }
  ib(i: number): number {
    return this.ibs[i]!;
  }
  cb(i: number): number {
    return this.cbs[i]!;
  }
  inflated(i: number): number {
    return this.inflateds[i]!;
  }
  cRef(i: number): number {
    return this.cRefs[i]!;
  }

  /** Index of the block, or -1. Bit 0 of `bid` does not count. */
  find(bid: number): number {
    const { bids } = this;
    const key = bidKey(bid);
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = bids[middle]!;
      if (found === key) return middle;
      if (found < key) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/** Takes the entries of the BBT as `walkBtree` finds them. */
export class BlockColumns implements Tree {
  readonly name = 'BBT';
  readonly ptype = PTYPE.BBT;
  readonly entrySize: number;
  readonly entryMax: number;
  readonly #at: { ib: number; cb: number; cRef: number; cbInflated?: number };
  readonly #id: typeof u32;
  #count = 0;
  #bid = new Float64Array(0);
  #ib = new Float64Array(0);
  #cb = new Uint16Array(0);
  #inflated = this.#cb;
  #cRef = new Uint16Array(0);

  constructor(variant: Variant) {
    const { bbt, bbtMax } = BTREE[variant];
    this.entrySize = bbt.size;
    this.entryMax = bbtMax;
    this.#at = bbt.at;
    this.#id = variant === ANSI ? u32 : u64;
    this.#deflates = variant === UNICODE_4K;
  }
  readonly #deflates: boolean;

  key(view: DataView, at: number): number {
    return bidKey(this.#id.get(view, at));
  }

  reserve(count: number): void {
    const size = this.#count + count;
    this.#bid = widen(this.#bid, this.#count, new Float64Array(size));
    this.#ib = widen(this.#ib, this.#count, new Float64Array(size));
    this.#cb = widen(this.#cb, this.#count, new Uint16Array(size));
    this.#cRef = widen(this.#cRef, this.#count, new Uint16Array(size));
    this.#inflated = this.#deflates ? widen(this.#inflated, this.#count, new Uint16Array(size)) : this.#cb;
  }

  add(view: DataView, at: number): void {
    const i = this.#count++;
    this.#bid[i] = bidKey(this.#id.get(view, at));
    this.#ib[i] = this.#id.get(view, at + this.#at.ib);
    this.#cb[i] = view.getUint16(at + this.#at.cb, true);
    if (this.#deflates) this.#inflated[i] = view.getUint16(at + this.#at.cbInflated!, true);
    this.#cRef[i] = view.getUint16(at + this.#at.cRef, true);
  }

  /** `ordered` as `walkBtree` returned it; a salvaged tree is sorted, and of entries with one BID the first is kept. */
  finish(ordered: boolean): BlockIndex {
    if (ordered) return new BlockIndex(this.#count, this.#bid, this.#ib, this.#cb, this.#inflated, this.#cRef);
    const order = uniqueOrder(this.#bid, this.#count);
    const pick = <T extends Uint16Array | Float64Array>(from: T, to: T): T => {
      order.forEach((i, k) => {
        to[k] = from[i]!;
      });
      return to;
    };
    const n = order.length;
    const cbs = pick(this.#cb, new Uint16Array(n));
    return new BlockIndex(
      n,
      pick(this.#bid, new Float64Array(n)),
      pick(this.#ib, new Float64Array(n)),
      cbs,
      this.#deflates ? pick(this.#inflated, new Uint16Array(n)) : cbs,
      pick(this.#cRef, new Uint16Array(n)),
    );
  }
}
