/** `replay --until N` and `replay --step`: an operation stopped before an allocation, or walked through one by one. @module */
import { createInterface } from 'node:readline';
import { allocPlace, freePlaces } from '../core/code.js';
import type { HeapEvent } from '../core/heapmap.js';
import type { PageHeapOptions } from '../core/options.js';
import { decoderOf, siteName } from '../core/site.js';
import { hex } from '../errors.js';
import { tagName } from '../mapi/tags.js';
import type { Bundle, Outcome } from '../replay/bundle.js';
import {
  allSteps,
  type Call,
  callText,
  type Live,
  liveAfter,
  liveBlocks,
  runUntil,
  type Steps,
} from '../replay/steps.js';
import { EXIT, type ExitCode } from './exit.js';
import { count, escapeText, number, paint, print, printHead, printJson, printTable, size, table } from './output.js';

/** Events shown of those before the stop; --json has all of the ring. */
const LAST_EVENTS = 12;
/** Blocks shown. */
const BLOCKS_SHOWN = 40;

const endText = (outcome: Outcome): string =>
  outcome.kind === 'none'
    ? 'it ended well'
    : outcome.kind === 'error'
      ? `${outcome.code}: ${outcome.message}`
      : outcome.message;

/** Where an event is in the sources: a free tells its decoder only. */
const placesOf = ({ kind, site }: HeapEvent): string[] => {
  if (kind === 'free') return freePlaces(site);
  const place = allocPlace(site);
  return place === undefined ? [] : [place];
};

/** Free sites of a decoder are many: the line has the first of them. */
const shortPlace = (event: HeapEvent): string => {
  const [first, ...more] = placesOf(event);
  return first === undefined ? '' : more.length === 0 ? first : `${first} or ${more.length} more`;
};

const whatText = ({ kind, site }: HeapEvent): string =>
  kind === 'alloc' ? siteName(site) : `by ${site === 0 ? 'the host' : (decoderOf(site) ?? `site ${site}`)}`;

// --- --until ----------------------------------------------------------------------------------------------------------------

export function printUntil(
  bundle: Bundle,
  ordinal: number,
  pageheap: PageHeapOptions | undefined,
  json: boolean,
): ExitCode {
  const state = runUntil(bundle, ordinal, pageheap);
  const { next, heap, calls, replay } = state;
  const live = liveBlocks(heap);
  const bytes = live.reduce((sum, block) => sum + block.size, 0);
  const inside = calls.at(-1);
  if (json) {
    printJson({
      reached: next !== undefined,
      ...(next === undefined ? { outcome: replay.outcome } : { next: { ...next, place: allocPlace(next.siteId) } }),
      call: inside === undefined ? undefined : { name: inside.name, args: inside.args },
      live: live.map((block) => ({ ...block, name: siteName(block.site), place: allocPlace(block.site) })),
      liveBytes: bytes,
      events: heap.events,
      eventsLost: heap.eventsLost,
    });
    return next === undefined ? EXIT.DAMAGE : EXIT.OK;
  }
  if (next === undefined) {
    print(`the operation ended before allocation ${number(ordinal)}: ${escapeText(endText(replay.outcome))}`);
  } else {
    const place = allocPlace(next.siteId);
    print(
      `stopped before allocation ${number(ordinal)} of the operation: ${count(next.size, 'byte')} for ${siteName(next.siteId)}${place === undefined ? '' : ` (${place})`}`,
    );
    if (inside !== undefined) print(`the host had asked: ${callText(inside)}`);
    if (next.tag !== 0)
      print(`at property 0x${next.tag.toString(16).padStart(8, '0')} ${tagName(next.tag) ?? ''}`.trimEnd());
  }
  printHead(`${count(live.length, 'block')} live, ${size(bytes)}`);
  printTable(
    live
      .slice(-BLOCKS_SHOWN)
      .map((block) => [block.ordinal, block.size, hex(block.ptr), siteName(block.site), allocPlace(block.site) ?? '']),
    { head: ['no.', 'bytes', 'address', 'taken for', 'at'], indent: 2 },
  );
  if (live.length > BLOCKS_SHOWN) print(`  … and ${number(live.length - BLOCKS_SHOWN)} older; --json lists them all`);
  const last = heap.events.slice(-LAST_EVENTS);
  printHead(last.length === 0 ? 'Nothing taken or given back before' : 'Last before');
  printTable(
    last.map((event) => [event.kind, event.ordinal, event.size, hex(event.ptr), whatText(event), shortPlace(event)]),
    { indent: 2 },
  );
  return next === undefined ? EXIT.DAMAGE : EXIT.OK;
}

// --- --step -----------------------------------------------------------------------------------------------------------------

/** Waits for the reader; true when enough is seen. */
export type Pause = () => Promise<boolean>;

/** Enter goes on, `q` or the end of the input leaves, `c` goes on to the end without asking again. */
function asker(): { pause: Pause; close(): void } {
  const terminal = createInterface({ input: process.stdin });
  const lines = terminal[Symbol.asyncIterator]();
  let isFree = false;
  return {
    async pause() {
      if (isFree) return false;
      const { value, done } = await lines.next();
      const answer = done === true ? 'q' : value.trim().toLowerCase();
      isFree = answer === 'c';
      return answer === 'q';
    },
    close: () => terminal.close(),
  };
}

export async function printSteps(
  bundle: Bundle,
  pageheap: PageHeapOptions | undefined,
  json: boolean,
): Promise<ExitCode> {
  const steps = allSteps(bundle, pageheap);
  const { isReproduced, differences, outcome } = steps.replay;
  const code = isReproduced ? EXIT.OK : EXIT.DAMAGE;
  if (json) {
    printJson({ events: eventsJson(steps), eventsLost: steps.eventsLost, outcome, isReproduced, differences });
    return code;
  }
  if (process.stdin.isTTY && process.stdout.isTTY) {
    const { pause, close } = asker();
    try {
      print(paint('dim', 'Enter: next · c: on to the end · q: leave'));
      await walk(steps, pause);
    } finally {
      close();
    }
  } else {
    await walk(steps);
  }
  return code;
}

/** The call each event fell into, by the events' numbers in the operation. */
function callsOf({ calls, events, eventsLost }: Steps): (Call | undefined)[] {
  let k = 0;
  return events.map((_, index) => {
    const at = eventsLost + index;
    while (k < calls.length && calls[k]!.until <= at) k++;
    return k < calls.length && calls[k]!.from <= at ? calls[k] : undefined;
  });
}

const eventsJson = (steps: Steps): unknown[] => {
  const live = liveAfter(steps.events);
  const calls = callsOf(steps);
  return steps.events.map((event, k) => ({
    ...event,
    name: whatText(event),
    places: placesOf(event),
    call: calls[k]?.name,
    live: live[k],
  }));
};

/** Prints every event, with the call it belongs to over the first of each. */
export async function walk(steps: Steps, pause?: Pause): Promise<void> {
  const { events, eventsLost, replay } = steps;
  const { outcome } = replay;
  if (eventsLost > 0) print(`${count(eventsLost, 'event')} before the first of these are not known`);
  const concerned = outcome.kind === 'stop' ? outcome.stop.ordinal : 0;
  const calls = callsOf(steps);
  const live = liveAfter(events);
  const lines = rows(events, live);
  let last: Call | undefined;
  for (const [k, event] of events.entries()) {
    const call = calls[k];
    if (call !== undefined && call !== last) print(paint('dim', callText(call)));
    last = call;
    const line = lines[k]!;
    print(event.ordinal === concerned && concerned > 0 ? paint('red', `${line}  ◂`) : line);
    if (pause !== undefined && (await pause())) return;
  }
  const ended = steps.calls.at(-1);
  if (outcome.kind !== 'none' && ended !== undefined && ended !== last) print(paint('dim', callText(ended)));
  print(outcome.kind === 'none' ? endText(outcome) : paint('red', escapeText(endText(outcome))));
}

const rows = (events: readonly HeapEvent[], live: readonly Live[]): string[] =>
  table(
    events.map((event, k) => [
      event.kind,
      event.ordinal,
      event.size,
      hex(event.ptr),
      whatText(event),
      shortPlace(event),
      `live ${number(live[k]!.blocks)}, ${size(live[k]!.bytes)}`,
    ]),
    { indent: 2 },
  );
