/**
 * Masks a heap where it lies: what holds it together stays to the byte, values become unreadable, and so does everything that nothing leads
 * to. MS-PST 2.3.
 *
 *     stays     HNHDR, page maps, BTHs of a property context or of a row index, TCINFO, the rows themselves (numbers and HNIDs)
 *     masked    items that are values, by their type; items that are nothing's
 *     zero      what lies between and behind the items
 * @module
 */
import * as ptyp from '../mapi/type.js';
import {
  BTHHEADER,
  CLIENT_SIGNATURE,
  HID_BLOCK_SHIFT,
  HID_INDEX_SHIFT,
  HN_SIGNATURE,
  HNBITMAP_EVERY,
  HNBITMAP_FIRST,
  HNBITMAPHDR,
  HNHDR,
  HNPAGEHDR,
  HNPAGEMAP,
  PCENTRY,
  TCINFO,
  TCOLDESC,
} from '../wire/heap.js';
import { NID_TYPE, nidType } from '../wire/nid.js';
import { UNICODE } from '../wire/variant.js';
import { maskBytes, maskValue } from './mask.js';

/** Levels of a BTH; a cycle ends here. */
const LEVELS_MAX = 8;

export interface MaskedHeap {
  /** Values that lie in subnodes: their NIDs, and types. */
  readonly external: ReadonlyMap<number, number>;
  /** The subnode with the rows of a table; 0 when there is none. */
  readonly rowsNid: number;
  /** A leaf of that subnode, masked. */
  rows(leaf: Uint8Array): Uint8Array;
  /** The leaves of the heap, masked; called when all rows were shown. */
  finish(): Uint8Array[];
}

interface Item {
  readonly block: number;
  readonly from: number;
  readonly to: number;
}

interface Columns {
  readonly rowSize: number;
  readonly variable: readonly { readonly type: number; readonly ibData: number }[];
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** The heap in `leaves`, decoded, masked. undefined when it is no property context and no table, or is damaged. */
export function maskHeap(leaves: readonly Uint8Array[]): MaskedHeap | undefined {
  try {
    return new HeapMask(leaves).mask();
  } catch (error) {
    if (error instanceof NoHeap || error instanceof RangeError) return undefined; // RangeError: a DataView read past its end
    throw error;
  }
}

class NoHeap extends Error {}

class HeapMask {
  readonly out: Uint8Array[];
  readonly external = new Map<number, number>();
  /** Types of the items that are values, by HID. */
  readonly #values = new Map<number, number>();
  readonly #structure = new Set<number>();
  readonly #items = new Map<number, Item>();

  constructor(readonly leaves: readonly Uint8Array[]) {
    this.out = leaves.map((leaf, k) => this.#head(leaf, k));
  }

  /** A block's header and page map, all else zero; its items are noted. */
  #head(leaf: Uint8Array, block: number): Uint8Array {
    const isBitmap = block >= HNBITMAP_FIRST && (block - HNBITMAP_FIRST) % HNBITMAP_EVERY === 0;
    const head = block === 0 ? HNHDR.size : isBitmap ? HNBITMAPHDR.size : HNPAGEHDR.size;
    const view = viewOf(leaf);
    const at = view.getUint16(0, true);
    const count = view.getUint16(at + HNPAGEMAP.at.cAlloc, true);
    const end = at + HNPAGEMAP.size + 2 * (count + 1);
    if (at < head || end > leaf.length) throw new NoHeap();
    const out = new Uint8Array(leaf.length);
    out.set(leaf.subarray(0, head));
    out.set(leaf.subarray(at, end), at);
    for (let k = 0; k < count; k++) {
      const from = view.getUint16(at + HNPAGEMAP.size + 2 * k, true);
      const to = view.getUint16(at + HNPAGEMAP.size + 2 * k + 2, true);
      if (from < head || from > to || to > at) throw new NoHeap();
      const hid = ((block << HID_BLOCK_SHIFT[UNICODE]) | ((k + 1) << HID_INDEX_SHIFT)) >>> 0;
      this.#items.set(hid, { block, from, to });
    }
    return out;
  }

  #item(hid: number): Uint8Array {
    const item = this.#items.get(hid);
    if (item === undefined) throw new NoHeap();
    return this.leaves[item.block]!.subarray(item.from, item.to);
  }

  mask(): MaskedHeap {
    const head = this.leaves[0];
    if (head === undefined || head.length < HNHDR.size || head[HNHDR.at.bSig] !== HN_SIGNATURE) throw new NoHeap();
    const root = viewOf(head).getUint32(HNHDR.at.hidUserRoot, true);
    const client = head[HNHDR.at.bClientSig];
    let rowsNid = 0;
    let columns: Columns = { rowSize: 0, variable: [] };
    if (client === CLIENT_SIGNATURE.PC) {
      for (const record of this.#bth(root)) this.#property(record);
    } else if (client === CLIENT_SIGNATURE.TC) {
      columns = this.#columns(root);
      const info = viewOf(this.#item(root));
      this.#bth(info.getUint32(TCINFO.at.hidRowIndex, true));
      const hnidRows = info.getUint32(TCINFO.at.hnidRows, true);
      if (nidType(hnidRows) !== NID_TYPE.HID) rowsNid = hnidRows;
      else if (hnidRows !== 0) {
        this.#rows(this.#item(hnidRows), columns);
        this.#structure.add(hnidRows);
      }
    } else throw new NoHeap();
    return {
      external: this.external,
      rowsNid,
      rows: (leaf) => this.#rows(leaf, columns),
      finish: () => this.#finish(),
    };
  }

  /** Notes the items of a BTH. Returns its records. 2.3.2. */
  #bth(hid: number): Uint8Array[] {
    if (hid === 0) return [];
    const header = this.#item(hid);
    const [cbKey, cbEnt, levels] = [BTHHEADER.at.cbKey, BTHHEADER.at.cbEnt, BTHHEADER.at.bIdxLevels].map(
      (at) => header[at]!,
    );
    if (header.length < BTHHEADER.size || header[0] !== CLIENT_SIGNATURE.BTH || levels! > LEVELS_MAX)
      throw new NoHeap();
    this.#structure.add(hid);
    const root = viewOf(header).getUint32(BTHHEADER.at.hidRoot, true);
    let level = root === 0 ? [] : [root];
    for (let k = levels!; k > 0; k--) {
      level = level
        .flatMap((each) => this.#split(each, cbKey! + 4))
        .map((record) => viewOf(record).getUint32(cbKey!, true));
      if (level.length > this.#items.size) throw new NoHeap();
    }
    return level.flatMap((each) => this.#split(each, cbKey! + cbEnt!));
  }

  #split(hid: number, size: number): Uint8Array[] {
    const bytes = this.#item(hid);
    if (size < 4 || bytes.length % size !== 0) throw new NoHeap();
    this.#structure.add(hid);
    return Array.from({ length: bytes.length / size }, (_, k) => bytes.subarray(k * size, (k + 1) * size));
  }

  #property(record: Uint8Array): void {
    if (record.length !== PCENTRY.size) throw new NoHeap();
    const view = viewOf(record);
    const type = view.getUint16(PCENTRY.at.wPropType, true);
    const size = ptyp.isMultiple(type) ? 0 : ptyp.fixedSize(type);
    if (size > 0 && size <= 4) return;
    this.#value(view.getUint32(PCENTRY.at.dwValueHnid, true), type);
  }

  #value(hnid: number, type: number): void {
    if (hnid === 0) return;
    if (nidType(hnid) === NID_TYPE.HID) this.#values.set(hnid, type);
    else this.external.set(hnid, type);
  }

  #columns(root: number): Columns {
    const info = this.#item(root);
    const count = info[TCINFO.at.cCols] ?? 0;
    if (info.length < TCINFO.size + count * TCOLDESC.size) throw new NoHeap();
    this.#structure.add(root);
    const view = viewOf(info);
    const variable = Array.from({ length: count }, (_, k) => {
      const at = TCINFO.size + k * TCOLDESC.size;
      const type = view.getUint16(at, true);
      return { type, ibData: view.getUint16(at + TCOLDESC.at.ibData, true) };
    }).filter(({ type }) => {
      const size = ptyp.isMultiple(type) ? 0 : ptyp.fixedSize(type);
      return size === 0 || size > 8;
    });
    return { rowSize: view.getUint16(TCINFO.at.TCI_bm, true), variable };
  }

  /** Notes the cells of the rows in `bytes`. Returns the rows; what is behind the last whole one is zero. 2.3.4.4. */
  #rows(bytes: Uint8Array, { rowSize, variable }: Columns): Uint8Array {
    const out = new Uint8Array(bytes.length);
    if (rowSize === 0) return out;
    const view = viewOf(bytes);
    const end = Math.floor(bytes.length / rowSize) * rowSize;
    for (let row = 0; row < end; row += rowSize) {
      for (const { type, ibData } of variable) {
        if (ibData + 4 <= rowSize) this.#value(view.getUint32(row + ibData, true), type);
      }
    }
    out.set(bytes.subarray(0, end));
    return out;
  }

  #finish(): Uint8Array[] {
    for (const [hid, { block, from, to }] of this.#items) {
      const bytes = this.leaves[block]!.subarray(from, to);
      const type = this.#values.get(hid);
      const isKept = this.#structure.has(hid);
      this.out[block]!.set(isKept ? bytes : type === undefined ? maskBytes(bytes) : maskValue(type, bytes), from);
    }
    return this.out;
  }
}
