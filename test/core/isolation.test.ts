/** After mailbox A nothing of A is in memory when B begins, in every mode: a canary, searched for in all the ways it may be stored. */
import { describe, expect, it } from 'vitest';
import { buildStore } from '../../src/build/store.js';
import { Core } from '../../src/core/core.js';
import { parsePageHeap, type RawOptions } from '../../src/core/options.js';
import { memoryFile } from '../../src/host/memory.js';
import type { Source } from '../../src/host/source.js';
import { openStore } from '../../src/messaging/store.js';
import { cloneStore } from '../../src/migrate/clone.js';

const CANARY = 'Zx9-kanarienvogel-Qv7';
const OTHER = 'Another mailbox altogether';

function storeOf(text: string): Source {
  const file = memoryFile(`${text}.pst`);
  buildStore(file, { displayName: text, crypt: 'none' }, (b) => {
    const inbox = b.ipmSubtree.folder(text);
    for (let k = 0; k < 5; k++) {
      inbox.message({
        subject: `${text} ${k}`,
        body: `${text}\r\n`.repeat(300),
        from: { name: text, address: `${text.slice(0, 3)}@example.org` },
        to: [{ name: text, address: 'to@example.org' }],
        attachments: [{ name: `${text}.txt`, data: Buffer.from(text.repeat(1000)) }],
      });
    }
  });
  return file;
}

const a = storeOf(CANARY);
const b = storeOf(OTHER);

/** Where `text` is in the memory of a core, in UTF-16 and in bytes. */
const places = (core: Core, text: string): number[] =>
  (['utf16le', 'latin1'] as const).map((encoding) => Buffer.from(core.u8.buffer).indexOf(Buffer.from(text, encoding)));

/** Reads everything and returns the core it was read with. */
function readAll(source: Source, pageheap: RawOptions): Core {
  const store = openStore(source, { pageheap: parsePageHeap(pageheap) });
  const { core } = store;
  for (const folder of store.folders()) {
    for (const message of folder.messages()) {
      void [message.subject, message.body, [...message.recipients()]];
      for (const attachment of message.attachments()) for (const chunk of attachment.data()) void chunk;
    }
  }
  store.close();
  return core;
}

describe.each<RawOptions>([
  {},
  { pageheap: 'normal' },
  { pageheap: 'paranoid' },
  { pageheap: 'off' },
  { random: '50' },
  { size: '100:1000' },
  { decoders: 'ltp.pc' },
  { sites: '65:66' },
  { backwards: true },
  { aligned: true },
  { leaks: true },
])('with %o', (options) => {
  it('a store that is read leaves nothing for the next', () => {
    const first = readAll(a, options);
    expect(
      places(first, CANARY).some((at) => at >= 0),
      'the canary must have been there',
    ).toBe(true);
    const second = readAll(b, options);
    expect(places(second, CANARY)).toEqual([-1, -1]);
    expect(places(second, OTHER).some((at) => at >= 0)).toBe(true);
  });
});

it('clones one after the other: the second target has nothing of the first', () => {
  for (const reencode of [false, true]) {
    const target = memoryFile('target');
    const first = memoryFile('first');
    cloneStore(a, first, { reencode });
    expect(Buffer.from(first.bytes).includes(Buffer.from(CANARY, 'utf16le'))).toBe(true);
    cloneStore(b, target, { reencode });
    for (const encoding of ['utf16le', 'latin1'] as const) {
      expect(Buffer.from(target.bytes).includes(Buffer.from(CANARY, encoding))).toBe(false);
    }
  }
});

it('what is written holds no byte of a freed block: new blocks of the heap writer are filled', () => {
  // The slack of blocks is padded with zeros: bytes of the memory must not leak into a file, whichever pattern they have.
  for (const options of [{}, { pageheap: 'normal' }, { random: '50' }] as RawOptions[]) {
    const before = Core.settings;
    Core.settings = parsePageHeap(options);
    try {
      const target = memoryFile('target');
      cloneStore(b, target, { reencode: true });
      const bytes = Buffer.from(target.bytes);
      for (const byte of [0xe0, 0xf0, 0xa0, 0xd0]) {
        expect(
          bytes.includes(Buffer.alloc(8, byte)),
          `${JSON.stringify(options)}: eight times ${byte.toString(16)}`,
        ).toBe(false);
      }
    } finally {
      Core.settings = before;
    }
  }
});
