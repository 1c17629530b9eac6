/** `pstwright check`: what it prints, and how it ends. */
import { afterAll, expect, test } from 'vitest';
import type { CheckReport } from '../../src/check/findings.js';
import { invoke, workshop } from '../cli/invoke.js';
import { FIRST, Patient } from './patient.js';

const shop = workshop();
afterAll(shop.remove);

function save(name: string, commit: (p: Patient) => void): string {
  const patient = new Patient();
  commit(patient);
  patient.heal();
  return shop.file(name, patient.bytes);
}
const lastLine = (out: string): string => out.trimEnd().split('\n').at(-1)!;

test('a sound store', async () => {
  const path = save('sound.pst', () => {});
  expect(await invoke('check', path)).toEqual({ code: 0, out: 'sound: nothing found\n', err: '' });
  expect(await invoke('check', path, '--profile', 'own')).toEqual({ code: 0, out: 'sound: nothing found\n', err: '' });
});

test('notes leave it sound; the same is an error in a store of our own', async () => {
  const path = save('note.pst', (p) => p.view.setUint8(384, 0x7f));
  const { code, out } = await invoke('check', path);
  expect(code).toBe(0);
  expect(out).toContain('rgbFP[0] is 0x7f, not 0xff');
  expect(lastLine(out)).toBe('sound: 1 note');
  const own = await invoke('check', path, '--profile', 'own');
  expect(own.code).toBe(2);
  expect(lastLine(own.out)).toBe('1 error');
});

test('warnings', async () => {
  const { code, out } = await invoke(
    'check',
    save('warning.pst', (p) => p.view.setUint8(248, 0)),
  );
  expect(code).toBe(1);
  expect(lastLine(out)).toBe('1 warning');
});

test('errors, grouped by rule, with their section and place', async () => {
  const path = save('error.pst', (p) => {
    for (let i = 0; i < p.ndb.nbt.count; i++) {
      const nid = p.ndb.nbt.nid(i);
      if ((nid & 0x1f) !== 4 || nid === FIRST) continue;
      p.view.setUint16(p.property(p.ndb.nbt.bidData(i), 0x300b0102), 0x300c, true);
    }
    p.view.setUint8(512, 0);
  });
  const { code, out } = await invoke('check', path, '--profile', 'own');
  expect(code).toBe(2);
  expect(out).toContain('header.sentinel  MS-PST 2.2.2.6, structure');
  expect(out).toContain('PidTagSearchKey (0x300b0102) is missing  [NORMAL_MESSAGE 0x200064]');
  expect(out).toContain('… 65 more; --all shows them');
  expect(lastLine(out)).toBe('71 errors');
  const all = await invoke('check', path, '--profile', 'own', '--all');
  expect(all.out.match(/PidTagSearchKey/g)).toHaveLength(70);
});

test('--json is one document', async () => {
  const path = save('json.pst', (p) => p.view.setUint8(512, 0x81));
  const { code, out, err } = await invoke('check', path, '--json');
  expect(code).toBe(2);
  expect(err).toBe('');
  const report = JSON.parse(out) as CheckReport & { verdict: string };
  expect(report.verdict).toBe('1 error');
  expect(report.counts).toMatchObject({ error: 1, warning: 0, note: 0, omitted: 0, rules: { 'header.sentinel': 1 } });
  expect(report.findings).toEqual([
    {
      severity: 'error',
      kind: 'structure',
      rule: 'header.sentinel',
      section: '2.2.2.6',
      message: 'bSentinel is 0x81, expected 0x80',
      ib: 0,
      found: 0x81,
      expected: 0x80,
    },
  ]);
});

test('what is no store is refused', async () => {
  const { code, err } = await invoke('check', shop.file('mail.txt', 'From somebody'));
  expect(code).toBe(3);
  expect(err).toContain('is not a PST or OST');
  expect((await invoke('check', shop.file('x.pst', ''), '--profile', 'mine')).code).toBe(3);
});
