import { describe, expect, it } from 'vitest';
import { findLid, lids, lookUpLid, PROPERTY_SETS, propertyNameText, setName } from '../../src/mapi/named.js';
import { findTag, lookUpTag, NAMED_ID_FIRST, tagName, tags } from '../../src/mapi/tags.js';
import { TAGS_HIGH } from '../../src/mapi/tags-high.js';
import { TAGS_LOW } from '../../src/mapi/tags-low.js';
import { TAGS_MID } from '../../src/mapi/tags-mid.js';
import { TAGS_SEEN } from '../../src/mapi/tags-seen.js';
import { findType } from '../../src/mapi/type.js';

describe('tags', () => {
  it.each([
    ['low', TAGS_LOW],
    ['mid', TAGS_MID],
    ['high', TAGS_HIGH],
    ['seen', TAGS_SEEN],
  ])('the %s table is sorted and says each thing once', (_, table) => {
    const lines = table.trim().split('\n');
    const ids = lines.map((line) => Number.parseInt(line.slice(0, 4), 16));
    for (const line of lines) expect(line).toMatch(/^[0-9A-F]{4} [a-z0-9]+ ~?[A-Z][A-Za-z0-9]+$/);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(new Set(lines).size).toBe(lines.length);
  });

  it('names are unique, types known', () => {
    const all = [...tags()];
    expect(all.length).toBeGreaterThan(700);
    expect(new Set(all.map((it) => it.name)).size).toBe(all.length);
    for (const it of all) expect(findType(it.type), it.name).toBeDefined();
  });

  it('are found by number, in the type asked for', () => {
    expect(tagName(0x0037001f)).toBe('PidTagSubject');
    expect(tagName(0x0037001e)).toBe('PidTagSubject');
    expect(tagName(0x0e080014)).toBe('PidTagMessageSizeExtended');
    expect(tagName(0x68450102)).toBe('PidTagSearchFolderDefinition');
    expect(tagName(0x68451102)).toBe('PidTagScheduleInfoDelegateEntryIds');
    expect(tagName(0x667900fd)).toBe('PidTagRuleCondition');
    expect(tagName(0x66790102)).toBe('PidTagRuleCondition');
    expect(tagName(0x67f20003)).toBe('PidTagLtpRowId');
    // Another type than any meaning of a reused id has: no name is better than a wrong one.
    expect(tagName(0x68450040)).toBeUndefined();
    expect(tagName(0x801f001f)).toBeUndefined();
    expect(lookUpTag(0x800f101f)?.name).toBe('PidTagAddressBookProxyAddresses');
    expect(NAMED_ID_FIRST).toBe(0x8000);
  });

  it('are found by name', () => {
    expect(findTag('PidTagSubject')?.tag).toBe(0x0037001f);
    expect(findTag('subject')?.tag).toBe(0x0037001f);
    expect(findTag('0x0037')?.name).toBe('PidTagSubject');
    expect(findTag('0x10130102')?.name).toBe('PidTagHtml');
    expect(findTag('PidTagNothing')).toBeUndefined();
  });
});

describe('named properties', () => {
  it('numbers are unique within their set', () => {
    const all = [...lids()];
    expect(all.length).toBeGreaterThan(320);
    expect(new Set(all.map((it) => it.name)).size).toBe(all.length);
    expect(new Set(all.map((it) => `${it.set}:${it.lid}`)).size).toBe(all.length);
    for (const it of all) expect(setName(it.set), it.name).toBeDefined();
  });

  it('depend on the set', () => {
    expect(lookUpLid(PROPERTY_SETS.PSETID_Address, 0x8045)?.name).toBe('PidLidWorkAddressStreet');
    expect(lookUpLid(PROPERTY_SETS.PSETID_Common, 0x8045)?.name).toBe('PidLidPromptSendUpdate');
    expect(lookUpLid(PROPERTY_SETS.PSETID_Common.toUpperCase(), 0x85c6)?.name).toBe(
      'PidLidConversationActionMoveFolderEid',
    );
    expect(findLid('reminderSet')).toEqual(findLid('PidLidReminderSet'));
  });

  it('have a text even when nobody named them', () => {
    const set = PROPERTY_SETS.PSETID_Common;
    expect(propertyNameText({ set, id: 0x8503 })).toBe('PidLidReminderSet');
    expect(propertyNameText({ set, id: 0x8577 })).toBe('PSETID_Common:0x8577');
    expect(propertyNameText({ set: PROPERTY_SETS.PS_PUBLIC_STRINGS, id: 'Keywords' })).toBe(
      'PS_PUBLIC_STRINGS:Keywords',
    );
    expect(propertyNameText({ set: '12345678-0000-0000-0000-00000000000A', id: 1 })).toBe(
      '12345678-0000-0000-0000-00000000000a:0x0001',
    );
  });
});
