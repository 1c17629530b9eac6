/** The wire tables: sizes and places that MS-PST prints, and what a struct refuses. */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { PstError } from '../../src/errors.js';
import { BLOCK, wireSize } from '../../src/wire/block.js';
import { BTREE, bidKey, isInternal } from '../../src/wire/btree.js';
import { HEADER, HEADER_ANSI, ROOT, ROOT_ANSI } from '../../src/wire/header.js';
import { TCINFO } from '../../src/wire/heap.js';
import { FMAP, FPMAP, hasMap, MAP, PMAP } from '../../src/wire/map.js';
import { makeNid, NID, NID_TYPE, nidIndex, nidName, nidType, siblingNid } from '../../src/wire/nid.js';
import { PAGE } from '../../src/wire/page.js';
import { part, struct, u8, u16, u32, u64 } from '../../src/wire/struct.js';

describe('struct', () => {
  const PAIR = struct('PAIR', '9.9', 9, { a: u8, b: u64 });

  test('a wrong size stops the program', () => {
    expect(() => struct('X', '9.9', 4, { a: u8, b: u16 })).toThrow('X: fields take 3 bytes, MS-PST 9.9 says 4');
  });

  test('reads what it writes, up to the last safe number', () => {
    const view = new DataView(new ArrayBuffer(10));
    for (const b of [0, 1, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      PAIR.write(view, 1, { a: 7, b });
      expect(PAIR.read(view, 1)).toEqual({ a: 7, b });
      expect(view.getBigUint64(2, true)).toBe(BigInt(b));
    }
    expect(() => PAIR.write(view, 1, { a: 7, b: 2 ** 53 })).toThrow(/not a safe unsigned integer/);
  });

  test('absurd and truncated are damage, with field and section', () => {
    const view = new DataView(new ArrayBuffer(9));
    view.setBigUint64(1, 2n ** 53n, true);
    const stop = (body: () => unknown): PstError => {
      try {
        body();
      } catch (error) {
        return error as PstError;
      }
      throw new Error('nothing was thrown');
    };
    expect(stop(() => PAIR.read(view))).toMatchObject({
      code: 'PST_ABSURD',
      where: { field: 'PAIR.b', section: '9.9' },
    });
    const outer = struct('OUTER', '9.8', 13, { x: u32, y: part(PAIR) });
    expect(stop(() => outer.read(view))).toMatchObject({ code: 'PST_TRUNCATED' });
    expect(stop(() => PAIR.read(view, -1))).toMatchObject({ code: 'PST_TRUNCATED' });
  });
});

test('places that MS-PST prints', () => {
  expect([HEADER.at.root, HEADER.at.rgbFM, HEADER.at.rgbFP, HEADER.at.bCryptMethod]).toEqual([180, 256, 384, 513]);
  expect([HEADER.at.bidNextB, HEADER.at.dwCRCFull, HEADER.at.root + ROOT.at.BREFNBT]).toEqual([516, 524, 216]);
  expect([HEADER_ANSI.at.root, HEADER_ANSI.at.rgbFM, HEADER_ANSI.at.bCryptMethod]).toEqual([164, 204, 461]);
  expect(HEADER_ANSI.at.root + ROOT_ANSI.at.BREFBBT).toBe(192);
  expect([TCINFO.at.TCI_bm, TCINFO.at.hidRowIndex, TCINFO.at.hnidRows]).toEqual([8, 10, 14]);
});

test('capacities, ANSI, Unicode and 4K', () => {
  expect(BTREE.map((b) => [b.branchMax, b.nbtMax, b.bbtMax])).toEqual([
    [41, 31, 41],
    [20, 15, 20],
    [169, 126, 169],
  ]);
  expect(BLOCK.map((b) => [b.maxPayload, b.xblockMax, b.slMax, b.siMax])).toEqual([
    [8180, 2043, 681, 1022],
    [8176, 1021, 340, 510],
    [65_512, 8188, 2729, 4094],
  ]);
  expect(PAGE.map((p) => p.trailerAt)).toEqual([500, 496, 4072]);
  expect([wireSize(0, 1), wireSize(48, 1), wireSize(49, 1), wireSize(8176, 1), wireSize(52, 0)]).toEqual([
    64, 64, 128, 8192, 64,
  ]);
  expect([wireSize(488, 2), wireSize(489, 2), wireSize(65_512, 2)]).toEqual([512, 1024, 65_536]);
});

test('maps', () => {
  expect(MAP.map((m) => m.interval)).toEqual([253_952, 253_952, 16_678_912]);
  const place = (i: number, page: number): number => MAP[1].ibFirst + i * MAP[1].interval + page * 512;
  expect([place(FMAP.first, 2), place(FMAP.first + FMAP.every, 2)]).toEqual([0x1f04800, 0x9724800]);
  expect([place(FPMAP.first, 2), place(FPMAP.first + FPMAP.every, 2)]).toEqual([0x7c004800, 0x25c804800]);
  expect([hasMap(PMAP, 8), hasMap(PMAP, 9), hasMap(FMAP, 0), hasMap(FMAP, 128)]).toEqual([true, false, false, true]);
});

test('ids', () => {
  expect([nidType(0x122), nidIndex(0x122), nidName(0x122), nidName(0x200024)]).toEqual([
    2,
    9,
    'ROOT_FOLDER',
    'NORMAL_MESSAGE',
  ]);
  expect([nidName(0x54), nidIndex(0xffffffff), makeNid(NID_TYPE.LTP, 0x7ffffff)]).toEqual([
    'type 0x14',
    0x7ffffff,
    0xffffffff,
  ]);
  expect(siblingNid(NID.ROOT_FOLDER, NID_TYPE.HIERARCHY_TABLE)).toBe(0x12d);
  expect([bidKey(5), bidKey(2 ** 40 + 1), isInternal(6), isInternal(2 ** 40 + 2), isInternal(4)]).toEqual([
    4,
    2 ** 40,
    true,
    true,
    false,
  ]);
});

test('the core has the same tables', () => {
  execFileSync(process.execPath, ['--import', 'tsx', 'scripts/wire.ts', '--check'], { stdio: 'pipe' });
});
