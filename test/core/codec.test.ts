/** CRC, signature and both encodings against plain implementations written from [MS-PST] 5.1 to 5.5. */
import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { Core, type CoreBuild } from '../../src/core/core.js';
import { random } from './chain.js';

/** 5.3: bit by bit, nothing clever. */
function crc(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let k = 0; k < 8; k++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return sum >>> 0;
}

/** 5.5. */
const signature = (bid: number, ib: number): number => (((bid ^ ib) >>> 16) ^ (bid ^ ib)) & 0xffff;

const table = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

/** 5.1: mpbbR and mpbbS; mpbbI is the inverse of the first. */
const R = table(
  '41361362a8216ebbf416cc047f64e85d1ef2cb2a74c55e35d295479e962d9a884c7d843fdbac31b6485ff6c4d8398be7' +
    '233b388ec8c1df25b120a546604e9cfbaad35651457c550007c92b9d859b09a08fadb30f63ab894bd7a7155a716642bf' +
    '264a6b98faea7753b270052cfd593a867ece06eb827857c78d43afb41cd45bcde2e9274fc3087280cfb0eff5286dbe30' +
    '4d3492d50e3c2232e5e4f99fc2d10a8112e1ee918376e397e6618a1779a4b7dc907a5c8c02a6ca69de501a1193b95287' +
    '58fced1d37491b6ae0293399bd6cd994f340546ff0c673b8d63e6518441fdd6710f10c19ecae03a1147ba90bfff8a3c0' +
    'a201f72ebc2468750dfeba2fb5d0da3d',
);
const S = table(
  '14530f56b3c87a9ceb65481716159f02cc547c83000d0c0ba262a876dbd9edc7c5a4dcac8574d6d0a79bae9a967166c3' +
    '6399b8dd73928e847da55ed15d93b1575150808952944f4e0a6bbc8d7f6e47464140440111cb033ff7f4e1a98f3c3af9' +
    'fbf0193082092ec99da08649ee6f4d6dc42d813425871b88aafc06a11238fd4c4272641337246a757743ffe6b44b365c' +
    'e4d8353d45b92cecb7312b290768a30e697b189e2139be281a5b78f523ca2ab0af3efe048ce7e5983295d3f64ae8a6ea' +
    'e9f3d52f7020f21f0567ad5510cecde3273bdabad7c226d4911dd21c2233f8faf15aefcf90b68bb5bdc0bf08971e6ce2' +
    '61e0c6c159abbb58de5fdf60797eb28a',
);
const I = new Uint8Array(256);
for (let k = 0; k < 256; k++) I[R[k]!] = k;

const permute = (bytes: Uint8Array, by: Uint8Array): Uint8Array => bytes.map((byte) => by[byte]!);

/** 5.2, step by step as printed. */
function cyclic(bytes: Uint8Array, key: number): Uint8Array {
  let w = ((key >>> 16) ^ key) & 0xffff;
  return bytes.map((byte) => {
    const low = w & 0xff;
    const high = w >>> 8;
    let b = (byte + low) & 0xff;
    b = R[b]!;
    b = (b + high) & 0xff;
    b = S[b]!;
    b = (b - high) & 0xff;
    b = I[b]!;
    b = (b - low) & 0xff;
    w = (w + 1) & 0xffff;
    return b;
  });
}

const ENCODERS: readonly ((bytes: Uint8Array, key: number) => Uint8Array)[] = [
  (bytes) => bytes,
  (bytes) => permute(bytes, R),
  cyclic,
];

const below = random(0x7c0de);
const noise = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => below(256));
const SIZES = [...Array(1101).keys(), 4072, 8175, 8176, 8180, 65511, 65512, 65535, 65536, 65537, 100_000, 1 << 20];
const KEYS = [0, 1, 0xff, 0x100, 0x1234, 0xffff, 0x10000, 0xdeadbeef, 0xfffffffe];

describe('golden values', () => {
  it('the tables', () => {
    // First and last row of each table as 5.1 prints them.
    expect([...R.subarray(0, 8), ...R.subarray(248)]).toEqual([
      0x41, 0x36, 0x13, 0x62, 0xa8, 0x21, 0x6e, 0xbb, 0x0d, 0xfe, 0xba, 0x2f, 0xb5, 0xd0, 0xda, 0x3d,
    ]);
    expect([...S.subarray(0, 8), ...S.subarray(248)]).toEqual([
      0x14, 0x53, 0x0f, 0x56, 0xb3, 0xc8, 0x7a, 0x9c, 0xde, 0x5f, 0xdf, 0x60, 0x79, 0x7e, 0xb2, 0x8a,
    ]);
    expect([...I.subarray(0, 8)]).toEqual([0x47, 0xf1, 0xb4, 0xe6, 0x0b, 0x6a, 0x72, 0x48]);
    expect(new Set(R).size).toBe(256);
    expect(
      [...S].every((s, k) => S[s] === k),
      'S is its own inverse',
    ).toBe(true);
    // The table of another reader, all of it.
    const { PSTUtil } = createRequire(import.meta.url)('pst-extractor/dist/PSTUtil.class.js') as {
      PSTUtil: { compEnc: number[] };
    };
    expect([...I]).toEqual(PSTUtil.compEnc);
  });

  it('CRCs', () => {
    expect(crc(Buffer.from('123456789'))).toBe(0x2dfd2d88); // CRC-32 with start 0 and no inversion
    expect(crc(new Uint8Array(496))).toBe(0);
    const block = noise(8176);
    // start 0 and no inversion, said with the usual CRC-32
    expect(crc(block)).toBe(~crc32(block, 0xffffffff) >>> 0);
  });
});

describe.each(['core', 'raw', 'paranoid', 'debug'] as const)('the %s build', (build: CoreBuild) => {
  let core: Core;
  beforeAll(() => {
    core = Core.load(build);
  });
  const read = (ptr: number, size: number): Uint8Array => core.u8.slice(ptr, ptr + size);
  const equal = (a: Uint8Array, b: Uint8Array, what: string): void => {
    if (Buffer.compare(a, b) !== 0) expect.fail(what);
  };

  it('CRC of every size and at every alignment', () => {
    for (const size of SIZES) {
      const bytes = noise(size + 3);
      const ptr = core.put(bytes);
      const at = size % 4;
      expect(core.x.crc(ptr, at === 3 ? 3 : at, size) >>> 0, `${size} bytes`).toBe(crc(bytes.subarray(at, at + size)));
      core.x.free(ptr);
    }
  });

  it('CRC after a longer one: the scratch is clean', () => {
    const long = noise(65536);
    const ptr = core.put(long);
    const short = core.put(noise(500));
    const expected = crc(read(short, 500));
    for (const size of [65536, 401, 32768, 1000, 8176]) {
      expect(core.x.crc(ptr, 0, size) >>> 0).toBe(crc(long.subarray(0, size)));
      expect(core.x.crc(short, 0, 500) >>> 0).toBe(expected);
    }
    core.x.free(ptr);
    core.x.free(short);
  });

  it('both encodings, of every size, there and back', () => {
    const wire = core.x.alloc(65536 + 64, 0);
    for (const size of SIZES.filter((size) => size > 0 && size <= 65536)) {
      const bytes = noise(size);
      const src = core.put(bytes);
      const key = size < 1101 ? KEYS[size % KEYS.length]! : below(2 ** 32);
      for (const method of [0, 1, 2]) {
        const encoded = ENCODERS[method]!(bytes, key);
        core.x.blockSeal(wire, 0, src, 0, size, method, key, 0, 0);
        equal(read(wire, size), encoded, `encode, method ${method}, ${size} bytes, key ${key}`);
        const decoded = core.x.blockLoad(wire, 0, size, method, key);
        equal(read(decoded, size), bytes, `decode, method ${method}, ${size} bytes, key ${key}`);
        core.u8.set(encoded, decoded);
        core.x.blockDecode(decoded, size, method, key);
        equal(read(decoded, size), bytes, `decode in place, method ${method}, ${size} bytes, key ${key}`);
        core.x.free(decoded);
      }
      core.x.free(src);
    }
    core.x.free(wire);
  });

  it('cyclic with every key that matters', () => {
    const bytes = noise(700);
    const src = core.put(bytes);
    const wire = core.x.alloc(1024, 0);
    for (const key of [...KEYS, ...Array.from({ length: 300 }, () => below(2 ** 32))]) {
      core.x.blockSeal(wire, 0, src, 0, 700, 2, key, 0, 0);
      equal(read(wire, 700), cyclic(bytes, key), `key 0x${key.toString(16)}`);
    }
    core.x.free(src);
    core.x.free(wire);
  });

  it('blocks: size, padding and trailer, and every way in which a trailer can be wrong', () => {
    const wire = core.x.alloc(8192 + 128, 0);
    for (const cb of [1, 47, 48, 49, 63, 64, 111, 112, 113, 4096, 8111, 8112, 8113, 8175, 8176]) {
      core.u8.fill(0xaa, wire, wire + 8320);
      const src = core.put(noise(cb));
      const [lo, hi, ib] = [0x89abcde4, 0x12, 0xfedcba40];
      const size = core.x.blockSeal(wire, 64, src, 0, cb, 1, lo, hi, ib);
      expect(size).toBe(Math.ceil((cb + 16) / 64) * 64);
      expect(core.x.wireSize(cb, 1)).toBe(size);
      const stored = read(wire + 64, size);
      const view = new DataView(stored.buffer);
      const t = size - 16;
      expect(
        stored.subarray(cb, t).every((byte) => byte === 0),
        'padding',
      ).toBe(true);
      expect(view.getUint16(t, true)).toBe(cb);
      expect(view.getUint16(t + 2, true)).toBe(signature(lo, ib));
      expect(view.getUint32(t + 4, true)).toBe(crc(stored.subarray(0, cb)));
      expect([view.getUint32(t + 8, true), view.getUint32(t + 12, true)]).toEqual([lo, hi]);
      const check = (cb: number, lo: number, hi: number, ib: number): number =>
        core.x.blockCheck(wire, 64, cb, 1, lo, hi, ib);
      const why = (): string => core.damage({}).code;
      expect(check(cb, lo, hi, ib)).toBe(1);
      expect([check(cb, lo ^ 4, hi, ib), why()]).toEqual([0, 'PST_BAD_BID']);
      expect([check(cb, lo, hi ^ 1, ib), why()]).toEqual([0, 'PST_BAD_BID']);
      expect([check(cb, lo, hi, ib ^ 0x40), why()]).toEqual([0, 'PST_BAD_SIG']);
      if (core.x.wireSize(cb - 1, 1) === size) expect([check(cb - 1, lo, hi, ib), why()]).toEqual([0, 'PST_BAD_BLOCK']);
      core.u8[wire + 64 + cb - 1]! ^= 1;
      expect([check(cb, lo, hi, ib), why()]).toEqual([0, 'PST_BAD_CRC']);
      core.u8[wire + 64 + cb - 1]! ^= 1;
      // Nothing around it was touched.
      expect([core.u8[wire + 63], core.u8[wire + 64 + size]]).toEqual([0xaa, 0xaa]);

      const copied = core.x.alloc(size, 0);
      expect(core.x.blockCopy(copied, 0, wire, 64, cb, 0x88, 0, 0x4400)).toBe(size);
      equal(read(copied, cb), stored.subarray(0, cb), 'copied bytes');
      expect(core.x.blockCheck(copied, 0, cb, 1, 0x88, 0, 0x4400)).toBe(1);
      core.x.free(copied);
      core.x.free(src);
    }
    core.x.free(wire);
  });

  it('trailers of ANSI and 4K blocks', () => {
    for (const [variant, unit, size] of [
      [0, 64, 12],
      [2, 512, 24],
    ] as const) {
      for (const cb of [1, unit - size, unit - size + 1, 8100]) {
        const wire = Math.ceil((cb + size) / unit) * unit;
        expect(core.x.wireSize(cb, variant)).toBe(wire);
        const bytes = noise(wire);
        const view = new DataView(bytes.buffer);
        const t = wire - size;
        const sum = crc(bytes.subarray(0, cb));
        view.setUint16(t, cb, true);
        view.setUint16(t + 2, signature(0x1234, 0x98765400), true);
        view.setUint32(t + (variant === 0 ? 8 : 4), sum, true);
        view.setUint32(t + (variant === 0 ? 4 : 8), 0x1234, true);
        if (variant === 2) view.setUint32(t + 12, 0, true);
        const ptr = core.put(bytes);
        expect(core.x.blockCheck(ptr, 0, cb, variant, 0x1234, 0, 0x98765400)).toBe(1);
        expect(core.x.blockCheck(ptr, 0, cb, variant, 0x1238, 0, 0x98765400)).toBe(0);
        core.x.free(ptr);
      }
    }
  });

  it('pages', () => {
    const ptr = core.put(noise(512 * 3));
    for (const [ptype, sig] of [
      [0x80, signature(0x1c, 0x8400)],
      [0x81, signature(0x1c, 0x8400)],
      [0x82, 0],
      [0x83, 0],
      [0x84, 0],
      [0x85, 0],
      [0x86, signature(0x1c, 0x8400)],
    ] as const) {
      core.x.pageSeal(ptr, 512, ptype, 0x1c, 7, 0x8400);
      const page = read(ptr + 512, 512);
      const view = new DataView(page.buffer);
      expect([page[496], page[497], view.getUint16(498, true)]).toEqual([ptype, ptype, sig]);
      expect(view.getUint32(500, true)).toBe(crc(page.subarray(0, 496)));
      expect([view.getUint32(504, true), view.getUint32(508, true)]).toEqual([0x1c, 7]);
    }
    core.x.free(ptr);
  });
});
