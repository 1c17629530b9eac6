/**
 * Sixteen bytes of identity after sixteen bytes: search keys, conversation GUIDs, replication ids. All follow from the
 * record key, so a store built twice from the same key and content has the same bytes.
 * @module
 */
import { md5 } from '../host/md5.js';
import { GUID_SIZE } from '../mapi/guid.js';

export class Identity {
  readonly #counter = new Uint8Array(4);
  #count = 0;

  constructor(readonly recordKey: Uint8Array) {}

  next(): Uint8Array {
    new DataView(this.#counter.buffer).setUint32(0, this.#count++, true);
    return md5(this.recordKey, this.#counter);
  }
}

export const randomKey = (): Uint8Array => crypto.getRandomValues(new Uint8Array(GUID_SIZE));
