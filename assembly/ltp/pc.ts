// Property contexts, reading. MS-PST 2.3.3: a BTH with 2-byte keys and 6-byte values.
//
//     record: wPropId u16 · wPropType u16 · dwValueHnid u32
//
// Values of up to 4 bytes lie in dwValueHnid; all others in a heap item or a subnode. HNID 0 is an empty value.

import { BTH_SIZES, damage, PC_RECORDS } from '../damage';
import { alloc, free } from '../memory/pageheap';
import { SITE_PC, SITE_PC_CELLS, SITE_PC_STREAM } from '../memory/site';
import { get16, get32, take } from '../memory/span';
import { contextOf } from '../memory/stop';
import { chainTotal } from '../ndb/chain';
import {
  CELL,
  cellHnid,
  cellInline,
  fixedSize,
  sharedOk,
  sortCells,
  streamSize,
  valuesSize,
  writeStream,
} from '../stream/cells';
import { bthAt, bthCount, bthDone, bthFind, bthKeySize, bthLo, bthValueSize } from './bth';
import { CLIENT_PC, hnOpen, rootHid } from './heap';

const PC_KEY: u32 = 2;
const PC_VALUE: u32 = 6;
const PC_RECORD: usize = 8;

/** Attack: one key a million times. Keys are 16-bit ids and strictly ascending. MS-PST 2.3.2.2, 2.3.3.3. */
const MAX_RECORDS: u32 = 65536;

/** The property stream of a PC, in a block the caller frees. Returns 0 with a damage record. */
export function pcRead(chain: usize, variant: u32): usize {
  if (!hnOpen(chain, CLIENT_PC) || !bthFind(chain, rootHid, variant)) return 0;
  const count = bthCount;
  if (bthKeySize != PC_KEY || bthValueSize != PC_VALUE) {
    bthDone();
    return damage(BTH_SIZES, bthKeySize, bthValueSize);
  }
  if (count > MAX_RECORDS) {
    bthDone();
    return damage(PC_RECORDS, count, MAX_RECORDS);
  }
  const cells = alloc(<usize>count * CELL + 1, SITE_PC_CELLS);
  let c = take(cells, 0, <usize>count * CELL);
  let r = take(bthLo, bthAt, <usize>count * PC_RECORD);
  for (let k: u32 = 0; k < count; k++, r += PC_RECORD, c += CELL) {
    const type = get16(r + 2);
    const tag = (get16(r) << 16) | type;
    const value = get32(r + 4);
    contextOf(tag);
    const size = fixedSize(type);
    // 255: types without a value (0x0000, 0x0001, and others seen in third-party files) keep their dword.
    if (size == 255) cellInline(c, tag, 4, value);
    else if (size != 0 && size <= 4) cellInline(c, tag, size, value);
    else cellHnid(c, tag, chain, variant, value, size);
  }
  contextOf(0);
  bthDone();
  sortCells(cells, count);
  const values = valuesSize(cells, count);
  if (!sharedOk(values, <u64>chainTotal(chain))) {
    free(cells, SITE_PC);
    return 0;
  }
  const size = streamSize(count, values);
  const stream = alloc(size, SITE_PC_STREAM);
  writeStream(cells, count, 0, stream, 0, size);
  free(cells, SITE_PC);
  return stream;
}
