/**
 * Walks a B-tree of pages, level by level, and hands its leaf entries on in the order of their keys. MS-PST 2.2.2.7.7.
 *
 * Breadth first: the number of leaf pages is known before the first is read, so the columns are taken once; and depth
 * costs nothing, so no chain of pages can exhaust a stack.
 * @module
 */
import { hex, PstError } from '../errors.js';
import { BTREE } from '../wire/btree.js';
import { u32, u64 } from '../wire/struct.js';
import { ANSI, type Variant } from '../wire/variant.js';
import type { Bref, Report } from './header.js';
import type { PageReader } from './page.js';

/** Against a root that claims a depth no file could fill: 16 levels of two entries are 65,536 pages. */
const LEVELS_MAX = 16;

/** Which tree, and who takes its entries. */
export interface Tree {
  readonly name: 'NBT' | 'BBT';
  readonly ptype: number;
  readonly entrySize: number;
  /** Entries of a full leaf. */
  readonly entryMax: number;
  /** Key of the leaf entry at `at`. */
  key(view: DataView, at: number): number;
  /** Before the first leaf: no more than `count` entries will come. */
  reserve(count: number): void;
  add(view: DataView, at: number): void;
}

interface Level {
  bid: number[];
  ib: number[];
  key: number[];
}

const section = '2.2.2.7.7';

/**
 * Walks the tree at `root`. A fault that leaves all entries readable goes to `report`; any other is thrown, or, in
 * `salvage`, reported too, and what cannot be used is passed over. Returns whether all keys ascend.
 */
export function walkBtree(
  pages: PageReader,
  variant: Variant,
  tree: Tree,
  root: Bref,
  report: Report,
  salvage: boolean,
): boolean {
  const { branch, branchMax } = BTREE[variant];
  const { geometry } = pages;
  const id = variant === ANSI ? u32 : u64;
  // Against cycles and shared pages: a tree cannot have more pages than the file has room for.
  let budget = Math.floor(pages.source.size / geometry.size);
  let level: Level = { bid: [root.bid], ib: [root.ib], key: [-1] };
  let cLevel = -1;
  let ordered = true;

  const fail = (message: string, bid: number, ib: number, field: string): void => {
    const error = new PstError('PST_BAD_TREE', `${tree.name}: ${message}`, { field, section, bid, ib });
    if (!salvage) throw error;
    report(error);
  };

  for (;;) {
    const next: Level = { bid: [], ib: [], key: [] };
    let last = -1;
    if (cLevel === 0) tree.reserve(level.ib.length * tree.entryMax);

    for (let p = 0; p < level.ib.length; p++) {
      const bid = level.bid[p]!;
      const ib = level.ib[p]!;
      const isRoot = cLevel < 0;
      if (!usable(pages, tree, bid, ib, isRoot, report, salvage)) continue;

      const { view } = pages;
      const counts = pages.at + geometry.entries;
      const { at } = geometry.counts;
      const wide = geometry.size > 512;
      const cEnt = wide ? view.getUint16(counts + at.cEnt, true) : view.getUint8(counts + at.cEnt);
      const cbEnt = view.getUint8(counts + at.cbEnt);
      const found = view.getUint8(counts + at.cLevel);
      if (isRoot) {
        if (found > LEVELS_MAX) {
          fail(`a tree of ${found} levels`, bid, ib, 'BTPAGE.cLevel');
          continue;
        }
        cLevel = found;
        if (cLevel === 0) tree.reserve(tree.entryMax);
      } else if (found !== cLevel) {
        fail(`a page of level ${found} where level ${cLevel} belongs`, bid, ib, 'BTPAGE.cLevel');
        continue;
      }
      const isLeaf = cLevel === 0;
      const size = isLeaf ? tree.entrySize : branch.size;
      const max = isLeaf ? tree.entryMax : branchMax;
      if (cbEnt !== size) {
        fail(`entries of ${cbEnt} bytes, expected ${size}`, bid, ib, 'BTPAGE.cbEnt');
        continue;
      }
      if (cEnt > max) {
        fail(`${cEnt} entries, a page holds ${max}`, bid, ib, 'BTPAGE.cEnt');
        continue;
      }
      if (cEnt === 0 && !isRoot) {
        report(new PstError('PST_BAD_TREE', `${tree.name}: a page without entries`, { field: 'BTPAGE.cEnt', bid, ib }));
      }

      for (let e = 0; e < cEnt; e++) {
        const entry = pages.at + e * size;
        const key = isLeaf ? tree.key(view, entry) : id.get(view, entry);
        const ref = level.key[p]!;
        if (e === 0 && ref >= 0 && key !== ref) {
          const message = `${tree.name}: the page begins with key ${hex(key)}, its branch entry says ${hex(ref)}`;
          report(new PstError('PST_BAD_TREE', message, { field: 'BTENTRY.btkey', section, bid, ib }));
        }
        if (key <= last) {
          fail(`key ${hex(key)} after ${hex(last)}`, bid, ib, 'rgentries');
          ordered = false;
        }
        last = key;
        if (isLeaf) {
          tree.add(view, entry);
        } else {
          next.key.push(key);
          next.bid.push(id.get(view, entry + branch.at.bid));
          next.ib.push(id.get(view, entry + branch.at.ib));
        }
      }
    }

    if (cLevel <= 0) return ordered;
    budget -= level.ib.length;
    if (next.ib.length > budget) {
      fail(`more pages than the file has room for (a cycle)`, root.bid, root.ib, 'rgentries');
      return ordered;
    }
    level = next;
    cLevel--;
  }
}

/** Loads the page and judges its trailer. False: unusable, and reported. */
function usable(
  pages: PageReader,
  tree: Tree,
  bid: number,
  ib: number,
  isRoot: boolean,
  report: Report,
  salvage: boolean,
): boolean {
  const { size } = pages.geometry;
  try {
    if (ib === 0 || ib > Number.MAX_SAFE_INTEGER) {
      throw new PstError('PST_BAD_TREE', `${tree.name}: a page at ${hex(ib)}`, { field: 'BREF.ib', section, bid, ib });
    }
    pages.load(ib);
  } catch (error) {
    if (!salvage || !(error instanceof PstError)) throw error;
    report(error);
    return false;
  }
  if (ib % size !== 0) {
    report(new PstError('PST_BAD_TREE', `${tree.name}: a page not on a multiple of ${size}`, { section, bid, ib }));
  }
  let good = true;
  for (const fault of pages.faults(tree.ptype, bid, ib)) {
    // Seen in a third-party store: the header's BREF names a BID the root page does not have. Place and content are right.
    if (!salvage && !(isRoot && fault.code === 'PST_BAD_BID')) throw fault;
    report(fault);
    // Bad checksums: the entries are looked at one by one, and a wrong one leads to a block that denies it.
    if (fault.code === 'PST_BAD_PTYPE') good = false;
  }
  return good;
}
