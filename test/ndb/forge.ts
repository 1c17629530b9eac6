/**
 * Makes small stores in memory, sound or not: blocks and pages are written as told, with the right checksums, so that
 * what a test has bent is the only thing wrong. Reads nothing and shares no code with the readers but the wire tables.
 */
import { BLOCK, wireSize } from '../../src/wire/block.js';
import { BTREE } from '../../src/wire/btree.js';
import { HEADER, HEADER_ANSI, MAGIC, type ROOT } from '../../src/wire/header.js';
import { PAGE, PTYPE } from '../../src/wire/page.js';
import { ANSI, UNICODE_4K, type Variant } from '../../src/wire/variant.js';

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});

/** MS-PST 5.3: start 0, no inversion at the end. */
export function crc(data: Uint8Array): number {
  let sum = 0;
  for (const byte of data) sum = TABLE[(sum ^ byte) & 0xff]! ^ (sum >>> 8);
  return sum >>> 0;
}

const sign = (bid: number, ib: number): number => {
  const x = Number((BigInt(bid) ^ BigInt(ib)) & 0xffffffffn);
  return ((x >>> 16) ^ x) & 0xffff;
};

export interface Ref {
  bid: number;
  ib: number;
}
export interface NodeEntry {
  nid: number;
  bidData: number;
  bidSub: number;
  nidParent?: number;
}
export interface BlockEntry extends Ref {
  cb: number;
  cbInflated: number;
  cRef: number;
}
type Entry = { key: number; bytes: Uint8Array };

export class Forge {
  bytes = new Uint8Array(1 << 20);
  readonly blocks: BlockEntry[] = [];
  #ib: number;
  #bidPage = 0x100;

  constructor(readonly variant: Variant) {
    this.#ib = variant === UNICODE_4K ? 0x24000 : 0x4800;
  }

  get view(): DataView {
    return new DataView(this.bytes.buffer);
  }

  #take(size: number, align: number): number {
    const ib = Math.ceil(this.#ib / align) * align;
    this.#ib = ib + size;
    while (this.#ib > this.bytes.length) {
      const more = new Uint8Array(this.bytes.length * 2);
      more.set(this.bytes);
      this.bytes = more;
    }
    return ib;
  }

  /** Writes a block, and what it is to be in the BBT. `stored` differs from the payload when it is deflated. */
  block(bid: number, stored: Uint8Array, cbInflated = stored.length): number {
    const wire = wireSize(stored.length, this.variant);
    const ib = this.#take(wire, BLOCK[this.variant].unit);
    this.bytes.set(stored, ib);
    this.blocks.push({ bid, ib, cb: stored.length, cbInflated, cRef: 2 });
    this.trailer(ib, bid, stored.length, cbInflated);
    return bid;
  }

  /** Writes the trailer of the block at `ib` (anew, after a change). */
  trailer(ib: number, bid: number, cb: number, cbInflated = cb): void {
    const { trailer } = BLOCK[this.variant];
    const dwCRC = crc(this.bytes.subarray(ib, ib + cb));
    const values = { cb, wSig: sign(bid, ib), dwCRC, bid, wUnknown: 2, cbInflated, dwUnknown: 0 };
    trailer.write(this.view, ib + wireSize(cb, this.variant) - trailer.size, values);
  }

  /** XBLOCK or XXBLOCK. */
  xblock(bid: number, cLevel: number, bids: readonly number[], lcbTotal: number): number {
    return this.block(
      bid,
      this.#internal(
        1,
        cLevel,
        bids.length,
        lcbTotal,
        bids.map((b) => [b]),
      ),
    );
  }

  slblock(bid: number, entries: readonly NodeEntry[], cLevel = 0, cEnt = entries.length): number {
    const cells = entries.map((e) => [e.nid, e.bidData, e.bidSub]);
    return this.block(bid, this.#internal(2, cLevel, cEnt, undefined, cells));
  }

  siblock(bid: number, entries: readonly { nid: number; bid: number }[]): number {
    return this.block(
      bid,
      this.#internal(
        2,
        1,
        entries.length,
        undefined,
        entries.map((e) => [e.nid, e.bid]),
      ),
    );
  }

  #internal(btype: number, cLevel: number, cEnt: number, total: number | undefined, cells: number[][]): Uint8Array {
    const ansi = this.variant === ANSI;
    const width = ansi ? 4 : 8;
    const head = total === undefined && ansi ? 4 : 8;
    const bytes = new Uint8Array(head + cells.length * (cells[0]?.length ?? 0) * width);
    const view = new DataView(bytes.buffer);
    view.setUint8(0, btype);
    view.setUint8(1, cLevel);
    view.setUint16(2, cEnt, true);
    if (total !== undefined) view.setUint32(4, total, true);
    let at = head;
    for (const cell of cells.flat()) {
      if (ansi) view.setUint32(at, cell, true);
      else view.setBigUint64(at, BigInt(cell), true);
      at += width;
    }
    return bytes;
  }

  page(
    ptype: number,
    cLevel: number,
    entries: readonly Uint8Array[],
    counts: { cEnt?: number; cbEnt?: number } = {},
  ): Ref {
    const { size, entries: area, counts: struct } = PAGE[this.variant];
    const ib = this.#take(size, size);
    const bid = this.#bidPage++;
    let at = ib;
    for (const entry of entries) {
      this.bytes.set(entry, at);
      at += entry.length;
    }
    const { branch, branchMax, nbt, nbtMax, bbt, bbtMax } = BTREE[this.variant];
    const [cbEnt, cEntMax] =
      cLevel > 0 ? [branch.size, branchMax] : ptype === PTYPE.NBT ? [nbt.size, nbtMax] : [bbt.size, bbtMax];
    const rgPadding = new Uint8Array(10);
    struct.write(this.view, ib + area, {
      cEnt: entries.length,
      cEntMax,
      cbEnt,
      cLevel,
      dwPadding: 0,
      rgPadding,
      ...counts,
    });
    this.sealPage(ib, bid, ptype);
    return { bid, ib };
  }

  /** Writes the trailer of the page at `ib` (anew, after a change). */
  sealPage(ib: number, bid: number, ptype: number): void {
    const { trailer, trailerAt } = PAGE[this.variant];
    const dwCRC = crc(this.bytes.subarray(ib, ib + trailerAt));
    const qwUnknown = new Uint8Array(8);
    const values = { ptype, ptypeRepeat: ptype, wSig: sign(bid, ib), dwCRC, bid, qwUnknown };
    trailer.write(this.view, ib + trailerAt, values);
  }

  branch(key: number, ref: Ref): Uint8Array {
    const { branch } = BTREE[this.variant];
    const bytes = new Uint8Array(branch.size);
    branch.write(new DataView(bytes.buffer), 0, { btkey: key, bid: ref.bid, ib: ref.ib });
    return bytes;
  }

  nodeEntry({ nid, bidData, bidSub, nidParent = 0 }: NodeEntry): Uint8Array {
    const { nbt } = BTREE[this.variant];
    const bytes = new Uint8Array(nbt.size);
    nbt.write(new DataView(bytes.buffer), 0, { nid, bidData, bidSub, nidParent, nidPadding: 0, dwPadding: 0 });
    return bytes;
  }

  blockEntry(entry: BlockEntry): Uint8Array {
    const { bbt } = BTREE[this.variant];
    const bytes = new Uint8Array(bbt.size);
    bbt.write(new DataView(bytes.buffer), 0, { ...entry, dwPadding: 0, wPadding: 0 });
    return bytes;
  }

  /** A tree of full pages. */
  tree(ptype: number, entries: readonly Entry[]): Ref {
    const { branchMax, nbtMax, bbtMax } = BTREE[this.variant];
    let level: readonly Entry[] = entries;
    for (let cLevel = 0; ; cLevel++) {
      const max = cLevel > 0 ? branchMax : ptype === PTYPE.NBT ? nbtMax : bbtMax;
      const next: Entry[] = [];
      for (let i = 0; i < Math.max(level.length, 1); i += max) {
        const part = level.slice(i, i + max);
        const ref = this.page(
          ptype,
          cLevel,
          part.map((e) => e.bytes),
        );
        if (level.length <= max) return ref;
        next.push({ key: part[0]!.key, bytes: this.branch(part[0]!.key, ref) });
      }
      level = next;
    }
  }

  nbt(nodes: readonly NodeEntry[]): Ref {
    const sorted = [...nodes].sort((a, b) => a.nid - b.nid);
    return this.tree(
      PTYPE.NBT,
      sorted.map((n) => ({ key: n.nid, bytes: this.nodeEntry(n) })),
    );
  }

  /** Of all blocks written so far. */
  bbt(): Ref {
    const sorted = [...this.blocks].sort((a, b) => a.bid - b.bid);
    return this.tree(
      PTYPE.BBT,
      sorted.map((b) => ({ key: b.bid, bytes: this.blockEntry(b) })),
    );
  }

  /** Writes the header and returns the store. */
  finish(nbt: Ref, bbt: Ref = this.bbt()): Uint8Array {
    const ibFileEof = this.#ib;
    const root: Parameters<typeof ROOT.write>[2] = {
      dwReserved: 0,
      ibFileEof,
      ibAMapLast: 0,
      cbAMapFree: 0,
      cbPMapFree: 0,
      BREFNBT: nbt,
      BREFBBT: bbt,
      fAMapValid: 2,
      bReserved: 0,
      wReserved: 0,
    };
    const ansi = this.variant === ANSI;
    const header = {
      dwMagic: MAGIC,
      dwCRCPartial: 0,
      dwCRCFull: 0,
      wMagicClient: 0x4d53,
      wVer: [14, 23, 36][this.variant]!,
      wVerClient: 19,
      bPlatformCreate: 1,
      bPlatformAccess: 1,
      dwReserved1: 0,
      dwReserved2: 0,
      dwReserved: 0,
      dwAlign: 0,
      bidUnused: new Uint8Array(8),
      qwUnused: new Uint8Array(8),
      ullReserved: new Uint8Array(8),
      bidNextP: 0x10000,
      bidNextB: 0x10000,
      dwUnique: 1,
      rgnid: new Uint32Array(32).fill(0x400),
      root,
      rgbFM: new Uint8Array(128).fill(0xff),
      rgbFP: new Uint8Array(128).fill(0xff),
      bSentinel: 0x80,
      bCryptMethod: 0,
      rgbReserved: new Uint8Array(2),
      rgbReserved2: new Uint8Array(3),
      bReserved: 0,
      rgbReserved3: new Uint8Array(32),
    };
    if (ansi) HEADER_ANSI.write(this.view, 0, header);
    else HEADER.write(this.view, 0, header);
    this.sealHeader();
    return this.bytes.slice(0, ibFileEof);
  }

  sealHeader(): void {
    sealHeader(this.bytes, this.variant);
  }
}

export function sealHeader(bytes: Uint8Array, variant: Variant): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(4, crc(bytes.subarray(8, 479)), true);
  if (variant !== ANSI) view.setUint32(524, crc(bytes.subarray(8, 524)), true);
}
