/**
 * One operation: everything a clone does with one node. It reads the node, digests it, and brings it to the target, either by keeping its
 * blocks or by encoding it anew. An operation depends on nothing but the node, its blocks and the options, so it can be repeated
 * alone, on another machine: src/replay.
 * @module
 */
import { hex } from '../errors.js';
import type { Ndb } from '../ndb/ndb.js';
import type { StoreWriter } from '../ndb/write/store-writer.js';
import { storedCrc } from '../wire/block.js';
import type { Amendment } from './amendment.js';
import type { Report } from './content.js';
import { messagesOf, rebuildContents } from './contents.js';
import { NodeDigester } from './digest.js';
import type { Plan } from './plan.js';
import { Reencoder } from './reencode.js';

export class NodeCopier {
  readonly digester: NodeDigester;
  readonly #reencoder: Reencoder | undefined;
  /** Writes what is amended. */
  readonly #amender: Reencoder;
  readonly #isCopied: Uint8Array;
  /** Their CRCs as verified in the source, by place in its BBT. */
  readonly #crcs: Uint32Array;
  /** Blocks copied as they are. */
  kept = 0;
  #hasAmended = false;

  /** `report` hears of damage inside nodes that the copy survives. */
  constructor(
    readonly source: Ndb,
    readonly writer: StoreWriter,
    reencode: boolean,
    report: Report,
  ) {
    const { bbt } = source;
    this.#isCopied = new Uint8Array(bbt.count);
    this.#crcs = new Uint32Array(bbt.count);
    const copy = (index: number, lo: number, at: number): void => {
      if (this.#isCopied[index]) return;
      this.#isCopied[index] = 1;
      this.kept++;
      const cb = bbt.cb(index);
      this.#crcs[index] = storedCrc(source.core.view, lo + at, cb);
      writer.copyBlock(bbt.bid(index), lo, at, cb);
    };
    this.digester = new NodeDigester(source, report);
    // What the digester has reported it reports once; the re-encoder meets the same damage again.
    this.#reencoder = reencode ? new Reencoder(source, writer, copy, () => {}) : undefined;
    this.#amender = this.#reencoder ?? new Reencoder(source, writer, copy, () => {}, true);
    if (this.#reencoder === undefined) source.onBlock = copy;
  }

  /** Copies node `i` of the source; `before`, in a replay, is how many blocks the core had taken by then. Returns its digest. Throws PstError when a block cannot be read, CoreFault on a stop. */
  node(i: number, before?: number): Uint8Array {
    const { nbt, core } = this.source;
    const nid = nbt.nid(i);
    core.begin(nid, before);
    const digest = this.digester.node(i);
    const placed = this.#reencoder?.object(nid, nbt.bidData(i), nbt.bidSub(i), { nid });
    this.writer.addNode(nid, placed?.bidData ?? nbt.bidData(i), placed?.bidSub ?? nbt.bidSub(i), nbt.parent(i));
    core.x.endOperation();
    return digest;
  }

  /**
   * Writes what `amendment` makes of node `i`. Returns the digest it is to have. Throws PstError when a block cannot be read, and when the
   * node cannot be decoded; CoreFault on a stop.
   */
  amend(i: number, amendment: Amendment): Uint8Array {
    return this.#anew(i, (nid) => {
      const { nbt } = this.source;
      const digest = this.digester.node(i, amendment);
      return [this.#amender.object(nid, nbt.bidData(i), nbt.bidSub(i), { nid }, 0, amendment), digest];
    });
  }

  /** Makes table `i` anew from the messages that arrive. Throws PstError, CoreFault. */
  rebuild(i: number, plan: Plan): void {
    const { source, writer } = this;
    const nid = this.#anew(i, (nid) => [rebuildContents(source, writer, nid, plan), nid]);
    const all = messagesOf(source, nid, new Set());
    this.digester.tableRows.set(nid, all.length); // what the table would have listed
  }

  /** Runs the operation of node `i` with what `write` has written in its place. What is written anew does not take its old blocks along. */
  #anew<T>(i: number, write: (nid: number) => [placed: { bidData: number; bidSub: number }, result: T]): T {
    const { source, writer } = this;
    const { nbt, core, onBlock } = source;
    const nid = nbt.nid(i);
    core.begin(nid);
    this.#hasAmended = true;
    source.onBlock = undefined;
    try {
      const [placed, result] = write(nid);
      writer.addNode(nid, placed.bidData, placed.bidSub, nbt.parent(i));
      core.x.endOperation();
      return result;
    } finally {
      source.onBlock = onBlock;
    }
  }

  /** Throws when block `bid` of the target is not, by length and CRC, the one that was copied. One that was written anew has a BID the source does not have. */
  requireKept(bid: number, cb: number, dwCRC: number): void {
    const { bbt } = this.source;
    const index = bbt.find(bid);
    if (index < 0 && this.#hasAmended) return; // its node's digest is compared
    if (index >= 0 && this.#isCopied[index] && cb === bbt.cb(index) && dwCRC === this.#crcs[index]) return;
    throw new Error(`block ${hex(bid)} did not arrive as it was`);
  }

  /** Blocks of the source that no node led to; a clone leaves them behind. Only known when every block is kept. */
  get orphans(): number {
    if (this.#reencoder !== undefined) return 0;
    let count = 0;
    for (const isCopied of this.#isCopied) if (!isCopied) count++;
    return count;
  }

  /** No more nodes: the source goes back to plain reading. Law W7: counters exceed what is in use, whatever the source's header says. */
  close(): void {
    this.writer.useUnique(this.digester.lastVersion);
    this.source.onBlock = undefined;
  }
}
