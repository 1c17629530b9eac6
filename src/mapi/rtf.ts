/**
 * Compressed RTF: the value of PidTagRtfCompressed (1009). MS-OXRTFCP.
 * @module
 */
import type { Core } from '../core/core.js';
import type { Where } from '../errors.js';

const HEADER_SIZE = 16;
const UNCOMPRESSED = 0x414c454d; // "MELA"
const RAWSIZE_AT = 4;

/** The RTF as bytes: 7-bit text, its own escapes say what else it holds. Throws PstError, never more than RAWSIZE bytes. */
export function decompressRtf(core: Core, bytes: Uint8Array, where: Where = {}): Uint8Array {
  const source = core.put(bytes);
  const ptr = core.x.lzfuDecode(source, 0, bytes.length);
  core.x.free(source);
  if (ptr === 0) throw core.damage(where);
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(RAWSIZE_AT, true);
  const rtf = core.u8.slice(ptr, ptr + size);
  core.x.free(ptr);
  return rtf;
}

/** RTF as a value of PidTagRtfCompressed that is not compressed: COMPTYPE MELA, CRC 0. */
export function storeRtf(rtf: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE + rtf.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length - 4, true);
  view.setUint32(RAWSIZE_AT, rtf.length, true);
  view.setUint32(8, UNCOMPRESSED, true);
  bytes.set(rtf, HEADER_SIZE);
  return bytes;
}
