/**
 * Entry ids: who or what a binary value names. MS-OXCDATA 2.2, MS-PST 2.4.3.2, MS-OXOCNTC 2.2.2.1.
 *
 *     ┌─────────┬────────────────┬─ …
 *     │ flags 4 │ provider UID 16 │ by provider
 *     └─────────┴────────────────┴─ …
 *
 * Which provider says what form follows; the PST form alone has the UID of its own store there, so it is
 * known by its length. Parsing keeps a place for every byte: `rest` holds what follows the form we know.
 * @module
 */
import { UsageError } from '../errors.js';
import { DEFAULT_CODE_PAGE, decodeAnsi, decodeUtf16, encodeAnsi, encodeUtf16 } from './codepage.js';
import { GUID_SIZE, guidBytes, guidText } from './guid.js';
import { parseStoreWrap, STORE_WRAP_UID, type StoreWrap } from './storewrap.js';

/** 24 bytes: a node of a PST. MS-PST 2.4.3.2. */
export interface PstEntryId {
  readonly kind: 'pst';
  /** Record key of the store, 0FF9 of node 0x21. */
  readonly recordKey: string;
  readonly nid: number;
}

/** 46 bytes: a folder of a mailbox (type 1, 3, 5 …). MS-OXCDATA 2.2.4.1. */
export interface ExFolderEntryId {
  readonly kind: 'ex-folder';
  readonly provider: string;
  readonly type: number;
  readonly folderReplica: string;
  /** GLOBCNT, six bytes as stored (big-endian), in hex. */
  readonly folderCounter: string;
}

/** 70 bytes: a message of a mailbox (type 7, 9, 0x0B …). MS-OXCDATA 2.2.4.2. */
export interface ExMessageEntryId {
  readonly kind: 'ex-message';
  readonly provider: string;
  readonly type: number;
  readonly folderReplica: string;
  readonly folderCounter: string;
  readonly messageReplica: string;
  readonly messageCounter: string;
}

/** A person without an address-book entry. MS-OXCDATA 2.2.5.1. */
export interface OneOffEntryId {
  readonly kind: 'one-off';
  readonly version: number;
  readonly flags: number;
  readonly isUnicode: boolean;
  readonly name: string;
  readonly addressType: string;
  readonly address: string;
  readonly rest: Uint8Array;
}

/** An address-book object by its distinguished name (EMSAB). MS-OXCDATA 2.2.5.2. */
export interface AddressBookEntryId {
  readonly kind: 'address-book';
  readonly version: number;
  readonly type: number;
  readonly dn: string;
  /** Seen in real stores: the UID is all zeros. */
  readonly hasNullUid: boolean;
  readonly rest: Uint8Array;
}

/** An address of a contact, or (type 5) a personal distribution list. MS-OXCDATA 2.2.5.3. */
export interface ContactEntryId {
  readonly kind: 'contact';
  readonly version: number;
  readonly type: number;
  /** 0 … 2 Email1 … 3, 3 … 5 Fax1 … 3, 255 a list. */
  readonly index: number;
  readonly entryId: EntryId;
  readonly rest: Uint8Array;
}

/** A container of contacts: types 1 root, 2 sub-root, 3 container. seen in samples. */
export interface ContactContainerEntryId {
  readonly kind: 'contact-container';
  readonly version: number;
  readonly type: number;
  readonly guid: string;
  readonly entryId: EntryId;
}

/** A member of a distribution list. MS-OXOCNTC 2.2.2.4.1. */
export interface WrappedEntryId {
  readonly kind: 'wrapped';
  /** Low nibble 0 one-off, 3 contact, 4 personal list, 5 user, 6 list of the address book; 0x70 the address. */
  readonly type: number;
  readonly entryId: EntryId;
}

/** A message store. MS-OXCDATA 2.2.4.3; see storewrap.ts. */
export interface StoreEntryId extends StoreWrap {
  readonly kind: 'store';
}

/** Valid in one session only, flags 87 00 00 00. seen in samples. */
export interface ShortTermEntryId {
  readonly kind: 'short-term';
  readonly provider: string;
  readonly id: bigint;
}

export interface UnknownEntryId {
  readonly kind: 'unknown';
  readonly bytes: Uint8Array;
}

export type EntryId =
  | PstEntryId
  | ExFolderEntryId
  | ExMessageEntryId
  | OneOffEntryId
  | AddressBookEntryId
  | ContactEntryId
  | ContactContainerEntryId
  | WrappedEntryId
  | StoreEntryId
  | ShortTermEntryId
  | UnknownEntryId;

// Provider UIDs, as guidText() prints the bytes stored.
export const ONE_OFF_UID = 'a41f2b81-a3be-1910-9d6e-00dd010f5402'; // 81 2B 1F A4 …
export const ADDRESS_BOOK_UID = 'c840a7dc-42c0-1a10-b4b9-08002b2fe182'; // DC A7 40 C8 …
export const CONTACT_UID = '0aaa42fe-c718-101a-e885-0b651c240000'; // FE 42 AA 0A …
export const WRAPPED_UID = 'd3ad91c0-9d51-11cf-a4a9-00aa0047faa4'; // C0 91 AD D3 …
const NULL_UID = '00000000-0000-0000-0000-000000000000';

const UID_AT = 4;
const HEAD = UID_AT + GUID_SIZE;
const PST_SIZE = 24;
const EX_FOLDER_SIZE = 46;
const EX_MESSAGE_SIZE = 70;
const SHORT_TERM_SIZE = 32;
const SHORT_TERM_FLAG = 0x87;
const UNICODE_FLAG = 0x8000;
/** MS-OXCDATA 2.2.4.1: types of an EX object that are folders; the rest with that form are messages. */
const EX_FOLDER_TYPES: ReadonlySet<number> = new Set([1, 3, 5, 0x0c]);
const EX_MESSAGE_TYPES: ReadonlySet<number> = new Set([7, 9, 0x0b]);

/** Stops a contact that holds a contact that holds a contact … */
const NESTING_MAX = 4;

const NONE = new Uint8Array();

/** Never throws: bytes of no known form give kind `unknown`. `codePage` is that of 8-bit strings. */
export function parseEntryId(bytes: Uint8Array, codePage: number = DEFAULT_CODE_PAGE): EntryId {
  return parse(bytes, codePage, 0);
}

function parse(bytes: Uint8Array, codePage: number, depth: number): EntryId {
  return (depth <= NESTING_MAX ? recognise(bytes, codePage, depth) : undefined) ?? { kind: 'unknown', bytes };
}

function recognise(bytes: Uint8Array, codePage: number, depth: number): EntryId | undefined {
  if (bytes.length < HEAD) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const uid = guidText(bytes, UID_AT);
  if (uid === ONE_OFF_UID) return oneOff(bytes, view, codePage);
  if (uid === ADDRESS_BOOK_UID) return addressBook(bytes, view, false);
  if (uid === CONTACT_UID) return contact(bytes, view, codePage, depth);
  if (uid === WRAPPED_UID) return wrapped(bytes, codePage, depth);
  if (uid === STORE_WRAP_UID) {
    const store = parseStoreWrap(bytes);
    return store === undefined ? undefined : { kind: 'store', ...store };
  }
  if (bytes.length === PST_SIZE) return { kind: 'pst', recordKey: uid, nid: view.getUint32(HEAD, true) };
  if (bytes.length === SHORT_TERM_SIZE && bytes[0] === SHORT_TERM_FLAG) {
    return { kind: 'short-term', provider: uid, id: view.getBigUint64(HEAD + 4, true) };
  }
  const type = bytes.length >= HEAD + 2 ? view.getUint16(HEAD, true) : 0;
  if (bytes.length === EX_FOLDER_SIZE && EX_FOLDER_TYPES.has(type)) {
    return {
      kind: 'ex-folder',
      provider: uid,
      type,
      folderReplica: guidText(bytes, 22),
      folderCounter: hex(bytes, 38),
    };
  }
  if (bytes.length === EX_MESSAGE_SIZE && EX_MESSAGE_TYPES.has(type)) {
    return {
      kind: 'ex-message',
      provider: uid,
      type,
      folderReplica: guidText(bytes, 22),
      folderCounter: hex(bytes, 38),
      messageReplica: guidText(bytes, 46),
      messageCounter: hex(bytes, 62),
    };
  }
  // Seen in six values of an Outlook.com OST: an EX id whose UID is all zeros. Only a DN makes it one.
  return uid === NULL_UID && bytes[28] === 0x2f ? addressBook(bytes, view, true) : undefined;
}

/** The six bytes of a GLOBCNT. */
const hex = (bytes: Uint8Array, at: number): string =>
  Array.from(bytes.subarray(at, at + 6), (byte) => byte.toString(16).padStart(2, '0')).join('');

function oneOff(bytes: Uint8Array, view: DataView, codePage: number): OneOffEntryId | undefined {
  if (bytes.length < HEAD + 4) return undefined;
  const flags = view.getUint16(HEAD + 2, true);
  const isUnicode = (flags & UNICODE_FLAG) !== 0;
  const parts: string[] = [];
  let at = HEAD + 4;
  for (let i = 0; i < 3; i++) {
    const end = isUnicode ? endOfWide(bytes, at) : bytes.indexOf(0, at);
    // The last string of a few writers lacks its NUL.
    const stop = end >= 0 ? end : bytes.length;
    if (end < 0 && i < 2) return undefined;
    const text = bytes.subarray(at, stop);
    if (isUnicode && text.length % 2 !== 0) return undefined;
    parts.push(isUnicode ? decodeUtf16(text) : decodeAnsi(text, codePage));
    at = Math.min(bytes.length, stop + (isUnicode ? 2 : 1));
  }
  const [name, addressType, address] = parts as [string, string, string];
  const version = view.getUint16(HEAD, true);
  return { kind: 'one-off', version, flags, isUnicode, name, addressType, address, rest: bytes.subarray(at) };
}

/** Where the two zero bytes of a UTF-16 string stand, or -1. */
function endOfWide(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 1 < bytes.length; at += 2) if (bytes[at] === 0 && bytes[at + 1] === 0) return at;
  return -1;
}

function addressBook(bytes: Uint8Array, view: DataView, hasNullUid: boolean): AddressBookEntryId | undefined {
  if (bytes.length < HEAD + 9) return undefined;
  const end = bytes.indexOf(0, HEAD + 8);
  const stop = end < 0 ? bytes.length : end;
  return {
    kind: 'address-book',
    version: view.getUint32(HEAD, true),
    type: view.getUint32(HEAD + 4, true),
    dn: decodeAnsi(bytes.subarray(HEAD + 8, stop), DEFAULT_CODE_PAGE),
    hasNullUid,
    rest: end < 0 ? NONE : bytes.subarray(end + 1),
  };
}

/** Types from which on a contact id has index, count and id; below, a GUID and the folder. */
const CONTACT_ADDRESS_TYPE = 4;

function contact(
  bytes: Uint8Array,
  view: DataView,
  codePage: number,
  depth: number,
): ContactEntryId | ContactContainerEntryId | undefined {
  if (bytes.length < HEAD + 16) return undefined;
  const version = view.getUint32(HEAD, true);
  const type = view.getUint32(HEAD + 4, true);
  if (type < CONTACT_ADDRESS_TYPE) {
    if (bytes.length < HEAD + 8 + GUID_SIZE) return undefined;
    const entryId = parse(bytes.subarray(HEAD + 8 + GUID_SIZE), codePage, depth + 1);
    return { kind: 'contact-container', version, type, guid: guidText(bytes, HEAD + 8), entryId };
  }
  const size = view.getUint32(HEAD + 12, true);
  const at = HEAD + 16;
  if (size > bytes.length - at) return undefined;
  const entryId = parse(bytes.subarray(at, at + size), codePage, depth + 1);
  const index = view.getUint32(HEAD + 8, true);
  return { kind: 'contact', version, type, index, entryId, rest: bytes.subarray(at + size) };
}

function wrapped(bytes: Uint8Array, codePage: number, depth: number): WrappedEntryId | undefined {
  const type = bytes[HEAD];
  if (type === undefined) return undefined;
  return { kind: 'wrapped', type, entryId: parse(bytes.subarray(HEAD + 1), codePage, depth + 1) };
}

/** MS-PST 2.4.3.2. `recordKey` is the store's 16 bytes, or their GUID text. */
export function makePstEntryId(recordKey: Uint8Array | string, nid: number): Uint8Array {
  const key = typeof recordKey === 'string' ? guidBytes(recordKey) : recordKey;
  if (key.length !== GUID_SIZE) throw new UsageError('USAGE', `a record key has 16 bytes, not ${key.length}`);
  const bytes = new Uint8Array(PST_SIZE);
  bytes.set(key, UID_AT);
  new DataView(bytes.buffer).setUint32(HEAD, nid, true);
  return bytes;
}

/** MS-OXCDATA 2.2.5.1: Unicode, no rich text. What Outlook writes most; 0x1000 adds "do not look up". */
export const ONE_OFF_FLAGS = 0x8001;

/** Flags without 0x8000 give 8-bit strings; undefined when the code page lacks a character. */
export function makeOneOff(
  name: string,
  addressType: string,
  address: string,
  flags: number = ONE_OFF_FLAGS,
  codePage: number = DEFAULT_CODE_PAGE,
): Uint8Array | undefined {
  const text = `${name}\0${addressType}\0${address}\0`;
  const strings = (flags & UNICODE_FLAG) !== 0 ? encodeUtf16(text) : encodeAnsi(text, codePage);
  if (strings === undefined) return undefined;
  const bytes = new Uint8Array(HEAD + 4 + strings.length);
  bytes.set(guidBytes(ONE_OFF_UID), UID_AT);
  new DataView(bytes.buffer).setUint16(HEAD + 2, flags, true);
  bytes.set(strings, HEAD + 4);
  return bytes;
}

/** MS-OXCDATA 2.2.5.2: an address-book id of type 0, a user. */
export function makeAddressBookEntryId(dn: string, type = 0): Uint8Array | undefined {
  const text = encodeAnsi(`${dn}\0`, DEFAULT_CODE_PAGE);
  if (text === undefined) return undefined;
  const bytes = new Uint8Array(HEAD + 8 + text.length);
  bytes.set(guidBytes(ADDRESS_BOOK_UID), UID_AT);
  const view = new DataView(bytes.buffer);
  view.setUint32(HEAD, 1, true);
  view.setUint32(HEAD + 4, type, true);
  bytes.set(text, HEAD + 8);
  return bytes;
}

/** One line for people: `node 0x8022 of 1b2c…`, `"Ann" <SMTP:ann@example.org>`. */
export function describeEntryId(id: EntryId): string {
  switch (id.kind) {
    case 'pst':
      return `node 0x${id.nid.toString(16)} of store ${id.recordKey}`;
    case 'ex-folder':
      return `folder ${id.folderReplica}:${id.folderCounter}`;
    case 'ex-message':
      return `message ${id.messageReplica}:${id.messageCounter} in folder ${id.folderReplica}:${id.folderCounter}`;
    case 'one-off':
      return `"${id.name}" <${id.addressType}:${id.address}>`;
    case 'address-book':
      return `EX ${id.dn}`;
    case 'contact':
      return `contact address ${id.index}: ${describeEntryId(id.entryId)}`;
    case 'contact-container':
      return `contact container: ${describeEntryId(id.entryId)}`;
    case 'wrapped':
      return `member 0x${id.type.toString(16)}: ${describeEntryId(id.entryId)}`;
    case 'store':
      return `store ${id.dll}: ${[id.server, id.mailboxDn, id.smtp, id.path].filter((part) => part !== undefined && part !== '').join(' ')}`;
    case 'short-term':
      return `short-term 0x${id.id.toString(16)}`;
    case 'unknown':
      return `unknown, ${id.bytes.length} bytes`;
  }
}
