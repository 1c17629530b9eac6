/**
 * Property contexts and tables: what the core writes it reads back to the byte, and a second reader, written from the
 * specification alone, finds the same in the heap blocks and every rule of 2.3 kept.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Core, type CoreBuild } from '../../src/core/core.js';
import { encodePc } from '../../src/ltp/pc.js';
import type { PropertyStream } from '../../src/ltp/stream.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { TableWriter } from '../../src/ltp/table.js';
import { expected, layOut, type Properties, properties, streamOf, type Table, table, tableInfo } from './arbitrary.js';
import { readPcOf, readTableOf, type TableBlocks, takeChain } from './chain.js';
import { parseBth, parseHeap, parsePc, parseTable } from './heap-parser.js';

const ROWS_NID = 0x1003f;

let core: Core;
beforeAll(() => {
  core = Core.load();
});

const bytes = (stream: PropertyStream | undefined): string => Buffer.from(stream!.bytes).toString('hex');

function writeTable(into: Core, { columns, rgib, rows }: Table): TableBlocks {
  const writer = new TableWriter(into, tableInfo({ columns, rgib }), {});
  for (const { id, properties } of rows) writer.row(streamOf(properties, id));
  const { heap, rows: matrix } = writer.end(ROWS_NID);
  return { heap: takeChain(into, heap), rows: matrix === 0 ? undefined : takeChain(into, matrix) };
}

function checkPc(set: Properties): Uint8Array[] {
  const base = core.x.pagesLive();
  const stream = streamOf(set);
  const blocks = takeChain(core, encodePc(core, stream, {}));
  expect(parsePc(blocks)).toEqual(expected(set));
  expect(bytes(readPcOf(core, blocks))).toBe(bytes(stream));
  expect(core.x.pagesLive(), 'pages left behind').toBe(base);
  return blocks;
}

function checkTable(source: Table): TableBlocks {
  const base = core.x.pagesLive();
  const blocks = writeTable(core, source);
  const parsed = parseTable(blocks.heap, blocks.rows);
  expect(parsed.rows).toEqual(source.rows.map(({ id, properties }) => ({ id, values: expected(properties) })));
  const { rows, badRows } = readTableOf(core, blocks)!;
  expect(badRows).toBe(0);
  expect(rows.map(bytes)).toEqual(source.rows.map(({ id, properties }) => bytes(streamOf(properties, id))));
  expect(core.x.pagesLive(), 'pages left behind').toBe(base);
  return blocks;
}

/** `count` properties of `size` bytes each. */
const many = (count: number, size: number): Properties =>
  Array.from({ length: count }, (_, k) => ({
    tag: ((k + 1) * 0x10000 + 0x0102) >>> 0,
    value: new Uint8Array(size).fill(k),
  }));

describe('property contexts', () => {
  it('random sets', () => {
    fc.assert(
      fc.property(properties(120), (set) => void checkPc(set)),
      { numRuns: 150 },
    );
  });

  it('of no property', () => {
    const heap = parseHeap(checkPc([]));
    expect(parseBth(heap, heap.root)).toMatchObject({ levels: 0, records: [] });
  });

  it.each([0, 1, 2, 3, 3579, 3580])('a value of %i bytes', (size) => {
    checkPc(many(1, size));
    checkPc(many(5, size));
  });

  it('a value of 3581 bytes is refused, and nothing stays behind', () => {
    const base = core.x.pagesLive();
    expect(() => encodePc(core, streamOf(many(3, 3581)), {})).toThrow(
      expect.objectContaining({
        code: 'PST_LIMIT',
        message: expect.stringContaining('3581 bytes of property 0x10102'),
      }),
    );
    expect(core.x.pagesLive()).toBe(base);
  });

  it('two properties of one id are refused: a key stands once', () => {
    const base = core.x.pagesLive();
    const set = [
      { tag: 0x00010003, value: new Uint8Array(4) },
      { tag: 0x00010102, value: new Uint8Array(9) },
    ];
    expect(() => encodePc(core, streamOf(set), {})).toThrow(expect.objectContaining({ code: 'PST_BAD_BTH' }));
    expect(core.x.pagesLive()).toBe(base);
  });

  it('a damaged value is refused', () => {
    const base = core.x.pagesLive();
    const stream = streamOf(many(2, 9));
    new DataView(stream.bytes.buffer).setUint32(16 + 4, 4, true);
    expect(() => encodePc(core, stream, {})).toThrow(expect.objectContaining({ code: 'PST_BAD_VALUE' }));
    expect(core.x.pagesLive()).toBe(base);
  });

  it('BTHs of one and two levels', () => {
    // 447 records of 8 bytes in a leaf item, 596 index records of 6 bytes: 447 x 596 is past 65,536 ids.
    const levels = [447, 448, 65536].map((count) => {
      const set = Array.from({ length: count }, (_, k) => ({
        tag: (k * 0x10000 + 0x0003) >>> 0,
        value: Uint8Array.of(k, k >> 8, 0, 1),
      }));
      const blocks = checkPc(set);
      const heap = parseHeap(blocks);
      return parseBth(heap, heap.root).levels;
    });
    expect(levels).toEqual([0, 1, 1]);
  });

  it('2047 items in a block, and the 2048th in the next', () => {
    const blocks = checkPc(many(2100, 1));
    expect(parseHeap(blocks).offsets[0]!.length - 1).toBe(2047);
  });

  it('past blocks 8 and 136, whose headers have 66 bytes', () => {
    const blocks = checkPc(many(300, 3580));
    expect(blocks.length).toBeGreaterThan(137);
    const heap = parseHeap(blocks);
    expect([0, 1, 7, 8, 9, 135, 136, 137].map((k) => heap.offsets[k]![0])).toEqual([12, 2, 2, 66, 2, 2, 66, 2]);
  });

  it('items that end exactly at the last free byte of a block', () => {
    // Header 12, BTH header 8, then two items of 3580 leave 996: page map 4 + 2 x 5, so items up to 981 or 982 fit.
    for (let size = 970; size <= 990; size++)
      checkPc([...many(2, 3580), { tag: 0x00050102, value: new Uint8Array(size) }]);
  });

  it('external and empty values', () => {
    const set = [
      { tag: 0x1000001f, value: { nid: 0x83f } },
      { tag: 0x10130102, value: new Uint8Array(0) },
      { tag: 0x37010102, value: { nid: 0xffffffff } },
    ];
    const stream = readPcOf(core, checkPc(set))!;
    expect([stream.flags(0), stream.place(0), stream.flags(1), stream.length(1)]).toEqual([2, 0x83f, 0, 0]);
  });

  it('keep the dword of a type nobody defined', () => {
    const writer = new StreamWriter().setInline(0x67000003, 0xdeadbeef);
    const stream = writer.build();
    new DataView(stream.bytes.buffer).setUint32(16, 0x67000001, true); // PtypNull has no value of its own
    const again = readPcOf(core, takeChain(core, encodePc(core, stream, {})))!;
    expect(bytes(again)).toBe(bytes(stream));
  });
});

describe('table contexts', () => {
  it('random tables', () => {
    fc.assert(
      fc.property(table(40, 60), (source) => void checkTable(source)),
      { numRuns: 80 },
    );
  });

  const plain = (tags: readonly number[]): Pick<Table, 'columns' | 'rgib'> =>
    layOut(
      tags,
      tags.map((_, k) => k),
    );

  const long = (count: number, size: number): Table => ({
    ...plain([0x67f20003, 0x67f30003, 0x3001001f, 0x00170002, 0x0057000b, 0x0e060040]),
    rows: Array.from({ length: count }, (_, k) => ({
      id: 0x200024 + 0x20 * k,
      properties: [
        { tag: 0x67f20003, value: Uint8Array.of(k, k >> 8, k >> 16, 0) },
        { tag: 0x3001001f, value: new Uint8Array(size).fill(k) },
        { tag: 0x0057000b, value: Uint8Array.of(k & 1) },
        { tag: 0x0e060040, value: new Uint8Array(8).fill(k) },
      ],
    })),
  });

  it('of no row', () => {
    const { heap, rows } = checkTable(long(0, 0));
    expect(rows).toBeUndefined();
    expect(parseTable(heap, rows)).toMatchObject({ rows: [], rowsInHeap: false });
  });

  it('of no column', () => {
    const info = tableInfo({ columns: [], rgib: [0, 0, 0, 1] });
    const writer = new TableWriter(core, info, {});
    writer.row(streamOf([], 7));
    const { heap } = writer.end(ROWS_NID);
    const { rows } = readTableOf(core, { heap: takeChain(core, heap), rows: undefined })!;
    expect(rows.map((row) => [row.count, row.rowId])).toEqual([[0, 7]]);
  });

  it('rows in the heap up to 3580 bytes, in a subnode from there on', () => {
    const size = long(0, 0).rgib[3];
    const fit = Math.floor(3580 / size);
    expect(checkTable(long(fit, 4)).rows).toBeUndefined();
    expect(checkTable(long(fit + 1, 4)).rows?.length).toBe(1);
  });

  it('a matrix of exactly 3580 bytes', () => {
    // 10 rows of 358: 85 cells of 4 bytes, 6 of one, and 12 bytes of bits.
    const tags = Array.from({ length: 91 }, (_, k) => (0x70000000 + k * 0x10000 + (k < 85 ? 0x0003 : 0x000b)) >>> 0);
    const layout = plain(tags);
    expect(layout.rgib[3]).toBe(358);
    const rows = (count: number): Table['rows'] =>
      Array.from({ length: count }, (_, k) => ({
        id: k,
        properties: [{ tag: tags[k]!, value: new Uint8Array(4).fill(k + 1) }],
      }));
    expect(checkTable({ ...layout, rows: rows(10) }).rows).toBeUndefined();
    expect(checkTable({ ...layout, rows: rows(11) }).rows).toBeDefined();
  });

  it('a matrix of several blocks, the last of them full and not', () => {
    const size = long(0, 0).rgib[3];
    const perBlock = Math.floor(8176 / size);
    expect(checkTable(long(2 * perBlock, 2)).rows!.map((block) => block.length)).toEqual([8176, perBlock * size]);
    expect(checkTable(long(2 * perBlock + 1, 2)).rows!.map((block) => block.length)).toEqual([8176, 8176, size]);
  });

  it('heaps past blocks 8 and 136, and a row index of two levels', () => {
    const source = long(800, 1500);
    const { heap, rows } = checkTable(source);
    expect(heap.length).toBeGreaterThan(137);
    expect(parseTable(heap, rows).levels).toBe(1);
  });

  it('a row index of three levels: 447 x 447 rows, and one more', () => {
    const layout = plain([0x67f20003]);
    const writer = new TableWriter(core, tableInfo(layout), {});
    const stream = streamOf([{ tag: 0x67f20003, value: new Uint8Array(4) }]);
    const view = new DataView(stream.bytes.buffer);
    const count = 447 * 447 + 1;
    for (let k = 0; k < count; k++) {
      view.setUint32(8, 3 * k, true);
      view.setUint32(16 + 12, 3 * k, true);
      writer.row(stream);
    }
    const { heap, rows } = writer.end(ROWS_NID);
    const blocks = { heap: takeChain(core, heap), rows: takeChain(core, rows) };
    const parsed = parseHeap(blocks.heap);
    const { levels, records } = parseBth(parsed, 0x20);
    expect([levels, records.length]).toEqual([2, count]);
    const back = readTableOf(core, blocks)!;
    expect([back.rows.length, back.badRows]).toEqual([count, 0]);
    expect(back.rows.every((row, k) => row.rowId === 3 * k && row.inline(0x67f20003) === 3 * k)).toBe(true);
  });

  it('row ids that do not ascend', () => {
    const source = long(500, 3);
    source.rows.reverse();
    source.rows.push(source.rows.shift()!);
    checkTable(source);
  });

  it('255 columns', () => {
    const tags = Array.from(
      { length: 255 },
      (_, k) => ((k + 1) * 0x10000 + [0x0003, 0x0002, 0x000b, 0x0014][k % 4]!) >>> 0,
    );
    const layout = layOut(tags, [...tags.keys()].reverse());
    const size = { 3: 4, 2: 2, 11: 1, 20: 8 } as Record<number, number>;
    const rows = Array.from({ length: 30 }, (_, k) => ({
      id: k,
      properties: tags
        .filter((_, c) => (c + k) % 3 !== 0)
        .map((tag) => ({ tag, value: new Uint8Array(size[tag & 0xffff]!).fill(k + 1) })),
    }));
    checkTable({ ...layout, rows });
  });

  it('one row id twice is refused, and nothing stays behind', () => {
    const base = core.x.pagesLive();
    const source = long(20, 3);
    source.rows[7]!.id = source.rows[3]!.id;
    expect(() => writeTable(core, source)).toThrow(expect.objectContaining({ code: 'PST_BAD_BTH' }));
    expect(core.x.pagesLive()).toBe(base);
  });

  it('a row that cannot be written leaves the table as it was', () => {
    const base = core.x.pagesLive();
    const source = long(700, 9);
    const writer = new TableWriter(core, tableInfo(source), {});
    const perBlock = Math.floor(8176 / source.rgib[3]);
    for (const [k, { id, properties }] of source.rows.entries()) {
      if (k % perBlock === 0 || k % 100 === 5) {
        const bad = [
          ...properties.slice(0, 1),
          { tag: 0x3001001f, value: new Uint8Array(3581) },
          ...properties.slice(2),
        ];
        expect(() => writer.row(streamOf(bad, 99))).toThrow(expect.objectContaining({ code: 'PST_LIMIT' }));
      }
      writer.row(streamOf(properties, id));
    }
    const { heap, rows } = writer.end(ROWS_NID);
    const parsed = parseTable(takeChain(core, heap), takeChain(core, rows));
    expect(parsed.rows).toEqual(source.rows.map(({ id, properties }) => ({ id, values: expected(properties) })));
    expect(core.x.pagesLive()).toBe(base);
  });

  it('an aborted table leaves nothing behind', () => {
    const base = core.x.pagesLive();
    const source = long(700, 900);
    const writer = new TableWriter(core, tableInfo(source), {});
    for (const { id, properties } of source.rows) writer.row(streamOf(properties, id));
    writer.abort();
    expect(core.x.pagesLive()).toBe(base);
  });

  it('read in small steps gives the same rows', () => {
    const source = long(300, 20);
    const blocks = writeTable(core, source);
    const all = readTableOf(core, blocks)!.rows.map(bytes);
    for (const limit of [1, 7, 299]) expect(readTableOf(core, blocks, 1, limit)!.rows.map(bytes)).toEqual(all);
  });

  it('two tables and a property context being written in turns', () => {
    const base = core.x.pagesLive();
    const a = long(300, 700);
    const b = long(300, 40);
    const writers = [a, b].map((source) => ({ source, writer: new TableWriter(core, tableInfo(source), {}) }));
    for (let k = 0; k < 300; k++) {
      for (const { source, writer } of writers) writer.row(streamOf(source.rows[k]!.properties, source.rows[k]!.id));
      if (k % 50 === 0) checkPcBetween();
    }
    for (const { source, writer } of writers) {
      const { heap, rows } = writer.end(ROWS_NID);
      const parsed = parseTable(takeChain(core, heap), takeChain(core, rows));
      expect(parsed.rows).toEqual(source.rows.map(({ id, properties }) => ({ id, values: expected(properties) })));
    }
    expect(core.x.pagesLive()).toBe(base);
  });

  const checkPcBetween = (): void => void checkPc(many(10, 2000));

  it('columns that TCINFO must not have are refused', () => {
    const { columns, rgib } = long(0, 0);
    const refuse = (info: Uint8Array): void => {
      const base = core.x.pagesLive();
      expect(() => new TableWriter(core, info, {})).toThrow(expect.objectContaining({ code: 'PST_BAD_TC' }));
      expect(core.x.pagesLive()).toBe(base);
    };
    refuse(tableInfo({ columns, rgib: [rgib[0], rgib[1], rgib[2] - 1, rgib[3]] })); // a column reaches past its group
    refuse(tableInfo({ columns: columns.map((c) => ({ ...c, iBit: 8 * (rgib[3] - rgib[2]) })), rgib })); // no such bit
    refuse(tableInfo({ columns, rgib: [0, 0, 0, 0] }));
    refuse(tableInfo({ columns, rgib: [rgib[0], rgib[1], rgib[2], 8177] }));
    refuse(tableInfo({ columns: [...columns, columns[0]!], rgib }));
    refuse(tableInfo({ columns, rgib }).subarray(0, 40));
  });
});

describe('the bytes written', () => {
  it.each(['paranoid', 'raw', 'debug'] as const)('are the same from the %s build', (build: CoreBuild) => {
    const other = Core.load(build);
    fc.assert(
      fc.property(properties(60), table(12, 40), (set, source) => {
        const stream = streamOf(set);
        expect(takeChain(other, encodePc(other, stream, {}))).toEqual(takeChain(core, encodePc(core, stream, {})));
        expect(writeTable(other, source)).toEqual(writeTable(core, source));
      }),
      { numRuns: 25 },
    );
  });

  it('hold nothing of what the memory held before', () => {
    const stream = streamOf(many(100, 333));
    const fresh = Core.load();
    const used = Core.load();
    const dirt = Array.from({ length: 300 }, () => used.put(new Uint8Array(8176).fill(0xa5)));
    for (const ptr of dirt) used.x.free(ptr, 0);
    for (let k = 0; k < 1200; k++) used.x.free(used.put(new Uint8Array(12).fill(0xa5)), 0); // wears the quarantine out
    expect(dirt, 'a page serves again').toContain(used.x.alloc(8176, 0));
    const one = (into: Core): Uint8Array[] => takeChain(into, encodePc(into, stream, {}));
    expect(one(used)).toEqual(one(fresh));
  });
});
