/**
 * Wire structs: one declaration per structure on disk, its fields in file order.
 *
 * Offsets follow from the field sizes, so nobody types an offset. `size` is what the specification
 * states for the whole structure; it is compared as the module loads, so a forgotten field stops
 * the program before it reads a byte. `scripts/wire.ts` prints the same tables as AssemblyScript.
 *
 * No BigInt: 8-byte numbers are JS numbers. What does not fit 2^53 - 1 is no place in any file.
 * @module
 */
import { hex, PstError } from '../errors.js';

export interface Field<T> {
  readonly size: number;
  get(view: DataView, at: number): T;
  set(view: DataView, at: number, value: T): void;
}

const TWO_32 = 2 ** 32;

export const u8: Field<number> = {
  size: 1,
  get: (v, at) => v.getUint8(at),
  set: (v, at, x) => v.setUint8(at, x),
};
export const u16: Field<number> = {
  size: 2,
  get: (v, at) => v.getUint16(at, true),
  set: (v, at, x) => v.setUint16(at, x, true),
};
export const u32: Field<number> = {
  size: 4,
  get: (v, at) => v.getUint32(at, true),
  set: (v, at, x) => v.setUint32(at, x, true),
};

/** `get` may return an inexact number above 2^53 - 1; `Struct.read` and `safe` refuse those. */
export const u64: Field<number> = {
  size: 8,
  get: (v, at) => v.getUint32(at + 4, true) * TWO_32 + v.getUint32(at, true),
  set: (v, at, x) => {
    if (!Number.isSafeInteger(x) || x < 0) throw new Error(`${x} is not a safe unsigned integer`);
    v.setUint32(at, x >>> 0, true);
    v.setUint32(at + 4, Math.floor(x / TWO_32), true);
  },
};

/** A run of raw bytes. `get` returns a view, not a copy. */
export const bytes = (size: number): Field<Uint8Array> => ({
  size,
  get: (v, at) => new Uint8Array(v.buffer, v.byteOffset + at, size),
  set: (v, at, x) => {
    if (x.length !== size) throw new Error(`${x.length} bytes for a field of ${size}`);
    new Uint8Array(v.buffer, v.byteOffset + at, size).set(x);
  },
});

/** An array of `count` 32-bit numbers. `get` returns a copy. */
export const u32s = (count: number): Field<Uint32Array> => ({
  size: 4 * count,
  get: (v, at) => Uint32Array.from({ length: count }, (_, i) => v.getUint32(at + 4 * i, true)),
  set: (v, at, x) => {
    if (x.length !== count) throw new Error(`${x.length} numbers for a field of ${count}`);
    for (let i = 0; i < count; i++) v.setUint32(at + 4 * i, x[i]!, true);
  },
});

/** A structure inside a structure. */
export const part = <S extends Shape>(inner: Struct<S>): Field<Values<S>> => ({
  size: inner.size,
  get: (v, at) => inner.read(v, at),
  set: (v, at, x) => inner.write(v, at, x),
});

// biome-ignore lint/suspicious/noExplicitAny: a shape holds fields of any value type
export type Shape = Record<string, Field<any>>;
export type Values<S extends Shape> = { [K in keyof S]: S[K] extends Field<infer T> ? T : never };

export interface Struct<S extends Shape> {
  readonly name: string;
  readonly section: string;
  readonly size: number;
  /** Byte offset of each field. */
  readonly at: { readonly [K in keyof S]: number };
  /** Throws PST_TRUNCATED, PST_ABSURD. */
  read(view: DataView, base?: number): Values<S>;
  write(view: DataView, base: number, values: Values<S>): void;
}

/** The number, when it is exact; PST_ABSURD otherwise. `field` is `STRUCT.field`. */
export function safe(value: number, field: string, section: string): number {
  if (value > Number.MAX_SAFE_INTEGER) {
    throw new PstError('PST_ABSURD', `${hex(value)} is beyond any file`, { field, section });
  }
  return value;
}

export function struct<S extends Shape>(name: string, section: string, size: number, shape: S): Struct<S> {
  const at = {} as { [K in keyof S]: number };
  let end = 0;
  for (const key of Object.keys(shape) as (keyof S & string)[]) {
    at[key] = end;
    end += shape[key]!.size;
  }
  if (end !== size) throw new Error(`${name}: fields take ${end} bytes, MS-PST ${section} says ${size}`);

  return {
    name,
    section,
    size,
    at,
    read(view, base = 0) {
      if (base < 0 || base + size > view.byteLength) {
        const left = Math.max(0, view.byteLength - base);
        throw new PstError('PST_TRUNCATED', `${name} needs ${size} bytes, ${left} are left`, { section });
      }
      const values = {} as Values<S>;
      for (const key in shape) {
        const value = shape[key]!.get(view, base + at[key]);
        if (typeof value === 'number') safe(value, `${name}.${key}`, section);
        values[key] = value;
      }
      return values;
    },
    write(view, base, values) {
      for (const key in shape) shape[key]!.set(view, base + at[key], values[key]);
    },
  };
}
