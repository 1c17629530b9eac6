/** Real stores, block by block through the writer: nodes, BIDs and bytes stay, and other readers see the same. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Core } from '../../src/core/core.js';
import { openSource } from '../../src/host/file.js';
import { createTarget } from '../../src/host/target.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { readBack } from '../../src/ndb/write/readback.js';
import { StoreWriter } from '../../src/ndb/write/store-writer.js';
import { isInternal } from '../../src/wire/btree.js';
import { UNICODE } from '../../src/wire/variant.js';

const STORES = join(import.meta.dirname, '../../../shared/stores');
const PACKAGED = join(import.meta.dirname, '../../node_modules/pst-extractor/example/testdata');
const list = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(pst|ost)$/i.test(name))
        .map((name) => join(folder, name))
    : [];
if (!existsSync(STORES)) console.warn('skipped: the real stores are not here, only those of pst-extractor');

const folder = mkdtempSync(join(tmpdir(), 'pstwright-clone-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hasReadpst = spawnSync('readpst', ['-V']).status === 0;
const hasPffexport = spawnSync('pffexport', ['-V']).status === 0;
if (!hasReadpst || !hasPffexport) console.warn('skipped: readpst or pffexport is not installed');

/** Folders and items as readpst counts them. */
function readpst(path: string): string {
  const out = mkdtempSync(join(folder, 'readpst-'));
  return spawnSync('readpst', ['-j', '0', '-o', out, path], { encoding: 'utf8' }).stdout;
}

/** Every file pffexport makes, by path and content. */
function pffexport(path: string): Map<string, string> {
  const out = join(mkdtempSync(join(folder, 'pff-')), 'x');
  spawnSync('pffexport', ['-q', '-m', 'items', '-t', out, path]);
  const files = readdirSync(`${out}.export`, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [file.slice(out.length), readFileSync(file, 'latin1')];
    }),
  );
}

function copyOf(path: string, crypt: 'keep' | 'reencode') {
  const core = Core.load();
  const source = Ndb.open(openSource(path), core);
  if (source.variant !== UNICODE) return undefined;
  const { header, bbt, nbt } = source;
  const target = createTarget(join(folder, `${basename(path)}.${crypt}.pst`));
  const writer = new StoreWriter(core, target.sink, {
    crypt: crypt === 'keep' ? header.crypt : (((header.crypt + 1) % 3) as 0 | 1 | 2),
    bidNextB: Math.max(header.bidNextB, bbt.bid(bbt.count - 1) + 8 - (bbt.bid(bbt.count - 1) % 4)),
    bidNextP: header.bidNextP,
    dwUnique: header.dwUnique,
    rgnid: header.rgnid,
  });
  source.onBlock = (index, lo, at) => {
    if (crypt === 'keep') writer.copyBlock(bbt.bid(index), lo, at, bbt.cb(index));
  };
  for (let i = 0; i < bbt.count; i++) {
    if (crypt === 'keep') {
      source.blocks.check(i, {});
    } else {
      const ptr = source.blocks.load(i, {});
      writer.addBlock(ptr, 0, bbt.cb(i), { bid: bbt.bid(i) });
      core.x.free(ptr);
    }
  }
  source.onBlock = undefined;
  for (let i = 0; i < nbt.count; i++) writer.addNode(nbt.nid(i), nbt.bidData(i), nbt.bidSub(i), nbt.parent(i));
  const summary = writer.finish();
  expect(readBack(target.sink, core)).toMatchObject({ nodes: nbt.count, blocks: summary.blocks });
  target.commit();
  return { core, source, summary, target, copy: Ndb.open(openSource(target.path), core, { strict: true }) };
}

/** Damaged where they come from (CATALOG.md): truncated; wrong CRCs. */
const DAMAGED = ['aspose-email__SampleOstFile.ost', 'aspose-email__AddingBulkMessagesWithImprovedPerformance.pst'];
const paths = [...list(STORES), ...list(PACKAGED)].filter((path) => !DAMAGED.includes(basename(path)));

describe.each(paths)('%s', (path) => {
  test.each(['keep', 'reencode'] as const)('%s', (crypt) => {
    const made = (() => {
      try {
        return copyOf(path, crypt);
      } catch (error) {
        throw new Error(`${basename(path)}: ${(error as Error).message}`, { cause: error });
      }
    })();
    if (made === undefined) return; // ANSI or 4K: its blocks cannot be copied
    const { source, copy, summary } = made;
    expect(copy.nbt.count).toBe(source.nbt.count);
    for (let i = 0; i < source.nbt.count; i++) {
      const node = (s: Ndb) => [s.nbt.nid(i), s.nbt.bidData(i), s.nbt.bidSub(i), s.nbt.parent(i)];
      expect(node(copy)).toEqual(node(source));
    }
    expect(copy.bbt.count + summary.dropped.length).toBe(source.bbt.count);
    let differing = 0;
    let lower = 0;
    for (let i = 0; i < copy.bbt.count; i++) {
      const from = source.bbt.find(copy.bbt.bid(i));
      if (copy.bbt.cRef(i) > source.bbt.cRef(from)) lower++;
      const bytes = (s: Ndb, index: number) => {
        const ptr = s.blocks.load(index, {});
        const data = s.core.u8.slice(ptr, ptr + s.bbt.cb(index));
        s.core.x.free(ptr);
        return Buffer.from(data);
      };
      const isSame = bytes(copy, i).equals(bytes(source, from));
      // Bit 0 of a reference is cleared when an internal block is written anew.
      if (!isSame && !(crypt === 'reencode' && isInternal(copy.bbt.bid(i)))) differing++;
    }
    expect({ differing, lower }).toEqual({ differing: 0, lower: 0 });
    copy.close();
    source.close();
    if (hasReadpst) expect(readpst(made.target.path)).toBe(readpst(path));
    if (hasPffexport) expect(pffexport(made.target.path)).toEqual(pffexport(path));
  });
});
