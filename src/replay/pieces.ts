/**
 * A bundle taken apart below all structure that may be damaged: header, pages, blocks, each with its payload and what is wrong with its
 * trailer. Put together again, a sound piece is sound whatever its payload has become, and a damaged one is damaged in the same way:
 *
 *     stored  payload, encoded │ padding │ cb  wSig  dwCRC  bid         wSig and bid stay to the byte
 *     here    payload, decoded │         │ cb - size, dwCRC - computed  0 and 0 when sound: the same after any change
 *
 * Pieces keep their places, so signatures stay right, or wrong.
 * @module
 */
import { Core } from '../core/core.js';
import { FULL } from '../core/options.js';
import { PstError } from '../errors.js';
import { signature } from '../ndb/page.js';
import { BLOCK, BTYPE, wireSize, XBLOCK } from '../wire/block.js';
import { isInternal } from '../wire/btree.js';
import { HEADER, WVER } from '../wire/header.js';
import { PAGE, type PageGeometry, PTYPE } from '../wire/page.js';
import { u64 } from '../wire/struct.js';
import { ANSI, UNICODE, UNICODE_4K, type Variant } from '../wire/variant.js';
import type { Bundle } from './bundle.js';
import { blockList, type List, pageList, viewOf } from './list.js';
import { type ReplayOptions, runBundle } from './replay.js';
import { type Range, sparseSource, withoutZeros } from './sparse.js';

/** A block or page of which bytes were read. */
export interface Piece {
  readonly kind: 'block' | 'page';
  /** By the BBT; 0 for a page. */
  readonly bid: number;
  readonly ib: number;
  /** Payload; of a block decoded, of a page everything before its trailer. */
  bytes: Uint8Array;
  trailer: Uint8Array;
  /** Stored CRC xor the right one: 0 when it is right. */
  crcFault: number;
  /** Size in the trailer less the one in the BBT. Pages have none. */
  sizeFault: number;
}

/** A block as the BBT has it. */
export interface Block {
  readonly bid: number;
  readonly ib: number;
  readonly cRef: number;
  /** Stored and inflated size, when nothing was read of the block; otherwise its piece knows. */
  cb: number;
  inflated: number;
  piece: Piece | undefined;
  /** Of an XBLOCK or XXBLOCK whose leaves are all known: lcbTotal less their size. */
  totalFault: number | undefined;
}

/** Nodes are copied from Unicode stores alone; only opening goes further with the others. */
const { trailer: TRAILER, maxPayload: MAX_PAYLOAD, unit: UNIT } = BLOCK[UNICODE];

type Run = (bundle: Bundle, options: ReplayOptions) => unknown;

export interface PiecesOptions {
  /** Keep blocks that a run of the bundle does not look up: how many there are is part of some errors. */
  readonly keepsAll?: boolean;
  /** For who takes many bundles apart: a raw core, and how one is run. */
  readonly core?: Core;
  readonly run?: Run;
}

interface Reads {
  readonly places: ReadonlySet<number>;
  readonly lookups: ReadonlySet<number>;
}

/** What a run of the bundle reads, and which entries of its BBT it looks up. */
function readsOf(bundle: Bundle, run: Run): Reads {
  const places = new Set<number>();
  const lookups = new Set<number>();
  const options: ReplayOptions = {
    onPage: (ib) => places.add(ib),
    onStore: (ndb) =>
      ndb.listen({
        onRead: (ib) => places.add(ib),
        onLookup: (index) => index >= 0 && lookups.add(ndb.bbt.bid(index)),
      }),
  };
  run(bundle, options);
  return { places, lookups };
}

export class Pieces {
  header: Uint8Array;
  node: { nid: number; bidData: number; bidSub: number; parent: number } | null;
  readonly variant: Variant;
  readonly pageGeometry: PageGeometry;
  pages: Piece[] = [];
  blocks: Block[] = [];
  /** bCryptMethod. */
  readonly method: number;
  readonly #core: Core;

  /** Takes `bundle` apart. What a run of it does not read is left out. */
  constructor(
    readonly bundle: Bundle,
    { keepsAll = false, core = Core.load('raw', FULL), run = runBundle }: PiecesOptions = {},
  ) {
    this.#core = core;
    const { name, size } = bundle.source;
    const source = sparseSource(name, size, bundle.ranges);
    const read = (ib: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - ib)));
      source.read(bytes, ib);
      return bytes;
    };
    this.header = read(0, HEADER.size);
    this.node = bundle.node === null ? null : { ...bundle.node };
    this.variant = variantOf(this.header);
    this.pageGeometry = PAGE[this.variant];
    this.method = this.header[HEADER.at.bCryptMethod] ?? 0;
    const { places, lookups } = readsOf(bundle, run);
    if (this.node === null) {
      // What a reference behind the end of the file leads to has no bytes.
      for (const ib of [...places].filter((each) => each < size).sort((a, b) => a - b))
        this.pages.push(this.#page(ib, read(ib, this.pageGeometry.size)));
      return;
    }
    for (const [bid, ib, cb, inflated, cRef] of bundle.blocks) {
      if (!keepsAll && !lookups.has(bid)) continue;
      const wire = wireSize(cb, UNICODE);
      const isRead = places.has(ib) && cb === inflated && cb <= MAX_PAYLOAD && ib % UNIT === 0 && ib + wire <= size;
      const piece = isRead ? this.#block(bid, ib, cb, read(ib, wire)) : undefined;
      this.blocks.push({ bid, ib, cRef, cb, inflated, piece, totalFault: undefined });
    }
    this.#part();
    for (const block of this.blocks) {
      const stated = statedTotal(block);
      const total = stated === undefined ? undefined : this.#total(block);
      if (stated !== undefined && total !== undefined) block.totalFault = stated - total;
    }
  }

  /** Of two blocks that share bytes, one has a wrong place: it is the one that is not sound there. What it read is the other's. */
  #part(): void {
    const ends = ({ ib, piece }: Block): number => ib + wireSize(piece!.bytes.length, UNICODE);
    const stored = this.blocks.filter(({ piece }) => piece !== undefined).sort((a, b) => a.ib - b.ib);
    let before: Block | undefined;
    for (const block of stored) {
      if (before !== undefined && block.ib < ends(before)) {
        if (this.isSound(block.piece!)) before.piece = undefined;
        else {
          block.piece = undefined;
          continue;
        }
      }
      before = block;
    }
  }

  #page(ib: number, stored: Uint8Array): Piece {
    const { trailerAt, trailer } = this.pageGeometry;
    const bytes = stored.slice(0, trailerAt);
    const tail = stored.slice(trailerAt);
    const right = this.#crc(bytes);
    const found = tail.length < trailer.size ? right : viewOf(tail).getUint32(trailer.at.dwCRC, true);
    return { kind: 'page', bid: 0, ib, bytes, trailer: tail, crcFault: (found ^ right) >>> 0, sizeFault: 0 };
  }

  #block(bid: number, ib: number, cb: number, stored: Uint8Array): Piece {
    const trailer = stored.slice(stored.length - TRAILER.size);
    const encoded = stored.subarray(0, cb);
    const found = viewOf(trailer).getUint32(TRAILER.at.dwCRC, true);
    return {
      kind: 'block',
      bid,
      ib,
      bytes: this.#decoded(bid, encoded),
      trailer,
      crcFault: (found ^ this.#crc(encoded)) >>> 0,
      sizeFault: viewOf(trailer).getUint16(TRAILER.at.cb, true) - cb,
    };
  }

  #crc(bytes: Uint8Array): number {
    const { x } = this.#core;
    const ptr = this.#core.put(bytes);
    const sum = x.crc(ptr, 0, bytes.length) >>> 0;
    x.free(ptr);
    return sum;
  }

  #decoded(bid: number, encoded: Uint8Array): Uint8Array {
    const { x } = this.#core;
    if (isInternal(bid) || encoded.length === 0) return encoded.slice();
    const ptr = this.#core.put(encoded);
    x.blockDecode(ptr, encoded.length, this.method, bid >>> 0);
    const bytes = this.#core.u8.slice(ptr, ptr + encoded.length);
    x.free(ptr);
    return bytes;
  }

  #encoded(bid: number, bytes: Uint8Array): Uint8Array {
    if (isInternal(bid) || bytes.length === 0) return bytes;
    const { x } = this.#core;
    const from = this.#core.put(bytes);
    const to = x.alloc(wireSize(bytes.length, UNICODE), 0);
    x.blockSeal(to, 0, from, 0, bytes.length, this.method, bid >>> 0, 0, 0);
    const encoded = this.#core.u8.slice(to, to + bytes.length);
    x.free(to);
    x.free(from);
    return encoded;
  }

  /** Fields of the trailer that are wrong, dwCRC and cb apart. */
  wrongFields(piece: Piece): { readonly name: string; readonly at: number; readonly size: number }[] {
    const { trailer, ib } = piece;
    const isPage = piece.kind === 'page';
    const { at, size } = isPage ? this.pageGeometry.trailer : TRAILER;
    if (trailer.length < size) return [{ name: 'trailer', at: 0, size: trailer.length }];
    const view = viewOf(trailer);
    const width = this.variant === ANSI ? 4 : 8;
    const bid = width === 4 ? view.getUint32(at.bid, true) : u64.get(view, at.bid);
    const isTyped = !isPage || (PTYPES.includes(trailer[0]!) && trailer[0] === trailer[1]);
    const isNamed = isPage || bid === piece.bid;
    // By the BID it gives itself: one wrong BID is one fault.
    const isSigned = view.getUint16(at.wSig, true) === signature(isNamed ? bid : piece.bid, ib);
    return [
      ...(isTyped ? [] : [{ name: 'ptype', at: 0, size: 2 }]),
      ...(isSigned ? [] : [{ name: 'wSig', at: at.wSig, size: 2 }]),
      ...(isNamed && (isSigned || !isPage) ? [] : [{ name: 'bid', at: at.bid, size: width }]),
    ];
  }

  isSound(piece: Piece): boolean {
    return piece.crcFault === 0 && piece.sizeFault === 0 && this.wrongFields(piece).length === 0;
  }

  // --- trees ----------------------------------------------------------------------------------------------------------------

  find(bid: number): Block | undefined {
    const key = bid - (bid % 2); // bit 0 is reserved: 2.2.2.2
    return this.blocks.find((block) => block.bid === key);
  }

  /** The entries of an internal block or a page that is sound; undefined when it is none, or they cannot be told. */
  listOf(piece: Piece, isBlockInternal: boolean): List | undefined {
    if (piece.crcFault !== 0 || piece.sizeFault !== 0) return undefined;
    if (piece.kind === 'page') return pageList(piece, this.variant);
    return isBlockInternal ? blockList(piece) : undefined;
  }

  /** Decoded bytes below an XBLOCK or XXBLOCK, or of a leaf; undefined when a block of them is not known. */
  #total(block: Block, depth = 0): number | undefined {
    if (!isInternal(block.bid)) return sizeOf(block);
    const list = block.piece === undefined ? undefined : this.listOf(block.piece, true);
    if (list?.kind !== 'leaves' || depth > 1) return undefined;
    let sum = 0;
    for (const entry of list.entries) {
      const child = this.find(u64.get(viewOf(entry), 0));
      const part = child === undefined ? undefined : this.#total(child, depth + 1);
      if (part === undefined) return undefined;
      sum += part;
    }
    return sum;
  }

  // --- and back ---------------------------------------------------------------------------------------------------------------

  /** The bundle as the pieces are now, its outcome the old one. Throws PST_BAD_BLOCK when two of them share bytes. */
  bundled(): Bundle {
    const parts: Range[] = [];
    for (const block of this.blocks) {
      const total = block.totalFault === undefined ? undefined : this.#total(block);
      if (total !== undefined)
        viewOf(block.piece!.bytes).setUint32(XBLOCK.at.lcbTotal, total + block.totalFault!, true);
      if (block.piece !== undefined) parts.push({ ib: block.ib, bytes: this.#sealed(block.bid, block.piece) });
    }
    for (const page of this.pages) parts.push({ ib: page.ib, bytes: this.#sealedPage(page) });
    parts.push({ ib: 0, bytes: this.header });
    parts.sort((a, b) => a.ib - b.ib);
    for (let k = 1, end = 0; k < parts.length; k++) {
      end = Math.max(end, parts[k - 1]!.ib + parts[k - 1]!.bytes.length);
      if (parts[k]!.ib < end) throw new PstError('PST_BAD_BLOCK', 'two pieces share bytes', { ib: parts[k]!.ib });
    }
    return {
      ...this.bundle,
      node: this.node,
      blocks: this.blocks.map((block) => {
        const size = block.piece?.bytes.length;
        return [block.bid, block.ib, size ?? block.cb, size ?? block.inflated, block.cRef] as const;
      }),
      ranges: parts.flatMap(({ ib, bytes }) => withoutZeros(ib, bytes)),
    };
  }

  #sealed(bid: number, { bytes, trailer, crcFault, sizeFault }: Piece): Uint8Array {
    const encoded = this.#encoded(bid, bytes);
    const out = new Uint8Array(wireSize(bytes.length, UNICODE));
    out.set(encoded);
    const at = out.length - TRAILER.size;
    out.set(trailer, at);
    viewOf(out).setUint16(at + TRAILER.at.cb, bytes.length + sizeFault, true);
    viewOf(out).setUint32(at + TRAILER.at.dwCRC, this.#crc(encoded) ^ crcFault, true);
    return out;
  }

  #sealedPage({ bytes, trailer, crcFault }: Piece): Uint8Array {
    const out = new Uint8Array(bytes.length + trailer.length);
    out.set(bytes);
    out.set(trailer, bytes.length);
    const { at, size } = this.pageGeometry.trailer;
    if (trailer.length === size) viewOf(out).setUint32(bytes.length + at.dwCRC, this.#crc(bytes) ^ crcFault, true);
    return out;
  }

  /** All blocks and pages of which bytes were read, and what a person calls each. */
  stored(): {
    readonly name: string;
    readonly piece: Piece;
    readonly isData: boolean;
    readonly list: List | undefined;
  }[] {
    return [
      ...this.blocks.flatMap(({ bid, piece }) =>
        piece === undefined
          ? []
          : [
              {
                name: `block 0x${bid.toString(16)}`,
                piece,
                isData: !isInternal(bid),
                list: this.listOf(piece, isInternal(bid)),
              },
            ],
      ),
      ...this.pages.map((piece) => ({
        name: `the page at 0x${piece.ib.toString(16)}`,
        piece,
        isData: false,
        list: this.listOf(piece, false),
      })),
    ];
  }
}

/** Pages that opening a store reads. */
const PTYPES: readonly number[] = [PTYPE.NBT, PTYPE.BBT];

const sizeOf = ({ piece, inflated }: Block): number => piece?.bytes.length ?? inflated;

/** lcbTotal of an XBLOCK or XXBLOCK; undefined for any other block. */
function statedTotal({ bid, piece }: Block): number | undefined {
  if (!isInternal(bid) || piece === undefined || piece.bytes.length < XBLOCK.size || piece.bytes[0] !== BTYPE.X)
    return undefined;
  return viewOf(piece.bytes).getUint32(XBLOCK.at.lcbTotal, true);
}

/** wVer, MS-PST 2.2.2.6; what is none of ours is taken for Unicode, and nothing of it is read. */
function variantOf(header: Uint8Array): Variant {
  if (header.length < HEADER.at.wVer + 2) return UNICODE;
  const wVer = viewOf(header).getUint16(HEADER.at.wVer, true);
  return wVer === WVER.ANSI || wVer === WVER.ANSI_15 ? ANSI : wVer === WVER.UNICODE_4K ? UNICODE_4K : UNICODE;
}
