/** A bundle with another input: the same operation on a changed object. @module */
import { Core } from '../core/core.js';
import { CoreFault } from '../core/fault.js';
import { FULL } from '../core/options.js';
import { PstError } from '../errors.js';
import type { MemoryFile } from '../host/memory.js';
import { Ndb } from '../ndb/ndb.js';
import { wireSize } from '../wire/block.js';
import { HEADER, ROOT } from '../wire/header.js';
import { BREF } from '../wire/page.js';
import { UNICODE } from '../wire/variant.js';
import type { Bundle } from './bundle.js';
import { type NodeObject, readObject, storeOf } from './object.js';
import { openBundle } from './replay.js';
import { type Range, withoutZeros } from './sparse.js';

/** What an operation on one node looks at in the HEADER, MS-PST 2.2.2.6: where the trees are it does not ask. */
const HEADER_FIELDS: readonly (readonly [at: number, size: number])[] = [
  [HEADER.at.dwMagic, 4],
  [HEADER.at.wMagicClient, 2],
  [HEADER.at.wVer, 2],
  [HEADER.at.bCryptMethod, 1],
  [HEADER.at.bidNextB, 8],
];

/** And what opening a Unicode or 4K store looks at; checksums and sizes that are wrong are reported, and borne. */
const OPEN_FIELDS: typeof HEADER_FIELDS = [
  ...HEADER_FIELDS.slice(0, 4),
  [HEADER.at.root + ROOT.at.BREFNBT, BREF.size],
  [HEADER.at.root + ROOT.at.BREFBBT, BREF.size],
];

function only(header: Uint8Array, fields: typeof HEADER_FIELDS): Uint8Array {
  const out = new Uint8Array(header.length);
  for (const [at, size] of fields) out.set(header.subarray(at, at + size), Math.min(at, out.length));
  return out;
}

/** The header of an operation on one node: the fields it looks at, all others zero. */
export const nodeHeader = (header: Uint8Array): Uint8Array => only(header, HEADER_FIELDS);
/** The same for the opening of a store. */
export const openHeader = (header: Uint8Array): Uint8Array => only(header, OPEN_FIELDS);

/**
 * The node of a bundle, taken apart, and the bundle put together again on whatever becomes of it. Works on a raw core of its own: what a
 * faulty core would do is the replay's question.
 */
export class Rebuilder {
  object: NodeObject;
  #core = Core.load('raw', FULL);
  readonly #parent: number;
  readonly #crypt: 0 | 1 | 2;

  /** Throws PstError when the node's own data is damaged. */
  constructor(readonly bundle: Bundle) {
    const ndb = openBundle(bundle, this.#core);
    ndb.beginPass(); // against subnodes that are shared, level by level
    const { nbt } = ndb;
    this.#parent = nbt.parent(0);
    this.#crypt = ndb.header.crypt;
    this.object = readObject(ndb, nbt.nid(0), nbt.bidData(0), nbt.bidSub(0));
    ndb.close();
  }

  /** The bundle of the same operation on the object as it is now. Its outcome is the old one until it has been replayed. Throws PstError. */
  rebuild(): Bundle {
    const { bundle } = this;
    let file: MemoryFile;
    try {
      file = storeOf(this.object, this.#parent, this.#crypt, this.#core);
    } catch (error) {
      this.#core = Core.load('raw', FULL); // what was half written is still in the other one
      throw error;
    }
    const ndb = Ndb.open(file, this.#core);
    const { bbt, nbt } = ndb;
    const blocks: Bundle['blocks'] = Array.from({ length: bbt.count }, (_, i) => [
      bbt.bid(i),
      bbt.ib(i),
      bbt.cb(i),
      bbt.inflated(i),
      bbt.cRef(i),
    ]);
    const node = { nid: nbt.nid(0), bidData: nbt.bidData(0), bidSub: nbt.bidSub(0), parent: nbt.parent(0) };
    ndb.close();
    const ranges: Range[] = withoutZeros(0, nodeHeader(file.bytes.subarray(0, HEADER.size)));
    const pieces = blocks.map(([, ib, cb]) => ({ ib, size: wireSize(cb, UNICODE) }));
    pieces.sort((a, b) => a.ib - b.ib);
    for (const { ib, size } of pieces) ranges.push(...withoutZeros(ib, file.bytes.subarray(ib, ib + size)));
    return { ...bundle, source: { ...bundle.source, size: file.size }, node, blocks, ranges };
  }
}

/** undefined: the bundle ends in damage, or what it holds cannot be taken apart; not even by the raw core, should that be at fault too. */
export function rebuilderOf(bundle: Bundle): Rebuilder | undefined {
  if (bundle.outcome.kind === 'error' || bundle.node === null) return undefined;
  try {
    return new Rebuilder(bundle);
  } catch (error) {
    if (error instanceof PstError || error instanceof CoreFault) return undefined;
    throw error;
  }
}

/** The object of a bundle, when it can be taken apart. */
export const objectOf = (bundle: Bundle): NodeObject | undefined => rebuilderOf(bundle)?.object;
