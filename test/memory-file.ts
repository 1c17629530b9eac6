/** A file in memory: a Sink that can be read back, for tests. @module */
import type { Sink, Source } from '../src/host/source.js';

export class MemoryFile implements Sink, Source {
  #bytes: Uint8Array;
  #size = 0;
  /** Every write in order: where, how much. */
  readonly writes: { ib: number; size: number }[] = [];
  /** Number of writes before each sync. */
  readonly syncs: number[] = [];
  isClosed = false;

  constructor(
    readonly name = 'memory.pst',
    bytes: Uint8Array = new Uint8Array(0),
  ) {
    this.#bytes = bytes.slice();
    this.#size = bytes.length;
  }

  get size(): number {
    return this.#size;
  }

  /** The content: a view, good until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  read(target: Uint8Array, ib: number): number {
    const part = this.bytes.subarray(Math.min(ib, this.#size), Math.min(ib + target.length, this.#size));
    target.set(part);
    return part.length;
  }

  write(bytes: Uint8Array, ib: number): void {
    const end = ib + bytes.length;
    if (end > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(end, Math.ceil(this.#bytes.length * 1.5)));
      wider.set(this.#bytes);
      this.#bytes = wider;
    }
    this.#bytes.set(bytes, ib);
    this.#size = Math.max(this.#size, end);
    this.writes.push({ ib, size: bytes.length });
  }

  sync(): void {
    this.syncs.push(this.writes.length);
  }

  close(): void {
    this.isClosed = true;
  }
}
