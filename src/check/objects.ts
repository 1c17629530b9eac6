/**
 * Objects and their properties as the content rules need them: a property context with the subnodes it may refer to.
 * @module
 */
import { readPc } from '../ltp/pc.js';
import { DAMAGED, EXTERNAL, type PropertyStream } from '../ltp/stream.js';
import { Table } from '../ltp/table.js';
import { decodeUtf16 } from '../mapi/codepage.js';
import type { SubnodeIndex } from '../ndb/subnode.js';
import type { Context } from './context.js';

export interface StoreObject {
  /** The node of the NBT that this is in, or is: where findings point. */
  readonly top: number;
  readonly nid: number;
  readonly bidData: number;
  readonly bidSub: number;
  readonly pc: PropertyStream;
  readonly subnodes: SubnodeIndex;
}

/** Against values of gigabytes in a table's cell: what is longer is compared by its size only. */
export const VALUE_MAX = 1 << 20;

/** Reads a property context; undefined (and one finding for its node) when it cannot be read. */
export function loadObject(
  context: Context,
  top: number,
  nid: number,
  bidData: number,
  bidSub: number,
): StoreObject | undefined {
  if (bidData === 0) return undefined; // said by the heaps part
  return context.attempt(top, () => {
    const where = { nid };
    return {
      top,
      nid,
      bidData,
      bidSub,
      pc: readPc(context.ndb, bidData, where),
      subnodes: context.ndb.subnodes(bidSub, where),
    };
  });
}

/** The object at index `i` of the NBT. */
export function loadNode(context: Context, i: number): StoreObject | undefined {
  const { nbt } = context.ndb;
  return loadObject(context, nbt.nid(i), nbt.nid(i), nbt.bidData(i), nbt.bidSub(i));
}

/** Runs `use` on the open table and closes it; undefined when it cannot be opened. */
export function withTable<T>(
  context: Context,
  top: number,
  nid: number,
  bidData: number,
  bidSub: number,
  use: (table: Table, subnodes: SubnodeIndex) => T,
): T | undefined {
  if (bidData === 0) return undefined;
  return context.attempt(top, () => {
    const subnodes = context.ndb.subnodes(bidSub, { nid });
    const table = Table.open(context.ndb, bidData, subnodes, { nid });
    try {
      return use(table, subnodes);
    } finally {
      table.close();
    }
  });
}

/** bClientSig of the heap in node `nid`; 0 when there is none. */
export function clientOf(context: Context, nid: number): number {
  const { ndb, core } = context;
  const i = ndb.nbt.find(nid);
  if (i < 0 || ndb.nbt.bidData(i) === 0) return 0;
  return (
    context.attempt(nid, () => {
      const chain = ndb.readTree(ndb.nbt.bidData(i), { nid });
      const client = core.x.hnClient(chain);
      core.x.chainFree(chain);
      return client;
    }) ?? 0
  );
}

/** Bytes of the value of property `k`, also when it is a subnode; undefined when it is damaged or longer than `limit`. */
export function propertyBytes(
  context: Context,
  top: number,
  stream: PropertyStream,
  k: number,
  subnodes: SubnodeIndex,
  limit = VALUE_MAX,
): Uint8Array | undefined {
  const flags = stream.flags(k);
  if (flags & DAMAGED) return undefined;
  if ((flags & EXTERNAL) === 0) return stream.value(k);
  const index = subnodes.find(stream.place(k));
  if (index < 0) return undefined;
  return context.attempt(top, () => {
    const bid = subnodes.bidData(index);
    if (context.ndb.treeSize(bid, { nid: top }) > limit) return undefined;
    return context.ndb.readBytes(bid, { nid: top });
  });
}

/** Size of the value of property `k`, wherever it is; -1 when it cannot be told. */
export function sizeOf(
  context: Context,
  top: number,
  stream: PropertyStream,
  k: number,
  subnodes: SubnodeIndex,
): number {
  const flags = stream.flags(k);
  if (flags & DAMAGED) return -1;
  if ((flags & EXTERNAL) === 0) return stream.length(k);
  const index = subnodes.find(stream.place(k));
  if (index < 0) return -1;
  return context.attempt(top, () => context.ndb.treeSize(subnodes.bidData(index), { nid: top })) ?? -1;
}

/** BID of the data tree that holds the value of property `k`, 0 when it is none. */
export function treeOf(stream: PropertyStream, k: number, subnodes: SubnodeIndex): number {
  if ((stream.flags(k) & EXTERNAL) === 0) return 0;
  const index = subnodes.find(stream.place(k));
  return index < 0 ? 0 : subnodes.bidData(index);
}

/** Text of a string property by its id, 8-bit strings as Latin-1: good for comparing within one store. */
export function textOfId(
  context: Context,
  object: { top: number; pc: PropertyStream; subnodes: SubnodeIndex },
  id: number,
): string | undefined {
  const k = object.pc.findId(id);
  if (k < 0) return undefined;
  const bytes = propertyBytes(context, object.top, object.pc, k, object.subnodes);
  if (bytes === undefined) return undefined;
  return decodeString(object.pc.tag(k), bytes);
}

export function decodeString(tag: number, bytes: Uint8Array): string | undefined {
  if ((tag & 0xffff) === 0x001f) return decodeUtf16(bytes);
  if ((tag & 0xffff) === 0x001e) return Buffer.from(bytes).toString('latin1');
  return undefined;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}
