/** Who touched the block before the stop, byte by byte in the order it happened, and what was read and written last of all. @module */
import { framesOf } from '../core/code.js';
import type { CoreFault, Stop } from '../core/fault.js';
import type { HeapBlock } from '../core/heapmap.js';
import { sentence } from '../core/sentence.js';
import { freerName, siteName } from '../core/site.js';
import { type AccessRun, type AccessTrace, extent } from './accesses.js';
import { bytes, type Content, count, html, legend, number, svg, wide } from './html-page.js';
import type { Namer } from './names.js';

/** Rows of the picture and of the table: the last. */
const ROWS_MAX = 24;
const LAST_MAX = 16;

// --- the block --------------------------------------------------------------------------------------------------------------

const WIDTH = 1044;
const ROW_HEIGHT = 20;
const TOP = 40;
const WORDS_WIDTH = 236;
const PLACE_WIDTH = 250;
const BARS = WIDTH - WORDS_WIDTH - PLACE_WIDTH;

const short = (place: string): string => place.replace('assembly/', '');

const timesText = ({ size, count: times }: AccessRun): string =>
  times === 1 ? bytes(size) : `${bytes(size)} × ${number(times)}`;

/** The access that was refused: where it went, in the block's own count, and from where. */
interface Refused {
  readonly from: number;
  readonly to: number;
  readonly place: string;
}

function refusedOf(stop: Stop, error: unknown): Refused | undefined {
  if (stop.block === 0 || stop.width === 0) return undefined;
  const from = stop.address - stop.block;
  const frame = framesOf('watch', (error as CoreFault).cause)[0];
  return { from, to: from + stop.width, place: frame?.places.at(-1) ?? '' };
}

/** `freer`: the decoder that had given the block back before the access was refused. */
function picture(
  runs: readonly AccessRun[],
  size: number,
  refused: Refused | undefined,
  freer: string | undefined,
): Content {
  const low = Math.min(0, refused?.from ?? 0);
  const high = Math.max(size, refused?.to ?? 0);
  const x = (offset: number): number => WORDS_WIDTH + 8 + ((offset - low) / (high - low)) * (BARS - 24);
  const bar = (from: number, to: number, y: number, name: string): Content =>
    svg`<rect class="${name}" x="${x(from)}" y="${y + 4}" width="${Math.max(2, x(to) - x(from))}" height="${ROW_HEIGHT - 8}" rx="1"/>`;
  /** Steps wider than what is read leave gaps: each is drawn when there is room to see it. */
  const bars = (run: AccessRun, y: number, name: string): Content => {
    const { from, to } = extent(run);
    const step = Math.abs(run.addressStep);
    if (run.count === 1 || step <= run.size || (step / (high - low)) * BARS < 3) return bar(from, to, y, name);
    return Array.from({ length: run.count }, (_, k) => {
      const at = (run.offset ?? 0) + k * run.addressStep;
      return bar(at, at + run.size, y, name);
    });
  };
  const rows = runs.map((run, k) => {
    const y = TOP + k * ROW_HEIGHT;
    const name = run.kind === 'read' ? 'freed' : 'live';
    return svg`<text class="mono end quiet" x="52" y="${y + 14}">${number(run.number)}</text><text x="64" y="${y + 14}">${run.kind}</text><text class="end" x="${WORDS_WIDTH - 8}" y="${y + 14}">${timesText(run)}</text>${bars(run, y, name)}<text class="mono quiet" x="${WIDTH - PLACE_WIDTH + 8}" y="${y + 14}">${short(run.place)}</text>\n`;
  });
  const freed = TOP + runs.length * ROW_HEIGHT;
  const free =
    freer === undefined
      ? undefined
      : svg`<text x="64" y="${freed + 14}">given back</text><line class="rule" x1="${x(0)}" y1="${freed + 10}" x2="${x(size)}" y2="${freed + 10}"/><text class="quiet" x="${WIDTH - PLACE_WIDTH + 8}" y="${freed + 14}">by ${freer}</text>\n`;
  const y = freed + (freer === undefined ? 0 : ROW_HEIGHT);
  const last =
    refused === undefined
      ? undefined
      : svg`<rect class="fault-soft" x="0" y="${y}" width="${WIDTH}" height="${ROW_HEIGHT}"/><text class="fault" x="64" y="${y + 14}">refused</text><text class="fault end" x="${WORDS_WIDTH - 8}" y="${y + 14}">${bytes(refused.to - refused.from)}</text>${bar(refused.from, refused.to, y, 'access')}<text class="mono fault" x="${WIDTH - PLACE_WIDTH + 8}" y="${y + 14}">${short(refused.place)}</text>\n`;
  const bottom = y + (refused === undefined ? 0 : ROW_HEIGHT);
  const rules = [0, size].map(
    (offset) =>
      svg`<line class="rule" x1="${x(offset)}" y1="${TOP - 8}" x2="${x(offset)}" y2="${bottom}"/><text class="quiet${offset === 0 ? '' : ' end'}" x="${x(offset)}" y="${TOP - 13}">${offset === 0 ? 'byte 0' : `its end, ${number(size)}`}</text>\n`,
  );
  const label = `What was done with the block of ${bytes(size)}: the last ${count(runs.length, 'step')}${refused === undefined ? '' : ', then the access that was refused'}.`;
  const focus = x(refused?.from ?? 0) / WIDTH;
  return svg`<svg data-focus="${focus}" viewBox="0 0 ${WIDTH} ${bottom + 6}" width="${WIDTH}" height="${bottom + 6}" role="img" aria-label="${label}">
<text class="quiet end" x="52" y="${TOP - 13}">no.</text><text class="quiet" x="${WIDTH - PLACE_WIDTH + 8}" y="${TOP - 13}">line in assembly/</text>
${rules}${rows}${free}${last}
</svg>`;
}

const freerOf = ({ kind, freeSiteId }: Stop): string | undefined =>
  kind === 'use after free' || kind === 'double free' ? freerName(freeSiteId) : undefined;

function blockPart(own: readonly AccessRun[], stop: Stop, refused: Refused | undefined): Content {
  const shown = own.slice(-ROWS_MAX);
  const sum = (kind: AccessRun['kind']): number =>
    own.reduce((total, run) => total + (run.kind === kind ? run.count : 0), 0);
  const done = [
    ...(sum('write') > 0 ? [`written ${count(sum('write'), 'time')}`] : []),
    ...(sum('read') > 0 ? [`read ${count(sum('read'), 'time')}`] : []),
  ].join(' and ');
  const left = own.length - shown.length;
  const cut = left > 0 ? ` Drawn are the last ${number(shown.length)} steps; ${number(left)} before them are not.` : '';
  return html`<h3>The block: allocation ${number(stop.ordinal)}, ${bytes(stop.size)} for ${stop.site}</h3>
<p>${done === '' ? 'Nothing had read or written it.' : `It had been ${done}.`}${cut}</p>
<figure>${wide('What was done with the block', picture(shown, stop.size, refused, freerOf(stop)))}${legend([
    ...(shown.some(({ kind }) => kind === 'write') ? ([['live', 'written']] as const) : []),
    ...(shown.some(({ kind }) => kind === 'read') ? ([['freed', 'read']] as const) : []),
    ...(refused === undefined ? [] : ([['access', 'refused']] as const)),
  ])}</figure>`;
}

// --- the last of all --------------------------------------------------------------------------------------------------------

const ownerText = (block: HeapBlock | undefined): string =>
  block === undefined
    ? 'no block'
    : block.ordinal === 0
      ? 'a buffer of the host'
      : `${number(block.ordinal)}: ${siteName(block.site)}`;

function offsetText(run: AccessRun): string {
  if (run.block === undefined) return '';
  const { from, to } = extent(run);
  return `${number(from)} to ${number(to)} of ${number(run.block.size)}`;
}

/** Rows of the block in question stand out; where an access was refused, that one row does. */
function lastTable(
  runs: readonly AccessRun[],
  stop: Stop | undefined,
  refused: Refused | undefined,
  name: Namer,
): Content {
  const ordinal = stop?.ordinal ?? 0;
  const shown = runs.slice(-LAST_MAX);
  const hasProperties = shown.some(({ tag }) => tag !== 0);
  const property = (tag: number): Content => (hasProperties ? html`<td>${tag === 0 ? '' : name(tag)}</td>` : undefined);
  const rows = shown.map((run) => {
    const isOwn = ordinal > 0 && run.block?.ordinal === ordinal;
    const isHere = isOwn && refused === undefined;
    const owner = ownerText(run.block);
    return html`<tr${isHere ? html` class="here"` : undefined}><td class="n">${number(run.number)}</td><td>${run.kind}</td><td class="n">${run.count === 1 ? number(run.size) : `${number(run.size)} × ${number(run.count)}`}</td><td>${isOwn ? html`<strong>${owner}</strong>` : owner}</td><td class="n">${offsetText(run)}</td><td class="mono">${short(run.place)}</td>${property(run.tag)}</tr>
`;
  });
  if (stop !== undefined && refused !== undefined) {
    const { from, to, place } = refused;
    rows.push(html`<tr class="here"><td class="n"></td><td><strong>refused</strong></td><td class="n">${number(to - from)}</td><td><strong>${number(ordinal)}: ${stop.site}</strong></td><td class="n">${number(from)} to ${number(to)} of ${number(stop.size)}</td><td class="mono">${short(place)}</td>${property(stop.tag)}</tr>
`);
  }
  return wide(
    'The last accesses',
    html`<table class="stream"><thead><tr><th scope="col" class="n">No.</th><th scope="col">What</th><th scope="col" class="n">Bytes</th><th scope="col">Block</th><th scope="col" class="n">Offset</th><th scope="col">Line in assembly/</th>${hasProperties ? html`<th scope="col">At property</th>` : undefined}</tr></thead>
<tbody>${rows}</tbody></table>`,
  );
}

/** Everything known of single accesses before the operation ended. */
export function accessSection({ runs, total, lost, differences, observation }: AccessTrace, name: Namer): Content {
  const { outcome, error } = observation.replay;
  if (total === 0) return html`<p>The operation ended before it read or wrote a block.</p>`;
  const stop = outcome.kind === 'stop' ? outcome.stop : undefined;
  const isOwn = ({ block }: AccessRun): boolean => block?.ptr === stop?.block && block?.ordinal === stop?.ordinal;
  const hasBlock = stop !== undefined && stop.block !== 0 && stop.ordinal > 0;
  const refused = hasBlock ? refusedOf(stop, error) : undefined;
  const other =
    differences.length === 0
      ? undefined
      : html`<p>With every access checked the operation ends otherwise: ${stop === undefined ? 'not in a stop.' : sentence(stop, { property: name })} What is shown here is that run.</p>`;
  const left = lost > 0 ? ` The first ${number(lost)} are only counted.` : '';
  return html`<p>${count(total, 'access', 'accesses')} of blocks until the end, each with the line of the core’s code that made it; equal steps of one line are one row.${left}</p>${other}
${hasBlock ? blockPart(runs.filter(isOwn), stop, refused) : undefined}
<h3>The last accesses, of any block</h3>
${lastTable(runs, hasBlock ? stop : undefined, refused, name)}`;
}
