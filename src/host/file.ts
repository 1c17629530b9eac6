/** Sources and sinks on files: the one place that touches `node:fs` below `migrate/`. @module */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { UsageError } from '../errors.js';
import type { Sink, Source } from './source.js';

function readFully(fd: number, target: Uint8Array, ib: number): number {
  let done = 0;
  while (done < target.length) {
    const n = readSync(fd, target, done, target.length - done, ib + done);
    if (n === 0) break;
    done += n;
  }
  return done;
}

/** Opens a file for reading only. Throws UsageError when it is not a readable regular file. */
export function openSource(path: string): Source {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UsageError('NOT_FOUND', `${path}: no such file`);
    throw new UsageError('IO', `${path}: cannot be opened (${code})`);
  }
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    closeSync(fd);
    throw new UsageError('USAGE', `${path}: not a regular file`);
  }
  return {
    name: basename(path),
    size: stat.size,
    read: (target, ib) => readFully(fd, target, ib),
    close: () => closeSync(fd),
  };
}

/** Creates `path` (or empties it) for writing; what is written can be read back. */
export function openSink(path: string): Sink & Source {
  let fd: number;
  try {
    fd = openSync(path, 'w+');
  } catch (error) {
    throw new UsageError('IO', `${path}: cannot be created (${(error as NodeJS.ErrnoException).code})`);
  }
  let size = 0;
  return {
    name: basename(path),
    get size() {
      return size;
    },
    read: (target, ib) => readFully(fd, target, ib),
    write(bytes, ib) {
      let done = 0;
      try {
        while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, ib + done);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        const why = code === 'ENOSPC' ? 'the disk is full' : `write failed (${code})`;
        throw new UsageError('IO', `${path}: ${why}`);
      }
      size = Math.max(size, ib + done);
    },
    sync: () => fsyncSync(fd),
    close: () => closeSync(fd),
  };
}
