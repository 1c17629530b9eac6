/** The border: what the core imports and exports, that builds agree and repeat, and that faults become errors with words. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Core, type CoreBuild } from '../../src/core/core.js';
import { DAMAGES } from '../../src/core/damage.js';
import { CoreFault, STOP_KINDS } from '../../src/core/fault.js';
import { decoderOf, freerName, isOneCall, SITE_COUNT, siteName } from '../../src/core/site.js';
import { PstError } from '../../src/errors.js';
import { compile } from './compile.js';

const BUILDS: readonly CoreBuild[] = ['core', 'raw', 'paranoid', 'debug'];
const file = (build: CoreBuild): string => `build/core${build === 'core' ? '' : `.${build}`}.wasm`;
const built = (build: CoreBuild): WebAssembly.Module => new WebAssembly.Module(readFileSync(file(build)));
const source = (name: string): string => readFileSync(`assembly/${name}.ts`, 'utf8');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** `export const NAME: u32 = 7;` by name. */
const constants = (text: string): Map<string, number> =>
  new Map(
    [...text.matchAll(/export const (\w+): u32 = (\d+|0x[0-9a-f]+);/g)].map(([, name, value]) => [
      name!,
      Number(value),
    ]),
  );

describe('the builds', () => {
  it.each(BUILDS)('%s imports its memory and nothing else', (build) => {
    expect(WebAssembly.Module.imports(built(build))).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
  });

  it('watch, which no run of ours but a replay under observation loads, imports the function it tells of accesses', () => {
    expect(WebAssembly.Module.imports(built('watch'))).toEqual([
      { module: 'access', name: 'told', kind: 'function' },
      { module: 'env', name: 'memory', kind: 'memory' },
    ]);
    const names = (build: CoreBuild): string[] => WebAssembly.Module.exports(built(build)).map(({ name }) => name);
    expect(names('watch')).toEqual(names('core'));
  });

  it('export the same', () => {
    const names = BUILDS.map((build) =>
      WebAssembly.Module.exports(built(build))
        .map(({ name, kind }) => `${kind} ${name}`)
        .sort(),
    );
    for (const other of names) expect(other).toEqual(names[0]);
  });

  it('export what the border declares, and the border declares what they export', () => {
    const text = readFileSync('src/core/core.ts', 'utf8');
    const body = /export interface CoreExports \{([\s\S]*?)\n\}/.exec(text)![1]!;
    const declared = [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name!).sort();
    const functions = WebAssembly.Module.exports(built('core')).filter(({ kind }) => kind === 'function');
    expect(functions.map(({ name }) => name).sort()).toEqual(declared);
  });

  it.each(['core', 'raw', 'paranoid'] as const)(
    '%s is what the sources compile to, byte for byte',
    async (target) => {
      const again = await compile({ target, entry: 'assembly/index.ts' });
      expect(sha256(again), 'run `npm run build:core` after a change in assembly/').toBe(
        sha256(readFileSync(file(target))),
      );
    },
    60_000,
  );

  it('planted crimes are in none of them', () => {
    for (const build of BUILDS) {
      expect(WebAssembly.Module.exports(built(build)).some(({ name }) => /write8|stray/.test(name))).toBe(false);
    }
  });
});

describe('the words', () => {
  it('every damage code of the core has an error code and a sentence', () => {
    const codes = [...constants(source('damage'))];
    expect(codes.length).toBeGreaterThan(30);
    for (const [name, code] of codes) {
      expect(DAMAGES[code], name).toBeDefined();
      expect(DAMAGES[code]!.say(1, 2).length, name).toBeGreaterThan(5);
    }
    expect(
      Object.keys(DAMAGES)
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(codes.map(([, code]) => code).sort((a, b) => a - b));
  });

  it('every kind of stop and every site has a name', () => {
    const kinds = [...constants(source('memory/stop')).values()];
    expect(kinds).toEqual(STOP_KINDS.slice(1).map((_, k) => k + 1));
    const all = [...constants(source('memory/site'))];
    const of = (kind: string): number[] => all.filter(([name]) => name.startsWith(kind)).map(([, site]) => site);
    const [sites, frees] = [of('SITE_'), of('FREE_')];
    expect(sites.length + frees.length).toBe(all.length);
    expect(new Set(sites).size).toBe(sites.length);
    expect(new Set(frees).size).toBe(frees.length);
    for (const site of frees) {
      expect(freerName(site), `free ${site}`).toBe(decoderOf(site));
      expect(isOneCall(site), `free ${site}`).toBe(true);
    }
    for (const site of sites) {
      expect(site).toBeLessThan(SITE_COUNT);
      // Place 0 is the decoder itself.
      if (site % 16 !== 0) expect(siteName(site), `site ${site}`).not.toBe(decoderOf(site));
    }
  });
});

describe('a trap', () => {
  it('of the verifier is a CoreFault with the stop', () => {
    const core = Core.load();
    const ptr = core.put(new Uint8Array(24));
    core.x.context(0x200024);
    try {
      core.x.crc(ptr, 20, 7);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(CoreFault);
      const { stop, message } = error as CoreFault;
      expect(stop).toMatchObject({ kind: 'overrun', block: ptr, size: 24, address: ptr + 24, nid: 0x200024 });
      expect(message).toBe(
        `verifier stop: overrun at 0x${(ptr + 24).toString(16)}, 0 bytes past the end of the 24-byte block of the host, node 0x200024`,
      );
    }
  });

  it('for want of memory is the file asking too much: PST_LIMIT', () => {
    const core = Core.load();
    for (const size of [0x7ff00001, 0x7fe00000, 0x7ff00000]) {
      expect(() => core.x.alloc(size, 0)).toThrow(PstError);
      expect(() => core.x.alloc(size, 0)).toThrow(expect.objectContaining({ code: 'PST_LIMIT' }));
    }
    // What fits still works, and what was there is unharmed.
    core.x.free(core.x.alloc(100, 0), 0);
    expect(core.x.pagesLive()).toBe(0);
  });
});

describe('the page heap at the host', () => {
  it('gives exact sizes, right-aligned to the page', () => {
    const core = Core.load();
    for (const size of [1, 15, 16, 17, 4095, 4096, 4097, 8176, 65512, 131072, 131073, 200_000, 1 << 20]) {
      const ptr = core.x.alloc(size, 0);
      expect((ptr + size) % 512).toBe(0);
      expect(core.x.sizeOf(ptr)).toBe(size);
      core.x.free(ptr, 0);
    }
    expect(core.x.pagesLive()).toBe(0);
  });

  it('keeps freed pages closed for a while, then serves them again: memory does not grow without end', () => {
    const core = Core.load();
    const first = core.x.alloc(8176, 0);
    core.x.free(first, 0);
    const again: number[] = [];
    for (let k = 0; k < 3000; k++) {
      const ptr = core.x.alloc(8176, 0);
      again.push(ptr);
      core.x.free(ptr, 0);
    }
    expect(again.indexOf(first)).toBeGreaterThan(60); // 64 blocks of quarantine
    const grown = core.u8.length;
    for (let k = 0; k < 50_000; k++) core.x.free(core.x.alloc(1 + ((k * 37) % 8176), 0), 0);
    expect(core.u8.length).toBe(grown);
  });

  it('survives any order of sizes and frees, with no two live blocks touching', () => {
    const core = Core.load('paranoid');
    const live: { ptr: number; size: number; mark: number }[] = [];
    let state = 12345;
    const below = (n: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 1) % n;
    for (let k = 0; k < 20_000; k++) {
      if (live.length < 200 && below(5) < 3) {
        const size = 1 + below([16, 5000, 9000, 300_000][below(4)]!);
        const ptr = core.x.alloc(size, 0);
        core.u8.fill(k, ptr, ptr + size);
        live.push({ ptr, size, mark: k & 255 });
      } else if (live.length > 0) {
        const [{ ptr, size, mark }] = live.splice(below(live.length), 1) as [(typeof live)[number]];
        const { u8 } = core;
        if (u8[ptr] !== mark || u8[ptr + size - 1] !== mark || u8[ptr + (size >> 1)] !== mark)
          expect.fail(`block ${k} has changed`);
        core.x.free(ptr, 0);
      }
    }
    for (const { ptr } of live) core.x.free(ptr, 0);
    expect(core.x.pagesLive()).toBe(0);
  });

  it('a new instance holds nothing of the one before', () => {
    const secret = Uint8Array.from({ length: 64 }, (_, k) => 0xc0 + (k % 13));
    const first = Core.load();
    const ptr = first.put(secret);
    const second = Core.load();
    expect(Buffer.from(second.u8.buffer).indexOf(secret)).toBe(-1);
    expect(Buffer.from(first.u8.buffer).indexOf(secret)).toBe(ptr);
  });
});

it('assembly/wire.ts is what the wire tables print', () => {
  expect(readdirSync('assembly')).toContain('wire.ts');
  expect(source('wire').startsWith('// Generated from src/wire by scripts/wire.ts.')).toBe(true);
});
