// Generated from src/wire by scripts/wire.ts. Do not edit: run `npm run wire`.

/** PAGETRAILER, MS-PST 2.2.2.7.1. */
export const PAGETRAILER_ptype: usize = 0;
export const PAGETRAILER_ptypeRepeat: usize = 1;
export const PAGETRAILER_wSig: usize = 2;
export const PAGETRAILER_dwCRC: usize = 4;
export const PAGETRAILER_bid: usize = 8;
export const PAGETRAILER_SIZE: usize = 16;

/** BLOCKTRAILER (ANSI), MS-PST 2.2.2.8.1. */
export const BLOCKTRAILER_ANSI_cb: usize = 0;
export const BLOCKTRAILER_ANSI_wSig: usize = 2;
export const BLOCKTRAILER_ANSI_bid: usize = 4;
export const BLOCKTRAILER_ANSI_dwCRC: usize = 8;
export const BLOCKTRAILER_ANSI_SIZE: usize = 12;

/** BLOCKTRAILER, MS-PST 2.2.2.8.1. */
export const BLOCKTRAILER_cb: usize = 0;
export const BLOCKTRAILER_wSig: usize = 2;
export const BLOCKTRAILER_dwCRC: usize = 4;
export const BLOCKTRAILER_bid: usize = 8;
export const BLOCKTRAILER_SIZE: usize = 16;

/** BLOCKTRAILER (4K), MS-PST 2.2.2.8.1. */
export const BLOCKTRAILER_4K_cb: usize = 0;
export const BLOCKTRAILER_4K_wSig: usize = 2;
export const BLOCKTRAILER_4K_dwCRC: usize = 4;
export const BLOCKTRAILER_4K_bid: usize = 8;
export const BLOCKTRAILER_4K_wUnknown: usize = 16;
export const BLOCKTRAILER_4K_cbInflated: usize = 18;
export const BLOCKTRAILER_4K_dwUnknown: usize = 20;
export const BLOCKTRAILER_4K_SIZE: usize = 24;

/** HNHDR, MS-PST 2.3.1.2. */
export const HNHDR_ibHnpm: usize = 0;
export const HNHDR_bSig: usize = 2;
export const HNHDR_bClientSig: usize = 3;
export const HNHDR_hidUserRoot: usize = 4;
export const HNHDR_rgbFillLevel: usize = 8;
export const HNHDR_SIZE: usize = 12;

/** HNPAGEHDR, MS-PST 2.3.1.3. */
export const HNPAGEHDR_ibHnpm: usize = 0;
export const HNPAGEHDR_SIZE: usize = 2;

/** HNBITMAPHDR, MS-PST 2.3.1.4. */
export const HNBITMAPHDR_ibHnpm: usize = 0;
export const HNBITMAPHDR_rgbFillLevel: usize = 2;
export const HNBITMAPHDR_SIZE: usize = 66;

/** HNPAGEMAP, MS-PST 2.3.1.5. */
export const HNPAGEMAP_cAlloc: usize = 0;
export const HNPAGEMAP_cFree: usize = 2;
export const HNPAGEMAP_SIZE: usize = 4;

/** BTHHEADER, MS-PST 2.3.2.1. */
export const BTHHEADER_bType: usize = 0;
export const BTHHEADER_cbKey: usize = 1;
export const BTHHEADER_cbEnt: usize = 2;
export const BTHHEADER_bIdxLevels: usize = 3;
export const BTHHEADER_hidRoot: usize = 4;
export const BTHHEADER_SIZE: usize = 8;

/** PCENTRY, MS-PST 2.3.3.3. */
export const PCENTRY_wPropId: usize = 0;
export const PCENTRY_wPropType: usize = 2;
export const PCENTRY_dwValueHnid: usize = 4;
export const PCENTRY_SIZE: usize = 8;

/** PCOBJECT, MS-PST 2.3.3.5. */
export const PCOBJECT_nid: usize = 0;
export const PCOBJECT_ulSize: usize = 4;
export const PCOBJECT_SIZE: usize = 8;

/** TCINFO, MS-PST 2.3.4.1. */
export const TCINFO_bType: usize = 0;
export const TCINFO_cCols: usize = 1;
export const TCINFO_TCI_4b: usize = 2;
export const TCINFO_TCI_2b: usize = 4;
export const TCINFO_TCI_1b: usize = 6;
export const TCINFO_TCI_bm: usize = 8;
export const TCINFO_hidRowIndex: usize = 10;
export const TCINFO_hnidRows: usize = 14;
export const TCINFO_hidIndex: usize = 18;
export const TCINFO_SIZE: usize = 22;

/** TCOLDESC, MS-PST 2.3.4.2. */
export const TCOLDESC_tag: usize = 0;
export const TCOLDESC_ibData: usize = 4;
export const TCOLDESC_cbData: usize = 6;
export const TCOLDESC_iBit: usize = 7;
export const TCOLDESC_SIZE: usize = 8;

/** TCROWID, MS-PST 2.3.4.3.1. */
export const TCROWID_dwRowID: usize = 0;
export const TCROWID_dwRowIndex: usize = 4;
export const TCROWID_SIZE: usize = 8;

/** TCROWID (ANSI), MS-PST 2.3.4.3.1. */
export const TCROWID_ANSI_dwRowID: usize = 0;
export const TCROWID_ANSI_dwRowIndex: usize = 4;
export const TCROWID_ANSI_SIZE: usize = 6;

/** Page types, MS-PST 2.2.2.7.1. */
export const PTYPE_BBT: u32 = 128;
export const PTYPE_NBT: u32 = 129;
export const PTYPE_FMAP: u32 = 130;
export const PTYPE_PMAP: u32 = 131;
export const PTYPE_AMAP: u32 = 132;
export const PTYPE_FPMAP: u32 = 133;
export const PTYPE_DL: u32 = 134;

/** A Unicode page. */
export const PAGE_SIZE: u32 = 512;
export const PAGE_TRAILER_AT: u32 = 496;

/** Blocks start and end on multiples of the unit. MS-PST 2.2.2.8; 4K: libpff. */
export const BLOCK_UNIT_ANSI: u32 = 64;
export const BLOCK_UNIT: u32 = 64;
export const BLOCK_UNIT_4K: u32 = 512;
export const BLOCK_PAYLOAD_MAX_ANSI: u32 = 8180;
export const BLOCK_PAYLOAD_MAX: u32 = 8176;
export const BLOCK_PAYLOAD_MAX_4K: u32 = 65512;

/** Heaps, MS-PST 2.3.1; the 4K shift: libpff. */
export const HN_SIGNATURE: u32 = 236;
export const HN_BITMAP_FIRST: u32 = 8;
export const HN_BITMAP_EVERY: u32 = 128;
export const HN_ITEM_MAX: u32 = 3580;
export const HN_HID_INDEX_SHIFT: u32 = 5;
export const HN_HID_BLOCK_SHIFT: u32 = 16;
export const HN_HID_BLOCK_SHIFT_4K: u32 = 19;

/** Heap clients, MS-PST 2.3.1.2. */
export const CLIENT_TC: u32 = 124;
export const CLIENT_BTH: u32 = 181;
export const CLIENT_PC: u32 = 188;
