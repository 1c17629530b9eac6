/**
 * A second reader of heaps, BTHs, PCs and TCs, written from [MS-PST] 2.3 alone and sharing nothing with the core. Strict:
 * whatever a writer must keep to is expected here, by vitest's own assertions.
 */
import { expect } from 'vitest';

const PAYLOAD = 8176;

export interface Heap {
  client: number;
  root: number;
  blocks: readonly DataView[];
  /** Offsets of the items of each block, one more than there are items. */
  offsets: number[][];
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** 2.3.1.2, the table of rgbFillLevel: smallest free space of each level. */
const LEVELS = [3584, 2560, 2048, 1792, 1536, 1280, 1024, 768, 512, 256, 128, 64, 32, 16, 8, 0];

function headerOf(block: number): number {
  if (block === 0) return 12;
  return block % 128 === 8 ? 66 : 2;
}

/** A heap as a Unicode writer leaves it. */
export function parseHeap(bytes: readonly Uint8Array[]): Heap {
  const blocks = bytes.map(view);
  const first = blocks[0]!;
  expect(first.getUint8(2), 'bSig').toBe(0xec);
  const offsets = blocks.map((block, k) => {
    const isLast = k === blocks.length - 1;
    const ibHnpm = block.getUint16(0, true);
    expect(ibHnpm % 2, 'ibHnpm is even').toBe(0);
    const cAlloc = block.getUint16(ibHnpm, true);
    const cFree = block.getUint16(ibHnpm + 2, true);
    const end = ibHnpm + 4 + 2 * (cAlloc + 1);
    expect(block.byteLength, `size of block ${k}`).toBe(isLast ? end : PAYLOAD);
    expect(end).toBeLessThanOrEqual(PAYLOAD);
    expect(cAlloc).toBeGreaterThan(0);
    expect(cAlloc).toBeLessThanOrEqual(2047);
    const rgib = Array.from({ length: cAlloc + 1 }, (_, i) => block.getUint16(ibHnpm + 4 + 2 * i, true));
    expect(rgib[0], 'first item behind the header').toBe(headerOf(k));
    expect([ibHnpm, ibHnpm - 1], 'last offset').toContain(rgib[cAlloc]);
    if (rgib[cAlloc] !== ibHnpm) expect(block.getUint8(ibHnpm - 1), 'padding').toBe(0);
    let empty = 0;
    for (let i = 0; i < cAlloc; i++) {
      const size = rgib[i + 1]! - rgib[i]!;
      if (size < 0 || size > 3580) expect.fail(`item ${i + 1} of block ${k} has ${size} bytes`);
      if (size === 0) empty++;
    }
    expect(cFree, 'cFree').toBe(empty);
    for (let at = end; at < block.byteLength; at++)
      if (block.getUint8(at) !== 0) expect.fail(`byte ${at} of block ${k}`);
    return rgib;
  });

  const stored = (k: number): number => {
    const keeper = k < 8 ? 0 : 8 + 128 * Math.floor((k - 8) / 128);
    const slot = k - keeper;
    const byte = blocks[keeper]!.getUint8((keeper === 0 ? 8 : 2) + (slot >> 1));
    return slot % 2 === 0 ? byte & 15 : byte >> 4;
  };
  blocks.forEach((block, k) => {
    const ibHnpm = block.getUint16(0, true);
    const free = PAYLOAD - (ibHnpm + 4 + 2 * (block.getUint16(ibHnpm, true) + 1));
    expect(stored(k), `fill level of block ${k}`).toBe(LEVELS.findIndex((least) => free >= least));
  });
  // Levels of blocks that are not there are 0: empty.
  const end = blocks.length < 8 ? 8 : 8 + 128 * Math.ceil((blocks.length - 8) / 128);
  for (let k = blocks.length; k < end; k++) expect(stored(k), `fill level of block ${k}, which is not there`).toBe(0);
  return { client: first.getUint8(3), root: first.getUint32(4, true), blocks, offsets };
}

export function item(heap: Heap, hid: number): Uint8Array {
  expect(hid & 31, 'hidType').toBe(0);
  const index = (hid >>> 5) & 2047;
  const block = heap.blocks[hid >>> 16];
  expect(block, `block of HID 0x${hid.toString(16)}`).toBeDefined();
  const rgib = heap.offsets[hid >>> 16]!;
  expect(index).toBeGreaterThan(0);
  expect(index).toBeLessThan(rgib.length);
  return new Uint8Array(block!.buffer, block!.byteOffset + rgib[index - 1]!, rgib[index]! - rgib[index - 1]!);
}

export interface Bth {
  keySize: number;
  valueSize: number;
  levels: number;
  records: DataView[];
}

export function parseBth(heap: Heap, hid: number): Bth {
  const header = view(item(heap, hid));
  expect(header.byteLength).toBe(8);
  expect(header.getUint8(0), 'bType').toBe(0xb5);
  const keySize = header.getUint8(1);
  const valueSize = header.getUint8(2);
  const levels = header.getUint8(3);
  const root = header.getUint32(4, true);
  const key = (at: DataView): number => (keySize === 2 ? at.getUint16(0, true) : at.getUint32(0, true));
  const records: DataView[] = [];
  /** Returns the first key below. */
  const walk = (hid: number, level: number): number => {
    const bytes = item(heap, hid);
    const step = keySize + (level === 0 ? valueSize : 4);
    expect(bytes.length % step).toBe(0);
    expect(bytes.length).toBeGreaterThan(0);
    let first: number | undefined;
    for (let at = 0; at < bytes.length; at += step) {
      const record = view(bytes.subarray(at, at + step));
      first ??= key(record);
      if (level === 0) records.push(record);
      else expect(walk(record.getUint32(keySize, true), level - 1), 'key of an index record').toBe(key(record));
    }
    return first!;
  };
  if (root !== 0) walk(root, levels);
  else expect(levels).toBe(0);
  for (let k = 1; k < records.length; k++) {
    if (key(records[k]!) <= key(records[k - 1]!)) expect.fail(`record ${k} is not above the one before`);
  }
  return { keySize, valueSize, levels, records };
}

export type Value = { bytes: string } | { nid: number };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Types whose value lies in dwValueHnid itself, with its bytes. 2.3.3.3. */
const SMALL: Readonly<Record<number, number>> = { 2: 2, 3: 4, 4: 4, 10: 4, 11: 1 };

const hnid = (heap: Heap, value: number): Value => {
  if (value === 0) return { bytes: '' };
  return (value & 31) === 0 ? { bytes: hex(item(heap, value)) } : { nid: value };
};

/** Values of a PC by tag. 2.3.3. */
export function parsePc(blocks: readonly Uint8Array[]): Map<number, Value> {
  const heap = parseHeap(blocks);
  expect(heap.client, 'bClientSig').toBe(0xbc);
  const { keySize, valueSize, records } = parseBth(heap, heap.root);
  expect([keySize, valueSize]).toEqual([2, 6]);
  return new Map(
    records.map((record) => {
      const type = record.getUint16(2, true);
      const small = SMALL[type];
      const value: Value =
        small === undefined
          ? hnid(heap, record.getUint32(4, true))
          : { bytes: hex(new Uint8Array(record.buffer, record.byteOffset + 4, small)) };
      return [((record.getUint16(0, true) << 16) | type) >>> 0, value];
    }),
  );
}

export interface ParsedTable {
  /** Row id, and values by tag, in the order of the matrix. */
  rows: { id: number; values: Map<number, Value> }[];
  levels: number;
  rowsInHeap: boolean;
}

/** A TC. 2.3.4. */
export function parseTable(
  heapBlocks: readonly Uint8Array[],
  rowBlocks: readonly Uint8Array[] | undefined,
): ParsedTable {
  const heap = parseHeap(heapBlocks);
  expect(heap.client, 'bClientSig').toBe(0x7c);
  const info = view(item(heap, heap.root));
  expect(info.getUint8(0)).toBe(0x7c);
  const cCols = info.getUint8(1);
  expect(info.byteLength).toBe(22 + 8 * cCols);
  const [end4, end2, end1, rowSize] = [2, 4, 6, 8].map((at) => info.getUint16(at, true)) as [
    number,
    number,
    number,
    number,
  ];
  expect(end4 <= end2 && end2 <= end1 && end1 + Math.ceil(cCols / 8) === rowSize).toBe(true);
  const index = parseBth(heap, info.getUint32(10, true));
  expect([index.keySize, index.valueSize]).toEqual([4, 4]);
  const hnidRows = info.getUint32(14, true);
  expect(info.getUint32(18, true), 'hidIndex').toBe(0);

  const count = index.records.length;
  const matrix: DataView[] = [];
  if (rowBlocks !== undefined) {
    expect(hnidRows & 31).not.toBe(0);
    const perBlock = Math.floor(PAYLOAD / rowSize);
    rowBlocks.forEach((block, k) => {
      const isLast = k === rowBlocks.length - 1;
      const here = isLast ? count - k * perBlock : perBlock;
      expect(block.length, `size of block ${k} of the matrix`).toBe(isLast ? here * rowSize : PAYLOAD);
      for (let row = 0; row < here; row++) matrix.push(view(block.subarray(row * rowSize, (row + 1) * rowSize)));
      for (let at = here * rowSize; at < block.length; at++)
        if (block[at] !== 0) expect.fail(`byte ${at} behind the rows`);
    });
  } else if (hnidRows !== 0) {
    const bytes = item(heap, hnidRows);
    expect(bytes.length).toBe(count * rowSize);
    for (let row = 0; row < count; row++) matrix.push(view(bytes.subarray(row * rowSize, (row + 1) * rowSize)));
  }
  expect(matrix.length).toBe(count);

  const ids = new Map(index.records.map((record) => [record.getUint32(4, true), record.getUint32(0, true)]));
  expect(
    [...ids.keys()].sort((a, b) => a - b),
    'row indices are dense',
  ).toEqual(matrix.map((_, k) => k));
  const rows = matrix.map((row, k) => {
    const values = new Map<number, Value>();
    for (let c = 0; c < cCols; c++) {
      const at = 22 + 8 * c;
      const tag = info.getUint32(at, true);
      const ibData = info.getUint16(at + 4, true);
      const cbData = info.getUint8(at + 6);
      const iBit = info.getUint8(at + 7);
      const cell = new Uint8Array(row.buffer, row.byteOffset + ibData, cbData);
      if ((row.getUint8(end1 + (iBit >> 3)) & (0x80 >> (iBit & 7))) === 0) {
        expect(hex(cell), 'an absent cell is zero').toBe('00'.repeat(cbData));
        continue;
      }
      const type = tag & 0xffff;
      const isPlaced = cbData === 4 && SMALL[type] === undefined;
      values.set(tag, isPlaced ? hnid(heap, view(cell).getUint32(0, true)) : { bytes: hex(cell) });
    }
    return { id: ids.get(k)!, values };
  });
  return { rows, levels: index.levels, rowsInHeap: rowBlocks === undefined && hnidRows !== 0 };
}
