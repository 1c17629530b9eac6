/** Bytes into the core and out of it, for tests: chains of blocks, property streams, whole tables. */
import type { Core } from '../../src/core/core.js';
import { PropertyStream, splitStreams } from '../../src/ltp/stream.js';

/** A chain of these blocks, in the core. */
export function putChain(core: Core, blocks: readonly Uint8Array[]): number {
  const chain = core.x.chainNew(blocks.length);
  for (const block of blocks) core.x.chainAdd(chain, core.put(block));
  return chain;
}

/** Copies of the blocks of a chain, which is freed. */
export function takeChain(core: Core, chain: number): Uint8Array[] {
  const { x } = core;
  const blocks = Array.from({ length: x.chainCount(chain) }, (_, k) => {
    const ptr = x.chainPtr(chain, k);
    return core.u8.slice(ptr, ptr + x.chainSize(chain, k));
  });
  x.chainFree(chain);
  return blocks;
}

/** The property stream of a PC in these blocks, or undefined with a damage record. */
export function readPcOf(core: Core, blocks: readonly Uint8Array[], variant = 1): PropertyStream | undefined {
  const { x } = core;
  const chain = putChain(core, blocks);
  const stream = x.pcRead(chain, variant);
  x.chainFree(chain);
  if (stream === 0) return undefined;
  const bytes = core.u8.slice(stream, stream + x.sizeOf(stream));
  x.free(stream, 0);
  return new PropertyStream(bytes);
}

export interface TableBlocks {
  heap: Uint8Array[];
  /** The row matrix when it is a subnode. */
  rows: Uint8Array[] | undefined;
}

export interface TableRows {
  rows: PropertyStream[];
  badRows: number;
}

/** Every row of a table, or undefined with a damage record. `limit`: rows asked for at a time. */
export function readTableOf(core: Core, table: TableBlocks, variant = 1, limit = 1024): TableRows | undefined {
  const { x } = core;
  const heap = putChain(core, table.heap);
  const matrix = table.rows === undefined ? 0 : putChain(core, table.rows);
  const handle = x.tcOpen(heap, matrix, variant);
  let result: TableRows | undefined;
  if (handle !== 0) {
    const rows: PropertyStream[] = [];
    result = { rows, badRows: x.tcBadRows(handle) };
    const count = x.tcRowCount(handle);
    for (let from = 0; from < count; ) {
      const read = x.tcRead(handle, from, limit);
      if (read === 0) {
        result = undefined;
        break;
      }
      const at = x.tcOut(handle);
      rows.push(...splitStreams(core.u8.slice(at, at + x.tcOutSize(handle)), read));
      from += read;
    }
    x.tcClose(handle);
  }
  x.chainFree(heap);
  if (matrix !== 0) x.chainFree(matrix);
  return result;
}

/** mulberry32: small, seeded, the same everywhere. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
