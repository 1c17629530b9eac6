/** The public interface: properties, names, folders, sequences. Values are checked by kind; nobody is quoted. */
import { afterAll, describe, expect, it } from 'vitest';
import {
  ATTACH_METHOD,
  FileTime,
  Folder,
  openSource,
  openStore,
  PROPERTY_SETS,
  PstError,
  type SpecialFolder,
  type Store,
  UsageError,
} from '../../src/index.js';
import { describeStores, findStore, type RealStore, sharedStoresMissing } from '../stores.js';

const opened: Store[] = [];
afterAll(() => {
  for (const store of opened) store.close();
});
function open(ending: string): Store {
  const store = openStore(findStore(ending)!.path);
  opened.push(store);
  return store;
}
const enron = findStore('enron.pst');
const shared = sharedStoresMissing === undefined;
if (!shared) it.skip(`skipped: ${sharedStoresMissing}`, () => {});

const firstMessage = (store: Store) =>
  [...store.folders()]
    .find((f) => !f.isSearchFolder && f.ids('contents').length > 0)!
    .messages()
    .first()!;

describe.skipIf(enron === undefined)('properties', () => {
  it('are found by name, tag and id alike', () => {
    const message = firstMessage(open('enron.pst'));
    const subject = message.get('PidTagSubject');
    expect(typeof subject).toBe('string');
    for (const key of ['Subject', 'pidtagsubject', '0x0037', '0x0037001F', 0x37, 0x0037001f, 0x0037001e]) {
      expect(message.get(key)).toBe(subject);
    }
    expect(message.has(0x37)).toBe(true);
    expect(message.get(0x7fff)).toBeUndefined();
    expect(message.get(0x0037_0102)).toBeUndefined();
    expect(() => message.get('PidTagNobodyKnows')).toThrow(UsageError);
    expect(message.subject.startsWith('\x01')).toBe(false);
    expect(message.subject).toBe(message.subjectParts.prefix + message.normalizedSubject);
  });

  it('come by ascending tag, each with its type', () => {
    const message = firstMessage(open('enron.pst'));
    const tags = [...message].map(({ tag }) => tag);
    expect(tags).toEqual([...tags].sort((a, b) => a - b));
    expect(tags.length).toBe(message.propertyCount);
    for (const { tag, type, id, value, isDamaged } of message) {
      expect(tag).toBe(id * 0x10000 + type);
      expect(isDamaged).toBe(false);
      if (value === undefined) continue;
      if (type === 0x1f) expect(typeof value).toBe('string');
      if (type === 0x03) expect(typeof value).toBe('number');
      if (type === 0x0b) expect(typeof value).toBe('boolean');
      if (type === 0x40) expect(value).toBeInstanceOf(FileTime);
      if (type === 0x102) expect(value).toBeInstanceOf(Uint8Array);
      if (type === 0x14) expect(typeof value).toBe('bigint');
    }
  });

  it('have typed accessors that give undefined for another type', () => {
    const message = firstMessage(open('enron.pst'));
    expect(message.text('PidTagSubject')).toBeDefined();
    expect(message.integer('PidTagSubject')).toBeUndefined();
    expect(message.binary('PidTagSearchKey')?.length).toBe(16);
    expect(message.date('PidTagCreationTime')).toBeInstanceOf(Date);
    expect(message.flag('PidTagHasAttachments') ?? false).toBe(message.hasAttachments);
    expect(message.integer('PidTagMessageSize')).toBe(message.size);
  });

  it('that lie in subnodes give the same bytes whole and leaf by leaf', () => {
    let external = 0;
    for (const folder of open('enron.pst').folders()) {
      for (const message of folder.messages()) {
        for (const property of message) {
          if (!property.isExternal) continue;
          external++;
          const chunks = property.chunks().toArray();
          expect(chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(property.size);
          if (property.type === 0x102)
            expect(Buffer.compare(Buffer.concat(chunks), property.value as Uint8Array)).toBe(0);
        }
      }
    }
    expect(external).toBeGreaterThan(0);
  });

  it('with names are found through the map', () => {
    const store = open('enron.pst');
    expect(store.names.count).toBeGreaterThan(0);
    for (const { npid, set, id } of store.names.entries) {
      expect(store.names.findId(set, id)).toBe(npid);
      expect(store.names.findId(`{${set.toUpperCase()}}`, id)).toBe(npid);
      expect(store.names.find(npid)).toEqual({ npid, set, id });
    }
    let named = 0;
    for (const property of firstMessage(store)) {
      if (property.id < 0x8000) continue;
      const { named: name } = property;
      expect(name).toBeDefined();
      expect(property.owner.getNamed(name!.set, name!.id)).toEqual(property.value);
      named++;
    }
    expect(named).toBeGreaterThan(0);
    const common = store.names.entries.find(({ set }) => set === PROPERTY_SETS.PSETID_Common)!;
    expect(store.names.findId('PSETID_Common', common.id)).toBe(common.npid);
    expect(store.names.findId('PSETID_Common', 'no such name')).toBeUndefined();
  });
});

describe.skipIf(enron === undefined)('sequences', () => {
  it('are walked again and again, and with await', async () => {
    const store = open('enron.pst');
    const folder = [...store.folders()].find((f) => !f.isSearchFolder && f.ids('contents').length > 20)!;
    const messages = folder.messages();
    const nids = messages.toArray().map(({ nid }) => nid);
    expect(nids).toEqual([...folder.ids('contents')]);
    const awaited: number[] = [];
    for await (const message of messages) awaited.push(message.nid);
    expect(awaited).toEqual(nids);
    expect(messages.first()?.nid).toBe(nids[0]);
  });

  it('let the event loop have its turn', async () => {
    const store = open('enron.pst');
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    for await (const folder of store.folders()) {
      for await (const message of folder.messages()) {
        const until = performance.now() + 1;
        while (performance.now() < until) message.get('PidTagBody');
      }
    }
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });
});

/** Found by identifier in every store that Outlook made. */
const ALWAYS: readonly SpecialFolder[] = ['ipmSubtree', 'finder'];

describeStores('special folders', ({ path, catalog }) => {
  const store = openStore(path);
  try {
    for (const kind of ALWAYS) expect(store.specialFolder(kind), kind).toBeInstanceOf(Folder);
    expect(store.rootFolder.isRoot).toBe(true);
    expect(store.rootFolder.parent).toBeUndefined();
    expect(store.recordKey?.length).toBe(16);
    expect(store.isOst).toBe(catalog?.isOst ?? path.endsWith('.ost'));
    expect(store.variant.replace(' ', '')).toBe(catalog?.variant ?? store.variant.replace(' ', ''));
    const top = store.ipmSubtree!;
    const deleted = store.specialFolder('deletedItems');
    if (deleted !== undefined) expect(deleted.parentNid).toBe(top.nid);
    for (const [kind, folder] of store.specialFolders) {
      expect(store.specialFolders.kindOf(folder.nid)).toBeDefined();
      expect(store.specialFolder(kind)?.nid).toBe(folder.nid);
      expect(store.getFolder(folder.nid).displayName).toBe(folder.displayName);
    }
    for (const folder of store.folders()) {
      if (!folder.isRoot) expect(folder.parent?.nid).toBe(folder.parentNid);
      if (folder.isSearchFolder)
        for (const message of folder.messages()) expect(message.folder?.isSearchFolder).toBe(false);
    }
  } finally {
    store.close();
  }
});

describeStores('values of every property of every object can be decoded', ({ path }: RealStore) => {
  const store = openStore(path);
  try {
    let values = 0;
    const all = (holder: Iterable<{ value: unknown; size: number }>): void => {
      for (const property of holder) {
        if (property.value !== undefined) values++;
        expect(property.size).toBeGreaterThanOrEqual(0);
      }
    };
    all(store.properties);
    for (const folder of store.folders()) {
      all(folder);
      for (const message of [...folder.messages(), ...folder.associated()]) {
        all(message);
        void [message.html, message.rtf, message.body, message.sender, message.sentRepresenting];
        for (const recipient of message.recipients()) {
          all(recipient);
          expect(['from', 'to', 'cc', 'bcc']).toContain(recipient.kind);
        }
        for (const attachment of message.attachments()) all(attachment);
      }
    }
    expect(values).toBeGreaterThan(0);
  } finally {
    store.close();
  }
});

describe.skipIf(!shared)('attachments', () => {
  it('of method 6 hold OLE compound files, leaf by leaf', () => {
    let found = 0;
    for (const folder of open('SampleOstFile.ost').folders()) {
      if (folder.isSearchFolder) continue;
      for (const message of folder.messages()) {
        for (const attachment of message.attachments()) {
          if (attachment.method !== ATTACH_METHOD.OLE) continue;
          found++;
          const bytes = attachment.bytes();
          expect(Buffer.from(bytes.subarray(0, 8)).toString('hex')).toBe('d0cf11e0a1b11ae1');
          expect(bytes.length).toBe(attachment.dataSize);
          expect(attachment.get('PidTagAttachDataObject')).toMatchObject({ nid: attachment.dataNode()!.nid });
          expect(() => attachment.bytes(bytes.length - 1)).toThrow(PstError);
        }
      }
    }
    expect(found).toBe(12);
  });

  it('that are messages know where they are', () => {
    const store = open('alpha-beta-gamma-delta.pst');
    let message = firstMessage(store);
    for (let depth = 1; depth <= 3; depth++) {
      const inner = message
        .attachments()
        .toArray()
        .map((attachment) => attachment.embeddedMessage())
        .find((embedded) => embedded !== undefined)!;
      expect(inner.depth).toBe(depth);
      expect(inner.within?.message).toBe(message);
      expect(inner.folder?.nid).toBe(firstMessage(store).folder?.nid);
      expect(inner.messageClass).toBe('IPM.Note');
      message = inner;
    }
  });
});

describe.skipIf(!shared)('code pages', () => {
  it('of folder names are those of the messages', () => {
    const store = open('nonUnicodeCP932.pst');
    expect(store.codePage).toBe(932);
    const names = [...store.folders()].map(({ displayName }) => displayName);
    expect(names.some((name) => /[\u3040-\u30ff]/.test(name))).toBe(true);
    expect(names.join('')).not.toMatch(/[\ufffd\x80-\xff]/);
    const message = firstMessage(store);
    expect(message.codePage).toBe(932);
    expect(message.subject).toMatch(/[\u3040-\u30ff]/);
    expect(message.body).toMatch(/[\u4e00-\u9fff]/);
  });

  it('can be given', () => {
    const path = findStore('nonUnicodeCP932.pst')!.path;
    const store = openStore(path, { codePage: 1252 });
    opened.push(store);
    expect([...store.folders()].map(({ displayName }) => displayName).join('')).not.toMatch(/[\u3040-\u30ff]/);
  });
});

describe.skipIf(enron === undefined)('stores', () => {
  it('say what is missing', () => {
    const store = open('enron.pst');
    expect(() => store.getFolder(0x7fff_ffe2)).toThrow(UsageError);
    expect(() => store.getMessage(0x122)).toThrow(UsageError);
    expect(store.findFolder(0x21)).toBeUndefined();
    expect(() => openStore('/no/such/file.pst')).toThrow(UsageError);
  });

  it('cannot be used once closed', () => {
    const store = openStore(enron!.path);
    store.close();
    store.close();
    expect(() => store.rootFolder).toThrow(UsageError);
  });

  it('leave a given source to its owner', () => {
    const source = openSource(enron!.path);
    openStore(source).close();
    expect(source.read(new Uint8Array(4), 0)).toBe(4);
    source.close();
  });

  it.skipIf(!shared)('with a broken block B-tree open for salvage only', () => {
    const { path } = findStore('AddingBulkMessagesWithImprovedPerformance.pst')!;
    expect(() => openStore(path, { strictness: 'strict' })).toThrow(PstError);
    expect(() => openStore(path, { strictness: 'normal' })).toThrow(PstError);
    const store = openStore(path);
    expect(store.findings.map(({ code }) => code)).toContain('PST_BAD_TREE');
    store.close();
  });
});
