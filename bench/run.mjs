/**
 * Starter of the benches: `npm run bench -- [names] [--quick]`. Puts the library and the benches as plain JavaScript under
 * build/bench, as a package is installed: no loader is in what is measured. Then hands over to main.ts.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
// One folder a run: two runs at once would measure each other's files.
const out = join(root, 'build/bench', String(process.pid));

if (!existsSync(join(root, 'build/core.wasm'))) {
  process.stderr.write('the core is not built: npm run build:core\n');
  process.exit(3);
}
process.on('exit', () => rmSync(out, { recursive: true, force: true }));
for (const folder of ['src', 'bench']) {
  for (const name of readdirSync(join(root, folder), { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(root, folder, name), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    const file = join(out, folder, name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, outputText);
  }
}
mkdirSync(join(out, 'build'));
for (const name of readdirSync(join(root, 'build'))) {
  if (name.endsWith('.wasm')) copyFileSync(join(root, 'build', name), join(out, 'build', name));
}
copyFileSync(join(root, 'package.json'), join(out, 'package.json'));

const { status } = spawnSync(process.execPath, [join(out, 'bench/main.js'), ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
