/**
 * kill -9 at any moment: nothing is ever under the target's name but the whole store, and a rerun ends in the same bytes as an
 * undisturbed run. At every call that changes the file system, on both sides of it; and at random times.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/cli/version.js';
import { Core } from '../../src/core/core.js';
import { UsageError } from '../../src/errors.js';
import { openSource } from '../../src/host/file.js';
import { createTarget } from '../../src/host/target.js';
import { encodePc } from '../../src/ltp/pc.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { cloneFile } from '../../src/migrate/clone.js';
import { makeManifest, writeManifest } from '../../src/migrate/manifest.js';
import { verifyStores } from '../../src/migrate/verify.js';
import { StoreWriter } from '../../src/ndb/write/store-writer.js';
import { runAndKill, runProgram } from '../hostile/process.js';
import { Random } from '../hostile/random.js';

const SEED = process.env.PSTWRIGHT_SEED ?? 'kill';
const KILL_AT = fileURLToPath(new URL('../hostile/kill-at.mjs', import.meta.url));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-crash-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a store of `messages` messages with an attachment of `attachmentSize` bytes each. */
function buildStore(path: string, messages: number, attachmentSize: number): void {
  const core = Core.load();
  const target = createTarget(path);
  const writer = new StoreWriter(core, target.sink, { crypt: 1 });
  const pc = (stream: StreamWriter): number => {
    const chain = encodePc(core, stream.build(), {});
    const bid = writer.addTree(chain);
    core.x.chainFree(chain);
    return bid;
  };
  const text = (value: string): Uint8Array => Buffer.from(value, 'utf16le');
  const random = new Random(SEED, path);
  const bytes = new Uint8Array(attachmentSize);
  writer.addNode(0x21, pc(new StreamWriter().set(0x0ff90102, new Uint8Array(16).fill(9))), 0, 0);
  for (let k = 0; k < messages; k++) {
    const words = new Uint32Array(bytes.buffer, 0, attachmentSize >>> 2);
    for (let w = 0; w < words.length; w += 16) words[w] = random.u32();
    const sub = writer.addSubnodes([{ nid: 0x3f, bidData: writer.addTreeBytes(bytes), bidSub: 0 }]);
    const message = new StreamWriter().set(0x001a001f, text('IPM.Note')).set(0x0037001f, text(`subject ${k}`));
    writer.addNode(0x200024 + 32 * k, pc(message.setExternal(0x10130102, 0x3f)), sub, 0x122);
  }
  writer.finish();
  target.commit();
}

/** A run in a folder of its own, so that it can be disturbed. */
class Run {
  readonly folder = mkdtempSync(join(folder, 'run-'));
  readonly target = join(this.folder, 'target.pst');
  readonly manifest = `${this.target}.manifest`;

  constructor(readonly source: string) {}

  get args(): string[] {
    return ['clone', this.source, this.target];
  }

  /** In this process, which saves the start of another. */
  rerun(): string {
    try {
      writeManifest(makeManifest(cloneFile(this.source, this.target), VERSION), this.target);
      return 'done';
    } catch (error) {
      return error instanceof UsageError ? error.code : String(error);
    }
  }

  /** What a kill left: nothing under the target's name, or the whole store. Then another run ends as an undisturbed one. */
  mustRecover(whole: Buffer, manifest: Buffer, what: string): void {
    const left = readdirSync(this.folder);
    const allowed = ['target.pst', 'target.pst.partial', 'target.pst.manifest', 'target.pst.manifest.partial'];
    expect(
      left.filter((name) => !allowed.includes(name)),
      what,
    ).toEqual([]);
    const isThere = existsSync(this.target);
    if (isThere) expect(readFileSync(this.target).equals(whole), `${what}: a target that is not whole`).toBe(true);
    const again = this.rerun();
    expect(again, what).toBe(isThere ? 'TARGET_EXISTS' : 'done');
    expect(readFileSync(this.target).equals(whole), `${what}: the rerun`).toBe(true);
    if (!isThere) {
      expect(readdirSync(this.folder).sort(), what).toEqual(['target.pst', 'target.pst.manifest']);
      expect(readFileSync(this.manifest).equals(manifest), `${what}: the manifest`).toBe(true);
    }
    rmSync(this.folder, { recursive: true });
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? -1;

/** An undisturbed run: what every other must end in. */
function undisturbed(source: string): { whole: Buffer; manifest: Buffer; ms: number } {
  const run = new Run(source);
  const start = performance.now();
  const { status, stderr } = runProgram(run.args);
  const ms = performance.now() - start;
  expect(status, stderr).toBe(0);
  expect(verifyStores(openSource(source), openSource(run.target)).isIdentical).toBe(true);
  const done = { whole: readFileSync(run.target), manifest: readFileSync(run.manifest), ms };
  rmSync(run.folder, { recursive: true });
  return done;
}

describe('killed at a call that changes the file system', () => {
  /** Calls around the moment the target gets its name, and the first ones, all of them; of the writes between, some. */
  const SOME_WRITES = 4;

  it('leaves nothing but whole targets', { timeout: 240_000 }, () => {
    const source = join(folder, 'small.pst');
    buildStore(source, 20, 40_000);
    const { whole, manifest } = undisturbed(source);
    const list = join(folder, 'calls.json');
    const counted = new Run(source);
    runProgram(counted.args, { preload: [KILL_AT], env: { PSTWRIGHT_CALLS: list } });
    const calls = JSON.parse(readFileSync(list, 'utf8')) as string[];
    expect(calls).toContain('linkSync');

    const random = new Random(SEED, 'writes');
    const writes = calls.flatMap((name, k) => (name === 'writeSync' ? [k] : []));
    const some = new Set(Array.from({ length: SOME_WRITES }, () => random.pick(writes)));
    some.add(writes[writes.length - 1]!);
    let killed = 0;
    calls.forEach((name, k) => {
      if (name === 'writeSync' && !some.has(k)) return;
      if (name === 'closeSync') return; // changes nothing that the calls beside it do not show
      // After this call is before the next one, but for what comes between.
      for (const side of name === 'writeSync' ? ['+'] : ['-', '+']) {
        const run = new Run(source);
        const { signal } = runProgram(run.args, { preload: [KILL_AT], env: { PSTWRIGHT_KILL_AT: `${k}${side}` } });
        const what = `killed ${side === '-' ? 'before' : 'after'} call ${k}, ${name}`;
        expect(signal, what).toBe('SIGKILL');
        killed++;
        run.mustRecover(whole, manifest, what);
      }
    });
    console.log(`killed ${killed} times at ${calls.length} calls: ${[...new Set(calls)].join(', ')}`);
  });
});

describe('killed at a random time', () => {
  const KILLS = 10;

  it(`leaves nothing but whole targets (seed ${SEED})`, { timeout: 300_000 }, async () => {
    const source = join(folder, 'large.pst');
    buildStore(source, 1000, 65_536);
    const { whole, manifest, ms } = undisturbed(source);
    expect(whole.length).toBeGreaterThan(60_000_000);
    const random = new Random(SEED, 'times');
    const moments: string[] = [];
    for (let k = 0; k < KILLS; k++) {
      // By how much is written, which holds on a busy machine too; and some time after all is, while it is read back and named.
      const share = k % 2 === 0 ? random.between(0, 99) / 100 : 1;
      const later = share < 1 ? 0 : (random.between(0, 35) / 100) * ms;
      const run = new Run(source);
      const code = await runAndKill(run.args, () => sizeOf(`${run.target}.partial`) >= share * whole.length, later);
      const state = code === null ? (existsSync(run.target) ? 'named' : 'not named') : 'done';
      const moment = `at ${Math.round(share * 100)} %${later > 0 ? ` and ${later.toFixed(0)} ms` : ''}`;
      moments.push(`${moment}: ${state}`);
      run.mustRecover(whole, manifest, `killed ${moment}`);
    }
    console.log(`killed ${moments.join(', ')}`);
  });
});
