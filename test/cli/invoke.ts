/** Runs the program in this process and keeps what it prints. @module */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/program.js';

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

export async function invoke(...args: string[]): Promise<Outcome> {
  const kept = { out: '', err: '' };
  const { stdout, stderr } = process;
  const before = { out: stdout.write, err: stderr.write, code: process.exitCode };
  const keep = (name: 'out' | 'err') => (chunk: string | Uint8Array) => {
    kept[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    return true;
  };
  stdout.write = keep('out') as typeof stdout.write;
  stderr.write = keep('err') as typeof stderr.write;
  try {
    const code = await run(args);
    return { code, ...kept };
  } finally {
    stdout.write = before.out;
    stderr.write = before.err;
    process.exitCode = before.code;
  }
}

const root = new URL('../../', import.meta.url).pathname;

/** A store inside the pst-extractor package: on any machine after installation. */
export const extractorStore = (name: string): string => join(root, 'node_modules/pst-extractor/example/testdata', name);
export const ENRON = extractorStore('enron.pst');

/** Real stores that are on some machines only. */
export const STORES = join(root, '../shared/stores');
export const HAS_STORES = existsSync(STORES);

/** A directory for one test file; `remove` in afterAll. */
export function workshop() {
  const directory = mkdtempSync(join(tmpdir(), 'pstwright-cli-'));
  return {
    file(name: string, bytes: Uint8Array | string): string {
      const path = join(directory, name);
      writeFileSync(path, bytes);
      return path;
    },
    /** A copy of enron.pst with bytes changed. */
    mutant(name: string, mutate: (bytes: Buffer) => void): string {
      const bytes = readFileSync(ENRON);
      mutate(bytes);
      return this.file(name, bytes);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
