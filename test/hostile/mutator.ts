/**
 * Makes mutants: stores with something wrong in them. The same specimen, seed and number give the same mutant.
 *
 * Raw faults (flipped bits, cut ends, spliced parts) mostly meet a checksum. The dangerous ones are bent inside a structure whose
 * CRC and signature are made to fit again: they reach the code behind the checksums.
 * @module
 */
import { deflateSync } from 'node:zlib';
import { hex } from '../../src/errors.js';
import { BLOCK } from '../../src/wire/block.js';
import { BTREE, isInternal } from '../../src/wire/btree.js';
import { HEADER, HEADER_ANSI, ROOT, ROOT_ANSI } from '../../src/wire/header.js';
import { HN_SIGNATURE } from '../../src/wire/heap.js';
import { PAGE, PTYPE } from '../../src/wire/page.js';
import { ANSI } from '../../src/wire/variant.js';
import { sealHeader } from '../ndb/forge.js';
import { Anatomy, type BlockPlace, type PagePlace } from './anatomy.js';
import { bend, bendHeap, putNumber } from './heap-mutator.js';
import { Random } from './random.js';
import type { Specimen } from './specimens.js';

export interface Mutant {
  /** `specimen #number`. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What was done to it. */
  readonly notes: readonly string[];
}

/** How often each thing is done. */
const KINDS = {
  bits: 10,
  cut: 5,
  splice: 6,
  header: 6,
  page: 20,
  internal: 12,
  heap: 35,
  data: 6,
  size: 4,
  swap: 6,
  bomb: 4,
};
type Kind = keyof typeof KINDS;

/** Numbers at which programs go wrong. */
const EDGES = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 0xf, 0x10, 0x14, 0x1e, 0x1f, 0x20, 0x21, 0x3f, 0x40, 0x60, 0x7c, 0x7f, 0x80, 0xb5, 0xbc,
  0xec, 0xfe, 0xff, 0x100, 0x101, 0x102, 0x1002, 0x101f, 0x1102, 0x1ff0, 0x1ff1, 0x2000, 0x7fff, 0x8000, 0xfffe, 0xffff,
  0x10000, 0x10020, 0x1fffff, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffe0, 0xffffffff,
];

const anatomies = new Map<Specimen, Anatomy>();

export function anatomyOf(specimen: Specimen): Anatomy {
  let anatomy = anatomies.get(specimen);
  if (anatomy === undefined) anatomies.set(specimen, (anatomy = new Anatomy(specimen)));
  return anatomy;
}

/** Mutant `number` of `specimen`; parts of `others` may be spliced in. */
export function mutate(specimen: Specimen, others: readonly Specimen[], seed: string, number: number): Mutant {
  const random = new Random(seed, specimen.name, number);
  const mutator = new Mutator(anatomyOf(specimen), others, random);
  const steps = random.chance(0.25) ? random.between(2, 5) : 1;
  for (let k = 0; k < steps; k++) mutator.step(random.weighted(KINDS));
  return { name: `${specimen.name} #${number}`, bytes: mutator.bytes, notes: mutator.notes };
}

class Mutator {
  bytes: Uint8Array<ArrayBuffer>;
  readonly notes: string[] = [];

  constructor(
    readonly anatomy: Anatomy,
    readonly others: readonly Specimen[],
    readonly random: Random,
  ) {
    this.bytes = anatomy.specimen.bytes.slice();
  }

  get view(): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  step(kind: Kind): void {
    const note = this[kind]();
    this.notes.push(`${kind}: ${note ?? 'nothing to bend'}`);
  }

  /** Whether a structure at `ib` is still in the file: an earlier step may have cut it. */
  #holds(ib: number, size: number): boolean {
    return ib + size <= this.bytes.length;
  }

  #place(): number {
    const { anatomy, random } = this;
    return random.below(Math.min(random.chance(0.9) ? anatomy.used : anatomy.size, this.bytes.length));
  }

  bits(): string | undefined {
    if (this.bytes.length === 0) return undefined;
    const { random } = this;
    const ibs: string[] = [];
    for (let k = random.pick([1, 1, 1, 2, 8, 64]); k > 0; k--) {
      const ib = random.chance(0.1) ? random.below(Math.min(564, this.bytes.length)) : this.#place();
      this.bytes[ib]! ^= 1 << random.below(8);
      if (ibs.length < 4) ibs.push(hex(ib));
    }
    return `flipped at ${ibs.join(' ')}`;
  }

  cut(): string {
    const { random } = this;
    const size = random.chance(0.1) ? random.below(Math.min(1024, this.bytes.length + 1)) : this.#place();
    this.bytes = this.bytes.slice(0, size);
    if (size >= HEADER.size && random.chance(0.5)) {
      this.#setNumber(
        (this.anatomy.variant === ANSI ? HEADER_ANSI.at.root : HEADER.at.root) + ROOT_AT(this.anatomy).ibFileEof!,
        size,
      );
      sealHeader(this.bytes, this.anatomy.variant);
    }
    return `cut to ${size}`;
  }

  /** A run of another store, of this one, or of zeros. */
  splice(): string | undefined {
    const { random } = this;
    const other = random.chance(0.3) ? this.anatomy.specimen.bytes : random.pick(this.others).bytes;
    const unit = random.pick([1, 64, 512, 4096]);
    const ib = Math.floor(this.#place() / unit) * unit;
    const size = Math.min(random.pick([16, 64, 512, 4096, 65536, 1 << 20]), this.bytes.length - ib);
    if (size <= 0) return undefined;
    const from = random.chance(0.4) ? ib : Math.floor(random.below(other.length) / unit) * unit;
    const fill = random.below(8);
    if (fill < 2) this.bytes.fill(fill === 0 ? 0 : 0xff, ib, ib + size);
    else this.bytes.set(other.subarray(from, from + size), ib);
    return `${size} bytes at ${hex(ib)} ${fill < 2 ? 'wiped' : `from ${hex(from)}`}`;
  }

  /** A number where a program might trip over it: an edge, an id or place of this store, or near what is there. */
  #number(was: number, width: number): number {
    const { random, anatomy } = this;
    switch (random.below(7)) {
      case 0:
      case 1:
        return random.pick(EDGES) % 2 ** Math.min(8 * width, 53);
      case 2:
        return Math.max(0, was + random.pick([-1, 1, -2, 2, 8, -8, 64, 512])) % 2 ** Math.min(8 * width, 53);
      case 3:
        return random.pick(anatomy.bids);
      case 4:
        return random.pick(anatomy.nids);
      case 5:
        return random.pick([...anatomy.pages, random.pick(anatomy.dataBlocks)]).ib;
      default:
        return width < 8 ? random.u32() : random.u32() * 2 ** random.below(32);
    }
  }

  #get(ib: number, width: number): number {
    const { view } = this;
    if (width === 1) return view.getUint8(ib);
    if (width === 2) return view.getUint16(ib, true);
    if (width === 4) return view.getUint32(ib, true);
    return view.getUint32(ib, true) + view.getUint32(ib + 4, true) * 2 ** 32;
  }

  #set(ib: number, width: number, value: number): void {
    putNumber(this.view, ib, width, value);
  }

  #setNumber(ib: number, value: number): void {
    this.#set(ib, this.anatomy.variant === ANSI ? 4 : 8, value);
  }

  header(): string | undefined {
    const { random, anatomy } = this;
    const ansi = anatomy.variant === ANSI;
    if (!this.#holds(0, HEADER.size)) return undefined;
    const layout: Readonly<Record<string, number>> = ansi ? HEADER_ANSI.at : HEADER.at;
    const root = ROOT_AT(anatomy);
    const wide = ansi ? 4 : 8;
    const fields: (readonly [string, number, number])[] = [
      ...['ibFileEof', 'ibAMapLast', 'cbAMapFree', 'cbPMapFree'].map(
        (f) => [f, layout.root! + root[f]!, wide] as const,
      ),
      ...['BREFNBT', 'BREFBBT'].flatMap((f) => [
        [`${f}.bid`, layout.root! + root[f]!, wide] as const,
        [`${f}.ib`, layout.root! + root[f]! + wide, wide] as const,
      ]),
      ['fAMapValid', layout.root! + root.fAMapValid!, 1],
      ['bidNextB', layout.bidNextB!, wide],
      ['bidNextP', layout.bidNextP!, wide],
      ['dwUnique', layout.dwUnique!, 4],
      ['rgnid', layout.rgnid! + 4 * random.below(32), 4],
      ['wVer', layout.wVer!, 2],
      ['wVerClient', layout.wVerClient!, 2],
      ['bCryptMethod', layout.bCryptMethod!, 1],
      ['bSentinel', layout.bSentinel!, 1],
      ['any', random.between(8, 560), 1],
    ];
    const [name, ib, width] = random.pick(fields);
    const was = this.#get(ib, width);
    const now = name === 'wVer' ? random.pick([14, 15, 23, 36, 37, 21, 0]) : this.#number(was, width);
    this.#set(ib, width, now);
    if (random.chance(0.95)) sealHeader(this.bytes, anatomy.variant);
    return `${name} ${hex(was)} → ${hex(now)}`;
  }

  /** A page of a B-tree, or a map, bent and sealed. */
  page(): string | undefined {
    const { random, anatomy } = this;
    const page = random.chance(0.1) && anatomy.maps.length > 0 ? random.pick(anatomy.maps) : random.pick(anatomy.pages);
    const { size, entries, counts } = PAGE[anatomy.variant];
    if (!this.#holds(page.ib, size)) return undefined;
    const what = this.#bendPage(page, entries, counts.at);
    anatomy.sealPage(this.bytes, page);
    return `page ${hex(page.ib)} (type ${hex(page.ptype)}): ${what}`;
  }

  #bendPage(
    page: PagePlace,
    entries: number,
    counts: { cEnt: number; cEntMax: number; cbEnt: number; cLevel: number },
  ): string {
    const { random, anatomy } = this;
    const isTree = page.ptype === PTYPE.NBT || page.ptype === PTYPE.BBT;
    const what = isTree ? random.weighted({ count: 3, field: 8, entry: 3, any: 1 }) : 'any';
    if (what === 'count') {
      const name = random.pick(['cEnt', 'cEntMax', 'cbEnt', 'cLevel'] as const);
      const ib = page.ib + entries + counts[name];
      const wide = anatomy.deflates && name.startsWith('cEnt') ? 2 : 1;
      return this.#bend(ib, wide, name);
    }
    const geometry = BTREE[anatomy.variant];
    const struct = page.cLevel > 0 ? geometry.branch : page.ptype === PTYPE.NBT ? geometry.nbt : geometry.bbt;
    if (what === 'any' || page.cEnt === 0)
      return this.#bend(page.ib + random.below(entries - 8), random.pick([1, 2, 4]), 'any');
    const ib = page.ib + random.below(page.cEnt) * struct.size;
    if (what === 'entry') {
      // An entry over another: keys twice, or out of order; with only its inside, a node that shares or leads to a page above.
      const from = page.ib + random.below(page.cEnt) * struct.size;
      const skip = random.chance(0.7) ? (anatomy.variant === ANSI ? 4 : 8) : 0;
      this.bytes.copyWithin(ib + skip, from + skip, from + struct.size);
      return `entry at ${hex(ib)} like the one at ${hex(from)}${skip ? ', but for its key' : ''}`;
    }
    if (page.cLevel > 0 && random.chance(0.4)) {
      const target = random.pick(anatomy.pages);
      this.#setNumber(ib + struct.size / 3, target.bid);
      this.#setNumber(ib + (2 * struct.size) / 3, target.ib);
      return `branch to page ${hex(target.ib)}`;
    }
    const names = Object.entries(struct.at as Record<string, number>).filter(([name]) => !/adding/.test(name));
    const [name, at] = random.pick(names);
    const width = /^(cb|cRef|cbInflated)$/.test(name) ? 2 : /^nid/.test(name) || anatomy.variant === ANSI ? 4 : 8;
    if (/^bid/.test(name) && random.chance(0.7)) {
      const bid = random.pick(anatomy.bids);
      this.#set(ib + at, width, bid);
      return `${name} at ${hex(ib)} → ${hex(bid)}`;
    }
    return this.#bend(ib + at, width, name);
  }

  #bend(ib: number, width: number, name: string): string {
    const was = this.#get(ib, width);
    const now = this.#number(was, width);
    this.#set(ib, width, now);
    return `${name} at ${hex(ib)} ${hex(was)} → ${hex(now)}`;
  }

  /** XBLOCKs and SLBLOCKs. */
  internal(): string | undefined {
    const { random, anatomy } = this;
    if (anatomy.internalBlocks.length === 0) return undefined;
    const block = random.pick(anatomy.internalBlocks);
    const payload = this.#open(block);
    if (payload === undefined || payload.length < 8) return undefined;
    const view = new DataView(payload.buffer);
    const wide = anatomy.variant === ANSI ? 4 : 8;
    const head = payload[0] === 2 && anatomy.variant === ANSI ? 4 : 8;
    let note: string;
    switch (random.below(6)) {
      case 0:
        note = bend(view, random.pick([0, 1]), 1, random.pick([0, 1, 2, 3, 255]));
        break;
      case 1:
        note = bend(view, 2, 2, this.#number(view.getUint16(2, true), 2));
        break;
      case 2:
        note = bend(view, 4, 4, this.#number(view.getUint32(4, true), 4));
        break;
      default: {
        const count = Math.floor((payload.length - head) / wide);
        if (count === 0) return undefined;
        const at = head + wide * random.below(count);
        const own = random.chance(0.3) ? block.bid : random.pick([...anatomy.bids, random.pick(anatomy.nids)]);
        note = bend(view, at, wide, random.chance(0.8) ? own : this.#number(0, wide));
      }
    }
    if (!this.#close(block, payload)) return undefined;
    return `block ${hex(block.bid)} of type ${payload[0]}: ${note}`;
  }

  #open(block: BlockPlace): Uint8Array | undefined {
    if (!this.#holds(block.ib, this.anatomy.room(block) + BLOCK[this.anatomy.variant].trailer.size)) return undefined;
    return this.anatomy.open(this.bytes, block);
  }

  /** Puts a payload back; false when it has no room, deflated anew. */
  #close(block: BlockPlace, payload: Uint8Array): boolean {
    const cb = this.anatomy.close(this.bytes, block, payload);
    if (cb === undefined) return false;
    if (cb !== block.cb) this.#entry(block, (ib, at) => this.#set(ib + at.cb!, 2, cb));
    return true;
  }

  /** Any data block, or one of those that are for one thing, whatever that is. */
  #dataBlock(): BlockPlace {
    const { random, anatomy } = this;
    if (random.chance(0.4)) return random.pick(anatomy.dataBlocks);
    const [role, blocks] = random.pick([...anatomy.roles]);
    return role === 'subnode tree' ? random.pick(anatomy.dataBlocks) : random.pick(blocks);
  }

  /** A heap, a BTH in it, a property context, a table, decoded, bent, encoded, sealed. */
  heap(): string | undefined {
    const { random } = this;
    for (let k = 0; k < 20; k++) {
      const block = this.#dataBlock();
      const payload = this.#open(block);
      if (payload === undefined || payload.length < 16 || payload[2] !== HN_SIGNATURE) continue;
      const number = (was: number, width: number): number => this.#number(was, width);
      const note = bendHeap(payload, random, number);
      if (random.chance(0.2)) bendHeap(payload, random, number);
      if (!this.#close(block, payload)) return undefined;
      return `heap ${hex(block.bid)}, client ${hex(payload[3]!)}: ${note}`;
    }
    return undefined;
  }

  /** Any data block: values in subnodes, row matrices. */
  data(): string | undefined {
    const { random } = this;
    const block = this.#dataBlock();
    const payload = this.#open(block);
    if (payload === undefined || payload.length < 4) return undefined;
    const view = new DataView(payload.buffer);
    const notes: string[] = [];
    for (let k = random.pick([1, 1, 4, 40]); k > 0; k--) {
      const width = random.pick([1, 2, 4]);
      const at = random.below(Math.floor(payload.length / width)) * width;
      notes.push(bend(view, at, width, this.#number(0, width)));
    }
    if (!this.#close(block, payload)) return undefined;
    return `block ${hex(block.bid)} ${notes.slice(0, 3).join('; ')}`;
  }

  /** Another size for a block, in its trailer and in the BBT. */
  size(): string | undefined {
    const { random, anatomy } = this;
    const block = random.pick(
      random.chance(0.3) && anatomy.internalBlocks.length > 0 ? anatomy.internalBlocks : anatomy.dataBlocks,
    );
    const room = anatomy.room(block);
    if (!this.#holds(block.ib, room + BLOCK[anatomy.variant].trailer.size)) return undefined;
    // Within the same wire size, so that the trailer keeps its place.
    const { unit } = BLOCK[anatomy.variant];
    const least = Math.max(0, room - unit + 1);
    const cb = random.between(least, room);
    const now = { ...block, cb, inflated: cb };
    anatomy.sealBlock(this.bytes, now);
    const done = this.#entry(block, (ib, at) => {
      this.#set(ib + at.cb!, 2, cb);
      if (at.cbInflated !== undefined) this.#set(ib + at.cbInflated, 2, cb);
    });
    return `block ${hex(block.bid)} of ${block.cb} bytes has ${cb}${done ? '' : ', but for the BBT'}`;
  }

  /** Changes the BBT entry of a block and seals its page. */
  #entry(block: BlockPlace, change: (ib: number, at: Readonly<Record<string, number>>) => void): boolean {
    const { anatomy } = this;
    const { bbt } = BTREE[anatomy.variant];
    const wide = anatomy.variant === ANSI ? 4 : 8;
    for (const page of anatomy.pages) {
      if (page.ptype !== PTYPE.BBT || page.cLevel > 0 || !this.#holds(page.ib, PAGE[anatomy.variant].size)) continue;
      for (let e = 0; e < page.cEnt; e++) {
        const ib = page.ib + e * bbt.size;
        const bid = this.#get(ib, wide);
        if (bid - (bid % 2) !== block.bid) continue;
        change(ib, bbt.at);
        anatomy.sealPage(this.bytes, page);
        return true;
      }
    }
    return false;
  }

  /** Two blocks change places: each has the other's content under its own name. */
  swap(): string | undefined {
    const { random, anatomy } = this;
    const list = random.chance(0.3) && anatomy.internalBlocks.length > 1 ? anatomy.internalBlocks : anatomy.dataBlocks;
    const [a, b] = [random.pick(list), random.pick(list)];
    if (isInternal(a.bid) !== isInternal(b.bid)) return undefined;
    const [x, y] = [this.#open(a), this.#open(b)];
    if (x === undefined || y === undefined) return undefined;
    const put = (block: BlockPlace, payload: Uint8Array): void => {
      const bytes = new Uint8Array(block.inflated);
      bytes.set(payload.subarray(0, block.inflated));
      this.#close(block, bytes);
    };
    put(a, y);
    if (random.chance(0.5)) put(b, x);
    return `block ${hex(a.bid)} holds what ${hex(b.bid)} held`;
  }

  /** 4K: a deflated block that is not what it says. Elsewhere: one entry of a table or tree, everywhere. */
  bomb(): string | undefined {
    const { random, anatomy } = this;
    const block = random.pick(anatomy.dataBlocks);
    const room = anatomy.room(block);
    if (!this.#holds(block.ib, room + BLOCK[anatomy.variant].trailer.size)) return undefined;
    if (!anatomy.deflates) return this.heap();
    const claimed = random.pick([1, 2, 64, block.cb + 1, 8176, 65511, 65512, 65513, 65535]);
    const content = new Uint8Array(random.pick([claimed, claimed - 1, claimed + 1, 1 << 20, 64 << 20]));
    const deflated = deflateSync(content);
    const cb = Math.min(room, deflated.length);
    // The wire size must stay: the rest is whatever was there.
    const { unit } = BLOCK[anatomy.variant];
    const least = Math.max(cb, room - unit + 1);
    this.bytes.set(deflated.subarray(0, cb), block.ib);
    const now = { ...block, cb: Math.min(least, room), inflated: claimed };
    anatomy.sealBlock(this.bytes, now);
    this.#entry(block, (ib, at) => {
      this.#set(ib + at.cb!, 2, now.cb);
      this.#set(ib + at.cbInflated!, 2, claimed);
    });
    return `block ${hex(block.bid)} of ${now.cb} bytes inflates to ${content.length}, says ${claimed}`;
  }
}

const ROOT_AT = (anatomy: Anatomy): Readonly<Record<string, number>> =>
  anatomy.variant === ANSI ? ROOT_ANSI.at : ROOT.at;
