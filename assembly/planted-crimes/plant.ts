// Planted crimes: what the decoders of a migration library have been known to do, one at a time. Test only; patched into a copy of
// the core's sources while it is compiled (test/planted/crimes.ts), never part of a core that ships. Each crime states its access by
// take(), as all code of the core does, and then trusts a number it should not.

import { hnItem, itemAt, itemLo, itemSize } from '../ltp/heap';
import { alloc, free } from '../memory/pageheap';
import { SITE_PC, SITE_PC_PLAN } from '../memory/site';
import { copy, get16, get32, put8, put16, put32, take } from '../memory/span';

export let planted: u32 = 0;

/** Chooses the crime; 0 is none. */
export function plant(crime: u32): void {
  planted = crime;
}

const ATTACH_LONG_FILENAME: u32 = 0x3707001f;
const RENDERING_POSITION: u32 = 0x370b0003;
const ATTACH_METHOD: u32 = 0x37050003;

const SITE: u32 = SITE_PC_PLAN;
const FREED: u32 = SITE_PC; // the decoder: no list has the lines of this file

let stale: usize = 0;

/** Called for every property of a context that is read, with its inline value. */
export function atProperty(tag: u32, value: u32): void {
  switch (planted) {
    case 1: // KB 885455: -1 read as 65535-65535-65535 into a text buffer made for YYYY-MM-DD
      if (tag == RENDERING_POSITION) {
        const text = alloc(11, SITE);
        if (value == 0xffffffff) for (let k: usize = 0; k < 17; k++) put8(take(text, k, 1), 0x36);
        free(text, FREED);
      }
      break;
    case 6: // an address inside the block is freed
      if (tag == RENDERING_POSITION) {
        const p = alloc(48, SITE);
        put32(take(p, 0, 4), value);
        for (let k: usize = 4; k < 48; k += 4) put32(take(p, k, 4), 0x20202020);
        free(p + 16, FREED);
      }
      break;
    case 7: // freed on the error path and again at the end
      if (tag == RENDERING_POSITION) {
        const p = alloc(60000, SITE);
        if (value == 0xffffffff) free(p, FREED);
        free(p, FREED);
      }
      break;
    case 8: // never freed
      if (tag == RENDERING_POSITION) alloc(72, SITE);
      break;
    case 9: // a rule list: the entry is freed, then its link is written
      if (tag == ATTACH_METHOD) {
        const first = alloc(24, SITE);
        const second = alloc(24, SITE);
        put32(take(first, 0, 4), <u32>second);
        free(second, FREED);
        put32(take(<usize>get32(take(first, 0, 4)), 4, 4), 0);
        free(first, FREED);
      }
      break;
    case 10: // a multi-value loop that ends at <= instead of <
      if (tag == RENDERING_POSITION) {
        const count: usize = 5;
        const values = alloc(count << 2, SITE);
        for (let k: usize = 0; k <= count; k++) put32(take(values, k << 2, 4), value);
        free(values, FREED);
      }
      break;
    case 11: // a length prefix is written before the first byte
      if (tag == RENDERING_POSITION) {
        const p = alloc(33, SITE);
        put8(take(p, <usize>-1, 1), 33);
        free(p, FREED);
      }
      break;
    case 12: // a list is walked back one entry too far
      if (tag == RENDERING_POSITION) {
        const p = alloc(64, SITE);
        for (let k: isize = 56; k >= -8; k -= 8) {
          put32(take(p, <usize>k, 4), value);
          put32(take(p, <usize>(k + 4), 4), value);
        }
        free(p, FREED);
      }
      break;
    case 14: // a 16-bit size: 65,540 bytes are asked for as 4
      if (tag == RENDERING_POSITION) {
        const need: u32 = 65540;
        const p = alloc(<usize>(need & 0xffff), SITE);
        for (let k: usize = 0; k < 12; k++) put8(take(p, k, 1), 0x41);
        free(p, FREED);
      }
      break;
    case 16: // size and offset change places: copy(to + size, from, offset)
      if (tag == RENDERING_POSITION) {
        const p = alloc(24, SITE);
        put32(take(p, 24, 4), 0);
        free(p, FREED);
      }
      break;
    case 21: // a handle kept from the property before
      if (tag == ATTACH_METHOD) {
        stale = alloc(56, SITE);
        free(stale, FREED);
      }
      if (tag == RENDERING_POSITION && stale) put32(take(stale, 0, 4), value);
      break;
    case 22: // room for an entry id without its flags, all 70 bytes are written
      if (tag == ATTACH_METHOD) {
        const p = alloc(66, SITE);
        for (let k: usize = 0; k < 70; k += 2) put16(take(p, k, 2), 0x4545);
        free(p, FREED);
      }
      break;
    case 23: // the pad to a multiple of 4 is written behind a value that fills its buffer
      if (tag == RENDERING_POSITION) {
        const p = alloc(21, SITE);
        for (let k: usize = 21; k & 3; k++) put8(take(p, k, 1), 0);
        free(p, FREED);
      }
      break;
    case 24: // the error path writes its reason to a block that is gone
      if (tag == ATTACH_METHOD) {
        const p = alloc(128, SITE);
        free(p, FREED);
        put32(take(p, 124, 4), 0x80004005);
      }
      break;
  }
}

/** Called for every value of variable size, with its HNID. */
export function atValue(tag: u32, chain: usize, variant: u32, hnid: u32): void {
  if (tag != ATTACH_LONG_FILENAME || hnid == 0 || hnid & 0x1f || !hnItem(chain, hnid, variant)) return;
  const lo = itemLo;
  const at = itemAt;
  const length = itemSize;
  switch (planted) {
    case 2: // Q176397: attachment names of more than 13 characters
      {
        const name = alloc(26, SITE);
        for (let k: usize = 0; k < length; k += 2) put16(take(name, k, 2), get16(take(lo, at + k, 2)));
        free(name, FREED);
      }
      break;
    case 3: // CVE-2020-16947: the size is taken before a conversion that makes two bytes of the first character three
      if (length > 0) {
        const utf8 = alloc(length, SITE);
        put8(take(utf8, 0, 1), 0xef);
        for (let k: usize = 0; k < length; k++) put8(take(utf8, k + 1, 1), 0xbf);
        free(utf8, FREED);
      }
      break;
    case 4: // Q287056: blanks where a size belongs
      {
        const record = alloc(28, SITE);
        const size = <usize>(0x20202020 & 0xff);
        for (let k: usize = 0; k < size; k++) put8(take(record, k, 1), 0x20);
        free(record, FREED);
      }
      break;
    case 5: // Q256879: the terminator of a string that fills its buffer
      if (length > 0) {
        const text = alloc(length, SITE);
        copy(take(text, 0, length), take(lo, at, length), length);
        put16(take(text, length, 2), 0);
        free(text, FREED);
      }
      break;
    case 15: // upper-casing an address in place, terminator included, where there is none
      if (length > 0) {
        const text = alloc(length, SITE);
        for (let k: usize = 0; k < (length >>> 1) + 1; k++) put16(take(text, k << 1, 2), 0x41);
        free(text, FREED);
      }
      break;
  }
}
