/**
 * Builds fixtures/*.pst from fixtures/*.json. The JSON is written by hand and says what the store holds; the same JSON
 * gives the same bytes. Run `node --import tsx scripts/fixtures.ts` after a change of the builder, and look at what
 * changed before committing it. With `--check` nothing is written: exit code 1 when a store would differ.
 * @module
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fillStore, optionsOf, type StoreDescription } from '../src/build/description.js';
import { buildStore } from '../src/build/store.js';
import { MemoryFile } from '../test/memory-file.js';

const folder = new URL('../fixtures/', import.meta.url);
const isCheck = process.argv.includes('--check');

for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
  const description = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as StoreDescription;
  const file = new MemoryFile();
  buildStore(file, optionsOf(description), (b) => fillStore(b, description));
  const path = new URL(name.replace(/json$/, 'pst'), folder);
  if (!isCheck) {
    writeFileSync(path, file.bytes);
    console.log(`${path.pathname.split('/').at(-1)}: ${file.size} bytes`);
  } else if (!readFileSync(path).equals(file.bytes)) {
    console.error(`${name}: the builder gives other bytes`);
    process.exitCode = 1;
  }
}
