/**
 * A whole store as JSON: folders, messages, attachments in plain values. What a fixture says it holds.
 *
 *     times "2020-01-01T00:00:00Z" · binary hexadecimal · 64-bit integers decimal text · text "…" or { text, times }
 *     content "…" (UTF-8), { hex } or { seed, size }: so many bytes of the generator `Dice`
 * @module
 */
import { UsageError } from '../errors.js';
import { FileTime } from '../mapi/filetime.js';
import * as ptyp from '../mapi/type.js';
import type { Address } from './address.js';
import type { Attachment } from './attachment.js';
import { Dice } from './dice.js';
import type { FolderBuilder } from './folder.js';
import type { Message, NamedValue } from './message.js';
import type { PropertyInput } from './properties.js';
import type { StoreBuilder, StoreOptions } from './store.js';

export type TextDescription = string | { readonly text: string; readonly times: number };
export type ContentDescription = string | { readonly hex: string } | { readonly seed: number; readonly size: number };
export type JsonValue = string | number | boolean | readonly JsonValue[];

export interface NamedDescription {
  readonly set: string;
  readonly name: number | string;
  /** `PtypString` or its alias, `unicode`. */
  readonly type: string;
  readonly value: JsonValue;
}

interface CommonAttachment {
  readonly name?: string;
  readonly mime?: string;
  readonly contentId?: string;
  readonly hidden?: boolean;
}
export type AttachmentDescription = CommonAttachment &
  (
    | { readonly data: ContentDescription }
    | { readonly message: MessageDescription }
    | { readonly ole: ContentDescription }
    | { readonly reference: string }
  );

export interface MessageDescription {
  readonly messageClass?: string;
  readonly subject?: TextDescription;
  readonly body?: TextDescription;
  readonly html?: TextDescription;
  readonly rtf?: string;
  readonly headers?: TextDescription;
  readonly messageId?: string;
  readonly sender?: Address;
  readonly from?: Address;
  readonly to?: readonly Address[];
  readonly cc?: readonly Address[];
  readonly bcc?: readonly Address[];
  readonly sent?: string;
  readonly received?: string;
  readonly created?: string;
  readonly modified?: string;
  readonly importance?: number;
  readonly sensitivity?: number;
  readonly priority?: number;
  readonly read?: boolean;
  readonly flags?: number;
  /** `0x1035001F` to value. */
  readonly properties?: Readonly<Record<string, JsonValue>>;
  readonly named?: readonly NamedDescription[];
  readonly attachments?: readonly AttachmentDescription[];
}

export interface FolderDescription {
  readonly name: string;
  readonly containerClass?: string;
  readonly comment?: string;
  readonly folders?: readonly FolderDescription[];
  readonly messages?: readonly MessageDescription[];
  readonly associated?: readonly MessageDescription[];
}

export interface StoreDescription {
  readonly displayName: string;
  /** 32 hexadecimal digits. */
  readonly recordKey: string;
  readonly now: string;
  readonly crypt?: NonNullable<StoreOptions['crypt']>;
  /** Below the top of what a person sees. */
  readonly folders: readonly FolderDescription[];
  /** In Deleted Items. */
  readonly deleted?: readonly MessageDescription[];
}

export const textOf = (text: TextDescription): string =>
  typeof text === 'string' ? text : text.text.repeat(text.times);

const hexBytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));

export function bytesOf(content: ContentDescription): Uint8Array {
  if (typeof content === 'string') return new TextEncoder().encode(content);
  return 'hex' in content ? hexBytes(content.hex) : new Dice(content.seed).bytes(content.size);
}

export function optionsOf({ displayName, recordKey, now, crypt }: StoreDescription): StoreOptions {
  const options = { displayName, recordKey: hexBytes(recordKey), now: FileTime.parse(now) };
  return crypt === undefined ? options : { ...options, crypt };
}

/** Puts what is described into a store. */
export function fillStore(b: StoreBuilder, { folders, deleted = [] }: StoreDescription): void {
  for (const message of deleted) b.deletedItems.message(messageOf(message));
  for (const folder of folders) fillFolder(b.ipmSubtree, folder);
}

function fillFolder(parent: FolderBuilder, description: FolderDescription): void {
  const { name, containerClass, comment, folders = [], messages = [], associated = [] } = description;
  const folder = parent.folder(name, given({ containerClass, comment }));
  for (const message of associated) folder.associated(messageOf(message));
  for (const message of messages) folder.message(messageOf(message));
  folder.close();
  for (const child of folders) fillFolder(folder, child);
}

/** The same without what is undefined: an option left out is not an option set to nothing. */
function given<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}

const timeOf = (text: string | undefined): FileTime | undefined =>
  text === undefined ? undefined : FileTime.parse(text);
const optionalText = (text: TextDescription | undefined): string | undefined =>
  text === undefined ? undefined : textOf(text);

export function messageOf(description: MessageDescription): Message {
  const { subject, body, html, headers, sent, received, created, modified, ...others } = description;
  const { properties = {}, named = [], attachments = [], ...rest } = others;
  const texts = [subject, body, html, headers].map(optionalText);
  const times = [sent, received, created, modified].map(timeOf);
  return {
    ...rest,
    ...given({ subject: texts[0], body: texts[1], html: texts[2], headers: texts[3] }),
    ...given({ sent: times[0], received: times[1], created: times[2], modified: times[3] }),
    properties: Object.entries(properties).map(([tag, value]) => [Number(tag), toValue(Number(tag), value)]),
    named: named.map(({ set, name, type, value }): NamedValue => {
      const found = ptyp.findTypeNamed(type);
      if (found === undefined) throw new UsageError('USAGE', `"${type}" is no property type`);
      return { set, name, type: found.type, value: toValue(found.type, value) };
    }),
    attachments: attachments.map((attachment): Attachment => {
      if ('data' in attachment) return { ...attachment, data: bytesOf(attachment.data) };
      if ('ole' in attachment) return { ...attachment, ole: bytesOf(attachment.ole) };
      if ('message' in attachment) return { ...attachment, message: messageOf(attachment.message) };
      return attachment;
    }),
  };
}

function toValue(tag: number, value: JsonValue): PropertyInput {
  const type = ptyp.typeOf(tag);
  if (typeof value === 'object') {
    return value.map((item) => toValue(ptyp.baseType(type), item)) as PropertyInput;
  }
  switch (type) {
    case ptyp.PtypTime:
      return FileTime.parse(String(value));
    case ptyp.PtypInteger64:
    case ptyp.PtypCurrency:
      return BigInt(value);
    case ptyp.PtypBinary:
      return hexBytes(String(value));
    default:
      return value;
  }
}
