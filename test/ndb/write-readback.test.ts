/** Stores we write, read by the library's own reader; and that readBack sees what is planted in them. */
import { describe, expect, test } from 'vitest';
import { Core } from '../../src/core/core.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { readBack } from '../../src/ndb/write/readback.js';
import { StoreWriter } from '../../src/ndb/write/store-writer.js';
import { MemoryFile } from '../memory-file.js';

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 0xff);
}

/** 600 nodes, shared blocks, subnodes, an XXBLOCK and a SIBLOCK. */
function build(crypt: 0 | 1 | 2) {
  const core = Core.load();
  const file = new MemoryFile();
  const writer = new StoreWriter(core, file, { crypt });
  const shared = writer.addBytes(pattern(300, 1));
  writer.addNode(0x21, writer.addTreeBytes(pattern(9_000_001, 2)), 0, 0);
  const many = Array.from({ length: 3000 }, (_, i) => ({ nid: (0x9000 + i) * 32 + 0x1f, bidData: shared, bidSub: 0 }));
  writer.addNode(0x61, 0, writer.addSubnodes(many), 0);
  for (let i = 0; i < 600; i++) {
    const sub = i % 3 === 0 ? writer.addSubnodes([{ nid: 0x671, bidData: shared, bidSub: 0 }]) : 0;
    writer.addNode((0x10001 + i) * 32 + 4, writer.addTreeBytes(pattern(i * 31, i)), sub, 0x8022);
  }
  const summary = writer.finish();
  return { core, file, summary };
}

describe.each([0, 1, 2] as const)('encoding %i', (crypt) => {
  test('the reader finds what was written', () => {
    const { core, file, summary } = build(crypt);
    const found = readBack(file, core);
    const { nodes, blocks, treePages, cbAMapFree } = summary;
    expect(found).toEqual({ nodes, blocks, treePages, cbAMapFree });

    const ndb = Ndb.open(file, core, { strict: true });
    expect(ndb.header.crypt).toBe(crypt);
    const data = (nid: number) => ndb.readBytes(ndb.nbt.bidData(ndb.getNode(nid)), { nid });
    expect(Buffer.from(data(0x21)).equals(pattern(9_000_001, 2))).toBe(true);
    for (const i of [1, 300, 599]) expect([...data((0x10001 + i) * 32 + 4)]).toEqual([...pattern(i * 31, i)]);
    const subnodes = ndb.subnodes(ndb.nbt.bidSub(ndb.getNode(0x61)), {});
    expect([subnodes.count, subnodes.nid(2999)]).toEqual([3000, (0x9000 + 2999) * 32 + 0x1f]);
    ndb.close();
    expect(core.x.pagesLive()).toBe(0);
  });
});

describe('readBack sees', () => {
  const { core, file, summary } = build(1);
  const planted = (change: (bytes: Uint8Array, view: DataView) => void) => () => {
    const bytes = file.bytes.slice();
    change(bytes, new DataView(bytes.buffer));
    return readBack(new MemoryFile('planted', bytes), core);
  };
  /** Reseals an AMap after `change`, as a wrong writer would. */
  const amap = (index: number, change: (bits: Uint8Array) => void) =>
    planted((bytes, view) => {
      const ib = 0x4400 + index * 253_952;
      change(bytes.subarray(ib, ib + 496));
      const page = core.put(bytes.subarray(ib, ib + 496));
      view.setUint32(ib + 500, core.x.crc(page, 0, 496) >>> 0, true);
      core.x.free(page);
    });

  test('a flipped bit in any block', () => {
    for (const ib of [0x4800, 0x42400 + 5000, 0x42400 * 20 + 999]) {
      expect(planted((b) => (b[ib]! ^= 4))).toThrow(/PST|CRC/);
    }
  });
  test('a bit too many and a bit too few in an AMap', () => {
    expect(amap(summary.intervals - 1, (bits) => (bits[495] = 1))).toThrow('that nothing is in');
    expect(amap(3, (bits) => (bits[100] = 0x7f))).toThrow('that the AMap calls free');
  });
  test('a map page that is not there', () => {
    expect(planted((b) => b.fill(0, 0x4600, 0x4800))).toThrow(/page type is 0x0, expected 0x83/);
  });
  test('a B-tree page nothing leads to, its bits set', () => {
    const lost = amap(summary.intervals - 1, (bits) => (bits[495] = 0xff));
    expect(lost).toThrow(/page type is 0x0, expected 0x80/);
  });
  test('a shorter file', () => {
    expect(() => readBack(new MemoryFile('short', file.bytes.subarray(0, file.size - 253_952)), core)).toThrow();
  });
});
