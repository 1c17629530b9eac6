/**
 * Damage in the file, in every way that ends a clone: the bundle reproduces it, minimised it still does and a second pass finds nothing that
 * could go, redacted it still does and none of the source's strings is in it, raw or decoded.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { FULL } from '../../src/core/options.js';
import { UsageError } from '../../src/errors.js';
import { openSource } from '../../src/host/file.js';
import { memoryFile } from '../../src/host/memory.js';
import { cloneStore } from '../../src/migrate/clone.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { type Bundle, decodeBundle, encodeBundle, inputBytes, type Outcome } from '../../src/replay/bundle.js';
import { Capture } from '../../src/replay/capture.js';
import { minimise } from '../../src/replay/minimise.js';
import { writeDamagedStore } from '../../src/replay/pst.js';
import { redact } from '../../src/replay/redact.js';
import { replay } from '../../src/replay/replay.js';
import { DAMAGES, type Damage, SECRETS } from './damages.js';
import { leftOver } from './left-over.js';

function captured({ make, reencode = false }: Damage): Bundle {
  const source = memoryFile('kestrel-archive.pst', make());
  const capture = new Capture({ engine: 'test', build: 'core', reencode, pageheap: FULL });
  try {
    cloneStore(source, memoryFile('target'), { reencode, recorder: capture });
  } catch (error) {
    const bundle = capture.bundle(source, error);
    if (bundle !== undefined) return bundle;
    throw error;
  }
  throw new Error('the clone did not fail');
}

const carried = (bundle: Bundle): Bundle => decodeBundle(encodeBundle(bundle), 'carried');

/** What --pst comes to: a store in which reading the node raises the same error, or a refusal that says why. */
function pstOf(bundle: Bundle, name: string): 'written' | string {
  const path = join(folder, `${name.replace(/\W/g, '')}.pst`);
  let nid: number;
  try {
    nid = writeDamagedStore(path, bundle);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(/^no PST is written: .{20}/);
    expect(existsSync(path)).toBe(false);
    return (error as UsageError).code;
  }
  const source = openSource(path);
  try {
    cloneStore(source, memoryFile('target'), { reencode: bundle.policy.reencode });
    return 'no error';
  } catch (error) {
    const { code, where } = bundle.outcome as Extract<Outcome, { kind: 'error' }>;
    const { field } = where;
    expect(error).toMatchObject({ code, where: { ...(field && { field }), ...(where.nid && { nid }) } });
    // All but the node is a store like any other.
    expect(() => Ndb.open(source, Core.load(), { strict: true })).not.toThrow();
    return 'written';
  } finally {
    source.close();
  }
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-damage-'));
});

const lines: string[] = [];
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  console.log(lines.join('\n'));
});

describe.each(DAMAGES)('$name', (damage) => {
  const { name, code, field, operation, isWhole, pst } = damage;

  it(`is ${code}, and so it stays, minimised and redacted`, () => {
    const bundle = carried(captured(damage));
    expect(bundle.operation.kind).toBe(operation);
    expect(bundle.outcome).toMatchObject({ kind: 'error', code });
    if (field !== undefined && bundle.outcome.kind === 'error') expect(bundle.outcome.where.field).toBe(field);
    expect(replay(bundle)).toMatchObject({ isReproduced: true, differences: [] });

    const started = performance.now();
    const small = minimise(bundle);
    const ms = performance.now() - started;
    expect(small).toMatchObject({ isIrreducible: true, unit: 'pieces' });
    expect(replay(carried(small.bundle))).toMatchObject({ isReproduced: true, differences: [] });
    if (isWhole) expect(small.after).toBeLessThanOrEqual(small.before);
    else expect(small.after).toBeLessThan(small.before);
    expect(minimise(small.bundle)).toMatchObject({ after: small.after, isIrreducible: true });

    const hidden = redact(bundle);
    expect(hidden.refused).toBeUndefined();
    expect(replay(carried(hidden.bundle))).toMatchObject({ isReproduced: true, differences: [] });
    expect(hidden.bundle.redaction).toEqual({ replaced: hidden.replaced, kept: hidden.kept });
    expect(leftOver(hidden.bundle, SECRETS)).toEqual([]);
    const both = redact(small.bundle);
    expect(replay(carried(both.bundle))).toMatchObject({ isReproduced: true, differences: [] });
    expect(leftOver(both.bundle, SECRETS)).toEqual([]);
    expect(pstOf(small.bundle, name)).toBe(pst ?? 'REFUSED');
    const share = (100 * small.after) / Math.max(1, small.before);
    lines.push(
      `${code} ${name}: ${small.before} -> ${small.after} (${share.toFixed(1)} %), ${small.replays} replays, ${ms.toFixed(0)} ms; ` +
        `${hidden.replaced} hidden in ${inputBytes(hidden.bundle)} bytes, kept: ${hidden.kept.join(' | ') || 'nothing'}`,
    );
  }, 60_000);
});

describe('the search for strings', () => {
  it('finds them in the bundles as they were captured', () => {
    const found = new Set(
      DAMAGES.filter(({ operation }) => operation === 'node').flatMap((each) => leftOver(captured(each), SECRETS)),
    );
    expect([...found].sort()).toEqual([...SECRETS].sort());
  });
});

it('the core is the shipped one', () => {
  expect(Core.settings).toBe(FULL);
});
