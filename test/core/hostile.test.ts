/**
 * Hostile heaps: whatever lies in the blocks, the core gives a result or a damage, never a stop of its own verifier, in
 * bounded time, and every page it took comes back.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { DAMAGES } from '../../src/core/damage.js';
import { encodePc } from '../../src/ltp/pc.js';
import { TableWriter } from '../../src/ltp/table.js';
import { layOut, type Properties, streamOf, tableInfo } from './arbitrary.js';
import { putChain, random, readPcOf, readTableOf, type TableBlocks, takeChain } from './chain.js';

/** Set HOSTILE_SEED to repeat a run. */
const SEED = Number(process.env['HOSTILE_SEED'] ?? Date.now() % 0x7fffffff);
const MUTANTS = 1500;

let core: Core;
beforeAll(() => {
  core = Core.load();
});

const DAMAGE_CODE_AT = 0x1080;

/** Everything the core can do with these blocks. Returns how many of the calls found damage. */
function tryAll(into: Core, { heap, rows }: TableBlocks, variant: number): number {
  const { x } = into;
  const base = x.pagesLive();
  let damaged = 0;
  const note = (result: unknown): void => {
    if (result !== undefined && result !== 0) return;
    damaged++;
    const code = into.view.getUint32(DAMAGE_CODE_AT, true);
    if (DAMAGES[code] === undefined) expect.fail(`damage code ${code} has no words`);
  };
  note(readPcOf(into, heap, variant));
  note(readTableOf(into, { heap, rows }, variant, 3));
  note(readTableOf(into, { heap, rows: undefined }, variant, 1000));
  const chain = putChain(into, heap);
  const matrix = rows === undefined ? 0 : putChain(into, rows);
  const notes = x.notesNew(100);
  x.inspectHeap(chain, variant, notes);
  x.inspectPc(chain, variant, notes);
  x.inspectBth(chain, x.hnRoot(chain), variant, notes);
  x.inspectTable(chain, matrix, variant, notes, 0x3001, matrix, 0, 0);
  for (const copy of [x.hnCopy(chain, 0x20, variant), x.bthCopy(chain, 0x20, variant)]) if (copy !== 0) x.free(copy, 0);
  x.free(notes, 0);
  x.chainFree(chain);
  if (matrix !== 0) x.chainFree(matrix);
  if (x.pagesLive() !== base) expect.fail(`${x.pagesLive() - base} pages left behind`);
  return damaged;
}

const TAGS = [0x67f20003, 0x3001001f, 0x10090102, 0x0e060040, 0x0057000b, 0x00170002, 0x300b0048];

function wholePc(): Uint8Array[] {
  const set: Properties = [
    ...TAGS.map((tag, k) => ({ tag, value: new Uint8Array([4, 30, 200, 8, 1, 2, 16][k]!).fill(k) })),
    ...Array.from({ length: 500 }, (_, k) => ({
      tag: ((0x8000 + k) * 0x10000 + 0x001f) >>> 0,
      value: new Uint8Array(k % 50),
    })),
    { tag: 0x37010102, value: { nid: 0x3f } },
  ];
  return takeChain(core, encodePc(core, streamOf(set), {}));
}

function wholeTable(count: number): TableBlocks {
  const layout = layOut(
    TAGS,
    TAGS.map((_, k) => k),
  );
  const writer = new TableWriter(core, tableInfo(layout), {});
  for (let k = 0; k < count; k++) {
    const sizes = [4, k % 40, 3, 8, 1, 2, 16];
    const set = TAGS.flatMap((tag, c) =>
      (k + c) % 5 === 0 ? [] : [{ tag, value: new Uint8Array(sizes[c]!).fill(k) }],
    );
    writer.row(streamOf(set, 0x20 * k));
  }
  const { heap, rows } = writer.end(0x1f);
  return { heap: takeChain(core, heap), rows: rows === 0 ? undefined : takeChain(core, rows) };
}

describe(`mutants, seed ${SEED}`, () => {
  /** What mutations like to hit: structures rather than values. */
  function mutate(table: TableBlocks, below: (n: number) => number): TableBlocks {
    const copy = (blocks: Uint8Array[]): Uint8Array[] => blocks.map((block) => block.slice());
    const mutant = { heap: copy(table.heap), rows: table.rows === undefined ? undefined : copy(table.rows) };
    for (let k = 1 + below(4); k > 0; k--) {
      const blocks = mutant.rows !== undefined && below(4) === 0 ? mutant.rows : mutant.heap;
      const at = below(blocks.length);
      const block = blocks[at]!;
      const view = new DataView(block.buffer);
      const map = block.length > 2 ? view.getUint16(0, true) : 0;
      const places = [
        below(block.length),
        below(Math.min(block.length, 120)),
        Math.min(map + below(40), block.length - 1),
      ];
      const place = places[below(3)]!;
      switch (below(7)) {
        case 0:
        case 1:
          block[place] = below(256);
          break;
        case 2:
          block[place]! ^= 1 << below(8);
          break;
        case 3:
          if (place + 4 <= block.length)
            view.setUint32(place, [0, 0xffffffff, 0x7fffffff, 0x20, 0xffe0, below(2 ** 32)][below(6)]!, true);
          break;
        case 4:
          if (place + 2 <= block.length)
            view.setUint16(place, [0, 0xffff, block.length, block.length - 1, below(65536)][below(5)]!, true);
          break;
        case 5:
          blocks[at] = block.slice(0, 1 + below(block.length));
          break;
        default:
          if (below(2) === 0) blocks.splice(at, blocks.length > 1 ? 1 : 0);
          else blocks.splice(at, 0, blocks[below(blocks.length)]!.slice());
      }
    }
    return mutant;
  }

  const sources: [name: string, make: () => TableBlocks][] = [
    ['a property context', () => ({ heap: wholePc(), rows: undefined })],
    ['a table in its heap', () => wholeTable(60)],
    ['a table of many blocks', () => wholeTable(900)],
    ['a table without rows', () => wholeTable(0)],
  ];
  it.each(sources)(
    'of %s',
    (_, make) => {
      const source = make();
      expect(tryAll(core, source, 1)).toBe(source.rows === undefined ? 2 - Number(source.heap[0]![3] === 0x7c) : 2);
      const below = random(SEED);
      let damaged = 0;
      for (let k = 0; k < MUTANTS; k++) {
        const mutant = mutate(source, below);
        try {
          if (tryAll(core, mutant, k % 5 === 0 ? below(3) : 1) > 2) damaged++;
        } catch (error) {
          throw new Error(`mutant ${k}: ${(error as Error).message}`, { cause: error });
        }
      }
      expect(core.x.pagesLive()).toBe(0);
      expect(damaged, 'mutants that were noticed').toBeGreaterThan(MUTANTS / 20);
    },
    120_000,
  );

  it('pure noise behind a good signature', () => {
    const below = random(SEED + 1);
    for (let k = 0; k < MUTANTS; k++) {
      const heap = Array.from({ length: 1 + below(3) }, () =>
        Uint8Array.from({ length: 1 + below(600) }, () => below(256)),
      );
      const head = heap[0]!;
      if (head.length > 12)
        head.set([below(head.length), below(3), 0xec, [0xbc, 0x7c, 0xb5][below(3)]!, 0x20, 0, 0, 0]);
      tryAll(core, { heap, rows: below(2) === 0 ? undefined : heap }, below(3));
    }
  });
});

/** A heap of one block with these items; HID 0x20 is the first. */
function heapOf(client: number, root: number, items: readonly Uint8Array[]): Uint8Array {
  let at = 12;
  const offsets = items.map((item) => (at += item.length) - item.length);
  offsets.push(at);
  at += at & 1;
  const block = new Uint8Array(at + 4 + 2 * offsets.length);
  const view = new DataView(block.buffer);
  view.setUint16(0, at, true);
  block.set([0xec, client], 2);
  view.setUint32(4, root, true);
  items.forEach((item, k) => block.set(item, offsets[k]));
  view.setUint16(at, items.length, true);
  offsets.forEach((offset, k) => view.setUint16(at + 4 + 2 * k, offset, true));
  return block;
}

const u16s = (...values: number[]): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer);
const u32s = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const bthHeader = (key: number, value: number, levels: number, root: number): Uint8Array =>
  join(Uint8Array.of(0xb5, key, value, levels), u32s(root));

/** A table of one block: TCINFO with `columns` of (tag, ibData, cbData, iBit), the row index, the rows. */
function tableOf(
  rgib: readonly [number, number, number, number],
  columns: readonly (readonly [number, number, number, number])[],
  index: readonly (readonly [id: number, row: number])[],
  rows: Uint8Array | 'subnode' | undefined,
  more: readonly Uint8Array[] = [],
): Uint8Array {
  const info = join(
    Uint8Array.of(0x7c, columns.length),
    u16s(...rgib),
    u32s(0x20, rows === undefined ? 0 : rows === 'subnode' ? 0x1f : 0x80, 0),
    ...columns.map(([tag, ibData, cbData, iBit]) => join(u32s(tag), u16s(ibData), Uint8Array.of(cbData, iBit))),
  );
  const records = join(...index.map(([id, row]) => u32s(id, row)));
  const header = bthHeader(4, 4, 0, index.length > 0 ? 0x60 : 0);
  return heapOf(0x7c, 0x40, [header, info, records, rows instanceof Uint8Array ? rows : new Uint8Array(0), ...more]);
}

const said = (): string => core.damage({}).message;

describe('by hand', () => {
  it('a small honest context and table, so that the attacks below differ in one thing', () => {
    const pc = heapOf(0xbc, 0x20, [
      bthHeader(2, 6, 0, 0x40),
      join(u16s(0x3001, 0x1f), u32s(0x60)),
      Uint8Array.of(65, 0),
    ]);
    expect(readPcOf(core, [pc])!.value(0)).toEqual(Uint8Array.of(65, 0));
    const rows = join(u32s(7), Uint8Array.of(0x80), u32s(8), Uint8Array.of(0x80));
    const tc = tableOf(
      [4, 4, 4, 5],
      [[0x67f20003, 0, 4, 0]],
      [
        [7, 0],
        [8, 1],
      ],
      rows,
    );
    const table = readTableOf(core, { heap: [tc], rows: undefined })!;
    expect(table.rows.map((row) => [row.rowId, row.inline(0x67f20003)])).toEqual([
      [7, 7],
      [8, 8],
    ]);
  });

  it('rows of no width: no division by it', () => {
    const tc = tableOf([0, 0, 0, 0], [], [[7, 0]], new Uint8Array(8));
    expect(readTableOf(core, { heap: [tc], rows: undefined })).toBeUndefined();
    expect(said()).toContain('TCINFO.rgib');
    tryAll(core, { heap: [tc], rows: [new Uint8Array(8)] }, 1);
  });

  it('a block in the middle of the matrix that is shorter than the first, and a last one that is longer', () => {
    const index = Array.from({ length: 12 }, (_, k) => [k, k] as const);
    const tc = tableOf([4, 4, 4, 5], [[0x67f20003, 0, 4, 0]], index, 'subnode');
    const block = (size: number): Uint8Array => new Uint8Array(size).fill(0x80);
    const table = readTableOf(core, { heap: [tc], rows: [block(20), block(12), block(40)] })!;
    // Four rows a block: rows 6 and 7 are past the end of the second, and the third still has only four.
    expect([table.rows.map((row) => row.rowId), table.badRows]).toEqual([[0, 1, 2, 3, 4, 5, 8, 9, 10, 11], 2]);
    const many = Array.from({ length: 40 }, (_, k) => [k, k] as const);
    const longer = tableOf([4, 4, 4, 5], [[0x67f20003, 0, 4, 0]], many, 'subnode');
    const all = readTableOf(core, { heap: [longer], rows: [block(20), block(12), block(400)] })!;
    expect([all.rows.length, all.badRows]).toEqual([10, 30]);
    tryAll(core, { heap: [longer], rows: [block(20), block(12), block(400)] }, 1);
    tryAll(core, { heap: [longer], rows: [block(4), block(12), block(400)] }, 1);
    tryAll(core, { heap: [longer], rows: [] }, 1);
  });

  it('a row index that names rows out of reach, one twice, and all of u32', () => {
    const rows = join(u32s(7), Uint8Array.of(0x80), u32s(8), Uint8Array.of(0x80));
    const index = [
      [1, 0],
      [2, 0],
      [3, 2],
      [4, 0xffffffff],
      [5, 0x80000000],
      [6, 1],
    ] as const;
    const tc = tableOf([4, 4, 4, 5], [[0x67f20003, 0, 4, 0]], index, rows);
    const table = readTableOf(core, { heap: [tc], rows: undefined })!;
    expect([table.rows.map((row) => row.rowId), table.badRows]).toEqual([[1, 6], 4]);
  });

  it('255 columns over the same four bytes', () => {
    const columns = Array.from({ length: 255 }, (_, k) => [((k + 1) * 0x10000 + 3) >>> 0, 0, 4, k] as const);
    expect(
      readTableOf(core, { heap: [tableOf([4, 4, 4, 36], columns, [], undefined)], rows: undefined }),
    ).toBeUndefined();
    expect(said()).toContain('TCOLDESC');
  });

  it('a column past its group, a bit past the row, a cell of no width', () => {
    for (const column of [
      [0x67f20003, 1, 4, 0],
      [0x67f20003, 0xffff, 4, 0],
      [0x67f20003, 0, 255, 0],
      [0x67f20003, 0, 4, 8],
      [0x67f20003, 0, 4, 255],
      [0x67f20003, 0, 0, 0],
    ] as const) {
      const tc = tableOf([4, 4, 4, 5], [column], [[7, 0]], new Uint8Array(5));
      expect(readTableOf(core, { heap: [tc], rows: undefined })).toBeUndefined();
      expect(said()).toContain('TCOLDESC');
    }
  });

  it('groups that run backwards', () => {
    for (const rgib of [
      [8, 4, 4, 5],
      [4, 4, 0, 5],
      [4, 4, 4, 4],
      [0xffff, 0xffff, 0xffff, 0],
    ] as const) {
      const tc = tableOf(rgib, [[0x67f20003, 0, 4, 0]], [[7, 0]], new Uint8Array(5));
      expect(readTableOf(core, { heap: [tc], rows: undefined })).toBeUndefined();
      expect(said()).toContain('TCINFO.rgib');
    }
  });

  it('a thousand cells that all name one large item', () => {
    const rowCount = 1000;
    const rows = new Uint8Array(5 * rowCount);
    for (let k = 0; k < rowCount; k++) rows.set([0xa0, 0, 0, 0, 0x80], 5 * k);
    const index = Array.from({ length: rowCount }, (_, k) => [k, k] as const);
    const tc = tableOf([4, 4, 4, 5], [[0x10000102, 0, 4, 0]], index, rows, [new Uint8Array(30000).fill(1)]);
    expect(readTableOf(core, { heap: [tc], rows: undefined }, 2)).toBeUndefined();
    expect(said()).toContain('the same items again and again');
    // A few may share.
    const few = tableOf([4, 4, 4, 5], [[0x10000102, 0, 4, 0]], index.slice(0, 8), rows.subarray(0, 40), [
      new Uint8Array(30000),
    ]);
    expect(readTableOf(core, { heap: [few], rows: undefined })).toBeDefined();
  });

  it('properties that all name one large item', () => {
    const large = new Uint8Array(6000).fill(1);
    const pc = (count: number): Uint8Array => {
      const records = join(...Array.from({ length: count }, (_, k) => join(u16s(k, 0x102), u32s(0x60))));
      return heapOf(0xbc, 0x20, [bthHeader(2, 6, 0, 0x40), records, large]);
    };
    expect(readPcOf(core, [pc(8)])!.count).toBe(8);
    expect(readPcOf(core, [pc(200)])).toBeUndefined();
    expect(said()).toContain('the same items again and again');
  });

  it('more properties than there are ids: their values would be more than 32 bits can count', () => {
    // 530,000 records of 8 bytes in 4K blocks, each naming an item of 8,180 bytes: 4.3 GB.
    const perLeaf = 8000;
    const leaf = join(...Array.from({ length: perLeaf }, () => join(u16s(1, 0x102), u32s(0x60))));
    const leaves = Array.from({ length: 67 }, () => heapOf(0, 0, [leaf]));
    const index = join(...leaves.map((_, k) => join(u16s(1), u32s((((k + 1) << 19) | 0x20) >>> 0))));
    const head = heapOf(0xbc, 0x20, [bthHeader(2, 6, 1, 0x40), index, new Uint8Array(8180)]);
    expect(readPcOf(core, [head, ...leaves], 2)).toBeUndefined();
    expect(said()).toContain('536000 properties, at most 65536');
    tryAll(core, { heap: [head, ...leaves], rows: undefined }, 2);
  });

  it('a BTH whose index records all lead to one leaf, or round in a circle', () => {
    const leaf = join(...Array.from({ length: 100 }, () => join(u16s(1, 3), u32s(1))));
    const index = (hid: number): Uint8Array => join(...Array.from({ length: 100 }, () => join(u16s(1), u32s(hid))));
    const levels = heapOf(0xbc, 0x20, [bthHeader(2, 6, 8, 0x40), index(0x40), leaf]);
    expect(readPcOf(core, [levels])).toBeUndefined();
    const fan = heapOf(0xbc, 0x20, [bthHeader(2, 6, 1, 0x40), index(0x60), leaf]);
    expect(readPcOf(core, [fan])).toBeUndefined();
    expect(said()).toContain('[BTH');
    const nothing = heapOf(0xbc, 0x20, [bthHeader(2, 6, 1, 0x40), index(0x60), new Uint8Array(0)]);
    expect(readPcOf(core, [nothing])!.count).toBe(0);
    for (const block of [levels, fan, nothing]) tryAll(core, { heap: [block], rows: undefined }, 1);
  });

  it('a BTH too deep, and with keys and values of every size', () => {
    expect(readPcOf(core, [heapOf(0xbc, 0x20, [bthHeader(2, 6, 9, 0x40), new Uint8Array(6)])])).toBeUndefined();
    expect(said()).toContain('9 levels');
    for (let key = 0; key < 256; key++) {
      for (const value of [0, 1, 2, 4, 6, 32, 33, 255]) {
        const items = [bthHeader(key, value, 0, 0x60), new Uint8Array(30).fill(0x7c), new Uint8Array(96)];
        tryAll(core, { heap: [heapOf(0xbc, 0x20, items)], rows: undefined }, 1);
        tryAll(core, { heap: [heapOf(0x7c, 0x40, items)], rows: undefined }, 1);
      }
    }
  });

  it('page maps at every place of a small block', () => {
    const block = heapOf(0xbc, 0x20, [
      bthHeader(2, 6, 0, 0x40),
      join(u16s(0x3001, 0x1f), u32s(0x60)),
      Uint8Array.of(65, 0),
    ]);
    const view = new DataView(block.buffer);
    for (const place of [...Array(block.length + 4).keys(), 0x7fff, 0x8000, 0xfffe, 0xffff]) {
      view.setUint16(0, place, true);
      tryAll(core, { heap: [block], rows: [block] }, 1);
    }
  });

  it('every length of a block', () => {
    const table = wholeTable(20);
    for (let size = 1; size <= table.heap[0]!.length; size++) {
      tryAll(core, { heap: [table.heap[0]!.subarray(0, size)], rows: undefined }, 1);
    }
  });

  it('an empty chain', () => {
    expect(tryAll(core, { heap: [], rows: [] }, 1)).toBe(3);
  });

  it('a HID of another shape: every type, index and block', () => {
    for (const hid of [0, 1, 0x1f, 0x20, 0x21, 0xffe0, 0xffff, 0x10020, 0xffff0020, 0xffffffe0, 0xffffffff]) {
      const pc = heapOf(0xbc, 0x20, [bthHeader(2, 6, 0, 0x40), join(u16s(0x3001, 0x1f), u32s(hid))]);
      const stream = readPcOf(core, [pc])!;
      expect(stream.flags(0)).toBe(hid === 0 || hid === 0x20 ? 0 : (hid & 31) !== 0 ? 2 : 4);
      for (const variant of [0, 1, 2])
        tryAll(core, { heap: [heapOf(0xbc, hid, [bthHeader(2, 6, 0, hid)])], rows: undefined }, variant);
    }
  });
});
