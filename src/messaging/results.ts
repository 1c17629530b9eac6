/**
 * Results of search folders that are no table context but its wider kin, client signature AC: columns in a subnode, each with
 * a heap of its own. Not in MS-PST; the shape is libpff's, and seen in real stores (5 of 5).
 *
 *     header 40: type 0xAC u8 · 0 u8 · rgib u16 × 4 · hidRowIndex u32 · hnidRows u32 · 0 u32 · cCols u16 · nidColumns u32 · unknown: 12
 *     row index: BTH as in a table context, key the row id, value the row
 *
 * The rows copy what the messages say; which messages there are is all that is read.
 * @module
 */
import { SITE_HOST } from '../core/site.js';
import { PstError, type Where } from '../errors.js';
import type { Ndb } from '../ndb/ndb.js';

const CLIENT = 0xac;
const HEADER_SIZE = 40;
const ROW_INDEX_AT = 10;
const RECORD_SIZE = 8;

/** Whether the heap at `bidData` is of that kind. Throws PstError when its blocks cannot be read. */
export function isWideTable(ndb: Ndb, bidData: number, where: Where): boolean {
  const chain = ndb.readTree(bidData, where);
  if (chain === 0) return false;
  const client = ndb.core.x.hnClient(chain);
  ndb.core.x.chainFree(chain);
  return client === CLIENT;
}

/** Row ids in the order of the rows. Throws PstError. */
export function wideTableIds(ndb: Ndb, bidData: number, where: Where): Uint32Array {
  const { core, variant } = ndb;
  const { x } = core;
  const chain = ndb.readTree(bidData, where);
  if (chain === 0) return new Uint32Array(0);
  const held: number[] = [];
  try {
    const header = x.hnCopy(chain, x.hnRoot(chain), variant);
    if (header === 0) throw core.damage(where);
    held.push(header);
    const size = core.view.getUint32(header, true);
    if (size < HEADER_SIZE) throw new PstError('PST_BAD_TC', `a table header of ${size} bytes`, where);
    const hid = core.view.getUint32(header + 4 + ROW_INDEX_AT, true);
    const records = x.bthCopy(chain, hid, variant);
    if (records === 0) throw core.damage(where);
    held.push(records);
    const { view } = core;
    const width = view.getUint32(records, true) + view.getUint32(records + 4, true);
    if (width !== RECORD_SIZE) throw new PstError('PST_BAD_TC', `row index records of ${width} bytes`, where);
    const rows = Array.from({ length: view.getUint32(records + 8, true) }, (_, k) => ({
      id: view.getUint32(records + 12 + k * RECORD_SIZE, true),
      row: view.getUint32(records + 16 + k * RECORD_SIZE, true),
    }));
    return Uint32Array.from(rows.sort((a, b) => a.row - b.row).map(({ id }) => id));
  } finally {
    for (const block of held) x.free(block, SITE_HOST);
    x.chainFree(chain);
  }
}
