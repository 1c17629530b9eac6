// Property contexts, writing. MS-PST 2.3.3. The BTH header is heap item 0x20, as Outlook lays it.

import { damage, VALUE_DAMAGED, VALUE_TOO_LONG } from '../damage';
import { alloc, free } from '../memory/pageheap';
import { FREE_PC_WRITER_RECORDS, SITE_PC_WRITER_RECORDS } from '../memory/site';
import { copy, get32, part, put16, put32, take } from '../memory/span';
import { contextOf } from '../memory/stop';
import { chainFree, chainPtr } from '../ndb/chain';
import { DAMAGED, EXTERNAL, INLINE, isInline, RECORD, STREAM_HEADER } from '../stream/cells';
import { fixedSize } from '../stream/types';
import { bthReserve, bthWrite, bthWritten, reservedHid, reservedSpan } from './bthwriter';
import { CLIENT_PC } from './heap';
import { hwBegin, hwChain, hwEnd, hwFill, hwItem, MAX_ITEM, newAt, newSpan } from './heapwriter';

/** HID or NID for a value of a stream record; sets valueOk to 0 with a damage record when there can be none. */
export let valueOk: u32 = 1;

/** `stream`: address of the `size` bytes of the stream, the span taken; `record` lies in it. */
// @ts-ignore: decorator
@inline export function writeValue(stream: usize, size: usize, record: usize): u32 {
  valueOk = 1;
  const tag = get32(record);
  const flags = get32(record + 4);
  const length = <usize>get32(record + 8);
  if (flags & DAMAGED) {
    valueOk = <u32>damage(VALUE_DAMAGED, 0, tag);
    return 0;
  }
  if (flags & EXTERNAL) return get32(record + 12);
  if (length == 0) return 0;
  if (length > MAX_ITEM) {
    valueOk = <u32>damage(VALUE_TOO_LONG, <u32>length, tag);
    return 0;
  }
  const hid = hwItem(length);
  if (!hid) {
    valueOk = 0;
    return 0;
  }
  copy(newSpan, part(stream, size, <usize>get32(record + 12), length), length);
  return hid;
}

/** A value this long is laid before the others. */
const LARGE: u32 = 256;

/** Writes the records of the properties whose values are `from` to `to` bytes long to `out`, with their values to the heap. */
function writeRecords(stream: usize, size: usize, count: u32, out: usize, from: u32, to: u32): u32 {
  const end = stream + STREAM_HEADER + <usize>count * RECORD;
  for (let r = stream + STREAM_HEADER; r < end; r += RECORD, out += 8) {
    const length = get32(r + 8);
    if (length < from || length > to) continue;
    const tag = get32(r);
    contextOf(tag);
    put16(out, tag >>> 16);
    put16(out + 2, tag & 0xffff);
    const fixed = fixedSize(tag & 0xffff);
    valueOk = 1;
    if (!isInline(fixed)) put32(out + 4, writeValue(stream, size, r));
    else if (get32(r + 4) & INLINE) put32(out + 4, get32(r + 12));
    else valueOk = <u32>damage(VALUE_DAMAGED, 0, tag); // has no bytes but the dword
    if (!valueOk) return 0;
  }
  return 1;
}

/** Writes the property stream at `stream` + `at` as a PC of at least `target` bytes, see hwFill(). Returns the chain of its heap, or 0 with a damage record. */
export function pcWrite(stream: usize, at: usize, target: usize): usize {
  const size = <usize>get32(take(stream, at, STREAM_HEADER) + 4);
  const s = take(stream, at, size);
  const count = get32(s);
  part(s, size, STREAM_HEADER, <usize>count * RECORD);
  hwBegin(CLIENT_PC);
  const header = hwItem(8);
  const headerAt = newAt;
  const headerSpan = newSpan;
  bthReserve((<usize>count) << 3);
  // Records that one item can hold are written where they belong.
  const inPlace = reservedHid != 0;
  const records: usize = inPlace ? 0 : alloc(((<usize>count) << 3) + 1, SITE_PC_WRITER_RECORDS);
  const out = inPlace ? reservedSpan : take(records, 0, (<usize>count) << 3);
  // Large values first: what they leave of a block is filled by the small ones.
  let ok = writeRecords(s, size, count, out, LARGE, 0xffffffff);
  if (ok) ok = writeRecords(s, size, count, out, 0, LARGE - 1);
  contextOf(0);
  if (ok) ok = inPlace ? bthWritten(headerSpan, 2, 6, count) : bthWrite(chainPtr(hwChain(), 0), headerAt, 2, 6, records, count);
  if (ok) ok = hwFill(target);
  if (records) free(records, FREE_PC_WRITER_RECORDS);
  if (!ok) {
    chainFree(hwChain());
    return 0;
  }
  return hwEnd(header);
}
