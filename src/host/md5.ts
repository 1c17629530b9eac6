/** MD5, where a format asks for it: a conversation id is one (scanpst.md 6, MS-OXOMSG 2.2.1.2). Never for proof. @module */
import { createHash } from 'node:crypto';

/** 16 bytes. */
export function md5(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
