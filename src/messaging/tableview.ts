/**
 * A table of a store, by rows: what a folder lists, who a message goes to. MS-PST 2.3.4.
 * @module
 */
import { PstError, type Where } from '../errors.js';
import type { PropertyStream } from '../ltp/stream.js';
import { type Column, Table } from '../ltp/table.js';
import type { SubnodeIndex } from '../ndb/subnode.js';
import { PropertyHolder } from './properties.js';
import { Sequence } from './sequence.js';
import type { Store } from './store.js';

/** One row. Its `nid` is the row id: the NID of the object in tables that list objects, a number elsewhere. */
export class Row extends PropertyHolder {
  readonly #stream: PropertyStream;

  constructor(
    readonly table: TableView,
    stream: PropertyStream,
  ) {
    super(table.store, stream.rowId);
    this.#stream = stream;
  }

  protected override readStream(): PropertyStream {
    return this.#stream;
  }
  protected override readSubnodes(): SubnodeIndex {
    return this.table.subnodes;
  }
  protected override inheritedCodePage(): number {
    return this.table.codePage();
  }
  override get where(): Where {
    return { ...this.table.where, section: '2.3.4' };
  }
}

/** A table, opened anew for each question and closed after it. */
export class TableView {
  #subnodes: SubnodeIndex | undefined;

  constructor(
    readonly store: Store,
    readonly bidData: number,
    readonly bidSub: number,
    readonly where: Where,
    /** What 8-bit strings of the rows are in. */
    readonly codePage: () => number = () => store.codePage,
  ) {}

  get subnodes(): SubnodeIndex {
    return (this.#subnodes ??= this.store.ndb.subnodes(this.bidSub, this.where));
  }

  /** Hands the open table to `use`. Throws PstError when it is none. */
  open<T>(use: (table: Table) => T): T {
    const table = this.#open();
    try {
      return use(table);
    } finally {
      table.close();
    }
  }

  #open(): Table {
    const table = Table.open(this.store.ndb, this.bidData, this.subnodes, this.where);
    if (table.badRows > 0) {
      const message = `${table.badRows} entries of the row index lead nowhere`;
      this.store.report(new PstError('PST_BAD_TC', message, { ...this.where, section: '2.3.4.3' }));
    }
    return table;
  }

  get rowCount(): number {
    return this.open((table) => table.rowCount);
  }
  get columns(): readonly Column[] {
    return this.open((table) => table.columns);
  }
  /** Row ids in the order of the rows. */
  ids(): Uint32Array {
    return this.open((table) => table.rowIds());
  }

  /** Every row. The table stays open while they are walked. */
  rows(): Sequence<Row> {
    return this.map((stream) => new Row(this, stream));
  }

  /** The same, each row made into what it stands for. */
  map<T>(make: (stream: PropertyStream) => T): Sequence<T> {
    const open = (): Table => this.#open();
    return new Sequence(function* () {
      const table = open();
      try {
        for (const stream of table.rows()) yield make(stream);
      } finally {
        table.close();
      }
    });
  }
}
