/** Clone: what arrives is what was there, for every sound Unicode store; and what clone refuses. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { decode } from '@msgpack/msgpack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { openSource } from '../../src/host/file.js';
import { readPc } from '../../src/ltp/pc.js';
import { type CloneReport, cloneFile } from '../../src/migrate/clone.js';
import { type Manifest, makeManifest, writeManifest } from '../../src/migrate/manifest.js';
import { verifyStores } from '../../src/migrate/verify.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { nidType } from '../../src/wire/nid.js';
import { hasProgram, pffexport, pstExtractor, readpst } from '../readers.js';
import { PACKAGED_STORES, realStores } from '../stores.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-clone-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One third-party store has a damaged tree page: no reader of checksums can clone it. */
const DAMAGED = 'aspose-email__AddingBulkMessagesWithImprovedPerformance.pst';
const all = realStores();
const isUnicode = (path: string): boolean => readFileSync(path).readUInt16LE(10) === 23;
const sound = all.filter(({ name, path }) => name !== DAMAGED && isUnicode(path));
const others = all.filter(({ path }) => !isUnicode(path));

const open = (path: string): Ndb => Ndb.open(openSource(path), Core.load());

/** Tags that say who is who: record key, entry id, source key, change key, predecessors, parent source key, search key. */
const IDENTITY = [0x0ff90102, 0x0fff0102, 0x65e00102, 0x65e20102, 0x65e30102, 0x65e10102, 0x300b0102, 0x67f40014];

/** NID, parent and identity properties of every node that is an object. */
function identities(path: string): string[] {
  const ndb = open(path);
  const lines: string[] = [];
  for (let i = 0; i < ndb.nbt.count; i++) {
    const nid = ndb.nbt.nid(i);
    lines.push(`${nid} in ${ndb.nbt.parent(i)}`);
    if (nid !== 0x21 && ![2, 3, 4, 8].includes(nidType(nid))) continue;
    if (ndb.nbt.bidData(i) === 0) continue;
    const stream = readPc(ndb, ndb.nbt.bidData(i), { nid });
    for (const tag of IDENTITY) {
      const k = stream.find(tag);
      if (k >= 0) lines.push(`${nid} ${tag.toString(16)} ${Buffer.from(stream.value(k)).toString('hex')}`);
    }
  }
  return lines;
}

describe.each(sound)('$name', ({ name, path }) => {
  describe.each([false, true])('re-encoded: %s', (reencode) => {
    const target = (): string => join(folder, `${reencode ? 're-' : ''}${basename(name)}`);
    let report: CloneReport;
    beforeAll(() => {
      report = cloneFile(path, target(), { reencode });
    });

    it('arrives whole: every node, subnode, property and row', () => {
      expect(report.findings).toEqual([]);
      expect(report.targetCounters).toEqual(report.counters);
      const verified = verifyStores(openSource(path), openSource(target()));
      expect(verified.differences).toEqual([]);
      expect(verified.isIdentical).toBe(true);
      expect(verified.equal).toBe(open(path).nbt.count);
      expect(identities(target())).toEqual(identities(path));
    });

    it('reads the same in pst-extractor', () => {
      expect(pstExtractor(target())).toEqual(pstExtractor(path));
    });

    it.skipIf(!hasProgram('pffexport'))('reads the same in pffexport -m items', () => {
      expect(pffexport(target())).toEqual(pffexport(path));
    });

    it.skipIf(!hasProgram('readpst'))('reads the same in readpst', () => {
      expect(readpst(target())).toEqual(readpst(path));
    });
  });
});

describe('what clone refuses', () => {
  const enron = join(PACKAGED_STORES, 'enron.pst');

  it.each(others)('$name: not a Unicode store', ({ path, name }) => {
    const target = join(folder, `refused-${name}`);
    expect(() => cloneFile(path, target)).toThrow(/policy "rekey"/);
    expect(() => openSource(target)).toThrow(/no such file/);
    expect(() => openSource(`${target}.partial`)).toThrow(/no such file/);
  });

  it('a target that exists, and leaves it alone', () => {
    const target = join(folder, 'taken.pst');
    writeFileSync(target, 'mine');
    expect(() => cloneFile(enron, target)).toThrow(/exists/);
    expect(readFileSync(target, 'utf8')).toBe('mine');
  });

  it('a source that is the partial file of its own target', () => {
    const source = join(folder, 'self.pst.partial');
    writeFileSync(source, readFileSync(enron));
    expect(() => cloneFile(source, join(folder, 'self.pst'))).toThrow(/is the source/);
    expect(readFileSync(source).equals(readFileSync(enron))).toBe(true);
  });

  it('a damaged store: a named error with its place, and no target', () => {
    const bytes = readFileSync(enron);
    const ndb = open(enron);
    const ib = ndb.bbt.ib(100);
    bytes[ib]! ^= 0x10;
    const source = join(folder, 'damaged.pst');
    writeFileSync(source, bytes);
    const target = join(folder, 'of-damaged.pst');
    expect(() => cloneFile(source, target)).toThrow(new RegExp(`CRC.*bid 0x${ndb.bbt.bid(100).toString(16)}.*ib 0x`));
    expect(() => openSource(target)).toThrow(/no such file/);
    expect(() => openSource(`${target}.partial`)).toThrow(/no such file/);
  });
});

describe('two runs', () => {
  it('end in the same bytes', () => {
    const enron = join(PACKAGED_STORES, 'enron.pst');
    const [a, b] = [join(folder, 'first.pst'), join(folder, 'second.pst')];
    cloneFile(enron, a);
    cloneFile(enron, b);
    expect(readFileSync(a).equals(readFileSync(b))).toBe(true);
  });

  it('a clone of a clone is the clone', () => {
    const [a, c] = [join(folder, 'fourth.pst'), join(folder, 'fifth.pst')];
    cloneFile(join(PACKAGED_STORES, 'enron.pst'), a);
    cloneFile(a, c);
    expect(verifyStores(openSource(a), openSource(c)).isIdentical).toBe(true);
  });
});

describe('verify', () => {
  it('names the property that differs', () => {
    const enron = join(PACKAGED_STORES, 'enron.pst');
    // Change one character of one subject: decode the heap block, change, encode, seal: the CRC fits, only the content differs.
    const ndb = open(enron);
    const message = Array.from({ length: ndb.nbt.count }, (_, i) => i).find((i) => nidType(ndb.nbt.nid(i)) === 4)!;
    const nid = ndb.nbt.nid(message);
    const bid = ndb.nbt.bidData(message);
    const stream = readPc(ndb, bid, { nid });
    const subject = Buffer.from(stream.value(stream.find(0x0037001f)));
    const index = ndb.bbt.find(bid);
    const { x } = ndb.core;
    const ptr = ndb.blocks.load(index, { nid });
    const at = Buffer.from(ndb.core.u8.slice(ptr, ptr + ndb.bbt.cb(index))).indexOf(subject.subarray(6));
    ndb.core.u8[ptr + at]! ^= 1;
    const out = x.alloc(8192, 0);
    const cb = ndb.bbt.cb(index);
    const wire = x.blockSeal(out, 0, ptr, 0, cb, ndb.header.crypt, bid, 0, ndb.bbt.ib(index));
    const bytes = readFileSync(enron);
    bytes.set(ndb.core.u8.subarray(out, out + wire), ndb.bbt.ib(index));
    const changed = join(folder, 'changed.pst');
    writeFileSync(changed, bytes);
    const report = verifyStores(openSource(enron), openSource(changed));
    expect(report.isIdentical).toBe(false);
    expect(report.differing).toBe(1);
    expect(report.differences).toHaveLength(1);
    expect(report.differences[0]).toMatchObject({ nid, subnodes: [], tag: 0x0037001f });
  });
});

describe('the manifest', () => {
  it('holds a digest for every node, and reads back from msgpack', () => {
    const enron = join(PACKAGED_STORES, 'enron.pst');
    const target = join(folder, 'with-manifest.pst');
    const report = cloneFile(enron, target);
    const path = writeManifest(makeManifest(report, '0'), target);
    const manifest = decode(readFileSync(path)) as Manifest;
    expect(manifest.nids).toHaveLength(report.counters.nodes);
    expect(manifest.digests).toHaveLength(32 * report.counters.nodes);
    expect(manifest.counters.messages).toBe(71);
    for (const { expected, copied } of manifest.folders) expect(copied).toBe(expected);
  });
});
