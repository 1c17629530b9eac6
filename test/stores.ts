/**
 * Real stores for tests: those beside the checkout, in `../shared/stores` with their CATALOG.md, and those that the
 * pst-extractor package ships, which exist on any machine after `npm ci`. None of them is ours; tests never quote what
 * is in them. Where the folder is absent its tests are skipped with a message.
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';

const repository = fileURLToPath(new URL('..', import.meta.url));
export const SHARED_STORES = resolve(repository, '../shared/stores');
export const PACKAGED_STORES = join(repository, 'node_modules/pst-extractor/example/testdata');

/** One line of CATALOG.md: what an independent walker counted, and what other readers found. */
export interface CatalogLine {
  readonly file: string;
  readonly variant: 'ANSI' | 'Unicode' | 'Unicode4K';
  readonly isOst: boolean;
  readonly encoding: string;
  readonly folders: number;
  readonly searchFolders: number;
  /** Ordinary messages in folders, embedded ones not counted. */
  readonly messages: number;
  readonly associated: number;
  /** Those of embedded messages too. */
  readonly attachments: number;
  readonly embedded: number;
  /** Messages and attachments as the other reader counts them; undefined where it refuses the store. */
  readonly readpst: readonly [number, number] | undefined;
  readonly pffexport: readonly [number, number] | undefined;
  readonly pstExtractor: readonly [number, number] | undefined;
}

export interface RealStore {
  /** File name. */
  readonly name: string;
  readonly path: string;
  /** Stores that only the package has carry none. */
  readonly catalog: CatalogLine | undefined;
}

/** Why some real stores are missing here, or undefined. */
export const sharedStoresMissing: string | undefined = existsSync(join(SHARED_STORES, 'CATALOG.md'))
  ? undefined
  : '../shared/stores is not on this machine';

const pair = (cell: string): [number, number] | undefined => {
  const numbers = cell.split('/').map(Number);
  return cell === '-' ? undefined : [numbers[0]!, numbers[1]!];
};

/** The table of CATALOG.md; empty where the folder is absent. */
export function readCatalog(): CatalogLine[] {
  if (sharedStoresMissing !== undefined) return [];
  const lines = readFileSync(join(SHARED_STORES, 'CATALOG.md'), 'utf8').split('\n');
  return lines
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter((cells) => /\.(pst|ost)$/.test(cells[1] ?? ''))
    .map((cells) => {
      const [, file, , , variant, encoding, counts, readpst, pffexport, pstExtractor] = cells as string[];
      const [folders, searchFolders, messages, associated, attachments, embedded] = counts!.split('/').map(Number);
      return {
        file: file!,
        variant: /ANSI|Unicode4K|Unicode/.exec(variant!)![0] as CatalogLine['variant'],
        isOst: variant!.startsWith('OST'),
        encoding: encoding!,
        folders: folders!,
        searchFolders: searchFolders!,
        messages: messages!,
        associated: associated!,
        attachments: attachments!,
        embedded: embedded!,
        readpst: pair(readpst!),
        pffexport: pair(pffexport!),
        pstExtractor: pair(pstExtractor!),
      };
    });
}

const isStore = (name: string): boolean => /\.(pst|ost)$/.test(name);

/** Every real store on this machine, smallest names first; one that is in both places is listed once. */
export function realStores(): RealStore[] {
  const found: RealStore[] = [];
  const catalog = new Map(readCatalog().map((line) => [line.file, line]));
  if (sharedStoresMissing === undefined) {
    for (const name of readdirSync(SHARED_STORES).filter(isStore).sort()) {
      found.push({ name, path: join(SHARED_STORES, name), catalog: catalog.get(name) });
    }
  }
  if (existsSync(PACKAGED_STORES)) {
    for (const name of readdirSync(PACKAGED_STORES).filter(isStore).sort()) {
      if (found.some((store) => store.name.endsWith(`__${name}`))) continue;
      found.push({ name, path: join(PACKAGED_STORES, name), catalog: undefined });
    }
  }
  return found;
}

/** The one store whose file name ends so; undefined where it is absent. */
export const findStore = (ending: string): RealStore | undefined =>
  realStores().find((store) => store.name.endsWith(ending));

/** A block with one test for each real store that `wanted` takes, and a skipped test that says so where some are missing. */
export function describeStores(
  title: string,
  test: (store: RealStore) => void | Promise<void>,
  wanted: (store: RealStore) => boolean = () => true,
  timeoutMs = 60_000,
): void {
  describe(title, () => {
    if (sharedStoresMissing !== undefined) it.skip(`skipped: ${sharedStoresMissing}`, () => {});
    for (const store of realStores().filter(wanted)) it(store.name, () => test(store), timeoutMs);
  });
}
