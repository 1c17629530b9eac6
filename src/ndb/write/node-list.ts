/** The nodes of a store being written, in columns. MS-PST 2.2.2.7.7.4. @module */
import { hex, UsageError } from '../../errors.js';
import { ascendingOrder, Column } from './columns.js';

/** The nodes, ascending by NID. */
export interface NodeTable {
  readonly count: number;
  nid(i: number): number;
  entry(i: number): {
    nid: number;
    nidPadding: number;
    bidData: number;
    bidSub: number;
    nidParent: number;
    dwPadding: number;
  };
}

export class NodeList {
  readonly #nids = new Column(Uint32Array);
  readonly #data = new Column(Float64Array);
  readonly #subs = new Column(Float64Array);
  readonly #parents = new Column(Uint32Array);

  add(nid: number, bidData: number, bidSub: number, nidParent: number): void {
    this.#nids.push(nid);
    this.#data.push(bidData);
    this.#subs.push(bidSub);
    this.#parents.push(nidParent);
  }

  /** Orders the nodes. Throws UsageError when a NID was added twice. */
  finish(): NodeTable {
    const nids = this.#nids.values();
    const order = ascendingOrder(nids);
    const place = (i: number): number => (order === undefined ? i : order[i]!);
    for (let i = 1; i < nids.length; i++) {
      const nid = nids[place(i)]!;
      if (nid === nids[place(i - 1)]) throw new UsageError('USAGE', `two nodes have the NID ${hex(nid)}`);
    }
    return {
      count: nids.length,
      nid: (i) => nids[place(i)]!,
      entry: (i) => {
        const n = place(i);
        const [bidData, bidSub] = [this.#data.at(n), this.#subs.at(n)];
        return { nid: nids[n]!, nidPadding: 0, bidData, bidSub, nidParent: this.#parents.at(n), dwPadding: 0 };
      },
    };
  }
}
