/** The window gives the bytes of the file, whatever the order of asking, and reads little more than it must. */
import { expect, test } from 'vitest';
import { Core } from '../../src/core/core.js';
import { Window } from '../../src/ndb/window.js';
import { MemoryFile } from '../memory-file.js';

const file = new MemoryFile(
  'w',
  new Uint8Array(5_000_001).map((_, i) => (i * 2654435761) >>> 24),
);
let read = 0;
const source = {
  name: 'w',
  size: file.size,
  read(target: Uint8Array, ib: number): number {
    read += target.length;
    return file.read(target, ib);
  },
  close(): void {},
};

test('any order', () => {
  const core = Core.load();
  const window = new Window(source, core, 64 << 10);
  const seed = 77;
  let state = seed;
  const random = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  let ib = 0;
  for (let k = 0; k < 3000; k++) {
    const size = 1 + random(8192);
    ib = random(10) ? Math.min(ib + random(9000), source.size - size) : random(source.size - size + 1);
    window.locate(ib, size, {});
    const from = window.lo + window.at;
    expect(
      Buffer.compare(core.u8.subarray(from, from + size), file.bytes.subarray(ib, ib + size)),
      `seed ${seed}`,
    ).toBe(0);
  }
  window.locate(source.size - 5, 5, {});
  expect(core.u8[window.lo + window.at + 4]).toBe(file.bytes[source.size - 1]);
  window.close();
  expect(core.x.pagesLive()).toBe(0);
});

test('in order: each byte about once', () => {
  const window = new Window(source, Core.load(), 64 << 10);
  read = 0;
  for (let ib = 0; ib + 8192 <= source.size; ib += 8192) window.locate(ib, 8192, {});
  expect(read).toBeLessThan(source.size * 1.1);
});

test('the end of the file, and a file that becomes shorter', () => {
  const window = new Window(source, Core.load(), 64 << 10);
  expect(() => window.locate(source.size - 4, 5, { nid: 0x21 })).toThrow(
    /5 bytes are needed, the file ends at .* \[nid 0x21/,
  );
  expect(() => window.locate(-1, 5, {})).toThrow(/the file ends/);
  expect(() => window.locate(2 ** 60, 5, {})).toThrow(/the file ends/);
  const shrunk = new Window({ ...source, size: source.size + 10 }, Core.load(), 64 << 10);
  expect(() => shrunk.locate(source.size, 5, {})).toThrow(/the file has become shorter/);
});
