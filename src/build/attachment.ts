/**
 * Attachments: MS-PST 2.4.6; the five kinds of MS-OXCMSG 2.2.2.9. Each is a subnode with a property context, and a row
 * of the attachment table.
 * @module
 */
import { PstError, UsageError, type Where } from '../errors.js';
import type { FileTime } from '../mapi/filetime.js';
import { HN_ITEM_MAX } from '../wire/heap.js';
import { NID, NID_TYPE } from '../wire/nid.js';
import type { Context } from './context.js';
import type { Message, WrittenMessage } from './message.js';
import { NOTHING, ObjectWriter, SIZE_MAX, type Tree, type Written } from './object.js';
import { cut, entriesOf, type Properties } from './properties.js';
import { TableBuilder } from './table.js';
import { COMPUTED, TAG } from './tag.js';
import { ATTACHMENTS } from './template.js';

export type Content = Uint8Array | Iterable<Uint8Array>;

interface Common {
  /** File name. Display name of an attached message, by default its subject. */
  readonly name?: string;
  readonly mime?: string;
  readonly contentId?: string;
  /** Not in the list of attachments: an image in the body, mostly. */
  readonly hidden?: boolean;
  /** Any others, and they win. Computed ones are left out: see COMPUTED. */
  readonly properties?: Properties;
}

export interface FileAttachment extends Common {
  /** The bytes, whole or in pieces; written as they come, never held. */
  readonly data: Content;
}
export interface MessageAttachment extends Common {
  readonly message: Message;
}
export interface OleAttachment extends Common {
  /** An OLE object: the bytes of its compound file. */
  readonly ole: Content;
}
export interface ReferenceAttachment extends Common {
  /** Where the file is. Nothing of it is in the store. */
  readonly reference: string;
}
export type Attachment = FileAttachment | MessageAttachment | OleAttachment | ReferenceAttachment;

/** PidTagAttachMethod. MS-OXCMSG 2.2.2.9. */
const METHOD = { BY_VALUE: 1, BY_REFERENCE_ONLY: 4, EMBEDDED_MESSAGE: 5, OLE: 6 } as const;
/** Not drawn in the text of the body: seen in every attachment of Outlook's but OLE objects. */
const NOT_RENDERED = 0xffff_ffff;
/** PidTagAttachFlags, attRenderedInBody. MS-OXCMSG 2.2.2.18. */
const RENDERED_IN_BODY = 4;
/** PidTagAttachTag of an OLE 2 storage: MS-OXCMSG 2.2.2.15. */
const OLE2_STORAGE = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x14, 0x03, 0x0a, 0x03, 0x02, 0x01);
/**
 * NID type of the data of an OLE object. In no specification; ScanPST takes no other (scanpst.md 6), and every OLE object
 * of real stores has it.
 */
const NID_TYPE_OLE = 9;

export interface WrittenAttachments {
  readonly count: number;
  readonly hasVisible: boolean;
  /** The attachment table and the attachments; nothing when there are none. */
  readonly subnodes: readonly { readonly nid: number; readonly written: Written }[];
}

export function writeAttachments(
  context: Context,
  attachments: Iterable<Attachment>,
  time: FileTime,
  where: Where,
  writeEmbedded: (message: Message) => WrittenMessage,
): WrittenAttachments {
  const { writer, empty } = context;
  const table = new TableBuilder(writer, empty, ATTACHMENTS, where);
  const subnodes: { nid: number; written: Written }[] = [];
  let hasVisible = false;
  for (const attachment of attachments) {
    const nid = writer.nextNid(NID_TYPE.ATTACHMENT);
    const object = new ObjectWriter(writer, { nid });
    writeContent(context, object, attachment, time, writeEmbedded);
    // The size counts itself, and is the sum of what the values hold: scanpst.md 6, exact in 279 of 279.
    const size = object.valueBytes + 4;
    if (size > SIZE_MAX) throw new PstError('PST_LIMIT', `an attachment of ${size} bytes`, where);
    object.setNumber(TAG.ATTACH_SIZE, size);
    const written = object.finish();
    table.copy(written).add(nid);
    // Of what was written only the trees matter from here on: thousands of streams are not kept.
    const { bidData, bidSub, leafBytes } = written;
    subnodes.push({ nid, written: { bidData, bidSub, leafBytes } });
    if (attachment.hidden !== true) hasVisible = true;
  }
  const count = subnodes.length;
  if (count > 0) subnodes.push({ nid: NID.ATTACHMENT_TABLE, written: table.finish() });
  return { count, hasVisible, subnodes };
}

function writeContent(
  context: Context,
  object: ObjectWriter,
  attachment: Attachment,
  time: FileTime,
  writeEmbedded: (message: Message) => WrittenMessage,
): void {
  for (const [tag, value] of entriesOf(attachment.properties ?? {})) {
    if (!COMPUTED.has(tag >>> 16)) object.set(tag, value);
  }
  const text = (tag: number, value: string | undefined): void => {
    if (value !== undefined && !object.hasId(tag)) object.setText(tag, value);
  };
  const number = (tag: number, value: number): void => {
    if (!object.hasId(tag)) object.setNumber(tag, value);
  };
  if ('data' in attachment) {
    number(TAG.ATTACH_METHOD, METHOD.BY_VALUE);
    const content = readContent(context, attachment.data);
    if (content instanceof Uint8Array) object.setBytes(TAG.ATTACH_DATA_BINARY, content);
    else object.setTree(TAG.ATTACH_DATA_BINARY, content);
  } else if ('message' in attachment) {
    number(TAG.ATTACH_METHOD, METHOD.EMBEDDED_MESSAGE);
    const message = writeEmbedded(attachment.message);
    context.counts.embedded++;
    object.setObject(TAG.ATTACH_DATA_OBJECT, message.nid, message.leafBytes).addSubnode(message.nid, message);
    text(TAG.DISPLAY_NAME, cut(attachment.name ?? attachment.message.subject ?? ''));
  } else if ('ole' in attachment) {
    number(TAG.ATTACH_METHOD, METHOD.OLE);
    const nid = context.writer.nextNid(NID_TYPE_OLE);
    const { bid, size } = writeTree(context, attachment.ole);
    object.setObject(TAG.ATTACH_DATA_OBJECT, nid, size).addSubnode(nid, { ...NOTHING, bidData: bid, leafBytes: size });
    if (!object.hasId(TAG.ATTACH_TAG)) object.setBytes(TAG.ATTACH_TAG, OLE2_STORAGE);
  } else if ('reference' in attachment) {
    number(TAG.ATTACH_METHOD, METHOD.BY_REFERENCE_ONLY);
    text(TAG.ATTACH_LONG_PATHNAME, attachment.reference);
    text(TAG.ATTACH_PATHNAME, attachment.reference);
  } else {
    throw new UsageError('USAGE', 'an attachment has data, a message, an ole object or a reference');
  }
  number(TAG.RENDERING_POSITION, NOT_RENDERED);
  if (!('message' in attachment)) {
    // Outlook stamps files (27 of 109 seen), never embedded messages (0 of 22).
    if (!object.hasId(TAG.CREATION_TIME)) object.setTime(TAG.CREATION_TIME, time);
    if (!object.hasId(TAG.LAST_MODIFICATION_TIME)) object.setTime(TAG.LAST_MODIFICATION_TIME, time);
    const name = attachment.name ?? ('reference' in attachment ? baseName(attachment.reference) : undefined);
    if (name !== undefined) setFileName(text, cut(name));
  }
  text(TAG.ATTACH_MIME_TAG, attachment.mime);
  text(TAG.ATTACH_CONTENT_ID, attachment.contentId);
  if (attachment.hidden !== undefined) number(TAG.ATTACHMENT_HIDDEN, attachment.hidden ? 1 : 0);
  if (attachment.hidden === true && attachment.contentId !== undefined) number(TAG.ATTACH_FLAGS, RENDERED_IN_BODY);
}

const baseName = (path: string): string => /[^\\/]*$/.exec(path)![0];

function setFileName(text: (tag: number, value: string) => void, name: string): void {
  const dot = name.lastIndexOf('.');
  text(TAG.DISPLAY_NAME, name);
  text(TAG.ATTACH_LONG_FILENAME, name);
  text(TAG.ATTACH_FILENAME, shortName(name));
  if (dot > 0) text(TAG.ATTACH_EXTENSION, name.slice(dot));
}

/** The name in the form 8.3. MS-OXCMSG 2.2.2.11. */
function shortName(name: string): string {
  if (/^[\w$#&@!%()'`{}~^-]{1,8}(\.[\w$#&@!%()'`{}~^-]{1,3})?$/.test(name)) return name;
  const dot = name.lastIndexOf('.');
  const clean = (part: string): string => part.replace(/[^\w$#&@!%()'`{}~^-]/g, '').toUpperCase();
  const stem = clean(dot > 0 ? name.slice(0, dot) : name).slice(0, 6);
  const extension = dot > 0 ? clean(name.slice(dot + 1)).slice(0, 3) : '';
  return `${stem === '' ? 'FILE' : stem}~1${extension === '' ? '' : `.${extension}`}`;
}

/** The bytes when a heap holds them, else the tree they were written to. */
function readContent(context: Context, content: Content): Uint8Array | Tree {
  if (content instanceof Uint8Array) return content.length <= HN_ITEM_MAX ? content : writeTree(context, content);
  const pieces = content[Symbol.iterator]();
  const held = new Uint8Array(HN_ITEM_MAX); // a source may use one buffer for all its pieces
  let size = 0;
  for (let next = pieces.next(); !next.done; next = pieces.next()) {
    const piece = next.value;
    if (size + piece.length > HN_ITEM_MAX) return writeTree(context, chain([held.subarray(0, size), piece], pieces));
    held.set(piece, size);
    size += piece.length;
  }
  return held.slice(0, size);
}

function* chain(first: Uint8Array[], rest: Iterator<Uint8Array>): Generator<Uint8Array> {
  yield* first;
  for (let next = rest.next(); !next.done; next = rest.next()) yield next.value;
}

function writeTree({ writer }: Context, content: Content): Tree {
  const tree = writer.tree();
  try {
    for (const piece of content instanceof Uint8Array ? [content] : content) tree.write(piece);
    const { size } = tree;
    return { bid: tree.finish(), size };
  } finally {
    tree.abandon();
  }
}
