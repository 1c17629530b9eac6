/**
 * One property context with its subnodes, the shape of every object of a store: MS-PST 2.3.3, 2.4.5.1, 2.4.6.2.
 * Values too long for the heap become data trees at once; what stays in memory is one object's heap.
 * @module
 */
import { SITE_HOST } from '../core/site.js';
import { PstError, UsageError, type Where } from '../errors.js';
import { EXTERNAL, type PropertyStream, RECORD_SIZE, STREAM_HEADER } from '../ltp/stream.js';
import { StreamWriter } from '../ltp/streamwriter.js';
import { encodeUtf16 } from '../mapi/codepage.js';
import * as ptyp from '../mapi/type.js';
import type { StoreWriter } from '../ndb/write/store-writer.js';
import type { Subnode } from '../ndb/write/subnode.js';
import { HN_ITEM_MAX } from '../wire/heap.js';
import { NID_TYPE } from '../wire/nid.js';
import { type PropertyInput, type Time, tagText, toFileTime, valueBytes } from './properties.js';
import { TAG } from './tag.js';

/** A data tree in the store. */
export interface Tree {
  readonly bid: number;
  /** Decoded bytes: the sum of cb of its leaves. */
  readonly size: number;
}

/** What was written of a node: its two trees. */
export interface Written {
  readonly bidData: number;
  readonly bidSub: number;
  /**
   * Sum of cb of all leaf data blocks of the node and, recursively, of its subnodes. X, XX, SL and SI blocks do not
   * count. This is PidTagMessageSize (scanpst.md 6, exact in 63 of 63 messages of modern stores).
   */
  readonly leafBytes: number;
}

export const NOTHING: Written = { bidData: 0, bidSub: 0, leafBytes: 0 };

export interface WrittenObject extends Written {
  /** The properties as they were encoded. External ones name subnodes of this object. */
  readonly stream: PropertyStream;
  /** Trees of the external ones, by tag. */
  readonly trees: ReadonlyMap<number, Tree>;
}

/**
 * ScanPST wants a display list of more than about 1,024 characters to be one data tree that the message and its row
 * share (scanpst.md 6). Outlook shares them from 1,004 bytes on (seen), so does this: well below the limit.
 */
const DISPLAY_LIST_MAX = 1000;
const DISPLAY_LISTS: ReadonlySet<number> = new Set([TAG.DISPLAY_TO, TAG.DISPLAY_CC, TAG.DISPLAY_BCC]);

const isInline = (type: number): boolean => {
  const size = ptyp.fixedSize(type);
  return !ptyp.isMultiple(type) && size > 0 && size <= 4;
};

/** PidTagMessageSize and PidTagAttachSize are signed. A larger object could not say its size. */
export const SIZE_MAX = 0x7fff_ffff;

export class ObjectWriter {
  readonly #writer: StoreWriter;
  readonly #where: Where;
  readonly #properties = new StreamWriter();
  readonly #lengths = new Map<number, number>();
  readonly #ids = new Set<number>();
  readonly #trees = new Map<number, Tree>();
  readonly #subnodes: Subnode[] = [];
  #subnodeBytes = 0;

  constructor(writer: StoreWriter, where: Where) {
    this.#writer = writer;
    this.#where = where;
  }

  /** Is there a property of that tag's id, of whatever type? A property context has an id once. */
  hasId(tag: number): boolean {
    return this.#ids.has(ptyp.idOf(tag));
  }

  /** The sum of the sizes of all values: PidTagAttachSize (scanpst.md 6, exact in 279 of 279). */
  get valueBytes(): number {
    let sum = 0;
    for (const length of this.#lengths.values()) sum += length;
    return sum;
  }

  set(tag: number, value: PropertyInput): this {
    return this.setBytes(tag, valueBytes(tag, value));
  }

  setText(tag: number, text: string): this {
    return this.setBytes(tag, encodeUtf16(text));
  }

  setNumber(tag: number, value: number): this {
    this.#note(tag, ptyp.fixedSize(ptyp.typeOf(tag)));
    this.#properties.setInline(tag, value);
    return this;
  }

  setTime(tag: number, time: Time): this {
    return this.set(tag, toFileTime(time));
  }

  /** Sets a property from its canonical bytes. Long ones go to a data tree, now. */
  setBytes(tag: number, bytes: Uint8Array): this {
    const max = DISPLAY_LISTS.has(tag) ? DISPLAY_LIST_MAX : HN_ITEM_MAX;
    if (!isInline(ptyp.typeOf(tag)) && bytes.length > max) {
      return this.setTree(tag, { bid: this.#writer.addTreeBytes(bytes), size: bytes.length });
    }
    this.#note(tag, bytes.length);
    this.#properties.set(tag, bytes);
    return this;
  }

  /** Sets a property whose value is a data tree already written. */
  setTree(tag: number, tree: Tree): this {
    this.#note(tag, tree.size);
    const nid = this.#writer.nextNid(NID_TYPE.LTP);
    this.addSubnode(nid, { bidData: tree.bid, bidSub: 0, leafBytes: tree.size });
    this.#properties.setExternal(tag, nid);
    this.#trees.set(tag, tree);
    return this;
  }

  /** Sets a PtypObject: subnode `nid` whose content counts as `size` bytes. MS-PST 2.3.3.5. */
  setObject(tag: number, nid: number, size: number): this {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, nid, true);
    view.setUint32(4, size, true);
    this.#note(tag, size); // the object's own size, not the 8 bytes: scanpst.md 6, exact in 5 of 5
    this.#properties.set(tag, bytes);
    return this;
  }

  #note(tag: number, length: number): void {
    if (this.hasId(tag)) throw new UsageError('USAGE', `${tagText(tag)} is set twice, or with two types`);
    this.#ids.add(ptyp.idOf(tag));
    this.#lengths.set(tag, length);
  }

  addSubnode(nid: number, { bidData, bidSub, leafBytes }: Written): this {
    this.#subnodes.push({ nid, bidData, bidSub });
    this.#subnodeBytes += leafBytes;
    return this;
  }

  /**
   * Writes the object. With `sizeTag`, that property becomes the sum of its leaves: its width never changes, so the heap
   * is encoded once to learn its size and once with it. Throws PST_LIMIT when the size exceeds 31 bits.
   */
  finish(sizeTag?: number): WrittenObject {
    const { core } = this.#writer;
    const { x } = core;
    if (sizeTag !== undefined) this.setNumber(sizeTag, 0);
    const stream = this.#properties.build();
    const ptr = core.put(stream.bytes);
    let chain = this.#encode(ptr);
    const leafBytes = x.chainTotal(chain) + this.#subnodeBytes;
    if (sizeTag !== undefined) {
      if (leafBytes > SIZE_MAX) throw new PstError('PST_LIMIT', `an object of ${leafBytes} bytes`, this.#where);
      const place = STREAM_HEADER + RECORD_SIZE * stream.find(sizeTag) + 12;
      new DataView(stream.bytes.buffer, stream.bytes.byteOffset).setUint32(place, leafBytes, true);
      core.view.setUint32(ptr + place, leafBytes, true);
      x.chainFree(chain);
      chain = this.#encode(ptr);
    }
    x.free(ptr, SITE_HOST);
    const bidData = this.#writer.addTree(chain);
    x.chainFree(chain);
    this.#subnodes.sort((a, b) => a.nid - b.nid);
    return { bidData, bidSub: this.#writer.addSubnodes(this.#subnodes), leafBytes, stream, trees: this.#trees };
  }

  #encode(stream: number): number {
    const chain = this.#writer.core.x.pcWrite(stream, 0);
    if (chain === 0) throw this.#writer.core.damage(this.#where);
    return chain;
  }
}

/** Calls `take` for each property of `stream` that `tags` has: the cells of its row. */
export function eachCell(
  stream: PropertyStream,
  tags: ReadonlySet<number>,
  take: (tag: number, index: number, isExternal: boolean) => void,
): void {
  for (let i = 0; i < stream.count; i++) {
    const tag = stream.tag(i);
    if (tags.has(tag)) take(tag, i, (stream.flags(i) & EXTERNAL) !== 0);
  }
}
