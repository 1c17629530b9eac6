/**
 * A second reader for Unicode stores, for the writer's tests only: whole file in memory, numbers typed from the
 * specification by hand, nothing shared with src/. It believes nothing and throws at the first thing wrong.
 * @module
 */
import assert from 'node:assert/strict';

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});
function crc(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = CRC[(sum ^ byte) & 0xff]! ^ (sum >>> 8);
  return sum >>> 0;
}

const sig = (bid: number, ib: number): number => {
  const x = (bid >>> 0) ^ (ib >>> 0);
  return ((x >>> 16) ^ x) & 0xffff;
};

/** MS-PST 5.1. */
const R = Buffer.from(
  '41361362a8216ebbf416cc047f64e85d1ef2cb2a74c55e35d295479e962d9a884c7d843fdbac31b6485ff6c4d8398be7233b388ec8c1df25b120a546604e9cfbaad35651457c550007c92b9d859b09a08fadb30f63ab894bd7a7155a716642bf264a6b98faea7753b270052cfd593a867ece06eb827857c78d43afb41cd45bcde2e9274fc3087280cfb0eff5286dbe304d3492d50e3c2232e5e4f99fc2d10a8112e1ee918376e397e6618a1779a4b7dc907a5c8c02a6ca69de501a1193b9528758fced1d37491b6ae0293399bd6cd994f340546ff0c673b8d63e6518441fdd6710f10c19ecae03a1147ba90bfff8a3c0a201f72ebc2468750dfeba2fb5d0da3d',
  'hex',
);
const S = Buffer.from(
  '14530f56b3c87a9ceb65481716159f02cc547c83000d0c0ba262a876dbd9edc7c5a4dcac8574d6d0a79bae9a967166c36399b8dd73928e847da55ed15d93b1575150808952944f4e0a6bbc8d7f6e47464140440111cb033ff7f4e1a98f3c3af9fbf0193082092ec99da08649ee6f4d6dc42d813425871b88aafc06a11238fd4c4272641337246a757743ffe6b44b365ce4d8353d45b92cecb7312b290768a30e697b189e2139be281a5b78f523ca2ab0af3efe048ce7e5983295d3f64ae8a6eae9f3d52f7020f21f0567ad5510cecde3273bdabad7c226d4911dd21c2233f8faf15aefcf90b68bb5bdc0bf08971e6ce261e0c6c159abbb58de5fdf60797eb28a',
  'hex',
);
const I = new Uint8Array(256);
R.forEach((r, i) => {
  I[r] = i;
});

export function decode(bytes: Uint8Array, method: number, bid: number): Uint8Array {
  if (method === 0) return bytes;
  if (method === 1) return bytes.map((b) => I[b]!);
  const key = bid >>> 0;
  let w = (key ^ (key >>> 16)) & 0xffff;
  return bytes.map((b) => {
    const [low, high] = [w & 0xff, w >>> 8];
    b = (b + low) & 0xff;
    b = (R[b]! + high) & 0xff;
    b = (S[b]! - high) & 0xff;
    w = (w + 1) & 0xffff;
    return (I[b]! - low) & 0xff;
  });
}

export interface ParsedBlock {
  bid: number;
  ib: number;
  cb: number;
  cRef: number;
  data: Uint8Array;
}
export interface ParsedNode {
  nid: number;
  bidData: number;
  bidSub: number;
  nidParent: number;
}

export class ParsedStore {
  readonly view: DataView;
  readonly nodes = new Map<number, ParsedNode>();
  readonly blocks = new Map<number, ParsedBlock>();
  readonly pages: { ib: number; ptype: number; bid: number; cLevel: number; cEnt: number }[] = [];
  readonly bidNextP: number;
  readonly bidNextB: number;
  readonly rgnid: number[];
  readonly crypt: number;
  readonly intervals: number;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const v = this.view;
    assert.equal(v.getUint32(0, true), 0x4e444221);
    assert.equal(v.getUint32(4, true), crc(bytes.subarray(8, 479)), 'dwCRCPartial');
    assert.equal(v.getUint32(524, true), crc(bytes.subarray(8, 524)), 'dwCRCFull');
    assert.equal(v.getUint16(10, true), 23);
    assert.deepEqual([...bytes.subarray(14, 16)], [1, 1]);
    assert.equal(v.getUint8(248), 2, 'fAMapValid');
    assert.ok(bytes.subarray(256, 512).every((b) => b === 0xff));
    assert.equal(v.getUint8(512), 0x80);
    this.crypt = v.getUint8(513);
    this.bidNextP = this.u64(32);
    this.bidNextB = this.u64(516);
    this.rgnid = Array.from({ length: 32 }, (_, i) => v.getUint32(44 + 4 * i, true));
    assert.equal(this.u64(184), bytes.length, 'ibFileEof');
    assert.equal((bytes.length - 0x4400) % 253952, 0);
    this.intervals = (bytes.length - 0x4400) / 253952;
    assert.equal(this.u64(192), 0x4400 + (this.intervals - 1) * 253952, 'ibAMapLast');
    assert.equal(this.u64(208), 0, 'cbPMapFree');
    this.page(0x4200, 0x86, this.u64(0x4200 + 504));
    assert.deepEqual([...bytes.subarray(0x4200, 0x4208)], [1, 0, 0, 0, 0, 0, 0, 0]);

    this.walk(this.u64(216), this.u64(224), 0x81, 0, undefined, 0, Number.MAX_SAFE_INTEGER);
    this.walk(this.u64(232), this.u64(240), 0x80, 0, undefined, 0, Number.MAX_SAFE_INTEGER);
    this.maps();
    this.references();
  }

  u64(at: number): number {
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 2 ** 32;
  }

  page(ib: number, ptype: number, bid: number): void {
    const v = this.view;
    assert.equal(ib % 512, 0, 'pages lie on 512');
    assert.equal(v.getUint8(ib + 496), ptype, `ptype at 0x${ib.toString(16)}`);
    assert.equal(v.getUint8(ib + 497), ptype);
    const isMap = ptype >= 0x82 && ptype <= 0x85;
    assert.equal(this.u64(ib + 504), isMap ? ib : bid, 'page bid');
    assert.equal(v.getUint16(ib + 498, true), isMap ? 0 : sig(bid, ib), 'page wSig');
    assert.equal(v.getUint32(ib + 500, true), crc(this.bytes.subarray(ib, ib + 496)), 'page CRC');
    if (!isMap) assert.ok(bid > 0 && bid < this.bidNextP, 'bidNextP is above');
  }

  walk(
    bid: number,
    ib: number,
    ptype: number,
    depth: number,
    level: number | undefined,
    low: number,
    high: number,
  ): void {
    const v = this.view;
    this.page(ib, ptype, bid);
    const [cEnt, cEntMax, cbEnt, cLevel] = [488, 489, 490, 491].map((at) => v.getUint8(ib + at)) as [
      number,
      number,
      number,
      number,
    ];
    if (level !== undefined) assert.equal(cLevel, level, 'levels count down by one');
    assert.ok(depth < 10);
    const expected = cLevel > 0 ? [20, 24] : ptype === 0x81 ? [15, 32] : [20, 24];
    assert.deepEqual([cEntMax, cbEnt], expected);
    assert.ok(cEnt <= cEntMax);
    assert.ok(cEnt > 0 || depth === 0);
    this.pages.push({ ib, ptype, bid, cLevel, cEnt });
    let before = low - 1;
    for (let i = 0; i < cEnt; i++) {
      const at = ib + i * cbEnt;
      const key = this.u64(at);
      if (i === 0 && depth > 0) assert.equal(key, low, 'the key of the parent is the first of the child');
      assert.ok(key > before && key < high, 'keys ascend');
      before = key;
      if (cLevel > 0) {
        const next = i + 1 < cEnt ? this.u64(at + cbEnt) : high;
        this.walk(this.u64(at + 8), this.u64(at + 16), ptype, depth + 1, cLevel - 1, key, next);
      } else if (ptype === 0x81) {
        const nid = v.getUint32(at, true);
        assert.equal(nid, key);
        assert.equal(v.getUint32(at + 28, true), 0);
        const [bidData, bidSub] = [this.u64(at + 8), this.u64(at + 16)];
        this.nodes.set(nid, { nid, bidData, bidSub, nidParent: v.getUint32(at + 24, true) });
      } else {
        this.block(key, this.u64(at + 8), v.getUint16(at + 16, true), v.getUint16(at + 18, true));
      }
    }
  }

  block(bid: number, ib: number, cb: number, cRef: number): void {
    const v = this.view;
    assert.equal(bid % 2, 0, 'bit 0 is clear');
    assert.ok(bid < this.bidNextB, 'bidNextB is above');
    assert.ok(cb > 0 && cb <= 8176);
    assert.equal(ib % 64, 0);
    const size = Math.ceil((cb + 16) / 64) * 64;
    const t = ib + size - 16;
    assert.equal(v.getUint16(t, true), cb, 'block cb');
    assert.equal(v.getUint16(t + 2, true), sig(bid, ib), 'block wSig');
    assert.equal(v.getUint32(t + 4, true), crc(this.bytes.subarray(ib, ib + cb)), 'block CRC');
    assert.equal(this.u64(t + 8), bid, 'block bid');
    assert.ok(
      this.bytes.subarray(ib + cb, t).every((b) => b === 0),
      'padding is zero',
    );
    const stored = this.bytes.subarray(ib, ib + cb);
    const data = (bid & 2) !== 0 ? stored : decode(stored, this.crypt, bid);
    this.blocks.set(bid, { bid, ib, cb, cRef, data });
  }

  /** Every bit of every AMap, from the blocks and pages found. */
  maps(): void {
    let free = 0;
    const taken = new Uint8Array((this.bytes.length - 0x4400) / 64);
    const take = (ib: number, size: number): void => {
      const from = (ib - 0x4400) / 64;
      assert.ok(
        taken.subarray(from, from + size / 64).every((b) => b === 0),
        `0x${ib.toString(16)} is taken twice`,
      );
      taken.fill(1, from, from + size / 64);
    };
    for (let i = 0; i < this.intervals; i++) {
      const ib = 0x4400 + i * 253952;
      const due = [0x84];
      if (i % 8 === 0) due.push(0x83);
      if (i >= 128 && (i - 128) % 496 === 0) due.push(0x82);
      if (i >= 8192 && (i - 8192) % 31744 === 0) due.push(0x85);
      due.forEach((ptype, n) => {
        this.page(ib + n * 512, ptype, 0);
        take(ib + n * 512, 512);
      });
    }
    for (const { ib } of this.pages) take(ib, 512);
    for (const { ib, cb } of this.blocks.values()) take(ib, Math.ceil((cb + 16) / 64) * 64);
    for (let i = 0; i < this.intervals; i++) {
      const ib = 0x4400 + i * 253952;
      for (let bit = 0; bit < 3968; bit++) {
        const isTaken = (this.view.getUint8(ib + (bit >> 3)) & (0x80 >> (bit & 7))) !== 0;
        assert.equal(isTaken, taken[i * 3968 + bit] === 1, `AMap ${i} bit ${bit}`);
        if (!isTaken) free += 64;
      }
    }
    assert.equal(this.u64(200), free, 'cbAMapFree');
  }

  references(): void {
    const counts = new Map<number, number>();
    const refer = (bid: number): void => {
      if (bid === 0) return;
      const key = bid - (bid % 2);
      assert.ok(this.blocks.has(key), `bid 0x${bid.toString(16)} is not in the BBT`);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    };
    for (const { nid, bidData, bidSub } of this.nodes.values()) {
      refer(bidData);
      refer(bidSub);
      this.covers(nid);
    }
    for (const { bid, data } of this.blocks.values()) {
      if ((bid & 2) === 0) continue;
      const v = new DataView(data.buffer, data.byteOffset, data.length);
      const u64 = (at: number): number => v.getUint32(at, true) + v.getUint32(at + 4, true) * 2 ** 32;
      const cEnt = v.getUint16(2, true);
      if (data[0] === 1) {
        assert.equal(data.length, 8 + 8 * cEnt);
        for (let i = 0; i < cEnt; i++) refer(u64(8 + 8 * i));
      } else if (data[1] === 0) {
        assert.equal(data.length, 8 + 24 * cEnt);
        for (let i = 0; i < cEnt; i++) {
          this.covers(v.getUint32(8 + 24 * i, true));
          refer(u64(16 + 24 * i));
          refer(u64(24 + 24 * i));
        }
      } else {
        for (let i = 0; i < cEnt; i++) refer(u64(16 + 16 * i));
      }
    }
    for (const { bid, cRef } of this.blocks.values()) {
      assert.equal(cRef, 1 + (counts.get(bid) ?? 0), `cRef of 0x${bid.toString(16)}`);
      assert.ok(cRef >= 2, `0x${bid.toString(16)} is an orphan`);
    }
  }

  covers(nid: number): void {
    const type = nid & 0x1f;
    if (type !== 6 && type !== 7 && type !== 0x10) assert.ok(this.rgnid[type]! >= nid >>> 5, `rgnid[${type}]`);
  }

  /** The decoded bytes of a data tree; checks the shape of X and XX blocks. */
  tree(bid: number): Buffer {
    if (bid === 0) return Buffer.alloc(0);
    const { data } = this.blocks.get(bid - (bid % 2))!;
    if ((bid & 2) === 0) return Buffer.from(data);
    const v = new DataView(data.buffer, data.byteOffset, data.length);
    assert.equal(data[0], 1);
    const cEnt = v.getUint16(2, true);
    const parts: Buffer[] = [];
    for (let i = 0; i < cEnt; i++) {
      const child = v.getUint32(8 + 8 * i, true) + v.getUint32(12 + 8 * i, true) * 2 ** 32;
      assert.equal((child & 2) !== 0, data[1] === 2);
      const part = this.tree(child);
      if (i + 1 < cEnt) assert.equal(part.length, data[1] === 2 ? 1021 * 8176 : 8176, 'middle page not full');
      parts.push(part);
    }
    const all = Buffer.concat(parts);
    assert.equal(v.getUint32(4, true), all.length, 'lcbTotal');
    return all;
  }

  subnodes(bid: number): { nid: number; bidData: number; bidSub: number }[] {
    if (bid === 0) return [];
    const { data } = this.blocks.get(bid)!;
    const v = new DataView(data.buffer, data.byteOffset, data.length);
    const u64 = (at: number): number => v.getUint32(at, true) + v.getUint32(at + 4, true) * 2 ** 32;
    assert.equal(data[0], 2);
    const entries = Array.from({ length: v.getUint16(2, true) }, (_, i) => i);
    if (data[1] === 0)
      return entries.map((i) => ({ nid: u64(8 + 24 * i), bidData: u64(16 + 24 * i), bidSub: u64(24 + 24 * i) }));
    return entries.flatMap((i) => {
      const part = this.subnodes(u64(16 + 16 * i));
      assert.equal(part[0]!.nid, u64(8 + 16 * i));
      return part;
    });
  }
}
