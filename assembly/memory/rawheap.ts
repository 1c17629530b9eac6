// The yardstick: a plain segregated free-list heap without any check, in the raw build only.
// A block has 16 bytes in front of it: its size and its class.

import { CLASSES, MEMORY_LIMIT, POOL } from './layout';

let cursor: usize = POOL;

/** Sizes are rounded up to 16 x 2^k x (1 .. 2 in quarters). */
function roundUp(size: usize): usize {
  const need = (size + 31) & ~15;
  if (need <= 128) return need;
  const shift = 29 - clz<u32>(<u32>need);
  return ((need + (((<usize>1) << shift) - 1)) >>> shift) << shift;
}

function classOf(total: usize): usize {
  if (total <= 128) return CLASSES + ((total >>> 4) << 2);
  const log = 31 - clz<u32>(<u32>total);
  return CLASSES + ((16 + ((log - 7) << 2) + ((total >>> (log - 2)) & 3)) << 2);
}

export function rawAlloc(size: usize): usize {
  const total = roundUp(size);
  const head = classOf(total);
  let base = <usize>load<u32>(head);
  if (base) {
    store<u32>(head, load<u32>(base, 8));
  } else {
    base = cursor;
    const end = base + total;
    if (end > MEMORY_LIMIT || end < base) unreachable();
    const have = (<usize>memory.size()) << 16;
    if (end > have && memory.grow(<i32>((end - have + 0xffffff) >>> 16)) < 0) unreachable();
    cursor = end;
  }
  store<u32>(base, <u32>size);
  store<u32>(base, <u32>total, 4);
  return base + 16;
}

export function rawFree(ptr: usize): void {
  const base = ptr - 16;
  const head = classOf(<usize>load<u32>(base, 4));
  store<u32>(base, load<u32>(head), 8);
  store<u32>(head, <u32>base);
}

export function rawSize(ptr: usize): usize {
  return <usize>load<u32>(ptr - 16);
}
