/**
 * Where two nodes differ, property by property and row by row. Only called for nodes whose digests differ, so it may take its time.
 * @module
 */
import type { Where } from '../errors.js';
import { readPc } from '../ltp/pc.js';
import { DAMAGED, EXTERNAL, type PropertyStream } from '../ltp/stream.js';
import { Table } from '../ltp/table.js';
import type { Ndb } from '../ndb/ndb.js';
import { SUBNODE_DEPTH_MAX, type SubnodeIndex } from '../ndb/subnode.js';
import { isDamage, openContent } from './content.js';

export interface Difference {
  readonly nid: number;
  /** Subnodes that lead to the place, from the node down. */
  readonly subnodes: readonly number[];
  /** Row id, for tables. */
  readonly row?: number;
  readonly tag?: number;
  readonly message: string;
}

/** One side: an object of a store. */
interface Side {
  readonly ndb: Ndb;
  readonly bidData: number;
  readonly bidSub: number;
}

/** Differences listed per node; a damaged table could have one per cell. */
const PER_NODE_MAX = 100;

const hex = (n: number, width = 0): string => `0x${n.toString(16).padStart(width, '0')}`;

/** Lists how node `nid` differs. Never empty: digests that differ for a reason we do not see are a difference too. */
export function differences(nid: number, a: Side, b: Side): Difference[] {
  const found: Difference[] = [];
  const add = (subnodes: readonly number[], message: string, place: { row?: number; tag?: number } = {}): void => {
    if (found.length < PER_NODE_MAX) found.push({ nid, subnodes, message, ...place });
  };
  try {
    compareObjects(nid, a, b, [], { nid }, add);
  } catch (error) {
    if (!isDamage(error)) throw error;
    add([], `cannot be read: ${error.message}`);
  }
  if (found.length === 0) add([], 'the digests differ, the parts do not');
  return found;
}

type Add = (subnodes: readonly number[], message: string, place?: { row?: number; tag?: number }) => void;

function compareObjects(nid: number, a: Side, b: Side, path: readonly number[], where: Where, add: Add): void {
  if (path.length > SUBNODE_DEPTH_MAX) return;
  const subA = a.ndb.subnodes(a.bidSub, where);
  const subB = b.ndb.subnodes(b.bidSub, where);
  const hidden = compareBodies(nid, a, b, subA, subB, path, where, add);
  const nids = new Set<number>();
  for (const sub of [subA, subB]) for (let k = 0; k < sub.count; k++) nids.add(sub.nid(k));
  for (const sub of [...nids].sort((x, y) => x - y)) {
    const i = subA.find(sub);
    const j = subB.find(sub);
    if (hidden.has(sub)) continue;
    if (i < 0 || j < 0) {
      add([...path, sub], i < 0 ? 'subnode only in the target' : 'subnode only in the source');
      continue;
    }
    const sideA = { ndb: a.ndb, bidData: subA.bidData(i), bidSub: subA.bidSub(i) };
    const sideB = { ndb: b.ndb, bidData: subB.bidData(j), bidSub: subB.bidSub(j) };
    compareObjects(sub, sideA, sideB, [...path, sub], where, add);
  }
}

/** Returns the subnodes that hold row matrices: part of the bodies. */
function compareBodies(
  nid: number,
  a: Side,
  b: Side,
  subA: SubnodeIndex,
  subB: SubnodeIndex,
  path: readonly number[],
  where: Where,
  add: Add,
): Set<number> {
  const hidden = new Set<number>();
  const kindA = kindOf(nid, a, where);
  const kindB = kindOf(nid, b, where);
  if (kindA !== kindB) {
    add(path, `the source holds ${NAMES[kindA]}, the target ${NAMES[kindB]}`);
    return hidden;
  }
  if (kindA === 'raw') compareBytes(a, b, path, where, add);
  if (kindA === 'pc') compareStreams(readPc(a.ndb, a.bidData, where), readPc(b.ndb, b.bidData, where), path, add, {});
  if (kindA === 'tc') {
    const tableA = Table.open(a.ndb, a.bidData, subA, where);
    try {
      const tableB = Table.open(b.ndb, b.bidData, subB, where);
      try {
        for (const table of [tableA, tableB]) if (table.rowsNid !== 0) hidden.add(table.rowsNid);
        compareTables(tableA, tableB, path, add);
      } finally {
        tableB.close();
      }
    } finally {
      tableA.close();
    }
  }
  return hidden;
}

const NAMES = { none: 'nothing', raw: 'bytes', pc: 'a property context', tc: 'a table' } as const;

function kindOf(nid: number, side: Side, where: Where): keyof typeof NAMES {
  const content = openContent(side.ndb, nid, side.bidData, where);
  if (content.kind !== 'none' && content.chain !== 0) side.ndb.core.x.chainFree(content.chain);
  return content.kind;
}

function compareBytes(a: Side, b: Side, path: readonly number[], where: Where, add: Add): void {
  const sizeA = a.ndb.treeSize(a.bidData, where);
  const sizeB = b.ndb.treeSize(b.bidData, where);
  if (sizeA !== sizeB) {
    add(path, `${sizeA} bytes in the source, ${sizeB} in the target`);
    return;
  }
  const bytesA = a.ndb.readBytes(a.bidData, where);
  const bytesB = b.ndb.readBytes(b.bidData, where);
  const at = bytesA.findIndex((byte, k) => byte !== bytesB[k]);
  if (at >= 0) add(path, `byte ${at} is ${hex(bytesA[at]!, 2)} in the source, ${hex(bytesB[at]!, 2)} in the target`);
}

function compareTables(a: Table, b: Table, path: readonly number[], add: Add): void {
  const tags = (table: Table): string =>
    [...table.columns]
      .map(({ tag }) => hex(tag, 8))
      .sort()
      .join(' ');
  if (tags(a) !== tags(b)) add(path, `columns ${tags(a)} in the source, ${tags(b)} in the target`);
  const rowsB = new Map<number, PropertyStream>();
  for (const row of b.rows()) rowsB.set(row.rowId, row);
  for (const row of a.rows()) {
    const other = rowsB.get(row.rowId);
    rowsB.delete(row.rowId);
    if (other === undefined) add(path, 'row only in the source', { row: row.rowId });
    else compareStreams(row, other, path, add, { row: row.rowId });
  }
  for (const row of rowsB.keys()) add(path, 'row only in the target', { row });
  const [orderA, orderB] = [a.rowIds(), b.rowIds()];
  if (orderA.length === orderB.length && orderA.some((id, k) => id !== orderB[k])) add(path, 'rows in another order');
}

function compareStreams(
  a: PropertyStream,
  b: PropertyStream,
  path: readonly number[],
  add: Add,
  place: { row?: number },
): void {
  let i = 0;
  let j = 0;
  while (i < a.count || j < b.count) {
    const tagA = i < a.count ? a.tag(i) : Number.POSITIVE_INFINITY;
    const tagB = j < b.count ? b.tag(j) : Number.POSITIVE_INFINITY;
    const tag = Math.min(tagA, tagB);
    if (tagA < tagB) add(path, 'property only in the source', { ...place, tag });
    else if (tagB < tagA) add(path, 'property only in the target', { ...place, tag });
    else {
      const message = compareValues(a, i, b, j);
      if (message !== undefined) add(path, message, { ...place, tag });
    }
    if (tagA === tag) i++;
    if (tagB === tag) j++;
  }
}

function compareValues(a: PropertyStream, i: number, b: PropertyStream, j: number): string | undefined {
  if (a.flags(i) !== b.flags(j)) return 'held in another way';
  if (a.flags(i) & (EXTERNAL | DAMAGED)) {
    return a.place(i) === b.place(j)
      ? undefined
      : `HNID ${hex(a.place(i))} in the source, ${hex(b.place(j))} in the target`;
  }
  const valueA = a.value(i);
  const valueB = b.value(j);
  if (valueA.length !== valueB.length) return `${valueA.length} bytes in the source, ${valueB.length} in the target`;
  const at = valueA.findIndex((byte, k) => byte !== valueB[k]);
  if (at < 0) return undefined;
  return `byte ${at} of ${valueA.length} is ${hex(valueA[at]!, 2)} in the source, ${hex(valueB[at]!, 2)} in the target`;
}
