/**
 * Two indexes that no specification describes: the hierarchy map (HMP) in node 0xC01, the message index in node 0xE01.
 *
 *     0xC01  client 0x9C; root item: HID of a BTH 16/4, replication id of a hierarchy row ─▶ NID of the folder, 0 = deleted
 *     0xE01  client 0xCC; root item of 56 bytes: HID of a BTH 4/4, hash of a message's 3013 ─▶ HID of a list of NIDs
 *
 * `scanpst: PF, OO 3, 14, 32; measured` on the stores that have them.
 * @module
 */
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import type { Context } from './context.js';
import { hex } from './findings.js';
import type { RowFacts } from './folders.js';

const HIERARCHY_MAP_CLIENT = 0x9c;
const MESSAGE_INDEX_CLIENT = 0xcc;
const MESSAGE_INDEX_ROOT_SIZE = 56;
const ID_SIZE = 16;

interface Records {
  readonly keySize: number;
  readonly valueSize: number;
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Records of the BTH whose HID the root item of node `nid` begins with. `use` gets them with the heap still open. */
function withRecords(
  context: Context,
  nid: number,
  client: number,
  rootSize: number,
  use: (records: Records, item: (hid: number) => Uint8Array | undefined) => void,
): void {
  const { ndb, core } = context;
  const { x } = core;
  const i = ndb.nbt.find(nid);
  if (i < 0 || ndb.nbt.bidData(i) === 0) return;
  context.attempt(nid, () => {
    const chain = ndb.readTree(ndb.nbt.bidData(i), { nid });
    try {
      const item = (hid: number): Uint8Array | undefined => {
        const ptr = x.hnCopy(chain, hid, ndb.variant);
        if (ptr === 0) return undefined;
        const size = core.view.getUint32(ptr, true);
        const bytes = core.u8.slice(ptr + 4, ptr + 4 + size);
        x.free(ptr);
        return bytes;
      };
      const found = x.hnClient(chain);
      if (found !== client) {
        context.add('index.heap', `client signature is ${hex(found)}`, { nid, found, expected: client });
        return;
      }
      const root = item(x.hnRoot(chain));
      if (root === undefined || root.length !== rootSize) {
        context.add('index.heap', `the root item has ${root?.length ?? 0} bytes`, {
          nid,
          found: root?.length ?? 0,
          expected: rootSize,
        });
        if (root === undefined || root.length < 4) return;
      }
      const ptr = x.bthCopy(chain, new DataView(root.buffer).getUint32(0, true), ndb.variant);
      if (ptr === 0) {
        context.add('index.heap', core.damage({}).reason, { nid });
        return;
      }
      const word = (at: number): number => core.view.getUint32(ptr + at, true);
      const [keySize, valueSize, count] = [word(0), word(4), word(8)] as const;
      const bytes = core.u8.slice(ptr + 12, ptr + 12 + count * (keySize + valueSize));
      x.free(ptr);
      use({ keySize, valueSize, count, bytes }, item);
    } finally {
      x.chainFree(chain);
    }
  });
}

/** Node 0xC01: one record for each hierarchy row with a replication id, sorted by its bytes. */
export function checkHierarchyMap(context: Context, { replication }: RowFacts): void {
  const nid = NID.HIERARCHY_MAP;
  if (context.ndb.nbt.find(nid) < 0) return; // required.ts
  withRecords(context, nid, HIERARCHY_MAP_CLIENT, 4, ({ keySize, valueSize, bytes, count }) => {
    if (keySize !== ID_SIZE || valueSize !== 4) {
      context.add('index.heap', `records of ${keySize} and ${valueSize} bytes, expected 16 and 4`, { nid });
      return;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = keySize + valueSize;
    const mapped = new Map<string, number>();
    for (let k = 0; k < count; k++) {
      const at = k * size;
      const key = Buffer.from(bytes.subarray(at, at + keySize)).toString('hex');
      const folder = view.getUint32(at + keySize, true);
      mapped.set(key, folder);
      if (
        k > 0 &&
        Buffer.compare(bytes.subarray(at - size, at - size + keySize), bytes.subarray(at, at + keySize)) >= 0
      ) {
        context.add('index.hierarchy', `the id ${key} does not ascend`, { nid });
      }
      if (folder !== 0 && context.ndb.nbt.find(folder) < 0) {
        const message = `the id ${key} leads to ${hex(folder)}, which does not exist`;
        context.add('index.hierarchy', message, { nid, found: folder, expected: 0 });
      }
    }
    for (const [key, folder] of replication) {
      const found = mapped.get(key);
      if (found === folder) continue;
      const message =
        found === undefined
          ? `the id ${key} of the folder ${hex(folder)} is not in the map`
          : `the id ${key} leads to ${hex(found)}, the row says ${hex(folder)}`;
      context.add('index.hierarchy', message, { nid, found: found ?? 'no record', expected: folder });
    }
  });
}

/** Key of a message in 0xE01: its 3013 folded to 15 bits below 0xFFFF. */
export function messageKey(conversation: Uint8Array): number {
  let key = 0xffff_0000;
  for (let k = 0; k < ID_SIZE; k++) key ^= conversation[k]! << (ID_SIZE - 1 - k);
  return key >>> 0;
}

/** Node 0xE01, when it is there: every message filed once, under its key. */
export function checkMessageIndex(context: Context, { conversations }: RowFacts): void {
  const nid = NID.MESSAGE_INDEX;
  if (context.ndb.nbt.find(nid) < 0) return;
  withRecords(
    context,
    nid,
    MESSAGE_INDEX_CLIENT,
    MESSAGE_INDEX_ROOT_SIZE,
    ({ keySize, valueSize, bytes, count }, item) => {
      if (keySize !== 4 || valueSize !== 4) {
        context.add('index.heap', `records of ${keySize} and ${valueSize} bytes, expected 4 and 4`, { nid });
        return;
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const filed = new Map<number, number>();
      for (let k = 0; k < count; k++) {
        const key = view.getUint32(8 * k, true);
        const list = item(view.getUint32(8 * k + 4, true));
        if (list === undefined || list.length % 4 !== 0) {
          context.add('index.message', `the list of key ${hex(key)} cannot be read`, { nid });
          continue;
        }
        const nids = new DataView(list.buffer);
        for (let at = 0; at < list.length; at += 4) {
          const message = nids.getUint32(at, true);
          if (filed.has(message))
            context.add('index.message', `${hex(message)} is filed twice`, { nid, found: message });
          filed.set(message, key);
          if (nidType(message) !== NID_TYPE.NORMAL_MESSAGE || context.ndb.nbt.find(message) < 0) {
            context.add('index.message', `${hex(message)} is filed and is no message`, { nid, found: message });
          }
        }
      }
      for (const [message, key] of conversations) {
        const found = filed.get(message);
        if (found === key) continue;
        const text =
          found === undefined
            ? `the message ${hex(message)} is not filed`
            : `the message ${hex(message)} is filed under ${hex(found)}, its PidTagConversationId (0x3013) gives ${hex(key)}`;
        context.add('index.message', text, { nid, found, expected: key });
      }
    },
  );
}
