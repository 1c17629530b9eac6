/** Clones that leave out what fails, of stores made to hurt. */
import { describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { cloneStore } from '../../src/migrate/clone.js';
import { cloneWithout } from '../../src/migrate/skip.js';
import { census } from '../../src/migrate/tally.js';
import { verifyStores } from '../../src/migrate/verify.js';
import { MemoryFile } from '../memory-file.js';
import { message, Smith, text } from './smith.js';

/** A folder whose contents table has `rows` rows; the second message names subnodes that are not there. */
function storeOf(rows: number): Uint8Array {
  const smith = new Smith();
  const { bidData, bidRows } = smith.table(
    Array.from({ length: rows }, (_, k) => message(k)),
    0x3f,
  );
  const bidSub = bidRows === 0 ? 0 : smith.sub([{ nid: 0x3f, bidData: bidRows, bidSub: 0 }]);
  const body = smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')));
  const nodes = [0, 1, 2].map((k) => ({
    nid: message(k),
    bidData: body,
    bidSub: k === 1 ? 0x7ffe : 0,
    nidParent: 0x122,
  }));
  return smith.store([{ nid: 0x12e, bidData, bidSub, nidParent: 0 }, ...nodes]);
}

describe('a row goes from a table', () => {
  // Rows are hashed in batches where none goes, and one by one where one does: whatever their number, the digest is that of the bytes in order.
  it.each([10, 100, 150, 200, 300, 400, 600, 800, 1100, 1500])('of %d rows', (rows) => {
    for (const reencode of [false, true]) {
      const source = new MemoryFile('source.pst', storeOf(rows));
      let sink = new MemoryFile();
      const options = { reencode, onError: 'skip' } as const;
      const { omitted } = cloneWithout(source, options, (leaving) => {
        sink = new MemoryFile('target.pst');
        return cloneStore(source, sink, options, leaving);
      });
      expect(omitted.map(({ nid }) => nid)).toEqual([message(1)]);
      const report = verifyStores(source, sink, { made: { omitted, reencoded: reencode } });
      expect(report).toMatchObject({ differing: 0, onlyInSource: [message(1)], onlyInTarget: [] });
    }
  });
});

it('a message that is said to be left out and is there after all is no equal', () => {
  const whole = new MemoryFile('whole.pst', storeOf(10));
  let sink = new MemoryFile();
  const options = { onError: 'skip' } as const;
  cloneWithout(whole, options, (leaving) => {
    sink = new MemoryFile('target.pst');
    return cloneStore(whole, sink, options, leaving);
  });
  const report = verifyStores(sink, sink, { made: { omitted: [{ nid: message(2) }], reencoded: false } });
  expect(report.isIdentical).toBe(false);
  expect(report.differing).toBeGreaterThan(0);
});

it('a census of messages in messages, all of them shared, ends', () => {
  const smith = new Smith();
  const inner = smith.pc(new StreamWriter().set(0x001a001f, text('IPM.Note')));
  let bidSub = 0;
  for (let depth = 0; depth < 40; depth++) {
    const within = smith.sub([{ nid: 0x200024, bidData: inner, bidSub }]);
    bidSub = smith.sub([0x8025, 0x8045].map((nid) => ({ nid, bidData: inner, bidSub: within })));
  }
  const nodes = [0, 1, 2].map((k) => ({ nid: message(k), bidData: inner, bidSub, nidParent: 0x122 }));
  const count = census(new MemoryFile('source.pst', smith.store(nodes)), Core.load());
  expect(count).toMatchObject({ messages: 3, folders: 1 });
  expect(count!.attachments).toBeGreaterThan(40);
});
