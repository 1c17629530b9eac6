/** Structure: one rule broken at a time is reported, and nothing that does not follow from it. */
import { expect, test } from 'vitest';
import { checkStore } from '../../src/check/check.js';
import { Core } from '../../src/core/core.js';
import { MemoryFile } from '../memory-file.js';
import { crime, prosecute, swap, u8, u16, u32 } from './crime.js';
import { AMAP_AT, FIRST, PAGE_SIZE, Patient, PMAP_AT, SECOND } from './patient.js';

const TRAILER = PAGE_SIZE - 16;

test('the patient is sound', () => {
  expect(new Patient().findings('own')).toEqual([]);
  expect(new Patient().findings('foreign')).toEqual([]);
});

test('progress rises and ends at its total', () => {
  const steps: [number, number][] = [];
  const progress = (done: number, total: number): void => void steps.push([done, total]);
  const patient = new Patient();
  checkStore(new MemoryFile('patient.pst', patient.bytes), Core.load(), { profile: 'own', progress });
  expect(steps.length).toBeGreaterThan(3);
  for (let k = 1; k < steps.length; k++) expect(steps[k]![0] >= steps[k - 1]![0]).toBe(true);
  expect(steps.at(-1)![0]).toBe(steps.at(-1)![1]);
});

prosecute('header', [
  crime('header.crc-partial', (p) => u32(p, 4, (x) => x ^ 1), true),
  crime('header.crc-full', (p) => u32(p, 524, (x) => x ^ 1), true),
  crime('header.sentinel', (p) => p.view.setUint8(512, 0x81)),
  crime('header.client', (p) => p.view.setUint16(12, 12, true)),
  crime('header.platform', (p) => p.view.setUint8(14, 2)),
  crime('header.bid-unused', (p) => p.view.setUint32(24, 5, true)),
  crime('header.amap-valid', (p) => p.view.setUint8(248, 0)),
  crime('header.amap-last', (p) => u32(p, 192, (x) => x + 253_952)),
  crime('header.pmap-free', (p) => p.view.setUint32(208, 64, true)),
  crime('header.next-bid', (p) => p.view.setUint32(516, p.ndb.bbt.bid(p.ndb.bbt.count - 1), true)),
  crime('header.next-page-bid', (p) => p.view.setUint32(32, 1, true)),
  crime('header.unique', (p) => p.view.setUint32(40, 1, true)),
  crime('header.rgnid', (p) => u32(p, 44 + 4 * 4, (x) => x - 1)),
  crime('header.rgnid', (p) => u32(p, 44 + 4 * 5, (x) => x - 1)), // an attachment, which is a subnode
  crime('header.rgnid-start', (p) => u32(p, 44 + 4 * 11, () => 0x3ff)),
  crime('header.rgnid-folders', (p) => u32(p, 44 + 4 * 13, (x) => x + 1)),
  crime('header.rgb-fp', (p) => p.view.setUint8(384 + 5, 0x7f)),
  crime('fmap.low', (p) => p.view.setUint8(256, 1)),
  crime('amap.free-total', (p) => u32(p, 200, (x) => x + 64)),
]);

prosecute('maps and trees', [
  crime('page.type', (p) => p.view.setUint8(PMAP_AT + TRAILER, 0x84)),
  crime('page.crc', (p) => u32(p, AMAP_AT + TRAILER + 4, (x) => x ^ 1)),
  crime('page.signature', (p) => p.view.setUint16(AMAP_AT + TRAILER + 2, 1, true)),
  crime('page.bid', (p) => u32(p, PMAP_AT + TRAILER + 8, (x) => x + 1)),
  crime('pmap.content', (p) => p.view.setUint8(p.page(PMAP_AT) + 3, 0xfe)),
  crime('amap.unmarked', (p) => {
    const slot = (p.ndb.bbt.ib(5) - AMAP_AT) / 64;
    u8(p, p.page(AMAP_AT) + (slot >>> 3), (x) => x & ~(0x80 >>> (slot & 7)));
    u32(p, 200, (x) => x + 64);
  }),
  crime('amap.extra', (p) => {
    u8(p, p.page(AMAP_AT) + 495, (x) => x | 1);
    u32(p, 200, (x) => x - 64);
  }),
  crime('dlist.entries', (p) => p.bytes.set([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0], p.page(0x4200))),
  crime('tree.parent-key', (p) => u32(p, p.page(p.treePages('nbt').at(-2)![0]!) + 24, (x) => x - 1)),
  crime('tree.entry-max', (p) => p.view.setUint8(p.page(p.treePages('bbt').at(-1)![0]!) + 489, 19)),
  crime('tree.key-order', (p) => {
    const ib = p.page(p.treePages('bbt').at(-1)![1]!);
    swap(p, ib + 24, ib + 48, 24);
  }),
]);

/** The data tree of the long attachment: raw bytes, which no other rule looks at. */
function longTree(p: Patient): number {
  const [attachment] = p.subnodesOf(p.node(FIRST).bidSub, 5);
  const [value] = p.subnodesOf(p.subnode(FIRST, attachment!).bidSub, 0x1f);
  return p.subnode(FIRST, attachment!, value!).bidData;
}
const leaf = (p: Patient, k: number): number => p.view.getUint32(p.block(longTree(p)).at + 8 + 8 * k, true);

prosecute('blocks and references', [
  crime('block.crc', (p) => u8(p, p.ndb.bbt.ib(p.ndb.bbt.find(leaf(p, 1))), (x) => x ^ 1)),
  crime('block.cb', (p) => u16(p, p.blockTrailer(leaf(p, 1)), (x) => x - 1)),
  crime('block.signature', (p) => u16(p, p.blockTrailer(leaf(p, 1)) + 2, (x) => x ^ 1)),
  crime('block.bid', (p) => u32(p, p.blockTrailer(leaf(p, 1)) + 8, (x) => x + 4)),
  crime('bbt.refcount', (p) => u16(p, p.entry('bbt', leaf(p, 1)) + 18, () => 3)),
  crime('bbt.refcount', (p) => u16(p, p.entry('bbt', leaf(p, 1)) + 18, () => 1)),
  crime('bbt.bid-bit', (p) => u32(p, p.entry('bbt', leaf(p, 1)), (x) => x | 1)),
  crime('bbt.orphan', (p) => p.view.setUint32(p.entry('nbt', 0xc01) + 8, 0, true)),
  crime('datatree.total node.unreadable', (p) => u32(p, p.block(longTree(p)).at + 4, (x) => x + 1)),
  crime('datatree.missing bbt.orphan node.unreadable', (p) => u32(p, p.block(longTree(p)).at + 16, (x) => x + 0x10000)),
  crime('node.data-missing bbt.orphan node.unreadable', (p) => u32(p, p.entry('nbt', 0xc01) + 8, (x) => x + 0x10000)),
  crime('node.sub-missing bbt.orphan node.unreadable', (p) => u32(p, p.entry('nbt', FIRST) + 16, (x) => x + 0x10000)),
  crime('subtree.order node.unreadable', (p) => {
    const { at } = p.block(p.node(FIRST).bidSub);
    swap(p, at + 8, at + 32, 24);
  }),
  crime('subtree.block node.unreadable', (p) => p.view.setUint8(p.block(p.node(FIRST).bidSub).at, 1)),
]);

const STORE = 0x21;
const OUTGOING = 0x64c;
const store = (p: Patient): number => p.node(STORE).bidData;
const outgoing = (p: Patient): number => p.node(OUTGOING).bidData;
/** The recipient table of a message to one person. */
const recipients = (p: Patient): number => p.subnode(SECOND, 0x692).bidData;
/** The page map of a heap of one block. */
const pageMap = (p: Patient, bid: number): number => p.block(bid).at + p.view.getUint16(p.block(bid).at, true);

prosecute('heaps', [
  crime('hn.free-count', (p) => u16(p, pageMap(p, store(p)) + 2, () => 1)),
  crime('hn.last-item message.search-key', (p) => {
    const map = pageMap(p, p.node(SECOND).bidData);
    u16(p, map + 4 + 2 * p.view.getUint16(map, true), (x) => x - 2);
  }),
  crime('hn.fill-level', (p) => u8(p, p.block(store(p)).at + 8, (x) => x ^ 5)),
  crime('hn.damage node.unreadable', (p) => p.view.setUint8(p.block(recipients(p)).at + 2, 0xed)),
  crime('bth.key-order', (p) => swap(p, p.property(store(p), 0x0e340102), p.property(store(p), 0x0e380003), 8)),
  crime('pc.hid', (p) => u32(p, p.property(store(p), 0x35e70102) + 4, (x) => x + 0x20 * 100)),
  crime('pc.value-size message.required', (p) =>
    u16(p, p.property(p.node(SECOND).bidData, 0x30070040) + 2, () => 0x48),
  ),
  crime('pc.boolean', (p) => u32(p, p.property(store(p), 0x6633000b) + 4, () => 2)),
  crime('pc.type', (p) => u16(p, p.property(p.node(SECOND).bidData, 0x00260003) + 2, () => 0x33)),
]);

prosecute('tables', [
  crime('tc.column-order', (p) => {
    const { column } = p.table(p.node(0x671).bidData);
    swap(p, column(0x37050003), column(0x370b0003), 8);
  }),
  crime('tc.groups node.unreadable', (p) => u16(p, p.table(outgoing(p)).info + 2, (x) => x + 8)),
  crime('tc.bitmap', (p) => u16(p, p.table(outgoing(p)).info + 8, (x) => x + 1)),
  crime('tc.index', (p) => u32(p, p.table(outgoing(p)).info + 18, () => 0x20)),
  crime('tc.column-bit required.template-layout', (p) =>
    u8(p, p.table(outgoing(p)).column(0x0e100003) + 7, (x) => x - 1),
  ),
  crime('tc.column-overlap required.template-layout', (p) =>
    u16(p, p.table(outgoing(p)).column(0x0e100003) + 4, (x) => x - 4),
  ),
  crime('tc.required-column', (p) => u16(p, p.table(outgoing(p)).column(0x0e100003), () => 4)),
  crime('tc.row-id-column tc.row-version-column required.template-layout', (p) => {
    const { column } = p.table(outgoing(p));
    u8(p, column(0x67f20003) + 7, () => 1);
    u8(p, column(0x67f30003) + 7, () => 0);
  }),
  crime('tc.row-id', (p) => u32(p, p.cell(recipients(p), 0, 0x67f20003).at, (x) => x + 1)),
  crime('tc.row-index message.display-list', (p) => u32(p, p.table(recipients(p)).rowIndex.at + 4, () => 1)),
  crime('tc.unused-bits', (p) => u8(p, p.cell(recipients(p), 0, 0x39ff001f).bit, (x) => x | 1)),
  crime('tc.hid', (p) => u32(p, p.cell(recipients(p), 0, 0x0ff90102).at, (x) => x + 0x20 * 100)),
]);
