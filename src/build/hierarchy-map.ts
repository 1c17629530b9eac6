/**
 * The hierarchy map (HMP), node 0xC01: the folder of each replication id. In no specification; scanpst.md 4 and
 * measured on the stores that have records (4 of 24).
 *
 *     HN (client 9C) ─ root ─▶ item 0x40: HID of the BTH header ─▶ item 0x20: BTH 16/4 ─▶ records id 16, NID 4
 *
 * unknown: why the root is not the BTH itself, as it is in a PC.
 *
 * The core writes heaps with keys of 2 and 4 bytes; this one, of 16, is built here. It is the only heap TypeScript writes.
 * @module
 */

import { BLOCK } from '../wire/block.js';
import {
  BTHHEADER,
  CLIENT_SIGNATURE,
  HN_ITEM_MAX,
  HN_SIGNATURE,
  HNBITMAP_EVERY,
  HNBITMAP_FIRST,
  HNBITMAPHDR,
  HNHDR,
  HNPAGEHDR,
  HNPAGEMAP,
} from '../wire/heap.js';
import { UNICODE } from '../wire/variant.js';

export interface FolderId {
  /** 0E30 of the folder's row. */
  readonly id: Uint8Array;
  readonly nid: number;
}

const CLIENT = 0x9c;
const KEY = 16;
const RECORD = KEY + 4;
const PER_ITEM = HN_ITEM_MAX / RECORD;
const HID_HEADER = 0x20;
const HID_ROOT = 0x40;
const PAYLOAD = BLOCK[UNICODE].maxPayload;

/** The node's data: heap blocks one after the other, all but the last padded to the full payload. */
export function hierarchyMap(folders: readonly FolderId[]): Uint8Array {
  const sorted = [...folders].sort((a, b) => compare(a.id, b.id));
  let level = new Uint8Array(sorted.length * RECORD);
  sorted.forEach(({ id, nid }, i) => {
    level.set(id, i * RECORD);
    new DataView(level.buffer).setUint32(i * RECORD + KEY, nid, true);
  });
  const heap = new Heap();
  const header = heap.add(new Uint8Array(BTHHEADER.size));
  const root = heap.add(new Uint8Array(4));
  new DataView(root.buffer).setUint32(0, HID_HEADER, true);
  let bIdxLevels = 0;
  let hidRoot = 0;
  while (level.length > 0) {
    const count = level.length / RECORD;
    const above = new Uint8Array(Math.ceil(count / PER_ITEM) * RECORD);
    for (let k = 0; k * PER_ITEM < count; k++) {
      const item = level.slice(k * HN_ITEM_MAX, (k + 1) * HN_ITEM_MAX);
      heap.add(item);
      hidRoot = heap.hid;
      above.set(item.subarray(0, KEY), k * RECORD);
      new DataView(above.buffer).setUint32(k * RECORD + KEY, hidRoot, true);
    }
    if (above.length === RECORD) break;
    level = above;
    bIdxLevels++;
  }
  BTHHEADER.write(new DataView(header.buffer), 0, {
    bType: CLIENT_SIGNATURE.BTH,
    cbKey: KEY,
    cbEnt: 4,
    bIdxLevels,
    hidRoot,
  });
  return heap.end(HID_ROOT);
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < KEY; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** A heap under construction. MS-PST 2.3.1. Items may be filled in until `end`. */
class Heap {
  readonly #blocks: Uint8Array[][] = [[]];
  #used = HNHDR.size;
  /** HID of the item added last. */
  hid = 0;

  add(item: Uint8Array): Uint8Array {
    let items = this.#blocks.at(-1)!;
    if (this.#used + item.length + 1 + mapSize(items.length + 1) > PAYLOAD) {
      items = [];
      this.#used = headerSize(this.#blocks.push(items) - 1);
    }
    this.#used += item.length;
    this.hid = (items.push(item) << 5) | ((this.#blocks.length - 1) << 16);
    return item;
  }

  end(hidUserRoot: number): Uint8Array {
    const blocks = this.#blocks;
    const bytes = new Uint8Array(blocks.length * PAYLOAD);
    const view = new DataView(bytes.buffer);
    HNHDR.write(view, 0, {
      ibHnpm: 0,
      bSig: HN_SIGNATURE,
      bClientSig: CLIENT,
      hidUserRoot,
      rgbFillLevel: 0, // a hint; 0 is always accepted (format.md 5)
    });
    let size = 0;
    blocks.forEach((items, n) => {
      const block = n * PAYLOAD;
      const offsets = [headerSize(n)];
      for (const item of items) {
        bytes.set(item, block + offsets.at(-1)!);
        offsets.push(offsets.at(-1)! + item.length);
      }
      const ibHnpm = Math.ceil(offsets.at(-1)! / 2) * 2;
      view.setUint16(block, ibHnpm, true);
      HNPAGEMAP.write(view, block + ibHnpm, { cAlloc: items.length, cFree: 0 });
      offsets.forEach((offset, i) => {
        view.setUint16(block + ibHnpm + HNPAGEMAP.size + 2 * i, offset, true);
      });
      size = block + ibHnpm + mapSize(items.length);
    });
    return bytes.subarray(0, size);
  }
}

const mapSize = (items: number): number => HNPAGEMAP.size + 2 * (items + 1);

function headerSize(block: number): number {
  if (block === 0) return HNHDR.size;
  return block >= HNBITMAP_FIRST && (block - HNBITMAP_FIRST) % HNBITMAP_EVERY === 0 ? HNBITMAPHDR.size : HNPAGEHDR.size;
}
