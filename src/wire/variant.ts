/** The three layouts of the NDB layer. MS-PST 2.2.2.6 (wVer). @module */

/** Index into every table that has a column per variant. */
export type Variant = 0 | 1 | 2;

/** wVer 14 and 15: 4-byte BIDs and places, files below 2 GB. */
export const ANSI = 0;
/** wVer 23: 8-byte BIDs and places, pages of 512 bytes, blocks of up to 8 KB. */
export const UNICODE = 1;
/** wVer 36 and 37 (libpff, and seen in real stores; not in MS-PST): as Unicode, pages of 4096 bytes, blocks of up to 64 KB, zlib. */
export const UNICODE_4K = 2;

export const VARIANT_NAMES = ['ANSI', 'Unicode', 'Unicode 4K'] as const;
