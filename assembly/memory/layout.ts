// Where everything lies in linear memory. Addresses are literal constants so that loads fold them.
//
//     0x00000000  null page, never touched
//     0x00001000  stop record, damage record, watch record, class heads, arenas of normal mode
//     0x00010000  CRC tables, encoding tables, fold scratch, trace
//     0x00100000  static data of the compiler (memoryBase)
//     0x00200000  page map: one state byte per page of 512 bytes of a 2 GB memory
//     0x00600000  descriptors: 32 bytes per page, indexed by the page a block begins in
//     0x08600000  the pool: every byte of every block and stream lies here
//
// Of the map and the descriptors only what belongs to pages in use is ever touched, and so real.

export const STOP: usize = 0x1000;
export const DAMAGE: usize = 0x1080;
export const WATCHED: usize = 0x1100; // watch build: which accesses are told to the host, and how many there were
export const CLASSES: usize = 0x2000; // 512 u32: free runs of pages, by class
export const LIGHT_CLASSES: usize = 0x3000; // 256 u32: free blocks of normal mode, by class
export const HEAP_ROOT: usize = 0x3800; // signature of the heap of normal mode
export const ARENAS: usize = 0x4000; // { base u32, end u32 } x 4096

export const CRC_TABLE: usize = 0x10000; // 16 tables of 256 u32
export const DECODE_TABLE: usize = 0x14000; // 256 bytes: inverse of the permutation
export const ENCODE_TABLE: usize = 0x14100; // 256 bytes: the permutation R
export const S_TABLE: usize = 0x14200; // 256 bytes: S, its own inverse
export const CYCLIC_TABLE: usize = 0x20000; // 256 tables of 256 bytes, one per high key byte
export const FOLD: usize = 0x30000; // 64 KB + 1 KB scratch of the sparse CRC fold
export const FOLD_TAIL: usize = 0x42000; // 352 bytes

export const TRACE: usize = 0x44000; // ring of the last allocations and frees, 128 KB

export const PAGE_MAP: usize = 0x200000;
export const DESCRIPTORS: usize = 0x600000;
export const POOL: usize = 0x8600000;

/** 2 GB: addresses stay below 2^31, so no pointer ever looks negative to the host. */
export const MEMORY_LIMIT: usize = 0x80000000;

/** Paranoid build only: one bit per byte of the memory below, set once the byte has been written. */
export const SHADOW: usize = 0x70000000;
