/** The store through our own reader. @module */
import type { Source } from '../../src/host/source.js';
import type { Folder } from '../../src/messaging/folder.js';
import type { Message } from '../../src/messaging/message.js';
import { openStore } from '../../src/messaging/store.js';
import { byNames, type FolderView, type MessageView, shaOf } from './view.js';

/** Throws when reading found anything wrong. */
export function ourView(from: string | Source): { folders: FolderView[]; associated: number } {
  const store = openStore(from, { strictness: 'strict' });
  const folders: FolderView[] = [];
  let associated = 0;
  const walk = (folder: Folder, above: readonly string[]): void => {
    for (const child of folder.folders()) {
      const names = [...above, child.displayName];
      const messages = [...child.messages()].map(messageOf);
      associated += [...child.associated()].length;
      if (child.messageCount !== messages.length) throw new Error(`${names.join('/')}: 3602 is ${child.messageCount}`);
      folders.push({ names, containerClass: child.containerClass ?? '', messages });
      walk(child, names);
    }
  };
  walk(store.ipmSubtree!, []);
  const { findings } = store;
  store.close();
  if (findings.length > 0) throw findings[0];
  return { folders: folders.sort(byNames), associated };
}

function messageOf(message: Message): MessageView {
  return {
    messageClass: message.messageClass,
    subject: message.subject,
    body: message.body ?? '',
    html: message.html ?? '',
    headers: message.internetHeaders ?? '',
    from: [message.sentRepresenting.name ?? '', message.sentRepresenting.address ?? ''],
    recipients: [...message.recipients()].map(({ kind, name, address }) => `${kind} ${name} <${address}>`),
    sent: message.sentAt?.toISOString() ?? '',
    isRead: message.isRead,
    attachments: [...message.attachments()].map((attachment) => {
      const embedded = attachment.embeddedMessage();
      return {
        name: attachment.name ?? '',
        method: attachment.method,
        sha: attachment.method === 1 || attachment.method === 6 ? shaOf(attachment.data()) : '',
        ...(embedded === undefined ? {} : { message: messageOf(embedded) }),
      };
    }),
  };
}
