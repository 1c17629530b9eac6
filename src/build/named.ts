/**
 * The name map of the store, node 0x61: which names the property ids from 0x8000 up stand for. MS-PST 2.4.7.
 *
 *     0001 bucket count   0002 GUIDs   0003 entries   0004 strings   1000 + k  bucket k
 *
 * An entry (NAMEID) lies in the entry stream at its ordinal, and again in the bucket of its hash; there a string is named
 * by its CRC, not by its place.
 * @module
 */
import type { Core } from '../core/core.js';
import { PstError } from '../errors.js';
import { encodeUtf16 } from '../mapi/codepage.js';
import { GUID_SIZE, guidBytes, guidText } from '../mapi/guid.js';
import * as ptyp from '../mapi/type.js';
import { BUCKET_COUNT, GUID_INDEX, GUID_INDEX_FIRST, NAMEID, NAMEID_PROP, NPID_FIRST } from '../wire/nameid.js';
import type { ObjectWriter } from './object.js';

/** Property sets with an index of their own. 2.4.7.1. */
const PS_MAPI = '00020328-0000-0000-c000-000000000046';
const PS_PUBLIC_STRINGS = '00020329-0000-0000-c000-000000000046';

/**
 * Names every store begins with: two that Outlook gives to most messages. A map without entries is sound, and libpff and
 * pst-extractor refuse the store.
 */
const FIRST_NAMES = [
  ['00062008-0000-0000-c000-000000000046', 0x8503], // PidLidReminderSet
  [PS_PUBLIC_STRINGS, 'Keywords'],
] as const;

/** Ordinals are 15 bits wide, and 0xFFFF is no id. */
export const NAMES_MAX = 0x7fff;

interface Name {
  readonly wGuid: number;
  readonly id: number;
  /** UTF-16LE, when it is named by a string. */
  readonly text: Uint8Array | undefined;
}

export class NamedProperties {
  readonly #guids: string[] = [];
  readonly #names: Name[] = [];
  readonly #ids = new Map<string, number>();

  constructor() {
    for (const [set, name] of FIRST_NAMES) this.get(set, name);
  }

  get count(): number {
    return this.#names.length;
  }

  /** The property id of a name: `set` is a GUID as text, `name` a number (PidLid) or a string. The same name, the same id. */
  get(set: string, name: number | string): number {
    const guid = guidText(guidBytes(set));
    const key = `${guid} ${typeof name} ${name}`;
    let npid = this.#ids.get(key);
    if (npid === undefined) {
      if (this.#names.length === NAMES_MAX) {
        throw new PstError('PST_LIMIT', `a store has at most ${NAMES_MAX} named properties`, { section: '2.4.7.1' });
      }
      npid = NPID_FIRST + this.#names.length;
      this.#ids.set(key, npid);
      this.#names.push({
        wGuid: (this.#guidIndex(guid) << 1) | (typeof name === 'string' ? 1 : 0),
        id: typeof name === 'number' ? name >>> 0 : 0,
        text: typeof name === 'string' ? encodeUtf16(name) : undefined,
      });
    }
    return npid;
  }

  #guidIndex(guid: string): number {
    if (guid === PS_MAPI) return GUID_INDEX.PS_MAPI;
    if (guid === PS_PUBLIC_STRINGS) return GUID_INDEX.PS_PUBLIC_STRINGS;
    let index = this.#guids.indexOf(guid);
    if (index < 0) index = this.#guids.push(guid) - 1;
    return index + GUID_INDEX_FIRST;
  }

  /** Puts the map into its property context. */
  write(core: Core, object: ObjectWriter): void {
    const names = this.#names;
    const guids = new Uint8Array(this.#guids.length * GUID_SIZE);
    this.#guids.forEach((guid, i) => {
      guids.set(guidBytes(guid), i * GUID_SIZE);
    });
    const entries = new Uint8Array(names.length * NAMEID.size);
    const strings = new Uint8Array(names.reduce((sum, { text }) => sum + stringSize(text), 0));
    const buckets = new Map<number, number[]>();
    const hashes = new Uint32Array(names.length);
    const stringView = new DataView(strings.buffer);
    let at = 0;
    names.forEach(({ wGuid, id, text }, i) => {
      if (text !== undefined) {
        stringView.setUint32(at, text.length, true);
        strings.set(text, at + 4);
      }
      NAMEID.write(new DataView(entries.buffer), i * NAMEID.size, {
        dwPropertyID: text === undefined ? id : at,
        wGuid,
        wPropIdx: i,
      });
      at += stringSize(text);
      hashes[i] = text === undefined ? id : crcOf(core, text);
      const bucket = ((hashes[i]! ^ wGuid) >>> 0) % BUCKET_COUNT;
      buckets.set(bucket, [...(buckets.get(bucket) ?? []), i]);
    });
    object
      .setNumber(ptyp.tagOf(NAMEID_PROP.BUCKET_COUNT, ptyp.PtypInteger32), BUCKET_COUNT)
      .setBytes(ptyp.tagOf(NAMEID_PROP.GUIDS, ptyp.PtypBinary), guids)
      .setBytes(ptyp.tagOf(NAMEID_PROP.ENTRIES, ptyp.PtypBinary), entries)
      .setBytes(ptyp.tagOf(NAMEID_PROP.STRINGS, ptyp.PtypBinary), strings);
    for (const [bucket, members] of buckets) {
      const bytes = new Uint8Array(members.length * NAMEID.size);
      members.forEach((i, n) => {
        NAMEID.write(new DataView(bytes.buffer), n * NAMEID.size, {
          dwPropertyID: hashes[i]!,
          wGuid: names[i]!.wGuid,
          wPropIdx: i,
        });
      });
      object.setBytes(ptyp.tagOf(NAMEID_PROP.BUCKET_FIRST + bucket, ptyp.PtypBinary), bytes);
    }
  }
}

/** Length, characters, padding to 4. 2.4.7.4. */
const stringSize = (text: Uint8Array | undefined): number => (text === undefined ? 0 : 4 + ((text.length + 3) & ~3));

/** Of the name as spelled: seen in 5,673 of 5,673 (format.md 9). */
function crcOf(core: Core, text: Uint8Array): number {
  const ptr = core.put(text);
  const crc = core.x.crc(ptr, 0, text.length) >>> 0;
  core.x.free(ptr);
  return crc;
}
