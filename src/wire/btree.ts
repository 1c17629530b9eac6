/**
 * Entries of the two B-trees. MS-PST 2.2.2.7.7.2 (branches), 2.2.2.7.7.3 (BBT leaves), 2.2.2.7.7.4 (NBT leaves).
 * @module
 */
import { PAGE } from './page.js';
import { struct, u16, u32, u64 } from './struct.js';

/** A branch: the first key of the child page, and where it is. */
export const BTENTRY = struct('BTENTRY', '2.2.2.7.7.2', 24, { btkey: u64, bid: u64, ib: u64 });
export const BTENTRY_ANSI = struct('BTENTRY (ANSI)', '2.2.2.7.7.2', 12, { btkey: u32, bid: u32, ib: u32 });

/** A block: its place, stored size, references. */
export const BBTENTRY = struct('BBTENTRY', '2.2.2.7.7.3', 24, {
  bid: u64,
  ib: u64,
  cb: u16,
  cRef: u16,
  dwPadding: u32,
});
export const BBTENTRY_ANSI = struct('BBTENTRY (ANSI)', '2.2.2.7.7.3', 12, { bid: u32, ib: u32, cb: u16, cRef: u16 });
/** libpff, and seen in real stores: cb is the stored size, the inflated size stands before cRef. */
export const BBTENTRY_4K = struct('BBTENTRY (4K)', '2.2.2.7.7.3', 24, {
  bid: u64,
  ib: u64,
  cb: u16,
  cbInflated: u16,
  cRef: u16,
  wPadding: u16,
});

/** A node. The NID is 32 bits wide; Unicode widens the field, not the number. */
export const NBTENTRY = struct('NBTENTRY', '2.2.2.7.7.4', 32, {
  nid: u32,
  nidPadding: u32,
  bidData: u64,
  bidSub: u64,
  nidParent: u32,
  dwPadding: u32,
});
export const NBTENTRY_ANSI = struct('NBTENTRY (ANSI)', '2.2.2.7.7.4', 16, {
  nid: u32,
  bidData: u32,
  bidSub: u32,
  nidParent: u32,
});

export interface BtreeGeometry {
  readonly branch: typeof BTENTRY | typeof BTENTRY_ANSI;
  readonly nbt: typeof NBTENTRY | typeof NBTENTRY_ANSI;
  readonly bbt: typeof BBTENTRY | typeof BBTENTRY_ANSI | typeof BBTENTRY_4K;
  /** cEntMax of a full page of each. */
  readonly branchMax: number;
  readonly nbtMax: number;
  readonly bbtMax: number;
}

const geometry = (
  entries: number,
  branch: BtreeGeometry['branch'],
  nbt: BtreeGeometry['nbt'],
  bbt: BtreeGeometry['bbt'],
): BtreeGeometry => ({
  branch,
  nbt,
  bbt,
  branchMax: Math.floor(entries / branch.size),
  nbtMax: Math.floor(entries / nbt.size),
  bbtMax: Math.floor(entries / bbt.size),
});

/** By variant: 41/31/41, 20/15/20, 169/126/169 entries a page. */
export const BTREE: readonly [BtreeGeometry, BtreeGeometry, BtreeGeometry] = [
  geometry(PAGE[0].entries, BTENTRY_ANSI, NBTENTRY_ANSI, BBTENTRY_ANSI),
  geometry(PAGE[1].entries, BTENTRY, NBTENTRY, BBTENTRY),
  geometry(PAGE[2].entries, BTENTRY, NBTENTRY, BBTENTRY_4K),
];

/** bit 0 of a BID is reserved: cleared before every look-up. 2.2.2.2. */
export const bidKey = (bid: number): number => (bid % 2 === 0 ? bid : bid - 1);
/** bit 1: XBLOCK, XXBLOCK, SLBLOCK, SIBLOCK; never encoded. 2.2.2.2. */
export const isInternal = (bid: number): boolean => (bid & 2) !== 0;
/** Block BIDs step by 4, page BIDs by 1. 2.2.2.6. */
export const BID_STEP = 4;
