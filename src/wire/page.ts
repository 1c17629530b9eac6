/**
 * Pages. MS-PST 2.2.2.7. A page has a fixed size and ends with a PAGETRAILER.
 *
 *     ┌───────────────────────────────┬──────────────┬─────────────┐
 *     │ B-tree entries, or a map's bits│ BTPAGE counts│ PAGETRAILER │
 *     └───────────────────────────────┴──────────────┴─────────────┘
 *     0                     Unicode 488           496           512
 *                           ANSI    496           500           512
 *                           4K     4056          4072          4096
 * @module
 */
import { bytes, struct, u8, u16, u32, u64 } from './struct.js';

/** ptype, 2.2.2.7.1. */
export const PTYPE = { BBT: 0x80, NBT: 0x81, FMAP: 0x82, PMAP: 0x83, AMAP: 0x84, FPMAP: 0x85, DL: 0x86 } as const;

/** A block or page by identity and place. 2.2.2.4. */
export const BREF = struct('BREF', '2.2.2.4', 16, { bid: u64, ib: u64 });
export const BREF_ANSI = struct('BREF (ANSI)', '2.2.2.4', 8, { bid: u32, ib: u32 });

export const PAGETRAILER = struct('PAGETRAILER', '2.2.2.7.1', 16, {
  ptype: u8,
  ptypeRepeat: u8,
  wSig: u16, // 0 in AMap, PMap, FMap and FPMap pages; 5.5 for the others
  dwCRC: u32, // 5.3, over everything before the trailer
  bid: u64,
});

/** Not the Unicode trailer with narrow fields: bid comes before dwCRC. */
export const PAGETRAILER_ANSI = struct('PAGETRAILER (ANSI)', '2.2.2.7.1', 12, {
  ptype: u8,
  ptypeRepeat: u8,
  wSig: u16,
  bid: u32,
  dwCRC: u32,
});

/** libpff, and seen in real stores: the Unicode trailer and one more number. */
export const PAGETRAILER_4K = struct('PAGETRAILER (4K)', '2.2.2.7.1', 24, {
  ptype: u8,
  ptypeRepeat: u8,
  wSig: u16,
  dwCRC: u32,
  bid: u64,
  qwUnknown: bytes(8), // unknown: seen 1
});

/** What stands between the entries and the trailer of a BTPAGE. 2.2.2.7.7.1. */
export const BTPAGE = struct('BTPAGE', '2.2.2.7.7.1', 8, {
  cEnt: u8,
  cEntMax: u8,
  cbEnt: u8,
  cLevel: u8,
  dwPadding: u32,
});
export const BTPAGE_ANSI = struct('BTPAGE (ANSI)', '2.2.2.7.7.1', 4, { cEnt: u8, cEntMax: u8, cbEnt: u8, cLevel: u8 });
/** libpff: the counts are 16 bits wide, a page holds more than 255 bytes worth of entries. */
export const BTPAGE_4K = struct('BTPAGE (4K)', '2.2.2.7.7.1', 16, {
  cEnt: u16,
  cEntMax: u16,
  cbEnt: u8,
  cLevel: u8,
  rgPadding: bytes(10),
});

export interface PageGeometry {
  /** Bytes of a page; pages also start on multiples of it (4K) or of 512. */
  readonly size: number;
  /** Bytes of rgentries. */
  readonly entries: number;
  /** Offset of the PAGETRAILER; the CRC covers all before it. */
  readonly trailerAt: number;
  readonly trailer: typeof PAGETRAILER | typeof PAGETRAILER_ANSI | typeof PAGETRAILER_4K;
  readonly counts: typeof BTPAGE | typeof BTPAGE_ANSI | typeof BTPAGE_4K;
}

function geometry(
  size: number,
  entries: number,
  counts: PageGeometry['counts'],
  trailer: PageGeometry['trailer'],
): PageGeometry {
  const trailerAt = size - trailer.size;
  if (entries + counts.size !== trailerAt) throw new Error(`page of ${size} bytes: parts do not add up`);
  return { size, entries, trailerAt, trailer, counts };
}

/** By variant. */
export const PAGE: readonly [PageGeometry, PageGeometry, PageGeometry] = [
  geometry(512, 496, BTPAGE_ANSI, PAGETRAILER_ANSI),
  geometry(512, 488, BTPAGE, PAGETRAILER),
  geometry(4096, 4056, BTPAGE_4K, PAGETRAILER_4K),
];

/** Bytes of a page of a Unicode or ANSI store. 2.2.2.7. */
export const PAGE_SIZE = 512;
