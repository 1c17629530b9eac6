/** The layers only look down. Reads the import lines of src/ and assembly/; there is no tool to configure. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const files = (root: string): string[] =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .sort();

const imports = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, path]) => path!);

/** Lowest first. A folder may import from itself and from those before it. */
const LAYERS = [
  'errors',
  'host',
  'wire',
  'core',
  'ndb',
  'ltp',
  'mapi',
  'messaging',
  'build',
  'policy',
  'migrate',
  'check',
  'replay',
  'cli',
];

const first = (path: string): string => path.split('/')[0]!.replace(/\.(?:js|ts)$/, '');

describe('src', () => {
  const all = files('src');

  it('has no folder that is no layer', () => {
    const folders = new Set(all.filter((file) => file.includes('/')).map(first));
    for (const folder of folders) expect(LAYERS).toContain(folder);
    expect(all.filter((file) => !file.includes('/')).sort()).toEqual(
      ['errors.ts', 'index.ts'].filter((file) => all.includes(file)),
    );
  });

  it.each(all.filter((file) => file !== 'index.ts'))('%s looks down', (file) => {
    const layer = LAYERS.indexOf(first(file));
    for (const path of imports(join('src', file))) {
      if (!path.startsWith('.')) continue;
      const target = normalize(join(dirname(file), path)).replaceAll('\\', '/');
      const found = LAYERS.indexOf(first(target));
      expect(target.startsWith('..'), `${file} imports ${path}, outside src`).toBe(false);
      expect(found, `${file} imports ${path}, which is no layer`).toBeGreaterThanOrEqual(0);
      expect(found, `${file} imports ${path}, a higher layer`).toBeLessThanOrEqual(layer);
    }
  });

  /** Files below migrate/ that may touch the machine: the sources and sinks, and the border that loads the core. */
  const MACHINE = /^(?:host\/.*|core\/core\.ts)$/;
  it.each(all.filter((file) => LAYERS.indexOf(first(file)) < LAYERS.indexOf('migrate') && !MACHINE.test(file)))(
    '%s leaves the machine alone',
    (file) => {
      if (file === 'index.ts') return;
      for (const path of imports(join('src', file))) expect(path, `${file} imports ${path}`).not.toMatch(/^node:/);
    },
  );
});

describe('assembly', () => {
  /** Lowest first, by folder or, where a folder holds two layers, by file. */
  const ORDER = [
    'wire',
    'memory/layout',
    'memory/site',
    'memory/stop',
    'memory/descriptor',
    'memory/options',
    'memory/trace',
    'memory/access',
    'memory/shadow',
    'memory/rawheap',
    'memory/lightheap',
    'memory/runs',
    'memory/pagemap',
    'memory/refuse',
    'memory/edges',
    'memory/protect',
    'memory/pageheap',
    'memory/span',
    'damage',
    'ndb',
    'ltp/heap',
    'stream',
    'text',
    'ltp',
    'index',
    'planted',
    'planted-crimes',
  ];
  const layerOf = (path: string): number => {
    const name = path.replace(/\.ts$/, '');
    const exact = ORDER.indexOf(name);
    return exact >= 0 ? exact : ORDER.indexOf(first(name));
  };

  it.each(files('assembly'))('%s looks down', (file) => {
    const layer = layerOf(file);
    expect(layer, `${file} has no layer`).toBeGreaterThanOrEqual(0);
    for (const path of imports(join('assembly', file))) {
      const target = normalize(join(dirname(file), path)).replaceAll('\\', '/');
      expect(path.startsWith('.'), `${file} imports ${path}`).toBe(true);
      expect(layerOf(target), `${file} imports ${path}, a higher layer`).toBeLessThanOrEqual(layer);
    }
  });
});
