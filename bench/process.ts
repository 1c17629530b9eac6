/**
 * Whole processes, timed from spawn to exit. Timed runs are left alone; peak memory is taken in a run of its own, from
 * the kernel's high-water mark (Linux), so that other people's programs are measured as ours are.
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Command {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Before each run, outside the clock: what the last one left is removed. */
  readonly before?: () => void;
}

export interface Run {
  readonly ms: number;
  readonly stdout: string;
}

export function hasProgram(file: string): boolean {
  return spawnSync(file, ['-V'], { stdio: 'ignore' }).error === undefined;
}

const LARGEST_OUTPUT = 64 << 20;

export function run(command: Command): Run {
  command.before?.();
  const from = process.hrtime.bigint();
  const { status, error, stdout, stderr, signal } = spawnSync(command.file, command.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: LARGEST_OUTPUT,
  });
  const ms = Number(process.hrtime.bigint() - from) / 1e6;
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command.name} ended with ${status ?? signal}: ${String(stderr).slice(0, 2000)}`);
  return { ms, stdout: String(stdout) };
}

/** Runs the commands in turn, `rounds` times, after one round that does not count. Results by command, round by round. */
export function alternate(commands: readonly Command[], rounds: number): Run[][] {
  const results: Run[][] = commands.map(() => []);
  for (let round = -1; round < rounds; round++) {
    commands.forEach((command, k) => {
      const result = run(command);
      if (round >= 0) results[k]!.push(result);
    });
  }
  return results;
}

const POLL_MS = 3;

/** Highest resident set of the command in MB; undefined where the kernel does not tell. */
export function peakMemory(command: Command): Promise<number | undefined> {
  if (process.platform !== 'linux') return Promise.resolve(undefined);
  command.before?.();
  const child = spawn(command.file, command.args, { stdio: 'ignore' });
  let peak = 0;
  const look = (): void => {
    try {
      const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
      if (found !== null) peak = Math.max(peak, Number(found[1]));
    } catch {
      // It has ended between two looks.
    }
  };
  const timer = setInterval(look, POLL_MS);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      clearInterval(timer);
      resolve(peak === 0 ? undefined : peak / 1024);
    });
  });
}

export const megabytes = (value: number | undefined): string => (value === undefined ? '-' : `${Math.round(value)}`);
