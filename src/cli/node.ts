/** `pstwright node STORE NID`: one node as it is built: NBT entry, data tree, subnodes, heap, BTH, PC or TC. MS-PST 2.2.2, 2.3. @module */
import type { Command } from 'commander';
import { hex } from '../errors.js';
import type { Ndb } from '../ndb/ndb.js';
import type { SubnodeIndex } from '../ndb/subnode.js';
import { isInternal } from '../wire/btree.js';
import { CLIENT_SIGNATURE } from '../wire/heap.js';
import { nidName, nidTypeName } from '../wire/nid.js';
import { action, type ExitCode } from './exit.js';
import {
  type BthView,
  looksLikeHeap,
  printBth,
  printHeap,
  printPcRecords,
  printTableView,
  readBth,
  readHeap,
  readTable,
  type TableView,
} from './heap-view.js';
import { type Located, locate, nodeTitle, pathText } from './locate.js';
import { parseLimit } from './number.js';
import { count, HEX_LIMIT, hexDump, print, printFields, printHead, printJson, printTable, size } from './output.js';
import { type Faults, withNdb } from './store.js';

interface Options {
  json?: boolean;
  subnode?: string;
  limit: number;
}

const LEAVES_SHOWN = 16;
const SUBNODES_SHOWN = 32;
/** Against a data tree of gigabytes: a heap is smaller, and of anything else the start is enough. */
const HEAP_BYTES_MAX = 64 << 20;

export function register(program: Command): void {
  program
    .command('node')
    .summary('one node: data tree, heap, B-tree on heap, table columns')
    .description(
      'Shows how the node NID is built: its entry in the node B-tree, its data tree and subnodes, and what lies in its data: the\npage maps and items of a heap, the records of a property context, the columns and row index of a table. What the values\nmean is shown by `cat`.',
    )
    .argument('<store>', 'a PST or OST')
    .argument('<nid>', 'node id, a number or a name such as MESSAGE_STORE or ROOT_FOLDER')
    .option('--subnode <nid/nid…>', 'a subnode of the node, by the way down to it')
    .option('--limit <bytes>', 'bytes of the hex dump, or all', parseLimit, HEX_LIMIT)
    .option('--json', 'one JSON document')
    .action(action(node));
}

function node(path: string, nidText: string, options: Options): ExitCode {
  return withNdb(path, (ndb, faults) => {
    const located = locate(ndb, faults, nidText, options.subnode);
    const where = { nid: located.nid };
    const tree = readTree(ndb, located, faults);
    const subnodes = faults.attempt(() => ndb.subnodes(located.bidSub, where));
    const data = faults.attempt(() => firstLeaves(ndb, located, tree?.size ?? 0));
    const isHeap = data !== undefined && data[0] !== undefined && looksLikeHeap(data[0]);
    const heap = isHeap ? readHeap(data, ndb.variant) : undefined;
    const content = isHeap ? readContent(ndb, located, subnodes, faults) : undefined;

    if (options.json) {
      printJson({
        path: located.path,
        name: nidName(located.nid),
        bidData: located.bidData,
        bidSub: located.bidSub,
        nidParent: located.parent,
        dataTree: tree,
        subnodes: subnodes === undefined ? undefined : listSubnodes(subnodes),
        heap,
        ...content,
        bytes: (data?.[0] ?? new Uint8Array(0)).subarray(0, Math.min(options.limit, Number.MAX_SAFE_INTEGER)),
        findings: faults.json,
      });
      return faults.exitCode;
    }
    print(nodeTitle(located));
    print();
    printFields(
      [
        ['bidData', located.bidData === 0 ? '0 (no data)' : hex(located.bidData)],
        ['bidSub', located.bidSub === 0 ? '0 (no subnodes)' : hex(located.bidSub)],
        ...(located.parent === undefined
          ? []
          : ([['nidParent', `${hex(located.parent)}${located.parent === 0 ? '' : ` ${nidName(located.parent)}`}`]] as [
              string,
              string,
            ][])),
      ],
      2,
    );
    if (tree !== undefined) printTree(tree);
    if (subnodes !== undefined && subnodes.count > 0) printSubnodes(subnodes, located);
    if (heap !== undefined) printHeap(heap);
    if (content?.table !== undefined) printTableView(content.table);
    if (content?.pc !== undefined) printPcRecords(content.pc);
    if (content?.bth !== undefined) printBth(content.bth, 'BTH (2.3.2)');
    const first = data?.[0];
    if (first !== undefined) {
      printHead(tree !== undefined && tree.leafCount > 1 ? `Bytes of the first of ${tree.leafCount} blocks` : 'Bytes');
      for (const line of hexDump(first, { limit: options.limit, indent: 2 })) print(line);
    }
    faults.print();
    return faults.exitCode;
  });
}

interface DataTree {
  readonly shape: string;
  readonly size: number;
  readonly leafCount: number;
  readonly leaves: readonly { bid: number; ib: number; size: number; cRef: number; fault?: string }[];
}

/** The leaves of a data tree, each verified; undefined, with a fault noted, when the tree itself cannot be read. */
function readTree(ndb: Ndb, { nid, bidData }: Located, faults: Faults): DataTree | undefined {
  if (bidData === 0) return undefined;
  const found = faults.attempt(() => ndb.findLeaves(bidData, { nid }));
  if (found === undefined) return undefined;
  const { bbt } = ndb;
  const leaves = Array.from(found.indices, (index) => {
    const before = faults.all.length;
    faults.attempt(() => ndb.blocks.check(index, { nid }));
    const fault = faults.all[before]?.code;
    const leaf = { bid: bbt.bid(index), ib: bbt.ib(index), size: bbt.inflated(index), cRef: bbt.cRef(index) };
    return fault === undefined ? leaf : { ...leaf, fault };
  });
  const shape = isInternal(bidData) ? 'blocks under XBLOCKs' : 'a single block';
  return { shape, size: found.total, leafCount: leaves.length, leaves };
}

function printTree({ shape, size: total, leaves }: DataTree): void {
  printHead(`Data: ${count(leaves.length, 'block')}, ${size(total)} (${shape})`);
  printTable(
    leaves.slice(0, LEAVES_SHOWN).map((leaf) => [hex(leaf.bid), hex(leaf.ib), leaf.size, leaf.cRef, leaf.fault ?? '']),
    { head: ['BID', 'IB', 'bytes', 'cRef', ''], indent: 2 },
  );
  if (leaves.length > LEAVES_SHOWN)
    print(`  … ${count(leaves.length - LEAVES_SHOWN, 'more block')}; --json lists them all`);
}

/** Copies of the leaves of a heap; only the first when the node's data are no heap, or too many. */
function firstLeaves(ndb: Ndb, { nid, bidData }: Located, total: number): Uint8Array[] {
  const leaves: Uint8Array[] = [];
  for (const { ptr, size: bytes } of ndb.leaves(bidData, { nid })) {
    leaves.push(ndb.core.u8.slice(ptr, ptr + bytes));
    if (leaves.length === 1 && (total > HEAP_BYTES_MAX || !looksLikeHeap(leaves[0]!))) break;
  }
  return leaves;
}

const listSubnodes = (subnodes: SubnodeIndex) =>
  Array.from({ length: subnodes.count }, (_, i) => ({
    nid: subnodes.nid(i),
    name: nidTypeName(subnodes.nid(i)),
    bidData: subnodes.bidData(i),
    bidSub: subnodes.bidSub(i),
  }));

function printSubnodes(subnodes: SubnodeIndex, located: Located): void {
  printHead(count(subnodes.count, 'subnode'));
  printTable(
    listSubnodes(subnodes)
      .slice(0, SUBNODES_SHOWN)
      .map((sub) => [hex(sub.nid), hex(sub.bidData), hex(sub.bidSub), sub.name]),
    { head: ['NID', 'bidData', 'bidSub', 'type'], indent: 2 },
  );
  if (subnodes.count > SUBNODES_SHOWN) {
    print(`  … ${count(subnodes.count - SUBNODES_SHOWN, 'more subnode')}; --json lists them all`);
  }
  const [first, ...rest] = [...located.path, subnodes.nid(0)];
  print(`  A subnode: \`node STORE ${hex(first!)} --subnode ${pathText({ path: rest })}\``);
}

interface Content {
  readonly pc?: BthView | undefined;
  readonly table?: TableView | undefined;
  readonly bth?: BthView | undefined;
}

/** What stands on the heap, by its client signature. */
function readContent(
  ndb: Ndb,
  { nid, bidData }: Located,
  subnodes: SubnodeIndex | undefined,
  faults: Faults,
): Content | undefined {
  const where = { nid };
  const chain = faults.attempt(() => ndb.readTree(bidData, where));
  if (chain === undefined) return undefined;
  const { x } = ndb.core;
  try {
    const root = x.hnRoot(chain) >>> 0;
    const client = x.hnClient(chain);
    if (client === CLIENT_SIGNATURE.PC) return { pc: readBth(ndb, chain, root, faults, where) };
    if (client === CLIENT_SIGNATURE.BTH) return { bth: readBth(ndb, chain, root, faults, where) };
    if (client !== CLIENT_SIGNATURE.TC || subnodes === undefined) return undefined;
    return { table: readTable(ndb, bidData, subnodes, chain, faults, where) };
  } finally {
    x.chainFree(chain);
  }
}
