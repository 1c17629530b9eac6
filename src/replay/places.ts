/** The objects of a node: the node itself and the subnodes that are objects of their own, not values or rows. @module */
import type { Ndb } from '../ndb/ndb.js';
import { NID_TYPE, nidType } from '../wire/nid.js';

/** Subnodes looked at; a message has tens, a hostile one thousands. */
const PLACES_MAX = 5000;
const DEPTH_MAX = 32;

export interface Place {
  /** The node, then the subnodes down to the object. */
  readonly nids: readonly number[];
  readonly bidData: number;
  readonly bidSub: number;
}

/** undefined for what cannot be read. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Node `i` of the NBT and its subnodes, parents first. What cannot be read is left out. */
export function placesOf(ndb: Ndb, i = 0): Place[] {
  const { nbt } = ndb;
  const places: Place[] = [{ nids: [nbt.nid(i)], bidData: nbt.bidData(i), bidSub: nbt.bidSub(i) }];
  for (let k = 0; k < places.length && places.length < PLACES_MAX; k++) {
    const { nids, bidSub } = places[k]!;
    if (bidSub === 0 || nids.length > DEPTH_MAX) continue;
    const index = attempt(() => ndb.subnodes(bidSub, { nid: nids.at(-1)! }));
    for (let j = 0; index !== undefined && j < index.count && places.length < PLACES_MAX; j++) {
      if (nidType(index.nid(j)) === NID_TYPE.LTP) continue; // a value or rows, no object
      places.push({ nids: [...nids, index.nid(j)], bidData: index.bidData(j), bidSub: index.bidSub(j) });
    }
  }
  return places;
}
