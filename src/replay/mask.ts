/**
 * Values made unreadable: letters of the same case and number, zeros for digits, as many bytes as before. What shows the format of a text
 * stays: spaces, points, the @ of an address.
 * @module
 */
import * as ptyp from '../mapi/type.js';

/** What a unit of text becomes; letters of other scripts are small ones. */
function masked(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return 0x30;
  if (unit >= 0x41 && unit <= 0x5a) return 0x58;
  if (unit >= 0x61 && unit <= 0x7a) return 0x78;
  return unit >= 0x80 ? 0x78 : unit;
}

/** UTF-16. */
function maskWide(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  for (let k = 0; k + 1 < out.length; k += 2) {
    const unit = out[k]! | (out[k + 1]! << 8);
    const to = masked(unit);
    if (to === unit) continue;
    out[k] = to;
    out[k + 1] = 0;
  }
  if (out.length % 2 === 1) out[out.length - 1] = masked(out[out.length - 1]!);
  return out;
}

/** Text of one byte a unit keeps its marks; in anything else, marks may be halves of letters. */
const isText = (bytes: Uint8Array): boolean =>
  bytes.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);

/** Bytes of no known kind. Zeros stay: they are structure more often than not. */
export function maskBytes(bytes: Uint8Array): Uint8Array {
  if (isText(bytes)) return bytes.map(masked);
  return bytes.map((byte) =>
    byte === 0 ? 0 : byte >= 0x30 && byte <= 0x39 ? 0x30 : byte >= 0x41 && byte <= 0x5a ? 0x58 : 0x78,
  );
}

/** Types whose values are numbers, times and identifiers of kinds, and no text: MS-OXCDATA 2.11.1. */
const PLAIN: ReadonlySet<number> = new Set([
  ptyp.PtypInteger16,
  ptyp.PtypInteger32,
  ptyp.PtypFloating32,
  ptyp.PtypFloating64,
  ptyp.PtypCurrency,
  ptyp.PtypFloatingTime,
  ptyp.PtypErrorCode,
  ptyp.PtypBoolean,
  ptyp.PtypObject,
  ptyp.PtypInteger64,
  ptyp.PtypTime,
  ptyp.PtypGuid,
]);

/** A value of a type, masked. A value that has not the length of its type may hold anything, and is bytes. */
export function maskValue(type: number, bytes: Uint8Array): Uint8Array {
  const base = ptyp.baseType(type);
  if (PLAIN.has(base)) {
    const size = ptyp.fixedSize(base);
    const isWhole = ptyp.isMultiple(type) ? bytes.length % size === 0 && !isText(bytes) : bytes.length === size;
    return isWhole ? bytes : maskBytes(bytes);
  }
  if (ptyp.isMultiple(type)) return maskMultiple(base, bytes);
  return type === ptyp.PtypString ? maskWide(bytes) : maskBytes(bytes);
}

/** Values of varying size: their number, where each begins, then the values. MS-PST 2.3.3.4.2. */
function maskMultiple(base: number, bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length < 4 ? -1 : view.getUint32(0, true);
  if (count < 0 || 4 + 4 * count > bytes.length) return maskBytes(bytes);
  const starts = Array.from({ length: count }, (_, k) => view.getUint32(4 + 4 * k, true));
  const out = bytes.slice();
  for (let k = 0; k < count; k++) {
    const end = starts[k + 1] ?? bytes.length;
    if (starts[k]! < 4 + 4 * count || starts[k]! > end || end > bytes.length) return maskBytes(bytes);
    out.set(maskValue(base, bytes.subarray(starts[k]!, end)), starts[k]!);
  }
  return out;
}
