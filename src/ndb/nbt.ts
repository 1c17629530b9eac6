/** The node B-tree in columns. MS-PST 2.2.2.7.7.4. 24 bytes a node. @module */
import { BTREE } from '../wire/btree.js';
import { PTYPE } from '../wire/page.js';
import { u32, u64 } from '../wire/struct.js';
import { ANSI, type Variant } from '../wire/variant.js';
import type { Tree } from './btree.js';

/** All nodes of a store, by NID. */
export class NodeIndex {
  constructor(
    readonly count: number,
    /** The columns; the first `count` of each, sorted by NID. Not to be written to. */
    readonly nids: Uint32Array,
    readonly bidDatas: Float64Array,
    readonly bidSubs: Float64Array,
    readonly parents: Uint32Array,
  ) {}

  nid(i: number): number {
    return this.nids[i]!;
  }
  bidData(i: number): number {
    return this.bidDatas[i]!;
  }
  bidSub(i: number): number {
    return this.bidSubs[i]!;
  }
  parent(i: number): number {
    return this.parents[i]!;
  }

  /** Index of the node, or -1. */
  find(nid: number): number {
    const { nids } = this;
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = nids[middle]!;
      if (found === nid) return middle;
      if (found < nid) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/** Takes the entries of the NBT as `walkBtree` finds them. */
export class NodeColumns implements Tree {
  readonly name = 'NBT';
  readonly ptype = PTYPE.NBT;
  readonly entrySize: number;
  readonly entryMax: number;
  readonly #at: { nid: number; bidData: number; bidSub: number; nidParent: number };
  readonly #id: typeof u32;
  #count = 0;
  #nid = new Uint32Array(0);
  #bidData = new Float64Array(0);
  #bidSub = new Float64Array(0);
  #parent = new Uint32Array(0);

  constructor(variant: Variant) {
    const { nbt, nbtMax } = BTREE[variant];
    this.entrySize = nbt.size;
    this.entryMax = nbtMax;
    this.#at = nbt.at;
    this.#id = variant === ANSI ? u32 : u64;
  }

  key(view: DataView, at: number): number {
    return view.getUint32(at, true);
  }

  reserve(count: number): void {
    const size = this.#count + count;
    this.#nid = widen(this.#nid, this.#count, new Uint32Array(size));
    this.#bidData = widen(this.#bidData, this.#count, new Float64Array(size));
    this.#bidSub = widen(this.#bidSub, this.#count, new Float64Array(size));
    this.#parent = widen(this.#parent, this.#count, new Uint32Array(size));
  }

  add(view: DataView, at: number): void {
    const i = this.#count++;
    this.#nid[i] = view.getUint32(at, true);
    this.#bidData[i] = this.#id.get(view, at + this.#at.bidData);
    this.#bidSub[i] = this.#id.get(view, at + this.#at.bidSub);
    this.#parent[i] = view.getUint32(at + this.#at.nidParent, true);
  }

  /** `ordered` as `walkBtree` returned it; a salvaged tree is sorted, and of entries with one NID the first is kept. */
  finish(ordered: boolean): NodeIndex {
    if (ordered) return new NodeIndex(this.#count, this.#nid, this.#bidData, this.#bidSub, this.#parent);
    const order = uniqueOrder(this.#nid, this.#count);
    const pick = <T extends Uint32Array | Float64Array>(from: T, to: T): T => {
      order.forEach((i, k) => {
        to[k] = from[i]!;
      });
      return to;
    };
    const n = order.length;
    return new NodeIndex(
      n,
      pick(this.#nid, new Uint32Array(n)),
      pick(this.#bidData, new Float64Array(n)),
      pick(this.#bidSub, new Float64Array(n)),
      pick(this.#parent, new Uint32Array(n)),
    );
  }
}

/** `to` with the first `count` numbers of `from`. */
export function widen<T extends Uint16Array | Uint32Array | Float64Array>(from: T, count: number, to: T): T {
  to.set(from.subarray(0, count));
  return to;
}

/** Indices of the first `count` keys in ascending order, of equal keys only the first. */
export function uniqueOrder(keys: Uint32Array | Float64Array, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => keys[a]! - keys[b]! || a - b);
  return order.filter((i, k) => k === 0 || keys[i] !== keys[order[k - 1]!]);
}
