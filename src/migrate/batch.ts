/**
 * Many stores in one run: worker threads, a mailbox each, and one report in the order of the input.
 *
 * A thread is used again, a core never: every mailbox begins with fresh memory. Threads share nothing but the journal, which each of
 * them writes in whole lines.
 * @module
 */
import { mkdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Core } from '../core/core.js';
import type { StopCodes } from '../core/stopcodes.js';
import { UsageError } from '../errors.js';
import { type Answer, PLAIN } from './batch-worker.js';
import type { OnError } from './clone.js';
import { nameTargets } from './inputs.js';
import { openJournal } from './journal.js';
import { lockFolder } from './lock.js';
import type { Failure, Job, MailboxResult } from './mailbox.js';
import { addTally, checkTally, noTally, type Tally } from './tally.js';

export interface BatchOptions {
  /** Folder for the copies; made if it is not there. */
  readonly out: string;
  /** Version of the program, for the manifests. */
  readonly engine: string;
  /** Threads; default: as many as the machine runs at once. */
  readonly jobs?: number;
  /** After the first mailbox that fails: begin no other (the default), or go on; also within a mailbox, without the item that fails. */
  readonly onError?: OnError;
  /** Refuse to go on with an earlier run. */
  readonly fresh?: boolean;
  readonly clone?: Job['clone'];
  readonly stopCodes?: StopCodes;
  readonly progress?: (progress: BatchProgress) => void;
  /** Entry of the threads, a module that calls `serve`. */
  readonly worker?: URL;
}

export interface BatchProgress {
  /** Bytes of the sources, those of mailboxes under way in part. */
  readonly done: number;
  readonly total: number;
  readonly mailboxes: number;
  readonly ended: number;
}

export interface BatchReport {
  readonly out: string;
  readonly journal: string;
  readonly jobs: number;
  readonly onError: OnError;
  /** In the order of the input. */
  readonly mailboxes: readonly MailboxResult[];
  readonly totals: Tally;
  /** The first mailbox in the order of the input that failed, whichever thread was first. */
  readonly firstFailure: (MailboxResult & { readonly failure: Failure }) | undefined;
}

/** Against a typing error: more threads than this help on no machine. */
export const JOBS_MAX = 256;

const isFailure = (result: MailboxResult): result is MailboxResult & { readonly failure: Failure } =>
  result.failure !== undefined;

/** Clones `stores` (absolute paths) into the folder `out`. Throws UsageError when the run cannot begin, as while another is at work in `out`; what fails later is in the report. */
export async function cloneBatch(stores: readonly string[], options: BatchOptions): Promise<BatchReport> {
  const jobs = Math.min(options.jobs ?? availableParallelism(), stores.length);
  if (stores.length === 0) throw new UsageError('USAGE', 'no store to copy');
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > JOBS_MAX) {
    throw new UsageError('USAGE', `--jobs is a number from 1 to ${JOBS_MAX}`);
  }
  const out = resolve(options.out);
  makeFolder(out);
  const unlock = lockFolder(out);
  try {
    return await runLocked(stores, out, jobs, options);
  } finally {
    unlock();
  }
}

async function runLocked(
  stores: readonly string[],
  out: string,
  jobs: number,
  options: BatchOptions,
): Promise<BatchReport> {
  const { onError = 'stop', clone = {} } = options;
  const settings = { policy: 'clone', reencode: clone.reencode === true } as const;
  const { path: journal, known } = openJournal(out, settings, options.fresh === true);
  const names = nameTargets(stores, new Map([...known].map(([store, { target }]) => [store, target])));
  const todo: Job[] = stores.map((store, index) => ({
    index,
    store,
    target: join(out, names.get(store)!),
    journal,
    known: known.get(store),
    engine: options.engine,
    clone: { ...clone, onError },
    pageheap: Core.settings,
    ...(options.stopCodes === undefined ? {} : { stopCodes: options.stopCodes }),
  }));
  const mailboxes = await runAll(todo, jobs, onError, options);
  const totals = noTally();
  for (const { items } of mailboxes) if (items !== undefined) addTally(totals, items);
  checkTally(totals, 'the batch');
  return { out, journal, jobs, onError, mailboxes, totals, firstFailure: mailboxes.find(isFailure) };
}

function makeFolder(out: string): void {
  try {
    mkdirSync(out, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'is no folder' : `cannot be made (${code})`;
    throw new UsageError('IO', `${out} ${why}`);
  }
}

async function runAll(
  todo: readonly Job[],
  jobs: number,
  onError: OnError,
  { progress, worker }: BatchOptions,
): Promise<MailboxResult[]> {
  const results: MailboxResult[] = todo.map(({ index, store, target }) => ({ index, store, target, state: 'not run' }));
  const sizes = todo.map(({ store }) => statSync(store, { throwIfNoEntry: false })?.size ?? 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const shares = new Float64Array(todo.length);
  let ended = 0;
  let next = 0;
  let hasFailed = false;
  const tell = (): void => {
    const done = Math.round(sizes.reduce((sum, size, k) => sum + size * shares[k]!, 0));
    progress?.({ done, total, mailboxes: todo.length, ended });
  };
  tell();
  const lane = async (): Promise<void> => {
    const thread = new Thread(worker);
    try {
      while (next < todo.length && !(hasFailed && onError === 'stop')) {
        const job = todo[next++]!;
        const result = await thread.run(job, (share) => {
          shares[job.index] = share;
          tell();
        });
        results[job.index] = result;
        if (result.failure !== undefined) hasFailed = true;
        shares[job.index] = 1;
        ended++;
        tell();
      }
    } finally {
      await thread.end();
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  return results;
}

/** A worker thread and its successors: one that dies takes only its mailbox with it. */
class Thread {
  #worker: Worker | undefined;

  constructor(readonly entry: URL | undefined) {}

  run(job: Job, onProgress: (share: number) => void): Promise<MailboxResult> {
    const worker = (this.#worker ??= startWorker(this.entry));
    return new Promise((settle) => {
      const end = (result: MailboxResult): void => {
        worker.off('message', answered).off('error', failed).off('exit', exited);
        settle(result);
      };
      const answered = (answer: Answer): void => {
        if (answer.kind === 'progress') onProgress(answer.share);
        else end(answer.result);
      };
      const died = (message: string): void => {
        this.#worker = undefined;
        worker.on('error', () => {}); // it is done for, whatever it says
        const { index, store, target } = job;
        end({ index, store, target, state: 'failed', failure: { family: 'bug', code: 'BUG', message } });
      };
      const failed = (error: Error): void => died(`the thread failed: ${error.stack ?? error.message}`);
      const exited = (code: number): void => died(`the thread ended with code ${code}`);
      worker.on('message', answered).on('error', failed).on('exit', exited);
      worker.postMessage(job);
    });
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }
}

/** A thread with the entry it was given, or with the plain one, which has to be told to serve. */
function startWorker(given: URL | undefined): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  const entry = given ?? new URL(isSource ? './batch-worker.ts' : './batch-worker.js', import.meta.url);
  const workerData = given === undefined ? PLAIN : undefined;
  return isSource ? startFromSources(entry, workerData) : new Worker(entry, { workerData });
}

/** From the sources, as tests and `tsx` run them: a thread inherits no loader, so it brings tsx along. */
function startFromSources(entry: URL, workerData: unknown): Worker {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const api = new URL('./dist/esm/api/index.mjs', tsx).href; // require() of the same name does not register in a thread
  const code = `import('${api}').then(({ register }) => { register(); return import('${entry.href}'); });`;
  return new Worker(code, { eval: true, workerData });
}
