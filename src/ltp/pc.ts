/** Property contexts, MS-PST 2.3.3: the core reads and writes them, this is how TypeScript asks. @module */

import type { Core } from '../core/core.js';
import { SITE_HOST } from '../core/site.js';
import type { Where } from '../errors.js';
import { PstError } from '../errors.js';
import type { Ndb } from '../ndb/ndb.js';
import { PropertyStream } from './stream.js';

/**
 * The property stream of the PC whose data tree is `bidData`, as a core block the caller frees.
 * Throws PstError when the tree, the heap or the BTH is damaged; a damaged value is a record with DAMAGED.
 */
export function loadPc(ndb: Ndb, bidData: number, where: Where): number {
  const { x } = ndb.core;
  const chain = ndb.readTree(bidData, where);
  if (chain === 0) throw new PstError('PST_MISSING', 'the node has no data, a property context is expected', where);
  try {
    return decodePc(ndb, chain, where);
  } finally {
    x.chainFree(chain);
  }
}

/** The same for a heap that is loaded already; the chain stays the caller's. */
export function decodePc(ndb: Ndb, chain: number, where: Where): number {
  if (where.nid !== undefined) ndb.core.x.context(where.nid);
  const stream = ndb.core.x.pcRead(chain, ndb.variant);
  if (stream === 0) throw ndb.core.damage(where);
  return stream;
}

/** The same as a JavaScript copy. */
export function readPc(ndb: Ndb, bidData: number, where: Where): PropertyStream {
  const stream = loadPc(ndb, bidData, where);
  const { core } = ndb;
  const bytes = core.u8.slice(stream, stream + core.x.sizeOf(stream));
  core.x.free(stream, SITE_HOST);
  return new PropertyStream(bytes);
}

/**
 * Encodes a stream as a PC. Returns the chain of its heap blocks (each but the last 8176 bytes), the caller's to free.
 * Values above 3580 bytes must be external: PST_LIMIT otherwise.
 */
export function encodePc(core: Core, stream: PropertyStream, where: Where): number {
  const ptr = core.put(stream.bytes);
  const chain = core.x.pcWrite(ptr, 0);
  core.x.free(ptr, SITE_HOST);
  if (chain === 0) throw core.damage(where);
  return chain;
}
