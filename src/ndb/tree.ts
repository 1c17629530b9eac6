/**
 * Data trees: the leaves of a node's data. MS-PST 2.2.2.8.3.2.
 *
 *     data block                           one leaf
 *     XBLOCK ─▶ data block …               at most 1021 (Unicode)
 *     XXBLOCK ─▶ XBLOCK … ─▶ data block …  at most 1021 x 1021
 *
 * Levels are fixed by these three shapes, so a cycle is a wrong level.
 * @module
 */
import { hex, PstError, type Where } from '../errors.js';
import { BTYPE, wireSize, XBLOCK } from '../wire/block.js';
import { isInternal } from '../wire/btree.js';
import { u32, u64 } from '../wire/struct.js';
import type { BlockReader } from './blocks.js';

export interface Leaves {
  /** Places in the BBT of the leaves, in order. */
  readonly indices: Uint32Array;
  /** Decoded bytes of all of them. */
  readonly total: number;
}

const NO_LEAVES: Leaves = { indices: new Uint32Array(0), total: 0 };

/**
 * The leaves of the data tree at `bid` (0: none), counted and measured against the BBT; none is read.
 * Throws PST_MISSING, PST_BAD_BLOCK, PST_LIMIT, and what reading an XBLOCK throws.
 */
export function findLeaves(blocks: BlockReader, bid: number, where: Where): Leaves {
  if (bid === 0) return NO_LEAVES;
  if (!isInternal(bid)) {
    const index = blocks.indexOf(bid, where);
    return { indices: Uint32Array.of(index), total: blocks.bbt.inflated(index) };
  }
  const top = readXblock(blocks, bid, where, 0);
  const sum = { leaves: 0, stored: 0 };
  if (top.cLevel === 1) return measure(blocks, top, bid, where, sum);

  const parts: Leaves[] = [];
  let total = 0;
  for (const child of top.bids) {
    if (!isInternal(child)) throw bad('an XXBLOCK names a data block', child, where, 'XXBLOCK.rgbid');
    const xblock = readXblock(blocks, child, where, 1);
    const part = measure(blocks, xblock, child, where, sum);
    parts.push(part);
    total += part.total;
  }
  if (total !== top.lcbTotal) throw wrongTotal(total, top.lcbTotal, bid, where);
  const indices = new Uint32Array(sum.leaves);
  let k = 0;
  for (const part of parts) {
    indices.set(part.indices, k);
    k += part.indices.length;
  }
  return { indices, total };
}

interface Xblock {
  readonly cLevel: number;
  readonly lcbTotal: number;
  readonly bids: Float64Array;
}

const bad = (message: string, bid: number, where: Where, field: string): PstError =>
  new PstError('PST_BAD_BLOCK', message, { ...where, bid, field, section: XBLOCK.section });

const wrongTotal = (total: number, stated: number, bid: number, where: Where): PstError =>
  bad(`leaves of ${total} bytes, the tree says ${stated}`, bid, where, 'XBLOCK.lcbTotal');

/** `level`: what cLevel must be; 0 for the top, which may be 1 or 2. */
function readXblock(blocks: BlockReader, bid: number, where: Where, level: 0 | 1): Xblock {
  blocks.open(bid, where);
  const { view, at, size, geometry } = blocks;
  if (size < XBLOCK.size) throw bad(`a block of ${size} bytes`, bid, where, 'XBLOCK');
  const btype = view.getUint8(at + XBLOCK.at.btype);
  const cLevel = view.getUint8(at + XBLOCK.at.cLevel);
  const cEnt = view.getUint16(at + XBLOCK.at.cEnt, true);
  const lcbTotal = view.getUint32(at + XBLOCK.at.lcbTotal, true);
  if (btype !== BTYPE.X) throw bad(`block type ${hex(btype)}, expected ${hex(BTYPE.X)}`, bid, where, 'XBLOCK.btype');
  if (level === 1 ? cLevel !== 1 : cLevel !== 1 && cLevel !== 2) {
    throw bad(`level ${cLevel}, expected ${level === 1 ? '1' : '1 or 2'}`, bid, where, 'XBLOCK.cLevel');
  }
  const { bidSize } = geometry;
  if (XBLOCK.size + cEnt * bidSize > size) {
    throw bad(`${cEnt} entries in a block of ${size} bytes`, bid, where, 'XBLOCK.cEnt');
  }
  const id = bidSize === 8 ? u64 : u32;
  const bids = new Float64Array(cEnt);
  for (let k = 0; k < cEnt; k++) bids[k] = id.get(view, at + XBLOCK.size + k * bidSize);
  return { cLevel, lcbTotal, bids };
}

/** `sum`: leaves of the tree so far, and the bytes they take in the file; those of `xblock` are added. */
function measure(
  blocks: BlockReader,
  xblock: Xblock,
  bid: number,
  where: Where,
  sum: { leaves: number; stored: number },
): Leaves {
  const { bbt } = blocks;
  const limit = (message: string): PstError => new PstError('PST_LIMIT', message, { ...where, bid });
  // Against one leaf named a million times: a tree cannot have more leaves than the store has blocks …
  sum.leaves += xblock.bids.length;
  if (sum.leaves > bbt.count) throw limit(`a data tree of ${sum.leaves} leaves in a store of ${bbt.count} blocks`);
  // Looking a leaf up is work too, though nothing of it is read yet.
  blocks.charge(xblock.bids.length * blocks.geometry.unit, bid, where);
  const indices = new Uint32Array(xblock.bids.length);
  let total = 0;
  for (let k = 0; k < indices.length; k++) {
    const leaf = xblock.bids[k]!;
    if (isInternal(leaf)) throw bad(`the leaf ${hex(leaf)} is an internal block`, bid, where, 'XBLOCK.rgbid');
    const index = blocks.indexOf(leaf, where);
    indices[k] = index;
    total += bbt.inflateds[index]!;
    sum.stored += wireSize(bbt.cbs[index]!, blocks.variant);
  }
  // … and, where the BBT is full of blocks that are none, it cannot take more than the file. So what it inflates to has a bound as well:
  // 512 bytes of a 4K store hold 65,512 at most.
  if (sum.stored > blocks.sourceSize) {
    throw limit(`a data tree that takes ${sum.stored} bytes in a file of ${blocks.sourceSize}`);
  }
  if (total !== xblock.lcbTotal) throw wrongTotal(total, xblock.lcbTotal, bid, where);
  return { indices, total };
}
