/** Damage in the store, on the page: which structure, which field, both numbers, and the bytes they stand in. @module */
import type { Where } from '../errors.js';
import { BLOCK, wireSize } from '../wire/block.js';
import { bidKey } from '../wire/btree.js';
import { HEADER, WVER } from '../wire/header.js';
import { PAGE } from '../wire/page.js';
import type { Shape, Struct } from '../wire/struct.js';
import { ANSI, UNICODE, UNICODE_4K, type Variant } from '../wire/variant.js';
import type { Bundle } from './bundle.js';
import { bytes, type Content, code, fields, hex, html, number, wide } from './html-page.js';
import { type Range, sparseSource } from './sparse.js';

/** A damaged piece of the file: a block, a page, or the header. */
interface Piece {
  readonly what: string;
  readonly ib: number;
  readonly size: number;
  /** Payload bytes of a block; of a page those before its trailer. */
  readonly payload: number;
  /** The structure the field is in, and where in the piece. */
  readonly structure: Struct<Shape>;
  readonly structureAt: number;
}

/** wVer, MS-PST 2.2.2.6. */
function variantOf(bundle: Bundle): Variant {
  const header = bundle.ranges.find(({ ib }) => ib === 0)?.bytes;
  const at = HEADER.at.wVer;
  if (header === undefined || header.length < at + 2) return UNICODE;
  const wVer = header[at]! | (header[at + 1]! << 8);
  return wVer <= WVER.ANSI_15 ? ANSI : wVer >= WVER.UNICODE_4K ? UNICODE_4K : UNICODE;
}

const isPage = (field: string | undefined): boolean => /^(PAGETRAILER|BTPAGE|BTENTRY|BREF)/.test(field ?? '');

function pieceOf(bundle: Bundle, { bid, ib, field }: Where): Piece | undefined {
  const variant = variantOf(bundle);
  const entry = bid === undefined ? undefined : bundle.blocks.find(([known]) => known === bidKey(bid));
  if (entry !== undefined && !isPage(field)) {
    const [known, blockIb, cb] = entry;
    const size = wireSize(cb, variant);
    const { trailer } = BLOCK[variant];
    const structure = trailer as unknown as Struct<Shape>;
    return { what: `Block ${hex(known)}`, ib: blockIb, size, payload: cb, structure, structureAt: size - trailer.size };
  }
  if (ib !== undefined && isPage(field)) {
    const { size, trailer, trailerAt, counts, entries } = PAGE[variant];
    const isCounts = field?.startsWith('BTPAGE') === true;
    const structure = (isCounts ? counts : trailer) as unknown as Struct<Shape>;
    return { what: 'The page', ib, size, payload: trailerAt, structure, structureAt: isCounts ? entries : trailerAt };
  }
  if (field?.startsWith('HEADER') === true || (ib === undefined && bid === undefined && bundle.node === null)) {
    const structure = HEADER as unknown as Struct<Shape>;
    return { what: 'The header', ib: 0, size: HEADER.size, payload: HEADER.size, structure, structureAt: 0 };
  }
  return undefined;
}

/** The two numbers of a message: `stored CRC 0x0, computed 0xf6ad732e`. */
const PAIRS: readonly RegExp[] = [
  /^stored ([\w ]+?) (0x[0-9a-f]+|\d+), (computed) (0x[0-9a-f]+|\d+)/,
  /^([\w ]+?)(?: is| says| itself)? (0x[0-9a-f]+|\d+)(?: bytes)?, (expected|the BBT) (0x[0-9a-f]+|\d+)/,
];

export function numbersOf(message: string): readonly [string, string][] {
  for (const pattern of PAIRS) {
    const found = pattern.exec(message);
    if (found === null) continue;
    const [, what, first, how, second] = found as unknown as [string, string, string, string, string];
    const stored = message.startsWith('stored') ? `Stored ${what}` : 'Found';
    return [
      [stored, first],
      [how === 'computed' ? 'Computed' : how === 'expected' ? 'Expected' : 'In the BBT', second],
    ];
  }
  return [];
}

export function damageSection(bundle: Bundle, message: string, where: Where): Content {
  const piece = pieceOf(bundle, where);
  const [structure, field] = (where.field ?? '').split('.');
  const pair = numbersOf(message);
  return html`${fields([
    ['Structure', structure === '' ? undefined : code(structure!)],
    ['Field', field === undefined ? undefined : code(field)],
    ['Specification', where.section === undefined ? undefined : `[MS-PST] ${where.section}`],
    ...pair.map(([name, value]) => [name, code(value)] as const),
    ['Block (BID)', where.bid === undefined ? undefined : code(hex(where.bid))],
    ['Place in the file', where.ib === undefined ? undefined : html`${code(hex(where.ib))} (${number(where.ib)})`],
    ['Node (NID)', where.nid === undefined ? undefined : code(hex(where.nid))],
  ])}
${piece === undefined ? undefined : pieceBytes(bundle, piece, field)}`;
}

// --- bytes ------------------------------------------------------------------------------------------------------------------

const ROW = 16;
const HEAD_ROWS = 4;

function pieceBytes(bundle: Bundle, piece: Piece, field: string | undefined): Content {
  const { what, ib, size, payload, structure, structureAt } = piece;
  const store = sparseSource(bundle.source.name, bundle.source.size, bundle.ranges as readonly Range[]);
  const data = new Uint8Array(size);
  const read = store.read(data, ib);
  if (read < structureAt) return undefined;
  const spot = field === undefined ? undefined : spotOf(structure, structureAt, field);
  const view = new DataView(data.buffer);
  const rows = Object.entries(structure.at)
    .sort(([, a], [, b]) => a - b)
    .slice(0, FIELDS_MAX)
    .map(([name, at]) => {
      const isHere = name === field;
      const end = fieldEnd(structure, at);
      const raw = data.subarray(structureAt + at, structureAt + end);
      return html`<tr${isHere ? html` class="here"` : undefined}><td class="mono">${name}${isHere ? html` <strong>◂ here</strong>` : undefined}</td><td class="mono">${hex(ib + structureAt + at)}</td><td class="n">${end - at}</td><td class="mono">${hexText(raw.subarray(0, 16))}${raw.length > 16 ? ' …' : ''}</td><td class="mono n">${raw.length <= 8 ? numberAt(view, structureAt + at, raw.length) : ''}</td></tr>
`;
    });
  return html`<h3>${what}, ${bytes(size)} at ${hex(ib)}</h3>
<p>${payload === size ? '' : `${bytes(payload)} of payload${structureAt > payload ? `, ${bytes(structureAt - payload)} of padding` : ''}, then its ${structure.name} (${structure.section}).`}</p>
${wide(`Fields of ${structure.name}`, html`<table class="stream"><thead><tr><th scope="col">Field of ${structure.name}</th><th scope="col">At</th><th scope="col" class="n">Bytes</th><th scope="col">Stored</th><th scope="col" class="n">Value</th></tr></thead><tbody>${rows}</tbody></table>`)}
<pre class="hex" tabindex="0" role="region" aria-label="Bytes of the damaged structure">${dump(data.subarray(0, read), ib, structureAt, spot)}</pre>`;
}

/** The header has over thirty. */
const FIELDS_MAX = 60;

function fieldEnd(structure: Struct<Shape>, at: number): number {
  return Math.min(...Object.values(structure.at).filter((other) => other > at), structure.size);
}

function spotOf(structure: Struct<Shape>, base: number, field: string): { from: number; to: number } | undefined {
  const at = structure.at[field];
  return at === undefined ? undefined : { from: base + at, to: base + fieldEnd(structure, at) };
}

function numberAt(view: DataView, at: number, size: number): string {
  let value = 0;
  for (let k = size - 1; k >= 0; k--) value = value * 256 + view.getUint8(at + k);
  return hex(value);
}

const hexText = (data: Uint8Array): string => Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** The first rows, and those of the structure: it is underlaid, the field stands out. */
function dump(
  data: Uint8Array,
  ib: number,
  structureAt: number,
  spot: { from: number; to: number } | undefined,
): Content {
  const lines: Content[] = [];
  const tail = Math.max(0, Math.floor((structureAt - ROW) / ROW) * ROW);
  for (let row = 0; row < data.length; row += ROW) {
    if (row === HEAD_ROWS * ROW && tail > row) {
      lines.push(html`<span class="skip">          … ${bytes(tail - row)} not shown …</span>\n`);
      row = tail;
    }
    const cells: Content[] = [];
    const letters: Content[] = [];
    for (let at = row; at < Math.min(row + ROW, data.length); at++) {
      const isSpot = spot !== undefined && at >= spot.from && at < spot.to;
      const name = isSpot ? 'bad' : structureAt > 0 && at >= structureAt ? 'in' : '';
      const byte = data[at]!;
      const text = byte.toString(16).padStart(2, '0');
      const letter = byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
      const gap = at + 1 === row + ROW ? '' : at === row + 7 ? '  ' : ' ';
      cells.push(
        name === '' ? text : html`<span class="${name}">${text}</span>`,
        name === 'in' ? html`<span class="in">${gap}</span>` : gap,
      );
      letters.push(name === '' ? letter : html`<span class="${name}">${letter}</span>`);
    }
    lines.push(html`<span class="at">${(ib + row).toString(16).padStart(8, '0')}</span>  ${cells}  ${letters}\n`);
  }
  return lines;
}
