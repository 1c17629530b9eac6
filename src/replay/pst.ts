/**
 * Writes a reduced object out as a small PST of its own: a new store with one folder, in which the object stands where a message would. Structurally
 * sound; cloning it re-encoded ends in the same stop.
 * @module
 */
import { buildStore } from '../build/store.js';
import { Core } from '../core/core.js';
import { FULL } from '../core/options.js';
import { memoryFile } from '../host/memory.js';
import { createTarget } from '../host/target.js';
import { NodeCopier } from '../migrate/operation.js';
import { Ndb } from '../ndb/ndb.js';
import { StoreWriter } from '../ndb/write/store-writer.js';
import { NID_TYPE, nidType } from '../wire/nid.js';
import { type NodeObject, writeObject } from './object.js';

/** Sixteen bytes that say what the store is; every reduced store has the same. */
const RECORD_KEY = new TextEncoder().encode('pstwright reduce');

/** Writes the store to the new file `path`. Returns the NID of the object in it. Throws UsageError TARGET_EXISTS. */
export function writeReducedStore(path: string, object: NodeObject): number {
  const core = Core.load('raw', FULL);
  const base = memoryFile('base');
  buildStore(base, { displayName: 'Reduced', recordKey: RECORD_KEY, core }, (b) => {
    b.ipmSubtree.folder('Reduced').message({ subject: 'Reduced', body: '' });
  });
  const ndb = Ndb.open(base, core);
  const target = createTarget(path);
  try {
    const { header, nbt } = ndb;
    const writer = new StoreWriter(core, target.sink, {
      crypt: header.crypt,
      bidNextB: header.bidNextB,
      bidNextP: header.bidNextP,
      dwUnique: header.dwUnique,
      rgnid: header.rgnid,
    });
    const copier = new NodeCopier(ndb, writer, false, () => {});
    const isMessage = nidType(object.nid) === NID_TYPE.NORMAL_MESSAGE;
    let nid = object.nid;
    for (let i = 0; i < nbt.count; i++) {
      const type = nidType(nbt.nid(i));
      const isReplaced = isMessage ? type === NID_TYPE.NORMAL_MESSAGE : nbt.nid(i) === object.nid;
      if (!isReplaced) {
        copier.node(i);
        continue;
      }
      nid = nbt.nid(i);
      const { bidData, bidSub } = writeObject(writer, object);
      writer.addNode(nid, bidData, bidSub, nbt.parent(i));
    }
    if (nbt.find(nid) < 0) {
      const { bidData, bidSub } = writeObject(writer, object);
      writer.addNode(nid, bidData, bidSub, 0);
    }
    writer.finish();
    target.commit();
    return nid;
  } catch (error) {
    target.abort();
    throw error;
  }
}
