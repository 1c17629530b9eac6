/** Intervals as bytes: map pages far into a store, and the runs in FMap pages. */
import { describe, expect, test } from 'vitest';
import { Core } from '../../src/core/core.js';
import { ascendingOrder, Column } from '../../src/ndb/write/columns.js';
import { ibOfInterval } from '../../src/ndb/write/maps.js';
import { Space } from '../../src/ndb/write/space.js';
import { StoreWriter } from '../../src/ndb/write/store-writer.js';
import { MemoryFile } from '../memory-file.js';
import { ParsedStore } from './write-parser.js';

describe('W5: far into a store', () => {
  test.each([
    [128, 0x82, 0x1f04800],
    [8192, 0x85, 0x7c004800],
    [17_488, 0x82, 0x108b64800], // the first FMap above 4 GB
    [39_936, 0x85, 0x25c804800],
  ])('interval %i begins with its maps', (index, ptype, ib) => {
    const core = Core.load();
    const file = new MemoryFile();
    const base = ibOfInterval(index);
    const shifted = {
      name: 'far',
      size: 0,
      write: (bytes: Uint8Array, at: number) => file.write(bytes, at - base),
      read: (target: Uint8Array, at: number) => file.read(target, at - base),
      sync() {},
      close() {},
    };
    const space = new Space(core, shifted, index);
    const at = space.take(512, 512);
    expect(space.ib(at)).toBe(base + 3 * 512);
    core.u8.fill(7, space.buffer + at, space.buffer + at + 496);
    space.sealPage(at, 0x80, 0x123);
    const layout = space.finish();
    expect(layout).toMatchObject({ intervals: index + 1, ibAMapLast: base, cbAMapFree: 253_952 - 4 * 512 });

    const view = new DataView(file.bytes.buffer);
    const trailer = (n: number) => ({
      ptype: view.getUint16(n * 512 + 496, true),
      wSig: view.getUint16(n * 512 + 498, true),
      bid: view.getUint32(n * 512 + 504, true) + view.getUint32(n * 512 + 508, true) * 2 ** 32,
    });
    expect(trailer(0)).toEqual({ ptype: 0x8484, wSig: 0, bid: base });
    expect(trailer(1)).toEqual({ ptype: 0x8383, wSig: 0, bid: base + 512 });
    expect(trailer(2)).toEqual({ ptype: ptype * 0x101, wSig: 0, bid: ib });
    expect(trailer(3).wSig).toBe((((0x123 ^ (base + 1536)) >>> 16) ^ (0x123 ^ (base + 1536))) & 0xffff);
    expect(core.x.pagesLive()).toBe(0);
  });
});

test('a store of 140 intervals has an FMap, whose bytes are the longest free runs', () => {
  const core = Core.load();
  const file = new MemoryFile();
  const writer = new StoreWriter(core, file);
  const bytes = new Uint8Array(8_000_000);
  for (let i = 0; i < bytes.length; i += 7) bytes[i] = i >>> 3;
  writer.addNode(0x21, writer.addTreeBytes([bytes, bytes, bytes, bytes]), 0, 0);
  const orphan = writer.addTreeBytes(new Uint8Array(100_000)); // a hole of 100 KB in an interval above 128
  writer.addNode(0x61, writer.addTreeBytes(new Uint8Array(2_000_000)), 0, 0);
  const { intervals, dropped, fmaps } = writer.finish();
  expect(dropped).toContain(orphan);
  expect(fmaps).toBe(1);
  const store = new ParsedStore(file.bytes);
  const run = (index: number) => {
    const at = 0x4400 + index * 253_952;
    let run = 0;
    let longest = 0;
    for (let bit = 0; bit < 3968; bit++) {
      run = (store.bytes[at + (bit >> 3)]! & (0x80 >> (bit & 7))) === 0 ? run + 1 : 0;
      longest = Math.max(longest, run);
    }
    return Math.min(255, longest);
  };
  const fmap = [...store.bytes.subarray(0x1f04800, 0x1f04800 + 496)];
  const expected = fmap.map((_, i) => (128 + i < intervals ? run(128 + i) : 255));
  expect(fmap).toEqual(expected);
  expect(expected.slice(0, intervals - 128).filter((byte) => byte === 255).length).toBeGreaterThan(1);
});

test('columns grow, and sort without moving equal keys', () => {
  const column = new Column(Float64Array);
  for (let i = 0; i < 5000; i++) column.push(((i * 7919) % 1000) * 2 ** 40 + 3);
  const keys = column.values();
  const order = ascendingOrder(keys)!;
  for (let n = 1; n < order.length; n++) {
    const [a, b] = [order[n - 1]!, order[n]!];
    if (keys[a]! > keys[b]! || (keys[a] === keys[b] && a > b)) throw new Error(`out of order at ${n}`);
  }
  expect(new Set(order).size).toBe(5000);
  expect(ascendingOrder(Float64Array.of(1, 1, 2))).toBeUndefined();
  expect([...ascendingOrder(Uint32Array.of(0xffffffff, 0, 0x10000))!]).toEqual([1, 2, 0]);
});
