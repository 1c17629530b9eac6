// Blocks: payload, padding, BLOCKTRAILER. MS-PST 2.2.2.8. The trailer ends the last unit.
//
//     ┌───────────────┬─────────┬──────────────┐
//     │ cb bytes      │ padding │ BLOCKTRAILER │   units of 64 bytes, trailer 12 (ANSI) or 16;
//     └───────────────┴─────────┴──────────────┘   4K stores: units of 512, trailer 24
//
//     ANSI     cb u16 · wSig u16 · bid u32 · dwCRC u32
//     Unicode  cb u16 · wSig u16 · dwCRC u32 · bid u64
//     4K       as Unicode, then u16 2, u16 inflated size, u32 0     (seen in real stores)

import { BLOCK_BID, BLOCK_CB, BLOCK_CRC, BLOCK_SIG, damage } from '../damage';
import { alloc } from '../memory/pageheap';
import { SITE_BLOCK_LOAD } from '../memory/site';
import { copy, get16, get32, put8, put16, put32, take, zero } from '../memory/span';
import { crc } from './crc';
import { decode, encode } from './encoding';

export const ANSI: u32 = 0;
export const UNICODE: u32 = 1;
export const UNICODE_4K: u32 = 2;

function trailerSize(variant: u32): usize {
  return variant == ANSI ? 12 : variant == UNICODE ? 16 : 24;
}

/** Bytes a block of `cb` stored bytes takes in the file. */
export function wireSize(cb: usize, variant: u32): usize {
  const unit: usize = variant == UNICODE_4K ? 512 : 64;
  return (cb + trailerSize(variant) + unit - 1) & ~(unit - 1);
}

/** wSig, MS-PST 5.5: only the low 32 bits of ib and bid take part. */
export function signature(bidLo: u32, ibLo: u32): u32 {
  const x = bidLo ^ ibLo;
  return ((x >>> 16) ^ x) & 0xffff;
}

/** Verifies the trailer of the `cb` stored bytes at `lo` + `at`. Returns 0 with a damage record. */
export function blockCheck(lo: usize, at: usize, cb: usize, variant: u32, bidLo: u32, bidHi: u32, ibLo: u32): u32 {
  const size = trailerSize(variant);
  const t = take(lo, at + wireSize(cb, variant) - size, size);
  const cbStored = get16(t);
  if (<usize>cbStored != cb) return <u32>damage(BLOCK_CB, cbStored, <u32>cb);
  const ansi = variant == ANSI;
  const bid = get32(ansi ? t + 4 : t + 8);
  if (bid != bidLo) return <u32>damage(BLOCK_BID, bid, bidLo);
  if (!ansi && get32(t + 12) != bidHi) return <u32>damage(BLOCK_BID, get32(t + 12), bidHi);
  const wSig = get16(t + 2);
  const expected = signature(bidLo, ibLo);
  if (wSig != expected) return <u32>damage(BLOCK_SIG, wSig, expected);
  const stored = get32(ansi ? t + 8 : t + 4);
  const sum = crc(lo, at, cb);
  if (stored != sum) return <u32>damage(BLOCK_CRC, stored, sum);
  return 1;
}

/** Decodes `cb` bytes at `lo` + `at` into a block of their own. */
export function blockLoad(lo: usize, at: usize, cb: usize, method: u32, key: u32): usize {
  const ptr = alloc(cb, SITE_BLOCK_LOAD);
  decode(take(ptr, 0, cb), take(lo, at, cb), cb, method, key);
  return ptr;
}

function finish(dst: usize, dstAt: usize, cb: usize, sum: u32, bidLo: u32, bidHi: u32, ibLo: u32): usize {
  const wire = wireSize(cb, UNICODE);
  zero(take(dst, dstAt + cb, wire - cb - 16), wire - cb - 16);
  const t = take(dst, dstAt + wire - 16, 16);
  put16(t, <u32>cb);
  put16(t + 2, signature(bidLo, ibLo));
  put32(t + 4, sum);
  put32(t + 8, bidLo);
  put32(t + 12, bidHi);
  return wire;
}

/** Encodes `cb` bytes and completes a Unicode block at `dst` + `dstAt`. Returns its wire size. */
export function blockSeal(
  dst: usize,
  dstAt: usize,
  src: usize,
  srcAt: usize,
  cb: usize,
  method: u32,
  bidLo: u32,
  bidHi: u32,
  ibLo: u32,
): usize {
  encode(take(dst, dstAt, cb), take(src, srcAt, cb), cb, method, bidLo);
  return finish(dst, dstAt, cb, crc(dst, dstAt, cb), bidLo, bidHi, ibLo);
}

/**
 * Copies a Unicode block that blockCheck() has passed, and completes it for the new place. The CRC is the source's, not
 * one of the copy: a copy gone wrong has a wrong CRC, and is found when the store is read back.
 */
export function blockCopy(
  dst: usize,
  dstAt: usize,
  src: usize,
  srcAt: usize,
  cb: usize,
  bidLo: u32,
  bidHi: u32,
  ibLo: u32,
): usize {
  copy(take(dst, dstAt, cb), take(src, srcAt, cb), cb);
  const sum = get32(take(src, srcAt + wireSize(cb, UNICODE) - 12, 4));
  return finish(dst, dstAt, cb, sum, bidLo, bidHi, ibLo);
}

const PAGE_DATA: usize = 496;

/** Allocation map pages carry no signature and their offset as BID. MS-PST 2.2.2.7.1. */
function isMap(ptype: u32): bool {
  return ptype >= 0x82 && ptype <= 0x85;
}

/** Writes the PAGETRAILER of a Unicode page whose 496 bytes are in place. MS-PST 2.2.2.7.1. */
export function pageSeal(dst: usize, dstAt: usize, ptype: u32, bidLo: u32, bidHi: u32, ibLo: u32): void {
  const sum = crc(dst, dstAt, PAGE_DATA);
  const t = take(dst, dstAt + PAGE_DATA, 16);
  put8(t, ptype);
  put8(t + 1, ptype);
  put16(t + 2, isMap(ptype) ? 0 : signature(bidLo, ibLo));
  put32(t + 4, sum);
  put32(t + 8, bidLo);
  put32(t + 12, bidHi);
}
