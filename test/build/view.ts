/** A store as any reader can tell it, and what a description says it must be. @module */
import { createHash } from 'node:crypto';
import {
  type AttachmentDescription,
  bytesOf,
  type FolderDescription,
  type MessageDescription,
  type StoreDescription,
  textOf,
} from '../../src/build/description.js';

export interface AttachmentView {
  /** File name, or the display name of an attached message. */
  readonly name: string;
  readonly method: number;
  /** SHA-256 of the bytes, in hex; empty when the store has none. */
  readonly sha: string;
  readonly message?: MessageView;
}

export interface MessageView {
  readonly messageClass: string;
  readonly subject: string;
  readonly body: string;
  readonly html: string;
  readonly headers: string;
  readonly from: readonly [name: string, address: string];
  /** `to Ann <ann@example.org>`, in order. */
  readonly recipients: readonly string[];
  readonly sent: string;
  readonly isRead: boolean;
  readonly attachments: readonly AttachmentView[];
}

export interface FolderView {
  /** From the top a person sees. */
  readonly names: readonly string[];
  readonly containerClass: string;
  readonly messages: readonly MessageView[];
}

export const shaOf = (bytes: Uint8Array | Iterable<Uint8Array>): string => {
  const hash = createHash('sha256');
  for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) hash.update(piece);
  return hash.digest('hex');
};

/** Names are cut after 255 characters. */
const cut = (name: string): string => name.slice(0, 255);

const METHODS = { data: 1, reference: 4, message: 5, ole: 6 } as const;

function attachmentView(attachment: AttachmentDescription): AttachmentView {
  const name = cut(attachment.name ?? '');
  if ('data' in attachment) return { name, method: METHODS.data, sha: shaOf(bytesOf(attachment.data)) };
  if ('ole' in attachment) return { name, method: METHODS.ole, sha: shaOf(bytesOf(attachment.ole)) };
  if ('reference' in attachment)
    return { name: attachment.name ?? attachment.reference.split(/[\\/]/).at(-1)!, method: METHODS.reference, sha: '' };
  const message = messageView(attachment.message);
  return { name: attachment.name ?? message.subject, method: METHODS.message, sha: '', message };
}

export function messageView(description: MessageDescription): MessageView {
  const text = (key: 'subject' | 'body' | 'html' | 'headers'): string =>
    description[key] === undefined ? '' : textOf(description[key]);
  const from = description.from ?? description.sender;
  const recipients = (['to', 'cc', 'bcc'] as const).flatMap((kind) =>
    (description[kind] ?? []).map((address) => {
      const { name, address: mail } = typeof address === 'string' ? { name: address, address } : address;
      return `${kind} ${cut(name ?? mail)} <${mail}>`;
    }),
  );
  return {
    messageClass: description.messageClass ?? 'IPM.Note',
    subject: [...text('subject')]
      .filter((char) => char >= ' ')
      .join('')
      .slice(0, 253),
    body: text('body'),
    html: text('html'),
    headers: text('headers'),
    from:
      from === undefined
        ? ['', '']
        : typeof from === 'string'
          ? [from, from]
          : [from.name ?? from.address, from.address],
    recipients,
    sent: description.sent === undefined ? '' : new Date(description.sent).toISOString(),
    isRead: description.read ?? ((description.flags ?? 0) & 1) !== 0,
    attachments: (description.attachments ?? []).map(attachmentView),
  };
}

export function storeView({ folders, deleted = [] }: StoreDescription): FolderView[] {
  const views: FolderView[] = [{ names: ['Deleted Items'], containerClass: '', messages: deleted.map(messageView) }];
  const walk = (
    above: readonly string[],
    { name, containerClass = '', messages = [], folders: below = [] }: FolderDescription,
  ): void => {
    const names = [...above, name];
    views.push({ names, containerClass, messages: messages.map(messageView) });
    for (const child of below) walk(names, child);
  };
  for (const folder of folders) walk([], folder);
  return views.sort(byNames);
}

export const byNames = (a: FolderView, b: FolderView): number => (a.names.join('/') < b.names.join('/') ? -1 : 1);
