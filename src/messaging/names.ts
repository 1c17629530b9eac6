/**
 * The named-property map: node NID_NAME_TO_ID_MAP. MS-PST 2.4.7.
 *
 *     0003 entries   NAMEID × n      number, or offset into 0004; GUID index and N bit; ordinal
 *     0002 GUIDs     16 bytes each   index 0 none, 1 PS_MAPI, 2 PS_PUBLIC_STRINGS, n: GUID n - 3
 *     0004 strings   u32 length, UTF-16LE, padded to 4
 *
 * The buckets (from 1000 up) only speed look-ups up; they are not needed to read.
 * @module
 */
import { hex, PstError, type Where } from '../errors.js';
import { decodeUtf16 } from '../mapi/codepage.js';
import { GUID_SIZE, guidText } from '../mapi/guid.js';
import { PROPERTY_SETS, type PropertyName } from '../mapi/named.js';
import { GUID_INDEX, GUID_INDEX_FIRST, NAMEID, NAMEID_PROP, NPID_FIRST } from '../wire/nameid.js';

/** An entry of the map. */
export interface NamedProperty extends PropertyName {
  /** The id it has in this store, from 0x8000 up. */
  readonly npid: number;
}

/** Set of names without a GUID (index 0). */
const NO_SET = '00000000-0000-0000-0000-000000000000';
const SECTION = '2.4.7';

export class NameMap {
  /** Every entry, in the order of the file. */
  readonly entries: readonly NamedProperty[];
  readonly #byId = new Map<number, NamedProperty>();
  readonly #byName = new Map<string, number>();

  constructor(entries: readonly NamedProperty[]) {
    this.entries = entries;
    for (const entry of entries) {
      if (!this.#byId.has(entry.npid)) this.#byId.set(entry.npid, entry);
      const key = keyOf(entry.set, entry.id);
      if (!this.#byName.has(key)) this.#byName.set(key, entry.npid);
    }
  }

  get count(): number {
    return this.entries.length;
  }

  /** What id `npid` stands for. */
  find(npid: number): NamedProperty | undefined {
    return this.#byId.get(npid);
  }

  /** The id of a name: its set as GUID or by name (`PSETID_Common`), and its number or string. */
  findId(set: string, id: number | string): number | undefined {
    const guid = (PROPERTY_SETS as Readonly<Record<string, string>>)[set] ?? set;
    return this.#byName.get(keyOf(guid.replace(/[{}]/g, '').toLowerCase(), id));
  }

  /** Reads the three streams of the map. What is damaged goes to `report`, the rest is read. */
  static read(
    streams: { entries: Uint8Array; guids: Uint8Array; strings: Uint8Array },
    report: (finding: PstError) => void,
    where: Where,
  ): NameMap {
    const { entries, guids, strings } = streams;
    const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
    const count = Math.floor(entries.length / NAMEID.size);
    const bad = (message: string, field: string): void =>
      report(new PstError('PST_BAD_VALUE', message, { ...where, field, section: SECTION }));
    if (entries.length % NAMEID.size !== 0) {
      bad(`${entries.length} bytes of entries, one takes ${NAMEID.size}`, 'PidTagNameidStreamEntry');
    }
    const found: NamedProperty[] = [];
    for (let i = 0; i < count; i++) {
      const at = i * NAMEID.size;
      const value = view.getUint32(at + NAMEID.at.dwPropertyID, true);
      const wGuid = view.getUint16(at + NAMEID.at.wGuid, true);
      const npid = NPID_FIRST + view.getUint16(at + NAMEID.at.wPropIdx, true);
      const set = setOf(wGuid >>> 1, guids);
      if (set === undefined) bad(`entry ${i} names GUID ${wGuid >>> 1}, which is not there`, 'NAMEID.wGuid');
      const id = (wGuid & 1) === 0 ? value : stringAt(strings, value);
      if (id === undefined) bad(`entry ${i} names the string at ${hex(value)}`, 'NAMEID.dwPropertyID');
      if (set !== undefined && id !== undefined) found.push({ npid, set, id });
    }
    return new NameMap(found);
  }
}

/** Tags of the three streams. */
export const NAME_STREAMS = {
  guids: ((NAMEID_PROP.GUIDS << 16) | 0x102) >>> 0,
  entries: ((NAMEID_PROP.ENTRIES << 16) | 0x102) >>> 0,
  strings: ((NAMEID_PROP.STRINGS << 16) | 0x102) >>> 0,
} as const;

/** Names of properties are compared exactly but for those of Internet headers, whose case nobody keeps. MS-OXPROPS 1.3.2. */
function keyOf(set: string, id: number | string): string {
  if (typeof id === 'number') return `${set}#${id}`;
  return `${set}:${set === PROPERTY_SETS.PS_INTERNET_HEADERS ? id.toLowerCase() : id}`;
}

function setOf(index: number, guids: Uint8Array): string | undefined {
  if (index === GUID_INDEX.NONE) return NO_SET;
  if (index === GUID_INDEX.PS_MAPI) return PROPERTY_SETS.PS_MAPI;
  if (index === GUID_INDEX.PS_PUBLIC_STRINGS) return PROPERTY_SETS.PS_PUBLIC_STRINGS;
  const at = (index - GUID_INDEX_FIRST) * GUID_SIZE;
  return at + GUID_SIZE <= guids.length ? guidText(guids, at) : undefined;
}

function stringAt(strings: Uint8Array, at: number): string | undefined {
  if (at + 4 > strings.length) return undefined;
  const size = new DataView(strings.buffer, strings.byteOffset + at, 4).getUint32(0, true);
  if (size % 2 !== 0 || size > strings.length - at - 4) return undefined;
  return decodeUtf16(strings.subarray(at + 4, at + 4 + size));
}
