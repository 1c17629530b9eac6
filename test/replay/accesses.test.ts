/** Single accesses of an operation: each in its block, at its line, in order with allocations; up to any of them; the last of too many. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { findBlock, isStillLive } from '../../src/core/heapmap.js';
import {
  type AccessRun,
  type AccessTrace,
  accessOf,
  extent,
  runUntilAccess,
  single,
  touches,
  traceAccesses,
} from '../../src/replay/accesses.js';
import { type Bundle, encodeBundle } from '../../src/replay/bundle.js';
import { allSteps } from '../../src/replay/steps.js';
import { invoke } from '../cli/invoke.js';
import { type Workshop, workshop } from './bundles.js';

let shop: Workshop;
let bundle: Bundle;
let trace: AccessTrace;
/** Of the trace, one by one in their order. */
let accesses: AccessRun[];
let path = '';

beforeAll(async () => {
  shop = await workshop();
  shop.plant(2);
  bundle = shop.capture();
  path = join(shop.folder, 'mailbox.replay');
  writeFileSync(path, encodeBundle(bundle));
  trace = traceAccesses(bundle);
  accesses = trace.runs.flatMap(single).sort((a, b) => a.number - b.number);
}, 120_000);

beforeEach(() => shop.plant(2));
afterAll(() => shop?.close());

const lineOf = (place: string): string => {
  const [file, line] = place.split(':');
  return readFileSync(file!, 'utf8').split('\n')[Number(line) - 1]!;
};

describe('a trace', () => {
  it('has every access once', () => {
    expect(trace.lost).toBe(0);
    expect(accesses.map(({ number }) => number)).toEqual(Array.from({ length: trace.total }, (_, k) => k + 1));
    expect(trace.runs.length).toBeLessThan(accesses.length); // runs say it shorter
  });

  it('ends in the same stop', () => {
    expect(trace.differences).toEqual([]);
    expect(trace.observation.replay.outcome).toMatchObject({ kind: 'stop', stop: { kind: 'overrun' } });
  });

  it('has each access inside a block that is live then, as the list of allocations knows it', () => {
    const { events } = allSteps(bundle);
    let numbered = 0;
    for (const { event, block, offset, size, address } of accesses) {
      expect(block).toBeDefined();
      expect(offset).toBe(address - block!.ptr);
      expect(offset! >= 0 && offset! + size <= block!.size).toBe(true);
      if (block!.ordinal === 0) continue;
      numbered++;
      const taken = events.findIndex(({ kind, ordinal }) => kind === 'alloc' && ordinal === block!.ordinal);
      const freed = events.findIndex(({ kind, ordinal }) => kind === 'free' && ordinal === block!.ordinal);
      expect(event).toBeGreaterThan(taken);
      if (freed >= 0) expect(event).toBeLessThanOrEqual(freed);
      expect(events[taken]).toMatchObject({ size: block!.size, site: block!.site });
    }
    expect(numbered).toBeGreaterThan(1000);
  });

  it('names lines that read or write through a span', () => {
    Core.substitute('watch', undefined); // planted sources have other line numbers
    const { runs } = traceAccesses(bundle);
    expect(new Set(runs.map(({ place }) => place)).size).toBeGreaterThan(50);
    for (const { kind, place } of runs) {
      expect(place).toMatch(/^assembly\/(ndb|ltp|stream|text)\/\w+\.ts:\d+$/);
      expect(lineOf(place), place).toMatch(kind === 'read' ? /get\d+\(|copy\(/ : /put\d+\(|copy\(|zero\(/);
    }
  });

  it('ends with the loop that overran: what it read, and all 26 bytes it wrote', () => {
    const [read, written] = trace.runs.slice(-2) as [AccessRun, AccessRun];
    const { stop } = bundle.outcome as { stop: { ordinal: number; tag: number } };
    expect(read).toMatchObject({ kind: 'read', size: 2, count: 13, tag: stop.tag, function: 'atValue' });
    expect(written).toMatchObject({ kind: 'write', size: 2, count: 13, numberStep: 2, addressStep: 2, offset: 0 });
    expect(written.block).toMatchObject({ ordinal: stop.ordinal, size: 26, state: 'live' });
    expect(extent(written)).toEqual({ from: 0, to: 26 });
    expect(lineOf(written.place)).toMatch(/put16\(take\(/);
  });

  it('is the same again', () => {
    expect(traceAccesses(bundle).runs).toEqual(trace.runs);
  });

  it('of too many has the last, numbered as in the whole', () => {
    const last = traceAccesses(bundle, undefined, 100);
    expect(last).toMatchObject({ total: trace.total, lost: trace.total - 100 });
    expect(last.runs.flatMap(single).sort((a, b) => a.number - b.number)).toEqual(accesses.slice(-100));
  });

  it('shows the access that another mode lets pass', () => {
    const normal = shop.capture({ mode: 'normal' });
    expect(normal.outcome).toMatchObject({ stop: { kind: 'suffix damage' } });
    const { differences, observation, runs } = traceAccesses(normal);
    expect(observation.replay.outcome).toMatchObject({ stop: { kind: 'overrun', size: 26 } });
    expect(differences[0]).toContain('suffix damage in the bundle, overrun in the replay');
    expect(runs.at(-1)).toMatchObject({ kind: 'write', block: { size: 26 } });
  });

  it.each([
    { mode: 'full', backwards: true },
    { mode: 'full', aligned: true },
    { mode: 'full', random: 50, seed: 7 },
  ] as const)('knows the block under %o', (settings) => {
    const { runs } = traceAccesses(bundle, settings);
    expect(runs.length).toBeGreaterThan(1000);
    for (const { block, offset, size } of runs) expect(offset! >= 0 && offset! + size <= block!.size).toBe(true);
    expect(runs.at(-1)!.block).toMatchObject({ size: 26 });
  });

  it('takes no raw core, which keeps no count', () => {
    expect(() => traceAccesses(bundle, { mode: 'off' })).toThrow('the raw core keeps no count of allocations');
  });
});

describe('touches', () => {
  it('add up to the trace, block by block', () => {
    const sums = touches(trace.runs);
    expect(sums.reduce((sum, { reads, writes }) => sum + reads + writes, 0)).toBe(trace.total);
    const { stop } = bundle.outcome as { stop: { ordinal: number } };
    const own = sums.filter(({ block }) => block?.ordinal === stop.ordinal);
    expect(own).toMatchObject([{ reads: 0, writes: 13, from: 0, to: 26 }]);
  });
});

describe('until an access', () => {
  it('stops before it, wherever it is', () => {
    const { events } = allSteps(bundle);
    for (const number of [1, 2, 73, 2000, trace.total - 1, trace.total]) {
      const wanted = accesses[number - 1]!;
      // After the last allocation before it.
      const index = events.slice(0, wanted.event).findLastIndex(({ kind }) => kind === 'alloc');
      const ordinal = index < 0 ? 0 : events[index]!.ordinal;
      const nth = accesses.filter((access) => access.number <= number && access.event > index).length;
      const { next, before, heap } = runUntilAccess(bundle, ordinal, nth);
      expect(next).toEqual(wanted);
      expect(before).toEqual(accesses.slice(Math.max(0, number - 13), number - 1));
      expect(heap.events).toHaveLength(wanted.event);
    }
  });

  it('says when the operation ended before', () => {
    const { stop } = bundle.outcome as { stop: { ordinal: number } };
    const last = runUntilAccess(bundle, stop.ordinal, 27);
    expect(last).toMatchObject({ next: undefined, reached: 26, isAllocated: true, outcome: { kind: 'stop' } });
    expect(last.before.at(-1)).toEqual(accesses.at(-1));
    expect(runUntilAccess(bundle, 9999, 1)).toMatchObject({ next: undefined, isAllocated: false });
  });

  it.each(['12:40', '0:1'])('%s is one', (text) => expect(accessOf(text)).toBeDefined());
  it.each(['12:0', ':3', '3:', '1:2:3', '-1:3', '1:9999999999'])('%s is none', (text) => {
    expect(() => accessOf(text)).toThrow('--until takes the number of an allocation');
  });
});

describe('on the command line', () => {
  it('--step accesses prints each line of the trace, under its call', async () => {
    const { code, out } = await invoke('replay', path, '--step', 'accesses');
    expect(code).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toContain(`${trace.total.toLocaleString('en-US')} accesses of blocks`);
    expect(lines.filter((line) => /^ {4}(read|write) /.test(line))).toHaveLength(trace.runs.length);
    expect(lines.filter((line) => /^ {2}(alloc|free) /.test(line))).toHaveLength(allSteps(bundle).events.length);
    expect(lines.at(-2)).toMatch(
      /^ {4}write +[\d,]+ +2 × 13 +no\. \d+ +0 to 26 of 26 +assembly\/planted-crimes\/plant\.ts:\d+ +PidTagAttachLongFilename$/,
    );
    expect(lines.at(-1)).toContain('verifier stop: overrun');
    expect(lines.findIndex((line) => line.endsWith('pcRead'))).toBeLessThan(lines.length - 10);
  });

  it('--step accesses --json is the same as data', async () => {
    const { code, out } = await invoke('replay', path, '--step', 'accesses', '--json');
    expect(code).toBe(0);
    const document = JSON.parse(out);
    expect(document).toMatchObject({ accessesTotal: trace.total, accessesLost: 0, isReproduced: true });
    expect(document.accesses).toHaveLength(trace.runs.length);
    expect(document.accesses.at(-1)).toMatchObject({ kind: 'write', count: 13, block: { size: 26 }, offset: 0 });
  });

  it('--step alone says between its steps what was touched', async () => {
    const { out } = await invoke('replay', path, '--step');
    expect(out).toMatch(/^ {4}no\. \d+ +13 writes +0 to 26 of 26 +assembly\/planted-crimes\/plant\.ts:\d+$/m);
    const { touches: touched } = JSON.parse((await invoke('replay', path, '--step', '--json')).out);
    expect(touched).toHaveLength(touches(trace.runs).length);
  });

  it('--step calls has calls only, --step blocks no accesses', async () => {
    const calls = await invoke('replay', path, '--step', 'calls');
    expect(calls.out).not.toMatch(/^ *(alloc|free|no\.) /m);
    expect(calls.out).toMatch(/^ {2}decode a property context: pcRead +takes \d+ blocks/m);
    const blocks = await invoke('replay', path, '--step', 'blocks');
    expect(blocks.out).toMatch(/^ {2}alloc /m);
    expect(blocks.out).not.toMatch(/ (reads?|writes?) /);
  });

  it('says when the build that checks every access ends otherwise', async () => {
    const normal = join(shop.folder, 'normal.replay');
    writeFileSync(normal, encodeBundle(shop.capture({ mode: 'normal' })));
    const whole = await invoke('replay', normal, '--step');
    expect(whole.code).toBe(0); // what the bundle says is what happened
    expect(whole.out).toContain('under that build it ends otherwise: verifier stop: overrun');
    expect(whole.out).toMatch(/suffix damage[^\n]*\n$/);
    expect(await invoke('replay', normal, '--step', 'accesses')).toMatchObject({ code: 2 });
  });

  it('--until N:M shows the access, its block, and those before', async () => {
    const { stop } = bundle.outcome as { stop: { ordinal: number } };
    const { code, out } = await invoke('replay', path, '--until', `${stop.ordinal}:26`);
    expect(code).toBe(0);
    expect(out).toContain(`stopped before access 26 after allocation ${stop.ordinal} of the operation`);
    expect(out).toMatch(/^ {4}write +[\d,]+ +2 +no\. \d+ +24 to 26 of 26 /m);
    expect(out).toMatch(/^Last accesses before\n( {4}(read|write) .*\n){12}$/m);
    const json = JSON.parse((await invoke('replay', path, '--until', `${stop.ordinal}:26`, '--json')).out);
    expect(json).toMatchObject({ reached: true, next: { offset: 24, block: { size: 26 } } });
    expect(json.before).toHaveLength(12);
    const beyond = await invoke('replay', path, '--until', `${stop.ordinal}:99`);
    expect(beyond).toMatchObject({ code: 2 });
    expect(beyond.out).toContain(`ended after 26 accesses since allocation ${stop.ordinal}: verifier stop: overrun`);
  });

  it('refuses what is no view', async () => {
    const { code, err } = await invoke('replay', path, '--step', 'pages');
    expect(code).toBe(3);
    expect(err).toContain('--step takes calls, blocks or accesses');
    expect(await invoke('replay', path, '--until', '3:0')).toMatchObject({ code: 3 });
  });
});

describe('the block of an address', () => {
  it('is the one it lies in, or right behind which it lies, as the list of blocks has it', () => {
    const { core } = trace.observation.replay;
    const scene = core.scene();
    const { blocks } = trace.observation.heap;
    expect(blocks.length).toBeGreaterThan(20);
    for (const block of blocks) {
      const { ptr, size } = block;
      for (const address of [ptr, ptr + size - 1, ptr + size]) expect(findBlock(scene, address)).toEqual(block);
      expect(isStillLive(scene, block)).toBe(block.state === 'live');
    }
    expect(findBlock(scene, 0)).toBeUndefined();
    expect(findBlock(scene, 0x7ffff000)).toBeUndefined();
  });
});
