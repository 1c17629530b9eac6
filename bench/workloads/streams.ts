/**
 * The pure property-stream workload: property contexts that lie in the core already are decoded into streams and encoded
 * again; allocation and release of every block included, files and JavaScript hardly.
 * @module
 */
import { Core } from '../../src/core/core.js';
import { parseWords } from '../../src/core/options.js';
import { openSource } from '../../src/host/file.js';
import { encodePc } from '../../src/ltp/pc.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { NID_TYPE, nidType } from '../../src/wire/nid.js';
import { UNICODE } from '../../src/wire/variant.js';

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
  const { nbt } = ndb;
  const chains: number[] = [];
  for (let i = 0; i < nbt.count && chains.length < CONTEXTS; i++) {
    if (nidType(nbt.nid(i)) === NID_TYPE.NORMAL_MESSAGE) chains.push(ndb.readTree(nbt.bidData(i), { nid: nbt.nid(i) }));
  }
  source.close();
  return workloadOf(core, chains);
}

/** Contexts of the workload of the fact sheet, and their properties. */
const LARGE_CONTEXTS = 64;
const PROPERTIES_FROM = 100;
const PROPERTIES_TO = 400;

/** The same over large contexts: 100 to 400 properties each, half of them numbers, half texts of up to 60 characters. */
export function largeStreamWorkload(words: string): StreamWorkload {
  const core = Core.load(undefined, parseWords(words));
  const chains: number[] = [];
  for (let c = 0; c < LARGE_CONTEXTS; c++) {
    const stream = new StreamWriter();
    const count = PROPERTIES_FROM + ((c * 37) % (PROPERTIES_TO - PROPERTIES_FROM + 1));
    for (let k = 0; k < count; k++) {
      const id = 0x1000 + 3 * k;
      if (k % 2 === 0) stream.setInline(id * 0x10000 + 0x0003, k * 7919);
      else stream.set(id * 0x10000 + 0x001f, new Uint8Array(2 * ((k * 13) % 61)).fill(0x41));
    }
    chains.push(encodePc(core, stream.build(), {}));
  }
  return workloadOf(core, chains);
}

function workloadOf(core: Core, chains: readonly number[]): StreamWorkload {
  const { x } = core;
  const variant = UNICODE;
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
