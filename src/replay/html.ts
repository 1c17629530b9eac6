/**
 * `replay --html`: one page that says what happened. It stands alone: no other file, nothing from the network, readable without script.
 * @module
 */
import type { CodeFrame } from '../core/code.js';
import { CoreFault, type Stop } from '../core/fault.js';
import { listing } from '../core/options.js';
import { makeReport, type Report } from '../core/report.js';
import { sentence } from '../core/sentence.js';
import { freerName } from '../core/site.js';
import { NID, nidName } from '../wire/nid.js';
import type { AccessTrace } from './accesses.js';
import { type Bundle, inputBytes, type Outcome } from './bundle.js';
import { accessSection } from './html-accesses.js';
import { blockPicture, hexWindow } from './html-bytes.js';
import { damageSection } from './html-damage.js';
import { type Content, code, count, fields, hex, html, number, page, section } from './html-page.js';
import { neighbourhood, PAGE_SCRIPT, pageMap } from './html-pages.js';
import { itemSection } from './html-stream.js';
import { timeline } from './html-timeline.js';
import { itemName, keyFacts, kindOf, story, titleOf } from './html-words.js';
import { findItem, type Item } from './item.js';
import { namerOf } from './names.js';
import type { Observation } from './steps.js';

export interface PageOptions {
  /** File name of the bundle, for the commands. */
  readonly bundleName: string;
  /** This program's version. */
  readonly engine: string;
  /** Single accesses of the operation, when they were looked at. */
  readonly accesses?: AccessTrace;
}

/** The page of a replay that was observed. Text of the store is escaped. */
export function renderPage(bundle: Bundle, observation: Observation, options: PageOptions): string {
  const { replay, heap, lookups } = observation;
  const { outcome } = replay;
  const name = namerOf(bundle);
  const scene = replay.core.scene();
  const stop = outcome.kind === 'stop' || outcome.kind === 'fault' ? outcome.stop : undefined;
  const report = replay.error instanceof CoreFault ? makeReport(replay.error, { property: name, pid: 1 }) : undefined;
  const item = findItem(bundle, lookups, stop?.tag ?? 0);
  const title = titleOf(bundle);
  // Of a fault that was injected there is no block: it was never made.
  const blockStop = outcome.kind === 'stop' ? outcome.stop : undefined;
  // Damage found before the core took its first block: there is nothing to draw.
  const isBeforeAll = outcome.kind === 'error' && heap.events.length === 0 && replay.core.build !== 'raw';
  const first = bundle.outcome;
  const firstStop = first.kind === 'stop' || first.kind === 'fault' ? first.stop : undefined;
  const sections: Content[] = [
    section({
      id: 'story',
      title: 'What happened',
      body: html`${story(bundle).map(
        (paragraph) => html`<p>${paragraph}</p>
`,
      )}${replay.isReproduced ? placeFields(stop, report) : undefined}`,
    }),
    outcome.kind === 'error' && first.kind === 'error'
      ? section({ id: 'damage', title: 'What is damaged', body: damageSection(bundle, outcome.message, outcome.where) })
      : undefined,
    blockStop === undefined ? undefined : blockSection(observation, blockStop),
    report === undefined
      ? undefined
      : section({
          id: 'outcome',
          title: 'The report of the verifier',
          body: html`${replay.isReproduced ? undefined : placeFields(stop, report)}${reportBody(report)}`,
        }),
    item === undefined && (bundle.node === null || outcome.kind === 'error')
      ? undefined
      : section({ id: 'stream', title: 'The item', body: itemSection(item, stop?.tag ?? 0, name) }),
    heap.pages.length === 0 || isBeforeAll
      ? undefined
      : section({
          id: 'heap',
          title: 'The heap',
          body: html`<p>${scene.pageheap.mode === 'normal' ? 'Blocks of normal mode lie side by side in arenas. ' : 'Every block has pages of its own, and closed pages between them. '}This is how the heap stood when the operation ended.</p>
${pageMap(heap, blockStop)}${blockStop === undefined ? undefined : neighbourhood(heap, scene, blockStop)}`,
        }),
    isBeforeAll
      ? undefined
      : replay.core.build === 'raw'
        ? section({
            id: 'heap',
            title: 'The heap',
            body: html`<p>The raw core has no page heap: nothing is known of its blocks.</p>`,
          })
        : section({
            id: 'timeline',
            title: 'Allocations over time',
            body: timeline(heap.events, heap.eventsLost, scene, stop),
          }),
    options.accesses === undefined
      ? undefined
      : section({
          id: 'accesses',
          title: 'Reads and writes before the end',
          body: accessSection(options.accesses, name),
        }),
    section({ id: 'run', title: 'The run and its bundle', body: factsBody(bundle) }),
    section({ id: 'again', title: 'To see it again', body: againBody(options.bundleName, stop) }),
  ];
  return page({
    title,
    script: PAGE_SCRIPT,
    body: html`<header>
<p class="kind">${kindOf(bundle.outcome)}</p>
<h1>${title.replaceAll('-byte', '\u2011byte')}</h1>
${pathList(bundle, item)}
${verdict(bundle, observation)}
${firstStop === undefined ? undefined : html`<dl class="facts">${keyFacts(firstStop, name).map(([fact, value, small]) => html`<div><dt>${fact}</dt><dd>${breakable(value)}${small === '' ? undefined : html`<small>${small}</small>`}</dd></div>`)}</dl>`}
</header>
<main>
${sections}</main>
<footer><p>Written by pstwright ${options.engine} from ${options.bundleName}. The pictures are of the replay on the machine that wrote this page.</p></footer>`,
  });
}

/** A name of many words in one may break before each of them. */
const breakable = (name: string): Content =>
  name.split(/(?=[A-Z][a-z])/).map((word, k) => [k > 0 ? html`<wbr>` : '', word]);

/** What has mostly no name, and needs none to be found. */
const UNNAMED: readonly number[] = [NID.MESSAGE_STORE, NID.ROOT_FOLDER];

function pathList(bundle: Bundle, item: Item | undefined): Content {
  const { source, path, operation } = bundle;
  const names: string[] = [source.name];
  path.forEach(({ nid, name }, k) => {
    if (name !== '') names.push(name);
    else if (k === path.length - 1 || !UNNAMED.includes(nid)) names.push(itemName(nid) || nidName(nid));
  });
  if (path.length === 0 && operation.kind === 'node') names.push(itemName(operation.nid));
  for (const nid of item?.nids.slice(1) ?? []) names.push(itemName(nid));
  return html`<ol class="path" aria-label="Where">${names.map((name) => html`<li>${name}</li>`)}</ol>`;
}

function verdict(bundle: Bundle, { replay: { isReproduced, differences, outcome } }: Observation): Content {
  const list =
    differences.length === 0
      ? undefined
      : html`<ul class="differences">${differences.map((text) => html`<li>${text}</li>`)}</ul>`;
  const words = isReproduced
    ? 'Reproduced: the replay ended in the same way'
    : 'Not reproduced: the replay ended otherwise';
  const other = isReproduced ? undefined : otherEnd(bundle, outcome);
  return html`<p class="verdict ${isReproduced ? 'yes' : 'no'}">${words}</p>${list}${other === undefined ? undefined : html`<p>${other}</p>`}`;
}

/** How the replay ended, when not as the run had. */
function otherEnd(bundle: Bundle, outcome: Outcome): string {
  const pictures = 'The pictures show the replay.';
  if (outcome.kind === 'stop')
    return `In the replay: ${sentence(outcome.stop, { property: namerOf(bundle) })} ${pictures}`;
  if (outcome.kind === 'none') return `The replay ended well: here the failure is gone. ${pictures}`;
  // The bundle holds what the run had read until it failed; what comes after is not there.
  if (outcome.kind === 'error' && outcome.code === 'PST_MISSING' && bundle.outcome.kind !== 'error') {
    return `It passed the place where the run had failed, and came to a block that the run had not read any more: here the failure is gone. ${pictures}`;
  }
  return `The replay ended in: ${outcome.message}. ${pictures}`;
}

const placesText = ({ places }: CodeFrame): string =>
  places.length === 2 ? `${places[1]} (in ${places[0]}, inlined)` : places.join(', ');

/** Where in the sources: the allocation, the free, the fault. */
function placeFields(stop: Stop | undefined, report: Report | undefined): Content {
  const rows: [string, Content][] = [];
  if (report?.allocatedAt !== undefined) rows.push(['Allocated at', code(report.allocatedAt)]);
  if (report !== undefined && report.freedAt.length > 0) {
    const freer = freerName(stop?.freeSiteId ?? 0);
    const places = report.freedAt.map((place, k) => [k > 0 ? ', ' : '', code(place)]);
    rows.push(
      places.length === 1
        ? ['Freed at', html`${places} (${freer})`]
        : ['Freed by', html`${freer}, at one of ${places}`],
    );
  }
  report?.frames.forEach((frame, k) => {
    rows.push([
      k === 0 ? 'Stopped in' : 'Called from',
      html`<code>${frame.module}!${frame.function}</code>, ${placesText(frame)}`,
    ]);
  });
  return rows.length === 0 ? undefined : fields(rows);
}

function reportBody({ stop, query, name }: Report): Content {
  return html`${stop === undefined ? undefined : html`<pre class="frame" tabindex="0" role="region" aria-label="Verifier stop">${stop}</pre>`}
${name === undefined ? undefined : html`<p class="quiet">Application Verifier calls this <code>${name}</code>.</p>`}
${query === undefined ? undefined : html`<h3>What the heap knows of the address</h3><pre tabindex="0" role="region" aria-label="Block query">${query}</pre>`}`;
}

function blockSection({ replay, heap }: Observation, stop: Stop): Content {
  const scene = replay.core.scene();
  const picture = blockPicture(heap, scene, stop);
  const window = hexWindow(heap, scene, stop);
  if (picture === undefined && window === undefined) return undefined;
  return section({ id: 'block', title: 'The block', body: html`${picture}<h3>Its bytes</h3>${window}` });
}

// --- facts ------------------------------------------------------------------------------------------------------------------

const CHANGES: Readonly<Record<string, string>> = {
  minimised: 'minimised: what the failure does not need is gone',
  redacted: 'redacted: texts, addresses and attachments are replaced, lengths and structure kept',
};

function factsBody(bundle: Bundle): Content {
  const { operation, source, core, pageheap, policy, changes } = bundle;
  return fields([
    ['Store', html`${source.name}, ${number(source.size)} bytes`],
    ['Fingerprint of its header', code(source.fingerprint)],
    ['Policy', policy.reencode ? `${policy.name}, re-encoded` : policy.name],
    [
      'Operation',
      operation.kind === 'open'
        ? 'opening the store'
        : `no. ${number(operation.ordinal)} of the run, node ${hex(operation.nid)}, after ${count(operation.allocations, 'allocation')}`,
    ],
    ['Page heap', code(listing(pageheap))],
    ['Seed', pageheap.seed === undefined ? undefined : String(pageheap.seed)],
    [
      'In the bundle',
      `${number(inputBytes(bundle))} bytes of the store in ${count(bundle.ranges.length, 'range')}, ${count(bundle.blocks.length, 'block')} named`,
    ],
    [
      'Done to it since',
      changes.length === 0
        ? 'nothing: as the failed run wrote it'
        : changes.map((change) => CHANGES[change] ?? change).join('; '),
    ],
    ['Engine', `pstwright ${bundle.engine}`],
    ['Core', html`${core.build}, SHA-256 ${code(core.hash)}`],
  ]);
}

function againBody(name: string, stop: Stop | undefined): Content {
  const shell = /^[\w./-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
  const lines: (readonly [string, string])[] = [
    [`pstwright replay ${shell}`, 'runs the operation again; exit code 0 when it ends the same'],
    [`pstwright replay ${shell} --step`, 'every allocation and free, and what was read and written between them'],
    [`pstwright replay ${shell} --step accesses`, 'every single access'],
    ...(stop === undefined || stop.ordinal === 0
      ? []
      : [[`pstwright replay ${shell} --until ${stop.ordinal}`, 'the heap right before the block is taken'] as const]),
  ];
  return html`<p>The bundle has all the operation read. The store is not needed.</p>
<dl class="commands">${lines.map(([command, meaning]) => html`<dt>${code(command)}</dt><dd>${meaning}</dd>`)}</dl>`;
}
