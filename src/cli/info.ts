/** `pstwright info STORE`: what kind of store it is, and what is in it, counted. @module */
import type { Command } from 'commander';
import type { Store } from '../messaging/store.js';
import type { Ndb } from '../ndb/ndb.js';
import { CLIENT } from '../wire/header.js';
import { MAP } from '../wire/map.js';
import { NID_TYPE, nidType, nidTypeName } from '../wire/nid.js';
import { PTYPE } from '../wire/page.js';
import { action, type ExitCode } from './exit.js';
import { freeRuns } from './map-view.js';
import {
  type Cell,
  count,
  escapeText,
  number,
  print,
  printFields,
  printHead,
  printJson,
  printTable,
  quote,
  size,
} from './output.js';
import { startProgress } from './progress.js';
import { type Faults, withStore } from './store.js';

interface Options {
  json?: boolean;
}

const ENCODINGS = ['none', 'permute', 'cyclic'] as const;
const CLIENTS = new Map<number, string>([
  [CLIENT.PST, 'PST'],
  [CLIENT.OST, 'OST'],
  [CLIENT.PAB, 'PAB'],
]);
/** PidTagPstPassword: a CRC of the password; 0 is none. MS-PST 4.1. */
const PASSWORD = 0x67ff_0003;

export function register(program: Command): void {
  program
    .command('info')
    .summary('what kind of store it is and what is in it')
    .description(
      'Says of a store: kind and version, encoding, size and free space, how many folders, messages and attachments it has,\nnodes by type, whether a password is set, and what was found wrong on the way.',
    )
    .argument('<store>', 'a PST or OST')
    .option('--json', 'one JSON document')
    .action(action(info));
}

function info(path: string, options: Options): ExitCode {
  return withStore(path, (store, faults) => {
    const { header, nbt, bbt, source } = store.ndb;
    const types = countTypes(store.ndb);
    const attached = countAttached(store.ndb, faults);
    const maps = faults.attempt(() => readMaps(store.ndb));
    const passwordCrc = (faults.attempt(() => store.properties.integer(PASSWORD)) ?? 0) >>> 0;
    let stored = 0;
    let decoded = 0;
    for (let i = 0; i < bbt.count; i++) {
      stored += bbt.cb(i);
      decoded += bbt.inflated(i);
    }
    const of = (type: number): number => types.get(type) ?? 0;
    const facts = {
      kind: CLIENTS.get(header.wMagicClient) ?? 'store',
      variant: store.variant,
      wVer: header.wVer,
      wVerClient: header.wVerClient,
      encoding: ENCODINGS[header.crypt],
      displayName: store.displayName,
      recordKey: store.recordKey,
      codePage: store.codePage,
      fileSize: source.size,
      ibFileEof: header.root.ibFileEof,
      freeBytes: maps?.free,
      cbAMapFree: header.root.cbAMapFree,
      fAMapValid: header.root.fAMapValid,
      blocks: bbt.count,
      storedBytes: stored,
      decodedBytes: decoded,
      nodes: nbt.count,
      folders: of(NID_TYPE.NORMAL_FOLDER),
      searchFolders: of(NID_TYPE.SEARCH_FOLDER),
      messages: of(NID_TYPE.NORMAL_MESSAGE),
      associated: of(NID_TYPE.ASSOC_MESSAGE),
      attachments: attached.attachments,
      embedded: attached.embedded,
      namedProperties: store.names.count,
      passwordProtected: passwordCrc !== 0,
    };
    const nodesByType = [...types].sort(([a], [b]) => a - b);
    const special = specialFolders(store, faults);

    if (options.json) {
      printJson({
        ...facts,
        nodesByType: nodesByType.map(([type, nodes]) => ({ type, name: nidTypeName(type), count: nodes })),
        specialFolders: special,
        findings: faults.json,
      });
      return faults.exitCode;
    }
    print(`${escapeText(source.name)}: ${facts.variant} ${facts.kind}`);
    print();
    printFields(
      [
        ['name', quote(facts.displayName)],
        ['record key', store.id ?? 'none'],
        ['version', `${header.wVer}, written by a client of version ${header.wVerClient}`],
        ['encoding', encodingText(header.crypt)],
        ['password', passwordText(passwordCrc)],
        ['file', `${number(source.size)} bytes (${size(source.size)})`],
        ['free', freeText(maps, header.root.cbAMapFree)],
        [
          'blocks',
          `${count(bbt.count, 'block')}, ${size(stored)}${decoded === stored ? '' : `, ${size(decoded)} inflated`}`,
        ],
        ['8-bit strings', `code page ${facts.codePage} where an item does not say`],
      ],
      2,
    );
    printHead('Items');
    printTable(
      [
        ['folders', facts.folders],
        ['search folders', facts.searchFolders],
        ['messages', facts.messages],
        ['associated (FAI)', facts.associated],
        ['attachments', facts.attachments],
        ['embedded messages', facts.embedded],
        ['named properties', facts.namedProperties],
      ],
      { indent: 2 },
    );
    printHead(count(nbt.count, 'node'));
    printTable(
      nodesByType.map(([type, nodes]): Cell[] => [`0x${type.toString(16).padStart(2, '0')}`, nidTypeName(type), nodes]),
      { head: ['type', 'name', 'nodes'], indent: 2 },
    );
    faults.print();
    return faults.exitCode;
  });
}

function encodingText(crypt: 0 | 1 | 2): string {
  return crypt === 0 ? 'none' : `${ENCODINGS[crypt]} (an encoding, not encryption: no key is needed)`;
}

const passwordText = (crc: number): string =>
  crc === 0
    ? 'none'
    : `set (CRC 0x${crc.toString(16)}); clients ask for it, but it encrypts nothing and reading does not need it`;

/** Nodes by NID type. */
function countTypes({ nbt }: Ndb): Map<number, number> {
  const types = new Map<number, number>();
  for (let i = 0; i < nbt.count; i++) {
    const type = nidType(nbt.nid(i));
    types.set(type, (types.get(type) ?? 0) + 1);
  }
  return types;
}

/** Attachments of all messages, embedded ones too, by their subnodes: no property is read. */
function countAttached(ndb: Ndb, faults: Faults): { attachments: number; embedded: number } {
  const { nbt } = ndb;
  const progress = startProgress('count attachments', nbt.count);
  let attachments = 0;
  let embedded = 0;
  ndb.beginPass();
  try {
    for (let i = 0; i < nbt.count; i++) {
      progress.update(i);
      const nid = nbt.nid(i);
      const type = nidType(nid);
      if ((type !== NID_TYPE.NORMAL_MESSAGE && type !== NID_TYPE.ASSOC_MESSAGE) || nbt.bidSub(i) === 0) continue;
      faults.attempt(() => {
        for (const sub of ndb.nestedSubnodes(nbt.bidSub(i), { nid })) {
          const subType = nidType(sub.nid);
          if (subType === NID_TYPE.ATTACHMENT) attachments++;
          else if (subType === NID_TYPE.NORMAL_MESSAGE) embedded++;
        }
      });
    }
  } finally {
    progress.stop();
    ndb.endPass();
  }
  return { attachments, embedded };
}

interface Maps {
  readonly free: number;
  readonly maps: number;
}

/** Free bytes by the AMaps; undefined when one of them is not what it should be (there the header's figure is all there is). */
function readMaps(ndb: Ndb): Maps | undefined {
  const { ibFirst, bitsAt, bitsSize, unit, interval } = MAP[ndb.variant];
  const pages = ndb.pages();
  let free = 0;
  let maps = 0;
  try {
    const end = Math.min(ndb.source.size, ndb.header.root.ibFileEof);
    for (let ib = ibFirst; ib + pages.geometry.size <= end; ib += interval) {
      pages.load(ib);
      if (pages.faults(PTYPE.AMAP, ib, ib).length > 0) return undefined;
      free += freeRuns(pages.bytes().subarray(bitsAt, bitsAt + bitsSize)).free * unit;
      maps++;
    }
  } finally {
    pages.close();
  }
  return { free, maps };
}

function freeText(maps: Maps | undefined, stated: number): string {
  if (maps === undefined) return `${size(stated)} by the header; the allocation maps are not valid`;
  const text = `${size(maps.free)} in ${count(maps.maps, 'allocation map')}`;
  return maps.free === stated ? text : `${text}; the header says ${size(stated)}`;
}

function specialFolders(store: Store, faults: Faults): { kind: string; nid: number }[] {
  const found = faults.attempt(() => [...store.specialFolders]) ?? [];
  return found.map(([kind, folder]) => ({ kind, nid: folder.nid }));
}
