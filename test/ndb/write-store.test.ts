/** The writer, read back by a second parser that shares nothing with it. The laws are numbered in store-writer.ts. */
import { describe, expect, test } from 'vitest';
import { Core } from '../../src/core/core.js';
import { PAGE } from '../../src/core/heapmap.js';
import { readBack } from '../../src/ndb/write/readback.js';
import { StoreWriter } from '../../src/ndb/write/store-writer.js';
import { SUBNODES_MAX } from '../../src/ndb/write/subnode.js';
import { LEAF_SIZE } from '../../src/ndb/write/tree.js';
import { MemoryFile } from '../memory-file.js';
import { ParsedStore } from './write-parser.js';

/** Bytes that repeat nowhere near. */
function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let x = Math.imul(seed, 2654435761) | 1;
  for (let i = 0; i < length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x;
  }
  return bytes;
}

function begin(options: ConstructorParameters<typeof StoreWriter>[2] = {}) {
  const core = Core.load();
  const file = new MemoryFile();
  return { core, file, writer: new StoreWriter(core, file, options) };
}

test('an empty store is one interval with two empty trees', () => {
  const { file, writer, core } = begin();
  const summary = writer.finish();
  expect(file.size).toBe(0x42400);
  const store = new ParsedStore(file.bytes);
  expect(store.nodes.size + store.blocks.size).toBe(0);
  expect(summary).toMatchObject({ intervals: 1, nodes: 0, blocks: 0, treePages: 2, mapPages: 2, dropped: [] });
  expect(core.x.pagesLive()).toBe(0);
});

describe.each([0, 1, 2] as const)('encoding %i', (crypt) => {
  test('a few hundred nodes come back as they went in', () => {
    const { file, writer, core } = begin({ crypt });
    const contents = new Map<number, Uint8Array>();
    for (let i = 0; i < 700; i++) {
      const nid = ((0x11000 + ((i * 7919) % 700)) << 5) | 4; // not in order
      const bytes = noise(1 + ((i * 37) % 9000), i + 1);
      contents.set(nid, bytes);
      writer.addNode(nid, writer.addTreeBytes(bytes), 0, 0x8022);
    }
    const summary = writer.finish();
    const store = new ParsedStore(file.bytes);
    expect(store.crypt).toBe(crypt);
    expect(store.nodes.size).toBe(700);
    for (const [nid, bytes] of contents) {
      const node = store.nodes.get(nid)!;
      expect(node.nidParent).toBe(0x8022);
      expect(store.tree(node.bidData).equals(bytes)).toBe(true);
    }
    expect(summary.blocks).toBe(store.blocks.size);
    expect(summary.treePages).toBe(store.pages.length);
    expect(summary.intervals).toBeGreaterThan(10);
    expect(core.x.pagesLive()).toBe(0);
  });
});

describe('data trees', () => {
  test('W8: one block, an XBLOCK, an XXBLOCK at the sizes where they change', () => {
    const { file, writer } = begin();
    const sizes = [1, LEAF_SIZE, LEAF_SIZE + 1, 2 * LEAF_SIZE, 1021 * LEAF_SIZE, 1021 * LEAF_SIZE + 1];
    const roots = sizes.map((size, i) => {
      const bid = writer.addTreeBytes(noise(size, size));
      writer.addNode(((0x500 + i) << 5) | 1, bid, 0, 0);
      return bid;
    });
    expect(roots.map((bid) => bid & 2)).toEqual([0, 0, 2, 2, 2, 2]);
    writer.finish();
    const store = new ParsedStore(file.bytes);
    sizes.forEach((size, i) => {
      expect(store.tree(roots[i]!).equals(noise(size, size))).toBe(true);
    });
    expect(roots.map((bid) => ((bid & 2) === 0 ? 0 : store.blocks.get(bid)!.data[1]))).toEqual([0, 0, 1, 1, 1, 2]);
  });

  test('20 MB in uneven pieces, and nothing at all', () => {
    const { file, writer, core } = begin({ crypt: 2 });
    const bytes = noise(20_000_003, 5);
    function* pieces() {
      let at = 0;
      for (let n = 1; at < bytes.length; n = (n * 5) % 70_001) {
        yield bytes.subarray(at, at + n);
        at += n;
      }
    }
    const before = core.x.pagesPeak();
    const bid = writer.addTreeBytes(pieces());
    expect((core.x.pagesPeak() - before) * PAGE).toBeLessThan(128 << 10); // W11: memory does not grow with the tree
    expect(writer.addTreeBytes([])).toBe(0);
    expect(writer.addTreeBytes(new Uint8Array(0))).toBe(0);
    writer.addNode(0x21, bid, 0, 0);
    const summary = writer.finish();
    const store = new ParsedStore(file.bytes);
    expect(store.tree(bid).equals(bytes)).toBe(true);
    expect(summary.intervals).toBeGreaterThan(79);
  });

  test('a chain of the core, leaf by leaf', () => {
    const { file, writer, core } = begin();
    const chain = core.x.chainNew(3);
    const bytes = noise(2 * LEAF_SIZE + 100, 9);
    for (let at = 0; at < bytes.length; at += LEAF_SIZE)
      core.x.chainAdd(chain, core.put(bytes.subarray(at, at + LEAF_SIZE)));
    const bid = writer.addTree(chain);
    core.x.chainFree(chain);
    writer.addNode(0x21, bid, 0, 0);
    writer.finish();
    expect(new ParsedStore(file.bytes).tree(bid).equals(bytes)).toBe(true);
    expect(core.x.pagesLive()).toBe(0);
  });

  test('W8: a leaf after a short one is refused', () => {
    const { writer, core } = begin();
    const leaf = core.put(noise(100, 1));
    const tree = writer.tree();
    tree.pushLeaf(leaf, 0, 100);
    expect(() => tree.pushLeaf(leaf, 0, 100)).toThrow('a leaf after one shorter than 8176 bytes');
    expect(() => writer.addBlock(leaf, 0, 0)).toThrow('a block of 0 bytes');
  });
});

describe('subnodes', () => {
  test.each([1, 340, 341, 3000])('%i of them', (count) => {
    const { file, writer } = begin();
    const entries = Array.from({ length: count }, (_, i) => ({
      nid: ((0x10000 + i) << 5) | 0x1f,
      bidData: writer.addBytes(noise(20 + (i % 50), i + 1)),
      bidSub: 0,
    }));
    const bidSub = writer.addSubnodes(entries);
    expect(writer.addSubnodes([])).toBe(0);
    writer.addNode(0x200024, writer.addBytes(noise(10, 1)), bidSub, 0x8022);
    const { rgnid } = writer.finish();
    const store = new ParsedStore(file.bytes);
    expect(store.subnodes(bidSub)).toEqual(entries);
    expect(store.blocks.get(bidSub)!.data[1]).toBe(count > 340 ? 1 : 0);
    expect(rgnid[0x1f]).toBe(0x10000 + count - 1); // W7
  });

  test('nested, and shared blocks: W6', () => {
    const { file, writer } = begin();
    const shared = writer.addBytes(noise(200, 3));
    const inner = writer.addSubnodes([{ nid: 0x671, bidData: shared, bidSub: 0 }]);
    const outer = writer.addSubnodes([
      { nid: 0x692, bidData: shared, bidSub: 0 },
      { nid: 0x8025, bidData: shared, bidSub: inner },
    ]);
    writer.addNode(0x200024, shared, outer, 0x8022);
    writer.addNode(0x200044, shared, outer, 0x8022); // the same subnode tree: its references count once
    writer.finish();
    const store = new ParsedStore(file.bytes);
    expect(store.blocks.get(shared)!.cRef).toBe(1 + 2 + 2 + 1);
    expect(store.blocks.get(outer)!.cRef).toBe(3);
    expect(store.blocks.get(inner)!.cRef).toBe(2);
  });

  test('too many, and out of order', () => {
    const { writer } = begin();
    const many = Array.from({ length: SUBNODES_MAX + 1 }, (_, i) => ({ nid: i + 1, bidData: 0, bidSub: 0 }));
    expect(() => writer.addSubnodes(many)).toThrow('a node holds at most 173400 subnodes, not 173401');
    expect(() => writer.addSubnodes([many[1]!, many[0]!])).toThrow('subnode 0x1 after 0x2: not ascending');
  });
});

/** Bytes as they lie in a source: with a trailer, whose CRC goes along. */
function asStored(core: Core, bytes: Uint8Array): number {
  const src = core.put(bytes);
  const dst = core.x.alloc(core.x.wireSize(bytes.length, 1), 0);
  core.x.blockSeal(dst, 0, src, 0, bytes.length, 0, 4, 0, 0x4600);
  core.x.free(src);
  return dst;
}

describe('copied blocks', () => {
  test('keep BID and stored bytes; references inside them are found', () => {
    const first = begin({ crypt: 2, bidNextB: 0x4000 });
    const bid = first.writer.addTreeBytes(noise(3 * LEAF_SIZE + 5, 7));
    const sub = first.writer.addSubnodes([{ nid: 0x99e5, bidData: first.writer.addBytes(noise(64, 2)), bidSub: 0 }]);
    first.writer.addNode(0x21, bid, sub, 0);
    first.writer.finish();
    const source = new ParsedStore(first.file.bytes);

    const { file, writer, core } = begin({ crypt: 2 });
    for (const block of [...source.blocks.values()].reverse()) {
      const stored = asStored(core, source.bytes.subarray(block.ib, block.ib + block.cb));
      writer.copyBlock(block.bid + 1, stored, 0, block.cb); // bit 0 is nothing: cleared
      core.x.free(stored);
    }
    expect(writer.nextBid(false)).toBe(source.bidNextB); // W7
    writer.addNode(0x21, bid + 1, sub, 0);
    const { rgnid } = writer.finish();
    const copy = new ParsedStore(file.bytes);
    expect(copy.tree(bid).equals(noise(3 * LEAF_SIZE + 5, 7))).toBe(true);
    expect(copy.subnodes(sub)).toEqual(source.subnodes(sub));
    expect([...copy.blocks.values()].map(({ bid, cb, cRef, data }) => ({ bid, cb, cRef, data }))).toEqual(
      [...source.blocks.values()].map(({ bid, cb, cRef, data }) => ({ bid, cb, cRef, data })),
    );
    expect(rgnid[5]).toBe(0x99e5 >>> 5);
  });

  test('bit 0 of references is cleared in what is written anew, and kept in what is copied', () => {
    const { file, writer, core } = begin();
    const data = writer.addBytes(noise(40, 1));
    const entry = new Uint8Array(32);
    entry.set([2, 0, 1, 0, 0, 0, 0, 0, 0x71, 6, 0, 0, 0, 0, 0, 0, data + 1]);
    const bytes = core.put(entry);
    const anew = writer.addBlock(bytes, 0, 32, { internal: true });
    const copied = writer.nextBid(true);
    writer.copyBlock(copied, asStored(core, core.u8.slice(bytes, bytes + 32)), 0, 32);
    const viaApi = writer.addSubnodes([{ nid: 0x671, bidData: data + 1, bidSub: 0 }]);
    [anew, copied, viaApi].forEach((bid, i) => {
      writer.addNode((i + 1) * 32 + 1, 0, bid, 0);
    });
    writer.finish();
    const store = new ParsedStore(file.bytes);
    const refs = [anew, copied, viaApi].map((bid) => store.subnodes(bid)[0]!.bidData);
    expect(refs).toEqual([data, data + 1, data]);
    expect(store.blocks.get(data)!.cRef).toBe(4);
  });

  test('an empty block of a source stays', () => {
    const { file, writer, core } = begin();
    writer.copyBlock(0x104, asStored(core, new Uint8Array(0)), 0, 0);
    writer.addNode(0x21, 0x104, 0, 0);
    expect(writer.finish()).toMatchObject({ blocks: 1, blockBytes: 64, bidNextB: 0x108 });
    expect(readBack(file, core).blocks).toBe(1);
  });

  test('an internal block that is none is damage of the source', () => {
    const { writer, core } = begin();
    const bytes = asStored(core, Uint8Array.of(2, 0, 9, 0, 0, 0, 0, 0));
    expect(() => writer.copyBlock(6, bytes, 0, 8)).toThrow('9 entries of 24 bytes do not fit 8 bytes');
    const odd = asStored(core, Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0));
    expect(() => writer.copyBlock(10, odd, 0, 8)).toThrow('no internal block has btype 3, cLevel 0');
  });
});

describe('finish', () => {
  test('W3: a reference to nothing is refused, and there is no head', () => {
    const { file, writer } = begin();
    writer.addNode(0x21, 0x44, 0, 0);
    expect(() => writer.finish()).toThrow(/a block is referred to that was never written \[bid 0x44\]/);
    writer.abandon();
    expect(file.writes.every(({ ib }) => ib >= 0x4400)).toBe(true);
  });

  test('a NID or a BID twice is refused', () => {
    const one = begin().writer;
    one.addNode(0x21, 0, 0, 0);
    one.addNode(0x21, 0, 0, 0);
    expect(() => one.finish()).toThrow('two nodes have the NID 0x21');
    const two = begin().writer;
    for (const bid of [0x10, 0x20, 0x10]) two.addBytes(noise(5, 5), { bid });
    expect(() => two.finish()).toThrow('two blocks have the BID 0x10');
  });

  test('W4, W6: what nothing refers to is dropped, with what only it refers to, and its space is free', () => {
    const { file, writer } = begin();
    const kept = writer.addBytes(noise(100, 1));
    const secret = noise(3 * LEAF_SIZE, 77);
    const orphan = writer.addTreeBytes(secret); // three leaves and an XBLOCK, in the first interval
    const sub = writer.addSubnodes([
      { nid: 0x671, bidData: kept, bidSub: 0 },
      { nid: 0x692, bidData: orphan, bidSub: 0 },
    ]);
    const filler = writer.addTreeBytes(noise(400_000, 3)); // pushes the orphans out to the sink
    const late = writer.addBytes(noise(50, 4)); // and one is in the interval in hand
    writer.addNode(0x21, kept, 0, 0);
    writer.addNode(0x61, filler, 0, 0);
    const summary = writer.finish();
    expect(summary.dropped).toContain(sub);
    expect(summary.dropped).toContain(orphan);
    expect(summary.dropped).toContain(late);
    expect(summary.dropped).toHaveLength(6);
    const store = new ParsedStore(file.bytes);
    expect(store.blocks.get(kept)!.cRef).toBe(2);
    expect(Buffer.from(file.bytes).includes(Buffer.from(noise(50, 4)))).toBe(false);
  });

  test('W1, W2, W10: written in order, map pages again, the head last', () => {
    const { file, writer } = begin();
    writer.addNode(0x21, writer.addTreeBytes(noise(1_000_000, 3)), 0, 0);
    const { intervals, ibFileEof } = writer.finish();
    expect(file.writes).toEqual([
      ...Array.from({ length: intervals }, (_, i) => ({ ib: 0x4400 + i * 253_952, size: 253_952 })),
      { ib: 0, size: 0x4400 },
    ]);
    expect(file.syncs).toEqual([intervals, intervals + 1]);
    expect(file.size).toBe(ibFileEof);
    expect(() => writer.finish()).toThrow('the store is finished');
    expect(() => writer.addBytes(noise(5, 5))).toThrow('the store is finished');
  });

  test('W9: no page of a tree is nearly empty', () => {
    for (const count of [15, 16, 31, 226, 4501]) {
      const { file, writer } = begin();
      for (let i = 1; i <= count; i++) writer.addNode((i << 5) | 4, 0, 0, 0);
      writer.finish();
      const { pages } = new ParsedStore(file.bytes);
      for (const level of [0, 1, 2]) {
        const fills = pages.filter((p) => p.ptype === 0x81 && p.cLevel === level).map((p) => p.cEnt);
        if (fills.length > 0) expect(Math.max(...fills) - Math.min(...fills)).toBeLessThanOrEqual(1);
      }
    }
  });

  test('the same input gives the same bytes', () => {
    const make = () => {
      const { file, writer } = begin({ crypt: 1 });
      for (let i = 0; i < 50; i++) writer.addNode((i << 5) | 4, writer.addTreeBytes(noise(i * 999, i)), 0, 0);
      writer.finish();
      return Buffer.from(file.bytes);
    };
    expect(make().equals(make())).toBe(true);
  });
});

describe('counters', () => {
  test('W7: NIDs are drawn above everything in use; folder counters move together', () => {
    const { writer } = begin();
    expect(writer.nextNid(4)).toBe((0x10001 << 5) | 4);
    writer.useNid((0x500 << 5) | 0xe);
    expect(writer.nextNid(2)).toBe((0x501 << 5) | 2);
    writer.useNid((0x7777 << 5) | 7); // search criteria: no counter of its own
    const { rgnid } = writer.finish();
    expect([rgnid[2], rgnid[0xd], rgnid[0xe], rgnid[0xf], rgnid[4], rgnid[7]]).toEqual([
      0x501, 0x501, 0x501, 0x501, 0x10001, 0x400,
    ]);
  });

  test('a source keeps its counters', () => {
    const rgnid = new Uint32Array(32).fill(0x1234);
    const { file, writer } = begin({ bidNextB: 0x5000, bidNextP: 0x300, dwUnique: 77, rgnid, magicClient: 'SO' });
    expect(writer.nextUnique()).toBe(77);
    expect(writer.addBytes(noise(9, 9))).toBe(0x5000);
    expect(writer.nextBid(true)).toBe(0x5006);
    const summary = writer.finish();
    expect(summary).toMatchObject({ bidNextB: 0x5008, bidNextP: 0x303, dwUnique: 79 });
    expect([...summary.rgnid]).toEqual([...rgnid]);
    expect(Buffer.from(file.bytes.subarray(8, 14)).toString('hex')).toBe('534f17000c00');
    expect(() => begin({ bidNextB: 6 })).toThrow('bidNextB 0x6 is not a multiple of 4');
  });
});

test('BIDs above 2^32', () => {
  const { file, writer } = begin({ crypt: 2, bidNextB: 2 ** 40 + 4, bidNextP: 2 ** 33 });
  const bid = writer.addTreeBytes(noise(30_000, 3));
  writer.addNode(0x21, bid, writer.addSubnodes([{ nid: 0x671, bidData: bid, bidSub: 0 }]), 0);
  writer.finish();
  const store = new ParsedStore(file.bytes);
  expect(store.tree(bid).equals(noise(30_000, 3))).toBe(true);
  expect(store.blocks.get(bid)!.cRef).toBe(3);
});
