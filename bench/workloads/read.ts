/**
 * Reads everything in a store through the public API: every property, recipient and attachment byte, checksums on. What
 * pst-extractor sees too is tallied: ordinary messages, their recipients and attachments.
 * @module
 */
import type { Hash } from 'node:crypto';
import type { CoreBuild } from '../../src/core/core.js';
import { INLINE, type PropertyStream } from '../../src/ltp/stream.js';
import { openStore } from '../../src/messaging/store.js';
import type { Visitor, WalkedObject } from '../../src/messaging/walk.js';
import { NID_TYPE, nidType } from '../../src/wire/nid.js';
import { ATTACH_DATA, digestOf, noTally, ObjectDigest, type Tally } from './tally.js';

export interface ReadOptions {
  /** Digest every value as well: for comparing, not for timing. */
  readonly digest?: boolean;
  readonly build?: CoreBuild;
}

export function readEverything(path: string, { digest = false, build = 'core' }: ReadOptions = {}): Tally {
  const store = openStore(path, { build });
  const tally = noTally();
  store.walk(digest ? digesting(tally) : counting(tally));
  store.close();
  if (store.findings.length > 0) throw store.findings[0];
  return tally;
}

const isOrdinary = (object: WalkedObject): boolean =>
  object.depth === 0 && nidType(object.nid) === NID_TYPE.NORMAL_MESSAGE;

function valueBytes(stream: PropertyStream): number {
  let sum = 0;
  for (let k = 0; k < stream.count; k++) if (stream.flags(k) === 0) sum += stream.length(k);
  return sum;
}

function counting(tally: Tally): Visitor {
  let isCounted = false;
  let isAttachment = false;
  return {
    object(object, stream) {
      if (object.kind === 'attachment') {
        if (!isCounted) return undefined;
        isAttachment = true;
        tally.attachments++;
        const data = stream.findId(ATTACH_DATA);
        if (data >= 0 && stream.flags(data) === 0) tally.attachmentBytes += stream.length(data);
      } else {
        isAttachment = false;
        isCounted = object.kind === 'message' && isOrdinary(object);
        if (!isCounted) return undefined;
        tally.messages++;
      }
      tally.properties += stream.count;
      tally.valueBytes += valueBytes(stream);
      return undefined;
    },
    row(kind, _nid, stream) {
      if (!isCounted || kind !== 'recipient') return;
      tally.recipients++;
      tally.recipientBytes += valueBytes(stream);
    },
    chunk(tag, bytes) {
      if (!isCounted) return;
      tally.valueBytes += bytes.length;
      if (isAttachment && tag >>> 16 === ATTACH_DATA) tally.attachmentBytes += bytes.length;
    },
  };
}

/** The same, with the digest of tally.ts. */
function digesting(tally: Tally): Visitor {
  const count = counting(tally);
  const messages: string[] = [];
  let message: ObjectDigest | undefined;
  let current: ObjectDigest | undefined;
  let recipients: string[] = [];
  let attachments: string[] = [];
  let long: Hash | undefined;
  const begin = (stream: PropertyStream): ObjectDigest => {
    const digest = new ObjectDigest();
    for (let k = 0; k < stream.count; k++) {
      const id = stream.tag(k) >>> 16;
      const type = stream.tag(k) & 0xffff;
      if (stream.flags(k) === 0) digest.bytes(id, type, stream.value(k));
      else if (stream.flags(k) === INLINE) digest.number(id, type, stream.place(k));
    }
    return digest;
  };
  return {
    object(object, stream) {
      count.object?.(object, stream);
      if (object.kind === 'message' && isOrdinary(object)) {
        current = message = begin(stream);
        recipients = [];
        attachments = [];
      } else if (object.kind === 'attachment' && message !== undefined) current = begin(stream);
      else current = message = undefined;
      return undefined;
    },
    row(kind, nid, stream) {
      count.row?.(kind, nid, stream);
      if (message !== undefined && kind === 'recipient') recipients.push(begin(stream).digest);
    },
    chunk(tag, bytes, at, size) {
      count.chunk?.(tag, bytes, at, size);
      if (current === undefined) return;
      if (at === 0) long = current.open(tag >>> 16, tag & 0xffff);
      long!.update(bytes);
      if (at + bytes.length === size) current.close(tag >>> 16, long!);
    },
    end(object) {
      if (object.kind === 'attachment' && message !== undefined) attachments.push(current!.digest);
      else if (object.kind === 'message' && message !== undefined && isOrdinary(object)) {
        messages.push(digestOf([message.digest, ...recipients.sort(), ...attachments.sort()]));
        message = undefined;
      } else if (object.kind === 'store' || object.kind === 'folder') tally.digest = digestOf(messages.sort());
    },
  };
}
