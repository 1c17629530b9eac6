/**
 * NBT and BBT as trees of pages: place, trailer, level, counts, order, the keys of branches. MS-PST 2.2.2.7.7.
 *
 * Walks by itself, breadth first, and passes over what cannot be used; the columns of `Ndb` come from its own walk.
 * @module
 */

import { PstError } from '../errors.js';
import { readCounts } from '../ndb/btree.js';
import type { Bref } from '../ndb/header.js';
import type { PageReader } from '../ndb/page.js';
import { BTREE, isInternal } from '../wire/btree.js';
import { BTPAGE_4K, PAGE_SIZE, PTYPE } from '../wire/page.js';
import { u32, u64 } from '../wire/struct.js';
import { ANSI } from '../wire/variant.js';
import type { Context } from './context.js';
import { hex, type Place } from './findings.js';
import type { RuleId } from './rules.js';

/** Against a root that claims a depth no file could fill. */
const LEVELS_MAX = 16;

/** Every page of both trees: what the AMaps must hold. */
export interface TreePages {
  readonly ibs: number[];
  readonly bids: number[];
}

const PAGE_RULES: Readonly<Record<string, RuleId>> = {
  PST_BAD_PTYPE: 'page.type',
  PST_BAD_CRC: 'page.crc',
  PST_BAD_SIG: 'page.signature',
  PST_BAD_BID: 'page.bid',
};

/** Loads a page and reports what is wrong with its trailer. `usable`: it is a page of this type. */
export function loadPage(
  context: Context,
  pages: PageReader,
  what: string,
  ptype: number,
  bid: number,
  ib: number,
  foreign?: 'note',
): { usable: boolean; sound: boolean } {
  try {
    pages.load(ib);
  } catch (error) {
    if (!(error instanceof PstError)) throw error;
    context.add('page.truncated', `${what}: ${error.reason}`, { bid, ib });
    return { usable: false, sound: false };
  }
  const faults = pages.faults(ptype, bid, ib);
  for (const fault of faults) {
    const rule = PAGE_RULES[fault.code] ?? 'page.type';
    context.add(rule, `${what}: ${fault.reason}`, { bid, ib }, foreign);
  }
  return { usable: !faults.some(({ code }) => code === 'PST_BAD_PTYPE'), sound: faults.length === 0 };
}

interface Level {
  ibs: number[];
  bids: number[];
  keys: number[];
}

/** Walks both trees. Sets `context.treesComplete`. */
export function checkTrees(context: Context): TreePages {
  const { root } = context.ndb.header;
  const found: TreePages = { ibs: [], bids: [] };
  const pages = context.ndb.pages();
  try {
    const seen = new Set<number>();
    walk(context, pages, 'NBT', PTYPE.NBT, root.nbt, found, seen);
    walk(context, pages, 'BBT', PTYPE.BBT, root.bbt, found, seen);
  } finally {
    pages.close();
  }
  return found;
}

function walk(
  context: Context,
  pages: PageReader,
  name: 'NBT' | 'BBT',
  ptype: number,
  root: Bref,
  found: TreePages,
  seen: Set<number>,
): void {
  const { variant } = context;
  const geometry = BTREE[variant];
  const leaf = name === 'NBT' ? geometry.nbt : geometry.bbt;
  const leafMax = name === 'NBT' ? geometry.nbtMax : geometry.bbtMax;
  const id = variant === ANSI ? u32 : u64;
  const align = pages.geometry.size === PAGE_SIZE ? PAGE_SIZE : pages.geometry.size;
  const isWide = pages.geometry.counts === BTPAGE_4K;

  let level: Level = { ibs: [root.ib], bids: [root.bid], keys: [-1] };
  let expectedLevel = -1;
  while (level.ibs.length > 0) {
    const next: Level = { ibs: [], bids: [], keys: [] };
    let last = -1;
    let foundLevel = expectedLevel;
    for (let p = 0; p < level.ibs.length; p++) {
      const ib = level.ibs[p]!;
      const bid = level.bids[p]!;
      const parentKey = level.keys[p]!;
      const isRoot = expectedLevel < 0;
      const place = { bid, ib };
      const give = (rule: RuleId, message: string, more: Place = {}): void => {
        context.add(rule, `${name}: ${message}`, { ...place, ...more });
        context.treesComplete = false;
      };
      if (!Number.isSafeInteger(ib) || ib === 0) {
        give('tree.place', `a page at ${hex(ib)}`);
        continue;
      }
      if (seen.has(ib)) {
        give('tree.shared-page', 'the page is referenced twice, or is its own ancestor');
        continue;
      }
      seen.add(ib);
      if (ib % align !== 0) {
        context.add('tree.place', `${name}: a page at ${hex(ib)}, not on a multiple of ${align}`, place);
      }
      const state = loadPage(context, pages, `${name} page`, ptype, bid, ib);
      if (!state.usable) {
        context.treesComplete = false;
        continue;
      }
      const { cEnt, cbEnt, cLevel } = readCounts(pages);
      const counts = pages.at + pages.geometry.entries + pages.geometry.counts.at.cEntMax;
      const cEntMax = isWide ? pages.view.getUint16(counts, true) : pages.view.getUint8(counts);
      if (isRoot && cLevel > LEVELS_MAX) {
        give('tree.level', `a tree of ${cLevel} levels`, { found: cLevel, expected: LEVELS_MAX });
        continue;
      }
      if (!isRoot && cLevel !== expectedLevel) {
        give('tree.level', `a page of level ${cLevel} where level ${expectedLevel} belongs`, {
          found: cLevel,
          expected: expectedLevel,
        });
        continue;
      }
      foundLevel = cLevel;
      const isLeaf = cLevel === 0;
      const size = isLeaf ? leaf.size : geometry.branch.size;
      const max = isLeaf ? leafMax : geometry.branchMax;
      if (cbEnt !== size) {
        give('tree.entry-size', `entries of ${cbEnt} bytes, expected ${size}`, { found: cbEnt, expected: size });
        continue;
      }
      if (cEnt > max) {
        give('tree.entry-count', `${cEnt} entries, a page holds ${max}`, { found: cEnt, expected: max });
        continue;
      }
      if (cEntMax !== max) {
        const message = `${name}: cEntMax is ${cEntMax}, a page holds ${max}`;
        context.add('tree.entry-max', message, { ...place, found: cEntMax, expected: max });
      }
      const { view, at } = pages;
      const keyAt = (e: number): number => {
        const key = isLeaf && name === 'NBT' ? u32.get(view, at + e * size) : id.get(view, at + e * size);
        return name === 'BBT' && key % 2 === 1 ? key - 1 : key;
      };
      if (!state.sound && !isPlausible(keyAt, cEnt, parentKey, last)) {
        give('tree.unusable', 'the keys of a page with a bad trailer make no sense; passed over');
        continue;
      }
      found.ibs.push(ib);
      found.bids.push(bid);
      if (cEnt === 0 && !isRoot) context.add('tree.empty-page', `${name}: a page without entries`, place);
      if (cEnt > 0 && !isRoot && keyAt(0) !== parentKey) {
        const message = `${name}: the page begins with key ${hex(keyAt(0))}, its branch entry says ${hex(parentKey)}`;
        context.add('tree.parent-key', message, { ...place, found: parentKey, expected: keyAt(0) });
      }
      for (let e = 0; e < cEnt; e++) {
        const key = keyAt(e);
        if (key <= last) {
          const message = `${name}: key ${hex(key)} follows ${hex(last)}`;
          context.add('tree.key-order', message, { ...place, found: key, expected: `above ${hex(last)}` });
        }
        last = key;
        const entry = at + e * size;
        if (!isLeaf) {
          next.keys.push(key);
          next.bids.push(id.get(view, entry + geometry.branch.at.bid));
          next.ibs.push(id.get(view, entry + geometry.branch.at.ib));
        } else if (name === 'BBT') {
          const stored = id.get(view, entry);
          if (stored % 2 === 1) {
            context.add('bbt.bid-bit', `the BID ${hex(stored)} has bit 0 set`, { ...place, bid: stored });
          }
        } else {
          checkNodeEntry(context, view, entry, place, id);
        }
      }
    }
    if (foundLevel <= 0) return;
    expectedLevel = foundLevel - 1;
    level = next;
  }
}

/** An NBTENTRY's own bits: BIDs without bit 0, a subnode tree that is an internal block. */
function checkNodeEntry(context: Context, view: DataView, at: number, place: Place, id: typeof u32): void {
  const { nbt } = BTREE[context.variant];
  const nid = view.getUint32(at, true);
  const bidData = id.get(view, at + nbt.at.bidData);
  const bidSub = id.get(view, at + nbt.at.bidSub);
  for (const bid of [bidData, bidSub]) {
    if (bid % 2 === 1)
      context.add('bbt.bid-bit', `the BID ${hex(bid)} of the node has bit 0 set`, { ...place, nid, bid });
  }
  if (bidSub !== 0 && !isInternal(bidSub)) {
    context.add('subtree.internal-bit', `the subnode tree ${hex(bidSub)} is a data block by its BID`, {
      nid,
      bid: bidSub,
    });
  }
}

/** Whether the keys of a page may be believed although its trailer is wrong. */
function isPlausible(keyAt: (e: number) => number, cEnt: number, parentKey: number, last: number): boolean {
  if (cEnt === 0 || (parentKey >= 0 && keyAt(0) !== parentKey)) return false;
  for (let e = 0; e < cEnt; e++) {
    const key = keyAt(e);
    if (key <= last || !Number.isSafeInteger(key)) return false;
    last = key;
  }
  return true;
}
