/** Recipients of a message: table, columns, and the display lists they make. MS-PST 2.4.5.3. @module */
import { NID } from '../wire/nid.js';
import type { Context } from './context.js';
import { tagText, textOf } from './findings.js';
import { decodeString, propertyBytes, type StoreObject, textOfId, withTable } from './objects.js';

/** Always there: type, entry id, name, address type, address, search key. scanpst section 11. */
const REQUIRED: readonly number[] = [0x0c15, 0x0fff, 0x3001, 0x3002, 0x3003, 0x300b];

/** What we fill besides: entry id, object type, responsibility, send rich info, 7-bit name. scanpst section 6. */
const OWN: readonly number[] = [...REQUIRED, 0x0e0f, 0x0ff9, 0x0ffe, 0x39ff, 0x3a40];

/** PidTagRecipientType and the display list it feeds. MS-OXCMSG 2.2.3.1, 2.2.1.7 to 2.2.1.9. */
const LISTS = [
  { type: 1, id: 0x0e04, name: 'To' },
  { type: 2, id: 0x0e03, name: 'Cc' },
  { type: 3, id: 0x0e02, name: 'Bcc' },
] as const;
/** scanpst CM. */
const NAME_MAX = 255;
/** Low bits of PidTagRecipientType: the kind; above them flags such as 0x10000000 (resend). */
const KIND_MASK = 0x0f;

export function checkRecipients(context: Context, message: StoreObject, inside: string, isAssociated: boolean): void {
  const { top, subnodes } = message;
  const names: string[][] = [[], [], [], []];
  let unknown = false;
  const index = subnodes.find(NID.RECIPIENT_TABLE);
  if (index < 0) {
    if (!isAssociated) context.add('recipient.table', `${inside}there is no recipient table 0x692`, { nid: top });
  } else {
    const done = withTable(
      context,
      top,
      NID.RECIPIENT_TABLE,
      subnodes.bidData(index),
      subnodes.bidSub(index),
      (table, own) => {
        let lastId = -1;
        for (const row of table.rows()) {
          const where = `${inside}recipient ${row.rowId}`;
          for (const id of context.isOwn ? OWN : REQUIRED) {
            if (row.findId(id) >= 0) continue;
            const place = { nid: top, expected: `0x${id.toString(16).padStart(4, '0')}` };
            const foreign = context.isAnsi ? 'note' : undefined; // Outlook 97 fills the name only; seen in real stores
            context.add('recipient.required', `${where} has no 0x${id.toString(16).padStart(4, '0')}`, place, foreign);
          }
          if (row.rowId <= lastId) {
            context.add('recipient.order', `${where} follows ${lastId}`, { nid: top, found: row.rowId });
          }
          lastId = row.rowId;
          const type = row.inline(0x0c150003);
          const k = row.findId(0x3001);
          const bytes = k < 0 ? new Uint8Array(0) : propertyBytes(context, top, row, k, own);
          const name = bytes === undefined || k < 0 ? '' : decodeString(row.tag(k), bytes);
          if (bytes === undefined || name === undefined) unknown = true;
          else if (type !== undefined && (type & KIND_MASK) <= 3) names[type & KIND_MASK]!.push(name);
        }
        return true;
      },
    );
    if (done === undefined) unknown = true;
  }
  if (unknown) return;
  for (const { type, id, name } of LISTS) {
    for (const text of names[type]!) {
      if (text.length <= NAME_MAX) continue;
      const place = { nid: top, found: text.length, expected: NAME_MAX };
      context.add('message.text-length', `${inside}a recipient's name of ${text.length} characters`, place);
    }
    const stored = textOfId(context, message, id);
    const expected = names[type]!.join('; ');
    const k = message.pc.findId(id);
    if (k >= 0 && stored === undefined) continue;
    if (stored === '') {
      const tag = tagText(message.pc.tag(k));
      context.add('message.empty-list', `${inside}${tag} is there and empty`, { nid: top });
    }
    if ((stored ?? '') === expected) continue;
    const text = `${inside}Display${name} is ${textOf(stored ?? '')}, the recipients make ${textOf(expected)}`;
    context.add('message.display-list', text, { nid: top, found: textOf(stored ?? ''), expected: textOf(expected) });
  }
}
