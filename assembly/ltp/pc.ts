// Property contexts, reading. MS-PST 2.3.3: a BTH with 2-byte keys and 6-byte values.
//
//     record: wPropId u16 · wPropType u16 · dwValueHnid u32
//
// Values of up to 4 bytes lie in dwValueHnid; all others in a heap item or a subnode. HNID 0 is an empty value.
//
// The records are resolved into a plan, which measures the stream, and the plan fills it. A plan has the records of the stream, but the
// address of a value, its span taken, where its place in the stream goes.

import { BTH_SIZES, damage, PC_RECORDS } from '../damage';
import { alloc, free } from '../memory/pageheap';
import { FREE_PC_ORDER, FREE_PC_PLAN, SITE_PC_ORDER, SITE_PC_PLAN, SITE_PC_STREAM } from '../memory/site';
import { copy, get16, get32, get64, part, put32, put64, take } from '../memory/span';
import { contextOf } from '../memory/stop';
import { chainTotal } from '../ndb/chain';
import {
  INLINE,
  inlineValue,
  isInline,
  RECORD,
  resolve,
  STREAM_HEADER,
  sharedOk,
  streamSize,
  valueFlags,
  valueLength,
  valuePlace,
} from '../stream/cells';
import { fixedSize } from '../stream/types';
import { bthCount, bthDone, bthFind, bthKeySize, bthSpan, bthValueSize } from './bth';
import { CLIENT_PC, hnOpen, itemSpan, rootHid } from './heap';

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
  const found = bthSpan;
  const ordered: usize = isOrdered(found, count) ? 0 : inOrder(found, count);
  const records = ordered ? take(ordered, 0, <usize>count * PC_RECORD) : found;
  const plan = alloc(<usize>count * RECORD + 1, SITE_PC_PLAN);
  const first = take(plan, 0, <usize>count * RECORD);
  const values = resolveAll(chain, variant, records, count, first);
  let stream: usize = 0;
  if (sharedOk(values, <u64>chainTotal(chain))) {
    const size = streamSize(count, values);
    stream = alloc(size, SITE_PC_STREAM);
    writeStream(first, count, take(stream, 0, size), size);
  }
  free(plan, FREE_PC_PLAN);
  if (ordered) free(ordered, FREE_PC_ORDER);
  bthDone();
  return stream;
}

/** PtypInteger32 | id << 16 and so on: type in the low half, as in a stream. */
// @ts-ignore: decorator
@inline function tagOf(r: usize): u32 {
  return (get16(r) << 16) | get16(r + 2);
}

function isOrdered(records: usize, count: u32): bool {
  const end = records + <usize>count * PC_RECORD;
  let last: u32 = 0;
  for (let r = records; r < end; r += PC_RECORD) {
    const tag = tagOf(r);
    if (tag < last) return false;
    last = tag;
  }
  return true;
}

/** A copy of the records, by tag: some third-party files have them as they came. */
function inOrder(records: usize, count: u32): usize {
  const size = <usize>count * PC_RECORD;
  const block = alloc(size, SITE_PC_ORDER);
  const base = take(block, 0, size);
  copy(base, records, size);
  // Shell sort with Knuth's gaps: in place, and hostile counts stay far from quadratic.
  let gap: u32 = 1;
  while (gap < count / 3) gap = gap * 3 + 1;
  for (; gap > 0; gap = gap / 3) {
    const step = <usize>gap * PC_RECORD;
    for (let i = gap; i < count; i++) {
      let r = base + <usize>i * PC_RECORD;
      const tag = tagOf(r);
      const record = get64(r);
      while (r >= base + step && tagOf(r - step) > tag) {
        put64(r, get64(r - step));
        r -= step;
      }
      put64(r, record);
    }
  }
  return block;
}

/** Resolves the records into the plan at `p`. Returns the bytes of the values that go behind the stream's records, each padded to 8. */
function resolveAll(chain: usize, variant: u32, records: usize, count: u32, p: usize): u64 {
  let values: u64 = 0;
  const end = records + <usize>count * PC_RECORD;
  for (let r = records; r < end; r += PC_RECORD, p += RECORD) {
    const type = get16(r + 2);
    const tag = tagOf(r);
    const value = get32(r + 4);
    const size = fixedSize(type);
    put32(p, tag);
    if (isInline(size)) {
      const length = size == 255 ? 4 : size;
      put32(p + 4, INLINE);
      put32(p + 8, length);
      put32(p + 12, inlineValue(value, length));
      continue;
    }
    contextOf(tag);
    resolve(chain, variant, value, size);
    put32(p + 4, valueFlags);
    put32(p + 8, valueLength);
    put32(p + 12, valueFlags ? valuePlace : <u32>itemSpan);
    if (valueFlags == 0) values += (<u64>valueLength + 7) & ~7;
  }
  contextOf(0);
  return values;
}

/** Fills the stream of `size` bytes at `out` from the plan at `p`. cells.ts draws it. */
function writeStream(p: usize, count: u32, out: usize, size: usize): void {
  put32(out, count);
  put32(out + 4, <u32>size);
  put64(out + 8, 0);
  let record = out + STREAM_HEADER;
  let place = STREAM_HEADER + <usize>count * RECORD;
  const end = record + <usize>count * RECORD;
  for (; record < end; p += RECORD, record += RECORD) {
    put64(record, get64(p));
    put64(record + 8, get64(p + 8));
    if (get32(p + 4)) continue;
    const length = <usize>get32(p + 8);
    put32(record + 12, <u32>place);
    if (length == 0) continue;
    contextOf(get32(p));
    const padded = (length + 7) & ~7;
    const to = part(out, size, place, padded);
    put64(to + padded - 8, 0);
    copy(to, <usize>get32(p + 12), length);
    place += padded;
  }
  contextOf(0);
}
