/**
 * Subjects. MS-PST 2.5.3.1.1: the stored PidTagSubject is the whole subject behind a two-character mark,
 *
 *     U+0001, (length of the prefix + 1), prefix, normalized subject          "\x01\x05RE: Lunch"
 *
 * and PidTagSubjectPrefix and PidTagNormalizedSubject are computed from it. Seen in real stores: the
 * second character is 1 when there is no prefix; strings without a mark exist.
 * @module
 */

const MARK = 0x0001;

export interface Subject {
  /** As a person reads it, without the mark. */
  readonly text: string;
  /** `RE: ` with its blank, or empty. */
  readonly prefix: string;
  readonly normalized: string;
}

/** The length the mark can state: it is one UTF-16 unit (one byte in 8-bit strings). */
const PREFIX_LENGTH_MAX = 0xfe;

/** Takes what is stored. A mark that points past the end counts up to the end. */
export function readSubject(stored: string): Subject {
  if (stored.charCodeAt(0) === MARK && stored.length >= 2) {
    const text = stored.slice(2);
    return split(text, Math.max(0, stored.charCodeAt(1) - 1));
  }
  return split(stored, guessPrefix(stored));
}

/** What to store, mark included. A prefix that is no start of the text is ignored. */
export function writeSubject(text: string, prefix?: string): string {
  const given = prefix !== undefined && text.startsWith(prefix) ? prefix.length : guessPrefix(text);
  const length = given > PREFIX_LENGTH_MAX ? 0 : given;
  return String.fromCharCode(MARK, length + 1) + text;
}

function split(text: string, length: number): Subject {
  return { text, prefix: text.slice(0, length), normalized: text.slice(length) };
}

/** MS-OXCMSG 3.2.5.2: one to three characters, none a digit, then a colon and a blank. */
function guessPrefix(text: string): number {
  return /^[^\d:\s]{1,3}: /u.exec(text)?.[0].length ?? 0;
}
