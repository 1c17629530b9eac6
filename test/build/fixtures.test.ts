/** The golden pairs of fixtures/: the JSON is what was put in, every reader must find it in the PST, and nothing else. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fillStore, optionsOf, type StoreDescription } from '../../src/build/description.js';
import { buildStore } from '../../src/build/store.js';
import { MemoryFile } from '../memory-file.js';
import { findingsOf, storeTotals, toolTotals } from './totals.js';
import { type MessageView, storeView } from './view.js';
import { extractorView } from './view-extractor.js';
import { ourView } from './view-ours.js';
import { hasTool, pffinfo, pffView, readpstView } from './view-tools.js';

const folder = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -5));

/** pst-extractor opens no attached message and no OLE object of any store (seen in Outlook's own as well). */
const shallow = (message: MessageView): MessageView => ({
  ...message,
  attachments: message.attachments.map(({ name, method, sha }) => ({ name, method, sha: method === 6 ? '' : sha })),
});

describe.each(names)('%s', (name) => {
  const path = `${folder}${name}.pst`;
  const description = JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')) as StoreDescription;
  const expected = storeView(description);

  test('the same bytes are built again', () => {
    const file = new MemoryFile();
    buildStore(file, optionsOf(description), (b) => fillStore(b, description));
    expect(readFileSync(path).equals(file.bytes)).toBe(true);
  });

  test('check finds nothing', () => {
    expect(findingsOf(path)).toEqual([]);
  });

  test('our reader', () => {
    const { folders, associated } = ourView(path);
    expect(folders).toEqual(expected);
    expect(associated).toBe(storeTotals(description).associated);
  });

  test('pst-extractor', () => {
    const folders = expected.map((it) => ({ ...it, messages: it.messages.map(shallow) }));
    expect(extractorView(path)).toEqual(folders);
  });

  test.skipIf(!hasTool('pffexport'))('libpff', () => {
    expect(pffinfo(path)).toContain('Subtree, Wastbox, Common views, Finder');
    expect(pffView(path)).toEqual(toolTotals(description).pff);
  });

  test.skipIf(!hasTool('readpst'))('libpst', () => {
    expect(readpstView(path)).toEqual(toolTotals(description).readpst);
  });
});
