/**
 * The same reading with pst-extractor: the items it has parsed of every message and attachment, long values and attachment
 * data to the last byte, recipients. It verifies no checksum.
 * @module
 */
import { type PSTAttachment, PSTFile, type PSTFolder, type PSTMessage } from 'pst-extractor';
import { ATTACH_DATA, digestOf, noTally, ObjectDigest, type Tally } from './tally.js';

/** Of PSTTableItem, which the package does not export. */
interface Item {
  readonly entryValueType: number;
  readonly entryValueReference: number;
  readonly isExternalValueReference: boolean;
  readonly data: Uint8Array;
}
/** Protected in PSTObject: where its getters look. */
interface Held {
  readonly pstTableItems: ReadonlyMap<number, Item> | null;
  readonly localDescriptorItems: ReadonlyMap<number, { getData(): Uint8Array }> | null;
}

/** Types whose value is the reference itself. */
const INLINE_TYPES: readonly number[] = [0x0002, 0x0003, 0x0004, 0x000a, 0x000b];
/** The package recommends reads of a block's payload. */
const PIECE = 8176;
const NO_BYTES = new Uint8Array(0);

export function extractEverything(path: string, digest = false): Tally {
  const file = new PSTFile(path);
  const tally = noTally();
  const messages: string[] = [];
  const walk = (folder: PSTFolder): void => {
    if (folder.contentCount > 0) {
      for (let message = folder.getNextChild(); message !== null; message = folder.getNextChild()) {
        messages.push(readMessage(message as PSTMessage, tally, digest));
      }
    }
    if (folder.hasSubfolders) for (const child of folder.getSubFolders()) walk(child);
  };
  walk(file.getRootFolder());
  file.close();
  if (digest) tally.digest = digestOf(messages.sort());
  return tally;
}

function readMessage(message: PSTMessage, tally: Tally, digest: boolean): string {
  const own = digest ? new ObjectDigest() : undefined;
  const recipients: string[] = [];
  const attachments: string[] = [];
  tally.messages++;
  readObject(message as unknown as Held, tally, own);
  const recipientCount = message.numberOfRecipients;
  for (let k = 0; k < recipientCount; k++) {
    const row = digest ? new ObjectDigest() : undefined;
    tally.recipients++;
    readItems(message.getRecipient(k) as unknown as Held, row, (length) => {
      tally.recipientBytes += length;
    });
    if (row !== undefined) recipients.push(row.digest);
  }
  const attachmentCount = message.numberOfAttachments;
  for (let k = 0; k < attachmentCount; k++) {
    const attachment = message.getAttachment(k);
    const row = digest ? new ObjectDigest() : undefined;
    tally.attachments++;
    readObject(attachment as unknown as Held, tally, row);
    readData(attachment, tally, row);
    if (row !== undefined) attachments.push(row.digest);
  }
  return own === undefined ? '' : digestOf([own.digest, ...recipients.sort(), ...attachments.sort()]);
}

function readObject(object: Held, tally: Tally, digest: ObjectDigest | undefined): void {
  tally.properties += object.pstTableItems?.size ?? 0;
  readItems(object, digest, (length) => {
    tally.valueBytes += length;
  });
}

/** Every item but attachment data, which `readData` streams. */
function readItems(object: Held, digest: ObjectDigest | undefined, count: (length: number) => void): void {
  for (const [id, item] of object.pstTableItems ?? []) {
    if (id === ATTACH_DATA) continue;
    const type = item.entryValueType;
    if (INLINE_TYPES.includes(type)) {
      digest?.number(id, type, item.entryValueReference);
      continue;
    }
    let bytes = item.data;
    if (item.isExternalValueReference) {
      bytes = object.localDescriptorItems?.get(item.entryValueReference)?.getData() ?? NO_BYTES;
    }
    count(bytes.length);
    digest?.bytes(id, type, bytes);
  }
}

function readData(attachment: PSTAttachment, tally: Tally, digest: ObjectDigest | undefined): void {
  const stream = attachment.fileInputStream;
  const item = (attachment as unknown as Held).pstTableItems?.get(ATTACH_DATA);
  if (stream === null || item === undefined) return;
  const hash = digest?.open(ATTACH_DATA, item.entryValueType);
  const buffer = Buffer.alloc(PIECE);
  let left = stream.length.toNumber();
  while (left > 0) {
    const piece = left < PIECE ? buffer.subarray(0, left) : buffer;
    stream.readCompletely(piece);
    tally.attachmentBytes += piece.length;
    tally.valueBytes += piece.length;
    hash?.update(piece);
    left -= piece.length;
  }
  if (hash !== undefined) digest!.close(ATTACH_DATA, hash);
}
