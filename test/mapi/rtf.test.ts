import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { PstError } from '../../src/errors.js';
import { decompressRtf, storeRtf } from '../../src/mapi/rtf.js';

const core = Core.load();
const ascii = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));

function crc(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let k = 0; k < 8; k++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return sum >>> 0;
}

/** A value with a right header around `contents`. */
function value(contents: Uint8Array, rawSize: number): Uint8Array {
  const bytes = new Uint8Array(16 + contents.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, contents.length + 12, true);
  view.setUint32(4, rawSize, true);
  view.setUint32(8, 0x75465a4c, true);
  view.setUint32(12, crc(contents), true);
  bytes.set(contents, 16);
  return bytes;
}

const damageOf = (bytes: Uint8Array): PstError => {
  try {
    decompressRtf(core, bytes);
  } catch (error) {
    if (error instanceof PstError) return error;
    throw error;
  }
  throw new Error('no damage found');
};

const PRESET =
  '{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor ' +
  'MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx';

/** MS-OXRTFCP 2.2: the longest match in the last 4095 bytes, searched the slow way. */
function compress(raw: Uint8Array): Uint8Array {
  const all = new Uint8Array(207 + raw.length);
  all.set(new TextEncoder().encode(PRESET));
  all.set(raw, 207);
  const out: number[] = [];
  const tokens: number[][] = [];
  let at = 207;
  for (; at < all.length; ) {
    let best = 0;
    let from = 0;
    for (let start = Math.max(0, at - 4095); start < at; start++) {
      let n = 0;
      while (n < 17 && at + n < all.length && all[start + n] === all[at + n]) n++;
      if (n > best) [best, from] = [n, start];
    }
    if (best >= 2) {
      const token = ((from & 4095) << 4) | (best - 2);
      tokens.push([token >>> 8, token & 255]);
      at += best;
    } else tokens.push([all[at++]!]);
  }
  const end = (at & 4095) << 4;
  tokens.push([end >>> 8, end & 255]);
  for (let i = 0; i < tokens.length; i += 8) {
    const run = tokens.slice(i, i + 8);
    out.push(
      run.reduce((bits, token, k) => bits | (token.length === 2 ? 1 << k : 0), 0),
      ...run.flat(),
    );
  }
  return value(Uint8Array.from(out), raw.length);
}

describe('compressed RTF', () => {
  // MS-OXRTFCP 4.1.1 and 4.1.2.
  it.each([
    [
      '2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c09002062 7705b06c647d0a800fa0',
      '{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n',
    ],
    ['1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0', '{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}'],
  ])('decodes the examples of the specification', (stored, text) => {
    expect(ascii(decompressRtf(core, fromHex(stored)))).toBe(text);
  });

  it.each(['raw', 'paranoid', 'debug'] as const)('decodes the same in the %s build', (build) => {
    const raw = new TextEncoder().encode('{\\rtf1 abcabcabcabcabcabcabcabc\\par \\pard}'.repeat(40));
    expect(decompressRtf(Core.load(build), compress(raw))).toEqual(raw);
  });

  it('takes uncompressed values as they are', () => {
    const rtf = new TextEncoder().encode('{\\rtf1 plain}');
    expect(decompressRtf(core, storeRtf(rtf))).toEqual(rtf);
    expect(decompressRtf(core, storeRtf(new Uint8Array()))).toHaveLength(0);
  });

  it('undoes a compressor, whatever was compressed', () => {
    const words = fc.array(fc.constantFrom('\\par ', '{\\f0 ', 'x', 'abcabcabc', '\r\n', '\\red0\\green0', '}'), {
      maxLength: 400,
    });
    const raw = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      words.map((list) => new TextEncoder().encode(list.join(''))),
    );
    fc.assert(
      fc.property(raw, (bytes) => {
        expect(decompressRtf(core, compress(bytes))).toEqual(bytes);
      }),
      { numRuns: 60 },
    );
    const long = Uint8Array.from({ length: 12000 }, (_, i) => (i * i) % 61);
    expect(decompressRtf(core, compress(long))).toEqual(long);
  });

  it('copies at every distance and length', () => {
    for (let distance = 1; distance <= 40; distance++) {
      for (let length = 2; length <= 17; length++) {
        const literals = Uint8Array.from({ length: 40 }, (_, i) => 65 + i);
        const contents: number[] = [];
        for (let i = 0; i < 40; i += 8) contents.push(0, ...literals.subarray(i, i + 8));
        const token = ((207 + 40 - distance) << 4) | (length - 2);
        contents.push(1, token >>> 8, token & 255, 33);
        const expected = [...literals];
        for (let i = 0; i < length; i++) expected.push(expected[expected.length - distance]!);
        expected.push(33);
        const rtf = decompressRtf(core, value(Uint8Array.from(contents), expected.length));
        expect([...rtf]).toEqual(expected);
      }
    }
  });

  it('says what is wrong', () => {
    const good = compress(new TextEncoder().encode('{\\rtf1 hello hello hello}'));
    const change = (at: number, byte: number): Uint8Array => good.map((old, i) => (i === at ? byte : old));
    expect(damageOf(good.subarray(0, 15)).code).toBe('PST_BAD_VALUE');
    expect(damageOf(good.subarray(0, good.length - 1)).message).toMatch(/header says/);
    expect(damageOf(change(8, 0)).message).toMatch(/COMPTYPE/);
    expect(damageOf(change(12, good[12]! ^ 1)).code).toBe('PST_BAD_CRC');
    expect(damageOf(change(20, good[20]! ^ 1)).code).toBe('PST_BAD_CRC');
    expect(damageOf(change(7, 0xff)).code).toBe('PST_ABSURD');
    // A reference to a place of the dictionary nothing was written to.
    expect(damageOf(value(Uint8Array.of(1, 0xff, 0xf0, 0, 0, 0), 10)).code).toBe('PST_BAD_VALUE');
    // The end comes before RAWSIZE bytes.
    expect(damageOf(value(Uint8Array.of(2, 65, 0x0d, 0x00, 0, 0, 0), 10)).code).toBe('PST_BAD_VALUE');
    expect(damageOf(value(Uint8Array.of(0, 65), 10)).code).toBe('PST_BAD_VALUE');
  });

  it('never gives more than RAWSIZE bytes', () => {
    const good = compress(new TextEncoder().encode('abababababababababababababab'));
    new DataView(good.buffer).setUint32(4, 5, true);
    expect(ascii(decompressRtf(core, good))).toBe('ababa');
  });

  it('ends any input in a result or a named error, and frees what it took', () => {
    const before = core.x.pagesLive();
    const contents = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(contents, fc.integer({ min: 0, max: 3000 }), (bytes, rawSize) => {
        try {
          expect(decompressRtf(core, value(bytes, rawSize))).toHaveLength(rawSize);
        } catch (error) {
          expect(error).toBeInstanceOf(PstError);
        }
      }),
      { numRuns: 400 },
    );
    fc.assert(
      fc.property(contents, (bytes) => {
        expect(() => {
          try {
            decompressRtf(core, bytes);
          } catch (error) {
            if (!(error instanceof PstError)) throw error;
          }
        }).not.toThrow();
      }),
    );
    expect(core.x.pagesLive()).toBe(before);
  });
});
