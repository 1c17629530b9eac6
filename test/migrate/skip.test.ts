/** Clones that go on without what fails: a sound target, exactly the broken items listed, everything else as it was. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneFile } from '../../src/migrate/clone.js';
import { associatedOf, blocksOf, dataOf, findingsOf, makeStore, messagesOf, withStore, wound } from './wounds.js';

let folder = '';
let store = '';
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-skip-'));
  store = makeStore(join(folder, 'store.pst'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fresh = (): string => join(folder, `t${++count}.pst`);

describe.each([false, true])('re-encoded: %s', (reencode) => {
  it('the store is sound, and skip changes nothing of its clone', () => {
    expect(findingsOf(store, 'own')).toEqual([]);
    const report = cloneFile(store, fresh(), { reencode, onError: 'skip' });
    expect(report.omitted).toEqual([]);
  });

  it('a message with a broken block is left out, and the rest agrees', () => {
    for (const nid of [...messagesOf(store), ...associatedOf(store)]) {
      const target = fresh();
      const report = cloneFile(wound(store, fresh(), [dataOf(store, nid)]), target, { reencode, onError: 'skip' });
      expect(report.omitted.map((item) => item.nid)).toEqual([nid]);
      expect(findingsOf(target, 'own')).toEqual([]);
      withStore(target, ({ nbt }) => expect(nbt.find(nid)).toBe(-1));
    }
    expect(blocksOf(store, messagesOf(store)[0]!).length).toBeGreaterThan(0);
  });
});
