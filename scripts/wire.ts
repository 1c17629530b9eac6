/** Prints the wire tables the core needs as AssemblyScript: `npm run wire` writes assembly/wire.ts; with `--check`, exit code 1 when it is stale. */
import { readFileSync, writeFileSync } from 'node:fs';
import { BLOCK, BLOCKTRAILER, BLOCKTRAILER_4K, BLOCKTRAILER_ANSI } from '../src/wire/block.js';
import * as heap from '../src/wire/heap.js';
import { PAGE, PAGETRAILER, PTYPE } from '../src/wire/page.js';
import type { Shape, Struct } from '../src/wire/struct.js';

const STRUCTS: readonly [string, Struct<Shape>][] = [
  ['PAGETRAILER', PAGETRAILER],
  ['BLOCKTRAILER_ANSI', BLOCKTRAILER_ANSI],
  ['BLOCKTRAILER', BLOCKTRAILER],
  ['BLOCKTRAILER_4K', BLOCKTRAILER_4K],
  ['HNHDR', heap.HNHDR],
  ['HNPAGEHDR', heap.HNPAGEHDR],
  ['HNBITMAPHDR', heap.HNBITMAPHDR],
  ['HNPAGEMAP', heap.HNPAGEMAP],
  ['BTHHEADER', heap.BTHHEADER],
  ['PCENTRY', heap.PCENTRY],
  ['PCOBJECT', heap.PCOBJECT],
  ['TCINFO', heap.TCINFO],
  ['TCOLDESC', heap.TCOLDESC],
  ['TCROWID', heap.TCROWID],
  ['TCROWID_ANSI', heap.TCROWID_ANSI],
] as unknown as [string, Struct<Shape>][];

const NUMBERS: readonly [string, string, Readonly<Record<string, number>>][] = [
  ['Page types, MS-PST 2.2.2.7.1.', 'PTYPE_', PTYPE],
  ['A Unicode page.', 'PAGE_', { SIZE: PAGE[1].size, TRAILER_AT: PAGE[1].trailerAt }],
  [
    'Blocks start and end on multiples of the unit. MS-PST 2.2.2.8; 4K: libpff.',
    'BLOCK_',
    {
      UNIT_ANSI: BLOCK[0].unit,
      UNIT: BLOCK[1].unit,
      UNIT_4K: BLOCK[2].unit,
      PAYLOAD_MAX_ANSI: BLOCK[0].maxPayload,
      PAYLOAD_MAX: BLOCK[1].maxPayload,
      PAYLOAD_MAX_4K: BLOCK[2].maxPayload,
    },
  ],
  [
    'Heaps, MS-PST 2.3.1; the 4K shift: libpff.',
    'HN_',
    {
      SIGNATURE: heap.HN_SIGNATURE,
      BITMAP_FIRST: heap.HNBITMAP_FIRST,
      BITMAP_EVERY: heap.HNBITMAP_EVERY,
      ITEM_MAX: heap.HN_ITEM_MAX,
      HID_INDEX_SHIFT: heap.HID_INDEX_SHIFT,
      HID_BLOCK_SHIFT: heap.HID_BLOCK_SHIFT[1],
      HID_BLOCK_SHIFT_4K: heap.HID_BLOCK_SHIFT[2],
    },
  ],
  ['Heap clients, MS-PST 2.3.1.2.', 'CLIENT_', heap.CLIENT_SIGNATURE],
];

const lines = ['// Generated from src/wire by scripts/wire.ts. Do not edit: run `npm run wire`.', ''];
for (const [prefix, s] of STRUCTS) {
  lines.push(`/** ${s.name}, MS-PST ${s.section}. */`);
  for (const [field, at] of Object.entries(s.at)) lines.push(`export const ${prefix}_${field}: usize = ${at};`);
  lines.push(`export const ${prefix}_SIZE: usize = ${s.size};`, '');
}
for (const [title, prefix, values] of NUMBERS) {
  lines.push(`/** ${title} */`);
  for (const [name, value] of Object.entries(values)) lines.push(`export const ${prefix}${name}: u32 = ${value};`);
  lines.push('');
}
const file = new URL('../assembly/wire.ts', import.meta.url);
if (process.argv.includes('--check')) {
  const stale = readFileSync(file, 'utf8') !== lines.join('\n');
  if (stale) console.error('assembly/wire.ts is stale: run `npm run wire`');
  process.exitCode = stale ? 1 : 0;
} else {
  writeFileSync(file, lines.join('\n'));
}
