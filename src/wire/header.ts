/**
 * HEADER and ROOT: the first bytes of a store. MS-PST 2.2.2.5, 2.2.2.6.
 *
 *     Unicode, 4K  0        24          44     180   252 256      384      512       516       524   564
 *                  │ magic… │ bid, uniq │ rgnid│ ROOT│  │ rgbFM  │ rgbFP  │ crypt   │ bidNextB│ CRC… │
 *     ANSI         0        24          36     164   204        332      460       464             512
 *                  │ magic… │ bid, uniq │ rgnid│ ROOT│ rgbFM    │ rgbFP  │ crypt   │ reserved       │
 * @module
 */
import { BREF, BREF_ANSI } from './page.js';
import { bytes, part, struct, u8, u16, u32, u32s, u64 } from './struct.js';

/** dwMagic: `!BDN`. */
export const MAGIC = 0x4e444221;
/** wMagicClient. */
export const CLIENT = { PST: 0x4d53, OST: 0x4f53, PAB: 0x4241 } as const;
/** wVer. 14, 15, 23 are MS-PST's; 36 is libpff's and seen in OSTs; 37 marks Windows Information Protection. */
export const WVER = { ANSI: 14, ANSI_15: 15, UNICODE: 23, UNICODE_4K: 36, UNICODE_4K_WIP: 37 } as const;
/** wVerClient: seen in real stores, 19 in every PST and 12 in every OST. */
export const WVER_CLIENT = { PST: 19, OST: 12 } as const;
export const SENTINEL = 0x80;
/** bCryptMethod. Permute and cyclic are encodings, not encryption; EDPCRYPTED really is. */
export const CRYPT = { NONE: 0, PERMUTE: 1, CYCLIC: 2, EDPCRYPTED: 0x10 } as const;
/** fAMapValid. 1 is VALID_AMAP1, deprecated, still seen. */
export const AMAP_VALID = { INVALID: 0, VALID1: 1, VALID2: 2 } as const;

/** dwCRCPartial covers this many bytes from CRC_START. 2.2.2.6. */
export const CRC_START = 8;
export const CRC_PARTIAL_SIZE = 471;
/** dwCRCFull, not in ANSI: over everything from wMagicClient through bidNextB. 2.2.2.6. */
export const CRC_FULL_SIZE = 516;

/** rgnid of a new store: 2.2.2.6. One counter per NID type. */
export const RGNID_START = Uint32Array.from({ length: 32 }, (_, type) =>
  type === 3 ? 0x4000 : type === 4 ? 0x10000 : type === 8 ? 0x8000 : 0x400,
);

export const ROOT = struct('ROOT', '2.2.2.5', 72, {
  dwReserved: u32,
  ibFileEof: u64,
  ibAMapLast: u64,
  cbAMapFree: u64,
  cbPMapFree: u64,
  BREFNBT: part(BREF),
  BREFBBT: part(BREF),
  fAMapValid: u8,
  bReserved: u8,
  wReserved: u16,
});

export const ROOT_ANSI = struct('ROOT (ANSI)', '2.2.2.5', 40, {
  dwReserved: u32,
  ibFileEof: u32,
  ibAMapLast: u32,
  cbAMapFree: u32,
  cbPMapFree: u32,
  BREFNBT: part(BREF_ANSI),
  BREFBBT: part(BREF_ANSI),
  fAMapValid: u8,
  bReserved: u8,
  wReserved: u16,
});

/** Unicode and Unicode 4K. */
export const HEADER = struct('HEADER', '2.2.2.6', 564, {
  dwMagic: u32,
  dwCRCPartial: u32,
  wMagicClient: u16,
  wVer: u16,
  wVerClient: u16,
  bPlatformCreate: u8,
  bPlatformAccess: u8,
  dwReserved1: u32,
  dwReserved2: u32,
  bidUnused: bytes(8), // raw: nothing may depend on it, so no value of it is absurd
  bidNextP: u64,
  dwUnique: u32,
  rgnid: u32s(32), // last nidIndex used per NID type: an index, not a whole NID
  qwUnused: bytes(8),
  root: part(ROOT),
  dwAlign: u32,
  rgbFM: bytes(128),
  rgbFP: bytes(128),
  bSentinel: u8,
  bCryptMethod: u8,
  rgbReserved: bytes(2),
  bidNextB: u64,
  dwCRCFull: u32,
  rgbReserved2: bytes(3),
  bReserved: u8,
  rgbReserved3: bytes(32),
});

/** bidNextB stands before bidNextP, and there is no dwCRCFull. */
export const HEADER_ANSI = struct('HEADER (ANSI)', '2.2.2.6', 512, {
  dwMagic: u32,
  dwCRCPartial: u32,
  wMagicClient: u16,
  wVer: u16,
  wVerClient: u16,
  bPlatformCreate: u8,
  bPlatformAccess: u8,
  dwReserved1: u32,
  dwReserved2: u32,
  bidNextB: u32,
  bidNextP: u32,
  dwUnique: u32,
  rgnid: u32s(32),
  root: part(ROOT_ANSI),
  rgbFM: bytes(128),
  rgbFP: bytes(128),
  bSentinel: u8,
  bCryptMethod: u8,
  rgbReserved: bytes(2),
  ullReserved: bytes(8),
  dwReserved: u32,
  rgbReserved2: bytes(3),
  bReserved: u8,
  rgbReserved3: bytes(32),
});
