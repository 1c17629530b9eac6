/**
 * Which nodes name which as their parent: NBTENTRY.nidParent, MS-PST 2.2.2.7.7.4. Folders and messages have parents,
 * tables have none. The tables of a folder say the same; where they do not, this is how it is noticed.
 * @module
 */
import type { NodeIndex } from '../ndb/nbt.js';
import { NID_TYPE, nidType } from '../wire/nid.js';

const NONE = -1;

export const isFolder = (nid: number): boolean =>
  nidType(nid) === NID_TYPE.NORMAL_FOLDER || nidType(nid) === NID_TYPE.SEARCH_FOLDER;
export const isMessage = (nid: number): boolean =>
  nidType(nid) === NID_TYPE.NORMAL_MESSAGE || nidType(nid) === NID_TYPE.ASSOC_MESSAGE;

/** Folder and message nodes by parent: lists linked through one column, 4 bytes a node. */
export class Children {
  readonly #first = new Map<number, number>();
  readonly #next: Int32Array;

  constructor(readonly nbt: NodeIndex) {
    this.#next = new Int32Array(nbt.count).fill(NONE);
    for (let i = nbt.count - 1; i >= 0; i--) {
      const nid = nbt.nid(i);
      if (!isFolder(nid) && !isMessage(nid)) continue;
      const parent = nbt.parent(i);
      if (parent === nid) continue; // the root folder
      this.#next[i] = this.#first.get(parent) ?? NONE;
      this.#first.set(parent, i);
    }
  }

  /** Indices in the NBT of the nodes whose parent is `nid`, by ascending NID. */
  *of(nid: number): IterableIterator<number> {
    for (let i = this.#first.get(nid) ?? NONE; i !== NONE; i = this.#next[i]!) yield i;
  }

  has(nid: number): boolean {
    return this.#first.has(nid);
  }

  /** NIDs that nodes name as their parents. */
  parents(): IterableIterator<number> {
    return this.#first.keys();
  }
}
