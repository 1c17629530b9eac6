/** Properties of an object as lines and as JSON: tag, type, canonical name, value. @module */
import { hex, PstError, UsageError } from '../errors.js';
import { propertyNameText } from '../mapi/named.js';
import { typeName } from '../mapi/type.js';
import type { PropertyValue } from '../mapi/value.js';
import type { Property, PropertyHolder } from '../messaging/properties.js';
import { type Cell, escapeText, paint, print, printTable, size } from './output.js';
import type { Faults } from './store.js';
import { EVERYTHING, LINE, valueJson, valueText } from './value-view.js';

/** Larger values stay where they are unless they are asked for: bodies of megabytes, attachments. */
const READ_MAX = 1 << 20;

export interface PropertyView {
  readonly tag: number;
  /** `PidTagSubject`, `PidLidReminderSet`, `PS_PUBLIC_STRINGS:Keywords`; undefined when nobody has a name for it. */
  readonly name: string | undefined;
  /** Bytes of the value as stored. */
  readonly size: number;
  /** NID of the subnode that holds the value. */
  readonly subnode: number | undefined;
  /** undefined for values of no bytes, those too large to read unasked, and damaged ones. */
  readonly value: PropertyValue | undefined;
  readonly isOmitted: boolean;
  readonly fault: PstError | undefined;
}

export function propertyName(property: Property): string | undefined {
  const { named } = property;
  return named === undefined ? property.name : propertyNameText(named);
}

export function viewProperty(
  holder: PropertyHolder,
  property: Property,
  faults: Faults,
  isWhole: boolean,
): PropertyView {
  const { tag, isExternal, index } = property;
  const view = {
    tag,
    name: propertyName(property),
    size: 0,
    subnode: isExternal ? holder.stream.place(index) : undefined,
    value: undefined,
    isOmitted: false,
    fault: undefined,
  };
  try {
    const bytes = property.size;
    if (bytes > READ_MAX && !isWhole) return { ...view, size: bytes, isOmitted: true };
    return { ...view, size: bytes, value: property.value };
  } catch (error) {
    if (!(error instanceof PstError)) throw error;
    faults.damage(error);
    return { ...view, fault: error };
  }
}

/** Every property, in the order of the tags. A fault of the whole context passes. */
export const viewProperties = (holder: PropertyHolder, faults: Faults, isWhole: boolean): PropertyView[] =>
  Array.from(holder, (property) => viewProperty(holder, property, faults, isWhole));

/** The property a person names: `PidTagSubject`, `subject`, `0x0037`, `0x0037001f`, `PSETID_Common:0x8577`. Throws UsageError. */
export function findProperty(holder: PropertyHolder, name: string): Property {
  const set = /^([^:]+):(.+)$/s.exec(name);
  let key: number | string = name;
  if (set !== null) {
    const [, guid, text] = set as unknown as [string, string, string];
    const id = /^0x[0-9a-f]+$/i.test(text) ? Number(text) : text;
    key = holder.store.names.findId(guid, id) ?? -1;
  }
  const index = key === -1 ? -1 : holder.indexOf(key);
  for (const property of holder) if (property.index === index) return property;
  throw new UsageError('NOT_FOUND', `it has no property ${name}`);
}

const tagText = (tag: number): string => `0x${tag.toString(16).padStart(8, '0')}`;

function lineText(view: PropertyView, isWhole: boolean): string {
  const place = view.subnode === undefined ? '' : ` · subnode ${hex(view.subnode)}`;
  if (view.fault !== undefined) return paint('red', escapeText(view.fault.message));
  if (view.isOmitted) return `(${size(view.size)})${place}`;
  return valueText(view.tag & 0xffff, view.value, isWhole ? EVERYTHING : LINE) + place;
}

/** One line a property. */
export function printProperties(views: readonly PropertyView[], isWhole: boolean, indent = 2): void {
  printTable(
    views.map((view): Cell[] => [
      tagText(view.tag),
      typeName(view.tag & 0xffff),
      escapeText(view.name ?? '-'),
      lineText(view, isWhole),
    ]),
    { indent },
  );
}

/** One property alone: text as it is, lines kept, anything else as in the list. */
export function printWhole(view: PropertyView): void {
  if (typeof view.value !== 'string') {
    print(lineText(view, true));
    return;
  }
  for (const line of view.value.split(/\r\n|\r|\n/)) print(escapeText(line));
}

export const propertyJson = (view: PropertyView): Record<string, unknown> => ({
  tag: tagText(view.tag),
  type: typeName(view.tag & 0xffff),
  name: view.name,
  size: view.size,
  subnode: view.subnode,
  ...(view.fault !== undefined
    ? { error: { code: view.fault.code, message: view.fault.message } }
    : view.isOmitted
      ? { omitted: true }
      : { value: valueJson(view.value) }),
});
