/**
 * The pure property-stream workload: property contexts that lie in the core already are decoded into streams and encoded
 * again; allocation and release of every block included, files and JavaScript hardly.
 * @module
 */
import { Core } from '../../src/core/core.js';
import { parseWords } from '../../src/core/options.js';
import { openSource } from '../../src/host/file.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { NID_TYPE, nidType } from '../../src/wire/nid.js';

/** Contexts kept; more would only need more memory. */
const CONTEXTS = 256;

export interface StreamWorkload {
  readonly contexts: number;
  /** Reads and writes every context once. Returns the bytes of all streams and of all heaps written. */
  cycle(): { read: number; written: number };
  /** The same without encoding. */
  readOnly(): number;
}

/** `words`: settings of the page heap, as PSTWRIGHT_PAGEHEAP takes them. */
export function streamWorkload(path: string, words: string): StreamWorkload {
  const source = openSource(path);
  const core = Core.load(undefined, parseWords(words));
  const ndb = Ndb.open(source, core);
  const { x } = core;
  const { nbt, variant } = ndb;
  const chains: number[] = [];
  for (let i = 0; i < nbt.count && chains.length < CONTEXTS; i++) {
    if (nidType(nbt.nid(i)) === NID_TYPE.NORMAL_MESSAGE) chains.push(ndb.readTree(nbt.bidData(i), { nid: nbt.nid(i) }));
  }
  source.close();
  return {
    contexts: chains.length,
    cycle() {
      let read = 0;
      let written = 0;
      for (const chain of chains) {
        const stream = x.pcRead(chain, variant);
        read += x.sizeOf(stream);
        const heap = x.pcWrite(stream, 0);
        if (heap === 0) throw core.damage({});
        written += x.chainTotal(heap);
        x.chainFree(heap);
        x.free(stream);
      }
      return { read, written };
    },
    readOnly() {
      let read = 0;
      for (const chain of chains) {
        const stream = x.pcRead(chain, variant);
        read += x.sizeOf(stream);
        x.free(stream);
      }
      return read;
    },
  };
}
