// Allocation sites: which structure a block was taken for. Named in src/core/site.ts.

export const SITE_HOST: u32 = 0; // asked for by the host: windows, intervals, buffers
export const SITE_BLOCK: u32 = 1; // decoded payload of a block
export const SITE_CHAIN: u32 = 2; // list of the leaves of a data tree
export const SITE_BTH: u32 = 3; // records of a BTH, in key order
export const SITE_CELLS: u32 = 4; // resolved values, before they become a stream
export const SITE_STREAM: u32 = 5; // a property stream
export const SITE_TABLE: u32 = 6; // an open table: handle, columns, row order
export const SITE_HEAP_WRITER: u32 = 7; // heap blocks being filled
export const SITE_TABLE_WRITER: u32 = 8; // row matrix blocks being filled
export const SITE_RTF: u32 = 9; // decompressed RTF
