/**
 * Messages: a node of type 4 or 8, or a subnode of an attachment. MS-PST 2.4.5.
 *
 *     node ─▶ property context
 *      └ subnodes   0x692 recipient table · 0x671 attachment table · type 5 attachments · 1F long values
 * @module
 */
import { hex, PstError, type Where } from '../errors.js';
import { DEFAULT_CODE_PAGE, decodeAnsi, isKnownCodePage } from '../mapi/codepage.js';
import { decompressRtf } from '../mapi/rtf.js';
import { readSubject, type Subject } from '../mapi/subject.js';
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import { Attachment } from './attachment.js';
import type { Folder } from './folder.js';
import { NodeHolder } from './properties.js';
import { Recipient } from './recipient.js';
import { Sequence } from './sequence.js';
import type { Store } from './store.js';
import { type Row, TableView } from './tableview.js';

/** PidTagMessageFlags. MS-OXCMSG 2.2.1.6. */
export const MESSAGE_FLAG = {
  READ: 0x1,
  UNMODIFIED: 0x2,
  SUBMITTED: 0x4,
  UNSENT: 0x8,
  HAS_ATTACHMENTS: 0x10,
  FROM_ME: 0x20,
  ASSOCIATED: 0x40,
} as const;

/** A person or mailbox as a message names it. */
export interface Party {
  readonly name: string | undefined;
  readonly addressType: string | undefined;
  readonly address: string | undefined;
  readonly smtpAddress: string | undefined;
  readonly entryId: Uint8Array | undefined;
}

/** Where a message is: in a folder, or within an attachment. */
export interface Place {
  readonly folder?: Folder | undefined;
  readonly within?: Attachment;
}

export class Message extends NodeHolder {
  /** The attachment that holds it, when it is embedded. */
  readonly within: Attachment | undefined;
  /** 0 for a message of a folder, 1 for one embedded in it. */
  readonly depth: number;
  readonly #folder: Folder | undefined;

  constructor(store: Store, nid: number, bidData: number, bidSub: number, place: Place = {}) {
    super(store, nid, bidData, bidSub);
    this.within = place.within;
    this.#folder = place.folder;
    this.depth = place.within === undefined ? 0 : place.within.message.depth + 1;
  }

  /** The folder it is in: of an embedded message, the outermost one's. */
  get folder(): Folder | undefined {
    return this.#folder ?? this.within?.message.folder;
  }
  override get where(): Where {
    return this.within?.where ?? { nid: this.nid };
  }
  protected override inheritedCodePage(): number {
    return this.within?.message.codePage ?? this.store.codePage;
  }
  /** Folder-associated information: a message of settings, not of mail. */
  get isAssociated(): boolean {
    return nidType(this.nid) === NID_TYPE.ASSOC_MESSAGE;
  }

  get messageClass(): string {
    return this.text('PidTagMessageClass') ?? '';
  }

  /** Text, prefix and the rest of the subject, the mark of MS-PST 2.5.3.1.1 taken off. */
  get subjectParts(): Subject {
    return readSubject(this.text('PidTagSubject') ?? '');
  }
  get subject(): string {
    return this.subjectParts.text;
  }
  get normalizedSubject(): string {
    return this.subjectParts.normalized;
  }

  /** The plain text body. */
  get body(): string | undefined {
    return this.text('PidTagBody');
  }
  /** The HTML body, decoded as the message says its body is encoded. */
  get html(): string | undefined {
    const value = this.get('PidTagHtml');
    if (typeof value === 'string') return value;
    if (!(value instanceof Uint8Array)) return undefined;
    const internet = this.integer('PidTagInternetCodepage');
    const codePage = internet !== undefined && isKnownCodePage(internet) ? internet : this.codePage;
    return decodeAnsi(value, codePage || DEFAULT_CODE_PAGE);
  }
  /** The RTF body, decompressed: one character a byte, since RTF spells what is not ASCII in escapes of its own. */
  get rtf(): string | undefined {
    const value = this.binary('PidTagRtfCompressed');
    if (value === undefined || value.length === 0) return undefined;
    const bytes = decompressRtf(this.store.core, value, { ...this.where, field: 'PidTagRtfCompressed' });
    return Array.from({ length: Math.ceil(bytes.length / TEXT_STEP) }, (_, k) =>
      String.fromCharCode(...bytes.subarray(k * TEXT_STEP, (k + 1) * TEXT_STEP)),
    ).join('');
  }
  /** Header lines as they came over the Internet. */
  get internetHeaders(): string | undefined {
    return this.text('PidTagTransportMessageHeaders');
  }
  get internetMessageId(): string | undefined {
    return this.text('PidTagInternetMessageId');
  }

  /** Who sent it. */
  get sender(): Party {
    return this.#party('PidTagSender');
  }
  /** In whose name it was sent. */
  get sentRepresenting(): Party {
    return this.#party('PidTagSentRepresenting');
  }
  #party(prefix: 'PidTagSender' | 'PidTagSentRepresenting'): Party {
    const addressType = this.text(`${prefix}AddressType`);
    const address = this.text(`${prefix}EmailAddress`);
    return {
      name: this.text(`${prefix}Name`),
      addressType,
      address,
      smtpAddress: this.text(`${prefix}SmtpAddress`) ?? (addressType === 'SMTP' ? address : undefined),
      entryId: this.binary(`${prefix}EntryId`),
    };
  }
  get displayTo(): string | undefined {
    return this.text('PidTagDisplayTo');
  }
  get displayCc(): string | undefined {
    return this.text('PidTagDisplayCc');
  }
  get displayBcc(): string | undefined {
    return this.text('PidTagDisplayBcc');
  }

  get sentAt(): Date | undefined {
    return this.date('PidTagClientSubmitTime');
  }
  get receivedAt(): Date | undefined {
    return this.date('PidTagMessageDeliveryTime');
  }
  get createdAt(): Date | undefined {
    return this.date('PidTagCreationTime');
  }
  get modifiedAt(): Date | undefined {
    return this.date('PidTagLastModificationTime');
  }

  /** See {@link MESSAGE_FLAG}. */
  get flags(): number {
    return this.integer('PidTagMessageFlags') ?? 0;
  }
  get isRead(): boolean {
    return (this.flags & MESSAGE_FLAG.READ) !== 0;
  }
  get isUnsent(): boolean {
    return (this.flags & MESSAGE_FLAG.UNSENT) !== 0;
  }
  /** 0 low, 1 normal, 2 high. */
  get importance(): number | undefined {
    return this.integer('PidTagImportance');
  }
  get sensitivity(): number | undefined {
    return this.integer('PidTagSensitivity');
  }
  /** PidTagMessageSize, as the store states it. */
  get size(): number | undefined {
    return this.integer('PidTagMessageSize');
  }

  /** The recipient table; undefined when the message has none, as half of all messages. */
  get recipientTable(): TableView | undefined {
    return this.#table(NID.RECIPIENT_TABLE);
  }
  recipients(): Sequence<Recipient> {
    const table = this.recipientTable;
    if (table === undefined) return new Sequence<Recipient>(() => [].values());
    return table.map((stream) => new Recipient(table, stream));
  }

  get attachmentTable(): TableView | undefined {
    return this.#table(NID.ATTACHMENT_TABLE);
  }
  #table(nid: number): TableView | undefined {
    const { subnodes } = this;
    const at = subnodes.find(nid);
    if (at < 0) return undefined;
    const codePage = (): number => this.codePage;
    return new TableView(this.store, subnodes.bidData(at), subnodes.bidSub(at), this.where, codePage);
  }

  get hasAttachments(): boolean {
    const { subnodes } = this;
    for (let i = 0; i < subnodes.count; i++) if (nidType(subnodes.nid(i)) === NID_TYPE.ATTACHMENT) return true;
    return false;
  }

  /**
   * The attachments in the order of their table, then those the table does not know. A row without an attachment, an
   * attachment without a row and a table that cannot be read are findings.
   */
  attachments(): Sequence<Attachment> {
    return new Sequence(() => this.#attachments());
  }

  *#attachments(): IterableIterator<Attachment> {
    const { subnodes, store } = this;
    const make = (at: number, row: Row | undefined): Attachment =>
      new Attachment(this, subnodes.nid(at), subnodes.bidData(at), subnodes.bidSub(at), row);
    const table = this.attachmentTable;
    const listed = new Set<number>();
    const rows = table === undefined ? [] : (store.attempt(() => table.rows().toArray()) ?? []);
    for (const row of rows) {
      const at = subnodes.find(row.nid);
      if (at < 0) this.#disagrees(`the attachment table lists ${hex(row.nid)}, which is not there`);
      else if (listed.has(row.nid)) this.#disagrees(`the attachment table lists ${hex(row.nid)} twice`);
      else {
        listed.add(row.nid);
        yield make(at, row);
      }
    }
    for (let i = 0; i < subnodes.count; i++) {
      const nid = subnodes.nid(i);
      if (nidType(nid) !== NID_TYPE.ATTACHMENT || listed.has(nid)) continue;
      this.#disagrees(`attachment ${hex(nid)} is in no attachment table`);
      yield make(i, undefined);
    }
  }

  #disagrees(message: string): void {
    this.store.report(new PstError('PST_MISSING', message, { ...this.where, section: '2.4.6.1' }));
  }
}

/** One call of String.fromCharCode takes its bytes as arguments: this many are safe on every engine. */
const TEXT_STEP = 4096;
