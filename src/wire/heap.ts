/**
 * The heap on a node and what lies in it. MS-PST 2.3.1 (HN), 2.3.2 (BTH), 2.3.3 (PC), 2.3.4 (TC).
 *
 * Heaps are read and written in `assembly/ltp` alone; these tables are where its offsets come from.
 * @module
 */
import { bytes, struct, u8, u16, u32 } from './struct.js';

/** bSig of HNHDR. 2.3.1.2. */
export const HN_SIGNATURE = 0xec;
/** bClientSig of HNHDR, 2.3.1.2. 6C to 9C and A5, AC, CC are used by nodes whose content is not published. */
export const CLIENT_SIGNATURE = { TC: 0x7c, BTH: 0xb5, PC: 0xbc } as const;

/** At the head of block 0. */
export const HNHDR = struct('HNHDR', '2.3.1.2', 12, {
  ibHnpm: u16,
  bSig: u8,
  bClientSig: u8,
  hidUserRoot: u32,
  rgbFillLevel: u32,
});
/** At the head of every other block but those of HNBITMAPHDR. */
export const HNPAGEHDR = struct('HNPAGEHDR', '2.3.1.3', 2, { ibHnpm: u16 });
/** At the head of block 8 and each 128 after it. */
export const HNBITMAPHDR = struct('HNBITMAPHDR', '2.3.1.4', 66, { ibHnpm: u16, rgbFillLevel: bytes(64) });
export const HNBITMAP_FIRST = 8;
export const HNBITMAP_EVERY = 128;
/** At ibHnpm. cAlloc + 1 offsets (u16) follow. */
export const HNPAGEMAP = struct('HNPAGEMAP', '2.3.1.5', 4, { cAlloc: u16, cFree: u16 });
/** Largest heap item. 2.3.3.3. */
export const HN_ITEM_MAX = 3580;

/** hidType: 5 bits, 0. Then hidIndex (from 1) and hidBlockIndex. 2.3.1.1. By variant: bits of hidIndex (4K: libpff). */
export const HID_INDEX_SHIFT = 5;
export const HID_BLOCK_SHIFT = [16, 16, 19] as const;

export const BTHHEADER = struct('BTHHEADER', '2.3.2.1', 8, {
  bType: u8,
  cbKey: u8,
  cbEnt: u8,
  bIdxLevels: u8,
  hidRoot: u32,
});

/** One property, as it lies in the leaf of a PC's BTH. */
export const PCENTRY = struct('PCENTRY', '2.3.3.3', 8, { wPropId: u16, wPropType: u16, dwValueHnid: u32 });
/** What the HNID of a PtypObject leads to. */
export const PCOBJECT = struct('PCOBJECT', '2.3.3.5', 8, { nid: u32, ulSize: u32 });

/** cCols TCOLDESC follow. */
export const TCINFO = struct('TCINFO', '2.3.4.1', 22, {
  bType: u8,
  cCols: u8,
  TCI_4b: u16, // rgib: ends of the groups of 8 and 4, 2, 1 bytes, and of the existence bits
  TCI_2b: u16,
  TCI_1b: u16,
  TCI_bm: u16,
  hidRowIndex: u32,
  hnidRows: u32,
  hidIndex: u32, // deprecated, 0
});
export const TCOLDESC = struct('TCOLDESC', '2.3.4.2', 8, { tag: u32, ibData: u16, cbData: u8, iBit: u8 });
export const TCROWID = struct('TCROWID', '2.3.4.3.1', 8, { dwRowID: u32, dwRowIndex: u32 });
export const TCROWID_ANSI = struct('TCROWID (ANSI)', '2.3.4.3.1', 6, { dwRowID: u32, dwRowIndex: u16 });
