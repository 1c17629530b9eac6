// Uninitialised reads, in the paranoid build only: one bit per byte of the memory, set once the byte has been written.
// Buffers of the host count as written: the host fills them where the core cannot see it.

import { MEMORY_LIMIT, SHADOW } from './layout';

/** Takes all the memory there may be; what is never touched costs nothing. */
export function initShadow(): void {
  const have = (<usize>memory.size()) << 16;
  if (have < MEMORY_LIMIT && memory.grow(<i32>((MEMORY_LIMIT - have) >>> 16)) < 0) unreachable();
}

/** Marks `n` bytes at `p`, n of any size. */
export function shadow(p: usize, n: usize, isWritten: bool): void {
  const end = p + n;
  while (p < end && p & 7) mark(p++, isWritten);
  const whole = (end - p) >>> 3;
  memory.fill(SHADOW + (p >>> 3), isWritten ? 0xff : 0, whole);
  p += whole << 3;
  while (p < end) mark(p++, isWritten);
}

function mark(p: usize, isWritten: bool): void {
  const at = SHADOW + (p >>> 3);
  const shift = <u32>(p & 7);
  const bit = <u8>((<u32>1) << shift);
  store<u8>(at, isWritten ? load<u8>(at) | bit : load<u8>(at) & ~bit);
}

/** Marks up to 16 bytes as written. */
export function written(p: usize, n: u32): void {
  const at = SHADOW + (p >>> 3);
  store<u32>(at, load<u32>(at) | (((1 << n) - 1) << ((p & 7) as u32)));
}

/** Were all of up to 16 bytes written? */
export function isWritten(p: usize, n: u32): bool {
  const mask = <u32>(((1 << n) - 1) << ((p & 7) as u32));
  return (load<u32>(SHADOW + (p >>> 3)) & mask) == mask;
}

/** The first of `n` bytes that was never written, or 0. */
export function firstUnwritten(p: usize, n: usize): usize {
  const end = p + n;
  for (; p < end && p & 7; p++) if (!isWritten(p, 1)) return p;
  for (; p + 8 <= end; p += 8) {
    if (load<u8>(SHADOW + (p >>> 3)) == 0xff) continue;
    for (; ; p++) if (!isWritten(p, 1)) return p;
  }
  for (; p < end; p++) if (!isWritten(p, 1)) return p;
  return 0;
}
