/** Reports of a stop: where in the sources, the sentence, the bytes, all of it together, and what the command line prints. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { errorJson, errorText } from '../../src/cli/exit.js';
import { allocPlace, allocSites, framesOf, freeFrame, freePlaces, freeSites, siteFrame } from '../../src/core/code.js';
import { Core, type CoreBuild } from '../../src/core/core.js';
import { CoreFault, STOP_KINDS, type Stop } from '../../src/core/fault.js';
import { blockQuery, hexWindow, makeReport, reportText } from '../../src/core/report.js';
import { sentence } from '../../src/core/sentence.js';
import { decoderOf, siteName } from '../../src/core/site.js';
import { encodePc } from '../../src/ltp/pc.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { tagName } from '../../src/mapi/tags.js';
import { invoke } from '../cli/invoke.js';
import { putChain, takeChain } from './chain.js';
import { compile } from './compile.js';

const source = (file: string): string[] => readFileSync(file, 'utf8').split('\n');
const lineAt = (place: string): string => {
  const [file, line] = place.split(':') as [string, string];
  return source(file)[Number(line) - 1]!;
};

/** Constants of assembly/memory/site.ts. */
const constantsOf = (kind: 'SITE' | 'FREE'): Map<string, number> =>
  new Map(
    [
      ...readFileSync('assembly/memory/site.ts', 'utf8').matchAll(
        new RegExp(`^export const (${kind}_\\w+): u32 = (0x\\w+);`, 'gm'),
      ),
    ].map(([, name, value]) => [name!, Number(value)]),
  );
const constants = constantsOf('SITE');

function faultOf(run: () => unknown): CoreFault {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(CoreFault);
    return error as CoreFault;
  }
  return expect.unreachable('nothing stopped');
}

/** A chain of the core, freed and used: the access is in chainCount(). */
function freedChain(build?: CoreBuild): CoreFault {
  const { x } = Core.load(build);
  const chain = x.chainNew(3);
  x.context(0x200024);
  x.free(chain, 0x40);
  return faultOf(() => x.chainCount(chain));
}

describe('sites', () => {
  it('every one but place 0 of a decoder is used by exactly one alloc()', () => {
    const used = allocSites().filter(({ site }) => site % 16 !== 0);
    const own = [...constants].filter(([, site]) => site % 16 !== 0);
    expect(own.length).toBeGreaterThan(25);
    expect(used.map(({ name }) => name).sort()).toEqual(own.map(([name]) => name).sort());
    for (const { name, site } of used) expect(site, name).toBe(constants.get(name));
  });

  it('place 0 is what the host takes, and a decoder that frees somewhere', () => {
    for (const { name, site } of allocSites().filter(({ site }) => site % 16 === 0))
      expect([name, site]).toEqual(['SITE_HOST', 0]);
    for (const site of constants.values()) {
      if (site % 16 !== 0) continue;
      const own = freeSites().filter((free) => free.site >> 4 === site >> 4);
      expect(freePlaces(site)).toEqual(own.map(({ file, line }) => `${file}:${line}`));
    }
    expect(freePlaces(0)).toEqual([]);
    expect(freePlaces(0x40).map(lineAt)).toEqual([
      expect.stringContaining('free(plan, FREE_PC_PLAN)'),
      expect.stringContaining('free(ordered, FREE_PC_ORDER)'),
    ]);
  });

  it('every free() of the core has one of its own, numbered apart from the allocations', () => {
    const own = constantsOf('FREE');
    const used = freeSites();
    expect(used.map(({ name }) => name).sort()).toEqual([...own.keys()].sort());
    expect(new Set(own.values()).size).toBe(own.size);
    for (const { name, site } of used) {
      expect(site, name).toBe(own.get(name));
      expect(site % 16, name).not.toBe(0);
      expect(decoderOf(site), name).toBeDefined();
    }
    // None is left out: as many as the sources have, but for the allocator and the crimes.
    const files = readdirSync('assembly', { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && !/^(?:memory|planted)/.test(name),
    );
    const calls = files.flatMap((name) => source(`assembly/${name}`)).filter((line) => /\bfree\(/.test(line));
    expect(used).toHaveLength(calls.length);
  });

  it('of a free lie in the one line of their free()', () => {
    for (const { site, name } of freeSites()) {
      const places = freePlaces(site);
      expect(places, name).toHaveLength(1);
      expect(lineAt(places[0]!)).toMatch(new RegExp(`\\bfree\\(.*, (?:site\\.)?${name}\\)`));
    }
  });

  it('lie in the file and line of their alloc()', () => {
    for (const { site, name } of allocSites().filter(({ site }) => site % 16 !== 0)) {
      expect(lineAt(allocPlace(site)!), name).toMatch(new RegExp(`\\balloc\\(.*, (?:site\\.)?${name}\\)`));
    }
  });

  it.each(['core', 'paranoid', 'raw', 'debug'] as const)('are found in the code of the %s build', (build) => {
    for (const { site, name } of allocSites().filter(({ site }) => site % 16 !== 0)) {
      const frame = siteFrame(build, site);
      expect(frame, name).toBeDefined();
      expect(frame!.places[0]).toBe(allocPlace(site));
      expect(frame!.module).toBe(decoderOf(site));
      expect(frame!.functionOffset).toBeGreaterThan(0);
    }
  });

  it.each(['core', 'paranoid', 'debug', 'watch'] as const)(
    'of frees are calls in the code of the %s build',
    (build) => {
      const wasm = readFileSync(`build/core${build === 'core' ? '' : `.${build}`}.wasm`);
      const offsets = new Set<number>();
      const unknown: string[] = [];
      for (const { site, name } of freeSites()) {
        const frame = freeFrame(build, site);
        if (frame === undefined) {
          unknown.push(name);
          continue;
        }
        expect(frame.places[0]).toBe(freePlaces(site)[0]);
        expect(frame.module).toBe(decoderOf(site));
        expect(wasm[frame.offset], name).toBe(0x10); // call
        offsets.add(frame.offset);
      }
      // bthDone() is small: where it is inlined into all that call it, no single frame is true.
      expect(unknown).toEqual(build === 'core' || build === 'paranoid' ? ['FREE_BTH_DONE'] : []);
      expect(offsets.size).toBe(freeSites().length - unknown.length);
      expect(freeFrame(build, 0x40)).toBeUndefined();
    },
  );

  it('the list beside the modules is that of the sources', async () => {
    const { findSites } = (await import('../../scripts/sites.mjs' as string)) as { findSites(): unknown };
    expect(JSON.parse(readFileSync('build/sites.json', 'utf8')), 'run `npm run build:core`').toEqual(findSites());
  });
});

describe('the faulting code', () => {
  it.each(['core', 'paranoid', 'debug'] as const)('is found through the source map of the %s build', (build) => {
    const [frame] = framesOf(build, freedChain(build).cause);
    expect(frame).toMatchObject({ module: 'ndb.chain', function: 'chainCount' });
    const [inner, outer] = frame!.places;
    expect(lineAt(inner!)).toContain('holds(lo, at, n)'); // take(), inlined
    expect(outer).toMatch(/^assembly\/ndb\/chain\.ts:\d+$/);
    expect(lineAt(outer!)).toContain('take(chain');
  });

  it('has no frame of the page heap, and none when there is no stack', () => {
    for (const { module } of framesOf('core', freedChain().cause)) expect(module).not.toMatch(/^memory/);
    expect(framesOf('core', undefined)).toEqual([]);
  });
});

describe('the sentence', () => {
  const stop = (some: Partial<Stop>): Stop => ({
    kind: 'overrun',
    address: 0x1201003,
    width: 4,
    block: 0x1200fe8,
    size: 24,
    site: siteName(0x41),
    siteId: 0x41,
    freeSite: siteName(0),
    freeSiteId: 0,
    decoder: 'ltp.pc',
    ordinal: 12,
    nid: 0x200024,
    tag: 0x0c190102,
    operation: 3,
    ...some,
  });
  const item = 'PidTagSenderEntryId of message 0x200024';
  const block = 'the 24-byte block of the values of a property context (ltp.pc)';

  it.each<[Partial<Stop>, string]>([
    [{}, `An access of 4 bytes went 3 bytes past the end of ${block}, at ${item}.`],
    [{ address: 0x1200fe7, kind: 'underrun' }, `An access of 4 bytes went 1 byte before ${block}, at ${item}.`],
    [
      { address: 0x1200fe8, kind: 'use after free', freeSiteId: 0x50 },
      `An access of 4 bytes went 0 bytes into ${block}, which ltp.tc had freed, at ${item}.`,
    ],
    [
      { kind: 'double free', address: 0x1200fe8, freeSiteId: 0x40 },
      `The 24-byte block of the values of a property context (ltp.pc) was freed again after ltp.pc had freed it, at ${item}.`,
    ],
    [
      { kind: 'bad free', address: 0x1200ff8 },
      `An address 16 bytes into ${block} was freed: not its start, at ${item}.`,
    ],
    [
      { kind: 'bad free', block: 0, size: 0, address: 0x1300000, freeSiteId: 0x40, tag: 0 },
      'Address 0x1300000 was freed by ltp.pc, where no block is, at message 0x200024.',
    ],
    [
      { kind: 'wild access', block: 0, size: 0, address: 0x1300000, nid: 0, tag: 0 },
      'An access of 4 bytes went to 0x1300000, where no block is.',
    ],
    [
      { kind: 'null access', block: 0, size: 0, address: 12, nid: 0x122, tag: 0, width: 1 },
      'An access of 1 byte went to 0xc, through a null pointer, at folder 0x122.',
    ],
    [
      { kind: 'suffix damage', address: 0x1201000, nid: 0x21 },
      `The byte right past the end of ${block} was overwritten, seen when the block was given back, at PidTagSenderEntryId of the store’s own properties (node 0x21).`,
    ],
    [
      { kind: 'end stamp damage', address: 0x1200fe4, tag: 0 },
      `The end stamp 4 bytes before ${block} was overwritten, seen when the block was given back, at message 0x200024.`,
    ],
    [
      { kind: 'write after free', address: 0x1200fea, freeSiteId: 0x40, tag: 0 },
      `The byte 2 bytes into ${block} was written after ltp.pc had freed the block, seen when the block left the queue of freed blocks, at message 0x200024.`,
    ],
    [
      { kind: 'leak', tag: 0x66660102 },
      `The 24-byte block of the values of a property context (ltp.pc) was never freed, at property 0x66660102 of message 0x200024.`,
    ],
    [
      { kind: 'uninitialised read', address: 0x1200fea, tag: 0, nid: 0x61 },
      `The byte 2 bytes into ${block} was read before anything had written it, at the map of named properties (node 0x61).`,
    ],
    [
      { kind: 'heap list damage', block: 0, nid: 0, tag: 0 },
      'The tables of the page heap were overwritten, seen at the next call of the allocator.',
    ],
  ])('%o', (some, text) => {
    expect(sentence(stop(some), { property: tagName })).toBe(text);
  });

  it('there is one for every kind', () => {
    for (const kind of STOP_KINDS.slice(1)) expect(sentence(stop({ kind }))).toMatch(/^[A-Z\d].{20,}\.$/);
  });
});

describe('the bytes', () => {
  it('stand around the fault, which is marked; closed pages have none', () => {
    const core = Core.load();
    const ptr = core.put(Uint8Array.from({ length: 20 }, (_, k) => 0x41 + k));
    const fault = faultOf(() => core.x.crc(ptr, 0, 21));
    const at = (n: number): string => n.toString(16).padStart(8, '0');
    const end = ptr + 20;
    const none = ` ${'-- '.repeat(16)}`.trimEnd();
    expect(hexWindow(fault.scene!.memory, fault.stop!).split('\n')).toEqual([
      `    ${at(end - 48)} ${' d0'.repeat(16)}  ${'.'.repeat(16)}`,
      `    ${at(end - 32)} ${' d0'.repeat(12)} 41 42 43 44  ............ABCD`,
      `    ${at(end - 16)}  45 46 47 48 49 4a 4b 4c 4d 4e 4f 50 51 52 53 54  EFGHIJKLMNOPQRST`,
      `    ${at(end)} [--]${'-- '.repeat(15)}`.trimEnd(),
      `    ${at(end + 16)} ${none}`,
      `    ${at(end + 32)} ${none}`,
    ]);
  });

  it('the mark stands at the end of a row, too, and at either end of the memory', () => {
    const memory = Core.load().scene().memory;
    expect(hexWindow(memory, { address: 0x1200fff })).toContain(' --[--]\n');
    expect(hexWindow(memory, { address: 0 }).split('\n')[0]).toMatch(/^ {4}00000000 \[--\]--/);
    expect(hexWindow(memory, { address: 0xffffffff })).toContain('[--]');
  });
});

describe('the whole report', () => {
  it('of a block that was used after its free', () => {
    const fault = freedChain();
    const report = makeReport(fault, { pid: 0xaa0 });
    expect(report).toMatchObject({ code: 2, name: 'ACCESS_VIOLATION' });
    const { width, size } = fault.stop!;
    expect(report.sentence).toBe(
      `An access of ${width} bytes went 0 bytes into the ${size}-byte block of a chain of blocks (ndb.chain), which ltp.pc had freed, at message 0x200024.`,
    );
    expect(report.stop).toContain('VERIFIER STOP 00000002: pid 0xAA0: access violation exception');
    expect(report.query).toContain('in free-ed allocation');
    expect(report.query!.split('\n').at(-1)).toBe('    00000000 ltp.pc!free+0x00000000');
    expect(lineAt(report.allocatedAt!)).toContain('SITE_CHAIN_HANDLE');
    expect(report.freedAt).toEqual(freePlaces(0x40));
    expect(report.freedAt.length).toBeGreaterThan(1);
    expect(reportText(fault)).toContain(`\n    freed by ltp.pc, at one of ${report.freedAt.join(', ')}\n`);
    expect(report.pageheap).toBe('pstwright: page heap enabled with flags (full traces )');
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({ code: 2 });
  });

  it.each([
    ['the handle', 0, 'free(chain, FREE_CHAIN_HANDLE)'],
    ['a block', 1, 'FREE_CHAIN_BLOCK)'],
  ] as const)('of %s of a chain that was freed: the one line that freed it, and its call as a frame', (_, of, call) => {
    const core = Core.load();
    const { x } = core;
    const chain = putChain(core, [new Uint8Array(24), new Uint8Array(40)]);
    const ptr = of === 0 ? chain : x.chainPtr(chain, 1);
    x.context(0x200024);
    x.chainFree(chain);
    const fault = faultOf(() => x.crc(ptr, 0, 4));
    expect(fault.stop).toMatchObject({ kind: 'use after free', block: ptr, freeSite: 'ndb.chain' });
    const report = makeReport(fault);
    expect(report.freedAt).toHaveLength(1);
    expect(lineAt(report.freedAt[0]!)).toContain(call);
    expect(report.sentence).toContain(', which ndb.chain had freed, at message 0x200024.');
    expect(reportText(fault)).toContain(`\n    freed at ${report.freedAt[0]} (ndb.chain)\n`);
    const { offset, functionOffset } = freeFrame('core', fault.stop!.freeSiteId)!;
    const hex = (n: number): string => n.toString(16).padStart(8, '0');
    expect(functionOffset).toBeGreaterThan(0);
    expect(report.query!.split('\n').at(-1)).toBe(`    ${hex(offset)} ndb.chain!chainFree+0x${hex(functionOffset)}`);
  });

  it.each([{ mode: 'full' }, { mode: 'full', aligned: true }, { mode: 'normal' }] as const)(
    'of a second free under %o: the line of the first',
    (settings) => {
      const { x } = Core.load('core', settings);
      const chain = x.chainNew(3);
      x.chainFree(chain);
      const fault = faultOf(() => x.free(chain, 0x40));
      expect(fault.stop).toMatchObject({ kind: 'double free', freeSite: 'ndb.chain' });
      const report = makeReport(fault);
      expect(report.freedAt.map(lineAt)).toEqual([expect.stringContaining('free(chain, FREE_CHAIN_HANDLE)')]);
      expect(report.query).toMatch(/\n {4}[0-9a-f]{8} ndb\.chain!chainFree\+0x[0-9a-f]{8}$/);
    },
  );

  it('of a busy block: its allocation as a frame', () => {
    const { x } = Core.load();
    const chain = x.chainNew(3);
    const fault = faultOf(() => x.crc(chain, 0, x.sizeOf(chain) + 1));
    const { query } = makeReport(fault);
    expect(query!.split('\n').at(-1)).toMatch(/^ {4}[0-9a-f]{8} ndb\.chain!chainNew\+0x[0-9a-f]{8}$/);
    expect(query).toContain('    in busy allocation (  DPH_HEAP_BLOCK:');
    // Any address of the block, and of its closed page, leads to it.
    for (const at of [0, 15, fault.stop!.size, 511])
      expect(blockQuery(fault.scene!, chain + at)).toContain('busy allocation');
    expect(blockQuery(fault.scene!, 0x8700000)).toBe('    address 08700000 is in no block of the page heap');
  });

  it('of an underrun: its own block, not the one whose closed page was hit', () => {
    const { x } = Core.load('paranoid', { mode: 'paranoid' });
    x.chainNew(3);
    const block = x.chainNew(3);
    const fault = faultOf(() => x.crc(block, -4096, 1));
    expect(fault.stop!.kind).toBe('underrun');
    expect(makeReport(fault).query).toContain(` ${block.toString(16)} `);
  });

  it('of a trap that is none of the verifier’s', () => {
    const fault = new CoreFault(undefined, new Error('memory access out of bounds'));
    expect(makeReport(fault)).toMatchObject({ sentence: 'the core trapped: memory access out of bounds.', frames: [] });
    expect(reportText(fault)).toBe('the core trapped: memory access out of bounds.');
  });

  it('of a stop that has come without its core, as from a bundle', () => {
    const { stop } = freedChain();
    const fault = new CoreFault(stop, undefined);
    const text = reportText(fault);
    expect(text).toContain('VERIFIER STOP 00000002');
    expect(text).toContain('allocated at assembly/ndb/chain.ts:');
    expect(text).not.toContain('DPH_HEAP_ROOT');
  });

  it('keeps the core’s memory out of sight of whoever prints the error', () => {
    const fault = freedChain();
    expect(Object.keys(fault)).not.toContain('scene');
    expect(JSON.stringify(fault)).not.toContain('memory');
  });
});

describe('a fault while a value is copied', () => {
  afterAll(() => Core.substitute('core', undefined));

  it('names the property', async () => {
    const from = 'const to = part(out, size, place, padded);';
    const to = 'const to = part(out, size, place, get32(p) == 0x0c190102 ? padded + 200 : padded);';
    let isPatched = false;
    const wasm = await compile({
      target: 'core',
      entry: 'assembly/index.ts',
      patch(name, text) {
        if (!name.endsWith('ltp/pc.ts')) return text;
        isPatched = text.includes(from);
        return text.replace(from, to);
      },
    });
    expect(isPatched, 'nothing to plant the fault at').toBe(true);
    const stream = new StreamWriter()
      .set(0x0037001f, Buffer.from('subject', 'utf16le'))
      .set(0x0c190102, new Uint8Array(24).fill(7))
      .set(0x0e1d001f, Buffer.from('normalised', 'utf16le'))
      .build();
    const maker = Core.load();
    const blocks = takeChain(maker, encodePc(maker, stream, {}));
    Core.substitute('core', wasm);
    const core = Core.load();
    const chain = putChain(core, blocks);
    core.x.context(0x200024);
    const fault = faultOf(() => core.x.pcRead(chain, 1));
    expect(fault.stop).toMatchObject({ kind: 'overrun', tag: 0x0c190102, nid: 0x200024 });
    const report = makeReport(fault, { property: tagName });
    expect(report.sentence).toMatch(
      / past the end of the \d+-byte block of the property stream of a property context \(ltp\.pc\), at PidTagSenderEntryId of message 0x200024\.$/,
    );
    // A substitute has no source map: the function is known, the line is not.
    expect(report.frames[0]).toMatchObject({ module: 'ltp.pc', function: 'pcRead' });
    expect(report.frames[0]!.places).toEqual(['assembly/ltp/pc.ts']);
  }, 60_000);
});

describe('the command line', () => {
  it('says that it is our bug, prints the report, and warns of the bytes', () => {
    const text = errorText(freedChain());
    expect(text.split('\n')[0]).toBe(
      'pstwright: The verifier stopped the core. This is a bug in pstwright, not a fault of your file, which was opened for reading only.',
    );
    expect(text).toContain('which ltp.pc had freed, at message 0x200024.');
    expect(text).toContain('VERIFIER STOP 00000002: pid 0x');
    expect(text).toContain('    in free-ed allocation (  DPH_HEAP_BLOCK:');
    expect(text).toContain('stopped in ndb.chain!chainCount, assembly/ndb/chain.ts:');
    expect(text).toContain('leave them out of the report if they are private');
  });

  it('gives the same as JSON', () => {
    expect(errorJson(freedChain())).toMatchObject({
      code: 'CORE_FAULT',
      stop: { kind: 'use after free' },
      report: { code: 2, frames: [{ function: 'chainCount' }] },
    });
  });

  it('speaks the codes that are asked for', async () => {
    const chain = (): CoreFault => {
      const { x } = Core.load(undefined, { mode: 'normal' });
      const ptr = x.chainNew(3);
      x.free(ptr, 0x40);
      return faultOf(() => x.free(ptr, 0x40));
    };
    expect((await invoke('pageheap', '--stop-codes', 'classic')).code).toBe(0);
    expect(errorText(chain())).toContain('VERIFIER STOP 00000008: ');
    expect((await invoke('pageheap')).code).toBe(0);
    expect(errorText(chain())).toContain('VERIFIER STOP 00000007: ');
    const { code, err } = await invoke('pageheap', '--stop-codes', 'ancient');
    expect([code, err]).toEqual([
      3,
      "error: option '--stop-codes <era>' argument 'ancient' is invalid. It is classic or modern.\n",
    ]);
  });
});
