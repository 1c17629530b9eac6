/** A bundle with another input: the same operation on a changed object. @module */
import { Core } from '../core/core.js';
import { FULL } from '../core/options.js';
import { Ndb } from '../ndb/ndb.js';
import type { Bundle } from './bundle.js';
import { type NodeObject, readObject, storeOf } from './object.js';
import { openBundle } from './replay.js';
import type { Range } from './sparse.js';

/** HEADER, MS-PST 2.2.2.6. */
const HEADER_BYTES = 564;

/**
 * The node of a bundle, taken apart, and the bundle put together again on whatever becomes of it. Works on a raw core of its own: what a
 * faulty core would do is the replay's question.
 */
export class Rebuilder {
  readonly object: NodeObject;
  readonly #core = Core.load('raw', FULL);
  readonly #parent: number;
  readonly #crypt: 0 | 1 | 2;

  /** Throws PstError when the node's own data is damaged. */
  constructor(readonly bundle: Bundle) {
    const ndb = openBundle(bundle, this.#core);
    const { nbt } = ndb;
    this.#parent = nbt.parent(0);
    this.#crypt = ndb.header.crypt;
    this.object = readObject(ndb, nbt.nid(0), nbt.bidData(0), nbt.bidSub(0));
    ndb.close();
  }

  /** The bundle of the same operation on the object as it is now. Its outcome is the old one until it has been replayed. */
  rebuild(): Bundle {
    const { bundle } = this;
    const file = storeOf(this.object, this.#parent, this.#crypt, this.#core);
    const ndb = Ndb.open(file, this.#core);
    const { bbt, nbt } = ndb;
    const blocks: Bundle['blocks'] = Array.from({ length: bbt.count }, (_, i) => [
      bbt.bid(i),
      bbt.ib(i),
      bbt.cb(i),
      bbt.inflated(i),
      bbt.cRef(i),
    ]);
    const node = { nid: nbt.nid(0), bidData: nbt.bidData(0), bidSub: nbt.bidSub(0), parent: nbt.parent(0) };
    ndb.close();
    const ranges: Range[] = [{ ib: 0, bytes: file.bytes.slice(0, HEADER_BYTES) }];
    const pieces = blocks.map(([, ib, cb]) => ({ ib, size: wireSize(cb) }));
    pieces.sort((a, b) => a.ib - b.ib);
    for (const { ib, size } of pieces) ranges.push({ ib, bytes: file.bytes.slice(ib, ib + size) });
    return { ...bundle, source: { ...bundle.source, size: file.size }, node, blocks, ranges };
  }
}

/** Unicode blocks: 64-byte units, 16 of trailer. MS-PST 2.2.2.8. */
const wireSize = (cb: number): number => Math.ceil((cb + 16) / 64) * 64;
