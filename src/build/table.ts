/**
 * Tables under construction: rows go to the core as they come, the table is written when it is complete.
 * MS-PST 2.3.4. A row is made from the object it speaks for, so the two cannot differ: cell by cell what the object has,
 * and what stands in rows only.
 * @module
 */

import type { Where } from '../errors.js';
import { StreamWriter } from '../ltp/streamwriter.js';
import { TableWriter } from '../ltp/table.js';
import { encodeUtf16 } from '../mapi/codepage.js';
import type { StoreWriter } from '../ndb/write/store-writer.js';
import type { Subnode } from '../ndb/write/subnode.js';
import { HN_ITEM_MAX } from '../wire/heap.js';
import { NID_TYPE } from '../wire/nid.js';
import { eachCell, type Tree, type Written, type WrittenObject } from './object.js';
import { TAG } from './tag.js';
import type { Template } from './template.js';

/** How often one empty table is shared. cRef is 16 bits wide; the most seen in a real store is 94. */
const SHARED_MAX = 1000;

/** Empty tables are all alike, and share a block: Outlook's template and the tables made from it do (format.md 4). */
export class EmptyTables {
  readonly #tables = new Map<Template, { written: Written; uses: number }>();

  constructor(private readonly writer: StoreWriter) {}

  get(template: Template): Written {
    let table = this.#tables.get(template);
    if (table === undefined || table.uses === SHARED_MAX) {
      const writer = new TableWriter(this.writer.core, template.info, { nid: template.nid });
      table = { written: writeTable(this.writer, writer, 0, []), uses: 0 };
      this.#tables.set(template, table);
    }
    table.uses++;
    return table.written;
  }
}

function writeTable(writer: StoreWriter, table: TableWriter, rowsNid: number, subnodes: Subnode[]): Written {
  const { x } = writer.core;
  const { heap, rows } = table.end(rowsNid);
  let leafBytes = x.chainTotal(heap);
  const bidData = writer.addTree(heap);
  x.chainFree(heap);
  if (rows !== 0) {
    leafBytes += x.chainTotal(rows);
    subnodes.push({ nid: rowsNid, bidData: writer.addTree(rows), bidSub: 0 });
    x.chainFree(rows);
  }
  subnodes.sort((a, b) => a.nid - b.nid);
  return { bidData, bidSub: writer.addSubnodes(subnodes), leafBytes };
}

export class TableBuilder {
  readonly #writer: StoreWriter;
  readonly #empty: EmptyTables;
  readonly #template: Template;
  readonly #where: Where;
  #table: TableWriter | undefined;
  #row = new StreamWriter();
  readonly #subnodes: Subnode[] = [];
  #subnodeBytes = 0;

  constructor(writer: StoreWriter, empty: EmptyTables, template: Template, where: Where) {
    this.#writer = writer;
    this.#empty = empty;
    this.#template = template;
    this.#where = where;
  }

  get rowCount(): number {
    return this.#table?.rowCount ?? 0;
  }

  /** Sets a cell of the row in hand. */
  setNumber(tag: number, value: number): this {
    this.#row.setInline(tag, value);
    return this;
  }

  setText(tag: number, text: string): this {
    return this.setBytes(tag, encodeUtf16(text));
  }

  setBytes(tag: number, bytes: Uint8Array): this {
    if (bytes.length <= HN_ITEM_MAX) this.#row.set(tag, bytes);
    else this.#setTree(tag, { bid: this.#writer.addTreeBytes(bytes), size: bytes.length });
    return this;
  }

  /** The cells of an object's row: those properties that have a column. A data tree is shared, not written again. */
  copy(object: WrittenObject): this {
    const { stream, trees } = object;
    eachCell(stream, this.#template.tags, (tag, index, isExternal) => {
      if (isExternal) this.#setTree(tag, trees.get(tag)!);
      else this.#row.copy(stream, index);
    });
    return this;
  }

  #setTree(tag: number, { bid, size }: Tree): void {
    const nid = this.#writer.nextNid(NID_TYPE.LTP);
    this.#subnodes.push({ nid, bidData: bid, bidSub: 0 });
    this.#subnodeBytes += size;
    this.#row.setExternal(tag, nid);
  }

  /** Appends the row in hand under `rowId`, with a row version of its own, and begins the next. */
  add(rowId: number): void {
    this.#row.setInline(TAG.LTP_ROW_ID, rowId);
    this.#row.setInline(TAG.LTP_ROW_VERSION, this.#writer.nextUnique());
    this.#table ??= new TableWriter(this.#writer.core, this.#template.info, this.#where);
    this.#table.row(this.#row.build(rowId));
    this.#row = new StreamWriter();
  }

  /** Writes the table. Without rows it is the template's. */
  finish(): Written {
    const table = this.#table;
    if (table === undefined) return this.#empty.get(this.#template);
    const written = writeTable(this.#writer, table, this.#writer.nextNid(NID_TYPE.LTP), this.#subnodes);
    this.#table = undefined;
    return { ...written, leafBytes: written.leafBytes + this.#subnodeBytes };
  }
}
