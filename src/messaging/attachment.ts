/**
 * Attachments: subnodes of type 5 of a message, each a property context. MS-PST 2.4.6, MS-OXCMSG 2.2.2.
 *
 *     method   3701 is        data are
 *     1        binary         its bytes
 *     2 3 4 7  -              elsewhere: a path or an address
 *     5        object         a subnode that is a whole message
 *     6        object         a subnode with the bytes of an OLE compound file
 * @module
 */
import { hex, PstError, type Where } from '../errors.js';
import { DAMAGED, EXTERNAL } from '../ltp/stream.js';
import { PtypObject } from '../mapi/type.js';
import { Message } from './message.js';
import { NodeHolder, VALUE_BYTES_MAX } from './properties.js';
import { Sequence } from './sequence.js';
import type { Row } from './tableview.js';

/** PidTagAttachMethod. MS-OXCMSG 2.2.2.9. */
export const ATTACH_METHOD = {
  NONE: 0,
  BY_VALUE: 1,
  BY_REFERENCE: 2,
  BY_REFERENCE_RESOLVE: 3,
  BY_REFERENCE_ONLY: 4,
  EMBEDDED_MESSAGE: 5,
  OLE: 6,
  BY_WEB_REFERENCE: 7,
} as const;

/**
 * Against messages that contain themselves: an attachment's message may be nested so deep. Each level costs two levels of
 * subnode trees; real mail stops at a handful.
 */
export const EMBEDDED_DEPTH_MAX = 64;

const DATA_ID = 0x3701; // PidTagAttachDataBinary, PidTagAttachDataObject
const DATA_OBJECT = 0x3701_000d;

/** No honest message has the very blocks of one it is in. */
export const containsItself = (where: Where): PstError =>
  new PstError('PST_BAD_VALUE', 'an embedded message contains itself', { ...where, field: 'PidTagAttachDataObject' });

/** What an attachment's data are when they lie in a subnode. */
export interface DataNode {
  readonly nid: number;
  readonly bidData: number;
  readonly bidSub: number;
}

export class Attachment extends NodeHolder {
  constructor(
    /** The message it is attached to. */
    readonly message: Message,
    nid: number,
    bidData: number,
    bidSub: number,
    /** Its row in the attachment table; undefined when the table has none. */
    readonly row: Row | undefined,
  ) {
    super(message.store, nid, bidData, bidSub);
  }

  override get where(): Where {
    return this.message.where;
  }
  protected override inheritedCodePage(): number {
    return this.message.codePage;
  }

  /** See {@link ATTACH_METHOD}. */
  get method(): number {
    return this.integer('PidTagAttachMethod') ?? ATTACH_METHOD.NONE;
  }
  /** The long file name, else the short one, else the display name. */
  get name(): string | undefined {
    return this.text('PidTagAttachLongFilename') || this.text('PidTagAttachFilename') || this.text('PidTagDisplayName');
  }
  /** As the store states it: the properties count too. The data alone: `dataSize`. */
  get size(): number | undefined {
    return this.integer('PidTagAttachSize');
  }
  get mimeType(): string | undefined {
    return this.text('PidTagAttachMimeTag');
  }
  get contentId(): string | undefined {
    return this.text('PidTagAttachContentId');
  }
  /** Place in the text of the body; -1 when it is not shown there. */
  get renderingPosition(): number | undefined {
    return this.integer('PidTagRenderingPosition');
  }
  get isHidden(): boolean {
    return this.flag('PidTagAttachmentHidden') ?? false;
  }
  get isEmbeddedMessage(): boolean {
    return this.method === ATTACH_METHOD.EMBEDDED_MESSAGE;
  }
  /** Where the data of an attachment by reference are. */
  get path(): string | undefined {
    return this.text('PidTagAttachLongPathname') || this.text('PidTagAttachPathname');
  }

  /** The subnode with the data, when they are an object or too long for the properties. Throws PST_MISSING, or what is wrong with the value. */
  dataNode(): DataNode | undefined {
    const { stream } = this;
    const index = stream.findId(DATA_ID);
    if (index < 0) return undefined;
    let nid: number;
    const flags = stream.flags(index);
    if (flags & DAMAGED) this.valueAt(index); // throws what is wrong with it
    if (flags & EXTERNAL) nid = stream.place(index);
    else if ((stream.tag(index) & 0xffff) !== PtypObject || stream.length(index) < 4) return undefined;
    else {
      const value = stream.value(index);
      nid = new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(0, true);
    }
    const at = this.subnodes.find(nid);
    if (at < 0) {
      throw new PstError('PST_MISSING', `the subnode ${hex(nid)} of attachment ${hex(this.nid)} is not there`, {
        ...this.where,
        field: 'PidTagAttachDataObject',
        section: '2.4.6.2',
      });
    }
    return { nid, bidData: this.subnodes.bidData(at), bidSub: this.subnodes.bidSub(at) };
  }

  /**
   * The data, leaf by leaf: the bytes by value, or of the OLE file. Nothing for references and embedded messages.
   * Throws PstError while it is walked when a leaf cannot be read.
   */
  data(): Sequence<Uint8Array> {
    if (this.isEmbeddedMessage) return new Sequence<Uint8Array>(() => [].values());
    const index = this.stream.findId(DATA_ID);
    const node = this.dataNode();
    if (node !== undefined) return this.chunksOf(() => node.bidData, this.where);
    return index < 0 || this.stream.tag(index) === DATA_OBJECT
      ? new Sequence<Uint8Array>(() => [].values())
      : this.chunksAt(index);
  }

  /** Bytes that `data` gives. */
  get dataSize(): number {
    if (this.isEmbeddedMessage) return 0;
    const node = this.dataNode();
    if (node !== undefined) return this.store.ndb.treeSize(node.bidData, this.where);
    const index = this.stream.findId(DATA_ID);
    return index < 0 || this.stream.tag(index) === DATA_OBJECT ? 0 : this.stream.length(index);
  }

  /** All data at once. Throws PST_LIMIT above `limit` bytes; `data` has no limit. */
  bytes(limit = VALUE_BYTES_MAX): Uint8Array {
    const size = this.dataSize;
    if (size > limit) throw new PstError('PST_LIMIT', `${size} bytes, at most ${limit} are read`, this.where);
    const all = new Uint8Array(size);
    let done = 0;
    for (const chunk of this.data()) {
      all.set(chunk, done);
      done += chunk.length;
    }
    return all;
  }

  /** The embedded message; undefined when the attachment is none. Throws PST_MISSING, PST_LIMIT. */
  embeddedMessage(): Message | undefined {
    if (!this.isEmbeddedMessage) return undefined;
    const node = this.dataNode();
    if (node === undefined) return undefined;
    if (this.message.depth >= EMBEDDED_DEPTH_MAX) {
      throw new PstError('PST_LIMIT', `messages nested ${EMBEDDED_DEPTH_MAX} deep`, this.where);
    }
    for (let outer: Message | undefined = this.message; outer !== undefined; outer = outer.within?.message) {
      if (outer.bidData === node.bidData && outer.bidSub === node.bidSub) throw containsItself(this.where);
    }
    return new Message(this.store, node.nid, node.bidData, node.bidSub, { within: this });
  }
}
