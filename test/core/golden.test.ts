/** The golden vectors of Pageheap.exe's placement, in the aligned layout, and its two report frames to the column. */
import { describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import type { Stop } from '../../src/core/fault.js';
import { readHeap } from '../../src/core/heapmap.js';
import { parsePageHeap } from '../../src/core/options.js';
import { frame, fullQuery, normalQuery, verifierStop } from '../../src/core/report.js';

/** Published outputs of `!heap -p -a`: user size, user address, page base, reserved size, bytes of D0. */
const VECTORS = [
  ['x86', 0x20c, 0x7125df0, 0x7125000, 0x2000, 4],
  ['x86', 0x40, 0x7fd0fc0, 0x7fd0000, 0x2000, 0],
  ['x86', 0x19, 0x22870fe0, 0x22870000, 0x2000, 7],
  ['x86', 0x4c, 0x6a20fb0, 0x6a20000, 0x2000, 4],
  ['x86', 0x40, 0x2f448fc0, 0x2f448000, 0x2000, 0],
  ['x86', 0x6c, 0xf77af90, 0xf77a000, 0x2000, 4],
  ['x86', 0xc48, 0x57ae3b8, 0x57ae000, 0x2000, 0],
  ['x64', 0x4010, 0x21cc85a7ff0, 0x21cc85a7000, 0x6000, 0],
] as const;

/** The rule they all obey: header and alignment of the machine, then a closed page. */
function rule(machine: 'x86' | 'x64', size: number) {
  const [align, header] = machine === 'x86' ? [8, 0x20] : [16, 0x40];
  const up = (n: number, to: number): number => Math.ceil(n / to) * to;
  const access = up(size + header, 0x1000);
  return { virtSize: access + 0x1000, user: access - up(size, align), suffix: up(size, align) - size };
}

describe('placement', () => {
  it.each(VECTORS)('%s, %i bytes: the rule', (machine, size, user, base, virtSize, suffix) => {
    expect(rule(machine, size)).toEqual({ virtSize, user: user - base, suffix });
  });

  it.each(VECTORS.filter(([machine]) => machine === 'x86'))(
    '%s, %i bytes: the allocator',
    (_, size, user, base, virtSize, suffix) => {
      const core = Core.load(undefined, parsePageHeap({ aligned: true }));
      const ptr = core.x.alloc(size, 0x42);
      const block = readHeap(core.scene()).blocks.find((known) => known.ptr === ptr)!;
      expect(ptr - block.virtAddr).toBe(user - base);
      expect(block).toMatchObject({ size, virtSize });
      const page = (ptr + size + 0xfff) & ~0xfff;
      const behind = core.u8.subarray(ptr + size, page);
      expect([...behind]).toEqual(new Array(suffix).fill(0xd0));
      // The page behind is closed.
      expect(() => core.x.crc(ptr, 0, page - ptr + 1)).toThrow(/overrun/);
    },
  );

  it('a block of 0x100 bytes whose page ends at 00c87000 starts at 00c86f00', () => {
    const core = Core.load(undefined, parsePageHeap({ aligned: true }));
    expect(core.x.alloc(0x100, 0x42) & 0xfff).toBe(0xf00);
  });
});

const block = {
  node: 0x227a13a8,
  ptr: 0x22870fe0,
  size: 0x19,
  virtAddr: 0x22870000,
  virtSize: 0x2000,
  state: 'live',
} as const;

describe('!heap -p -a', () => {
  const frames = [
    { module: 'ltp.pc', function: 'pcRead', offset: 0x1a2b, functionOffset: 0x8f, places: [] },
    { module: 'ndb.block', function: 'blockLoad', offset: 0x40, functionOffset: 7, places: [] },
  ];

  it('a busy block: the third golden vector', () => {
    const text = fullQuery(0x22870ffd, 0x61000, block, frames);
    expect(text).toBe(
      [
        '    address 22870ffd found in',
        '    _DPH_HEAP_ROOT @ 61000',
        '    in busy allocation (  DPH_HEAP_BLOCK:         UserAddr         UserSize -         VirtAddr         VirtSize)',
        '                                227a13a8:         22870fe0               19 -         22870000             2000',
        '    00001a2b ltp.pc!pcRead+0x0000008f',
        '    00000040 ndb.block!blockLoad+0x00000007',
      ].join('\n'),
    );
    const lines = text.split('\n');
    expect([lines[2]!.length, lines[3]!.length]).toEqual([112, 111]);
    expect([lines[2]!.indexOf(':'), lines[3]!.indexOf(':')]).toEqual([40, 40]); // column 41
  });

  it('a freed block', () => {
    const text = fullQuery(0x22870ffd, 0x61000, { ...block, state: 'freed' }, frames.slice(0, 1));
    expect(text).toBe(
      [
        '    address 22870ffd found in',
        '    _DPH_HEAP_ROOT @ 61000',
        '    in free-ed allocation (  DPH_HEAP_BLOCK:         VirtAddr         VirtSize)',
        '                                   227a13a8:         22870000             2000',
        '    00001a2b ltp.pc!pcRead+0x0000008f',
      ].join('\n'),
    );
    const lines = text.split('\n');
    expect([lines[2]!.indexOf(':'), lines[3]!.indexOf(':')]).toEqual([43, 43]); // column 44
  });

  it('blocks of normal mode', () => {
    const normal = { node: 0x1200000, ptr: 0x1200020, size: 0x10, virtAddr: 0x1200000, virtSize: 64 };
    expect(
      normalQuery(0x1200020, 0x3800, { ...normal, state: 'freed' }, [])
        .split('\n')
        .slice(1),
    ).toEqual([
      '    _HEAP @ 3800',
      '      HEAP_ENTRY: Size : Prev Flags - UserPtr UserSize - state',
      '        1200000: 0008 : N/A  [N/A] - 1200020 (10) - (free DelayedFree)',
    ]);
    expect(normalQuery(0x1200020, 0x3800, { ...normal, state: 'live' }, [])).toContain('- 1200020 (10) - (busy)');
  });
});

describe('VERIFIER STOP', () => {
  it('the sample of the GFlags reference', () => {
    expect(
      frame(8, 'corrupted suffix pattern', 0xaa0, [
        [0x00c81000, 'Heap handle'],
        [0x00d81eb0, 'Heap block'],
        [0x00000100, 'Block size'],
        [0, ''],
      ]),
    ).toBe(
      [
        '===========================================================',
        'VERIFIER STOP 00000008: pid 0xAA0: corrupted suffix pattern',
        '',
        '        00C81000 : Heap handle',
        '        00D81EB0 : Heap block',
        '        00000100 : Block size',
        '        00000000 :',
        '===========================================================',
      ].join('\n'),
    );
  });

  const stop = (kind: Stop['kind']): Stop => ({
    kind,
    address: 0x1201ff5,
    width: 1,
    block: 0x1201fe0,
    size: 0x15,
    site: 'the property stream of a property context',
    siteId: 0x42,
    freeSite: 'ltp.pc',
    freeSiteId: 0x40,
    decoder: 'ltp.pc',
    ordinal: 12,
    nid: 0x200024,
    tag: 0x0c19_0102,
    operation: 3,
  });

  it.each([
    ['suffix damage', '00000008', '0000000F', 'corrupted suffix pattern'],
    ['start stamp damage', '00000008', '00000010', 'corrupted start stamp'],
    ['end stamp damage', '00000008', '00000011', 'corrupted end stamp'],
    ['slack damage', '00000008', '00000012', 'corrupted prefix pattern'],
    ['write after free', '00000008', '0000000E', 'corrupted infix pattern for freed block'],
    ['double free', '00000008', '00000007', 'block already freed'],
    ['bad free', '00000008', '00000008', 'generic corruption'],
    ['heap pointer damage', '00000006', '00000006', 'corrupted heap pointer or using wrong heap'],
    ['overrun', '00000002', '00000002', 'access violation exception'],
    ['underrun', '00000002', '00000002', 'access violation exception'],
    ['use after free', '00000002', '00000002', 'access violation exception'],
    ['wild access', '00000002', '00000002', 'access violation exception'],
    ['null access', '00000002', '00000002', 'access violation exception'],
    ['extreme size', '00000004', '00000004', 'extreme size request'],
    ['heap list damage', '00000014', '00000014', 'corrupted heap list'],
    ['leak', '00000900', '00000900', 'a heap allocation was leaked'],
    ['uninitialised read', '00000001', '00000001', 'unknown'],
  ] as const)('%s: classic %s, modern %s', (kind, classic, modern, text) => {
    for (const [codes, code] of [
      ['classic', classic],
      ['modern', modern],
    ] as const) {
      const lines = verifierStop(stop(kind), { codes, pid: 0xaa0 }).split('\n');
      expect(lines).toHaveLength(8);
      expect(lines[0]).toBe('='.repeat(59));
      expect(lines[1]).toBe(`VERIFIER STOP ${code}: pid 0xAA0: ${text}`);
      expect(lines[2]).toBe('');
      for (const line of lines.slice(3, 7)) expect(line).toMatch(/^ {8}[0-9A-F]{8} :(?: \S.*)?$/);
      expect(lines[7]).toBe('='.repeat(59));
    }
  });

  it('the parameters of a block stop and of an access violation', () => {
    expect(verifierStop(stop('suffix damage'), { pid: 1 }).split('\n').slice(3, 7)).toEqual([
      '        00003800 : Heap handle',
      '        01201FE0 : Heap block',
      '        00000015 : Block size',
      '        00000000 :',
    ]);
    expect(verifierStop(stop('overrun'), { pid: 1, codeAddress: 0x1a2b }).split('\n').slice(3, 7)).toEqual([
      '        01201FF5 : Invalid address causing the exception',
      '        00001A2B : Code address executing the invalid access',
      '        00001000 : Exception record',
      '        00000000 : Context record',
    ]);
  });
});
