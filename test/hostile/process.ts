/** The program in a process of its own, to be watched, filled up and killed. @module */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = `${root}src/cli/main.ts`;

export interface RunOptions {
  readonly env?: Record<string, string>;
  /** Modules to load first. */
  readonly preload?: readonly string[];
}

function argumentsOf(args: readonly string[], { preload = [] }: RunOptions): string[] {
  return ['--import', 'tsx', ...preload.flatMap((module) => ['--import', module]), main, ...args];
}

const environment = ({ env = {} }: RunOptions): NodeJS.ProcessEnv => ({ ...process.env, NO_COLOR: '1', ...env });

/** Runs the program to its end. */
export function runProgram(args: readonly string[], options: RunOptions = {}): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, argumentsOf(args, options), {
    cwd: root,
    encoding: 'utf8',
    env: environment(options),
    timeout: 60_000,
  });
}

/** How often `when` is asked, in ms. */
const POLL_MS = 1;

/** Runs the program and kills it `ms` after `when` says so. Resolves once it is gone: with its exit code, null when it was killed. */
export function runAndKill(args: readonly string[], when: () => boolean, ms: number): Promise<number | null> {
  const child = spawn(process.execPath, argumentsOf(args, {}), { cwd: root, stdio: 'ignore', env: environment({}) });
  let timer: NodeJS.Timeout | undefined;
  const poll = setInterval(() => {
    if (!when()) return;
    clearInterval(poll);
    timer = setTimeout(() => child.kill('SIGKILL'), ms);
  }, POLL_MS);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      clearInterval(poll);
      clearTimeout(timer);
      resolve(code);
    });
  });
}

/** Why this machine cannot mount a file system, or undefined. */
export const cannotMount: string | undefined =
  process.platform !== 'linux'
    ? 'mounting is for Linux'
    : process.getuid?.() !== 0
      ? 'only root can mount'
      : !existsSync('/bin/mount') && !existsSync('/usr/bin/mount')
        ? 'mount is not installed'
        : undefined;

/** Mounts a tmpfs at `folder`; `options` as mount(8) takes them. Returns whether it is there. */
export const mountTmpfs = (folder: string, options: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0;

export const remount = (folder: string, options: string): boolean =>
  spawnSync('mount', ['-o', `remount,${options}`, folder]).status === 0;

export const unmount = (folder: string): void => void spawnSync('umount', ['-l', folder]);
