/** Every real store holds what its catalogue says: by the objects, and by the fast walk. */
import { describe, expect, it } from 'vitest';
import { type Message, openStore, type Store } from '../../src/index.js';
import { describeStores, realStores } from '../stores.js';

interface Counts {
  folders: number;
  searchFolders: number;
  messages: number;
  associated: number;
  attachments: number;
  embedded: number;
}

const zero = (): Counts => ({ folders: 0, searchFolders: 0, messages: 0, associated: 0, attachments: 0, embedded: 0 });

function countByObjects(store: Store): Counts {
  const counts = zero();
  const open = (message: Message): void => {
    expect(message.propertyCount).toBeGreaterThan(0);
    for (const attachment of message.attachments()) {
      counts.attachments++;
      const embedded = attachment.embeddedMessage();
      if (embedded === undefined) continue;
      counts.embedded++;
      open(embedded);
    }
  };
  for (const folder of store.folders()) {
    if (folder.isSearchFolder) {
      counts.searchFolders++;
      continue;
    }
    counts.folders++;
    for (const message of folder.messages()) {
      counts.messages++;
      open(message);
    }
    for (const message of folder.associated()) {
      counts.associated++;
      open(message);
    }
    for (const message of folder.orphans()) {
      if (message.isAssociated) counts.associated++;
      else counts.messages++;
      open(message);
    }
  }
  for (const message of store.orphans()) {
    counts.messages++;
    open(message);
  }
  return counts;
}

function countByWalk(store: Store): Counts {
  const counts = zero();
  store.walk({
    object({ kind, nid, depth }) {
      const type = nid & 0x1f;
      if (kind === 'folder') counts[type === 3 ? 'searchFolders' : 'folders']++;
      if (kind === 'message') counts[depth > 0 ? 'embedded' : type === 8 ? 'associated' : 'messages']++;
      if (kind === 'attachment') counts.attachments++;
      return true;
    },
  });
  return counts;
}

describeStores(
  'counts of the catalogue',
  ({ path, catalog }) => {
    const store = openStore(path);
    try {
      const { folders, searchFolders, messages, associated, attachments, embedded } = catalog!;
      const expected = { folders, searchFolders, messages, associated, attachments, embedded };
      expect(countByObjects(store)).toEqual(expected);
      expect(countByWalk(store)).toEqual(expected);
    } finally {
      store.close();
    }
  },
  ({ catalog }) => catalog !== undefined,
);

/** Faults that stores are known to have, by the end of their names. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  'AddingBulkMessagesWithImprovedPerformance.pst': [
    'PST_BAD_CRC HEADER.dwCRCPartial',
    'PST_BAD_CRC HEADER.dwCRCFull',
    'PST_BAD_CRC PAGETRAILER.dwCRC',
    'PST_BAD_BID PAGETRAILER.bid',
    'PST_BAD_TREE rgentries',
    'PST_BAD_TREE BBT',
  ],
};

describeStores('tables and nodes agree', ({ name, path }) => {
  const store = openStore(path);
  try {
    countByObjects(store);
    for (const folder of store.folders())
      for (const message of folder.messages()) expect(message.nid).toBeGreaterThan(0);
    const faults = store.findings.map(({ code, where, reason }) => {
      const place = where.field ?? (where.nid === undefined ? reason.slice(0, 3) : `0x${where.nid.toString(16)}`);
      return `${code} ${place}`;
    });
    const known = Object.entries(KNOWN).find(([ending]) => name.endsWith(ending));
    expect(faults).toEqual(known?.[1] ?? []);
  } finally {
    store.close();
  }
});

describeStores('search folders list messages of other folders', ({ path }) => {
  const store = openStore(path);
  try {
    for (const folder of store.folders()) {
      if (!folder.isSearchFolder) continue;
      const nids = folder.messages().toArray();
      expect(nids.length).toBe(folder.ids('contents').length);
      // Outlook counts what it shows: at most what it found.
      expect(folder.messageCount).toBeLessThanOrEqual(nids.length);
      for (const message of nids) expect(message.folder?.isSearchFolder).toBe(false);
    }
    store.walk({}, { copies: true });
    expect(store.findings.filter(({ where }) => where.nid !== undefined)).toEqual([]);
  } finally {
    store.close();
  }
});

describe('core memory', () => {
  const enron = realStores().find(({ name }) => name.includes('enron'));
  it.skipIf(enron === undefined)('is given back, also by walks that are broken off', async () => {
    const store = openStore(enron!.path);
    const readAll = async (): Promise<void> => {
      countByObjects(store);
      countByWalk(store);
      for (const folder of store.folders()) {
        for await (const message of folder.messages()) {
          for (const _ of message.recipients()) break;
          for (const attachment of message.attachments()) for (const _ of attachment.data()) break;
          break;
        }
      }
      const stop = (): never => {
        throw new RangeError('enough');
      };
      expect(() => store.walk({ object: stop })).toThrow(RangeError);
      expect(() => store.walk({ row: stop })).toThrow(RangeError);
      expect(() => store.walk({ chunk: stop })).toThrow(RangeError);
    };
    await readAll(); // windows and tables of the core take their memory once
    const live = store.core.x.pagesLive();
    await readAll();
    expect(store.core.x.pagesLive()).toBe(live);
    store.close();
  });
});
