/** What blocks of the page heap are taken for, by number. Mirrors assembly/memory/site.ts. @module */
export const SITES = [
  'the host',
  'a block',
  'a chain',
  'a BTH',
  'cells',
  'a property stream',
  'a table',
  'a heap writer',
  'a table writer',
  'decompressed RTF',
] as const;

/** Buffers of the host: windows, intervals, streams to be encoded. */
export const SITE_HOST = 0;
