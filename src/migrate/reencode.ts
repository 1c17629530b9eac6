/**
 * Writes nodes anew: every property context and table is decoded into property streams and encoded again. Bytes that are neither
 * keep their blocks. What a node is called never changes: NIDs of nodes and subnodes, row ids, columns with their places and bits.
 * @module
 */
import { SITE_HOST } from '../core/site.js';
import { hex, PstError, type Where } from '../errors.js';
import { decodePc } from '../ltp/pc.js';
import { Table, TableWriter, tcInfo } from '../ltp/table.js';
import type { Ndb } from '../ndb/ndb.js';
import { SUBNODE_DEPTH_MAX, type SubnodeIndex } from '../ndb/subnode.js';
import type { StoreWriter } from '../ndb/write/store-writer.js';
import type { Subnode } from '../ndb/write/subnode.js';
import { makeNid, NID_TYPE, nidType } from '../wire/nid.js';
import { type Amendment, countGone, RowSieve, setNumbers } from './amendment.js';
import { isDamage, openContent, type Report } from './content.js';

/** Where a node's data and subnodes lie. */
export interface Placed {
  readonly bidData: number;
  readonly bidSub: number;
}

/** An object's data, encoded anew: `rows` takes the place of subnode `rowsNid`. */
interface Written {
  readonly bid: number;
  readonly rowsNid: number;
  readonly rows: Subnode[];
  /** Subnodes whose values went with their rows. */
  readonly gone?: ReadonlySet<number>;
}

/** Blocks with more references than a node of its own has are shared, as empty tables are: written once, they stay shared. */
const SHARED_FROM = 3;

export class Reencoder {
  readonly #shared = new Map<string, Placed & { readonly bytes: number }>();
  /** Bytes of the leaves of all data trees placed so far; a tree that objects share counts for each. */
  dataBytes = 0;

  /** Blocks of `source` that are to be kept are copied through `copy`; the other blocks are new. */
  constructor(
    readonly source: Ndb,
    readonly writer: StoreWriter,
    readonly copy: (bbtIndex: number, lo: number, at: number) => void,
    readonly report: Report,
    /** Only what is amended is encoded; all else keeps its blocks. */
    readonly isKeeping = false,
  ) {}

  /**
   * Writes the object whose data and subnodes are `bidData` and `bidSub`, or what `amendment` makes of it. Returns where they are now.
   * Throws PstError when a block cannot be read, and when what is to be amended cannot be decoded.
   */
  object(nid: number, bidData: number, bidSub: number, where: Where, depth = 0, amendment?: Amendment): Placed {
    if (depth > SUBNODE_DEPTH_MAX) {
      throw new PstError('PST_LIMIT', `subnodes nested ${SUBNODE_DEPTH_MAX} deep`, where);
    }
    if (amendment !== undefined) return this.#write(nid, bidData, bidSub, where, depth, amendment);
    if (this.isKeeping) return this.#keepObject(bidData, bidSub, where, depth);
    const key = this.#isShared(bidData) ? `${nidType(nid)} ${bidData} ${bidSub}` : undefined;
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known !== undefined) {
      this.dataBytes += known.bytes;
      return known;
    }
    const before = this.dataBytes;
    const placed = this.#write(nid, bidData, bidSub, where, depth);
    if (key !== undefined) this.#shared.set(key, { ...placed, bytes: this.dataBytes - before });
    return placed;
  }

  #isShared(bid: number): boolean {
    const { bbt } = this.source;
    const index = bid === 0 ? -1 : bbt.find(bid);
    return index >= 0 && bbt.cRef(index) >= SHARED_FROM;
  }

  #write(nid: number, bidData: number, bidSub: number, where: Where, depth: number, amendment?: Amendment): Placed {
    const { source } = this;
    const subnodes = source.subnodes(bidSub, where);
    const content = openContent(source, nid, bidData, where);
    const { x } = source.core;
    const rowsHnid = content.kind === 'tc' ? x.tcRowsHnid(content.chain, source.variant) >>> 0 : 0;
    if (content.kind === 'none') {
      return { bidData: 0, bidSub: this.#subnodes(subnodes, [], 0, where, depth, 0, amendment) };
    }
    let written: Written | undefined;
    try {
      if (content.kind === 'pc') written = { bid: this.#pc(content.chain, where, amendment), rowsNid: 0, rows: [] };
      if (content.kind === 'tc') written = this.#table(content.chain, subnodes, where, amendment);
    } catch (error) {
      if (!isDamage(error) || amendment !== undefined) throw error;
      this.report(error); // what cannot be decoded keeps its blocks
    }
    if (content.kind !== 'tc' && content.chain !== 0) x.chainFree(content.chain);
    if (written !== undefined) {
      const { bid, rowsNid, rows, gone } = written;
      return { bidData: bid, bidSub: this.#subnodes(subnodes, rows, rowsNid, where, depth, 0, amendment, gone) };
    }
    this.#keep(bidData, where);
    return { bidData, bidSub: this.#subnodes(subnodes, [], 0, where, depth, rowsHnid, amendment) };
  }

  #pc(chain: number, where: Where, amendment?: Amendment): number {
    const { core } = this.source;
    const stream = decodePc(this.source, chain, where);
    setNumbers(core.view, stream, amendment?.numbers.get(0));
    const encoded = core.x.pcWrite(stream, 0, core.x.chainTotal(chain));
    core.x.free(stream, SITE_HOST);
    if (encoded === 0) throw core.damage(where);
    const bid = this.#place(encoded);
    return bid;
  }

  #table(chain: number, subnodes: SubnodeIndex, where: Where, amendment?: Amendment): Written {
    const { core } = this.source;
    const heapSize = core.x.chainTotal(chain);
    const table = Table.adopt(this.source, chain, subnodes, where);
    try {
      if (table.badRows > 0) {
        const message = `${table.badRows} entries of the row index lead to no row`;
        throw new PstError('PST_BAD_TC', message, { field: 'TCROWID', section: '2.3.4.3.1', ...where });
      }
      const rowsAt = table.rowsNid === 0 ? -1 : subnodes.find(table.rowsNid);
      if (rowsAt >= 0 && subnodes.bidSub(rowsAt) !== 0) {
        const message = `the row matrix, subnode ${hex(table.rowsNid)}, has subnodes of its own`;
        throw new PstError('PST_BAD_TC', message, { field: 'TCINFO.hnidRows', section: '2.3.4.4', ...where });
      }
      const sieve = amendment === undefined ? undefined : new RowSieve(amendment);
      const goneCount = amendment === undefined ? 0 : countGone(table, amendment);
      const out = new TableWriter(core, tcInfo(table.columns, table.rgib), where, {
        rows: table.rowCount - goneCount,
        isMatrixInHeap: table.rowsNid === 0,
      });
      try {
        table.batches((at, _size, count) => {
          let offset = 0;
          for (let k = 0; k < count; k++) {
            const size = core.view.getUint32(at + offset + 4, true);
            if (sieve === undefined || sieve.take(core.view, at + offset)) out.rowAt(at, offset);
            offset += size;
          }
        });
      } catch (error) {
        if (isDamage(error)) out.abort();
        throw error;
      }
      const rowsNid = table.rowsNid !== 0 ? table.rowsNid : freeNid(subnodes);
      const gone = sieve?.values ?? new Set();
      const rowsSize = rowsAt < 0 ? 0 : this.source.treeSize(subnodes.bidData(rowsAt), where);
      const sizes = goneCount > 0 ? { heap: 0, rows: 0 } : { heap: heapSize, rows: rowsSize };
      const { heap, rows } = out.end(rowsNid, sizes);
      const bid = this.#place(heap);
      if (rows === 0) return { bid, rowsNid: table.rowsNid, rows: [], gone };
      const bidRows = this.#place(rows);
      return { bid, rowsNid, rows: [{ nid: rowsNid, bidData: bidRows, bidSub: 0 }], gone };
    } finally {
      table.close();
    }
  }

  /** Writes the subnodes but `replaced` (0: all), with `added` among them. The data of `kept`, rows of a kept table, stay as they are. */
  #subnodes(
    subnodes: SubnodeIndex,
    added: Subnode[],
    replaced: number,
    where: Where,
    depth: number,
    kept: number = 0,
    amendment?: Amendment,
    gone?: ReadonlySet<number>,
  ): number {
    const entries = [...added];
    for (let k = 0; k < subnodes.count; k++) {
      const nid = subnodes.nid(k);
      if (nid === replaced && replaced !== 0) continue;
      const change = gone?.has(nid) ? 'gone' : amendment?.subnodes.get(nid);
      if (change === 'gone') continue;
      const [bidData, bidSub] = [subnodes.bidData(k), subnodes.bidSub(k)];
      if (nid === kept && kept !== 0) {
        this.#keep(bidData, where);
        const below = this.source.subnodes(bidSub, where);
        entries.push({ nid, bidData, bidSub: this.#subnodes(below, [], 0, where, depth + 1) });
      } else entries.push({ nid, ...this.object(nid, bidData, bidSub, where, depth + 1, change) });
    }
    entries.sort((a, b) => a.nid - b.nid);
    return this.writer.addSubnodes(entries);
  }

  /** Writes a chain as a data tree, and gives it back. */
  #place(chain: number): number {
    const { x } = this.source.core;
    this.dataBytes += x.chainTotal(chain);
    const bid = this.writer.addTree(chain);
    x.chainFree(chain);
    return bid;
  }

  /** Copies an object with all below it, block by block. */
  #keepObject(bidData: number, bidSub: number, where: Where, depth: number): Placed {
    if (depth > SUBNODE_DEPTH_MAX) {
      throw new PstError('PST_LIMIT', `subnodes nested ${SUBNODE_DEPTH_MAX} deep`, where);
    }
    this.#keep(bidData, where);
    const { source } = this;
    const before = source.onBlock;
    let subnodes: SubnodeIndex;
    source.onBlock = this.copy;
    try {
      subnodes = source.subnodes(bidSub, where);
    } finally {
      source.onBlock = before;
    }
    for (let k = 0; k < subnodes.count; k++) {
      this.#keepObject(subnodes.bidData(k), subnodes.bidSub(k), where, depth + 1);
    }
    return { bidData, bidSub };
  }

  /** Copies a data tree block by block. */
  #keep(bid: number, where: Where): void {
    const { source } = this;
    const before = source.onBlock;
    source.onBlock = this.copy;
    try {
      for (const { size } of source.leaves(bid, where)) this.dataBytes += size;
    } finally {
      source.onBlock = before;
    }
  }
}

/** A NID for raw data that no subnode of the node has. */
function freeNid(subnodes: SubnodeIndex): number {
  let index = 1;
  while (subnodes.find(makeNid(NID_TYPE.LTP, index)) >= 0) index++;
  return makeNid(NID_TYPE.LTP, index);
}
