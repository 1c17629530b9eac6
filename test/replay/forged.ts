/** Small stores made by hand, as test/ndb/forge.ts makes them, with heaps as the core writes them; the first node is a message. */
import { Core } from '../../src/core/core.js';
import { encodePc } from '../../src/ltp/pc.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { TableWriter, tcInfo } from '../../src/ltp/table.js';
import { UNICODE } from '../../src/wire/variant.js';
import { Forge, type NodeEntry } from '../ndb/forge.js';

const core = Core.load('raw');
export const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'utf16le'));
const ROW_ID = 0x67f20003;

export class Forged {
  readonly forge = new Forge(UNICODE);
  #bid = 4;

  bid(isInternal = false): number {
    this.#bid += 4;
    return this.#bid - 4 + (isInternal ? 2 : 0);
  }

  data(bytes: Uint8Array): number {
    return this.forge.block(this.bid(), bytes);
  }

  sub(entries: readonly NodeEntry[]): number {
    return this.forge.slblock(this.bid(true), entries);
  }

  /** Puts `bytes` over the first place in block `bid` that has `found`, its checksum right. */
  bend(bid: number, found: readonly number[], bytes: readonly number[]): void {
    const { ib, cb } = this.forge.blocks.find((block) => block.bid === bid)!;
    const at = Buffer.from(this.forge.bytes.subarray(ib, ib + cb)).indexOf(Uint8Array.from(found));
    if (at < 0) throw new Error('not found');
    this.forge.bytes.set(bytes, ib + at);
    this.forge.trailer(ib, bid, cb);
  }

  /** The leaves of a chain of the core. */
  #chain(chain: number): number {
    const { x } = core;
    const leaves = Array.from({ length: x.chainCount(chain) }, (_, k) => {
      const ptr = x.chainPtr(chain, k);
      return core.u8.slice(ptr, ptr + x.chainSize(chain, k));
    });
    x.chainFree(chain);
    const bids = leaves.map((leaf) => this.data(leaf));
    const total = leaves.reduce((sum, leaf) => sum + leaf.length, 0);
    return bids.length === 1 ? bids[0]! : this.forge.xblock(this.bid(true), 1, bids, total);
  }

  pc(stream: StreamWriter): number {
    return this.#chain(encodePc(core, stream.build(), {}));
  }

  /** A table of rows that hold their ids and a word each. */
  table(ids: readonly number[], rowsNid: number, word: string): { bidData: number; bidRows: number } {
    const columns = [
      { tag: ROW_ID, ibData: 0, cbData: 4, iBit: 0 },
      { tag: 0x67f30003, ibData: 4, cbData: 4, iBit: 1 },
      { tag: 0x3001001f, ibData: 8, cbData: 4, iBit: 2 },
    ];
    const writer = new TableWriter(core, tcInfo(columns, [12, 12, 12, 13]), {});
    for (const id of ids) {
      const row = new StreamWriter().setInline(ROW_ID, id).setInline(0x67f30003, 1).set(0x3001001f, text(word));
      writer.row(row.build(id));
    }
    const { heap, rows } = writer.end(rowsNid);
    return { bidData: this.#chain(heap), bidRows: rows === 0 ? 0 : this.#chain(rows) };
  }

  store(nodes: readonly NodeEntry[]): Uint8Array<ArrayBuffer> {
    return this.forge.finish(this.forge.nbt(nodes)) as Uint8Array<ArrayBuffer>;
  }
}
