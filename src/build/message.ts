/**
 * Messages: MS-PST 2.4.5; what Outlook and ScanPST want of one is scanpst.md 6. A message is encoded and written at
 * once: attachments and long values first, its own property context last.
 * @module
 */
import { UsageError, type Where } from '../errors.js';
import { decodeUtf16 } from '../mapi/codepage.js';
import { storeRtf } from '../mapi/rtf.js';
import { readSubject, writeSubject } from '../mapi/subject.js';
import * as ptyp from '../mapi/type.js';
import { NID, NID_TYPE } from '../wire/nid.js';
import { type Address, personOf } from './address.js';
import { type Attachment, writeAttachments } from './attachment.js';
import type { Context } from './context.js';
import { conversationIdOf, conversationIndex } from './conversation.js';
import { ObjectWriter, type WrittenObject } from './object.js';
import { cut, entriesOf, type Properties, type PropertyInput, type Time, toFileTime } from './properties.js';
import { type RecipientLists, writeRecipients } from './recipient.js';
import { COMPUTED, TAG } from './tag.js';

export interface NamedValue {
  /** Property set, a GUID as text. */
  readonly set: string;
  readonly name: number | string;
  /** PtypString and the like. */
  readonly type: number;
  readonly value: PropertyInput;
}

/**
 * A message. What is left out is left out of the store, but for what every message has: class, flags, size, times,
 * search key, importance, sensitivity, priority, topic and index of its conversation.
 */
export interface Message extends RecipientLists {
  /** `IPM.Note` by default. */
  readonly messageClass?: string;
  /** As a person reads it, prefix and all; cut after 253 characters, control characters go. */
  readonly subject?: string;
  readonly body?: string;
  /** Text is stored as UTF-8, bytes as they are. */
  readonly html?: string | Uint8Array;
  /** RTF as it is in a file; stored uncompressed. */
  readonly rtf?: string | Uint8Array;
  /** Who sent it; by default who it is from. */
  readonly sender?: Address;
  /** Whom it represents; by default the sender. */
  readonly from?: Address;
  /** The header of the message as it came by mail. */
  readonly headers?: string;
  readonly messageId?: string;
  readonly sent?: Time;
  readonly received?: Time;
  readonly created?: Time;
  readonly modified?: Time;
  /** 0 low, 1 normal, 2 high. */
  readonly importance?: number;
  readonly sensitivity?: number;
  readonly priority?: number;
  readonly read?: boolean;
  /** Bits of PidTagMessageFlags beside those that follow from the rest: read, has attachments, associated. */
  readonly flags?: number;
  /** Any others, and they win over what the fields above would give. Computed ones are left out: see COMPUTED. */
  readonly properties?: Properties;
  readonly named?: Iterable<NamedValue>;
  readonly attachments?: Iterable<Attachment>;
}

/** PidTagMessageFlags. MS-OXCMSG 2.2.1.6. */
const FLAG = { READ: 0x1, HAS_ATTACHMENTS: 0x10, ASSOCIATED: 0x40 } as const;

/** Against a message that contains itself. */
const NESTING_MAX = 100;

const UTF8 = 65001;

export interface WrittenMessage extends WrittenObject {
  readonly nid: number;
  readonly isRead: boolean;
  /** 3013, which stands in the row only; undefined for a message without a conversation. */
  readonly conversationId: Uint8Array | undefined;
}

type Type = typeof NID_TYPE.NORMAL_MESSAGE | typeof NID_TYPE.ASSOC_MESSAGE;

/** Writes all of a message but its node or subnode entry and its row. `depth` counts the messages it is attached to. */
export function writeMessage(context: Context, message: Message, type: Type, depth: number): WrittenMessage {
  if (depth > NESTING_MAX) throw new UsageError('USAGE', `a message inside more than ${NESTING_MAX} others`);
  const nid = context.writer.nextNid(type);
  const where: Where = { nid };
  const object = new ObjectWriter(context.writer, where);
  let flags = message.flags ?? 0;
  let subject = message.subject;
  for (const [tag, value] of propertiesOf(context, message)) {
    if (tag === TAG.SUBJECT) subject = textOf(value);
    else if (tag === TAG.CONVERSATION_TOPIC) object.setText(tag, cut(textOf(value)));
    else if (tag === TAG.MESSAGE_FLAGS) flags = message.flags ?? Number(value);
    else if (!COMPUTED.has(ptyp.idOf(tag))) object.set(tag, value);
  }

  const created = message.created ?? message.received ?? message.sent ?? context.now;
  const fallback = fallbackOf(object);
  fallback(TAG.CREATION_TIME, () => toFileTime(created));
  fallback(TAG.LAST_MODIFICATION_TIME, () => toFileTime(message.modified ?? created));
  fallback(TAG.MESSAGE_CLASS, () => message.messageClass ?? 'IPM.Note');
  fallback(TAG.IMPORTANCE, () => message.importance ?? 1);
  fallback(TAG.PRIORITY, () => message.priority ?? 0);
  fallback(TAG.SENSITIVITY, () => message.sensitivity ?? 0);
  fallback(TAG.SEARCH_KEY, () => context.identity.next());
  fallback(TAG.CLIENT_SUBMIT_TIME, () => message.sent && toFileTime(message.sent));
  fallback(TAG.MESSAGE_DELIVERY_TIME, () => message.received && toFileTime(message.received));
  fallback(TAG.TRANSPORT_MESSAGE_HEADERS, () => message.headers);
  fallback(TAG.INTERNET_MESSAGE_ID, () => message.messageId);
  const topic = subject === undefined ? '' : setSubject(object, subject);
  fallback(TAG.CONVERSATION_TOPIC, () => topic);
  setConversation(context, object, message, created);
  setPeople(fallback, message);
  setBodies(fallback, message);

  const recipients = writeRecipients(context, message, where);
  for (const [tag, names] of recipients.displayLists) object.setText(tag, names);
  object.addSubnode(NID.RECIPIENT_TABLE, recipients.table);
  const attachments = writeAttachments(context, message.attachments ?? [], toFileTime(created), where, (inner) =>
    writeMessage(context, inner, NID_TYPE.NORMAL_MESSAGE, depth + 1),
  );
  for (const { nid: sub, written } of attachments.subnodes) object.addSubnode(sub, written);

  flags &= ~(FLAG.HAS_ATTACHMENTS | FLAG.ASSOCIATED);
  if (message.read !== undefined) flags = message.read ? flags | FLAG.READ : flags & ~FLAG.READ;
  if (attachments.hasVisible) flags |= FLAG.HAS_ATTACHMENTS;
  if (type === NID_TYPE.ASSOC_MESSAGE) flags |= FLAG.ASSOCIATED;
  object.setNumber(TAG.MESSAGE_FLAGS, flags);

  const written = object.finish(TAG.MESSAGE_SIZE);
  context.counts.recipients += recipients.count;
  context.counts.attachments += attachments.count;
  const conversationId = conversationIdOf(written.stream);
  return { ...written, nid, isRead: (flags & FLAG.READ) !== 0, conversationId };
}

function* propertiesOf(context: Context, message: Message): Generator<readonly [number, PropertyInput]> {
  if (message.properties !== undefined) yield* entriesOf(message.properties);
  for (const { set, name, type, value } of message.named ?? []) {
    yield [ptyp.tagOf(context.names.get(set, name), type), value];
  }
}

type Fallback = (tag: number, value: () => PropertyInput | undefined) => void;

/** Sets what is not there yet, and has a value. */
const fallbackOf =
  (object: ObjectWriter): Fallback =>
  (tag, value) => {
    if (object.hasId(tag)) return;
    const given = value();
    if (given !== undefined) object.set(tag, given);
  };

const textOf = (value: PropertyInput): string => (value instanceof Uint8Array ? decodeUtf16(value) : String(value));

/** A longer prefix is none; so a subject that is cut keeps it whole. */
const PREFIX_MAX = 100;

/** Mark and text count together (scanpst.md 6). Returns what the conversation is about: the subject without prefix. */
function setSubject(object: ObjectWriter, given: string): string {
  const { text, prefix } = readSubject(given);
  const [clean, start] = [text, prefix].map((part) => part.replace(/\p{Cc}/gu, (char) => (char < ' ' ? '' : char))) as [
    string,
    string,
  ];
  const kept = start.length > PREFIX_MAX ? '' : start;
  object.setText(TAG.SUBJECT, cut(writeSubject(clean, kept)));
  return cut(clean.slice(kept.length));
}

function setConversation(context: Context, object: ObjectWriter, message: Message, created: Time): void {
  if (object.hasId(TAG.CONVERSATION_INDEX)) return;
  const { ticks } = toFileTime(message.sent ?? created);
  object.setBytes(TAG.CONVERSATION_INDEX, conversationIndex(ticks, context.identity.next()));
  if (!object.hasId(TAG.CONVERSATION_INDEX_TRACKING)) object.setNumber(TAG.CONVERSATION_INDEX_TRACKING, 1);
}

const SENDER = {
  name: TAG.SENDER_NAME,
  type: TAG.SENDER_ADDRESS_TYPE,
  address: TAG.SENDER_EMAIL_ADDRESS,
  entryId: TAG.SENDER_ENTRY_ID,
  searchKey: TAG.SENDER_SEARCH_KEY,
} as const;
const REPRESENTED = {
  name: TAG.SENT_REPRESENTING_NAME,
  type: TAG.SENT_REPRESENTING_ADDRESS_TYPE,
  address: TAG.SENT_REPRESENTING_EMAIL_ADDRESS,
  entryId: TAG.SENT_REPRESENTING_ENTRY_ID,
  searchKey: TAG.SENT_REPRESENTING_SEARCH_KEY,
} as const;

function setPeople(fallback: Fallback, { sender, from }: Message): void {
  const people = [
    [sender ?? from, SENDER],
    [from ?? sender, REPRESENTED],
  ] as const;
  for (const [address, tags] of people) {
    if (address === undefined) continue;
    const person = personOf(address);
    for (const [part, tag] of Object.entries(tags)) fallback(tag, () => person[part as keyof typeof tags]);
  }
}

function setBodies(fallback: Fallback, { body, html, rtf }: Message): void {
  fallback(TAG.BODY, () => body);
  if (html !== undefined) {
    fallback(TAG.HTML, () => (typeof html === 'string' ? new TextEncoder().encode(html) : html));
    if (typeof html === 'string') fallback(TAG.INTERNET_CODE_PAGE, () => UTF8);
  }
  if (rtf !== undefined) {
    fallback(TAG.RTF_COMPRESSED, () =>
      storeRtf(typeof rtf === 'string' ? Uint8Array.from(rtf, (char) => char.charCodeAt(0)) : rtf),
    );
    fallback(TAG.RTF_IN_SYNC, () => true);
  }
}
