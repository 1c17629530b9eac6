/**
 * Lists: the entries of a B-tree page, an XBLOCK or XXBLOCK, an SLBLOCK or SIBLOCK, whatever they say, to be left out one by one.
 * @module
 */
import { BTYPE, SIENTRY, SLBLOCK, SLENTRY } from '../wire/block.js';
import { PAGE } from '../wire/page.js';
import { u64 } from '../wire/struct.js';
import { UNICODE_4K, type Variant } from '../wire/variant.js';

/** Entries of a page, XBLOCK, SLBLOCK or SIBLOCK. */
export interface List {
  readonly kind: 'page' | 'leaves' | 'subnodes' | 'children';
  readonly entries: readonly Uint8Array[];
  /** Puts others in their place. */
  set(entries: readonly Uint8Array[]): void;
}

/** What holds a list: its bytes without the trailer. */
interface Listed {
  bytes: Uint8Array;
}

const SHAPES: readonly {
  readonly btype: number;
  readonly cLevel: number;
  readonly size: number;
  readonly kind: List['kind'];
}[] = [
  { btype: BTYPE.X, cLevel: 1, size: u64.size, kind: 'leaves' },
  { btype: BTYPE.X, cLevel: 2, size: u64.size, kind: 'leaves' },
  { btype: BTYPE.SL, cLevel: 0, size: SLENTRY.size, kind: 'subnodes' },
  { btype: BTYPE.SL, cLevel: 1, size: SIENTRY.size, kind: 'children' },
];

export const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

const slices = (bytes: Uint8Array, from: number, count: number, size: number): Uint8Array[] =>
  Array.from({ length: count }, (_, k) => bytes.slice(from + k * size, from + (k + 1) * size));

/** The entries of an internal Unicode block. 2.2.2.8.3. */
export function blockList(piece: Listed): List | undefined {
  const { bytes } = piece;
  if (bytes.length < SLBLOCK.size) return undefined;
  const [btype, cLevel] = [bytes[0]!, bytes[1]!];
  const shape = SHAPES.find((each) => each.btype === btype && each.cLevel === cLevel);
  if (shape === undefined) return undefined;
  const count = viewOf(bytes).getUint16(SLBLOCK.at.cEnt, true);
  if (SLBLOCK.size + count * shape.size > bytes.length) return undefined;
  return {
    kind: shape.kind,
    entries: slices(bytes, SLBLOCK.size, count, shape.size),
    set(entries) {
      const changed = new Uint8Array(SLBLOCK.size + entries.length * shape.size);
      changed.set(bytes.subarray(0, SLBLOCK.size));
      viewOf(changed).setUint16(SLBLOCK.at.cEnt, entries.length, true);
      entries.forEach((entry, k) => {
        changed.set(entry, SLBLOCK.size + k * shape.size);
      });
      piece.bytes = changed;
    },
  };
}

/** The entries of a page of a B-tree. 2.2.2.7.7.1. */
export function pageList(piece: Listed, variant: Variant): List | undefined {
  const { entries: room, counts, trailerAt } = PAGE[variant];
  const { bytes } = piece;
  if (bytes.length < trailerAt) return undefined;
  const isWide = variant === UNICODE_4K;
  const view = viewOf(bytes);
  const count = isWide ? view.getUint16(room + counts.at.cEnt, true) : bytes[room + counts.at.cEnt]!;
  const size = bytes[room + counts.at.cbEnt]!;
  if (size === 0 || count * size > room) return undefined;
  return {
    kind: 'page',
    entries: slices(bytes, 0, count, size),
    set(entries) {
      const changed = bytes.slice();
      changed.fill(0, 0, room);
      entries.forEach((entry, k) => {
        changed.set(entry, k * size);
      });
      const out = viewOf(changed);
      if (isWide) out.setUint16(room + counts.at.cEnt, entries.length, true);
      else out.setUint8(room + counts.at.cEnt, entries.length);
      piece.bytes = changed;
    },
  };
}
