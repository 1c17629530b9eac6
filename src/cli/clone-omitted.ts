/** Items a clone left out, as a person reads them. @module */
import type { Omitted } from '../migrate/omission.js';
import { escapeText, number, print } from './output.js';

/** Items printed; the manifest and --json have all. */
const OMITTED_SHOWN = 20;

const hex = (n: number): string => `0x${n.toString(16)}`;

/** A line for each: what it was, where, why. Never its subject. */
export function printOmitted(omitted: readonly Omitted[]): void {
  for (const { nid, kind, of, folder, path, message, where, bundle } of omitted.slice(0, OMITTED_SHOWN)) {
    const place = (['bid', 'ib'] as const).flatMap((key) =>
      where[key] === undefined ? [] : `${key} ${hex(where[key])}`,
    );
    const at = place.length === 0 ? '' : ` [${place.join(', ')}]`;
    const what = of === undefined ? `${kind} ${hex(nid)}` : `${kind} ${hex(nid)} of message ${hex(of)}`;
    print(`  ${what} in ${escapeText(path.join('/'))} (${hex(folder)}): ${escapeText(message)}${at}`);
    if (bundle !== undefined) print(`    its replay bundle: ${escapeText(bundle)}`);
  }
  const left = omitted.length - OMITTED_SHOWN;
  if (left > 0) print(`  … ${number(left)} more in the manifest`);
}
