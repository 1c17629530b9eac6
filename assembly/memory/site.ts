// Allocation sites: each alloc() call has a number of its own, decoder << 4 | place. Named in src/core/site.ts, located (file and line)
// by scripts/sites.mjs. Each free() call has one too, decoder << 4 | place in a numbering of its own: the decoder is the one that frees.
// Place 0 is never allocated from, and frees nothing in a core that ships: it says 'somewhere in the decoder'.

export const SITE_HOST: u32 = 0x00; // asked for by the host: windows, intervals, buffers

export const SITE_BLOCK: u32 = 0x10; // ndb.block
export const SITE_BLOCK_LOAD: u32 = 0x11; // decoded payload

export const SITE_CHAIN: u32 = 0x20; // ndb.chain
export const SITE_CHAIN_HANDLE: u32 = 0x21;
export const SITE_CHAIN_LIST: u32 = 0x22;
export const SITE_CHAIN_GROW: u32 = 0x23;

export const SITE_BTH: u32 = 0x30; // ltp.bth
export const SITE_BTH_EMPTY: u32 = 0x31;
export const SITE_BTH_RECORDS: u32 = 0x32; // records in key order

export const SITE_PC: u32 = 0x40; // ltp.pc
export const SITE_PC_PLAN: u32 = 0x41; // resolved values, before they become a stream
export const SITE_PC_STREAM: u32 = 0x42;
export const SITE_PC_ORDER: u32 = 0x43; // records in the order of their tags

export const SITE_TABLE: u32 = 0x50; // ltp.tc
export const SITE_TABLE_COLUMNS: u32 = 0x51;
export const SITE_TABLE_ORDER: u32 = 0x52; // row index in the order of the matrix
export const SITE_TABLE_HANDLE: u32 = 0x53;
export const SITE_TABLE_CELLS: u32 = 0x54;
export const SITE_TABLE_HEAPS: u32 = 0x55; // heaps of columns that have their own
export const SITE_TABLE_ROWS: u32 = 0x56; // rows as streams

export const SITE_HEAP_WRITER: u32 = 0x60; // ltp.heap.write
export const SITE_HEAP_WRITER_BLOCK: u32 = 0x61;

export const SITE_PC_WRITER: u32 = 0x70; // ltp.pc.write
export const SITE_PC_WRITER_RECORDS: u32 = 0x71;
export const SITE_BTH_WRITER_LEVEL: u32 = 0x72; // first keys of a level, for the one above

export const SITE_TABLE_WRITER: u32 = 0x80; // ltp.tc.write
export const SITE_TABLE_WRITER_INFO: u32 = 0x81;
export const SITE_TABLE_WRITER_HANDLE: u32 = 0x82;
export const SITE_TABLE_WRITER_INDEX: u32 = 0x83;
export const SITE_TABLE_WRITER_ROWS: u32 = 0x84;
export const SITE_TABLE_WRITER_GROW: u32 = 0x85;

export const SITE_RTF: u32 = 0x90; // rtf
export const SITE_RTF_PLAIN: u32 = 0x91;
export const SITE_RTF_EMPTY: u32 = 0x92;
export const SITE_RTF_TEXT: u32 = 0x93;

export const SITE_INSPECT: u32 = 0xa0; // check
export const SITE_INSPECT_TAKEN: u32 = 0xa1;
export const SITE_INSPECT_SEEN: u32 = 0xa2;

export const FREE_CHAIN_OUTGROWN: u32 = 0x21; // a list that a longer one replaces
export const FREE_CHAIN_BLOCK: u32 = 0x22;
export const FREE_CHAIN_LIST: u32 = 0x23;
export const FREE_CHAIN_HANDLE: u32 = 0x24;

export const FREE_BTH_FAILED: u32 = 0x31; // records of a BTH that cannot be walked to its end
export const FREE_BTH_DONE: u32 = 0x32;
export const FREE_BTH_OUTGROWN: u32 = 0x33;

export const FREE_PC_PLAN: u32 = 0x41;
export const FREE_PC_ORDER: u32 = 0x42;

export const FREE_TABLE_COLUMN_RANGE: u32 = 0x51; // the columns of a table that is refused, and why
export const FREE_TABLE_ROW_SIZE: u32 = 0x52;
export const FREE_TABLE_NO_ROWS: u32 = 0x53;
export const FREE_TABLE_NO_INDEX: u32 = 0x54;
export const FREE_TABLE_INDEX_SIZES: u32 = 0x55;
export const FREE_TABLE_OUTGROWN: u32 = 0x56; // rows as streams, before a longer one
export const FREE_TABLE_COLUMNS: u32 = 0x57; // at the end of the table, as all below
export const FREE_TABLE_ORDER: u32 = 0x58;
export const FREE_TABLE_CELLS: u32 = 0x59;
export const FREE_TABLE_ROWS: u32 = 0x5a;
export const FREE_TABLE_HEAPS: u32 = 0x5b;
export const FREE_TABLE_HANDLE: u32 = 0x5c;

export const FREE_PC_WRITER_RECORDS: u32 = 0x71;
export const FREE_BTH_WRITER_ABOVE: u32 = 0x72; // no room: the level being written
export const FREE_BTH_WRITER_FAILED: u32 = 0x73; // and the one below it
export const FREE_BTH_WRITER_LEVEL: u32 = 0x74; // written, with one above it
export const FREE_BTH_WRITER_LAST: u32 = 0x75;

export const FREE_TABLE_WRITER_OUTGROWN: u32 = 0x81;
export const FREE_TABLE_WRITER_INFO: u32 = 0x82;
export const FREE_TABLE_WRITER_INDEX: u32 = 0x83;
export const FREE_TABLE_WRITER_HANDLE: u32 = 0x84;

export const FREE_RTF_FAILED: u32 = 0x91;

export const FREE_INSPECT_TAKEN: u32 = 0xa1;
export const FREE_INSPECT_SEEN: u32 = 0xa2;
export const FREE_INSPECT_INDEX_SIZES: u32 = 0xa3; // row index of a table whose records have the wrong size
export const FREE_INSPECT_INDEX: u32 = 0xa4;
export const FREE_INSPECT_BTH: u32 = 0xa5; // records read by the decoder: of a BTH, a PC, or to be copied
export const FREE_INSPECT_PC_SIZES: u32 = 0xa6;
export const FREE_INSPECT_PC: u32 = 0xa7;
export const FREE_INSPECT_COPY: u32 = 0xa8;
