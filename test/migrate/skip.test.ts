/** Clones that go on without what fails: a sound target, exactly the broken items listed, everything else as it was. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { InjectedFault } from '../../src/core/fault.js';
import { FULL } from '../../src/core/options.js';
import { openSource } from '../../src/host/file.js';
import { type CloneReport, cloneFile } from '../../src/migrate/clone.js';
import { makeManifest, readManifest, writeManifest } from '../../src/migrate/manifest.js';
import { EssentialError } from '../../src/migrate/omission.js';
import { checkTally, tallyOfCopy } from '../../src/migrate/tally.js';
import { type Made, type VerifyReport, verifyStores } from '../../src/migrate/verify.js';
import { NID_TYPE, nidType } from '../../src/wire/nid.js';
import { compilePlanted } from '../planted/crimes.js';
import { type Extracted, hasProgram, pffexport, readpst } from '../readers.js';
import { findStore } from '../stores.js';
import {
  associatedOf,
  blocksOf,
  dataOf,
  findingsOf,
  makeStore,
  messagesOf,
  nidsOf,
  ruleCounts,
  withStore,
  wound,
} from './wounds.js';

let folder = '';
let store = '';
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-skip-'));
  store = makeStore(join(folder, 'store.pst'));
});
afterEach(() => {
  Core.settings = FULL;
  Core.substitute('core', undefined);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fresh = (): string => join(folder, `t${++count}.pst`);

function compare(source: string, target: string, made?: Made): VerifyReport {
  const [a, b] = [openSource(source), openSource(target)];
  try {
    return verifyStores(a, b, made === undefined ? {} : { made });
  } finally {
    a.close();
    b.close();
  }
}

/** What must be so of every target that lacks items. */
function expectExact(source: string, target: string, report: CloneReport): void {
  const messages = report.omitted.filter(({ of }) => of === undefined).map(({ nid }) => nid);
  const verified = compare(source, target, report);
  expect(verified.differences).toEqual([]);
  expect(verified.onlyInTarget).toEqual([]);
  expect(verified.onlyInSource).toEqual(messages);
  expect(verified.rebuilt).toEqual(report.rebuilt.map(({ nid }) => nid));
  expect(verified.isIdentical).toBe(report.omitted.length + report.rebuilt.length === 0);
  withStore(target, ({ nbt }) => {
    for (const nid of messages) expect(nbt.find(nid)).toBe(-1);
    expect(nbt.count).toBe(report.counters.nodes);
  });
  checkTally(tallyOfCopy(report), 'the clone');
  expect(existsSync(`${target}.partial`)).toBe(false);
}

/** Everything that is in `part` is in `whole`, byte by byte, but for `changed` files; and `whole` has more. */
function expectPart(part: Extracted, whole: Extracted, changed: number): void {
  const left = new Map<string, number>();
  for (const digest of whole.digests) left.set(digest, (left.get(digest) ?? 0) + 1);
  let strangers = 0;
  for (const digest of part.digests) {
    const n = left.get(digest) ?? 0;
    if (n === 0) strangers++;
    left.set(digest, n - 1);
  }
  expect(strangers).toBe(changed);
  expect(part.files).toBeLessThan(whole.files);
}

describe.each([false, true])('re-encoded: %s', (reencode) => {
  const skip = (source: string, target: string): CloneReport =>
    cloneFile(source, target, { reencode, onError: 'skip' });

  it('of a sound store the clone is the same, byte for byte', () => {
    expect(findingsOf(store, 'own')).toEqual([]);
    const [a, b] = [fresh(), fresh()];
    expect(skip(store, a)).toMatchObject({ omitted: [], indexes: [] });
    cloneFile(store, b, { reencode });
    expect(readFileSync(a).equals(readFileSync(b))).toBe(true);
  });

  it('a message whose data are broken goes, whichever it is', () => {
    for (const nid of [...messagesOf(store), ...associatedOf(store)]) {
      const [source, target] = [wound(store, fresh(), [dataOf(store, nid)]), fresh()];
      const report = skip(source, target);
      const kind = nidType(nid) === NID_TYPE.ASSOC_MESSAGE ? 'associated message' : 'message';
      expect(report.omitted).toHaveLength(1);
      expect(report.omitted[0]).toMatchObject({ nid, kind, cause: 'damage', code: 'PST_BAD_CRC' });
      expect(report.omitted[0]!.path.slice(0, 2)).toEqual(['Top of Outlook data file', 'Inbox']);
      expect(report.omitted[0]!.where).toMatchObject({ nid, bid: dataOf(store, nid) });
      expect(findingsOf(target, 'own')).toEqual([]);
      expectExact(source, target, report);
    }
  });

  it('a broken block anywhere in a message costs the message, or an attachment alone', () => {
    const nid = messagesOf(store)[2]!;
    const kinds = new Set<string>();
    for (const bid of blocksOf(store, nid)) {
      const [source, target] = [wound(store, fresh(), [bid]), fresh()];
      const report = skip(source, target);
      expect(report.omitted).toHaveLength(1);
      const [item] = report.omitted;
      kinds.add(item!.kind);
      expect(item!.of ?? item!.nid).toBe(nid);
      expect(findingsOf(target, 'own')).toEqual([]);
      expectExact(source, target, report);
    }
    expect([...kinds].sort()).toEqual(['attachment', 'message']);
  });

  it('all attachments of a message broken: it arrives without any, and says so', () => {
    const nid = messagesOf(store)[5]!;
    const bids = withStore(store, (ndb) => {
      const subnodes = ndb.subnodes(ndb.nbt.bidSub(ndb.nbt.find(nid)), {});
      return Array.from({ length: subnodes.count }, (_, k) => k)
        .filter((k) => nidType(subnodes.nid(k)) === NID_TYPE.ATTACHMENT)
        .map((k) => subnodes.bidData(k));
    });
    expect(bids).toHaveLength(3);
    const [source, target] = [wound(store, fresh(), bids), fresh()];
    const report = skip(source, target);
    expect(report.omitted.map(({ kind, of }) => [kind, of])).toEqual(Array(3).fill(['attachment', nid]));
    expect(report.failed).toMatchObject({ nodes: 0, messages: 0, attachments: 3, embedded: 1 });
    expect(findingsOf(target, 'own')).toEqual([]);
    expectExact(source, target, report);
  });

  describe('a contents table that is broken', () => {
    const tables = (): number[] => [
      ...nidsOf(store, NID_TYPE.CONTENTS_TABLE),
      ...nidsOf(store, NID_TYPE.ASSOC_CONTENTS_TABLE),
    ];
    const isOwn = (nid: number): boolean => blocksOf(store, nid).length > 0; // empty ones share the template's block

    it('is made anew from its messages: only the versions of its rows differ', () => {
      const own = tables().filter(isOwn);
      expect(own).toHaveLength(3);
      for (const nid of own) {
        for (const bid of blocksOf(store, nid)) {
          const [source, target] = [wound(store, fresh(), [bid]), fresh()];
          const report = skip(source, target);
          expect(report.omitted).toEqual([]);
          expect(report.rebuilt).toHaveLength(1);
          expect(report.rebuilt[0]).toMatchObject({
            nid,
            kind: 'contents table',
            cause: 'damage',
            code: 'PST_BAD_CRC',
          });
          expect(findingsOf(target, 'own')).toEqual([]);
          expectExact(source, target, report);
          const { differences, onlyInSource, onlyInTarget } = compare(store, target);
          expect([onlyInSource, onlyInTarget]).toEqual([[], []]);
          // A long value of a row lies in a subnode, which has another name now.
          const others = differences.filter(
            ({ tag, message }) => tag !== 0x67f30003 && !/HNID|^subnode only/.test(message),
          );
          expect(others).toEqual([]);
          expect(new Set(differences.map((difference) => difference.nid))).toEqual(new Set([nid]));
          expect(tallyOfCopy(report).nodes.failed).toBe(0);
        }
      }
    });

    it('and a message of it, too, and an attachment of another: the counts are counted', () => {
      const [m0, , m2] = messagesOf(store) as [number, number, number];
      const attachment = withStore(store, (ndb) => {
        const subnodes = ndb.subnodes(ndb.nbt.bidSub(ndb.nbt.find(m2)), {});
        return subnodes.bidData(
          Array.from({ length: subnodes.count }, (_, k) => k).findLast((k) => nidType(subnodes.nid(k)) === 5)!,
        );
      });
      const table = tables().filter(isOwn)[0]!;
      const source = wound(store, fresh(), [dataOf(store, m0), attachment, dataOf(store, table)]);
      const target = fresh();
      const report = skip(source, target);
      expect(report.omitted.map(({ nid, of }) => of ?? nid)).toEqual([m0, m2]);
      expect(report.rebuilt.map(({ nid }) => nid)).toEqual([table]);
      expect(findingsOf(target, 'own')).toEqual([]);
      expectExact(source, target, report);
      const manifest = readManifest(writeManifest(makeManifest(report, '0'), target))!;
      expect(manifest.rebuilt).toEqual(report.rebuilt);
      expectExact(source, target, { ...report, omitted: manifest.omitted, rebuilt: manifest.rebuilt });
    });
  });

  it('a value that a message shares with its row goes with both', () => {
    const nid = messagesOf(store)[4]!;
    const shared = withStore(store, (ndb) => {
      const subnodes = ndb.subnodes(ndb.nbt.bidSub(ndb.nbt.find(nid)), {});
      const bids = Array.from({ length: subnodes.count }, (_, k) => subnodes.bidData(k));
      return bids.filter((bid) => ndb.bbt.cRef(ndb.bbt.find(bid)) === 3);
    });
    expect(shared).toHaveLength(1); // the display list of 120 recipients
    const [source, target] = [wound(store, fresh(), shared), fresh()];
    const report = skip(source, target);
    expect(report.omitted.map((item) => item.nid)).toEqual([nid]);
    expect(findingsOf(target, 'own')).toEqual([]);
    expectExact(source, target, report);
  });

  describe('many at once', () => {
    let source = '';
    let target = '';
    let whole = '';
    let report: CloneReport;
    beforeAll(() => {
      const [m0, m1, m2, m3] = messagesOf(store) as [number, number, number, number];
      const [a0] = associatedOf(store) as [number];
      const attachment = withStore(store, (ndb) => {
        const subnodes = ndb.subnodes(ndb.nbt.bidSub(ndb.nbt.find(m2)), {});
        const at = Array.from({ length: subnodes.count }, (_, k) => k).find((k) => nidType(subnodes.nid(k)) === 5)!;
        return subnodes.bidData(at);
      });
      const bids = [...[m0, m1, a0].map((nid) => dataOf(store, nid)), blocksOf(store, m3).at(-1)!, attachment];
      [source, target, whole] = [wound(store, fresh(), bids), fresh(), fresh()];
      report = skip(source, target);
      cloneFile(store, whole, { reencode });
    });

    it('exactly those are listed, counted and missing', () => {
      const [m0, m1, m2, m3] = messagesOf(store);
      const items = report.omitted.map(({ nid, of }) => of ?? nid);
      expect(items.sort()).toEqual([m0, m1, m2, m3, associatedOf(store)[0]].sort());
      const tally = tallyOfCopy(report);
      expect(tally.messages).toMatchObject({ expected: 10, skipped: 0, failed: 3 });
      expect(tally.associated).toMatchObject({ expected: 2, failed: 1 });
      expect(tally.attachments).toMatchObject({ expected: 6, failed: 1 });
      expect(tally.messages.copied + tally.messages.rewritten).toBe(7);
      expect(tally.messages.rewritten).toBe(reencode ? 7 : 1); // the one without its attachment
      expectExact(source, target, report);
      expect(findingsOf(target, 'own')).toEqual([]);
    });

    it('a verify that is not told sees them too, and what follows from them', () => {
      const verified = compare(source, target);
      expect(verified.onlyInSource).toHaveLength(4);
      expect(verified.onlyInTarget).toEqual([]);
      const kinds = new Set(verified.differences.map(({ nid }) => nidType(nid)));
      // The message without its attachment cannot be compared: the source's is broken. The rest are tables and counts.
      expect([...kinds].sort((a, b) => a - b)).toEqual([2, 4, 13, 14, 15]);
    });

    it('the manifest has the list, without a subject', () => {
      const path = writeManifest(makeManifest(report, '0'), target);
      const manifest = readManifest(path)!;
      expect(manifest.omitted).toEqual(report.omitted);
      expect(manifest.failed.messages).toBe(3);
      expect(manifest.folders.find(({ expected }) => expected === 6)).toMatchObject({ copied: 3, copiedAssociated: 1 });
      expect(JSON.stringify(manifest.omitted)).not.toMatch(/Inbox \d|Rule \d/);
      expectExact(source, target, { ...report, omitted: manifest.omitted });
    });

    it.skipIf(!hasProgram('pffexport'))('pffexport reads the rest as in a whole clone', () => {
      expectPart(pffexport(target), pffexport(whole), 1); // it writes the size of the message without its attachment
    });

    it.skipIf(!hasProgram('readpst'))('readpst reads the rest as in a whole clone', () => {
      expectPart(readpst(target), readpst(whole), 0);
    });
  });

  it('single blocks of the store broken in turn: a sound store and a list, or the named failure of the store', () => {
    // Every second block here, the others in the other mode.
    const all = withStore(store, ({ bbt }) => [...bbt.bids.subarray(0, bbt.count)]);
    const bids = all.filter((_, k) => k % 2 === Number(reencode));
    const ends = { left: 0, named: 0 };
    for (const bid of bids) {
      const [source, target] = [wound(store, fresh(), [bid]), fresh()];
      try {
        const report = skip(source, target);
        ends.left++;
        expect(report.omitted.length + report.rebuilt.length).toBeGreaterThan(0);
        expect(findingsOf(target, 'own')).toEqual([]);
        expectExact(source, target, report);
      } catch (error) {
        if (!(error instanceof EssentialError)) throw error;
        ends.named++;
        expect(error.message).toMatch(/^[A-Z0-9_]+ 0x[0-9a-f]+ is no item that can be left out: .*CRC/);
        expect(existsSync(target)).toBe(false);
      }
      for (const path of [source, target]) rmSync(path, { force: true });
    }
    expect(ends.left).toBeGreaterThan(40);
    expect(ends.named).toBeGreaterThan(5);
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
  }, 120_000);

  it('injected faults: the same, whatever fails', () => {
    const ends = { whole: 0, left: 0, named: 0 };
    for (const rate of [3, 10, 30]) {
      for (let seed = 1; seed <= 12; seed++) {
        const target = fresh();
        Core.settings = { ...FULL, seed, fault: { rate, after: 150 } };
        let report: CloneReport | undefined;
        try {
          report = skip(store, target);
        } catch (error) {
          if (!(error instanceof EssentialError || error instanceof InjectedFault)) throw error;
          ends.named++;
          expect(existsSync(target)).toBe(false);
        }
        Core.settings = FULL;
        if (report === undefined) continue;
        ends[report.omitted.length === 0 ? 'whole' : 'left']++;
        for (const item of report.omitted) expect(item).toMatchObject({ cause: 'injected', code: 'FAULT_INJECTED' });
        expect(findingsOf(target, 'own')).toEqual([]);
        expectExact(store, target, report);
      }
    }
    for (const end of Object.values(ends)) expect(end).toBeGreaterThan(0);
  }, 120_000);

  it('a verifier stop: a fresh core goes on, and the message is left out', async () => {
    const named = makeStore(fresh(), 'a name of more than thirteen characters.bin');
    const wasm = await compilePlanted('core');
    const CRIME = 2; // a buffer for 13 characters, in the name of an attachment
    Core.substitute('core', wasm, (core) => (core.x as unknown as { plant(n: number): void }).plant(CRIME));
    const target = fresh();
    expect(() => cloneFile(named, target, { reencode })).toThrow(/attachment|PidTag|overrun|past the end/);
    const report = skip(named, target);
    Core.substitute('core', undefined);
    const [, , m2, , , m5] = messagesOf(named);
    expect(report.omitted.map(({ nid, cause, code }) => [nid, cause, code])).toEqual([
      [m2, 'stop', 'CORE_FAULT'],
      [m5, 'stop', 'CORE_FAULT'],
    ]);
    expect(findingsOf(target, 'own')).toEqual([]);
    expectExact(named, target, report);
  }, 60_000);

  it('stop, the default, is as before', () => {
    const source = wound(store, fresh(), [dataOf(store, messagesOf(store)[1]!)]);
    const target = fresh();
    for (const options of [{ reencode }, { reencode, onError: 'stop' as const }]) {
      expect(() => cloneFile(source, target, options)).toThrow(/stored CRC/);
      expect(existsSync(target)).toBe(false);
    }
  });
});

describe('real stores', () => {
  /** A store Outlook has written, with a search folder that lists a message, and a message index. */
  const listed = findStore('dist-list.pst');

  it.skipIf(listed === undefined)('the rows of search folders go, too, and the message index with them', () => {
    const { path } = listed!;
    const nid = 0x2000c4; // the search folder 0x80023 has found it
    const [source, target] = [wound(path, fresh(), [dataOf(path, nid)]), fresh()];
    const report = cloneFile(source, target, { onError: 'skip' });
    expect(report.omitted.map((item) => item.nid)).toEqual([nid]);
    withStore(target, ({ nbt }) => expect(nbt.find(0xe01) < 0).toBe(report.indexes.length > 0));
    const [before, after] = [ruleCounts(path), ruleCounts(target)];
    for (const [rule, n] of Object.entries(after)) expect(n, rule).toBeLessThanOrEqual(before[rule] ?? 0);
    expectExact(source, target, report);
    // Without the rows taken out check would have said so: the search folder names a message that is not there.
    expect(after['folder.search-row'] ?? 0).toBe(0);
    expect(after['folder.search-count'] ?? 0).toBe(before['folder.search-count'] ?? 0);
  });

  const stores = [
    'variousBodyTypes.pst',
    'four_nesting_levels.pst',
    'attachAndInline.pst',
    'contacts.pst',
    'test_unicode.pst',
    'enron.pst',
  ]
    .map(findStore)
    .filter((found) => found !== undefined);

  it.each(stores.map(({ path }) => [basename(path), path]))(
    '%s gains no finding, whichever message or table breaks',
    (_, path) => {
      const before = ruleCounts(path);
      const tables = nidsOf(path, NID_TYPE.CONTENTS_TABLE).filter(
        (nid) => nid > 0x1000 && blocksOf(path, nid).length > 0,
      );
      for (const table of tables.slice(0, 3)) {
        const [source, target] = [wound(path, fresh(), [dataOf(path, table)]), fresh()];
        const report = cloneFile(source, target, { onError: 'skip' });
        expect(report.rebuilt.map(({ nid }) => nid)).toEqual([table]);
        for (const [rule, n] of Object.entries(ruleCounts(target))) {
          expect(n, `${rule} with ${table} anew`).toBeLessThanOrEqual(before[rule] ?? 0);
        }
        expectExact(source, target, report);
      }
      for (const nid of [...messagesOf(path).slice(0, 6), ...associatedOf(path).slice(0, 2)]) {
        const own = blocksOf(path, nid);
        for (const bid of new Set([own[0], own.at(-1)])) {
          if (bid === undefined) continue;
          const [source, target] = [wound(path, fresh(), [bid]), fresh()];
          const report = cloneFile(source, target, { onError: 'skip' });
          expect(report.omitted.map((item) => item.of ?? item.nid)).toEqual([nid]);
          for (const [rule, n] of Object.entries(ruleCounts(target))) {
            expect(n, `${rule} without ${nid}`).toBeLessThanOrEqual(before[rule] ?? 0);
          }
          expectExact(source, target, report);
          for (const file of [source, target]) rmSync(file);
        }
      }
    },
    120_000,
  );
});
