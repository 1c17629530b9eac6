/**
 * The verifier, verified: one planted crime after the other, by a module compiled with the flags of the builds that ship.
 * The default and the paranoid build stop each at the right byte; the raw build runs on, and where that hits a neighbour
 * the neighbour has changed.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { CoreExports } from '../../src/core/core.js';
import { CoreFault, readStop, type Stop } from '../../src/core/fault.js';
import { siteName } from '../../src/core/site.js';
import { compile } from './compile.js';

interface Planted extends CoreExports {
  read8(lo: number, at: number): number;
  write8(lo: number, at: number, value: number): void;
  read64(lo: number, at: number): number;
  write64(lo: number, at: number, value: number): void;
  stray8(lo: number, size: number, at: number, value: number): void;
}

type Build = 'core' | 'paranoid' | 'raw';

const BUILDS: readonly Build[] = ['core', 'paranoid', 'raw'];
const modules = new Map<Build, WebAssembly.Module>();

/** Allocation sites of assembly/memory/site.ts: the block of the crime, and who frees. */
const SITE_STREAM = 0x42;
const SITE_TABLE = 0x53;

beforeAll(async () => {
  for (const target of BUILDS) {
    modules.set(target, new WebAssembly.Module(await compile({ target, entry: 'assembly/planted.ts' })));
  }
}, 120_000);

interface Scene {
  x: Planted;
  memory: WebAssembly.Memory;
  /** The block of 100 bytes the crime is done to, and one of the same size taken right after. */
  block: number;
  neighbour: number;
}

const SIZE = 100;

function scene(build: Build): Scene {
  const memory = new WebAssembly.Memory({ initial: 2400, maximum: 32768 });
  const { exports } = new WebAssembly.Instance(modules.get(build)!, { env: { memory } });
  const x = exports as unknown as Planted;
  x.init();
  const block = x.alloc(SIZE, SITE_STREAM);
  const neighbour = x.alloc(SIZE, SITE_TABLE);
  for (let at = 0; at < SIZE; at++) {
    x.write8(block, at, 0x11);
    x.write8(neighbour, at, 0x22);
  }
  x.context(0x200024);
  return { x, memory, block, neighbour };
}

/** The stop and its sentence, or undefined when the crime passed. */
function commit(at: Scene, crime: (scene: Scene) => void): { stop: Stop; sentence: string } | undefined {
  try {
    crime(at);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(WebAssembly.RuntimeError);
    const stop = readStop(at.memory.buffer);
    expect(stop, 'a stop of ours, not a trap of the machine').toBeDefined();
    return { stop: stop!, sentence: new CoreFault(stop, error).message };
  }
}

const bytes = ({ memory }: Scene, at: number, n: number): number[] => [...new Uint8Array(memory.buffer, at, n)];

interface Crime {
  name: string;
  run(scene: Scene): void;
  kind: Stop['kind'];
  /** First refused byte: distance from the start of the block, or an absolute address when the block is not meant. */
  at: number;
  width: number;
  says: string;
  /** A stop that knows no block. */
  nowhere?: true;
  freed?: true;
}

const end = `100-byte block of ${siteName(SITE_STREAM)}`;

const CRIMES: readonly Crime[] = [
  {
    name: 'overrun by 1',
    run: ({ x, block }) => x.write8(block, SIZE, 0xee),
    kind: 'overrun',
    at: SIZE,
    width: 1,
    says: `0 bytes past the end of the ${end}`,
  },
  {
    name: 'overrun by 8',
    run: ({ x, block }) => x.write64(block, SIZE, 0xee),
    kind: 'overrun',
    at: SIZE,
    width: 8,
    says: `0 bytes past the end of the ${end}`,
  },
  {
    name: 'overrun by 8, 3 bytes behind the end',
    run: ({ x, block }) => x.write64(block, SIZE + 3, 0xee),
    kind: 'overrun',
    at: SIZE + 3,
    width: 8,
    says: `3 bytes past the end of the ${end}`,
  },
  {
    name: 'an access that straddles the end',
    run: ({ x, block }) => x.write64(block, SIZE - 4, 0xee),
    kind: 'overrun',
    at: SIZE,
    width: 8,
    says: `0 bytes past the end of the ${end}`,
  },
  {
    name: 'overrun by 1, read',
    run: ({ x, block }) => void x.read8(block, SIZE),
    kind: 'overrun',
    at: SIZE,
    width: 1,
    says: `0 bytes past the end of the ${end}`,
  },
  {
    name: 'underrun by 1',
    run: ({ x, block }) => x.write8(block, -1, 0xee),
    kind: 'underrun',
    at: -1,
    width: 1,
    says: `1 byte before the ${end}`,
  },
  {
    name: 'underrun by 8',
    run: ({ x, block }) => x.write64(block, -8, 0xee),
    kind: 'underrun',
    at: -8,
    width: 8,
    says: `8 bytes before the ${end}`,
  },
  {
    name: 'use after free',
    run: ({ x, block }) => {
      x.free(block, SITE_TABLE);
      x.write8(block, 42, 0xee);
    },
    kind: 'use after free',
    at: 42,
    width: 1,
    says: `42 bytes into the ${end}`,
    freed: true,
  },
  {
    name: 'double free',
    run: ({ x, block }) => {
      x.free(block, SITE_TABLE);
      x.free(block, SITE_TABLE);
    },
    kind: 'double free',
    at: 0,
    width: 0,
    says: `0 bytes into the ${end}`,
    freed: true,
  },
  {
    name: 'bad free, inside a block',
    run: ({ x, block }) => x.free(block + 16, SITE_TABLE),
    kind: 'bad free',
    at: 16,
    width: 0,
    says: `16 bytes into the ${end}`,
  },
  {
    name: 'a pointer into a block taken for its start',
    run: ({ x, block }) => x.write8(block + 4, 3, 0xee),
    kind: 'wild access',
    at: 7,
    width: 1,
    says: `7 bytes into the ${end}`,
  },
  {
    name: 'wild, in a part of the pool never given out',
    run: ({ x }) => x.write8(0x2000000, 0, 0xee),
    kind: 'wild access',
    at: 0x2000000,
    width: 1,
    says: 'wild access at 0x2000000, in no block',
    nowhere: true,
  },
  {
    name: 'wild, among the tables below the pool',
    run: ({ x }) => x.write8(0x14000, 5, 0xee),
    kind: 'wild access',
    at: 0x14005,
    width: 1,
    says: 'wild access at 0x14005, in no block',
    nowhere: true,
  },
  {
    name: 'null',
    run: ({ x }) => x.write8(0, 12, 0xee),
    kind: 'null access',
    at: 12,
    width: 1,
    says: 'null access at 0xc, in no block',
    nowhere: true,
  },
  {
    name: 'slack scribble, found when the block is freed',
    run: ({ x, block }) => {
      x.stray8(block, SIZE, -5, 0xee);
      x.free(block, SITE_TABLE);
    },
    kind: 'slack damage',
    at: -5,
    width: 1,
    says: `5 bytes before the ${end}`,
  },
];

describe.each(['core', 'paranoid'] as const)('the %s build stops', (build) => {
  it.each(CRIMES)('$name', (crime) => {
    const at = scene(build);
    const found = commit(at, crime.run);
    expect(found, 'the crime passed').toBeDefined();
    const { stop, sentence } = found!;
    const base = crime.nowhere ? 0 : at.block;
    expect(stop).toMatchObject({
      kind: crime.kind,
      address: base + crime.at,
      width: crime.width,
      block: base,
      size: crime.nowhere ? 0 : SIZE,
      site: siteName(crime.nowhere ? 0 : SITE_STREAM),
      freeSite: crime.freed ? 'ltp.tc' : 'the host',
      ordinal: crime.nowhere ? 0 : 1,
      nid: 0x200024,
      tag: 0,
      operation: 1,
    });
    expect(sentence).toContain(`verifier stop: ${crime.kind} at 0x${(base + crime.at).toString(16)}, `);
    expect(sentence).toContain(crime.says);
    expect(sentence).toContain('node 0x200024');
    expect(bytes(at, at.neighbour, SIZE), 'the neighbour').toEqual(new Array(SIZE).fill(0x22));
  });

  it('an access above 2 GB', () => {
    const { stop } = commit(scene(build), ({ x }) => x.write8(0x90000000, 0, 1))!;
    expect([stop.kind, stop.address]).toEqual(['wild access', 0x90000000]);
  });

  it('a free above 2 GB, of null and of a page that never was', () => {
    for (const [ptr, kind] of [
      [0x90000000, 'wild access'],
      [0, 'null access'],
      [0x2000000, 'bad free'],
      [0x14000, 'bad free'],
    ] as const) {
      const { stop } = commit(scene(build), ({ x }) => x.free(ptr, SITE_TABLE))!;
      expect([stop.kind, stop.address]).toEqual([kind, ptr]);
    }
  });

  it('a request of 0 bytes, and one past any memory', () => {
    for (const size of [0, 0x7ff00001, 0xffffffff]) {
      const { stop } = commit(scene(build), ({ x }) => void x.alloc(size, SITE_TABLE))!;
      expect([stop.kind, stop.size]).toEqual(['extreme size', size]);
    }
  });

  it('and lets the last byte, the first byte and an empty span at the end be', () => {
    const at = scene(build);
    const passed = commit(at, ({ x, block }) => {
      x.write8(block, 0, 1);
      x.write8(block, SIZE - 1, 2);
      x.write64(block, SIZE - 8, 3);
      x.crc(block, SIZE, 0);
      x.free(block, SITE_TABLE);
      x.free(at.neighbour, SITE_TABLE);
    });
    expect(passed).toBeUndefined();
    expect(at.x.pagesLive()).toBe(0);
  });
});

describe('the paranoid build alone stops', () => {
  it('a byte read before anything wrote it', () => {
    const crime = ({ x }: Scene): void => {
      const fresh = x.alloc(24, SITE_STREAM);
      x.write64(fresh, 8, 0);
      x.read8(fresh, 15);
      x.read8(fresh, 16);
    };
    expect(commit(scene('core'), crime)).toBeUndefined();
    const { stop } = commit(scene('paranoid'), crime)!;
    expect([stop.kind, stop.address - stop.block, stop.size]).toEqual(['uninitialised read', 16, 24]);
  });

  it('a byte written past a right span, at the guard page', () => {
    const past = (s: Scene): void => s.x.stray8(s.block, SIZE, SIZE + 2, 0xee);
    expect(commit(scene('core'), past)).toBeUndefined();
    const at = scene('paranoid');
    const { stop } = commit(at, past)!;
    expect([stop.kind, stop.address, stop.block, stop.size]).toEqual(['overrun', at.block + SIZE + 2, at.block, SIZE]);
  });
});

describe('the raw build', () => {
  it.each(CRIMES)('lets pass: $name', (crime) => {
    expect(commit(scene('raw'), crime.run)).toBeUndefined();
  });

  it('an overrun falls upon the neighbour', () => {
    const at = scene('raw');
    expect(commit(at, ({ x, block, neighbour }) => x.write64(block, neighbour - block, 0xee))).toBeUndefined();
    expect(bytes(at, at.neighbour, 10)).toEqual([...new Array(8).fill(0xee), 0x22, 0x22]);
  });

  it('an overrun by 1 of a block that fills its cell makes the neighbour another size', () => {
    const { x } = scene('raw');
    const block = x.alloc(112, SITE_STREAM); // 128 with the 16 bytes in front
    const neighbour = x.alloc(112, SITE_STREAM);
    x.write8(block, 112, 0xee);
    expect(x.sizeOf(neighbour)).toBe(0xee);
  });

  it('an underrun falls upon the block before', () => {
    const at = scene('raw');
    expect(
      commit(at, ({ x, block, neighbour }) => x.write8(neighbour, block + SIZE - 1 - neighbour, 0xee)),
    ).toBeUndefined();
    expect(bytes(at, at.block + SIZE - 2, 2)).toEqual([0x11, 0xee]);
  });

  it('a write after free changes the block of whoever came next', () => {
    const at = scene('raw');
    at.x.free(at.block, SITE_TABLE);
    const next = at.x.alloc(SIZE, SITE_TABLE);
    expect(next).toBe(at.block);
    at.x.write8(next, 42, 0x33);
    at.x.write8(at.block, 42, 0xee);
    expect(at.x.read8(next, 42)).toBe(0xee);
  });

  it('a double free gives one block to two', () => {
    const { x, block } = scene('raw');
    x.free(block, SITE_TABLE);
    x.free(block, SITE_TABLE);
    expect(x.alloc(SIZE, SITE_TABLE)).toBe(x.alloc(SIZE, SITE_TABLE));
  });

  it('a wild write lands among the tables: every CRC is wrong from then on', () => {
    const { x, block } = scene('raw');
    const before = x.crc(block, 0, SIZE);
    for (let at = 0; at < 0x400; at++) x.write8(0x10000 + at, 0, 0xee);
    expect(x.crc(block, 0, SIZE)).not.toBe(before);
  });
});
