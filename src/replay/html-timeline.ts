/** Allocations and frees over the operation: the bytes live, and the life of single blocks. @module */

import { allocPlace } from '../core/code.js';
import type { Scene, Stop } from '../core/fault.js';
import type { HeapEvent } from '../core/heapmap.js';
import { siteName } from '../core/site.js';
import { bytes, type Content, count, html, legend, number, svg, wide } from './html-page.js';
import { liveAfter } from './steps.js';

const WIDTH = 1044;

// --- bytes live -------------------------------------------------------------------------------------------------------------

const CURVE_HEIGHT = 116;
const CURVE_TOP = 18;
const CURVE_LEFT = 84;

/** A block's life: events it was taken and given back at; still live at the end when `to` is undefined. */
interface Life {
  readonly ordinal: number;
  readonly size: number;
  readonly site: number;
  readonly from: number;
  readonly to: number | undefined;
}

function livesOf(events: readonly HeapEvent[]): Life[] {
  const lives = new Map<number, Life>();
  events.forEach(({ kind, ordinal, size, site }, k) => {
    if (kind === 'alloc') lives.set(ordinal, { ordinal, size, site, from: k, to: undefined });
    else lives.set(ordinal, { ...(lives.get(ordinal) ?? { ordinal, size, site: 0, from: -1 }), to: k });
  });
  return [...lives.values()].sort((a, b) => a.ordinal - b.ordinal);
}

/** Steps of the curve: of more events, the highest of each run. */
const POINTS_MAX = 800;

function curve(events: readonly HeapEvent[], concerned: Life | undefined): Content {
  const live = liveAfter(events).map(({ bytes }) => bytes);
  const base = Math.min(0, ...live); // events before the first known may have taken more
  const values = live.map((value) => value - base);
  const top = Math.max(1, ...values);
  const width = WIDTH - CURVE_LEFT;
  const height = CURVE_HEIGHT - CURVE_TOP - 22;
  const x = (event: number): number => CURVE_LEFT + (event / Math.max(1, events.length)) * width;
  const y = (value: number): number => CURVE_TOP + height - (value / top) * height;
  const run = Math.ceil(values.length / POINTS_MAX);
  let path = `M${CURVE_LEFT} ${y(0)}`;
  for (let k = 0; k < values.length; k += run) {
    const high = Math.max(...values.slice(k, k + run));
    path += `V${round(y(high))}H${round(x(Math.min(values.length, k + run)))}`;
  }
  path += `V${y(0)}z`;
  const band =
    concerned === undefined
      ? undefined
      : svg`<rect class="fault-soft" x="${x(concerned.from)}" y="${CURVE_TOP - 6}" width="${Math.max(3, x(concerned.to ?? events.length) - x(concerned.from))}" height="${height + 6}"/>\n`;
  return svg`<svg viewBox="0 0 ${WIDTH} ${CURVE_HEIGHT}" width="${WIDTH}" height="${CURVE_HEIGHT}" role="img" aria-label="Bytes live over ${number(events.length)} allocations and frees; at most ${bytes(top)}.">
${band}<path class="live" d="${path}"/>
<text class="quiet end" x="${CURVE_LEFT - 8}" y="${CURVE_TOP + 4}">${short(top)}</text><text class="quiet end" x="${CURVE_LEFT - 8}" y="${y(0)}">0</text>
<line class="rule" x1="${CURVE_LEFT}" y1="${y(0) + 0.5}" x2="${WIDTH}" y2="${y(0) + 0.5}"/>
<text class="quiet" x="${CURVE_LEFT}" y="${CURVE_HEIGHT - 4}">the operation begins</text><text class="quiet end" x="${WIDTH}" y="${CURVE_HEIGHT - 4}">its end</text>
</svg>`;
}

const round = (n: number): number => Math.round(n * 10) / 10;
const short = (n: number): string =>
  n < 10_240
    ? `${number(n)} B`
    : n < 10 << 20
      ? `${number(Math.round(n / 1024))} KB`
      : `${number(Math.round(n / 1048576))} MB`;

// --- lives ------------------------------------------------------------------------------------------------------------------

/** Rows drawn: the block concerned, those taken right before the end, those that live longest. */
const ROWS_LAST = 26;
const ROWS_LIVE = 10;
const ROW_HEIGHT = 20;
const NAME_WIDTH = 350;
const PLACE_WIDTH = 210;
const BARS = WIDTH - NAME_WIDTH - PLACE_WIDTH - 16;

function chosen(lives: readonly Life[], concerned: Life | undefined): Life[] {
  const last = lives.slice(-ROWS_LAST);
  const older = lives.slice(0, -ROWS_LAST).filter(({ to }) => to === undefined);
  const set = new Set([...older.slice(-ROWS_LIVE), ...last]);
  if (concerned !== undefined) {
    const at = lives.indexOf(concerned);
    for (const life of lives.slice(Math.max(0, at - 3), at + 4)) set.add(life);
  }
  return [...set].sort((a, b) => a.ordinal - b.ordinal);
}

function bars(
  lives: readonly Life[],
  rows: readonly Life[],
  length: number,
  concerned: Life | undefined,
  failed: boolean,
): Content {
  const firstShown = Math.max(0, Math.min(...rows.slice(-ROWS_LAST).map(({ from }) => from)));
  const first = concerned === undefined ? firstShown : Math.max(0, Math.min(firstShown, concerned.from));
  const span = Math.max(1, length - first);
  const x = (event: number): number => NAME_WIDTH + Math.max(0, (event - first) / span) * BARS;
  const height = (rows.length + gapsOf(lives, rows)) * ROW_HEIGHT + 30;
  let row = 0;
  let before = 0;
  const lines = rows.map((life) => {
    const gap = life.ordinal - before - 1;
    before = life.ordinal;
    const skipped =
      gap > 0
        ? svg`<text class="quiet" x="44" y="${22 + row++ * ROW_HEIGHT + 14}">${count(gap, 'allocation')} not drawn</text>\n`
        : undefined;
    const y = 22 + row++ * ROW_HEIGHT;
    const isConcerned = life === concerned;
    const a = x(Math.max(first, life.from));
    const b = Math.max(a + 2, x(life.to ?? length));
    const name = `${siteName(life.site)}`;
    const kind = isConcerned ? 'access' : life.to === undefined ? 'live' : 'freed';
    const style = isConcerned ? 'fault' : '';
    return svg`${skipped}${isConcerned ? svg`<rect class="fault-soft" x="0" y="${y}" width="${WIDTH}" height="${ROW_HEIGHT}"/>` : undefined}<text class="mono end ${style || 'quiet'}" x="34" y="${y + 14}">${String(life.ordinal)}</text><text class="${style}" x="44" y="${y + 14}">${cut(name)}</text><text class="mono end ${style}" x="${NAME_WIDTH - 12}" y="${y + 14}">${number(life.size)}</text><rect class="${kind}" x="${a}" y="${y + 4}" width="${b - a}" height="${ROW_HEIGHT - 8}" rx="1"/>${life.from < first ? svg`<path class="${kind}" d="M${NAME_WIDTH - 7} ${y + 10}l7 -6v12z"/>` : undefined}<text class="mono quiet" x="${NAME_WIDTH + BARS + 16}" y="${y + 14}">${allocPlace(life.site)?.replace('assembly/', '') ?? ''}</text>\n`;
  });
  const bottom = 22 + row * ROW_HEIGHT;
  return svg`<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Lives of ${count(rows.length, 'block')}, in the order they were taken.">
<text class="quiet end" x="34" y="13">no.</text><text class="quiet" x="44" y="13">taken for</text><text class="quiet end" x="${NAME_WIDTH - 12}" y="13">bytes</text><text class="quiet" x="${NAME_WIDTH}" y="13">life</text><text class="quiet" x="${NAME_WIDTH + BARS + 16}" y="13">taken in assembly/</text>
${lines}<line class="${failed ? 'rule-fault' : 'rule'}" x1="${NAME_WIDTH + BARS}" y1="20" x2="${NAME_WIDTH + BARS}" y2="${bottom}"/>
</svg>`;
}

const cut = (text: string): string => (text.length > 41 ? `${text.slice(0, 40)}…` : text);

/** Lines that say how many allocations are left out between two rows. */
function gapsOf(_: readonly Life[], rows: readonly Life[]): number {
  let before = 0;
  let gaps = 0;
  for (const { ordinal } of rows) {
    if (ordinal > before + 1) gaps++;
    before = ordinal;
  }
  return gaps;
}

export function timeline(events: readonly HeapEvent[], lost: number, scene: Scene, stop: Stop | undefined): Content {
  if (scene.pageheap.noTraces === true) {
    return html`<p>No trace of allocations was kept: the run had <code>--notraces</code>. <code>replay BUNDLE --step</code> keeps one.</p>`;
  }
  if (events.length === 0) return html`<p>The operation ended before it took a block.</p>`;
  const lives = livesOf(events);
  const concerned =
    stop === undefined || stop.ordinal === 0 ? undefined : lives.find(({ ordinal }) => ordinal === stop.ordinal);
  const rows = chosen(lives, concerned);
  const taken = events.filter(({ kind }) => kind === 'alloc').length;
  const words = `${count(taken, 'allocation')} and ${count(events.length - taken, 'free')}`;
  return html`<p>${words}${lost > 0 ? ` are kept; ${number(lost)} events before them are not` : ''}, from left to right in the order they happened.</p>
<figure>${wide('Bytes live over the operation', curve(events, concerned))}<figcaption>Bytes live${concerned === undefined ? '' : ', with the life of the block concerned underlaid'}.</figcaption></figure>
<figure>${wide('Lives of blocks', bars(lives, rows, events.length, concerned, stop !== undefined))}
${legend([
  ...(concerned === undefined ? [] : ([['access', 'the block concerned']] as const)),
  ['live', 'live at the end'],
  ['freed', 'given back'],
])}</figure>`;
}
