/**
 * What takes space in the file: every block of the BBT, every page of the trees, every map page. Sorted by place.
 * @module
 */
import type { BlockIndex } from '../ndb/bbt.js';
import { wireSize } from '../wire/block.js';
import { FMAP, FPMAP, hasMap, MAP, PMAP } from '../wire/map.js';
import { PAGE, PTYPE } from '../wire/page.js';
import { ANSI, UNICODE, UNICODE_4K, type Variant } from '../wire/variant.js';
import type { Context } from './context.js';
import { hex } from './findings.js';
import type { TreePages } from './trees.js';

/** In the order of the file. Four bytes a block: the rest is where it was. */
export class Extents {
  readonly count: number;
  readonly #order: Uint32Array;

  /** `maps`: places of all map pages. */
  constructor(
    readonly bbt: BlockIndex,
    readonly pages: TreePages,
    readonly maps: readonly number[],
    readonly variant: Variant,
  ) {
    this.count = bbt.count + pages.ibs.length + maps.length;
    const order = Uint32Array.from({ length: this.count }, (_, i) => i);
    this.#order = order.sort((a, b) => this.#ib(a) - this.#ib(b));
  }

  #ib(i: number): number {
    const { bbt, pages, maps } = this;
    if (i < bbt.count) return bbt.ib(i);
    return i < bbt.count + pages.ibs.length ? pages.ibs[i - bbt.count]! : maps[i - bbt.count - pages.ibs.length]!;
  }

  ib(k: number): number {
    return this.#ib(this.#order[k]!);
  }

  /** Bytes in the file, padding and trailer included. */
  size(k: number): number {
    const i = this.#order[k]!;
    return i < this.bbt.count ? wireSize(this.bbt.cb(i), this.variant) : PAGE[this.variant].size;
  }

  /** BID of the block or page; 0 for map pages. */
  bid(k: number): number {
    const i = this.#order[k]!;
    const { bbt, pages } = this;
    if (i < bbt.count) return bbt.bid(i);
    return i < bbt.count + pages.ibs.length ? pages.bids[i - bbt.count]! : 0;
  }
}

export interface MapPage {
  readonly name: string;
  readonly ptype: number;
  readonly ib: number;
}

/** AMaps of a store that is `size` bytes long. */
export function mapCount(size: number, variant: Variant): number {
  const { ibFirst, interval } = MAP[variant];
  return size <= ibFirst ? 0 : Math.ceil((size - ibFirst) / interval);
}

/** The map pages behind AMap `i`, itself first. 2.2.2.7.2 to 2.2.2.7.6. */
export function mapPages(i: number, variant: Variant): MapPage[] {
  const { ibFirst, interval } = MAP[variant];
  const { size } = PAGE[variant];
  const pages: MapPage[] = [{ name: 'AMap', ptype: PTYPE.AMAP, ib: ibFirst + i * interval }];
  const follow = (name: string, ptype: number): void => {
    pages.push({ name, ptype, ib: pages[pages.length - 1]!.ib + size });
  };
  if (variant !== UNICODE_4K && hasMap(PMAP, i)) follow('PMap', PTYPE.PMAP);
  if (variant !== UNICODE_4K && hasMap(FMAP, i)) follow('FMap', PTYPE.FMAP);
  if (variant === UNICODE && hasMap(FPMAP, i)) follow('FPMap', PTYPE.FPMAP);
  return pages;
}

/** The part of the file that both its header and its size cover: against an ibFileEof beyond any file. */
export const mappedSize = (context: Context): number =>
  Math.min(context.ndb.header.root.ibFileEof, context.source.size);

export function collectExtents(context: Context, pages: TreePages): Extents {
  const { variant } = context;
  const maps: number[] = [];
  for (let i = 0; i < mapCount(mappedSize(context), variant); i++) {
    for (const { ib } of mapPages(i, variant)) maps.push(ib);
  }
  return new Extents(context.ndb.bbt, pages, maps, variant);
}

/** No two of them may share a byte, none may lie outside what the maps cover. 2.2.2.7.2. */
export function checkExtents(context: Context, extents: Extents): void {
  const { ibFirst } = MAP[context.variant];
  const eof = context.ndb.header.root.ibFileEof;
  let end = 0;
  let holder = 0;
  for (let k = 0; k < extents.count; k++) {
    const ib = extents.ib(k);
    const bid = extents.bid(k);
    const until = ib + extents.size(k);
    if (ib < ibFirst || until > eof) {
      const message = `${name(bid)} lies at ${hex(ib)} to ${hex(until)}, outside ${hex(ibFirst)} to ${hex(eof)}`;
      context.add('block.outside', message, { bid, ib });
    }
    if (k > 0 && ib < end) {
      const message = `${name(bid)} begins at ${hex(ib)}, inside ${name(holder)}, which ends at ${hex(end)}`;
      context.add('block.overlap', message, { bid, ib, found: ib, expected: end });
    }
    if (until > end) {
      end = until;
      holder = bid;
    }
  }
}

const name = (bid: number): string => (bid === 0 ? 'a map page' : `the block or page ${hex(bid)}`);

/** Bytes of an ANSI store's last interval that the file does not have. */
export const isCut = (context: Context, i: number): boolean => {
  const { ibFirst, interval } = MAP[context.variant];
  return context.variant === ANSI && ibFirst + (i + 1) * interval > mappedSize(context);
};
