/**
 * Redacts a bundle whose file is damaged, where its bytes lie. Heaps that can be read are masked value by value; of what cannot be read, or
 * leads nowhere, all bytes are masked. Lists of blocks, subnodes and pages hold numbers only, and stay; what is behind their entries is
 * zero. A sound piece is made sound again; of a damaged one the trailer is masked too where the error allows.
 * @module
 */
import { SIENTRY, SLENTRY } from '../wire/block.js';
import { isInternal } from '../wire/btree.js';
import { HEADER, MAGIC } from '../wire/header.js';
import { NID_TYPE, nidType } from '../wire/nid.js';
import { u64 } from '../wire/struct.js';
import { maskHeap } from './heap-mask.js';
import { type List, viewOf } from './list.js';
import { maskBytes, maskValue } from './mask.js';
import type { Block, Piece, Pieces } from './pieces.js';
import { nodeHeader, openHeader } from './rebuild.js';

/** A run of bytes that may be replaced. */
export interface Secret {
  /** What a person calls it. */
  readonly place: string;
  show(isShown: boolean): void;
  /** The same in short runs, for one that must stay in part. */
  parts?(): Secret[];
}

/** Bytes brought back together when the operation needs some of them. */
const RUN = 16;
/** Against subnodes in subnodes without end, and blocks that share blocks. */
const DEPTH_MAX = 128;
const VISITS_MAX = 100_000;

/** What is wrong with the pieces, which stays wrong: a sentence for each that is damaged. */
export function damageOf(pieces: Pieces): string[] {
  return pieces.stored().flatMap(({ name, piece }) => {
    const wrong = [
      ...(piece.crcFault === 0 ? [] : ['dwCRC']),
      ...(piece.sizeFault === 0 ? [] : ['cb']),
      ...pieces.wrongFields(piece).map((field) => field.name),
    ];
    return wrong.length === 0
      ? []
      : [`${name}: that its ${wrong.join(', ')} ${wrong.length === 1 ? 'is' : 'are'} wrong`];
  });
}

/** What there is to hide in the pieces, all of it shown. */
export function secretsOf(pieces: Pieces): Secret[] {
  const masked = new Masks(pieces).all();
  const secrets: Secret[] = [];
  for (const { name, piece } of pieces.stored()) {
    const after = masked.get(piece)!;
    secrets.push(...secretOf(`${name}, payload`, piece.bytes, after.bytes, (bytes) => (piece.bytes = bytes)));
    secrets.push(...secretOf(`${name}, trailer`, piece.trailer, after.trailer, (bytes) => (piece.trailer = bytes)));
  }
  const { header } = pieces;
  const to = (bytes: Uint8Array): Uint8Array => (pieces.header = bytes);
  return [...secrets, ...secretOf('the header', header, maskHeader(pieces), to)];
}

/** A header that is none may be anything; of one, what nobody looks at goes: places and counters by which a store can be told. */
function maskHeader({ header, node }: Pieces): Uint8Array {
  if (header.length < HEADER.at.wVer || viewOf(header).getUint32(0, true) !== MAGIC) return maskBytes(header);
  return node === null ? openHeader(header) : nodeHeader(header);
}

/** The bytes of a payload, a trailer or the header, if any of them change. `put` sets the whole. */
function secretOf(name: string, before: Uint8Array, after: Uint8Array, put: (bytes: Uint8Array) => void): Secret[] {
  if (before.every((byte, k) => byte === after[k])) return [];
  return [
    { place: name, show: (isShown) => put(isShown ? before : after), parts: () => runs(name, before, after, put) },
  ];
}

/** One secret for every few bytes that change. */
function runs(name: string, before: Uint8Array, after: Uint8Array, put: (bytes: Uint8Array) => void): Secret[] {
  const secrets: Secret[] = [];
  const now = before.slice();
  for (let from = 0; from < before.length; from += RUN) {
    const to = Math.min(from + RUN, before.length);
    const [shown, hidden] = [before.subarray(from, to), after.subarray(from, to)];
    if (shown.every((byte, k) => byte === hidden[k])) continue;
    secrets.push({
      place: `${name}, bytes ${from} to ${to - 1}`,
      show(isShown) {
        now.set(isShown ? shown : hidden, from);
        put(now.slice());
      },
    });
  }
  return secrets;
}

interface Masked {
  bytes: Uint8Array;
  trailer: Uint8Array;
}

class Masks {
  readonly #masked = new Map<Piece, Masked>();
  #visits = 0;

  constructor(readonly pieces: Pieces) {}

  all(): Map<Piece, Masked> {
    const { pieces } = this;
    if (pieces.node !== null) this.#object(pieces.node.nid, pieces.node.bidData, pieces.node.bidSub, 0);
    for (const { piece, list } of pieces.stored()) {
      if (!this.#masked.has(piece))
        this.#set(piece, list === undefined ? maskBytes(piece.bytes) : this.#list(piece, list));
    }
    return this.#masked;
  }

  #set(piece: Piece, bytes: Uint8Array): void {
    const trailer = piece.trailer.slice();
    for (const { at, size } of this.pieces.wrongFields(piece)) trailer.set(maskBytes(trailer.slice(at, at + size)), at);
    this.#masked.set(piece, { bytes, trailer });
  }

  #list(piece: Piece, list: List): Uint8Array {
    const whole = piece.bytes;
    list.set(list.entries);
    const clean = piece.bytes;
    piece.bytes = whole;
    const out = new Uint8Array(whole.length); // an XBLOCK longer than its entries stays as long
    out.set(clean.subarray(0, whole.length));
    return out;
  }

  #object(nid: number, bidData: number, bidSub: number, depth: number): void {
    if (depth > DEPTH_MAX || ++this.#visits > VISITS_MAX) return;
    const blocks = nidType(nid) === NID_TYPE.LTP ? undefined : this.#leaves(bidData);
    // All of it or nothing: without one of its blocks a heap's HIDs lead elsewhere.
    const isWhole = blocks?.every((block) => block?.piece !== undefined && this.pieces.isSound(block.piece));
    const heap = isWhole ? maskHeap(blocks!.map((block) => block!.piece!.bytes)) : undefined;
    for (const { nid: sub, bidData: data, bidSub: below } of this.#subnodes(bidSub)) {
      const type = heap?.external.get(sub);
      if (heap !== undefined && sub === heap.rowsNid) this.#each(data, (bytes) => heap.rows(bytes));
      else if (type !== undefined && nidType(sub) === NID_TYPE.LTP) this.#each(data, (bytes) => maskValue(type, bytes));
      else this.#object(sub, data, below, depth + 1);
    }
    heap?.finish().forEach((bytes, k) => {
      this.#set(blocks![k]!.piece!, bytes);
    });
  }

  #each(bidData: number, mask: (bytes: Uint8Array) => Uint8Array): void {
    for (const block of this.#leaves(bidData)) {
      if (block?.piece !== undefined && !this.#masked.has(block.piece)) this.#set(block.piece, mask(block.piece.bytes));
    }
  }

  /** Leaves of a data tree as far as they are known. */
  #leaves(bid: number, depth = 0): (Block | undefined)[] {
    if (bid === 0) return [];
    const block = this.pieces.find(bid);
    if (!isInternal(bid)) return [block];
    const list = block?.piece === undefined ? undefined : this.pieces.listOf(block.piece, true);
    if (list?.kind !== 'leaves' || depth > 1 || ++this.#visits > VISITS_MAX) return [undefined];
    return list.entries.flatMap((entry) => this.#leaves(u64.get(viewOf(entry), 0), depth + 1));
  }

  #subnodes(bid: number, depth = 0): { nid: number; bidData: number; bidSub: number }[] {
    const block = bid === 0 ? undefined : this.pieces.find(bid);
    const list = block?.piece === undefined ? undefined : this.pieces.listOf(block.piece, isInternal(bid));
    if (list === undefined || depth > 1 || ++this.#visits > VISITS_MAX) return [];
    if (list.kind === 'subnodes') {
      return list.entries.map(viewOf).map((view) => ({
        nid: view.getUint32(SLENTRY.at.nid, true),
        bidData: u64.get(view, SLENTRY.at.bidData),
        bidSub: u64.get(view, SLENTRY.at.bidSub),
      }));
    }
    if (list.kind !== 'children') return [];
    return list.entries.flatMap((entry) => this.#subnodes(u64.get(viewOf(entry), SIENTRY.at.bid), depth + 1));
  }
}
