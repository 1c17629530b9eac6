/**
 * Rows of folder tables are copies of what the objects say: cell by cell they must agree. That covers tables of many blocks,
 * cells in subnodes, and the columns that 4K stores keep in heaps of their own.
 */
import { expect } from 'vitest';
import { openStore, type PropertyValue, type Store } from '../../src/index.js';
import { encodeValue } from '../../src/mapi/value.js';
import { describeStores } from '../stores.js';

/** Row id, row version, size, replication, status: the row says something of its own, or lags. format.md 7 and 11. */
const OWN: ReadonlySet<number> = new Set([0x67f2, 0x67f3, 0x0e08, 0x0e17, 0x0e30, 0x0e33, 0x0e34, 0x0e38, 0x3008]);
const SENDER = 0x0042; // PidTagSentRepresentingName: in 4K stores a column with a heap of its own
const CHANGE_KEY = 0x3013; // the other one; no message has it

const isSame = (tag: number, a: PropertyValue, b: PropertyValue | undefined): boolean => {
  if (b === undefined) return false;
  const type = tag & 0xffff;
  return type === 0x1e || type === 0x101e
    ? JSON.stringify(a) === JSON.stringify(b)
    : Buffer.compare(encodeValue(type, a), encodeValue(type, b)) === 0;
};

interface Cells {
  same: number;
  senders: number;
  changeKeys: number;
  different: string[];
}

function compareRows(store: Store): Cells {
  const cells: Cells = { same: 0, senders: 0, changeKeys: 0, different: [] };
  for (const folder of store.folders()) {
    if (folder.isSearchFolder) continue;
    for (const which of ['hierarchy', 'contents', 'associated'] as const) {
      for (const row of folder.table(which)!.rows()) {
        const object = which === 'hierarchy' ? store.getFolder(row.nid) : store.getMessage(row.nid);
        for (const cell of row) {
          if (cell.id === CHANGE_KEY && cell.size > 0) cells.changeKeys++;
          if (OWN.has(cell.id) || !object.has(cell.tag)) continue;
          const { value } = cell;
          if (value !== undefined && !isSame(cell.tag, value, object.get(cell.tag))) {
            cells.different.push(`${which} 0x${row.nid.toString(16)} ${cell.tag.toString(16)}`);
          } else cells.same++;
          if (cell.id === SENDER) cells.senders++;
        }
      }
    }
  }
  return cells;
}

describeStores('rows agree with their objects', ({ path, catalog }) => {
  const store = openStore(path);
  try {
    const { same, senders, changeKeys, different } = compareRows(store);
    expect(different).toEqual([]);
    expect(same).toBeGreaterThan(0);
    if (catalog?.variant === 'Unicode4K') {
      expect(senders).toBe(catalog.messages);
      expect(changeKeys).toBeGreaterThanOrEqual(catalog.messages);
    }
  } finally {
    store.close();
  }
});
