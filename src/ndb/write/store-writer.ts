/**
 * Writes a Unicode store (wVer 23) from nothing, front to back. MS-PST 2.6, 2.7; format.md sections 1
 * to 4; scanpst.md sections 2 and 8.
 *
 *     blocks as they come ─▶ interval in core memory ─▶ sink      nodes, blocks, references ─▶ columns
 *                                                                         │ finish()
 *     NBT pages, BBT pages ─▶ last interval ─▶ FMap runs ─▶ sync ─▶ head ─▶ sync
 *
 * The laws. Tests cite the numbers.
 *
 *  W1  The head is written last, after everything it leads to is on the medium. A file without it is
 *      no store.
 *  W2  Blocks and B-tree pages are written once, in ascending order of place, and never changed. Map
 *      pages alone are; and a dropped block becomes zeros.
 *  W3  A reference leads to a block that was written. finish() refuses anything else (PST_MISSING).
 *  W4  The AMaps say exactly what is taken: blocks of the BBT, B-tree pages, map pages.
 *  W5  Every map is at its place, in every interval it is due in, and nothing else is there.
 *  W6  cRef is 1 + references: from nodes, and from each internal block of the BBT once. What has none
 *      is not in the BBT.
 *  W7  A BID is given out once, a NID is never given out again. Both counters of the header exceed every
 *      BID in use; rgnid is not below any index in use, subnodes included.
 *  W8  Leaves of a data tree are full but for the last; no block is empty, unless copied from a source that has such.
 *  W9  Pages of a B-tree differ by at most one entry within their level; the parent's key is the
 *      first of the child.
 *  W10 The file ends where ibFileEof says, at the end of an interval.
 *  W11 What the writer remembers is some 30 bytes a block and 24 a node, whatever they hold.
 *
 * References inside internal blocks are found by the writer, also in copied ones: callers report nodes
 * and nothing else.
 * @module
 */
import type { Core } from '../../core/core.js';
import { hex, PstError, UsageError } from '../../errors.js';
import type { Sink, Source } from '../../host/source.js';
import { BBTENTRY, BID_STEP, BTREE, bidKey, isInternal, NBTENTRY } from '../../wire/btree.js';
import { CRYPT } from '../../wire/header.js';
import { makeNid, NID_TYPE, nidIndex, nidType } from '../../wire/nid.js';
import { PTYPE } from '../../wire/page.js';
import { u64 } from '../../wire/struct.js';
import { UNICODE } from '../../wire/variant.js';
import { BlockList, type BlockTable } from './block-list.js';
import { type BuiltTree, writeBtree } from './btpages.js';
import { type HeaderOptions, withDefaults, writeHead } from './header.js';
import { blockWireSize, type Layout, SLOT } from './maps.js';
import { NodeList } from './node-list.js';
import { eachReference } from './references.js';
import { high32, low32, Space } from './space.js';
import { type Subnode, writeSubnodes } from './subnode.js';
import { DataTreeWriter, LEAF_SIZE } from './tree.js';

/** Types 2, D, E, F of one folder share an index, and their counters move together. format.md 1. */
const FOLDER_TYPES: readonly number[] = [
  NID_TYPE.NORMAL_FOLDER,
  NID_TYPE.HIERARCHY_TABLE,
  NID_TYPE.CONTENTS_TABLE,
  NID_TYPE.ASSOC_CONTENTS_TABLE,
];
const countersOf = (type: number): readonly number[] => (FOLDER_TYPES.includes(type) ? FOLDER_TYPES : [type]);
/** These take the index of their search folder and have no counter of their own. scanpst.md 2. */
const UNCOUNTED_TYPES: readonly number[] = [
  NID_TYPE.SEARCH_UPDATE_QUEUE,
  NID_TYPE.SEARCH_CRITERIA_OBJECT,
  NID_TYPE.SEARCH_CONTENTS_TABLE,
];
/** A NID has 27 bits of index. 2.2.2.1. */
const INDEX_MAX = 2 ** 27 - 1;

export interface BlockOptions {
  /** An XBLOCK, XXBLOCK, SLBLOCK or SIBLOCK: bit 1 of the BID, never encoded. */
  readonly internal?: boolean;
  /** Keep this BID; without it the next one is drawn. */
  readonly bid?: number;
}

/** What was written. */
export interface StoreSummary extends Layout {
  readonly cbAMapFree: number;
  readonly nodes: number;
  readonly blocks: number;
  /** Bytes of all blocks in the file, trailers and padding included. */
  readonly blockBytes: number;
  /** Pages of NBT and BBT. */
  readonly treePages: number;
  readonly mapPages: number;
  readonly nbt: BuiltTree;
  readonly bbt: BuiltTree;
  readonly bidNextB: number;
  readonly bidNextP: number;
  readonly dwUnique: number;
  readonly rgnid: Uint32Array;
  /** BIDs of blocks that nothing referred to and the store therefore does not have. */
  readonly dropped: readonly number[];
}

export class StoreWriter {
  readonly core: Core;
  readonly crypt: 0 | 1 | 2;
  readonly #sink: Sink & Source;
  readonly #options: Required<HeaderOptions>;
  readonly #space: Space;
  readonly #blocks = new BlockList();
  readonly #nodes = new NodeList();
  readonly #rgnid: Uint32Array;
  #bidNextB: number;
  #bidNextP: number;
  #dwUnique: number;
  #isDone = false;

  constructor(core: Core, sink: Sink & Source, options: HeaderOptions = {}) {
    const all = withDefaults(options);
    if (all.bidNextB < BID_STEP || all.bidNextB % BID_STEP !== 0) {
      throw new UsageError('USAGE', `bidNextB ${hex(all.bidNextB)} is not a multiple of ${BID_STEP}`);
    }
    if (all.rgnid.length !== 32) throw new UsageError('USAGE', `rgnid has ${all.rgnid.length} counters, not 32`);
    this.core = core;
    this.crypt = all.crypt;
    this.#sink = sink;
    this.#options = all;
    this.#rgnid = all.rgnid.slice();
    this.#bidNextB = counted(all.bidNextB, 'bidNextB');
    this.#bidNextP = counted(Math.max(1, all.bidNextP), 'bidNextP');
    this.#dwUnique = all.dwUnique;
    this.#space = new Space(core, sink);
  }

  /** Draws a BID for a block. */
  nextBid(internal: boolean): number {
    const bid = this.#bidNextB + (internal ? 2 : 0);
    this.#bidNextB = counted(this.#bidNextB + BID_STEP, 'bidNextB');
    return bid;
  }

  /** Draws a NID of `type`. For a folder (type 2) the siblings D, E, F are free too. */
  nextNid(type: number): number {
    const types = countersOf(type);
    const index = 1 + Math.max(...types.map((t) => this.#rgnid[t]!));
    if (index > INDEX_MAX)
      throw new PstError('PST_LIMIT', `no NID of type ${hex(type)} is left`, { section: '2.2.2.1' });
    for (const t of types) this.#rgnid[t] = index;
    return makeNid(type, index);
  }

  /** Raises the counter of the header to cover a NID. addNode and addSubnodes do it themselves. */
  useNid(nid: number): void {
    const type = nidType(nid);
    const index = nidIndex(nid);
    if (UNCOUNTED_TYPES.includes(type)) return;
    for (const t of countersOf(type)) if (index > this.#rgnid[t]!) this.#rgnid[t] = index;
  }

  /** Raises the counter above a row version (67F3) that a copied row has. */
  useUnique(version: number): void {
    if (version >= this.#dwUnique) this.#dwUnique = version + 1;
  }

  /** Draws a row version (67F3): unique in the store, rising. */
  nextUnique(): number {
    return this.#dwUnique++;
  }

  /**
   * Writes `cb` decoded bytes at `src` + `srcAt` in core memory as a block. Returns its BID. Bit 0 of the
   * references in an internal block is cleared; copyBlock leaves it as it is.
   */
  addBlock(src: number, srcAt: number, cb: number, options: BlockOptions = {}): number {
    const bid = options.bid === undefined ? this.nextBid(options.internal === true) : this.#keepBid(options.bid);
    const method = isInternal(bid) ? CRYPT.NONE : this.crypt;
    const at = this.#take(bid, cb, 1);
    const { buffer } = this.#space;
    const [lo, hi, ib] = [low32(bid), high32(bid), low32(this.#space.ib(at))];
    this.core.x.blockSeal(buffer, at, src, srcAt, cb, method, lo, hi, ib);
    // libpff takes the cyclic key from the reference, so bit 0 set there would be a wrong key: seen.
    const hadAttached = isInternal(bid) && this.#referInternal(at, cb, bid, true);
    if (hadAttached) this.core.x.blockSeal(buffer, at, buffer, at, cb, method, lo, hi, ib);
    return bid;
  }

  /** addBlock with bytes that are not in core memory yet. */
  addBytes(bytes: Uint8Array, options: BlockOptions = {}): number {
    const { core } = this;
    const stage = core.put(bytes);
    const bid = this.addBlock(stage, 0, bytes.length, options);
    core.x.free(stage);
    return bid;
  }

  /**
   * Writes `cb` stored bytes at `src` + `srcAt` in core memory as block `bid`, without decoding: the source
   * must be a Unicode store of the same bCryptMethod. The trailer is made for the new place.
   */
  copyBlock(bid: number, src: number, srcAt: number, cb: number): void {
    const kept = this.#keepBid(bid);
    const at = this.#take(kept, cb, 0);
    const { buffer } = this.#space;
    const ib = low32(this.#space.ib(at));
    this.core.x.blockCopy(buffer, at, src, srcAt, cb, low32(kept), high32(kept), ib);
    if (isInternal(kept)) this.#referInternal(at, cb, kept, false);
  }

  /** A data tree to be written leaf by leaf, or as a byte stream. */
  tree(): DataTreeWriter {
    return new DataTreeWriter(this);
  }

  /** Writes the leaves of a core chain as a data tree. Returns its BID, 0 when empty. The chain stays the caller's. */
  addTree(chain: number): number {
    const { x } = this.core;
    const tree = this.tree();
    const count = x.chainCount(chain);
    for (let i = 0; i < count; i++) tree.pushLeaf(x.chainPtr(chain, i), 0, x.chainSize(chain, i));
    return tree.finish();
  }

  /** Writes bytes, whole or in pieces, as a data tree. Returns its BID, 0 when there are none. */
  addTreeBytes(bytes: Uint8Array | Iterable<Uint8Array>): number {
    const tree = this.tree();
    try {
      for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) tree.write(piece);
      return tree.finish();
    } finally {
      tree.abandon();
    }
  }

  /** Writes a subnode tree; `entries` ascend by nid. Returns its BID, 0 for none. */
  addSubnodes(entries: readonly Subnode[]): number {
    return writeSubnodes(this, entries);
  }

  /** Adds a node to the NBT. `bidData` and `bidSub` may be 0. Order does not matter; a NID twice is refused at the end. */
  addNode(nid: number, bidData: number, bidSub: number, nidParent: number): void {
    this.#nodes.add(nid, bidKey(bidData), bidKey(bidSub), nidParent);
    this.#blocks.reference(bidData);
    this.#blocks.reference(bidSub);
    this.useNid(nid);
  }

  /** Completes the store: trees, last interval, head. The writer is spent; the sink stays open. */
  finish(): StoreSummary {
    if (this.#isDone) throw new UsageError('USAGE', 'the store is finished');
    const { core } = this;
    const space = this.#space;
    const nextPageBid = (): number => {
      this.#bidNextP = counted(this.#bidNextP + 1, 'bidNextP');
      return this.#bidNextP - 1;
    };
    const blocks = this.#blocks.finish(space);
    const nodes = this.#nodes.finish();
    const nbt = writeBtree(core, space, nextPageBid, {
      ptype: PTYPE.NBT,
      entrySize: NBTENTRY.size,
      max: BTREE[UNICODE].nbtMax,
      count: nodes.count,
      key: (i) => nodes.nid(i),
      write: (view, at, i) => NBTENTRY.write(view, at, nodes.entry(i)),
    });
    const bbt = writeBtree(core, space, nextPageBid, {
      ptype: PTYPE.BBT,
      entrySize: BBTENTRY.size,
      max: BTREE[UNICODE].bbtMax,
      count: blocks.count,
      key: (i) => blocks.bid(i),
      write: (view, at, i) => BBTENTRY.write(view, at, entryOf(blocks, i)),
    });
    const layout = space.finish();
    this.#isDone = true;
    this.#sink.sync();

    const bidDList = nextPageBid();
    const counters = {
      bidNextB: this.#bidNextB,
      bidNextP: this.#bidNextP,
      dwUnique: this.#dwUnique + 1, // counts header writes as well: 2.2.2.6
      rgnid: this.#rgnid,
    };
    writeHead(core, this.#sink, this.#options, { ...counters, bidDList, nbt, bbt, ...layout });
    this.#sink.sync();
    return { ...layout, ...counters, nbt, bbt, nodes: nodes.count, ...this.#totals(blocks, nbt, bbt, layout) };
  }

  /** Gives the core's memory back without completing the store. */
  abandon(): void {
    this.#isDone = true;
    this.#space.abandon();
  }

  #totals(blocks: BlockTable, nbt: BuiltTree, bbt: BuiltTree, { intervals, pmaps, fmaps, fpmaps }: Layout) {
    let blockBytes = 0;
    for (let i = 0; i < blocks.count; i++) blockBytes += blockWireSize(blocks.cb(i));
    return {
      blocks: blocks.count,
      blockBytes,
      dropped: blocks.dropped,
      treePages: nbt.pages + bbt.pages,
      mapPages: intervals + pmaps + fmaps + fpmaps,
    };
  }

  /** A BID from elsewhere: bit 0 is cleared, the counter goes above it. */
  #keepBid(bid: number): number {
    const key = bidKey(bid);
    if (key === 0) throw new UsageError('USAGE', 'a block cannot have the BID 0');
    if (key >= this.#bidNextB) this.#bidNextB = counted((Math.floor(key / BID_STEP) + 1) * BID_STEP, 'bidNextB');
    return key;
  }

  /** Takes space for a block of `cb` bytes. Returns its offset in the interval. */
  #take(bid: number, cb: number, least: 0 | 1): number {
    if (this.#isDone) throw new UsageError('USAGE', 'the store is finished');
    if (cb < least || cb > LEAF_SIZE)
      throw new UsageError('USAGE', `a block of ${cb} bytes; ${least} to ${LEAF_SIZE} fit`);
    const at = this.#space.take(blockWireSize(cb), SLOT);
    this.#blocks.add(bid, this.#space.ib(at), cb);
    return at;
  }

  /** Counts what the internal block just written refers to. Returns whether it cleared bit 0 of a reference (`cleans`). */
  #referInternal(at: number, cb: number, bid: number, cleans: boolean): boolean {
    const { view } = this.core;
    let hadAttached = false;
    const refer = (child: number, place: number): void => {
      this.#blocks.reference(child);
      if (!cleans || child === bidKey(child)) return;
      u64.set(view, place, bidKey(child));
      hadAttached = true;
    };
    eachReference(view, this.#space.buffer + at, cb, bid, refer, (nid) => this.useNid(nid));
    return hadAttached;
  }
}

/** Against a source whose counters, or blocks, end where numbers do. */
function counted(next: number, counter: 'bidNextB' | 'bidNextP'): number {
  if (Number.isSafeInteger(next)) return next;
  throw new PstError('PST_LIMIT', `no BID is left after ${hex(next)}`, {
    field: `HEADER.${counter}`,
    section: '2.2.2.6',
  });
}

const entryOf = (blocks: BlockTable, i: number) => ({
  bid: blocks.bid(i),
  ib: blocks.ib(i),
  cb: blocks.cb(i),
  cRef: blocks.cRef(i),
  dwPadding: 0,
});
