/** Content: one rule broken at a time is reported, and nothing that does not follow from it. */
import { crime, prosecute, u8, u16, u32 } from './crime.js';
import { FIRST, type Patient, SECOND } from './patient.js';

const ROOT = 0x122;
const STORE = 0x21;
const NAMES = 0x61;
const INSIDE_CONTENTS = 0x80ce;
const pc = (p: Patient, nid: number): number => p.node(nid).bidData;
const store = (p: Patient): number => pc(p, STORE);
/** The contents table with one row, that of FIRST. */
const row = (p: Patient, tag: number) => p.cell(pc(p, INSIDE_CONTENTS), 0, tag);

/** Clears a cell: its bit and its bytes. */
function clear(p: Patient, { at, size, bit, mask }: ReturnType<Patient['cell']>): void {
  u8(p, bit, (x) => x & ~mask);
  p.bytes.fill(0, at, at + size);
}

prosecute('nodes every store has', [
  crime('required.node', (p) => u32(p, p.entry('nbt', 0x6b6), (x) => x + 1)),
  crime('required.template', (p) => u32(p, p.entry('nbt', 0x692), (x) => x + 1)),
  crime('required.receive-folder', (p) => u32(p, p.cell(pc(p, 0x62b), 0, 0x66050003).at, () => 0x9002)),
  crime('required.queue bbt.refcount', (p) => u32(p, p.entry('nbt', 0x1e1) + 8, () => store(p))),
  crime('store.password', (p) => u32(p, p.property(store(p), 0x67ff0003) + 4, () => 0x12345678)),
  crime('store.folder-mask', (p) => u32(p, p.property(store(p), 0x35df0003) + 4, () => 0x89)),
  crime('store.entry-id', (p) => u32(p, p.value(store(p), 0x35e00102).at + 20, (x) => x + 0x8000)),
  crime('store.entry-id', (p) => u8(p, p.value(store(p), 0x35e30102).at + 4, (x) => x ^ 1)),
  crime('store.required', (p) => u16(p, p.property(store(p), 0x67ff0003), () => 0x67fe)),
  crime('names.bucket', (p) => u32(p, p.value(pc(p, NAMES), bucketTag(p)).at, (x) => x ^ 1)),
  crime('names.guid names.bucket', (p) => u16(p, p.value(pc(p, NAMES), 0x00030102).at + 4, (x) => x | 0x100)),
  crime('names.string names.bucket', (p) => u32(p, textEntry(p), () => 0x7fff0000)),
  crime('names.bucket-count names.bucket', (p) => u32(p, p.property(pc(p, NAMES), 0x00010003) + 4, () => 250)),
  crime('index.hierarchy', (p) => {
    const bid = pc(p, 0xc01);
    const header = p.item(bid, 0x20);
    u8(p, p.item(bid, p.view.getUint32(header.at + 4, true)).at + 15, (x) => x ^ 1);
  }),
]);

/** The first bucket that is not empty. */
function bucketTag(p: Patient): number {
  for (let k = 0; k < 251; k++) {
    const tag = ((0x1000 + k) << 16) | 0x0102;
    try {
      p.property(pc(p, NAMES), tag >>> 0);
      return tag >>> 0;
    } catch {}
  }
  throw new Error('no bucket');
}

/** The entry of the first name that is a text. */
function textEntry(p: Patient): number {
  const { at, size } = p.value(pc(p, NAMES), 0x00030102);
  for (let e = at; e < at + size; e += 8) if ((p.view.getUint16(e + 4, true) & 1) === 1) return e;
  throw new Error('no text');
}

prosecute('folders', [
  crime('folder.count', (p) => u32(p, p.property(pc(p, ROOT), 0x36020003) + 4, () => 3)),
  crime('folder.unread', (p) => u32(p, p.property(pc(p, ROOT), 0x36030003) + 4, () => 3)),
  crime('folder.has-children', (p) => u32(p, p.property(pc(p, ROOT), 0x360a000b) + 4, () => 0)),
  crime('folder.required', (p) => u16(p, p.property(pc(p, ROOT), 0x36030003), () => 0x3604)),
  crime('hierarchy.row', (p) => u32(p, p.cell(pc(p, 0x12d), 0, 0x36020003).at, () => 9)),
  crime('hierarchy.replication', (p) => clear(p, p.cell(pc(p, 0x12d), 0, 0x0e330014))),
  crime('row.version', (p) => {
    const table = pc(p, 0x12d);
    const version = p.view.getUint32(p.cell(table, 0, 0x67f30003).at, true);
    u32(p, p.cell(table, 1, 0x67f30003).at, () => version);
  }),
  crime('node.parent contents.parent', (p) => u32(p, p.entry('nbt', SECOND) + 24, () => 0x9002)),
  crime('contents.parent', (p) => u32(p, p.entry('nbt', SECOND) + 24, () => ROOT)),
  crime('node.table-parent', (p) => u32(p, p.entry('nbt', 0x12d) + 24, () => ROOT)),
]);

prosecute('messages and their rows', [
  crime('message.size contents.row-size', (p) => u32(p, p.property(pc(p, FIRST), 0x0e080003) + 4, (x) => x + 1)),
  crime('contents.row-size', (p) => u32(p, row(p, 0x0e080003).at, (x) => x + 1)),
  crime('contents.row', (p) => u32(p, row(p, 0x00170003).at, (x) => x + 1)),
  crime('contents.row', (p) => clear(p, row(p, 0x00170003))),
  crime('contents.row', (p) => u16(p, p.property(pc(p, FIRST), 0x00360003), () => 0x0035)),
  crime('contents.status', (p) => clear(p, row(p, 0x0e170003))),
  crime('contents.conversation', (p) => {
    const bid = pc(p, INSIDE_CONTENTS);
    u8(p, p.item(bid, p.view.getUint32(row(p, 0x30130102).at, true)).at, (x) => x ^ 1);
  }),
  crime('contents.conversation-missing', (p) => clear(p, row(p, 0x30130102))),
  crime('tc.cleared-cell contents.status', (p) => {
    const cell = row(p, 0x0e170003);
    clear(p, cell);
    u8(p, cell.at, () => 1);
  }),
  crime('message.associated-flag contents.row', (p) =>
    u32(p, p.property(pc(p, FIRST), 0x0e070003) + 4, (x) => x | 0x40),
  ),
  crime('message.attachment-flag contents.row', (p) =>
    u32(p, p.property(pc(p, FIRST), 0x0e070003) + 4, (x) => x & ~0x10),
  ),
  crime('folder.unread contents.row', (p) => u32(p, p.property(pc(p, FIRST), 0x0e070003) + 4, (x) => x & ~1)),
  crime('message.required', (p) => u16(p, p.property(pc(p, SECOND), 0x300b0102), () => 0x300c)),
  crime('message.subject-prefix contents.row', (p) => u16(p, p.value(pc(p, FIRST), 0x0037001f).at + 2, () => 0x99)),
  crime('message.conversation-index contents.row', (p) => u8(p, p.value(pc(p, FIRST), 0x00710102).at, () => 2)),
]);

const recipients = (p: Patient): number => p.subnode(SECOND, 0x692).bidData;
const attachments = (p: Patient): number[] => p.subnodesOf(p.node(FIRST).bidSub, 5);
const attachment = (p: Patient, k: number): number => p.subnode(FIRST, attachments(p)[k]!).bidData;

prosecute('recipients and attachments', [
  crime('message.display-list', (p) => {
    const bid = recipients(p);
    u16(p, p.item(bid, p.view.getUint32(p.cell(bid, 0, 0x3001001f).at, true)).at, (x) => x + 1);
  }),
  crime('message.display-list', (p) => u32(p, p.cell(recipients(p), 0, 0x0c150003).at, () => 2)),
  crime('recipient.required', (p) => clear(p, p.cell(recipients(p), 0, 0x300b0102))),
  crime('attachment.size attachment.row', (p) => u32(p, p.property(attachment(p, 1), 0x0e200003) + 4, (x) => x + 1)),
  crime('attachment.row', (p) => u32(p, p.cell(p.subnode(FIRST, 0x671).bidData, 1, 0x0e200003).at, (x) => x + 1)),
  crime('attachment.required attachment.row', (p) => u16(p, p.property(attachment(p, 1), 0x370b0003), () => 0x370c)),
  crime('attachment.object-size', (p) => u32(p, p.value(attachment(p, 2), 0x3701000d).at + 4, (x) => x + 1)),
  crime('pc.object', (p) => u32(p, p.value(attachment(p, 2), 0x3701000d).at, (x) => x + 0x20)),
  crime('message.size', (p) => {
    // Of the attached message; the sizes that others state of it are counted, not copied from there.
    const target = p.view.getUint32(p.value(attachment(p, 2), 0x3701000d).at, true);
    u32(p, p.property(p.subnode(FIRST, attachments(p)[2]!, target).bidData, 0x0e080003) + 4, (x) => x + 1);
  }),
]);
