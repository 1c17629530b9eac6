/**
 * One mailbox of a batch, as a worker thread runs it: the clone, its manifest, its lines in the journal, and an account of every item.
 * Each run has cores of its own: nothing of an earlier mailbox is in a memory that this one's decoding can reach.
 * @module
 */
import { existsSync, statSync, unlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { Core } from '../core/core.js';
import { CoreFault, InjectedFault } from '../core/fault.js';
import { FULL, type PageHeapOptions } from '../core/options.js';
import { makeReport, type Report, reportText } from '../core/report.js';
import type { StopCodes } from '../core/stopcodes.js';
import { PstError, UsageError, type Where } from '../errors.js';
import { openSource } from '../host/file.js';
import { tagName } from '../mapi/tags.js';
import { type CloneOptions, type CloneReport, cloneFile, type Progress, type Recorder } from './clone.js';
import { appendEntry, type Fingerprint, fingerprint, headerDigest, type Known } from './journal.js';
import { type Manifest, makeManifest, readManifest, writeManifest } from './manifest.js';
import { EssentialError, type Omitted, rootOf } from './omission.js';
import { type Count, census, checkTally, type Tally, tally, tallyOfCopy, tallyOfEarlier } from './tally.js';

/** What a worker is told; plain data, it crosses threads by copy. */
export interface Job {
  readonly index: number;
  readonly store: string;
  /** Path of the copy. */
  readonly target: string;
  readonly journal: string;
  /** What the journal said when the batch began. */
  readonly known: Known | undefined;
  readonly engine: string;
  readonly clone: Omit<CloneOptions, 'progress' | 'recorder' | 'beforeCommit' | 'onFailure'>;
  /** Settings of the page heap: those of the thread that asks, which no other thread inherits. */
  readonly pageheap: PageHeapOptions;
  /** The era of stop codes that reports speak; `modern` by default. */
  readonly stopCodes?: StopCodes;
}

/** Whose fault it is: the file's, nobody's (it was asked for), the caller's (or the disk's), ours. `stop`: the verifier saw it. */
export type Family = 'store' | 'injected' | 'refused' | 'stop' | 'bug';

export interface Failure {
  readonly family: Family;
  readonly code: string;
  readonly message: string;
  readonly where?: Where;
  /** Of a stop: its record, the report in parts, and the report as a person reads it. */
  readonly stop?: unknown;
  readonly report?: Report;
  readonly text?: string;
  /** Path of the replay bundle. */
  readonly bundle?: string;
}

export interface MailboxResult {
  readonly index: number;
  readonly store: string;
  readonly target: string;
  /** `skipped`: complete since an earlier run. */
  readonly state: 'copied' | 'skipped' | 'failed' | 'not run';
  /** undefined: not run, or nothing in it could be counted. */
  readonly items?: Tally;
  readonly sourceSize?: number;
  readonly targetSize?: number;
  readonly manifest?: string;
  /** SHA-256 over all node digests, hex. */
  readonly content?: string;
  /** Faults the source has of its own, copied as they are. */
  readonly findings?: number;
  /** Items left out because they failed, where that was asked for. */
  readonly omitted?: readonly Omitted[];
  /** Contents tables made anew, there. */
  readonly rebuilt?: readonly Omitted[];
  readonly seconds?: number;
  readonly failure?: Failure;
}

/** Watches one clone, and saves the operation that fails: a layer above knows how. */
export interface Watcher {
  readonly recorder: Recorder;
  /** Returns the path of the bundle, if there is one. */
  save(error: unknown): string | undefined;
}

export interface Hooks {
  readonly progress?: (share: number) => void;
  readonly watch?: (job: Job) => Watcher;
}

/** Where each phase begins and ends in the whole, by what it costs. */
const SHARES: Readonly<Record<Parameters<Progress>[0], readonly [number, number]>> = {
  copy: [0, 0.5],
  'read back': [0.5, 0.6],
  prove: [0.6, 1],
};

/** Runs a job. Never throws: an error is the result. */
export function runMailbox(job: Job, hooks: Hooks = {}): MailboxResult {
  const { index, store, target } = job;
  const started = performance.now();
  const done = (rest: Omit<MailboxResult, 'index' | 'store' | 'target'>): MailboxResult => {
    if (rest.items !== undefined) checkTally(rest.items, store);
    return { index, store, target, ...rest, seconds: (performance.now() - started) / 1000 };
  };
  Core.settings = job.pageheap;
  const watcher = hooks.watch?.(job);
  let isBegun = false;
  try {
    const source = fingerprint(store);
    const earlier = settle(job, source);
    if (earlier !== undefined) return done(skipped(earlier, source));
    appendEntry(job.journal, { event: 'begin', store, target: basename(target) });
    isBegun = true;
    return done(copied(copy(job, source, hooks, watcher), target));
  } catch (error) {
    const bundle = isBegun ? watcher?.save(rootOf(error)) : undefined;
    const failure = failureOf(error, bundle, job.stopCodes ?? 'modern');
    if (isBegun) noteFailure(job, failure);
    const expected = countOf(store);
    return done({
      state: 'failed',
      failure,
      ...(expected === undefined ? {} : { items: tally(expected, 'failed', expected) }),
    });
  }
}

function copy(job: Job, source: Fingerprint, hooks: Hooks, watcher: Watcher | undefined): CloneReport {
  const { store, target, journal } = job;
  let said = 0;
  return cloneFile(store, target, {
    ...job.clone,
    ...(watcher === undefined
      ? {}
      : { recorder: watcher.recorder, onFailure: (error: unknown) => watcher.save(error) }),
    progress(phase, doneCount, total) {
      const [from, to] = SHARES[phase];
      const share = from + ((to - from) * doneCount) / Math.max(total, 1);
      if (share - said < 0.01 && share < 1) return;
      said = share;
      hooks.progress?.(share);
    },
    beforeCommit(report, partialPath) {
      if (!isEqual(fingerprint(store), source)) {
        throw new UsageError('REFUSED', `${store} changed while it was read; close what writes to it`);
      }
      writeManifest(makeManifest(report, job.engine), target);
      appendEntry(journal, {
        event: 'whole',
        store,
        target: basename(target),
        source,
        size: report.target.size,
        header: headerDigest(partialPath),
        content: hex(report.contentDigest),
      });
    },
  });
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const isEqual = (a: Fingerprint, b: Fingerprint): boolean =>
  a.size === b.size && a.mtime === b.mtime && a.header === b.header;

function copied(report: CloneReport, target: string): Omit<MailboxResult, 'index' | 'store' | 'target'> {
  return {
    state: 'copied',
    items: tallyOfCopy(report),
    sourceSize: report.source.size,
    targetSize: report.target.size,
    manifest: `${target}.manifest`,
    content: hex(report.contentDigest),
    findings: report.findings.length,
    omitted: report.omitted,
    rebuilt: report.rebuilt,
  };
}

interface Earlier {
  readonly manifest: Manifest;
  readonly path: string;
}

function skipped({ manifest, path }: Earlier, source: Fingerprint): Omit<MailboxResult, 'index' | 'store' | 'target'> {
  return {
    state: 'skipped',
    items: tallyOfEarlier(manifest.counters, manifest.failed),
    sourceSize: source.size,
    targetSize: manifest.target.size,
    manifest: path,
    content: hex(manifest.contentDigest),
    findings: manifest.findings.length,
    omitted: manifest.omitted,
    rebuilt: manifest.rebuilt,
  };
}

/**
 * Settles what an earlier run has left under the target's name. Returns its manifest when the mailbox is complete; undefined when it is
 * to be copied, and nothing is in the way. Throws UsageError otherwise. A file is removed only if the journal says that we wrote it and
 * it is still as we did.
 */
function settle({ store, target, known }: Job, source: Fingerprint): Earlier | undefined {
  const manifestPath = `${target}.manifest`;
  const stat = statSync(target, { throwIfNoEntry: false });
  if (known === undefined) {
    if (stat !== undefined) throw exists(target);
    if (existsSync(manifestPath)) throw exists(manifestPath);
    return undefined;
  }
  if (stat === undefined) return undefined;
  const { whole } = known;
  if (whole === undefined) throw exists(target);
  const isOurs = stat.isFile() && stat.size === whole.size && headerDigest(target) === whole.header;
  if (!isOurs)
    throw new UsageError('TARGET_EXISTS', `${target} is no longer as it was written; move it away and rerun`);
  if (!isEqual(whole.source, source)) {
    throw new UsageError(
      'TARGET_EXISTS',
      `${target} is the copy of an earlier state of ${store}; move it away, or choose another folder`,
    );
  }
  const manifest = existsSync(manifestPath) ? readManifest(manifestPath) : undefined;
  if (manifest !== undefined && hex(manifest.contentDigest) === whole.content && manifest.target.size === whole.size) {
    return { manifest, path: manifestPath };
  }
  unlinkSync(target); // without its proof it is no complete mailbox
  return undefined;
}

const exists = (path: string): UsageError =>
  new UsageError('TARGET_EXISTS', `${path} exists. A target is never overwritten; choose another folder`);

function failureOf(error: unknown, bundle: string | undefined, codes: StopCodes): Failure {
  if (error instanceof EssentialError) return { ...failureOf(error.cause, bundle, codes), message: error.message };
  const more = bundle === undefined ? {} : { bundle };
  const { message } = error as Error;
  if (error instanceof PstError) {
    const { code, where } = error;
    const family = code === 'PST_NOT_A_STORE' || code === 'PST_UNSUPPORTED' ? 'refused' : 'store';
    return { family, code, message, where: { ...where }, ...more };
  }
  if (error instanceof UsageError) return { family: 'refused', code: error.code, message, ...more };
  if (error instanceof InjectedFault) {
    return { family: 'injected', code: 'FAULT_INJECTED', message, stop: error.stop, ...more };
  }
  if (error instanceof CoreFault) {
    const options = { codes, property: tagName };
    const report = { report: makeReport(error, options), text: reportText(error, options) };
    return { family: 'stop', code: 'CORE_FAULT', message, stop: error.stop, ...report, ...more };
  }
  const { syscall, stack } = error as NodeJS.ErrnoException;
  if (syscall !== undefined) return { family: 'refused', code: 'IO', message, ...more };
  return { family: 'bug', code: 'BUG', message: stack ?? message ?? String(error), ...more };
}

/** The journal is for the rerun; that it cannot be written must not hide why the mailbox failed. */
function noteFailure({ journal, store, target }: Job, { message }: Failure): void {
  try {
    appendEntry(journal, { event: 'failed', store, target: basename(target), message });
  } catch {
    // the folder has gone, or the disk is full: the failure itself says it
  }
}

/** Of a mailbox that failed. Whatever goes wrong here, nothing is counted. */
function countOf(store: string): Count | undefined {
  try {
    const source = openSource(store);
    try {
      return census(source, Core.load('core', FULL)); // without the faults that were asked for
    } finally {
      source.close();
    }
  } catch {
    return undefined;
  }
}
