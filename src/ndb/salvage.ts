/**
 * Finds the leaf pages of a broken B-tree by looking at every place where a page can be.
 *
 * A page is taken when type, level, counts, signature and CRC are right. Pages of earlier states of the tree lie about
 * too: the page with the higher BID is the newer, so it goes first, and of entries with one key the first is kept. An old
 * BBTENTRY does no harm, a block keeps its place for life; an old NBTENTRY may bring a deleted node back.
 * @module
 */
import { PstError } from '../errors.js';
import { readCounts, type Tree } from './btree.js';
import type { Report } from './header.js';
import type { PageReader } from './page.js';

/** Adds the entries of all leaf pages in the file to `tree`, which holds what the walk found. */
export function searchLeaves(pages: PageReader, tree: Tree, report: Report): void {
  const { size } = pages.geometry;
  const found: { ib: number; bid: number }[] = [];
  for (let ib = 0; ib + size <= pages.source.size; ib += size) {
    pages.load(ib);
    if (pages.ptype !== tree.ptype) continue;
    const { cEnt, cbEnt, cLevel } = readCounts(pages);
    if (cLevel !== 0 || cbEnt !== tree.entrySize || cEnt > tree.entryMax) continue;
    const { bid } = pages;
    if (pages.faults(tree.ptype, bid, ib).length === 0) found.push({ ib, bid });
  }
  found.sort((a, b) => b.bid - a.bid);
  tree.reserve(found.length * tree.entryMax);
  for (const { ib } of found) {
    pages.load(ib);
    const { cEnt } = readCounts(pages);
    for (let e = 0; e < cEnt; e++) tree.add(pages.view, pages.at + e * tree.entrySize);
  }
  const message = `${tree.name}: the tree is broken; ${found.length} leaf pages were found by searching the file`;
  report(new PstError('PST_BAD_TREE', message, { section: '2.2.2.7.7' }));
}
