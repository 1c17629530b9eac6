/**
 * What a node holds: nothing, a property context, a table, or bytes. One place decides, by what the data says of itself and
 * not by the NID: nodes of a table's type without a table were seen in real stores.
 * @module
 */
import { CoreFault } from '../core/fault.js';
import type { PstError, Where } from '../errors.js';
import { CHAIN_BYTES_MAX, type Ndb } from '../ndb/ndb.js';
import { NID_TYPE, nidType } from '../wire/nid.js';

/** bClientSig, MS-PST 2.3.1.2. */
const CLIENT_PC = 0xbc;
const CLIENT_TC = 0x7c;

/** A node's data, opened. `chain` holds its heap for `pc` and `tc`, and is the receiver's to free. */
export type Content =
  | { readonly kind: 'none' }
  | { readonly kind: 'pc' | 'tc'; readonly chain: number }
  | { readonly kind: 'raw'; readonly chain: number };

/** Reports a fault that the walk survives. */
export type Report = (finding: PstError) => void;

/**
 * Opens the data of a node. For `raw` data the chain is 0 when the bytes are to be read leaf by leaf: values in subnodes,
 * which may be of any size.
 */
export function openContent(ndb: Ndb, nid: number, bidData: number, where: Where): Content {
  if (bidData === 0) return { kind: 'none' };
  // A value of a property or the rows of a table: bytes, whatever they look like.
  if (nidType(nid) === NID_TYPE.LTP || ndb.treeSize(bidData, where) > CHAIN_BYTES_MAX) return { kind: 'raw', chain: 0 };
  const chain = ndb.readTree(bidData, where);
  const client = ndb.core.x.hnClient(chain);
  if (client === CLIENT_PC) return { kind: 'pc', chain };
  if (client === CLIENT_TC) return { kind: 'tc', chain };
  return { kind: 'raw', chain };
}

/** Damage of one node's structure is a finding; a stop of the verifier, or anything else, is not. */
export function isDamage(error: unknown): error is PstError {
  return !(error instanceof CoreFault) && (error as Error).name === 'PstError';
}

/** Whether the core that threw can go on: after a trap it is spent, and memory that ran out is a trap as well. */
export const isSurvived = (error: unknown): boolean => isDamage(error) && error.code !== 'PST_LIMIT';
