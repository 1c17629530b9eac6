/**
 * What runs in a process of its own: `node child.js WHAT …`. Prints one line of JSON: its result, the milliseconds it took
 * once the program was loaded, and its peak memory. The clock outside counts the start of Node too.
 * @module
 */
import { readFileSync, rmSync } from 'node:fs';
import type { ChildOutput } from './child-output.js';

/** The action by its name. Each loads what it needs and no more: the time to load it is its own. */
async function perform(what: string, args: readonly string[]): Promise<() => unknown> {
  const [a, b, c] = args as [string, string, string];
  switch (what) {
    case 'read': {
      const { readEverything } = await import('./workloads/read.js');
      return () => readEverything(a, { digest: b === 'digest' });
    }
    case 'extract': {
      const { extractEverything } = await import('./workloads/extractor.js');
      return () => extractEverything(a, b === 'digest');
    }
    case 'floor': {
      const { floorOf } = await import('./workloads/floor.js');
      return floorOf(a);
    }
    case 'clone': {
      const { cloneFile } = await import('../src/migrate/clone.js');
      if (c !== undefined) {
        const { Core } = await import('../src/core/core.js');
        const { parseWords } = await import('../src/core/options.js');
        Core.settings = parseWords(c);
      }
      return () => {
        const { contentDigest, counters, target } = cloneFile(a, b);
        return { contentDigest: Buffer.from(contentDigest).toString('hex'), counters, size: target.size };
      };
    }
    default:
      throw new Error(`there is no "${what}"`);
  }
}

/** Of this program alone: on Linux, getrusage(2) counts what the parent had when it forked. */
function peakMegabytes(): number {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
    if (found !== null) return Number(found[1]) / 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS / 1024;
}

/** `node child.js [--rounds N] WHAT …`: N rounds in one process, the first also warming the engine up. */
const args = process.argv.slice(2);
const rounds = args[0] === '--rounds' ? Number(args.splice(0, 2)[1]) : 1;
const [what = '', ...rest] = args;
const ms: number[] = [];
const cpuMs: number[] = [];
let result: unknown;
for (let round = 0; round < rounds; round++) {
  if (what === 'clone') rmSync(rest[1]!, { force: true });
  const action = await perform(what, rest);
  const before = process.cpuUsage();
  const from = performance.now();
  result = action();
  ms.push(performance.now() - from);
  const { user, system } = process.cpuUsage(before);
  cpuMs.push((user + system) / 1000);
}
const output: ChildOutput<unknown> = { result, ms, cpuMs, peakMegabytes: peakMegabytes() };
process.stdout.write(JSON.stringify(output));
