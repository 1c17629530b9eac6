/** Sources and sinks on files: the one place that touches `node:fs` below `migrate/`. @module */
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { hex, UsageError } from '../errors.js';
import type { Sink, Source } from './source.js';

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';

function readFully(path: string, fd: number, target: Uint8Array, ib: number): number {
  let done = 0;
  try {
    while (done < target.length) {
      const n = readSync(fd, target, done, target.length - done, ib + done);
      if (n === 0) break;
      done += n;
    }
  } catch (error) {
    throw new UsageError('IO', `${path}: read failed at ${hex(ib + done)} (${codeOf(error)})`);
  }
  return done;
}

/** Opens a file for reading only. Throws UsageError when it is not a readable regular file. */
export function openSource(path: string): Source {
  let fd: number;
  try {
    // Not blocking: a pipe without a writer would keep us waiting before we can say that it is no store. Windows has no such flag.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new UsageError('NOT_FOUND', `${path}: no such file`);
    throw new UsageError('IO', `${path}: cannot be opened (${codeOf(error)})`);
  }
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    closeSync(fd);
    throw new UsageError('USAGE', `${path}: not a regular file`);
  }
  return {
    name: basename(path),
    size: stat.size,
    read: (target, ib) => readFully(path, fd, target, ib),
    close: () => closeSync(fd),
  };
}

/** No room left: of the disk, or of whoever we run as. */
const FULL: readonly string[] = ['ENOSPC', 'EDQUOT'];

/** Creates `path` (or empties it) for writing; what is written can be read back. */
export function openSink(path: string): Sink & Source {
  let fd: number;
  try {
    fd = openSync(path, 'w+');
  } catch (error) {
    throw new UsageError('IO', `${path}: cannot be created (${codeOf(error)})`);
  }
  let size = 0;
  const failed = (error: unknown): UsageError => {
    const code = codeOf(error);
    return new UsageError('IO', `${path}: ${FULL.includes(code) ? 'the disk is full' : `write failed (${code})`}`);
  };
  return {
    name: basename(path),
    get size() {
      return size;
    },
    read: (target, ib) => readFully(path, fd, target, ib),
    write(bytes, ib) {
      let done = 0;
      try {
        while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, ib + done);
      } catch (error) {
        throw failed(error);
      }
      size = Math.max(size, ib + done);
    },
    sync() {
      try {
        fsyncSync(fd);
      } catch (error) {
        throw failed(error);
      }
    },
    close: () => closeSync(fd),
  };
}
