/** Where a failing item is, and what its named properties are called: in the bundle, on the page, and no more than anybody may know. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FULL } from '../../src/core/options.js';
import { PROPERTY_SETS } from '../../src/mapi/named.js';
import { type Bundle, decodeBundle, encodeBundle } from '../../src/replay/bundle.js';
import { renderPage } from '../../src/replay/html.js';
import { render } from '../../src/replay/html-page.js';
import { itemSection } from '../../src/replay/html-stream.js';
import { findItem } from '../../src/replay/item.js';
import { namerOf } from '../../src/replay/names.js';
import { redact } from '../../src/replay/redact.js';
import { replay } from '../../src/replay/replay.js';
import { observe } from '../../src/replay/steps.js';
import { NID, NID_TYPE, nidType } from '../../src/wire/nid.js';
import { type Workshop, workshop } from './bundles.js';
import { textOf } from './markup.js';

let shop: Workshop;
/** A clone of fixtures/everyday.pst that fails at every operation in turn, so far as a fault at these allocations reaches it. */
const bundles: Bundle[] = [];

beforeAll(async () => {
  shop = await workshop();
  shop.plant(0);
  const store = new Uint8Array(readFileSync('fixtures/everyday.pst'));
  for (let after = 10; ; after += 23) {
    try {
      bundles.push(shop.capture({ mode: 'full', fault: { rate: 10_000, after } }, store));
    } catch (error) {
      if ((error as Error).message !== 'the clone did not fail') throw error;
      break; // past its last allocation
    }
  }
}, 120_000);
afterAll(() => shop?.close());

const ofType = (...types: number[]): Bundle[] =>
  bundles.filter(({ operation }) => types.includes(nidType(operation.nid)));

describe('the path', () => {
  it('of a message is mailbox, folders, message', () => {
    const [bundle] = ofType(NID_TYPE.NORMAL_MESSAGE);
    const { path, operation } = bundle!;
    expect(path[0]).toEqual({ nid: NID.MESSAGE_STORE, name: 'Everyday mail' });
    expect(path[1]).toMatchObject({ nid: NID.ROOT_FOLDER });
    expect(path.at(-2)!.name).not.toBe('');
    expect(path.at(-1)).toEqual({ nid: operation.nid, name: '' });
  });

  it('of a folder’s table is mailbox, folders, table', () => {
    const tables = ofType(NID_TYPE.CONTENTS_TABLE, NID_TYPE.HIERARCHY_TABLE, NID_TYPE.ASSOC_CONTENTS_TABLE);
    let named = 0;
    for (const { path, operation } of tables) {
      if (operation.nid < 0x1000) continue; // templates belong to no folder
      expect(path[0]!.nid).toBe(NID.MESSAGE_STORE);
      expect(path.at(-1)).toEqual({ nid: operation.nid, name: '' });
      const folder = path.at(-2)!;
      expect([NID_TYPE.NORMAL_FOLDER, NID_TYPE.SEARCH_FOLDER]).toContain(nidType(folder.nid));
      expect(folder.nid >>> 5).toBe(operation.nid >>> 5);
      if (folder.name !== '') named++;
    }
    expect(named).toBeGreaterThan(3);
  });

  it('of a folder’s table is on the page', () => {
    const bundle = ofType(NID_TYPE.CONTENTS_TABLE).find(({ path }) => path.at(-2)!.name !== '')!;
    const text = textOf(renderPage(bundle, observe(bundle), { bundleName: 'a.replay', engine: '9.9.9' }));
    const names = bundle.path.filter(({ name }) => name !== '').map(({ name }) => name);
    expect(text).toContain(`mailbox.pst ${names.join(' ')} contents table 0x${bundle.operation.nid.toString(16)}`);
  });
});

describe('named properties', () => {
  /** The store's own map, as another reader of ours has it, is what buildStore was told: fixtures/everyday.json. */
  const KEYWORDS = { set: PROPERTY_SETS.PS_PUBLIC_STRINGS, id: 'Keywords' };
  const withKeywords = (): Bundle =>
    ofType(NID_TYPE.NORMAL_MESSAGE).find(({ names = [] }) => names.some(({ id }) => id === 'Keywords'))!;

  it('have their names in the bundle, and a bundle no names but those of its item', () => {
    const bundle = withKeywords();
    expect(bundle.names).toContainEqual({ npid: expect.any(Number), ...KEYWORDS });
    for (const { npid } of bundle.names!) expect(npid).toBeGreaterThanOrEqual(0x8000);
    const other = ofType(NID_TYPE.NORMAL_MESSAGE).find(({ names = [] }) => names.every(({ id }) => id !== 'Keywords'));
    expect(other).toBeDefined();
    for (const { names } of ofType(NID_TYPE.NORMAL_FOLDER)) expect(names).toBeUndefined();
    expect(decodeBundle(encodeBundle(bundle), 'a').names).toEqual(bundle.names);
  });

  it('change nothing in how it is replayed', () => {
    expect(replay(withKeywords()).differences).toEqual([]);
  });

  it('are called by them on the page, and by their ids where no name is known', () => {
    const bundle = withKeywords();
    const { npid } = bundle.names!.find(({ id }) => id === 'Keywords')!;
    const tag = (npid << 16) + 0x101f + 2 ** 32;
    const item = findItem(bundle, observe(bundle).lookups, tag);
    const section = (names: Bundle['names']): string =>
      textOf(render(itemSection(item, tag, namerOf(names === undefined ? {} : { names }))));
    const hex = npid.toString(16);
    expect(section(bundle.names)).toContain(`0x${hex}101f PS_PUBLIC_STRINGS:Keywords ◂ here PtypMultipleString`);
    expect(section(undefined)).toContain(`0x${hex}101f named property 0x${hex} ◂ here PtypMultipleString`);
  });

  it('that are published by number have their published name', () => {
    const name = namerOf({ names: [{ npid: 0x8007, set: PROPERTY_SETS.PSETID_Common, id: 0x8503 }] });
    expect(name(0x8007000b)).toBe('PidLidReminderSet');
    expect(name(0x8008001f)).toBe('named property 0x8008');
    expect(name(0x0037001f)).toBe('PidTagSubject');
    expect(name(0x6abc0003)).toBe('property 0x6abc');
  });

  it('lose, when redacted, all names but the published ones', () => {
    const bundle = withKeywords();
    const names = [...bundle.names!, { npid: 0x8fff, set: PROPERTY_SETS.PSETID_Common, id: 0x8503 }];
    const { bundle: redacted, refused } = redact({ ...bundle, names });
    expect(refused).toBeUndefined();
    expect(redacted.names).toContainEqual({ npid: 0x8fff, set: PROPERTY_SETS.PSETID_Common, id: 0x8503 });
    expect(redacted.names!.every(({ id }) => typeof id === 'number')).toBe(true);
    expect(redacted.path.every(({ name }) => name === '')).toBe(true);
  });

  it('of a bundle that is none are refused', () => {
    for (const names of ['x', [1], [{ npid: 1 }], [{ npid: 70_000, set: '', id: 1 }], [{ npid: 1, set: 2, id: 1 }]]) {
      const bent = { ...withKeywords(), names } as unknown as Bundle;
      expect(() => decodeBundle(encodeBundle(bent), 'a')).toThrow('its names cannot be');
    }
  });
});

it('an item without named properties has no names in its bundle', () => {
  expect(shop.capture({ ...FULL, fault: { rate: 10_000, after: 60 } }).names).toBeUndefined();
});
