/** Where maps belong in files of any size: the worked numbers, from two independent writers and MS-PST 2.2.2.7. */
import { expect, test } from 'vitest';
import { type MapPage, mapCount, mapPages } from '../../src/check/space.js';
import { PTYPE } from '../../src/wire/page.js';
import { ANSI, UNICODE, UNICODE_4K } from '../../src/wire/variant.js';

const GIB = 2 ** 30;

function* pages(size: number, variant: 0 | 1 | 2): Generator<MapPage> {
  for (let i = 0; i < mapCount(size, variant); i++) yield* mapPages(i, variant);
}
const places = (size: number, variant: 0 | 1 | 2, ptype: number): number[] =>
  [...pages(size, variant)].filter((page) => page.ptype === ptype).map(({ ib }) => ib);

test('10 MiB', () => {
  expect(mapCount(10_683_392, UNICODE)).toBe(42);
  expect(places(10_683_392, UNICODE, PTYPE.AMAP).at(-1)).toBe(0x9f2400);
  expect(places(10_683_392, UNICODE, PTYPE.PMAP)).toHaveLength(6);
  expect(places(10_683_392, UNICODE, PTYPE.PMAP).at(-1)).toBe(0x9b4600);
  expect(places(10_683_392, UNICODE, PTYPE.FMAP)).toEqual([]);
});

test('3 GiB', () => {
  const size = 0xc002a400;
  expect(size).toBeGreaterThan(3 * GIB);
  expect(places(size, UNICODE, PTYPE.AMAP)).toHaveLength(12_685);
  expect(places(size, UNICODE, PTYPE.AMAP).at(-1)).toBe(0xbffec400);
  expect(places(size, UNICODE, PTYPE.PMAP)).toHaveLength(1586);
  expect(places(size, UNICODE, PTYPE.PMAP).at(-1)).toBe(0xbfef4600);
  const fmaps = places(size, UNICODE, PTYPE.FMAP);
  expect(fmaps).toHaveLength(26);
  expect([fmaps[0], fmaps[1], fmaps.at(-1)]).toEqual([0x1f04800, 0x9724800, 0xbda24800]);
  expect(places(size, UNICODE, PTYPE.FPMAP)).toEqual([0x7c004800]);
});

test('no two maps share a place, in 50 GB', () => {
  let end = 0;
  for (const { ib } of pages(50e9, UNICODE)) {
    expect(ib >= end).toBe(true);
    end = ib + 512;
  }
});

test('ANSI has no FPMap, 4K stores have only AMaps', () => {
  expect(places(2 * GIB, ANSI, PTYPE.FPMAP)).toEqual([]);
  expect(places(2 * GIB, ANSI, PTYPE.FMAP)[0]).toBe(0x1f04800);
  expect([...pages(3_235_848_192, UNICODE_4K)]).toHaveLength(194);
});
