/**
 * Folders: MS-PST 2.4.4. A property context, three tables, and a row in the parent. Rows of messages are taken as the
 * messages come; the folder itself is written when its counts are known, children before parents.
 * @module
 */
import { UsageError, type Where } from '../errors.js';
import { NID_TYPE, siblingNid } from '../wire/nid.js';
import type { Context } from './context.js';
import type { FolderId } from './hierarchy-map.js';
import { type Message, type WrittenMessage, writeMessage } from './message.js';
import { ObjectWriter, type WrittenObject } from './object.js';
import { cut, entriesOf, type Properties } from './properties.js';
import { TableBuilder } from './table.js';
import { COMPUTED, TAG } from './tag.js';
import { ASSOCIATED, CONTENTS, HIERARCHY } from './template.js';

export interface FolderOptions {
  /** `IPF.Note`, `IPF.Contact` … */
  readonly containerClass?: string;
  readonly comment?: string;
  /** Any others, and they win. Computed ones are left out: see COMPUTED. */
  readonly properties?: Properties;
}

/** Replication of a row: 0E33 rises, as the change counter of the store does in Outlook's (seen: multiples of 4). */
const CHANGE_STEP = 4;
/** 0E34: version, GUID of the store's replica, counter. */
export function versionHistory(replica: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(24);
  bytes[0] = 1;
  bytes.set(replica, 4);
  bytes[20] = 1;
  return bytes;
}

/** What all folders add to when they are written. */
export interface Hierarchy {
  readonly replica: Uint8Array;
  readonly ids: FolderId[];
  changeNumber: number;
}

export class FolderBuilder {
  readonly #context: Context;
  readonly #hierarchy: Hierarchy;
  readonly #where: Where;
  readonly #parent: FolderBuilder | undefined;
  readonly #children: FolderBuilder[] = [];
  readonly #options: FolderOptions;
  #contents: TableBuilder | undefined;
  #associated: TableBuilder | undefined;
  #messages = 0;
  #unread = 0;
  #isClosed = false;

  /** For the store and for `folder` only. Without a parent it is the root, which is its own. */
  constructor(
    context: Context,
    hierarchy: Hierarchy,
    readonly nid: number,
    readonly name: string,
    options: FolderOptions,
    parent: FolderBuilder | undefined,
  ) {
    this.#context = context;
    this.#hierarchy = hierarchy;
    this.#options = options;
    this.#where = { nid };
    this.#parent = parent;
    const { writer, empty } = context;
    this.#contents = new TableBuilder(writer, empty, CONTENTS, { nid: siblingNid(nid, NID_TYPE.CONTENTS_TABLE) });
    this.#associated = new TableBuilder(writer, empty, ASSOCIATED, {
      nid: siblingNid(nid, NID_TYPE.ASSOC_CONTENTS_TABLE),
    });
    context.counts.folders++;
  }

  get messageCount(): number {
    return this.#messages;
  }

  /** Adds a folder. Its name is cut after 255 characters. */
  folder(name: string, options: FolderOptions = {}): FolderBuilder {
    const nid = this.#context.writer.nextNid(NID_TYPE.NORMAL_FOLDER);
    const child = new FolderBuilder(this.#context, this.#hierarchy, nid, cut(name), options, this);
    this.#children.push(child);
    return child;
  }

  /** Writes a message, now. Returns its NID. */
  message(message: Message): number {
    const written = this.#write(message, NID_TYPE.NORMAL_MESSAGE, this.#contents);
    this.#messages++;
    if (!written.isRead) this.#unread++;
    this.#context.counts.messages++;
    return written.nid;
  }

  /** Writes a folder-associated message (FAI): settings, views, rules. Returns its NID. */
  associated(message: Message): number {
    const { nid } = this.#write(message, NID_TYPE.ASSOC_MESSAGE, this.#associated);
    this.#context.counts.associated++;
    return nid;
  }

  #write(message: Message, type: 4 | 8, table: TableBuilder | undefined): WrittenMessage {
    if (table === undefined) throw new UsageError('USAGE', `folder "${this.name}" is closed`);
    const written = writeMessage(this.#context, message, type, 0);
    this.#context.writer.addNode(written.nid, written.bidData, written.bidSub, this.nid);
    table.copy(written).setNumber(TAG.MESSAGE_STATUS, 0);
    if (type === NID_TYPE.NORMAL_MESSAGE && written.conversationId !== undefined) {
      table.setBytes(TAG.CONVERSATION_ID, written.conversationId);
    }
    table.add(written.nid);
    return written;
  }

  /** No more messages: writes the tables of those it has and gives their memory back. Folders can still be added. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { writer } = this.#context;
    for (const [type, table] of [
      [NID_TYPE.CONTENTS_TABLE, this.#contents],
      [NID_TYPE.ASSOC_CONTENTS_TABLE, this.#associated],
    ] as const) {
      const { bidData, bidSub } = table!.finish();
      writer.addNode(siblingNid(this.nid, type), bidData, bidSub, 0);
    }
    this.#contents = undefined;
    this.#associated = undefined;
  }

  /** Writes the folder and all below it. Called once, by the store, for the root. */
  finish(): WrittenObject {
    this.close();
    const { writer, empty } = this.#context;
    const rowsNid = siblingNid(this.nid, NID_TYPE.HIERARCHY_TABLE);
    const rows = new TableBuilder(writer, empty, HIERARCHY, { nid: rowsNid });
    for (const child of this.#children) {
      const id = this.#context.identity.next();
      this.#hierarchy.changeNumber += CHANGE_STEP;
      rows
        .copy(child.finish())
        .setBytes(TAG.REPL_ITEM_ID, id)
        .setBytes(TAG.REPL_CHANGE_NUMBER, changeNumber(this.#hierarchy.changeNumber))
        .setBytes(TAG.REPL_VERSION_HISTORY, versionHistory(this.#hierarchy.replica))
        .add(child.nid);
      this.#hierarchy.ids.push({ id, nid: child.nid });
    }
    const { bidData, bidSub } = rows.finish();
    writer.addNode(rowsNid, bidData, bidSub, 0);

    const object = new ObjectWriter(writer, this.#where);
    const { containerClass, comment, properties } = this.#options;
    for (const [tag, value] of entriesOf(properties ?? {})) {
      if (tag >>> 16 !== TAG.DISPLAY_NAME >>> 16 && !COMPUTED.has(tag >>> 16)) object.set(tag, value);
    }
    object
      .setText(TAG.DISPLAY_NAME, this.name)
      .setNumber(TAG.CONTENT_COUNT, this.#messages)
      .setNumber(TAG.CONTENT_UNREAD_COUNT, this.#unread)
      .setNumber(TAG.SUBFOLDERS, this.#children.length > 0 ? 1 : 0);
    if (containerClass !== undefined && !object.hasId(TAG.CONTAINER_CLASS)) {
      object.setText(TAG.CONTAINER_CLASS, containerClass);
    }
    if (comment !== undefined && !object.hasId(TAG.COMMENT)) object.setText(TAG.COMMENT, comment);
    const written = object.finish();
    // The root is its own parent. MS-PST 2.7.3.4.
    writer.addNode(this.nid, written.bidData, written.bidSub, this.#parent?.nid ?? this.nid);
    return written;
  }
}

function changeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}
