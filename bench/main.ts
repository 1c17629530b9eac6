/**
 * The benches: `npm run bench -- [names] [--quick]`. Each compares outputs before it compares times, prints a table and
 * writes it to bench/results. Exit code 1 when outputs differed, 3 for a name that is none.
 * @module
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.js';
import { clone } from './benches/clone.js';
import { floor } from './benches/floor.js';
import { items } from './benches/items.js';
import { kernels } from './benches/kernels.js';
import { read } from './benches/read.js';
import { verifier } from './benches/verifier.js';
import { Report } from './report.js';
import { workFolder } from './workloads/stores.js';

const BENCHES: readonly Bench[] = [kernels, read, floor, clone, verifier, items];

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const names = args.filter((arg) => !arg.startsWith('-'));
const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `no bench is called ${unknown.join(', ')}; there are ${BENCHES.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(3);
}

let isSound = true;
const from = performance.now();
for (const bench of BENCHES) {
  if (names.length > 0 && !names.includes(bench.name)) continue;
  const report = new Report(bench.name, bench.title, bench.about);
  await bench.run(report, { quick });
  isSound &&= report.isSound;
  if (!quick) report.save('bench/results');
}
if (args.includes('--clean')) rmSync(workFolder, { recursive: true, force: true });
else process.stdout.write(`\nBuilt stores are kept in ${join(workFolder)}; --clean removes them.\n`);
process.stdout.write(`${Math.round((performance.now() - from) / 1000)} s\n`);
process.exitCode = isSound ? 0 : 1;
