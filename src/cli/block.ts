/** `pstwright block STORE BID`: one block: BBT entry, trailer, what it holds, bytes stored and decoded. MS-PST 2.2.2.8. @module */
import type { Command } from 'commander';
import { hex, PstError } from '../errors.js';
import { inflate } from '../host/inflate.js';
import type { Ndb } from '../ndb/ndb.js';
import { BLOCK, BTYPE, wireSize, XBLOCK } from '../wire/block.js';
import { bidKey, isInternal } from '../wire/btree.js';
import { nidTypeName } from '../wire/nid.js';
import { u32, u64 } from '../wire/struct.js';
import { action, type ExitCode } from './exit.js';
import { parseLimit, parseNumber } from './number.js';
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
import { type Faults, withNdb } from './store.js';

interface Options {
  json?: boolean;
  raw?: boolean;
  limit: number;
}

/** Entries of a block's table that are printed; --json has all of them. */
const ENTRIES_SHOWN = 64;
const ENCODINGS = ['no encoding', 'permute', 'cyclic'] as const;

export function register(program: Command): void {
  program
    .command('block')
    .summary('one block: trailer, entries, bytes')
    .description(
      'Shows the block BID: its entry in the block B-tree, its trailer, the entries of an XBLOCK, XXBLOCK, SLBLOCK or\nSIBLOCK, and its bytes, decoded. A block that fails its checks is shown all the same.',
    )
    .argument('<store>', 'a PST or OST')
    .argument('<bid>', 'block id')
    .option('--raw', 'also the bytes as they are in the file, with padding and trailer')
    .option('--limit <bytes>', 'bytes of each hex dump, or all', parseLimit, HEX_LIMIT)
    .option('--json', 'one JSON document')
    .action(action(block));
}

function block(path: string, text: string, options: Options): ExitCode {
  const bid = parseNumber(text, 'block id');
  return withNdb(path, (ndb, faults) => {
    const { bbt, variant } = ndb;
    const index = bbt.find(bid);
    if (index < 0) throw faults.absent(`${path} has no block ${hex(bid)}`, { bid, section: '2.2.2.7.7.3' });
    const entry = {
      bid: bbt.bid(index),
      ib: bbt.ib(index),
      cb: bbt.cb(index),
      inflated: bbt.inflated(index),
      cRef: bbt.cRef(index),
    };
    const wire = wireSize(entry.cb, variant);
    const stored = new Uint8Array(wire);
    const present = ndb.source.read(stored, entry.ib);
    faults.attempt(() => ndb.blocks.check(index, {}));
    const { trailer } = BLOCK[variant];
    const seal = present === wire ? trailer.read(new DataView(stored.buffer), wire - trailer.size) : undefined;
    const decoded = faults.attempt(() => decode(ndb, entry, stored));
    const content = decoded && isInternal(bid) ? readEntries(decoded, ndb, faults, bid) : undefined;
    const kind = content?.kind ?? (isInternal(bid) ? 'internal block' : 'data block');

    if (options.json) {
      const bytes = options.raw ? { stored, decoded } : { decoded };
      printJson({
        kind,
        ...entry,
        wireSize: wire,
        BLOCKTRAILER: seal,
        ...content?.json,
        findings: faults.json,
        ...bytes,
      });
      return faults.exitCode;
    }
    print(`${kind} ${hex(bidKey(bid))}, ${isInternal(bid) ? 'never encoded' : ENCODINGS[ndb.header.crypt]}`);
    printHead('BBTENTRY (2.2.2.7.7.3)');
    printFields(
      [
        ['place', `${hex(entry.ib)} to ${hex(entry.ib + wire)}, ${wire} bytes with padding and trailer`],
        ['stored', `${entry.cb} bytes`],
        ...(entry.inflated === entry.cb ? [] : ([['inflated', `${entry.inflated} bytes`]] as [string, Cell][])),
        ['cRef', `${entry.cRef} (the B-tree itself counts as one)`],
      ],
      2,
    );
    if (seal !== undefined) {
      printHead('BLOCKTRAILER (2.2.2.8.1)');
      printFields(structFields(seal), 2);
    }
    content?.print();
    if (options.raw) {
      printHead(`Stored bytes, from ${hex(entry.ib)}`);
      for (const line of hexDump(stored.subarray(0, present), { base: entry.ib, limit: options.limit, indent: 2 }))
        print(line);
    }
    if (decoded !== undefined) {
      printHead(`Decoded bytes (${decoded.length})`);
      for (const line of hexDump(decoded, { limit: options.limit, indent: 2 })) print(line);
    }
    faults.print();
    return faults.exitCode;
  });
}

/** The payload as a reader would get it, whether or not the trailer is right. Throws PST_INFLATE. */
function decode(
  ndb: Ndb,
  entry: { bid: number; cb: number; inflated: number; ib: number },
  stored: Uint8Array,
): Uint8Array {
  const { core, header } = ndb;
  let bytes = stored.subarray(0, entry.cb);
  if (entry.inflated !== entry.cb) {
    const inflated = inflate(bytes, entry.inflated);
    if (inflated === undefined) {
      throw new PstError('PST_INFLATE', `${entry.cb} stored bytes do not inflate to ${entry.inflated}`, {
        bid: entry.bid,
        ib: entry.ib,
      });
    }
    bytes = inflated;
  }
  if (isInternal(entry.bid) || header.crypt === 0 || bytes.length === 0) return bytes;
  const ptr = core.put(bytes);
  core.x.blockDecode(ptr, bytes.length, header.crypt, entry.bid >>> 0);
  const decoded = core.u8.slice(ptr, ptr + bytes.length);
  core.x.free(ptr);
  return decoded;
}

interface Entries {
  readonly kind: string;
  readonly json: Record<string, unknown>;
  print(): void;
}

/** What an internal block lists. As many entries as fit are read, whatever cEnt says. */
function readEntries(bytes: Uint8Array, ndb: Ndb, faults: Faults, bid: number): Entries | undefined {
  const { bidSize, slblock, slentry, siblock, sientry } = BLOCK[ndb.variant];
  if (bytes.length < XBLOCK.size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = bidSize === 8 ? u64 : u32;
  const { btype, cLevel, cEnt } = XBLOCK.read(view); // an SLBLOCK's first three fields are the same
  const fitting = (from: number, size: number, field: string, section: string): number => {
    const room = Math.floor((bytes.length - from) / size);
    if (cEnt > room) {
      const message = `${cEnt} entries in a block of ${bytes.length} bytes`;
      faults.damage(new PstError('PST_BAD_BLOCK', message, { field, section, bid }));
    }
    return Math.min(cEnt, room);
  };

  if (btype === BTYPE.X) {
    const kind = cLevel === 1 ? 'XBLOCK' : 'XXBLOCK';
    const bids = Array.from({ length: fitting(XBLOCK.size, bidSize, `${kind}.cEnt`, XBLOCK.section) }, (_, k) =>
      id.get(view, XBLOCK.size + k * bidSize),
    );
    const lcbTotal = view.getUint32(XBLOCK.at.lcbTotal, true);
    return entries(
      kind,
      { btype, cLevel, cEnt, lcbTotal },
      ['BID', 'bytes'],
      bids.map((child) => {
        const at = ndb.bbt.find(child);
        return { json: child, row: [hex(child), at < 0 ? 'not in the BBT' : ndb.bbt.inflated(at)] };
      }),
    );
  }
  if (btype === BTYPE.SL && cLevel === 0) {
    const rows = Array.from(
      { length: fitting(slblock.size, slentry.size, 'SLBLOCK.cEnt', slblock.section) },
      (_, k) => {
        const at = slblock.size + k * slentry.size;
        const nid = view.getUint32(at, true);
        const bidData = id.get(view, at + slentry.at.bidData);
        const bidSub = id.get(view, at + slentry.at.bidSub);
        return { json: { nid, bidData, bidSub }, row: [hex(nid), nidTypeName(nid), hex(bidData), hex(bidSub)] };
      },
    );
    return entries('SLBLOCK', { btype, cLevel, cEnt }, ['NID', 'type', 'bidData', 'bidSub'], rows);
  }
  if (btype === BTYPE.SL) {
    const rows = Array.from(
      { length: fitting(siblock.size, sientry.size, 'SIBLOCK.cEnt', siblock.section) },
      (_, k) => {
        const at = siblock.size + k * sientry.size;
        const nid = view.getUint32(at, true);
        const child = id.get(view, at + sientry.at.bid);
        return { json: { nid, bid: child }, row: [hex(nid), hex(child)] };
      },
    );
    return entries('SIBLOCK', { btype, cLevel, cEnt }, ['first NID', 'SLBLOCK'], rows);
  }
  const message = `block type ${hex(btype)}, level ${cLevel}`;
  faults.damage(new PstError('PST_BAD_BLOCK', message, { field: 'btype', section: '2.2.2.8.3', bid }));
  return undefined;
}

function entries(
  kind: string,
  head: Record<string, number>,
  columns: readonly string[],
  rows: readonly { json: unknown; row: Cell[] }[],
): Entries {
  return {
    kind,
    json: { [kind]: head, entries: rows.map(({ json }) => json) },
    print() {
      printHead(kind);
      printFields(structFields(head), 2);
      printHead(`${rows.length} entries`);
      printTable(
        rows.slice(0, ENTRIES_SHOWN).map(({ row }) => row),
        { head: columns, indent: 2 },
      );
      if (rows.length > ENTRIES_SHOWN) print(`  … ${rows.length - ENTRIES_SHOWN} more; --json lists them all`);
    },
  };
}
