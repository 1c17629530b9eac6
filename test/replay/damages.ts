/**
 * Stores damaged in every way that ends a clone: one thing wrong in each, every other checksum good. What is in them is the secrets, so
 * that a redacted bundle can be searched for them.
 */
import { buildStore } from '../../src/build/store.js';
import { Core } from '../../src/core/core.js';
import type { PstErrorCode } from '../../src/errors.js';
import { memoryFile } from '../../src/host/memory.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { wireSize } from '../../src/wire/block.js';
import { ANSI, UNICODE, UNICODE_4K, type Variant } from '../../src/wire/variant.js';
import { crc, Forge } from '../ndb/forge.js';
import { Forged, text } from './forged.js';

/** What a redacted bundle must not hold. */
export const SECRETS = [
  'Wintermute',
  'Neuromancer',
  'Straylight',
  'ada.lovelace@example.org',
  'Ларина',
  'kestrel-archive',
  'Attachment of Byron',
  'quarterly',
] as const;

const PROSE = `Wintermute wrote to Neuromancer about Straylight; the quarterly figures of Татьяна Ларина are in kestrel-archive. `;
const PERSON = { name: 'Ada Wintermute', address: 'ada.lovelace@example.org' };

export type Crypt = 'none' | 'permute' | 'cyclic';
const whole = new Map<Crypt, Uint8Array<ArrayBuffer>>();

/** Messages enough for trees of two levels; one with everything in it, whose attachments come after its text. */
function build(crypt: Crypt): Uint8Array<ArrayBuffer> {
  const file = memoryFile('kestrel-archive.pst');
  const recordKey = Uint8Array.from({ length: 16 }, (_, k) => k + 1);
  buildStore(file, { recordKey, crypt, displayName: 'kestrel-archive', now: new Date('2024-05-06T07:08:09Z') }, (b) => {
    const inbox = b.ipmSubtree.folder('Neuromancer');
    inbox.message({
      subject: 'RE: Wintermute',
      body: PROSE.repeat(200),
      sender: PERSON,
      to: [PERSON, { name: 'Ларина', address: 'larina@example.org' }],
      properties: { [0x101a101f]: ['Wintermute', 'Straylight', 'quarterly'] },
      attachments: [
        { name: 'kestrel-archive.txt', data: new TextEncoder().encode(`Attachment of Byron. ${PROSE}`.repeat(400)) },
        { name: 'inner', message: { subject: 'Straylight', body: PROSE, to: [PERSON] } },
        ...Array.from({ length: 30 }, (_, k) => ({ name: `quarterly${k}.txt`, data: new TextEncoder().encode(PROSE) })),
      ],
    });
    for (let k = 0; k < 60; k++)
      inbox.message({ subject: `Wintermute ${k}`, body: PROSE, sender: PERSON, to: [PERSON] });
  });
  return file.bytes.slice();
}

function storeOf(crypt: Crypt): Uint8Array<ArrayBuffer> {
  let bytes = whole.get(crypt);
  if (bytes === undefined) whole.set(crypt, (bytes = build(crypt)));
  return bytes.slice();
}

/** The message with everything in it. */
const FIRST = 0x200024;
const PAGE = 512;
const TRAILER = 16;

/** A built store under the knife. */
class Patient {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly ndb: Ndb;

  constructor(crypt: Crypt = 'permute') {
    this.bytes = storeOf(crypt);
    this.view = new DataView(this.bytes.buffer);
    this.ndb = Ndb.open(memoryFile('patient', this.bytes), Core.load('raw'));
  }

  /** Where a block lies, its size, and where its trailer is. */
  block(bid: number): { ib: number; cb: number; trailer: number } {
    const { bbt } = this.ndb;
    const i = bbt.find(bid);
    const [ib, cb] = [bbt.ib(i), bbt.cb(i)];
    return { ib, cb, trailer: ib + wireSize(cb, UNICODE) - TRAILER };
  }

  /** Makes the checksum of a block good. */
  heal(bid: number): void {
    const { ib, cb, trailer } = this.block(bid);
    this.view.setUint32(trailer + 4, crc(this.bytes.subarray(ib, ib + cb)), true);
  }

  healPage(ib: number): void {
    this.view.setUint32(ib + PAGE - TRAILER + 4, crc(this.bytes.subarray(ib, ib + PAGE - TRAILER)), true);
  }

  get first(): { bidData: number; bidSub: number } {
    const i = this.ndb.getNode(FIRST);
    return { bidData: this.ndb.nbt.bidData(i), bidSub: this.ndb.nbt.bidSub(i) };
  }

  /** The last attachment of the first message: all others are read before it. */
  get last(): { bidData: number; bidSub: number; entry: number } {
    const { bidSub } = this.first;
    const index = this.ndb.subnodes(bidSub, {});
    const k = index.count - 1;
    return { bidData: index.bidData(k), bidSub: index.bidSub(k), entry: this.block(bidSub).ib + 8 + 24 * k };
  }

  /** The XBLOCK of the large attachment. */
  get xblock(): number {
    const { bbt } = this.ndb;
    for (let i = 0; i < bbt.count; i++) {
      if ((bbt.bid(i) & 2) !== 0 && this.bytes[bbt.ib(i)] === 1 && bbt.cb(i) > 60) return bbt.bid(i);
    }
    throw new Error('no XBLOCK');
  }

  /** A leaf of it. */
  get leaf(): number {
    return this.view.getUint32(this.block(this.xblock).ib + 8 + 8 * 2, true);
  }

  /** Entry of a block in the BBT, and its page. */
  entry(bid: number): { at: number; page: number } {
    for (const page of this.pages('bbt').at(-1)!) {
      for (let e = 0; e < this.view.getUint8(page + 488); e++) {
        if (this.view.getUint32(page + 24 * e, true) === bid) return { at: page + 24 * e, page };
      }
    }
    throw new Error('no entry');
  }

  /** Pages of a tree, level by level. */
  pages(tree: 'nbt' | 'bbt'): number[][] {
    const levels = [[this.ndb.header.root[tree].ib]];
    while (this.view.getUint8(levels.at(-1)![0]! + 491) > 0) {
      levels.push(
        levels
          .at(-1)!
          .flatMap((page) =>
            Array.from({ length: this.view.getUint8(page + 488) }, (_, e) =>
              this.view.getUint32(page + 24 * e + 16, true),
            ),
          ),
      );
    }
    return levels;
  }

  write(at: number, words: string, size = 1000): void {
    this.bytes.set(new TextEncoder().encode(words).subarray(0, size), at);
  }
}

export interface Damage {
  readonly name: string;
  readonly code: PstErrorCode;
  readonly field?: string;
  readonly operation: 'node' | 'open';
  readonly reencode?: boolean;
  /** What is left cannot be smaller than what there was: the whole file, of a few bytes. */
  readonly isWhole?: true;
  /** What --pst says. */
  readonly pst?: 'written';
  make(): Uint8Array<ArrayBuffer>;
}

type Knife = (patient: Patient) => void;

const operate =
  (cut: Knife, crypt: Crypt = 'permute') =>
  (): Uint8Array<ArrayBuffer> => {
    const patient = new Patient(crypt);
    cut(patient);
    return patient.bytes;
  };

const node = (
  name: string,
  code: PstErrorCode,
  field: string,
  cut: Knife,
  rest: Partial<Damage> & { crypt?: Crypt } = {},
): Damage => ({
  name,
  code,
  field,
  operation: 'node',
  make: operate(cut, rest.crypt),
  ...rest,
});

const open = (
  name: string,
  code: PstErrorCode,
  field: string | undefined,
  cut: Knife,
  rest: Partial<Damage> = {},
): Damage => ({
  name,
  code,
  ...(field === undefined ? {} : { field }),
  operation: 'open',
  make: operate(cut),
  ...rest,
});

const flip = (p: Patient, bid: number): void => {
  p.bytes[p.block(bid).ib + 9]! ^= 0x40;
};
/** Changes a block and makes its checksum good. */
const edit = (p: Patient, bid: number, change: (at: number) => void): void => {
  change(p.block(bid).ib);
  p.heal(bid);
};
const lastPage = (p: Patient, tree: 'nbt' | 'bbt'): number => p.pages(tree).at(-1)!.at(-1)!;
const editPage = (p: Patient, page: number, change: (at: number) => void): void => {
  change(page);
  p.healPage(page);
};

const BLOCKS: readonly Damage[] = [
  node('a flipped bit in a leaf', 'PST_BAD_CRC', 'BLOCKTRAILER.dwCRC', (p) => flip(p, p.leaf)),
  node('a flipped bit, cyclic', 'PST_BAD_CRC', 'BLOCKTRAILER.dwCRC', (p) => flip(p, p.leaf), { crypt: 'cyclic' }),
  node('a flipped bit, not encoded', 'PST_BAD_CRC', 'BLOCKTRAILER.dwCRC', (p) => flip(p, p.leaf), { crypt: 'none' }),
  node('a flipped bit in a message', 'PST_BAD_CRC', 'BLOCKTRAILER.dwCRC', (p) => flip(p, p.last.bidData)),
  node('a flipped bit, re-encoded', 'PST_BAD_CRC', 'BLOCKTRAILER.dwCRC', (p) => flip(p, p.last.bidData), {
    reencode: true,
  }),
  node('a flipped bit in an XBLOCK', 'PST_BAD_CRC', 'BLOCKTRAILER.dwCRC', (p) => flip(p, p.xblock)),
  node('a flipped bit in an SLBLOCK', 'PST_BAD_CRC', 'BLOCKTRAILER.dwCRC', (p) => flip(p, p.first.bidSub)),
  node('a stored checksum of zero', 'PST_BAD_CRC', 'BLOCKTRAILER.dwCRC', (p) =>
    p.view.setUint32(p.block(p.leaf).trailer + 4, 0, true),
  ),
  node('a wrong signature', 'PST_BAD_SIG', 'BLOCKTRAILER.wSig', (p) =>
    p.view.setUint16(p.block(p.last.bidData).trailer + 2, 0x7777, true),
  ),
  node('a block that names itself otherwise', 'PST_BAD_BID', 'BLOCKTRAILER.bid', (p) =>
    p.view.setUint32(p.block(p.leaf).trailer + 8, 0x9999, true),
  ),
  node('a block with a BID beyond 32 bits', 'PST_BAD_BID', 'BLOCKTRAILER.bid', (p) =>
    p.view.setUint32(p.block(p.last.bidData).trailer + 12, 1, true),
  ),
  node('another size in the trailer', 'PST_BAD_BLOCK', 'BLOCKTRAILER.cb', (p) =>
    p.view.setUint16(p.block(p.leaf).trailer, 17, true),
  ),
  node('a sector of zeros', 'PST_BAD_BLOCK', 'BLOCKTRAILER.cb', (p) => {
    const { ib, trailer } = p.block(p.last.bidData);
    p.bytes.fill(0, ib, trailer + TRAILER);
  }),
  node('a sector of somebody’s mail', 'PST_BAD_BLOCK', 'BLOCKTRAILER.cb', (p) => {
    const { ib, trailer } = p.block(p.leaf);
    p.write(ib, PROSE.repeat(100), 8000);
    p.write(trailer, 'Straylight, 1984'.slice(0, TRAILER));
  }),
  node('mail over half a block', 'PST_BAD_CRC', 'BLOCKTRAILER.dwCRC', (p) => p.write(p.block(p.leaf).ib + 1000, PROSE)),
];

const REFERENCES: readonly Damage[] = [
  node(
    'a subnode whose block is missing',
    'PST_MISSING',
    '',
    (p) => edit(p, p.first.bidSub, () => p.view.setUint32(p.last.entry + 8, 0x77770, true)),
    { field: undefined as never },
  ),
  node(
    'a BID beyond numbers',
    'PST_MISSING',
    '',
    (p) => edit(p, p.first.bidSub, () => p.bytes.fill(0xfc, p.last.entry + 8, p.last.entry + 16)),
    { field: undefined as never },
  ),
  node(
    'a node whose block is missing',
    'PST_MISSING',
    '',
    (p) => {
      const page = p
        .pages('nbt')
        .at(-1)!
        .find(
          (each) =>
            p.view.getUint32(each, true) <= FIRST &&
            FIRST <= p.view.getUint32(each + 32 * (p.view.getUint8(each + 488) - 1), true),
        )!;
      editPage(p, page, () => {
        for (let e = 0; e < p.view.getUint8(page + 488); e++) {
          if (p.view.getUint32(page + 32 * e, true) === FIRST) p.view.setUint32(page + 32 * e + 8, 0x77770, true);
        }
      });
    },
    { field: undefined as never },
  ),
  node(
    'a leaf of a tree missing',
    'PST_MISSING',
    '',
    (p) => edit(p, p.xblock, (at) => p.view.setUint32(at + 8 + 24, 0x77770, true)),
    { field: undefined as never },
  ),
  node('a BBT entry too large', 'PST_BAD_BLOCK', 'BBTENTRY.cb', (p) => {
    const { at, page } = p.entry(p.last.bidData);
    editPage(p, page, () => p.view.setUint16(at + 16, 9000, true));
  }),
  node('a BBT entry off its unit', 'PST_BAD_BLOCK', 'BBTENTRY.BREF', (p) => {
    const { at, page } = p.entry(p.last.bidData);
    editPage(p, page, () => p.view.setUint32(at + 8, p.view.getUint32(at + 8, true) + 8, true));
  }),
  node('a BBT entry behind the end', 'PST_TRUNCATED', 'BBTENTRY.BREF', (p) => {
    const { at, page } = p.entry(p.last.bidData);
    editPage(p, page, () => p.view.setUint32(at + 8, 0x7fffff00, true));
  }),
  node('a BBT entry that leads to another block', 'PST_BAD_BLOCK', 'BLOCKTRAILER.cb', (p) => {
    const { at, page } = p.entry(p.last.bidData);
    editPage(p, page, () => p.view.setUint32(at + 8, p.block(p.first.bidData).ib, true));
  }),
];

const READ: readonly Damage[] = [
  node(
    'an XBLOCK of another type',
    'PST_BAD_BLOCK',
    'XBLOCK.btype',
    (p) => edit(p, p.xblock, (at) => p.view.setUint8(at, 7)),
    { pst: 'written' },
  ),
  node(
    'an XBLOCK of level 3',
    'PST_BAD_BLOCK',
    'XBLOCK.cLevel',
    (p) => edit(p, p.xblock, (at) => p.view.setUint8(at + 1, 3)),
    { pst: 'written' },
  ),
  node(
    'an XBLOCK of too many',
    'PST_BAD_BLOCK',
    'XBLOCK.cEnt',
    (p) => edit(p, p.xblock, (at) => p.view.setUint16(at + 2, 999, true)),
    { pst: 'written' },
  ),
  node(
    'a tree of another size',
    'PST_BAD_BLOCK',
    'XBLOCK.lcbTotal',
    (p) => edit(p, p.xblock, (at) => p.view.setUint32(at + 4, 12345, true)),
    { pst: 'written' },
  ),
  node(
    'an XBLOCK that names an SLBLOCK',
    'PST_BAD_BLOCK',
    'XBLOCK.rgbid',
    (p) => edit(p, p.xblock, (at) => p.view.setUint32(at + 8 + 16, p.first.bidSub, true)),
    { pst: 'written' },
  ),
  node(
    'an XXBLOCK of data blocks',
    'PST_BAD_BLOCK',
    'XXBLOCK.rgbid',
    (p) => edit(p, p.xblock, (at) => p.view.setUint8(at + 1, 2)),
    { pst: 'written' },
  ),
  node(
    'an SLBLOCK of another type',
    'PST_BAD_BLOCK',
    'SLBLOCK.btype',
    (p) => edit(p, p.first.bidSub, (at) => p.view.setUint8(at, 9)),
    { pst: 'written' },
  ),
  node(
    'an SLBLOCK of level 5',
    'PST_BAD_BLOCK',
    'SLBLOCK.cLevel',
    (p) => edit(p, p.first.bidSub, (at) => p.view.setUint8(at + 1, 5)),
    { pst: 'written' },
  ),
  node(
    'an SLBLOCK of too many',
    'PST_BAD_BLOCK',
    'SLBLOCK.cEnt',
    (p) => edit(p, p.first.bidSub, (at) => p.view.setUint16(at + 2, 400, true)),
    { pst: 'written' },
  ),
  node(
    'subnodes out of order',
    'PST_BAD_BLOCK',
    'SLENTRY.nid',
    (p) => edit(p, p.first.bidSub, () => p.view.setUint32(p.last.entry, 5, true)),
    { pst: 'written' },
  ),
  node(
    'subnodes in a data block',
    'PST_BAD_BLOCK',
    'SLBLOCK',
    (p) => edit(p, p.first.bidSub, () => p.view.setUint32(p.last.entry + 16, p.last.bidData, true)),
    { pst: 'written' },
  ),
  node(
    'a message that holds itself',
    'PST_LIMIT',
    undefined as never,
    (p) => edit(p, p.first.bidSub, () => p.view.setUint32(p.last.entry + 16, p.first.bidSub, true)),
    { pst: 'written' },
  ),
];

/** A clone that keeps blocks looks through an internal one before it reads it; re-encoding reads it at once. */
const LISTS: readonly Damage[] = READ.flatMap((damage): Damage[] => {
  const { field: _, ...kept } = damage;
  return [
    { ...damage, name: `${damage.name}, re-encoded`, reencode: true },
    { ...kept, name: `${damage.name}, kept` },
  ];
});

const TREES: readonly Damage[] = (['nbt', 'bbt'] as const).flatMap((tree) => [
  open(
    `${tree}: a flipped bit`,
    'PST_BAD_CRC',
    'PAGETRAILER.dwCRC',
    (p) => void (p.bytes[lastPage(p, tree) + 9]! ^= 1),
  ),
  open(`${tree}: a page of another type`, 'PST_BAD_PTYPE', 'PAGETRAILER.ptype', (p) =>
    p.view.setUint8(lastPage(p, tree) + 496, 0x84),
  ),
  open(`${tree}: a page of two types`, 'PST_BAD_PTYPE', 'PAGETRAILER.ptypeRepeat', (p) =>
    p.view.setUint8(lastPage(p, tree) + 497, 1),
  ),
  open(`${tree}: a wrong signature`, 'PST_BAD_SIG', 'PAGETRAILER.wSig', (p) =>
    p.view.setUint16(lastPage(p, tree) + 498, 1, true),
  ),
  open(`${tree}: a page of another BID`, 'PST_BAD_BID', 'PAGETRAILER.bid', (p) => {
    const page = p.pages(tree)[0]![0]!; // the reference is wrong, the page is sound
    editPage(p, page, () => p.view.setUint32(page + 24 + 8, 0x6666, true));
  }),
  open(`${tree}: a page of mail`, 'PST_BAD_PTYPE', 'PAGETRAILER.ptype', (p) => {
    p.write(lastPage(p, tree), PROSE.repeat(9), 490);
    p.write(lastPage(p, tree) + 490, 'Straylight Wintermute', 22);
  }),
  open(`${tree}: a page of zeros`, 'PST_BAD_PTYPE', 'PAGETRAILER.ptype', (p) =>
    p.bytes.fill(0, lastPage(p, tree), lastPage(p, tree) + PAGE),
  ),
  open(`${tree}: a leaf where a branch belongs`, 'PST_BAD_TREE', 'BTPAGE.cLevel', (p) =>
    editPage(p, lastPage(p, tree), (at) => p.view.setUint8(at + 491, 4)),
  ),
  open(`${tree}: entries of another size`, 'PST_BAD_TREE', 'BTPAGE.cbEnt', (p) =>
    editPage(p, lastPage(p, tree), (at) => p.view.setUint8(at + 490, 7)),
  ),
  open(`${tree}: too many entries`, 'PST_BAD_TREE', 'BTPAGE.cEnt', (p) =>
    editPage(p, lastPage(p, tree), (at) => p.view.setUint8(at + 488, 200)),
  ),
  open(`${tree}: keys out of order`, 'PST_BAD_TREE', 'rgentries', (p) => {
    const size = tree === 'nbt' ? 32 : 24;
    editPage(p, lastPage(p, tree), (at) => p.view.setUint32(at + size, 1, true));
  }),
  open(`${tree}: a tree of 99 levels`, 'PST_BAD_TREE', 'BTPAGE.cLevel', (p) =>
    editPage(p, p.pages(tree)[0]![0]!, (at) => p.view.setUint8(at + 491, 99)),
  ),
  open(`${tree}: a page behind the end`, 'PST_TRUNCATED', undefined, (p) =>
    editPage(p, p.pages(tree)[0]![0]!, (at) => p.view.setUint32(at + 24 + 16, 0x7fffff00, true)),
  ),
  open(`${tree}: a page nowhere`, 'PST_BAD_TREE', 'BREF.ib', (p) =>
    editPage(p, p.pages(tree)[0]![0]!, (at) => p.view.setUint32(at + 24 + 16, 0, true)),
  ),
]);

const HEADERS: readonly Damage[] = [
  open('a text for a store', 'PST_NOT_A_STORE', 'HEADER.dwMagic', (p) => p.write(0, PROSE.repeat(9), 564)),
  open('a wrong magic', 'PST_NOT_A_STORE', 'HEADER.dwMagic', (p) => p.view.setUint32(0, 0x12345678, true)),
  open('no client we know', 'PST_NOT_A_STORE', 'HEADER.wMagicClient', (p) => p.view.setUint16(8, 0x5151, true)),
  open('a version we do not know', 'PST_UNSUPPORTED', 'HEADER.wVer', (p) => p.view.setUint16(10, 99, true)),
  open('a protected store', 'PST_UNSUPPORTED', 'HEADER.wVer', (p) => p.view.setUint16(10, 37, true)),
  open('an encoding we do not know', 'PST_UNSUPPORTED', 'HEADER.bCryptMethod', (p) => p.view.setUint8(513, 9)),
  open('a counter beyond numbers', 'PST_ABSURD', 'HEADER.bidNextB', (p) => p.bytes.fill(0xff, 516, 524)),
  open('secrets where nothing is', 'PST_UNSUPPORTED', 'HEADER.bCryptMethod', (p) => {
    p.view.setUint8(513, 9);
    p.write(24, 'Wintermu');
    p.write(528, 'Neuromancer, Wintermute and kestrel-'.slice(0, 35));
  }),
  {
    name: 'half a header',
    code: 'PST_TRUNCATED',
    operation: 'open',
    make: () => storeOf('permute').slice(0, 300),
  },
  {
    name: 'the first bytes of a store',
    code: 'PST_NOT_A_STORE',
    operation: 'open',
    make: () => storeOf('permute').slice(0, 9),
    isWhole: true,
  },
  { name: 'an empty file', code: 'PST_NOT_A_STORE', operation: 'open', make: () => new Uint8Array(0), isWhole: true },
];

/** Stores that are made of nothing but the damage, and the text it is found in. */
const note = (): StreamWriter =>
  new StreamWriter().set(0x001a001f, text('IPM.Note')).set(0x0037001f, text('Wintermute')).set(0x1000001f, text(PROSE));

const forged = (
  name: string,
  code: PstErrorCode,
  rest: Partial<Damage>,
  make: (forged: Forged) => Uint8Array<ArrayBuffer>,
): Damage => ({
  name,
  code,
  operation: 'node',
  ...rest,
  make: () => make(new Forged()),
});

const FORGED: readonly Damage[] = [
  forged(
    'an SIBLOCK in an SIBLOCK',
    'PST_BAD_BLOCK',
    { field: 'SLBLOCK.cLevel', reencode: true, pst: 'written' },
    (store) => {
      const leaf = store.data(text(PROSE));
      const list = store.sub([{ nid: 0x3f, bidData: leaf, bidSub: 0 }]);
      const inner = store.forge.siblock(store.bid(true), [{ nid: 0x3f, bid: list }]);
      const outer = store.forge.siblock(store.bid(true), [
        { nid: 0x1f, bid: list },
        { nid: 0x3f, bid: inner },
      ]);
      return store.store([{ nid: FIRST, bidData: store.pc(note()), bidSub: outer, nidParent: 0x122 }]);
    },
  ),
  forged('one leaf again and again', 'PST_LIMIT', {}, (store) => {
    const leaf = store.data(text(PROSE));
    const tree = store.forge.xblock(store.bid(true), 1, new Array(900).fill(leaf), 900 * 2 * PROSE.length);
    const bidSub = store.sub([{ nid: 0x3f, bidData: tree, bidSub: 0 }]);
    return store.store([{ nid: FIRST, bidData: store.pc(note()), bidSub, nidParent: 0x122 }]);
  }),
  forged('an XBLOCK of four bytes', 'PST_BAD_BLOCK', { field: 'XBLOCK', reencode: true }, (store) => {
    const stump = store.forge.block(store.bid(true), Uint8Array.of(1, 1, 0, 0));
    const bidSub = store.sub([{ nid: 0x3f, bidData: stump, bidSub: 0 }]);
    return store.store([{ nid: FIRST, bidData: store.pc(note()), bidSub, nidParent: 0x122 }]);
  }),
  forged('a table whose rows are damaged', 'PST_BAD_CRC', { field: 'BLOCKTRAILER.dwCRC' }, (store) => {
    const ids = Array.from({ length: 900 }, (_, k) => FIRST + 32 * k);
    const { bidData, bidRows } = store.table(ids, 0x3f, 'Wintermute');
    const { ib } = store.forge.blocks.findLast(({ bid }) => (bid & 2) === 0)!;
    store.forge.bytes[ib + 5]! ^= 4;
    const bidSub = store.sub([{ nid: 0x3f, bidData: bidRows, bidSub: 0 }]);
    return store.store([{ nid: 0x12e, bidData, bidSub, nidParent: 0 }]);
  }),
  ...([ANSI, UNICODE_4K] as Variant[]).map(
    (variant): Damage => ({
      name: `a page of an ${variant === ANSI ? 'ANSI' : '4K'} store`,
      code: 'PST_BAD_CRC',
      field: 'PAGETRAILER.dwCRC',
      operation: 'open',
      make() {
        const forge = new Forge(variant);
        const data = forge.block(4, text(PROSE));
        const nodes = Array.from({ length: 200 }, (_, k) => ({ nid: FIRST + 32 * k, bidData: data, bidSub: 0 }));
        const nbt = forge.nbt(nodes);
        const bytes = forge.finish(nbt) as Uint8Array<ArrayBuffer>;
        // The root of the NBT was written last before the BBT; the page before it is a leaf.
        const size = variant === ANSI ? 512 : 4096;
        bytes[nbt.ib - size + 3]! ^= 1;
        return bytes;
      },
    }),
  ),
];

export const DAMAGES: readonly Damage[] = [...BLOCKS, ...REFERENCES, ...LISTS, ...TREES, ...HEADERS, ...FORGED];
