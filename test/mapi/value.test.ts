import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PstError, UsageError } from '../../src/errors.js';
import { FileTime } from '../../src/mapi/filetime.js';
import * as ptyp from '../../src/mapi/type.js';
import { decodeValue, encodeValue, MULTIPLE_COUNT_MAX, type PropertyValue, trimNul } from '../../src/mapi/value.js';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const text = fc.string({ unit: 'binary' }).map(trimNul);
const guid = fc.uuid();
const single: ReadonlyMap<number, fc.Arbitrary<PropertyValue>> = new Map<number, fc.Arbitrary<PropertyValue>>([
  [ptyp.PtypInteger16, fc.integer({ min: -0x8000, max: 0x7fff })],
  [ptyp.PtypInteger32, fc.integer({ min: -0x80000000, max: 0x7fffffff })],
  [ptyp.PtypFloating32, fc.float({ noNaN: true })],
  [ptyp.PtypFloating64, fc.double()],
  [ptyp.PtypFloatingTime, fc.double()],
  [ptyp.PtypErrorCode, u32],
  [ptyp.PtypBoolean, fc.boolean()],
  [ptyp.PtypCurrency, fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })],
  [ptyp.PtypInteger64, fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })],
  [ptyp.PtypTime, fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((ticks) => new FileTime(ticks))],
  [ptyp.PtypGuid, guid],
  [ptyp.PtypObject, fc.record({ nid: u32, size: u32 })],
  [ptyp.PtypString, text],
  [ptyp.PtypString8, fc.string({ unit: 'grapheme-ascii' }).map(trimNul)],
  [ptyp.PtypBinary, fc.uint8Array()],
  [ptyp.PtypServerId, fc.uint8Array()],
  [ptyp.PtypRestriction, fc.uint8Array()],
  [ptyp.PtypRuleAction, fc.uint8Array()],
]);

const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list);
const damageOf = (type: number, value: Uint8Array): PstError => {
  try {
    decodeValue(type, value);
  } catch (error) {
    if (error instanceof PstError) return error;
    throw error;
  }
  throw new Error(`${ptyp.typeName(type)} took ${value.length} bytes`);
};

describe('property values', () => {
  for (const { type, name } of ptyp.propertyTypes()) {
    const one = single.get(ptyp.baseType(type));
    if (one === undefined) continue;
    it(`${name}: what is encoded decodes to the same`, () => {
      const values = ptyp.isMultiple(type) ? (fc.array(one) as fc.Arbitrary<PropertyValue>) : one;
      fc.assert(
        fc.property(values, (value) => {
          expect(decodeValue(type, encodeValue(type, value))).toEqual(value);
        }),
      );
    });
  }

  it('ends any bytes of any type in a value or PST_BAD_VALUE', () => {
    const types = fc.oneof(
      fc.constantFrom(...[...ptyp.propertyTypes()].map((it) => it.type)),
      fc.integer({ min: 0, max: 0xffff }),
    );
    fc.assert(
      fc.property(
        types,
        fc.uint8Array({ maxLength: 80 }),
        fc.constantFrom(1252, 932, 65001, 50220, 7),
        (type, value, codePage) => {
          try {
            decodeValue(type, value, codePage);
          } catch (error) {
            expect(error).toBeInstanceOf(PstError);
            expect((error as PstError).code).toBe('PST_BAD_VALUE');
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('keeps the bytes of a type it does not know', () => {
    expect(decodeValue(0x1234, bytes(1, 2, 3))).toEqual(bytes(1, 2, 3));
    expect(decodeValue(ptyp.PtypUnspecified, bytes(1, 2, 3, 4))).toEqual(bytes(1, 2, 3, 4));
  });

  it('drops NULs at the end of strings, and only there', () => {
    expect(decodeValue(ptyp.PtypString, bytes(65, 0, 0, 0, 66, 0, 0, 0, 0, 0))).toBe('A\0B');
    expect(decodeValue(ptyp.PtypString8, bytes(65, 0))).toBe('A');
    expect(decodeValue(ptyp.PtypString, bytes())).toBe('');
  });

  it('reads 8-bit strings in their code page', () => {
    expect(decodeValue(ptyp.PtypString8, bytes(0x93, 0xfa, 0x96, 0x7b), 932)).toBe('日本');
    expect(decodeValue(ptyp.PtypString8, bytes(0x80, 0x93, 0x94))).toBe('€“”');
    expect(encodeValue(ptyp.PtypString8, '日本', 932)).toEqual(bytes(0x93, 0xfa, 0x96, 0x7b));
    expect(() => encodeValue(ptyp.PtypString8, '日本', 1252)).toThrow(UsageError);
  });

  it('keeps unpaired surrogates', () => {
    const stored = bytes(0x41, 0, 0x00, 0xd8, 0x42, 0);
    expect(encodeValue(ptyp.PtypString, decodeValue(ptyp.PtypString, stored))).toEqual(stored);
  });

  it('lays out arrays as MS-PST 2.3.3.4.2 draws them', () => {
    const stored = bytes(2, 0, 0, 0, 12, 0, 0, 0, 14, 0, 0, 0, 0xaa, 0xbb, 0xcc);
    expect(encodeValue(ptyp.PtypMultipleBinary, [bytes(0xaa, 0xbb), bytes(0xcc)])).toEqual(stored);
    expect(decodeValue(ptyp.PtypMultipleBinary, stored)).toEqual([bytes(0xaa, 0xbb), bytes(0xcc)]);
    expect(decodeValue(ptyp.PtypMultipleBinary, bytes())).toEqual([]);
    expect(decodeValue(ptyp.PtypMultipleString, bytes(0, 0, 0, 0))).toEqual([]);
    expect(encodeValue(ptyp.PtypMultipleInteger16, [1, -1])).toEqual(bytes(1, 0, 255, 255));
  });

  it('says what is wrong with a value', () => {
    expect(damageOf(ptyp.PtypInteger32, bytes(1, 2)).message).toMatch(/PtypInteger32 takes 4 bytes, the value has 2/);
    expect(damageOf(ptyp.PtypString, bytes(1)).message).toMatch(/UTF-16/);
    expect(damageOf(ptyp.PtypMultipleTime, bytes(1)).message).toMatch(/items of 8 bytes/);
    expect(damageOf(ptyp.PtypMultipleBinary, bytes(1, 0)).message).toMatch(/count of 4 bytes/);
    expect(damageOf(ptyp.PtypMultipleBinary, bytes(255, 255, 255, 255)).message).toMatch(/4294967295 items/);
    // An item before the offsets end, behind the value, and of negative size.
    expect(damageOf(ptyp.PtypMultipleBinary, bytes(1, 0, 0, 0, 4, 0, 0, 0)).message).toMatch(/item 0 of 1/);
    expect(damageOf(ptyp.PtypMultipleBinary, bytes(1, 0, 0, 0, 9, 0, 0, 0)).message).toMatch(/item 0 of 1/);
    const backwards = bytes(2, 0, 0, 0, 14, 0, 0, 0, 12, 0, 0, 0, 1, 2, 3);
    expect(damageOf(ptyp.PtypMultipleBinary, backwards).message).toMatch(/bytes 14 to 12 of 15/);
  });

  it('stops arrays of absurd length', () => {
    const count = MULTIPLE_COUNT_MAX + 1;
    const stored = new Uint8Array(4 + 4 * count);
    const view = new DataView(stored.buffer);
    view.setUint32(0, count, true);
    for (let i = 0; i < count; i++) view.setUint32(4 + 4 * i, stored.length, true);
    expect(damageOf(ptyp.PtypMultipleBinary, stored).code).toBe('PST_LIMIT');
  });

  it('refuses a JS value of another type', () => {
    const wrong: readonly [number, PropertyValue][] = [
      [ptyp.PtypInteger16, 70000],
      [ptyp.PtypInteger32, 1.5],
      [ptyp.PtypInteger32, '1'],
      [ptyp.PtypInteger64, 1],
      [ptyp.PtypBoolean, 1],
      [ptyp.PtypTime, 1n],
      [ptyp.PtypGuid, 'no guid'],
      [ptyp.PtypObject, 1],
      [ptyp.PtypString, [] as PropertyValue],
      [ptyp.PtypMultipleString, 'x'],
      [ptyp.PtypBinary, 'x'],
    ];
    for (const [type, value] of wrong) expect(() => encodeValue(type, value), ptyp.typeName(type)).toThrow(UsageError);
    expect(encodeValue(ptyp.PtypInteger32, 0xffffffff)).toEqual(bytes(255, 255, 255, 255));
  });
});

describe('property types', () => {
  it('are found by every name they have', () => {
    expect(ptyp.findTypeNamed('ptypstring')?.type).toBe(0x001f);
    expect(ptyp.findTypeNamed('mv_binary')?.type).toBe(0x1102);
    expect(ptyp.typeName(0x1003)).toBe('PtypMultipleInteger32');
    expect(ptyp.typeName(0x1234)).toBe('0x1234');
    expect(ptyp.isMultiple(0x100d)).toBe(false);
  });
});
