// Heap-on-node, reading. MS-PST 2.3.1.
//
//     block 0           HNHDR 12: ibHnpm u16 · bSig u8 · bClientSig u8 · hidUserRoot u32 · rgbFillLevel 4
//     block 8 + 128 k   HNBITMAPHDR 66: ibHnpm u16 · rgbFillLevel 64
//     other blocks      HNPAGEHDR 2: ibHnpm u16
//     at ibHnpm         HNPAGEMAP: cAlloc u16 · cFree u16 · rgibAlloc u16 × (cAlloc + 1)
//
// A HID is hidType 5 · hidIndex 11 · hidBlockIndex 16 bits; 4K stores have 5 · 14 · 13 (seen in real stores).

import { damage, HID_BLOCK, HID_INDEX, HID_RANGE, HID_TYPE, HN_CLIENT, HN_MAP, HN_SHORT, HN_SIG } from '../damage';
import { changes } from '../memory/pageheap';
import { get8, get16, get32, part, take } from '../memory/span';
import { UNICODE_4K } from '../ndb/block';
import { chainCount, chainEntries, chainPtr, chainSize, entryCount } from '../ndb/chain';

export const HN_SIGNATURE: u32 = 0xec;
export const CLIENT_PC: u32 = 0xbc;
export const CLIENT_TC: u32 = 0x7c;

const HNHDR_SIZE: usize = 12;

/** hidUserRoot of the heap opened last. */
export let rootHid: u32 = 0;

// Where the item found last lies.
export let itemLo: usize = 0;
export let itemAt: usize = 0;
export let itemSize: usize = 0;
/** Its address, the span taken: good until `changes` rises. */
export let itemSpan: usize = 0;

/** Reads the HNHDR. `client` 0 takes any client signature. Returns 0 with a damage record. */
export function hnOpen(chain: usize, client: u32): u32 {
  hnForget();
  const e = chainEntries(chain);
  const size = entryCount ? <usize>get32(e + 4) : 0;
  if (size < HNHDR_SIZE) return <u32>damage(HN_SHORT, <u32>size, <u32>HNHDR_SIZE);
  const h = take(<usize>get32(e), 0, HNHDR_SIZE);
  if (get8(h + 2) != HN_SIGNATURE) return <u32>damage(HN_SIG, get8(h + 2), HN_SIGNATURE);
  if (client && get8(h + 3) != client) return <u32>damage(HN_CLIENT, get8(h + 3), client);
  rootHid = get32(h + 4);
  return 1;
}

/** bClientSig of the heap, 0 when the chain is no heap. 2.3.1.2. */
export function hnClient(chain: usize): u32 {
  const size = chainCount(chain) ? chainSize(chain, 0) : 0;
  if (size < HNHDR_SIZE) return 0;
  const h = take(chainPtr(chain, 0), 0, HNHDR_SIZE);
  return get8(h + 2) == HN_SIGNATURE ? get8(h + 3) : 0;
}

// The heap block looked at last, its spans taken: items of one heap are asked for in a row. Holds until a block is freed, a
// chain changes or the host calls again.
let seenChain: usize = 0;
let seenBlock: u32 = 0;
let seenChanges: u32 = 0;
let seenLo: usize = 0;
let seenBase: usize = 0; // address of its bytes, the span taken
let seenSize: usize = 0;
let seenMap: usize = 0; // offset of the page map
let seenSlots: usize = 0; // address of its rgibAlloc
let seenCount: u32 = 0; // cAlloc

/** Begins a call of the host, which may have written into blocks: nothing is taken to be as it was. */
export function hnForget(): void {
  seenChain = 0;
}

/** Brings heap block `block` into view. Returns 0 with a damage record. 2.3.1.5. */
function see(chain: usize, block: u32, hid: u32): u32 {
  seenChain = 0;
  const entries = chainEntries(chain);
  if (block >= entryCount) return <u32>damage(HID_BLOCK, hid, entryCount);
  const e = entries + ((<usize>block) << 3);
  const lo = <usize>get32(e);
  const size = <usize>get32(e + 4);
  if (size < 6) return <u32>damage(HN_SHORT, <u32>size, 6);
  const base = take(lo, 0, size);
  const map = <usize>get16(base);
  if (map > size - 4) return <u32>damage(HN_MAP, <u32>map, <u32>size);
  seenCount = get16(part(base, size, map, 4));
  // As much of rgibAlloc as lies in the block: hnItem() asks for no more.
  const slots = (<usize>seenCount + 1) << 1;
  seenSlots = part(base, size, map + 4, slots < size - map - 4 ? slots : size - map - 4);
  seenLo = lo;
  seenBase = base;
  seenSize = size;
  seenMap = map;
  seenBlock = block;
  seenChanges = changes;
  seenChain = chain;
  return 1;
}

/** Finds a heap item: sets itemLo, itemAt, itemSize. Returns 0 with a damage record. 2.3.1.1, 2.3.1.5. */
export function hnItem(chain: usize, hid: u32, variant: u32): u32 {
  if (hid & 0x1f) return <u32>damage(HID_TYPE, hid, 0);
  const indexBits: u32 = variant == UNICODE_4K ? 14 : 11;
  const block = hid >>> (5 + indexBits);
  const index = (hid >>> 5) & ((1 << indexBits) - 1);
  if ((chain != seenChain || block != seenBlock || seenChanges != changes) && !see(chain, block, hid)) return 0;
  if (index == 0 || index > seenCount) return <u32>damage(HID_INDEX, hid, seenCount);
  const slot = seenMap + 4 + ((<usize>(index - 1)) << 1);
  if (slot > seenSize - 4) return <u32>damage(HN_MAP, <u32>slot, <u32>seenSize);
  const s = seenSlots + ((<usize>(index - 1)) << 1);
  const from = <usize>get16(s);
  const to = <usize>get16(s + 2);
  if (from > to || to > seenSize) return <u32>damage(HID_RANGE, hid, <u32>to);
  itemLo = seenLo;
  itemAt = from;
  itemSize = to - from;
  itemSpan = part(seenBase, seenSize, from, itemSize);
  return 1;
}
