/**
 * Subnode trees: an SLBLOCK, or an SIBLOCK over SLBLOCKs. MS-PST 2.2.2.8.3.3. Two levels are all there
 * are, so a node holds at most 340 x 510 subnodes.
 * @module
 */
import { SITE_HOST } from '../../core/site.js';
import { hex, PstError, UsageError } from '../../errors.js';
import { BLOCK, BTYPE, SIENTRY, SLBLOCK, SLENTRY } from '../../wire/block.js';
import { bidKey } from '../../wire/btree.js';
import { UNICODE } from '../../wire/variant.js';
import { shares } from './btpages.js';
import type { BlockTarget } from './tree.js';

export const { slMax: SL_MAX, siMax: SI_MAX } = BLOCK[UNICODE];
export const SUBNODES_MAX = SL_MAX * SI_MAX;

export interface Subnode {
  readonly nid: number;
  readonly bidData: number;
  readonly bidSub: number;
}

/** Writes the tree of `entries`, which ascend by nid. Returns the BID of its root, 0 for none. */
export function writeSubnodes(target: BlockTarget, entries: readonly Subnode[]): number {
  if (entries.length === 0) return 0;
  if (entries.length > SUBNODES_MAX) {
    const limit = `a node holds at most ${SUBNODES_MAX} subnodes, not ${entries.length}`;
    throw new PstError('PST_LIMIT', limit, { section: '2.2.2.8.3.3.2' });
  }
  for (let i = 1; i < entries.length; i++) {
    const [before, { nid }] = [entries[i - 1]!.nid, entries[i]!];
    if (nid <= before) throw new UsageError('USAGE', `subnode ${hex(nid)} after ${hex(before)}: not ascending`);
  }

  const children: { nid: number; bid: number }[] = [];
  for (const { first, cEnt } of shares(entries.length, SL_MAX)) {
    const bid = addEntries(target, 0, cEnt, SLENTRY.size, (view, at, i) => {
      const { nid, bidData, bidSub } = entries[first + i]!;
      SLENTRY.write(view, at, { nid, nidPadding: 0, bidData: bidKey(bidData), bidSub: bidKey(bidSub) });
    });
    children.push({ nid: entries[first]!.nid, bid });
  }
  if (children.length === 1) return children[0]!.bid;
  return addEntries(target, 1, children.length, SIENTRY.size, (view, at, i) => {
    SIENTRY.write(view, at, { ...children[i]!, nidPadding: 0 });
  });
}

function addEntries(
  target: BlockTarget,
  cLevel: 0 | 1,
  cEnt: number,
  entrySize: number,
  write: (view: DataView, at: number, i: number) => void,
): number {
  const { core } = target;
  const cb = SLBLOCK.size + cEnt * entrySize;
  const block = core.x.alloc(cb, SITE_HOST);
  const view = core.view;
  SLBLOCK.write(view, block, { btype: BTYPE.SL, cLevel, cEnt, dwPadding: 0 });
  for (let i = 0; i < cEnt; i++) write(view, block + SLBLOCK.size + i * entrySize, i);
  const bid = target.addBlock(block, 0, cb, { internal: true });
  core.x.free(block);
  return bid;
}
