/**
 * Stores made to hurt, one attack each, every checksum right: they take whatever the program does, and end in a result or a named
 * error within their bounds of time and memory. The attacks on the file layer alone are in test/ndb/hostile.test.ts.
 */
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { cloneStore } from '../../src/migrate/clone.js';
import { verifyStores } from '../../src/migrate/verify.js';
import { UNICODE_4K } from '../../src/wire/variant.js';
import { MemoryFile } from '../memory-file.js';
import { attack, message, Smith, text } from './smith.js';

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
  it('columns of a table that share bytes', () => {
    const smith = new Smith();
    const { bidData } = smith.table([1, 2, 3], 0x3f);
    // The third column, 0x3001001f, from byte 8 to byte 6: over the second.
    smith.bend(bidData, [0x1f, 0, 1, 0x30, 8, 0, 4, 2], [0x1f, 0, 1, 0x30, 6, 0, 4, 2]);
    const { outcomes } = attack('columns', smith.store([{ nid: 0x12e, bidData, bidSub: 0 }]));
    expect(outcomes).toMatchObject({ clone: 'ok', 're-encode': 'ok' });
  });

  it('a table whose rows are in the subnode that stands for none', () => {
    const smith = new Smith();
    const { bidData, bidRows } = smith.table(
      Array.from({ length: 400 }, (_, k) => k + 1),
      0x3f,
    );
    // hnidRows, between hidRowIndex and the deprecated hidIndex.
    smith.bend(bidData, [0x3f, 0, 0, 0, 0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff]);
    const bidSub = smith.sub([{ nid: 0xffffffff, bidData: bidRows, bidSub: 0 }]);
    const { outcomes } = attack('no rows', smith.store([{ nid: 0x12e, bidData, bidSub }]));
    expect(outcomes).toMatchObject({ read: 'ok', clone: 'ok', 're-encode': 'ok' });
  });

  it('an attachment whose data lead nowhere', () => {
    const smith = new Smith();
    const attachment = smith.pc(new StreamWriter().setInline(0x37050003, 5).set(0x3701000d, new Uint8Array(8)));
    smith.bend(attachment, [0x01, 0x37, 0x0d, 0], [0x01, 0x37, 0x0d, 0, 0xe0, 0xff, 0, 0]);
    const body = smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')));
    const bidSub = smith.sub([{ nid: 0x8025, bidData: attachment, bidSub: 0 }]);
    const nodes = [{ nid: message(0), bidData: body, bidSub, nidParent: 0x122 }];
    const { outcomes } = attack('nowhere', smith.store(nodes));
    expect(outcomes).toMatchObject({ walk: 'ok', clone: 'ok', 're-encode': 'ok' });
  });

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
