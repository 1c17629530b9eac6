// CRC-32 of pages and blocks: polynomial 0xEDB88320 reflected, start 0, no final inversion. MS-PST 5.3.
//
// x^300 + x^155 + x^117 + x^89 + 1 is a multiple of the polynomial; squared three times its taps are
// whole bytes, so byte i may be replaced by copies at i + 145, i + 183, i + 211 and i + 300. A message
// folds with vector instructions into its last 300 to 331 bytes; the rest goes through slicing-by-16.

import { CRC_TABLE, FOLD, FOLD_TAIL } from '../memory/layout';
import { get8, get32, get128, take } from '../memory/span';

/** Below this, and above the scratch, folding does not pay. */
const FOLD_FROM: usize = 400;
const FOLD_TO: usize = 65536;

export function initCrc(): void {
  for (let n: u32 = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    store<u32>(CRC_TABLE + (<usize>n << 2), c);
  }
  for (let k: usize = 1; k < 16; k++) {
    for (let n: usize = 0; n < 256; n++) {
      const c = load<u32>(CRC_TABLE + ((k - 1) << 10) + (n << 2));
      store<u32>(CRC_TABLE + (k << 10) + (n << 2), (c >>> 8) ^ load<u32>(CRC_TABLE + (<usize>(c & 255) << 2)));
    }
  }
}

/** CRC of `n` bytes at offset `at` of block `lo`. */
export function crc(lo: usize, at: usize, n: usize): u32 {
  const p = take(lo, at, n);
  if (n < FOLD_FROM || n > FOLD_TO) return sliced(p, n);
  return folded(p, n);
}

// @ts-ignore: decorator
@inline function t(k: usize, index: u32): u32 {
  return load<u32>(CRC_TABLE + (k << 10) + (<usize>index << 2));
}

// @ts-ignore: decorator
@inline function step(a: u32, b: u32, c: u32, d: u32): u32 {
  return (
    t(15, a & 255) ^ t(14, (a >>> 8) & 255) ^ t(13, (a >>> 16) & 255) ^ t(12, a >>> 24) ^
    t(11, b & 255) ^ t(10, (b >>> 8) & 255) ^ t(9, (b >>> 16) & 255) ^ t(8, b >>> 24) ^
    t(7, c & 255) ^ t(6, (c >>> 8) & 255) ^ t(5, (c >>> 16) & 255) ^ t(4, c >>> 24) ^
    t(3, d & 255) ^ t(2, (d >>> 8) & 255) ^ t(1, (d >>> 16) & 255) ^ t(0, d >>> 24)
  );
}

/** Slicing-by-16 over stream bytes. */
function sliced(p: usize, n: usize): u32 {
  let sum: u32 = 0;
  for (; n >= 16; n -= 16, p += 16) sum = step(get32(p) ^ sum, get32(p + 4), get32(p + 8), get32(p + 12));
  for (; n > 0; n--, p++) sum = t(0, (sum ^ get8(p)) & 255) ^ (sum >>> 8);
  return sum;
}

/** The same over the fold's own scratch. */
function slicedScratch(p: usize, n: usize): u32 {
  let sum: u32 = 0;
  for (; n >= 16; n -= 16, p += 16) sum = step(load<u32>(p) ^ sum, load<u32>(p, 4), load<u32>(p, 8), load<u32>(p, 12));
  for (; n > 0; n--, p++) sum = t(0, (sum ^ load<u8>(p)) & 255) ^ (sum >>> 8);
  return sum;
}

function folded(p: usize, n: usize): u32 {
  const whole = (n - 300) & ~31;
  let b: usize = FOLD + 4; // FOLD .. FOLD + 303 stay zero: the taps before the first byte
  const end = b + whole;
  while (b < end) {
    v128.store(
      b,
      v128.xor(
        v128.xor(v128.xor(get128(p), v128.load(b)), v128.load(b, 89)),
        v128.xor(v128.load(b, 117), v128.load(b, 155)),
      ),
      300,
    );
    v128.store(
      b,
      v128.xor(
        v128.xor(v128.xor(get128(p + 16), v128.load(b, 16)), v128.load(b, 105)),
        v128.xor(v128.load(b, 133), v128.load(b, 171)),
      ),
      316,
    );
    b += 32;
    p += 32;
  }
  memory.fill(b + 300, 0, 352); // bytes past the whole part must not fold again
  const left = n - whole;
  let d: usize = FOLD_TAIL;
  const stop = b + (left & ~15);
  while (b < stop) {
    v128.store(
      d,
      v128.xor(
        v128.xor(v128.xor(get128(p), v128.load(b)), v128.load(b, 89)),
        v128.xor(v128.load(b, 117), v128.load(b, 155)),
      ),
    );
    b += 16;
    p += 16;
    d += 16;
  }
  for (let k: usize = 0; k < (left & 15); k++) {
    const byte = <u8>get8(p + k) ^ load<u8>(b + k) ^ load<u8>(b + k, 89) ^ load<u8>(b + k, 117) ^ load<u8>(b + k, 155);
    store<u8>(d + k, byte);
  }
  return slicedScratch(FOLD_TAIL, left);
}
