// What is wrong with the FILE (never with us): a code and two numbers, left for the host.
// src/core/damage.ts turns a code into an error code, a sentence, a field and a section.

import { DAMAGE } from './memory/layout';

export const BLOCK_CB: u32 = 1; // trailer cb a, expected b
export const BLOCK_SIG: u32 = 2; // trailer wSig a, computed b
export const BLOCK_CRC: u32 = 3; // stored a, computed b
export const BLOCK_BID: u32 = 4; // trailer bid (low) a, expected b
export const HN_SHORT: u32 = 10; // heap block of a bytes, at least b needed
export const HN_SIG: u32 = 11; // bSig a, expected 0xEC
export const HN_CLIENT: u32 = 12; // bClientSig a, expected b
export const HN_MAP: u32 = 13; // ibHnpm a, block size b
export const HID_TYPE: u32 = 14; // hid a is no HID
export const HID_BLOCK: u32 = 15; // hid a, blocks b
export const HID_INDEX: u32 = 16; // hid a, cAlloc b
export const HID_RANGE: u32 = 17; // hid a, offset b outside its block
export const BTH_TYPE: u32 = 20; // bType a
export const BTH_SIZES: u32 = 21; // cbKey a, cbEnt b
export const BTH_LEVELS: u32 = 22; // bIdxLevels a
export const BTH_ITEM: u32 = 23; // item of a bytes, record b
export const BTH_ABSURD: u32 = 24; // records of a bytes in a heap of b
export const VALUE_SIZE: u32 = 30; // value of a bytes, type needs b
export const PC_RECORDS: u32 = 31; // a records, at most b
export const VALUES_ABSURD: u32 = 32; // values of a KB in a heap of b KB
export const TC_TYPE: u32 = 40; // bType a
export const TC_COLUMNS: u32 = 41; // cCols a, item size b
export const TC_GROUPS: u32 = 42; // rgib a after b
export const TC_COLUMN: u32 = 43; // tag a, reaches b
export const TC_ROWS: u32 = 44; // row index a, rows b
export const TC_ROW_SIZE: u32 = 45; // row size a, block b
export const TC_RECORD: u32 = 46; // row index record a key bytes, b value bytes
export const TC_OVERLAP: u32 = 47; // column, column
export const VALUE_TOO_LONG: u32 = 50; // value of a bytes for the heap, tag b
export const VALUE_DAMAGED: u32 = 51; // cannot write a damaged value, tag b
export const HEAP_FULL: u32 = 52; // too many blocks or items for a HID
export const KEY_ORDER: u32 = 53; // key a after b
export const RTF_HEADER: u32 = 60; // size a, stated b
export const RTF_TYPE: u32 = 61; // COMPTYPE a
export const RTF_CRC: u32 = 62; // stored a, computed b
export const RTF_SIZE: u32 = 63; // stated a, limit b
export const RTF_STREAM: u32 = 64; // reference a beyond output b

/** Records the damage. Returns 0, which callers hand on. */
export function damage(code: u32, a: u32, b: u32): usize {
  store<u32>(DAMAGE, code);
  store<u32>(DAMAGE, a, 4);
  store<u32>(DAMAGE, b, 8);
  return 0;
}

export function damageCode(): u32 {
  return load<u32>(DAMAGE);
}

export function damageA(): u32 {
  return load<u32>(DAMAGE, 4);
}

export function damageB(): u32 {
  return load<u32>(DAMAGE, 8);
}
