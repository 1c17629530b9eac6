/** The core's kernels alone: CRC and the two block encodings. @module */
import * as zlib from 'node:zlib';
import Benchmark from 'benchmark';
import { Core } from '../../src/core/core.js';
import { type Bench, rounds } from '../bench.js';
import { ratios, spread, spreadText } from '../statistics.js';

/** A page without its trailer, the payload of a full block, and that of a 4K store's. */
const SIZES: readonly [string, number][] = [
  ['page, 496 B', 496],
  ['block, 8176 B', 8176],
  ['4K block, 65,512 B', 65512],
];
const PERMUTE = 1;
const CYCLIC = 2;
const ROUNDS = 5;
const SECONDS = 0.25;

/** Not in every Node 20, whatever the types say. */
const nodeCrc32 = (zlib as { crc32?: (bytes: Uint8Array, start?: number) => number }).crc32;

export const kernels: Bench = {
  name: 'kernels',
  title: 'CRC and block encodings',
  about:
    'One block, hot in the cache, through the default core, calls from JavaScript included. CRC-32 beside `zlib.crc32`, which Node has ' +
    'from 20.15 on and implements in C.',
  run(report, settings) {
    const core = Core.load();
    const { x } = core;
    const rows: string[][] = [];
    for (const [name, size] of SIZES) {
      const block = x.alloc(size, 0);
      const bytes = core.u8.subarray(block, block + size);
      for (let k = 0; k < size; k++) bytes[k] = (k * 2654435761) >>> 13;
      const own = Buffer.from(bytes);
      const work: [string, () => unknown][] = [
        ['CRC', () => x.crc(block, 0, size)],
        ['permute', () => x.blockDecode(block, size, PERMUTE, 0)],
        ['cyclic', () => x.blockDecode(block, size, CYCLIC, 0x1234567)],
      ];
      if (nodeCrc32 !== undefined) {
        work.splice(1, 0, ['zlib.crc32', () => nodeCrc32(own)]);
        report.equal(`CRC of ${size} bytes, ours and zlib.crc32`, x.crc(block, 0, size) >>> 0, plainCrc(own));
      }
      const speeds: number[][] = work.map(() => []);
      for (let round = 0; round < rounds(settings, ROUNDS); round++) {
        work.forEach(([, call], k) => {
          const maxTime = settings.quick ? SECONDS / 10 : SECONDS;
          const bench = new Benchmark(call, { maxTime, minSamples: 5 }).run();
          speeds[k]!.push(size / bench.stats.mean / 1e9);
        });
      }
      const crc = nodeCrc32 === undefined ? '' : spreadText(ratios(speeds[0]!, speeds[1]!));
      work.forEach(([kind], k) => {
        rows.push([name, kind, spreadText(spread(speeds[k]!)), k === 0 ? crc : '']);
      });
      x.free(block);
    }
    report.table(['bytes', 'work', 'GB/s: median (min – max)', 'times zlib.crc32, pair by pair'], rows);
  },
};

/** Start 0 and no final inversion, from zlib's CRC, which has both: MS-PST 5.3. */
const plainCrc = (bytes: Uint8Array): number => ~nodeCrc32!(bytes, 0xffffffff) >>> 0;
