/** `replay --until N` and `replay --step`: an operation stopped before an allocation, or walked through step by step. @module */
import { createInterface } from 'node:readline';
import { allocPlace, freePlaces } from '../core/code.js';
import type { HeapEvent } from '../core/heapmap.js';
import type { PageHeapOptions } from '../core/options.js';
import { freerName, siteName } from '../core/site.js';
import { hex } from '../errors.js';
import { type AccessTrace, touches, traceAccesses, watched } from '../replay/accesses.js';
import type { Bundle } from '../replay/bundle.js';
import { type Namer, namerOf } from '../replay/names.js';
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
import { accessJson, accessLines, blockJson, LINES_MAX, touchLines, traceNotes } from './replay-accesses.js';
import { endText, printLive } from './replay-live.js';

/** Events shown of those before the stop; --json has all of the ring. */
const LAST_EVENTS = 12;

/** Where an event is in the sources: one line, but for a free that tells no more than its decoder. */
const placesOf = ({ kind, site }: HeapEvent): string[] => {
  if (kind === 'free') return freePlaces(site);
  const place = allocPlace(site);
  return place === undefined ? [] : [place];
};

/** A decoder frees in many places: where no more is known, the line has the first of them. */
const shortPlace = (event: HeapEvent): string => {
  const [first, ...more] = placesOf(event);
  return first === undefined ? '' : more.length === 0 ? first : `${first} or ${more.length} more`;
};

const whatText = ({ kind, site }: HeapEvent): string => (kind === 'alloc' ? siteName(site) : `by ${freerName(site)}`);

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
      print(`at property 0x${next.tag.toString(16).padStart(8, '0')} ${escapeText(namerOf(bundle)(next.tag))}`);
  }
  printLive(live);
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

export const VIEWS = ['calls', 'blocks', 'accesses'] as const;
export type View = (typeof VIEWS)[number];

/** Walks an operation: calls only, blocks, single accesses, or without a view blocks and what was done with each. */
export async function printSteps(
  bundle: Bundle,
  view: View | undefined,
  pageheap: PageHeapOptions | undefined,
  json: boolean,
): Promise<ExitCode> {
  const trace = view === undefined || view === 'accesses' ? traceAccesses(bundle, pageheap) : undefined;
  const steps = view === 'accesses' ? allSteps(watched(bundle, pageheap)) : allSteps(bundle, pageheap);
  const { outcome } = steps.replay;
  const differences = view === 'accesses' ? trace!.differences : steps.replay.differences;
  const isReproduced = view === 'accesses' ? differences.length === 0 : steps.replay.isReproduced;
  const code = isReproduced ? EXIT.OK : EXIT.DAMAGE;
  if (json) {
    printJson({ ...stepsJson(steps, view, trace), outcome, isReproduced, differences });
    return code;
  }
  const walked: Walk = { steps, view, trace, name: namerOf(bundle) };
  if (process.stdin.isTTY && process.stdout.isTTY) {
    const { pause, close } = asker();
    try {
      print(paint('dim', 'Enter: next · c: on to the end · q: leave'));
      await walk(walked, pause);
    } finally {
      close();
    }
  } else {
    await walk(walked);
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

function stepsJson(steps: Steps, view: View | undefined, trace: AccessTrace | undefined): Record<string, unknown> {
  const { calls, events, eventsLost } = steps;
  if (view === 'calls') return { calls: calls.map((call) => ({ ...call, words: callText(call) })) };
  const live = liveAfter(events);
  const callOf = callsOf(steps);
  const list = events.map((event, k) => ({
    ...event,
    name: whatText(event),
    places: placesOf(event),
    call: callOf[k]?.name,
    live: live[k],
  }));
  if (trace === undefined) return { events: list, eventsLost };
  const { runs, total, lost } = trace;
  const watch = { accessesTotal: total, accessesLost: lost };
  if (view === 'accesses') return { events: list, eventsLost, ...watch, accesses: runs.map(accessJson) };
  const touched = touches(runs).map((touch) => ({ ...touch, block: blockJson(touch.block) }));
  return { events: list, eventsLost, ...watch, accessDifferences: trace.differences, touches: touched };
}

interface Walk {
  readonly steps: Steps;
  readonly view: View | undefined;
  readonly trace: AccessTrace | undefined;
  readonly name: Namer;
}

/** A line of the walk. */
interface Line {
  readonly text: string;
  /** A heading belongs to the line after it: nobody is asked between them. */
  readonly isHead?: true;
}

/** Prints line after line; between two of them `pause` may end it. */
async function walk(walked: Walk, pause?: Pause): Promise<void> {
  const { steps, view, trace } = walked;
  const { eventsLost, replay } = steps;
  const { outcome } = replay;
  if (trace !== undefined) for (const note of traceNotes(trace)) print(note);
  if (eventsLost > 0) print(`${count(eventsLost, 'event')} before the first of these are not known`);
  const lines = view === 'calls' ? callLines(steps) : view === 'accesses' ? accessWalk(walked) : blockWalk(walked);
  for (const { text, isHead } of lines) {
    print(text);
    if (isHead === undefined && pause !== undefined && (await pause())) return;
  }
  print(outcome.kind === 'none' ? endText(outcome) : paint('red', escapeText(endText(outcome))));
}

const head = (call: Call): Line => ({ text: paint('dim', callText(call)), isHead: true });

/** One line a call: what it took, gave back and touched. */
const callLines = ({ calls, events, eventsLost }: Steps): Line[] =>
  table(
    calls.map((call) => {
      const own = events.slice(Math.max(0, call.from - eventsLost), Math.max(0, call.until - eventsLost));
      const taken = own.filter(({ kind }) => kind === 'alloc');
      const bytes = taken.reduce((sum, event) => sum + event.size, 0);
      return [
        callText(call),
        taken.length === 0 ? '' : `takes ${count(taken.length, 'block')}, ${size(bytes)}`,
        own.length === taken.length ? '' : `gives back ${number(own.length - taken.length)}`,
      ];
    }),
    { indent: 2 },
  ).map((text) => ({ text }));

/** Every event, with the call it belongs to over the first of each, and between events what was touched. */
function blockWalk({ steps, trace }: Walk): Line[] {
  const { events, eventsLost, replay } = steps;
  const { outcome } = replay;
  const concerned = outcome.kind === 'stop' ? outcome.stop.ordinal : 0;
  const calls = callsOf(steps);
  const texts = rows(events, liveAfter(events));
  const between = touchesByEvent(trace);
  const lines: Line[] = [];
  let last: Call | undefined;
  for (const [k, event] of events.entries()) {
    lines.push(...(between.get(eventsLost + k) ?? []));
    const call = calls[k];
    if (call !== undefined && call !== last) lines.push(head(call));
    last = call;
    const text = texts[k]!;
    lines.push({ text: event.ordinal === concerned && concerned > 0 ? paint('red', `${text}  ◂`) : text });
  }
  lines.push(...(between.get(eventsLost + events.length) ?? []));
  const ended = steps.calls.at(-1);
  if (outcome.kind !== 'none' && ended !== undefined && ended !== last) lines.push(head(ended));
  return lines;
}

/** Lines of what was touched, by the events before it. They go with the step they follow. */
function touchesByEvent(trace: AccessTrace | undefined): Map<number, Line[]> {
  const touched = touches(trace?.runs ?? []);
  const texts = touchLines(touched);
  const between = new Map<number, Line[]>();
  for (const [k, { event }] of touched.entries()) {
    const lines = between.get(event) ?? [];
    lines.push({ text: paint('dim', texts[k]!), isHead: true });
    between.set(event, lines);
  }
  return between;
}

/** Every access and every event in the order they happened, under the calls they belong to. */
function accessWalk({ steps, trace, name }: Walk): Line[] {
  const { events, eventsLost } = steps;
  const { observation, runs } = trace!;
  const shown = runs.slice(-LINES_MAX);
  const texts = accessLines(shown, name);
  const eventTexts = rows(events, liveAfter(events));
  const lines: Line[] = [];
  if (shown.length < runs.length) {
    const left = count(runs.length - shown.length, 'line');
    lines.push({ text: `… ${left} of earlier accesses not shown; --json has them`, isHead: true });
  }
  const { calls } = observation;
  let event = 0;
  let call = -1;
  const eventsUntil = (end: number): void => {
    for (; eventsLost + event < end && event < events.length; event++) {
      enter((known) => eventsLost + event < known.until);
      lines.push({ text: eventTexts[event]! });
    }
  };
  /** Goes on to the first call that `holds`. */
  const enter = (holds: (known: Call) => boolean): void => {
    let next = Math.max(call, 0);
    while (next < calls.length && !holds(calls[next]!)) next++;
    if (next === call || next === calls.length) return;
    call = next;
    lines.push(head(calls[call]!));
  };
  // Earlier events than the first access shown stand alone.
  for (const [k, run] of shown.entries()) {
    eventsUntil(run.event);
    enter((known) => run.number <= known.untilAccess);
    lines.push({ text: texts[k]! });
  }
  eventsUntil(eventsLost + events.length);
  return lines;
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
