/** Table contexts, MS-PST 2.3.4: the core reads and writes them, this is how TypeScript asks. @module */

import type { Core } from '../core/core.js';
import { CoreFault } from '../core/fault.js';
import { SITE_HOST } from '../core/site.js';
import { PstError, type Where } from '../errors.js';
import type { Ndb } from '../ndb/ndb.js';
import type { SubnodeIndex } from '../ndb/subnode.js';
import { UNICODE_4K } from '../wire/variant.js';
import { type PropertyStream, splitStreams } from './stream.js';

/** One TCOLDESC, MS-PST 2.3.4.2. */
export interface Column {
  readonly tag: number;
  /** Offset in the row. */
  readonly ibData: number;
  readonly cbData: number;
  /** Bit in the cell existence bitmap. */
  readonly iBit: number;
}

/** hnidRows when the TCINFO could not be read: assembly/ltp/tc.ts. */
const NO_ROWS = 0xffffffff;

/** Rows asked of the core at a time; it stops earlier when its buffer is full. */
const BATCH = 1024;

/**
 * Columns that 4K stores keep in a heap of their own, a subnode with client signature A5; the cell's HID counts in that
 * heap. In no specification; seen in real stores (2 of 2 columns, all contents tables).
 */
const OTHER_HEAPS: readonly { nid: number; id: number }[] = [
  { nid: 0x521, id: 0x3013 },
  { nid: 0x541, id: 0x0042 },
];
const OTHER_HEAP_CLIENT = 0xa5;

/** An open table. Holds core memory: close it. */
export class Table {
  readonly rowCount: number;
  /** Rows whose index entry leads nowhere; a finding for whoever walks. */
  readonly badRows: number;
  readonly rowSize: number;
  readonly #chains: number[];
  #columns: readonly Column[] | undefined;

  private constructor(
    readonly core: Core,
    readonly handle: number,
    chains: number[],
    /** NID of the subnode with the row matrix, 0 when the rows are in the heap or there are none. */
    readonly rowsNid: number,
    readonly where: Where,
  ) {
    const { x } = core;
    this.#chains = chains;
    this.rowCount = x.tcRowCount(handle);
    this.badRows = x.tcBadRows(handle);
    this.rowSize = x.tcRowSize(handle);
  }

  /** Read when first asked for, while the table is open: who reads a million small tables wants their rows. */
  get columns(): readonly Column[] {
    return (this.#columns ??= this.#readColumns());
  }

  #readColumns(): Column[] {
    const { x } = this.core;
    const at = x.tcColumns(this.handle);
    const { view } = this.core;
    return Array.from({ length: x.tcColumnCount(this.handle) }, (_, k) => ({
      tag: view.getUint32(at + 8 * k, true),
      ibData: view.getUint16(at + 8 * k + 4, true),
      cbData: view.getUint8(at + 8 * k + 6),
      iBit: view.getUint8(at + 8 * k + 7),
    }));
  }

  /** Where the groups of 4- and 8-byte, 2-byte and 1-byte columns and the row end. */
  get rgib(): readonly [number, number, number, number] {
    const { x } = this.core;
    return [x.tcGroup(this.handle, 0), x.tcGroup(this.handle, 1), x.tcGroup(this.handle, 2), this.rowSize];
  }

  /** Opens the table whose data tree is `bidData`; `subnodes` are those of its node. Throws PstError. */
  static open(ndb: Ndb, bidData: number, subnodes: SubnodeIndex, where: Where): Table {
    const chain = ndb.readTree(bidData, where);
    if (chain === 0) throw new PstError('PST_MISSING', 'the node has no data, a table is expected', where);
    return Table.adopt(ndb, chain, subnodes, where);
  }

  /** The same for a heap that is loaded already; the table owns `chain` from now on, also when this throws. */
  static adopt(ndb: Ndb, chain: number, subnodes: SubnodeIndex, where: Where): Table {
    const { core } = ndb;
    const { x } = core;
    const chains = [chain];
    let handle = 0;
    const load = (bid: number): number => {
      const chain = ndb.readTree(bid, where);
      if (chain !== 0) chains.push(chain);
      return chain;
    };
    try {
      const hnid = x.tcRowsHnid(chain, ndb.variant) >>> 0;
      if (hnid === NO_ROWS) throw core.damage(where);
      let rows = 0;
      let rowsNid = 0;
      if ((hnid & 0x1f) !== 0) {
        const index = subnodes.find(hnid);
        if (index < 0) {
          throw new PstError('PST_MISSING', `the row matrix, subnode 0x${hnid.toString(16)}, is not there`, {
            field: 'TCINFO.hnidRows',
            section: '2.3.4.1',
            ...where,
          });
        }
        rows = load(subnodes.bidData(index));
        rowsNid = hnid;
        if (rows === 0) chains.push((rows = x.chainNew(1)));
      }
      handle = x.tcOpen(chain, rows, ndb.variant);
      if (handle === 0) throw core.damage(where);
      const table = new Table(core, handle, chains, rowsNid, where);
      if (ndb.variant === UNICODE_4K) table.#findOtherHeaps(subnodes, load);
      return table;
    } catch (error) {
      if (error instanceof CoreFault) throw error;
      if (handle !== 0) x.tcClose(handle);
      for (const each of chains) x.chainFree(each);
      throw error;
    }
  }

  #findOtherHeaps(subnodes: SubnodeIndex, load: (bid: number) => number): void {
    for (const { nid, id } of OTHER_HEAPS) {
      const index = subnodes.find(nid);
      const column = this.columns.findIndex(({ tag }) => tag >>> 16 === id);
      if (index < 0 || column < 0) continue;
      const chain = load(subnodes.bidData(index));
      if (chain !== 0 && this.core.x.hnClient(chain) === OTHER_HEAP_CLIENT) {
        this.core.x.tcOtherHeap(this.handle, column, chain);
      }
    }
  }

  /**
   * Calls `take` with runs of rows: `count` streams one after the other in the core's memory at `at`, `size` bytes. The
   * bytes are gone after the call.
   */
  batches(take: (at: number, size: number, count: number, from: number) => void): void {
    const { x } = this.core;
    for (let from = 0; from < this.rowCount; ) {
      const count = x.tcRead(this.handle, from, BATCH);
      if (count === 0) throw this.core.damage(this.where);
      take(x.tcOut(this.handle), x.tcOutSize(this.handle), count, from);
      from += count;
    }
  }

  /** Rows in the order of the matrix, as JavaScript copies. */
  *rows(): IterableIterator<PropertyStream> {
    const { x } = this.core;
    for (let from = 0; from < this.rowCount; ) {
      const count = x.tcRead(this.handle, from, BATCH);
      if (count === 0) throw this.core.damage(this.where);
      const at = x.tcOut(this.handle);
      const bytes = this.core.u8.slice(at, at + x.tcOutSize(this.handle));
      yield* splitStreams(bytes, count);
      from += count;
    }
  }

  /** Row ids in the order of the matrix: NIDs in every table that lists objects. */
  rowIds(): Uint32Array {
    const at = this.core.x.tcOrder(this.handle);
    const { view } = this.core;
    return Uint32Array.from({ length: this.rowCount }, (_, k) => view.getUint32(at + 8 * k + 4, true));
  }

  close(): void {
    const { x } = this.core;
    x.tcClose(this.handle);
    for (const chain of this.#chains) x.chainFree(chain);
    this.#chains.length = 0;
  }
}

/** TCINFO with TCOLDESCs for a new table: sorted by tag, groups by width. MS-PST 2.3.4.1. */
export function tcInfo(columns: readonly Column[], rgib: readonly [number, number, number, number]): Uint8Array {
  const sorted = [...columns].sort((a, b) => a.tag - b.tag);
  const bytes = new Uint8Array(22 + 8 * sorted.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x7c;
  bytes[1] = sorted.length;
  rgib.forEach((end, k) => {
    view.setUint16(2 + 2 * k, end, true);
  });
  sorted.forEach(({ tag, ibData, cbData, iBit }, k) => {
    view.setUint32(22 + 8 * k, tag, true);
    view.setUint16(26 + 8 * k, ibData, true);
    bytes[28 + 8 * k] = cbData;
    bytes[29 + 8 * k] = iBit;
  });
  return bytes;
}

/** Writes one table through the core. Holds core memory until `end` or `abort`. */
export class TableWriter {
  readonly #writer: number;
  rowCount = 0;

  /**
   * `info` as tcInfo() or an existing table gives it. `rows`, when it is known how many there will be, lets the heap be packed more tightly;
   * `isMatrixInHeap` says that they will lie in it.
   */
  constructor(
    readonly core: Core,
    info: Uint8Array,
    readonly where: Where,
    { rows, isMatrixInHeap }: { rows: number; isMatrixInHeap: boolean } = { rows: 0, isMatrixInHeap: false },
  ) {
    const ptr = core.put(info);
    this.#writer = core.x.twNew(ptr, rows, isMatrixInHeap ? 1 : 0);
    core.x.free(ptr, SITE_HOST);
    if (this.#writer === 0) throw core.damage(where);
  }

  /** Appends a row; its id is the stream's. Properties without a column are left out. */
  row(stream: PropertyStream): void {
    const { core } = this;
    const ptr = core.put(stream.bytes);
    const done = core.x.twRow(this.#writer, ptr, 0);
    core.x.free(ptr, SITE_HOST);
    if (done === 0) throw core.damage(this.where);
    this.rowCount++;
  }

  /** The same for a stream that lies in the core's memory, at `at` of block `lo`. */
  rowAt(lo: number, at: number): void {
    if (this.core.x.twRow(this.#writer, lo, at) === 0) throw this.core.damage(this.where);
    this.rowCount++;
  }

  /**
   * Completes the table. Returns the chain of its heap and, when the matrix is too long for the heap, that of its rows,
   * which must become subnode `rowsNid`. Both are the caller's to free. `sizes`: what heap and row subnode of the table took before it was
   * written anew; it keeps them where it can.
   */
  end(rowsNid: number, sizes: { heap: number; rows: number } = { heap: 0, rows: 0 }): { heap: number; rows: number } {
    const { x } = this.core;
    if (x.twEnd(this.#writer, rowsNid, sizes.heap, sizes.rows) === 0) {
      const damage = this.core.damage(this.where);
      this.abort();
      throw damage;
    }
    const heap = x.twHeap(this.#writer);
    const rows = x.twRows(this.#writer);
    x.twClose(this.#writer);
    return { heap, rows };
  }

  /** Gives everything back instead; also after a row that could not be written. */
  abort(): void {
    const { x } = this.core;
    x.chainFree(x.twHeap(this.#writer));
    const rows = x.twRows(this.#writer);
    if (rows !== 0) x.chainFree(rows);
    x.twClose(this.#writer);
  }
}
