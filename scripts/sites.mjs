/**
 * Where in the core's sources blocks are taken and given back: every `alloc(size, SITE_…)` and `free(ptr, FREE_…)` with its file, line
 * and column. scripts/core.mjs writes the list beside the modules, reports read it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = 'assembly';
/** The allocator itself. */
const HEAP = 'assembly/memory/';

/** Constants of assembly/memory/site.ts by name. */
function siteNumbers() {
  const text = readFileSync(`${HEAP}site.ts`, 'utf8');
  const lines = text.matchAll(/^export const ((?:SITE|FREE)_\w+): u32 = (0x[0-9a-f]+);/gm);
  return new Map([...lines].map(([, name, value]) => [name, Number(value)]));
}

/** Index of the parenthesis that closes the one at `open`. */
function closing(text, open) {
  let depth = 0;
  for (let k = open; k < text.length; k++) {
    if (text[k] === '(') depth++;
    else if (text[k] === ')' && --depth === 0) return k;
  }
  return text.length;
}

/** `{ allocs, frees }`: lists of `{ site, name, file, line, column }` in the order of the sources. */
export function findSites() {
  const numbers = siteNumbers();
  const found = { allocs: [], frees: [] };
  const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
    .map((name) => join(ROOT, name).replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.startsWith(HEAP))
    .filter((name) => !name.includes('/planted'))
    .sort();
  for (const file of files) {
    // Comments become blanks, so that places stay what they are.
    const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, (comment) =>
      comment.replace(/./g, ' '),
    );
    for (const match of text.matchAll(/\b(alloc|free)\(/g)) {
      const end = closing(text, match.index + match[0].length - 1);
      const name = /,\s*(?:site\.)?((?:SITE|FREE)_\w+)\s*$/.exec(text.slice(match.index, end))?.[1];
      if (name === undefined || !numbers.has(name)) continue;
      const before = text.slice(0, match.index).split('\n');
      const place = { site: numbers.get(name), name, file, line: before.length, column: before.at(-1).length };
      found[match[1] === 'alloc' ? 'allocs' : 'frees'].push(place);
    }
  }
  return found;
}
