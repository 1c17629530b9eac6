/**
 * What a reader has read: counts and sums that a reader cannot get right without reading it all, and, when asked for,
 * one digest of every value. Two readers fill one each, and they are compared.
 *
 *     value       property id · type · bytes (numbers of up to four bytes as 32 bits)
 *     object      its values, in order of id
 *     message     its own object, then recipients, then attachments, each kind in order of digest
 *     store       messages in order of digest
 * @module
 */
import { createHash, type Hash } from 'node:crypto';

export interface Tally {
  messages: number;
  recipients: number;
  attachments: number;
  /** Bytes of attachment data. */
  attachmentBytes: number;
  /** Properties of messages and attachments. */
  properties: number;
  /** Bytes of their values above four bytes, attachment data included. */
  valueBytes: number;
  /** Bytes in cells of recipients. */
  recipientBytes: number;
  digest: string;
}

export const noTally = (): Tally => ({
  messages: 0,
  recipients: 0,
  attachments: 0,
  attachmentBytes: 0,
  properties: 0,
  valueBytes: 0,
  recipientBytes: 0,
  digest: '',
});

export const ATTACH_DATA = 0x3701;

/** Digest of one object: values arrive in any order. */
export class ObjectDigest {
  readonly #values: { id: number; hash: string }[] = [];

  bytes(id: number, type: number, bytes: Uint8Array): void {
    this.close(id, this.open(id, type).update(bytes));
  }

  number(id: number, type: number, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.bytes(id, type, bytes);
  }

  /** A value that comes in pieces: update what this gives, then `close`. */
  open(id: number, type: number): Hash {
    return createHash('sha256').update(`${id} ${type} `);
  }

  close(id: number, hash: Hash): void {
    this.#values.push({ id, hash: hash.digest('hex') });
  }

  get digest(): string {
    this.#values.sort((a, b) => a.id - b.id);
    return digestOf(this.#values.map(({ hash }) => hash));
  }
}

export function digestOf(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
