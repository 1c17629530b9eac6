/** `pstwright cat STORE NID`: everything a node says: properties, recipients, attachments, rows. @module */
import type { Command } from 'commander';
import { hex, UsageError } from '../errors.js';
import { Attachment } from '../messaging/attachment.js';
import { Message } from '../messaging/message.js';
import type { PropertyHolder } from '../messaging/properties.js';
import { type Store, StoreNode } from '../messaging/store.js';
import type { Ndb } from '../ndb/ndb.js';
import { CLIENT_SIGNATURE, HN_SIGNATURE } from '../wire/heap.js';
import { nidName, nidTypeName } from '../wire/nid.js';
import { action, type ExitCode } from './exit.js';
import { type Located, locate, nodeTitle } from './locate.js';
import { parseLimit } from './number.js';
import { readObject, readTable } from './object-view.js';
import { count, HEX_LIMIT, hexDump, print, printHead, printJson, printTable, size } from './output.js';
import { findProperty, printWhole, propertyJson, viewProperty } from './property-view.js';
import { type Faults, withStore } from './store.js';

interface Options {
  subnode?: string;
  property?: string[];
  bytes?: boolean;
  raw?: boolean;
  full?: boolean;
  limit: number;
  rows?: number;
  json?: boolean;
}

/** Rows, recipients and attachments that are printed without being asked for more. */
const ROWS_SHOWN = 20;
const SUBNODES_SHOWN = 32;

export function register(program: Command): void {
  program
    .command('cat')
    .summary('every property of a node, with names, types and values')
    .description(
      'Shows what the node NID says: all its properties by canonical name, its recipients and attachments, or the rows of a\ntable. Long values are cut; --full or --property shows them whole.',
    )
    .argument('<store>', 'a PST or OST')
    .argument('<nid>', 'node id, a number or a name such as MESSAGE_STORE or ROOT_FOLDER')
    .option('--subnode <nid/nid…>', 'a subnode of it, such as an attachment, by the way down to it')
    .option('-p, --property <name>', 'only this property, whole; may be repeated', (name, before: string[] = []) => [
      ...before,
      name,
    ])
    .option('--bytes', 'with one --property: write the bytes of its value and nothing else')
    .option('--full', 'all values whole')
    .option('--raw', 'a hex dump of the node’s data instead')
    .option('--limit <bytes>', 'bytes of the hex dump, or all', parseLimit, HEX_LIMIT)
    .option('--rows <number>', 'rows, recipients, attachments to show, or all (default: 20; JSON: all)', parseLimit)
    .option('--json', 'one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  pstwright cat mail.pst MESSAGE_STORE
  pstwright cat mail.pst 0x200024 -p PidTagBody
  pstwright cat mail.pst 0x200024 --subnode 0x8025 -p PidTagAttachDataBinary --bytes > file`,
    )
    .action(action(cat));
}

function cat(path: string, nidText: string, given: Options): ExitCode {
  const options = { ...given, rows: given.rows ?? (given.json ? Number.POSITIVE_INFINITY : ROWS_SHOWN) };
  return withStore(path, (store, faults) => {
    const located = locate(store.ndb, faults, nidText, options.subnode);
    if (options.raw) return dump(store.ndb, located, faults, options);
    if (options.property !== undefined)
      return showProperties(resolve(store, located), options.property, options, faults);

    const signature = faults.attempt(() => clientSignature(store.ndb, located));
    const content = faults.attempt(() => {
      if (signature === CLIENT_SIGNATURE.PC) return readObject(resolve(store, located), options, faults);
      if (signature === CLIENT_SIGNATURE.TC) return readTable(store, located, options, faults);
      return undefined;
    });
    const subnodes = faults.attempt(() => listSubnodes(store.ndb, located, faults)) ?? [];
    if (options.json) {
      printJson({ path: located.path, name: nidName(located.nid), ...content?.json, subnodes, findings: faults.json });
      return faults.exitCode;
    }
    print(nodeTitle(located));
    if (content !== undefined) content.print();
    else if (signature !== undefined) printOther(store.ndb, located, signature, options, faults);
    if (subnodes.length > 0) {
      printHead(count(subnodes.length, 'subnode'));
      printTable(
        subnodes.slice(0, SUBNODES_SHOWN).map((sub) => [hex(sub.nid), sub.name, sub.size ?? '']),
        { head: ['NID', 'type', 'bytes'], indent: 2 },
      );
      if (subnodes.length > SUBNODES_SHOWN)
        print(`  … ${count(subnodes.length - SUBNODES_SHOWN, 'more subnode')}; \`node\` or --json`);
    }
    faults.print();
    return faults.exitCode;
  });
}

interface Settings extends Options {
  rows: number;
}

/** The object at the end of the path, as what it is: it knows its code page and its parts. */
function resolve(store: Store, { path, nid, bidData, bidSub }: Located): PropertyHolder {
  const [top, ...steps] = path as [number, ...number[]];
  let holder: PropertyHolder | undefined = store.findFolder(top) ?? store.findMessage(top) ?? store.findNode(top);
  for (const step of steps) {
    if (holder instanceof Message) holder = [...holder.attachments()].find((attachment) => attachment.nid === step);
    else if (holder instanceof Attachment && holder.dataNode()?.nid === step) holder = holder.embeddedMessage();
    else holder = undefined;
  }
  return holder ?? new StoreNode(store, nid, bidData, bidSub);
}

/** bClientSig of the node's heap; 0 when its data are no heap, or there are none. */
function clientSignature(ndb: Ndb, { nid, bidData }: Located): number {
  for (const { ptr, size: bytes } of ndb.leaves(bidData, { nid })) {
    return bytes >= 4 && ndb.core.u8[ptr + 2] === HN_SIGNATURE ? ndb.core.u8[ptr + 3]! : 0;
  }
  return 0;
}

function listSubnodes(
  ndb: Ndb,
  { nid, bidSub }: Located,
  faults: Faults,
): { nid: number; name: string; size: number | undefined }[] {
  const subnodes = ndb.subnodes(bidSub, { nid });
  return Array.from({ length: subnodes.count }, (_, i) => {
    const bytes = faults.attempt(() => ndb.treeSize(subnodes.bidData(i), { nid: subnodes.nid(i) }));
    return { nid: subnodes.nid(i), name: nidTypeName(subnodes.nid(i)), size: bytes };
  });
}

function printOther(ndb: Ndb, located: Located, signature: number, options: Settings, faults: Faults): void {
  if (located.bidData === 0) {
    print('\nIt has no data.');
    return;
  }
  print(
    signature === 0
      ? '\nIts data are neither properties nor a table:'
      : `\nIts data are a heap of client signature ${hex(signature)}, neither properties nor a table; \`node\` shows the heap:`,
  );
  print();
  printBytes(ndb, located, options, faults);
}

/** The start of the node's data, decoded. */
function printBytes(ndb: Ndb, { nid, bidData }: Located, { limit }: Settings, faults: Faults): void {
  let at = 0;
  const total = faults.attempt(() => ndb.treeSize(bidData, { nid })) ?? 0;
  faults.attempt(() => {
    for (const { ptr, size: bytes } of ndb.leaves(bidData, { nid })) {
      const part = ndb.core.u8.slice(ptr, ptr + Math.min(bytes, limit - at));
      for (const line of hexDump(part, { base: at, limit, indent: 2 })) print(line);
      at += bytes;
      if (at >= limit) break;
    }
  });
  if (total > Math.max(at, limit) || at > limit)
    print(`  … of ${total} bytes; --limit NUMBER or --limit all shows more`);
}

function dump(ndb: Ndb, located: Located, faults: Faults, options: Settings): ExitCode {
  const { nid, bidData } = located;
  if (options.json) {
    const bytes = faults.attempt(() => ndb.readBytes(bidData, { nid }));
    printJson({ path: located.path, name: nidName(nid), size: bytes?.length, bytes, findings: faults.json });
    return faults.exitCode;
  }
  print(`${nodeTitle(located)}, ${size(faults.attempt(() => ndb.treeSize(bidData, { nid })) ?? 0)}`);
  print();
  printBytes(ndb, located, options, faults);
  faults.print();
  return faults.exitCode;
}

function showProperties(holder: PropertyHolder, names: readonly string[], options: Settings, faults: Faults): ExitCode {
  const properties = names.map((name) => findProperty(holder, name));
  if (options.bytes) {
    if (properties.length !== 1 || options.json)
      throw new UsageError('USAGE', '--bytes goes with one --property, and not with --json');
    if (process.stdout.isTTY) throw new UsageError('USAGE', '--bytes writes to a file or a pipe, not to a terminal');
    for (const chunk of properties[0]!.chunks()) process.stdout.write(chunk);
    return faults.exitCode;
  }
  const views = properties.map((property) => viewProperty(holder, property, faults, true));
  if (options.json) {
    printJson({ properties: views.map(propertyJson), findings: faults.json });
    return faults.exitCode;
  }
  for (const view of views) printWhole(view);
  faults.print();
  return faults.exitCode;
}
