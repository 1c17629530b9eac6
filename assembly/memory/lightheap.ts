// Normal mode: blocks packed in arenas, with stamps and patterns that are looked at when a block is freed and when it leaves the
// queue of freed blocks. Nothing is seen at the access itself. Layout and patterns are Pageheap.exe's, light, x86.
//
//     header 32                                            user bytes       suffix 8
//     ┌──────┬──────┬──────┬──────┬───────┬──────┬──────┬────────────────┬──────────┐
//     │start │ heap │ size │actual│ queue │ site │ end  │ E0, freed F0   │ A0 × 8   │
//     └──────┴──────┴──────┴──────┴───────┴──────┴──────┴────────────────┴──────────┘
//     0      4      8      12     16      24     28     32
//
// queue: allocated, the allocation ordinal at 16; freed, the next block of the queue at 16, the ordinal at 20.
// site: of the allocation; freed, that << 16 | the site of the free.

import { ARENAS, HEAP_ROOT, LIGHT_CLASSES } from './layout';
import { BAD_FREE, DOUBLE_FREE, END_STAMP, HEAP_POINTER, INFIX, LEAK, SLACK, START_STAMP, SUFFIX, stop } from './stop';

const HEADER: usize = 32;
const SUFFIX_SIZE: usize = 8;

const START_LIVE: u32 = 0xabcdaaaa;
const END_LIVE: u32 = 0xdcbaaaaa;
const START_FREED: u32 = 0xabcdaaa9;
const END_FREED: u32 = 0xdcbaaaa9;
const FILL_LIVE: u8 = 0xe0;
const FILL_FREED: u8 = 0xf0;
const FILL_SUFFIX: u8 = 0xa0;
const SUFFIX_PATTERN: u64 = 0xa0a0a0a0a0a0a0a0;

/** _DPH_HEAP_ROOT.Signature. */
const ROOT_SIGNATURE: u32 = 0xffeeddcc;

const START: usize = 0;
const HEAP: usize = 4;
const SIZE: usize = 8;
const ACTUAL: usize = 12;
const QUEUE: usize = 16;
const FREED_ORDINAL: usize = 20;
const SITE: usize = 24;
const END: usize = 28;

/** No block is larger: alloc() has stopped. */
const EXTREME: usize = 0x7ff00000;

/** An arena is one run of pages; a larger block has a run of its own. */
const ARENA_SIZE: usize = 1 << 20;
const ARENAS_MAX: u32 = 4096;

/** Freed blocks kept filled with F0 before their memory serves again, and their bytes. */
const QUEUE_BLOCKS: u32 = 4096;
const QUEUE_BYTES: usize = 1 << 20;

let arenas: u32 = 0;
let cursor: usize = 0; // in the last arena
let limit: usize = 0;
let queueHead: usize = 0;
let queueTail: usize = 0;
let queued: u32 = 0;
let queuedBytes: usize = 0;

export function initLight(): void {
  store<u32>(HEAP_ROOT, ROOT_SIGNATURE);
}

/** Bytes a block of `size` takes: 16 x 2^k in quarters. */
function actualSize(size: usize): usize {
  const need = (HEADER + size + SUFFIX_SIZE + 15) & ~15;
  if (need <= 128) return need;
  const shift = 29 - clz<u32>(<u32>need);
  return ((need + (((<usize>1) << shift) - 1)) >>> shift) << shift;
}

function classOf(actual: usize): usize {
  if (actual <= 128) return LIGHT_CLASSES + ((actual >>> 4) << 2);
  const log = 31 - clz<u32>(<u32>actual);
  return LIGHT_CLASSES + ((16 + ((log - 7) << 2) + ((actual >>> (log - 2)) & 3)) << 2);
}

/** Does a new block of `size` need an arena first? Returns its bytes, 0 when there is room. */
export function lightNeeds(size: usize): usize {
  const actual = actualSize(size);
  if (load<u32>(classOf(actual))) return 0;
  if (cursor + actual <= limit) return 0;
  return actual > ARENA_SIZE ? actual : ARENA_SIZE;
}

/** Takes over `size` bytes at `base` as an arena. */
export function lightArena(base: usize, size: usize): void {
  if (arenas == ARENAS_MAX) unreachable(); // 4 GB of arenas: the memory has ended long before
  store<u32>(ARENAS + ((<usize>arenas) << 3), <u32>base);
  if (arenas) store<u32>(ARENAS + ((<usize>(arenas - 1)) << 3), <u32>cursor, 4);
  arenas++;
  cursor = base;
  limit = base + size;
}

export function lightAlloc(size: usize, site: u32, ordinal: u32): usize {
  const actual = actualSize(size);
  const head = classOf(actual);
  let h = <usize>load<u32>(head);
  if (h) {
    store<u32>(head, load<u32>(h, QUEUE));
  } else {
    h = cursor;
    cursor += actual;
  }
  store<u32>(h, START_LIVE, START);
  store<u32>(h, <u32>HEAP_ROOT, HEAP);
  store<u32>(h, <u32>size, SIZE);
  store<u32>(h, <u32>actual, ACTUAL);
  store<u32>(h, ordinal, QUEUE);
  store<u32>(h, 0, FREED_ORDINAL);
  store<u32>(h, site, SITE);
  store<u32>(h, END_LIVE, END);
  const ptr = h + HEADER;
  memory.fill(ptr, FILL_LIVE, size);
  store<u64>(ptr + size, SUFFIX_PATTERN);
  return ptr;
}

export function lightSize(ptr: usize): usize {
  return <usize>load<u32>(ptr - HEADER, SIZE);
}

export function lightOrdinal(ptr: usize): u32 {
  return load<u32>(ptr - HEADER, QUEUE);
}

export function lightSite(ptr: usize): u32 {
  return load<u32>(ptr - HEADER, SITE);
}

function report(kind: u32, address: usize, h: usize, site: u32, freeSite: u32, ordinal: u32): void {
  stop(kind, address, 1, h + HEADER, <usize>load<u32>(h, SIZE), site, freeSite, ordinal);
}

/** Ends a block: verifies stamps and suffix, fills it with F0 and queues it. */
export function lightFree(ptr: usize, freeSite: u32): void {
  const h = ptr - HEADER;
  const start = load<u32>(h, START);
  const end = load<u32>(h, END);
  const site = load<u32>(h, SITE);
  if (start == START_FREED && end == END_FREED) {
    stop(DOUBLE_FREE, ptr, 0, ptr, <usize>load<u32>(h, SIZE), site >>> 16, site & 0xffff, load<u32>(h, FREED_ORDINAL));
  }
  if (start != START_LIVE && end != END_LIVE) stop(BAD_FREE, ptr, 0, 0, 0, 0, freeSite, 0);
  const ordinal = load<u32>(h, QUEUE);
  if (end != END_LIVE) report(END_STAMP, h + END, h, site, freeSite, ordinal);
  if (start != START_LIVE) report(START_STAMP, h, h, site, freeSite, ordinal);
  if (load<u32>(h, HEAP) != <u32>HEAP_ROOT) report(HEAP_POINTER, h + HEAP, h, site, freeSite, ordinal);
  verifySizes(h, site, freeSite, ordinal);
  verifySuffix(h, site, freeSite, ordinal);
  const size = <usize>load<u32>(h, SIZE);
  const actual = <usize>load<u32>(h, ACTUAL);
  store<u32>(h, START_FREED, START);
  store<u32>(h, END_FREED, END);
  store<u32>(h, ordinal, FREED_ORDINAL);
  store<u32>(h, 0, QUEUE);
  store<u32>(h, (site << 16) | freeSite, SITE);
  memory.fill(ptr, FILL_FREED, size);
  if (queueTail) store<u32>(queueTail, <u32>h, QUEUE);
  else queueHead = h;
  queueTail = h;
  queued++;
  queuedBytes += actual;
  while (queued > QUEUE_BLOCKS || queuedBytes > QUEUE_BYTES) release();
}

/** The two sizes of a header must agree: what follows goes by them. */
function verifySizes(h: usize, site: u32, freeSite: u32, ordinal: u32): void {
  const size = <usize>load<u32>(h, SIZE);
  if (size > EXTREME || actualSize(size) != <usize>load<u32>(h, ACTUAL))
    report(SLACK, h + SIZE, h, site, freeSite, ordinal);
}

function verifySuffix(h: usize, site: u32, freeSite: u32, ordinal: u32): void {
  const from = h + HEADER + <usize>load<u32>(h, SIZE);
  if (load<u64>(from) == SUFFIX_PATTERN) return;
  for (let q = from; q < from + SUFFIX_SIZE; q++) {
    if (load<u8>(q) != FILL_SUFFIX) report(SUFFIX, q, h, site, freeSite, ordinal);
  }
}

/** The oldest freed block leaves the queue: every byte of it must still be F0, and its header and suffix what they were. */
function release(): void {
  const h = queueHead;
  const ptr = h + HEADER;
  const size = <usize>load<u32>(h, SIZE);
  const site = load<u32>(h, SITE) >>> 16;
  const freeSite = load<u32>(h, SITE) & 0xffff;
  const ordinal = load<u32>(h, FREED_ORDINAL);
  if (load<u32>(h, END) != END_FREED) report(END_STAMP, h + END, h, site, freeSite, ordinal);
  if (load<u32>(h, START) != START_FREED) report(START_STAMP, h, h, site, freeSite, ordinal);
  verifySizes(h, site, freeSite, ordinal);
  const bad = firstOther(ptr, size);
  if (bad) report(INFIX, bad, h, site, freeSite, ordinal);
  verifySuffix(h, site, freeSite, ordinal);
  queueHead = <usize>load<u32>(h, QUEUE);
  if (!queueHead) queueTail = 0;
  const actual = <usize>load<u32>(h, ACTUAL);
  queued--;
  queuedBytes -= actual;
  const head = classOf(actual);
  store<u32>(h, load<u32>(head), QUEUE);
  store<u32>(head, <u32>h);
}

/** The first of `size` bytes at `ptr` that is not F0, 0 when all are. */
function firstOther(ptr: usize, size: usize): usize {
  const end = ptr + size;
  const f0 = i8x16.splat(<i8>FILL_FREED);
  let q = ptr;
  for (; q + 64 <= end; q += 64) {
    const a = v128.or(v128.xor(v128.load(q), f0), v128.xor(v128.load(q, 16), f0));
    const b = v128.or(v128.xor(v128.load(q, 32), f0), v128.xor(v128.load(q, 48), f0));
    if (v128.any_true(v128.or(a, b))) break;
  }
  for (; q < end; q++) if (load<u8>(q) != FILL_FREED) return q;
  return 0;
}

/** Empties the queue, so that what was written after its free is found before the operation ends. */
export function lightSweep(): void {
  while (queueHead) release();
}

/** Stops at the first live block of a core site. */
export function lightLeaks(): void {
  for (let k: u32 = 0; k < arenas; k++) {
    const a = ARENAS + ((<usize>k) << 3);
    const end = k + 1 == arenas ? cursor : <usize>load<u32>(a, 4);
    for (let h = <usize>load<u32>(a); h < end; h += <usize>load<u32>(h, ACTUAL)) {
      if (load<u32>(h, START) == START_LIVE && load<u32>(h, SITE)) {
        stop(LEAK, h + HEADER, 0, h + HEADER, <usize>load<u32>(h, SIZE), load<u32>(h, SITE), 0, load<u32>(h, QUEUE));
      }
    }
  }
}
