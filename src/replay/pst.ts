/**
 * Writes what is left of a reduced bundle out as a small PST of its own: a new store with one folder, in which the node stands where a
 * message would. Cloning it, re-encoded if the bundle was, ends in the same way.
 * @module
 */
import { buildStore } from '../build/store.js';
import { Core } from '../core/core.js';
import { FULL } from '../core/options.js';
import { PstError, UsageError } from '../errors.js';
import { type MemoryFile, memoryFile } from '../host/memory.js';
import { createTarget } from '../host/target.js';
import { NodeCopier } from '../migrate/operation.js';
import { Ndb } from '../ndb/ndb.js';
import { eachReference } from '../ndb/write/references.js';
import { StoreWriter } from '../ndb/write/store-writer.js';
import { BTYPE, SIENTRY, SLENTRY, wireSize, XBLOCK } from '../wire/block.js';
import { isInternal } from '../wire/btree.js';
import { NID_TYPE, nidType } from '../wire/nid.js';
import { u64 } from '../wire/struct.js';
import { UNICODE } from '../wire/variant.js';
import type { Bundle, Outcome } from './bundle.js';
import { outcomeOf } from './capture.js';
import { viewOf } from './list.js';
import { type NodeObject, writeObject } from './object.js';
import { Pieces } from './pieces.js';
import { damageOf } from './redact-pieces.js';
import { withoutNumbers } from './replay.js';

/** Sixteen bytes that say what the store is; every reduced store has the same. */
const RECORD_KEY = new TextEncoder().encode('pstwright reduce');

/** Writes the store to the new file `path`. Returns the NID of the object in it. Throws UsageError TARGET_EXISTS. */
export function writeReducedStore(path: string, object: NodeObject): number {
  const { file, nid } = around(object.nid, 1, (writer) => writeObject(writer, object));
  publish(path, file);
  return nid;
}

function publish(path: string, file: MemoryFile): void {
  const target = createTarget(path);
  try {
    target.sink.write(file.bytes, 0);
    target.commit();
  } catch (error) {
    target.abort();
    throw error;
  }
}

/** A small store around the node `nid`, or, when it is a message, around one in its place; `place` writes its data and subnodes. */
function around(
  wanted: number,
  crypt: 0 | 1 | 2,
  place: (writer: StoreWriter) => { bidData: number; bidSub: number },
): { file: MemoryFile; nid: number } {
  const core = Core.load('raw', FULL);
  const base = memoryFile('base');
  const encoding = (['none', 'permute', 'cyclic'] as const)[crypt];
  buildStore(base, { displayName: 'Reduced', recordKey: RECORD_KEY, crypt: encoding, core }, (b) => {
    b.ipmSubtree.folder('Reduced').message({ subject: 'Reduced', body: '' });
  });
  const ndb = Ndb.open(base, core);
  const { header, nbt } = ndb;
  const file = memoryFile('reduced');
  const writer = new StoreWriter(core, file, {
    crypt: header.crypt,
    bidNextB: header.bidNextB,
    bidNextP: header.bidNextP,
    dwUnique: header.dwUnique,
    rgnid: header.rgnid,
  });
  const copier = new NodeCopier(ndb, writer, false, () => {});
  const isMessage = nidType(wanted) === NID_TYPE.NORMAL_MESSAGE;
  let nid = wanted;
  for (let i = 0; i < nbt.count; i++) {
    const type = nidType(nbt.nid(i));
    const isReplaced = isMessage ? type === NID_TYPE.NORMAL_MESSAGE : nbt.nid(i) === wanted;
    if (!isReplaced) {
      copier.node(i);
      continue;
    }
    nid = nbt.nid(i);
    const { bidData, bidSub } = place(writer);
    writer.addNode(nid, bidData, bidSub, nbt.parent(i));
  }
  if (nbt.find(nid) < 0) {
    const { bidData, bidSub } = place(writer);
    writer.addNode(nid, bidData, bidSub, 0);
  }
  writer.finish();
  return { file, nid };
}

// --- damage -----------------------------------------------------------------------------------------------------------------

/**
 * The same for a bundle that ends in damage, where a valid store can hold that: all blocks are sound, and wrong is what they say. Returns the
 * NID of the node. Throws UsageError REFUSED, which says why not, and TARGET_EXISTS.
 */
export function writeDamagedStore(path: string, bundle: Bundle): number {
  const refuse = (why: string): UsageError => new UsageError('REFUSED', `no PST is written: ${why}`);
  if (bundle.node === null) {
    throw refuse(
      'the damage is in what every reader reads first, the header or a B-tree; a store that has it is not a valid PST',
    );
  }
  const pieces = new Pieces(bundle);
  const [wrong] = damageOf(pieces);
  if (wrong !== undefined) {
    throw refuse(
      `the failure needs a block that is damaged in itself (${wrong}); a store that has it is not a valid PST`,
    );
  }
  const { where, code } = bundle.outcome.kind === 'error' ? bundle.outcome : { where: {}, code: '' };
  const culprit = where.bid === undefined ? undefined : pieces.find(where.bid);
  if (code === 'PST_MISSING' || (culprit !== undefined && culprit.piece === undefined)) {
    throw refuse('the failure needs a block that is not where it should be; a store without it is not a valid PST');
  }
  const bids = new Map<number, number>();
  const crypt = Math.min(2, pieces.method) as 0 | 1 | 2;
  let result: { file: MemoryFile; nid: number };
  try {
    result = around(bundle.node.nid, crypt, (writer) => place(pieces, writer, bids));
  } catch (error) {
    if (!(error instanceof PstError) && !(error instanceof UsageError)) throw error;
    throw refuse(`a valid PST cannot hold it (${error.message})`);
  }
  patch(pieces, result.file, bids);
  const outcome = outcomeIn(result.file, result.nid, bundle.policy.reencode);
  if (!isSameError(bundle.outcome, outcome))
    throw refuse('in a store of its own the node does not fail in the same way');
  publish(path, result.file);
  return result.nid;
}

/** Gives every block a BID of its own, and its lists the BIDs of the others. */
function place(pieces: Pieces, writer: StoreWriter, bids: Map<number, number>): { bidData: number; bidSub: number } {
  const { node, blocks } = pieces;
  for (const { bid } of blocks) bids.set(bid, writer.nextBid(isInternal(bid)));
  /** Where nothing is, as it was not read, an empty block: only that it is a list, or none, can have mattered. */
  const to = (bid: number): number => {
    if (bid === 0) return 0;
    const known = bids.get(bid - (bid % 2));
    if (known !== undefined) return known;
    const drawn = writer.nextBid(isInternal(bid));
    bids.set(bid - (bid % 2), drawn);
    add(drawn, isInternal(bid) ? emptyList(XBLOCK.size) : new Uint8Array(0));
    return drawn;
  };
  const { core } = writer;
  const add = (bid: number, bytes: Uint8Array): void => {
    const isEmpty = bytes.length === 0; // addBlock() makes none; a copied one has its checksum at hand
    const ptr = core.put(isEmpty ? new Uint8Array(wireSize(0, UNICODE)) : bytes);
    if (isEmpty) writer.copyBlock(bid, ptr, 0, 0);
    else writer.addBlock(ptr, 0, bytes.length, { bid, internal: isInternal(bid) });
    core.x.free(ptr);
  };
  for (const { bid, piece } of blocks) {
    if (piece === undefined) continue;
    const list = pieces.listOf(piece, isInternal(bid));
    if (list === undefined) continue;
    const at =
      list.kind === 'leaves'
        ? [0]
        : list.kind === 'children'
          ? [SIENTRY.at.bid]
          : [SLENTRY.at.bidData, SLENTRY.at.bidSub];
    list.set(
      list.entries.map((entry) => {
        const changed = entry.slice();
        for (const field of at) u64.set(viewOf(changed), field, to(u64.get(viewOf(entry), field)));
        return changed;
      }),
    );
  }
  for (const { bid, piece } of blocks) {
    const bytes = piece?.bytes ?? new Uint8Array(0);
    add(bids.get(bid)!, isInternal(bid) && !isReadable(bytes, bid) ? emptyList(bytes.length) : bytes);
  }
  return { bidData: to(node!.bidData), bidSub: to(node!.bidSub) };
}

/** An XBLOCK of nothing, as long as a block that no writer would take: `patch` puts that in its place. Throws PST_BAD_BLOCK. */
function emptyList(size: number): Uint8Array {
  if (size < XBLOCK.size) throw new PstError('PST_BAD_BLOCK', `an internal block of ${size} bytes`);
  const bytes = new Uint8Array(size);
  bytes.set([BTYPE.X, 1]);
  return bytes;
}

function isReadable(bytes: Uint8Array, bid: number): boolean {
  try {
    eachReference(viewOf(bytes), 0, bytes.length, bid, () => {});
    return true;
  } catch (error) {
    if (error instanceof PstError) return false;
    throw error;
  }
}

/** Puts the blocks that the writer did not take in the places it gave them, their checksums right. */
function patch(pieces: Pieces, file: MemoryFile, bids: ReadonlyMap<number, number>): void {
  const core = Core.load('raw', FULL);
  const { bbt } = Ndb.open(file, core);
  for (const { bid, piece } of pieces.blocks) {
    if (piece === undefined || !isInternal(bid) || isReadable(piece.bytes, bid)) continue;
    const placed = bids.get(bid)!;
    const index = bbt.find(placed);
    if (index < 0) continue; // nothing leads to it, so it was left out
    const ib = bbt.ib(index);
    const from = core.put(piece.bytes);
    const wire = wireSize(piece.bytes.length, UNICODE);
    const out = core.x.alloc(wire, 0);
    core.x.blockSeal(out, 0, from, 0, piece.bytes.length, 0, placed, 0, ib);
    file.write(core.u8.slice(out, out + wire), ib);
  }
}

/** How copying the node out of the store ends. */
function outcomeIn(file: MemoryFile, nid: number, reencode: boolean): Outcome {
  const core = Core.load('raw', FULL);
  try {
    const ndb = Ndb.open(file, core);
    ndb.beginPass();
    const writer = new StoreWriter(core, memoryFile('nowhere'), { bidNextB: ndb.header.bidNextB });
    new NodeCopier(ndb, writer, reencode, () => {}).node(ndb.getNode(nid));
    return { kind: 'none' };
  } catch (error) {
    return outcomeOf(error);
  }
}

/** Blocks have other BIDs and places there; all else is as it was. */
function isSameError(a: Outcome, b: Outcome): boolean {
  if (a.kind !== 'error' || b.kind !== 'error') return false;
  const isSamePlace = a.where.field === b.where.field && a.where.section === b.where.section;
  return a.code === b.code && isSamePlace && withoutNumbers(a.message) === withoutNumbers(b.message);
}
