/**
 * Blocks: each read and verified once, in the order of the file. MS-PST 2.2.2.8.
 * @module
 */
import { PstError } from '../errors.js';
import { isInternal } from '../wire/btree.js';
import type { Context } from './context.js';
import { hex } from './findings.js';
import type { RuleId } from './rules.js';

/** The rule behind what the block reader refuses; by the field where one code has several. */
function ruleOf(error: PstError): RuleId {
  switch (error.code) {
    case 'PST_TRUNCATED':
      return 'block.truncated';
    case 'PST_BAD_CRC':
      return 'block.crc';
    case 'PST_BAD_SIG':
      return 'block.signature';
    case 'PST_BAD_BID':
      return 'block.bid';
    case 'PST_INFLATE':
      return 'block.inflate';
    case 'PST_LIMIT':
      return 'check.limit';
    default:
      return error.where.field === 'BLOCKTRAILER.cb' ? 'block.cb' : 'block.place';
  }
}

/** Reads every block of the BBT. Returns a flag by BBT index: 1 for blocks that can be relied on. */
export function checkBlocks(context: Context): Uint8Array {
  const { ndb, core } = context;
  const { bbt, blocks } = ndb;
  const sound = new Uint8Array(bbt.count);
  const order = Uint32Array.from({ length: bbt.count }, (_, i) => i).sort((a, b) => bbt.ib(a) - bbt.ib(b));
  for (const i of order) {
    const bid = bbt.bid(i);
    try {
      if (bbt.cb(i) === bbt.inflated(i)) blocks.check(i, {});
      else if (isInternal(bid)) blocks.open(bid, {});
      else {
        const ptr = blocks.load(i, {});
        if (ptr !== 0) core.x.free(ptr);
      }
      sound[i] = 1;
    } catch (error) {
      if (!(error instanceof PstError)) throw error;
      context.add(ruleOf(error), error.reason, { bid, ib: bbt.ib(i) });
    }
    if (bbt.cb(i) === 0) {
      context.add('block.empty', `the block ${hex(bid)} has no bytes`, { bid, ib: bbt.ib(i), found: 0 });
    }
    if (bid === 0 || bid >= 2 ** 53) context.add('block.place', `a block with BID ${hex(bid)}`, { bid, ib: bbt.ib(i) });
    context.advance();
  }
  return sound;
}
