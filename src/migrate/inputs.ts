/**
 * The stores of a batch: from files, folders and lists to an order and a target name for each. Both depend on the arguments and the
 * folders alone, so that a rerun finds every copy under the name it had.
 * @module
 */
import { closeSync, type Dirent, openSync, readdirSync, readSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { UsageError } from '../errors.js';
import { linesOf, readText } from './textfile.js';

/** Against folders that contain themselves by way of mounts: nobody files mailboxes this deep. */
const FOLDER_DEPTH_MAX = 64;
/** Against the root of a file server given by mistake. */
const STORES_MAX = 100_000;

const isStoreName = (name: string): boolean => /\.(pst|ost)$/i.test(name);

/** File name without .pst or .ost: what an account is called in a list. */
export const accountOf = (path: string): string => basename(path).replace(/\.(pst|ost)$/i, '');

export interface InputOptions {
  /** The folder of the copies: nothing in it is a source. */
  readonly out: string;
  /** Of lists; see textfile.ts. */
  readonly encoding?: string | undefined;
}

/**
 * The stores that `args` name, absolute, in order, each once. A folder stands for every .pst and .ost in it and below, sorted;
 * a text file for the stores in its lines. Throws UsageError for what is not there.
 */
export function findStores(args: readonly string[], { out, encoding }: InputOptions): string[] {
  const found = new Map<string, string>();
  const outFolder = realPath(out);
  const add = (path: string): void => {
    const key = realpathSync(path);
    if (!found.has(key)) found.set(key, resolve(path));
    if (found.size > STORES_MAX) throw new UsageError('REFUSED', `more than ${STORES_MAX} stores; copy them in parts`);
  };
  for (const arg of args) {
    const stat = statOf(arg);
    if (stat === undefined) throw new UsageError('NOT_FOUND', `${arg}: no such file or folder`);
    if (stat.isDirectory()) {
      if (realPath(arg) === outFolder) {
        throw new UsageError('REFUSED', `${arg} is the folder for the copies; choose another with --out`);
      }
      const before = found.size;
      for (const path of storesIn(arg, outFolder, 0)) add(path);
      if (found.size === before) throw new UsageError('NOT_FOUND', `${arg}: no .pst and no .ost in it`);
    } else if (isStoreName(arg) || hasMagic(arg)) add(arg);
    else for (const path of storesOfList(arg, encoding)) add(path);
  }
  return [...found.values()];
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** The path behind all links; as it is when it does not exist yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** "!BDN", MS-PST 2.2.2.6: a store whatever its name. */
function hasMagic(path: string): boolean {
  const bytes = Buffer.alloc(4);
  try {
    const fd = openSync(path, 'r');
    readSync(fd, bytes, 0, 4, 0);
    closeSync(fd);
  } catch {
    return false; // said when the file is read as a list
  }
  return bytes.toString('latin1') === '!BDN';
}

/** By code units, so that the order is the same on every machine. */
const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Links to files count, links to folders are not followed. */
function* storesIn(folder: string, outFolder: string, depth: number): Generator<string> {
  if (depth > FOLDER_DEPTH_MAX) {
    throw new UsageError('REFUSED', `${folder}: folders nested ${FOLDER_DEPTH_MAX} deep`);
  }
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true }).sort(byName);
  } catch (error) {
    throw new UsageError('IO', `${folder}: cannot be listed (${(error as NodeJS.ErrnoException).code})`);
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (realPath(path) !== outFolder) yield* storesIn(path, outFolder, depth + 1);
    } else if (isStoreName(entry.name) && (entry.isFile() || statOf(path)?.isFile() === true)) yield path;
  }
}

/**
 * A list has one store a line: a path, counted from the folder of the list, or an account, whose store lies beside the list as
 * NAME.pst or NAME.ost.
 */
function storesOfList(list: string, encoding: string | undefined): string[] {
  const lines = linesOf(readText(list, encoding));
  if (lines.length === 0) throw new UsageError('USAGE', `${list} names no store`);
  return lines.map(({ number, text }) => {
    const path = resolve(dirname(list), text.trim());
    if (statOf(path)?.isFile() === true) return path;
    const stores = ['.pst', '.ost'].map((end) => path + end).filter((store) => statOf(store)?.isFile() === true);
    if (stores.length === 1) return stores[0]!;
    const said = `${list}, line ${number}: ${text.trim()}`;
    if (stores.length === 0) throw new UsageError('NOT_FOUND', `${said}: no such store`);
    throw new UsageError('REFUSED', `${said} is a .pst and an .ost; write which`);
  });
}

/** Of `stores` those whose file names are `accounts`, in the order of the accounts. Throws UsageError for one without a store. */
export function selectAccounts(stores: readonly string[], accounts: readonly string[]): string[] {
  const byAccount = new Map<string, string[]>();
  for (const store of stores) {
    const key = accountOf(store).toLowerCase();
    byAccount.set(key, [...(byAccount.get(key) ?? []), store]);
  }
  const missing: string[] = [];
  const selected = accounts.flatMap((account) => {
    const of = byAccount.get(account.toLowerCase()) ?? [];
    if (of.length === 0) missing.push(account);
    if (of.length > 1) {
      throw new UsageError('REFUSED', `account ${account} has ${of.length} stores: ${of.join(', ')}`);
    }
    return of;
  });
  if (missing.length > 0) {
    const first = missing.slice(0, 5).join(', ');
    throw new UsageError('NOT_FOUND', `no store for ${missing.length > 5 ? `${first}, …` : first}`);
  }
  return selected;
}

/** Names that differ in case or in how accents are composed are one name on some file systems. */
const nameKey = (name: string): string => name.normalize('NFC').toLowerCase();

/**
 * A target name for each store: NAME.pst. Of several stores with one name the first keeps it, the others become NAME-2.pst, NAME-3.pst,
 * … in order, past names that stores have of their own. What `known` says of a store stands.
 */
export function nameTargets(stores: readonly string[], known: ReadonlyMap<string, string>): Map<string, string> {
  const targets = new Map<string, string>();
  const taken = new Set<string>();
  for (const name of known.values()) taken.add(nameKey(name));
  const later: string[] = [];
  for (const store of stores) {
    const name = known.get(store) ?? `${accountOf(store)}.pst`;
    if (!known.has(store) && taken.has(nameKey(name))) later.push(store);
    else targets.set(store, name);
    taken.add(nameKey(name));
  }
  for (const store of later) {
    const base = accountOf(store);
    let k = 2;
    while (taken.has(nameKey(`${base}-${k}.pst`))) k++;
    targets.set(store, `${base}-${k}.pst`);
    taken.add(nameKey(`${base}-${k}.pst`));
  }
  return targets;
}

/** The path as short as it can be said from the working folder. */
export function shortPath(path: string): string {
  const short = relative('.', path);
  return short === '' || short.startsWith(`..${sep}..`) ? path : short;
}
