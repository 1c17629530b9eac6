import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import {
  describeEntryId,
  type EntryId,
  makeAddressBookEntryId,
  makeOneOff,
  makePstEntryId,
  ONE_OFF_FLAGS,
  parseEntryId,
} from '../../src/mapi/entryid.js';

const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));
const ascii = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const wide = (text: string): string => Buffer.from(text, 'utf16le').toString('hex');

const KEY = '00112233-4455-6677-8899-aabbccddeeff';
const KEY_HEX = '33221100 5544 7766 8899 aabbccddeeff';
const STORE_UID = '38A1BB10 05E5 101A A1BB 08002B2A56C2';
const MAILBOX_UID = '1B55FA20 AA66 11CD 9BC8 00AA002FC45A';
const CONTACT_UID = 'FE42AA0A 18C7 1A10 E885 0B651C240000';
const WRAP_UID = 'C091ADD3 519D CF11 A4A9 00AA0047FAA4';

const kinds: readonly [string, Uint8Array, Partial<EntryId>][] = [
  ['pst', fromHex(`00000000 ${KEY_HEX} 22800000`), { kind: 'pst', recordKey: KEY, nid: 0x8022 }],
  [
    'ex folder',
    fromHex(`00000000 ${KEY_HEX} 0100 ${KEY_HEX} 0000000000a1 0000`),
    { kind: 'ex-folder', provider: KEY, type: 1, folderReplica: KEY, folderCounter: '0000000000a1' },
  ],
  [
    'ex message',
    fromHex(`00000000 ${KEY_HEX} 0700 ${KEY_HEX} 0000000000a1 0000 ${KEY_HEX} 00000000beef 0000`),
    { kind: 'ex-message', type: 7, messageReplica: KEY, messageCounter: '00000000beef' },
  ],
  [
    'address book',
    fromHex(`00000000 DCA740C8C042101AB4B908002B2FE182 01000000 00000000 ${ascii('/o=ORG/cn=ANN\0')}`),
    { kind: 'address-book', version: 1, type: 0, dn: '/o=ORG/cn=ANN', hasNullUid: false },
  ],
  [
    'address book without a UID',
    fromHex(`${'00'.repeat(20)} 01000000 00000000 ${ascii('/o=First/cn=x\0')}`),
    { kind: 'address-book', dn: '/o=First/cn=x', hasNullUid: true },
  ],
  [
    'one-off, 8-bit',
    fromHex(`00000000 812B1FA4BEA310199D6E00DD010F5402 0000 0100 ${ascii('J\xfcrg\0SMTP\0j@example.org\0')}`),
    { kind: 'one-off', flags: 1, isUnicode: false, name: 'Jürg', addressType: 'SMTP', address: 'j@example.org' },
  ],
  [
    'one-off whose last NUL is missing',
    fromHex(`00000000 812B1FA4BEA310199D6E00DD010F5402 0000 0180 ${wide('A\0SMTP\0a@b')}`),
    { kind: 'one-off', isUnicode: true, address: 'a@b' },
  ],
  [
    'mailbox store with a V3 block',
    fromHex(
      `00000000 ${STORE_UID} 00 00 ${ascii('EMSMDB.DLL\0')} 000000 00000000 ${MAILBOX_UID} 0c000000 ${ascii('HOST\0/o=ORG/cn=me\0')}` +
        `E94632F4 24000000 02000000 10000000 ${wide('m@e.org\0')} 0000`,
    ),
    { kind: 'store', dll: 'EMSMDB.DLL', type: 12, server: 'HOST', mailboxDn: '/o=ORG/cn=me', smtp: 'm@e.org' },
  ],
  [
    'mailbox store without a DN',
    fromHex(
      `00000000 ${STORE_UID} 00 00 ${ascii('emsmdb.dll\0')} 000000 00000000 ${MAILBOX_UID} 06000000 ${ascii('HOST\0')}`,
    ),
    { kind: 'store', dll: 'emsmdb.dll', type: 6, server: 'HOST' },
  ],
  [
    'PST store',
    fromHex(
      `00000000 ${STORE_UID} 00 00 ${ascii('mspst.dll\0')} 00000000 4E495441F9BFB80100AA0037D96E0000 00 00 ${wide('C:\\a.pst\0')}`,
    ),
    { kind: 'store', dll: 'mspst.dll', path: 'C:\\a.pst' },
  ],
  [
    'contact with three junk bytes',
    fromHex(`00000000 ${CONTACT_UID} 03000000 04000000 01000000 18000000 00000000 ${KEY_HEX} 24002000 f00d01`),
    { kind: 'contact', type: 4, index: 1, rest: Uint8Array.of(0xf0, 0x0d, 1) },
  ],
  [
    'contact container',
    fromHex(`00000000 ${CONTACT_UID} 03000000 03000000 ${KEY_HEX} 00000000 ${KEY_HEX} 62800000`),
    { kind: 'contact-container', guid: KEY },
  ],
  ['wrapped', fromHex(`00000000 ${WRAP_UID} C3 00000000 ${KEY_HEX} 24002000`), { kind: 'wrapped', type: 0xc3 }],
  ['short-term', fromHex(`87000000 ${KEY_HEX} 01000000 0500000000000000`), { kind: 'short-term', id: 5n }],
  ['nothing', new Uint8Array(), { kind: 'unknown' }],
];

describe('entry ids', () => {
  it.each(kinds)('%s', (_, bytes, expected) => {
    const id = parseEntryId(bytes);
    expect(id).toMatchObject(expected);
    expect(describeEntryId(id).length).toBeGreaterThan(4);
  });

  it('inner ids are read', () => {
    const wrapped = parseEntryId(kinds.find(([name]) => name === 'wrapped')![1]);
    expect(describeEntryId(wrapped)).toBe(`member 0xc3: node 0x200024 of store ${KEY}`);
  });

  it('made ids are read back', () => {
    expect(parseEntryId(makePstEntryId(KEY, 0x8062))).toEqual({ kind: 'pst', recordKey: KEY, nid: 0x8062 });
    expect(() => makePstEntryId(new Uint8Array(15), 1)).toThrow(UsageError);
    const part = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(part, part, part, (name, addressType, address) => {
        const bytes = makeOneOff(name, addressType, address)!;
        const expected = { kind: 'one-off', flags: ONE_OFF_FLAGS, isUnicode: true, name, addressType, address };
        expect(parseEntryId(bytes)).toMatchObject({ ...expected, version: 0, rest: new Uint8Array() });
      }),
    );
    expect(parseEntryId(makeOneOff('Zoë', 'SMTP', 'z@e.org', 1)!)).toMatchObject({ name: 'Zoë', isUnicode: false });
    expect(makeOneOff('日本', 'SMTP', 'z@e.org', 1)).toBeUndefined();
    expect(parseEntryId(makeAddressBookEntryId('/o=X/cn=y')!)).toMatchObject({ dn: '/o=X/cn=y', type: 0 });
  });

  it('never fails, whatever the bytes', () => {
    const heads = fc.constantFrom(...kinds.map(([, bytes]) => bytes));
    const mutant = fc.tuple(heads, fc.nat(300), fc.uint8Array({ maxLength: 40 })).map(([head, cut, tail]) => {
      return Uint8Array.from([...head.subarray(0, cut), ...tail]);
    });
    const flipped = fc.tuple(heads, fc.nat(300), fc.nat(255)).map(([head, at, byte]) => {
      return head.map((old, i) => (i === at % Math.max(head.length, 1) ? byte : old));
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), mutant, flipped), (bytes) => {
        expect(typeof describeEntryId(parseEntryId(bytes))).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });

  it('gives up on an id that holds itself', () => {
    let bytes = makePstEntryId(KEY, 1);
    for (let i = 0; i < 1000; i++) bytes = Uint8Array.from([...fromHex(`00000000 ${WRAP_UID} C3`), ...bytes]);
    expect(describeEntryId(parseEntryId(bytes))).toMatch(/unknown/);
  });
});
