/**
 * What runs in a process of its own: `node child.js WHAT …`. Prints one line of JSON: its result, the milliseconds it took
 * once the program was loaded, and its peak memory. The clock outside counts the start of Node too.
 * @module
 */
import { rmSync } from 'node:fs';
import type { CoreBuild } from '../src/core/core.js';
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
      return () => {
        const { contentDigest, counters, target } = cloneFile(a, b, { core: c as CoreBuild });
        return { contentDigest: Buffer.from(contentDigest).toString('hex'), counters, size: target.size };
      };
    }
    default:
      throw new Error(`there is no "${what}"`);
  }
}

/** `node child.js [--rounds N] WHAT …`: N rounds in one process, the first also warming the engine up. */
const args = process.argv.slice(2);
const rounds = args[0] === '--rounds' ? Number(args.splice(0, 2)[1]) : 1;
const [what = '', ...rest] = args;
const ms: number[] = [];
let result: unknown;
for (let round = 0; round < rounds; round++) {
  if (what === 'clone') rmSync(rest[1]!, { force: true });
  const action = await perform(what, rest);
  const from = performance.now();
  result = action();
  ms.push(performance.now() - from);
}
const output: ChildOutput<unknown> = { result, ms, peakMegabytes: process.resourceUsage().maxRSS / 1024 };
process.stdout.write(JSON.stringify(output));
