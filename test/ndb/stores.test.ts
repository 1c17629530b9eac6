/** The NDB layer over real stores, against a naive walk of its own. */
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Core } from '../../src/core/core.js';
import { openSource } from '../../src/host/file.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { PTYPE } from '../../src/wire/page.js';
import { findStore, realStores, sharedStoresMissing } from '../stores.js';
import { crc } from './forge.js';

/** The header points at a BBT page that a block has overwritten; only salvage opens it. */
const TORN = 'aspose-email__AddingBulkMessagesWithImprovedPerformance.pst';
const torn = findStore(TORN);

interface Naive {
  pages: string[];
  nodes: Map<number, [bigint, bigint, number]>;
  blocks: Map<bigint, { ib: number; cb: number; inflated: number; cRef: number }>;
}

/** Recursive, on the whole file, by offsets copied from MS-PST 2.2.2.7. */
function naive(file: Buffer): Naive {
  const wVer = file.readUInt16LE(10);
  const [ansi, large] = [wVer < 20, wVer >= 36];
  const id = (at: number): bigint => (ansi ? BigInt(file.readUInt32LE(at)) : file.readBigUInt64LE(at));
  const w = ansi ? 4 : 8;
  const pages: string[] = [];
  const nodes: Naive['nodes'] = new Map();
  const blocks: Naive['blocks'] = new Map();
  const page = (ib: number, isNbt: boolean): void => {
    const counts = ib + (ansi ? 496 : large ? 4056 : 488);
    const cEnt = large ? file.readUInt16LE(counts) : file.readUInt8(counts);
    const cbEnt = file.readUInt8(counts + (large ? 4 : 2));
    const cLevel = file.readUInt8(counts + (large ? 5 : 3));
    pages.push(`${isNbt} ${ib} ${cLevel} ${cEnt}`);
    for (let e = 0; e < cEnt; e++) {
      const at = ib + e * cbEnt;
      if (cLevel > 0) page(Number(id(at + 2 * w)), isNbt);
      else if (isNbt) nodes.set(Number(id(at)), [id(at + w), id(at + 2 * w), file.readUInt32LE(at + 3 * w)]);
      else {
        const [a, b, c] = [0, 2, 4].map((o) => file.readUInt16LE(at + 2 * w + (ansi && o === 4 ? 2 : o)));
        blocks.set(id(at) & ~1n, { ib: Number(id(at + w)), cb: a!, inflated: large ? b! : a!, cRef: large ? c! : b! });
      }
    }
  };
  page(Number(id(ansi ? 188 : 224)), true);
  page(Number(id(ansi ? 196 : 240)), false);
  return { pages, nodes, blocks };
}

function everything(ndb: Ndb): { bytes: number; subnodes: number } {
  let bytes = 0;
  let subnodes = 0;
  for (let i = 0; i < ndb.nbt.count; i++) {
    const where = { nid: ndb.nbt.nid(i) };
    const bid = ndb.nbt.bidData(i);
    const chain = ndb.readTree(bid, where);
    expect(chain === 0).toBe(bid === 0);
    let total = 0;
    if (chain !== 0) {
      total = ndb.core.x.chainTotal(chain);
      ndb.core.x.chainFree(chain);
    }
    expect(ndb.treeSize(bid, where)).toBe(total);
    expect(ndb.readBytes(bid, where).length).toBe(total);
    bytes += total;
    for (const sub of ndb.nestedSubnodes(ndb.nbt.bidSub(i), where)) {
      subnodes++;
      let size = 0;
      for (const leaf of ndb.leaves(sub.bidData, where)) size += leaf.size;
      expect(size).toBe(ndb.treeSize(sub.bidData, where));
      bytes += size;
    }
  }
  return { bytes, subnodes };
}

if (sharedStoresMissing !== undefined) console.warn(`skipped: ${sharedStoresMissing}`);

describe.each(realStores().filter((store) => store.name !== TORN))('$name', ({ path }) => {
  const file = readFileSync(path);
  const core = Core.load();
  const ndb = Ndb.open(openSource(path), core, { strict: true });
  const truth = naive(file);

  test('NBT and BBT are what a naive walk finds', () => {
    expect(ndb.findings).toEqual([]);
    expect(ndb.nbt.count).toBe(truth.nodes.size);
    expect(ndb.bbt.count).toBe(truth.blocks.size);
    for (const [nid, [bidData, bidSub, parent]] of truth.nodes) {
      const i = ndb.nbt.find(nid);
      expect([ndb.nbt.nid(i), ndb.nbt.bidData(i), ndb.nbt.bidSub(i), ndb.nbt.parent(i)]).toEqual([
        nid,
        Number(bidData),
        Number(bidSub),
        parent,
      ]);
      expect(truth.nodes.has(nid + 1) || ndb.nbt.find(nid + 1) === -1).toBe(true);
    }
    for (const [bid, block] of truth.blocks) {
      const i = ndb.bbt.find(Number(bid));
      expect(ndb.bbt.find(Number(bid) + 1)).toBe(i);
      const found = { ib: ndb.bbt.ib(i), cb: ndb.bbt.cb(i), inflated: ndb.bbt.inflated(i), cRef: ndb.bbt.cRef(i) };
      expect(found).toEqual(block);
    }
  });

  test('every page of both trees is visited', () => {
    const pages: string[] = [];
    ndb.walkPages(
      (ptype, { ib }, cLevel, cEnt) => pages.push(`${ptype === PTYPE.NBT} ${ib} ${cLevel} ${cEnt}`),
      (finding) => {
        throw finding;
      },
    );
    expect(pages.sort()).toEqual(truth.pages.sort());
  });

  test('every block passes, with the bytes of the file', () => {
    let seen = 0;
    ndb.onBlock = (index, lo, at) => {
      const cb = ndb.bbt.cb(index);
      const ib = ndb.bbt.ib(index);
      expect(Buffer.compare(core.u8.subarray(lo + at, lo + at + cb), file.subarray(ib, ib + cb))).toBe(0);
      seen++;
    };
    for (let i = 0; i < ndb.bbt.count; i++) ndb.blocks.check(i, {});
    ndb.onBlock = undefined;
    expect(seen).toBe(truth.blocks.size);
  });

  test('every block without encoding loads as it is stored, or inflates', () => {
    for (let i = 0; i < ndb.bbt.count; i++) {
      if (ndb.header.crypt !== 0) break;
      const stored = file.subarray(ndb.bbt.ib(i), ndb.bbt.ib(i) + ndb.bbt.cb(i));
      const expected = ndb.bbt.cb(i) === ndb.bbt.inflated(i) ? stored : inflateSync(stored);
      const ptr = ndb.blocks.load(i, {});
      expect(crc(core.u8.subarray(ptr, ptr + expected.length))).toBe(crc(expected));
      core.x.free(ptr);
    }
  });

  test('every data tree and every subnode loads, and nothing is left in the core', () => {
    ndb.beginPass(8);
    const { bytes } = everything(ndb);
    ndb.endPass();
    expect(bytes).toBeGreaterThan(0);
    ndb.close();
    expect(core.x.pagesLive()).toBe(0);
  });
});

describe.runIf(torn !== undefined)('a torn store', () => {
  const path = torn?.path ?? '';

  test('is refused with the place', () => {
    expect(() => Ndb.open(openSource(path), Core.load())).toThrow(/stored CRC .* \[PAGETRAILER.dwCRC, .* ib 0x7e00\]/);
  });

  test('strict refuses the header already', () => {
    expect(() => Ndb.open(openSource(path), Core.load(), { strict: true })).toThrow(/HEADER.dwCRCPartial/);
  });

  test('is salvaged: all 34 nodes, all their blocks', () => {
    const damage: string[] = [];
    const ndb = Ndb.open(openSource(path), Core.load(), { damage: (error) => damage.push(error.code) });
    expect(damage).toContain('PST_BAD_CRC');
    expect([ndb.nbt.count, ndb.bbt.count]).toEqual([34, 29]);
    expect(everything(ndb).bytes).toBeGreaterThan(0);
  });
});
