/**
 * Sizes that Outlook computes and stores.
 *
 *     0E08 of a message       bytes of all leaf data blocks of its PC and, recursively, of every subnode
 *     0E20 of an attachment   bytes of all its property values; of an embedded message its 0E08 sum
 *
 * `scanpst: CM #60, PF, OI; measured` exact in every message of Outlook 2007 SP2 and newer. No section of MS-PST.
 * @module
 */
import { PstError } from '../errors.js';
import { fixedSize } from '../mapi/type.js';
import type { Context } from './context.js';
import { type StoreObject, sizeOf } from './objects.js';

/** Against nesting without end. As in src/ndb/subnode.ts. */
const DEPTH_MAX = 128;
const OBJECT = 0x000d;
const UNKNOWN = -1;

export class Sizes {
  /** By BBT index: the sum below a subnode tree; NaN until it is known, UNKNOWN when it cannot be. */
  readonly #below: Float64Array;

  constructor(readonly context: Context) {
    this.#below = new Float64Array(context.ndb.bbt.count).fill(Number.NaN);
  }

  /** Bytes of the leaves of `bidData` and of everything below `bidSub`. Throws PstError. */
  stored(bidData: number, bidSub: number, nid: number): number {
    return this.context.ndb.treeSize(bidData, { nid }) + this.#sum(bidSub, nid, 0);
  }

  #sum(bidSub: number, nid: number, depth: number): number {
    if (bidSub === 0 || depth > DEPTH_MAX) return 0;
    const { ndb } = this.context;
    const index = ndb.bbt.find(bidSub);
    if (index < 0) return 0;
    const known = this.#below[index]!;
    if (known === UNKNOWN)
      throw new PstError('PST_MISSING', 'a part of its subnodes cannot be read', { nid, bid: bidSub });
    if (!Number.isNaN(known)) return known;
    this.#below[index] = UNKNOWN; // stays so when something below throws, or names this tree again
    const subnodes = ndb.subnodes(bidSub, { nid });
    let sum = 0;
    for (let k = 0; k < subnodes.count; k++) {
      sum += ndb.treeSize(subnodes.bidData(k), { nid }) + this.#sum(subnodes.bidSub(k), nid, depth + 1);
    }
    this.#below[index] = sum;
    return sum;
  }

  /** 0E20 of an attachment; `object`: the size of what 3701 leads to, when it is an object. -1 when a value is damaged. */
  attachment(attachment: StoreObject, object: number): number {
    const { pc } = attachment;
    let sum = 0;
    for (let k = 0; k < pc.count; k++) {
      const tag = pc.tag(k);
      if ((tag & 0xffff) === OBJECT) {
        sum += tag >>> 16 === 0x3701 ? object : pc.length(k);
        continue;
      }
      const size = fixedSize(tag & 0xffff) || sizeOf(this.context, attachment.top, pc, k, attachment.subnodes);
      if (size < 0) return -1;
      sum += (tag & 0x1000) !== 0 ? sizeOf(this.context, attachment.top, pc, k, attachment.subnodes) : size;
    }
    return sum;
  }
}
