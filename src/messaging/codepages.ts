/**
 * Which code page 8-bit strings are in when only the code page of the Internet form of a message is known: the strings in
 * the store are Windows strings, of the same language. Seen in real stores: a message of code page 50220 (ISO-2022-JP)
 * whose strings are in 932.
 * @module
 */
import { isKnownCodePage } from '../mapi/codepage.js';

const WINDOWS: Readonly<Record<number, number>> = {
  20866: 1251,
  21866: 1251,
  10007: 1251,
  20932: 932,
  50220: 932,
  50221: 932,
  50222: 932,
  51932: 932,
  20936: 936,
  51936: 936,
  52936: 936,
  54936: 936,
  20949: 949,
  50225: 949,
  51949: 949,
  51950: 950,
  28591: 1252,
  28605: 1252,
  28592: 1250,
  28594: 1257,
  28603: 1257,
  28595: 1251,
  28596: 1256,
  28597: 1253,
  28598: 1255,
  38598: 1255,
  28599: 1254,
  28601: 874,
};

/** Seven-bit and Unicode code pages say nothing of the language. */
const SAYS_NOTHING: ReadonlySet<number> = new Set([0, 1200, 1201, 20127, 65000, 65001]);

/** undefined when it cannot be told. */
export function windowsCodePage(internet: number): number | undefined {
  if (SAYS_NOTHING.has(internet)) return undefined;
  return WINDOWS[internet] ?? (isKnownCodePage(internet) ? internet : undefined);
}
