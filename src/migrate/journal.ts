/**
 * The journal of a batch: OUT/pstwright.journal, one line of JSON an event, each on the medium before the run goes on. A rerun reads from
 * it which copies are its own, and what they were made of.
 *
 *     journal  what the run is: a rerun must be the same
 *     begin    nothing has the target's name; from here on it is ours
 *     whole    the target is written, read back and proved, its manifest written; only its name is missing
 *     failed   the mailbox ended in an error, and nothing is under the target's name
 *
 * A mailbox is complete when its last line is `whole` and the file under the target's name is the one that line describes. A kill
 * between the line and the name leaves no such file, and the mailbox is done again.
 * @module
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { sha256 } from '../host/digest.js';

export const JOURNAL_NAME = 'pstwright.journal';
const FORMAT = 'pstwright journal';
const VERSION = 1;

/** HEADER, MS-PST 2.2.2.6: it changes with every change of a store. */
const HEADER_BYTES = 564;

/** What tells a file from an earlier or later state of itself, without reading it all. */
export interface Fingerprint {
  readonly size: number;
  /** Nanoseconds since 1970, as text. */
  readonly mtime: string;
  /** SHA-256 of the first 564 bytes. */
  readonly header: string;
}

/** What all runs into one folder have in common. */
export interface Settings {
  readonly policy: 'clone';
  readonly reencode: boolean;
}

export interface Whole {
  /** Of the source when it was read. */
  readonly source: Fingerprint;
  /** Of the target; its time is not known yet. */
  readonly size: number;
  readonly header: string;
  /** SHA-256 over all node digests, as the manifest has it. */
  readonly content: string;
}

export type Entry =
  | ({ readonly event: 'journal'; readonly format: string; readonly version: number } & Settings)
  | { readonly event: 'begin'; readonly store: string; readonly target: string }
  | ({ readonly event: 'whole'; readonly store: string; readonly target: string } & Whole)
  | { readonly event: 'failed'; readonly store: string; readonly target: string; readonly message: string };

/** What a journal says of one mailbox. */
export interface Known {
  /** File name in the folder of the copies. */
  readonly target: string;
  readonly whole: Whole | undefined;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Digest of the first 564 bytes of the file at `path`. */
export function headerDigest(path: string): string {
  const bytes = new Uint8Array(HEADER_BYTES);
  const fd = openSync(path, 'r');
  try {
    const length = readSync(fd, bytes, 0, HEADER_BYTES, 0);
    const hash = sha256();
    hash.update(bytes.subarray(0, length));
    return hex(hash.digest());
  } finally {
    closeSync(fd);
  }
}

export function fingerprint(path: string): Fingerprint {
  const { size, mtimeNs } = statSync(path, { bigint: true });
  return { size: Number(size), mtime: mtimeNs.toString(), header: headerDigest(path) };
}

/** Adds a line and returns once it is on the medium. Lines of several threads do not mix: each is one write at the end. */
export function appendEntry(journal: string, entry: Entry): void {
  const fd = openSync(journal, 'a');
  try {
    writeSync(fd, `${JSON.stringify(entry)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens the journal of `out`, or begins one. Returns its path and what it says of each store, by absolute path. Throws UsageError when
 * it is of another kind of run, or of none; with `fresh` also when there is one.
 */
export function openJournal(
  out: string,
  settings: Settings,
  fresh: boolean,
): { path: string; known: Map<string, Known> } {
  const path = join(out, JOURNAL_NAME);
  let bytes: Uint8Array;
  try {
    const { size } = statSync(path);
    if (size > JOURNAL_BYTES_MAX) throw noneOfOurs(path);
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    begin(path, settings);
    return { path, known: new Map() };
  }
  if (fresh) throw new UsageError('REFUSED', `${path} exists: a run has been here, and --fresh asks for a new folder`);
  // A kill may have cut the last line off. Nothing of the file is changed before it is known to be ours.
  const end = bytes.lastIndexOf(LINE_FEED) + 1;
  if (end === 0) {
    if (!firstLine(settings).startsWith(textOf(bytes, path))) throw noneOfOurs(path);
    truncate(path, 0);
    append(path, settings);
    return { path, known: new Map() };
  }
  const known = replay(textOf(bytes.subarray(0, end), path), path, settings);
  if (end < bytes.length) truncate(path, end);
  return { path, known };
}

const LINE_FEED = 0x0a;
/** Against something else under this name, a device or a log of gigabytes: 100,000 stores take 100 MB. */
const JOURNAL_BYTES_MAX = 256 << 20;

const noneOfOurs = (path: string): UsageError =>
  new UsageError('REFUSED', `${path} is no journal of ours; choose another folder`);

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw noneOfOurs(path);
  }
}

function begin(path: string, settings: Settings): void {
  try {
    closeSync(openSync(path, 'wx'));
  } catch (error) {
    throw new UsageError('IO', `${path}: cannot be created (${(error as NodeJS.ErrnoException).code})`);
  }
  append(path, settings);
}

const opening = ({ policy, reencode }: Settings): Entry => ({
  event: 'journal',
  format: FORMAT,
  version: VERSION,
  policy,
  reencode,
});
const firstLine = (settings: Settings): string => JSON.stringify(opening(settings));
const append = (path: string, settings: Settings): void => appendEntry(path, opening(settings));

function truncate(path: string, size: number): void {
  const fd = openSync(path, 'r+');
  ftruncateSync(fd, size);
  fsyncSync(fd);
  closeSync(fd);
}

function replay(text: string, path: string, settings: Settings): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const [k, line] of text.slice(0, -1).split('\n').entries()) {
    const entry = parse(line);
    if (entry === undefined || (k === 0) !== (entry.event === 'journal')) {
      throw new UsageError('REFUSED', `${path}, line ${k + 1}, is none of ours; choose another folder`);
    }
    if (entry.event === 'journal') {
      if (entry.format !== FORMAT || entry.version !== VERSION) {
        throw new UsageError('REFUSED', `${path} is of another version of pstwright; choose another folder`);
      }
      if (entry.policy !== settings.policy || entry.reencode !== settings.reencode) {
        const was = entry.reencode ? 'with --reencode' : 'without --reencode';
        throw new UsageError('REFUSED', `${path} is of a run ${was}; rerun it so, or choose another folder`);
      }
    } else {
      const { event, store, target } = entry;
      known.set(store, { target, whole: event === 'whole' ? entry : undefined });
    }
  }
  return known;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** undefined for what no run has written: a target outside the folder above all. */
function parse(line: string): Entry | undefined {
  let entry: Partial<Record<string, unknown>>;
  try {
    entry = JSON.parse(line) as Partial<Record<string, unknown>>;
  } catch {
    return undefined;
  }
  if (typeof entry !== 'object' || entry === null) return undefined;
  if (entry.event === 'journal') return entry as unknown as Entry;
  if (!['begin', 'whole', 'failed'].includes(String(entry.event))) return undefined;
  if (!isText(entry.store) || !isText(entry.target) || /[/\\]/.test(String(entry.target))) return undefined;
  const isProof =
    isText(entry.header) && isText(entry.content) && typeof entry.source === 'object' && entry.source !== null;
  if (entry.event === 'whole' && !isProof) return undefined;
  return entry as unknown as Entry;
}
