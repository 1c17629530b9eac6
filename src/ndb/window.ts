/**
 * Reads a store through windows in the core's memory, so that the core can verify and decode in place.
 *
 * A miss that carries on where the last window ended, twice in a row, is a sequential reader: it gets 256 KB. Any other
 * miss gets a small window. A few of each are kept; the one longest unused is filled anew.
 * @module
 */
import type { Core } from '../core/core.js';
import { PstError, type Where } from '../errors.js';
import type { Source } from '../host/source.js';

/** What is read is checked and decoded while it is in the processor's cache: 1 MB was 5 % slower (`npm run bench -- read`). */
const LARGE = 256 << 10;
const LARGE_COUNT = 2;
const SMALL_COUNT = 8;
/** Misses in a row that make a reader sequential. */
const RUN = 2;
const SITE_HOST = 0;

interface Slot {
  /** Address of the window in the core, 0 until first used. */
  lo: number;
  readonly size: number;
  /** The bytes [ib, end) of the source lie at lo. */
  ib: number;
  end: number;
  used: number;
}

export class Window {
  /** Where `locate` found the bytes: offset `at` of the core's block `lo`. */
  lo = 0;
  at = 0;
  /** Hears of every piece asked for, to the byte: what a replay needs to have. */
  onLocate: ((ib: number, size: number) => void) | undefined;
  readonly #source: Source;
  readonly #core: Core;
  readonly #small: Slot[];
  readonly #large: Slot[];
  #last: Slot;
  /** The slot filled last: a sequential reader goes on behind it. */
  #filled: Slot;
  #run = 0;
  #clock = 0;

  /** `smallSize`: bytes of a small window, at least twice the largest piece ever asked for. */
  constructor(source: Source, core: Core, smallSize: number) {
    this.#source = source;
    this.#core = core;
    const slots = (count: number, size: number): Slot[] =>
      Array.from({ length: count }, () => ({ lo: 0, size, ib: 0, end: 0, used: 0 }));
    this.#small = slots(SMALL_COUNT, smallSize);
    this.#large = slots(LARGE_COUNT, LARGE);
    this.#last = this.#filled = this.#small[0]!;
  }

  /**
   * Brings `size` bytes from `ib` into the core; `lo` and `at` say where. They stay there until the next call.
   * Throws PST_TRUNCATED when the source ends before.
   */
  locate(ib: number, size: number, where: Where): void {
    this.onLocate?.(ib, size);
    let slot = this.#last;
    if (ib < slot.ib || ib + size > slot.end) {
      slot = this.#find(ib, ib + size) ?? this.#fill(ib, size, where);
      slot.used = ++this.#clock;
      this.#last = slot;
    }
    this.lo = slot.lo;
    this.at = ib - slot.ib;
  }

  #find(ib: number, end: number): Slot | undefined {
    for (const slot of this.#small) if (ib >= slot.ib && end <= slot.end) return slot;
    for (const slot of this.#large) if (ib >= slot.ib && end <= slot.end) return slot;
    return undefined;
  }

  #fill(ib: number, size: number, where: Where): Slot {
    if (!(ib >= 0 && ib + size <= this.#source.size)) {
      const message = `${size} bytes are needed, the file ends at 0x${this.#source.size.toString(16)}`;
      throw new PstError('PST_TRUNCATED', message, { ...where, ib });
    }
    const before = this.#filled;
    this.#run = ib >= before.ib && ib <= before.end + before.size && before.end !== 0 ? this.#run + 1 : 0;
    const sequential = this.#run >= RUN;
    let slot = sequential ? this.#large[0]! : this.#small[0]!;
    for (const other of sequential ? this.#large : this.#small) if (other.used < slot.used) slot = other;
    if (slot.lo === 0) slot.lo = this.#core.x.alloc(slot.size, SITE_HOST);

    // A small window begins at half its size, so that neighbours on both sides come along.
    const step = sequential ? 512 : slot.size / 2;
    slot.ib = Math.floor(ib / step) * step;
    slot.end = slot.ib;
    const wanted = Math.min(slot.size, this.#source.size - slot.ib);
    slot.end += this.#source.read(this.#core.u8.subarray(slot.lo, slot.lo + wanted), slot.ib);
    this.#filled = slot;
    if (ib + size > slot.end) throw new PstError('PST_TRUNCATED', 'the file has become shorter', { ...where, ib });
    return slot;
  }

  /** Gives the windows back to the core. */
  close(): void {
    for (const slot of [...this.#small, ...this.#large]) {
      if (slot.lo !== 0) this.#core.x.free(slot.lo);
      slot.lo = slot.ib = slot.end = 0;
    }
  }
}
