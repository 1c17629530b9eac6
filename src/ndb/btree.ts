/**
 * Walks a B-tree of pages, level by level, and hands its leaf entries on in the order of their keys. MS-PST 2.2.2.7.7.
 *
 * Breadth first: the number of leaf pages is known before the first is read, so the columns are taken once; and depth
 * costs nothing, so no chain of pages can exhaust a stack.
 * @module
 */
import { hex, PstError, type PstErrorCode } from '../errors.js';
import { BTREE } from '../wire/btree.js';
import { BTPAGE_4K } from '../wire/page.js';
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
  /** No more than `count` entries will come from here on. */
  reserve(count: number): void;
  add(view: DataView, at: number): void;
  /** Called for each page that is used, before its entries. */
  page?(ref: Bref, cLevel: number, cEnt: number): void;
}

interface Level {
  bid: number[];
  ib: number[];
  key: number[];
}

const section = '2.2.2.7.7';

/** What a walk came to. */
export interface Walk {
  /** All keys ascend. */
  readonly ordered: boolean;
  /** No page was passed over. */
  readonly complete: boolean;
}

/** What the counts of a BTPAGE say. 2.2.2.7.7.1. */
export function readCounts(pages: PageReader): { cEnt: number; cbEnt: number; cLevel: number } {
  const { view, geometry } = pages;
  const { at } = geometry.counts;
  const counts = pages.at + geometry.entries;
  const wide = geometry.counts === BTPAGE_4K;
  return {
    cEnt: wide ? view.getUint16(counts + at.cEnt, true) : view.getUint8(counts + at.cEnt),
    cbEnt: view.getUint8(counts + at.cbEnt),
    cLevel: view.getUint8(counts + at.cLevel),
  };
}

/**
 * Walks the tree at `root`. A fault that leaves all entries readable goes to `report`; any other is thrown, or, in
 * `salvage`, reported too, and what cannot be used is passed over.
 */
export function walkBtree(
  pages: PageReader,
  variant: Variant,
  tree: Tree,
  root: Bref,
  report: Report,
  salvage: boolean,
): Walk {
  const { branch, branchMax } = BTREE[variant];
  const id = variant === ANSI ? u32 : u64;
  // Against cycles and shared pages: a tree cannot have more pages than the file has room for.
  let budget = Math.floor(pages.source.size / pages.geometry.size);
  let level: Level = { bid: [root.bid], ib: [root.ib], key: [-1] };
  let cLevel = -1;
  let ordered = true;
  let complete = true;

  const fail = (message: string, bid: number, ib: number, field: string, code: PstErrorCode = 'PST_BAD_TREE'): void => {
    const error = new PstError(code, `${tree.name}: ${message}`, { field, section, bid, ib });
    if (!salvage) throw error;
    report(error);
    complete = false;
  };

  for (;;) {
    const next: Level = { bid: [], ib: [], key: [] };
    let last = -1;
    if (cLevel === 0) tree.reserve(level.ib.length * tree.entryMax);

    for (let p = 0; p < level.ib.length; p++) {
      const bid = level.bid[p]!;
      const ib = level.ib[p]!;
      const ref = level.key[p]!;
      const isRoot = cLevel < 0;
      const state = judge(pages, tree, bid, ib, isRoot, report, salvage);
      if (state === UNUSABLE) {
        complete = false;
        continue;
      }
      const { cEnt, cbEnt, cLevel: found } = readCounts(pages);
      if (isRoot && found > LEVELS_MAX) {
        fail(`a tree of ${found} levels`, bid, ib, 'BTPAGE.cLevel');
        break;
      }
      if (!isRoot && found !== cLevel) {
        fail(`a page of level ${found} where level ${cLevel} belongs`, bid, ib, 'BTPAGE.cLevel');
        continue;
      }
      const isLeaf = found === 0;
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
      const { view, at } = pages;
      const keyOf = (e: number): number => (isLeaf ? tree.key(view, at + e * size) : id.get(view, at + e * size));
      if (state === DOUBTFUL && !plausible(keyOf, cEnt, ref, last)) {
        fail('the keys of a page with bad checksums make no sense', bid, ib, 'rgentries');
        continue;
      }
      if (isRoot) {
        cLevel = found;
        if (isLeaf) tree.reserve(tree.entryMax);
      } else if (cEnt === 0) {
        report(new PstError('PST_BAD_TREE', `${tree.name}: a page without entries`, { field: 'BTPAGE.cEnt', bid, ib }));
      } else if (keyOf(0) !== ref) {
        const message = `${tree.name}: the page begins with key ${hex(keyOf(0))}, its branch entry says ${hex(ref)}`;
        report(new PstError('PST_BAD_TREE', message, { field: 'BTENTRY.btkey', section, bid, ib }));
      }

      tree.page?.({ bid, ib }, found, cEnt);
      for (let e = 0; e < cEnt; e++) {
        const entry = at + e * size;
        const key = keyOf(e);
        if (key > Number.MAX_SAFE_INTEGER) {
          fail(`key ${hex(key)} is beyond any store`, bid, ib, 'rgentries', 'PST_ABSURD');
          continue;
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

    if (cLevel <= 0) return { ordered, complete };
    budget -= level.ib.length;
    if (next.ib.length > budget) {
      fail('more pages than the file has room for: a cycle', root.bid, root.ib, 'rgentries');
      return { ordered, complete };
    }
    level = next;
    cLevel--;
  }
}

/** Whether the keys of a page may be believed although its checksums are wrong. */
function plausible(keyOf: (e: number) => number, cEnt: number, ref: number, last: number): boolean {
  if (cEnt === 0 || (ref >= 0 && keyOf(0) !== ref)) return false;
  for (let e = 0; e < cEnt; e++) {
    const key = keyOf(e);
    if (key <= last || key > Number.MAX_SAFE_INTEGER) return false;
    last = key;
  }
  return true;
}

const SOUND = 0;
const DOUBTFUL = 1;
const UNUSABLE = 2;

/** Loads the page and judges its trailer. What is not thrown is reported. */
function judge(
  pages: PageReader,
  tree: Tree,
  bid: number,
  ib: number,
  isRoot: boolean,
  report: Report,
  salvage: boolean,
): typeof SOUND | typeof DOUBTFUL | typeof UNUSABLE {
  const { size } = pages.geometry;
  try {
    if (ib === 0 || ib > Number.MAX_SAFE_INTEGER) {
      throw new PstError('PST_BAD_TREE', `${tree.name}: a page at ${hex(ib)}`, { field: 'BREF.ib', section, bid, ib });
    }
    pages.load(ib);
  } catch (error) {
    if (!salvage || !(error instanceof PstError)) throw error;
    report(error);
    return UNUSABLE;
  }
  if (ib % size !== 0) {
    report(new PstError('PST_BAD_TREE', `${tree.name}: a page not on a multiple of ${size}`, { section, bid, ib }));
  }
  const faults = pages.faults(tree.ptype, bid, ib);
  for (const fault of faults) {
    // Seen in a third-party store: the header's BREF names a BID the root page does not have. Place and content are right.
    if (!salvage && !(isRoot && fault.code === 'PST_BAD_BID')) throw fault;
    report(fault);
  }
  if (faults.length === 0) return SOUND;
  return faults[0]!.code === 'PST_BAD_PTYPE' ? UNUSABLE : DOUBTFUL;
}
