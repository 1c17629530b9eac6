// The two block encodings, MS-PST 5.1 (permute) and 5.2 (cyclic). Neither is encryption.
//
// Cyclic: w = low 16 bits of (key ^ key >> 16), key = low 32 bits of the BID; per byte add low(w), R, add
// high(w), S, subtract high(w), I, subtract low(w); then w = w + 1. The middle five steps depend on
// high(w) alone and are one look-up in CYCLIC_TABLE. Encoding and decoding are the same routine.

import { CYCLIC_TABLE, DECODE_TABLE, ENCODE_TABLE } from '../memory/layout';
import { copy, get8, get64, put8, put64, take } from '../memory/span';

/** bCryptMethod of the HEADER, MS-PST 2.2.2.6. */
export const CRYPT_NONE: u32 = 0;
export const CRYPT_PERMUTE: u32 = 1;
export const CRYPT_CYCLIC: u32 = 2;

/** Decodes `n` bytes from one span to another (or in place). */
export function decode(to: usize, from: usize, n: usize, method: u32, key: u32): void {
  if (method == CRYPT_PERMUTE) permute(to, from, n, DECODE_TABLE);
  else if (method == CRYPT_CYCLIC) cyclic(to, from, n, key);
  else if (to != from) copy(to, from, n);
}

export function encode(to: usize, from: usize, n: usize, method: u32, key: u32): void {
  if (method == CRYPT_PERMUTE) permute(to, from, n, ENCODE_TABLE);
  else if (method == CRYPT_CYCLIC) cyclic(to, from, n, key);
  else if (to != from) copy(to, from, n);
}

function permute(to: usize, from: usize, n: usize, table: usize): void {
  const end = from + (n & ~7);
  for (; from < end; from += 8, to += 8) {
    const w = get64(from);
    const a = <u32>w;
    const b = <u32>(w >>> 32);
    const lo =
      <u32>load<u8>(table + (a & 255)) |
      ((<u32>load<u8>(table + ((a >>> 8) & 255))) << 8) |
      ((<u32>load<u8>(table + ((a >>> 16) & 255))) << 16) |
      ((<u32>load<u8>(table + (a >>> 24))) << 24);
    const hi =
      <u32>load<u8>(table + (b & 255)) |
      ((<u32>load<u8>(table + ((b >>> 8) & 255))) << 8) |
      ((<u32>load<u8>(table + ((b >>> 16) & 255))) << 16) |
      ((<u32>load<u8>(table + (b >>> 24))) << 24);
    put64(to, <u64>lo | ((<u64>hi) << 32));
  }
  for (let k: usize = 0; k < (n & 7); k++) put8(to + k, <u32>load<u8>(table + <usize>get8(from + k)));
}

function cyclic(to: usize, from: usize, n: usize, key: u32): void {
  let w: u32 = (key ^ (key >>> 16)) & 0xffff;
  const end = from + n;
  while (from < end) {
    const table = CYCLIC_TABLE + ((<usize>w >>> 8) << 8);
    let run = <usize>(256 - (w & 255)); // until the high byte of w changes
    if (run > end - from) run = end - from;
    const stop = from + run;
    for (let l = w; from < stop; from++, to++, l++) {
      put8(to, (<u32>load<u8>(table + <usize>((get8(from) + l) & 255)) - l) & 255);
    }
    w = (w + <u32>run) & 0xffff;
  }
}

/** Decodes a whole block in place. */
export function blockDecode(ptr: usize, n: usize, method: u32, key: u32): void {
  const p = take(ptr, 0, n);
  decode(p, p, n, method, key);
}
