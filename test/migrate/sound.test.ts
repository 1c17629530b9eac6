/** A clone is as sound as its source: `check` finds nothing in it that the source does not have, and no fault of structure of its own. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStore } from '../../src/check/check.js';
import type { Finding } from '../../src/check/findings.js';
import { Core } from '../../src/core/core.js';
import { openSource } from '../../src/host/file.js';
import { cloneFile } from '../../src/migrate/clone.js';
import { realStores } from '../stores.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-sound-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A tree page of this one is overwritten: it cannot be cloned. */
const DAMAGED = 'aspose-email__AddingBulkMessagesWithImprovedPerformance.pst';
const stores = realStores().filter(({ name, path }) => name !== DAMAGED && readFileSync(path).readUInt16LE(10) === 23);

const findings = (path: string): readonly Finding[] => {
  const source = openSource(path);
  const report = checkStore(source, Core.load(), { profile: 'foreign' });
  source.close();
  return report.findings;
};

/** What is found and where; numbers that depend on the layout are left out. */
const named = ({ rule, severity, nid }: Finding): string => `${severity} ${rule} ${nid ?? ''}`;

/** Findings of `target` that `source` has not, each counted. */
function added(source: readonly Finding[], target: readonly Finding[]): Finding[] {
  const left = new Map<string, number>();
  for (const finding of source) left.set(named(finding), (left.get(named(finding)) ?? 0) + 1);
  return target.filter((finding) => {
    const n = left.get(named(finding)) ?? 0;
    left.set(named(finding), n - 1);
    return n <= 0;
  });
}

describe.each(stores)('$name', ({ name, path }) => {
  it.each([false, true])('gains no finding (re-encoded: %s)', (reencode) => {
    const target = join(folder, `${reencode ? 're-' : ''}${name}`);
    cloneFile(path, target, { reencode });
    const before = findings(path);
    const after = findings(target);
    expect(added(before, after)).toEqual([]);
    // Structure is ours: only a heap block that was kept as it is may bring a fault of the source along.
    const structural = after.filter(({ kind, severity }) => kind === 'structure' && severity === 'error');
    const isFromHeaps = ({ rule }: Finding): boolean => /^(hn|bth|pc|tc)\./.test(rule);
    expect(structural.filter((finding) => reencode || !isFromHeaps(finding))).toEqual([]);
    rmSync(target);
  });
});
