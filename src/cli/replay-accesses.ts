/** `replay --step accesses` and `replay --until N:M`: single accesses of memory, with their block and line. @module */

import type { HeapBlock } from '../core/heapmap.js';
import type { PageHeapOptions } from '../core/options.js';
import { siteName } from '../core/site.js';
import { hex } from '../errors.js';
import {
  ACCESSES_MAX,
  type AccessRun,
  type AccessTrace,
  extent,
  runUntilAccess,
  type Touch,
} from '../replay/accesses.js';
import type { Bundle } from '../replay/bundle.js';
import { type Namer, namerOf } from '../replay/names.js';
import { callText, liveBlocks } from '../replay/steps.js';
import { EXIT, type ExitCode } from './exit.js';
import { type Cell, count, escapeText, number, print, printHead, printJson, table } from './output.js';
import { endText, printLive } from './replay-live.js';

/** Lines of accesses printed; --json has all that were looked at. */
export const LINES_MAX = 20_000;

/** `no. 12`, or the host's: its blocks have no number. */
const ownerText = (block: HeapBlock | undefined): string =>
  block === undefined
    ? 'no block'
    : `${block.ordinal === 0 ? 'the host' : `no. ${number(block.ordinal)}`}${block.state === 'freed' ? ', freed' : ''}`;

/** Where in its block an access is; in words where it is not inside. */
function rangeText(run: AccessRun): string {
  const { block, address, size: width, count: times, addressStep } = run;
  if (block === undefined) return `at ${hex(address)}`;
  const { from, to } = extent(run);
  const of = ` of ${number(block.size)}`;
  if (from < 0) return `${number(-from)} before its start`;
  if (to > block.size) return `${number(from)} to ${number(to)}${of}: past its end`;
  if (times === 1 || Math.abs(addressStep) === width) return `${number(from)} to ${number(to)}${of}`;
  const first = run.offset ?? 0;
  return `${number(first)}, then every ${number(addressStep)}, to ${number(to)}${of}`;
}

const cells = (run: AccessRun, name: Namer): Cell[] => [
  run.kind,
  number(run.number),
  run.count === 1 ? `${run.size}` : `${run.size} × ${number(run.count)}`,
  ownerText(run.block),
  rangeText(run),
  run.place,
  run.tag === 0 ? '' : escapeText(name(run.tag)),
];

/** A line for each access or run of accesses. */
export const accessLines = (runs: readonly AccessRun[], name: Namer): string[] =>
  table(
    runs.map((run) => cells(run, name)),
    { indent: 4 },
  );

/** Lines of code named in a summary. */
const PLACES_SHOWN = 3;

/** `assembly/ndb/crc.ts:74, 82 and 2 more`: the file of a line is said where it changes. */
function placesText(places: readonly string[]): string {
  let last = '';
  const shown = places.slice(0, PLACES_SHOWN).map((place) => {
    const [file, line] = place.split(':') as [string, string | undefined];
    const text = file === last && line !== undefined ? line : place;
    last = file;
    return text;
  });
  const more = places.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A line for each block that was touched. */
export const touchLines = (touched: readonly Touch[]): string[] =>
  table(
    touched.map(({ block, reads, writes, from, to, places }) => [
      ownerText(block),
      [reads > 0 ? count(reads, 'read') : '', writes > 0 ? count(writes, 'write') : ''].filter(Boolean).join(', '),
      block === undefined ? '' : `${number(from)} to ${number(to)} of ${number(block.size)}`,
      placesText(places),
    ]),
    { indent: 4 },
  );

/** What is left out, and how the run that was watched ended when it ended otherwise. */
export function traceNotes({ total, lost, differences, observation }: AccessTrace): string[] {
  const notes = [
    `${count(total, 'access', 'accesses')} of blocks, seen by the build that checks each of them (as --pageheap paranoid does)`,
  ];
  if (lost > 0) {
    notes.push(
      `the first ${number(lost)} are only counted: no more than the last ${number(ACCESSES_MAX)} are looked at`,
    );
  }
  if (differences.length > 0) {
    notes.push(`under that build it ends otherwise: ${escapeText(endText(observation.replay.outcome))}`);
  }
  return notes;
}

/** A run as data: its block without what only the heap needs. */
export function accessJson({ block, ...run }: AccessRun): Record<string, unknown> {
  return { ...run, block: blockJson(block) };
}

export const blockJson = (block: HeapBlock | undefined): Record<string, unknown> | null =>
  block === undefined
    ? null
    : {
        ordinal: block.ordinal,
        ptr: block.ptr,
        size: block.size,
        site: block.site,
        name: siteName(block.site),
        state: block.state,
      };

// --- --until N:M --------------------------------------------------------------------------------------------------------------

export function printUntilAccess(
  bundle: Bundle,
  { ordinal, nth }: { readonly ordinal: number; readonly nth: number },
  pageheap: PageHeapOptions | undefined,
  json: boolean,
): ExitCode {
  const state = runUntilAccess(bundle, ordinal, nth, pageheap);
  const { next, before, reached, isAllocated, heap, calls, outcome } = state;
  const code = next === undefined ? EXIT.DAMAGE : EXIT.OK;
  const live = liveBlocks(heap);
  const name = namerOf(bundle);
  const inside = calls.at(-1);
  const call = inside === undefined ? undefined : { name: inside.name, args: inside.args };
  if (json) {
    printJson({
      reached: next !== undefined,
      ...(next === undefined ? { isAllocated, accessesAfter: reached, outcome } : { next: accessJson(next) }),
      call,
      before: before.map(accessJson),
      live: live.map(blockJson),
      liveBytes: live.reduce((sum, block) => sum + block.size, 0),
    });
    return code;
  }
  const after = ordinal === 0 ? 'the beginning' : `allocation ${number(ordinal)}`;
  if (next !== undefined) {
    print(
      `stopped before access ${number(nth)} after ${after} of the operation, number ${number(next.number)} of all:`,
    );
    for (const line of accessLines([next], name)) print(line);
    if (inside !== undefined) print(`the host had asked: ${callText(inside)}`);
  } else if (!isAllocated) {
    print(`the operation ended before ${after}: ${escapeText(endText(outcome))}`);
  } else {
    const had = count(reached, 'access', 'accesses');
    print(`the operation ended after ${had} since ${after}: ${escapeText(endText(outcome))}`);
  }
  printLive(live);
  printHead(before.length === 0 ? 'No access before' : 'Last accesses before');
  for (const line of accessLines(before, name)) print(line);
  return code;
}
