/**
 * Heaps, property contexts and tables of every node and subnode: well-formed, and everything they name is there.
 * MS-PST 2.3. The heap itself is inspected by the core; here is which node must be what.
 * @module
 */
import { PstError, type Where } from '../errors.js';
import { EXTERNAL, PropertyStream } from '../ltp/stream.js';
import { Table } from '../ltp/table.js';
import type { SubnodeIndex } from '../ndb/subnode.js';
import { CLIENT_SIGNATURE } from '../wire/heap.js';
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import type { Context } from './context.js';
import { hex, tagText } from './findings.js';
import { Notes } from './notes.js';
import type { References } from './references.js';
import { checkValues } from './values.js';

/** What a node's data is: a PC, a TC, either or another heap if it is one, or bytes of its own. */
type Role = 'pc' | 'tc' | 'heap' | 'raw';

const PC_TYPES: ReadonlySet<number> = new Set([
  NID_TYPE.NORMAL_FOLDER,
  NID_TYPE.SEARCH_FOLDER,
  NID_TYPE.NORMAL_MESSAGE,
  NID_TYPE.ATTACHMENT,
  NID_TYPE.SEARCH_CRITERIA_OBJECT,
  NID_TYPE.ASSOC_MESSAGE,
]);
const TC_TYPES: ReadonlySet<number> = new Set([
  NID_TYPE.RECEIVE_FOLDER_TABLE,
  NID_TYPE.OUTGOING_QUEUE_TABLE,
  NID_TYPE.HIERARCHY_TABLE,
  NID_TYPE.CONTENTS_TABLE,
  NID_TYPE.ASSOC_CONTENTS_TABLE,
  NID_TYPE.ATTACHMENT_TABLE,
  NID_TYPE.RECIPIENT_TABLE,
]);
/** Queues and lists: no heaps. 2.4.8.4; 0x281 to 0x321 seen in real stores. */
const RAW_NIDS: ReadonlySet<number> = new Set([
  NID.SEARCH_MANAGEMENT_QUEUE,
  NID.SEARCH_ACTIVITY_LIST,
  NID.RESERVED1,
  NID.SEARCH_DOMAIN_OBJECT,
  NID.SEARCH_GATHERER_QUEUE,
  NID.SEARCH_GATHERER_DESCRIPTOR,
  NID.RESERVED2,
  NID.RESERVED3,
  NID.SEARCH_GATHERER_FOLDER_QUEUE,
]);

/** Subnodes have these roles; objects of other applications are found under any other type. Seen in real stores. */
const SUBNODE_ROLES: Readonly<Record<number, Role>> = {
  [NID_TYPE.NORMAL_MESSAGE]: 'pc',
  [NID_TYPE.ATTACHMENT]: 'pc',
  [NID_TYPE.ATTACHMENT_TABLE]: 'tc',
  [NID_TYPE.RECIPIENT_TABLE]: 'tc',
  [NID_TYPE.LTP]: 'raw',
};

function roleOf(nid: number, depth: number): Role {
  const type = nidType(nid);
  if (depth > 0) return SUBNODE_ROLES[type] ?? 'heap';
  if (PC_TYPES.has(type) || nid === NID.MESSAGE_STORE || nid === NID.NAME_TO_ID_MAP) return 'pc';
  if (TC_TYPES.has(type)) return 'tc';
  if (type === NID_TYPE.SEARCH_UPDATE_QUEUE || RAW_NIDS.has(nid)) return 'raw';
  return 'heap'; // SEARCH_CONTENTS_TABLE too: one of type 0x10 with signature 0xAC was seen
}

/** bClientSig values of 2.3.1.2, and 0xCC, seen in node 0xE01: what may be believed to be a heap without being told so. */
const CLIENTS: ReadonlySet<number> = new Set([0x6c, 0x7c, 0x8c, 0x9c, 0xa5, 0xac, 0xb5, 0xbc, 0xcc]);

/** Columns that 4K stores keep in a heap of their own, and the subnode: src/ltp/table.ts. */
const OTHER_HEAPS = [
  { nid: 0x521, id: 0x3013 },
  { nid: 0x541, id: 0x0042 },
] as const;
const OTHER_HEAP_CLIENT = 0xa5;

/** Against embedded messages nested without end. As in src/ndb/subnode.ts. */
const DEPTH_MAX = 128;

export function checkHeaps(context: Context, references: References): void {
  const inspector = new Inspector(context, references);
  const { nbt } = context.ndb;
  try {
    for (let i = 0; i < nbt.count; i++) {
      inspector.node(nbt.nid(i), nbt.nid(i), nbt.bidData(i), nbt.bidSub(i), 0);
      context.advance();
    }
  } finally {
    inspector.close();
  }
}

const NO_WHERE: Where = {};

class Inspector {
  readonly #notes: Notes;
  /**
   * What is shared and has been looked at, `bidData:bidSub` and subnode trees: templates are shared by ninety folders,
   * hostile trees by anything. What only one node has is not listed here, that would be most of a store.
   */
  readonly #data = new Set<string>();
  readonly #trees = new Set<number>();
  /** Subnode trees from the node down to where the walk is. */
  readonly #path = new Set<number>();

  constructor(
    readonly context: Context,
    readonly references: References,
  ) {
    this.#notes = new Notes(context.core);
  }

  close(): void {
    this.#notes.close();
  }

  /** `top`: the node of the NBT that this is in, or is. */
  node(top: number, nid: number, bidData: number, bidSub: number, depth: number): void {
    const role = roleOf(nid, depth);
    if (role === 'raw' && bidSub === 0) return;
    const { context } = this;
    const isSharedTree = this.#isShared(bidSub);
    const key = `${bidData}:${bidSub}`;
    const isKnown = this.#data.has(key);
    if (isKnown && (bidSub === 0 || (this.#trees.has(bidSub) && !this.#path.has(bidSub)))) return;
    if (isSharedTree || this.#isShared(bidData)) this.#data.add(key);
    const where: Where = { nid };
    const subnodes = context.attempt(top, () => context.ndb.subnodes(bidSub, where));
    if (subnodes === undefined) return;
    if (bidData !== 0 && role !== 'raw' && !isKnown) {
      context.attempt(top, () => this.#inspect(top, nid, role, bidData, subnodes));
    }
    if (bidData === 0 && (role === 'pc' || role === 'tc')) {
      context.add('node.empty', `${say(top, nid)} has no data`, { nid: top });
    }
    if (depth >= DEPTH_MAX) {
      context.add('check.limit', `subnodes nested ${DEPTH_MAX} deep`, { nid: top });
      return;
    }
    if (bidSub !== 0 && this.#path.has(bidSub)) {
      context.add('subtree.cycle', `${say(top, nid)} contains itself`, { nid: top, bid: bidSub });
      return;
    }
    if (this.#trees.has(bidSub)) return;
    if (isSharedTree) this.#trees.add(bidSub);
    this.#path.add(bidSub);
    for (let k = 0; k < subnodes.count; k++) {
      this.node(top, subnodes.nid(k), subnodes.bidData(k), subnodes.bidSub(k), depth + 1);
    }
    this.#path.delete(bidSub);
  }

  #isShared(bid: number): boolean {
    const index = bid === 0 ? -1 : this.context.ndb.bbt.find(bid);
    return index >= 0 && this.references.counts[index]! > 1;
  }

  #inspect(top: number, nid: number, role: Role, bidData: number, subnodes: SubnodeIndex): void {
    const { context } = this;
    const { ndb, core } = context;
    const { x } = core;
    const where: Where = { nid };
    const chain = ndb.readTree(bidData, where);
    if (chain === 0) return;
    try {
      const client = x.hnClient(chain);
      if (role === 'heap' && !CLIENTS.has(client)) return;
      if (x.inspectHeap(chain, ndb.variant, this.#notes.ptr) !== 0) {
        const isPc = role === 'pc' || client === CLIENT_SIGNATURE.PC;
        const isTc = role === 'tc' || client === CLIENT_SIGNATURE.TC;
        if (isPc) this.#pc(top, nid, chain, subnodes);
        else if (isTc) this.#tc(top, nid, chain, bidData, subnodes);
        else if (client === CLIENT_SIGNATURE.BTH) x.inspectBth(chain, x.hnRoot(chain), ndb.variant, this.#notes.ptr);
      }
      this.#report(top, nid, bidData);
    } finally {
      x.chainFree(chain);
    }
  }

  #report(top: number, nid: number, bid: number): void {
    const { notes, omitted } = this.#notes.take();
    const inside = top === nid ? '' : `subnode ${hex(nid)}: `;
    for (const { rule, message, found, expected } of notes) {
      this.context.add(rule, `${inside}${message}`, { nid: top, bid, found, expected });
    }
    if (omitted > 0) this.context.add('check.limit', `${inside}${omitted} more faults in this heap`, { nid: top, bid });
  }

  #pc(top: number, nid: number, chain: number, subnodes: SubnodeIndex): void {
    const { context } = this;
    const { core, variant } = context;
    const { x } = core;
    if (x.inspectPc(chain, variant, this.#notes.ptr) === 0) return;
    const ptr = x.pcRead(chain, variant);
    if (ptr === 0) throw core.damage(NO_WHERE);
    const stream = new PropertyStream(core.u8.slice(ptr, ptr + x.sizeOf(ptr)));
    x.free(ptr);
    checkValues(context, top, nid, stream, subnodes);
  }

  #tc(top: number, nid: number, chain: number, bidData: number, subnodes: SubnodeIndex): void {
    const { context } = this;
    const { ndb, core, variant } = context;
    const { x } = core;
    const hnidRows = x.tcRowsHnid(chain, variant) >>> 0;
    const chains: number[] = [];
    try {
      let rows = 0;
      if ((hnidRows & 0x1f) !== 0 && hnidRows !== 0xffff_ffff) {
        const index = subnodes.find(hnidRows);
        if (index < 0) {
          const message = `${say(top, nid)}: the row matrix, subnode ${hex(hnidRows)}, is not there`;
          context.add('tc.subnode', message, { nid: top, found: hnidRows });
          return;
        }
        rows = ndb.readTree(subnodes.bidData(index), { nid });
        if (rows === 0) rows = x.chainNew(1);
        chains.push(rows);
      }
      const heaps = OTHER_HEAPS.map((other) => {
        const index = context.is4K ? subnodes.find(other.nid) : -1;
        const heap = index < 0 ? 0 : ndb.readTree(subnodes.bidData(index), { nid });
        if (heap !== 0) chains.push(heap);
        return heap !== 0 && x.hnClient(heap) === OTHER_HEAP_CLIENT ? heap : 0;
      });
      const ok = x.inspectTable(
        chain,
        rows,
        variant,
        this.#notes.ptr,
        OTHER_HEAPS[0].id,
        heaps[0]!,
        OTHER_HEAPS[1].id,
        heaps[1]!,
      );
      if (ok === 0) return;
    } finally {
      for (const other of chains) x.chainFree(other);
    }
    this.#cells(top, nid, bidData, subnodes);
  }

  /** Cells whose value is a subnode. */
  #cells(top: number, nid: number, bidData: number, subnodes: SubnodeIndex): void {
    const { context } = this;
    let table: Table;
    try {
      table = Table.open(context.ndb, bidData, subnodes, { nid });
    } catch (error) {
      if (!(error instanceof PstError)) throw error;
      return; // the inspection has said it in its own words
    }
    try {
      for (const row of table.rows()) {
        for (let k = 0; k < row.count; k++) {
          if ((row.flags(k) & EXTERNAL) === 0 || subnodes.find(row.place(k)) >= 0) continue;
          const message = `${say(top, nid)}, row ${hex(row.rowId)}: ${tagText(row.tag(k))} is in subnode ${hex(row.place(k))}, which is not there`;
          context.add('tc.subnode', message, { nid: top, found: row.place(k) });
        }
      }
    } finally {
      table.close();
    }
  }
}

const say = (top: number, nid: number): string => (top === nid ? `the node ${hex(nid)}` : `subnode ${hex(nid)}`);
