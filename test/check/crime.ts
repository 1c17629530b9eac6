/** A store damaged in one way, and the rules that must be reported. @module */
import { describe, expect, test } from 'vitest';
import { Patient } from './patient.js';

export interface Crime {
  /** The rule that is broken, and behind it those that are broken by that. No other may be reported. */
  readonly rules: string;
  readonly commit: (p: Patient) => void;
  /** The checksums of the header are themselves the crime. */
  readonly isLast?: boolean;
}

export const crime = (rules: string, commit: (p: Patient) => void, isLast = false): Crime => ({
  rules,
  commit,
  isLast,
});

/** One test per crime. */
export function prosecute(title: string, crimes: readonly Crime[]): void {
  describe(title, () => {
    test.each(crimes)('$rules', ({ rules, commit, isLast }) => {
      const patient = new Patient();
      if (isLast) patient.heal();
      commit(patient);
      if (!isLast) patient.heal();
      expect(patient.rules()).toEqual(rules.split(' ').sort());
    });
  });
}

type Change = (x: number) => number;

export const u8 = (p: Patient, at: number, change: Change): void => p.view.setUint8(at, change(p.view.getUint8(at)));
export const u16 = (p: Patient, at: number, change: Change): void =>
  p.view.setUint16(at, change(p.view.getUint16(at, true)), true);
export const u32 = (p: Patient, at: number, change: Change): void =>
  p.view.setUint32(at, change(p.view.getUint32(at, true)) >>> 0, true);

/** Exchanges two records. */
export function swap(p: Patient, a: number, b: number, size: number): void {
  const first = p.bytes.slice(a, a + size);
  p.bytes.copyWithin(a, b, b + size);
  p.bytes.set(first, b);
}
