/**
 * The floor under any reader that checks what it reads: reads of 1 MB, CRC and decoding of every block, nothing else. No
 * verifier (raw core), no structure but the places of the blocks, which are found before the clock starts.
 * @module
 */
import { Core } from '../../src/core/core.js';
import { openSource } from '../../src/host/file.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { wireSize } from '../../src/wire/block.js';
import { isInternal } from '../../src/wire/btree.js';

const READ = 1 << 20;
/** Internal blocks have no encoding. */
const NONE = 0;

export interface Floor {
  blocks: number;
  bytes: number;
  badBlocks: number;
}

/** Finds the blocks of the store; the function returned does the work. */
export function floorOf(path: string): () => Floor {
  const source = openSource(path);
  const core = Core.load('raw');
  const { bbt, header, variant } = Ndb.open(source, core);
  const order = Uint32Array.from({ length: bbt.count }, (_, k) => k).sort((a, b) => bbt.ib(a) - bbt.ib(b));
  const ends = Float64Array.from(order, (i) => bbt.ib(i) + wireSize(bbt.cb(i), variant));
  const window = core.x.alloc(READ, 0);
  const crcAt = variant === 0 ? 4 : 12; // dwCRC from the end of the block: BLOCKTRAILER, 2.2.2.8.1
  return () => {
    const { x } = core;
    const floor: Floor = { blocks: 0, bytes: 0, badBlocks: 0 };
    const { view, u8 } = core;
    const target = u8.subarray(window, window + READ);
    let ib = 0;
    let end = 0;
    order.forEach((i, k) => {
      const from = bbt.ib(i);
      if (ends[k]! > end) {
        ib = from;
        end = ib + source.read(target, ib);
      }
      const at = from - ib;
      const cb = bbt.cb(i);
      const bid = bbt.bid(i);
      if (x.crc(window, at, cb) !== view.getInt32(window + at + ends[k]! - from - crcAt, true)) floor.badBlocks++;
      x.blockDecode(window + at, cb, isInternal(bid) ? NONE : header.crypt, bid >>> 0);
      floor.blocks++;
      floor.bytes += cb;
    });
    source.close();
    return floor;
  };
}
