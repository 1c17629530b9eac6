/** Attachments of a message: table, objects, sizes, what they hold. MS-PST 2.4.6.1, 2.4.6.2. @module */
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import type { Context } from './context.js';
import { hex, tagHex, tagText } from './findings.js';
import { checkMessage } from './messages.js';
import { loadObject, type StoreObject, withTable } from './objects.js';
import { compareRow } from './rows.js';
import type { Sizes } from './sizes.js';

/** PidTagAttachMethod. MS-OXCMSG 2.2.2.9. */
const METHOD = { EMBEDDED: 5, OLE: 6 } as const;
/** NID type of the data of an OLE object; others are rejected: scanpst PF. */
const OLE_NID_TYPE = 9;

/** 0E20 size, 3705 method, 370B rendering position. scanpst section 6. */
const REQUIRED: readonly number[] = [0x0e200003, 0x37050003, 0x370b0003];

/** Against messages nested in messages without end: real mail stops at a handful. */
const EMBEDDING_MAX = 64;

const ROW_ONLY: ReadonlySet<number> = new Set([0x67f2, 0x67f3]);

export interface AttachmentFacts {
  readonly count: number;
  /** Not hidden: PidTagAttachmentHidden is not set. */
  readonly visible: number;
}

export function checkAttachments(
  context: Context,
  sizes: Sizes,
  message: StoreObject,
  inside: string,
  depth: number,
): AttachmentFacts {
  const { top, subnodes } = message;
  const objects = new Map<number, StoreObject | undefined>();
  for (let k = 0; k < subnodes.count; k++) {
    const nid = subnodes.nid(k);
    if (nidType(nid) !== NID_TYPE.ATTACHMENT) continue;
    objects.set(nid, loadObject(context, top, nid, subnodes.bidData(k), subnodes.bidSub(k)));
  }
  let visible = 0;
  for (const [nid, object] of objects) {
    if (object === undefined) continue;
    if (object.pc.inline(0x7ffe000b) !== 1) visible++;
    checkAttachment(context, sizes, message, object, `${inside}attachment ${hex(nid)}: `, depth);
  }

  const index = subnodes.find(NID.ATTACHMENT_TABLE);
  if (index < 0) {
    if (objects.size > 0) {
      const text = `${inside}${objects.size} attachments and no attachment table 0x671`;
      context.add('attachment.table', text, { nid: top, found: objects.size, expected: 0 });
    }
    return { count: objects.size, visible };
  }
  withTable(context, top, NID.ATTACHMENT_TABLE, subnodes.bidData(index), subnodes.bidSub(index), (table, own) => {
    const rows = new Set<number>();
    for (const row of table.rows()) {
      rows.add(row.rowId);
      const object = objects.get(row.rowId);
      if (!objects.has(row.rowId)) {
        const text = `${inside}row ${hex(row.rowId)} of the attachment table has no attachment`;
        context.add('attachment.no-object', text, { nid: top, found: row.rowId });
      } else if (object !== undefined) {
        const at = { table, nid: NID.ATTACHMENT_TABLE, subnodes: own, row };
        compareRow(context, at, object, ROW_ONLY, 'attachment.row', 'attachment.row');
      }
    }
    for (const nid of objects.keys()) {
      if (rows.has(nid)) continue;
      const text = `${inside}the attachment ${hex(nid)} has no row in the attachment table`;
      context.add('attachment.no-row', text, { nid: top, found: nid });
    }
  });
  return { count: objects.size, visible };
}

function checkAttachment(
  context: Context,
  sizes: Sizes,
  message: StoreObject,
  attachment: StoreObject,
  inside: string,
  depth: number,
): void {
  const { pc, top, subnodes } = attachment;
  for (const tag of REQUIRED) {
    if (pc.find(tag) >= 0) continue;
    context.add('attachment.required', `${inside}${tagText(tag)} is missing`, { nid: top, expected: tagHex(tag) });
  }
  const times = [0x30070040, 0x30080040].filter((tag) => pc.find(tag) >= 0);
  if (times.length === 1) {
    context.add('attachment.times', `${inside}${tagText(times[0]!)} without the other of 0x3007, 0x3008`, { nid: top });
  }
  if (pc.findId(0x0e21) >= 0) {
    context.add(
      'attachment.computed',
      `${inside}PidTagAttachNumber (0x0e21) is stored, it is computed by whoever reads`,
      { nid: top },
    );
  }

  const method = pc.inline(0x37050003);
  let objectSize = 8; // -1: not known
  const data = pc.find(0x3701000d);
  if (data >= 0 && pc.flags(data) === 0 && pc.length(data) === 8) {
    const value = pc.value(data);
    const view = new DataView(value.buffer, value.byteOffset, 8);
    const target = view.getUint32(0, true);
    const stated = view.getUint32(4, true);
    const index = subnodes.find(target);
    objectSize = -1;
    if (index >= 0) {
      const bidData = subnodes.bidData(index);
      const bidSub = subnodes.bidSub(index);
      const size = context.attempt(top, () => sizes.stored(bidData, bidSub, top));
      if (size !== undefined) {
        objectSize = size;
        if (stated !== size) {
          const text = `${inside}PidTagAttachDataObject (0x3701) says its object has ${stated} bytes, it has ${size}`;
          context.add('attachment.object-size', text, { nid: top, found: stated, expected: size });
        }
      }
      if (method === METHOD.EMBEDDED) embedded(context, sizes, message, target, bidData, bidSub, inside, depth);
      else if (method === METHOD.OLE && nidType(target) !== OLE_NID_TYPE) {
        const text = `${inside}the data of an OLE object is subnode ${hex(target)}, not of type ${OLE_NID_TYPE}`;
        context.add('attachment.ole-type', text, { nid: top, found: nidType(target), expected: OLE_NID_TYPE });
      }
    }
  } else if (method === METHOD.EMBEDDED) {
    context.add('attachment.embedded', `${inside}method 5 without an object in PidTagAttachDataObject (0x3701)`, {
      nid: top,
    });
  }

  const stored = pc.inline(0x0e200003);
  const size = objectSize < 0 ? -1 : sizes.attachment(attachment, objectSize);
  if (stored !== undefined && size >= 0 && stored !== size) {
    const text = `${inside}PidTagAttachSize (0x0e20) is ${stored}, its values have ${size} bytes`;
    context.add('attachment.size', text, { nid: top, found: stored, expected: size });
  }
}

function embedded(
  context: Context,
  sizes: Sizes,
  message: StoreObject,
  nid: number,
  bidData: number,
  bidSub: number,
  inside: string,
  depth: number,
): void {
  const { top } = message;
  if (nidType(nid) !== NID_TYPE.NORMAL_MESSAGE) {
    const text = `${inside}the embedded message ${hex(nid)} is of NID type ${nidType(nid)}`;
    context.add('attachment.embedded', text, { nid: top, found: nidType(nid), expected: NID_TYPE.NORMAL_MESSAGE });
  }
  if (depth >= EMBEDDING_MAX) {
    context.add('check.limit', `${inside}messages nested ${EMBEDDING_MAX} deep`, { nid: top });
    return;
  }
  if (!context.once(`embedded ${bidData}:${bidSub}`)) return;
  const object = loadObject(context, top, nid, bidData, bidSub);
  if (object !== undefined) checkMessage(context, sizes, object, false, true, undefined, depth + 1);
}
