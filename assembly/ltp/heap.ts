// Heap-on-node, reading. MS-PST 2.3.1.
//
//     block 0           HNHDR 12: ibHnpm u16 · bSig u8 · bClientSig u8 · hidUserRoot u32 · rgbFillLevel 4
//     block 8 + 128 k   HNBITMAPHDR 66: ibHnpm u16 · rgbFillLevel 64
//     other blocks      HNPAGEHDR 2: ibHnpm u16
//     at ibHnpm         HNPAGEMAP: cAlloc u16 · cFree u16 · rgibAlloc u16 × (cAlloc + 1)
//
// A HID is hidType 5 · hidIndex 11 · hidBlockIndex 16 bits; 4K stores have 5 · 14 · 13 (seen in real stores).

import { damage, HID_BLOCK, HID_INDEX, HID_RANGE, HID_TYPE, HN_CLIENT, HN_MAP, HN_SHORT, HN_SIG } from '../damage';
import { get8, get16, get32, take } from '../memory/span';
import { UNICODE_4K } from '../ndb/block';
import { chainCount, chainPtr, chainSize } from '../ndb/chain';

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

/** Reads the HNHDR. `client` 0 takes any client signature. Returns 0 with a damage record. */
export function hnOpen(chain: usize, client: u32): u32 {
  const size = chainCount(chain) ? chainSize(chain, 0) : 0;
  if (size < HNHDR_SIZE) return <u32>damage(HN_SHORT, <u32>size, <u32>HNHDR_SIZE);
  const h = take(chainPtr(chain, 0), 0, HNHDR_SIZE);
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

/** Finds a heap item: sets itemLo, itemAt, itemSize. Returns 0 with a damage record. 2.3.1.1, 2.3.1.5. */
export function hnItem(chain: usize, hid: u32, variant: u32): u32 {
  if (hid & 0x1f) return <u32>damage(HID_TYPE, hid, 0);
  const indexBits: u32 = variant == UNICODE_4K ? 14 : 11;
  const block = hid >>> (5 + indexBits);
  const index = (hid >>> 5) & ((1 << indexBits) - 1);
  const blocks = chainCount(chain);
  if (block >= blocks) return <u32>damage(HID_BLOCK, hid, blocks);
  const lo = chainPtr(chain, block);
  const size = chainSize(chain, block);
  if (size < 6) return <u32>damage(HN_SHORT, <u32>size, 6);
  const map = <usize>get16(take(lo, 0, 2));
  if (map > size - 4) return <u32>damage(HN_MAP, <u32>map, <u32>size);
  const m = take(lo, map, 4);
  const cAlloc = get16(m);
  if (index == 0 || index > cAlloc) return <u32>damage(HID_INDEX, hid, cAlloc);
  const slot = map + 4 + ((<usize>(index - 1)) << 1);
  if (slot > size - 4) return <u32>damage(HN_MAP, <u32>slot, <u32>size);
  const s = take(lo, slot, 4);
  const from = <usize>get16(s);
  const to = <usize>get16(s + 2);
  if (from > to || to > size) return <u32>damage(HID_RANGE, hid, <u32>to);
  itemLo = lo;
  itemAt = from;
  itemSize = to - from;
  return 1;
}
