/** How a replay ended, and the blocks it left live: for each way to look at its steps. @module */
import { allocPlace } from '../core/code.js';
import type { HeapBlock } from '../core/heapmap.js';
import { siteName } from '../core/site.js';
import { hex } from '../errors.js';
import type { Outcome } from '../replay/bundle.js';
import { count, number, print, printHead, printTable, size } from './output.js';

/** Blocks shown. */
const BLOCKS_SHOWN = 40;

export const endText = (outcome: Outcome): string =>
  outcome.kind === 'none'
    ? 'it ended well'
    : outcome.kind === 'error'
      ? `${outcome.code}: ${outcome.message}`
      : outcome.message;

/** The blocks that are live, the last taken at the end. */
export function printLive(live: readonly HeapBlock[]): void {
  printHead(`${count(live.length, 'block')} live, ${size(live.reduce((sum, block) => sum + block.size, 0))}`);
  if (live.length === 0) return;
  printTable(
    live
      .slice(-BLOCKS_SHOWN)
      .map((block) => [block.ordinal, block.size, hex(block.ptr), siteName(block.site), allocPlace(block.site) ?? '']),
    { head: ['no.', 'bytes', 'address', 'taken for', 'at'], indent: 2 },
  );
  if (live.length > BLOCKS_SHOWN) print(`  … and ${number(live.length - BLOCKS_SHOWN)} older; --json lists them all`);
}
