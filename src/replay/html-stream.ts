/** The properties of the item as a table, and the bytes of the one in question in its heap. @module */
import { EXTERNAL, INLINE, type PropertyStream } from '../ltp/stream.js';
import { FileTime } from '../mapi/filetime.js';
import * as ptyp from '../mapi/type.js';
import { decodeValue, type PropertyValue, type SingleValue } from '../mapi/value.js';
import { nidName } from '../wire/nid.js';
import { bytes, type Content, count, hex, html, number, tagHex, wide } from './html-page.js';
import type { HeapValue, Item } from './item.js';
import { type Namer, namerOf } from './names.js';

/** Characters of a text and bytes of a binary value that are shown. */
const TEXT_SHOWN = 160;
const BYTES_SHOWN = 24;
const ITEMS_SHOWN = 4;
/** Properties shown of an object. Real ones have up to a few hundred. */
const PROPERTIES_MAX = 1000;
/** Above this a value is not decoded for a cell of a table. */
const VALUE_MAX = 1 << 16;

/** Of a bundle that has no names. */
const NAMELESS = namerOf({});

export function itemSection(item: Item | undefined, tag: number, name: Namer = NAMELESS): Content {
  if (item === undefined) {
    return html`<p>The operation was at no object whose properties could be read.</p>`;
  }
  const place = item.nids.map((nid) => `${nidName(nid)} ${hex(nid)}`).join(' › ');
  if (item.kind === 'tc') return tableOf(item, tag, place, name);
  const stream = item.streams[0]!;
  const rows = Array.from({ length: Math.min(stream.count, PROPERTIES_MAX) }, (_, k) => row(stream, k, tag, name));
  const here = tag === 0 || stream.find(tag) < 0 ? '' : ' The one the operation was at is marked.';
  return html`<p>${place}: a property context with ${count(stream.count, 'property', 'properties')}, as the store has them.${here}</p>
${wide(
  'Properties of the item',
  html`<table class="stream"><thead><tr><th scope="col">Tag</th><th scope="col">Property</th><th scope="col">Type</th><th scope="col" class="n">Bytes</th><th scope="col">Value</th></tr></thead>
<tbody>${rows}</tbody></table>`,
)}
${item.value === undefined ? undefined : heapValue(item.value, name(tag))}`;
}

function row(stream: PropertyStream, k: number, here: number, name: Namer): Content {
  const tag = stream.tag(k);
  const isHere = tag === here;
  return html`<tr${isHere ? html` class="here"` : undefined}><td class="mono">${tagHex(tag)}</td><td>${name(tag)}${isHere ? html` <strong>◂ here</strong>` : undefined}</td><td>${ptyp.typeName(ptyp.typeOf(tag))}</td><td class="n">${number(stream.length(k))}</td><td class="value">${valueCell(stream, k)}</td></tr>
`;
}

function valueCell(stream: PropertyStream, k: number): Content {
  const flags = stream.flags(k);
  if (flags & EXTERNAL) return html`<span class="quiet">in subnode ${hex(stream.place(k))}</span>`;
  if (flags !== 0 && !(flags & INLINE)) return html`<span class="quiet">damaged</span>`;
  const value = stream.value(k);
  if (value.length === 0) return html`<span class="quiet">no bytes</span>`;
  if (value.length > VALUE_MAX) return hexStart(value);
  try {
    return valueText(decodeValue(ptyp.typeOf(stream.tag(k)), value));
  } catch {
    return hexStart(value);
  }
}

function valueText(value: PropertyValue): Content {
  if (!Array.isArray(value)) return singleText(value);
  const shown: Content[] = value.slice(0, ITEMS_SHOWN).map((item, k) => [k > 0 ? ', ' : '', singleText(item)]);
  return [shown, value.length > ITEMS_SHOWN ? html` <span class="quiet">… ${count(value.length, 'value')}</span>` : ''];
}

function singleText(value: SingleValue): Content {
  if (typeof value === 'string') {
    const cut = value.slice(0, TEXT_SHOWN).replace(/[\ud800-\udbff]$/, '');
    return [
      `“${cut}”`,
      cut.length < value.length ? html` <span class="quiet">… ${count(value.length, 'character')}</span>` : '',
    ];
  }
  if (value instanceof Uint8Array) return hexStart(value);
  if (value instanceof FileTime || typeof value === 'boolean') return String(value);
  if (typeof value === 'object') return `object in subnode ${hex(value.nid)}, ${bytes(value.size)}`;
  if (typeof value === 'bigint') return String(value);
  return Number.isInteger(value) && (value < 0 || value > 9) ? `${value} (${hex(value >>> 0)})` : String(value);
}

const hexText = (value: Uint8Array): string =>
  Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

const hexStart = (value: Uint8Array): Content =>
  html`<code>${hexText(value.subarray(0, BYTES_SHOWN))}${value.length > BYTES_SHOWN ? ' …' : ''}</code>`;

// --- tables -----------------------------------------------------------------------------------------------------------------

function tableOf({ streams, columns, rowCount }: Item, tag: number, place: string, name: Namer): Content {
  const marked = columns.some((column) => column.tag === tag) ? tag : 0;
  const lines = columns.map((column) => {
    const values = streams.slice(0, ITEMS_SHOWN).flatMap((stream): Content[] => {
      const k = stream.find(column.tag);
      return k < 0 ? [] : [valueCell(stream, k)];
    });
    const shown = values.map((value, k) => [k > 0 ? html` <span class="quiet">·</span> ` : '', value]);
    const isHere = column.tag === marked;
    return html`<tr${isHere ? html` class="here"` : undefined}><td class="mono">${tagHex(column.tag)}</td><td>${name(column.tag)}${isHere ? html` <strong>◂ here</strong>` : undefined}</td><td>${ptyp.typeName(ptyp.typeOf(column.tag))}</td><td class="n">${column.cbData}</td><td class="value">${shown}</td></tr>
`;
  });
  return html`<p>${place}: a table of ${count(columns.length, 'column')} and ${count(rowCount, 'row')}, as the store has it; of its values the first ${ITEMS_SHOWN} rows.</p>
${wide(
  'Columns of the table',
  html`<table class="stream"><thead><tr><th scope="col">Tag</th><th scope="col">Column</th><th scope="col">Type</th><th scope="col" class="n">Cell bytes</th><th scope="col">Values</th></tr></thead>
<tbody>${lines}</tbody></table>`,
)}`;
}

// --- the value in its heap ----------------------------------------------------------------------------------------------------

const ROW = 16;
/** Rows shown of a long item, from its start and at its end. */
const ROWS_MAX = 16;

function heapValue({ hid, blockIndex, bid, bytes: block, from, to }: HeapValue, name: string): Content {
  const first = Math.max(0, Math.floor(from / ROW) * ROW - ROW);
  const last = Math.min(block.length, Math.ceil(to / ROW) * ROW + ROW);
  const lines: Content[] = [];
  const rows = Math.ceil((last - first) / ROW);
  for (let k = 0; k < rows; k++) {
    if (rows > ROWS_MAX && k === ROWS_MAX - 3) {
      lines.push(html`<span class="skip">      … ${bytes((rows - ROWS_MAX) * ROW)} not shown …</span>\n`);
      k = rows - 3;
    }
    lines.push(heapRow(block, first + k * ROW, from, to));
  }
  return html`<h3>${name} in the store’s heap</h3>
<p>Item ${hex(hid)} of ${bytes(to - from)}, at ${hex(from)} of block ${blockIndex} of the heap (BID ${hex(bid)}), decoded. The item is underlaid.</p>
<pre class="hex" tabindex="0" role="region" aria-label="Bytes of the heap item">${lines}</pre>`;
}

function heapRow(block: Uint8Array, row: number, from: number, to: number): Content {
  const cells: Content[] = [];
  const letters: Content[] = [];
  for (let at = row; at < row + ROW; at++) {
    const byte = block[at];
    const isIn = at >= from && at < to;
    const names = [
      ...(isIn ? ['in'] : []),
      ...(isIn && at === from ? ['first'] : []),
      ...(isIn && at === to - 1 ? ['last'] : []),
    ].join(' ');
    const text = byte === undefined ? '  ' : byte.toString(16).padStart(2, '0');
    const letter = byte === undefined ? ' ' : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
    const gap = at + 1 === row + ROW ? '' : at === row + 7 ? '  ' : ' ';
    cells.push(isIn ? html`<span class="${names}">${text}</span>` : text);
    cells.push(isIn && at + 1 < to ? html`<span class="in">${gap}</span>` : gap);
    letters.push(isIn ? html`<span class="in">${letter}</span>` : letter);
  }
  return html`<span class="at">${row.toString(16).padStart(4, '0')}</span>  ${cells}  ${letters}\n`;
}
