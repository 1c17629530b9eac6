/** Hostile NDB structures: each ends in a named error, soon. All is forged with right checksums but for what is bent. */
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Core } from '../../src/core/core.js';
import { PstError } from '../../src/errors.js';
import { Ndb, type NdbOptions } from '../../src/ndb/ndb.js';
import { BLOCK } from '../../src/wire/block.js';
import { HEADER, HEADER_ANSI } from '../../src/wire/header.js';
import { PAGE, PTYPE } from '../../src/wire/page.js';
import { ANSI, UNICODE, UNICODE_4K, VARIANT_NAMES, type Variant } from '../../src/wire/variant.js';
import { MemoryFile } from '../memory-file.js';
import { Forge, type NodeEntry, sealHeader } from './forge.js';

const VARIANTS = [ANSI, UNICODE, UNICODE_4K] as const;
const core = Core.load();
const open = (bytes: Uint8Array, options?: NdbOptions): Ndb =>
  Ndb.open(new MemoryFile('forged.pst', bytes), core, options);

/** Code and message of what `body` throws; it must be a PstError, and take no more than a few seconds: these inputs would otherwise run for hours. */
function stopOf(body: () => unknown): string {
  const start = performance.now();
  try {
    body();
  } catch (error) {
    if (!(error instanceof PstError)) throw error;
    expect(performance.now() - start).toBeLessThan(5000);
    return `${error.code}: ${error.message}`;
  }
  return 'nothing was thrown';
}

const node = (nid: number, bidData: number, bidSub = 0): NodeEntry => ({ nid, bidData, bidSub });

/** Reads all there is. */
function readAll(ndb: Ndb): number {
  let bytes = 0;
  ndb.beginPass(1);
  try {
    for (let i = 0; i < ndb.nbt.count; i++) {
      const where = { nid: ndb.nbt.nid(i) };
      bytes += ndb.readBytes(ndb.nbt.bidData(i), where).length;
      for (const sub of ndb.nestedSubnodes(ndb.nbt.bidSub(i), where)) {
        for (const leaf of ndb.leaves(sub.bidData, where)) bytes += leaf.size;
      }
    }
    return bytes;
  } finally {
    ndb.close();
  }
}

describe.each(VARIANTS.map((variant) => ({ variant, name: VARIANT_NAMES[variant] })))('$name', ({ variant }) => {
  const geometry = BLOCK[variant];
  /** A store whose one node has the tree `make` builds. */
  const storeOf = (make: (forge: Forge) => { bidData?: number; bidSub?: number }): Ndb => {
    const forge = new Forge(variant);
    forge.block(4, new Uint8Array(100).fill(1));
    const { bidData = 0, bidSub = 0 } = make(forge);
    return open(forge.finish(forge.nbt([node(0x21, bidData, bidSub)])));
  };
  const treeStop = (make: (forge: Forge) => number): string =>
    stopOf(() => {
      let bidData = 0;
      const ndb = storeOf((forge) => ({ bidData: (bidData = make(forge)) }));
      ndb.readTree(bidData, { nid: 0x21 });
    });
  const subStop = (make: (forge: Forge) => number): string =>
    stopOf(() => {
      const ndb = storeOf((forge) => ({ bidSub: make(forge) }));
      for (const _ of ndb.nestedSubnodes(ndb.nbt.bidSub(0), { nid: 0x21 }));
    });

  test('a sound store: levels, XXBLOCK, SIBLOCK, thousands of nodes', () => {
    const forge = new Forge(variant);
    const leaves = Array.from({ length: 30 }, (_, i) => forge.block(4 + 4 * i, new Uint8Array(200 + i).fill(i + 1)));
    const first = forge.xblock(0x1002, 1, leaves.slice(0, 20), 20 * 200 + 190);
    const second = forge.xblock(0x1006, 1, leaves.slice(20), 10 * 200 + 245);
    const xx = forge.xblock(0x100a, 2, [first, second], 30 * 200 + 435);
    const low = forge.slblock(0x100e, [node(0x25, 4), node(0x45, 8)]);
    const high = forge.slblock(0x1012, [node(0x65, 12, low), node(0x85, 0)]);
    const si = forge.siblock(0x1016, [
      { nid: 0x25, bid: low },
      { nid: 0x65, bid: high },
    ]);
    const nodes = Array.from({ length: 5000 }, (_, i) => node(0x21 + 32 * i, i === 7 ? xx : 4, i === 9 ? si : 0));
    const ndb = open(forge.finish(forge.nbt(nodes)), { strict: true });
    expect([ndb.nbt.count, ndb.bbt.count, ndb.findings.length]).toEqual([5000, 36, 0]);
    expect(nodes.every((n, i) => ndb.nbt.find(n.nid) === i)).toBe(true);
    const bytes = ndb.readBytes(xx, {});
    expect(bytes.length).toBe(6435);
    expect([bytes[0], bytes[199], bytes[200], bytes[6434]]).toEqual([1, 1, 2, 30]);
    const chain = ndb.readTree(xx, {});
    expect([core.x.chainCount(chain), core.x.chainTotal(chain), core.x.chainSize(chain, 29)]).toEqual([30, 6435, 229]);
    core.x.chainFree(chain);
    const subnodes = ndb.subnodes(si, {});
    expect([0, 1, 2, 3].map((i) => subnodes.nid(i))).toEqual([0x25, 0x45, 0x65, 0x85]);
    expect([subnodes.find(0x65), subnodes.bidSub(2), subnodes.bidData(2), subnodes.find(0x66)]).toEqual([
      2,
      low,
      12,
      -1,
    ]);
    expect([...ndb.nestedSubnodes(si, {})].map((s) => [s.nid, s.depth])).toEqual([
      [0x25, 0],
      [0x45, 0],
      [0x65, 0],
      [0x25, 1],
      [0x45, 1],
      [0x85, 0],
    ]);
    const seen: number[] = [];
    ndb.onBlock = (index) => seen.push(ndb.bbt.bid(index));
    ndb.readBytes(xx, {});
    expect(seen).toEqual([xx, first, second, ...leaves]);
    ndb.close();
  });

  test('data trees', () => {
    expect(treeStop((f) => f.xblock(0x12, 1, [4, 0x12], 200))).toMatch(
      /PST_BAD_BLOCK: the leaf 0x12 is an internal block/,
    );
    expect(treeStop((f) => f.xblock(0x12, 2, [0x12], 100))).toMatch(/PST_BAD_BLOCK: level 2, expected 1 /);
    expect(treeStop((f) => f.xblock(0x12, 3, [4], 100))).toMatch(/PST_BAD_BLOCK: level 3, expected 1 or 2/);
    expect(treeStop((f) => f.xblock(0x12, 1, [4], 99))).toMatch(/PST_BAD_BLOCK: leaves of 100 bytes, the tree says 99/);
    expect(treeStop((f) => f.xblock(0x12, 1, [8], 99))).toMatch(/PST_MISSING: .*bid 0x8/);
    expect(treeStop((f) => f.xblock(0x12, 2, [4], 100))).toMatch(/PST_BAD_BLOCK: an XXBLOCK names a data block/);
    expect(treeStop((f) => f.slblock(0x12, [node(5, 4)]))).toMatch(/PST_BAD_BLOCK: block type 0x2, expected 0x1/);
    expect(treeStop((f) => f.block(0x12, Uint8Array.of(1, 1, 0xff, 0xff, 0, 0, 0, 0)))).toMatch(
      /PST_BAD_BLOCK: 65535 entries/,
    );
    expect(treeStop((f) => f.block(0x12, Uint8Array.of(1, 1)))).toMatch(/PST_BAD_BLOCK: a block of 2 bytes/);
    expect(treeStop(() => 0x444)).toMatch(/PST_MISSING: the block is not in the BBT \[nid 0x21, bid 0x444\]/);
  });

  test('one leaf, a million times', () => {
    const { xblockMax } = geometry;
    const stop = treeStop((f) => {
      const x = f.xblock(0x12, 1, new Array(xblockMax).fill(4), 100 * xblockMax);
      return f.xblock(0x16, 2, new Array(Math.min(xblockMax, 1000)).fill(x), (100 * xblockMax * 1000) % 2 ** 32);
    });
    expect(stop).toMatch(/PST_LIMIT: a data tree of \d+ leaves in a store of 3 blocks/);
  });

  test('subnodes', () => {
    expect(subStop((f) => f.slblock(0x12, [node(5, 4, 0x12)]))).toMatch(/PST_BAD_BLOCK: a subnode contains itself/);
    expect(
      subStop((f) => {
        f.slblock(0x12, [node(5, 4, 0x16)]);
        return f.slblock(0x16, [node(5, 4, 0x12)]);
      }),
    ).toMatch(/PST_BAD_BLOCK: a subnode contains itself/);
    expect(subStop((f) => f.slblock(0x12, [node(37, 4), node(5, 4)]))).toMatch(/PST_BAD_BLOCK: subnode 0x5 after 0x25/);
    expect(subStop((f) => f.slblock(0x12, [node(5, 4), node(5, 4)]))).toMatch(/PST_BAD_BLOCK: subnode 0x5 after 0x5/);
    expect(subStop((f) => f.slblock(0x12, [node(5, 4)], 2))).toMatch(/PST_BAD_BLOCK: level 2/);
    expect(subStop((f) => f.slblock(0x12, [node(5, 4)], 0, 999))).toMatch(/PST_BAD_BLOCK: 999 entries/);
    expect(subStop((f) => f.siblock(0x12, [{ nid: 5, bid: 0x12 }]))).toMatch(/PST_BAD_BLOCK: an SIBLOCK in an SIBLOCK/);
    expect(subStop(() => 4)).toMatch(/PST_BAD_BLOCK: a data block where a subnode block belongs/);
    expect(
      subStop((f) => {
        const sl = f.slblock(0x12, [node(5, 4)]);
        return f.siblock(0x16, [
          { nid: 5, bid: sl },
          { nid: 37, bid: sl },
        ]);
      }),
    ).toMatch(/PST_BAD_BLOCK: subnode 0x5 after 0x5/);
  });

  test('subnode trees that share trees, and too deep ones', () => {
    const wide = (below: number): NodeEntry[] => Array.from({ length: 300 }, (_, i) => node(5 + 32 * i, 4, below));
    const stop = subStop((f) => {
      let below = 0;
      for (let bid = 0x12; bid < 0x12 + 4 * 20; bid += 4) below = f.slblock(bid, wide(below));
      return below;
    });
    expect(stop).toMatch(/PST_LIMIT: more subnode trees in one node than the store has blocks/);
    const deep = subStop((f) => {
      let below = 0;
      for (let bid = 0x12; bid < 0x12 + 4 * 200; bid += 4) below = f.slblock(bid, [node(5, 4, below)]);
      return below;
    });
    expect(deep).toMatch(/PST_LIMIT: subnodes nested 128 deep/);
  });

  test('many nodes, one tree: a pass is bounded', () => {
    const forge = new Forge(variant);
    const leaves = Array.from({ length: 100 }, (_, i) => forge.block(4 + 4 * i, new Uint8Array(8000)));
    const x = forge.xblock(0x1002, 1, leaves, 800_000);
    const bytes = forge.finish(forge.nbt(Array.from({ length: 2000 }, (_, i) => node(0x21 + 32 * i, x))));
    expect(stopOf(() => readAll(open(bytes)))).toMatch(/PST_LIMIT: blocks are shared until they are \d+ bytes/);
  });

  test('blocks', () => {
    const bent = (bend: (forge: Forge, ib: number) => void): string =>
      treeStop((forge) => {
        forge.block(8, new Uint8Array(100).fill(7));
        bend(forge, forge.blocks[1]!.ib);
        return 8;
      });
    const entry = (change: Partial<Forge['blocks'][0]>): string => bent((f) => Object.assign(f.blocks[1]!, change));
    expect(bent((f, ib) => (f.bytes[ib + 50]! ^= 1))).toMatch(/PST_BAD_CRC: .*nid 0x21, bid 0x8, ib 0x/);
    expect(bent((f, ib) => f.trailer(ib, 12, 100))).toMatch(/PST_BAD_BID/);
    expect(bent((f, ib) => f.trailer(ib, 8, 99))).toMatch(/PST_BAD_BLOCK/);
    expect(entry({ cb: 60000, cbInflated: 60000 })).toMatch(
      variant === UNICODE_4K ? /PST_/ : /PST_BAD_BLOCK: 60000 bytes/,
    );
    expect(entry({ cb: 65535, cbInflated: 65535 })).toMatch(/PST_BAD_BLOCK: 65535 bytes/);
    expect(entry({ ib: 0x7fffff80 - (0x7fffff80 % geometry.unit) })).toMatch(/PST_TRUNCATED/);
    expect(entry({ ib: 0x4001 })).toMatch(/PST_BAD_BLOCK: a block not on a multiple/);
    expect(entry({ ib: 0 })).toMatch(/PST_BAD_BLOCK|PST_BAD_BID/);
    if (variant !== ANSI) expect(entry({ ib: 2 ** 53 - 2 ** 20 })).toMatch(/PST_TRUNCATED/);
  });

  test('B-tree pages', () => {
    const treeOf = (make: (forge: Forge) => { bid: number; ib: number }): string =>
      stopOf(() => {
        const forge = new Forge(variant);
        forge.block(4, new Uint8Array(8));
        open(forge.finish(make(forge)));
      });
    const leaf = (f: Forge, nid = 0x21) => f.page(PTYPE.NBT, 0, [f.nodeEntry(node(nid, 4))]);
    expect(treeOf((f) => leaf(f))).toBe('nothing was thrown');
    // A page that names itself: the level cannot be its own level less one.
    expect(
      treeOf((f) => {
        const page = f.page(PTYPE.NBT, 1, [f.branch(0x21, leaf(f))]);
        f.bytes.set(f.branch(0x21, page), page.ib);
        f.sealPage(page.ib, page.bid, PTYPE.NBT);
        return page;
      }),
    ).toMatch(/PST_BAD_TREE: NBT: a page of level 1 where level 0 belongs/);
    expect(treeOf((f) => f.page(PTYPE.NBT, 200, [f.branch(0x21, leaf(f))]))).toMatch(
      /PST_BAD_TREE: NBT: a tree of 200 levels/,
    );
    expect(treeOf((f) => f.page(PTYPE.NBT, 0, [], { cEnt: 250 }))).toMatch(
      /PST_BAD_TREE: NBT: 250 entries, a page holds/,
    );
    expect(treeOf((f) => f.page(PTYPE.NBT, 0, [f.nodeEntry(node(0x21, 4))], { cbEnt: 0 }))).toMatch(
      /entries of 0 bytes/,
    );
    expect(treeOf((f) => f.page(PTYPE.NBT, 0, [f.nodeEntry(node(0x41, 4)), f.nodeEntry(node(0x21, 4))]))).toMatch(
      /PST_BAD_TREE: NBT: key 0x21 after 0x41/,
    );
    // All children are one page.
    expect(
      treeOf((f) => {
        const page = leaf(f);
        return f.page(
          PTYPE.NBT,
          1,
          [1, 2, 3, 4, 5].map((k) => f.branch(0x21 * k, page)),
        );
      }),
    ).toMatch(/PST_BAD_TREE: NBT: key 0x21 after 0x21/);
    // Sixteen levels of pages that share all children, branch keys ascending: 12^16 leaves.
    expect(
      treeOf((f) => {
        let page = leaf(f);
        for (let level = 1; level <= 16; level++) {
          page = f.page(
            PTYPE.NBT,
            level,
            Array.from({ length: 12 }, (_, k) => f.branch(0x21 + k, page)),
          );
        }
        return page;
      }),
    ).toMatch(/PST_BAD_TREE: NBT: key/);
    expect(treeOf((f) => ({ ...leaf(f), ib: 0x4400 }))).toMatch(/PST_BAD_PTYPE: page type is 0x0, expected 0x81/);
    expect(treeOf(() => ({ bid: 0x99, ib: 0 }))).toMatch(/PST_BAD_TREE: NBT: a page at 0x0/);
    expect(treeOf(() => ({ bid: 0x99, ib: 0x7fffe000 }))).toMatch(/PST_TRUNCATED/);
    expect(
      treeOf((f) => {
        const page = leaf(f);
        f.bytes[page.ib]! ^= 2;
        return page;
      }),
    ).toMatch(/PST_BAD_CRC/);
    expect(treeOf((f) => f.page(PTYPE.NBT, 1, [f.branch(0x21, { ...leaf(f), bid: 0x77 })]))).toMatch(/PST_BAD_BID/);
    expect(treeOf((f) => f.page(PTYPE.BBT, 0, []))).toMatch(/PST_BAD_PTYPE/);
  });

  test('what reading survives is a finding; strict refuses it', () => {
    const forge = new Forge(variant);
    forge.block(4, new Uint8Array(8));
    const page = forge.page(PTYPE.NBT, 0, [forge.nodeEntry(node(0x21, 4))]);
    const branch = forge.page(PTYPE.NBT, 1, [forge.branch(0x20, page)]);
    const bytes = forge.finish({ ...branch, bid: 0x66 });
    bytes[40]! ^= 1; // dwUnique or bidNextP
    const ndb = open(bytes);
    const codes = ndb.findings.map((f) => `${f.code} ${f.where.field}`);
    expect(codes).toEqual([
      'PST_BAD_CRC HEADER.dwCRCPartial',
      ...(variant === ANSI ? [] : ['PST_BAD_CRC HEADER.dwCRCFull']),
      'PST_BAD_BID PAGETRAILER.bid',
      'PST_BAD_TREE BTENTRY.btkey',
    ]);
    expect(readAll(ndb)).toBe(8);
    expect(stopOf(() => open(bytes, { strict: true }))).toMatch(/PST_BAD_CRC.*dwCRCPartial/);
  });

  test('salvage finds the leaves of a tree that has lost its root', () => {
    const forge = new Forge(variant);
    forge.block(4, new Uint8Array(8));
    const nodes = Array.from({ length: 300 }, (_, i) => node(0x21 + 32 * i, 4));
    const root = forge.nbt(nodes);
    const bytes = forge.finish(root);
    bytes.fill(0, root.ib, root.ib + 512);
    expect(stopOf(() => open(bytes))).toMatch(/PST_BAD_/);
    const damage: PstError[] = [];
    const ndb = open(bytes, { damage: (error) => damage.push(error) });
    expect(ndb.nbt.count).toBe(300);
    expect(damage.length).toBeGreaterThan(1);
    expect(readAll(ndb)).toBe(2400);
  });

  test('truncated anywhere', () => {
    const forge = new Forge(variant);
    forge.block(4, new Uint8Array(1000));
    forge.block(0x12, new Uint8Array(8));
    const whole = forge.finish(forge.nbt(Array.from({ length: 200 }, (_, i) => node(0x21 + 32 * i, 4))));
    const step = Math.ceil(whole.length / 150);
    for (let size = 0; size < whole.length; size += step) {
      expect(stopOf(() => readAll(open(whole.slice(0, size))))).toMatch(/^PST_(NOT_A_STORE|TRUNCATED)/);
    }
  });

  test('seeded mutants end in a result or a named error', () => {
    const forge = new Forge(variant);
    const leaves = Array.from({ length: 5 }, (_, i) => forge.block(4 + 4 * i, new Uint8Array(300)));
    const x = forge.xblock(0x1002, 1, leaves, 1500);
    const sl = forge.slblock(0x1006, [node(5, 4), node(37, x)]);
    const si = forge.siblock(0x100a, [{ nid: 5, bid: sl }]);
    const whole = forge.finish(forge.nbt(Array.from({ length: 40 }, (_, i) => node(0x21 + 32 * i, x, si))));
    // What lies before the first block is header and empty space; mutate where there is something.
    const start = forge.blocks[0]!.ib;
    const seed = 20240607 + variant;
    let state = seed;
    const random = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    const outcomes = new Map<string, number>();
    const live = core.x.pagesLive();
    for (let mutant = 0; mutant < 300; mutant++) {
      const bytes = whole.slice();
      const inHeader = random(4) === 0;
      for (let k = 1 + random(3); k > 0; k--) {
        const at = inHeader ? 8 + random(500) : start + random(bytes.length - start);
        bytes[at] = [0, 0xff, bytes[at]! ^ (1 << random(8)), random(256)][random(4)]!;
      }
      if (inHeader) sealHeader(bytes, variant);
      if (random(2)) reseal(bytes, forge);
      for (const options of [{}, { damage: () => {} }]) {
        const outcome = stopOf(() => readAll(open(bytes, options))).split(':')[0]!;
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    }
    expect(
      [...outcomes.keys()].every((o) => /^(PST_[A-Z_]+|nothing was thrown)$/.test(o)),
      `seed ${seed}`,
    ).toBe(true);
    expect(outcomes.size).toBeGreaterThan(4);
    expect(core.x.pagesLive(), 'pages left in the core').toBe(live);
  });
});

/** Makes checksums right again after a mutation, so that what is behind them is tried too. */
function reseal(bytes: Uint8Array, forge: Forge): void {
  const again = new Forge(forge.variant);
  again.bytes = bytes as Uint8Array<ArrayBuffer>;
  for (const { bid, ib, cb, cbInflated } of forge.blocks) again.trailer(ib, bid, cb, cbInflated);
  const { size, trailerAt, trailer } = PAGE[forge.variant];
  for (let ib = 0; ib + size <= bytes.length; ib += size) {
    const ptype = bytes[ib + trailerAt]!;
    const bid = again.view.getUint32(ib + trailerAt + trailer.at.bid, true);
    if ((ptype === PTYPE.NBT || ptype === PTYPE.BBT) && ptype === bytes[ib + trailerAt + 1])
      again.sealPage(ib, bid, ptype);
  }
}

describe('header', () => {
  const sound = (variant: Variant = UNICODE): Uint8Array => {
    const forge = new Forge(variant);
    forge.block(4, new Uint8Array(8));
    return forge.finish(forge.nbt([node(0x21, 4)]));
  };
  const changed = (at: number, ...values: number[]): string => {
    const bytes = sound();
    bytes.set(values, at);
    sealHeader(bytes, UNICODE);
    return stopOf(() => open(bytes));
  };

  test('not a store, with the reason', () => {
    const head = (...bytes: number[]): string =>
      stopOf(() => open(Uint8Array.from([...bytes, ...new Array(600).fill(0)])));
    expect(stopOf(() => open(new Uint8Array(0)))).toBe('PST_NOT_A_STORE: forged.pst is empty');
    expect(head(0x50, 0x4b, 3, 4)).toMatch(
      /PST_NOT_A_STORE: forged.pst is not a PST or OST: .* it looks like a ZIP archive/,
    );
    expect(head(1, 2, 3, 4, 5, 6, 7, 8)).toMatch(/it begins with 0102030405060708/);
    expect(head(0x21, 0x42, 0x44, 0x4e)).toMatch(/PST_NOT_A_STORE: .*the client is 0x0/);
    expect(stopOf(() => open(sound().slice(0, 300)))).toMatch(/PST_TRUNCATED: HEADER needs 564 bytes, 300 are left/);
  });

  test('what we do not read', () => {
    expect(changed(HEADER.at.wVer, 37)).toMatch(
      /PST_UNSUPPORTED: .*version 37, protected by Windows Information Protection/,
    );
    expect(changed(HEADER.at.wVer, 99)).toMatch(/PST_UNSUPPORTED: the store is of unknown version 99/);
    expect(changed(HEADER.at.bCryptMethod, 0x10)).toMatch(/PST_UNSUPPORTED: .*Windows Information Protection/);
    expect(changed(HEADER.at.bCryptMethod, 3)).toMatch(/PST_UNSUPPORTED: unknown encoding 0x3/);
  });

  test('absurd numbers', () => {
    expect(changed(HEADER.at.root + 4, 0, 0, 0, 0, 0, 0, 0, 0x80)).toMatch(/PST_ABSURD: .*ROOT.ibFileEof/);
    expect(changed(HEADER.at.root + 44, 0, 0, 0, 0, 0, 0, 0, 0x80)).toMatch(/PST_ABSURD: .*BREF.ib/);
  });

  test('all fields, by the spec', () => {
    const { header } = open(sound());
    expect([header.wVer, header.variant, header.crypt, header.rgnid[4], header.root.fAMapValid]).toEqual([
      23, 1, 0, 0x400, 2,
    ]);
    expect(header.raw.length).toBe(HEADER.size);
    expect(open(sound(ANSI)).header.raw.length).toBe(HEADER_ANSI.size);
  });
});

describe('inflating (4K)', () => {
  const storeWith = (stored: Uint8Array, inflated: number, bid = 8): Ndb => {
    const forge = new Forge(UNICODE_4K);
    forge.block(4, new Uint8Array(100).fill(9));
    forge.block(bid, stored, inflated);
    return open(forge.finish(forge.nbt([node(0x21, bid)])));
  };

  test('a deflated block, and a deflated XBLOCK', () => {
    const text = new Uint8Array(60_000).map((_, i) => i % 7);
    expect(storeWith(deflateSync(text), text.length).readBytes(8, {})).toEqual(text);
    const xblock = new Uint8Array(8 + 8 * 2);
    new DataView(xblock.buffer).setUint32(0, 0x20101, true);
    new DataView(xblock.buffer).setUint32(4, 200, true);
    xblock[8] = xblock[16] = 4;
    expect(storeWith(deflateSync(xblock), xblock.length, 10).readBytes(10, {})).toEqual(new Uint8Array(200).fill(9));
  });

  test('bombs and liars', () => {
    const bomb = deflateSync(new Uint8Array(50 << 20));
    expect(bomb.length).toBeLessThan(65_512);
    expect(stopOf(() => storeWith(bomb, 1000).readBytes(8, {}))).toMatch(
      /PST_INFLATE: \d+ stored bytes do not inflate to 1000/,
    );
    expect(stopOf(() => storeWith(bomb, 65_512).readTree(8, {}))).toMatch(/PST_INFLATE/);
    expect(stopOf(() => storeWith(deflateSync(new Uint8Array(10)), 12).readTree(8, {}))).toMatch(/PST_INFLATE/);
    expect(stopOf(() => storeWith(new Uint8Array(50), 500).readTree(8, {}))).toMatch(/PST_INFLATE/);
    expect(stopOf(() => storeWith(new Uint8Array(50), 65_535).readTree(8, {}))).toMatch(/PST_BAD_BLOCK: 65535 bytes/);
    expect(stopOf(() => storeWith(deflateSync(new Uint8Array(0)), 0).readTree(8, {}))).toBe('nothing was thrown');
  });
});
