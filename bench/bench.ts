/** What every bench is given. @module */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from './process.js';
import type { Report } from './report.js';
import { LARGE, type Shape, SMALL, workFolder } from './workloads/stores.js';

export interface Settings {
  /** A smoke run: small stores, one round. Its figures mean nothing. */
  readonly quick: boolean;
}

export interface Bench {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  run(report: Report, settings: Settings): void | Promise<void>;
}

export const rounds = (settings: Settings, wanted: number): number => (settings.quick ? 1 : wanted);
export const largeShape = (settings: Settings): Shape => (settings.quick ? SMALL : LARGE);

const childScript = fileURLToPath(new URL('./child.js', import.meta.url));

/** Our work in a process of its own, see child.ts. */
export const child = (name: string, ...args: string[]): Command => ({
  name,
  file: process.execPath,
  args: [childScript, ...args],
});

/** The command line, as people run it. */
export const program = (name: string, ...args: string[]): Command => ({
  name,
  file: process.execPath,
  args: [fileURLToPath(new URL('../src/cli/main.js', import.meta.url)), ...args],
});

/** A path for output, and how to clear it. */
export function scratch(name: string): { path: string; clear: () => void } {
  mkdirSync(workFolder, { recursive: true });
  const path = join(workFolder, name);
  const clear = (): void => {
    for (const end of ['', '.manifest', '.partial']) rmSync(`${path}${end}`, { recursive: true, force: true });
  };
  return { path, clear };
}

/** readpst of libpst: every folder to a file in mbox form. */
export function readpst(store: string): Command {
  const folder = scratch('readpst');
  return {
    name: 'readpst to mbox',
    file: 'readpst',
    args: ['-q', '-o', folder.path, store],
    before() {
      folder.clear();
      mkdirSync(folder.path);
    },
  };
}
