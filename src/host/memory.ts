/** A store in memory: a sink that can be read back. For replays and their reduction, where stores are small. @module */
import type { Sink, Source } from './source.js';

export interface MemoryFile extends Sink, Source {
  /** What was written so far; a view. */
  readonly bytes: Uint8Array;
}

/** Bytes to begin with; it doubles when it is full. */
const CAPACITY = 1 << 19;

export function memoryFile(name: string, content = new Uint8Array(0)): MemoryFile {
  let buffer = new Uint8Array(Math.max(CAPACITY, content.length));
  buffer.set(content);
  let size = content.length;
  return {
    name,
    get size() {
      return size;
    },
    get bytes() {
      return buffer.subarray(0, size);
    },
    read(target, ib) {
      const part = buffer.subarray(Math.min(ib, size), Math.min(ib + target.length, size));
      target.set(part);
      return part.length;
    },
    write(bytes, ib) {
      const end = ib + bytes.length;
      if (end > buffer.length) {
        const bigger = new Uint8Array(Math.max(end, buffer.length * 2));
        bigger.set(buffer.subarray(0, size));
        buffer = bigger;
      }
      buffer.set(bytes, ib);
      size = Math.max(size, end);
    },
    sync() {},
    close() {},
  };
}
