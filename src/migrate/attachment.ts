/**
 * A message without some of its attachments: MS-PST 2.4.6. The subnodes go, with their rows in the attachment table 0x671; the flag
 * of attachments and the size follow.
 * @module
 */

import { readPc } from '../ltp/pc.js';
import type { PropertyStream } from '../ltp/stream.js';
import type { Ndb } from '../ndb/ndb.js';
import { StoreWriter } from '../ndb/write/store-writer.js';
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import type { Amendment } from './amendment.js';
import { isSurvived } from './content.js';
import { NodeDigester } from './digest.js';
import { nowhere } from './nowhere.js';
import { Reencoder } from './reencode.js';

/** PidTagMessageFlags, MS-OXCMSG 2.2.1.6, and its bit; PidTagHasAttachments; PidTagAttachmentHidden. */
const MESSAGE_FLAGS = 0x0e070003;
const HAS_ATTACHMENT = 0x10;
const HAS_ATTACHMENTS = 0x0e1b000b;
const HIDDEN = 0x7ffe000b;
/** PidTagMessageSize: bytes of all leaf data blocks, recursively (scanpst.md 6). */
const MESSAGE_SIZE = 0x0e080003;

/** The amended message, and the numbers of it that rows repeat. */
export interface Lessened {
  readonly amendment: Amendment;
  readonly numbers: ReadonlyMap<number, number>;
}

/**
 * NIDs of the attachments of message `i` that cannot be read, when the rest of it can be without them. None: it is broken elsewhere. Throws
 * PST_LIMIT, and the core is spent then.
 */
export function brokenAttachments(ndb: Ndb, i: number, reencode: boolean): number[] {
  const nid = ndb.nbt.nid(i);
  try {
    const subnodes = ndb.subnodes(ndb.nbt.bidSub(i), { nid });
    const broken: number[] = [];
    for (let k = 0; k < subnodes.count; k++) {
      if (nidType(subnodes.nid(k)) !== NID_TYPE.ATTACHMENT) continue;
      if (!isReadable(ndb, subnodes.nid(k), subnodes.bidData(k), subnodes.bidSub(k))) broken.push(subnodes.nid(k));
    }
    if (broken.length === 0) return [];
    new NodeDigester(ndb, () => {}).node(i, withoutAttachments(ndb, i, new Set(broken), reencode).amendment);
    return broken;
  } catch (error) {
    if (!isSurvived(error)) throw error;
    return [];
  }
}

function isReadable(ndb: Ndb, nid: number, bidData: number, bidSub: number): boolean {
  try {
    new NodeDigester(ndb, () => {}).part(nid, bidData, bidSub, { nid });
    return true;
  } catch (error) {
    if (!isSurvived(error)) throw error;
    return false;
  }
}

/** Message `i` without the attachments `gone`. Throws PstError when the rest of it cannot be read. */
export function withoutAttachments(ndb: Ndb, i: number, gone: ReadonlySet<number>, reencode: boolean): Lessened {
  const { nbt } = ndb;
  const nid = nbt.nid(i);
  const numbers = new Map<number, number>();
  const none: Omit<Amendment, 'rows'> = { numbers: new Map(), subnodes: new Map() };
  const amendment: Amendment = {
    rows: new Set(),
    numbers: new Map([[0, numbers]]),
    subnodes: new Map<number, Amendment | 'gone'>([
      ...[...gone].map((attachment) => [attachment, 'gone'] as const),
      [NID.ATTACHMENT_TABLE, { ...none, rows: gone }],
    ]),
  };
  const message = readPc(ndb, nbt.bidData(i), { nid });
  if (!hasVisible(ndb, i, gone)) {
    numbers.set(MESSAGE_FLAGS, (message.inline(MESSAGE_FLAGS) ?? 0) & ~HAS_ATTACHMENT);
    numbers.set(HAS_ATTACHMENTS, 0);
  }
  // What it will take is known once it is written: numbers change no size.
  const writer = new StoreWriter(ndb.core, nowhere(), { crypt: ndb.header.crypt });
  const encoder = new Reencoder(
    ndb,
    writer,
    () => {},
    () => {},
    !reencode,
  );
  encoder.object(nid, nbt.bidData(i), nbt.bidSub(i), { nid }, 0, amendment);
  writer.abandon();
  numbers.set(MESSAGE_SIZE, encoder.dataBytes);
  return { amendment, numbers };
}

/** Whether an attachment that a person sees is left. */
function hasVisible(ndb: Ndb, i: number, gone: ReadonlySet<number>): boolean {
  const subnodes = ndb.subnodes(ndb.nbt.bidSub(i), {});
  for (let k = 0; k < subnodes.count; k++) {
    const nid = subnodes.nid(k);
    if (nidType(nid) !== NID_TYPE.ATTACHMENT || gone.has(nid)) continue;
    const attachment: PropertyStream = readPc(ndb, subnodes.bidData(k), { nid });
    if (attachment.inline(HIDDEN) !== 1) return true;
  }
  return false;
}
