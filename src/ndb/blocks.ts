/**
 * Reads blocks by BID: BBT, window, trailer, inflate, decode. MS-PST 2.2.2.8.
 *
 *     file ──▶ window ──check──▶ stored bytes ──inflate (4K)──▶ ──decode──▶ block of the core's own
 *
 * Nothing is handed on before its CRC, signature and BID are right.
 * @module
 */
import type { Core } from '../core/core.js';
import { hex, PstError, type Where } from '../errors.js';
import { inflate } from '../host/inflate.js';
import type { Source } from '../host/source.js';
import { BLOCK, type BlockGeometry } from '../wire/block.js';
import { isInternal } from '../wire/btree.js';
import type { Variant } from '../wire/variant.js';
import type { BlockIndex } from './bbt.js';
import { Window } from './window.js';

const SITE_HOST = 0;
/** What a read counts for beside its bytes, in bytes: a tiny block read a million times takes time as well. */
const READ_COST = 512;
/** Small windows: eight blocks of 8 KB, or two of 64 KB and what is around them. */
const WINDOW = [64 << 10, 64 << 10, 256 << 10] as const;

export class BlockReader {
  readonly geometry: BlockGeometry;
  /** The internal block `open` read last: `size` bytes from `at`. Until the next call of any function here. */
  view: DataView;
  at = 0;
  size = 0;
  /** Called once per block read, after its check, with the stored bytes at `lo` + `at` of the core. */
  onBlock: ((index: number, lo: number, at: number) => void) | undefined;
  /** Called with every place in the BBT that is looked up; -1 for a BID that is not there. */
  onLookup: ((index: number) => void) | undefined;
  /** Decoded bytes handed out so far, and how many may be. */
  loadedBytes = 0;
  budget = Number.POSITIVE_INFINITY;
  readonly #window: Window;
  readonly #source: Source;
  readonly #round: number;

  constructor(
    source: Source,
    readonly core: Core,
    readonly variant: Variant,
    readonly crypt: number,
    readonly bbt: BlockIndex,
  ) {
    this.geometry = BLOCK[variant];
    this.view = core.view;
    this.#source = source;
    this.#window = new Window(source, core, WINDOW[variant]);
    this.#round = this.geometry.unit - 1 + this.geometry.trailer.size;
  }

  /** Hears of the stored bytes of every block asked for, padding and trailer included. */
  set onRead(call: ((ib: number, size: number) => void) | undefined) {
    this.#window.onLocate = call;
  }

  get sourceSize(): number {
    return this.#source.size;
  }

  /** Against trees that share blocks to become larger than any file, and against work beside reading. Throws PST_LIMIT. */
  charge(bytes: number, bid: number, where: Where): void {
    this.loadedBytes += bytes;
    if (this.loadedBytes > this.budget) {
      throw new PstError('PST_LIMIT', `blocks are shared until they are ${this.loadedBytes} bytes`, { ...where, bid });
    }
  }

  /** Index of the block in the BBT. Throws PST_MISSING. */
  indexOf(bid: number, where: Where): number {
    const index = this.bbt.find(bid);
    this.onLookup?.(index);
    if (index < 0) throw new PstError('PST_MISSING', 'the block is not in the BBT', { ...where, bid });
    return index;
  }

  /**
   * Brings block `index` of the BBT into the window and verifies it; `place` says where it is.
   * Throws PST_BAD_BLOCK, PST_TRUNCATED, PST_BAD_CRC, PST_BAD_SIG, PST_BAD_BID.
   */
  check(index: number, where: Where): void {
    const { bbt } = this;
    const bid = bbt.bids[index]!;
    const ib = bbt.ibs[index]!;
    const cb = bbt.cbs[index]!;
    const inflated = bbt.inflateds[index]!;
    const { unit, maxPayload } = this.geometry;
    if (cb > maxPayload || inflated > maxPayload || ib % unit !== 0) throw this.#bad(index, where);
    this.charge(inflated + unit + READ_COST, bid, where);
    const room = cb + this.#round;
    const wire = room - (room % unit);
    if (ib + wire > this.#source.size) {
      const message = `the block ends at ${hex(ib + wire)}, the file at ${hex(this.#source.size)}`;
      throw new PstError('PST_TRUNCATED', message, {
        ...where,
        bid,
        ib,
        field: 'BBTENTRY.BREF',
        section: '2.2.2.7.7.3',
      });
    }
    this.#window.locate(ib, wire, where);
    const { lo, at } = this.#window;
    if (this.core.x.blockCheck(lo, at, cb, this.variant, bid >>> 0, Math.floor(bid / 2 ** 32), ib >>> 0) === 0) {
      throw this.core.damage({ ...where, bid, ib });
    }
    this.onBlock?.(index, lo, at);
  }

  #bad(index: number, where: Where): PstError {
    const { bbt } = this;
    const place = { ...where, bid: bbt.bid(index), ib: bbt.ib(index), section: '2.2.2.7.7.3' };
    const { unit, maxPayload } = this.geometry;
    if (bbt.ib(index) % unit !== 0) {
      return new PstError('PST_BAD_BLOCK', `a block not on a multiple of ${unit}`, {
        ...place,
        field: 'BBTENTRY.BREF',
      });
    }
    const cb = Math.max(bbt.cb(index), bbt.inflated(index));
    return new PstError('PST_BAD_BLOCK', `${cb} bytes, a block holds ${maxPayload}`, {
      ...place,
      field: 'BBTENTRY.cb',
    });
  }

  /** Verified and decoded bytes of data block `index`, in a block of the core's own that the caller frees; 0 when there are none. */
  load(index: number, where: Where): number {
    this.check(index, where);
    const { bbt, core } = this;
    const bid = bbt.bids[index]!;
    const cb = bbt.cbs[index]!;
    const size = bbt.inflateds[index]!;
    if (size === 0) return 0;
    const method = isInternal(bid) ? 0 : this.crypt;
    if (cb === size) return core.x.blockLoad(this.#window.lo, this.#window.at, cb, method, bid >>> 0);
    const bytes = this.#inflate(index, where);
    const ptr = core.x.alloc(size, SITE_HOST);
    core.u8.set(bytes, ptr);
    if (method !== 0) core.x.blockDecode(ptr, size, method, bid >>> 0);
    return ptr;
  }

  /** Verifies internal block `bid`; `view`, `at` and `size` then give its bytes. */
  open(bid: number, where: Where): void {
    const index = this.indexOf(bid, where);
    this.check(index, where);
    const cb = this.bbt.cbs[index]!;
    this.size = this.bbt.inflateds[index]!;
    if (cb === this.size) {
      this.view = this.core.view;
      this.at = this.#window.lo + this.#window.at;
    } else {
      const bytes = this.#inflate(index, where);
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.at = 0;
    }
  }

  /** A copy of the stored bytes of the block checked last, `wire` bytes with padding and trailer. */
  stored(wire: number): Uint8Array {
    const from = this.#window.lo + this.#window.at;
    return this.core.u8.slice(from, from + wire);
  }

  /** Seen in 4K OSTs: zlib, when the stored and the inflated size differ. */
  #inflate(index: number, where: Where): Uint8Array {
    const { bbt } = this;
    const from = this.#window.lo + this.#window.at;
    const size = bbt.inflated(index);
    const bytes = inflate(this.core.u8.subarray(from, from + bbt.cb(index)), size);
    if (bytes === undefined) {
      const message = `${bbt.cb(index)} stored bytes do not inflate to ${size}`;
      throw new PstError('PST_INFLATE', message, { ...where, bid: bbt.bid(index), ib: bbt.ib(index) });
    }
    return bytes;
  }

  close(): void {
    this.#window.close();
  }
}
