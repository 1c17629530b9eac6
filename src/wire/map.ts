/**
 * Places of the allocation maps. MS-PST 2.2.2.7.2 (AMap), 2.2.2.7.3 (PMap), 2.2.2.7.4 (DList), 2.2.2.7.5 (FMap), 2.2.2.7.6 (FPMap).
 *
 *     0x4400 ┌──────┬──────┬──────┬───────┬──────────────────────── … ┐ + interval
 *            │ AMap │ PMap?│ FMap?│ FPMap?│ blocks and pages           │ AMap …
 *            └──────┴──────┴──────┴───────┴──────────────────────── … ┘
 *
 * AMap i covers the interval it begins, its own page included; one bit a unit, first bit 0x80, 1 = taken.
 * @module
 */
import { bytes, struct, u8, u16, u32 } from './struct.js';

export interface MapGeometry {
  /** Offset of the first AMap. */
  readonly ibFirst: number;
  /** Bytes of bits in an AMap page, and where in the page they begin. */
  readonly bitsSize: number;
  readonly bitsAt: number;
  /** Bytes that one bit stands for. */
  readonly unit: number;
  /** Bytes that one AMap covers; also the distance between AMaps, and what a store grows by. */
  readonly interval: number;
  /** The DList page. */
  readonly ibDList: number;
}

const geometry = (ibFirst: number, ibDList: number, bitsSize: number, bitsAt: number, unit: number): MapGeometry => ({
  ibFirst,
  bitsSize,
  bitsAt,
  unit,
  interval: bitsSize * 8 * unit,
  ibDList,
});

/** By variant. ANSI: 4 bytes of zeros stand before the bits. 4K: seen in real stores, no map but the AMap. */
export const MAP: readonly [MapGeometry, MapGeometry, MapGeometry] = [
  geometry(0x4400, 0x4200, 496, 4, 64),
  geometry(0x4400, 0x4200, 496, 0, 64),
  geometry(0x22000, 0x21000, 4072, 0, 512),
];

/** Which AMap intervals carry the other maps, in ANSI and Unicode: index i with i >= first and (i - first) % every = 0. */
export interface MapPlaces {
  readonly first: number;
  readonly every: number;
}
export const PMAP: MapPlaces = { first: 0, every: 8 };
/** The header's rgbFM covers the first 128. */
export const FMAP: MapPlaces = { first: 128, every: 496 };
/** Unicode only. The header's rgbFP covers the first 128 x 64. */
export const FPMAP: MapPlaces = { first: 8192, every: 31_744 };

export const hasMap = (places: MapPlaces, i: number): boolean =>
  i >= places.first && (i - places.first) % places.every === 0;

/** Greatest value of a free-run byte in rgbFM and in FMap pages. 2.2.2.7.5. */
export const FREE_RUN_MAX = 255;

/** The data of a DList page. 2.2.2.7.4.2. An entry: low 20 bits the AMap's index, high 12 bits its free slots. */
export const DLIST = struct('DLISTPAGE', '2.2.2.7.4.2', 496, {
  bFlags: u8,
  cEntDList: u8,
  wPadding: u16,
  ulCurrentPage: u32,
  rgDListPageEnt: bytes(476),
  rgPadding: bytes(12),
});
export const DLIST_ANSI = struct('DLISTPAGE (ANSI)', '2.2.2.7.4.2', 500, {
  bFlags: u8,
  cEntDList: u8,
  wPadding: u16,
  ulCurrentPage: u32,
  rgDListPageEnt: bytes(480),
  rgPadding: bytes(12),
});
/** bFlags: backfilling is complete. */
export const DFL_BACKFILL_COMPLETE = 1;
