/**
 * What named properties are called: a store gives each an id from 0x8000 up of its own (MS-PST 2.4.7), so a bundle carries the names of those
 * its operation meets, and no others.
 * @module
 */
import { readPc } from '../ltp/pc.js';
import { Table } from '../ltp/table.js';
import { lookUpLid, type PropertyName, propertyNameText } from '../mapi/named.js';
import { tagName } from '../mapi/tags.js';
import * as ptyp from '../mapi/type.js';
import type { Store } from '../messaging/store.js';
import { openContent } from '../migrate/content.js';
import type { Ndb } from '../ndb/ndb.js';
import { NPID_FIRST } from '../wire/nameid.js';
import type { Bundle } from './bundle.js';
import { attempt, type Place, placesOf } from './places.js';

/** A property of a set: the id this store has for it, the set's GUID, and its number or string there. */
export interface BundleName extends PropertyName {
  readonly npid: number;
}

/** Names taken along; real items have tens, a hostile one could have all 32,768. */
const NAMES_MAX = 4096;

/** Names of the named properties in node `i` and its subnodes, and of `tag`. What cannot be read is left out. */
export function namesOf(store: Store, i: number, tag: number): BundleName[] {
  const { ndb } = store;
  const npids = new Set<number>();
  const add = (found: number): void => {
    if (ptyp.idOf(found) >= NPID_FIRST && npids.size < NAMES_MAX) npids.add(ptyp.idOf(found));
  };
  add(tag);
  for (const place of placesOf(ndb, i)) for (const found of attempt(() => tagsOf(ndb, place)) ?? []) add(found);
  if (npids.size === 0) return [];
  const { names } = store;
  return [...npids]
    .sort((a, b) => a - b)
    .map((npid) => names.find(npid))
    .filter((name) => name !== undefined)
    .map(({ npid, set, id }) => ({ npid, set, id }));
}

/** Tags of a property context, or of a table's columns. */
function tagsOf(ndb: Ndb, { nids, bidData, bidSub }: Place): number[] {
  const where = { nid: nids.at(-1)! };
  const content = openContent(ndb, where.nid, bidData, where);
  if (content.kind !== 'none' && content.chain !== 0) ndb.core.x.chainFree(content.chain);
  if (content.kind === 'pc') {
    const stream = readPc(ndb, bidData, where);
    return Array.from({ length: stream.count }, (_, k) => stream.tag(k));
  }
  if (content.kind !== 'tc') return [];
  const table = Table.open(ndb, bidData, ndb.subnodes(bidSub, where), where);
  try {
    return table.columns.map(({ tag }) => tag);
  } finally {
    table.close();
  }
}

/** The names that anybody may know: those of published sets and numbers. */
export const publicNames = (names: readonly BundleName[]): BundleName[] =>
  names.filter(({ set, id }) => typeof id === 'number' && lookUpLid(set, id) !== undefined);

/** Names a property, or tells that nobody knows it. */
export type Namer = (tag: number) => string;

/** Names properties as the store of the bundle does: `PidTagSubject`, `PidLidReminderSet`, `PS_PUBLIC_STRINGS:Keywords`. */
export function namerOf({ names = [] }: Pick<Bundle, 'names'>): Namer {
  const byId = new Map(names.map((name) => [name.npid, propertyNameText(name)]));
  return (tag) => {
    const id = ptyp.idOf(tag);
    const hex = `0x${id.toString(16).padStart(4, '0')}`;
    return tagName(tag) ?? (id < NPID_FIRST ? `property ${hex}` : (byId.get(id) ?? `named property ${hex}`));
  };
}
