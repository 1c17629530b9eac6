// What the page heap knows of pages and blocks: a state byte for each page, a descriptor for each block. pageheap.ts writes them,
// refuse.ts reads them to say what went wrong.

import { DESCRIPTORS, MEMORY_LIMIT, PAGE_MAP } from './layout';

/**
 * A page is 512 bytes: nothing in WebAssembly asks for 4 KB, and the slack in front of a block, which has to be stamped and looked at, is an
 * eighth of what it would be. The aligned layout and the paranoid build round to PAGES_4K.
 */
export const PAGE_BITS: usize = 9;
export const PAGE: usize = 1 << PAGE_BITS;

/** Pages in one of Pageheap.exe's. */
export const PAGES_4K: usize = 8;

// Page states. What was never used is closed, and LIVE is the only one that may be touched: no other has all its bits.
export const GUARD: u8 = 0x00;
export const LIVE: u8 = 0xff;
export const UNUSED: u8 = 0xf1;
export const FREED: u8 = 0xf3;
export const LIGHT: u8 = 0xf4; // an arena of normal mode: its blocks are looked at when freed

// Descriptor of a block, at DESCRIPTORS + (page of its first byte << 5).
export const LIVE_PTR: usize = 0; // address while live, else 0: one comparison proves start and life
export const LIMIT: usize = 4; // bytes a span may reach: the size, rounded up to 8 in the aligned layout
export const RUN_PAGES: usize = 8; // pages of the run, without its guards
export const SITE: usize = 12; // u16
export const FREE_SITE: usize = 14; // u16
export const SIZE: usize = 16; // bytes asked for
export const STAMPED_TO: usize = 16; // of a run in a class list
export const ORDINAL: usize = 20;
export const NEXT: usize = 24; // in the queue or a class list: page number, 0 ends
export const LAST_PTR: usize = 28; // address, live or not, for the report

/** Keeps a wild address among the descriptors: 4 M of them, 32 bytes each. */
export const DESCRIPTOR_MASK: usize = ((MEMORY_LIMIT >>> PAGE_BITS) - 1) << 5;

// @ts-ignore: decorator
@inline export function descriptor(page: usize): usize {
  return DESCRIPTORS + (page << 5);
}

// @ts-ignore: decorator
@inline export function stateOf(address: usize): u8 {
  return load<u8>(PAGE_MAP + (address >>> PAGE_BITS));
}
