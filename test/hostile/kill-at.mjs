/**
 * Loaded before the program: kills it at a call that changes the file system. PSTWRIGHT_KILL_AT is the number of the call, `12-` before
 * it and `12+` after it; PSTWRIGHT_CALLS names a file that takes the list of all such calls at the end.
 */
import fs, { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const CALLS = [
  'openSync',
  'writeSync',
  'fsyncSync',
  'closeSync',
  'linkSync',
  'unlinkSync',
  'renameSync',
  'writeFileSync',
  'rmSync',
];
const [, number, side] = /^(\d+)([-+])$/.exec(process.env.PSTWRIGHT_KILL_AT ?? '') ?? [];
const calls = [];
let isCounting = true;

for (const name of CALLS) {
  const original = fs[name];
  fs[name] = (...args) => {
    // Opening to read changes nothing.
    if (!isCounting || (name === 'openSync' && typeof args[1] !== 'string')) return original(...args);
    const k = calls.push(name) - 1;
    if (k === Number(number) && side === '-') process.kill(process.pid, 'SIGKILL');
    isCounting = false; // what a call of ours calls in turn
    try {
      return original(...args);
    } finally {
      isCounting = true;
      if (k === Number(number) && side === '+') process.kill(process.pid, 'SIGKILL');
    }
  };
}
syncBuiltinESMExports();

const list = process.env.PSTWRIGHT_CALLS;
if (list !== undefined) {
  process.on('exit', () => {
    isCounting = false;
    writeFileSync(list, JSON.stringify(calls));
  });
}
