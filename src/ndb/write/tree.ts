/**
 * Data trees: a stream of bytes as one block, an XBLOCK over blocks, or an XXBLOCK over XBLOCKs.
 * MS-PST 2.2.2.8.3.2. Every leaf but the last holds 8,176 bytes (format.md section 4).
 * @module
 */

import type { Core } from '../../core/core.js';
import { SITE_HOST } from '../../core/site.js';
import { PstError, UsageError } from '../../errors.js';
import { BLOCK, BTYPE, XBLOCK } from '../../wire/block.js';
import { bidKey } from '../../wire/btree.js';
import { u64 } from '../../wire/struct.js';
import { UNICODE } from '../../wire/variant.js';

export const { maxPayload: LEAF_SIZE, xblockMax: XBLOCK_MAX } = BLOCK[UNICODE];
/** lcbTotal is 32 bits wide: what a tree cannot say it cannot hold. 2.2.2.8.3.2.1. */
export const TREE_MAX = 2 ** 32 - 1;

/** What a tree needs of the store it is written to. */
export interface BlockTarget {
  readonly core: Core;
  addBlock(src: number, srcAt: number, cb: number, options?: { internal?: boolean }): number;
}

/**
 * Writes one data tree, leaf by leaf. Keeps the BIDs of one XBLOCK and those of the XBLOCKs, never the data.
 * Leaves come from core memory (`pushLeaf`), from blocks already in the store (`pushBlock`) or out of a
 * byte stream (`write`); a tree uses `write` or the others, not both.
 */
export class DataTreeWriter {
  readonly #target: BlockTarget;
  #leaves: number[] = [];
  #leafTotal = 0;
  readonly #xblocks: number[] = [];
  #total = 0;
  #isLastLeaf = false;
  /** Bytes of `write` that do not fill a leaf yet, in core memory. */
  #stage = 0;
  #staged = 0;

  constructor(target: BlockTarget) {
    this.#target = target;
  }

  /** Decoded bytes pushed so far. */
  get size(): number {
    return this.#total + this.#staged;
  }

  /** Adds a leaf of `cb` decoded bytes at `src` + `srcAt` in core memory. Only the last may be shorter than 8,176. */
  pushLeaf(src: number, srcAt: number, cb: number): void {
    if (cb === 0) return; // there are no blocks without bytes
    this.#admit(cb);
    this.#add(this.#target.addBlock(src, srcAt, cb), cb);
  }

  /** Adds a leaf that is in the store already, or will be: its BID and decoded size. */
  pushBlock(bid: number, cb: number): void {
    this.#admit(cb);
    this.#add(bidKey(bid), cb);
  }

  /** Adds bytes; leaves are cut from them. */
  write(bytes: Uint8Array): void {
    const { core } = this.#target;
    let done = 0;
    while (done < bytes.length) {
      if (this.#stage === 0) this.#stage = core.x.alloc(LEAF_SIZE, SITE_HOST);
      const n = Math.min(bytes.length - done, LEAF_SIZE - this.#staged);
      core.u8.set(bytes.subarray(done, done + n), this.#stage + this.#staged);
      this.#staged += n;
      done += n;
      if (this.#staged === LEAF_SIZE) this.#flushStage();
    }
  }

  /** Completes the tree. Returns the BID of its root, 0 when nothing was pushed. */
  finish(): number {
    if (this.#staged > 0) this.#flushStage();
    this.abandon();
    if (this.#xblocks.length === 0 && this.#leaves.length <= 1) return this.#leaves[0] ?? 0;
    this.#closeXBlock();
    if (this.#xblocks.length === 1) return this.#xblocks[0]!;
    return this.#addXBlock(2, this.#xblocks, this.#total);
  }

  /** Gives the core's memory back without completing the tree. */
  abandon(): void {
    if (this.#stage !== 0) this.#target.core.x.free(this.#stage);
    this.#stage = 0;
    this.#staged = 0;
  }

  #flushStage(): void {
    const cb = this.#staged;
    this.#staged = 0;
    this.pushLeaf(this.#stage, 0, cb);
  }

  #admit(cb: number): void {
    if (this.#isLastLeaf) throw new UsageError('USAGE', `a leaf after one shorter than ${LEAF_SIZE} bytes`);
    if (cb <= 0 || cb > LEAF_SIZE) throw new UsageError('USAGE', `a leaf of ${cb} bytes; 1 to ${LEAF_SIZE} fit`);
    if (this.#total + cb > TREE_MAX) {
      throw new PstError('PST_LIMIT', `a data tree holds at most ${TREE_MAX} bytes`, { section: '2.2.2.8.3.2.1' });
    }
  }

  #add(bid: number, cb: number): void {
    if (this.#leaves.length === XBLOCK_MAX) this.#closeXBlock();
    this.#isLastLeaf = cb < LEAF_SIZE;
    this.#leaves.push(bid);
    this.#leafTotal += cb;
    this.#total += cb;
  }

  #closeXBlock(): void {
    this.#xblocks.push(this.#addXBlock(1, this.#leaves, this.#leafTotal));
    this.#leaves = [];
    this.#leafTotal = 0;
  }

  #addXBlock(cLevel: 1 | 2, bids: readonly number[], lcbTotal: number): number {
    const { core } = this.#target;
    const cb = XBLOCK.size + bids.length * u64.size;
    const block = core.x.alloc(cb, SITE_HOST);
    const view = core.view;
    XBLOCK.write(view, block, { btype: BTYPE.X, cLevel, cEnt: bids.length, lcbTotal });
    bids.forEach((bid, i) => {
      u64.set(view, block + XBLOCK.size + i * u64.size, bid);
    });
    const bid = this.#target.addBlock(block, 0, cb, { internal: true });
    core.x.free(block);
    return bid;
  }
}
