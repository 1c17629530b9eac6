/**
 * Every verb that reads a store, in this process: whatever the file holds, it ends with an exit code of 0 to 3 and a sentence, in a
 * time that is a multiple of what the sound store takes. Exit code 4 would be a bug of ours.
 * @module
 */
import { hex } from '../../src/errors.js';
import { invoke, type Outcome } from '../cli/invoke.js';
import type { Anatomy } from './anatomy.js';
import type { Random } from './random.js';

/** Against input that takes for ever: so many times what the verb takes for the sound store, and no less than the floor. */
export const SLOWER_MAX = 20;
const FLOOR_MS = 3000;

/** Calls of verbs on the file at `path`, some arguments by chance. `sound` is the store it was made of. */
export function callsOf(path: string, sound: string, anatomy: Anatomy, random: Random): string[][] {
  const nid = (): string => hex(random.pick(anatomy.nids));
  const bid = (): string =>
    hex(
      random.pick(random.chance(0.3) && anatomy.internalBlocks.length > 0 ? anatomy.internalBlocks : anatomy.dataBlocks)
        .bid,
    );
  const sub = (): string => hex(random.pick([0x692, 0x671, 0x8025, 0x3f, 0x5f, 0x200024]));
  const json = (): string[] => (random.chance(0.4) ? ['--json'] : []);
  const ib = (): string =>
    random.chance(0.5) ? hex(random.pick(anatomy.pages).ib) : random.pick(['header', 'nbt', 'bbt', 'amap', 'dlist']);
  return [
    ['info', path, ...json()],
    ['ls', path, '--all', ...json()],
    ['ls', path, '--messages', '--all', '--limit', 'all', ...json()],
    ['ls', path, random.pick(['inbox', 'root', 'calendar', nid(), 'Top of Personal Folders/Inbox'])],
    ['cat', path, 'MESSAGE_STORE', ...json()],
    ['cat', path, nid(), '--full', ...json()],
    ['cat', path, nid(), '--rows', 'all', ...json()],
    ['cat', path, nid(), '--raw'],
    ['cat', path, nid(), '--subnode', sub(), ...json()],
    ['cat', path, nid(), '-p', random.pick(['PidTagBody', 'PidTagSubject', 'PidTagDisplayName', '0x3701']), ...json()],
    ['check', path, ...json()],
    ['check', path, '--profile', 'own', '--all'],
    ['page', path, ib(), ...json()],
    ['page', path, hex(random.below(anatomy.size + 1000)), ...json()],
    ['block', path, bid(), '--raw'],
    ['block', path, bid(), ...json()],
    ['node', path, nid(), ...json()],
    ['node', path, nid(), '--subnode', sub()],
    ['node', path, '0x61', ...json()],
    ['verify', ...(random.chance(0.5) ? [sound, path] : [path, sound]), ...json()],
  ];
}

/** Times of verbs on sound stores, by store and verb. */
const usual = new Map<string, number>();

/** Runs one verb. Throws with what is wrong about the way it ended. `known` names the sound store; of that itself, its time is noted. */
export async function tryVerb(call: readonly string[], known: string, isSound = false): Promise<number> {
  const started = performance.now();
  const outcome = await invoke(...call);
  const ms = performance.now() - started;
  const key = `${known} ${call[0]}`;
  if (isSound) usual.set(key, Math.max(usual.get(key) ?? 0, ms));
  const most = Math.max(FLOOR_MS, SLOWER_MAX * (usual.get(key) ?? 0));
  const say = (what: string): Error =>
    new Error(`${call.join(' ')}: ${what}\n${outcome.err.slice(0, 3000)}${outcome.out.slice(-300)}`);
  if (ms > most) throw say(`${ms.toFixed(0)} ms, at most ${most.toFixed(0)}`);
  judge(call, outcome, say);
  return outcome.code;
}

function judge(call: readonly string[], { code, out, err }: Outcome, say: (what: string) => Error): void {
  if (![0, 1, 2, 3].includes(code)) throw say(`exit code ${code}`);
  if (/\bat .*\.(ts|js):\d|RangeError|TypeError|\[object |\bNaN\b|\bundefined\b|This is a bug/.test(err))
    throw say('what it says on stderr');
  if (err !== '' && !/^pstwright: [^\n]+\n$/.test(err)) throw say('more than one sentence on stderr');
  if (code === 3 && err === '') throw say('refused without a word');
  if (/\[object |\bNaN\b/.test(out)) throw say('what it prints');
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(out + err)) throw say('it prints control characters');
  if (!call.includes('--json')) return;
  try {
    JSON.parse(out);
  } catch (error) {
    throw say(`no JSON: ${(error as Error).message}`);
  }
}
