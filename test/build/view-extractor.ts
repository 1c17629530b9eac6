/** The store through pst-extractor, in process: a reader that shares nothing with ours. @module */
import { type PSTAttachment, PSTFile, type PSTFolder, type PSTMessage } from 'pst-extractor';
import { byNames, type FolderView, type MessageView, shaOf } from './view.js';

export function extractorView(path: string): FolderView[] {
  const file = new PSTFile(path);
  const folders: FolderView[] = [];
  const walk = (folder: PSTFolder, above: readonly string[]): void => {
    for (const child of folder.hasSubfolders ? folder.getSubFolders() : []) {
      const names = [...above, child.displayName];
      const messages: MessageView[] = [];
      for (let item = child.getNextChild(); item != null; item = child.getNextChild()) messages.push(messageOf(item));
      folders.push({ names, containerClass: child.containerClass, messages });
      walk(child, names);
    }
  };
  const [top] = file.getRootFolder().getSubFolders();
  walk(top!, []);
  file.close();
  return folders.sort(byNames);
}

const KINDS = ['from', 'to', 'cc', 'bcc'];

function messageOf(message: PSTMessage): MessageView {
  return {
    messageClass: message.messageClass,
    subject: message.subject,
    body: message.body,
    html: message.bodyHTML,
    headers: message.transportMessageHeaders,
    from: [message.sentRepresentingName, message.sentRepresentingEmailAddress],
    recipients: Array.from({ length: message.numberOfRecipients }, (_, i) => {
      const it = message.getRecipient(i)!;
      return `${KINDS[it.recipientType]} ${it.displayName} <${it.emailAddress}>`;
    }),
    sent: message.clientSubmitTime?.toISOString() ?? '',
    isRead: message.isRead,
    attachments: Array.from({ length: message.numberOfAttachments }, (_, i) => {
      const it = message.getAttachment(i);
      const embedded = it.attachMethod === 5 ? it.embeddedPSTMessage : null;
      return {
        name: it.attachMethod === 5 ? it.displayName : it.longFilename,
        method: it.attachMethod,
        sha: it.attachMethod === 1 ? shaOf(contentOf(it)) : '',
        ...(embedded === null ? {} : { message: messageOf(embedded) }),
      };
    }),
  };
}

function* contentOf(attachment: PSTAttachment): Generator<Uint8Array> {
  const stream = attachment.fileInputStream;
  const buffer = Buffer.alloc(8176);
  for (let left = attachment.filesize; stream !== null && left > 0; ) {
    const n = stream.read(buffer);
    if (n <= 0) return;
    yield buffer.subarray(0, Math.min(n, left));
    left -= n;
  }
}
