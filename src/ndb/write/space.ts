/**
 * The space of a store being written: one interval in core memory, filled from the front, written
 * whole, never touched again but for its map pages. MS-PST 2.2.2.7.2, 2.6.1.1.
 * @module
 */
import type { Core } from '../../core/core.js';
import { SITE_HOST } from '../../core/site.js';
import { PstError } from '../../errors.js';
import type { Sink, Source } from '../../host/source.js';
import { FREE_RUN_MAX } from '../../wire/map.js';
import { PAGE_SIZE, PTYPE } from '../../wire/page.js';
import { Column } from './columns.js';
import {
  fmapPlace,
  freeSlots,
  INTERVAL,
  ibOfInterval,
  intervalOf,
  type Layout,
  layoutOf,
  MAP_BYTES,
  mapPages,
  SLOT,
  SpaceCursor,
  setSlots,
} from './maps.js';

/** Places are kept as a 32-bit count of slots. Outlook opens nothing above 50 GB; a runaway writer stops here. */
export const LARGEST_FILE = 2 ** 32 * SLOT;

export const low32 = (n: number): number => n >>> 0;
export const high32 = (n: number): number => Math.floor(n / 2 ** 32);

export class Space {
  /** The interval in hand, in core memory. */
  readonly buffer: number;
  readonly #cursor: SpaceCursor;
  readonly #first: number;
  /** Of each interval written: clear AMap bits, and the longest run of them. */
  readonly #free = new Column(Uint16Array);
  readonly #longestRun = new Column(Uint16Array);
  #isDone = false;

  /** `firstInterval` above 0 leaves out what lies before: for tests of places far into a store. */
  constructor(
    private readonly core: Core,
    private readonly sink: Sink & Source,
    firstInterval = 0,
  ) {
    this.buffer = core.x.alloc(INTERVAL, SITE_HOST);
    this.#cursor = new SpaceCursor(firstInterval);
    this.#first = firstInterval;
  }

  /** Offset in the file of offset `at` in the interval in hand. */
  ib(at: number): number {
    return ibOfInterval(this.#cursor.index) + at;
  }

  /**
   * Takes `size` bytes (a multiple of 64) and returns their offset in `buffer`. Writes the interval in
   * hand and begins the next one when they do not fit. Bytes skipped for alignment are zero.
   */
  take(size: number, alignment: number): number {
    let skippedFrom = this.#cursor.at;
    let at = this.#cursor.take(size, alignment);
    if (at < 0) {
      this.#write();
      this.#cursor.advance();
      if (this.ib(INTERVAL) > LARGEST_FILE)
        throw new PstError('PST_LIMIT', `the store would exceed ${LARGEST_FILE} bytes`);
      skippedFrom = this.#cursor.at;
      at = this.#cursor.take(size, alignment);
      if (at < 0) throw new RangeError(`${size} bytes never fit an interval`);
    }
    if (at > skippedFrom) this.core.u8.fill(0, this.buffer + skippedFrom, this.buffer + at);
    return at;
  }

  /** Writes the trailer of the page whose 496 bytes lie at offset `at` of `buffer`. */
  sealPage(at: number, ptype: number, bid: number): void {
    this.core.x.pageSeal(this.buffer, at, ptype, low32(bid), high32(bid), low32(this.ib(at)));
  }

  /** Reads back what was written, from the interval in hand or from the file. */
  read(target: Uint8Array, ib: number): void {
    const at = ib - this.ib(0);
    if (at >= 0 && !this.#isDone) target.set(this.core.u8.subarray(this.buffer + at, this.buffer + at + target.length));
    else if (this.sink.read(target, ib) < target.length) throw new PstError('PST_TRUNCATED', 'the store ends', { ib });
  }

  /** Gives `size` bytes at `ib` back: their AMap bits are cleared, and the bytes become zeros. */
  release(ib: number, size: number): void {
    const index = intervalOf(ib);
    const at = ib - ibOfInterval(index);
    if (index === this.#cursor.index && !this.#isDone) {
      setSlots(this.#cursor.bits, at / SLOT, size / SLOT, false);
      this.core.u8.fill(0, this.buffer + at, this.buffer + at + size);
      return;
    }
    const bits = new Uint8Array(MAP_BYTES);
    this.read(bits, ibOfInterval(index));
    setSlots(bits, at / SLOT, size / SLOT, false);
    this.#writeMap(bits, PTYPE.AMAP, ibOfInterval(index));
    this.sink.write(new Uint8Array(size), ib);
    const { free, longestRun } = freeSlots(bits);
    this.#free.set(index - this.#first, free);
    this.#longestRun.set(index - this.#first, longestRun);
  }

  /** Writes the last interval and the free runs into the FMap pages. Frees `buffer`. */
  finish(): Layout & { cbAMapFree: number } {
    this.#write();
    this.#isDone = true;
    const last = this.#cursor.index;
    let bytes: Uint8Array | undefined;
    for (let index = this.#first; index <= last; index++) {
      const place = fmapPlace(index);
      if (place === undefined) continue;
      // AMaps that do not exist yet count as empty, as in rgbFM.
      bytes ??= new Uint8Array(MAP_BYTES).fill(0xff);
      bytes[place.byte] = Math.min(FREE_RUN_MAX, this.#longestRun.at(index - this.#first));
      if (place.byte === MAP_BYTES - 1 || index === last) {
        if (place.ib >= ibOfInterval(this.#first)) this.#writeMap(bytes, PTYPE.FMAP, place.ib);
        bytes = undefined;
      }
    }
    this.core.x.free(this.buffer);
    let free = 0;
    for (const slots of this.#free.values()) free += slots;
    return { ...layoutOf(last + 1), cbAMapFree: free * SLOT };
  }

  /** Frees `buffer` without writing anything. */
  abandon(): void {
    if (!this.#isDone) this.core.x.free(this.buffer);
    this.#isDone = true;
  }

  /** Completes the interval in hand with its map pages and writes it. */
  #write(): void {
    const { buffer, core } = this;
    const { bits, at, index } = this.#cursor;
    const u8 = core.u8;
    u8.fill(0, buffer + at, buffer + INTERVAL);
    mapPages(index).forEach((ptype, n) => {
      const page = buffer + n * PAGE_SIZE;
      if (ptype === PTYPE.AMAP) core.u8.set(bits, page);
      else core.u8.fill(0xff, page, page + MAP_BYTES);
      this.sealPage(n * PAGE_SIZE, ptype, this.ib(n * PAGE_SIZE));
    });
    this.sink.write(core.u8.subarray(buffer, buffer + INTERVAL), ibOfInterval(index));
    const { free, longestRun } = freeSlots(bits);
    this.#free.push(free);
    this.#longestRun.push(longestRun);
  }

  /** Writes one map page in place. */
  #writeMap(data: Uint8Array, ptype: number, ib: number): void {
    const { core } = this;
    const page = core.x.alloc(PAGE_SIZE, SITE_HOST);
    core.u8.set(data, page);
    core.x.pageSeal(page, 0, ptype, low32(ib), high32(ib), low32(ib));
    this.sink.write(core.u8.subarray(page, page + PAGE_SIZE), ib);
    core.x.free(page);
  }
}
