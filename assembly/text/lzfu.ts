// Compressed RTF, decoding. MS-OXRTFCP 2.1.3.1: a 16-byte header, then literal bytes or LZFu runs.
//
//     COMPSIZE u32 (all after itself) · RAWSIZE u32 · COMPTYPE u32 · CRC u32 of the contents
//
//     run      ─▶ control byte, bit 0 first: 0 a literal byte, 1 a reference of two bytes, big-endian
//     reference ─▶ offset in the dictionary (12 bits) · length - 2 (4 bits); offset = write position ends it
//
// The dictionary is a ring of 4096 bytes that starts with 207 bytes of preset text. All of it that can be
// referred to has just been written, so the output itself is the ring: a reference is a copy from `distance`
// bytes back, and before the first byte of the output lies the preset.

import { damage, RTF_CRC, RTF_HEADER, RTF_SIZE, RTF_STREAM, RTF_TYPE } from '../damage';
import { alloc, free } from '../memory/pageheap';
import { FREE_RTF_FAILED, SITE_RTF_EMPTY, SITE_RTF_PLAIN, SITE_RTF_TEXT } from '../memory/site';
import { copy, get8, get32, get64, put8, put64, take } from '../memory/span';
import { crc } from '../ndb/crc';

const HEADER: usize = 16;
const COMPRESSED: u32 = 0x75465a4c; // "LZFu"
const UNCOMPRESSED: u32 = 0x414c454d; // "MELA"
const RING: u32 = 4095;

/** Stops a 16-byte value that asks for four thousand million bytes. No body of a real message comes near. */
const RAW_MAX: u32 = 64 << 20;

/** Stops the same a second time: 17 bytes of a run (control, 8 references) make 136 bytes at the very most. */
const RATIO_MAX: u32 = 8;

/** What stands in the dictionary before the first byte. MS-OXRTFCP 2.1.2.1. */
// biome-ignore format: one literal, so that it is static data and no string is made at run time
const PRESET: string = '{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx';
const PRESET_SIZE: u32 = 207;

/**
 * The RTF in the `n` bytes at `lo` + `at`, in a block the caller frees; its size is RAWSIZE, but 1 when that is 0.
 * Returns 0 with a damage record. Bytes behind COMPSIZE are not looked at.
 */
export function lzfuDecode(lo: usize, at: usize, n: usize): usize {
  if (n < HEADER) return damage(RTF_HEADER, <u32>n, <u32>HEADER);
  const head = take(lo, at, HEADER);
  const after = get32(head);
  if (after < 12 || <usize>after > n - 4) return damage(RTF_HEADER, <u32>n - 4, after);
  const size = <usize>after - 12;
  const raw = get32(head + 4);
  const type = get32(head + 8);
  if (type == UNCOMPRESSED) {
    if (<usize>raw > size) return damage(RTF_SIZE, raw, <u32>size);
    const out = alloc(raw ? raw : 1, SITE_RTF_PLAIN);
    copy(take(out, 0, raw), take(lo, at + (raw ? HEADER : 0), raw), raw);
    return out;
  }
  if (type != COMPRESSED) return damage(RTF_TYPE, type, 0);
  if (raw > RAW_MAX || <u64>raw > <u64>size * RATIO_MAX) {
    const limit = <u64>size * RATIO_MAX;
    return damage(RTF_SIZE, raw, limit < <u64>RAW_MAX ? <u32>limit : RAW_MAX);
  }
  if (size == 0) return alloc(1, SITE_RTF_EMPTY); // and so raw is 0
  const stored = get32(head + 12);
  const sum = crc(lo, at + HEADER, size);
  if (stored != sum) return damage(RTF_CRC, stored, sum);
  const out = alloc(raw ? raw : 1, SITE_RTF_TEXT);
  const written = expand(take(out, 0, raw), raw, take(lo, at + HEADER, size), size);
  if (written == raw) return out;
  free(out, FREE_RTF_FAILED);
  return damage(RTF_STREAM, stopped, written);
}

/** Where in the contents expand() gave up. */
let stopped: u32 = 0;

function preset(index: u32): u32 {
  return <u32>PRESET.charCodeAt(<i32>index);
}

/** Fills `raw` bytes at `to` from `size` bytes at `from`. Returns how many it could; less is damage. */
function expand(to: usize, raw: u32, from: usize, size: usize): u32 {
  const end = from + size;
  let p = from;
  let w: u32 = 0;
  while (w < raw && p < end) {
    let control = get8(p++);
    for (let k = 0; k < 8 && w < raw; k++, control >>= 1) {
      stopped = <u32>(p - from);
      if (p >= end) return w;
      if (!(control & 1)) {
        put8(to + w, get8(p));
        p++;
        w++;
        continue;
      }
      if (end - p < 2) return w;
      const token = (get8(p) << 8) | get8(p + 1);
      p += 2;
      const distance = (w + PRESET_SIZE - (token >>> 4)) & RING;
      if (distance == 0 || distance > w + PRESET_SIZE) return w; // the end, or a place nothing was written to
      let length = (token & 15) + 2;
      if (length > raw - w) length = raw - w;
      if (distance >= 8 && distance <= w && raw - w >= 17) {
        put64(to + w, get64(to + w - distance));
        put64(to + w + 8, get64(to + w + 8 - distance));
        if (length > 16) put8(to + w + 16, get8(to + w + 16 - distance));
        w += length;
        continue;
      }
      for (; length > 0 && distance > w; length--, w++) put8(to + w, preset(PRESET_SIZE + w - distance));
      for (; length > 0; length--, w++) put8(to + w, get8(to + w - distance));
    }
  }
  return w;
}
