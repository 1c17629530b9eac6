/**
 * Property sets and the names of named properties. MS-OXPROPS 1.3.2, MS-PST 2.4.7.
 *
 * A named property is a set (GUID) and a number or a string; which id from 0x8000 up it has is told by
 * each store's own map (src/ltp). This file knows only what the pairs mean.
 * @module
 */
import { LIDS } from './lids.js';
import { LIDS_SEEN } from './lids-seen.js';
import { abbreviatedType } from './tags.js';

/** By name, GUID in the form of guidText(). MS-OXPROPS 1.3.2. */
export const PROPERTY_SETS = {
  PS_MAPI: '00020328-0000-0000-c000-000000000046',
  PS_PUBLIC_STRINGS: '00020329-0000-0000-c000-000000000046',
  PS_INTERNET_HEADERS: '00020386-0000-0000-c000-000000000046',
  PSETID_Appointment: '00062002-0000-0000-c000-000000000046',
  PSETID_Task: '00062003-0000-0000-c000-000000000046',
  PSETID_Address: '00062004-0000-0000-c000-000000000046',
  PSETID_Common: '00062008-0000-0000-c000-000000000046',
  PSETID_Log: '0006200a-0000-0000-c000-000000000046',
  PSETID_Note: '0006200e-0000-0000-c000-000000000046',
  PSETID_Report: '00062013-0000-0000-c000-000000000046',
  PSETID_Remote: '00062014-0000-0000-c000-000000000046',
  PSETID_Sharing: '00062040-0000-0000-c000-000000000046',
  PSETID_PostRss: '00062041-0000-0000-c000-000000000046',
  PSETID_Meeting: '6ed8da90-450b-101b-98da-00aa003f1305',
  PSETID_UnifiedMessaging: '4442858e-a9e3-4e80-b900-317a210cc15b',
  PSETID_AirSync: '71035549-0739-4dcb-9163-00f0580dbbdf',
  PSETID_CalendarAssistant: '11000e07-b51b-40d6-af21-caa85edab1d0',
  PSETID_Attachment: '96357f7f-59e1-47d0-99a7-46515c183b54',
  PSETID_Messaging: '41f28f13-83f4-4114-a584-eedb5a6b0bff',
  PSETID_XmlExtractedEntities: '23239608-685d-4732-9c55-4c95cb4e8e33',
} as const;

export type PropertySetName = keyof typeof PROPERTY_SETS;

/** A named property as the store's map gives it. */
export interface PropertyName {
  /** GUID text of the property set. */
  readonly set: string;
  /** A LID, or a string. */
  readonly id: number | string;
}

export interface Lid {
  readonly set: string;
  readonly lid: number;
  readonly type: number;
  /** `PidLidReminderSet`. */
  readonly name: string;
}

const SET_NAMES = new Map<string, string>(Object.entries(PROPERTY_SETS).map(([name, guid]) => [guid, name]));
const BY_LID = new Map<string, Lid>();
const BY_NAME = new Map<string, Lid>();

const key = (set: string, lid: number): string => `${set}:${lid}`;

let current = '';
for (const line of `${LIDS.trim()}\n${LIDS_SEEN.trim()}`.split('\n')) {
  const [first, type, label] = line.split(' ');
  if (type === undefined || label === undefined) {
    current = PROPERTY_SETS[first as PropertySetName];
    continue;
  }
  const lid = Number.parseInt(first!, 16);
  const it: Lid = { set: current, lid, type: abbreviatedType(type), name: `PidLid${label}` };
  BY_LID.set(key(current, lid), it);
  BY_NAME.set(it.name.toLowerCase(), it);
}

/** Every number known, set by set. */
export const lids = (): IterableIterator<Lid> => BY_LID.values();

/** `PSETID_Common`. */
export const setName = (guid: string): string | undefined => SET_NAMES.get(guid.toLowerCase());

export const lookUpLid = (set: string, lid: number): Lid | undefined => BY_LID.get(key(set.toLowerCase(), lid));

/** By name with or without `PidLid`, case ignored. */
export function findLid(name: string): Lid | undefined {
  const wanted = name.toLowerCase();
  return BY_NAME.get(wanted) ?? BY_NAME.get(`pidlid${wanted}`);
}

/** `PidLidReminderSet`, `PSETID_Common:0x8577`, `PS_PUBLIC_STRINGS:Keywords`, or with a GUID in place of the set's name. */
export function propertyNameText({ set, id }: PropertyName): string {
  const known = typeof id === 'number' ? lookUpLid(set, id) : undefined;
  if (known !== undefined) return known.name;
  const text = typeof id === 'number' ? `0x${id.toString(16).padStart(4, '0')}` : id;
  return `${setName(set) ?? set.toLowerCase()}:${text}`;
}
