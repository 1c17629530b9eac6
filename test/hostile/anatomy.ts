/**
 * Where things lie in a sound store, for the mutator: which bytes are pages, which are blocks, and how to put a page or a block
 * back with checksums that fit, so that what is bent gets past them.
 * @module
 */
import { deflateSync } from 'node:zlib';
import { Core } from '../../src/core/core.js';
import { inflate } from '../../src/host/inflate.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { BLOCK, wireSize } from '../../src/wire/block.js';
import { isInternal } from '../../src/wire/btree.js';
import { MAP } from '../../src/wire/map.js';
import { NID, NID_TYPE, nidType } from '../../src/wire/nid.js';
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

/** What a block is for: some kinds are a handful among thousands, and chance alone would not meet them. */
export type Role =
  | 'store'
  | 'names'
  | 'folder'
  | 'table'
  | 'message'
  | 'associated'
  | 'recipients'
  | 'attachment table'
  | 'attachment'
  | 'embedded'
  | 'value'
  | 'subnode tree'
  | 'other';

const ROLE_OF_TYPE = new Map<number, Role>([
  [NID_TYPE.NORMAL_FOLDER, 'folder'],
  [NID_TYPE.SEARCH_FOLDER, 'folder'],
  [NID_TYPE.NORMAL_MESSAGE, 'message'],
  [NID_TYPE.ASSOC_MESSAGE, 'associated'],
  [NID_TYPE.HIERARCHY_TABLE, 'table'],
  [NID_TYPE.CONTENTS_TABLE, 'table'],
  [NID_TYPE.ASSOC_CONTENTS_TABLE, 'table'],
  [NID_TYPE.SEARCH_CONTENTS_TABLE, 'table'],
]);
const ROLE_OF_SUBNODE = new Map<number, Role>([
  [NID_TYPE.ATTACHMENT, 'attachment'],
  [NID_TYPE.NORMAL_MESSAGE, 'embedded'],
  [NID_TYPE.LTP, 'value'],
]);

function roleOf(nid: number, isSubnode: boolean): Role {
  if (nid === NID.RECIPIENT_TABLE) return 'recipients';
  if (nid === NID.ATTACHMENT_TABLE) return 'attachment table';
  if (isSubnode) return ROLE_OF_SUBNODE.get(nidType(nid)) ?? 'other';
  if (nid === NID.MESSAGE_STORE) return 'store';
  if (nid === NID.NAME_TO_ID_MAP) return 'names';
  return ROLE_OF_TYPE.get(nidType(nid)) ?? 'other';
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
  /** Blocks by what they are for. */
  readonly roles = new Map<Role, BlockPlace[]>();
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
    this.#castRoles(ndb);
    const { ibFirst, interval, ibDList } = MAP[this.variant];
    const { size, trailerAt } = PAGE[this.variant];
    for (const ib of [ibDList, ibFirst, ibFirst + size, ibFirst + interval]) {
      const ptype = specimen.bytes[ib + trailerAt] ?? 0;
      if (ptype >= PTYPE.FMAP && ptype <= PTYPE.DL) this.maps.push({ ptype, ib, bid: ib, cLevel: 0, cEnt: 0 });
    }
    this.#forge = new Forge(this.variant);
    ndb.close();
  }

  #castRoles(ndb: Ndb): void {
    const places = new Map([...this.dataBlocks, ...this.internalBlocks].map((place) => [place.bid, place]));
    const add = (role: Role, bid: number): void => {
      const place = places.get(bid);
      if (place === undefined) return; // or has a part already
      places.delete(bid);
      const list = this.roles.get(role);
      if (list === undefined) this.roles.set(role, [place]);
      else list.push(place);
    };
    const addTree = (role: Role, bid: number): void => {
      for (const index of ndb.findLeaves(bid, {}).indices) add(role, ndb.bbt.bid(index));
    };
    const { nbt } = ndb;
    for (let i = 0; i < nbt.count; i++) {
      addTree(roleOf(nbt.nid(i), false), nbt.bidData(i));
      if (nbt.bidSub(i) !== 0) add('subnode tree', nbt.bidSub(i));
      for (const sub of ndb.nestedSubnodes(nbt.bidSub(i), {})) {
        addTree(roleOf(sub.nid, true), sub.bidData);
        if (sub.bidSub !== 0) add('subnode tree', sub.bidSub);
      }
    }
  }

  /** Writes the trailer of a page anew. */
  sealPage(bytes: Uint8Array<ArrayBuffer>, page: PagePlace): void {
    this.#forge.bytes = bytes;
    this.#forge.sealPage(page.ib, page.bid, page.ptype);
  }

  /** Payload of a block, inflated and decoded; undefined when an earlier step has spoiled it. */
  open(bytes: Uint8Array, { bid, ib, cb, inflated }: BlockPlace): Uint8Array | undefined {
    let stored: Uint8Array | undefined = bytes.slice(ib, ib + cb);
    if (cb !== inflated) stored = inflate(stored, inflated);
    return stored === undefined || isInternal(bid) ? stored : decode(stored, this.crypt, bid);
  }

  /** Puts a payload of the same size back, encoded, deflated and sealed. Returns its stored size, undefined when it has no room there. */
  close(bytes: Uint8Array<ArrayBuffer>, block: BlockPlace, payload: Uint8Array): number | undefined {
    let stored = isInternal(block.bid) ? payload : encode(payload, this.crypt, block.bid);
    // Equal sizes would say that it is not deflated.
    if (block.cb !== block.inflated) stored = new Uint8Array(deflateSync(stored, { level: 9 }));
    if (stored.length > this.room(block) || (block.cb !== block.inflated && stored.length === block.inflated))
      return undefined;
    bytes.set(stored, block.ib);
    this.sealBlock(bytes, { ...block, cb: stored.length });
    return stored.length;
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
