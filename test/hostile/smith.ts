/** Makes stores to hurt: blocks and pages as test/ndb/forge.ts makes them, and heaps as the core writes them. @module */
import { expect } from 'vitest';
import { Core } from '../../src/core/core.js';
import { encodePc } from '../../src/ltp/pc.js';
import type { PropertyStream } from '../../src/ltp/stream.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { type Column, TableWriter, tcInfo } from '../../src/ltp/table.js';
import { UNICODE, type Variant } from '../../src/wire/variant.js';
import { Forge, type NodeEntry } from '../ndb/forge.js';
import { survive, type Verdict } from './survive.js';

const core = Core.load();
export const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'utf16le'));

/** A forge that knows heaps. */
export class Smith {
  readonly forge: Forge;
  #bid = 4;

  constructor(readonly variant: Variant = UNICODE) {
    this.forge = new Forge(variant);
  }

  bid(internal = false): number {
    this.#bid += 4;
    return this.#bid - 4 + (internal ? 2 : 0);
  }

  data(bytes: Uint8Array, inflated?: number): number {
    return this.forge.block(this.bid(), bytes, inflated);
  }

  tree(leaves: readonly number[], total: number): number {
    return this.forge.xblock(this.bid(true), 1, leaves, total);
  }

  sub(entries: readonly NodeEntry[]): number {
    return this.forge.slblock(
      this.bid(true),
      [...entries].sort((a, b) => a.nid - b.nid),
    );
  }

  /** Puts `bytes` over the first place in block `bid` that has `found`, and seals the block. */
  bend(bid: number, found: readonly number[], bytes: readonly number[]): void {
    const { ib, cb } = this.forge.blocks.find((block) => block.bid === bid)!;
    const at = Buffer.from(this.forge.bytes.subarray(ib, ib + cb)).indexOf(Uint8Array.from(found));
    if (at < 0) throw new Error('not found');
    this.forge.bytes.set(bytes, ib + at);
    this.forge.trailer(ib, bid, cb);
  }

  /** The leaves of a chain of the core. */
  chain(chain: number): number {
    const { x } = core;
    const leaves: Uint8Array[] = [];
    for (let k = 0; k < x.chainCount(chain); k++) {
      leaves.push(core.u8.slice(x.chainPtr(chain, k), x.chainPtr(chain, k) + x.chainSize(chain, k)));
    }
    x.chainFree(chain);
    const bids = leaves.map((leaf) => this.data(leaf));
    return bids.length === 1
      ? bids[0]!
      : this.tree(
          bids,
          leaves.reduce((sum, leaf) => sum + leaf.length, 0),
        );
  }

  pc(stream: StreamWriter): number {
    return this.chain(encodePc(core, stream.build(), {}));
  }

  /** A table of rows with an id each. */
  table(ids: readonly number[], rowsNid: number): { bidData: number; bidRows: number } {
    const columns = [
      { tag: 0x67f20003, ibData: 0, cbData: 4, iBit: 0 },
      { tag: 0x67f30003, ibData: 4, cbData: 4, iBit: 1 },
      { tag: 0x3001001f, ibData: 8, cbData: 4, iBit: 2 },
    ];
    const writer = new TableWriter(core, tcInfo(columns, [12, 12, 12, 13]), {});
    for (const id of ids) {
      writer.row(
        new StreamWriter().setInline(0x67f20003, id).setInline(0x67f30003, 1).set(0x3001001f, text('x')).build(id),
      );
    }
    const { heap, rows } = writer.end(rowsNid);
    return { bidData: this.chain(heap), bidRows: rows === 0 ? 0 : this.chain(rows) };
  }

  /** A small table of rows as they are, in the heap. */
  rows(columns: readonly Column[], rows: readonly PropertyStream[]): number {
    const [last] = columns.slice(-1);
    const end = last!.ibData + last!.cbData;
    const writer = new TableWriter(core, tcInfo(columns, [end, end, end, end + Math.ceil(columns.length / 8)]), {});
    for (const row of rows) writer.row(row);
    return this.chain(writer.end(0x3f).heap);
  }

  store(nodes: readonly NodeEntry[]): Uint8Array {
    const store = this.pc(new StreamWriter().set(0x0ff90102, new Uint8Array(16).fill(3)));
    const root = this.pc(new StreamWriter().set(0x3001001f, text('')));
    const fixed = [
      { nid: 0x21, bidData: store, bidSub: 0 },
      { nid: 0x122, bidData: root, bidSub: 0, nidParent: 0x122 },
    ].filter(({ nid }) => !nodes.some((node) => node.nid === nid));
    return this.forge.finish(this.forge.nbt([...fixed, ...nodes]));
  }
}

export const message = (k: number): number => 0x200024 + 32 * k;

/** What becomes of an attack: survive() throws where it may not. Each took seconds at most, or it would not be borne. */
export function attack(name: string, bytes: Uint8Array): Verdict {
  const verdict = survive(name, bytes);
  expect(verdict.slowestMs, verdict.slowest).toBeLessThan(8000);
  return verdict;
}
