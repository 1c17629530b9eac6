/** Reads all there is in a store through the public interface, the fast walk and the lazy objects. @module */
import type { Source } from '../../src/host/source.js';
import { isFolder, isMessage } from '../../src/messaging/children.js';
import type { Folder } from '../../src/messaging/folder.js';
import type { Message } from '../../src/messaging/message.js';
import type { PropertyHolder } from '../../src/messaging/properties.js';
import { openStore, type Store } from '../../src/messaging/store.js';

/**
 * Returns how many objects and values there were. `lazily`: object by object too. Throws when a folder or message was neither read nor
 * named by a finding.
 */
export function readEverything(source: Source, lazily: boolean): number {
  const store = openStore(source);
  let count = 0;
  const seen = new Set<number>();
  try {
    store.walk(
      {
        object: ({ nid, depth }) => {
          count++;
          if (depth === 0) seen.add(nid);
          return true;
        },
        row: () => void count++,
        chunk: () => void count++,
      },
      { copies: true },
    );
    mustBeComplete(store, seen);
    if (lazily) {
      store.ndb.beginPass();
      count += readLazily(store);
    }
  } finally {
    store.close();
  }
  return count;
}

function mustBeComplete(store: Store, seen: ReadonlySet<number>): void {
  const { nbt } = store.ndb;
  const told = new Set(store.findings.map(({ where }) => where.nid));
  for (let i = 0; i < nbt.count; i++) {
    const nid = nbt.nid(i);
    if ((isFolder(nid) || isMessage(nid)) && !seen.has(nid) && !told.has(nid)) {
      throw new Error(`node 0x${nid.toString(16)} was not read, and no finding says so`);
    }
  }
}

function readLazily(store: Store): number {
  let count = 0;
  const values = (holder: PropertyHolder): void => {
    store.attempt(() => {
      for (const property of holder) {
        count++;
        store.attempt(() => [property.value, property.name]);
      }
    });
  };
  const message = (each: Message): void => {
    values(each);
    store.attempt(() => [each.subject, each.sender, each.sentAt, each.codePage]);
    for (const read of [() => each.body, () => each.html, () => each.rtf]) store.attempt(read);
    store.attempt(() => {
      for (const recipient of each.recipients()) {
        values(recipient);
        store.attempt(() => [recipient.kind, recipient.name, recipient.smtpAddress]);
      }
    });
    store.attempt(() => {
      for (const attachment of each.attachments()) {
        values(attachment);
        store.attempt(() => attachment.bytes(1 << 20));
        const inner = store.attempt(() => attachment.embeddedMessage());
        if (inner !== undefined) message(inner);
      }
    });
  };
  const folder = (each: Folder): void => {
    values(each);
    store.attempt(() => [each.displayName, each.messageCount, each.parent]);
    for (const list of [() => each.messages(), () => each.associated(), () => each.orphans()]) {
      store.attempt(() => {
        for (const one of list()) message(one);
      });
    }
  };
  store.attempt(() => values(store.properties));
  store.attempt(() => [store.displayName, store.id, store.names, store.ipmSubtree]);
  store.attempt(() => {
    for (const each of store.folders()) folder(each);
    for (const each of store.orphans()) message(each);
  });
  return count;
}
