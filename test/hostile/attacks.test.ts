/**
 * Stores made to hurt, one attack each, every checksum right: they take whatever the program does, and end in a result or a named
 * error within their bounds of time and memory. The attacks on the file layer alone are in test/ndb/hostile.test.ts.
 */
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { PstError, UsageError } from '../../src/errors.js';
import type { Source } from '../../src/host/source.js';
import { encodePc } from '../../src/ltp/pc.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { TableWriter, tcInfo } from '../../src/ltp/table.js';
import { cloneStore } from '../../src/migrate/clone.js';
import { verifyStores } from '../../src/migrate/verify.js';
import { HEADER } from '../../src/wire/header.js';
import { ANSI, UNICODE, UNICODE_4K, type Variant } from '../../src/wire/variant.js';
import { MemoryFile } from '../memory-file.js';
import { crc, Forge, type NodeEntry, sealHeader } from '../ndb/forge.js';
import { survive, type Verdict } from './survive.js';

const core = Core.load();
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'utf16le'));

/** A forge that knows heaps. */
class Smith {
  readonly forge: Forge;
  #bid = 4;

  constructor(readonly variant: Variant = UNICODE) {
    this.forge = new Forge(variant);
  }

  bid(internal = false): number {
    this.#bid += 4;
    return this.#bid - 4 + (internal ? 2 : 0);
  }

  data(bytes: Uint8Array, inflated?: number): number {
    return this.forge.block(this.bid(), bytes, inflated);
  }

  tree(leaves: readonly number[], total: number): number {
    return this.forge.xblock(this.bid(true), 1, leaves, total);
  }

  sub(entries: readonly NodeEntry[]): number {
    return this.forge.slblock(
      this.bid(true),
      [...entries].sort((a, b) => a.nid - b.nid),
    );
  }

  /** The leaves of a chain of the core. */
  chain(chain: number): number {
    const { x } = core;
    const leaves: Uint8Array[] = [];
    for (let k = 0; k < x.chainCount(chain); k++) {
      leaves.push(core.u8.slice(x.chainPtr(chain, k), x.chainPtr(chain, k) + x.chainSize(chain, k)));
    }
    x.chainFree(chain);
    const bids = leaves.map((leaf) => this.data(leaf));
    return bids.length === 1
      ? bids[0]!
      : this.tree(
          bids,
          leaves.reduce((sum, leaf) => sum + leaf.length, 0),
        );
  }

  pc(stream: StreamWriter): number {
    return this.chain(encodePc(core, stream.build(), {}));
  }

  /** A table of rows with an id each. */
  table(ids: readonly number[], rowsNid: number): { bidData: number; bidRows: number } {
    const columns = [
      { tag: 0x67f20003, ibData: 0, cbData: 4, iBit: 0 },
      { tag: 0x67f30003, ibData: 4, cbData: 4, iBit: 1 },
      { tag: 0x3001001f, ibData: 8, cbData: 4, iBit: 2 },
    ];
    const writer = new TableWriter(core, tcInfo(columns, [12, 12, 12, 13]), {});
    for (const id of ids) {
      writer.row(
        new StreamWriter().setInline(0x67f20003, id).setInline(0x67f30003, 1).set(0x3001001f, text('x')).build(id),
      );
    }
    const { heap, rows } = writer.end(rowsNid);
    return { bidData: this.chain(heap), bidRows: rows === 0 ? 0 : this.chain(rows) };
  }

  store(nodes: readonly NodeEntry[]): Uint8Array {
    const store = this.pc(new StreamWriter().set(0x0ff90102, new Uint8Array(16).fill(3)));
    const root = this.pc(new StreamWriter().set(0x3001001f, text('')));
    const fixed = [
      { nid: 0x21, bidData: store, bidSub: 0 },
      { nid: 0x122, bidData: root, bidSub: 0, nidParent: 0x122 },
    ].filter(({ nid }) => !nodes.some((node) => node.nid === nid));
    return this.forge.finish(this.forge.nbt([...fixed, ...nodes]));
  }
}

const message = (k: number): number => 0x200024 + 32 * k;

/** What becomes of an attack: survive() throws where it may not. Each took seconds at most, or it would not be borne. */
function attack(name: string, bytes: Uint8Array): Verdict {
  const verdict = survive(name, bytes);
  expect(verdict.slowestMs, verdict.slowest).toBeLessThan(8000);
  return verdict;
}

describe('sharing', () => {
  it('a BBT of blocks that are none, and one leaf for all of a tree', () => {
    const smith = new Smith();
    const leaf = smith.data(new Uint8Array(8000).fill(7));
    const place = smith.forge.blocks[0]!;
    const fakes = Array.from({ length: 40_000 }, () => smith.bid());
    for (const bid of fakes) smith.forge.blocks.push({ ...place, bid, cb: 8176, cbInflated: 8176 });
    const lists = Array.from({ length: 30 }, () => smith.tree(new Array(1000).fill(leaf), 8_000_000));
    const all = smith.forge.xblock(smith.bid(true), 2, lists, 240_000_000);
    const body = smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')).setExternal(0x10130102, 0x3f));
    const bidSub = smith.sub([{ nid: 0x3f, bidData: all, bidSub: 0 }]);
    const nodes = Array.from({ length: 60 }, (_, k) => ({ nid: message(k), bidData: body, bidSub, nidParent: 0x122 }));
    const { outcomes } = attack('one leaf', smith.store(nodes));
    expect(outcomes.clone).toBe('PST_LIMIT');
  });

  it('messages in messages in messages, all of them shared', () => {
    const smith = new Smith();
    const attachment = smith.pc(
      new StreamWriter().setInline(0x37050003, 5).set(0x3701000d, Uint8Array.of(0x24, 0, 0x20, 0, 0, 0, 0, 0)),
    );
    const inner = smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')).set(0x0037001f, text('again')));
    // Each level has two attachments that hold the same message: 2 to the 40th of them.
    let bidSub = 0;
    for (let depth = 0; depth < 40; depth++) {
      const within = smith.sub([{ nid: 0x200024, bidData: inner, bidSub }]);
      bidSub = smith.sub([
        { nid: 0x8025, bidData: attachment, bidSub: within },
        { nid: 0x8045, bidData: attachment, bidSub: within },
      ]);
    }
    const { outcomes } = attack(
      'Matryoshka',
      smith.store([{ nid: message(0), bidData: inner, bidSub, nidParent: 0x122 }]),
    );
    expect(outcomes.clone).toBe('PST_LIMIT');
    expect(outcomes['re-encode']).toBe('PST_LIMIT');
  });

  it('a message that holds itself', () => {
    const smith = new Smith();
    const attachment = smith.pc(
      new StreamWriter().setInline(0x37050003, 5).set(0x3701000d, Uint8Array.of(0x24, 0, 0x20, 0, 0, 0, 0, 0)),
    );
    const inner = smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')));
    const own = smith.bid(true);
    const within = smith.sub([{ nid: 0x200024, bidData: inner, bidSub: own }]);
    smith.forge.slblock(own, [{ nid: 0x8025, bidData: attachment, bidSub: within }]);
    attack('Ouroboros', smith.store([{ nid: message(0), bidData: inner, bidSub: own, nidParent: 0x122 }]));
  });

  it('ten thousand messages, one large tree', () => {
    const smith = new Smith();
    const leaves = Array.from({ length: 100 }, (_, k) => smith.data(new Uint8Array(8176).fill(k)));
    const value = smith.tree(leaves, 817_600);
    const body = smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')).setExternal(0x10130102, 0x3f));
    const bidSub = smith.sub([{ nid: 0x3f, bidData: value, bidSub: 0 }]);
    const nodes = Array.from({ length: 10_000 }, (_, k) => ({
      nid: message(k),
      bidData: body,
      bidSub,
      nidParent: 0x122,
    }));
    attack('one tree', smith.store(nodes));
  });
});

describe('cycles', () => {
  it('folders that are in each other, by their parents and by their tables', () => {
    const smith = new Smith();
    const folder = smith.pc(new StreamWriter().set(0x3001001f, text('f')));
    const folders = [0x8022, 0x8042, 0x8062];
    const all = smith.table([0x122, ...folders], 0x3f).bidData;
    attack(
      'folders',
      smith.store([
        { nid: 0x12d, bidData: all, bidSub: 0 },
        ...folders.flatMap((nid, k) => [
          { nid, bidData: folder, bidSub: 0, nidParent: folders[(k + 1) % 3]! },
          { nid: nid + 11, bidData: all, bidSub: 0 },
        ]),
      ]),
    );
  });

  it('a table that lists one message sixty thousand times, and messages that are not there', () => {
    const smith = new Smith();
    const body = smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')));
    const { bidData, bidRows } = smith.table(
      Array.from({ length: 20_000 }, (_, k) => message(k)),
      0x3f,
    );
    const bidSub = smith.sub([{ nid: 0x3f, bidData: bidRows, bidSub: 0 }]);
    attack(
      'rows',
      smith.store([
        { nid: 0x12e, bidData, bidSub },
        { nid: 0x12f, bidData, bidSub },
        { nid: message(0), bidData: body, bidSub: 0, nidParent: 0x122 },
      ]),
    );
  });
});

describe('what must not be lost', () => {
  it('a subnode with NID 0, and subnodes below the rows of a table', () => {
    const smith = new Smith();
    const value = smith.data(new Uint8Array(500).fill(5));
    const { bidData, bidRows } = smith.table(
      Array.from({ length: 400 }, (_, k) => message(k)),
      0x3f,
    );
    const below = smith.sub([
      { nid: 0, bidData: value, bidSub: 0 },
      { nid: 0x5f, bidData: value, bidSub: 0 },
    ]);
    const bidSub = smith.sub([
      { nid: 0, bidData: value, bidSub: 0 },
      { nid: 0x3f, bidData: bidRows, bidSub: below },
    ]);
    const bytes = smith.store([{ nid: 0x12e, bidData, bidSub }]);
    const { outcomes } = attack('odd subnodes', bytes);
    expect(outcomes).toMatchObject({ clone: 'ok', 're-encode': 'ok', verify: 'ok' });
    // The digest sees them: a store without them is another.
    const source = new MemoryFile('source.pst', bytes);
    const target = new MemoryFile('target.pst');
    const { counters } = cloneStore(source, target, { reencode: true });
    expect(counters.subnodes).toBe(3);
    expect(verifyStores(source, target).isIdentical).toBe(true);
  });

  it('rows in a heap item longer than any heap item may be', () => {
    // 3,580 bytes is the most a writer puts in the heap: written anew, these rows need a subnode, and every NID is taken but one.
    const smith = new Smith();
    const { bidData } = smith.table(
      Array.from({ length: 270 }, (_, k) => message(k)),
      0x3f,
    );
    const value = smith.data(new Uint8Array(20).fill(5));
    const bidSub = smith.sub([
      { nid: 0x3f, bidData: value, bidSub: 0 },
      { nid: 0xffffffff, bidData: value, bidSub: 0 },
    ]);
    const { outcomes } = attack('long item', smith.store([{ nid: 0x12e, bidData, bidSub }]));
    expect(outcomes).toMatchObject({ clone: 'ok', 're-encode': 'ok' });
  });
});

describe('heaps', () => {
  it('sixty thousand properties that all name one item', () => {
    // By hand: a heap whose BTH has leaf records for the same 3,000 bytes, over and over.
    const smith = new Smith();
    const block = new Uint8Array(8176);
    const view = new DataView(block.buffer);
    const records = 440;
    const leafAt = 12 + 8;
    const itemAt = leafAt + 8 * records;
    const map = itemAt + 3000;
    view.setUint16(0, map, true);
    block.set([0xec, 0xbc, 0x20, 0, 0, 0], 2);
    block.set([0xb5, 2, 6, 0, 0x40, 0, 0, 0], 12);
    for (let k = 0; k < records; k++) {
      view.setUint16(leafAt + 8 * k, 0x3000 + k, true);
      view.setUint16(leafAt + 8 * k + 2, 0x1f, true);
      view.setUint32(leafAt + 8 * k + 4, 0x60, true);
    }
    view.setUint16(map, 3, true);
    [12, leafAt, itemAt, map].forEach((ib, k) => {
      view.setUint16(map + 4 + 2 * k, ib, true);
    });
    const heap = smith.data(block.subarray(0, map + 12));
    const nodes = Array.from({ length: 200 }, (_, k) => ({
      nid: message(k),
      bidData: heap,
      bidSub: 0,
      nidParent: 0x122,
    }));
    attack('one item', smith.store(nodes));
  });

  it('a multiple value that says it has a thousand million items', () => {
    const smith = new Smith();
    const bytes = new Uint8Array(64);
    new DataView(bytes.buffer).setUint32(0, 0x40000000, true);
    const body = smith.pc(
      new StreamWriter()
        .set(0x001a001f, text('IPM.Note'))
        .set(0x8000101f, bytes)
        .set(
          0x80011102,
          bytes.map((byte, k) => (k === 3 ? 0xff : byte)),
        )
        .set(0x80021003, new Uint8Array(7)),
    );
    attack('count', smith.store([{ nid: message(0), bidData: body, bidSub: 0, nidParent: 0x122 }]));
  });

  it('compressed RTF that says it has four thousand million bytes, and such that ends in the middle', () => {
    const smith = new Smith();
    const rtf = (size: number, raw: number, rest: number): Uint8Array => {
      const bytes = new Uint8Array(16 + rest).fill(0xff, 16);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, size, true);
      view.setUint32(4, raw, true);
      view.setUint32(8, 0x75465a4c, true);
      return bytes;
    };
    const nodes = [
      rtf(112, 0xffffffff, 100),
      rtf(0xffffffff, 100, 100),
      rtf(12, 1 << 30, 0),
      rtf(112, 1 << 20, 100),
    ].map((value, k) => ({
      nid: message(k),
      bidData: smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')).set(0x10090102, value)),
      bidSub: 0,
      nidParent: 0x122,
    }));
    attack('RTF', smith.store(nodes));
  });
});

describe('inflate bombs', () => {
  it.each([
    ['more than it says', 1 << 26, 65_512],
    ['less than it says', 100, 65_512],
    ['to nothing', 0, 65_512],
    ['to what it says, a thousand to one', 65_512, 65_512],
  ])('%s', (_, content, stated) => {
    const smith = new Smith(UNICODE_4K);
    const deflated = deflateSync(new Uint8Array(content));
    const leaves = Array.from({ length: 500 }, () => smith.data(deflated.subarray(0, 65_000), stated));
    const value = smith.tree(leaves, 500 * stated);
    const body = smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')).setExternal(0x10130102, 0x3f));
    const bidSub = smith.sub([{ nid: 0x3f, bidData: value, bidSub: 0 }]);
    const nodes = Array.from({ length: 20 }, (_, k) => ({ nid: message(k), bidData: body, bidSub, nidParent: 0x122 }));
    attack('bomb', smith.store(nodes));
  });
});

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
