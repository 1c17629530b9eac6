/** PidTagAdditionalRenEntryIdsEx, MS-OXOSFLD 2.2.5: values by hand, after the layout; and what real folders are called. */
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/index.js';
import { parsePersistData } from '../../src/mapi/persistdata.js';
import type { SpecialFolder } from '../../src/messaging/special.js';
import { describeStores } from '../stores.js';

const u16 = (n: number): number[] => [n & 0xff, n >>> 8];
const element = (id: number, data: readonly number[]): number[] => [...u16(id), ...u16(data.length), ...data];
const block = (id: number, ...elements: number[][]): number[] => [
  ...u16(id),
  ...u16(elements.flat().length),
  ...elements.flat(),
];
const END = [0, 0, 0, 0];
const parse = (...parts: number[][]) => parsePersistData(Uint8Array.from(parts.flat()));
const found = (entryIds: ReadonlyMap<number, Uint8Array>) => [...entryIds].map(([id, value]) => [id, [...value]]);

describe('blocks', () => {
  it('of one element without an end, of several with one, and of kinds nobody knows', () => {
    const { entryIds, damage } = parse(
      block(0x8004, element(1, [1, 2, 3])),
      block(0x8006, element(2, [0, 0, 0, 0]), element(1, [4]), END),
      block(0x9000, element(7, [9, 9])),
      block(0x8001, element(1, [])),
      END,
    );
    expect(damage).toBeUndefined();
    expect(found(entryIds)).toEqual([
      [0x8004, [1, 2, 3]],
      [0x8006, [4]],
      [0x8001, []],
    ]);
  });

  it('without an end, and nothing at all', () => {
    expect(found(parse(block(0x8001, element(1, [5]))).entryIds)).toEqual([[0x8001, [5]]]);
    expect(parse().damage).toBeUndefined();
    expect(parse().entryIds.size).toBe(0);
  });

  it('after the end are not read, and of two with one id the first counts', () => {
    const { entryIds } = parse(block(1, element(1, [1])), block(1, element(1, [2])), END, block(2, element(1, [3])));
    expect(found(entryIds)).toEqual([[1, [1]]]);
  });

  it.each([
    ['a block longer than the rest', [1, 0, 9, 0, 1, 0, 1, 0, 7], 'a block at 0 claims 9 bytes, there are 5'],
    ['half a head', [1, 0, 4], 'a block at 0 claims 4 bytes, there are 3'],
    ['an element longer than its block', [1, 0, 5, 0, 1, 0, 2, 0, 7, 8], 'an element at 4 claims 2 bytes, there are 1'],
    ['half an element', [1, 0, 3, 0, 1, 0, 2], 'an element at 4 claims 4 bytes, there are 3'],
  ])('damaged: %s', (_, bytes, damage) => {
    const whole = block(0x8001, element(1, [6]));
    expect(parse(bytes)).toEqual({ entryIds: new Map(), damage });
    const after = parse(whole, bytes);
    expect(found(after.entryIds)).toEqual([[0x8001, [6]]]);
    expect(after.damage).toBeDefined();
  });
});

/** What Outlook calls them in English: names are no part of the property. */
const NAMES: Partial<Record<SpecialFolder, string>> = {
  rssFeeds: 'RSS Feeds',
  trackedMail: 'Tracked Mail Processing',
  toDoSearch: 'To-Do Search',
  conversationActions: 'Conversation Action Settings',
  quickSteps: 'Quick Step Settings',
  suggestedContacts: 'Suggested Contacts',
};

describeStores('special folders by PidTagAdditionalRenEntryIdsEx', ({ path, name }) => {
  const store = openStore(path);
  try {
    const kinds = Object.keys(NAMES).filter((kind) => store.specialFolder(kind as SpecialFolder) !== undefined);
    for (const kind of kinds as SpecialFolder[]) expect(store.specialFolder(kind)!.displayName, kind).toBe(NAMES[kind]);
    if (name.endsWith('openwall.pst')) expect(kinds).toHaveLength(6);
    if (name.endsWith('dist-list.pst')) expect(kinds).toEqual(['rssFeeds', 'trackedMail', 'toDoSearch']);
  } finally {
    store.close();
  }
});
