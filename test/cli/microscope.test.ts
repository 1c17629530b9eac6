import { afterAll, describe, expect, it } from 'vitest';
import { ENRON, extractorStore, invoke, workshop } from './invoke.js';

const shop = workshop();
afterAll(shop.remove);

/** Places in enron.pst, as `page` and `block` print them. */
const NBT_ROOT = 0xd45a00;
const MESSAGE = '0x2000e4';
const MESSAGE_DATA = { bid: 0x42c, ib: 0xd0c40, cb: 2204 };

describe('page', () => {
  it('shows the header for place 0', async () => {
    const { code, out } = await invoke('page', ENRON, '0');
    expect(code).toBe(0);
    expect(out).toContain('HEADER at 0x0, 564 bytes, Unicode');
    expect(out).toMatch(/bidNextB\s+0x2bf4/);
  });

  it('lists the entries of a B-tree page', async () => {
    const { code, out } = await invoke('page', ENRON, 'nbt');
    expect(code).toBe(0);
    expect(out).toContain(`NBT page at 0x${NBT_ROOT.toString(16)}`);
    expect(out).toMatch(/0x21\s+0x5960\s+0xd3ae00\s+MESSAGE_STORE/);
  });

  it('says the same in JSON', async () => {
    const { code, out } = await invoke('page', ENRON, String(NBT_ROOT), '--json');
    const page = JSON.parse(out);
    expect(code).toBe(0);
    expect(page.type).toBe('NBT');
    expect(page.entries).toHaveLength(15);
    expect(page.entries[0]).toEqual({ btkey: 0x21, bid: 0x5960, ib: 0xd3ae00 });
    expect(page.bytes).toHaveLength(1024);
  });

  it('adds up an AMap', async () => {
    const page = JSON.parse((await invoke('page', ENRON, 'amap', '--json')).out);
    const free = page.freeRuns.reduce((sum: number, run: { size: number }) => sum + run.size, 0);
    expect(page.type).toBe('AMAP');
    expect(free).toBe(page.freeBytes);
    expect(page.covers).toEqual({ ib: 0x4400, size: 253_952 });
  });

  it('shows a place that is no page, and says so', async () => {
    const { code, out } = await invoke('page', ENRON, '0x4800');
    expect(code).toBe(2);
    expect(out).toContain('PST_BAD_PTYPE');
    expect(out).toContain('4800  ');
  });

  it('shows a damaged page with both checksums', async () => {
    const path = shop.mutant('page.pst', (bytes) => bytes.writeUInt8(0xff, NBT_ROOT + 100));
    const { code, out } = await invoke('page', path, 'nbt');
    expect(code).toBe(2);
    expect(out).toMatch(/PST_BAD_CRC {2}stored CRC 0x5f959a0a, computed 0x[0-9a-f]+/);
  });

  it('refuses places behind the end and words that are none', async () => {
    expect((await invoke('page', ENRON, '0x7fffffff')).code).toBe(3);
    expect((await invoke('page', ENRON, 'xbt')).code).toBe(3);
  });
});

describe('block', () => {
  it('shows entry, trailer and decoded bytes', async () => {
    const { code, out } = await invoke('block', ENRON, hex(MESSAGE_DATA.bid));
    expect(code).toBe(0);
    expect(out).toContain('data block 0x42c, permute');
    expect(out).toContain(`stored  ${MESSAGE_DATA.cb} bytes`);
    expect(out).toContain('52 08 ec bc 20 00 00 00'); // HNHDR
    expect(out).toContain('… 1,692 more bytes; --limit 2204 or --limit all shows them');
  });

  it('lists the entries of a subnode block', async () => {
    const { out } = await invoke('block', ENRON, '0x42a', '--json');
    const block = JSON.parse(out);
    expect(block.kind).toBe('SLBLOCK');
    expect(block.entries.map((entry: { nid: number }) => entry.nid)).toEqual([0x671, 0x692, 0x8185, 0x855f]);
  });

  it('shows what is there when the trailer is wrong', async () => {
    const path = shop.mutant('block.pst', (bytes) => bytes.writeUInt8(0, MESSAGE_DATA.ib + 500));
    const { code, out } = await invoke('block', path, '0x42c', '--raw');
    expect(code).toBe(2);
    expect(out).toContain('PST_BAD_CRC');
    expect(out).toContain('Stored bytes, from 0xd0c40');
    expect(out).toContain('52 08 ec bc');
  });

  it('refuses a block that the store does not have', async () => {
    const { code, err } = await invoke('block', ENRON, '0xfffff0');
    expect(code).toBe(3);
    expect(err).toContain('no block 0xfffff0');
  });

  it('inflates blocks of 4K stores', async () => {
    const path = extractorStore('pstextractortest@outlook.com.ost');
    const node = JSON.parse((await invoke('node', path, 'MESSAGE_STORE', '--json')).out);
    const { code, out } = await invoke('block', path, String(node.bidData), '--json');
    const block = JSON.parse(out);
    expect(code).toBe(0);
    expect(block.decoded).toHaveLength(2 * block.inflated);
    expect(block.inflated).toBeGreaterThan(block.cb);
  });
});

describe('node', () => {
  it('shows a property context down to its records', async () => {
    const { code, out } = await invoke('node', ENRON, MESSAGE);
    expect(code).toBe(0);
    expect(out).toContain('NORMAL_MESSAGE 0x2000e4');
    expect(out).toContain('45 properties');
    expect(out).toMatch(/0x7d\s+PtypString\s+0x855f\s+a subnode\s+TransportMessageHeaders/);
  });

  it('shows a table with columns and row index', async () => {
    const { code, out } = await invoke('node', ENRON, MESSAGE, '--subnode', '0x692', '--json');
    const { table, heap, path } = JSON.parse(out);
    expect(code).toBe(0);
    expect(path).toEqual([0x2000e4, 0x692]);
    expect(heap.HNHDR.bClientSig).toBe(0x7c);
    expect(table.columns.length).toBe(table.TCINFO.cCols);
    expect(table.rowIndex.records).toHaveLength(table.rowCount);
  });

  it('takes a fixed node by its name', async () => {
    expect((await invoke('node', ENRON, 'NID_MESSAGE_STORE')).out).toContain('MESSAGE_STORE 0x21');
  });

  it('shows the rest of a node whose data are damaged', async () => {
    const path = shop.mutant('node.pst', (bytes) => bytes.writeUInt8(0, MESSAGE_DATA.ib + 500));
    const { code, out } = await invoke('node', path, MESSAGE);
    expect(code).toBe(2);
    expect(out).toContain('4 subnodes');
    expect(out).toContain('PST_BAD_CRC');
  });

  it('shows a node of a store whose node B-tree is damaged', async () => {
    const path = shop.mutant('nbt.pst', (bytes) => bytes.fill(0, NBT_ROOT, NBT_ROOT + 512));
    const { code, out } = await invoke('node', path, MESSAGE);
    expect(code).toBe(2);
    expect(out).toContain('45 properties');
    expect(out).toContain('PST_BAD_PTYPE');
  });

  it('refuses what the store does not have', async () => {
    expect((await invoke('node', ENRON, '0x12345')).code).toBe(3);
    expect((await invoke('node', ENRON, MESSAGE, '--subnode', '0x1')).code).toBe(3);
    expect((await invoke('node', ENRON, '0x100000000')).code).toBe(3);
    expect((await invoke('node', ENRON, 'twelve')).err).toContain('"twelve" is no node id');
  });
});

const hex = (n: number): string => `0x${n.toString(16)}`;
