/** zlib for the blocks of 4K stores. Bounded: the trailer states the size, more is a bomb. @module */
import { inflateSync } from 'node:zlib';

/**
 * Inflates one zlib stream to exactly `size` bytes. Returns undefined when it does not inflate, or
 * inflates to any other size.
 */
export function inflate(bytes: Uint8Array, size: number): Uint8Array | undefined {
  try {
    const out = inflateSync(bytes, { maxOutputLength: Math.max(size, 64), chunkSize: Math.max(size, 64) });
    return out.length === size ? out : undefined;
  } catch {
    return undefined;
  }
}
