/** Stores whose tables, nodes and attachments contradict each other or lead in circles: findings, bounds, nothing lost. */
import { describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { type Message, openStore, PstError, type Store } from '../../src/index.js';
import { encodePc } from '../../src/ltp/pc.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { TableWriter, tcInfo } from '../../src/ltp/table.js';
import { EMBEDDED_DEPTH_MAX } from '../../src/messaging/attachment.js';
import { UNICODE } from '../../src/wire/variant.js';
import { MemoryFile } from '../memory-file.js';
import { Forge, type NodeEntry } from '../ndb/forge.js';

const ROOT = 0x122;
const ATTACHMENT = 0x8025;
const EMBEDDED = 0x200024;
const core = Core.load();

/** Ids that become another row's once the table is written. */
const STAND_IN = 0x7abc_de00;

function bytesOf(chain: number): Uint8Array {
  const ptr = core.x.chainPtr(chain, 0);
  const bytes = core.u8.slice(ptr, ptr + core.x.chainSize(chain, 0));
  core.x.chainFree(chain);
  return bytes;
}

const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf16le'));
function u32s(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  values.forEach((value, k) => new DataView(bytes.buffer).setUint32(4 * k, value, true));
  return bytes;
}

/** A store put together by hand: nodes with parents, and whatever trees a test wants below them. */
class Build {
  readonly forge = new Forge(UNICODE);
  readonly nodes: NodeEntry[] = [];
  #bid = 4;

  bid(isInternal = false): number {
    return (this.#bid += 4) + (isInternal ? 2 : 0);
  }
  data(bytes: Uint8Array): number {
    return this.forge.block(this.bid(), bytes);
  }
  pc(writer: StreamWriter): number {
    return this.chain(encodePc(core, writer.build(), {}));
  }
  chain(chain: number): number {
    return this.data(bytesOf(chain));
  }
  /** A table with these row ids, and nothing in the rows. An id may come twice, which the writer does not do by itself. */
  table(ids: readonly number[]): number {
    const columns = [
      { tag: 0x67f2_0003, ibData: 0, cbData: 4, iBit: 0 },
      { tag: 0x67f3_0003, ibData: 4, cbData: 4, iBit: 1 },
    ];
    const writer = new TableWriter(core, tcInfo(columns, [8, 8, 8, 9]), {});
    const unique = ids.map((id, k) => (ids.indexOf(id) < k ? STAND_IN + k : id));
    for (const id of [...unique].sort((a, b) => a - b)) {
      writer.row(new StreamWriter().setInline(0x67f2_0003, id).build(id));
    }
    const bytes = bytesOf(writer.end(0).heap);
    const view = new DataView(bytes.buffer);
    unique.forEach((id, k) => {
      for (let at = 0; at + 4 <= bytes.length && id !== ids[k]; at++) {
        if (view.getUint32(at, true) === id) view.setUint32(at, ids[k]!, true);
      }
    });
    return this.data(bytes);
  }
  node(nid: number, bidData: number, nidParent = 0, bidSub = 0): void {
    this.nodes.push({ nid, bidData, bidSub, nidParent });
  }
  folder(
    nid: number,
    parent: number,
    tables: { hierarchy?: number[]; contents?: number[]; associated?: number[] } = {},
  ): void {
    this.node(nid, this.pc(new StreamWriter().set(0x3001_001f, utf16(`folder ${nid}`))), parent);
    this.node(nid - 2 + 0xd, this.table(tables.hierarchy ?? []));
    this.node(nid - 2 + 0xe, this.table(tables.contents ?? []));
    this.node(nid - 2 + 0xf, this.table(tables.associated ?? []));
  }
  message(nid: number, parent: number, bidSub = 0): void {
    this.node(nid, this.pc(new StreamWriter().set(0x001a_001f, utf16('IPM.Note'))), parent, bidSub);
  }
  /** Attachment PC of method 5 whose message is subnode EMBEDDED. */
  embedding(): number {
    return this.pc(new StreamWriter().setInline(0x3705_0003, 5).set(0x3701_000d, u32s(EMBEDDED, 0)));
  }
  open(): Store {
    if (!this.nodes.some(({ nid }) => nid === 0x21)) this.node(0x21, this.pc(new StreamWriter()));
    if (!this.nodes.some(({ nid }) => nid === 0x61)) this.node(0x61, this.pc(new StreamWriter()));
    return openStore(new MemoryFile('forged.pst', this.forge.finish(this.forge.nbt(this.nodes))));
  }
}

const nidsOf = (items: Iterable<{ nid: number }>): number[] => [...items].map(({ nid }) => nid);

function walked(store: Store): { folders: number[]; messages: number[] } {
  const found = { folders: [] as number[], messages: [] as number[] };
  store.walk({
    object({ kind, nid, depth }) {
      if (kind === 'folder') found.folders.push(nid);
      if (kind === 'message' && depth === 0) found.messages.push(nid);
      return true;
    },
  });
  return { folders: found.folders.sort(), messages: found.messages.sort() };
}

describe('tables and nodes that disagree', () => {
  it('messages without a row are orphans of their folder', () => {
    const build = new Build();
    build.folder(ROOT, ROOT, { contents: [0x10004, 0x10024] });
    build.message(0x10004, ROOT);
    build.message(0x10044, ROOT);
    build.message(0x10048, ROOT);
    const store = build.open();
    const root = store.rootFolder;
    expect(nidsOf(root.messages())).toEqual([0x10004]);
    expect(nidsOf(root.orphans())).toEqual([0x10044, 0x10048]);
    expect(store.findings.map(({ code, where }) => [code, where.nid])).toEqual([
      ['PST_MISSING', 0x10024],
      ['PST_MISSING', 0x10044],
      ['PST_MISSING', 0x10048],
    ]);
    expect(walked(store).messages).toEqual([0x10004, 0x10044, 0x10048]);
    expect(store.findings.length).toBe(3);
    store.close();
  });

  it('messages whose parent is no folder are orphans of the store', () => {
    const build = new Build();
    build.folder(ROOT, ROOT);
    build.message(0x10004, 0x9002);
    build.message(0x10024, 0);
    const store = build.open();
    expect(nidsOf(store.orphans()).sort()).toEqual([0x10004, 0x10024]);
    expect(walked(store).messages).toEqual([0x10004, 0x10024]);
    store.close();
  });

  it('a row of another folder, twice, or of another kind is a finding, and nothing is seen twice', () => {
    const build = new Build();
    build.folder(ROOT, ROOT, { hierarchy: [0x8022, 0x8042, 0x8022, ROOT], contents: [0x8022, 0x10004] });
    build.folder(0x8022, ROOT, { contents: [0x10004, 0x10004], hierarchy: [ROOT] });
    build.folder(0x8042, 0x8022);
    build.message(0x10004, 0x8022);
    const store = build.open();
    expect(nidsOf(store.folders())).toEqual([ROOT, 0x8022, 0x8042]);
    expect(nidsOf(store.getFolder(0x8022).orphanFolders())).toEqual([0x8042]);
    expect(walked(store)).toEqual({ folders: [ROOT, 0x8022, 0x8042], messages: [0x10004] });
    expect(store.findings.length).toBe(8);
    store.close();
  });

  it('folders that are each the other’s parent are found, once', () => {
    const build = new Build();
    build.folder(ROOT, ROOT);
    build.folder(0x8022, 0x8042, { hierarchy: [0x8042] });
    build.folder(0x8042, 0x8022, { hierarchy: [0x8022], contents: [0x10004] });
    build.folder(0x8062, 0x8062);
    build.message(0x10004, 0x8042);
    const store = build.open();
    expect(nidsOf(store.folders()).sort()).toEqual([ROOT, 0x8022, 0x8042, 0x8062]);
    expect(walked(store)).toEqual({ folders: [ROOT, 0x8022, 0x8042, 0x8062], messages: [0x10004] });
    store.close();
  });

  it('a folder without tables keeps its messages', () => {
    const build = new Build();
    build.node(ROOT, build.pc(new StreamWriter()), ROOT);
    build.node(0x12e, build.data(new Uint8Array(64)));
    build.message(0x10004, ROOT);
    const store = build.open();
    expect(nidsOf(store.rootFolder.messages())).toEqual([]);
    expect(nidsOf(store.rootFolder.orphans())).toEqual([0x10004]);
    expect(store.findings.map(({ code }) => code)).toContain('PST_BAD_HEAP');
    store.close();
  });

  it('attachments and their table', () => {
    const build = new Build();
    build.folder(ROOT, ROOT, { contents: [0x10004] });
    const pc = build.pc(new StreamWriter().setInline(0x3705_0003, 1).set(0x3701_0102, Uint8Array.of(1, 2, 3)));
    const sub = build.forge.slblock(build.bid(true), [
      { nid: 0x671, bidData: build.table([0x8025, 0x8065, 0x8025]), bidSub: 0 },
      { nid: 0x8025, bidData: pc, bidSub: 0 },
      { nid: 0x8045, bidData: pc, bidSub: 0 },
    ]);
    build.message(0x10004, ROOT, sub);
    const store = build.open();
    const attachments = store.getMessage(0x10004).attachments().toArray();
    expect(nidsOf(attachments)).toEqual([0x8025, 0x8045]);
    expect(attachments.map(({ row }) => row?.nid)).toEqual([0x8025, undefined]);
    expect(attachments.map((attachment) => [...attachment.bytes()])).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(store.findings.length).toBe(3);
    store.close();
  });
});

describe('embedded messages', () => {
  const nested = (message: Message): number => {
    const embedded = message.attachments().first()?.embeddedMessage();
    return embedded === undefined ? 0 : 1 + nested(embedded);
  };
  const timed = <T>(run: () => T): T => {
    const start = performance.now();
    const result = run();
    expect(performance.now() - start).toBeLessThan(20_000);
    return result;
  };

  it('that contain themselves are refused', () => {
    const build = new Build();
    build.folder(ROOT, ROOT, { contents: [0x10004] });
    const pc = build.pc(new StreamWriter().set(0x001a_001f, utf16('IPM.Note')));
    const attachment = build.embedding();
    // The message's subnodes hold an attachment whose subnodes hold the message with the same subnodes.
    const outer = build.bid(true);
    const inner = build.forge.slblock(build.bid(true), [{ nid: EMBEDDED, bidData: pc, bidSub: outer }]);
    build.forge.slblock(outer, [{ nid: ATTACHMENT, bidData: attachment, bidSub: inner }]);
    build.node(0x10004, pc, ROOT, outer);
    const store = build.open();
    expect(() => nested(store.getMessage(0x10004))).toThrow(PstError);
    timed(() => walked(store));
    expect(store.findings.map(({ code, where }) => `${code} ${where.field}`)).toContain(
      'PST_BAD_VALUE PidTagAttachDataObject',
    );
    store.close();
  });

  /** `depth` messages, each in all `width` attachments of the one before. */
  function tower(build: Build, depth: number, width: number): void {
    const pc = build.pc(new StreamWriter().set(0x001a_001f, utf16('IPM.Note')));
    const attachment = build.embedding();
    let bidSub = 0;
    for (let level = 0; level < depth; level++) {
      const inner = build.forge.slblock(build.bid(true), [{ nid: EMBEDDED, bidData: pc, bidSub }]);
      const entries = Array.from({ length: width }, (_, k) => ({
        nid: ATTACHMENT + 0x20 * k,
        bidData: attachment,
        bidSub: inner,
      }));
      bidSub = build.forge.slblock(build.bid(true), entries);
    }
    build.node(0x10004, pc, ROOT, bidSub);
  }

  it('are followed as deep as the limit, and no deeper', () => {
    for (const [depth, isRefused] of [
      [EMBEDDED_DEPTH_MAX, false],
      [EMBEDDED_DEPTH_MAX + 1, true],
    ] as const) {
      const build = new Build();
      build.folder(ROOT, ROOT, { contents: [0x10004] });
      tower(build, depth, 1);
      const store = build.open();
      if (isRefused) expect(() => nested(store.getMessage(0x10004))).toThrow(/nested/);
      else expect(nested(store.getMessage(0x10004))).toBe(depth);
      walked(store);
      expect(store.findings.some(({ code }) => code === 'PST_LIMIT')).toBe(isRefused);
      store.close();
    }
  });

  it('that are shared until there are millions stop the walk', () => {
    const build = new Build();
    build.folder(ROOT, ROOT, { contents: [0x10004] });
    tower(build, 40, 8);
    const store = build.open();
    expect(() => timed(() => walked(store))).toThrow(/shared/);
    store.close();
  }, 30_000);

  it('that are missing are findings', () => {
    const build = new Build();
    build.folder(ROOT, ROOT, { contents: [0x10004] });
    const sub = build.forge.slblock(build.bid(true), [{ nid: ATTACHMENT, bidData: build.embedding(), bidSub: 0 }]);
    build.message(0x10004, ROOT, sub);
    const store = build.open();
    expect(() => store.getMessage(0x10004).attachments().first()!.embeddedMessage()).toThrow(/not there/);
    walked(store);
    expect(store.findings.map(({ code }) => code)).toContain('PST_MISSING');
    store.close();
  });
});

describe('damage', () => {
  it('of one message leaves the others, and is told', () => {
    const build = new Build();
    build.folder(ROOT, ROOT, { contents: [0x10004, 0x10024, 0x10044] });
    for (const nid of [0x10004, 0x10024, 0x10044]) build.message(nid, ROOT);
    const store = build.open();
    store.close();
    const { ib } = build.forge.blocks.find(
      ({ bid }) => bid === build.nodes.find(({ nid }) => nid === 0x10024)!.bidData,
    )!;
    build.forge.bytes[ib + 14]! ^= 0xff;
    const damaged = build.open();
    expect(walked(damaged).messages).toEqual([0x10004, 0x10044]);
    expect(damaged.findings.map(({ code, where }) => `${code} ${where.nid}`)).toEqual([`PST_BAD_CRC ${0x10024}`]);
    const messages = damaged.rootFolder.messages().toArray();
    expect(messages.length).toBe(3);
    expect(() => messages[1]!.subject).toThrow(PstError);
    expect(messages[2]!.messageClass).toBe('IPM.Note');
    damaged.close();
  });

  it('of a value is told when the value is asked for', () => {
    const build = new Build();
    build.folder(ROOT, ROOT, { contents: [0x10004] });
    build.node(0x10004, build.pc(new StreamWriter().setExternal(0x1000_001f, 0x81f)), ROOT);
    const store = build.open();
    const message = store.getMessage(0x10004);
    expect(message.has('PidTagBody')).toBe(true);
    expect(() => message.body).toThrow(/not there/);
    expect(() => [...message.chunks('PidTagBody')]).toThrow(/not there/);
    walked(store);
    expect(store.findings.map(({ code, where }) => `${code} ${where.field}`)).toEqual(['PST_MISSING PidTagBody']);
    store.close();
  });

  it('a store of nothing opens, and says what is missing', () => {
    const store = openStore(
      new MemoryFile('empty.pst', new Forge(UNICODE).finish({ bid: 0, ib: 0 }, { bid: 0, ib: 0 })),
    );
    expect(store.displayName).toBe('');
    expect(store.recordKey).toBeUndefined();
    expect(store.ipmSubtree).toBeUndefined();
    expect(() => store.rootFolder).toThrow(PstError);
    expect([...store.folders()]).toEqual([]);
    expect(store.names.count).toBe(0);
    store.close();
  });
});
