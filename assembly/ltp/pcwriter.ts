// Property contexts, writing. MS-PST 2.3.3. The BTH header is heap item 0x20, as Outlook lays it.

import { damage, VALUE_DAMAGED, VALUE_TOO_LONG } from '../damage';
import { alloc, free } from '../memory/pageheap';
import { SITE_PC_WRITER, SITE_PC_WRITER_RECORDS } from '../memory/site';
import { copy, get32, put16, put32, take } from '../memory/span';
import { contextOf } from '../memory/stop';
import { chainFree } from '../ndb/chain';
import { DAMAGED, EXTERNAL, fixedSize, INLINE, RECORD, STREAM_HEADER } from '../stream/cells';
import { bthReserve, bthWrite } from './bthwriter';
import { CLIENT_PC } from './heap';
import { hwBegin, hwChain, hwEnd, hwFill, hwItem, MAX_ITEM, newAt, newLo } from './heapwriter';

/** HID or NID for a value of a stream record; sets valueOk to 0 with a damage record when there can be none. */
export let valueOk: u32 = 1;

export function writeValue(stream: usize, at: usize, record: usize): u32 {
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
  copy(take(newLo, newAt, length), take(stream, at + <usize>get32(record + 12), length), length);
  return hid;
}

/** A value this long is laid before the others. */
const LARGE: u32 = 256;

/** Writes the records of the properties whose values are `from` to `to` bytes long, with their values. */
function writeRecords(stream: usize, at: usize, count: u32, records: usize, from: u32, to: u32): u32 {
  let r = take(stream, at + STREAM_HEADER, <usize>count * RECORD);
  let out = take(records, 0, (<usize>count) << 3);
  for (let k: u32 = 0; k < count; k++, r += RECORD, out += 8) {
    const length = get32(r + 8);
    if (length < from || length > to) continue;
    const tag = get32(r);
    contextOf(tag);
    put16(out, tag >>> 16);
    put16(out + 2, tag & 0xffff);
    const size = fixedSize(tag & 0xffff);
    valueOk = 1;
    if (size == 0 || (size > 4 && size != 255)) put32(out + 4, writeValue(stream, at, r));
    else if (get32(r + 4) & INLINE) put32(out + 4, get32(r + 12));
    else valueOk = <u32>damage(VALUE_DAMAGED, 0, tag); // has no bytes but the dword
    if (!valueOk) return 0;
  }
  return 1;
}

/** Writes the property stream at `stream` + `at` as a PC of at least `target` bytes, see hwFill(). Returns the chain of its heap, or 0 with a damage record. */
export function pcWrite(stream: usize, at: usize, target: usize): usize {
  const head = take(stream, at, STREAM_HEADER);
  const count = get32(head);
  hwBegin(CLIENT_PC);
  const header = hwItem(8);
  const headerLo = newLo;
  const headerAt = newAt;
  const records = alloc(((<usize>count) << 3) + 1, SITE_PC_WRITER_RECORDS);
  bthReserve((<usize>count) << 3);
  // Large values first: what they leave of a block is filled by the small ones.
  let ok = writeRecords(stream, at, count, records, LARGE, 0xffffffff);
  if (ok) ok = writeRecords(stream, at, count, records, 0, LARGE - 1);
  contextOf(0);
  if (ok) ok = bthWrite(headerLo, headerAt, 2, 6, records, count);
  if (ok) ok = hwFill(target);
  free(records, SITE_PC_WRITER);
  if (!ok) {
    chainFree(hwChain());
    return 0;
  }
  return hwEnd(header);
}
