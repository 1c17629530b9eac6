/**
 * Builds property streams from values: the form in which the core takes property contexts and table rows to encode.
 * @module
 */
import { EXTERNAL, INLINE, PropertyStream, RECORD_SIZE, STREAM_HEADER } from './stream.js';

interface Entry {
  tag: number;
  flags: number;
  /** Inline value or NID. */
  place: number;
  bytes: Uint8Array | undefined;
}

/** Types whose value lies in the record itself, with its length in bytes. MS-OXCDATA 2.11.1. */
const INLINE_LENGTH: Readonly<Record<number, number>> = { 2: 2, 3: 4, 4: 4, 10: 4, 11: 1 };

export class StreamWriter {
  readonly #entries = new Map<number, Entry>();

  /** Sets a property from the bytes of its value (canonical length for fixed types). */
  set(tag: number, bytes: Uint8Array): this {
    const length = INLINE_LENGTH[tag & 0xffff];
    if (length === undefined) {
      this.#entries.set(tag >>> 0, { tag: tag >>> 0, flags: 0, place: 0, bytes });
      return this;
    }
    let value = 0;
    for (let k = 0; k < length; k++) value |= (bytes[k] ?? 0) << (8 * k);
    return this.setInline(tag, value);
  }

  /** Sets a boolean, 16-bit or 32-bit property. */
  setInline(tag: number, value: number): this {
    const length = INLINE_LENGTH[tag & 0xffff];
    if (length === undefined) throw new RangeError(`property type 0x${(tag & 0xffff).toString(16)} is not held inline`);
    const place = length === 4 ? value >>> 0 : (value & (2 ** (8 * length) - 1)) >>> 0;
    this.#entries.set(tag >>> 0, { tag: tag >>> 0, flags: INLINE, place, bytes: undefined });
    return this;
  }

  /** Sets a property whose value lies in subnode `nid`. */
  setExternal(tag: number, nid: number): this {
    this.#entries.set(tag >>> 0, { tag: tag >>> 0, flags: EXTERNAL, place: nid, bytes: undefined });
    return this;
  }

  delete(tag: number): boolean {
    return this.#entries.delete(tag >>> 0);
  }

  has(tag: number): boolean {
    return this.#entries.has(tag >>> 0);
  }

  /** Takes over property `index` of another stream as it is. */
  copy(from: PropertyStream, index: number): this {
    const flags = from.flags(index);
    const tag = from.tag(index);
    const place = flags === 0 ? 0 : from.place(index);
    this.#entries.set(tag, { tag, flags, place, bytes: flags === 0 ? from.value(index) : undefined });
    return this;
  }

  /** The stream, sorted by tag. */
  build(rowId = 0): PropertyStream {
    const entries = [...this.#entries.values()].sort((a, b) => a.tag - b.tag);
    let size = STREAM_HEADER + entries.length * RECORD_SIZE;
    for (const { bytes } of entries) if (bytes !== undefined) size += (bytes.length + 7) & ~7;
    const out = new Uint8Array(size);
    const view = new DataView(out.buffer);
    view.setUint32(0, entries.length, true);
    view.setUint32(4, size, true);
    view.setUint32(8, rowId, true);
    let record = STREAM_HEADER;
    let place = STREAM_HEADER + entries.length * RECORD_SIZE;
    for (const { tag, flags, place: held, bytes } of entries) {
      view.setUint32(record, tag, true);
      view.setUint32(record + 4, flags, true);
      view.setUint32(record + 8, bytes?.length ?? (flags & INLINE ? INLINE_LENGTH[tag & 0xffff]! : 0), true);
      view.setUint32(record + 12, bytes === undefined ? held : place, true);
      if (bytes !== undefined) {
        out.set(bytes, place);
        place += (bytes.length + 7) & ~7;
      }
      record += RECORD_SIZE;
    }
    return new PropertyStream(out);
  }
}
