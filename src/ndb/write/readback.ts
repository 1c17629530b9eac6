/**
 * Reads a finished store back through the reader's verifier, every page and every block, before it gets
 * its name. Compares maps and reference counts with what is found: laws W3 to W7 and W10 of store-writer.ts.
 * @module
 */
import type { Core } from '../../core/core.js';
import { hex, PstError, type Where } from '../../errors.js';
import type { Source } from '../../host/source.js';
import { storedCrc } from '../../wire/block.js';
import { isInternal } from '../../wire/btree.js';
import { AMAP_VALID } from '../../wire/header.js';
import { PAGE_SIZE, PTYPE } from '../../wire/page.js';
import { UNICODE } from '../../wire/variant.js';
import type { NodeIndex } from '../nbt.js';
import { Ndb } from '../ndb.js';
import type { PageReader } from '../page.js';
import { ascendingOrder } from './columns.js';
import {
  areTaken,
  blockWireSize,
  DLIST_IB,
  freeSlots,
  INTERVAL,
  ibOfInterval,
  intervalOf,
  layoutFor,
  MAP_BYTES,
  mapPages,
  SLOT,
  setSlots,
} from './maps.js';
import { eachReference } from './references.js';

const PAGE_SLOTS = PAGE_SIZE / SLOT;

/** What was found; it agrees with the writer's summary. */
export interface ReadBack {
  readonly nodes: number;
  readonly blocks: number;
  readonly treePages: number;
  readonly cbAMapFree: number;
}

const fail = (message: string, where: Where): PstError => new PstError('PST_BAD_TREE', message, where);

/** Compares what is there with what should be. Throws when it is something else. */
export interface Expectation {
  nodes(nbt: NodeIndex): void;
  /** Every block, once its trailer is verified: BID, stored bytes and their CRC. */
  block(bid: number, cb: number, dwCRC: number): void;
}

/**
 * Verifies the whole of a Unicode store we wrote. Throws PstError at the first thing that is not as the laws say;
 * whatever it throws is our fault or the medium's, never the source's.
 */
export function readBack(source: Source, core: Core, expected?: Expectation): ReadBack {
  const ndb = Ndb.open(source, core, { strict: true });
  const pages = ndb.pages();
  try {
    const { header, nbt, bbt } = ndb;
    const { root } = header;
    const layout = layoutFor(source.size);
    if (ndb.variant !== UNICODE) throw fail('not a Unicode store', { field: 'HEADER.wVer' });
    if (root.fAMapValid !== AMAP_VALID.VALID2) throw fail('AMaps not valid', { field: 'ROOT.fAMapValid' });
    if (layout.ibFileEof !== source.size || root.ibFileEof !== source.size) {
      throw fail(`ibFileEof ${hex(root.ibFileEof)}, size ${hex(source.size)}`, { field: 'ROOT.ibFileEof' });
    }
    if (root.ibAMapLast !== layout.ibAMapLast) {
      throw fail(`ibAMapLast ${hex(root.ibAMapLast)}, not ${hex(layout.ibAMapLast)}`, { field: 'ROOT.ibAMapLast' });
    }
    pages.load(DLIST_IB);
    verifyPage(pages, PTYPE.DL, pages.bid, DLIST_IB);

    const counts = new Uint16Array(bbt.count);
    const refer = (bid: number): void => {
      if (bid === 0) return;
      const i = bbt.find(bid);
      if (i < 0) throw new PstError('PST_MISSING', 'a block is referred to that is not there', { bid });
      counts[i]!++;
    };
    for (let i = 0; i < nbt.count; i++) {
      refer(nbt.bidData(i));
      refer(nbt.bidSub(i));
    }
    ndb.onBlock = (i, lo, at) => {
      const bid = bbt.bid(i);
      const cb = bbt.cb(i);
      expected?.block(bid, cb, storedCrc(core.view, lo + at, cb));
      if (isInternal(bid)) eachReference(core.view, lo + at, cb, bid, refer);
    };

    // In the order of place: one pass over the file, interval by interval.
    const order = ascendingOrder(bbt.ibs.subarray(0, bbt.count));
    let n = 0;
    let free = 0;
    let treePages = 0;
    for (let index = 0; index < layout.intervals; index++) {
      const bits = verifyMaps(pages, index);
      free += freeSlots(bits).free * SLOT;
      giveBack(bits, 0, mapPages(index).length * PAGE_SLOTS, { ib: ibOfInterval(index) });
      for (; n < bbt.count; n++) {
        const i = order === undefined ? n : order[n]!;
        const ib = bbt.ib(i);
        if (intervalOf(ib) !== index) break;
        ndb.blocks.check(i, {});
        const slots = blockWireSize(bbt.cb(i)) / SLOT;
        giveBack(bits, (ib - ibOfInterval(index)) / SLOT, slots, { bid: bbt.bid(i), ib });
      }
      treePages += verifyTreePages(pages, bits, index);
    }
    if (n < bbt.count) throw fail('blocks lie outside of every interval', {});
    if (free !== root.cbAMapFree) {
      throw fail(`cbAMapFree ${root.cbAMapFree}, ${free} bytes are free`, { field: 'ROOT.cbAMapFree' });
    }
    for (let i = 0; i < bbt.count; i++) {
      const bid = bbt.bid(i);
      if (bbt.cRef(i) !== counts[i]! + 1 || counts[i] === 0) {
        throw fail(`cRef ${bbt.cRef(i)}, ${counts[i]} references`, { bid, field: 'BBTENTRY.cRef' });
      }
    }
    if (bbt.count > 0 && bbt.bid(bbt.count - 1) >= header.bidNextB) {
      throw fail('bidNextB is not above every BID', { field: 'HEADER.bidNextB' });
    }
    expected?.nodes(nbt);
    return { nodes: nbt.count, blocks: bbt.count, treePages, cbAMapFree: free };
  } finally {
    pages.close();
    ndb.close();
  }
}

/** Verifies the map pages of an interval. Returns a copy of its AMap bits. */
function verifyMaps(pages: PageReader, index: number): Uint8Array {
  const bits = new Uint8Array(MAP_BYTES);
  mapPages(index).forEach((ptype, n) => {
    const ib = ibOfInterval(index) + n * PAGE_SIZE;
    pages.load(ib);
    verifyPage(pages, ptype, ib, ib);
    if (ptype === PTYPE.AMAP) bits.set(pages.bytes().subarray(0, MAP_BYTES));
  });
  return bits;
}

function verifyPage(pages: PageReader, ptype: number, bid: number, ib: number): void {
  const [fault] = pages.faults(ptype, bid, ib);
  if (fault !== undefined) throw fault;
}

/** Clears bits that are accounted for. Each is set, and accounted for once. */
function giveBack(bits: Uint8Array, from: number, count: number, where: Where): void {
  if (from + count > INTERVAL / SLOT || !areTaken(bits, from, count)) {
    throw fail('space is in use that the AMap calls free, or in use twice', { ...where, field: 'rgbAMapBits' });
  }
  setSlots(bits, from, count, false);
}

/** What is taken and no block or map must be a page of a B-tree. Returns how many there are. */
function verifyTreePages(pages: PageReader, bits: Uint8Array, index: number): number {
  let count = 0;
  // A page of 512 bytes on a multiple of 512 is one byte of the map.
  for (let i = 0; i < MAP_BYTES; i++) {
    if (bits[i] === 0) continue;
    const ib = ibOfInterval(index) + i * PAGE_SIZE;
    if (bits[i] !== 0xff) throw fail('the AMap calls space taken that nothing is in', { ib, field: 'rgbAMapBits' });
    pages.load(ib);
    verifyPage(pages, pages.ptype === PTYPE.NBT ? PTYPE.NBT : PTYPE.BBT, pages.bid, ib);
    count++;
  }
  return count;
}
