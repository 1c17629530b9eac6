/**
 * No load and no store of stream bytes goes round a span: seen by Binaryen's instrument-memory while real work is done, and
 * read from the source.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Core, type CoreExports } from '../../src/core/core.js';
import type { PstError } from '../../src/errors.js';
import { openSource } from '../../src/host/file.js';
import { encodePc } from '../../src/ltp/pc.js';
import { PropertyStream } from '../../src/ltp/stream.js';
import { Table, TableWriter, tcInfo } from '../../src/ltp/table.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { PACKAGED_STORES } from '../stores.js';
import { layOut, streamOf, tableInfo } from './arbitrary.js';
import { readPcOf, readTableOf, takeChain } from './chain.js';
import { compile } from './compile.js';
import { type Instrumented, instrument, Oracle } from './oracle.js';

const ENTRY = 'assembly/index.ts';
/** The default build without optimisation, and with the check of a span as a function, so that every access has its place. */
const UNOPTIMISED = {
  target: 'core',
  options: { optimizeLevel: 0, shrinkLevel: 0, converge: false },
  patch: (name: string, text: string) =>
    name.endsWith('memory/pageheap.ts') ? text.replace('@inline export function holds', 'export function holds') : text,
} as const;

let instrumented: Instrumented;
beforeAll(async () => {
  instrumented = instrument(await compile({ ...UNOPTIMISED, entry: ENTRY }));
}, 120_000);

interface Planted extends CoreExports {
  read8(lo: number, at: number): number;
  stray8(lo: number, size: number, at: number, value: number): void;
}

/** A core that the oracle watches, with as much of the border as reading and writing need. */
class WatchedCore {
  readonly x: Planted;
  readonly oracle: Oracle;
  readonly #memory = new WebAssembly.Memory({ initial: 2400, maximum: 32768 });

  constructor(from: Instrumented) {
    this.oracle = new Oracle(from);
    const imports = { env: { ...this.oracle.imports, memory: this.#memory }, oracle: this.oracle.hooks };
    this.x = new WebAssembly.Instance(from.module, imports).exports as unknown as Planted;
    this.x.init();
  }
  get u8(): Uint8Array {
    return new Uint8Array(this.#memory.buffer);
  }
  get view(): DataView {
    return new DataView(this.#memory.buffer);
  }
  readonly put = Core.prototype.put;
  readonly damage = Core.prototype.damage;
  readonly damageOf = Core.prototype.damageOf;

  get asCore(): Core {
    return this as unknown as Core;
  }
}

const isDamage = (error: unknown): error is PstError => (error as Error).name === 'PstError';

/** Reads every context and table of a store, and writes it again. */
function readAndWrite(core: WatchedCore, path: string): { contexts: number; tables: number; rtf: number } {
  const { x } = core;
  const done = { contexts: 0, tables: 0, rtf: 0 };
  const source = openSource(path);
  const ndb = Ndb.open(source, core.asCore);
  const notes = x.notesNew(64);
  const one = (bid: number, bidSub: number, nid: number): void => {
    if (bid === 0) return;
    const where = { nid };
    const chain = ndb.readTree(bid, where);
    const client = x.hnClient(chain);
    if (client !== 0) x.inspectHeap(chain, ndb.variant, notes);
    if (client === 0xbc) {
      x.inspectPc(chain, ndb.variant, notes);
      const ptr = x.pcRead(chain, ndb.variant);
      expect(ptr).not.toBe(0);
      const stream = new PropertyStream(core.u8.slice(ptr, ptr + x.sizeOf(ptr)));
      const written = x.pcWrite(ptr, 0);
      if (written !== 0) x.chainFree(written); // a type of a third party may not be writable
      const rtf = stream.find(0x10090102);
      if (rtf >= 0 && stream.flags(rtf) === 0) {
        const text = x.lzfuDecode(ptr, stream.place(rtf), stream.length(rtf));
        if (text !== 0) x.free(text, 0);
        done.rtf++;
      }
      x.free(ptr, 0);
      x.chainFree(chain);
      done.contexts++;
    } else if (client === 0x7c) {
      x.inspectTable(chain, 0, ndb.variant, notes, 0, 0, 0, 0);
      const table = Table.adopt(ndb, chain, ndb.subnodes(bidSub, where), where);
      const columns = [...table.columns];
      const writer = new TableWriter(core.asCore, tcInfo(columns, table.rgib), where);
      for (const row of table.rows()) writer.row(row);
      const { heap, rows } = writer.end(0x1f);
      x.chainFree(heap);
      if (rows !== 0) x.chainFree(rows);
      table.close();
      done.tables++;
    } else x.chainFree(chain);
  };
  for (let i = 0; i < ndb.nbt.count; i++) {
    one(ndb.nbt.bidData(i), ndb.nbt.bidSub(i), ndb.nbt.nid(i));
    for (const { bidData, bidSub, nid } of ndb.nestedSubnodes(ndb.nbt.bidSub(i), {})) {
      try {
        one(bidData, bidSub, nid);
      } catch (error) {
        if (!isDamage(error)) throw error;
      }
    }
  }
  x.free(notes, 0);
  ndb.close();
  source.close();
  return done;
}

const SPAN = 'assembly/memory/span/';

describe('the oracle, over the unoptimised core', () => {
  it('finds the functions of span.ts not inlined, and no runtime beside them', () => {
    const spans = ['get8', 'get16', 'get32', 'get64', 'get128', 'put8', 'put16', 'put32', 'put64', 'copy', 'zero'];
    for (const name of spans) expect(instrumented.functions).toContain(SPAN + name);
    expect(instrumented.functions.filter((name) => /~lib\/rt\/(stub|tlsf|itcms|tcms)/.test(name))).toEqual([]);
  });

  it.each([
    ['a Unicode store', 'enron.pst', { contexts: 155, tables: 137, rtf: 0 }],
    [
      'a 4K store, with 64 KB blocks and zlib',
      'pstextractortest@outlook.com.ost',
      { contexts: 320, tables: 270, rtf: 162 },
    ],
  ])(
    'sees none go round a span: %s read and written again',
    (_, file, counts) => {
      const core = new WatchedCore(instrumented);
      const done = readAndWrite(core, join(PACKAGED_STORES, file));
      expect(core.oracle.bad).toEqual([]);
      expect(done).toEqual(counts);
      expect(core.oracle.liveBlocks).toBe(0);
      for (const name of [
        'get8',
        'get16',
        'get32',
        'get64',
        'get128',
        'put8',
        'put16',
        'put32',
        'put64',
        'copy',
        'zero',
      ]) {
        expect(core.oracle.seen.get(SPAN + name), name).toBeGreaterThan(100);
      }
    },
    120_000,
  );

  it('sees none go round a span: blocks sealed, checked, copied and decoded, heaps of 140 blocks, tables of 800 rows', () => {
    const core = new WatchedCore(instrumented);
    const { x } = core;
    const block = core.put(Uint8Array.from({ length: 8176 }, (_, k) => k * 7));
    const wire = x.alloc(8192, 0);
    for (const cb of [1, 7, 8, 48, 49, 399, 400, 4096, 8175, 8176]) {
      for (const method of [0, 1, 2]) {
        const size = x.blockSeal(wire, 0, block, 0, cb, method, 0x1234 + cb, 0, 0x4400);
        expect(x.blockCheck(wire, 0, cb, 1, 0x1234 + cb, 0, 0x4400)).toBe(1);
        x.free(x.blockLoad(wire, 0, cb, method, 0x1234 + cb), 0);
        const again = x.alloc(size, 0);
        x.blockCopy(again, 0, wire, 0, cb, 8, 0, 0x8800);
        x.blockDecode(again, size, method, 8);
        x.free(again, 0);
      }
    }
    x.pageSeal(wire, 512, 0x81, 4, 0, 0x200);
    x.free(block, 0);
    x.free(wire, 0);
    const large = Array.from({ length: 300 }, (_, k) => ({
      tag: ((k + 1) * 0x10000 + 0x102) >>> 0,
      value: new Uint8Array(3580 - k).fill(k),
    }));
    expect(readPcOf(core.asCore, takeChain(core.asCore, encodePc(core.asCore, streamOf(large), {})))!.count).toBe(300);
    const layout = layOut([0x67f20003, 0x3001001f, 0x0057000b, 0x00170002, 0x0e060040, 0x300b0048], [0, 1, 2, 3, 4, 5]);
    const writer = new TableWriter(core.asCore, tableInfo(layout), {});
    for (let k = 800; k > 0; k--) {
      writer.row(
        streamOf(
          [
            { tag: 0x3001001f, value: new Uint8Array(1500) },
            { tag: 0x0e060040, value: new Uint8Array(8) },
          ],
          k,
        ),
      );
    }
    const { heap, rows } = writer.end(0x1f);
    const table = { heap: takeChain(core.asCore, heap), rows: takeChain(core.asCore, rows) };
    expect(readTableOf(core.asCore, table)!.rows.length).toBe(800);
    expect(core.oracle.bad).toEqual([]);
    expect(core.oracle.liveBlocks).toBe(0);
  }, 120_000);

  it('is no yes-man: it sees a write past a right span, which the default build lets pass', async () => {
    const planted = instrument(await compile({ ...UNOPTIMISED, entry: 'assembly/planted.ts' }));
    const core = new WatchedCore(planted);
    const ptr = core.x.alloc(100, 0);
    core.x.read8(ptr, 99);
    expect(core.oracle.bad).toEqual([]);
    core.x.stray8(ptr, 100, 100, 1);
    core.x.stray8(ptr, 100, -1, 1);
    const by = `${SPAN}put8`;
    const why = 'outside every live block';
    expect(core.oracle.bad).toEqual([
      { what: 'store', by, address: ptr + 100, bytes: 1, why },
      { what: 'store', by, address: ptr - 1, bytes: 1, why },
    ]);
  }, 120_000);
});

describe('the source', () => {
  /** Files that may load and store by themselves, and where. */
  const ALLOWED: Readonly<Record<string, string>> = {
    'memory/span.ts': 'the bytes of blocks and streams, all of them',
    'memory/access.ts': 'which accesses are told',
    'memory/pageheap.ts': 'page map, descriptors, class heads',
    'memory/descriptor.ts': 'page map',
    'memory/protect.ts': 'descriptors, class heads',
    'memory/edges.ts': 'slack, header of the aligned layout',
    'memory/pagemap.ts': 'page map, descriptors',
    'memory/refuse.ts': 'page map, descriptors',
    'memory/runs.ts': 'descriptors, class heads',
    'memory/lightheap.ts': 'header, fill and suffix of normal mode',
    'memory/rawheap.ts': 'the yardstick',
    'memory/shadow.ts': 'which bytes were written',
    'memory/stop.ts': 'the stop record',
    'memory/trace.ts': 'the last allocations',
    'damage.ts': 'the damage record',
    'ndb/crc.ts': 'CRC tables and scratch',
    'ndb/encoding.ts': 'encoding tables',
    'ndb/tables.ts': 'encoding tables',
    'stream/types.ts': 'sizes of types',
  };
  const RAW =
    /\b(?:load|store)<|\bv128\.(?:load|store)|\bmemory\.(?:copy|fill|init)\b|changetype|\bStaticArray|\bTypedArray|new \w/;

  const files = readdirSync('assembly', { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
  const code = (name: string): string =>
    readFileSync(join('assembly', name), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');

  it('loads and stores only where it may', () => {
    expect(files.filter((name) => RAW.test(code(name))).sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  it.each(['ndb/crc.ts', 'ndb/encoding.ts', 'ndb/tables.ts', 'stream/types.ts'])(
    '%s touches fixed tables only',
    (name) => {
      const text = code(name);
      // Every address begins with the name of a table, or with a local that began there.
      const addresses = [
        ...text.matchAll(/(?:\b(?:load|store)<\w+>|v128\.(?:load|store)|memory\.fill)\(\s*(\w+)/g),
      ].map(([, a]) => a!);
      expect(addresses.length).toBeGreaterThan(0);
      const fixed: Record<string, RegExp | undefined> = {
        // local: how it must have begun
        b: /let b: usize = FOLD \+ 4;/,
        d: /let d: usize = FOLD_TAIL;/,
        p: /function slicedScratch\(p: usize, n: usize\)/,
        table:
          /permute\(to, from, n, DECODE_TABLE\)[\s\S]*permute\(to, from, n, ENCODE_TABLE\)[\s\S]*const table = CYCLIC_TABLE \+/,
      };
      for (const address of new Set(addresses)) {
        if (/^(CRC_TABLE|DECODE_TABLE|ENCODE_TABLE|S_TABLE|CYCLIC_TABLE|R|S|SIZES)$/.test(address)) continue;
        expect(fixed[address], `${address} in ${name}`).toBeDefined();
        expect(text).toMatch(fixed[address]!);
      }
      // `p` of slicedScratch is the fold's tail, and nothing else is handed to it.
      for (const [, argument] of text.matchAll(/slicedScratch\((\w+), left\)/g)) expect(argument).toBe('FOLD_TAIL');
    },
  );

  it('is what was compiled: no other function holds a load, a store or a bulk instruction', () => {
    const folders = Object.keys(ALLOWED).map((name) => `assembly/${name.slice(0, -3)}/`);
    const other = [...instrumented.touching].filter((name) => !folders.some((folder) => name.startsWith(folder)));
    // Length and characters of the one string there is, the preset of compressed RTF: static data.
    expect(
      other.filter((name) => !/^~lib\/(?:string\/String#charCodeAt|rt\/common\/OBJECT#get:rtSize)$/.test(name)),
    ).toEqual([]);
  });
});
