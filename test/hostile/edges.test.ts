/**
 * The edges: the largest numbers a file can name, files that change while they are read, and stores with next to nothing in them.
 */
import { describe, expect, it } from 'vitest';
import { PstError, UsageError } from '../../src/errors.js';
import type { Source } from '../../src/host/source.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { cloneStore } from '../../src/migrate/clone.js';
import { HEADER } from '../../src/wire/header.js';
import { ANSI, UNICODE, UNICODE_4K } from '../../src/wire/variant.js';
import { MemoryFile } from '../memory-file.js';
import { crc, sealHeader } from '../ndb/forge.js';
import { attack, message, Smith, text } from './smith.js';

describe('numbers at the end of numbers', () => {
  const body = (smith: Smith): number => smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')));
  const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  it.each([2 ** 53 - 8, 2 ** 53 - 4, 2 ** 52])('counters of the header: BIDs from %d', (next) => {
    const smith = new Smith();
    const nodes = Array.from({ length: 20 }, (_, k) => ({
      nid: message(k),
      bidData: body(smith),
      bidSub: 0,
      nidParent: 0x122,
    }));
    const bytes = smith.store(nodes);
    HEADER.write(view(bytes), 0, {
      ...HEADER.read(view(bytes)),
      bidNextB: next,
      bidNextP: Number.MAX_SAFE_INTEGER,
      dwUnique: 0xffffffff,
      rgnid: new Uint32Array(32).fill(0xffffffff),
    });
    sealHeader(bytes, UNICODE);
    attack('counters', bytes);
  });

  it.each([2 ** 53 - 4, 2 ** 53, 2 ** 60, 2 ** 64 - 2 ** 32])('a block whose BID is %d', (bid) => {
    const smith = new Smith();
    const stand = 2 ** 40; // takes its place until all is built
    const payload = new Uint8Array(100).fill(1);
    smith.forge.block(stand, payload);
    const { ib } = smith.forge.blocks[0]!;
    const bytes = smith.store([{ nid: message(0), bidData: stand, bidSub: 0, nidParent: 0x122 }]);
    const put = (at: number): void => view(bytes).setBigUint64(at, BigInt(bid), true);
    smith.forge.bytes = new Uint8Array(bytes);
    smith.forge.trailer(ib, bid % 2 ** 32, 100);
    bytes.set(smith.forge.bytes.subarray(ib, ib + 128), ib);
    put(ib + 128 - 8);
    for (let page = 0x4800; page + 512 <= bytes.length; page += 512) {
      const ptype = bytes[page + 496]!;
      if ((ptype !== 0x80 && ptype !== 0x81) || bytes[page + 497] !== ptype) continue;
      for (let at = page; at < page + 488; at += 8) {
        if (view(bytes).getBigUint64(at, true) === BigInt(stand)) put(at);
      }
      view(bytes).setUint32(page + 500, crc(bytes.subarray(page, page + 496)), true);
    }
    const { outcomes } = attack('BID', bytes);
    expect(outcomes.clone).toBe(bid <= Number.MAX_SAFE_INTEGER ? 'PST_LIMIT' : 'PST_ABSURD');
  });

  it('nodes and subnodes with the first and the last NIDs', () => {
    const smith = new Smith();
    const bidData = body(smith);
    const bidSub = smith.sub([0, 1, 0x1f, 0xffffffe0, 0xffffffff].map((nid) => ({ nid, bidData, bidSub: 0 })));
    const nids = [0, 1, 2, 0x1f, 0xffffffe2, 0xffffffe4, 0xffffffff];
    const { outcomes } = attack(
      'NIDs',
      smith.store(nids.map((nid) => ({ nid, bidData, bidSub, nidParent: 0xffffffff }))),
    );
    expect(outcomes).toMatchObject({ clone: 'ok', 're-encode': 'ok' });
  });
});

describe('a file that changes while it is read', () => {
  const smith = new Smith();
  const nodes = Array.from({ length: 40 }, (_, k) => ({
    nid: message(k),
    bidData: smith.pc(
      new StreamWriter().set(0x001a001f, text('IPM.Note')).set(0x0037001f, text(`subject ${k}`.repeat(90))),
    ),
    bidSub: 0,
    nidParent: 0x122,
  }));
  const bytes = smith.store(nodes);

  /** What cloning ends with when `read` n is the last honest one. */
  function endOf(after: number, bend: (target: Uint8Array, ib: number, done: number) => number): string {
    const file = new MemoryFile('source.pst', bytes);
    let reads = 0;
    const source: Source = {
      name: file.name,
      size: file.size,
      read(target, ib) {
        const done = file.read(target, ib);
        return ++reads > after ? bend(target, ib, done) : done;
      },
      close() {},
    };
    try {
      cloneStore(source, new MemoryFile('target.pst'));
      return 'ok';
    } catch (error) {
      if (error instanceof PstError || error instanceof UsageError) return error.code;
      throw error;
    }
  }
  const each = (bend: (target: Uint8Array, ib: number, done: number) => number): Set<string> =>
    new Set(Array.from({ length: 12 }, (_, after) => endOf(after, bend)));

  it('becomes shorter', () => {
    const ends = each((target, ib, done) => Math.min(done, Math.max(0, 20_000 - ib), target.length));
    expect(ends).toContain('PST_TRUNCATED');
  });
  it('ends at once', () => {
    expect(each(() => 0)).toContain('PST_TRUNCATED');
  });
  it('turns to zeros', () => {
    const ends = each((target, _, done) => {
      target.fill(0);
      return done;
    });
    expect([...ends].some((end) => end !== 'ok')).toBe(true);
  });
  it('cannot be read any more', () => {
    const ends = each(() => {
      throw new UsageError('IO', 'source.pst: read failed at 0x4400 (EIO)');
    });
    expect(ends).toContain('IO');
  });
});

describe('nothing much', () => {
  it.each([
    ['Unicode', UNICODE],
    ['ANSI', ANSI],
    ['4K', UNICODE_4K],
  ] as const)('%s: no node but the store', (_, variant) => {
    const smith = new Smith(variant);
    attack('bare', smith.store([]));
    const empty = new Smith(variant);
    attack('empty', empty.forge.finish(empty.forge.nbt([])));
  });

  it('files of 0 to 600 bytes', () => {
    const bytes = new Smith().store([]);
    for (let size = 0; size < 600; size += size < 16 ? 1 : 37) attack(`${size} bytes`, bytes.slice(0, size));
  });
});
