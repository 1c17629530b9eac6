// Heap-on-node, writing. MS-PST 2.3.1; heap.ts draws the blocks.
//
// Items are laid one after the other; the offsets wait at the end of the block, growing down, and become the page map
// when the block is sealed. Every block but the last is padded to the full 8176 bytes. One heap is written at a time.

import { damage, HEAP_FULL } from '../damage';
import { alloc } from '../memory/pageheap';
import { SITE_HEAP_WRITER_BLOCK } from '../memory/site';
import { get8, get16, put8, put16, put32, take, zero } from '../memory/span';
import { chainCount, chainNew, chainPtr, chainPut, chainTotal, chainTrim } from '../ndb/chain';
import { HN_SIGNATURE } from './heap';

/** Payload of a full Unicode block. MS-PST 2.2.2.8. */
export const PAYLOAD: usize = 8176;

/** A longer value goes to a subnode. MS-PST 2.3.3.3. */
export const MAX_ITEM: usize = 3580;

/** hidIndex has 11 bits, hidBlockIndex 16. MS-PST 2.3.1.1. */
const MAX_INDEX: u32 = 2047;
const MAX_BLOCKS: u32 = 65536;

let chain: usize = 0; // blocks of the heap being written
let block: usize = 0; // the last of them
let used: usize = 0; // bytes of it taken by header and items
let items: u32 = 0;

/** Where the item given out last lies. */
export let newLo: usize = 0;
export let newAt: usize = 0;

/** Writers take turns: a table keeps its heap open across calls and puts it back with hwResume(). */
export function hwState(): u64 {
  return <u64>used | ((<u64>items) << 32);
}

export function hwChain(): usize {
  return chain;
}

export function hwResume(heap: usize, state: u64): void {
  chain = heap;
  block = chainPtr(heap, chainCount(heap) - 1);
  used = <usize>(<u32>state);
  items = <u32>(state >>> 32);
}

/** Begins a heap of the given client signature. */
export function hwBegin(client: u32): void {
  chain = chainNew(1);
  openBlock();
  const h = take(block, 0, 12);
  put8(h + 2, HN_SIGNATURE);
  put8(h + 3, client);
  put32(h + 4, 0);
  put32(h + 8, 0);
}

function headerSize(index: u32): usize {
  return index == 0 ? 12 : index >= 8 && (index - 8) % 128 == 0 ? 66 : 2;
}

function openBlock(): void {
  used = headerSize(chainCount(chain));
  items = 0;
  block = alloc(PAYLOAD, SITE_HEAP_WRITER_BLOCK);
  chainPut(chain, block, PAYLOAD);
  zero(take(block, 0, used), used);
}

/** Room for an item of `size` bytes (1..3580). Returns its HID and sets newLo, newAt; 0 with a damage record. 2.3.1.1. */
export function hwItem(size: usize): u32 {
  // Behind the item: one byte to make ibHnpm even, cAlloc, cFree, and one offset more than there are items.
  const after = 1 + 4 + ((<usize>(items + 2)) << 1);
  if (used + size + after > PAYLOAD || items == MAX_INDEX) {
    seal();
    if (chainCount(chain) == MAX_BLOCKS) return <u32>damage(HEAP_FULL, MAX_BLOCKS, 0);
    openBlock();
  }
  put16(take(block, PAYLOAD - ((<usize>(items + 1)) << 1), 2), <u32>used);
  newLo = block;
  newAt = used;
  used += size;
  items++;
  return (items << 5) | ((chainCount(chain) - 1) << 16);
}

/** Writes the page map of the block and pads it. Returns where the map ends. 2.3.1.5. */
function seal(): usize {
  const end = used;
  if (used & 1) {
    put8(take(block, used, 1), 0);
    used++;
  }
  put16(take(block, 0, 2), <u32>used);
  const size = 4 + ((<usize>(items + 1)) << 1);
  const map = take(block, used, size);
  // The waiting offsets lie at the block's end in reverse; the map may reach into them, so they are turned round first.
  reverse(items);
  put16(map, items);
  put16(map + 2, 0);
  const waiting = take(block, PAYLOAD - ((<usize>items) << 1), (<usize>items) << 1);
  for (let k: usize = 0; k < <usize>items; k++) put16(map + 4 + (k << 1), get16(waiting + (k << 1)));
  put16(map + 4 + ((<usize>items) << 1), <u32>end);
  const mapEnd = used + size;
  zero(take(block, mapEnd, PAYLOAD - mapEnd), PAYLOAD - mapEnd);
  fillLevel(chainCount(chain) - 1, PAYLOAD - mapEnd);
  return mapEnd;
}

function reverse(count: u32): void {
  if (count < 2) return;
  let a = take(block, PAYLOAD - ((<usize>count) << 1), (<usize>count) << 1);
  let b = a + ((<usize>(count - 1)) << 1);
  for (; a < b; a += 2, b -= 2) {
    const x = get16(a);
    put16(a, get16(b));
    put16(b, x);
  }
}

/** Upper bounds of free bytes for the fill levels 15 down to 1; 0 from 3584 on. 2.3.1.2, rgbFillLevel. */
function levelOf(free: usize): u32 {
  if (free >= 3584) return 0;
  if (free >= 2560) return 1;
  if (free >= 2048) return 2;
  if (free >= 512) return 3 + (2047 - <u32>free) / 256;
  if (free >= 256) return 9;
  if (free >= 128) return 10;
  if (free >= 64) return 11;
  if (free >= 32) return 12;
  if (free >= 16) return 13;
  if (free >= 8) return 14;
  return 15;
}

/** Notes the fill level of block `index` in the block that keeps it. 2.3.1.2, 2.3.1.4. */
function fillLevel(index: u32, free: usize): void {
  const keeper = index < 8 ? 0 : index - ((index - 8) % 128);
  const slot = index < 8 ? index : (index - 8) % 128;
  const p = take(chainPtr(chain, keeper), (keeper ? 2 : 8) + <usize>(slot >>> 1), 1);
  const level = levelOf(free);
  put8(p, slot & 1 ? (get8(p) & 0x0f) | (level << 4) : (get8(p) & 0xf0) | level);
}

/**
 * Adds items that nothing refers to until the heap takes `target` bytes, if it takes fewer. PidTagMessageSize is the sum of the blocks of a
 * message (facts: exact in every modern store): a heap that is written anew, with the same values, keeps the size it had.
 * Returns 0 with a damage record.
 */
export function hwFill(target: usize): u32 {
  for (;;) {
    const before = <usize>chainTotal(chain) - PAYLOAD;
    const end = ((used + 1) & ~1) + 4 + ((<usize>(items + 1)) << 1);
    if (before + end >= target) return 1;
    const room = target - before < PAYLOAD ? target - before : PAYLOAD;
    // The item, its offset, and where the map would begin.
    const map = room - 4 - ((<usize>(items + 2)) << 1);
    if (room & 1 || map <= used) return 1; // a gap too small for an item stays
    const size = map - used < MAX_ITEM ? map - used : MAX_ITEM;
    if (!hwItem(size)) return 0;
    zero(take(newLo, newAt, size), size);
  }
  return 1;
}

/** Ends the heap with `root` as its hidUserRoot. Returns the chain, the caller's from now on. */
export function hwEnd(root: u32): usize {
  const size = seal();
  chainTrim(chain, size);
  put32(take(chainPtr(chain, 0), 4, 4), root);
  return chain;
}
