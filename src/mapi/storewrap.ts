/**
 * The entry id of a message store. MS-OXCDATA 2.2.4.3; wrapped values and V3 block as seen in real stores.
 *
 *     flags 4 · UID 16 · version u8 · flag u8 · DLL name, NUL-ended · pad to 4 from the start
 *     wrapped flags 4 · wrapped UID 16 · then by UID:
 *       Exchange  type u32 · server z · [mailbox DN z] · [V2 or V3 block, not aligned]
 *       mspst     u8 0 · path z · path wz
 *     V2  magic · size u32 · version u32 · offset of server DN z u32 · offset of FQDN wz u32 · strings · 2 zero bytes
 *     V3  magic · size u32 · version u32 · offset of SMTP address wz u32 · string · 2 zero bytes
 * @module
 */
import { DEFAULT_CODE_PAGE, decodeAnsi, decodeUtf16 } from './codepage.js';
import { GUID_SIZE, guidText } from './guid.js';

export interface StoreWrap {
  /** `EMSMDB.DLL` or `mspst.dll`; the case varies. */
  readonly dll: string;
  readonly provider: string;
  /** Exchange: 0x0C a mailbox, 0x06 public folders. */
  readonly type?: number;
  /** Exchange: host name; some newer values hold the SMTP address of the mailbox. */
  readonly server?: string;
  readonly mailboxDn?: string;
  /** From a V2 block. */
  readonly serverDn?: string;
  readonly serverFqdn?: string;
  /** From a V3 block. */
  readonly smtp?: string;
  /** mspst: where the PST file once lay. */
  readonly path?: string;
}

export const STORE_WRAP_UID = '10bba138-e505-1a10-a1bb-08002b2a56c2'; // 38 A1 BB 10 …
const MAILBOX_UID = '20fa551b-66aa-cd11-9bc8-00aa002fc45a'; // 1B 55 FA 20 …
const PUBLIC_UID = '1002831c-66aa-cd11-9bc8-00aa002fc45a'; // 1C 83 02 10 …
const PST_UID = '4154494e-bff9-01b8-00aa-0037d96e0000'; // 4E 49 54 41 …
const V2_MAGIC = 0xf32135d8; // D8 35 21 F3
const V3_MAGIC = 0xf43246e9; // E9 46 32 F4
const DLL_AT = 22;

const ansi = (bytes: Uint8Array): string => decodeAnsi(bytes, DEFAULT_CODE_PAGE);

/** undefined when the bytes end before the wrapped provider does. What lies behind it is read as far as it goes. */
export function parseStoreWrap(bytes: Uint8Array): StoreWrap | undefined {
  const dllEnd = bytes.indexOf(0, DLL_AT);
  if (dllEnd < 0) return undefined;
  const uidAt = ((dllEnd + 1 + 3) & ~3) + 4;
  const at = uidAt + GUID_SIZE;
  if (at > bytes.length) return undefined;
  const base = { dll: ansi(bytes.subarray(DLL_AT, dllEnd)), provider: guidText(bytes, uidAt) };
  if (base.provider === PST_UID) return { ...base, ...pstPath(bytes, at) };
  if (base.provider === MAILBOX_UID || base.provider === PUBLIC_UID) return { ...base, ...exchange(bytes, at) };
  return base;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function exchange(bytes: Uint8Array, at: number): Partial<StoreWrap> {
  const found: Partial<Mutable<StoreWrap>> = {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + 4 > bytes.length) return found;
  found.type = view.getUint32(at, true);
  at += 4;
  const serverEnd = bytes.indexOf(0, at);
  if (serverEnd < 0) return found;
  found.server = ansi(bytes.subarray(at, serverEnd));
  at = serverEnd + 1;
  const magicAt = (where: number): number => (where + 4 <= bytes.length ? view.getUint32(where, true) : 0);
  const isMagic = (magic: number): boolean => magic === V2_MAGIC || magic === V3_MAGIC;
  // The DN may be missing: look for a block first.
  if (at < bytes.length && !isMagic(magicAt(at))) {
    const dnEnd = bytes.indexOf(0, at);
    if (dnEnd < 0) return found;
    found.mailboxDn = ansi(bytes.subarray(at, dnEnd));
    at = dnEnd + 1;
  }
  const magic = magicAt(at);
  if (isMagic(magic) && at + 16 <= bytes.length) {
    const stringAt = (field: number): number => view.getUint32(at + field, true);
    if (magic === V3_MAGIC) found.smtp = wide(bytes, at, stringAt(12));
    else if (at + 20 <= bytes.length) {
      if (stringAt(12) !== 0) found.serverDn = narrow(bytes, at, stringAt(12));
      if (stringAt(16) !== 0) found.serverFqdn = wide(bytes, at, stringAt(16));
    }
  }
  return found;
}

function pstPath(bytes: Uint8Array, at: number): Partial<StoreWrap> {
  const ansiEnd = bytes.indexOf(0, at + 1);
  if (ansiEnd < 0) return {};
  const path = wide(bytes, ansiEnd + 1, 0);
  return { path: path === '' ? ansi(bytes.subarray(at + 1, ansiEnd)) : path };
}

function narrow(bytes: Uint8Array, base: number, offset: number): string {
  const from = Math.min(bytes.length, base + offset);
  const end = bytes.indexOf(0, from);
  return ansi(bytes.subarray(from, end < 0 ? bytes.length : end));
}

function wide(bytes: Uint8Array, base: number, offset: number): string {
  const from = Math.min(bytes.length, base + offset);
  let end = from;
  while (end + 1 < bytes.length && (bytes[end] !== 0 || bytes[end + 1] !== 0)) end += 2;
  return decodeUtf16(bytes.subarray(from, end));
}
