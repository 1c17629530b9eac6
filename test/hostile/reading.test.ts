/** Reading stores made to hurt through the public interface: rings of folders, parts whose whole is damaged, values larger than the file. */
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openStore, PstError, type Store } from '../../src/index.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { VALUE_BYTES_MAX } from '../../src/messaging/properties.js';
import { UNICODE_4K } from '../../src/wire/variant.js';
import { MemoryFile } from '../memory-file.js';
import { message, Smith, text } from './smith.js';

function reading<T>(bytes: Uint8Array, read: (store: Store) => T): T {
  const store = openStore(new MemoryFile('mail.pst', bytes));
  try {
    return read(store);
  } finally {
    store.close();
  }
}

describe('folders that are in each other', () => {
  it('are walked once each, from any of them', () => {
    const smith = new Smith();
    const folder = smith.pc(new StreamWriter().set(0x3001001f, text('f')));
    const ring = [0x8022, 0x8042, 0x8062];
    const bytes = smith.store(
      ring.flatMap((nid, k) => [
        { nid, bidData: folder, bidSub: 0, nidParent: ring[(k + 1) % 3]! },
        { nid: nid + 11, bidData: smith.table(ring, 0x3f).bidData, bidSub: 0 },
      ]),
    );
    for (const top of ring) {
      const walked = reading(bytes, (store) => {
        const nids: number[] = [];
        store.walk({ object: ({ nid }) => nids.push(nid) > 0 }, { folder: store.getFolder(top) });
        return nids;
      });
      expect(walked.sort()).toEqual(ring);
    }
  });

  it('sixty thousand of them, in one, and that there is more to say than is kept', () => {
    const smith = new Smith();
    const folder = smith.pc(new StreamWriter().set(0x3001001f, text('f')));
    const count = 60_000;
    const children = Array.from({ length: count }, (_, k) => ({
      nid: 0x8022 + 32 * (k + 1),
      bidData: folder,
      bidSub: 0,
      nidParent: 0x8022,
    }));
    const bytes = smith.store([{ nid: 0x8022, bidData: folder, bidSub: 0, nidParent: 0x122 }, ...children]);
    const walked = reading(bytes, (store) => {
      let folders = 0;
      store.walk({ object: () => ++folders > 0 }, { folder: store.getFolder(0x8022) });
      expect(store.findings).toHaveLength(10_001);
      expect(store.findings.at(-1)!.reason).toBe('10000 findings; what else is wrong is not listed');
      return folders;
    });
    expect(walked).toBe(count + 1);
  });
});

describe('a message whose properties cannot be read', () => {
  it('gives its recipients all the same, 8-bit strings too', () => {
    const smith = new Smith();
    const columns = [
      { tag: 0x67f20003, ibData: 0, cbData: 4, iBit: 0 },
      { tag: 0x67f30003, ibData: 4, cbData: 4, iBit: 1 },
      { tag: 0x3001001e, ibData: 8, cbData: 4, iBit: 2 },
    ];
    const row = new StreamWriter().setInline(0x67f20003, 1).setInline(0x67f30003, 1);
    const recipients = smith.rows(columns, [row.set(0x3001001e, Buffer.from('Ann', 'latin1')).build(1)]);
    const broken = smith.data(Uint8Array.of(12, 0, 0xec, 0xbc, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0));
    const bidSub = smith.sub([{ nid: 0x692, bidData: recipients, bidSub: 0 }]);
    const bytes = smith.store([{ nid: message(0), bidData: broken, bidSub, nidParent: 0x122 }]);
    reading(bytes, (store) => {
      const one = store.getMessage(message(0));
      expect(() => one.subject).toThrow(PstError);
      expect([...one.recipients()].map(({ name }) => name)).toEqual(['Ann']);
      expect(store.findings.map(({ where }) => where.nid)).toContain(message(0));
    });
  });
});

describe('a named-property map without its streams', () => {
  it('is a finding for each', () => {
    const smith = new Smith();
    const map = smith.pc(new StreamWriter().set(0x00030102, new Uint8Array(8)));
    reading(smith.store([{ nid: 0x61, bidData: map, bidSub: 0 }]), (store) => {
      expect(store.names.count).toBe(1);
      const said = store.findings.filter(({ where }) => where.nid === 0x61).map(({ reason }) => reason);
      expect(said).toContain('the named-property map has no stream 0x2');
      expect(said).toContain('the named-property map has no stream 0x4');
    });
  });
});

describe('a value larger than the file', () => {
  /** `count` times the one block that inflates to 65,512 bytes, in a BBT that has as many blocks. */
  function bomb(count: number, padding: number): Uint8Array {
    const smith = new Smith(UNICODE_4K);
    const leaf = smith.data(deflateSync(new Uint8Array(65_512)), 65_512);
    const place = smith.forge.blocks[0]!;
    for (let k = 0; k < count; k++) smith.forge.blocks.push({ ...place, bid: smith.bid() });
    for (let k = 0; k < padding; k++) smith.data(new Uint8Array(60_000));
    const lists = Array.from({ length: count / 1000 }, () => smith.tree(new Array(1000).fill(leaf), 65_512_000));
    const all = smith.forge.xblock(smith.bid(true), 2, lists, 65_512 * count);
    const attachment = smith.pc(new StreamWriter().setInline(0x37050003, 1).setExternal(0x37010102, 0x3f));
    const inside = smith.sub([{ nid: 0x3f, bidData: all, bidSub: 0 }]);
    const body = smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')));
    const bidSub = smith.sub([{ nid: 0x8025, bidData: attachment, bidSub: inside }]);
    return smith.store([{ nid: message(0), bidData: body, bidSub, nidParent: 0x122 }]);
  }
  const bytesOf = (store: Store): unknown => {
    const [attachment] = store.getMessage(message(0)).attachments();
    return [attachment!.get(0x37010102), attachment!.bytes()];
  };

  it('is refused before it is read: its blocks take more than there is', () => {
    const bytes = bomb(12_000, 0);
    const before = process.memoryUsage().rss;
    expect(() => reading(bytes, bytesOf)).toThrow(/a data tree that takes \d+ bytes in a file of \d+/);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
  });

  it('is refused as one array where its blocks might be there', () => {
    const bytes = bomb(20_000, 120);
    expect(bytes.length).toBeGreaterThan(7 << 20);
    expect(() => reading(bytes, bytesOf)).toThrow(PstError);
    expect(VALUE_BYTES_MAX).toBeLessThan(20_000 * 65_512);
  });
});
