/**
 * Reduces a bundle whose file is damaged: fewer blocks and pages, fewer entries in those that are left, fewer bytes, as long as the same
 * error comes from the same place. A sound piece is made sound again after each change, a damaged one stays damaged as it was.
 * @module
 */
import { Core } from '../core/core.js';
import { FULL } from '../core/options.js';
import { SLENTRY } from '../wire/block.js';
import { HEADER, ROOT } from '../wire/header.js';
import { BREF } from '../wire/page.js';
import { u64 } from '../wire/struct.js';
import { ANSI } from '../wire/variant.js';
import { type Bundle, inputBytes } from './bundle.js';
import { ddmin, type Holds, shorten, zero } from './ddmin.js';
import { type List, viewOf } from './list.js';
import { Pieces } from './pieces.js';
import { nodeHeader, openHeader } from './rebuild.js';
import { type Range, withoutZeros } from './sparse.js';
import type { Trial } from './trial.js';

/** Reduces `trial.best` until nothing more can go. Returns whether it was tried down to the last byte. */
export function reducePieces(trial: Trial): boolean {
  const core = Core.load('raw', FULL);
  for (let before = Number.POSITIVE_INFINITY; !trial.isSpent && costOf(trial.best!) < before; ) {
    before = costOf(trial.best!);
    pointNode(trial);
    for (const step of [pointRoot, reduceLists, reduceBytes, reduceHeader]) {
      const taken = takeApart(trial, core);
      if (taken === undefined) return reduceRanges(trial);
      step(taken.pieces, taken.holds);
    }
  }
  return !trial.isSpent;
}

/** Blocks and ranges that are named cost something as well. */
const costOf = (bundle: Bundle): number => inputBytes(bundle) + bundle.blocks.length + bundle.ranges.length;

/**
 * The best bundle in pieces, without what it does not read if that can be left out: how many blocks there are is part of some errors.
 * undefined: put together again it is another; two pieces that overlap, say.
 */
function takeApart(trial: Trial, core: Core): { pieces: Pieces; holds: Holds } | undefined {
  for (const keepsAll of [false, true]) {
    const pieces = new Pieces(trial.best!, { keepsAll, core, run: (bundle, options) => trial.run(bundle, options) });
    const holds = (): boolean => trial.holds(() => pieces.bundled());
    if (holds()) return { pieces, holds };
  }
  return undefined;
}

// --- where the operation begins -----------------------------------------------------------------------------------------

/** Blocks tried as the node's data or subnodes; the block of the error is the first. */
const POINTS_MAX = 12;

/** Leads the node straight to the block of the error, or to one above it, as its data or its subnodes. */
function pointNode(trial: Trial): void {
  const best = trial.best!;
  const { node, blocks, outcome } = best;
  if (node === null) return;
  const bid = outcome.kind === 'error' ? outcome.where.bid : undefined;
  const bids = [
    ...new Set([...(bid === undefined || !Number.isSafeInteger(bid) ? [] : [bid]), ...blocks.map(([each]) => each)]),
  ].slice(0, POINTS_MAX);
  const places = bids.flatMap((each): [number, number][] => [
    [each, 0],
    [0, each],
  ]);
  for (const [bidData, bidSub] of [...places, [node.bidData, 0], [0, node.bidSub]] as const) {
    if (node.bidData === bidData && node.bidSub === bidSub) return;
    if (trial.holds(() => ({ ...best, node: { ...node, bidData, bidSub } }))) return;
  }
}

/** The same for the root of a tree and the page of the error. */
function pointRoot(pieces: Pieces, holds: Holds): void {
  const { outcome } = pieces.bundle;
  const { bid = Number.NaN, ib = Number.NaN } = outcome.kind === 'error' ? outcome.where : {};
  const whole = pieces.header;
  const isPossible = Number.isSafeInteger(bid) && Number.isSafeInteger(ib) && whole.length === HEADER.size;
  if (pieces.node !== null || !isPossible || pieces.variant === ANSI) return;
  for (const root of [ROOT.at.BREFNBT, ROOT.at.BREFBBT]) {
    const view = viewOf((pieces.header = whole.slice()));
    const at = HEADER.at.root + root;
    u64.set(view, at + BREF.at.bid, bid);
    u64.set(view, at + BREF.at.ib, ib);
    if (u64.get(viewOf(whole), at + BREF.at.ib) === ib || holds()) return;
  }
  pieces.header = whole;
}

// --- what is in the pieces ------------------------------------------------------------------------------------------------

/** Entries of lists, and of subnodes their data and their own subnodes. */
function reduceLists(pieces: Pieces, holds: Holds): void {
  for (const { list, name } of pieces.stored()) {
    if (list === undefined) continue;
    ddmin(list.entries, (kept) => list.set(kept), holds);
    const left = pieces.stored().find((each) => each.name === name)?.list;
    if (left?.kind === 'subnodes') reduceSubnodes(left, holds);
  }
}

function reduceSubnodes(list: List, holds: Holds): void {
  const fields = list.entries.flatMap((entry, k) =>
    [SLENTRY.at.bidData, SLENTRY.at.bidSub].map((at) => ({ k, at, bid: entry.slice(at, at + 8) })),
  );
  ddmin(
    fields.filter(({ bid }) => bid.some((byte) => byte !== 0)),
    (kept) => {
      const entries = list.entries.map((entry) => entry.slice());
      for (const { k, at } of fields) entries[k]!.fill(0, at, at + 8);
      for (const { k, at, bid } of kept) entries[k]!.set(bid, at);
      list.set(entries);
    },
    holds,
  );
}

function reduceBytes(pieces: Pieces, holds: Holds): void {
  const { outcome } = pieces.bundle;
  const ib = outcome.kind === 'error' ? outcome.where.ib : undefined;
  for (const { piece, isData } of pieces.stored()) {
    if (piece.kind === 'block') shorten(piece, holds);
    // Zeros that are encoded are none in the file.
    if (!isData || pieces.method === 0) zero(piece, holds);
    if (piece.ib === ib) zeroTrailer(piece, holds);
  }
  for (const block of pieces.blocks) {
    if (block.piece !== undefined || block.cb !== block.inflated) continue;
    const { cb } = block;
    if (cb === 0) continue;
    block.cb = block.inflated = 0; // only its size was asked for
    if (!holds()) block.cb = block.inflated = cb;
  }
}

function zeroTrailer(piece: { trailer: Uint8Array }, holds: Holds): void {
  zero(
    {
      get bytes() {
        return piece.trailer;
      },
      set bytes(bytes) {
        piece.trailer = bytes;
      },
    },
    holds,
  );
}

/** The header without what nothing looks at, then byte by byte. */
function reduceHeader(pieces: Pieces, holds: Holds): void {
  const whole = pieces.header;
  pieces.header = pieces.node === null ? openHeader(whole) : nodeHeader(whole);
  if (!holds()) pieces.header = whole;
  zero(
    {
      get bytes() {
        return pieces.header;
      },
      set bytes(bytes) {
        pieces.header = bytes;
      },
    },
    holds,
  );
}

// --- bytes that are no pieces ---------------------------------------------------------------------------------------------

/** Parts of ranges tried one by one. */
const PARTS_MAX = 512;

/** Zeros what can be zero of the ranges as they are. Returns whether it came down to single bytes. */
function reduceRanges(trial: Trial): boolean {
  for (;;) {
    const best = trial.best!;
    const before = inputBytes(best);
    const size = Math.max(1, Math.ceil(before / PARTS_MAX));
    const parts: Range[] = [];
    for (const { ib, bytes } of best.ranges) {
      for (let at = 0; at < bytes.length; at += size) parts.push({ ib: ib + at, bytes: bytes.slice(at, at + size) });
    }
    let ranges: readonly Range[] = parts;
    ddmin(
      parts,
      (kept) => (ranges = kept),
      () => trial.holds(() => ({ ...best, ranges: ranges.flatMap(({ ib, bytes }) => withoutZeros(ib, bytes)) })),
    );
    if (trial.isSpent) return false;
    if (size === 1 || inputBytes(trial.best!) === before) return size === 1;
  }
}
