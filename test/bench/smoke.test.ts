/** What the benches measure, on small stores: every reader and every build of the core must come to the same output. No times. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ratios, spread } from '../../bench/statistics.js';
import { extractEverything } from '../../bench/workloads/extractor.js';
import { floorOf } from '../../bench/workloads/floor.js';
import { readEverything } from '../../bench/workloads/read.js';
import { builtStore, enron, flat, SMALL } from '../../bench/workloads/stores.js';
import { streamWorkload } from '../../bench/workloads/streams.js';
import { cloneFile } from '../../src/migrate/clone.js';

const folder = mkdtempSync(join(tmpdir(), 'pstwright-smoke-'));
let small = '';
beforeAll(() => {
  small = builtStore(SMALL, folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('reading everything', () => {
  it('comes to the digest pst-extractor comes to, on a real store', () => {
    const ours = readEverything(enron(), { digest: true });
    expect(ours).toMatchObject({ messages: 71, attachments: 70, recipients: 127 });
    expect(extractEverything(enron(), true)).toEqual(ours);
  });

  it('and on a built one; every build of the core reads the same', () => {
    const ours = readEverything(small, { digest: true });
    expect(ours).toMatchObject({
      messages: SMALL.messages,
      attachments: SMALL.attachments,
      attachmentBytes: SMALL.attachmentBytes,
    });
    expect(extractEverything(small, true)).toEqual(ours);
    for (const build of ['raw', 'paranoid'] as const)
      expect(readEverything(small, { digest: true, build })).toEqual(ours);
  });

  it('tallies the same without digests, as timed runs do', () => {
    const { digest, ...counts } = readEverything(small, { digest: true });
    expect(digest).toHaveLength(64);
    expect(readEverything(small)).toEqual({ ...counts, digest: '' });
    expect(extractEverything(small)).toEqual({ ...counts, digest: '' });
  });
});

it('the floor reads every block and finds each sound', () => {
  for (const path of [enron(), small]) {
    const { blocks, bytes, badBlocks } = floorOf(path)();
    expect(badBlocks).toBe(0);
    expect(blocks).toBeGreaterThan(200);
    expect(bytes).toBeGreaterThan(1_000_000);
  }
});

it('clones by every build of the core are the same, and hold what the source holds', () => {
  const clones = (['raw', 'core', 'paranoid'] as const).map((build) => {
    const path = join(folder, `${build}.pst`);
    return { path, report: cloneFile(small, path, { core: build }) };
  });
  for (const { path, report } of clones) {
    expect(report.contentDigest).toEqual(clones[0]!.report.contentDigest);
    expect(readEverything(path, { digest: true })).toEqual(readEverything(small, { digest: true }));
  }
});

it('property streams and heaps under every setting of the page heap are the same', () => {
  const cycles = ['off', 'full', 'normal', 'random=10', 'paranoid'].map((words) =>
    streamWorkload(small, words).cycle(),
  );
  expect(cycles[0]!.read).toBeGreaterThan(10_000);
  for (const cycle of cycles) expect(cycle).toEqual(cycles[0]);
});

it('one folder takes many messages', () => {
  const path = builtStore(flat(500), folder);
  expect(readEverything(path).messages).toBe(500);
  expect(extractEverything(path).messages).toBe(500);
});

describe('statistics', () => {
  it('gives median, least and greatest', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, count: 3 });
    expect(spread([4, 1, 2, 3]).median).toBe(2.5);
  });
  it('takes ratios pair by pair', () => {
    expect(ratios([2, 30, 8], [1, 10, 2])).toMatchObject({ median: 3, min: 2, max: 4 });
  });
});
