/**
 * One test for every option of the page heap: what it does, and that it is not done without it. The core is the planted one, whose
 * `read8` and `write8` state their access and whose `stray8` goes past what it stated.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Core, type CoreExports } from '../../src/core/core.js';
import { CoreFault, InjectedFault, type Stop } from '../../src/core/fault.js';
import { type HeapBlock, readHeap } from '../../src/core/heapmap.js';
import { type PageHeapOptions, parsePageHeap, type RawOptions } from '../../src/core/options.js';
import { compile } from './compile.js';

interface Planted extends CoreExports {
  read8(lo: number, at: number): number;
  write8(lo: number, at: number, value: number): void;
  stray8(lo: number, size: number, at: number, value: number): void;
}

beforeAll(async () => {
  for (const target of ['core', 'paranoid'] as const) {
    Core.substitute(target, await compile({ target, entry: 'assembly/planted.ts' }));
  }
}, 120_000);

afterAll(() => {
  for (const target of ['core', 'paranoid'] as const) Core.substitute(target, undefined);
});

/** Sites of assembly/memory/site.ts. */
const STREAM = 0x42; // ltp.pc
const TABLE = 0x53; // ltp.tc
const RTF = 0x93; // rtf
const PC = 0x40; // who frees

interface Scene {
  core: Core;
  x: Planted;
}

function scene(options: PageHeapOptions | RawOptions = {}): Scene {
  const core = Core.load(undefined, 'mode' in options ? options : parsePageHeap(options as RawOptions));
  core.begin(0x200024, 0);
  return { core, x: core.x as unknown as Planted };
}

/** The stop that `run` ends in, or undefined when it passes. */
function stopOf(run: () => void): Stop | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(CoreFault);
    return (error as CoreFault).stop;
  }
}

const kindOf = (run: () => void): string | undefined => stopOf(run)?.kind;
const u32 = ({ core }: Scene, at: number): number => core.view.getUint32(at, true);
const bytes = ({ core }: Scene, at: number, n: number): number[] => [...core.u8.subarray(at, at + n)];
const fill = (byte: number, n: number): number[] => new Array<number>(n).fill(byte);
const blocks = ({ core }: Scene): readonly HeapBlock[] => readHeap(core.scene()).blocks;
const kinds = (at: Scene): string[] => [...blocks(at)].sort((a, b) => a.ordinal - b.ordinal).map(({ kind }) => kind);

describe('--pageheap normal', () => {
  const SIZE = 21;
  const normal = (): Scene & { block: number } => {
    const at = scene({ pageheap: 'normal' });
    return { ...at, block: at.x.alloc(SIZE, STREAM) };
  };

  it('stamps, header, patterns of a live block', () => {
    const at = normal();
    expect(u32(at, at.block - 32)).toBe(0xabcdaaaa);
    expect(u32(at, at.block - 24)).toBe(SIZE);
    expect(u32(at, at.block - 8)).toBe(STREAM);
    expect(u32(at, at.block - 4)).toBe(0xdcbaaaaa);
    expect(u32(at, u32(at, at.block - 28)), 'signature of the heap').toBe(0xffeeddcc);
    expect(bytes(at, at.block, SIZE)).toEqual(fill(0xe0, SIZE));
    expect(bytes(at, at.block + SIZE, 8)).toEqual(fill(0xa0, 8));
  });

  it('stamps and pattern of a freed block', () => {
    const at = normal();
    at.x.free(at.block, PC);
    expect(u32(at, at.block - 32)).toBe(0xabcdaaa9);
    expect(u32(at, at.block - 4)).toBe(0xdcbaaaa9);
    expect(bytes(at, at.block, SIZE)).toEqual(fill(0xf0, SIZE));
    expect(bytes(at, at.block + SIZE, 8)).toEqual(fill(0xa0, 8));
  });

  it('lets the access pass and finds it when the block is freed', () => {
    for (const [at, kind] of [
      [SIZE, 'suffix damage'],
      [SIZE + 7, 'suffix damage'],
      [-1, 'end stamp damage'],
      [-4, 'end stamp damage'],
      [-26, 'heap pointer damage'],
      [-32, 'start stamp damage'],
      [-22, 'slack damage'], // a size that does not agree with the other
    ] as const) {
      const { x, block } = normal();
      expect(
        kindOf(() => x.write8(block, at, 0x11)),
        `write at ${at}`,
      ).toBeUndefined();
      const stop = stopOf(() => x.free(block, PC))!;
      expect(stop.kind, `write at ${at}`).toBe(kind);
      expect(stop).toMatchObject({ block, siteId: STREAM, freeSiteId: PC, ordinal: 1, nid: 0x200024 });
      if (kind === 'suffix damage') expect(stop.address - block).toBe(at);
    }
  });

  it('lets a write behind the suffix pass altogether', () => {
    const { x, block } = normal();
    expect(kindOf(() => x.write8(block, SIZE + 8, 0x11))).toBeUndefined();
    expect(kindOf(() => x.free(block, PC))).toBeUndefined();
  });

  it('finds a write after free when the operation ends', () => {
    const { x, block } = normal();
    x.free(block, PC);
    x.write8(block, 7, 0x11);
    expect(stopOf(() => x.endOperation())).toMatchObject({
      kind: 'write after free',
      address: block + 7,
      block,
      size: SIZE,
      siteId: STREAM,
      freeSiteId: PC,
      ordinal: 1,
    });
  });

  it('finds it when the block leaves the queue, before its memory serves again', () => {
    const { x, block } = normal();
    x.free(block, PC);
    x.write8(block, 0, 0x11);
    let frees = 0;
    const stop = stopOf(() => {
      for (; frees < 10_000; frees++) x.free(x.alloc(SIZE, TABLE), PC);
    });
    expect(stop?.kind).toBe('write after free');
    expect(frees).toBe(4095);
  });

  it('finds a header damaged after free', () => {
    for (const [at, kind] of [
      [-1, 'end stamp damage'],
      [-32, 'start stamp damage'],
      [SIZE, 'suffix damage'],
    ] as const) {
      const { x, block } = normal();
      x.free(block, PC);
      x.write8(block, at, 0x11);
      expect(stopOf(() => x.endOperation())).toMatchObject({ kind, block, siteId: STREAM, freeSiteId: PC, ordinal: 1 });
    }
  });

  it('finds a double free and a free of what is no block', () => {
    const { x, block } = normal();
    x.free(block, PC);
    expect(stopOf(() => x.free(block, 0x50))).toMatchObject({
      kind: 'double free',
      block,
      siteId: STREAM,
      freeSiteId: PC,
      ordinal: 1,
    });
    const other = normal();
    expect(kindOf(() => other.x.free(other.block + 4, PC))).toBe('bad free');
  });

  it('keeps any order of blocks apart', () => {
    const at = scene({ pageheap: 'normal' });
    const live: { ptr: number; size: number; mark: number }[] = [];
    let state = 99;
    const below = (n: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 1) % n;
    for (let k = 0; k < 8000; k++) {
      if (live.length < 100 && below(5) < 3) {
        const size = 1 + below([16, 5000, 60_000, 2_000_000][below(4)]!);
        const ptr = at.x.alloc(size, STREAM);
        at.core.u8.fill(k, ptr, ptr + size);
        live.push({ ptr, size, mark: k & 255 });
      } else if (live.length > 0) {
        const [{ ptr, size, mark }] = live.splice(below(live.length), 1) as [(typeof live)[number]];
        const { u8 } = at.core;
        expect([u8[ptr], u8[ptr + size - 1], at.x.sizeOf(ptr)]).toEqual([mark, mark, size]);
        at.x.free(ptr, PC);
      }
    }
    for (const { ptr } of live) at.x.free(ptr, PC);
    expect(kindOf(() => at.x.endOperation())).toBeUndefined();
  });

  it('is not what full does: there the access itself stops', () => {
    const at = scene();
    const block = at.x.alloc(SIZE, STREAM);
    expect(stopOf(() => at.x.write8(block, SIZE, 0x11))).toMatchObject({ kind: 'overrun', address: block + SIZE });
    expect(kinds(at)).toEqual(['full']);
  });
});

describe('--pageheap paranoid', () => {
  it('stops at a byte that was never written, and the default does not', () => {
    const read = (at: Scene): (() => void) => {
      const block = at.x.alloc(40, STREAM);
      at.x.write8(block, 3, 1);
      return () => void at.x.read8(block, 4);
    };
    expect(kindOf(read(scene()))).toBeUndefined();
    expect(stopOf(read(scene({ pageheap: 'paranoid' })))).toMatchObject({ kind: 'uninitialised read', size: 40 });
  });
});

describe('--pageheap off', () => {
  it('checks nothing', () => {
    const core = Core.load(undefined, parsePageHeap({ pageheap: 'off' }));
    expect(core.build).toBe('raw');
    const block = core.x.alloc(40, STREAM);
    expect(() => core.x.crc(block, 0, 400)).not.toThrow();
  });
});

describe('what is full and what is normal', () => {
  const sizes = [1, 15, 16, 17, 99, 100, 101, 5000];
  const bySize = (options: RawOptions): string[] => {
    const at = scene(options);
    for (const size of sizes) at.x.alloc(size, STREAM);
    return kinds(at);
  };

  it('without options: all are full', () => {
    expect(new Set(bySize({}))).toEqual(new Set(['full']));
  });

  it('--size: the sizes of the range, ends included', () => {
    expect(bySize({ size: '16:100' })).toEqual(sizes.map((size) => (size >= 16 && size <= 100 ? 'full' : 'normal')));
  });

  const bySite = (options: RawOptions): string[] => {
    const at = scene(options);
    for (const site of [STREAM, TABLE, RTF, STREAM]) at.x.alloc(10, site);
    return kinds(at);
  };

  it('--decoders: those decoders', () => {
    expect(bySite({ decoders: 'ltp.pc,rtf' })).toEqual(['full', 'normal', 'full', 'full']);
    expect(bySite({ decoders: 'ltp.tc' })).toEqual(['normal', 'full', 'normal', 'normal']);
    expect(bySite({ decoders: 'check' })).toEqual(['normal', 'normal', 'normal', 'normal']);
  });

  it('--sites: those sites, ends included', () => {
    expect(bySite({ sites: `${TABLE}:${RTF}` })).toEqual(['normal', 'full', 'full', 'normal']);
    expect(bySite({ sites: `${STREAM}:${STREAM}` })).toEqual(['full', 'normal', 'normal', 'full']);
  });

  const N = 2000;
  const drawn = (random: string, seed: string, nid = 0x200024): string => {
    const at = scene({ random, seed });
    at.core.begin(nid, 0);
    for (let k = 0; k < N; k++) at.x.alloc(8, STREAM);
    return kinds(at)
      .map((kind) => kind.charAt(0))
      .join('');
  };

  it('--random: the share asked for, the same by the same seed', () => {
    for (const percent of [10, 50]) {
      const draws = drawn(String(percent), '7');
      const full = draws.split('f').length - 1;
      // Four standard deviations of N draws.
      expect(Math.abs(full / N - percent / 100)).toBeLessThan(
        4 * Math.sqrt(((percent / 100) * (1 - percent / 100)) / N),
      );
      expect(drawn(String(percent), '7')).toBe(draws);
      expect(drawn(String(percent), '8')).not.toBe(draws);
      expect(drawn(String(percent), '7', 0x200044), 'another node draws otherwise').not.toBe(draws);
    }
    expect(drawn('0', '7')).toBe('n'.repeat(N));
    expect(drawn('100', '7')).toBe('f'.repeat(N));
  });

  it('an operation decides the same alone as after others', () => {
    const at = scene({ random: '50', seed: '7' });
    for (let k = 0; k < 37; k++) at.x.free(at.x.alloc(8, STREAM), PC);
    at.core.begin(0x200044);
    const first = blocks(at).length;
    for (let k = 0; k < 200; k++) at.x.alloc(8, TABLE);
    expect(blocks(at).length).toBeGreaterThan(first);
    const decided = blocks(at)
      .filter(({ site }) => site === TABLE)
      .sort((a, b) => a.ordinal - b.ordinal)
      .map(({ kind }) => kind.charAt(0))
      .join('');
    expect(decided).toBe(drawn('50', '7', 0x200044).slice(0, 200));
  });

  it('buffers of the host are always full', () => {
    for (const options of [{ pageheap: 'normal' }, { size: '1:2' }, { random: '0' }]) {
      const at = scene(options);
      at.x.alloc(100, 0);
      expect(kinds(at)).toEqual(['full']);
    }
  });
});

describe('--backwards', () => {
  const underrun = (options: RawOptions): { stop: Stop | undefined; block: number } => {
    const { x } = scene(options);
    x.alloc(100, TABLE);
    const block = x.alloc(100, STREAM);
    return { stop: stopOf(() => x.stray8(block, 100, -1, 0x11)), block };
  };

  it('an underrun that no span states stops at once, in the paranoid build', () => {
    expect(underrun({ pageheap: 'paranoid' }).stop).toBeUndefined();
    const { stop, block } = underrun({ pageheap: 'paranoid', backwards: true });
    expect(stop).toMatchObject({ kind: 'underrun', address: block - 1, block, size: 100, siteId: STREAM });
  });

  it('blocks begin where their closed page ends; what lies behind is looked at when they are freed', () => {
    const at = scene({ backwards: true });
    const block = at.x.alloc(100, STREAM);
    expect(block % 512).toBe(0);
    expect(blocks(at)[0]).toMatchObject({ ptr: block, virtAddr: block - 512, virtSize: 1024 });
    at.x.stray8(block, 100, 100, 0x11);
    expect(stopOf(() => at.x.free(block, PC))).toMatchObject({ kind: 'suffix damage', address: block + 100 });
    const plain = scene();
    expect((plain.x.alloc(100, STREAM) + 100) % 512).toBe(0);
  });
});

describe('--aligned and --unaligned', () => {
  const SIZE = 21; // 3 bytes of pattern up to a multiple of 8

  it('header, stamps and pattern of a full block', () => {
    const at = scene({ aligned: true });
    const block = at.x.alloc(SIZE, STREAM);
    expect(block % 8).toBe(0);
    expect(u32(at, block - 32)).toBe(0xabcdbbbb);
    expect(u32(at, block - 24)).toBe(SIZE);
    expect(u32(at, block - 20)).toBe(4096);
    expect(u32(at, block - 4)).toBe(0xdcbabbbb);
    expect(bytes(at, block + SIZE, 3)).toEqual(fill(0xd0, 3));
    at.x.free(block, PC);
    expect([u32(at, block - 32), u32(at, block - 4)]).toEqual([0xabcdbbba, 0xdcbabbba]);
  });

  it('an overrun into the pattern is seen when the block is freed, one byte further at once', () => {
    const { x } = scene({ aligned: true });
    const block = x.alloc(SIZE, STREAM);
    expect(kindOf(() => x.write8(block, SIZE + 2, 0x11))).toBeUndefined();
    expect(stopOf(() => x.free(block, PC))).toMatchObject({ kind: 'suffix damage', address: block + SIZE + 2 });
    const other = scene({ aligned: true });
    const again = other.x.alloc(SIZE, STREAM);
    expect(stopOf(() => other.x.write8(again, SIZE + 3, 0x11))).toMatchObject({
      kind: 'overrun',
      address: again + SIZE + 3,
    });
  });

  it('damage to the header is seen when the block is freed', () => {
    for (const [at, kind] of [
      [-1, 'end stamp damage'],
      [-32, 'start stamp damage'],
      [-28, 'heap pointer damage'],
      [-33, 'slack damage'],
    ] as const) {
      const { x } = scene({ aligned: true });
      const block = x.alloc(SIZE, STREAM);
      x.stray8(block, SIZE, at, 0x11);
      expect(
        kindOf(() => x.free(block, PC)),
        `write at ${at}`,
      ).toBe(kind);
    }
  });

  it('--unaligned, the default: the first byte past the end stops', () => {
    for (const options of [{}, { unaligned: true }]) {
      const { x } = scene(options);
      const block = x.alloc(SIZE, STREAM);
      expect((block + SIZE) % 512).toBe(0);
      expect(stopOf(() => x.write8(block, SIZE, 0x11))).toMatchObject({ kind: 'overrun', address: block + SIZE });
    }
  });
});

describe('--fault', () => {
  /** Which of the first `n` allocations fail. */
  const failing = (fault: string | undefined, seed: string, n = 3000): number[] => {
    const { x } = scene({ ...(fault === undefined ? {} : { fault }), seed });
    const list: number[] = [];
    for (let k = 1; k <= n; k++) {
      try {
        x.free(x.alloc(8, STREAM), PC);
      } catch (error) {
        expect(error).toBeInstanceOf(InjectedFault);
        expect((error as InjectedFault).stop).toMatchObject({ kind: 'injected fault', ordinal: k, size: 8 });
        list.push(k);
      }
    }
    return list;
  };

  it('fails the share asked for, the same by the same seed', () => {
    const list = failing('500', '3');
    expect(Math.abs(list.length / 3000 - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / 3000));
    expect(failing('500', '3')).toEqual(list);
    expect(failing('500', '4')).not.toEqual(list);
  });

  it('begins after so many allocations', () => {
    expect(failing('10000:2990', '1')).toEqual([2991, 2992, 2993, 2994, 2995, 2996, 2997, 2998, 2999, 3000]);
  });

  it('fails none without the option, and never a buffer of the host', () => {
    expect(failing(undefined, '1')).toEqual([]);
    const { x } = scene({ fault: '10000' });
    expect(() => x.alloc(100, 0)).not.toThrow();
    expect(() => x.alloc(100, STREAM)).toThrow(InjectedFault);
  });
});

describe('--leaks', () => {
  it('stops at what is left when the operation ends, normal and full', () => {
    for (const options of [{ leaks: true }, { leaks: true, size: '72:72' }]) {
      const { x } = scene(options);
      x.free(x.alloc(10, TABLE), PC);
      const block = x.alloc(72, STREAM);
      expect(stopOf(() => x.endOperation())).toMatchObject({
        kind: 'leak',
        block,
        size: 72,
        siteId: STREAM,
        ordinal: 2,
      });
    }
  });

  it('says nothing when nothing is left, of buffers of the host, and without the option', () => {
    const clean = scene({ leaks: true });
    clean.x.alloc(100, 0);
    clean.x.free(clean.x.alloc(10, TABLE), PC);
    expect(kindOf(() => clean.x.endOperation())).toBeUndefined();
    for (const options of [{}, { pageheap: 'normal' }]) {
      const { x } = scene(options);
      x.alloc(72, STREAM);
      expect(kindOf(() => x.endOperation())).toBeUndefined();
    }
  });
});

describe('--protect', () => {
  const CLASSES = 0x2000;
  const LIGHT_CLASSES = 0x3000;
  const DESCRIPTOR_SIZE = 0x600000 + (0x8600000 / 512) * 32 + 16;

  it.each([
    ['class heads', CLASSES + 5],
    ['class heads of normal mode', LIGHT_CLASSES + 9],
    ['the descriptor of a block', DESCRIPTOR_SIZE],
  ])('finds a scribble upon %s at the next call', (_, target) => {
    const scribble = (options: RawOptions, next: (x: Planted, block: number) => void): string | undefined => {
      const { x } = scene(options);
      const block = x.alloc(100, STREAM);
      x.stray8(block, 100, target - block, 0x11);
      return kindOf(() => next(x, block));
    };
    expect(scribble({ protect: true }, (x) => x.alloc(5000, TABLE))).toBe('heap list damage');
    expect(scribble({ protect: true }, (x, block) => x.free(block, PC))).toBe('heap list damage');
    expect(scribble({}, (x) => x.alloc(5000, TABLE))).toBeUndefined();
  });

  it('finds nothing where nothing is', () => {
    for (const options of [{ protect: true }, { protect: true, random: '50' }, { protect: true, pageheap: 'normal' }]) {
      const { x } = scene(options);
      const live = Array.from({ length: 100 }, (_, k) => x.alloc(1 + k * 91, STREAM));
      for (const ptr of live) x.free(ptr, PC);
      expect(kindOf(() => x.endOperation())).toBeUndefined();
    }
  });
});

describe('--notraces', () => {
  const trace = (options: RawOptions) => {
    const at = scene(options);
    at.x.alloc(100, 0);
    const a = at.x.alloc(10, STREAM);
    const b = at.x.alloc(20, TABLE);
    at.x.free(a, PC);
    return { a, b, ...readHeap(at.core.scene()) };
  };

  it('the ring stays empty', () => {
    for (const options of [{ notraces: true }, { notraces: true, pageheap: 'normal' }]) {
      expect(trace(options).events).toEqual([]);
    }
  });

  it('without it: what the core took and gave back, in order', () => {
    for (const options of [{}, { pageheap: 'normal' }]) {
      const { a, b, events } = trace(options);
      expect(events).toEqual([
        { kind: 'alloc', ordinal: 1, ptr: a, size: 10, site: STREAM },
        { kind: 'alloc', ordinal: 2, ptr: b, size: 20, site: TABLE },
        { kind: 'free', ordinal: 1, ptr: a, size: 10, site: PC },
      ]);
    }
  });

  it('the ring holds the last 8192', () => {
    const at = scene();
    for (let k = 0; k < 5000; k++) at.x.free(at.x.alloc(8, STREAM), PC);
    const { events, eventsLost } = readHeap(at.core.scene());
    expect([events.length, eventsLost]).toEqual([8192, 10_000 - 8192]);
    expect(events.at(-1)).toMatchObject({ kind: 'free', ordinal: 5000 });
  });
});

describe('the heap as objects', () => {
  it('pages, blocks and what belongs together', () => {
    const at = scene({ size: '1:9999' });
    const full = at.x.alloc(5000, STREAM);
    const freed = at.x.alloc(10, TABLE);
    const normal = at.x.alloc(20_000, RTF);
    at.x.free(freed, PC);
    const { pages, blocks } = readHeap(at.core.scene());
    expect(blocks.map(({ ptr, size, site, state, kind }) => ({ ptr, size, site, state, kind }))).toEqual([
      { ptr: full, size: 5000, site: STREAM, state: 'live', kind: 'full' },
      { ptr: freed, size: 10, site: TABLE, state: 'freed', kind: 'full' },
      { ptr: normal, size: 20_000, site: RTF, state: 'live', kind: 'normal' },
    ]);
    expect(pages.slice(0, 14).map(({ state, block }) => [state, block?.ptr])).toEqual([
      ...Array.from({ length: 10 }, () => ['live', full]),
      ['guard', undefined],
      ['freed', freed],
      ['guard', undefined],
      ['arena', undefined],
    ]);
    expect(pages[0]!.at).toBe(0x8600000);
  });
});
