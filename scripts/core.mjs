/**
 * Builds the core: one module per target of asconfig.json, into build/. Arguments name targets; none
 * means all, which all ship. The compiler is deterministic; `--check` builds twice and compares. Beside them sites.json: where blocks are
 * taken and given back.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { main } from 'assemblyscript/asc';
import { findSites } from './sites.mjs';

const names = process.argv.slice(2).filter((name) => !name.startsWith('--'));
const config = JSON.parse(readFileSync('asconfig.json', 'utf8'));
const targets = names.length > 0 ? names : Object.keys(config.targets);

async function build(target) {
  const { error, stderr } = await main(['--config', 'asconfig.json', '--target', target]);
  if (error) {
    process.stderr.write(`${stderr.toString()}\n${error.message}\n`);
    process.exit(1);
  }
  return createHash('sha256').update(readFileSync(config.targets[target].outFile)).digest('hex');
}

mkdirSync('build', { recursive: true });
for (const target of targets) {
  const digest = await build(target);
  if (process.argv.includes('--check') && digest !== (await build(target))) {
    process.stderr.write(`${target}: two builds differ\n`);
    process.exit(1);
  }
  process.stdout.write(`${config.targets[target].outFile}  sha256 ${digest.slice(0, 16)}\n`);
}
writeFileSync('build/sites.json', `${JSON.stringify(findSites(), null, 1)}\n`);
