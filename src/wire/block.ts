/**
 * Blocks. MS-PST 2.2.2.8. The payload, zeros, and a BLOCKTRAILER that ends the last unit.
 *
 *     ┌───────────────┬─────────┬──────────────┐
 *     │ cb bytes      │ padding │ BLOCKTRAILER │
 *     └───────────────┴─────────┴──────────────┘
 *     ib                          multiple of the unit
 * @module
 */
import { struct, u8, u16, u32, u64 } from './struct.js';
import { UNICODE, type Variant } from './variant.js';

export const BLOCKTRAILER = struct('BLOCKTRAILER', '2.2.2.8.1', 16, { cb: u16, wSig: u16, dwCRC: u32, bid: u64 });
/** bid before dwCRC. */
export const BLOCKTRAILER_ANSI = struct('BLOCKTRAILER (ANSI)', '2.2.2.8.1', 12, {
  cb: u16,
  wSig: u16,
  bid: u32,
  dwCRC: u32,
});
/** libpff, and seen in real stores. cb and dwCRC are of the stored (deflated) bytes. */
export const BLOCKTRAILER_4K = struct('BLOCKTRAILER (4K)', '2.2.2.8.1', 24, {
  cb: u16,
  wSig: u16,
  dwCRC: u32,
  bid: u64,
  wUnknown: u16, // unknown: seen 2
  cbInflated: u16, // equal to cb: not deflated
  dwUnknown: u32, // unknown: seen 0
});

/** btype of XBLOCK and XXBLOCK (2.2.2.8.3.2) and of SLBLOCK and SIBLOCK (2.2.2.8.3.3). */
export const BTYPE = { X: 1, SL: 2 } as const;

/** XBLOCK (cLevel 1: BIDs of data blocks) and XXBLOCK (cLevel 2: BIDs of XBLOCKs); the BIDs follow. */
export const XBLOCK = struct('XBLOCK', '2.2.2.8.3.2.1', 8, { btype: u8, cLevel: u8, cEnt: u16, lcbTotal: u32 });

/** SLBLOCK (cLevel 0) and SIBLOCK (cLevel 1); the entries follow. */
export const SLBLOCK = struct('SLBLOCK', '2.2.2.8.3.3.1.1', 8, { btype: u8, cLevel: u8, cEnt: u16, dwPadding: u32 });
export const SLBLOCK_ANSI = struct('SLBLOCK (ANSI)', '2.2.2.8.3.3.1.1', 4, { btype: u8, cLevel: u8, cEnt: u16 });
/** The same layouts under the spec's other name. */
export const SIBLOCK = struct('SIBLOCK', '2.2.2.8.3.3.2.2', 8, { btype: u8, cLevel: u8, cEnt: u16, dwPadding: u32 });
export const SIBLOCK_ANSI = struct('SIBLOCK (ANSI)', '2.2.2.8.3.3.2.2', 4, { btype: u8, cLevel: u8, cEnt: u16 });

/** A subnode. */
export const SLENTRY = struct('SLENTRY', '2.2.2.8.3.3.1.2', 24, {
  nid: u32,
  nidPadding: u32,
  bidData: u64,
  bidSub: u64,
});
export const SLENTRY_ANSI = struct('SLENTRY (ANSI)', '2.2.2.8.3.3.1.2', 12, { nid: u32, bidData: u32, bidSub: u32 });
/** The first NID of an SLBLOCK, and its BID. */
export const SIENTRY = struct('SIENTRY', '2.2.2.8.3.3.2.1', 16, { nid: u32, nidPadding: u32, bid: u64 });
export const SIENTRY_ANSI = struct('SIENTRY (ANSI)', '2.2.2.8.3.3.2.1', 8, { nid: u32, bid: u32 });

export interface BlockGeometry {
  /** Blocks start and end on multiples of it. */
  readonly unit: number;
  readonly trailer: typeof BLOCKTRAILER | typeof BLOCKTRAILER_ANSI | typeof BLOCKTRAILER_4K;
  /** Largest block in the file, trailer and padding included; largest payload, stored or inflated. */
  readonly maxSize: number;
  readonly maxPayload: number;
  /** Bytes of a BID and of a place. */
  readonly bidSize: 4 | 8;
  readonly slblock: typeof SLBLOCK | typeof SLBLOCK_ANSI;
  readonly slentry: typeof SLENTRY | typeof SLENTRY_ANSI;
  readonly siblock: typeof SIBLOCK | typeof SIBLOCK_ANSI;
  readonly sientry: typeof SIENTRY | typeof SIENTRY_ANSI;
  /** Entries of a full block of each. */
  readonly xblockMax: number;
  readonly slMax: number;
  readonly siMax: number;
}

function geometry(unit: number, maxSize: number, trailer: BlockGeometry['trailer'], wide: boolean): BlockGeometry {
  const maxPayload = maxSize - trailer.size;
  const slblock = wide ? SLBLOCK : SLBLOCK_ANSI;
  const slentry = wide ? SLENTRY : SLENTRY_ANSI;
  const siblock = wide ? SIBLOCK : SIBLOCK_ANSI;
  const sientry = wide ? SIENTRY : SIENTRY_ANSI;
  const bidSize = wide ? 8 : 4;
  return {
    unit,
    trailer,
    maxSize,
    maxPayload,
    bidSize,
    slblock,
    slentry,
    siblock,
    sientry,
    xblockMax: Math.floor((maxPayload - XBLOCK.size) / bidSize),
    slMax: Math.floor((maxPayload - slblock.size) / slentry.size),
    siMax: Math.floor((maxPayload - siblock.size) / sientry.size),
  };
}

/** By variant: payloads of 8180, 8176, 65,512 bytes. */
export const BLOCK: readonly [BlockGeometry, BlockGeometry, BlockGeometry] = [
  geometry(64, 8192, BLOCKTRAILER_ANSI, false),
  geometry(64, 8192, BLOCKTRAILER, true),
  geometry(512, 65536, BLOCKTRAILER_4K, true),
];

/** Bytes a block of `cb` stored bytes takes in the file. 2.2.2.8. */
export function wireSize(cb: number, variant: Variant): number {
  const { unit, trailer } = BLOCK[variant];
  return Math.ceil((cb + trailer.size) / unit) * unit;
}

/** dwCRC in the trailer of the Unicode block of `cb` bytes at `at`. 2.2.2.8.1. */
export function storedCrc(view: DataView, at: number, cb: number): number {
  return view.getUint32(at + wireSize(cb, UNICODE) - BLOCKTRAILER.size + BLOCKTRAILER.at.dwCRC, true);
}
