/**
 * A second reader, in the same process: what pst-extractor reads of a message, we read alike. It opens no ANSI and no cyclic
 * store and misses rows in 4K stores, so it says nothing about messages it does not find.
 */
import { createHash } from 'node:crypto';
import { PSTAttachment, PSTFile, type PSTFolder, type PSTMessage, type PSTRecipient } from 'pst-extractor';
import { expect } from 'vitest';
import { type Attachment, type Message, openStore, type Recipient } from '../../src/index.js';
import { describeStores } from '../stores.js';

/** It drops every NUL from a string; we drop only those at the end. */
const plain = (text: string | null | undefined): string => (text ?? '').replaceAll('\0', '');

/** It gives the epoch of 1970 for times of no bytes, and rounds its own way. */
const seconds = (date: Date | null | undefined): number =>
  date === undefined || date === null || date.getTime() === 0 ? 0 : Math.floor(date.getTime() / 1000);

function* theirMessages(folder: PSTFolder): Generator<PSTMessage> {
  if (folder.contentCount > 0) {
    for (let child = folder.getNextChild(); child !== null; child = folder.getNextChild()) yield child;
  }
  if (!folder.hasSubfolders) return;
  for (const sub of folder.getSubFolders()) yield* theirMessages(sub);
}

function theirBytes(attachment: PSTAttachment): Buffer | undefined {
  const stream = attachment.fileInputStream;
  if (stream === null) return undefined;
  const bytes = Buffer.alloc(stream.length.toNumber());
  stream.readCompletely(bytes);
  return bytes;
}

/** Of one message: it reads its whole table anew for each. */
const RECIPIENTS_COMPARED = 10;

/** What differs, told without quoting what anyone wrote. */
class Differences {
  readonly found: string[] = [];

  same(nid: number, field: string, ours: string | null | undefined, theirs: string | null | undefined): void {
    const [a, b] = [plain(ours), plain(theirs)];
    if (a === b) return;
    let at = 0;
    while (a[at] === b[at]) at++;
    this.found.push(`${field} of 0x${nid.toString(16)}: ${a.length} and ${b.length} characters, alike up to ${at}`);
  }

  equal(nid: number, field: string, ours: number | undefined, theirs: number): void {
    if (ours !== theirs) this.found.push(`${field} of 0x${nid.toString(16)}: ${ours} and ${theirs}`);
  }

  message(ours: Message, theirs: PSTMessage): void {
    const { nid, sender } = ours;
    this.same(nid, 'class', ours.messageClass, theirs.messageClass);
    this.same(nid, 'subject', ours.subject, theirs.subject);
    this.same(nid, 'body', ours.body, theirs.body);
    this.same(nid, 'RTF', ours.rtf === undefined ? '' : asTheirRtf(ours.rtf), theirs.bodyRTF.replaceAll('\r', '\n'));
    this.same(nid, 'HTML', ours.html, theirs.bodyHTML);
    this.same(nid, 'sender name', sender.name, theirs.senderName);
    this.same(nid, 'sender address', sender.address, theirs.senderEmailAddress);
    this.same(nid, 'to', ours.displayTo, theirs.displayTo);
    this.same(nid, 'cc', ours.displayCc, theirs.displayCC);
    this.same(nid, 'headers', ours.internetHeaders, theirs.transportMessageHeaders);
    this.equal(nid, 'sent', seconds(ours.sentAt), seconds(theirs.clientSubmitTime));
    this.equal(nid, 'received', seconds(ours.receivedAt), seconds(theirs.messageDeliveryTime));
    this.equal(nid, 'modified', seconds(ours.modifiedAt), seconds(theirs.modificationTime));
    this.recipients(nid, ours.recipients().toArray(), theirs);
    this.attachments(nid, ours.attachments().toArray(), theirs);
  }

  recipients(nid: number, ours: Recipient[], theirs: PSTMessage): void {
    this.equal(nid, 'recipients', ours.length, theirs.numberOfRecipients);
    ours.slice(0, RECIPIENTS_COMPARED).forEach((recipient, k) => {
      const their: PSTRecipient | null = theirs.getRecipient(k);
      this.same(nid, 'recipient', recipient.name, their?.displayName);
      this.same(nid, 'address', recipient.address, their?.emailAddress);
      this.equal(nid, 'kind', recipient.integer('PidTagRecipientType') ?? 0, their?.recipientType ?? -1);
    });
  }

  attachments(nid: number, ours: Attachment[], theirs: PSTMessage): void {
    this.equal(nid, 'attachments', ours.length, theirs.numberOfAttachments);
    ours.forEach((attachment, k) => {
      const their = theirs.getAttachment(k);
      this.equal(nid, 'method', attachment.method, their.attachMethod);
      this.same(nid, 'long name', attachment.text('PidTagAttachLongFilename'), their.longFilename);
      this.same(nid, 'name', attachment.text('PidTagAttachFilename'), their.filename);
      this.same(nid, 'type', attachment.mimeType, their.mimeTag);
      const embedded = attachment.embeddedMessage();
      if (embedded !== undefined) {
        const message = their.embeddedPSTMessage;
        if (message !== null) this.message(embedded, message);
      } else if (attachment.method === PSTAttachment.ATTACHMENT_METHOD_BY_VALUE) {
        const bytes = attachment.bytes();
        this.equal(nid, 'data size', bytes.length, attachment.dataSize);
        this.same(nid, 'data', sha256(bytes), sha256(theirBytes(their) ?? new Uint8Array(0)));
      }
    });
  }
}

/** Its dictionary ends lines with LF CR, it takes RTF for UTF-8, and it trims. */
const asTheirRtf = (rtf: string): string => Buffer.from(rtf, 'latin1').toString().trim().replaceAll('\r', '\n');

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describeStores(
  'pst-extractor reads the same',
  ({ path, catalog }) => {
    const store = openStore(path);
    const file = new PSTFile(path);
    try {
      let messages = 0;
      const differences = new Differences();
      for (const theirs of theirMessages(file.getRootFolder())) {
        differences.message(store.getMessage(theirs.descriptorNodeId.toNumber()), theirs);
        messages++;
      }
      if (catalog !== undefined) expect(messages).toBe(catalog.pstExtractor![0]);
      expect(differences.found).toEqual([]);
    } finally {
      file.close();
      store.close();
    }
  },
  ({ catalog }) => catalog === undefined || catalog.pstExtractor !== undefined,
);
