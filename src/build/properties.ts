/**
 * Properties as a caller gives them: tag and value, in the types of mapi/value.ts, or the canonical bytes of the value.
 * @module
 */
import { UsageError } from '../errors.js';
import { FileTime } from '../mapi/filetime.js';
import * as ptyp from '../mapi/type.js';
import { encodeValue, type PropertyValue, trimNul } from '../mapi/value.js';

export type Time = Date | FileTime;
export type PropertyInput = PropertyValue | Date;
/** Tag (id << 16 | type) to value. */
export type Properties =
  | Iterable<readonly [tag: number, value: PropertyInput]>
  | Readonly<Record<number, PropertyInput>>;

/** Subjects, topics and names: scanpst.md 6. */
export const TEXT_MAX = 255;

export function* entriesOf(properties: Properties): Generator<readonly [tag: number, value: PropertyInput]> {
  if (Symbol.iterator in properties) {
    yield* properties;
    return;
  }
  for (const [tag, value] of Object.entries(properties)) yield [Number(tag), value];
}

export const toFileTime = (time: Time): FileTime => (time instanceof Date ? FileTime.fromDate(time) : time);

/**
 * Canonical bytes of a value. A Date serves as a PtypTime; bytes are taken as they are, for any type, if their number
 * fits it. Strings lose trailing NULs: no client of a Unicode store wants one. Throws UsageError.
 */
export function valueBytes(tag: number, value: PropertyInput): Uint8Array {
  const type = ptyp.typeOf(tag);
  if (ptyp.findType(type) === undefined || REFUSED.has(type)) {
    throw new UsageError('USAGE', `${tagText(tag)}: a property of type ${ptyp.typeName(type)} cannot be set`);
  }
  if (value instanceof Uint8Array) {
    const size = ptyp.fixedSize(type);
    if (size > 0 && (ptyp.isMultiple(type) ? value.length % size : value.length - size) !== 0) {
      throw new UsageError('USAGE', `${tagText(tag)}: ${ptyp.typeName(type)} does not have ${value.length} bytes`);
    }
    return value;
  }
  if (value instanceof Date) return encodeValue(type, FileTime.fromDate(value));
  return encodeValue(type, typeof value === 'string' ? trimNul(value) : value);
}

/** Types with no place in a Unicode store's property contexts, or (objects) none of their own. */
const REFUSED: ReadonlySet<number> = new Set([
  ptyp.PtypUnspecified,
  ptyp.PtypNull,
  ptyp.PtypObject,
  ptyp.PtypString8,
  ptyp.PtypMultipleString8,
]);

export const tagText = (tag: number): string => `0x${(tag >>> 0).toString(16).padStart(8, '0')}`;

/** At most `max` UTF-16 units, never half a surrogate pair at the end. */
export function cut(text: string, max = TEXT_MAX): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? max - 1 : max);
}
