/**
 * What an internal block refers to. MS-PST 2.2.2.8.3.2 (XBLOCK, XXBLOCK), 2.2.2.8.3.3 (SLBLOCK,
 * SIBLOCK). Internal blocks are never encoded, so a copied one can be read as it lies.
 * @module
 */
import { PstError } from '../../errors.js';
import { BTYPE, SIENTRY, SLBLOCK, SLENTRY, XBLOCK } from '../../wire/block.js';
import { u64 } from '../../wire/struct.js';

/**
 * Calls `onBid` for every BID the Unicode internal block of `cb` bytes at `at` names (0 left out), with its
 * place in `view`, and `onNid` for every subnode. Throws PST_BAD_BLOCK when it is none of the four kinds, or ends early.
 */
export function eachReference(
  view: DataView,
  at: number,
  cb: number,
  bid: number,
  onBid: (bid: number, place: number) => void,
  onNid?: (nid: number) => void,
): void {
  if (cb < XBLOCK.size) throw new PstError('PST_BAD_BLOCK', `an internal block of ${cb} bytes`, { bid });
  // All four begin alike. Field by field: a store has thousands of them, and a struct would be an object each.
  const btype = view.getUint8(at + XBLOCK.at.btype);
  const cLevel = view.getUint8(at + XBLOCK.at.cLevel);
  const cEnt = view.getUint16(at + XBLOCK.at.cEnt, true);
  const isTree = btype === BTYPE.X && (cLevel === 1 || cLevel === 2);
  const isSubnodes = btype === BTYPE.SL && cLevel <= 1;
  if (!isTree && !isSubnodes) {
    const section = '2.2.2.8.3';
    throw new PstError('PST_BAD_BLOCK', `no internal block has btype ${btype}, cLevel ${cLevel}`, { bid, section });
  }
  const size = isTree ? u64.size : cLevel === 0 ? SLENTRY.size : SIENTRY.size;
  const entries = at + SLBLOCK.size;
  if (SLBLOCK.size + cEnt * size > cb) {
    throw new PstError('PST_BAD_BLOCK', `${cEnt} entries of ${size} bytes do not fit ${cb} bytes`, {
      bid,
      field: 'cEnt',
    });
  }
  const tell = (place: number): void => {
    const child = u64.get(view, place);
    if (child !== 0) onBid(child, place);
  };
  for (let i = 0; i < cEnt; i++) {
    const entry = entries + i * size;
    if (isTree) {
      tell(entry);
    } else if (cLevel === 0) {
      onNid?.(view.getUint32(entry + SLENTRY.at.nid, true));
      tell(entry + SLENTRY.at.bidData);
      tell(entry + SLENTRY.at.bidSub);
    } else {
      tell(entry + SIENTRY.at.bid);
    }
  }
}
