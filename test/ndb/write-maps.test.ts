/** Where maps lie, from the worked numbers of the format to 60 GB, without writing any of it. */
import { describe, expect, test } from 'vitest';
import {
  areTaken,
  FIRST_AMAP,
  fmapPlace,
  freeSlots,
  INTERVAL,
  ibOfInterval,
  intervalOf,
  layoutFor,
  MAP_BYTES,
  mapPages,
  SpaceCursor,
  setSlots,
} from '../../src/ndb/write/maps.js';

const GIB = 2 ** 30;

describe('layout', () => {
  test('10 MiB', () => {
    expect(layoutFor(10 * 2 ** 20)).toEqual({
      intervals: 42,
      ibFileEof: 0xa30400,
      ibAMapLast: 0x9f2400,
      pmaps: 6,
      fmaps: 0,
      fpmaps: 0,
    });
  });

  test('3 GiB', () => {
    expect(layoutFor(3 * GIB)).toEqual({
      intervals: 12_685,
      ibFileEof: 0xc002a400,
      ibAMapLast: 0xbffec400,
      pmaps: 1586,
      fmaps: 26,
      fpmaps: 1,
    });
  });

  test('the smallest store is one interval, as Outlook makes it', () => {
    expect(layoutFor(0).ibFileEof).toBe(0x42400);
    expect(layoutFor(0x42400).intervals).toBe(1);
    expect(layoutFor(0x42401).intervals).toBe(2);
  });
});

/** The places of all pages of one ptype in the first `intervals` intervals. */
function placesOf(ptype: number, intervals: number): number[] {
  const places: number[] = [];
  for (let i = 0; i < intervals; i++) {
    const n = mapPages(i).indexOf(ptype);
    if (n >= 0) places.push(ibOfInterval(i) + n * 512);
  }
  return places;
}

describe('W5: maps at their places', () => {
  const intervals = layoutFor(12 * GIB).intervals;

  test('PMap at 0x4600 and every 2,031,616', () => {
    const places = placesOf(0x83, intervals);
    places.forEach((ib, n) => {
      expect(ib).toBe(0x4600 + n * 2_031_616);
    });
    expect(placesOf(0x83, 42).at(-1)).toBe(0x9b4600);
    expect(placesOf(0x83, 12_685).at(-1)).toBe(0xbfef4600);
  });

  test('FMap at 0x1F04800 and every 125,960,192', () => {
    const places = placesOf(0x82, intervals);
    expect(places.slice(0, 2)).toEqual([0x1f04800, 0x9724800]);
    expect(placesOf(0x82, 12_685).at(-1)).toBe(0xbda24800);
    places.forEach((ib, n) => {
      expect(ib).toBe(0x1f04800 + n * 125_960_192);
    });
    expect(places.some((ib) => ib > 4 * GIB)).toBe(true);
  });

  test('FPMap at 0x7C004800, then 0x25C804800', () => {
    expect(placesOf(0x85, intervals)).toEqual([0x7c004800, 0x25c804800]);
    expect(intervalOf(0x25c804800)).toBe(39_936);
  });

  test('FMap and FPMap never share an interval', () => {
    let most = 0;
    for (let i = 0; i < intervals * 5; i++) most = Math.max(most, mapPages(i).length);
    expect(most).toBe(3);
  });

  test('which FMap byte speaks for which AMap', () => {
    expect(fmapPlace(127)).toBeUndefined();
    expect(fmapPlace(128)).toEqual({ ib: 0x1f04800, byte: 0 });
    expect(fmapPlace(128 + 495)).toEqual({ ib: 0x1f04800, byte: 495 });
    expect(fmapPlace(128 + 496)).toEqual({ ib: 0x9724800, byte: 0 });
  });
});

describe('a store laid out past 4 GB and 10 GB without being written', () => {
  test.each([4.2, 10.5])('%f GB of blocks and pages', (gigabytes) => {
    const cursor = new SpaceCursor();
    const target = gigabytes * GIB;
    let end = FIRST_AMAP;
    let seed = 1;
    const maps = new Map<number, number>();
    let last = -1;
    while (end < target) {
      if (cursor.index !== last) {
        last = cursor.index;
        for (const [n, ptype] of mapPages(last).entries()) maps.set(ibOfInterval(last) + n * 512, ptype);
      }
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      const isPage = seed % 8 === 0;
      const size = isPage ? 512 : 64 * (1 + ((seed >>> 8) % 128));
      let at = cursor.take(size, isPage ? 512 : 64);
      if (at < 0) {
        const { free, longestRun } = freeSlots(cursor.bits);
        if (longestRun > 128 || free > 3968) throw new Error('an interval is left with room for a block');
        cursor.advance();
        continue;
      }
      at += ibOfInterval(cursor.index);
      // Only ever forwards, never into the maps, never over the end of the interval.
      if (at < end) throw new Error('backwards');
      if (at - ibOfInterval(cursor.index) < mapPages(cursor.index).length * 512) throw new Error('into a map');
      if (intervalOf(at + size - 1) !== cursor.index) throw new Error('over the border');
      end = at + size;
    }
    const layout = layoutFor(end);
    expect(layout.intervals).toBe(cursor.index + 1);
    expect(layout.ibFileEof).toBe(FIRST_AMAP + layout.intervals * INTERVAL);
    const count = (ptype: number) => [...maps.values()].filter((p) => p === ptype).length;
    expect([count(0x84), count(0x83), count(0x82), count(0x85)]).toEqual([
      layout.intervals,
      layout.pmaps,
      layout.fmaps,
      layout.fpmaps,
    ]);
    expect(maps.get(0x7c004800)).toBe(0x85);
    expect(maps.get(0x25c804800)).toBe(gigabytes > 10.2 ? 0x85 : undefined);
  });
});

test('bits: the first is 0x80', () => {
  const bits = new Uint8Array(MAP_BYTES);
  setSlots(bits, 0, 8, true);
  setSlots(bits, 15, 2, true);
  expect([...bits.subarray(0, 4)]).toEqual([0xff, 0x01, 0x80, 0]);
  expect(areTaken(bits, 15, 2)).toBe(true);
  expect(areTaken(bits, 14, 3)).toBe(false);
  expect(freeSlots(bits)).toEqual({ free: 3968 - 10, longestRun: 3968 - 17 });
  setSlots(bits, 0, 8, false);
  expect(bits[0]).toBe(0);
});
