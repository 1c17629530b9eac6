/**
 * Loads and verifies pages. MS-PST 2.2.2.7; what is recomputed is 5.3 (CRC) and 5.5 (signature).
 * @module
 */
import type { Core } from '../core/core.js';
import { hex, PstError, type PstErrorCode } from '../errors.js';
import type { Source } from '../host/source.js';
import { PAGE, type PageGeometry, PTYPE } from '../wire/page.js';
import { u32, u64 } from '../wire/struct.js';
import { ANSI, type Variant } from '../wire/variant.js';
import { Window } from './window.js';

/** Pages lie apart; a window of this size keeps what is read for one of them small. */
const WINDOW = 16 << 10;
const NONE: readonly PstError[] = [];

/** 5.5. Only the low 32 bits of each take part. */
export function signature(bid: number, ib: number): number {
  const mixed = (bid >>> 0) ^ (ib >>> 0);
  return ((mixed >>> 16) ^ mixed) & 0xffff;
}

/** AMap, PMap, FMap and FPMap pages: their BID is their place, their signature 0. 2.2.2.7.1. */
export const isMapPage = (ptype: number): boolean => ptype >= PTYPE.FMAP && ptype <= PTYPE.FPMAP;

export class PageReader {
  readonly geometry: PageGeometry;
  /** The core's memory, and where the page loaded last begins in it. Until the next call. */
  view: DataView;
  at = 0;
  readonly #core: Core;
  readonly #window: Window;
  readonly #bid: typeof u32;

  constructor(
    readonly source: Source,
    core: Core,
    variant: Variant,
  ) {
    this.geometry = PAGE[variant];
    this.view = core.view;
    this.#core = core;
    this.#window = new Window(source, core, WINDOW);
    this.#bid = variant === ANSI ? u32 : u64;
  }

  /** Hears of every page asked for. */
  set onRead(call: ((ib: number, size: number) => void) | undefined) {
    this.#window.onLocate = call;
  }

  /** Brings the page at `ib` in. Throws PST_TRUNCATED. */
  load(ib: number): void {
    this.#window.locate(ib, this.geometry.size, { section: '2.2.2.7' });
    this.view = this.#core.view;
    this.at = this.#window.lo + this.#window.at;
  }

  /** A copy of the bytes of the page loaded last. */
  bytes(): Uint8Array {
    return this.#core.u8.slice(this.at, this.at + this.geometry.size);
  }

  /** ptype and BID of the page loaded last, as its trailer states them. */
  get ptype(): number {
    return this.view.getUint8(this.at + this.geometry.trailerAt);
  }
  get bid(): number {
    const { trailerAt, trailer } = this.geometry;
    return this.#bid.get(this.view, this.at + trailerAt + trailer.at.bid);
  }

  /**
   * Everything wrong with the trailer of the page loaded last, given its type and the reference that led to it; empty
   * when it is sound. A wrong type comes first and alone: a page of zeros has CRC 0 and signature 0 and would pass the rest.
   */
  faults(ptype: number, bid: number, ib: number): readonly PstError[] {
    const { view } = this;
    const { trailerAt, trailer } = this.geometry;
    const at = this.at + trailerAt;
    const found = view.getUint8(at);
    const repeat = view.getUint8(at + 1);
    const fault = (code: PstErrorCode, name: string, message: string): PstError =>
      new PstError(code, message, { field: `PAGETRAILER.${name}`, section: '2.2.2.7.1', bid, ib });
    if (found !== ptype) return [fault('PST_BAD_PTYPE', 'ptype', `page type is ${hex(found)}, expected ${hex(ptype)}`)];
    if (repeat !== found) {
      return [fault('PST_BAD_PTYPE', 'ptypeRepeat', `page type is ${hex(found)}, its repeat ${hex(repeat)}`)];
    }

    const own = this.bid;
    const wSig = view.getUint16(at + trailer.at.wSig, true);
    // By the BID the page gives itself, so that a wrong BID is one fault and not two.
    const wSigExpected = isMapPage(ptype) ? 0 : signature(own, ib);
    const dwCRC = view.getUint32(at + trailer.at.dwCRC, true);
    const sum = this.#core.x.crc(this.#window.lo, this.#window.at, trailerAt) >>> 0;
    if (own === bid && wSig === wSigExpected && dwCRC === sum) return NONE;

    const faults: PstError[] = [];
    if (dwCRC !== sum) faults.push(fault('PST_BAD_CRC', 'dwCRC', `stored CRC ${hex(dwCRC)}, computed ${hex(sum)}`));
    if (wSig !== wSigExpected) {
      faults.push(fault('PST_BAD_SIG', 'wSig', `signature is ${hex(wSig)}, expected ${hex(wSigExpected)}`));
    }
    if (own !== bid) {
      faults.push(fault('PST_BAD_BID', 'bid', `the page names itself ${hex(own)}, its reference ${hex(bid)}`));
    }
    return faults;
  }

  /** Gives the core's memory back. */
  close(): void {
    this.#window.close();
  }
}
