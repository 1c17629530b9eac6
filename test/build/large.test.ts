/**
 * Stores larger than their structures: XXBLOCK, SIBLOCK, many named properties, long tables, an FMap. Built to a file,
 * read by everyone. What takes longest runs with PSTWRIGHT_SLOW=1 only.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Dice } from '../../src/build/dice.js';
import { generateStore } from '../../src/build/generate.js';
import { buildStore, type StoreBuilder } from '../../src/build/store.js';
import { Core } from '../../src/core/core.js';
import { PtypInteger32, PtypString, tagOf } from '../../src/mapi/type.js';
import { openStore } from '../../src/messaging/store.js';
import { findingsOf } from './totals.js';
import { shaOf } from './view.js';
import { extractorView } from './view-extractor.js';
import { ourView } from './view-ours.js';
import { hasTool, pffView, readpstView } from './view-tools.js';

const folder = mkdtempSync(join(tmpdir(), 'pstwright-large-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MINUTES = 60_000;
const isSlow = process.env.PSTWRIGHT_SLOW !== undefined;
const options = { recordKey: new Dice(1).bytes(16), now: new Date(0) };

function build(name: string, fill: (b: StoreBuilder) => void): string {
  const path = join(folder, `${name}.pst`);
  buildStore(path, options, fill);
  return path;
}

/** A 60 MB file in uneven pieces, from one buffer that is used again and again. */
function* pieces(size: number): Generator<Uint8Array> {
  const noise = new Dice(60).bytes(1 << 20);
  const buffer = new Uint8Array(1 << 20);
  for (let done = 0, n = 1; done < size; n = (n * 7) % 900_001) {
    const piece = buffer.subarray(0, Math.min(n, size - done));
    piece.set(noise.subarray(0, piece.length));
    piece[0] = n;
    yield piece;
    done += piece.length;
  }
}

test(
  'an attachment of 60 MB: XXBLOCK',
  () => {
    const size = 60_000_001;
    const path = build('attachment', (b) => {
      b.ipmSubtree.folder('Inbox').message({ subject: 'big', attachments: [{ name: 'big.bin', data: pieces(size) }] });
    });
    const sha = shaOf(pieces(size));
    expect(findingsOf(path)).toEqual([]);
    const ours = ourView(path).folders[1]!.messages[0]!;
    expect(ours.attachments).toEqual([{ name: 'big.bin', method: 1, sha }]);
    expect(extractorView(path)[1]!.messages[0]!.attachments).toEqual(ours.attachments);
    if (hasTool('pffexport')) expect(pffView(path).attachments).toEqual([sha]);
    if (hasTool('readpst')) expect(readpstView(path).attachments).toEqual([sha]);
  },
  2 * MINUTES,
);

// libpst knows no SIBLOCK and finds none of 339 attachments; pst-extractor takes minutes for 3,000.
test.each([
  { count: 338, readers: ['pffexport', 'readpst', 'pst-extractor'] },
  { count: 400, readers: ['pffexport', 'pst-extractor'] },
  { count: 3000, readers: ['pffexport'] },
])(
  '$count attachments on one message',
  ({ count, readers }) => {
    const contents = Array.from({ length: count }, (_, i) => new TextEncoder().encode(`attachment number ${i}`));
    const path = build(`attachments-${count}`, (b) => {
      const attachments = contents.map((data, i) => ({ name: `${i}.txt`, data }));
      b.ipmSubtree.folder('Inbox').message({ subject: 'many', attachments });
    });
    expect(findingsOf(path)).toEqual([]);
    const ours = ourView(path).folders[1]!.messages[0]!;
    expect(ours.attachments).toEqual(contents.map((data, i) => ({ name: `${i}.txt`, method: 1, sha: shaOf(data) })));
    if (readers.includes('pst-extractor')) {
      expect(extractorView(path)[1]!.messages[0]!.attachments).toEqual(ours.attachments);
    }
    const sorted = contents.map(shaOf).sort();
    if (readers.includes('pffexport') && hasTool('pffexport')) expect(pffView(path).attachments).toEqual(sorted);
    if (readers.includes('readpst') && hasTool('readpst')) expect(readpstView(path).attachments).toEqual(sorted);
  },
  2 * MINUTES,
);

test(
  '2,000 named properties',
  () => {
    const set = '00062008-0000-0000-c000-000000000046';
    const count = 1000;
    const path = build('named', (b) => {
      const inbox = b.ipmSubtree.folder('Inbox');
      for (let i = 0; i < count; i++) {
        const properties = {
          [tagOf(b.named(set, 0x9000 + i), PtypInteger32)]: i,
          [tagOf(b.named(set, `X-Name-${i}-é`), PtypString)]: `value ${i}`,
        };
        inbox.message({ subject: `${i}`, properties });
      }
    });
    expect(findingsOf(path)).toEqual([]);
    const store = openStore(path, { strictness: 'strict' });
    expect(store.names.count).toBe(2 + 2 * count);
    let i = 0;
    for (const message of [...store.ipmSubtree!.folders()][1]!.messages()) {
      expect(message.getNamed(set, 0x9000 + i)).toBe(i);
      expect(message.getNamed(set, `X-Name-${i}-é`)).toBe(`value ${i}`);
      i++;
    }
    store.close();
    expect(i).toBe(count);
    expect(extractorView(path)[1]!.messages.length).toBe(count);
    if (hasTool('pffexport')) expect(pffView(path).messages).toEqual({ Inbox: count });
    if (hasTool('readpst')) expect(readpstView(path).messages).toEqual({ Inbox: count });
  },
  2 * MINUTES,
);

test(
  'long lists of people: row and message share a tree, rows go to a subnode',
  () => {
    const to = Array.from({ length: 3000 }, (_, i) => ({ name: `Person ${i}`, address: `person${i}@example.org` }));
    const longAddress = `${'l'.repeat(3000)}@example.org`;
    const path = build('people', (b) => {
      const inbox = b.ipmSubtree.folder('Inbox');
      for (let i = 0; i < 50; i++)
        inbox.message({ subject: `list ${i}`, to, cc: [{ name: 'L', address: longAddress }] });
    });
    expect(findingsOf(path)).toEqual([]);
    const [, inbox] = ourView(path).folders;
    expect(inbox!.messages.length).toBe(50);
    expect(inbox!.messages[49]!.recipients.length).toBe(3001);
    expect(inbox!.messages[49]!.recipients.at(-1)).toBe(`cc L <${longAddress}>`);
    if (hasTool('pffexport')) expect(pffView(path).recipients).toBe(50 * 3001);
  },
  2 * MINUTES,
);

describe('many messages', () => {
  test(
    '30,000 in one folder',
    () => {
      const path = join(folder, 'many.pst');
      const core = Core.load();
      const { counts } = generateStore(path, { messages: 30_000, textBytes: 6_000_000, core });
      // Rows of the table under construction, an interval, and little else.
      expect(core.x.pagesPeak() * 512).toBeLessThan(64 << 20);
      expect(findingsOf(path)).toEqual([]);
      const [, inbox] = ourView(path).folders;
      expect(inbox!.messages.length).toBe(30_000);
      expect(inbox!.messages.reduce((sum, { recipients }) => sum + recipients.length, 0)).toBe(counts.recipients);
      if (isSlow) expect(extractorView(path)[1]!.messages.length).toBe(30_000);
      if (hasTool('readpst')) expect(readpstView(path).messages).toEqual({ 'Folder 1': 30_000 });
      rmSync(path);
    },
    5 * MINUTES,
  );

  test.skipIf(!isSlow)(
    'more than 300 MB: 1,200 AMaps, 150 PMaps, 3 FMaps',
    () => {
      const path = join(folder, 'huge.pst');
      const { counts, fmaps } = generateStore(path, {
        messages: 6000,
        folders: 20,
        textBytes: 60_000_000,
        attachmentBytes: 220_000_000,
      });
      expect(statSync(path).size).toBeGreaterThan(300e6);
      expect(fmaps).toBe(3);
      expect(findingsOf(path)).toEqual([]);
      const ours = ourView(path).folders;
      const theirs = extractorView(path);
      expect(theirs).toEqual(ours);
      expect(ours.reduce((sum, { messages }) => sum + messages.length, 0)).toBe(counts.messages);
      const attachments = ours.flatMap(({ messages }) =>
        messages.flatMap((it) => it.attachments.map(({ sha }) => sha)),
      );
      expect(attachments.length).toBe(counts.attachments);
      if (hasTool('readpst')) expect(readpstView(path).attachments).toEqual(attachments.sort());
      rmSync(path);
    },
    20 * MINUTES,
  );
});
