/** The builder as its caller meets it: what it takes, what it refuses, what it leaves behind. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Dice } from '../../src/build/dice.js';
import { generateStore } from '../../src/build/generate.js';
import type { Message } from '../../src/build/message.js';
import { buildStore, type StoreBuilder } from '../../src/build/store.js';
import { FileTime } from '../../src/mapi/filetime.js';
import { openStore } from '../../src/messaging/store.js';
import { MemoryFile } from '../memory-file.js';
import { findingsOf } from './totals.js';

const folder = mkdtempSync(join(tmpdir(), 'pstwright-build-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const options = { recordKey: new Dice(3).bytes(16), now: new Date(0) };

function build(fill: (b: StoreBuilder) => void, more = {}): MemoryFile {
  const file = new MemoryFile();
  buildStore(file, { ...options, ...more }, fill);
  return file;
}

/** The only message of the only folder, as it is read. */
function roundTrip(message: Message) {
  const file = build((b) => void b.ipmSubtree.folder('Inbox').message(message));
  const store = openStore(file, { strictness: 'strict' });
  const read = [...store.ipmSubtree!.folders()][1]!.messages().first()!;
  return { store, read, file };
}

describe('identity', () => {
  const fill = (b: StoreBuilder): void => void b.ipmSubtree.folder('Inbox').message({ subject: 'a' });

  test('the same key and content give the same bytes, another key others', () => {
    expect(build(fill).bytes).toEqual(build(fill).bytes);
    expect(build(fill).bytes).not.toEqual(build(fill, { recordKey: new Dice(4).bytes(16) }).bytes);
  });

  test('without a key there is a new one each time', () => {
    const keys = [1, 2].map(() => buildStore(new MemoryFile(), {}, fill).recordKey.join());
    expect(keys[0]).not.toBe(keys[1]);
  });

  test('the generator is the same every time, and check finds nothing', () => {
    const shape = { messages: 120, folders: 3, textBytes: 400_000, attachmentBytes: 900_000 };
    const path = join(folder, 'generated.pst');
    const { counts } = generateStore(path, shape);
    const again = new MemoryFile();
    generateStore(again, shape);
    expect(readFileSync(path).equals(again.bytes)).toBe(true);
    expect(counts.messages).toBe(120);
    expect(counts.attachments).toBeGreaterThan(60);
    expect(findingsOf(path)).toEqual([]);
    generateStore(again, { ...shape, seed: 2 });
    expect(readFileSync(path).equals(again.bytes)).toBe(false);
  });
});

describe('encodings', () => {
  test.each(['none', 'permute', 'cyclic'] as const)('%s', (crypt) => {
    const path = join(folder, `${crypt}.pst`);
    buildStore(path, { ...options, crypt }, (b) => {
      b.ipmSubtree.folder('Inbox').message({ subject: 'encoded', body: 'text '.repeat(3000) });
    });
    expect(findingsOf(path).filter((line) => !line.includes('header.encoding'))).toEqual([]);
    const store = openStore(path, { strictness: 'strict' });
    expect(store.ndb.header.crypt).toBe({ none: 0, permute: 1, cyclic: 2 }[crypt]);
    expect([...store.ipmSubtree!.folders()][1]!.messages().first()!.body).toBe('text '.repeat(3000));
    store.close();
  });
});

describe('the target', () => {
  test('one that exists is refused and untouched', () => {
    const path = join(folder, 'there.pst');
    writeFileSync(path, 'mine');
    expect(() => buildStore(path, options, () => {})).toThrow(expect.objectContaining({ code: 'TARGET_EXISTS' }));
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  test('an error leaves nothing, from a function or a promise', async () => {
    const path = join(folder, 'fails.pst');
    const fail = (): never => {
      throw new Error('no more');
    };
    expect(() => buildStore(path, options, fail)).toThrow('no more');
    await expect(buildStore(path, options, async () => fail())).rejects.toThrow('no more');
    expect(readdirSync(folder).filter((name) => name.startsWith('fails'))).toEqual([]);
  });

  test('a promise is awaited', async () => {
    const path = join(folder, 'async.pst');
    const built = await buildStore(path, options, async (b) => {
      await Promise.resolve();
      b.deletedItems.message({ subject: 'late' });
      expect(existsSync(path)).toBe(false);
    });
    expect(built.counts.messages).toBe(1);
    expect(findingsOf(path)).toEqual([]);
  });
});

describe('properties', () => {
  test('computed ones are left out, others win over the fields', () => {
    const { read, store } = roundTrip({
      subject: 'field',
      importance: 2,
      flags: 0x8,
      properties: new Map<number, string | number | boolean | Uint8Array>([
        [0x0037001f, 'RE: property'],
        [0x00170003, 0],
        [0x0e080003, 1],
        [0x0e04001f, 'nobody'],
        [0x67f20003, 5],
        [0x67f30003, 5],
        [0x0e1b000b, true],
        [0x0e070003, 0x51],
        [0x30130102, new Uint8Array(16)],
      ]),
    });
    expect(read.subject).toBe('RE: property');
    expect(read.importance).toBe(0);
    expect(read.displayTo).toBeUndefined();
    expect(read.flags).toBe(0x8);
    expect(read.size).toBeGreaterThan(100);
    for (const tag of [0x67f20003, 0x67f30003, 0x0e1b000b, 0x30130102]) expect(read.has(tag)).toBe(false);
    store.close();
  });

  test('times as Date or FileTime, to the tick', () => {
    const exact = new FileTime(0x01d321c5c2dc64een);
    const { read, store } = roundTrip({ sent: exact, received: new Date(1e12), properties: { 4718656: new Date(5) } });
    expect(read.get(0x00390040)).toEqual(exact);
    expect(read.receivedAt).toEqual(new Date(1e12));
    expect(read.date(0x00480040)).toEqual(new Date(5));
    store.close();
  });

  test.each<[string, Message]>([
    [
      'is set twice',
      {
        properties: [
          [0x3fff0003, 1],
          [0x3fff0003, 2],
        ],
      },
    ],
    [
      'is set twice, or with two types',
      {
        properties: [
          [0x3fff0003, 1],
          [0x3fff001f, 'a'],
        ],
      },
    ],
    ['cannot be set', { properties: { 1073676318: 'a' } }],
    ['cannot be set', { properties: { 1073676301: { nid: 1, size: 1 } } }],
    ['cannot be set', { properties: { 1073706871: new Uint8Array(1) } }],
    ['does not have 3 bytes', { properties: { 1073676291: new Uint8Array(3) } }],
    ['cannot hold', { properties: { 1073676291: 'a' } }],
    ['is no GUID', { named: [{ set: 'nonsense', name: 1, type: 3, value: 1 }] }],
    ['has data, a message', { attachments: [{ name: 'a' } as never] }],
  ])('refused: %s', (message, given) => {
    expect(() => roundTrip(given)).toThrow(message);
    expect(() => roundTrip(given)).toThrow(expect.objectContaining({ name: 'UsageError' }));
  });

  test('names: the same name has the same id', () => {
    build((b) => {
      const set = '00062008-0000-0000-C000-000000000046';
      expect(b.named(set, 1)).toBe(b.named(`{${set.toLowerCase()}}`, 1));
      expect(b.named(set, 1)).not.toBe(b.named(set, '1'));
      expect(b.named('00020329-0000-0000-c000-000000000046', 'Keywords')).toBe(0x8001);
    });
  });

  test('names run out', () => {
    const fill = (b: StoreBuilder): void => {
      for (let i = 0; i < 0x8000; i++) b.named('00062008-0000-0000-c000-000000000046', i);
    };
    expect(() => build(fill)).toThrow(expect.objectContaining({ code: 'PST_LIMIT' }));
  });
});

test('a name longer than 255 characters is cut, not inside a character', () => {
  const { read, store } = roundTrip({
    subject: `${'s'.repeat(252)}🐎`,
    attachments: [{ name: `${'n'.repeat(254)}🐎.txt`, data: new Uint8Array(1) }],
    to: [{ name: 'p'.repeat(300), address: 'p@example.org' }],
  });
  expect(read.subject).toBe('s'.repeat(252));
  expect(read.attachments().first()!.name).toBe('n'.repeat(254));
  expect(read.displayTo).toBe('p'.repeat(255));
  store.close();
});

test('a source may use one buffer for all its pieces, and give none', () => {
  function* pieces(count: number) {
    const buffer = new Uint8Array(1000);
    for (let i = 0; i < count; i++) yield buffer.fill(i + 1);
  }
  const { read, store } = roundTrip({ attachments: [0, 3, 4, 20].map((n) => ({ name: `${n}`, data: pieces(n) })) });
  for (const attachment of read.attachments()) {
    const count = Number(attachment.name);
    const expected = Uint8Array.from({ length: 1000 * count }, (_, i) => Math.floor(i / 1000) + 1);
    expect(attachment.bytes()).toEqual(expected);
  }
  store.close();
});

test('rich text comes back', () => {
  const rtf = '{\\rtf1\\ansi \\b bold\\b0 .\\par}';
  const { read, store } = roundTrip({ rtf });
  expect(read.rtf).toBe(rtf);
  store.close();
});

test('a closed folder takes folders, no messages', () => {
  build((b) => {
    const inbox = b.ipmSubtree.folder('Inbox');
    inbox.message({ subject: 'a' });
    inbox.close();
    inbox.close();
    expect(() => inbox.message({ subject: 'b' })).toThrow('folder "Inbox" is closed');
    expect(inbox.folder('Below').message({ subject: 'c' })).toBe(0x200044);
    expect(inbox.messageCount).toBe(1);
  });
});

test('a message that contains itself is refused', () => {
  const message: { -readonly [K in keyof Message]: Message[K] } = { subject: 'mirror' };
  message.attachments = [{ message }];
  expect(() => roundTrip(message)).toThrow('a message inside more than 100 others');
});

test('60 messages, each inside the next', () => {
  let message: Message = { subject: 'innermost' };
  for (let i = 0; i < 60; i++) message = { subject: `${i}`, attachments: [{ message }] };
  const { read, store } = roundTrip(message);
  let inner = read;
  for (let depth = 0; depth < 60; depth++) inner = inner.attachments().first()!.embeddedMessage()!;
  expect(inner.subject).toBe('innermost');
  store.close();
});
