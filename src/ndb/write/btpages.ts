/**
 * NBT and BBT pages, built from the leaves up in one pass. MS-PST 2.2.2.7.7.
 * @module
 */

import type { Core } from '../../core/core.js';
import { BTENTRY, BTREE } from '../../wire/btree.js';
import { BTPAGE, PAGE, PAGE_SIZE } from '../../wire/page.js';
import { UNICODE } from '../../wire/variant.js';
import { Column } from './columns.js';
import type { Space } from './space.js';

export interface Leaves {
  readonly ptype: number;
  readonly count: number;
  /** Bytes of an entry, and entries of a full page. */
  readonly entrySize: number;
  readonly max: number;
  /** Key of entry i, ascending. */
  key(i: number): number;
  write(view: DataView, at: number, i: number): void;
}

export interface BuiltTree {
  readonly bid: number;
  readonly ib: number;
  readonly pages: number;
}

/**
 * How many of `count` entries each page gets: as few pages as hold them, and no two pages differ by more
 * than one entry, so that no page is left nearly empty. Yields the first entry of each page and its count.
 */
export function* shares(count: number, max: number): Generator<{ first: number; cEnt: number }> {
  const pages = Math.max(1, Math.ceil(count / max));
  let first = 0;
  for (let page = 0; page < pages; page++) {
    const end = Math.floor(((page + 1) * count) / pages);
    yield { first, cEnt: end - first };
    first = end;
  }
}

/** Writes the tree and returns its root. An empty tree is one empty leaf. */
export function writeBtree(core: Core, space: Space, nextPageBid: () => number, leaves: Leaves): BuiltTree {
  const { branchMax } = BTREE[UNICODE];
  let pages = 0;
  let cLevel = 0;
  let level: Leaves = leaves;
  for (;;) {
    const keys = new Column(Float64Array);
    const bids = new Column(Float64Array);
    const ibs = new Column(Float64Array);
    for (const { first, cEnt } of shares(level.count, level.max)) {
      const at = space.take(PAGE_SIZE, PAGE_SIZE);
      const page = space.buffer + at;
      core.u8.fill(0, page, page + PAGE_SIZE);
      const view = core.view;
      for (let i = 0; i < cEnt; i++) level.write(view, page + i * level.entrySize, first + i);
      const counts = { cEnt, cEntMax: level.max, cbEnt: level.entrySize, cLevel, dwPadding: 0 };
      BTPAGE.write(view, page + PAGE[UNICODE].entries, counts);
      const bid = nextPageBid();
      space.sealPage(at, leaves.ptype, bid);
      keys.push(cEnt === 0 ? 0 : level.key(first));
      bids.push(bid);
      ibs.push(space.ib(at));
      pages++;
    }
    if (keys.count === 1) return { bid: bids.at(0), ib: ibs.at(0), pages };
    level = {
      ptype: leaves.ptype,
      count: keys.count,
      entrySize: BTENTRY.size,
      max: branchMax,
      key: (i) => keys.at(i),
      write: (view, at, i) => BTENTRY.write(view, at, { btkey: keys.at(i), bid: bids.at(i), ib: ibs.at(i) }),
    };
    cLevel++;
  }
}
