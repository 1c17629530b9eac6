/** `pstwright page STORE IB`: one page, decoded and in hex; the header for IB 0. MS-PST 2.2.2.6, 2.2.2.7. @module */
import type { Command } from 'commander';
import { Core } from '../core/core.js';
import { hex, PstError, UsageError } from '../errors.js';
import { type Header, readHeader } from '../ndb/header.js';
import { PageReader } from '../ndb/page.js';
import { BTREE } from '../wire/btree.js';
import { MAP } from '../wire/map.js';
import { nidName } from '../wire/nid.js';
import { PTYPE } from '../wire/page.js';
import { u32, u64 } from '../wire/struct.js';
import { ANSI, VARIANT_NAMES } from '../wire/variant.js';
import { action, type ExitCode } from './exit.js';
import { freeRuns } from './map-view.js';
import { isNumber, parseLimit, parseNumber } from './number.js';
import {
  type Cell,
  HEX_LIMIT,
  hexDump,
  print,
  printFields,
  printHead,
  printJson,
  printTable,
  structFields,
} from './output.js';
import { Faults, withSource } from './store.js';

interface Options {
  json?: boolean;
  limit: number;
}

const PTYPE_NAMES = new Map<number, string>(Object.entries(PTYPE).map(([name, ptype]) => [ptype, name]));
/** A page in itself is 512 or 4096 bytes; the dump shows all of the first and the start of the second. */
const FREE_RUNS_SHOWN = 16;

/** A page by a name instead of its place. */
function placeOf(text: string, header: Header): number {
  const { root, variant } = header;
  const named: Readonly<Record<string, number>> = {
    header: 0,
    nbt: root.nbt.ib,
    bbt: root.bbt.ib,
    amap: MAP[variant].ibFirst,
    dlist: MAP[variant].ibDList,
  };
  return isNumber(text)
    ? parseNumber(text, 'place')
    : (named[text.toLowerCase()] ?? parseNumber(text, 'place, nor header, nbt, bbt, amap or dlist'));
}

export function register(program: Command): void {
  program
    .command('page')
    .summary('one page: trailer, B-tree entries or map, hex')
    .description(
      'Shows the page at IB: its trailer with what it should be, the entries of a B-tree page, the free space of a map,\nand the bytes. IB 0 is the header. Also by name: header, nbt, bbt (the roots), amap (the first), dlist.',
    )
    .argument('<store>', 'a PST or OST')
    .argument('<ib>', 'place in the file, a number or a name')
    .option('--limit <bytes>', 'bytes of the hex dump, or all', parseLimit, HEX_LIMIT)
    .option('--json', 'one JSON document')
    .action(action(page));
}

function page(path: string, text: string, options: Options): ExitCode {
  return withSource(path, (source) => {
    const faults = new Faults();
    const core = Core.load();
    const header = readHeader(source, core, (fault) => faults.damage(fault));
    const ib = placeOf(text, header);
    if (ib === 0) return showHeader(header, faults, options);

    if (ib >= source.size)
      throw new UsageError('NOT_FOUND', `${hex(ib)} is behind the end of ${path}, ${hex(source.size)}`);
    const pages = new PageReader(source, core, header.variant);
    pages.load(ib);
    const bytes = pages.bytes();
    const view = new DataView(bytes.buffer);
    const { trailerAt, trailer } = pages.geometry;
    const ptype = view.getUint8(trailerAt);
    const name = PTYPE_NAMES.get(ptype);
    const faultsOfPage =
      name === undefined
        ? [
            new PstError('PST_BAD_PTYPE', `no page: its type would be ${hex(ptype)}`, {
              field: 'PAGETRAILER.ptype',
              section: '2.2.2.7.1',
              ib,
            }),
          ]
        : pages.faults(ptype, pages.bid, ib);
    for (const fault of faultsOfPage) faults.damage(fault);
    const seal = trailer.read(view, trailerAt);
    const content = name === undefined ? undefined : decode(ptype, ib, bytes, view, header, pages, faults);

    if (options.json) {
      printJson({
        ib,
        size: bytes.length,
        type: name,
        PAGETRAILER: seal,
        ...content?.json,
        findings: faults.json,
        bytes,
      });
      return faults.exitCode;
    }
    print(`${name ?? 'no'} page at ${hex(ib)}, ${bytes.length} bytes, ${VARIANT_NAMES[header.variant]}`);
    printHead('PAGETRAILER (2.2.2.7.1)');
    printFields(structFields(seal), 2);
    content?.print();
    printHead('Bytes');
    for (const line of hexDump(bytes, { base: ib, limit: options.limit, indent: 2 })) print(line);
    faults.print();
    return faults.exitCode;
  });
}

function showHeader(header: Header, faults: Faults, options: Options): ExitCode {
  const { raw, variant, crypt, ...fields } = header;
  if (options.json) {
    printJson({ ib: 0, size: raw.length, type: 'HEADER', HEADER: fields, findings: faults.json, bytes: raw });
    return faults.exitCode;
  }
  print(`HEADER at 0x0, ${raw.length} bytes, ${VARIANT_NAMES[variant]} (2.2.2.6)`);
  print();
  printFields(structFields(fields), 2);
  printHead('Bytes');
  for (const line of hexDump(raw, { limit: options.limit, indent: 2 })) print(line);
  faults.print();
  return faults.exitCode;
}

interface Content {
  readonly json: Record<string, unknown>;
  print(): void;
}

function decode(
  ptype: number,
  ib: number,
  bytes: Uint8Array,
  view: DataView,
  header: Header,
  { geometry }: PageReader,
  faults: Faults,
): Content | undefined {
  if (ptype === PTYPE.NBT || ptype === PTYPE.BBT) return decodeBtree(ptype, ib, view, header, geometry, faults);
  if (ptype === PTYPE.AMAP) {
    const { bitsAt, bitsSize, unit, interval } = MAP[header.variant];
    const map = freeRuns(bytes.subarray(bitsAt, bitsAt + bitsSize));
    const runs = map.runs.map(({ at, length }) => ({ ib: ib + at * unit, size: length * unit }));
    return {
      json: { covers: { ib, size: interval }, freeBytes: map.free * unit, freeRuns: runs },
      print() {
        printHead('AMap (2.2.2.7.2)');
        printFields(
          [
            ['covers', `${hex(ib)} to ${hex(ib + interval)}`],
            ['taken', (bitsSize * 8 - map.free) * unit],
            ['free', map.free * unit],
          ],
          2,
        );
        const largest = runs.toSorted((a, b) => b.size - a.size).slice(0, FREE_RUNS_SHOWN);
        if (largest.length === 0) return;
        printHead(largest.length < runs.length ? `Largest ${largest.length} of ${runs.length} free runs` : 'Free runs');
        printTable(
          largest.map((run) => [hex(run.ib), run.size]),
          { head: ['IB', 'bytes'], indent: 2 },
        );
      },
    };
  }
  if (ptype === PTYPE.DL) {
    const cEntDList = Math.min(view.getUint8(1), 119); // 2.2.2.7.4.2: 476 bytes of entries
    const entries = Array.from({ length: cEntDList }, (_, i) => {
      const entry = view.getUint32(8 + 4 * i, true);
      return { amap: entry & 0xfffff, freeSlots: entry >>> 20 };
    });
    return {
      json: { bFlags: view.getUint8(0), cEntDList: view.getUint8(1), ulCurrentPage: view.getUint32(4, true), entries },
      print() {
        printHead(`DList, ${entries.length} entries (2.2.2.7.4)`);
        printTable(
          entries.map((entry) => [entry.amap, entry.freeSlots]),
          { head: ['AMap', 'free slots'], indent: 2 },
        );
      },
    };
  }
  return undefined;
}

function decodeBtree(
  ptype: number,
  ib: number,
  view: DataView,
  { variant }: Header,
  geometry: PageReader['geometry'],
  faults: Faults,
): Content {
  const counts = geometry.counts.read(view, geometry.entries);
  const { branch, nbt, bbt } = BTREE[variant];
  const layout = counts.cLevel > 0 ? branch : ptype === PTYPE.NBT ? nbt : bbt;
  const name = ptype === PTYPE.NBT ? 'NBT' : 'BBT';
  const room = Math.floor(geometry.entries / layout.size);
  if (counts.cbEnt !== layout.size || counts.cEnt > room) {
    const message = `${counts.cEnt} entries of ${counts.cbEnt} bytes; ${room} of ${layout.size} fit`;
    faults.damage(new PstError('PST_BAD_TREE', message, { field: 'BTPAGE', section: '2.2.2.7.7.1', ib }));
  }
  const id = variant === ANSI ? u32 : u64;
  const entries = Array.from({ length: Math.min(counts.cEnt, room) }, (_, i) => {
    const entry: Record<string, number> = {};
    for (const [field, at] of Object.entries(layout.at)) {
      if (/padding/i.test(field)) continue;
      const place = i * layout.size + at;
      const isWide = /^(bid|ib|btkey)/.test(field);
      const isShort = /^(cb|cRef)/.test(field);
      entry[field] = isWide ? id.get(view, place) : isShort ? view.getUint16(place, true) : view.getUint32(place, true);
    }
    return entry;
  });
  return {
    json: { BTPAGE: counts, entries },
    print() {
      printHead('BTPAGE (2.2.2.7.7.1)');
      printFields(structFields(counts), 2);
      printHead(`${entries.length} ${layout.name} (${layout.section})`);
      const fields = Object.keys(entries[0] ?? {});
      const isNodes = ptype === PTYPE.NBT;
      printTable(
        entries.map((entry) => [
          ...fields.map((field): Cell => (/^(cb|cRef)/.test(field) ? entry[field]! : hex(entry[field]!))),
          ...(isNodes ? [nidName(entry.nid ?? entry.btkey!)] : []),
        ]),
        { head: [...fields, ...(isNodes ? ['name'] : [])], indent: 2 },
      );
      if (counts.cLevel > 0)
        print(`  Branches of the ${name}: \`page STORE IB\` with the ib of one shows the page below.`);
    },
  };
}
