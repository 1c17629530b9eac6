/**
 * The canonical digest of a node: SHA-256 over everything it holds, in a form that does not depend on how the store lays it out.
 * Two stores hold the same node exactly when the digests are equal.
 *
 *     node      nid · parent nid · object
 *     object    kind · body · subnode count · { nid · object } …      ascending by nid
 *     body      none: nothing · raw: length and bytes · pc: property stream · tc: column tags, rows as property streams
 *
 * The row matrix of a table is part of its body: that it lies in a subnode or in the heap is layout. So are the places of columns
 * in a row, BIDs, and the free space of heaps.
 * @module
 */
import type { Core } from '../core/core.js';
import { PstError, type Where } from '../errors.js';
import { type Hasher, sha256 } from '../host/digest.js';
import { decodePc } from '../ltp/pc.js';
import { DAMAGED, RECORD_SIZE, STREAM_HEADER } from '../ltp/stream.js';
import { Table } from '../ltp/table.js';
import type { Ndb } from '../ndb/ndb.js';
import { SUBNODE_DEPTH_MAX, type SubnodeIndex } from '../ndb/subnode.js';
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import { type Amendment, countGone, RowSieve, setNumbers } from './amendment.js';
import { isDamage, openContent, type Report } from './content.js';

/** Kinds of a body, as they enter the digest. */
const KIND = { none: 0, raw: 1, pc: 2, tc: 3 } as const;

/** PidTagMessageClass in either string type, for the counters. */
const MESSAGE_CLASS_ID = 0x001a;
const PTYP_STRING = 0x001f;

/** What a walk has met, by kind. */
export interface Counters {
  nodes: number;
  folders: number;
  messages: number;
  associated: number;
  attachments: number;
  embedded: number;
  recipients: number;
  subnodes: number;
  propertyContexts: number;
  tables: number;
  properties: number;
  rows: number;
  /** Decoded bytes hashed. */
  bytes: number;
}

export const noCounters = (): Counters => ({
  nodes: 0,
  folders: 0,
  messages: 0,
  associated: 0,
  attachments: 0,
  embedded: 0,
  recipients: 0,
  subnodes: 0,
  propertyContexts: 0,
  tables: 0,
  properties: 0,
  rows: 0,
  bytes: 0,
});

/** PidTagLtpRowVer, MS-PST 2.3.4.4.1. */
const ROW_VERSION = 0x67f30003;

/** Gathers small pieces, so that the hash is called once per some 64 KB and not once per field. */
const SCRATCH = 1 << 16;

export class NodeDigester {
  readonly counters = noCounters();
  /** Messages (associated ones too) by class. */
  readonly classes = new Map<string, number>();
  /** Rows of each table that is a node of its own (hierarchy, contents, associated, …), by NID. */
  readonly tableRows = new Map<number, number>();
  /** Highest row version seen: the header's dwUnique must be above it. */
  lastVersion = 0;
  readonly #scratch = new Uint8Array(SCRATCH);
  readonly #view = new DataView(this.#scratch.buffer);
  readonly #core: Core;
  readonly #leaf = (ptr: number, size: number): void => this.#bytes(ptr, size);
  #hash: Hasher = sha256();
  #used = 0;

  /** `report` hears of damage inside nodes; a node that cannot be decoded enters the digest as raw bytes. */
  constructor(
    readonly ndb: Ndb,
    readonly report: Report,
  ) {
    this.#core = ndb.core;
  }

  /**
   * Digest of node `i` of the NBT, or of what `amendment` makes of it: 32 bytes. Throws PstError when a block cannot be read, and when what
   * is to be amended cannot be decoded.
   */
  node(i: number, amendment?: Amendment): Uint8Array {
    const { nbt } = this.ndb;
    const nid = nbt.nid(i);
    this.#hash = sha256();
    this.#used = 0;
    this.#u32(nid);
    this.#u32(nbt.parent(i));
    this.counters.nodes++;
    this.#count(nid, 0);
    this.#object(nid, nbt.bidData(i), nbt.bidSub(i), { nid }, 0, amendment);
    this.#flush();
    return this.#hash.digest();
  }

  /** Reads all of a subnode. Throws PstError when a block cannot be read. */
  part(nid: number, bidData: number, bidSub: number, where: Where): void {
    this.#hash = sha256();
    this.#used = 0;
    this.#object(nid, bidData, bidSub, where, 1);
  }

  #count(nid: number, depth: number): void {
    const { counters } = this;
    switch (nidType(nid)) {
      case NID_TYPE.NORMAL_FOLDER:
      case NID_TYPE.SEARCH_FOLDER:
        if (depth === 0) counters.folders++;
        break;
      case NID_TYPE.NORMAL_MESSAGE:
        if (depth === 0) counters.messages++;
        else counters.embedded++;
        break;
      case NID_TYPE.ASSOC_MESSAGE:
        if (depth === 0) counters.associated++;
        break;
      case NID_TYPE.ATTACHMENT:
        counters.attachments++;
        break;
    }
  }

  #object(nid: number, bidData: number, bidSub: number, where: Where, depth: number, amendment?: Amendment): void {
    if (depth > SUBNODE_DEPTH_MAX) {
      throw new PstError('PST_LIMIT', `subnodes nested ${SUBNODE_DEPTH_MAX} deep`, where);
    }
    const subnodes = this.ndb.subnodes(bidSub, where);
    const sieve = amendment === undefined ? undefined : new RowSieve(amendment);
    this.#subnodes(subnodes, this.#body(nid, bidData, subnodes, where, depth, sieve), where, depth, sieve);
  }

  #subnodes(subnodes: SubnodeIndex, rowsNid: number, where: Where, depth: number, sieve?: RowSieve): void {
    const hidden = rowsNid === 0 ? -1 : subnodes.find(rowsNid);
    const gone = sieve === undefined ? undefined : goneOf(subnodes, rowsNid, sieve);
    this.#u32(subnodes.count - (hidden < 0 ? 0 : 1) - (gone?.size ?? 0));
    for (let k = 0; k < subnodes.count; k++) {
      const sub = subnodes.nid(k);
      if (gone?.has(sub)) continue;
      if (k === hidden) {
        // Nothing lies below rows in an honest store; what does must not be lost for that.
        if (subnodes.bidSub(k) !== 0) this.#below(sub, subnodes.bidSub(k), where, depth + 1);
        continue;
      }
      this.#u32(sub);
      this.counters.subnodes++;
      this.#count(sub, depth + 1);
      const amendment = sieve?.amendment.subnodes.get(sub) as Amendment | undefined;
      this.#object(sub, subnodes.bidData(k), subnodes.bidSub(k), where, depth + 1, amendment);
    }
  }

  #below(nid: number, bidSub: number, where: Where, depth: number): void {
    if (depth > SUBNODE_DEPTH_MAX) {
      throw new PstError('PST_LIMIT', `subnodes nested ${SUBNODE_DEPTH_MAX} deep`, where);
    }
    this.#u32(nid);
    this.#subnodes(this.ndb.subnodes(bidSub, where), 0, where, depth);
  }

  /** Returns the NID of the subnode that holds the rows of a table, else 0. */
  #body(
    nid: number,
    bidData: number,
    subnodes: SubnodeIndex,
    where: Where,
    depth: number,
    sieve: RowSieve | undefined,
  ): number {
    const { ndb } = this;
    const { x } = this.#core;
    const content = openContent(ndb, nid, bidData, where);
    if (content.kind === 'none') {
      this.#u32(KIND.none);
      return 0;
    }
    if (content.kind === 'raw' && content.chain === 0) {
      this.#u32(KIND.raw);
      this.#size(ndb.treeSize(bidData, where));
      ndb.eachLeaf(bidData, where, this.#leaf);
      return 0;
    }
    try {
      if (content.kind === 'pc') {
        this.#pc(content.chain, nid, where, depth, sieve);
        x.chainFree(content.chain);
        return 0;
      }
      if (content.kind === 'tc') return this.#tc(content.chain, nid, subnodes, where, depth, sieve);
    } catch (error) {
      if (!isDamage(error) || sieve !== undefined) throw error;
      this.report(error);
      if (content.kind === 'tc') {
        const chain = ndb.readTree(bidData, where); // the table has freed its own
        this.#raw(chain);
        return 0;
      }
    }
    this.#raw(content.chain);
    return 0;
  }

  #raw(chain: number): void {
    const { x } = this.#core;
    this.#u32(KIND.raw);
    this.#size(x.chainTotal(chain));
    const count = x.chainCount(chain);
    for (let k = 0; k < count; k++) this.#bytes(x.chainPtr(chain, k), x.chainSize(chain, k));
    x.chainFree(chain);
  }

  #pc(chain: number, nid: number, where: Where, depth: number, sieve: RowSieve | undefined): void {
    const stream = decodePc(this.ndb, chain, where);
    const { view } = this.#core;
    if (sieve !== undefined) setNumbers(view, stream, sieve.amendment.numbers.get(0));
    const count = view.getUint32(stream, true);
    const size = view.getUint32(stream + 4, true);
    this.counters.propertyContexts++;
    this.counters.properties += count;
    this.#reportDamaged(view, stream, count, where);
    if (depth === 0 && (nidType(nid) === NID_TYPE.NORMAL_MESSAGE || nidType(nid) === NID_TYPE.ASSOC_MESSAGE)) {
      this.#countClass(view, stream, count);
    }
    this.#u32(KIND.pc);
    this.#bytes(stream, size);
    this.#core.x.free(stream);
  }

  #tc(
    chain: number,
    nid: number,
    subnodes: SubnodeIndex,
    where: Where,
    depth: number,
    sieve: RowSieve | undefined,
  ): number {
    const table = Table.adopt(this.ndb, chain, subnodes, where);
    const rowCount = table.rowCount - (sieve === undefined ? 0 : countGone(table, sieve.amendment));
    this.counters.tables++;
    this.counters.rows += rowCount;
    if (depth === 0) this.tableRows.set(nid, table.rowCount);
    if (nid === NID.RECIPIENT_TABLE && depth > 0) this.counters.recipients += rowCount;
    if (table.badRows > 0) {
      const message = `${table.badRows} entries of the row index lead to no row`;
      this.report(new PstError('PST_BAD_TC', message, { field: 'TCROWID', section: '2.3.4.3.1', ...where }));
    }
    this.#u32(KIND.tc);
    this.#u32(table.columns.length);
    for (const tag of table.columns.map((column) => column.tag).sort((a, b) => a - b)) this.#u32(tag);
    this.#u32(rowCount);
    try {
      table.batches((at, size, count) => {
        const { view } = this.#core;
        for (let k = 0, row = at; k < count; k++) {
          if (sieve !== undefined) {
            const rowSize = view.getUint32(row + 4, true);
            if (!sieve.take(view, row)) {
              row += rowSize;
              continue;
            }
            this.#bytes(row, rowSize);
          }
          this.counters.properties += view.getUint32(row, true);
          this.#reportDamaged(view, row, view.getUint32(row, true), where);
          this.#seeVersion(view, row, view.getUint32(row, true));
          row += view.getUint32(row + 4, true);
        }
        if (sieve === undefined) this.#bytes(at, size);
      });
      return table.rowsNid;
    } finally {
      table.close();
    }
  }

  #reportDamaged(view: DataView, stream: number, count: number, where: Where): void {
    for (let k = 0, at = stream + STREAM_HEADER; k < count; k++, at += RECORD_SIZE) {
      if ((view.getUint32(at + 4, true) & DAMAGED) === 0) continue;
      const tag = view.getUint32(at, true);
      const hnid = view.getUint32(at + 12, true);
      const message = `the value of property 0x${tag.toString(16).padStart(8, '0')} leads nowhere, HNID 0x${hnid.toString(16)}`;
      this.report(new PstError('PST_BAD_VALUE', message, { section: '2.3.3.3', ...where }));
    }
  }

  /** Row versions lie near the end of a row: only named properties come after. */
  #seeVersion(view: DataView, stream: number, count: number): void {
    for (let k = count - 1, at = stream + STREAM_HEADER + k * RECORD_SIZE; k >= 0; k--, at -= RECORD_SIZE) {
      const tag = view.getUint32(at, true);
      if (tag === ROW_VERSION) this.lastVersion = Math.max(this.lastVersion, view.getUint32(at + 12, true));
      if (tag <= ROW_VERSION) return;
    }
  }

  #countClass(view: DataView, stream: number, count: number): void {
    for (let k = 0, at = stream + STREAM_HEADER; k < count; k++, at += RECORD_SIZE) {
      const tag = view.getUint32(at, true);
      if (tag >>> 16 > MESSAGE_CLASS_ID) break;
      if (tag >>> 16 !== MESSAGE_CLASS_ID || view.getUint32(at + 4, true) !== 0) continue;
      const from = stream + view.getUint32(at + 12, true);
      const length = Math.min(view.getUint32(at + 8, true), 512);
      const step = (tag & 0xffff) === PTYP_STRING ? 2 : 1;
      let name = '';
      for (let b = 0; b < length; b += step) {
        const unit = step === 2 ? view.getUint16(from + b, true) : view.getUint8(from + b);
        if (unit !== 0) name += String.fromCharCode(unit);
      }
      this.classes.set(name, (this.classes.get(name) ?? 0) + 1);
      return;
    }
  }

  #u32(value: number): void {
    if (this.#used + 4 > SCRATCH) this.#flush();
    this.#view.setUint32(this.#used, value, true);
    this.#used += 4;
  }

  /** A length that may pass 2^32. */
  #size(value: number): void {
    this.#u32(value >>> 0);
    this.#u32(Math.floor(value / 2 ** 32));
  }

  #bytes(at: number, size: number): void {
    this.counters.bytes += size;
    const bytes = this.#core.u8.subarray(at, at + size);
    const isLong = size > SCRATCH / 2;
    if (isLong || this.#used + size > SCRATCH) this.#flush(); // the bytes are hashed in order, however they come
    if (isLong) {
      this.#hash.update(bytes);
      return;
    }
    this.#scratch.set(bytes, this.#used);
    this.#used += size;
  }

  #flush(): void {
    if (this.#used > 0) this.#hash.update(this.#scratch.subarray(0, this.#used));
    this.#used = 0;
  }
}

/** Subnodes that are there and go. */
function goneOf(subnodes: SubnodeIndex, rowsNid: number, { amendment, values }: RowSieve): Set<number> {
  const gone = new Set<number>();
  for (let k = 0; k < subnodes.count; k++) {
    const nid = subnodes.nid(k);
    if (nid === rowsNid) continue; // the rows themselves
    if (values.has(nid) || amendment.subnodes.get(nid) === 'gone') gone.add(nid);
  }
  return gone;
}
