/** Finds a folder by NID, by path, or by what it is special as. @module */
import { hex, UsageError } from '../errors.js';
import type { Folder } from '../messaging/folder.js';
import type { Store } from '../messaging/store.js';
import { isNumber, parseNid } from './number.js';
import { quote } from './output.js';

/** Names are compared as people write them: case and composition of accents do not matter. */
const fold = (name: string): string => name.normalize('NFC').toLowerCase();

/** Steps of a path; `\/` is a slash in a name. */
const steps = (path: string): string[] =>
  (path.match(/(?:\\.|[^/\\])+/gs) ?? []).map((step) => step.replace(/\\(.)/gs, '$1'));

/**
 * `0x8022`; `Top of Personal Folders/Inbox` from the root; `Inbox/Project` from the top of what a person sees; or a word
 * for a special folder: `inbox`, `sentItems`, `root`. Throws UsageError when there is no such folder, or several.
 */
export function findFolder(store: Store, text: string): Folder {
  if (isNumber(text)) {
    const nid = parseNid(text);
    const folder = store.findFolder(nid);
    if (folder === undefined) throw new UsageError('NOT_FOUND', `${store.ndb.source.name} has no folder ${hex(nid)}`);
    return folder;
  }
  const path = steps(text);
  if (path.length === 0 || (path.length === 1 && fold(path[0]!) === 'root')) return store.rootFolder;
  const tops = [store.rootFolder, store.ipmSubtree].filter((folder) => folder !== undefined);
  for (const top of tops) {
    const found = descend(top, path);
    if (found.length > 1) throw ambiguous(text, found);
    if (found.length === 1) return found[0]!;
  }
  if (path.length === 1) {
    for (const [kind, folder] of store.specialFolders) if (fold(kind) === fold(path[0]!)) return folder;
  }
  throw new UsageError(
    'NOT_FOUND',
    `${store.ndb.source.name} has no folder ${quote(text)}; \`ls STORE\` shows them all`,
  );
}

/** Every folder the path leads to: names need not be unique. */
function descend(from: Folder, path: readonly string[]): Folder[] {
  let level = [from];
  for (const step of path) {
    level = level
      .flatMap((folder) => folder.folders().toArray())
      .filter((child) => fold(child.displayName) === fold(step));
  }
  return level;
}

const ambiguous = (text: string, found: readonly Folder[]): UsageError =>
  new UsageError('USAGE', `${quote(text)} is ${found.length} folders: ${found.map(({ nid }) => hex(nid)).join(', ')}`);
