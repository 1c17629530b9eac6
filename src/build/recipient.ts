/** The recipient table of a message: MS-PST 2.4.5.3; columns filled as scanpst.md 6 asks. @module */
import type { Where } from '../errors.js';
import { type Address, personOf } from './address.js';
import type { Context } from './context.js';
import type { Written } from './object.js';
import { TableBuilder } from './table.js';
import { TAG } from './tag.js';
import { RECIPIENTS } from './template.js';

/** PidTagRecipientType. MS-OXOMSG 2.2.3.1. */
const KINDS = [
  { key: 'to', type: 1, display: TAG.DISPLAY_TO },
  { key: 'cc', type: 2, display: TAG.DISPLAY_CC },
  { key: 'bcc', type: 3, display: TAG.DISPLAY_BCC },
] as const;

export interface RecipientLists {
  readonly to?: Iterable<Address>;
  readonly cc?: Iterable<Address>;
  readonly bcc?: Iterable<Address>;
}

/** PidTagObjectType of a mail user. MS-OXCPRPT 2.2.1.7. */
const MAIL_USER = 6;

export interface WrittenRecipients {
  readonly table: Written;
  readonly count: number;
  /** The display lists, tag to names joined; none for a kind without rows. */
  readonly displayLists: ReadonlyMap<number, string>;
}

export function writeRecipients(context: Context, lists: RecipientLists, where: Where): WrittenRecipients {
  const table = new TableBuilder(context.writer, context.empty, RECIPIENTS, where);
  const displayLists = new Map<number, string>();
  let count = 0;
  for (const { key, type, display } of KINDS) {
    const names: string[] = [];
    for (const address of lists[key] ?? []) {
      const person = personOf(address);
      table
        .setNumber(TAG.RECIPIENT_TYPE, type)
        .setNumber(TAG.RESPONSIBILITY, 0)
        .setBytes(TAG.RECORD_KEY, person.entryId)
        .setNumber(TAG.OBJECT_TYPE, MAIL_USER)
        .setBytes(TAG.ENTRY_ID, person.entryId)
        .setText(TAG.DISPLAY_NAME, person.name)
        .setText(TAG.ADDRESS_TYPE, person.type)
        .setText(TAG.EMAIL_ADDRESS, person.address)
        .setBytes(TAG.SEARCH_KEY, person.searchKey)
        .setNumber(TAG.DISPLAY_TYPE, 0)
        .setText(TAG.DISPLAY_NAME_7BIT, person.name)
        .setNumber(TAG.SEND_RICH_INFO, 0)
        .add(count++);
      names.push(person.name);
    }
    if (names.length > 0) displayLists.set(display, names.join('; '));
  }
  return { table: table.finish(), count, displayLists };
}
