/** Random property sets and tables for fast-check, and the streams they make. */
import fc from 'fast-check';
import { INLINE, type PropertyStream } from '../../src/ltp/stream.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { type Column, tcInfo } from '../../src/ltp/table.js';
import type { Value } from './heap-parser.js';

export type Content = Uint8Array | { nid: number };

/** Bytes of a value by type: fixed, or 0 for as many as you like. MS-OXCDATA 2.11.1. */
const FIXED: readonly (readonly [type: number, size: number])[] = [
  [0x0002, 2],
  [0x0003, 4],
  [0x0004, 4],
  [0x000a, 4],
  [0x000b, 1],
  [0x0005, 8],
  [0x0006, 8],
  [0x0007, 8],
  [0x0014, 8],
  [0x0040, 8],
  [0x000d, 8],
  [0x0048, 16],
  [0x001e, 0],
  [0x001f, 0],
  [0x0102, 0],
  [0x00fb, 0],
  [0x1003, 0],
  [0x101f, 0],
];

/** Mostly short, and now and then at the edges of what a heap item may be. */
const length = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 3580 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 7, 8, 9, 3579, 3580) },
);

/** Bytes that depend on their place, so that a value that slips is seen. */
const content = (size: number): fc.Arbitrary<Uint8Array> =>
  fc.nat(0xffffff).map((seed) => Uint8Array.from({ length: size }, (_, k) => (seed >>> (k % 17)) + k * 7));

function contentOf(size: number): fc.Arbitrary<Content> {
  if (size !== 0) return content(size);
  return fc.oneof(
    { weight: 9, arbitrary: length.chain(content) },
    { weight: 1, arbitrary: fc.nat(0x7ffffff).map((index) => ({ nid: ((index << 5) | 0x1f) >>> 0 })) },
  );
}

export type Properties = readonly { tag: number; value: Content }[];

const property = (id: fc.Arbitrary<number>): fc.Arbitrary<Properties[number]> =>
  fc
    .tuple(id, fc.constantFrom(...FIXED))
    .chain(([id, [type, size]]) => contentOf(size).map((value) => ({ tag: ((id << 16) | type) >>> 0, value })));

/** Distinct ids, as a PC must have them. */
export const properties = (max: number): fc.Arbitrary<Properties> =>
  fc.uniqueArray(property(fc.nat(0xffff)), { selector: ({ tag }) => tag >>> 16, maxLength: max, size: 'max' });

export function streamOf(properties: Properties, rowId = 0): PropertyStream {
  const writer = new StreamWriter();
  for (const { tag, value } of properties) {
    if (value instanceof Uint8Array) writer.set(tag, value);
    else writer.setExternal(tag, value.nid);
  }
  return writer.build(rowId);
}

/** What an independent reader must find. */
export const expected = (properties: Properties): Map<number, Value> =>
  new Map(
    [...properties]
      .sort((a, b) => a.tag - b.tag)
      .map(({ tag, value }) => [
        tag,
        value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('hex') } : { nid: value.nid },
      ]),
  );

export interface Table {
  columns: Column[];
  rgib: [number, number, number, number];
  rows: { id: number; properties: Properties }[];
}

/** Columns laid out as 2.3.4.1 has it: 8- and 4-byte cells, 2-byte, 1-byte, then the bits; bits in any order. */
export function layOut(tags: readonly number[], bits: readonly number[]): Pick<Table, 'columns' | 'rgib'> {
  const width = (tag: number): number => {
    const size = FIXED.find(([type]) => type === (tag & 0xffff))![1];
    return size === 0 || size > 8 || (tag & 0xffff) === 0x000d ? 4 : size;
  };
  const columns: Column[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const group of [[8, 4], [2], [1]]) {
    for (const tag of tags) {
      if (!group.includes(width(tag))) continue;
      columns.push({ tag, ibData: at, cbData: width(tag), iBit: bits[columns.length]! });
      at += width(tag);
    }
    ends.push(at);
  }
  return { columns, rgib: [ends[0]!, ends[1]!, ends[2]!, at + Math.ceil(tags.length / 8)] };
}

export const tableInfo = ({ columns, rgib }: Pick<Table, 'columns' | 'rgib'>): Uint8Array => tcInfo(columns, rgib);

/** Tables of up to `columns` columns and `rows` rows, cells missing here and there, ids in any order. */
export const table = (columns: number, rows: number): fc.Arbitrary<Table> =>
  fc
    .uniqueArray(fc.tuple(fc.nat(0xffff), fc.constantFrom(...FIXED)), {
      selector: ([id]) => id,
      minLength: 1,
      maxLength: columns,
      size: 'max',
    })
    .chain((kinds) => {
      const tags = kinds.map(([id, [type]]) => ((id << 16) | type) >>> 0);
      const cell = ([, [, size]]: (typeof kinds)[number], k: number): fc.Arbitrary<Properties> =>
        fc.option(contentOf(size), { freq: 3 }).map((value) => (value === null ? [] : [{ tag: tags[k]!, value }]));
      const row = fc.tuple(...kinds.map(cell)).map((cells) => cells.flat());
      return fc
        .record({
          bits: fc.shuffledSubarray(
            tags.map((_, k) => k),
            { minLength: tags.length },
          ),
          rows: fc.array(row, { maxLength: rows, size: 'max' }),
          ids: fc.uniqueArray(fc.nat(0xffffffff), { minLength: rows, maxLength: rows }),
        })
        .map(({ bits, rows, ids }) => ({
          ...layOut(tags, bits),
          rows: rows.map((properties, k) => ({ id: ids[k]!, properties })),
        }));
    });

export { INLINE };
