/**
 * The NDB layer of one store, open for reading: header, node and block index, data and subnode trees. MS-PST 2.2.
 * @module
 */
import type { Core } from '../core/core.js';
import { CoreFault } from '../core/fault.js';
import { hex, PstError, type Where } from '../errors.js';
import type { Source } from '../host/source.js';
import { isInternal } from '../wire/btree.js';
import type { Variant } from '../wire/variant.js';
import { BlockColumns, type BlockIndex } from './bbt.js';
import { BlockReader } from './blocks.js';
import { type Tree, walkBtree } from './btree.js';
import { type Bref, type Header, type Report, readHeader } from './header.js';
import { NodeColumns, type NodeIndex } from './nbt.js';
import { PageReader } from './page.js';
import { searchLeaves } from './salvage.js';
import { type NestedSubnode, nestedSubnodes, readSubnodes, type SubnodeIndex } from './subnode.js';
import { findLeaves, type Leaves } from './tree.js';

export interface NdbOptions {
  /** Refuse a store at its first fault, also one that reading would survive. */
  readonly strict?: boolean;
  /** Salvage: takes every fault of header and B-trees instead of stopping at the first; what is unusable is left out. */
  readonly damage?: Report;
  /** Hears of every page read while the store is opened: offset and size. */
  readonly onRead?: (ib: number, size: number) => void;
}

/** What listens to an operation on a store, so that it can be replayed elsewhere. */
export interface Listener {
  /** Bytes read: offset and size. */
  onRead(ib: number, size: number): void;
  /** Entry of the BBT looked up; -1 when the BID is not there. */
  onLookup(index: number): void;
}

/**
 * Against a tree brought whole into the core's memory: the largest heap is 65,536 blocks of 8 KB in theory; real heaps and
 * row matrices stay below a tenth of this. Larger values travel leaf by leaf.
 */
export const CHAIN_BYTES_MAX = 256 << 20;
/** Against a tree too large for one array; what is longer travels leaf by leaf. */
const BYTES_MAX = 1 << 30;
/**
 * A pass over a whole store may read each block this often: shared templates are read some ninety times, but are small.
 * Against stores whose nodes all share one large tree.
 */
const PASS_FACTOR = 64;
const PASS_FLOOR = 64 << 20;
/**
 * Against a BBT full of blocks that are none, whose sizes would add up to a budget without end: what a pass is measured by is no
 * more than this many times the file. Blocks are smaller than the file but in 4K stores, where real ones inflate to twice their size.
 */
const INFLATED_MAX = 4;
/** Findings kept; a hostile file could make one per page. */
const FINDINGS_MAX = 1000;

export interface Leaf {
  readonly bid: number;
  readonly ptr: number;
  readonly size: number;
}

export class Ndb {
  readonly blocks: BlockReader;
  #leaves: Leaves | undefined;
  #leavesOf = 0;

  private constructor(
    readonly source: Source,
    readonly core: Core,
    readonly header: Header,
    readonly nbt: NodeIndex,
    readonly bbt: BlockIndex,
    /** Faults that reading survives, as found so far. */
    readonly findings: readonly PstError[],
  ) {
    this.blocks = new BlockReader(source, core, header.variant, header.crypt, bbt);
  }

  /**
   * Reads and verifies header, NBT and BBT. Throws PST_NOT_A_STORE, PST_UNSUPPORTED, PST_TRUNCATED, PST_ABSURD,
   * PST_BAD_PTYPE, PST_BAD_CRC, PST_BAD_SIG, PST_BAD_BID, PST_BAD_TREE.
   */
  static open(source: Source, core: Core, options: NdbOptions = {}): Ndb {
    const findings: PstError[] = [];
    const report: Report = (finding) => {
      if (options.strict) throw finding;
      if (findings.length < FINDINGS_MAX) findings.push(finding);
      options.damage?.(finding);
    };
    const salvage = options.damage !== undefined;
    const header = readHeader(source, core, report);
    const pages = new PageReader(source, core, header.variant);
    pages.onRead = options.onRead;
    try {
      const walk = (tree: Tree, root: Bref): boolean => {
        const { ordered, complete } = walkBtree(pages, header.variant, tree, root, report, salvage);
        if (complete) return ordered;
        searchLeaves(pages, tree, report);
        return false;
      };
      const nodes = new NodeColumns(header.variant);
      const nbt = nodes.finish(walk(nodes, header.root.nbt));
      const columns = new BlockColumns(header.variant);
      const bbt = columns.finish(walk(columns, header.root.bbt));
      return new Ndb(source, core, header, nbt, bbt, findings);
    } finally {
      pages.close();
    }
  }

  /** A store of which only some nodes and blocks are at hand, with its header. Throws what reading the header throws. */
  static fromParts(source: Source, core: Core, nbt: NodeIndex, bbt: BlockIndex): Ndb {
    return new Ndb(
      source,
      core,
      readHeader(source, core, () => {}),
      nbt,
      bbt,
      [],
    );
  }

  /** From now on `listener` hears of every block looked up and read. */
  listen(listener: Listener | undefined): void {
    this.blocks.onRead = listener === undefined ? undefined : (ib, size) => listener.onRead(ib, size);
    this.blocks.onLookup = listener === undefined ? undefined : (index) => listener.onLookup(index);
    this.#leaves = undefined; // or the XBLOCKs of the tree read last would not be heard of
  }

  get variant(): Variant {
    return this.header.variant;
  }

  /** Called once per block read, after its check, with the stored bytes still at `lo` + `at` of the core. */
  set onBlock(call: ((bbtIndex: number, lo: number, at: number) => void) | undefined) {
    this.blocks.onBlock = call;
    this.#leaves = undefined; // so that the new listener hears of the XBLOCKs too
  }
  get onBlock(): ((bbtIndex: number, lo: number, at: number) => void) | undefined {
    return this.blocks.onBlock;
  }

  /** Decoded bytes handed out since `beginPass`, or since the store was opened. */
  get loadedBytes(): number {
    return this.blocks.loadedBytes;
  }

  /** From now on reading stops (PST_LIMIT) once it has handed out many times what all blocks hold together. */
  beginPass(factor = PASS_FACTOR): void {
    let all = 0;
    for (let i = 0; i < this.bbt.count; i++) all += this.bbt.inflated(i);
    this.blocks.loadedBytes = 0;
    this.blocks.budget = Math.min(all, this.source.size * INFLATED_MAX) * factor + PASS_FLOOR;
  }

  endPass(): void {
    this.blocks.budget = Number.POSITIVE_INFINITY;
  }

  /** Places in the BBT of the leaves of the data tree at `bid`, and their decoded size together. No leaf is read. */
  findLeaves(bid: number, where: Where): Leaves {
    if (this.#leaves === undefined || this.#leavesOf !== bid) {
      this.#leaves = findLeaves(this.blocks, bid, where);
      this.#leavesOf = bid;
    }
    return this.#leaves;
  }

  /** Decoded bytes of the data tree at `bid`; 0 for bid 0. */
  treeSize(bid: number, where: Where): number {
    if (bid === 0) return 0;
    if (!isInternal(bid)) return this.bbt.inflated(this.blocks.indexOf(bid, where));
    return this.findLeaves(bid, where).total;
  }

  /**
   * The data tree at `bid` as a chain, for the caller to free; 0 when `bid` is 0.
   * Throws PST_LIMIT when it is no heap or row matrix by its size, and what reading a block throws.
   */
  readTree(bid: number, where: Where): number {
    if (bid === 0) return 0;
    const { x } = this.core;
    if (!isInternal(bid)) {
      const ptr = this.blocks.load(this.blocks.indexOf(bid, where), where);
      const chain = x.chainNew(1);
      if (ptr !== 0) x.chainAdd(chain, ptr);
      return chain;
    }
    const { indices, total } = this.findLeaves(bid, where);
    if (total > CHAIN_BYTES_MAX) {
      throw new PstError('PST_LIMIT', `a heap or table of ${total} bytes`, { ...where, bid });
    }
    const chain = x.chainNew(indices.length);
    try {
      for (let k = 0; k < indices.length; k++) {
        const ptr = this.blocks.load(indices[k]!, where);
        if (ptr !== 0) x.chainAdd(chain, ptr);
      }
      return chain;
    } catch (error) {
      if (!(error instanceof CoreFault)) x.chainFree(chain);
      throw error;
    }
  }

  /** The leaves of the data tree at `bid`, one at a time; each is freed when the next is asked for. */
  *leaves(bid: number, where: Where): IterableIterator<Leaf> {
    if (bid === 0) return;
    const { indices } = this.findLeaves(bid, where);
    for (const index of indices) {
      const ptr = this.blocks.load(index, where);
      if (ptr === 0) continue;
      try {
        yield { bid: this.bbt.bid(index), ptr, size: this.bbt.inflated(index) };
      } finally {
        this.core.x.free(ptr);
      }
    }
  }

  /** The same for who reads every leaf: calls `take` with each, and makes no object of it. */
  eachLeaf(bid: number, where: Where, take: (ptr: number, size: number) => void): void {
    if (bid === 0) return;
    const { indices } = this.findLeaves(bid, where);
    for (let k = 0; k < indices.length; k++) {
      const index = indices[k]!;
      const ptr = this.blocks.load(index, where);
      if (ptr === 0) continue;
      try {
        take(ptr, this.bbt.inflated(index));
      } finally {
        this.core.x.free(ptr);
      }
    }
  }

  /** A copy of the whole data tree at `bid`. Throws PST_LIMIT when it is larger than `limit`. */
  readBytes(bid: number, where: Where, limit = BYTES_MAX): Uint8Array {
    if (bid === 0) return new Uint8Array(0);
    const { indices, total } = this.findLeaves(bid, where);
    if (total > limit) throw new PstError('PST_LIMIT', `${total} bytes, at most ${limit} are read`, { ...where, bid });
    const bytes = new Uint8Array(total);
    let done = 0;
    for (let k = 0; k < indices.length; k++) {
      const index = indices[k]!;
      const size = this.bbt.inflated(index);
      const ptr = this.blocks.load(index, where);
      if (ptr === 0) continue;
      bytes.set(this.core.u8.subarray(ptr, ptr + size), done);
      this.core.x.free(ptr);
      done += size;
    }
    return bytes;
  }

  /** The subnodes at `bidSub`, this level only; none when it is 0. */
  subnodes(bidSub: number, where: Where): SubnodeIndex {
    return readSubnodes(this.blocks, bidSub, where);
  }

  /** Every subnode below `bidSub`, nested ones too, parents first; bounded against cycles and sharing. */
  nestedSubnodes(bidSub: number, where: Where): Generator<NestedSubnode> {
    return nestedSubnodes(this.blocks, bidSub, where);
  }

  /** Index of the node in `nbt`. Throws PST_MISSING. */
  getNode(nid: number): number {
    const i = this.nbt.find(nid);
    if (i < 0) throw new PstError('PST_MISSING', `the store has no node ${hex(nid)}`, { nid });
    return i;
  }

  /** Visits every page of both B-trees, roots first; what is wrong with them goes to `report`, as in salvage. */
  walkPages(visit: (ptype: number, ref: Bref, cLevel: number, cEnt: number) => void, report: Report): void {
    const pages = this.pages();
    const { variant, root } = this.header;
    try {
      for (const [columns, ref] of [
        [new NodeColumns(variant), root.nbt],
        [new BlockColumns(variant), root.bbt],
      ] as const) {
        const tree: Tree = {
          name: columns.name,
          ptype: columns.ptype,
          entrySize: columns.entrySize,
          entryMax: columns.entryMax,
          key: (view, at) => columns.key(view, at),
          reserve: () => {},
          add: () => {},
          page: (page, cLevel, cEnt) => visit(columns.ptype, page, cLevel, cEnt),
        };
        walkBtree(pages, variant, tree, ref, report, true);
      }
    } finally {
      pages.close();
    }
  }

  /** A reader of pages of this store; the caller closes it. */
  pages(): PageReader {
    return new PageReader(this.source, this.core, this.header.variant);
  }

  /** Gives the core's memory back. The source stays open. */
  close(): void {
    this.blocks.close();
  }
}
