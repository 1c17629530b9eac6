/** Steps of an operation: stopped before any allocation, walked from the first to the last, past the end of the ring. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { FULL } from '../../src/core/options.js';
import { memoryFile } from '../../src/host/memory.js';
import { StoreWriter } from '../../src/ndb/write/store-writer.js';
import { type Bundle, encodeBundle } from '../../src/replay/bundle.js';
import { allSteps, liveAfter, liveBlocks, observe, runUntil } from '../../src/replay/steps.js';
import { makeNid, NID_TYPE } from '../../src/wire/nid.js';
import { invoke } from '../cli/invoke.js';
import { type Workshop, workshop } from './bundles.js';

let shop: Workshop;
let bundle: Bundle;
let path = '';

beforeAll(async () => {
  shop = await workshop();
  shop.plant(2);
  bundle = shop.capture();
  path = join(shop.folder, 'mailbox.replay');
  writeFileSync(path, encodeBundle(bundle));
}, 120_000);

beforeEach(() => shop.plant(2));
afterAll(() => shop?.close());

const stopOrdinal = (): number => {
  if (bundle.outcome.kind !== 'stop') throw new Error('a stop is expected');
  return bundle.outcome.stop.ordinal;
};

describe('until', () => {
  it('stops before every allocation, with the heap as the walk has it there', () => {
    const { events } = allSteps(bundle);
    const live = liveAfter(events);
    for (let ordinal = 1; ordinal <= stopOrdinal(); ordinal++) {
      const { next, heap } = runUntil(bundle, ordinal);
      const index = events.findIndex((event) => event.kind === 'alloc' && event.ordinal === ordinal);
      expect(next).toMatchObject({ ordinal, size: events[index]!.size, siteId: events[index]!.site });
      expect(heap.events).toEqual(events.slice(0, index));
      const blocks = liveBlocks(heap);
      const before = live[index - 1] ?? { blocks: 0, bytes: 0 };
      expect(blocks).toHaveLength(before.blocks);
      expect(blocks.reduce((sum, { size }) => sum + size, 0)).toBe(before.bytes);
    }
  });

  it('says how the operation ended when it never comes that far', () => {
    const { next, replay } = runUntil(bundle, stopOrdinal() + 1000);
    expect(next).toBeUndefined();
    expect(replay.outcome).toMatchObject({ kind: 'stop', stop: { kind: 'overrun' } });
  });

  it.each([{ mode: 'normal' }, { mode: 'full', random: 50, seed: 7 }, { mode: 'full', noTraces: true }] as const)(
    'works under %o',
    (settings) => {
      const { next, heap } = runUntil(bundle, 12, settings);
      expect(next).toMatchObject({ ordinal: 12 });
      expect(heap.events.length).toBeGreaterThan(11);
    },
  );

  it('takes no number of the raw core, which counts nothing', () => {
    expect(() => runUntil(bundle, 3, { mode: 'off' })).toThrow('the raw core keeps no count of allocations');
  });
});

describe('all steps', () => {
  it('pairs every free with its allocation, and ends at the block of the stop', () => {
    const { events, eventsLost, replay, calls } = allSteps(bundle);
    expect(replay.isReproduced).toBe(true);
    expect(eventsLost).toBe(0);
    const open = new Map<number, number>();
    let last = 0;
    for (const { kind, ordinal, ptr } of events) {
      if (kind === 'alloc') {
        expect(ordinal).toBe(++last);
        open.set(ordinal, ptr);
      } else {
        expect(open.get(ordinal)).toBe(ptr);
        open.delete(ordinal);
      }
    }
    expect(last).toBe(stopOrdinal());
    // Calls cover the events without gap: the host asked for each of them.
    let at = 0;
    for (const { from, until } of calls) {
      expect(from).toBe(at);
      at = until;
    }
    expect(at).toBe(events.length);
    expect(calls.at(-1)?.name).toBe('pcRead');
  });

  it('goes back past the end of the ring', () => {
    shop.plant(0);
    const large = manyAllocations();
    const { heap } = observe(large);
    expect(heap.eventsLost).toBeGreaterThan(0);
    const { events, eventsLost } = allSteps(large);
    expect(eventsLost).toBe(0);
    expect(events.length).toBe(heap.eventsLost + heap.events.length);
    expect(events.slice(-heap.events.length)).toEqual(heap.events);
    expect(events[0]).toMatchObject({ kind: 'alloc', ordinal: 1 });
  }, 60_000);
});

/** An operation with more events than the ring of 8,192 holds: a value of 4,300 blocks, read one by one, whose 4,250th fails. */
function manyAllocations(): Bundle {
  const file = memoryFile('large.pst');
  const writer = new StoreWriter(Core.load('raw', FULL), file, { crypt: 0 });
  const nid = makeNid(NID_TYPE.LTP, 0x10001);
  writer.addNode(nid, writer.addTreeBytes(new Uint8Array(8176 * 4300).fill(0x41)), 0, 0);
  writer.finish();
  return shop.capture({ mode: 'full', fault: { rate: 10_000, after: 4250 } }, new Uint8Array(file.bytes), false);
}

describe('on the command line', () => {
  it('--until shows what is live, and what came last', async () => {
    const { code, out } = await invoke('replay', path, '--until', '12');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^stopped before allocation 12 of the operation: [\d,]+ bytes for .+ \(assembly\/.+\.ts:\d+\)$/m,
    );
    expect(out).toMatch(/^the host had asked: .+: \w+$/m);
    expect(out).toMatch(/^\d+ blocks? live, /m);
    expect(out).toMatch(/^ {2}alloc +11 /m);
  });

  it('--until --json is one document', async () => {
    const { code, out } = await invoke('replay', path, '--until', '14', '--json');
    expect(code).toBe(0);
    const { reached, next, live, events } = JSON.parse(out);
    expect(reached).toBe(true);
    expect(next).toMatchObject({ ordinal: 14, place: expect.stringMatching(/^assembly\/.+:\d+$/) });
    expect(live[0]).toMatchObject({ state: 'live', name: expect.any(String) });
    expect(events.length).toBeGreaterThan(10);
  });

  it('--until beyond the end exits with 2 and says how it ended', async () => {
    const { code, out } = await invoke('replay', path, '--until', '99999');
    expect(code).toBe(2);
    expect(out).toContain('the operation ended before allocation 99,999: verifier stop: overrun');
  });

  it('--step prints every event with its site, and how it ended', async () => {
    const { code, out } = await invoke('replay', path, '--step');
    expect(code).toBe(0);
    const { events } = allSteps(bundle);
    const lines = out.trimEnd().split('\n');
    expect(lines.filter((line) => /^ {2}(alloc|free) /.test(line))).toHaveLength(events.length);
    expect(lines.filter((line) => line.includes('assembly/')).length).toBeGreaterThan(events.length / 2);
    expect(out).toContain('decode a property context: pcRead');
    expect(out).toMatch(new RegExp(`^ {2}alloc +${stopOrdinal()} .*◂$`, 'm'));
    expect(lines.at(-1)).toContain('verifier stop: overrun');
  });

  it('--step --json has the same', async () => {
    const { code, out } = await invoke('replay', path, '--step', '--json');
    expect(code).toBe(0);
    const { events, eventsLost, isReproduced } = JSON.parse(out);
    expect(isReproduced).toBe(true);
    expect(eventsLost).toBe(0);
    expect(events[0]).toMatchObject({ kind: 'alloc', ordinal: 1, live: { blocks: 1 }, call: expect.any(String) });
    expect(events.at(-1)).toMatchObject({ call: 'pcRead' });
    // Each free is one line, and the host's none.
    const frees = (events as { kind: string; name: string; places: string[] }[]).filter(({ kind }) => kind === 'free');
    expect(frees.length).toBeGreaterThan(3);
    for (const { name, places } of frees) {
      expect(places, name).toHaveLength(name === 'by the host' ? 0 : 1);
      for (const place of places) {
        const [file, line] = place.split(':') as [string, string];
        expect(readFileSync(file, 'utf8').split('\n')[Number(line) - 1]).toContain('free(');
      }
    }
    expect(frees.some(({ places }) => places.length === 1)).toBe(true);
  });

  it.each(['0', '-1', 'x', '1.5', '1e3', '9999999999'])('--until %s is refused', async (text) => {
    const { code, err } = await invoke('replay', path, `--until=${text}`);
    expect(code).toBe(3);
    expect(err).toContain('--until takes the number of an allocation');
  });

  it('one thing at a time', async () => {
    for (const other of [['--step'], ['--html', join(shop.folder, 'never.html')], ['--minimise']]) {
      expect(await invoke('replay', path, '--until', '3', ...other)).toMatchObject({ code: 3 });
    }
  });
});
