/** The named-property map, node 0x61. MS-PST 2.4.7. @module */
import { GUID_SIZE } from '../mapi/guid.js';
import { BUCKET_COUNT, GUID_INDEX_FIRST, NAMEID, NAMEID_PROP, NPID_FIRST } from '../wire/nameid.js';
import { NID } from '../wire/nid.js';
import type { Context } from './context.js';
import { hex } from './findings.js';
import { loadNode, propertyBytes, type StoreObject } from './objects.js';

/** Property ids 0x8000 to 0xFFFE: against a map of more names than there are ids. */
const NAMES_MAX = 0x7fff;
/** Against streams of gigabytes: as many names as there can be, of the longest real ones, are a tenth of it. */
const STREAM_MAX = 16 << 20;
/** Against thousands of names that share one text of a megabyte: real names stay below 256 characters. */
const NAME_BYTES_MAX = 2048;
/** PtypBinary. */
const BINARY = 0x0102;

interface Name {
  /** dwPropertyID of the entry: a number, or the place of the text. */
  readonly id: number;
  /** What stands in its bucket: the number, or the CRC of the text. */
  readonly hash: number;
  readonly wGuid: number;
  readonly wPropIdx: number;
}

export function checkNames(context: Context): void {
  const { nbt } = context.ndb;
  const nid = NID.NAME_TO_ID_MAP;
  const i = nbt.find(nid);
  const map = i < 0 ? undefined : loadNode(context, i);
  if (map === undefined) return;
  const buckets = map.pc.inline(0x00010003);
  if (buckets === undefined) context.add('names.required', '0x0001, the count of buckets, is missing', { nid });
  else if (buckets !== BUCKET_COUNT) {
    const message = `${buckets} buckets, Outlook makes ${BUCKET_COUNT}`;
    context.add('names.bucket-count', message, { nid, found: buckets, expected: BUCKET_COUNT });
  }
  const guids = stream(context, map, NAMEID_PROP.GUIDS, GUID_SIZE);
  const entries = stream(context, map, NAMEID_PROP.ENTRIES, NAMEID.size);
  const strings = stream(context, map, NAMEID_PROP.STRINGS, 1);
  if (guids === undefined || entries === undefined || strings === undefined) return;
  const ordinals = new Set<number>();
  const names = readNames(context, guids, entries, strings, ordinals);
  const unnamed = [...context.usedNames].filter((id) => !ordinals.has(id - NPID_FIRST));
  for (const id of unnamed)
    context.add('names.unknown', `the property ${hex(id)} is used and has no name`, { nid, found: id });
  if (buckets !== undefined && buckets > 0) checkBuckets(context, map, names, buckets);
}

/** The bytes of a stream property; empty when it is HNID 0; undefined with a finding when it is missing or damaged. */
function stream(context: Context, map: StoreObject, id: number, unit: number): Uint8Array | undefined {
  const nid = NID.NAME_TO_ID_MAP;
  const k = map.pc.find(((id << 16) | BINARY) >>> 0);
  if (k < 0) {
    context.add('names.required', `the stream 0x${id.toString(16).padStart(4, '0')} is missing`, { nid });
    return undefined;
  }
  const bytes = propertyBytes(context, nid, map.pc, k, map.subnodes, STREAM_MAX);
  if (bytes === undefined) {
    context.add('names.stream', `the stream 0x${id.toString(16).padStart(4, '0')} cannot be read`, { nid });
    return undefined;
  }
  if (bytes.length % unit !== 0) {
    const message = `the stream 0x${id.toString(16).padStart(4, '0')} has ${bytes.length} bytes, no multiple of ${unit}`;
    context.add('names.stream', message, { nid, found: bytes.length });
  }
  return bytes;
}

/** `ordinals` takes those of all entries, also where the name itself is damaged. */
function readNames(
  context: Context,
  guids: Uint8Array,
  entries: Uint8Array,
  strings: Uint8Array,
  ordinals: Set<number>,
): Name[] {
  const nid = NID.NAME_TO_ID_MAP;
  const { core } = context;
  const names: Name[] = [];
  const guidCount = Math.floor(guids.length / GUID_SIZE);
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  const text = new DataView(strings.buffer, strings.byteOffset, strings.byteLength);
  const known = new Set<string>();
  const count = Math.floor(entries.length / NAMEID.size);
  if (count > NAMES_MAX) {
    context.add('check.limit', `${count} named properties, there are ids for ${NAMES_MAX}`, { nid, found: count });
  }
  const ptr = core.put(strings);
  try {
    for (let k = 0; k < Math.min(count, NAMES_MAX); k++) {
      const { dwPropertyID, wGuid, wPropIdx } = NAMEID.read(view, k * NAMEID.size);
      const isString = (wGuid & 1) === 1;
      const guid = wGuid >>> 1;
      const where = `name ${hex(NPID_FIRST + wPropIdx)}`;
      if (guid >= GUID_INDEX_FIRST && guid - GUID_INDEX_FIRST >= guidCount) {
        const message = `${where} has GUID ${guid}, the last is ${guidCount + GUID_INDEX_FIRST - 1}`;
        context.add('names.guid', message, { nid, found: guid });
      }
      if (ordinals.has(wPropIdx) || wPropIdx > NAMES_MAX) {
        context.add('names.ordinal', `${where} is given twice or out of range`, { nid, found: wPropIdx });
      }
      ordinals.add(wPropIdx);
      let hash = dwPropertyID;
      let key = `${guid}:${dwPropertyID}`;
      if (isString) {
        const end = dwPropertyID + 4;
        const length = end <= strings.length ? text.getUint32(dwPropertyID, true) : -1;
        if (length < 0 || length % 2 !== 0 || length > strings.length - end) {
          context.add('names.string', `${where}: its text at ${dwPropertyID} is outside the stream`, {
            nid,
            found: dwPropertyID,
          });
          continue;
        }
        if (length > NAME_BYTES_MAX) {
          context.add('names.string', `${where} is ${length / 2} characters long`, { nid, found: length / 2 });
          continue;
        }
        hash = core.x.crc(ptr, end, length) >>> 0;
        key = `${guid}:"${Buffer.from(strings.subarray(end, end + length)).toString('utf16le')}"`;
      }
      if (known.has(key)) context.add('names.twice', `${where} is the second of that name`, { nid, found: wPropIdx });
      known.add(key);
      names.push({ id: dwPropertyID, hash, wGuid, wPropIdx });
    }
  } finally {
    core.x.free(ptr);
  }
  return names;
}

/** Each name stands in one bucket, the one its hash says; no bucket holds anything else. 2.4.7.5. */
function checkBuckets(context: Context, map: StoreObject, names: readonly Name[], buckets: number): void {
  const nid = NID.NAME_TO_ID_MAP;
  const missing = new Map<string, Name>();
  for (const name of names) missing.set(`${name.hash}:${name.wGuid}:${name.wPropIdx}`, name);
  const { pc } = map;
  for (let k = 0; k < pc.count; k++) {
    const tag = pc.tag(k);
    const id = tag >>> 16;
    if (id < NAMEID_PROP.BUCKET_FIRST || id >= NPID_FIRST) continue;
    const bucket = id - NAMEID_PROP.BUCKET_FIRST;
    const bytes = propertyBytes(context, nid, pc, k, map.subnodes);
    if (bytes === undefined) continue;
    if ((tag & 0xffff) !== BINARY || bytes.length % NAMEID.size !== 0 || bucket >= buckets) {
      context.add('names.bucket', `bucket ${bucket} has ${bytes.length} bytes`, { nid, found: bytes.length });
      continue;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; at += NAMEID.size) {
      const { dwPropertyID, wGuid, wPropIdx } = NAMEID.read(view, at);
      const where = `name ${hex(NPID_FIRST + wPropIdx)} in bucket ${bucket}`;
      const right = ((dwPropertyID ^ wGuid) >>> 0) % buckets;
      if (right !== bucket) {
        context.add('names.bucket', `${where} belongs into bucket ${right}`, { nid, found: bucket, expected: right });
      }
      if (!missing.delete(`${dwPropertyID}:${wGuid}:${wPropIdx}`)) {
        context.add('names.bucket', `${where} is not in the list of names, or twice in buckets`, {
          nid,
          found: wPropIdx,
        });
      }
    }
  }
  for (const { wPropIdx, hash, wGuid } of missing.values()) {
    const bucket = ((hash ^ wGuid) >>> 0) % buckets;
    const message = `name ${hex(NPID_FIRST + wPropIdx)} is not in bucket ${bucket}`;
    context.add('names.bucket', message, { nid, found: 'no entry', expected: bucket });
  }
}
