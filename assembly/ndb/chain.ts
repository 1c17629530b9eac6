// A chain: the decoded leaf blocks of one data tree, in order. MS-PST 2.2.2.8.3.2 without the XBLOCKs.
//
//     handle ─▶ count u32 · capacity u32 · list u32 · total u32 · { block u32, size u32 }
//     list   ─▶ { block u32, size u32 } × capacity
//
// Most trees are one block: its entry lies in the handle, and list is 0.

import { alloc, changed, free, sizeOf } from '../memory/pageheap';
import {
  FREE_CHAIN_BLOCK,
  FREE_CHAIN_HANDLE,
  FREE_CHAIN_LIST,
  FREE_CHAIN_OUTGROWN,
  SITE_CHAIN_GROW,
  SITE_CHAIN_HANDLE,
  SITE_CHAIN_LIST,
} from '../memory/site';
import { copy, get32, part, put32, put64, take } from '../memory/span';

const COUNT: usize = 0;
const CAPACITY: usize = 4;
const LIST: usize = 8;
const TOTAL: usize = 12;
const ONE: usize = 16; // the entry of a chain of one
const HANDLE_SIZE: usize = 24;

export function chainNew(capacity: u32): usize {
  if (capacity == 0) capacity = 1;
  const chain = alloc(HANDLE_SIZE, SITE_CHAIN_HANDLE);
  const h = take(chain, 0, HANDLE_SIZE);
  put32(h + COUNT, 0);
  put32(h + CAPACITY, capacity);
  put32(h + LIST, capacity == 1 ? 0 : <u32>alloc((<usize>capacity) << 3, SITE_CHAIN_LIST));
  put32(h + TOTAL, 0);
  put64(h + ONE, 0);
  return chain;
}

/** Appends a block of which the first `size` bytes count. The chain owns it from now on. */
export function chainPut(chain: usize, ptr: usize, size: usize): void {
  take(ptr, 0, size);
  const h = take(chain, 0, HANDLE_SIZE);
  const count = get32(h + COUNT);
  if (count == get32(h + CAPACITY)) grow(h, count);
  put32(h + COUNT, count + 1);
  put32(h + TOTAL, get32(h + TOTAL) + <u32>size);
  const e = entryOf(h, count);
  put32(e, <u32>ptr);
  put32(e + 4, <u32>size);
  changed();
}

function grow(h: usize, count: u32): void {
  const list = <usize>get32(h + LIST);
  const bytes = (<usize>count) << 3;
  const bigger = alloc(bytes << 1, SITE_CHAIN_GROW);
  copy(take(bigger, 0, bytes), list ? take(list, 0, bytes) : h + ONE, bytes);
  if (list) free(list, FREE_CHAIN_OUTGROWN);
  put32(h + LIST, <u32>bigger);
  put32(h + CAPACITY, count << 1);
}

/** Appends a whole block. */
export function chainAdd(chain: usize, ptr: usize): void {
  chainPut(chain, ptr, sizeOf(ptr));
}

export function chainCount(chain: usize): u32 {
  return get32(take(chain, 0, HANDLE_SIZE) + COUNT);
}

export function chainTotal(chain: usize): u32 {
  return get32(take(chain, 0, HANDLE_SIZE) + TOTAL);
}

function entry(chain: usize, index: u32): usize {
  return entryOf(take(chain, 0, HANDLE_SIZE), index);
}

/** The same for a handle whose span has been taken. */
function entryOf(h: usize, index: u32): usize {
  const list = <usize>get32(h + LIST);
  if (list) return take(list, (<usize>index) << 3, 8);
  return part(h, HANDLE_SIZE, ONE + ((<usize>index) << 3), 8);
}

/** Blocks of the chain whose entries were asked for last. */
export let entryCount: u32 = 0;

/** Address of the entries of the blocks there are, { block u32, size u32 } each; sets entryCount. Good until `changes` rises. */
export function chainEntries(chain: usize): usize {
  const h = take(chain, 0, HANDLE_SIZE);
  entryCount = get32(h + COUNT);
  const bytes = (<usize>entryCount) << 3;
  const list = <usize>get32(h + LIST);
  return list ? take(list, 0, bytes) : part(h, HANDLE_SIZE, ONE, bytes);
}

export function chainPtr(chain: usize, index: u32): usize {
  return <usize>get32(entry(chain, index));
}

export function chainSize(chain: usize, index: u32): usize {
  return <usize>get32(entry(chain, index) + 4);
}

/** Shortens the last block to `size` bytes. */
export function chainTrim(chain: usize, size: usize): void {
  const h = take(chain, 0, HANDLE_SIZE);
  const e = entryOf(h, get32(h + COUNT) - 1);
  put32(h + TOTAL, get32(h + TOTAL) - get32(e + 4) + <u32>size);
  put32(e + 4, <u32>size);
  changed();
}

/** Frees the chain and every block in it. */
export function chainFree(chain: usize): void {
  const entries = chainEntries(chain);
  const count = entryCount;
  const list = <usize>get32(take(chain, 0, HANDLE_SIZE) + LIST);
  for (let k: u32 = 0; k < count; k++) free(<usize>get32(entries + ((<usize>k) << 3)), FREE_CHAIN_BLOCK);
  if (list) free(list, FREE_CHAIN_LIST);
  free(chain, FREE_CHAIN_HANDLE);
}
