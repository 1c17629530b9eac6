/** The heap as a picture: every page a square, and the pages around the fault to scale. @module */
import type { Scene, Stop } from '../core/fault.js';
import { blockAt, grainOf, type HeapBlock, type HeapMap, PAGE, type PageState } from '../core/heapmap.js';
import { siteName } from '../core/site.js';
import { type Content, count, hex, html, legend, type Markup, number, svg, wide } from './html-page.js';
import { KIND_NAMES, regionsOf } from './html-region.js';

/** Squares to a row, and of a square its pitch and its side. */
const COLUMNS = 64;
const PITCH = 15;
const SIDE = 14;
const LABELS = 84;
const WIDTH = LABELS + COLUMNS * PITCH;
/** A larger heap has several pages to a square. */
const SQUARES_MAX = COLUMNS * 80;
/** Of several pages, the square shows the first of these that is among them. */
const ORDER: readonly PageState[] = ['live', 'arena', 'freed', 'guard', 'unused'];
const LETTERS: Readonly<Record<PageState, string>> = { live: 'L', arena: 'A', freed: 'F', guard: 'G', unused: 'U' };

/** The block of a stop, as the heap knows it. */
export const blockOf = (heap: HeapMap, stop: Stop | undefined): HeapBlock | undefined =>
  stop === undefined || stop.block === 0
    ? undefined
    : (heap.blocks.find(({ ptr }) => ptr === stop.block) ?? blockAt(heap, stop.block));

/** Whether a stop is about an address: an exhausted memory is not. */
export const hasAddress = (stop: Stop | undefined): stop is Stop => stop !== undefined && stop.address !== 0;

export function pageMap(heap: HeapMap, stop: Stop | undefined): Content {
  const { pages } = heap;
  const base = pages[0]?.at;
  if (base === undefined) return undefined;
  let share = 1;
  while (pages.length / share > SQUARES_MAX) share *= 2;
  const states: PageState[] = [];
  for (let k = 0; k < pages.length; k += share) {
    const here = new Set(pages.slice(k, k + share).map(({ state }) => state));
    states.push(ORDER.find((state) => here.has(state)) ?? 'unused');
  }
  const height = Math.ceil(states.length / COLUMNS) * PITCH + 6;
  const squareOf = (address: number): number => Math.floor((address - base) / PAGE / share);
  const block = blockOf(heap, stop);
  const marks: Content[] = [];
  if (block !== undefined) {
    marks.push(outline(squareOf(block.virtAddr), squareOf(block.virtAddr + block.virtSize - 1)));
  }
  const square = hasAddress(stop) ? squareOf(stop.address) : -1;
  if (square >= 0 && square < states.length) marks.push(faultMark(square));
  const focus = square >= 0 ? x(square) : 0;
  const total = new Map<PageState, number>();
  for (const { state } of pages) total.set(state, (total.get(state) ?? 0) + 1);
  const summary = ORDER.filter((state) => total.has(state)).map(
    (state) => `${number(total.get(state)!)} ${KIND_NAMES[state]}`,
  );
  const label = `Page map: ${summary.join(', ')}.${square >= 0 ? ` The fault is on the page of ${hex(stop!.address)}.` : ''}`;
  const picture = svg`<svg id="pages" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${label}" data-focus="${focus / WIDTH}" data-base="${base}" data-share="${share}" data-states="${states.map((state) => LETTERS[state]).join('')}" data-blocks="${noteData(heap, squareOf)}">
${rowLabels(base, share, states.length)}
${ORDER.map((state) => squares(states, state))}
${marks}
</svg>`;
  const scale = `Each square is ${share === 1 ? 'a page' : `${share} pages`} of ${PAGE} bytes`;
  return html`<figure>${wide('Page map of the heap', picture)}
<figcaption>${scale}, ${count(COLUMNS, 'square')} to a row: ${summary.join(', ')}.</figcaption>
<p id="page-note" class="quiet" aria-live="polite"></p>
${legend([
  ['live', 'live'],
  ['guard', 'guard: closed, touching it stops'],
  ['freed', 'freed, closed until it serves again'],
  ...(total.has('arena') ? ([['arena', 'arena: blocks of normal mode']] as const) : []),
  ...(total.has('unused') ? ([['unused', 'never used']] as const) : []),
  ...(block === undefined ? [] : ([['outline', 'the block and its guard']] as const)),
  ...(square < 0 ? [] : ([['access', 'the fault']] as const)),
])}</figure>`;
}

const x = (square: number): number => LABELS + (square % COLUMNS) * PITCH;
const y = (square: number): number => 2 + Math.floor(square / COLUMNS) * PITCH;

/** All squares of one state as one path. */
function squares(states: readonly PageState[], state: PageState): Content {
  let path = '';
  states.forEach((each, k) => {
    if (each === state) path += `M${x(k)} ${y(k)}h${SIDE}v${SIDE}h-${SIDE}z`;
  });
  return path === '' ? undefined : svg`<path class="${state}" d="${path}"/>\n`;
}

/** Addresses of every other row, or of fewer. */
function rowLabels(base: number, share: number, length: number): Content {
  const rows = Math.ceil(length / COLUMNS);
  const every = rows > 8 ? 4 : 1;
  return Array.from({ length: Math.ceil(rows / every) }, (_, k) => {
    const row = k * every;
    return svg`<text class="mono quiet" x="0" y="${row * PITCH + 13}">${hex(base + row * COLUMNS * share * PAGE)}</text>\n`;
  });
}

/** A frame around squares that follow each other, row by row. */
function outline(from: number, to: number): Content {
  const rows: Content[] = [];
  for (let row = Math.floor(from / COLUMNS); row <= Math.floor(to / COLUMNS); row++) {
    const first = Math.max(from, row * COLUMNS);
    const last = Math.min(to, row * COLUMNS + COLUMNS - 1);
    rows.push(
      svg`<rect class="outline" x="${x(first) - 1}" y="${y(first) - 1}" width="${(last - first) * PITCH + SIDE + 2}" height="${SIDE + 2}" rx="1"/>\n`,
    );
  }
  return rows;
}

const faultMark = (square: number): Markup =>
  svg`<circle class="access" cx="${x(square) + SIDE / 2}" cy="${y(square) + SIDE / 2}" r="4.5"/>\n`;

/** Blocks named when pointed at. */
const NOTES_MAX = 3000;

/** For the script: `square,ordinal,bytes,what|…`; names once each, behind a `#`. */
function noteData({ blocks }: HeapMap, squareOf: (address: number) => number): string {
  const names: string[] = [];
  const notes = blocks.slice(-NOTES_MAX).map(({ ptr, size, site, ordinal, state }) => {
    const name = `${siteName(site)}${state === 'freed' ? ', freed' : ''}`;
    let index = names.indexOf(name);
    if (index < 0) index = names.push(name) - 1;
    return [squareOf(ptr), squareOf(ptr + size - 1), ordinal, size, index].join(',');
  });
  return `${notes.join('|')}#${names.join('|')}`;
}

// --- the neighbourhood ------------------------------------------------------------------------------------------------------

const BAR_Y = 46;
const BAR = 46;
const STRIP_HEIGHT = 128;
/** Bytes shown at most: of a larger block only the part at the fault. */
const STRIP_BYTES = 12 * 4096;
const ARENA_BYTES = 1024;
/** An address under the bar that would stand in the way of the fault's is left out. */
const TICK_ROOM = 90;

/** The addresses around the fault, to scale, with the blocks in their pages. */
export function neighbourhood(heap: HeapMap, scene: Scene, stop: Stop): Content {
  const block = blockOf(heap, stop);
  const address = hasAddress(stop) ? stop.address : (block?.ptr ?? 0);
  if (address === 0) return undefined;
  const page = grainOf(scene) * PAGE;
  const unit = block?.kind === 'normal' ? 16 : page;
  const most = block?.kind === 'normal' ? ARENA_BYTES : STRIP_BYTES;
  const margin = block?.kind === 'normal' ? 96 : page;
  const low = Math.min(address, block?.virtAddr ?? address);
  const high = Math.max(address + 1, (block?.virtAddr ?? address) + (block?.virtSize ?? 1));
  const floor = (at: number): number => Math.floor(at / unit) * unit;
  const from = Math.max(floor(low - margin), floor(address - most * 0.75));
  const to = Math.min(floor(high + margin + unit - 1), from + most);
  const regions = regionsOf(heap, scene, from, to);
  if (regions.length === 0 || regions.every(({ kind }) => kind === 'outside')) return undefined;
  const scale = WIDTH / (to - from);
  const at = (place: number): number => (place - from) * scale;
  const bars = regions.map(({ from: a, to: b, kind }) => {
    const width = Math.max(1.5, at(b) - at(a));
    return svg`<rect class="${CLASSES[kind]}" x="${at(a)}" y="${BAR_Y}" width="${width}" height="${BAR}"/>\n`;
  });
  const names = regions
    .filter(({ from: a, to: b }) => at(b) - at(a) > 64)
    .map(({ from: a, to: b, kind }) => {
      const onColour = kind === 'live' || kind === 'header' ? ' on' : kind === 'freed' ? ' on-freed' : '';
      return svg`<text class="middle${onColour}" x="${(at(a) + at(b)) / 2}" y="${BAR_Y + BAR / 2 + 4}">${KIND_NAMES[kind]}</text>\n`;
    });
  const ticks: Content[] = [];
  const step = unit === page ? page * Math.max(1, Math.ceil((to - from) / page / 12)) : ARENA_BYTES / 8;
  for (let place = Math.ceil(from / step) * step; place <= to; place += step) {
    const isUnderFault = hasAddress(stop) && Math.abs(at(place) - at(address)) < TICK_ROOM;
    const edge = at(place) > WIDTH - 40 ? ' end' : at(place) < 40 ? '' : ' middle';
    ticks.push(
      svg`<line class="rule" x1="${at(place)}" y1="${BAR_Y + BAR}" x2="${at(place)}" y2="${BAR_Y + BAR + 6}"/>${isUnderFault ? undefined : svg`<text class="mono quiet${edge}" x="${at(place)}" y="${BAR_Y + BAR + 20}">${hex(place)}</text>`}\n`,
    );
  }
  const marks: Content[] = [];
  if (block !== undefined) {
    const a = Math.max(0, at(block.ptr));
    const b = Math.max(a + 2, Math.min(WIDTH, at(block.ptr + block.size)));
    const words = `${block.state === 'live' ? 'the block' : 'the block, freed'}: ${number(block.size)} bytes`;
    const isLeft = a > WIDTH * 0.6;
    marks.push(
      svg`<rect class="outline" x="${a}" y="${BAR_Y - 1}" width="${b - a}" height="${BAR + 2}"/><path class="rule" d="M${(a + b) / 2} ${BAR_Y - 2}V${BAR_Y - 26}"/><text class="${isLeft ? 'end' : ''}" x="${(a + b) / 2 + (isLeft ? -6 : 6)}" y="${BAR_Y - 20}">${words}</text>\n`,
    );
  }
  if (hasAddress(stop) && address >= from && address < to) {
    const a = at(address);
    const isLeft = a > WIDTH * 0.6;
    const side = isLeft ? 'end' : '';
    marks.push(
      svg`<path class="access" d="M${a} ${BAR_Y + BAR + 24}l-6 11h12z"/><line class="rule-fault" x1="${a}" y1="${BAR_Y}" x2="${a}" y2="${BAR_Y + BAR + 26}"/><text class="fault ${side}" x="${a + (isLeft ? -10 : 10)}" y="${BAR_Y + BAR + 36}">the fault, ${hex(address)}</text>\n`,
    );
  }
  const label = `The heap from ${hex(from)} to ${hex(to)}: ${regions.map(({ kind, from: a, to: b }) => `${KIND_NAMES[kind]} ${number(b - a)} bytes`).join(', ')}.`;
  return html`<figure>${wide(
    'Pages around the fault',
    svg`<svg data-focus="${(address - from) / (to - from)}" viewBox="0 0 ${WIDTH} ${STRIP_HEIGHT + 8}" width="${WIDTH}" height="${STRIP_HEIGHT + 8}" role="img" aria-label="${label}">
${bars}${names}${ticks}${marks}
</svg>`,
  )}<figcaption>The same, around the fault and to scale: ${number(to - from)} bytes.</figcaption></figure>`;
}

const CLASSES: Readonly<Record<string, string>> = {
  live: 'live',
  freed: 'freed',
  slack: 'slack',
  header: 'header-bytes',
  guard: 'guard',
  unused: 'unused',
  arena: 'arena-soft',
  outside: 'soft',
};

/** Brings what matters into view where a picture is wider than the screen, and says what the square under the pointer is. Text goes in as text. */
export const PAGE_SCRIPT = `(function(){
document.querySelectorAll('svg[data-focus]').forEach(function(g){var w=g.parentNode;w.scrollLeft=g.dataset.focus*g.getBoundingClientRect().width-w.clientWidth/2});
var s=document.getElementById('pages'),note=document.getElementById('page-note');if(!s||!note)return;
var names={L:'live',A:'arena of normal mode',F:'freed',G:'guard',U:'never used'},d=s.dataset,base=+d.base,share=+d.share,parts=d.blocks.split('#'),what=(parts[1]||'').split('|');
var blocks=parts[0]?parts[0].split('|').map(function(b){return b.split(',').map(Number)}):[];
s.addEventListener('pointermove',function(e){var r=s.getBoundingClientRect(),k=${WIDTH}/r.width,c=Math.floor(((e.clientX-r.left)*k-${LABELS})/${PITCH}),row=Math.floor(((e.clientY-r.top)*k-2)/${PITCH}),q=row*${COLUMNS}+c;
if(c<0||c>=${COLUMNS}||!d.states[q]){note.textContent='';return}
var here=blocks.filter(function(b){return b[0]<=q&&q<=b[1]}),t='0x'+(base+q*share*${PAGE}).toString(16)+': '+names[d.states[q]];
here.slice(0,3).forEach(function(b){t+=' \\u00b7 '+(b[2]?'allocation '+b[2]+', ':'')+b[3].toLocaleString('en-US')+' bytes, '+what[b[4]]});
if(here.length>3)t+=' \\u00b7 and '+(here.length-3)+' more';note.textContent=t});
s.addEventListener('pointerleave',function(){note.textContent=''})})();`;
