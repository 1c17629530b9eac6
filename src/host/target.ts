/**
 * A target: written as `PATH.partial`, given its name only when it is whole, never over a file that is there.
 *
 *     createTarget ──▶ PATH.partial ──commit──▶ sync ─▶ link PATH ─▶ unlink PATH.partial ─▶ sync directory
 *                                   └─abort───▶ unlink PATH.partial
 *
 * At any moment a kill leaves either nothing under PATH or the whole store.
 * @module
 */
import { type BigIntStats, closeSync, fsyncSync, linkSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from '../errors.js';
import { openSink } from './file.js';
import type { Sink, Source } from './source.js';

export interface Target {
  readonly path: string;
  readonly partialPath: string;
  readonly sink: Sink & Source;
  /** Syncs, closes, and names the file. Throws TARGET_EXISTS (that file is untouched), IO. After a throw, abort. */
  commit(): void;
  /** Closes and removes the partial file. Does nothing after commit, or a second time. */
  abort(): void;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';

/** Errors of link(2) on file systems that have no hard links, or refuse them. */
const NO_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EMLINK', 'EACCES'];

function statOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new UsageError('IO', `${path}: ${codeOf(error)}`);
  }
}

const exists = (path: string): UsageError =>
  new UsageError('TARGET_EXISTS', `${path} exists. A target is never overwritten; choose another name`);

/** Begins a target at `path`. A partial file left by an earlier run is removed. Throws TARGET_EXISTS, IO. */
export function createTarget(path: string): Target {
  if (statOf(path) !== undefined) throw exists(path);
  const partialPath = `${path}.partial`;
  const left = statOf(partialPath);
  if (left !== undefined) {
    if (!left.isFile()) throw new UsageError('IO', `${partialPath} is in the way, and no file`);
    unlinkSync(partialPath);
  }
  const sink = openSink(partialPath);
  const ours = statOf(partialPath);
  let isOpen = true;

  const close = (): void => {
    if (isOpen) sink.close();
    isOpen = false;
  };
  /** Another run may have removed our partial file and begun its own under the same name. */
  const isOurs = (): boolean => {
    const now = statOf(partialPath);
    return now !== undefined && now.ino === ours?.ino && now.dev === ours.dev;
  };
  return {
    path,
    partialPath,
    sink,
    commit() {
      try {
        sink.sync();
        close();
        if (!isOurs()) throw new UsageError('IO', `${partialPath} was taken away while it was written`);
        publish(partialPath, path);
        syncDirectory(dirname(path));
      } catch (error) {
        if (error instanceof UsageError) throw error;
        throw new UsageError('IO', `${path}: cannot be completed (${codeOf(error)})`);
      }
    },
    abort() {
      if (!isOpen && !isOurs()) return;
      close();
      if (isOurs()) unlinkSync(partialPath);
    },
  };
}

/** Gives the file at `partial` the name `path`, unless that name is taken. `link` is link(2), for tests without it. */
export function publish(partial: string, path: string, link: (from: string, to: string) => void = linkSync): void {
  try {
    link(partial, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw exists(path);
    if (!NO_LINKS.includes(codeOf(error))) throw error;
    publishByRename(partial, path);
    return;
  }
  unlinkSync(partial);
}

/**
 * rename(2) replaces what is there. So the name is taken first, with an empty file that only comes to be when
 * there was none, and that file is what rename replaces. A kill between the two leaves it behind, empty:
 * the price of never overwriting on a file system without links.
 */
function publishByRename(partial: string, path: string): void {
  try {
    closeSync(openSync(path, 'wx'));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw exists(path);
    throw error;
  }
  try {
    renameSync(partial, path);
  } catch (error) {
    unlinkSync(path);
    throw error;
  }
}

/** Makes the new name last through a power failure, where directories can be synced (not on Windows). */
function syncDirectory(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return;
  }
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP', 'EBADF'].includes(codeOf(error))) throw error;
  } finally {
    closeSync(fd);
  }
}
