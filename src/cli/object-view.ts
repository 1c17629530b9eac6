/** An object as `cat` shows it: its properties, recipients and attachments; or the rows of a table. @module */
import { hex } from '../errors.js';
import { ATTACH_METHOD, Attachment } from '../messaging/attachment.js';
import { Message } from '../messaging/message.js';
import type { PropertyHolder } from '../messaging/properties.js';
import type { Store } from '../messaging/store.js';
import { TableView } from '../messaging/tableview.js';
import type { Located } from './locate.js';
import { type Cell, count, escapeText, print, printHead, printTable, shorten, size } from './output.js';
import { type PropertyView, printProperties, propertyJson, viewProperties } from './property-view.js';
import type { Faults } from './store.js';

const NAME_MAX = 60;
const METHODS = new Map<number, string>(Object.entries(ATTACH_METHOD).map(([name, method]) => [method, name]));

/** How much is shown. */
export interface Shown {
  /** Rows, recipients, attachments. */
  readonly rows: number;
  /** Values whole. */
  readonly full?: boolean;
}

export interface Content {
  readonly json: Record<string, unknown>;
  print(): void;
}

/** Properties; of a message, recipients and attachments too. A fault of the whole context passes. */
export function readObject(holder: PropertyHolder, options: Shown, faults: Faults): Content {
  const isWhole = options.full === true;
  const properties = viewProperties(holder, faults, isWhole);
  const recipients =
    holder instanceof Message ? faults.attempt(() => readRecipients(holder, options, faults)) : undefined;
  const attachments =
    holder instanceof Message ? faults.attempt(() => readAttachments(holder, options, faults)) : undefined;
  const embedded = holder instanceof Attachment ? faults.attempt(() => holder.embeddedMessage()?.nid) : undefined;
  return {
    json: {
      codePage: holder.codePage,
      properties: properties.map(propertyJson),
      recipients: recipients?.map(({ views, ...rest }) => ({ ...rest, properties: views.map(propertyJson) })),
      attachments,
      embeddedMessage: embedded,
    },
    print() {
      printHead(count(properties.length, 'property', 'properties'));
      printProperties(properties, isWhole);
      if (recipients !== undefined && recipients.length > 0) printRecipients(recipients, options);
      if (attachments !== undefined && attachments.length > 0) printAttachments(attachments, options);
      if (embedded !== undefined) print(`\nIt is a message: add /${hex(embedded)} to --subnode to see it.`);
    },
  };
}

/** At most `rows`, and one more, so that there is known to be more. */
function* first<T>(items: Iterable<T>, rows: number): Generator<T> {
  let left = rows + 1;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}

const cutText = (shown: number, all: number, noun: string): void => {
  if (all > shown) print(`  … more ${noun}; --rows NUMBER or --rows all shows them`);
};

interface RecipientLine {
  readonly rowId: number;
  readonly kind: string;
  readonly name: string | undefined;
  readonly addressType: string | undefined;
  readonly address: string | undefined;
  readonly views: PropertyView[];
}

const readRecipients = (message: Message, { rows, full }: Shown, faults: Faults): RecipientLine[] =>
  Array.from(first(message.recipients(), rows), (recipient) => ({
    rowId: recipient.nid,
    kind: faults.attempt(() => recipient.kind) ?? 'unknown',
    name: faults.attempt(() => recipient.name),
    addressType: faults.attempt(() => recipient.addressType),
    address: faults.attempt(() => recipient.smtpAddress ?? recipient.address),
    views: viewProperties(recipient, faults, full === true),
  }));

function printRecipients(recipients: readonly RecipientLine[], { rows, full }: Shown): void {
  printHead('Recipients');
  for (const [k, { rowId, kind, name, addressType, address, views }] of recipients.slice(0, rows).entries()) {
    const line = [
      kind,
      shorten(name ?? '', NAME_MAX),
      escapeText(addressType ?? ''),
      shorten(address ?? '', 2 * NAME_MAX),
    ];
    if (!full) continue;
    if (k > 0) print();
    print(`  row ${rowId}: ${line.filter((part) => part !== '').join('  ')}`);
    printProperties(views, true, 4);
  }
  if (!full) {
    printTable(
      recipients
        .slice(0, rows)
        .map(({ kind, name, addressType, address }): Cell[] => [
          kind,
          shorten(name ?? '', NAME_MAX),
          escapeText(addressType ?? ''),
          shorten(address ?? '', 2 * NAME_MAX),
        ]),
      { indent: 2 },
    );
  }
  cutText(rows, recipients.length, 'recipients');
}

interface AttachmentLine {
  readonly nid: number;
  readonly method: string;
  readonly name: string | undefined;
  readonly mimeType: string | undefined;
  readonly dataSize: number | undefined;
}

const readAttachments = (message: Message, { rows }: Shown, faults: Faults): AttachmentLine[] =>
  Array.from(first(message.attachments(), rows), (attachment) => {
    const method = faults.attempt(() => attachment.method);
    return {
      nid: attachment.nid,
      method: method === undefined ? 'unknown' : (METHODS.get(method) ?? `method ${method}`),
      name: faults.attempt(() => attachment.name),
      mimeType: faults.attempt(() => attachment.mimeType),
      dataSize: faults.attempt(() => (attachment.isEmbeddedMessage ? undefined : attachment.dataSize)),
    };
  });

function printAttachments(attachments: readonly AttachmentLine[], { rows }: Shown): void {
  printHead('Attachments');
  printTable(
    attachments
      .slice(0, rows)
      .map(({ nid, method, name, mimeType, dataSize }): Cell[] => [
        hex(nid),
        method.toLowerCase().replaceAll('_', ' '),
        shorten(name ?? '', NAME_MAX),
        escapeText(mimeType ?? ''),
        dataSize === undefined ? '' : size(dataSize),
      ]),
    { head: ['NID', 'method', 'name', 'type', 'data'], indent: 2 },
  );
  cutText(rows, attachments.length, 'attachments');
  print('  One of them: add --subnode NID.');
}

/** The rows of a table. */
export function readTable(store: Store, { nid, bidData, bidSub }: Located, options: Shown, faults: Faults): Content {
  const table = new TableView(store, bidData, bidSub, { nid });
  const rowCount = table.rowCount;
  const rows = Array.from(first(table.rows(), options.rows), (row) => ({
    rowId: row.nid,
    views: viewProperties(row, faults, options.full === true),
  }));
  return {
    json: { rowCount, rows: rows.map(({ rowId, views }) => ({ rowId, properties: views.map(propertyJson) })) },
    print() {
      printHead(count(rowCount, 'row'));
      for (const { rowId, views } of rows.slice(0, options.rows)) {
        print();
        print(`  row ${hex(rowId)}`);
        printProperties(views, options.full === true, 4);
      }
      cutText(options.rows, rows.length, 'rows');
    },
  };
}
