/**
 * The sound stores that mutants are made of: real ones where they are, the ones pst-extractor ships, our own fixtures, and stores of
 * every kind made here from those, so that there are more than ten on any machine.
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { Core } from '../../src/core/core.js';
import { encodePc } from '../../src/ltp/pc.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { type Column, TableWriter, tcInfo } from '../../src/ltp/table.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { isInternal } from '../../src/wire/btree.js';
import { CRYPT } from '../../src/wire/header.js';
import { NID_TYPE, nidType } from '../../src/wire/nid.js';
import { ANSI, UNICODE, UNICODE_4K, type Variant } from '../../src/wire/variant.js';
import { MemoryFile } from '../memory-file.js';
import { Forge, type NodeEntry, sealHeader } from '../ndb/forge.js';
import { findStore, PACKAGED_STORES } from '../stores.js';
import { encode } from './encoding.js';

export interface Specimen {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many mutants are made of it, against the others. Large stores take longer. */
  readonly weight: number;
}

/** Small real stores: different clients, items and kinds. [end of the name, weight] */
const REAL: readonly (readonly [string, number])[] = [
  ['Outlook98Backup.pst', 8], // ANSI, 32 KB
  ['32-bit.pst', 10], // ANSI
  ['nonUnicodeCP932.pst', 8], // ANSI
  ['sample2.pst', 8], // ANSI
  ['97_outlook_pass12345.pst', 1], // ANSI, 294 messages
  ['submessage.pst', 10],
  ['four_nesting_levels.pst', 10],
  ['alpha-beta-gamma-delta.pst', 10],
  ['hughbe_Outlook.pst', 8],
  ['dist-list.pst', 8],
  ['attachAndInline.pst', 8],
  ['contacts.pst', 8],
  ['Empty.pst', 6],
  ['high-encryption_quickquick.pst', 1], // cyclic
  ['no-encryption_quickquick.pst', 1],
  ['SampleOstFile.ost', 0.5], // a Unicode OST
];

/** [name, weight] */
const PACKAGED: readonly (readonly [string, number])[] = [
  ['enron.pst', 0.25],
  ['pstextractortest@outlook.com.ost', 0.25], // 4K
  ['pstextractortestpdf@outlook.com.ost', 0.25],
];

/** Stores of our own making, [name, weight]. */
const FIXTURES: readonly (readonly [string, number])[] = [
  ['everyday.pst', 4],
  ['attachments.pst', 5],
  ['strings.pst', 3],
];

export function specimens(): Specimen[] {
  const real = REAL.flatMap(([ending, weight]) => {
    const store = findStore(ending);
    return store === undefined ? [] : [{ name: store.name, bytes: new Uint8Array(readFileSync(store.path)), weight }];
  });
  const packaged = PACKAGED.map(([name, weight]) => ({
    name,
    bytes: new Uint8Array(readFileSync(join(PACKAGED_STORES, name))),
    weight,
  }));
  const excerpt = excerptOf(packaged[0]!.bytes);
  const made = [
    { name: 'excerpt', bytes: rebuild(excerpt, UNICODE, CRYPT.PERMUTE), weight: 8 },
    { name: 'excerpt, not encoded', bytes: rebuild(excerpt, UNICODE, CRYPT.NONE), weight: 8 },
    { name: 'excerpt, cyclic', bytes: rebuild(excerpt, UNICODE, CRYPT.CYCLIC), weight: 8 },
    { name: 'excerpt, ANSI', bytes: rebuild(excerpt, ANSI, CRYPT.PERMUTE), weight: 6 },
    { name: 'excerpt, 4K', bytes: rebuild(excerpt, UNICODE_4K, CRYPT.NONE), weight: 8 },
    { name: 'excerpt, 4K cyclic', bytes: rebuild(excerpt, UNICODE_4K, CRYPT.CYCLIC), weight: 4 },
    { name: 'deep', bytes: deepStore(UNICODE), weight: 10 },
    { name: 'deep, ANSI', bytes: deepStore(ANSI), weight: 5 },
    { name: 'deep, 4K', bytes: deepStore(UNICODE_4K), weight: 5 },
  ];
  const fixtures = FIXTURES.map(([name, weight]) => {
    const path = fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
    return { name: `fixtures/${name}`, bytes: new Uint8Array(readFileSync(path)), weight };
  });
  return [...real, ...packaged, ...fixtures, ...made];
}

interface Excerpt {
  readonly ndb: Ndb;
  readonly nodes: readonly NodeEntry[];
}

/** Messages in the excerpt: enough for every kind of block, few enough for thousands of mutants. */
const MESSAGES = 5;

/** enron.pst without most of its messages. */
function excerptOf(bytes: Uint8Array): Excerpt {
  const ndb = Ndb.open(new MemoryFile('enron.pst', bytes), Core.load());
  const nodes: NodeEntry[] = [];
  let messages = 0;
  for (let i = 0; i < ndb.nbt.count; i++) {
    const { nbt } = ndb;
    const [nid, bidData, bidSub] = [nbt.nid(i), nbt.bidData(i), nbt.bidSub(i)];
    if (nidType(nid) === NID_TYPE.NORMAL_MESSAGE && (sizeOf(ndb, bidData, bidSub) > 40_000 || ++messages > MESSAGES))
      continue;
    nodes.push({ nid, bidData, bidSub, nidParent: nbt.parent(i) });
  }
  return { ndb, nodes };
}

function sizeOf(ndb: Ndb, bidData: number, bidSub: number): number {
  let size = ndb.treeSize(bidData, {});
  for (const sub of ndb.nestedSubnodes(bidSub, {})) size += ndb.treeSize(sub.bidData, {});
  return size;
}

/** The same nodes in a store of another kind, block by block. In 4K stores some blocks are deflated. */
function rebuild({ ndb, nodes }: Excerpt, variant: Variant, crypt: number): Uint8Array<ArrayBuffer> {
  const forge = new Forge(variant);
  const seen = new Set<number>();
  const { bbt } = ndb;
  const put = (bid: number): void => {
    if (bid === 0 || seen.has(bid)) return;
    seen.add(bid);
    const index = bbt.find(bid);
    if (!isInternal(bid)) {
      const payload = ndb.readBytes(bid, {});
      const stored = encode(payload, crypt, bid);
      const deflated = variant === UNICODE_4K && bid % 3 === 0 ? deflateSync(stored) : stored;
      forge.block(bid, deflated.length < stored.length ? deflated : stored, payload.length);
    } else {
      ndb.blocks.open(bid, {});
      const { view, at } = ndb.blocks;
      const copy = new DataView(view.buffer.slice(view.byteOffset + at, view.byteOffset + at + ndb.blocks.size));
      const [btype, cLevel, cEnt] = [copy.getUint8(0), copy.getUint8(1), copy.getUint16(2, true)];
      const number = (o: number): number => Number(copy.getBigUint64(o, true));
      if (btype === 1) {
        const bids = Array.from({ length: cEnt }, (_, k) => number(8 + 8 * k));
        bids.forEach(put);
        forge.xblock(bid, cLevel, bids, copy.getUint32(4, true));
      } else if (cLevel === 0) {
        const entries = Array.from({ length: cEnt }, (_, k) => {
          const o = 8 + 24 * k;
          return { nid: copy.getUint32(o, true), bidData: number(o + 8), bidSub: number(o + 16) };
        });
        for (const entry of entries) {
          put(entry.bidData);
          put(entry.bidSub);
        }
        forge.slblock(bid, entries);
      } else {
        const entries = Array.from({ length: cEnt }, (_, k) => ({
          nid: copy.getUint32(8 + 16 * k, true),
          bid: number(16 + 16 * k),
        }));
        for (const entry of entries) put(entry.bid);
        forge.siblock(bid, entries);
      }
    }
    forge.blocks[forge.blocks.length - 1]!.cRef = bbt.cRef(index);
  };
  for (const node of nodes) {
    put(node.bidData);
    put(node.bidSub);
  }
  return finish(forge, nodes, crypt);
}

function finish(forge: Forge, nodes: readonly NodeEntry[], crypt: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(forge.finish(forge.nbt(nodes)));
  bytes[forge.variant === ANSI ? 461 : 513] = crypt;
  sealHeader(bytes, forge.variant);
  return bytes;
}

/** What no small real store has: XXBLOCK, SIBLOCK, BTHs of several levels, heaps and row matrices of many blocks. */
function deepStore(variant: Variant): Uint8Array<ArrayBuffer> {
  const core = Core.load();
  const forge = new Forge(variant);
  let next = 4;
  const nextBid = (internal: boolean): number => (next += 4) - 4 + (internal ? 2 : 0);
  const tree = (chain: number): number => {
    const { x } = core;
    const leaves: number[] = [];
    let total = 0;
    for (let k = 0; k < x.chainCount(chain); k++) {
      const [ptr, size] = [x.chainPtr(chain, k), x.chainSize(chain, k)];
      leaves.push(forge.block(nextBid(false), core.u8.slice(ptr, ptr + size)));
      total += size;
    }
    x.chainFree(chain);
    return leaves.length === 1 ? leaves[0]! : forge.xblock(nextBid(true), 1, leaves, total);
  };
  const pc = (stream: StreamWriter): number => tree(encodePc(core, stream.build(), {}));
  const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'utf16le'));

  // More than 447 properties: a BTH of two levels; values of 30 KB: a heap of several blocks.
  const wide = new StreamWriter().set(0x001a001f, text('IPM.Note'));
  for (let k = 0; k < 600; k++) wide.set(((0x8000 + k) << 16) | 0x1f, text(`value ${k} `.repeat(3)));
  wide.setExternal(0x10130102, 0x3f).setExternal(0x1000001f, 0x5f);

  const leaves = Array.from({ length: 24 }, (_, k) => forge.block(nextBid(false), new Uint8Array(60 + k).fill(k)));
  const half = (from: number): number =>
    forge.xblock(nextBid(true), 1, leaves.slice(from, from + 12), 12 * 60 + 12 * from + 66);
  const xx = forge.xblock(nextBid(true), 2, [half(0), half(12)], 24 * 60 + 276);
  const attachment = pc(
    new StreamWriter().setInline(0x37050003, 5).set(0x3704001f, text('a.msg')).set(0x3701000d, objectOf(0x2004)),
  );
  const inner = pc(new StreamWriter().set(0x001a001f, text('IPM.Note')).set(0x0037001f, text('inner')));
  const embedded = forge.slblock(nextBid(true), [{ nid: 0x2004, bidData: inner, bidSub: 0 }]);
  const low = forge.slblock(nextBid(true), [
    { nid: 0x3f, bidData: xx, bidSub: 0 },
    { nid: 0x5f, bidData: leaves[3]!, bidSub: 0 },
  ]);
  const high = forge.slblock(nextBid(true), [
    { nid: 0x8005, bidData: attachment, bidSub: embedded },
    { nid: 0x8025, bidData: attachment, bidSub: embedded },
  ]);
  const si = forge.siblock(nextBid(true), [
    { nid: 0x3f, bid: low },
    { nid: 0x8005, bid: high },
  ]);

  // 1,500 rows: a row index of two levels, a row matrix of ten blocks, in a subnode.
  const columns: Column[] = [
    { tag: 0x67f20003, ibData: 0, cbData: 4, iBit: 0 },
    { tag: 0x67f30003, ibData: 4, cbData: 4, iBit: 1 },
    { tag: 0x0e070003, ibData: 8, cbData: 4, iBit: 2 },
    { tag: 0x0037001f, ibData: 12, cbData: 4, iBit: 3 },
    { tag: 0x0e060040, ibData: 16, cbData: 8, iBit: 4 },
    { tag: 0x0e05001f, ibData: 24, cbData: 4, iBit: 5 },
    { tag: 0x0017_0003, ibData: 28, cbData: 4, iBit: 6 },
    { tag: 0x0e1b000b, ibData: 32, cbData: 1, iBit: 7 },
  ];
  const table = new TableWriter(core, tcInfo(columns, [32, 32, 33, 34]), {});
  for (let k = 0; k < 1500; k++) {
    const row = new StreamWriter().setInline(0x67f20003, 0x200024 + 32 * k).setInline(0x67f30003, k + 1);
    row.setInline(0x0e070003, 1).set(0x0e060040, new Uint8Array(8).fill(k)).setInline(0x0e1b000b, 1);
    if (k % 5 === 0) row.set(0x0037001f, text(`subject ${k}`));
    table.row(row.build(0x200024 + 32 * k));
  }
  const { heap, rows } = table.end(0x7f);
  const matrix = forge.slblock(nextBid(true), [{ nid: 0x7f, bidData: tree(rows), bidSub: 0 }]);
  const contents = tree(heap);
  const folder = pc(new StreamWriter().set(0x3001001f, text('folder')).setInline(0x36020003, 1500));
  const store = pc(new StreamWriter().set(0x0ff90102, new Uint8Array(16).fill(7)).set(0x3001001f, text('deep')));
  const message = pc(wide);
  return finish(
    forge,
    [
      { nid: 0x21, bidData: store, bidSub: 0, nidParent: 0 },
      { nid: 0x122, bidData: folder, bidSub: 0, nidParent: 0x122 },
      { nid: 0x12e, bidData: contents, bidSub: matrix, nidParent: 0 },
      ...Array.from({ length: 40 }, (_, k) => ({
        nid: 0x200024 + 32 * k,
        bidData: k === 0 ? message : inner,
        bidSub: k === 0 ? si : 0,
        nidParent: 0x122,
      })),
    ],
    CRYPT.NONE,
  );
}

/** The value of a PtypObject: NID and size. */
function objectOf(nid: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, nid, true);
  return bytes;
}
