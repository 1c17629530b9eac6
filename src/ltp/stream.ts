/**
 * The property stream: one property context or one table row, flat and self-describing. Drawn at the head of
 * assembly/stream/cells.ts. Read lazily, with no copy and no allocation per property.
 * @module
 */

/** The value is the record's `place` itself, zero padded. */
export const INLINE = 1;
/** `place` is the NID of the subnode that holds the value. */
export const EXTERNAL = 2;
/** `place` is the HNID as found, `length` the damage code of the core. */
export const DAMAGED = 4;

export const STREAM_HEADER = 16;
export const RECORD_SIZE = 16;

export class PropertyStream {
  readonly count: number;
  readonly #view: DataView;

  /** `bytes` is one whole stream and must not change while it is read. */
  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.count = this.#view.getUint32(0, true);
  }

  /** Row id of a table row, 0 for a property context. */
  get rowId(): number {
    return this.#view.getUint32(8, true);
  }

  /** id << 16 | type, unsigned. */
  tag(index: number): number {
    return this.#view.getUint32(STREAM_HEADER + index * RECORD_SIZE, true);
  }

  flags(index: number): number {
    return this.#view.getUint32(STREAM_HEADER + index * RECORD_SIZE + 4, true);
  }

  /** Bytes of the value; 0 when it is external. */
  length(index: number): number {
    return this.#view.getUint32(STREAM_HEADER + index * RECORD_SIZE + 8, true);
  }

  /** Offset of the value, or what the flags say. */
  place(index: number): number {
    return this.#view.getUint32(STREAM_HEADER + index * RECORD_SIZE + 12, true);
  }

  /** The value's bytes, a view. Empty when it is external or damaged. */
  value(index: number): Uint8Array {
    const flags = this.flags(index);
    if (flags & (EXTERNAL | DAMAGED)) return this.bytes.subarray(0, 0);
    const at = flags & INLINE ? STREAM_HEADER + index * RECORD_SIZE + 12 : this.place(index);
    return this.bytes.subarray(at, at + this.length(index));
  }

  /** Index of the property with this id (the upper half of a tag), whatever its type; -1 when there is none. */
  findId(id: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.tag(middle) >>> 16 < id) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.tag(low) >>> 16 === id ? low : -1;
  }

  /** Index of the property with exactly this tag, -1 when there is none. */
  find(tag: number): number {
    for (let index = this.findId(tag >>> 16); index >= 0 && index < this.count; index++) {
      const found = this.tag(index);
      if (found === tag) return index;
      if (found >>> 16 !== tag >>> 16) break;
    }
    return -1;
  }

  /** A number held in the record (boolean, 2 or 4 bytes, unsigned), or undefined. */
  inline(tag: number): number | undefined {
    const index = this.find(tag);
    return index >= 0 && this.flags(index) & INLINE ? this.place(index) : undefined;
  }
}

/** Streams laid one after the other, as the core reads table rows: each tells its own size. */
export function* splitStreams(bytes: Uint8Array, count: number): IterableIterator<PropertyStream> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let k = 0; k < count; k++) {
    const size = view.getUint32(at + 4, true);
    yield new PropertyStream(bytes.subarray(at, at + size));
    at += size;
  }
}
