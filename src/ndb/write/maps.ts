/**
 * Where the allocation maps of a Unicode store lie, and the bits in them. Pure arithmetic: no bytes
 * are read or written here. MS-PST 2.2.2.7.2 (AMap), 2.2.2.7.3 (PMap), 2.2.2.7.5 (FMap), 2.2.2.7.6
 * (FPMap), 2.6.1.1.1 (growth).
 *
 * A store is a head and whole intervals. Each interval is what one AMap can describe, its own page
 * included, one bit for 64 bytes, the most significant bit first:
 *
 *     0        0x4200   0x4400                        0x42400
 *     ┌────────┬────────┬──────────────────────────────┬──────────────────────────────┬─ …
 *     │ HEADER │ DLIST  │ interval 0                   │ interval 1                   │
 *     └────────┴────────┼──────┬──────┬────────────────┼──────┬───────────────────────┼─ …
 *                       │ AMAP │ PMAP │ blocks, pages  │ AMAP │ blocks, pages         │
 *                       └──────┴──────┴────────────────┴──────┴───────────────────────┴─ …
 *
 * The other maps follow the AMap of the intervals they are due in. Outlook no longer reads them, yet
 * it and ScanPST want each at its fixed place. FMap and FPMap never meet in one interval (128 and 256
 * modulo 496), so the third page is always at + 0x400.
 * @module
 */
import { wireSize } from '../../wire/block.js';
import { FMAP, FPMAP, hasMap, MAP, type MapPlaces, PMAP } from '../../wire/map.js';
import { PAGE_SIZE, PTYPE } from '../../wire/page.js';
import { UNICODE } from '../../wire/variant.js';

/** The head: HEADER, and the DList page at 0x4200. The first AMap follows it. */
export const FIRST_AMAP = MAP[UNICODE].ibFirst;
export const DLIST_IB = MAP[UNICODE].ibDList;
/** Bytes of bits in a map page. */
export const MAP_BYTES = MAP[UNICODE].bitsSize;
/** Bytes that one AMap bit stands for. */
export const SLOT = MAP[UNICODE].unit;
/** Bytes one AMap describes: 253,952. */
export const INTERVAL = MAP[UNICODE].interval;

export const ibOfInterval = (index: number): number => FIRST_AMAP + index * INTERVAL;
export const intervalOf = (ib: number): number => Math.floor((ib - FIRST_AMAP) / INTERVAL);

/** Bytes a block of `cb` bytes takes, its trailer included. */
export const blockWireSize = (cb: number): number => wireSize(cb, UNICODE);

/** The ptypes of the map pages interval `index` begins with, in the order they lie there. */
export function mapPages(index: number): number[] {
  const pages: number[] = [PTYPE.AMAP];
  if (hasMap(PMAP, index)) pages.push(PTYPE.PMAP);
  if (hasMap(FMAP, index)) pages.push(PTYPE.FMAP);
  if (hasMap(FPMAP, index)) pages.push(PTYPE.FPMAP);
  return pages;
}

/** Which byte of which FMap page speaks for AMap `index`; undefined when the header's rgbFM does. */
export function fmapPlace(index: number): { ib: number; byte: number } | undefined {
  if (index < FMAP.first) return undefined;
  const byte = (index - FMAP.first) % FMAP.every;
  return { ib: ibOfInterval(index - byte) + 2 * PAGE_SIZE, byte };
}

export interface Layout {
  /** Number of intervals, which is the number of AMaps. */
  readonly intervals: number;
  readonly ibFileEof: number;
  readonly ibAMapLast: number;
  readonly pmaps: number;
  readonly fmaps: number;
  readonly fpmaps: number;
}

const dueUpTo = (intervals: number, places: MapPlaces): number =>
  intervals <= places.first ? 0 : Math.ceil((intervals - places.first) / places.every);

/** The layout of a store of `intervals` intervals. */
export function layoutOf(intervals: number): Layout {
  return {
    intervals,
    ibFileEof: ibOfInterval(intervals),
    ibAMapLast: ibOfInterval(intervals - 1),
    pmaps: dueUpTo(intervals, PMAP),
    fmaps: dueUpTo(intervals, FMAP),
    fpmaps: dueUpTo(intervals, FPMAP),
  };
}

/** The smallest layout whose file holds `bytes` bytes. */
export function layoutFor(bytes: number): Layout {
  return layoutOf(Math.max(1, Math.ceil((bytes - FIRST_AMAP) / INTERVAL)));
}

/** Sets (taken) or clears (free) `count` bits from bit `from`. */
export function setSlots(bits: Uint8Array, from: number, count: number, taken: boolean): void {
  for (let slot = from; slot < from + count; slot++) {
    const mask = 0x80 >> (slot & 7);
    if (taken) bits[slot >> 3]! |= mask;
    else bits[slot >> 3]! &= ~mask;
  }
}

/** Are all `count` bits from `from` set? */
export function areTaken(bits: Uint8Array, from: number, count: number): boolean {
  for (let slot = from; slot < from + count; slot++) {
    if ((bits[slot >> 3]! & (0x80 >> (slot & 7))) === 0) return false;
  }
  return true;
}

/** Number of clear bits in an AMap, and the length of the longest run of them. */
export function freeSlots(bits: Uint8Array): { free: number; longestRun: number } {
  let free = 0;
  let run = 0;
  let longestRun = 0;
  for (let i = 0; i < MAP_BYTES; i++) {
    const byte = bits[i]!;
    if (byte === 0xff) {
      run = 0;
      continue;
    }
    for (let mask = 0x80; mask !== 0; mask >>= 1) {
      if (byte & mask) {
        run = 0;
      } else {
        free++;
        if (++run > longestRun) longestRun = run;
      }
    }
  }
  return { free, longestRun };
}

/**
 * Takes space from the front to the back, interval after interval, never across a border. Knows no
 * bytes, so a store of any size can be laid out without being written.
 */
export class SpaceCursor {
  /** AMap bits of the interval in hand. */
  readonly bits = new Uint8Array(MAP_BYTES);
  #index: number;
  #at = 0;

  constructor(firstInterval = 0) {
    this.#index = firstInterval - 1;
    this.advance();
  }

  /** Index of the interval in hand. */
  get index(): number {
    return this.#index;
  }

  /** Where the free space behind all that was taken begins, counted from the interval's start. */
  get at(): number {
    return this.#at;
  }

  /** Goes to the next interval and takes its map pages. */
  advance(): void {
    this.#index++;
    this.#at = 0;
    this.bits.fill(0);
    this.take(mapPages(this.#index).length * PAGE_SIZE, PAGE_SIZE);
  }

  /** Takes `size` bytes, a multiple of 64. Returns their offset in the interval, -1 when they do not fit. */
  take(size: number, alignment: number): number {
    const at = Math.ceil(this.#at / alignment) * alignment;
    if (at + size > INTERVAL) return -1;
    setSlots(this.bits, at / SLOT, size / SLOT, true);
    this.#at = at + size;
    return at;
  }
}
