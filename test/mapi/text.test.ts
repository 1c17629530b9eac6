import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import {
  codePageLabel,
  decodeAnsi,
  decodeUtf16,
  encodeAnsi,
  encodeUtf16,
  isKnownCodePage,
} from '../../src/mapi/codepage.js';
import { FileTime } from '../../src/mapi/filetime.js';
import { guidBytes, guidText } from '../../src/mapi/guid.js';
import { readSubject, writeSubject } from '../../src/mapi/subject.js';

const KNOWN = Array.from({ length: 65536 }, (_, n) => n).filter(isKnownCodePage);

describe('code pages', () => {
  it('all have a decoder on this platform', () => {
    expect(KNOWN.length).toBeGreaterThan(45);
    for (const codePage of KNOWN) expect(() => new TextDecoder(codePageLabel(codePage))).not.toThrow();
  });

  it.each([
    [1252, '80 85 91 92 99 9f', '€…‘’™Ÿ'],
    [28591, '80 e9', '€é'],
    [1251, 'cf f0 e8 e2 e5 f2', 'Привет'],
    [932, '83 65 83 58 83 67', 'テスト'],
    [936, 'd6 d0 ce c4', '中文'],
    [949, 'c7 d1 b1 db', '한글'],
    [950, 'a4 a4 a4 e5', '中文'],
    [1255, 'f9 ec e5 ed', 'שלום'],
    [20866, 'f0 d2 c9', 'При'],
    [50220, '1b 24 42 46 7c 4b 5c 1b 28 42', '日本'],
    [54936, 'd6 d0 81 30 81 30', '中\x80'],
    [65001, 'e2 82 ac', '€'],
    [4711, '80', '€'],
  ])('%i', (codePage, hex, text) => {
    expect(decodeAnsi(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')), codePage)).toBe(text);
  });

  it('what can be written reads back', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constantFrom('€“x”', 'Ünï', 'テスト', '中文', 'שלום'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...KNOWN), text, (codePage, value) => {
        const bytes = encodeAnsi(value, codePage);
        if (bytes !== undefined) expect(decodeAnsi(bytes, codePage)).toBe(value);
      }),
      { numRuns: 1000 },
    );
    expect(encodeAnsi('naïve €', 1252)).toHaveLength(7);
    expect(encodeAnsi('日', 1252)).toBeUndefined();
    expect(encodeAnsi('a', 50220)).toBeUndefined();
    expect(encodeAnsi('a', 4711)).toBeUndefined();
    expect(encodeAnsi('\ud800', 65001)).toBeUndefined();
  });

  it('long text crosses the chunks of the decoder', () => {
    const text = '€'.repeat(10_000);
    expect(decodeAnsi(encodeAnsi(text, 1252)!, 1252)).toBe(text);
    const odd = `${'x'.repeat(9000)}\ud800${'y'.repeat(9000)}`;
    expect(decodeUtf16(encodeUtf16(odd))).toBe(odd);
  });
});

describe('FILETIME', () => {
  it.each([
    [116_444_736_000_000_000n, '1970-01-01T00:00:00.0000000Z'],
    [127_945_746_001_234_567n, '2006-06-12T08:30:00.1234567Z'],
    [0n, '1601-01-01T00:00:00.0000000Z'],
    [1n, '1601-01-01T00:00:00.0000001Z'],
    [0xffff_ffff_ffff_ffffn, '+060056-05-28T05:36:10.9551615Z'],
  ])('%i', (ticks, text) => {
    expect(new FileTime(ticks).toString()).toBe(text);
    expect(FileTime.parse(text).ticks).toBe(ticks);
  });

  it('prints and parses every value', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (ticks) => {
        const time = new FileTime(ticks);
        expect(FileTime.parse(time.toString()).ticks).toBe(ticks);
        const date = time.toDate();
        if (date !== undefined) expect(FileTime.fromDate(date).ticks).toBe(ticks - (ticks % 10_000n));
      }),
    );
  });

  it('knows the values that mean no time', () => {
    for (const ticks of [0n, 0x7fffffffffffffffn, 0xffffffffffffffffn, FileTime.parse('4501-01-01T00:00Z').ticks]) {
      expect(new FileTime(ticks).isNone).toBe(true);
      expect(new FileTime(ticks).toDate()).toBeUndefined();
      expect(JSON.stringify(new FileTime(ticks))).toBe('null');
    }
    expect(new FileTime(1n).isNone).toBe(false);
  });

  it.each([
    '',
    '2006',
    '2006-13-01',
    '2006-02-30',
    '2006-06-12T25:00Z',
    '1600-01-01',
    '+099999-01-01',
    '2006-06-12T08:30:00',
  ])('refuses "%s"', (text) => {
    expect(() => FileTime.parse(text)).toThrow(UsageError);
  });
});

describe('GUID', () => {
  it('stores the first three fields little-endian', () => {
    const text = '00062008-0000-0000-c000-000000000046';
    expect([...guidBytes(text)]).toEqual([0x08, 0x20, 6, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46]);
    expect(guidText(guidBytes('{00062008-0000-0000-C000-000000000046}'))).toBe(text);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(guidBytes(guidText(bytes))).toEqual(bytes);
      }),
    );
  });
});

describe('subject', () => {
  it.each([
    ['\x01\x05RE: Lunch', 'RE: Lunch', 'RE: ', 'Lunch'],
    ['\x01\x01Lunch', 'Lunch', '', 'Lunch'],
    ['\x01\x00Lunch', 'Lunch', '', 'Lunch'],
    ['Lunch', 'Lunch', '', 'Lunch'],
    ['RE: Lunch', 'RE: Lunch', 'RE: ', 'Lunch'],
    ['12: Lunch', '12: Lunch', '', '12: Lunch'],
    ['\x01\x04', '', '', ''],
    ['\x01', '\x01', '', '\x01'],
    ['', '', '', ''],
    ['\x01\x7fShort', 'Short', 'Short', ''],
  ])('%j', (stored, text, prefix, normalized) => {
    expect(readSubject(stored)).toEqual({ text, prefix, normalized });
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ maxLength: 6 }), (normalized, prefix) => {
        const subject = readSubject(writeSubject(prefix + normalized, prefix));
        expect(subject).toEqual({ text: prefix + normalized, prefix, normalized });
      }),
    );
    expect(writeSubject('RE: Lunch')).toBe('\x01\x05RE: Lunch');
    expect(readSubject(writeSubject('x'.repeat(400), 'x'.repeat(300))).prefix).toBe('');
  });
});
