/**
 * Subnode trees: the nodes inside a node. MS-PST 2.2.2.8.3.3.
 *
 *     SLBLOCK ─▶ { nid, bidData, bidSub } …
 *     SIBLOCK ─▶ { first nid, SLBLOCK } …
 *
 * Each bidSub is a tree of its own; who follows them needs a bound: `nestedSubnodes` has one.
 * @module
 */
import { hex, PstError, type Where } from '../errors.js';
import { BTYPE } from '../wire/block.js';
import { isInternal } from '../wire/btree.js';
import { u32, u64 } from '../wire/struct.js';
import type { BlockReader } from './blocks.js';

/** Subnodes of one node, by NID. */
export class SubnodeIndex {
  readonly count: number;
  /** nid x count, then bidData x count, then bidSub x count. */
  readonly #cells: Float64Array;

  constructor(cells: Float64Array) {
    this.count = cells.length / 3;
    this.#cells = cells;
  }

  nid(i: number): number {
    return this.#cells[i]!;
  }
  bidData(i: number): number {
    return this.#cells[this.count + i]!;
  }
  bidSub(i: number): number {
    return this.#cells[2 * this.count + i]!;
  }

  /** Index of the subnode, or -1. */
  find(nid: number): number {
    const cells = this.#cells;
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = cells[middle]!;
      if (found === nid) return middle;
      if (found < nid) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

const NO_SUBNODES = new SubnodeIndex(new Float64Array(0));

const bad = (message: string, bid: number, where: Where, field: string): PstError =>
  new PstError('PST_BAD_BLOCK', message, { ...where, bid, field, section: '2.2.2.8.3.3' });

/** The subnodes at `bidSub` (0: none). Throws PST_MISSING, PST_BAD_BLOCK, PST_LIMIT, and what reading a block throws. */
export function readSubnodes(blocks: BlockReader, bidSub: number, where: Where): SubnodeIndex {
  if (bidSub === 0) return NO_SUBNODES;
  const cEnt = openNode(blocks, bidSub, where);
  const cLevel = blocks.view.getUint8(blocks.at + 1);
  if (cLevel === 0) {
    const cells = new Float64Array(3 * cEnt);
    readEntries(blocks, cEnt, cells, bidSub, where);
    return new SubnodeIndex(cells);
  }

  const { geometry, view, at } = blocks;
  const { siblock, sientry } = geometry;
  const id = geometry.bidSize === 8 ? u64 : u32;
  const children = new Float64Array(cEnt);
  for (let k = 0; k < cEnt; k++) {
    children[k] = id.get(view, at + siblock.size + k * sientry.size + sientry.at.bid);
  }
  // Against one SLBLOCK named again and again: its NIDs would not ascend. Against many: no more than there are blocks.
  if (cEnt > blocks.bbt.count) {
    throw new PstError('PST_LIMIT', `${cEnt} SLBLOCKs in a store of ${blocks.bbt.count} blocks`, {
      ...where,
      bid: bidSub,
    });
  }
  const parts: Float64Array[] = [];
  let count = 0;
  let last = -1;
  for (const child of children) {
    const n = openNode(blocks, child, where);
    if (blocks.view.getUint8(blocks.at + 1) !== 0) {
      throw bad('an SIBLOCK in an SIBLOCK', child, where, 'SLBLOCK.cLevel');
    }
    const cells = new Float64Array(3 * n);
    last = readEntries(blocks, n, cells, child, where, last);
    parts.push(cells);
    count += n;
  }
  const cells = new Float64Array(3 * count);
  let done = 0;
  for (const part of parts) {
    const n = part.length / 3;
    for (let column = 0; column < 3; column++) {
      cells.set(part.subarray(column * n, (column + 1) * n), column * count + done);
    }
    done += n;
  }
  return new SubnodeIndex(cells);
}

/** Opens an SLBLOCK or SIBLOCK. Returns cEnt, which fits the block. */
function openNode(blocks: BlockReader, bid: number, where: Where): number {
  if (!isInternal(bid)) throw bad('a data block where a subnode block belongs', bid, where, 'SLBLOCK');
  blocks.open(bid, where);
  const { view, at, size, geometry } = blocks;
  const { slblock, slentry, siblock, sientry } = geometry;
  if (size < slblock.size) throw bad(`a block of ${size} bytes`, bid, where, 'SLBLOCK');
  const btype = view.getUint8(at);
  const cLevel = view.getUint8(at + 1);
  const cEnt = view.getUint16(at + slblock.at.cEnt, true);
  if (btype !== BTYPE.SL) throw bad(`block type ${hex(btype)}, expected ${hex(BTYPE.SL)}`, bid, where, 'SLBLOCK.btype');
  if (cLevel > 1) throw bad(`level ${cLevel}, expected 0 or 1`, bid, where, 'SLBLOCK.cLevel');
  const needed = cLevel === 0 ? slblock.size + cEnt * slentry.size : siblock.size + cEnt * sientry.size;
  if (needed > size) throw bad(`${cEnt} entries in a block of ${size} bytes`, bid, where, 'SLBLOCK.cEnt');
  return cEnt;
}

/** Reads the entries of the SLBLOCK just opened into columns of cEnt. Returns the last NID. */
function readEntries(
  blocks: BlockReader,
  cEnt: number,
  cells: Float64Array,
  bid: number,
  where: Where,
  last = -1,
): number {
  const { view, geometry } = blocks;
  const { slblock, slentry } = geometry;
  const id = geometry.bidSize === 8 ? u64 : u32;
  let at = blocks.at + slblock.size;
  for (let k = 0; k < cEnt; k++, at += slentry.size) {
    const nid = view.getUint32(at, true);
    if (nid <= last) throw bad(`subnode ${hex(nid)} after ${hex(last)}`, bid, where, 'SLENTRY.nid');
    last = nid;
    cells[k] = nid;
    cells[cEnt + k] = id.get(view, at + slentry.at.bidData);
    cells[2 * cEnt + k] = id.get(view, at + slentry.at.bidSub);
  }
  return last;
}

/** Against embedded messages nested without end: real mail stops at a handful; each level costs two subnode trees. */
export const SUBNODE_DEPTH_MAX = 128;

export interface NestedSubnode {
  readonly nid: number;
  readonly bidData: number;
  readonly bidSub: number;
  /** 0: a subnode of the node itself. */
  readonly depth: number;
}

/**
 * Every subnode below `bidSub`, parents before children. Throws PST_BAD_BLOCK when a tree contains itself, PST_LIMIT
 * when it is too deep, or larger than sharing can honestly make it.
 */
export function* nestedSubnodes(blocks: BlockReader, bidSub: number, where: Where): Generator<NestedSubnode> {
  const path: { bid: number; index: SubnodeIndex; next: number }[] = [];
  // Against trees that share trees: 340 entries of one SLBLOCK, each with the same tree below, and so on.
  let trees = 0;
  const enter = (bid: number): void => {
    if (path.some((step) => step.bid === bid)) throw bad('a subnode contains itself', bid, where, 'SLENTRY.bidSub');
    if (path.length >= SUBNODE_DEPTH_MAX) {
      throw new PstError('PST_LIMIT', `subnodes nested ${SUBNODE_DEPTH_MAX} deep`, { ...where, bid });
    }
    if (++trees > blocks.bbt.count) {
      throw new PstError('PST_LIMIT', `more subnode trees in one node than the store has blocks`, { ...where, bid });
    }
    path.push({ bid, index: readSubnodes(blocks, bid, where), next: 0 });
  };
  if (bidSub !== 0) enter(bidSub);
  while (path.length > 0) {
    const step = path[path.length - 1]!;
    if (step.next === step.index.count) {
      path.pop();
      continue;
    }
    const i = step.next++;
    const node = { nid: step.index.nid(i), bidData: step.index.bidData(i), bidSub: step.index.bidSub(i) };
    yield { ...node, depth: path.length - 1 };
    if (node.bidSub !== 0) enter(node.bidSub);
  }
}
