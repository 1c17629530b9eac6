import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { describeStores, findStore } from '../stores.js';
import { ENRON, extractorStore, invoke, workshop } from './invoke.js';

const shop = workshop();
afterAll(shop.remove);

const MESSAGE = '0x2000e4';
const ATTACHMENT = '0x8185';

interface FolderLine {
  nid: number;
  isSearchFolder: boolean;
  messageCount: number;
  associatedCount: number;
  messages?: { lines: { nid: number; isAssociated: boolean; attachmentCount: number }[]; total: number };
}

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);

describe('info', () => {
  it('describes a store', async () => {
    const { code, out } = await invoke('info', ENRON);
    expect(code).toBe(0);
    expect(out).toContain('enron.pst: Unicode PST');
    expect(out).toMatch(/encoding +permute/);
    expect(out).toMatch(/messages +71\n/);
    expect(out).toMatch(/attachments +70\n/);
  });

  it('reads stores of 4K pages', async () => {
    const { code, out } = await invoke('info', extractorStore('pstextractortest@outlook.com.ost'), '--json');
    const info = JSON.parse(out);
    expect(code).toBe(0);
    expect([info.kind, info.variant, info.messages]).toEqual(['OST', 'Unicode 4K', 183]);
    expect(info.decodedBytes).toBeGreaterThan(info.storedBytes);
  });

  it('notes a password, and that reading does not need it', async () => {
    const store = findStore('simiden__97_outlook_pass12345.pst');
    if (store === undefined) return;
    const { out } = await invoke('info', store.path);
    expect(out).toMatch(/password +set \(CRC 0x/);
    expect(out).toContain('reading does not need it');
  });

  it('says what is wrong, and still counts', async () => {
    const path = shop.mutant('nbt.pst', (bytes) => bytes.fill(0, 0xd45a00, 0xd45a00 + 512));
    const { code, out } = await invoke('info', path, '--json');
    const info = JSON.parse(out);
    expect(code).toBe(2);
    expect(info.messages).toBe(71);
    expect(info.findings.map((finding: { code: string }) => finding.code)).toContain('PST_BAD_PTYPE');
  });
});

describe('ls', () => {
  it('draws the folder tree', async () => {
    const { code, out } = await invoke('ls', ENRON);
    expect(code).toBe(0);
    expect(out).toMatch(/^0x8022 +Top of Personal Folders +0/m);
    expect(out).toMatch(/^0x8122 {10}Personal +47 +IPF\.Note/m);
    expect(out).toContain('10 folders, 71 messages');
    expect(out).not.toContain('SPAM Search Folder');
  });

  it('shows search folders and other nodes with --all', async () => {
    const { out } = await invoke('ls', ENRON, '--all');
    expect(out).toMatch(/0x2223 .*search folder/);
    expect(out).toMatch(/0x61 +NAME_TO_ID_MAP/);
  });

  it('takes a folder by NID, by path and by what it is', async () => {
    const by = async (folder: string): Promise<number[]> =>
      JSON.parse((await invoke('ls', ENRON, folder, '--json')).out).folders.map(({ nid }: FolderLine) => nid);
    const all = await by('0x8082');
    expect(all[0]).toBe(0x8082);
    expect(await by('top of personal folders/lokay-m')).toEqual(all);
    expect(await by('lokay-m')).toEqual(all);
    expect(await by('deletedItems')).toEqual([0x8062]);
    expect((await by('root')).length).toBe(10);
  });

  it('lists messages, as many as asked for', async () => {
    const { out } = await invoke('ls', ENRON, '0x80c2', '--messages', '--limit', '2');
    expect(out).toContain('TW-Commercial Group (0x80c2): 14 messages');
    expect(out).toMatch(/0x200024 +2001-10-22 20:06 +Lee {2}Dennis +New OBA's +638 KB +11/);
    expect(out).toContain('… 12 more messages; --limit NUMBER or --limit all shows them');
  });

  it('refuses a folder that is not there', async () => {
    expect((await invoke('ls', ENRON, 'Nowhere')).code).toBe(3);
    expect((await invoke('ls', ENRON, '0x9999')).code).toBe(3);
  });
});

describeStores('ls and info count what CATALOG.md counts', async ({ path, catalog }) => {
  const info = JSON.parse((await invoke('info', path, '--json')).out);
  const listed = await invoke('ls', path, '--all', '--messages', '--json');
  expect(listed.code).toBeLessThanOrEqual(2);
  const folders = (JSON.parse(listed.out).folders as FolderLine[]).filter((folder) => !folder.isSearchFolder);
  const messages = folders.flatMap((folder) => folder.messages?.lines ?? []);
  expect(messages.filter((message) => !message.isAssociated)).toHaveLength(info.messages);
  expect(messages.filter((message) => message.isAssociated)).toHaveLength(info.associated);
  expect(sum(folders.map((folder) => folder.messageCount))).toBe(info.messages);
  if (catalog === undefined) return;
  const { folders: folderCount, searchFolders, messages: messageCount, associated, attachments, embedded } = catalog;
  expect(info).toMatchObject({
    folders: folderCount,
    searchFolders,
    messages: messageCount,
    associated,
    attachments,
    embedded,
  });
});

describe('cat', () => {
  it('names every property', async () => {
    const { code, out } = await invoke('cat', ENRON, MESSAGE);
    expect(code).toBe(0);
    expect(out).toMatch(/0x0e070003 +PtypInteger32 +PidTagMessageFlags +17 \(0x11\)/);
    expect(out).toMatch(/0x00390040 +PtypTime +PidTagClientSubmitTime +2001-10-26T14:59:20\.0000000Z/);
    expect(out).toMatch(/0x8000001f +PtypString +PS_INTERNET_HEADERS:content-class +"urn:content-classes:message"/);
    expect(out).toMatch(/PidTagSearchKey +\(16 bytes\) d1 4c fe/);
    expect(out).toMatch(/to +Lokay {2}Michelle +SMTP/);
    expect(out).toMatch(/0x8185 +by value +RedRockAllocSumm\.xls +application\/msexcell +30\.0 KB/);
  });

  it('escapes what a terminal would act on', async () => {
    const { out } = await invoke('cat', ENRON, MESSAGE);
    expect(out).toContain('"\\u0001\\u0001RR expansion contracts."');
    expect(out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  });

  it('says the same in JSON, values whole', async () => {
    const { out } = await invoke('cat', ENRON, MESSAGE, '--json');
    const object = JSON.parse(out);
    const body = object.properties.find((property: { name: string }) => property.name === 'PidTagBody');
    expect(object.properties).toHaveLength(45);
    expect(body.type).toBe('PtypString');
    expect(body.value).toMatch(/^Help!/);
    expect(object.recipients).toHaveLength(1);
    expect(object.attachments).toEqual([
      {
        nid: 0x8185,
        method: 'BY_VALUE',
        name: 'RedRockAllocSumm.xls',
        mimeType: 'application/msexcell',
        dataSize: 30720,
      },
    ]);
  });

  it('gives one property, whole, by any of its names', async () => {
    for (const name of ['PidTagMessageClass', 'messageclass', '0x001a', '0x001a001f']) {
      expect((await invoke('cat', ENRON, MESSAGE, '-p', name)).out).toBe('IPM.Note\n');
    }
    expect((await invoke('cat', ENRON, MESSAGE, '-p', 'PS_INTERNET_HEADERS:content-class')).out).toBe(
      'urn:content-classes:message\n',
    );
    expect((await invoke('cat', ENRON, MESSAGE, '-p', 'PidTagHtml')).code).toBe(3);
    expect((await invoke('cat', ENRON, MESSAGE, '-p', 'PidTagNobodyKnows')).code).toBe(3);
  });

  it('follows the way into embedded messages', async () => {
    const store = findStore('alpha-beta-gamma-delta.pst');
    if (store === undefined) return;
    const attachment = await invoke('cat', store.path, '0x200024', '--subnode', '0x8045', '--json');
    const { embeddedMessage } = JSON.parse(attachment.out);
    const inner = await invoke('cat', store.path, '0x200024', '--subnode', `0x8045/${embeddedMessage}`, '--json');
    const subject = JSON.parse(inner.out).properties.find(({ name }: { name: string }) => name === 'PidTagSubject');
    expect(subject.value).toContain('Beta');
  });

  it('shows the rows of a table', async () => {
    const { out } = await invoke('cat', ENRON, '0x80ce', '--rows', '1');
    expect(out).toContain('14 rows');
    expect(out).toContain('row 0x200024');
    expect(out).toContain('… more rows; --rows NUMBER or --rows all shows them');
    expect(JSON.parse((await invoke('cat', ENRON, '0x80ce', '--json')).out).rows).toHaveLength(14);
  });

  it('dumps what is neither properties nor a table', async () => {
    const { code, out } = await invoke('cat', ENRON, 'SEARCH_ACTIVITY_LIST');
    expect(code).toBe(0);
    expect(out).toContain('neither properties nor a table');
    expect((await invoke('cat', ENRON, '0x21', '--raw')).out).toContain('bc 00 ec bc 20 00 00 00');
  });

  it('shows what can be read of a damaged message', async () => {
    const path = shop.mutant('message.pst', (bytes) => bytes.writeUInt8(0, 0xd0c40 + 500));
    const { code, out } = await invoke('cat', path, MESSAGE);
    expect(code).toBe(2);
    expect(out).toContain('PST_BAD_CRC');
    expect(out).toMatch(/0x8185 +ATTACHMENT/);
    const recipients = await invoke('cat', path, MESSAGE, '--subnode', '0x692');
    expect(recipients.code).toBe(0);
  });

  it('prints a bounded number of lines', async () => {
    for (const args of [
      ['ls', '-m'],
      ['cat', MESSAGE],
      ['node', '0x812e'],
      ['cat', '0x812e'],
    ]) {
      const { out } = await invoke(args[0]!, ENRON, ...args.slice(1));
      expect(out.split('\n').length).toBeLessThan(700);
    }
  });
});

describe('cat --bytes', () => {
  it('writes an attachment as it is', async () => {
    const reader = execFileSync(
      process.execPath,
      [
        '--import',
        'tsx',
        new URL('../../src/cli/main.ts', import.meta.url).pathname,
        ...['cat', ENRON, MESSAGE, '--subnode', ATTACHMENT, '-p', 'PidTagAttachDataBinary', '--bytes'],
      ],
      { maxBuffer: 1 << 20 },
    );
    expect(reader).toHaveLength(30_720);
    // As pst-extractor reads it.
    expect(createHash('md5').update(reader).digest('hex')).toBe('3be70c89040213f127456649cf1fb2d2');
  });
});
