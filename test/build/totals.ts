/** What the command-line readers, who print no more than that, must count in a store; and what check says of it. @module */

import type { FolderDescription, StoreDescription } from '../../src/build/description.js';
import { checkStore } from '../../src/check/check.js';
import { Core } from '../../src/core/core.js';
import { openSource } from '../../src/host/file.js';
import { type MessageView, shaOf, storeView } from './view.js';
import type { ToolView } from './view-tools.js';

/** Findings of the own profile, a line each. */
export function findingsOf(path: string): string[] {
  const source = openSource(path);
  const { findings } = checkStore(source, Core.load(), { profile: 'own' });
  source.close();
  return findings.map(
    ({ severity, rule, nid, message }) => `${severity} ${rule} ${(nid ?? 0).toString(16)}: ${message}`,
  );
}

export function storeTotals({ folders }: StoreDescription): { associated: number } {
  const count = (folder: FolderDescription): number =>
    (folder.associated?.length ?? 0) + (folder.folders ?? []).reduce((sum, child) => sum + count(child), 0);
  return { associated: folders.reduce((sum, folder) => sum + count(folder), 0) };
}

function* within(message: MessageView): Generator<MessageView> {
  yield message;
  for (const { message: inner } of message.attachments) if (inner !== undefined) yield* within(inner);
}

/** Folders are directories to both, a slash in a name is an underscore. */
const pathOf = (names: readonly string[]): string => names.map((name) => name.replaceAll('/', '_')).join('/');

/** What readpst writes; it leaves out tasks, notes and classes of others. */
const READPST = /^IPM\.(Note|Schedule|Contact|Appointment)/;
/** Items whose recipients pffexport writes. */
const PFF_RECIPIENTS = /^IPM\.Note/;
/** readpst writes no file for an attachment without bytes. */
const EMPTY = shaOf(new Uint8Array(0));

export function toolTotals(description: StoreDescription): {
  pff: ToolView;
  readpst: Omit<ToolView, 'recipients' | 'embedded'>;
} {
  const pff = { messages: {} as Record<string, number>, embedded: 0, attachments: [] as string[], recipients: 0 };
  const readpst = { messages: {} as Record<string, number>, attachments: [] as string[] };
  for (const { names, messages } of storeView(description)) {
    const path = pathOf(names);
    if (messages.length > 0) pff.messages[path] = messages.length;
    for (const message of messages) {
      const isRead = READPST.test(message.messageClass);
      if (isRead) readpst.messages[path] = (readpst.messages[path] ?? 0) + 1;
      for (const inner of within(message)) {
        if (PFF_RECIPIENTS.test(inner.messageClass)) pff.recipients += inner.recipients.length;
        if (inner !== message) pff.embedded++;
        for (const { sha } of inner.attachments) if (sha !== '') pff.attachments.push(sha);
      }
      for (const { sha } of isRead ? message.attachments : []) {
        if (sha !== '' && sha !== EMPTY) readpst.attachments.push(sha);
      }
    }
  }
  pff.attachments.sort();
  readpst.attachments.sort();
  return { pff, readpst };
}
