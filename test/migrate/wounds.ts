/**
 * Stores with single blocks broken, for tests of what a clone leaves out: a store of messages, associated messages and attachments of
 * every size, and the places of its blocks.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { buildStore } from '../../src/build/store.js';
import { checkStore } from '../../src/check/check.js';
import type { Profile } from '../../src/check/findings.js';
import { Core } from '../../src/core/core.js';
import { FULL } from '../../src/core/options.js';
import { openSource } from '../../src/host/file.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { isInternal } from '../../src/wire/btree.js';
import { NID_TYPE, nidType } from '../../src/wire/nid.js';

/** Opens a store for looking at it; `use` must not keep it. */
export function withStore<T>(path: string, use: (ndb: Ndb) => T): T {
  const source = openSource(path);
  try {
    return use(Ndb.open(source, Core.load('core', FULL)));
  } finally {
    source.close();
  }
}

const text = (words: number): string => 'some text of a message, '.repeat(words);

/** Twelve messages in two folders, read and unread, two of them associated, small, large and with attachments. */
export function makeStore(path: string, attachmentName = 'one.bin'): string {
  buildStore(path, { recordKey: new Uint8Array(16).fill(9) }, (b) => {
    const inbox = b.ipmSubtree.folder('Inbox');
    const sub = inbox.folder('Project');
    for (let k = 0; k < 6; k++) {
      inbox.message({
        subject: `Inbox ${k}`,
        body: text(k === 3 ? 2000 : 4 + k),
        read: k % 2 === 0,
        to: Array.from({ length: k === 4 ? 120 : 1 }, (_, n) => `Somebody Number ${n} <n${n}@example.org>`),
        attachments:
          k === 2 || k === 5
            ? [
                { name: attachmentName, data: new Uint8Array(30_000).fill(k) },
                { name: 'two.txt', data: new Uint8Array(500).fill(65) },
                { message: { subject: 'Inside', body: text(20) } },
              ]
            : [],
      });
    }
    for (let k = 0; k < 4; k++) sub.message({ subject: `Project ${k}`, body: text(3), read: k > 1, to: ['A <a@b.c>'] });
    for (let k = 0; k < 2; k++) {
      inbox.associated({ subject: `Rule ${k}`, messageClass: 'IPM.Rule.Version2.Message', body: text(2) });
    }
  });
  return path;
}

/** NIDs of a type, ascending. */
export const nidsOf = (path: string, type: number): number[] =>
  withStore(path, ({ nbt }) => [...nbt.nids.subarray(0, nbt.count)].filter((nid) => nidType(nid) === type));

export const messagesOf = (path: string): number[] => nidsOf(path, NID_TYPE.NORMAL_MESSAGE);
export const associatedOf = (path: string): number[] => nidsOf(path, NID_TYPE.ASSOC_MESSAGE);

/** BIDs of every block of node `nid` that no other block or node refers to: data, trees, those of subnodes. */
export function blocksOf(path: string, nid: number): number[] {
  return withStore(path, (ndb) => {
    const { nbt, bbt } = ndb;
    const i = nbt.find(nid);
    const found = new Set<number>();
    const own = (bid: number): boolean => bid !== 0 && bbt.cRef(bbt.find(bid)) === 2;
    const tree = (bid: number): void => {
      if (!own(bid)) return;
      found.add(bid);
      if (isInternal(bid)) for (const index of ndb.findLeaves(bid, {}).indices) found.add(bbt.bid(index));
    };
    const object = (bidData: number, bidSub: number): void => {
      tree(bidData);
      if (!own(bidSub)) return;
      found.add(bidSub);
      const subnodes = ndb.subnodes(bidSub, {});
      for (let k = 0; k < subnodes.count; k++) object(subnodes.bidData(k), subnodes.bidSub(k));
    };
    object(nbt.bidData(i), nbt.bidSub(i));
    return [...found];
  });
}

/** BID of the data of node `nid`. */
export const dataOf = (path: string, nid: number): number => withStore(path, ({ nbt }) => nbt.bidData(nbt.find(nid)));

/** A copy of `path` at `to` in which a bit of each block is turned over. */
export function wound(path: string, to: string, bids: readonly number[]): string {
  const bytes = readFileSync(path);
  withStore(path, ({ bbt }) => {
    for (const bid of bids) bytes[bbt.ib(bbt.find(bid)) + 3]! ^= 0x10;
  });
  writeFileSync(to, bytes);
  return to;
}

/** What check has to say, without what depends on the layout. */
export function findingsOf(path: string, profile: Profile): string[] {
  const source = openSource(path);
  const report = checkStore(source, Core.load('core', FULL), { profile });
  source.close();
  return report.findings.map(({ rule, nid, message }) => `${rule} ${nid ?? ''} ${message}`);
}

/** How many findings check has, by rule, in a store others wrote. */
export function ruleCounts(path: string): Readonly<Record<string, number>> {
  const source = openSource(path);
  const { counts } = checkStore(source, Core.load('core', FULL), { profile: 'foreign' });
  source.close();
  return counts.rules;
}
