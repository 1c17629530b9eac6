/**
 * Property tags by number and by name. MS-OXPROPS; MS-PST where it names what only stores have.
 *
 * The tables are text, one line a tag, sorted by id: `0037 str Subject`. The types are abbreviations
 * of ours, below. An id stands on several lines when different types (0E08), or different message
 * classes (0x6800 … 0x7BFF), give it different meanings; the first line is the commonest.
 * @module
 */
import { TAGS_HIGH } from './tags-high.js';
import { TAGS_LOW } from './tags-low.js';
import { TAGS_MID } from './tags-mid.js';
import { TAGS_SEEN } from './tags-seen.js';
import * as ptyp from './type.js';

export interface Tag {
  /** id << 16 | type, with the type the specification gives. */
  readonly tag: number;
  readonly id: number;
  readonly type: number;
  /** `PidTagSubject`. */
  readonly name: string;
  /** No specification names it; the name is ours. */
  readonly isHouseName: boolean;
}

const TYPES: Readonly<Record<string, number>> = {
  i2: ptyp.PtypInteger16,
  i4: ptyp.PtypInteger32,
  i8: ptyp.PtypInteger64,
  dbl: ptyp.PtypFloating64,
  bool: ptyp.PtypBoolean,
  str: ptyp.PtypString,
  str8: ptyp.PtypString8,
  bin: ptyp.PtypBinary,
  time: ptyp.PtypTime,
  guid: ptyp.PtypGuid,
  obj: ptyp.PtypObject,
  svr: ptyp.PtypServerId,
  res: ptyp.PtypRestriction,
  act: ptyp.PtypRuleAction,
  mi4: ptyp.PtypMultipleInteger32,
  mstr: ptyp.PtypMultipleString,
  mbin: ptyp.PtypMultipleBinary,
};

/** The type an abbreviation of the tables stands for. Throws on a table's misprint, as the module loads. */
export function abbreviatedType(text: string): number {
  const type = TYPES[text];
  if (type === undefined) throw new Error(`property table: no type "${text}"`);
  return type;
}

const BY_ID = new Map<number, Tag[]>();
const BY_NAME = new Map<string, Tag>();

for (const table of [TAGS_LOW, TAGS_MID, TAGS_HIGH, TAGS_SEEN]) {
  for (const line of table.trim().split('\n')) {
    const [idText, typeText, label] = line.split(' ');
    const id = Number.parseInt(idText!, 16);
    const type = abbreviatedType(typeText ?? '');
    if (label === undefined) throw new Error(`tag table: ${line}`);
    const isHouseName = label.startsWith('~');
    const it: Tag = {
      tag: ptyp.tagOf(id, type),
      id,
      type,
      name: `PidTag${isHouseName ? label.slice(1) : label}`,
      isHouseName,
    };
    const same = BY_ID.get(id);
    if (same === undefined) BY_ID.set(id, [it]);
    else same.push(it);
    const key = it.name.toLowerCase();
    if (!BY_NAME.has(key)) BY_NAME.set(key, it);
  }
}

/** Every tag known, table by table. */
export function* tags(): Generator<Tag> {
  for (const same of BY_ID.values()) yield* same;
}

/** Types that hold the same meaning: a string in either width, rule parts as the binary they are stored as. */
const KIN: ReadonlyMap<number, number> = new Map([
  [ptyp.PtypString8, ptyp.PtypString],
  [ptyp.PtypMultipleString8, ptyp.PtypMultipleString],
  [ptyp.PtypRestriction, ptyp.PtypBinary],
  [ptyp.PtypRuleAction, ptyp.PtypBinary],
  [ptyp.PtypServerId, ptyp.PtypBinary],
]);
const kin = (type: number): number => KIN.get(type) ?? type;

/**
 * The tag of that id and type; failing that the first of that id, whatever its type, unless its ids
 * are reused. Ids from 0x8000 mean nothing without a store's name map: ask only for address-book objects.
 */
export function lookUpTag(tag: number): Tag | undefined {
  const same = BY_ID.get(ptyp.idOf(tag));
  if (same === undefined) return undefined;
  const type = ptyp.typeOf(tag);
  return (
    same.find((it) => it.type === type) ??
    same.find((it) => kin(it.type) === kin(type)) ??
    (same.length === 1 || type === ptyp.PtypUnspecified ? same[0] : undefined)
  );
}

/** First id of named properties: MS-OXCDATA 2.6. */
export const NAMED_ID_FIRST = 0x8000;

/** `PidTagSubject`, or undefined; ids from 0x8000 up belong to the store's name map and have no name here. */
export const tagName = (tag: number): string | undefined =>
  ptyp.idOf(tag) < NAMED_ID_FIRST ? lookUpTag(tag)?.name : undefined;

/** By name with or without `PidTag`, case ignored; or by number, `0x0037` (id) and `0x0037001F` (tag). */
export function findTag(text: string): Tag | undefined {
  const number = /^0x([0-9a-f]{1,8})$/i.exec(text)?.[1];
  if (number !== undefined) {
    const value = Number.parseInt(number, 16);
    return lookUpTag(value > 0xffff ? value : ptyp.tagOf(value, ptyp.PtypUnspecified));
  }
  const name = text.toLowerCase();
  return BY_NAME.get(name) ?? BY_NAME.get(`pidtag${name}`);
}
