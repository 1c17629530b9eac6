/** A bundle with another input: the same operation on a changed object. @module */
import { Core } from '../core/core.js';
import { FULL } from '../core/options.js';
import { Ndb } from '../ndb/ndb.js';
import { isInternal } from '../wire/btree.js';
import type { Bundle } from './bundle.js';
import { type NodeObject, readObject, storeOf } from './object.js';
import { openBundle } from './replay.js';
import type { Range } from './sparse.js';

/** HEADER, MS-PST 2.2.2.6. */
const HEADER_BYTES = 564;

/** Takes the node of a bundle apart. Throws PstError when the bundle's store is damaged. */
export function objectOf(bundle: Bundle): NodeObject {
  const ndb = openBundle(bundle, Core.load('raw', FULL));
  const { nbt } = ndb;
  return readObject(ndb, nbt.nid(0), nbt.bidData(0), nbt.bidSub(0));
}

/** The bundle of the same operation on `object`. Its outcome is the old one until it has been replayed. */
export function rebuild(bundle: Bundle, object: NodeObject): Bundle {
  const before = openBundle(bundle, Core.load('raw', FULL));
  const file = storeOf(object, before.nbt.parent(0), before.header.crypt);
  const ndb = Ndb.open(file, Core.load('raw', FULL));
  const { bbt, nbt } = ndb;
  const blocks: Bundle['blocks'] = Array.from({ length: bbt.count }, (_, i) => [
    bbt.bid(i),
    bbt.ib(i),
    bbt.cb(i),
    bbt.inflated(i),
    bbt.cRef(i),
  ]);
  const ranges: Range[] = [{ ib: 0, bytes: file.bytes.slice(0, HEADER_BYTES) }];
  const pieces = blocks.map(([bid, ib, cb]) => ({ ib, size: wireSize(cb), isInternal: isInternal(bid) }));
  pieces.sort((a, b) => a.ib - b.ib);
  for (const { ib, size } of pieces) ranges.push({ ib, bytes: file.bytes.slice(ib, ib + size) });
  const node = { nid: nbt.nid(0), bidData: nbt.bidData(0), bidSub: nbt.bidSub(0), parent: nbt.parent(0) };
  return { ...bundle, source: { ...bundle.source, size: file.size }, node, blocks, ranges };
}

/** Unicode blocks: 64-byte units, 16 of trailer. MS-PST 2.2.2.8. */
const wireSize = (cb: number): number => Math.ceil((cb + 16) / 64) * 64;
