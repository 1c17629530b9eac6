/** Progress of long work, on stderr and only when that is a terminal. @module */
import { SingleBar } from 'cli-progress';
import { size } from './output.js';

export interface Progress {
  /** `done` of `total`; either may be left as it is. */
  update(done: number, total?: number): void;
  /** What is being done now, a word or two. */
  phase(label: string): void;
  /** Takes the bar away. Call it before anything else is printed, and when an error passes. */
  stop(): void;
}

const NONE: Progress = { update() {}, phase() {}, stop() {} };

/** Redraws a second: enough for the eye. */
const FRAMES = 8;

/** A bar for `total` steps; a total of 0 is filled in by the first `update`. `unit`: how the numbers read. */
export function startProgress(label: string, total = 0, unit: 'bytes' | 'count' = 'count'): Progress {
  if (process.stderr.isTTY !== true || process.env.TERM === 'dumb') return NONE;
  const text = unit === 'bytes' ? size : (n: number): string => n.toLocaleString('en-US');
  const bar = new SingleBar({
    stream: process.stderr,
    fps: FRAMES,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 30,
    format: '{label}  {bar}  {percentage} %  {value} of {total}  {duration_formatted}',
    formatValue: (value, _options, type) => (type === 'value' || type === 'total' ? text(value) : String(value)),
  });
  bar.start(Math.max(total, 1), 0, { label });
  // A killed run must not leave the terminal without its cursor.
  const restore = (): void => bar.stop();
  process.once('exit', restore);
  return {
    update(done, newTotal) {
      if (newTotal !== undefined && newTotal > 0) bar.setTotal(newTotal);
      bar.update(done);
    },
    phase: (name) => bar.update({ label: name }),
    stop() {
      process.removeListener('exit', restore);
      bar.stop();
    },
  };
}
