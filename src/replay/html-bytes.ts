/** The block of a stop byte by byte: as a picture to scale with breaks, and as a hex window. @module */
import type { Scene, Stop, StopKind } from '../core/fault.js';
import type { HeapBlock, HeapMap } from '../core/heapmap.js';
import { bytes, type Content, hex, html, legend, type Markup, number, svg, wide } from './html-page.js';
import { blockOf, hasAddress } from './html-pages.js';
import { type Kind, type Region, regionsOf } from './html-region.js';

/** What a stop points at. */
const MARKS: Partial<Record<StopKind, string>> = {
  'double free': 'freed again here',
  'bad free': 'freed here',
  'slack damage': 'overwritten',
  'suffix damage': 'overwritten',
  'start stamp damage': 'overwritten',
  'end stamp damage': 'overwritten',
  'heap pointer damage': 'overwritten',
  'write after free': 'written after the free',
  'uninitialised read': 'read here',
};

interface Mark {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

function markOf(stop: Stop): Mark | undefined {
  if (!hasAddress(stop) || stop.kind === 'leak') return undefined;
  // An overrun that is refused right behind its block may have begun inside it: what is certain is its first refused byte.
  if (stop.kind === 'overrun' && stop.address === stop.block + stop.size && stop.width > 1) {
    return { from: stop.address, to: stop.address + 1, text: 'the first byte refused' };
  }
  const word = MARKS[stop.kind];
  const width = Math.max(1, stop.width);
  const text = word ?? `the access${stop.width > 0 ? `: ${bytes(stop.width)}` : ''}`;
  return { from: stop.address, to: stop.address + width, text };
}

/** How far the mark is from the block, in words. */
export function distanceText(stop: Stop): string | undefined {
  const { address, block, size } = stop;
  if (block === 0 || stop.kind === 'leak') return undefined;
  if (address < block) return `${bytes(block - address)} before its start`;
  if (address >= block + size) return `${bytes(address - block - size)} past its end`;
  return `${bytes(address - block)} into it`;
}

interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Stretches around the points, `margin` bytes to either side, joined where what lies between is no longer than a break. */
function stretches(points: readonly number[], before: number, after: number, gap: number, limit: Stretch): Stretch[] {
  const joined: { from: number; to: number }[] = [];
  for (const point of [...points].sort((a, b) => a - b)) {
    const from = Math.max(limit.from, point - before);
    const to = Math.min(limit.to, point + after);
    if (to <= from) continue;
    const last = joined.at(-1);
    if (last !== undefined && from - last.to <= gap) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** Places that must be seen: both ends of the block, both of the access. An access of megabytes shows its ends. */
function pointsOf(block: HeapBlock | undefined, mark: Mark | undefined): number[] {
  return [
    ...(block === undefined ? [] : [block.ptr, block.ptr + block.size]),
    ...(mark === undefined ? [] : [mark.from, mark.to]),
  ];
}

const wholeOf = ({ memory }: Scene): Stretch => ({ from: 0, to: memory.byteLength });
const isClosed = (kind: Kind): boolean => kind === 'guard' || kind === 'unused' || kind === 'outside';

// --- the picture ------------------------------------------------------------------------------------------------------------

const WIDTH = 1044;
const BREAK = 52;
const CELL_Y = 58;
const CELL_HEIGHT = 34;
const HEIGHT = 168;
/** Bytes to either side of a point, the widest first. */
const MARGINS = [16, 14, 12, 10, 8, 6, 4, 2] as const;
/** Below this a cell has no room for its byte. */
const CELL_WITH_TEXT = 18;
const CELL_MAX = 26;
/** Fewer bytes than this between two stretches are drawn, too. */
const JOINED_MAX = 16;

const CELLS: Readonly<Record<Kind, string>> = {
  live: 'live-soft',
  freed: 'freed-soft',
  slack: 'slack',
  header: 'arena-soft',
  guard: 'guard',
  unused: 'unused',
  arena: 'soft',
  outside: 'soft',
};

/** Where every shown address is in the picture. */
interface Scale {
  readonly parts: readonly Stretch[];
  readonly cell: number;
  x(address: number): number;
}

function scaleOf(points: readonly number[], whole: Stretch): Scale | undefined {
  for (const margin of MARGINS) {
    const parts = stretches(points, margin, margin, JOINED_MAX, whole);
    const cells = parts.reduce((sum, { from, to }) => sum + to - from, 0);
    const cell = Math.min(CELL_MAX, (WIDTH - (parts.length - 1) * BREAK) / cells);
    if (cells === 0) return undefined;
    if (cell < CELL_WITH_TEXT && margin !== MARGINS.at(-1)) continue;
    return {
      parts,
      cell,
      x(address) {
        let left = 0;
        for (const { from, to } of parts) {
          if (address < from) return left - BREAK / 2;
          if (address <= to) return left + (address - from) * cell;
          left += (to - from) * cell + BREAK;
        }
        return left - BREAK / 2;
      },
    };
  }
  return undefined;
}

export function blockPicture(heap: HeapMap, scene: Scene, stop: Stop): Content {
  const block = blockOf(heap, stop);
  const mark = markOf(stop);
  const scale = scaleOf(pointsOf(block, mark), wholeOf(scene));
  if (scale === undefined) return undefined;
  const { parts, x } = scale;
  const cells = parts.map((part) => cellsOf(heap, scene, part, scale, mark));
  const breaks = parts.slice(1).map((part, k) => breakMark(x(parts[k]!.to), part.from - parts[k]!.to));
  const addresses = parts.map(
    ({ from }) => svg`<text class="mono quiet" x="${x(from)}" y="${CELL_Y + CELL_HEIGHT + 15}">${hex(from)}</text>\n`,
  );
  const end = parts.at(-1)!.to;
  const width = Math.ceil(x(end));
  const distance = distanceText(stop);
  const label = [
    block === undefined ? 'No block' : `The block of ${bytes(block.size)} at ${hex(block.ptr)}`,
    mark === undefined ? '' : `; ${mark.text}, at ${hex(mark.from)}${distance === undefined ? '' : `, ${distance}`}`,
  ].join('');
  return html`<figure>${wide(
    'The block, byte by byte',
    svg`<svg data-focus="${x(mark?.from ?? block?.ptr ?? 0) / WIDTH}" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${label}.">
${cells}${breaks}${addresses}${block === undefined ? undefined : blockBracket(block, scale, width)}${mark === undefined ? undefined : markBracket(mark, stop, scale, width)}
</svg>`,
  )}${legend(kindsShown(heap, scene, parts))}</figure>`;
}

function cellsOf(heap: HeapMap, scene: Scene, part: Stretch, { x, cell }: Scale, mark: Mark | undefined): Content {
  const u8 = new Uint8Array(scene.memory);
  return regionsOf(heap, scene, part.from, part.to).map(({ from, to, kind }) =>
    Array.from({ length: to - from }, (_, k) => {
      const at = from + k;
      const isMarked = mark !== undefined && at >= mark.from && at < mark.to;
      const text = isClosed(kind) ? '??' : u8[at]!.toString(16).padStart(2, '0');
      const rect = svg`<rect class="cell ${isMarked ? 'access' : CELLS[kind]}" x="${x(at)}" y="${CELL_Y}" width="${cell}" height="${CELL_HEIGHT}"/>`;
      if (cell < CELL_WITH_TEXT) return rect;
      return svg`${rect}<text class="mono middle${isMarked ? ' on' : isClosed(kind) ? ' quiet' : ''}" x="${x(at) + cell / 2}" y="${CELL_Y + 21}">${text}</text>\n`;
    }),
  );
}

/** A tear in the strip, and how much is left out. */
function breakMark(left: number, left_out: number): Markup {
  const a = left + 8;
  const b = left + BREAK - 8;
  const zigzag = (x: number): string => {
    let path = `M${x} ${CELL_Y - 4}`;
    for (let k = 0; k < 6; k++) path += `l${k % 2 === 0 ? 4 : -4} 7`;
    return path;
  };
  return svg`<path class="rule" d="${zigzag(a)}${zigzag(b)}"/><text class="middle quiet" x="${left + BREAK / 2}" y="${CELL_Y - 12}">${number(left_out)}</text>\n`;
}

const anchor = (middle: number, width: number): string => (middle < 150 ? '' : middle > width - 150 ? 'end' : 'middle');

function blockBracket({ ptr, size, state }: HeapBlock, { x }: Scale, width: number): Markup {
  const a = x(ptr);
  const b = x(ptr + size);
  const side = anchor((a + b) / 2, width);
  const place = side === '' ? a : side === 'end' ? b : (a + b) / 2;
  const words = `the block${state === 'freed' ? ', freed' : ''}: ${bytes(size)}`;
  return svg`<rect class="outline" x="${a}" y="${CELL_Y - 1}" width="${Math.max(2, b - a)}" height="${CELL_HEIGHT + 2}"/><path class="rule" d="M${a} ${CELL_Y - 26}v-7H${b}v7"/><text class="${side}" x="${place}" y="${CELL_Y - 40}">${words}</text>\n`;
}

/** What the words of a mark take. */
const MARK_ROOM = 330;

function markBracket(mark: Mark, stop: Stop, { x }: Scale, width: number): Markup {
  const y = CELL_Y + CELL_HEIGHT + 24;
  const a = x(mark.from);
  const b = Math.max(x(mark.to), a + 4);
  const edge =
    stop.address < stop.block
      ? stop.block
      : stop.address >= stop.block + stop.size
        ? stop.block + stop.size
        : stop.block;
  const distance = distanceText(stop);
  const isLeft = a > width - MARK_ROOM && b > MARK_ROOM;
  const words = `${mark.text}${distance === undefined ? '' : `, ${distance}`}`;
  // From the edge of the block to the access, when there is a way between.
  const way =
    stop.block !== 0 && edge !== mark.from
      ? svg`<path class="rule-fault" d="M${x(edge)} ${y + 2}v12M${x(edge)} ${y + 8}H${a}"/>`
      : undefined;
  return svg`<path class="rule-fault" d="M${a} ${y}v8H${b}v-8M${a} ${y + 8}v14"/>${way}<text class="fault ${isLeft ? 'end' : ''}" x="${isLeft ? b : a}" y="${y + 38}">${words}</text>\n`;
}

const KIND_TEXTS: Readonly<Record<Kind, string>> = {
  live: 'bytes of a live block',
  freed: 'bytes of a freed block',
  slack: 'slack: stamped, belongs to nobody',
  header: 'header of the page heap',
  guard: 'guard: no byte can be reached (??)',
  unused: 'never used (??)',
  arena: 'arena',
  outside: 'outside the heap (??)',
};

function kindsShown(heap: HeapMap, scene: Scene, parts: readonly Stretch[]): (readonly [string, string])[] {
  const kinds = new Set(parts.flatMap(({ from, to }) => regionsOf(heap, scene, from, to).map(({ kind }) => kind)));
  return [...kinds].map((kind) => [CELLS[kind], KIND_TEXTS[kind]] as const);
}

// --- the hex window ---------------------------------------------------------------------------------------------------------

const ROW = 16;
/** A block up to here is shown whole. */
const WHOLE_MAX = 512;

/** The bytes around block and fault; the block is underlaid, the fault stands out. */
export function hexWindow(heap: HeapMap, scene: Scene, stop: Stop): Content {
  const block = blockOf(heap, stop);
  const mark = markOf(stop);
  const points = pointsOf(block, mark);
  if (points.length === 0) return undefined;
  const { from: low, to: high } = wholeOf(scene);
  const limit = { from: low, to: high };
  const isSmall = block !== undefined && block.size <= WHOLE_MAX;
  const parts = stretches(points, 2 * ROW, 2 * ROW, isSmall ? WHOLE_MAX : 2 * ROW, limit).map(({ from, to }) => ({
    from: Math.floor(from / ROW) * ROW,
    to: Math.ceil(to / ROW) * ROW,
  }));
  const u8 = new Uint8Array(scene.memory);
  const lines: Content[] = [];
  parts.forEach((part, k) => {
    if (k > 0) {
      const left = part.from - parts[k - 1]!.to;
      lines.push(html`<span class="skip">          … ${bytes(left)} not shown …</span>\n`);
    }
    const regions = regionsOf(heap, scene, part.from, part.to);
    for (let row = part.from; row < part.to; row += ROW) lines.push(hexRow(row, u8, regions, block, mark));
  });
  return html`<pre class="hex" tabindex="0" role="region" aria-label="Bytes around the fault">${lines}</pre>`;
}

function hexRow(
  row: number,
  u8: Uint8Array,
  regions: readonly Region[],
  block: HeapBlock | undefined,
  mark: Mark | undefined,
): Content {
  const cells: Content[] = [];
  const letters: Content[] = [];
  for (let at = row; at < row + ROW; at++) {
    const kind = regions.find(({ from, to }) => at >= from && at < to)?.kind ?? 'outside';
    const isIn = block !== undefined && at >= block.ptr && at < block.ptr + block.size;
    const isMarked = mark !== undefined && at >= mark.from && at < mark.to;
    const byte = isClosed(kind) ? undefined : u8[at]!;
    const names = [
      ...(isMarked
        ? ['bad']
        : isIn
          ? ['in', ...(block.state === 'freed' ? ['gone'] : [])]
          : byte === undefined
            ? ['no']
            : []),
      ...(isIn && at === block.ptr ? ['first'] : []),
      ...(isIn && at === block.ptr + block.size - 1 ? ['last'] : []),
    ];
    const text = byte === undefined ? '??' : byte.toString(16).padStart(2, '0');
    const letter = byte === undefined ? ' ' : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
    // Inside the block the gap between two bytes belongs to it, too.
    const joins = isIn && at + 1 < block.ptr + block.size && at + 1 < row + ROW;
    const gap = at + 1 === row + ROW ? '' : at === row + 7 ? '  ' : ' ';
    cells.push(names.length === 0 ? text : html`<span class="${names.join(' ')}">${text}</span>`);
    cells.push(joins ? html`<span class="in${block.state === 'freed' ? ' gone' : ''}">${gap}</span>` : gap);
    letters.push(
      names.length === 0
        ? letter
        : html`<span class="${names[0]!}${names[1] === 'gone' ? ' gone' : ''}">${letter}</span>`,
    );
  }
  return html`<span class="at">${row.toString(16).padStart(8, '0')}</span>  ${cells}  ${letters}\n`;
}
