/**
 * A second reader for what pst-extractor cannot open: readpst (libpst). Subjects and attachments as it writes them to files
 * are those that we read, as multisets.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { ATTACH_METHOD, type Message, openStore, type Store } from '../../src/index.js';
import { decodeAnsi } from '../../src/mapi/codepage.js';
import { describeStores } from '../stores.js';

const isInstalled = spawnSync('readpst', ['-V']).status === 0;
if (!isInstalled) it.skip('skipped: readpst is not installed (Debian: pst-utils)', () => {});

interface Extracted {
  subjects: string[];
  attachments: string[];
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const normal = (subject: string): string => subject.replaceAll('\0', '').replace(/\s+/g, ' ').trim();

/** Bytes that readpst calls UTF-8: it does not convert what it does not know to be in another code page. */
function decode(bytes: Uint8Array, codePage: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return decodeAnsi(bytes, codePage);
  }
}

/** RFC 2047. */
function decodeWords(text: string, codePage: number): string {
  const word = /=\?([^?]+)\?([bq])\?([^?]*)\?=(?:\s+(?==\?))?/gi;
  return text.replace(word, (_, charset: string, encoding: string, data: string) => {
    const bytes =
      encoding.toLowerCase() === 'b'
        ? Buffer.from(data, 'base64')
        : Buffer.from(
            data
              .replaceAll('_', ' ')
              .replace(/=([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
            'latin1',
          );
    return /^utf-?8$/i.test(charset) ? decode(bytes, codePage) : new TextDecoder(charset).decode(bytes);
  });
}

/** The subject line of a message, or the summary of an appointment, as `-S` writes them. Contacts and notes have neither. */
function subjectOf(file: Buffer, codePage: number): string | undefined {
  const text = file.toString('latin1');
  const isCalendar = text.startsWith('BEGIN:VCALENDAR');
  const head = isCalendar ? text : text.slice(0, Math.max(0, text.search(/\r?\n\r?\n/)));
  const line = (isCalendar ? /^SUMMARY:(.*(?:\r?\n .*)*)/m : /^Subject:(.*(?:\r?\n[ \t].*)*)/im).exec(head)?.[1];
  if (line === undefined) return undefined;
  const raw = decode(Buffer.from(line, 'latin1'), codePage);
  if (isCalendar) return raw.replace(/\r?\n /g, '').replace(/\\([,;\\])/g, '$1');
  return decodeWords(raw, codePage);
}

function extract(path: string, codePage: number): Extracted {
  const folder = mkdtempSync(join(tmpdir(), 'readpst-'));
  const found: Extracted = { subjects: [], attachments: [] };
  try {
    execFileSync('readpst', ['-q', '-D', '-S', '-j', '0', '-o', folder, path], { stdio: 'ignore' });
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      const name = basename(entry.name);
      if (/^\d+$/.test(name)) {
        const subject = subjectOf(bytes, codePage);
        if (subject !== undefined) found.subjects.push(normal(subject));
      } else if (!/^\d+-rtf-body\.rtf$/.test(name)) found.attachments.push(sha256(bytes));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return found;
}

/** It writes subjects and attachments of mail; of appointments and the like it leaves out this or that. */
const isMail = (message: Message): boolean =>
  !message.isAssociated && /^(IPM\.Note($|\.)|REPORT\.)/i.test(message.messageClass);

function read(store: Store, isWanted: (message: Message) => boolean): Extracted {
  const found: Extracted = { subjects: [], attachments: [] };
  for (const folder of store.folders()) {
    if (folder.isSearchFolder) continue;
    // It takes some associated messages for mail.
    for (const message of [...folder.messages(), ...folder.associated()]) {
      if (!isWanted(message)) continue;
      found.subjects.push(normal(message.subject));
      for (const attachment of message.attachments()) {
        if (attachment.method !== ATTACH_METHOD.EMBEDDED_MESSAGE) found.attachments.push(sha256(attachment.bytes()));
      }
    }
  }
  return found;
}

/** Items of `a` that `b` has not, each as often as it is missing. Digests of subjects: tests quote nobody. */
function missing(a: readonly string[], b: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const item of b) left.set(item, (left.get(item) ?? 0) + 1);
  return a
    .filter((item) => {
      const count = left.get(item) ?? 0;
      left.set(item, count - 1);
      return count <= 0;
    })
    .map((item) => `${item.length} characters, ${sha256(Buffer.from(item)).slice(0, 12)}`);
}

describeStores(
  'readpst reads the same',
  ({ path }) => {
    const store = openStore(path);
    try {
      const all = read(store, () => true);
      const mail = read(store, isMail);
      const theirs = extract(path, store.codePage);
      expect(missing(theirs.subjects, all.subjects)).toEqual([]);
      expect(missing(theirs.attachments, all.attachments)).toEqual([]);
      expect(missing(mail.subjects, theirs.subjects)).toEqual([]);
      expect(missing(mail.attachments, theirs.attachments)).toEqual([]);
    } finally {
      store.close();
    }
  },
  // It refuses the store whose block B-tree is broken.
  ({ name }) => isInstalled && !name.includes('AddingBulkMessages'),
);
