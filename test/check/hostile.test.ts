/** Stores made to hurt: `check` ends, soon, with findings. */
import { describe, expect, test } from 'vitest';
import { checkStore } from '../../src/check/check.js';
import type { CheckReport } from '../../src/check/findings.js';
import { Core } from '../../src/core/core.js';
import { PstError } from '../../src/errors.js';
import { MemoryFile } from '../memory-file.js';
import { FIRST, Patient, SECOND } from './patient.js';

/** Far above what a store of this size needs, far below a hang. */
const LIMIT_MS = 20_000;

const SEED = Number(process.env.SEED ?? 20_240_506);
const MUTANTS = 150;

/** mulberry32. */
function dice(seed: number): (n: number) => number {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

function run(bytes: Uint8Array, core = Core.load()): CheckReport | undefined {
  try {
    return checkStore(new MemoryFile('hostile.pst', bytes), core, { profile: 'foreign' });
  } catch (error) {
    if (error instanceof PstError && (error.code === 'PST_NOT_A_STORE' || error.code === 'PST_UNSUPPORTED'))
      return undefined;
    throw error;
  }
}

/** Rules of a patient after the attack, every checksum good. */
function attack(commit: (p: Patient) => void): string[] {
  const patient = new Patient();
  commit(patient);
  patient.heal();
  return patient.rules('foreign');
}

describe('mutants', () => {
  test(
    `random bytes, checksums left as they are (seed ${SEED})`,
    () => {
      const roll = dice(SEED);
      const core = Core.load();
      for (let m = 0; m < MUTANTS; m++) {
        const { bytes } = new Patient();
        for (let k = roll(8) + 1; k > 0; k--) bytes[roll(bytes.length)] = roll(256);
        run(bytes, core);
      }
      expect(core.x.pagesLive()).toBe(0); // nothing of any of them is left behind
    },
    LIMIT_MS * 3,
  );

  test(
    `random bytes in one block or page, checksums good (seed ${SEED})`,
    () => {
      const roll = dice(SEED + 1);
      for (let m = 0; m < MUTANTS; m++) {
        const patient = new Patient();
        const { bbt } = patient.ndb;
        if (roll(4) > 0) {
          const { at, size } = patient.block(bbt.bid(roll(bbt.count)));
          for (let k = roll(4) + 1; k > 0; k--) patient.bytes[at + roll(size)] = roll(256);
        } else {
          const pages = patient.treePages(roll(2) === 0 ? 'nbt' : 'bbt').flat();
          const at = patient.page(pages[roll(pages.length)]!);
          for (let k = roll(4) + 1; k > 0; k--) patient.bytes[at + roll(496)] = roll(256);
        }
        patient.heal();
        run(patient.bytes);
      }
    },
    LIMIT_MS * 3,
  );

  test(
    'cut anywhere',
    () => {
      const { bytes } = new Patient();
      for (let size = 0; size < bytes.length; size += 9973) run(bytes.slice(0, size));
    },
    LIMIT_MS,
  );
});

describe('attacks', () => {
  test('a page that is its own child', () => {
    const rules = attack((p) => {
      const [root] = p.treePages('nbt')[0]!;
      p.view.setUint32(p.page(root!) + 16, root!, true);
    });
    expect(rules).toContain('tree.shared-page');
  });

  test('a folder inside itself', () => {
    const rules = attack((p) => p.view.setUint32(p.entry('nbt', 0x80a2) + 24, 0x80c2, true));
    expect(rules).toContain('node.parent-cycle');
  });

  test('a file that claims to be larger than any', () => {
    const rules = attack((p) => {
      p.view.setUint32(184, 0, true);
      p.view.setUint32(188, 0x0010_0000, true);
    });
    expect(rules).toContain('header.file-size');
  });

  test(
    'a subnode tree that contains itself',
    () => {
      const rules = attack((p) => {
        const { bidSub } = p.node(FIRST);
        const { at } = p.block(bidSub);
        for (const k of [0, 1, 2]) p.view.setUint32(at + 8 + 24 * k + 16, bidSub, true);
      });
      expect(rules).toContain('subtree.cycle');
    },
    LIMIT_MS,
  );

  test(
    'all nodes share one message, and it is attached to itself',
    () => {
      const rules = attack((p) => {
        const { bidData, bidSub } = p.node(FIRST);
        for (let i = 0; i < p.ndb.nbt.count; i++) {
          const nid = p.ndb.nbt.nid(i);
          if ((nid & 0x1f) !== 4) continue;
          const at = p.entry('nbt', nid);
          p.view.setUint32(at + 8, bidData, true);
          p.view.setUint32(at + 16, bidSub, true);
        }
        const [, , third] = p.subnodesOf(bidSub, 5);
        const { at } = p.block(p.subnode(FIRST, third!).bidSub);
        p.view.setUint32(at + 8 + 8, bidData, true);
        p.view.setUint32(at + 8 + 16, bidSub, true);
      });
      expect(rules).toContain('bbt.refcount');
    },
    LIMIT_MS,
  );

  test('an XBLOCK that names one leaf again and again', () => {
    const rules = attack((p) => {
      const [first] = p.subnodesOf(p.node(FIRST).bidSub, 5);
      const [value] = p.subnodesOf(p.subnode(FIRST, first!).bidSub, 0x1f);
      const { at } = p.block(p.subnode(FIRST, first!, value!).bidData);
      for (let k = 1; k < p.view.getUint16(at + 2, true); k++) p.bytes.copyWithin(at + 8 + 8 * k, at + 8, at + 16);
    });
    expect(rules).toEqual(expect.arrayContaining(['bbt.orphan', 'bbt.refcount', 'datatree.total']));
  });

  test('damage of one node hides nothing in another', () => {
    const patient = new Patient();
    patient.view.setUint8(patient.block(patient.node(FIRST).bidData).at + 2, 0);
    const at = patient.property(patient.node(SECOND).bidData, 0x0e080003) + 4;
    patient.view.setUint32(at, 1, true);
    patient.heal();
    const findings = patient.findings('own');
    expect(findings.some(({ rule, nid }) => rule === 'hn.damage' && nid === FIRST)).toBe(true);
    expect(findings.some(({ rule, nid }) => rule === 'message.size' && nid === SECOND)).toBe(true);
  });
});
