/**
 * What blocks of the page heap are taken for, and by which decoder. Mirrors assembly/memory/site.ts: a site is decoder << 4 | place, in one
 * numbering for allocations and in another for frees.
 * @module
 */

/** By the upper bits of a site. The names that --decoders takes. */
export const DECODERS = [
  'host',
  'ndb.block',
  'ndb.chain',
  'ltp.bth',
  'ltp.pc',
  'ltp.tc',
  'ltp.heap.write',
  'ltp.pc.write',
  'ltp.tc.write',
  'rtf',
  'check',
] as const;
export type Decoder = (typeof DECODERS)[number];

const NAMES: Readonly<Record<number, string>> = {
  0: 'the host',
  17: 'a decoded block',
  33: 'a chain of blocks',
  34: 'the list of a chain',
  35: 'the longer list of a chain',
  49: 'an empty BTH',
  50: 'the records of a BTH',
  65: 'the values of a property context',
  66: 'the property stream of a property context',
  67: 'the ordered records of a property context',
  81: 'the columns of a table',
  82: 'the row order of a table',
  83: 'an open table',
  84: 'the cells of a row',
  85: 'the heaps of a table',
  86: 'the rows of a table',
  97: 'a heap block being written',
  113: 'the records of a property context being written',
  114: 'a level of a BTH being written',
  129: 'the columns of a table being written',
  130: 'a table being written',
  131: 'the row index of a table being written',
  132: 'the rows of a table being written',
  133: 'the longer row index of a table being written',
  145: 'plain RTF',
  146: 'empty RTF',
  147: 'decompressed RTF',
  161: 'cells seen by check',
  162: 'rows seen by check',
};

/** Sites are below this. */
export const SITE_COUNT = DECODERS.length << 4;

export const decoderOf = (site: number): Decoder | undefined => DECODERS[site >>> 4];

/** What the block is, for a sentence; for place 0 the decoder. */
export const siteName = (site: number): string => NAMES[site] ?? decoderOf(site) ?? `site ${site}`;

/** Does the site of a free name one call? Place 0 is somewhere in the decoder: all there is in bundles of earlier cores. */
export const isOneCall = (site: number): boolean => (site & 15) !== 0;

/** Who gave a block back: the decoder. What siteName() has are names of allocations. */
export const freerName = (site: number): string =>
  site === SITE_HOST ? 'the host' : (decoderOf(site) ?? `site ${site}`);

/** Buffers of the host: windows, intervals, streams to be encoded. */
export const SITE_HOST = 0;
