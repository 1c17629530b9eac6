/**
 * One batch at a time in a folder: OUT/pstwright.lock, one line of JSON that says who is at work. It goes when the run ends; what a killed
 * run leaves behind is taken over as soon as that process is known to be gone, and only then.
 * @module
 */
import { closeSync, linkSync, openSync, readFileSync, renameSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../errors.js';

export const LOCK_NAME = 'pstwright.lock';

/** Who is at work. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When that process began, in the kernel's count since it booted, where the system tells: a process number serves again. */
  readonly begun: string | undefined;
}

/** Takes over at most so often: each time another run had been quicker. */
const ATTEMPTS_MAX = 10;

/** Locks the folder `out` for this run. Returns what gives it back. Throws UsageError when another run is at work in it, or may be. */
export function lockFolder(out: string): () => void {
  const path = join(out, LOCK_NAME);
  const own: Holder = { pid: process.pid, host: hostname(), begun: begunAt(process.pid) };
  const line = `${JSON.stringify(own)}\n`;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (create(path, line)) return () => release(path, line);
    const text = read(path);
    if (text === undefined) continue; // given back in the meantime
    const holder = holderOf(text);
    if (holder === undefined || !isGone(holder)) throw refusal(out, path, holder);
    clear(path, text);
  }
  throw refusal(out, path, undefined);
}

function create(path: string, line: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'wx');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new UsageError('IO', `${path}: cannot be created (${code})`);
  }
  try {
    writeSync(fd, line);
  } catch (error) {
    rmSync(path, { force: true }); // an empty one would keep everybody out
    throw new UsageError('IO', `${path}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  } finally {
    closeSync(fd);
  }
  return true;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError('IO', `${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Removes the lock only if it is still the one that was read: aside first, where nobody else looks for it, and back if it is another's. */
function clear(path: string, text: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody else was quicker
  }
  try {
    if (readFileSync(aside, 'utf8') !== text) linkSync(aside, path);
  } catch {
    // a third has locked the folder since; the one that was moved aside ends with its run
  }
  rmSync(aside, { force: true });
}

/** undefined for what is none of ours, and for one that is being written. */
function holderOf(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder>;
    const isOurs = Number.isInteger(holder.pid) && holder.pid! > 0 && typeof holder.host === 'string';
    return isOurs ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

/** Known to have ended: of this machine, and no such process, or another one by the same number. */
function isGone({ pid, host, begun }: Holder): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0); // sends nothing
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'; // EPERM: it is there, and another user's
  }
  const now = begunAt(pid);
  return begun !== undefined && now !== undefined && now !== begun;
}

/** Field 22 of /proc/PID/stat, starttime: proc(5). The name in field 2 may hold blanks and brackets. */
function begunAt(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined; // another system
  }
}

function refusal(out: string, path: string, holder: Holder | undefined): UsageError {
  const who =
    holder === undefined
      ? 'Another run'
      : `Another run (process ${holder.pid}${holder.host === hostname() ? '' : ` on ${holder.host}`})`;
  return new UsageError('REFUSED', `${who} is at work in ${out}; if there is none any more, remove ${path}`);
}

function release(path: string, line: string): void {
  try {
    if (readFileSync(path, 'utf8') === line) unlinkSync(path);
  } catch {
    // the folder has gone, or somebody has removed the lock
  }
}
