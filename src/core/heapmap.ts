/**
 * The page heap as it lies in a core's memory, spent or not: pages, blocks, the last allocations and frees. Reads what
 * assembly/memory/{layout,pageheap,lightheap,trace}.ts write; the raw build has none of it.
 * @module
 */
import type { Scene } from './fault.js';

// Mirrors assembly/memory/layout.ts.
export const HEAP_ROOT = 0x3800;
const ARENAS = 0x4000;
const TRACE = 0x44000;
const PAGE_MAP = 0x200000;
const DESCRIPTORS = 0x600000;
const POOL = 0x8600000;
const MEMORY_LIMIT = 0x80000000;

/** Bytes of a page. */
export const PAGE = 512;
/** Pages in one of Pageheap.exe's. */
const PAGES_4K = 8;
const DESCRIPTOR = 32;
const TRACE_EVENTS = 8192;
const ARENAS_MAX = 4096;

/** States of a page, by the bytes of the page map. `arena`: blocks of normal mode. */
const STATES: Readonly<Record<number, PageState>> = {
  0: 'guard',
  241: 'unused',
  243: 'freed',
  255: 'live',
  244: 'arena',
};
export type PageState = 'live' | 'unused' | 'guard' | 'freed' | 'arena';

export interface HeapPage {
  /** Address. */
  readonly at: number;
  readonly state: PageState;
  /** The block that has the page; pages of an arena have many and name none. */
  readonly block?: HeapBlock;
}

export interface HeapBlock {
  readonly ptr: number;
  readonly size: number;
  readonly site: number;
  /** Decoder << 4 that freed it; 0 while live, and when the host did. */
  readonly freeSite: number;
  /** Allocation of its operation, from 1; 0 for a block of the host. */
  readonly ordinal: number;
  readonly state: 'live' | 'freed';
  /** Pages of its own, or a place in an arena. */
  readonly kind: 'full' | 'normal';
  /** Where the heap keeps what it knows of the block: its descriptor, or its header. */
  readonly node: number;
  /** What is reserved for it, its guard page included; for a normal block header and suffix. */
  readonly virtAddr: number;
  readonly virtSize: number;
}

export interface HeapEvent {
  readonly kind: 'alloc' | 'free';
  /** Of the block, in its operation. */
  readonly ordinal: number;
  readonly ptr: number;
  readonly size: number;
  /** Allocation site, or for a free the decoder that freed. */
  readonly site: number;
}

export interface HeapMap {
  readonly pages: readonly HeapPage[];
  readonly blocks: readonly HeapBlock[];
  readonly events: readonly HeapEvent[];
  /** Events before those: the ring holds the last 8192. */
  readonly eventsLost: number;
}

/** Pages that blocks and guards are rounded to. As in assembly/memory/options.ts. */
export const grainOf = ({ build, pageheap }: Scene): number =>
  pageheap.aligned === true || (build !== 'core' && build !== 'raw') ? PAGES_4K : 1;

/** The whole heap. `scene` as Core.scene() or CoreFault.scene gives it. */
export function readHeap(scene: Scene): HeapMap {
  const view = new DataView(scene.memory);
  const states = pageStates(scene.memory);
  const first = POOL / PAGE;
  const blocks: HeapBlock[] = [];
  const owner = new Map<number, HeapBlock>();
  for (let page = first; page < first + states.length; page++) {
    const block = fullBlock(view, page, scene);
    if (block === undefined) continue;
    blocks.push(block);
    const from = block.virtAddr / PAGE;
    for (let k = from; k < from + block.virtSize / PAGE; k++) {
      if (states[k - first] === 255 || states[k - first] === 243) owner.set(k, block);
    }
  }
  const pages = Array.from(states, (byte, k): HeapPage => {
    const block = owner.get(first + k);
    const page = { at: (first + k) * PAGE, state: STATES[byte] ?? 'guard' };
    return block === undefined ? page : { ...page, block };
  });
  blocks.push(...arenaBlocks(view));
  return { pages, blocks, ...events(view, scene.events) };
}

/** Bytes of the page map from the pool on, as far as pages were ever used, with the guard page behind the last. */
function pageStates(memory: ArrayBuffer): Uint8Array {
  const map = new Uint8Array(memory, PAGE_MAP + POOL / PAGE, (MEMORY_LIMIT - POOL) / PAGE);
  let end = Math.min(map.length, Math.max(0, (memory.byteLength - POOL) / PAGE));
  while (end > 0 && map[end - 1] === 0) end--;
  return map.subarray(0, end === 0 ? 0 : Math.min(end + 1, map.length));
}

/** The full block whose first byte lies on `page`, live or in the queue of freed blocks. */
function fullBlock(view: DataView, page: number, scene: Scene): HeapBlock | undefined {
  const { pageheap } = scene;
  const node = DESCRIPTORS + page * DESCRIPTOR;
  const u32 = (at: number): number => view.getUint32(node + at, true);
  const ptr = u32(28);
  if (ptr === 0 || Math.floor(ptr / PAGE) !== page) return undefined;
  const site = view.getUint16(node + 12, true);
  const size = u32(16);
  const isAligned = pageheap.aligned === true && site !== 0;
  const unit = grainOf(scene) * PAGE;
  const start = Math.floor((isAligned ? ptr - 32 : ptr) / unit) * unit;
  const end = Math.ceil((ptr + size) / unit) * unit;
  const isBackwards = pageheap.backwards === true && site !== 0;
  return {
    ptr,
    size,
    site,
    freeSite: view.getUint16(node + 14, true),
    ordinal: site === 0 ? 0 : u32(20),
    state: u32(0) === ptr ? 'live' : 'freed',
    kind: 'full',
    node,
    virtAddr: isBackwards ? start - unit : start,
    virtSize: end - start + unit,
  };
}

const START_LIVE = 0xabcdaaaa;
const START_FREED = 0xabcdaaa9;
const END_LIVE = 0xdcbaaaaa;
const END_FREED = 0xdcbaaaa9;

/** Blocks of normal mode, arena by arena. A header whose stamps are gone on both sides ends its arena. */
function* arenaBlocks(view: DataView): Iterable<HeapBlock> {
  for (let k = 0; k < ARENAS_MAX; k++) {
    const base = view.getUint32(ARENAS + 8 * k, true);
    if (base === 0) return;
    const end = view.getUint32(ARENAS + 8 * k + 4, true) || view.byteLength; // the last arena's end is not kept
    for (let node = base; node + 32 <= end; ) {
      const u32 = (at: number): number => view.getUint32(node + at, true);
      const start = u32(0);
      const stamp = u32(28);
      const actual = u32(12);
      const isLive = start === START_LIVE || stamp === END_LIVE;
      if (!isLive && start !== START_FREED && stamp !== END_FREED) break;
      const sites = u32(24);
      yield {
        ptr: node + 32,
        size: u32(8),
        site: isLive ? sites : sites >>> 16,
        freeSite: isLive ? 0 : sites & 0xffff,
        ordinal: isLive ? u32(16) : u32(20),
        state: isLive ? 'live' : 'freed',
        kind: 'normal',
        node,
        virtAddr: node,
        virtSize: actual,
      };
      if (actual < 48 || actual % 16 !== 0) break; // damaged: nothing behind it can be found
      node += actual;
    }
  }
}

const FREE_EVENT = 0x80000000;

function events(view: DataView, count: number): { events: HeapEvent[]; eventsLost: number } {
  const from = Math.max(0, count - TRACE_EVENTS);
  const list: HeapEvent[] = [];
  for (let k = from; k < count; k++) {
    const e = TRACE + (k % TRACE_EVENTS) * 16;
    const ordinal = view.getUint32(e, true);
    list.push({
      kind: ordinal >= FREE_EVENT ? 'free' : 'alloc',
      ordinal: ordinal % FREE_EVENT,
      ptr: view.getUint32(e + 4, true),
      size: view.getUint32(e + 8, true),
      site: view.getUint32(e + 12, true),
    });
  }
  return { events: list, eventsLost: from };
}

/** State of the page of an address; undefined below the pool and beyond the memory. */
export function pageState(memory: ArrayBuffer, address: number): PageState | undefined {
  if (address < POOL || address >= Math.min(memory.byteLength, MEMORY_LIMIT)) return undefined;
  return STATES[new Uint8Array(memory)[PAGE_MAP + Math.floor(address / PAGE)]!];
}

/** The block an address lies in, or in whose reserved pages. A page between two blocks is its guard's; see --backwards. */
export function blockAt({ blocks }: HeapMap, address: number): HeapBlock | undefined {
  const inside = blocks.find(({ ptr, size }) => address >= ptr && address < ptr + size);
  return inside ?? blocks.find(({ virtAddr, virtSize }) => address >= virtAddr && address < virtAddr + virtSize);
}

/** Closed pages looked across for the block before them. */
const GUARD_PAGES_MAX = 8;

/** The block an address lies in, live or freed, or right behind or before: as blockAt, without reading the whole heap for it. */
export function findBlock(scene: Scene, address: number): HeapBlock | undefined {
  const { memory } = scene;
  const state = pageState(memory, address);
  if (state === undefined) return undefined;
  const view = new DataView(memory);
  if (state === 'arena') {
    for (const block of arenaBlocks(view)) {
      if (address >= block.virtAddr && address < block.virtAddr + block.virtSize) return block;
    }
    return undefined;
  }
  const page = Math.floor(address / PAGE);
  let from = page;
  while (page - from < GUARD_PAGES_MAX && pageState(memory, from * PAGE) === 'guard') from--;
  for (let k = from; k >= POOL / PAGE && pageState(memory, k * PAGE) === pageState(memory, from * PAGE); k--) {
    const block = fullBlock(view, k, scene);
    if (block !== undefined) return block;
  }
  // Before the block: its guard when the heap is laid out backwards, or the page of its header.
  return fullBlock(view, page + 1, scene);
}

/** Is the block as it was found, and live? */
export function isStillLive({ memory }: Scene, { node, ptr, size, kind, ordinal }: HeapBlock): boolean {
  const view = new DataView(memory);
  const u32 = (at: number): number => view.getUint32(node + at, true);
  if (kind === 'full') return u32(0) === ptr && u32(16) === size && (ordinal === 0 || u32(20) === ordinal);
  return u32(0) === START_LIVE && u32(8) === size && u32(16) === ordinal;
}
