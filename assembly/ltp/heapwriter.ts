// Heap-on-node, writing. MS-PST 2.3.1; heap.ts draws the blocks.
//
// Items are laid one after the other, in the first open block with room; the offsets wait at the end of the block, growing down,
// and become the page map when the block is sealed. Every block but the last is padded to the full 8176 bytes. One heap is written at a time.

import { damage, HEAP_FULL } from '../damage';
import { alloc, changes } from '../memory/pageheap';
import { SITE_HEAP_WRITER_BLOCK } from '../memory/site';
import { get8, get16, get32, part, put8, put16, put32, take, zero } from '../memory/span';
import { chainCount, chainEntries, chainNew, chainPtr, chainPut, chainTrim, entryCount } from '../ndb/chain';
import { HN_SIGNATURE } from './heap';

/** Payload of a full Unicode block. MS-PST 2.2.2.8. */
export const PAYLOAD: usize = 8176;

/** A longer value goes to a subnode. MS-PST 2.3.3.3. */
export const MAX_ITEM: usize = 3580;

/** hidIndex has 11 bits, hidBlockIndex 16. MS-PST 2.3.1.1. */
const MAX_INDEX: u32 = 2047;
const MAX_BLOCKS: u32 = 65536;

let chain: usize = 0; // blocks of the heap being written
let firstOpen: u32 = 0; // blocks before this one are sealed

/** Blocks kept open, so that small items fill what a large one left: Outlook packs as tightly. */
const OPEN_MAX: u32 = 8;

// Until it is sealed a block keeps its own state: bytes taken in its first two bytes, where ibHnpm will be, and the number of its items in
// its last two; the offsets of the items lie before those, the first one last.
const COUNT_AT: usize = PAYLOAD - 2;

// Where the item given out last lies.
let newIndex: u32 = 0;
export let newAt: usize = 0;
/** Its address, the span taken: good until a block is freed. */
export let newSpan: usize = 0;

/** Its block. */
export function newLo(): usize {
  ready();
  return <usize>get32(seenEntries + ((<usize>newIndex) << 3));
}

// The heap as it was looked at last: the entries of its chain and the block an item went into, their spans taken. Hold until a block is
// freed or a chain changes.
let seenChain: usize = 0;
let seenChanges: u32 = 0;
let seenCount: u32 = 0;
let seenEntries: usize = 0;
let seenIndex: u32 = 0;
let seenBase: usize = 0;

// @ts-ignore: decorator
@inline function ready(): void {
  if (seenChain != chain || seenChanges != changes) see();
}

function see(): void {
  seenEntries = chainEntries(chain);
  seenCount = entryCount;
  seenIndex = 0xffffffff;
  seenChanges = changes;
  seenChain = chain;
}

/** Address of the bytes of block `index`, the span taken. After ready(). */
// @ts-ignore: decorator
@inline function baseOf(index: u32): usize {
  if (index == seenIndex) return seenBase;
  return lookAt(index);
}

function lookAt(index: u32): usize {
  seenBase = take(<usize>get32(seenEntries + ((<usize>index) << 3)), 0, PAYLOAD);
  seenIndex = index;
  return seenBase;
}

/** Writers take turns: a table keeps its heap open across calls and puts it back with hwResume(). */
export function hwState(): u32 {
  return firstOpen;
}

export function hwChain(): usize {
  return chain;
}

export function hwResume(heap: usize, state: u32): void {
  chain = heap;
  firstOpen = state;
}

/** Begins a heap of the given client signature. */
export function hwBegin(client: u32): void {
  chain = chainNew(1);
  firstOpen = 0;
  const h = openBlock();
  put8(h + 2, HN_SIGNATURE);
  put8(h + 3, client);
  put32(h + 4, 0);
  put32(h + 8, 0);
}

function headerSize(index: u32): usize {
  return index == 0 ? 12 : index >= 8 && (index - 8) % 128 == 0 ? 66 : 2;
}

/** Adds a block. Returns the address of its bytes. */
function openBlock(): usize {
  const header = headerSize(chainCount(chain));
  const block = alloc(PAYLOAD, SITE_HEAP_WRITER_BLOCK);
  chainPut(chain, block, PAYLOAD);
  const base = take(block, 0, PAYLOAD);
  zero(base, header);
  put16(base, <u32>header);
  put16(base + COUNT_AT, 0);
  return base;
}

/** Where the page map of a block ends that has `used` bytes and `items` items: it begins at an even place. 2.3.1.5. */
function mapEnd(used: usize, items: u32): usize {
  return ((used + 1) & ~1) + 4 + ((<usize>(items + 1)) << 1);
}

/** Room for an item of `size` bytes (1..3580). Returns its HID and sets newAt, newSpan; 0 with a damage record. 2.3.1.1. */
export function hwItem(size: usize): u32 {
  ready();
  const count = seenCount;
  for (let index = firstOpen; index < count; index++) {
    const base = baseOf(index);
    const used = <usize>get16(base);
    const items = get16(base + COUNT_AT);
    if (items < MAX_INDEX && mapEnd(used + size, items + 1) <= PAYLOAD) return place(base, index, used, items, size);
  }
  if (count == MAX_BLOCKS) return <u32>damage(HEAP_FULL, MAX_BLOCKS, 0);
  const base = openBlock();
  ready();
  if (count + 1 - firstOpen > OPEN_MAX) seal(firstOpen++, false);
  return place(base, count, headerSize(count), 0, size);
}

/** Lays the item into block `index`, whose bytes are at address `base`. */
// @ts-ignore: decorator
@inline function place(base: usize, index: u32, used: usize, items: u32, size: usize): u32 {
  const offsets = COUNT_AT - ((<usize>(items + 1)) << 1); // MAX_INDEX keeps them in the block
  put16(base + offsets, <u32>used);
  put16(base + COUNT_AT, items + 1);
  put16(base, <u32>(used + size));
  newIndex = index;
  newAt = used;
  newSpan = part(base, offsets, used, size);
  return ((items + 1) << 5) | (index << 16);
}

/** Writes the page map of a block, and pads one that is not the last. Returns where the map ends. After ready(). 2.3.1.5. */
function seal(index: u32, isLast: bool): usize {
  const base = baseOf(index);
  const end = <usize>get16(base);
  const items = get16(base + COUNT_AT);
  const at = (end + 1) & ~1;
  if (at != end) put8(part(base, PAYLOAD, end, 1), 0);
  put16(base, <u32>at);
  // The map may reach into the waiting offsets, so they are turned round where they are and then moved down in order.
  const waiting = part(base, PAYLOAD, COUNT_AT - ((<usize>items) << 1), (<usize>items) << 1);
  reverse(waiting, items);
  const size = 4 + ((<usize>(items + 1)) << 1);
  const map = part(base, PAYLOAD, at, size);
  put16(map, items);
  let cFree: u32 = 0; // items of no bytes
  let from = <u32>0xffffffff;
  for (let k: usize = 0; k < <usize>items; k++) {
    const offset = get16(waiting + (k << 1));
    if (offset == from) cFree++;
    from = offset;
    put16(map + 4 + (k << 1), offset);
  }
  put16(map + 4 + ((<usize>items) << 1), <u32>end);
  if (from == <u32>end) cFree++;
  put16(map + 2, cFree);
  const stop = at + size;
  if (!isLast) zero(part(base, PAYLOAD, stop, PAYLOAD - stop), PAYLOAD - stop);
  fillLevel(index, PAYLOAD - stop);
  return stop;
}

function reverse(a: usize, count: u32): void {
  if (count < 2) return;
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
  const p = baseOf(keeper) + (keeper ? 2 : 8) + <usize>(slot >>> 1);
  const level = levelOf(free);
  put8(p, slot & 1 ? (get8(p) & 0x0f) | (level << 4) : (get8(p) & 0xf0) | level);
}

/**
 * Adds items that nothing refers to until the heap takes `target` bytes, if it takes fewer. PidTagMessageSize is the sum of the blocks of a
 * message (facts: exact in every modern store): a heap that is written anew, with the same values, keeps the size it had.
 * Returns 0 with a damage record.
 */
export function hwFill(target: usize): u32 {
  if (target == 0) return 1;
  for (let k: u32 = 0; k < MAX_BLOCKS; k++) {
    ready();
    const last = seenCount - 1;
    while (firstOpen < last) seal(firstOpen++, false);
    const base = baseOf(last);
    const used = <usize>get16(base);
    const items = get16(base + COUNT_AT);
    const before = <usize>last * PAYLOAD;
    if (before + mapEnd(used, items) >= target) return 1;
    const room = target - before < PAYLOAD ? target - before : PAYLOAD;
    // The item ends where the map would begin.
    const end = room - 4 - ((<usize>(items + 2)) << 1);
    if (end == used) {
      place(base, last, used, items, 0); // room for an offset alone: an item that is free
      continue;
    }
    if (room & 1 || end < used) {
      if (room < PAYLOAD) return 1; // a gap too small for an item stays
      openBlock();
      continue;
    }
    const size = end - used < MAX_ITEM ? end - used : MAX_ITEM;
    if (!hwItem(size)) return 0;
    zero(newSpan, size);
  }
  return 1;
}

/** Ends the heap with `root` as its hidUserRoot. Returns the chain, the caller's from now on. */
export function hwEnd(root: u32): usize {
  ready();
  const last = seenCount - 1;
  while (firstOpen < last) seal(firstOpen++, false);
  const size = seal(last, true);
  put32(baseOf(0) + 4, root);
  chainTrim(chain, size);
  return chain;
}
