/**
 * Messages: what each must have, what is computed from its parts, and that its row says the same. MS-PST 2.4.5.
 * @module
 */
import { upperCase } from '../build/conversation.js';
import { md5 } from '../host/md5.js';
import type { PropertyStream } from '../ltp/stream.js';
import { decodeUtf16, encodeUtf16 } from '../mapi/codepage.js';
import { checkAttachments } from './attachments.js';
import type { Context } from './context.js';
import { hex, type Severity, tagHex, tagText, textOf } from './findings.js';
import { equalBytes, propertyBytes, type StoreObject, textOfId } from './objects.js';
import { checkRecipients } from './recipients.js';
import { compareRow, type RowOf } from './rows.js';
import type { Sizes } from './sizes.js';

/** PidTagMessageFlags, MS-OXCMSG 2.2.1.6. */
const READ = 0x01;
const HAS_ATTACHMENT = 0x10;
const ASSOCIATED = 0x40;

/** What every message has. 2.4.5.1.1; 3007 and 3008, 300B: scanpst KB, PD, TA. */
const REQUIRED: readonly number[] = [0x001a001f, 0x0e070003, 0x0e080003, 0x30070040, 0x30080040, 0x300b0102];
const MODIFIED = 0x30080040;
const STRING8 = 0x001e;
const STRING = 0x001f;

/** Outlook computes these and never stores them: scanpst section 6. */
const COMPUTED: readonly number[] = [0x0e1b, 0x0e09, 0x0ffa, 0x0ffb];

/** Cells that only rows have, or whose value is the row's own. */
export const ROW_ONLY: ReadonlySet<number> = new Set([0x67f2, 0x67f3, 0x0e17, 0x3013, 0x0e30, 0x0e33, 0x0e34]);

/** Longest subject, with its two-character mark; longest topic, names of senders, display name: scanpst CM, OO 38. */
const SUBJECT_MAX = 255;
const LIMITED: readonly number[] = [0x0040, 0x0042, 0x0070, 0x0c1a, 0x0e1d, 0x3001];
/** U+0001, U+0002: what a subject may begin with. Below U+0020 nothing else may occur. */
const SUBJECT_MARK = 0x0001;

/** PidTagSearchKey is 16 bytes. */
const SEARCH_KEY_SIZE = 16;
/** PidTagConversationIndex: 01, five bytes of time, a GUID. MS-OXOMSG 2.2.1.3. */
const CONVERSATION_INDEX_MIN = 22;
const CONVERSATION_ID = { from: 6, to: 22 } as const;

export interface MessageFacts {
  readonly isRead: boolean;
}

/** Checks one message and all it holds. `row`: its row in the contents table of its folder. */
export function checkMessage(
  context: Context,
  sizes: Sizes,
  message: StoreObject,
  isAssociated: boolean,
  isEmbedded: boolean,
  row: RowOf | undefined,
  depth: number,
): MessageFacts {
  const { pc, top } = message;
  const inside = isEmbedded ? `embedded message ${hex(message.nid)}: ` : '';
  checkRequired(context, message, isAssociated, isEmbedded, inside);
  const flags = pc.inline(0x0e070003) ?? 0;

  const stored = pc.inline(0x0e080003);
  const size = context.attempt(top, () => sizes.stored(message.bidData, message.bidSub, top));
  if (stored !== undefined && size !== undefined && stored !== size) {
    const place = { nid: top, found: stored, expected: size };
    context.add(
      'message.size',
      `${inside}PidTagMessageSize (0x0e08) is ${stored}, its data blocks hold ${size} bytes`,
      place,
    );
  }
  if (isAssociated !== ((flags & ASSOCIATED) !== 0)) {
    const text = `${inside}PidTagMessageFlags (0x0e07) is ${hex(flags)}, the flag 0x40 is ${isAssociated ? 'not set for a FAI message' : 'set'}`;
    context.add('message.associated-flag', text, { nid: top, found: flags });
  }
  for (const id of COMPUTED) {
    if (pc.findId(id) < 0) continue;
    const text = `${inside}${tagText(pc.tag(pc.findId(id)))} is stored, it is computed by whoever reads`;
    context.add('message.computed', text, { nid: top });
  }
  checkTexts(context, message, inside);

  const attachments = checkAttachments(context, sizes, message, inside, depth);
  const hasFlag = (flags & HAS_ATTACHMENT) !== 0;
  // Outlook sets the flag for hidden attachments too, or does not: either is right when all are hidden.
  if (hasFlag ? attachments.count === 0 : attachments.visible > 0) {
    const text = `${inside}PidTagMessageFlags (0x0e07) is ${hex(flags)}, the message has ${attachments.count} attachments`;
    context.add('message.attachment-flag', text, { nid: top, found: flags, expected: attachments.count });
  }
  checkRecipients(context, message, inside, isAssociated);
  if (row !== undefined) checkRow(context, message, isAssociated, row);
  return { isRead: (flags & READ) !== 0 };
}

function checkRequired(
  context: Context,
  message: StoreObject,
  isAssociated: boolean,
  isEmbedded: boolean,
  inside: string,
): void {
  const { pc, top } = message;
  for (const tag of REQUIRED) {
    const isString = (tag & 0xffff) === STRING;
    const found = pc.find(tag) >= 0 || (isString && pc.find(((tag >>> 16) << 16) | STRING8) >= 0);
    if (found) continue;
    const other = pc.findId(tag >>> 16);
    const text = other < 0 ? 'is missing' : `is there as ${tagText(pc.tag(other))}`;
    let foreign: Severity | 'none' = 'warning';
    if (isEmbedded || isAssociated) foreign = 'note';
    if (context.isOst && tag === MODIFIED) foreign = 'none'; // in the row alone; seen in real stores
    context.add('message.required', `${inside}${tagText(tag)} ${text}`, { nid: top, expected: tagHex(tag) }, foreign);
  }
  const key = pc.find(0x300b0102);
  if (key >= 0 && pc.flags(key) === 0 && pc.length(key) !== SEARCH_KEY_SIZE) {
    const text = `${inside}PidTagSearchKey (0x300b) has ${pc.length(key)} bytes, a search key has ${SEARCH_KEY_SIZE}`;
    context.add('message.search-key', text, { nid: top, found: pc.length(key), expected: SEARCH_KEY_SIZE });
  }
}

function checkTexts(context: Context, message: StoreObject, inside: string): void {
  const { top, pc } = message;
  const subject = textOfId(context, message, 0x0037);
  if (subject !== undefined) {
    const isMarked = subject.charCodeAt(0) === SUBJECT_MARK && subject.length >= 2;
    const text = isMarked ? subject.slice(2) : subject;
    if (isMarked && subject.charCodeAt(1) - 1 > text.length) {
      const found = subject.charCodeAt(1) - 1;
      const say = `${inside}the subject claims a prefix of ${found} characters, it has ${text.length}`;
      context.add('message.subject-prefix', say, { nid: top, found, expected: text.length });
    } else if (!isMarked && context.isOwn && subject !== '') {
      context.add('message.subject-prefix', `${inside}the subject ${textOf(subject)} has no prefix mark`, { nid: top });
    }
    if (hasControls(text)) {
      context.add('message.subject-controls', `${inside}control characters in the subject ${textOf(text)}`, {
        nid: top,
      });
    }
    if (subject.length > SUBJECT_MAX) {
      const place = { nid: top, found: subject.length, expected: SUBJECT_MAX };
      context.add('message.text-length', `${inside}a subject of ${subject.length} characters`, place);
    }
  }
  for (const id of LIMITED) {
    const text = textOfId(context, message, id);
    if (text === undefined || text.length <= SUBJECT_MAX) continue;
    const place = { nid: top, found: text.length, expected: SUBJECT_MAX };
    context.add(
      'message.text-length',
      `${inside}0x${id.toString(16).padStart(4, '0')} of ${text.length} characters`,
      place,
    );
  }
  const index = pc.find(0x00710102);
  if (index >= 0 && pc.flags(index) === 0) {
    const bytes = pc.value(index);
    if (bytes.length !== 0 && (bytes.length < CONVERSATION_INDEX_MIN || bytes[0] !== 1)) {
      const say = `${inside}PidTagConversationIndex (0x0071) of ${bytes.length} bytes begins with ${hex(bytes[0]!)}`;
      context.add('message.conversation-index', say, { nid: top, found: bytes.length });
    }
  }
}

function hasControls(text: string): boolean {
  for (let k = 0; k < text.length; k++) if (text.charCodeAt(k) < 0x20) return true;
  return false;
}

function checkRow(context: Context, message: StoreObject, isAssociated: boolean, at: RowOf): void {
  const { row, table, nid } = at;
  const { top } = message;
  compareRow(context, at, message, ROW_ONLY, 'contents.row', 'contents.row-size');
  const status = row.find(0x0e170003);
  if (table.columns.some(({ tag }) => tag === 0x0e170003) && status < 0) {
    context.add('contents.status', `row ${hex(row.rowId)} of ${hex(nid)} has no PidTagMessageStatus (0x0e17)`, {
      nid: top,
    });
  }
  if (message.pc.findId(0x0e17) >= 0)
    context.add('message.status', 'PidTagMessageStatus (0x0e17) is stored, it belongs to the row', { nid: top });
  if (!isAssociated) checkConversation(context, message, at);
  checkShared(context, message, at);
}

/** 3013: from the index when it is tracked, else from the topic. scanpst OO 33, OI; measured: 22 of 22. */
function checkConversation(context: Context, message: StoreObject, { row, table, nid }: RowOf): void {
  if (!table.columns.some(({ tag }) => tag === 0x30130102)) return;
  const { top } = message;
  const expected = conversationId(context, message);
  const k = row.find(0x30130102);
  const where = `row ${hex(row.rowId)} of ${hex(nid)}`;
  if (k < 0) {
    if (expected !== undefined)
      context.add('contents.conversation-missing', `${where} has no PidTagConversationId (0x3013)`, { nid: top });
    return;
  }
  if (expected === undefined || row.flags(k) !== 0) return;
  const found = row.value(k);
  if (equalBytes(found, expected)) return;
  const a = Buffer.from(found).toString('hex');
  const b = Buffer.from(expected).toString('hex');
  context.add('contents.conversation', `PidTagConversationId (0x3013) in ${where} is ${a}, computed ${b}`, {
    nid: top,
    found: a,
    expected: b,
  });
}

function conversationId(context: Context, message: StoreObject): Uint8Array | undefined {
  const { pc } = message;
  const index = pc.find(0x00710102);
  if (pc.inline(0x3016000b) === 1 && index >= 0) {
    const value = pc.value(index); // empty when it is damaged
    if (value.length >= CONVERSATION_INDEX_MIN) return value.subarray(CONVERSATION_ID.from, CONVERSATION_ID.to);
  }
  const topic = pc.find(0x0070001f);
  if (topic < 0) return undefined;
  const bytes = propertyBytes(context, message.top, pc, topic, message.subnodes);
  return bytes === undefined ? undefined : md5(encodeUtf16(upperCase(decodeUtf16(bytes))));
}

/** A display list in a subnode of both row and object is one data tree: scanpst OO, minor until shared. */
function checkShared(context: Context, message: StoreObject, { row, subnodes, nid }: RowOf): void {
  for (const tag of [0x0e03001f, 0x0e04001f]) {
    const bids = [tree(row, row.find(tag), subnodes), tree(message.pc, message.pc.find(tag), message.subnodes)];
    if (bids[0] === 0 || bids[1] === 0 || bids[0] === bids[1]) continue;
    const text = `${tagText(tag)} is in block ${hex(bids[0]!)} for row ${hex(row.rowId)} of ${hex(nid)}, in ${hex(bids[1]!)} for the message`;
    context.add('contents.shared-list', text, { nid: message.top, found: bids[0], expected: bids[1] });
  }
}

function tree(stream: PropertyStream, k: number, subnodes: RowOf['subnodes']): number {
  if (k < 0 || (stream.flags(k) & 2) === 0) return 0;
  const index = subnodes.find(stream.place(k));
  const bid = index < 0 ? 0 : subnodes.bidData(index);
  return bid % 2 === 0 ? bid : bid - 1;
}
