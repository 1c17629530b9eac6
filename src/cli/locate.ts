/** Finds the node or subnode a verb was given: `NID`, and `--subnode NID/NID…` from there. @module */
import { hex } from '../errors.js';
import type { Ndb } from '../ndb/ndb.js';
import { nidName } from '../wire/nid.js';
import { parseNid } from './number.js';
import type { Faults } from './store.js';

export interface Located {
  readonly nid: number;
  /** From the node down; one entry for a node. */
  readonly path: readonly number[];
  readonly bidData: number;
  readonly bidSub: number;
  /** nidParent of the NBT; undefined for a subnode. */
  readonly parent: number | undefined;
}

/** `0x200024`, or `0x200024/0x671` for a subnode. */
export const pathText = ({ path }: Pick<Located, 'path'>): string => path.map(hex).join('/');

/** `NORMAL_MESSAGE 0x200024`. */
export const nodeTitle = (located: Located): string => `${nidName(located.nid)} ${pathText(located)}`;

/** Throws UsageError when the store has no such node (PST_MISSING when damage may be why). */
export function locate(ndb: Ndb, faults: Faults, nidText: string, subnodeText: string | undefined): Located {
  const nid = parseNid(nidText);
  const index = ndb.nbt.find(nid);
  if (index < 0) throw faults.absent(`${ndb.source.name} has no node ${hex(nid)}`, { nid });
  let found: Located = {
    nid,
    path: [nid],
    bidData: ndb.nbt.bidData(index),
    bidSub: ndb.nbt.bidSub(index),
    parent: ndb.nbt.parent(index),
  };
  for (const step of (subnodeText ?? '').split('/').filter((part) => part !== '')) {
    const child = parseNid(step);
    const subnodes = ndb.subnodes(found.bidSub, { nid: found.nid });
    const at = subnodes.find(child);
    if (at < 0) throw faults.absent(`${pathText(found)} has no subnode ${hex(child)}`, { nid: found.nid });
    found = {
      nid: child,
      path: [...found.path, child],
      bidData: subnodes.bidData(at),
      bidSub: subnodes.bidSub(at),
      parent: undefined,
    };
  }
  return found;
}
