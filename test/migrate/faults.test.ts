/** Every allocation of a clone made to fail, one at a time: a clear error, no target, nothing left, and the next run succeeds. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildStore } from '../../src/build/store.js';
import { Core } from '../../src/core/core.js';
import { InjectedFault } from '../../src/core/fault.js';
import { FULL } from '../../src/core/options.js';
import { openSource } from '../../src/host/file.js';
import { cloneFile } from '../../src/migrate/clone.js';
import type { Ndb } from '../../src/ndb/ndb.js';
import { Capture } from '../../src/replay/capture.js';
import { replay } from '../../src/replay/replay.js';

let folder = '';
const key = (n: number): Uint8Array => new Uint8Array(16).fill(n);
const STORES = ['empty', 'mail', 'attachments'] as const;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-faults-'));
  buildStore(join(folder, 'empty.pst'), { recordKey: key(1) }, () => {});
  buildStore(join(folder, 'mail.pst'), { recordKey: key(2) }, (b) => {
    const inbox = b.ipmSubtree.folder('Inbox');
    for (let k = 0; k < 4; k++) {
      inbox.message({ subject: `Message ${k}`, body: 'text '.repeat(k * 400), to: ['Ann <ann@example.org>'] });
    }
  });
  buildStore(join(folder, 'attachments.pst'), { recordKey: key(3) }, (b) => {
    b.ipmSubtree.folder('Inbox').message({
      subject: 'With attachments',
      body: 'text',
      to: ['Ann <ann@example.org>'],
      attachments: [
        { name: 'one.bin', data: new Uint8Array(20_000).fill(7) },
        { message: { subject: 'Inside', body: 'text' } },
      ],
    });
  });
});
afterEach(() => {
  Core.settings = FULL;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Blocks the core takes while it clones a store. */
function allocationsOf(source: string, reencode: boolean): number {
  // A fault far behind the last allocation: the run is as under injection, and nothing fails.
  Core.settings = { ...FULL, fault: { rate: 10_000, after: 0x7fffffff } };
  const counts: number[] = [];
  const target = join(folder, 'counted.pst');
  let ndb: Ndb | undefined;
  cloneFile(source, target, {
    reencode,
    recorder: {
      onRead() {},
      onLookup() {},
      opened(opened) {
        ndb = opened;
      },
      beginNode() {},
      endNodes() {
        counts.push(ndb!.core.x.allocations());
      },
    },
  });
  rmSync(target);
  return counts[0]!;
}

describe.each(STORES)('%s', (name) => {
  it.each([false, true])(
    'fails at every allocation in turn (re-encoded: %s), and leaves nothing',
    (reencode) => {
      const source = join(folder, `${name}.pst`);
      const target = join(folder, 'target.pst');
      const total = allocationsOf(source, reencode);
      expect(total).toBeGreaterThan(50);
      for (let n = 0; n < total; n++) {
        Core.settings = { ...FULL, fault: { rate: 10_000, after: n } };
        let error: unknown;
        try {
          cloneFile(source, target, { reencode });
        } catch (caught) {
          error = caught;
        }
        expect(error, `allocation ${n + 1} of ${total}`).toBeInstanceOf(InjectedFault);
        expect((error as Error).message).toMatch(
          /allocation \d+ of the operation, \d+ bytes? for .+, was made to fail/,
        );
        expect(readdirSync(folder).filter((file) => file.startsWith('target'))).toEqual([]);
      }
      Core.settings = FULL;
      cloneFile(source, target, { reencode });
      expect(existsSync(target)).toBe(true);
      rmSync(target);
    },
    120_000,
  );
});

describe('an injected fault', () => {
  it('is captured and reproduces at the same allocation', () => {
    const path = join(folder, 'attachments.pst');
    for (const after of [0, 100, 333]) {
      const settings = { ...FULL, fault: { rate: 10_000, after } };
      Core.settings = settings;
      const capture = new Capture({ engine: 'test', build: 'core', reencode: true, pageheap: settings });
      const source = openSource(path);
      let bundle: ReturnType<Capture['bundle']>;
      try {
        cloneFile(path, join(folder, 'captured.pst'), { reencode: true, recorder: capture });
      } catch (error) {
        bundle = capture.bundle(source, error);
      }
      source.close();
      Core.settings = FULL;
      expect(bundle?.outcome.kind).toBe('fault');
      expect(replay(bundle!)).toMatchObject({ isReproduced: true, differences: [] });
    }
  });

  it('ends the program with exit code 2 and one sentence', () => {
    const cli = (args: string[]): { status: number; stderr: string } => {
      try {
        execFileSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], { stdio: 'pipe' });
        return { status: 0, stderr: '' };
      } catch (error) {
        const { status, stderr } = error as { status: number; stderr: Buffer };
        return { status, stderr: stderr.toString() };
      }
    };
    const target = join(folder, 'cli.pst');
    const { status, stderr } = cli(['clone', join(folder, 'mail.pst'), target, '--fault', '10000:40']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/was made to fail \(--fault\)/);
    expect(existsSync(target)).toBe(false);
    expect(existsSync(`${target}.partial`)).toBe(false);
  });
});
