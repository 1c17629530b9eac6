/**
 * Where things lie in a sound store, for the mutator: which bytes are pages, which are blocks, and how to put a page or a block
 * back with checksums that fit, so that what is bent gets past them.
 * @module
 */
import { Core } from '../../src/core/core.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { BLOCK, wireSize } from '../../src/wire/block.js';
import { isInternal } from '../../src/wire/btree.js';
import { MAP } from '../../src/wire/map.js';
import { PAGE, PTYPE } from '../../src/wire/page.js';
import { UNICODE_4K, type Variant } from '../../src/wire/variant.js';
import { MemoryFile } from '../memory-file.js';
import { Forge } from '../ndb/forge.js';
import { decode, encode } from './encoding.js';
import type { Specimen } from './specimens.js';

export interface PagePlace {
  readonly ptype: number;
  readonly ib: number;
  readonly bid: number;
  readonly cLevel: number;
  readonly cEnt: number;
}

export interface BlockPlace {
  readonly bid: number;
  readonly ib: number;
  readonly cb: number;
  readonly inflated: number;
}

export class Anatomy {
  readonly variant: Variant;
  readonly crypt: number;
  readonly size: number;
  /** End of what is in use: OSTs of 16 MB may be mostly empty. */
  readonly used: number;
  readonly pages: PagePlace[] = [];
  readonly maps: PagePlace[] = [];
  readonly dataBlocks: BlockPlace[] = [];
  readonly internalBlocks: BlockPlace[] = [];
  readonly nids: number[] = [];
  readonly bids: number[] = [];
  readonly #forge: Forge;

  constructor(readonly specimen: Specimen) {
    const ndb = Ndb.open(new MemoryFile(specimen.name, specimen.bytes), Core.load());
    this.variant = ndb.variant;
    this.crypt = ndb.header.crypt;
    this.size = specimen.bytes.length;
    ndb.walkPages(
      (ptype, ref, cLevel, cEnt) => this.pages.push({ ptype, ...ref, cLevel, cEnt }),
      (fault) => {
        throw fault;
      },
    );
    for (let i = 0; i < ndb.nbt.count; i++) this.nids.push(ndb.nbt.nid(i));
    let used = 0;
    for (let i = 0; i < ndb.bbt.count; i++) {
      const place = { bid: ndb.bbt.bid(i), ib: ndb.bbt.ib(i), cb: ndb.bbt.cb(i), inflated: ndb.bbt.inflated(i) };
      this.bids.push(place.bid);
      (isInternal(place.bid) ? this.internalBlocks : this.dataBlocks).push(place);
      used = Math.max(used, place.ib + wireSize(place.cb, this.variant));
    }
    for (const { ib } of this.pages) used = Math.max(used, ib + PAGE[this.variant].size);
    this.used = used;
    const { ibFirst, interval, ibDList } = MAP[this.variant];
    const { size, trailerAt } = PAGE[this.variant];
    for (const ib of [ibDList, ibFirst, ibFirst + size, ibFirst + interval]) {
      const ptype = specimen.bytes[ib + trailerAt] ?? 0;
      if (ptype >= PTYPE.FMAP && ptype <= PTYPE.DL) this.maps.push({ ptype, ib, bid: ib, cLevel: 0, cEnt: 0 });
    }
    this.#forge = new Forge(this.variant);
    ndb.close();
  }

  /** Writes the trailer of a page anew. */
  sealPage(bytes: Uint8Array<ArrayBuffer>, page: PagePlace): void {
    this.#forge.bytes = bytes;
    this.#forge.sealPage(page.ib, page.bid, page.ptype);
  }

  /** Payload of a block, decoded. Deflated ones are passed over: undefined. */
  open(bytes: Uint8Array, { bid, ib, cb, inflated }: BlockPlace): Uint8Array | undefined {
    if (cb !== inflated) return undefined;
    const stored = bytes.subarray(ib, ib + cb);
    return isInternal(bid) ? stored.slice() : decode(stored, this.crypt, bid);
  }

  /** Puts a payload of the same size back, encoded and sealed. */
  close(bytes: Uint8Array<ArrayBuffer>, block: BlockPlace, payload: Uint8Array): void {
    bytes.set(isInternal(block.bid) ? payload : encode(payload, this.crypt, block.bid), block.ib);
    this.sealBlock(bytes, block);
  }

  /** Writes the trailer of a block anew. */
  sealBlock(bytes: Uint8Array<ArrayBuffer>, { bid, ib, cb, inflated }: BlockPlace): void {
    this.#forge.bytes = bytes;
    this.#forge.trailer(ib, bid, cb, inflated);
  }

  /** Bytes of a block's payload in its place. */
  room({ ib, cb }: BlockPlace): number {
    const { trailer } = BLOCK[this.variant];
    return Math.min(wireSize(cb, this.variant) - trailer.size, this.size - ib);
  }

  get deflates(): boolean {
    return this.variant === UNICODE_4K;
  }
}
