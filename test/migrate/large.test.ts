/**
 * One store that is larger than every structure that holds it: 30,000 messages in one folder, a 60 MB attachment (XXBLOCK), 3,000 subnodes on one node
 * (SIBLOCK), 2,000 named properties, more than 300 MB (AMaps, PMaps, FMaps). It round-trips like the small ones.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dice } from '../../src/build/dice.js';
import { buildStore } from '../../src/build/store.js';
import { checkStore } from '../../src/check/check.js';
import { Core } from '../../src/core/core.js';
import { openSource } from '../../src/host/file.js';
import { PtypInteger32, tagOf } from '../../src/mapi/type.js';
import { cloneFile } from '../../src/migrate/clone.js';
import { verifyStores } from '../../src/migrate/verify.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { hasProgram, readpst } from '../readers.js';

const MINUTES = 60_000;
const MESSAGES = 30_000;
const BIG = 60_000_001;
const SUBNODES = 3000;
const NAMES = 2000;

let folder = '';
let path = '';

function* pieces(size: number): Generator<Uint8Array> {
  const noise = new Dice(7).bytes(1 << 20);
  for (let done = 0; done < size; done += noise.length) yield noise.subarray(0, Math.min(noise.length, size - done));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pstwright-largest-'));
  path = join(folder, 'largest.pst');
  const text = 'the quick brown fox jumps over the lazy dog. '.repeat(20);
  buildStore(path, { recordKey: new Dice(3).bytes(16), now: new Date(0), trust: true }, (b) => {
    const set = '00062008-0000-0000-c000-000000000046';
    const inbox = b.ipmSubtree.folder('Inbox');
    for (let k = 0; k < MESSAGES; k++) {
      const properties = k < NAMES ? { [tagOf(b.named(set, 0x9000 + k), PtypInteger32)]: k } : {};
      inbox.message({ subject: `Message ${k}`, body: text, to: ['Ann <ann@example.org>'], properties });
    }
    const large = b.ipmSubtree.folder('Large');
    for (let k = 0; k < 4; k++) {
      large.message({ subject: `Large ${k}`, attachments: [{ name: 'large.bin', data: pieces(BIG) }] });
    }
    const attachments = Array.from({ length: SUBNODES }, (_, k) => ({
      name: `${k}.txt`,
      data: new TextEncoder().encode(`attachment ${k}`),
    }));
    large.message({ subject: 'Many', attachments });
  });
}, 4 * MINUTES);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the largest store', () => {
  it(
    'is what it is meant to be',
    () => {
      expect(statSync(path).size).toBeGreaterThan(300e6);
      const ndb = Ndb.open(openSource(path), Core.load(), { strict: true });
      const most = Array.from({ length: ndb.nbt.count }, (_, i) => ndb.subnodes(ndb.nbt.bidSub(i), {}).count);
      expect(Math.max(...most)).toBeGreaterThanOrEqual(SUBNODES);
      ndb.close();
      expect(checkStore(openSource(path), Core.load(), { profile: 'own' }).findings).toEqual([]);
    },
    MINUTES,
  );

  it.each([false, true])(
    'round-trips (re-encoded: %s), in 512 MB',
    (reencode) => {
      const target = join(folder, 'target.pst');
      const report = cloneFile(path, target, { reencode });
      expect(report.findings).toEqual([]);
      expect(report.counters).toMatchObject({
        messages: MESSAGES + 5,
        attachments: SUBNODES + 4,
        recipients: MESSAGES,
      });
      expect(report.layout.fmaps).toBeGreaterThanOrEqual(2);
      expect(report.peakCore).toBeLessThan(512 << 20);
      const verified = verifyStores(openSource(path), openSource(target));
      expect(verified.differences).toEqual([]);
      expect(verified.isIdentical).toBe(true);
      expect(checkStore(openSource(target), Core.load(), { profile: 'own' }).findings).toEqual([]);
      rmSync(target);
    },
    3 * MINUTES,
  );

  it.skipIf(!hasProgram('readpst'))(
    'reads the same in readpst after a clone',
    () => {
      const target = join(folder, 'target.pst');
      cloneFile(path, target);
      expect(readpst(target)).toEqual(readpst(path));
      rmSync(target);
    },
    4 * MINUTES,
  );
});
