/**
 * The thread side of a batch: takes jobs one at a time and answers each with its result. This file is an entry of its own, for runs
 * that capture nothing; cli/clone-worker.ts is the one that does.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type Job, type MailboxResult, runMailbox, type Watcher } from './mailbox.js';

/** What a thread says: how far the mailbox is, 0 to 1, or how it ended. */
export type Answer =
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'result'; readonly result: MailboxResult };

/** Serves the thread that started this one, until that ends it. */
export function serve(watch?: (job: Job) => Watcher): void {
  const port = parentPort;
  if (port === null) throw new Error('batch-worker runs in a worker thread');
  const answer = (message: Answer): void => port.postMessage(message);
  port.on('message', (job: Job) => {
    const progress = (share: number): void => answer({ kind: 'progress', share });
    answer({ kind: 'result', result: runMailbox(job, watch === undefined ? { progress } : { progress, watch }) });
  });
}

/** How a batch starts this file when it has no other entry. */
export const PLAIN = 'serve without a watcher';
if (workerData === PLAIN) serve();
