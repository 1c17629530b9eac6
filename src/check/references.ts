/**
 * References: who uses which block. From each node through data trees and subnode trees, every internal block once.
 *
 *     cRef = 1 for the BBT entry + 1 for each reference from NBT, XBLOCK, XXBLOCK, SLBLOCK, SIBLOCK
 *
 * The references an internal block holds count once, however many nodes share it (seen in real stores). MS-PST 2.2.2.7.7.3.1.
 * @module
 */
import { PstError } from '../errors.js';
import { BTYPE, XBLOCK } from '../wire/block.js';
import { bidKey, isInternal } from '../wire/btree.js';
import { NID, nidIndex, nidType } from '../wire/nid.js';
import { u32, u64 } from '../wire/struct.js';
import type { Context } from './context.js';
import { hex, type Place } from './findings.js';
import type { RuleId } from './rules.js';

/** What a block was referenced as. */
const DATA = 1;
const XTREE = 2;
const SUBTREE = 3;

export interface References {
  /** By BBT index. */
  readonly counts: Uint32Array;
  /** Highest NID index by type, in the NBT and in every subnode tree. */
  readonly highest: Uint32Array;
}

/** A subnode tree: a top SLBLOCK or SIBLOCK, or one below an SIBLOCK. A data tree: likewise. */
interface Step {
  readonly index: number;
  readonly role: typeof XTREE | typeof SUBTREE;
  /** What its level must be: -1 any. */
  readonly level: number;
  readonly nid: number;
}

/** `sound`: blocks that may be opened. Blocks of others are said to be unusable already. */
export function checkReferences(context: Context, sound: Uint8Array): References {
  const walker = new Walker(context, sound);
  const { nbt } = context.ndb;
  for (let i = 0; i < nbt.count; i++) {
    const nid = nbt.nid(i);
    walker.count(nid);
    walker.data(nbt.bidData(i), nid, 'node.data-missing');
    walker.sub(nbt.bidSub(i), nid, 'node.sub-missing');
    walker.run();
  }
  if (walker.complete && context.treesComplete) compare(context, walker.counts);
  return walker;
}

function compare(context: Context, counts: Uint32Array): void {
  const { bbt } = context.ndb;
  for (let i = 0; i < bbt.count; i++) {
    const found = bbt.cRef(i);
    const expected = counts[i]! + 1;
    const place = { bid: bbt.bid(i), ib: bbt.ib(i), found, expected };
    if (expected === 1) {
      const message = `the block ${hex(place.bid)} is in the BBT (cRef ${found}) and nothing refers to it`;
      context.add('bbt.orphan', message, place);
    } else if (found !== expected) {
      const message = `cRef of ${hex(place.bid)} is ${found}, ${expected - 1} references make ${expected}`;
      context.add('bbt.refcount', message, place, found < expected ? 'error' : 'note');
    }
  }
}

class Walker implements References {
  readonly counts: Uint32Array;
  readonly highest = new Uint32Array(32);
  /** Every internal block could be read. */
  complete = true;
  readonly #roles: Uint8Array;
  readonly #stack: Step[] = [];

  constructor(
    readonly context: Context,
    readonly sound: Uint8Array,
  ) {
    const { count } = context.ndb.bbt;
    this.counts = new Uint32Array(count);
    this.#roles = new Uint8Array(count);
  }

  /** Fixed NIDs of tables inside messages are in no counter. Seen in real stores. */
  count(nid: number): void {
    if (nid === NID.ATTACHMENT_TABLE || nid === NID.RECIPIENT_TABLE) return;
    const type = nidType(nid);
    const index = nidIndex(nid);
    if (index > this.highest[type]!) this.highest[type] = index;
  }

  /** A reference to a data tree. 0: none. */
  data(bid: number, nid: number, rule: RuleId): void {
    if (bid === 0) return;
    const index = this.#refer(bid, nid, rule);
    if (index < 0) return;
    if (isInternal(bid)) this.#push({ index, role: XTREE, level: -1, nid });
    else this.#mark(index, DATA, nid);
  }

  /** A reference to a subnode tree. 0: none. */
  sub(bid: number, nid: number, rule: RuleId): void {
    if (bid === 0) return;
    const index = this.#refer(bid, nid, rule);
    if (index < 0) return;
    this.#push({ index, role: SUBTREE, level: -1, nid });
  }

  #refer(bid: number, nid: number, rule: RuleId): number {
    const { bbt } = this.context.ndb;
    const index = bbt.find(bid);
    if (index < 0) {
      this.context.add(rule, `the block ${hex(bidKey(bid))} is referenced and not in the BBT`, { nid, bid });
      return -1;
    }
    this.counts[index]!++;
    return index;
  }

  /** True the first time. A block cannot be two things. */
  #mark(index: number, role: number, nid: number): boolean {
    const before = this.#roles[index]!;
    this.#roles[index] = role;
    if (before !== 0 && before !== role) {
      const bid = this.context.ndb.bbt.bid(index);
      this.context.add('block.role', `the block ${hex(bid)} is used as data and as a tree`, { nid, bid });
    }
    return before === 0;
  }

  #push(step: Step): void {
    if (this.#mark(step.index, step.role, step.nid)) this.#stack.push(step);
  }

  /** Follows everything pushed so far. A stack of its own: no nesting can exhaust the machine's. */
  run(): void {
    for (let step = this.#stack.pop(); step !== undefined; step = this.#stack.pop()) {
      if (this.sound[step.index] === 0) {
        this.complete = false;
        continue;
      }
      const done = step.role === XTREE ? this.#xblock(step) : this.#slblock(step);
      if (!done) this.complete = false;
    }
  }

  #open(step: Step): boolean {
    const { blocks, bbt } = this.context.ndb;
    try {
      blocks.open(bbt.bid(step.index), {});
      return true;
    } catch (error) {
      if (!(error instanceof PstError)) throw error;
      return false;
    }
  }

  /** XBLOCK and XXBLOCK. 2.2.2.8.3.2. */
  #xblock(step: Step): boolean {
    const { context } = this;
    const { blocks, bbt } = context.ndb;
    if (!this.#open(step)) return false;
    const { view, at, size, geometry } = blocks;
    const bid = bbt.bid(step.index);
    const place: Place = { nid: step.nid, bid };
    const fail = (message: string, more: Place = {}): boolean => {
      context.add('datatree.block', message, { ...place, ...more });
      return false;
    };
    if (size < XBLOCK.size) return fail(`an XBLOCK of ${size} bytes`, { found: size, expected: XBLOCK.size });
    const { btype, cLevel, cEnt, lcbTotal } = XBLOCK.read(view, at);
    if (btype !== BTYPE.X) return fail(`block type ${hex(btype)}, expected ${BTYPE.X}`, { found: btype, expected: 1 });
    if (step.level < 0 ? cLevel !== 1 && cLevel !== 2 : cLevel !== step.level) {
      return fail(`an XBLOCK of level ${cLevel}, expected ${step.level < 0 ? '1 or 2' : step.level}`);
    }
    if (XBLOCK.size + cEnt * geometry.bidSize > size) return fail(`${cEnt} entries in a block of ${size} bytes`);
    const id = geometry.bidSize === 8 ? u64 : u32;
    const children = Float64Array.from({ length: cEnt }, (_, k) =>
      id.get(view, at + XBLOCK.size + k * geometry.bidSize),
    );
    if (cEnt === 0) context.add('datatree.entries', 'an XBLOCK without entries', place);

    let total = 0;
    let known = true;
    children.forEach((child, k) => {
      if (isInternal(child) !== (cLevel === 2)) {
        const message = `entry ${k} of an XBLOCK of level ${cLevel} is ${hex(child)}`;
        context.add('datatree.internal-bit', message, { ...place, bid: child });
      }
      const index = this.#refer(child, step.nid, 'datatree.missing');
      if (index < 0) {
        known = false;
        return;
      }
      if (cLevel === 2) {
        this.#push({ index, role: XTREE, level: 1, nid: step.nid });
        return;
      }
      this.#mark(index, DATA, step.nid);
      const bytes = bbt.inflated(index);
      total += bytes;
      const isLast = k === cEnt - 1;
      if (!isLast && bytes !== geometry.maxPayload) {
        const message = `leaf ${k} of ${cEnt} holds ${bytes} bytes, all but the last hold ${geometry.maxPayload}`;
        context.add('datatree.middle', message, { ...place, bid: child, found: bytes, expected: geometry.maxPayload });
      }
    });
    if (cLevel === 2) total = this.#totals(children);
    if (known && total >= 0 && total !== lcbTotal) {
      const message = `lcbTotal is ${lcbTotal}, the leaves hold ${total} bytes`;
      context.add('datatree.total', message, { ...place, found: lcbTotal, expected: total });
    }
    return true;
  }

  /** Sum of lcbTotal of the XBLOCKs an XXBLOCK names; -1 when one cannot be read. */
  #totals(children: Float64Array): number {
    const { blocks, bbt } = this.context.ndb;
    let total = 0;
    for (const child of children) {
      const index = bbt.find(child);
      if (index < 0 || this.sound[index] === 0 || !isInternal(child)) return -1;
      if (!this.#open({ index, role: XTREE, level: 1, nid: 0 }) || blocks.size < XBLOCK.size) return -1;
      total += blocks.view.getUint32(blocks.at + XBLOCK.at.lcbTotal, true);
    }
    return total;
  }

  /** SLBLOCK and SIBLOCK. 2.2.2.8.3.3. */
  #slblock(step: Step): boolean {
    const { context } = this;
    const { blocks, bbt } = context.ndb;
    if (!this.#open(step)) return false;
    const { view, at, size, geometry } = blocks;
    const { slblock, slentry, siblock, sientry } = geometry;
    const bid = bbt.bid(step.index);
    const place: Place = { nid: step.nid, bid };
    const fail = (message: string): boolean => {
      context.add('subtree.block', message, place);
      return false;
    };
    if (size < slblock.size) return fail(`a subnode block of ${size} bytes`);
    const btype = view.getUint8(at);
    const cLevel = view.getUint8(at + 1);
    const cEnt = view.getUint16(at + slblock.at.cEnt, true);
    if (btype !== BTYPE.SL) return fail(`block type ${hex(btype)}, expected ${BTYPE.SL}`);
    if (step.level < 0 ? cLevel > 1 : cLevel !== step.level) {
      return fail(`a subnode block of level ${cLevel}, expected ${step.level < 0 ? '0 or 1' : step.level}`);
    }
    const head = cLevel === 0 ? slblock : siblock;
    const entry = cLevel === 0 ? slentry : sientry;
    if (head.size + cEnt * entry.size > size) return fail(`${cEnt} entries in a block of ${size} bytes`);
    if (cEnt === 0) context.add('subtree.entries', 'a subnode block without entries', place);
    const id = geometry.bidSize === 8 ? u64 : u32;
    const nids = new Uint32Array(cEnt);
    const a = new Float64Array(cEnt);
    const b = new Float64Array(cEnt);
    for (let k = 0; k < cEnt; k++) {
      const e = at + head.size + k * entry.size;
      nids[k] = view.getUint32(e, true);
      a[k] = id.get(view, e + (cLevel === 0 ? slentry.at.bidData : sientry.at.bid));
      if (cLevel === 0) b[k] = id.get(view, e + slentry.at.bidSub);
    }
    for (let k = 0; k < cEnt; k++) {
      const nid = nids[k]!;
      if (k > 0 && nid <= nids[k - 1]!) {
        const message = `subnode ${hex(nid)} follows ${hex(nids[k - 1]!)}`;
        context.add('subtree.order', message, { ...place, found: nid, expected: `above ${hex(nids[k - 1]!)}` });
      }
      if (cLevel === 1) {
        this.#child(a[k]!, nid, k + 1 < cEnt ? nids[k + 1]! : 2 ** 32, step);
        continue;
      }
      this.count(nid);
      this.data(a[k]!, step.nid, 'subtree.data-missing');
      this.sub(b[k]!, step.nid, 'subtree.sub-missing');
    }
    return true;
  }

  /** An SIENTRY: its NID is the first of the SLBLOCK it names, and that block ends before the next. */
  #child(bid: number, first: number, next: number, step: Step): void {
    const { context } = this;
    const { blocks } = context.ndb;
    const index = this.#refer(bid, step.nid, 'subtree.sub-missing');
    if (index < 0) return;
    const child: Step = { index, role: SUBTREE, level: 0, nid: step.nid };
    this.#push(child);
    if (this.sound[index] === 0 || !this.#open(child)) return;
    const { view, at, size, geometry } = blocks;
    const { slblock, slentry } = geometry;
    if (size < slblock.size + slentry.size) return;
    const cEnt = view.getUint16(at + slblock.at.cEnt, true);
    const place: Place = { nid: step.nid, bid };
    const nid = view.getUint32(at + slblock.size, true);
    if (nid !== first) {
      const message = `the SIENTRY says ${hex(first)}, the SLBLOCK begins with ${hex(nid)}`;
      context.add('subtree.key', message, { ...place, found: first, expected: nid });
    }
    const end = slblock.size + (cEnt - 1) * slentry.size;
    if (cEnt > 0 && end + slentry.size <= size && view.getUint32(at + end, true) >= next) {
      const message = `an SLBLOCK reaches to ${hex(view.getUint32(at + end, true))}, the next begins with ${hex(next)}`;
      context.add('subtree.order', message, place);
    }
  }
}
