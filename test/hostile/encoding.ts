/** Encodes and decodes blocks for mutants: the core decodes, and its own tables turned round encode. @module */
import { Core } from '../../src/core/core.js';
import { CRYPT } from '../../src/wire/header.js';

const core = Core.load();

function transform(bytes: Uint8Array, method: number, bid: number): Uint8Array {
  if (bytes.length === 0 || method === CRYPT.NONE) return bytes.slice();
  const ptr = core.put(bytes);
  core.x.blockDecode(ptr, bytes.length, method, bid >>> 0);
  const out = core.u8.slice(ptr, ptr + bytes.length);
  core.x.free(ptr);
  return out;
}

/** MS-PST 5.1: a table; what each byte decodes to, turned round. */
const permutation = new Uint8Array(256);
transform(
  Uint8Array.from({ length: 256 }, (_, k) => k),
  CRYPT.PERMUTE,
  0,
).forEach((plain, encoded) => {
  permutation[plain] = encoded;
});

export const decode = transform;

export function encode(bytes: Uint8Array, method: number, bid: number): Uint8Array {
  if (method === CRYPT.PERMUTE) return bytes.map((byte) => permutation[byte]!);
  return transform(bytes, method, bid); // 5.2: the cyclic encoding undoes itself
}
