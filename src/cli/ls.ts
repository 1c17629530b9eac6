/** `pstwright ls STORE [FOLDER]`: the folder tree, or what is in folders. @module */
import type { Command } from 'commander';
import { hex } from '../errors.js';
import type { Folder } from '../messaging/folder.js';
import type { Message } from '../messaging/message.js';
import type { SpecialFolder } from '../messaging/special.js';
import type { Store } from '../messaging/store.js';
import { NID, NID_TYPE, nidName, nidType } from '../wire/nid.js';
import { action, type ExitCode } from './exit.js';
import { findFolder } from './folder-path.js';
import { parseLimit } from './number.js';
import {
  type Cell,
  count,
  dateText,
  escapeText,
  paint,
  print,
  printHead,
  printJson,
  printTable,
  shorten,
  size,
} from './output.js';
import { type Faults, withStore } from './store.js';

interface Options {
  all?: boolean;
  messages?: boolean;
  limit?: number;
  json?: boolean;
}

interface Settings extends Options {
  limit: number;
}

/** Lines of messages and of internal nodes that are printed without being asked for more. */
const LINES = 200;
/** Characters of a name or subject in a line. */
const NAME_MAX = 60;
const FROM_MAX = 28;
/** Against parents that form a chain of thousands: deeper folders are drawn at this depth. */
const INDENT_MAX = 40;

export function register(program: Command): void {
  program
    .command('ls')
    .summary('the folder tree, or the messages of a folder')
    .description(
      'Shows the folders of a store as a tree, each with its NID and how many messages it holds, or with --messages what is in\nthem. FOLDER is a NID, a path such as "Inbox/Project" (a slash in a name is written \\/), or a word: root, inbox,\nsentItems, deletedItems, calendar …',
    )
    .argument('<store>', 'a PST or OST')
    .argument('[folder]', 'only this folder and those in it')
    .option(
      '-a, --all',
      'also search folders, associated (FAI) messages, and the nodes that are neither folder nor message',
    )
    .option('-m, --messages', 'list the messages in the folder (without FOLDER: in every folder)')
    .option('--limit <lines>', 'messages or nodes to list, or all (default: 200; JSON: all)', parseLimit)
    .option('--json', 'one JSON document')
    .action(action(ls));
}

function ls(path: string, folderText: string | undefined, given: Options): ExitCode {
  const options = { ...given, limit: given.limit ?? (given.json ? Number.POSITIVE_INFINITY : LINES) };
  return withStore(path, (store, faults) => {
    const top = folderText === undefined ? undefined : findFolder(store, folderText);
    const lines = readTree(store, top, options, faults);
    const lists = options.messages
      ? readMessages(top === undefined ? lines : lines.slice(0, 1), options, faults)
      : undefined;
    const nodes = options.all && top === undefined && !options.messages ? internalNodes(store) : undefined;
    if (options.json) {
      printJson({
        folders: lines.map(({ folder: _, ...line }) => ({ ...line, messages: lists?.get(line.nid) })),
        nodes,
        findings: faults.json,
      });
      return faults.exitCode;
    }
    if (lists !== undefined) printMessages(lines, lists, options);
    else printTree(lines, options);
    if (nodes !== undefined) printNodes(nodes, options);
    faults.print();
    return faults.exitCode;
  });
}

interface Line {
  readonly nid: number;
  readonly parentNid: number;
  readonly depth: number;
  readonly name: string | null;
  readonly containerClass: string | undefined;
  readonly special: SpecialFolder | undefined;
  readonly messageCount: number;
  readonly unreadCount: number;
  readonly associatedCount: number;
  readonly isSearchFolder: boolean;
  readonly folder: Folder;
}

/** Folders parents first, those of `top` only when it is given. What cannot be read of one is left out, and a fault. */
function readTree(store: Store, top: Folder | undefined, options: Settings, faults: Faults): Line[] {
  const depths = new Map<number, number>();
  const lines: Line[] = [];
  for (const folder of store.folders()) {
    const { nid, parentNid } = folder;
    const above = depths.get(parentNid);
    if (top !== undefined && nid !== top.nid && above === undefined) continue;
    const depth = folder.isRoot || above === undefined ? 0 : above + 1;
    depths.set(nid, depth);
    if (folder.isSearchFolder && !options.all && nid !== top?.nid) continue;
    lines.push({
      nid,
      parentNid,
      depth,
      name: faults.attempt(() => folder.displayName) ?? null,
      containerClass: faults.attempt(() => folder.containerClass),
      special: store.specialFolders.kindOf(nid),
      messageCount: folder.members('contents').length,
      unreadCount: faults.attempt(() => folder.unreadCount) ?? 0,
      associatedCount: folder.isSearchFolder ? 0 : folder.members('associated').length,
      isSearchFolder: folder.isSearchFolder,
      folder,
    });
  }
  return lines;
}

function nameOf({ name, nid, parentNid }: Line): string {
  if (name === null) return '(name cannot be read)';
  if (name === '') return nid === parentNid ? '(root)' : '(no name)';
  return shorten(name, NAME_MAX);
}

function printTree(lines: readonly Line[], options: Settings): void {
  const rows = lines.map((line): Cell[] => [
    hex(line.nid),
    '  '.repeat(Math.min(line.depth, INDENT_MAX)) + nameOf(line),
    line.messageCount,
    line.unreadCount === 0 ? '' : line.unreadCount,
    ...(options.all ? [line.associatedCount === 0 ? '' : line.associatedCount] : []),
    escapeText(line.containerClass ?? ''),
    line.isSearchFolder ? 'search folder' : (line.special ?? ''),
  ]);
  printTable(rows, { head: ['NID', 'folder', 'messages', 'unread', ...(options.all ? ['FAI'] : []), 'class', ''] });
  const messages = lines.reduce((sum, line) => sum + (line.isSearchFolder ? 0 : line.messageCount), 0);
  const folders = lines.filter((line) => !line.isSearchFolder).length;
  print();
  print(`${count(folders, 'folder')}, ${count(messages, 'message')}`);
}

interface MessageLine {
  readonly nid: number;
  readonly isAssociated: boolean;
  readonly isUnread: boolean;
  readonly date: Date | undefined;
  readonly from: string | undefined;
  readonly subject: string;
  readonly messageClass: string;
  readonly size: number | undefined;
  readonly attachmentCount: number;
  /** Why the rest is empty. */
  readonly damage?: string;
}

interface MessageList {
  readonly lines: readonly MessageLine[];
  /** How many there are; `lines` may be fewer. */
  readonly total: number;
}

/** Messages of each folder, `limit` of all folders together. */
function readMessages(folders: readonly Line[], { all, limit }: Settings, faults: Faults): Map<number, MessageList> {
  const lists = new Map<number, MessageList>();
  let left = limit;
  for (const { nid, folder } of folders) {
    const lines: MessageLine[] = [];
    const total =
      folder.members('contents').length + (all ? (folder.isSearchFolder ? 0 : folder.members('associated').length) : 0);
    const sequences = [
      folder.messages(),
      ...(all && !folder.isSearchFolder ? [folder.associated()] : []),
      folder.orphans(),
    ];
    for (const messages of sequences) {
      if (left <= 0) break;
      for (const message of messages) {
        if (left-- <= 0) break;
        lines.push(readMessage(message, faults));
      }
    }
    lists.set(nid, { lines, total: Math.max(total, lines.length) });
  }
  return lists;
}

function readMessage(message: Message, faults: Faults): MessageLine {
  const { nid, isAssociated } = message;
  const line = faults.attempt((): MessageLine => {
    const sender = message.sentRepresenting.name ?? message.sender.name ?? message.sender.address;
    return {
      nid,
      isAssociated,
      isUnread: !isAssociated && !message.isRead,
      date: message.receivedAt ?? message.sentAt ?? message.createdAt,
      from: sender,
      subject: message.subject,
      messageClass: message.messageClass,
      size: message.size,
      attachmentCount: countAttachments(message),
    };
  });
  const none = { isUnread: false, date: undefined, from: undefined, subject: '', messageClass: '', size: undefined };
  return line ?? { nid, isAssociated, ...none, attachmentCount: 0, damage: 'cannot be read' };
}

function countAttachments({ subnodes }: Message): number {
  let attachments = 0;
  for (let i = 0; i < subnodes.count; i++) if (nidType(subnodes.nid(i)) === NID_TYPE.ATTACHMENT) attachments++;
  return attachments;
}

function printMessages(folders: readonly Line[], lists: ReadonlyMap<number, MessageList>, options: Settings): void {
  let hidden = 0;
  for (const folder of folders) {
    const list = lists.get(folder.nid);
    if (list === undefined || list.total === 0) continue;
    hidden += list.total - list.lines.length;
    if (list.lines.length === 0) continue;
    printHead(`${nameOf(folder)} (${hex(folder.nid)}): ${count(list.total, 'message')}`);
    printTable(list.lines.map(messageRow), {
      head: ['NID', '', 'date (UTC)', 'from', 'subject', 'size', 'att'],
      indent: 2,
    });
  }
  print();
  if (hidden > 0) print(`… ${count(hidden, 'more message')}; --limit NUMBER or --limit all shows them`);
  else if (options.all) print('n: not read yet; a: associated (FAI).');
  else print('n: not read yet. One of them: `cat STORE NID`.');
}

function messageRow(line: MessageLine): Cell[] {
  const subject = line.isAssociated && line.subject === '' ? line.messageClass : line.subject;
  return [
    hex(line.nid),
    line.isAssociated ? 'a' : line.isUnread ? 'n' : '',
    dateText(line.date),
    shorten(line.from ?? '', FROM_MAX),
    line.damage === undefined ? shorten(subject, NAME_MAX) : paint('red', line.damage),
    line.size === undefined ? '' : size(line.size),
    line.attachmentCount === 0 ? '' : line.attachmentCount,
  ];
}

interface NodeLine {
  readonly nid: number;
  readonly name: string;
  readonly size: number;
  readonly hasSubnodes: boolean;
}

const FIXED_NIDS: ReadonlySet<number> = new Set<number>(Object.values(NID));

/** Nodes that are neither folder nor message: tables, queues, the name map. */
function internalNodes(store: Store): NodeLine[] {
  const { ndb } = store;
  const shown: ReadonlySet<number> = new Set([
    NID_TYPE.NORMAL_FOLDER,
    NID_TYPE.SEARCH_FOLDER,
    NID_TYPE.NORMAL_MESSAGE,
    NID_TYPE.ASSOC_MESSAGE,
  ]);
  const lines: NodeLine[] = [];
  for (let i = 0; i < ndb.nbt.count; i++) {
    const nid = ndb.nbt.nid(i);
    if (shown.has(nidType(nid))) continue;
    const bytes = store.attempt(() => ndb.treeSize(ndb.nbt.bidData(i), { nid })) ?? 0;
    lines.push({ nid, name: nidName(nid), size: bytes, hasSubnodes: ndb.nbt.bidSub(i) !== 0 });
  }
  // The fixed ones first: they say what kind of store this is.
  return lines.sort((a, b) => Number(FIXED_NIDS.has(b.nid)) - Number(FIXED_NIDS.has(a.nid)) || a.nid - b.nid);
}

function printNodes(nodes: readonly NodeLine[], { limit }: Settings): void {
  printHead(`${count(nodes.length, 'other node')}`);
  printTable(
    nodes
      .slice(0, Math.min(limit, nodes.length))
      .map((node) => [hex(node.nid), node.name, node.size, node.hasSubnodes ? 'subnodes' : '']),
    { head: ['NID', 'name', 'bytes', ''], indent: 2 },
  );
  if (nodes.length > limit)
    print(`  … ${count(nodes.length - limit, 'more node')}; --limit NUMBER or --limit all shows them`);
}
