/** What can be wrong in a heap whose block is sound: its items, BTHs, property contexts and tables. @module */
import { hex } from '../../src/errors.js';
import { CLIENT_SIGNATURE, TCINFO } from '../../src/wire/heap.js';
import type { Random } from './random.js';

/**
 * Bends one thing in a decoded heap block: its header, page map, a BTH, a table's description, or any number of any item. `other` gives
 * numbers for the place of one. Says what was done.
 */
export function bendHeap(payload: Uint8Array, random: Random, other: (was: number, width: number) => number): string {
  const view = new DataView(payload.buffer);
  const map = view.getUint16(0, true);
  const cAlloc = map + 4 <= payload.length ? view.getUint16(map, true) : 0;
  const items: { from: number; to: number; hid: number }[] = [];
  for (let k = 0; k < cAlloc && map + 8 + 2 * k <= payload.length; k++) {
    const [from, to] = [view.getUint16(map + 4 + 2 * k, true), view.getUint16(map + 6 + 2 * k, true)];
    if (from < to && to <= payload.length) items.push({ from, to, hid: (k + 1) << 5 });
  }
  const hid = (): number => (items.length === 0 ? 0x20 : random.pick(items).hid);
  const number = (was: number, width: number): number =>
    random.chance(0.35)
      ? hid()
      : random.chance(0.2)
        ? random.pick([0x1f, 0x3f, 0x8025, 0x671, 0x692])
        : other(was, width);
  const any = (at: number, width: number): string => {
    const now = number(0, width);
    return bend(view, Math.max(0, Math.min(at, payload.length - width)), width, now);
  };
  const find = (test: (item: { from: number; to: number }) => boolean) => {
    const found = items.filter(test);
    return found.length === 0 ? undefined : random.pick(found);
  };
  switch (random.weighted({ header: 2, map: 4, bth: 4, tcinfo: 6, column: 5, item: 12, sizes: 2 })) {
    case 'header':
      return `HNHDR ${any(random.pick([0, 2, 3, 4, 8]), random.pick([1, 2, 4]))}`;
    case 'map':
      return `page map ${any(map + random.pick([0, 2, 4 + 2 * random.below(cAlloc + 1)]), 2)}`;
    case 'bth': {
      const item = find(({ from, to }) => payload[from] === CLIENT_SIGNATURE.BTH && to - from === 8);
      if (item === undefined) return any(random.below(payload.length), 4);
      const at = random.below(5);
      if (at === 4) return `BTHHEADER.hidRoot ${any(item.from + 4, 4)}`;
      return `BTHHEADER ${bend(view, item.from + at, 1, random.pick([0, 1, 2, 3, 4, 6, 7, 8, 9, 16, 32, 33, 127, 128, 255]))}`;
    }
    case 'tcinfo':
    case 'column': {
      const item = find(({ from, to }) => payload[from] === CLIENT_SIGNATURE.TC && to - from >= TCINFO.size);
      if (item === undefined) return any(random.below(payload.length), 4);
      if (random.chance(0.5)) {
        const [name, at] = random.pick(Object.entries(TCINFO.at));
        return `TCINFO.${name} ${any(item.from + at, name.startsWith('h') ? 4 : name.startsWith('T') ? 2 : 1)}`;
      }
      const count = Math.max(1, Math.floor((item.to - item.from - TCINFO.size) / 8));
      const column = item.from + TCINFO.size + 8 * random.below(count);
      const [at, width] = random.pick([
        [0, 2], // type
        [2, 2], // id
        [4, 2],
        [6, 1],
        [7, 1],
      ] as const);
      return `TCOLDESC ${any(column + at, width)}`;
    }
    case 'item': {
      // Leaf records of a BTH, values, counts and offsets of multiple values, cells.
      const item = find(() => true);
      if (item === undefined) return any(random.below(payload.length), 4);
      const width = random.pick([1, 2, 2, 4, 4, 4]);
      return `item ${hex(item.hid)} ${any(item.from + width * random.below(Math.ceil((item.to - item.from) / width)), width)}`;
    }
    case 'sizes': {
      // One item takes the place of its neighbours.
      if (items.length < 2) return any(map, 2);
      const k = random.below(items.length);
      view.setUint16(map + 4 + 2 * k, random.below(payload.length), true);
      return `item ${hex((k + 1) << 5)} begins elsewhere`;
    }
  }
}

export function putNumber(view: DataView, at: number, width: number, value: number): void {
  if (width === 1) view.setUint8(at, value & 0xff);
  else if (width === 2) view.setUint16(at, value & 0xffff, true);
  else {
    view.setUint32(at, value >>> 0, true);
    if (width === 8) view.setUint32(at + 4, Math.floor(value / 2 ** 32) >>> 0, true);
  }
}

/** Sets a number of a payload; says what was done. */
export function bend(view: DataView, at: number, width: number, value: number): string {
  putNumber(view, at, width, value);
  return `u${8 * width} at ${at} → ${hex(value)}`;
}
