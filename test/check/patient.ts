/**
 * A store in memory to be damaged on purpose: one thing at a time, with every checksum made good again, so that exactly
 * one rule is broken. The store is built without encoding, so blocks can be edited where they lie.
 * @module
 */
import { buildStore } from '../../src/build/store.js';
import { checkStore } from '../../src/check/check.js';
import type { Finding, Profile } from '../../src/check/findings.js';
import { Core } from '../../src/core/core.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { MAP } from '../../src/wire/map.js';
import { PTYPE } from '../../src/wire/page.js';
import { MemoryFile } from '../memory-file.js';

const core = Core.load();
const PAGE_SIZE = 512;
const CRC_AT = 4; // in PAGETRAILER and BLOCKTRAILER

const address = (name: string) => ({ name, address: `${name.toLowerCase()}@example.com` });

/** A store with one of everything, and enough messages for trees of two levels. */
function build(): MemoryFile {
  const file = new MemoryFile();
  const recordKey = Uint8Array.from({ length: 16 }, (_, i) => 0x10 + i);
  const now = new Date('2024-05-06T07:08:09Z');
  buildStore(file, { recordKey, now, crypt: 'none', displayName: 'Patient' }, (b) => {
    const inbox = b.ipmSubtree.folder('Inbox', { containerClass: 'IPF.Note' });
    const inside = inbox.folder('Inside');
    inside.associated({ messageClass: 'IPM.Configuration.Test', subject: 'settings' });
    inside.message({
      subject: 'RE: With everything',
      body: 'Body',
      sender: address('Sam'),
      to: [address('Anna'), address('Ben')],
      cc: [address('Carl')],
      read: true,
      named: [
        { set: '00020329-0000-0000-C000-000000000046', name: 'Keywords', type: 0x1f, value: 'one' },
        { set: '00062008-0000-0000-C000-000000000046', name: 0x8501, type: 3, value: 15 },
      ],
      attachments: [
        { name: 'long.bin', data: new Uint8Array(40_000).fill(7) },
        { name: 'short.txt', data: Uint8Array.of(1, 2, 3) },
        { name: 'inner', message: { subject: 'Inner', body: 'inside', to: [address('Dora')] } },
      ],
    });
    for (let i = 0; i < 70; i++) inbox.message({ subject: `Message ${i}`, body: `Text ${i}`, to: [address('Anna')] });
  });
  return file;
}

let built: MemoryFile | undefined;

export interface Place {
  /** Offset in the file. */
  readonly at: number;
  readonly size: number;
}

export class Patient {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The store as it was. */
  readonly ndb: Ndb;
  readonly #blocks = new Set<number>();
  readonly #pages = new Set<number>();

  constructor(bytes?: Uint8Array) {
    if (bytes === undefined) built ??= build();
    this.bytes = (bytes ?? built!.bytes).slice();
    this.view = new DataView(this.bytes.buffer);
    this.ndb = Ndb.open(new MemoryFile('patient.pst', this.bytes), core);
  }

  // --- places ---------------------------------------------------------------------------------------------------------

  /** The payload of a block. Its checksum is made good at the end. */
  block(bid: number): Place {
    const i = this.ndb.bbt.find(bid);
    if (i < 0) throw new Error(`no block 0x${bid.toString(16)}`);
    this.#blocks.add(i);
    return { at: this.ndb.bbt.ib(i), size: this.ndb.bbt.cb(i) };
  }

  /** Where the trailer of a block is; nothing is made good. */
  blockTrailer(bid: number): number {
    const i = this.ndb.bbt.find(bid);
    const cb = this.ndb.bbt.cb(i);
    return this.ndb.bbt.ib(i) + Math.ceil((cb + 16) / 64) * 64 - 16;
  }

  page(ib: number): number {
    this.#pages.add(ib);
    return ib;
  }

  node(nid: number): { bidData: number; bidSub: number } {
    const i = this.ndb.getNode(nid);
    return { bidData: this.ndb.nbt.bidData(i), bidSub: this.ndb.nbt.bidSub(i) };
  }

  /** The subnode `sub` of node `nid`; of that the next, and so on. */
  subnode(nid: number, ...path: number[]): { bidData: number; bidSub: number } {
    let at = this.node(nid);
    for (const sub of path) {
      const index = this.ndb.subnodes(at.bidSub, {});
      const k = index.find(sub);
      if (k < 0) throw new Error(`no subnode 0x${sub.toString(16)}`);
      at = { bidData: index.bidData(k), bidSub: index.bidSub(k) };
    }
    return at;
  }

  /** NIDs of the subnodes of one type. */
  subnodesOf(bidSub: number, type: number): number[] {
    const index = this.ndb.subnodes(bidSub, {});
    return Array.from({ length: index.count }, (_, k) => index.nid(k)).filter((nid) => (nid & 0x1f) === type);
  }

  /** Pages of a tree by level, the root's first. */
  treePages(tree: 'nbt' | 'bbt'): number[][] {
    let level = [this.ndb.header.root[tree].ib];
    const levels = [level];
    while (this.view.getUint8(level[0]! + 491) > 0) {
      const next: number[] = [];
      for (const ib of level) {
        for (let e = 0; e < this.view.getUint8(ib + 488); e++) next.push(this.view.getUint32(ib + e * 24 + 16, true));
      }
      levels.push(next);
      level = next;
    }
    return levels;
  }

  /** The leaf entry of a node or block; its page is made good at the end. */
  entry(tree: 'nbt' | 'bbt', key: number): number {
    const size = tree === 'nbt' ? 32 : 24;
    for (const ib of this.treePages(tree).at(-1)!) {
      for (let e = 0; e < this.view.getUint8(ib + 488); e++) {
        if (this.view.getUint32(ib + e * size, true) === key) return this.page(ib) + e * size;
      }
    }
    throw new Error(`no entry 0x${key.toString(16)}`);
  }

  // --- heaps of one block -----------------------------------------------------------------------------------------------

  /** Where a heap item lies. */
  item(bid: number, hid: number): Place {
    const { at } = this.block(bid);
    const slot = at + this.view.getUint16(at, true) + 4 + 2 * ((hid >>> 5) - 1);
    const from = this.view.getUint16(slot, true);
    return { at: at + from, size: this.view.getUint16(slot + 2, true) - from };
  }

  #root(bid: number): Place {
    return this.item(bid, this.view.getUint32(this.block(bid).at + 4, true));
  }

  /** Leaf records of the BTH whose header is `header`. */
  #records(bid: number, header: Place): Place {
    return this.item(bid, this.view.getUint32(header.at + 4, true));
  }

  /** The 8-byte record of a property. */
  property(bid: number, tag: number): number {
    const records = this.#records(bid, this.#root(bid));
    for (let at = records.at; at < records.at + records.size; at += 8) {
      const found = (this.view.getUint16(at, true) << 16) | this.view.getUint16(at + 2, true);
      if (found >>> 0 === tag) return at;
    }
    throw new Error(`no property 0x${tag.toString(16)}`);
  }

  /** The heap item that holds a property's value. */
  value(bid: number, tag: number): Place {
    return this.item(bid, this.view.getUint32(this.property(bid, tag) + 4, true));
  }

  /** TCINFO, its columns, and the rows when they are a heap item. */
  table(bid: number): { info: number; column(tag: number): number; rowIndex: Place; rows: Place; rowSize: number } {
    const info = this.#root(bid).at;
    const { view } = this;
    const hnidRows = view.getUint32(info + 14, true);
    return {
      info,
      column: (tag) => {
        for (let k = 0; k < view.getUint8(info + 1); k++) {
          if (view.getUint32(info + 22 + 8 * k, true) === tag) return info + 22 + 8 * k;
        }
        throw new Error(`no column 0x${tag.toString(16)}`);
      },
      rowIndex: this.#records(bid, this.item(bid, view.getUint32(info + 10, true))),
      rows: this.item(bid, hnidRows),
      rowSize: view.getUint16(info + 8, true),
    };
  }

  /** The cell of a column in row `row`, and the byte and mask of its existence bit. */
  cell(
    bid: number,
    row: number,
    tag: number,
    rowsAt?: number,
  ): { at: number; size: number; bit: number; mask: number } {
    const { info, rowSize } = this.table(bid);
    const column = this.table(bid).column(tag);
    const base = (rowsAt ?? this.table(bid).rows.at) + row * rowSize;
    const iBit = this.view.getUint8(column + 7);
    return {
      at: base + this.view.getUint16(column + 4, true),
      size: this.view.getUint8(column + 6),
      bit: base + this.view.getUint16(info + 6, true) + (iBit >>> 3),
      mask: 0x80 >>> (iBit & 7),
    };
  }

  // --- healing and judging ----------------------------------------------------------------------------------------------

  #crc(at: number, size: number): number {
    const ptr = core.put(this.bytes.subarray(at, at + size));
    const sum = core.x.crc(ptr, 0, size) >>> 0;
    core.x.free(ptr);
    return sum;
  }

  /** Makes the checksums of all that was asked for good. */
  heal(): void {
    for (const i of this.#blocks) {
      const { bbt } = this.ndb;
      this.view.setUint32(this.blockTrailer(bbt.bid(i)) + CRC_AT, this.#crc(bbt.ib(i), bbt.cb(i)), true);
    }
    for (const ib of this.#pages)
      this.view.setUint32(ib + PAGE_SIZE - 16 + CRC_AT, this.#crc(ib, PAGE_SIZE - 16), true);
    this.view.setUint32(4, this.#crc(8, 471), true);
    this.view.setUint32(524, this.#crc(8, 516), true);
  }

  findings(profile: Profile = 'own', bytes = this.bytes): readonly Finding[] {
    return checkStore(new MemoryFile('patient.pst', bytes), Core.load(), { profile }).findings;
  }

  /** Rules broken, each once, sorted. */
  rules(profile: Profile = 'own'): string[] {
    return [...new Set(this.findings(profile).map(({ rule }) => rule))].sort();
  }
}

export const AMAP_AT = MAP[1].ibFirst;
export const PMAP_AT = AMAP_AT + PAGE_SIZE;
export { PAGE_SIZE, PTYPE };

/** The message with everything in it; one with text and a recipient. */
export const FIRST = 0x200024;
export const SECOND = 0x200064;
