/**
 * `check` over real stores: never a crash, and no error in what Outlook made. The stores below were made by other
 * programs, or are damaged; what is said of each of them is true.
 */
import { expect } from 'vitest';
import { checkStore } from '../../src/check/check.js';
import type { CheckReport, Profile } from '../../src/check/findings.js';
import { Core } from '../../src/core/core.js';
import { openSource } from '../../src/host/file.js';
import { describeStores } from '../stores.js';

/** Errors in stores that Outlook has not written, or that were cut: rules that must be among those reported. */
const FAULTY: Readonly<Record<string, readonly string[]>> = {
  'aspose-email-c__Backup_out.pst': ['header.unique', 'required.template', 'row.version'],
  'aspose-email-java__MapiNoteToPST_out.pst': ['contents.status', 'header.unique', 'row.version'],
  'aspose-email__AddingBulkMessagesWithImprovedPerformance.pst': ['header.crc-full', 'page.crc', 'page.bid'],
  'epfromer__enron.pst': ['attachment.size', 'hn.free-count', 'message.display-list', 'tc.empty-item'],
  'mooijtech__support.pst': ['amap.free-total', 'folder.required', 'header.rgnid', 'row.version'],
};

function check(path: string, profile: Profile): CheckReport {
  const source = openSource(path);
  try {
    return checkStore(source, Core.load(), { profile });
  } finally {
    source.close();
  }
}

/** Newer Outlook stores in which nothing at all was found when these tests were written. */
const SPOTLESS: ReadonlySet<string> = new Set([
  'HiraokaHyperTools__200_recipients.pst',
  'emk__sample1.pst',
  'emk__sample2.pst',
  'microsoft__Empty.pst',
  'simiden__openwall.pst',
]);

const of = (name: string, table: Readonly<Record<string, readonly string[]>>): readonly string[] | undefined =>
  Object.entries(table).find(([key]) => key === name || key.endsWith(`__${name}`))?.[1];

describeStores('foreign', ({ name, path }) => {
  const { findings, counts } = check(path, 'foreign');
  const errors = findings.filter(({ severity }) => severity === 'error');
  const wanted = of(name, FAULTY);
  if (wanted === undefined) expect(errors).toEqual([]);
  else expect(errors.map(({ rule }) => rule)).toEqual(expect.arrayContaining([...wanted]));
  if (SPOTLESS.has(name)) expect(findings).toEqual([]);
  expect(counts.error + counts.warning + counts.note).toBe(findings.length + counts.omitted);
  for (const finding of findings) expect(finding.message).not.toMatch(/undefined|NaN|\[object/);
});

describeStores('own', ({ name, path }) => {
  const { findings, counts } = check(path, 'own');
  expect(counts.warning + counts.note).toBe(0);
  if (name === 'microsoft__Empty.pst') expect(findings).toEqual([]);
});
