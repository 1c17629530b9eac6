/**
 * What the core found wrong with the file: assembly/damage.ts writes a code and two numbers, this table gives them
 * an error code, a sentence, a field and a section.
 * @module
 */
import { hex, type PstErrorCode } from '../errors.js';

/** Where the record lies: code u32, a u32, b u32. */
export const DAMAGE_AT = 0x1080;

export interface Damage {
  readonly code: PstErrorCode;
  readonly field: string;
  readonly section: string;
  readonly say: (a: number, b: number) => string;
}

const d = (code: PstErrorCode, field: string, section: string, say: (a: number, b: number) => string): Damage => ({
  code,
  field,
  section,
  say,
});

/** By the numbers of assembly/damage.ts. */
export const DAMAGES: Readonly<Record<number, Damage>> = {
  1: d('PST_BAD_BLOCK', 'BLOCKTRAILER.cb', '2.2.2.8.1', (a, b) => `trailer says ${a} bytes, the BBT ${b}`),
  2: d('PST_BAD_SIG', 'BLOCKTRAILER.wSig', '2.2.2.8.1', (a, b) => `stored signature ${hex(a)}, computed ${hex(b)}`),
  3: d('PST_BAD_CRC', 'BLOCKTRAILER.dwCRC', '2.2.2.8.1', (a, b) => `stored CRC ${hex(a)}, computed ${hex(b)}`),
  4: d('PST_BAD_BID', 'BLOCKTRAILER.bid', '2.2.2.8.1', (a, b) => `block names itself ${hex(a)}, expected ${hex(b)}`),
  10: d('PST_BAD_HEAP', 'HN', '2.3.1', (a, b) => `heap block of ${a} bytes, at least ${b} needed`),
  11: d('PST_BAD_HEAP', 'HNHDR.bSig', '2.3.1.2', (a, b) => `signature ${hex(a)}, expected ${hex(b)}`),
  12: d('PST_BAD_HEAP', 'HNHDR.bClientSig', '2.3.1.2', (a, b) => `client signature ${hex(a)}, expected ${hex(b)}`),
  13: d('PST_BAD_HEAP', 'HNPAGEMAP', '2.3.1.5', (a, b) => `page map at ${a} in a block of ${b} bytes`),
  14: d('PST_BAD_HEAP', 'HID.hidType', '2.3.1.1', (a) => `${hex(a)} is no HID`),
  15: d('PST_BAD_HEAP', 'HID.hidBlockIndex', '2.3.1.1', (a, b) => `HID ${hex(a)} in a heap of ${b} blocks`),
  16: d('PST_BAD_HEAP', 'HID.hidIndex', '2.3.1.1', (a, b) => `HID ${hex(a)} in a block of ${b} items`),
  17: d('PST_BAD_HEAP', 'HNPAGEMAP.rgibAlloc', '2.3.1.5', (a, b) => `HID ${hex(a)} reaches to ${b}, outside its block`),
  20: d('PST_BAD_BTH', 'BTHHEADER.bType', '2.3.2.1', (a, b) => `type ${hex(a)}, expected ${hex(b)}`),
  21: d('PST_BAD_BTH', 'BTHHEADER.cbKey', '2.3.2.1', (a, b) => `keys of ${a} bytes, values of ${b}`),
  22: d('PST_BAD_BTH', 'BTHHEADER.bIdxLevels', '2.3.2.1', (a, b) => `${a} levels, at most ${b}`),
  23: d('PST_BAD_BTH', 'BTH', '2.3.2', (a, b) => `item of ${a} bytes for records of ${b}`),
  24: d('PST_BAD_BTH', 'BTH', '2.3.2', (a, b) => `records of ${a} bytes in a heap of ${b}`),
  30: d('PST_BAD_VALUE', 'PC', '2.3.3.3', (a, b) => `value of ${a} bytes, its type has ${b}`),
  31: d('PST_ABSURD', 'PC', '2.3.3.3', (a, b) => `${a} properties, at most ${b}`),
  32: d('PST_ABSURD', 'HN', '2.3.1', (a, b) => `values of ${a} KB in ${b} KB, the same items again and again`),
  40: d('PST_BAD_TC', 'TCINFO.bType', '2.3.4.1', (a, b) => `type ${hex(a)}, expected ${hex(b)}`),
  41: d('PST_BAD_TC', 'TCINFO.cCols', '2.3.4.1', (a, b) => `${a} columns in an item of ${b} bytes`),
  42: d('PST_BAD_TC', 'TCINFO.rgib', '2.3.4.1', (a, b) => `group ends at ${a}, the one before at ${b}`),
  43: d('PST_BAD_TC', 'TCOLDESC', '2.3.4.2', (a, b) => `column ${hex(a)} reaches to ${b}, outside the row`),
  44: d('PST_BAD_TC', 'TC row index', '2.3.4.3', (a, b) => `row ${a} of ${b}`),
  45: d('PST_BAD_TC', 'TC row matrix', '2.3.4.4', (a, b) => `rows of ${a} bytes in a block of ${b}`),
  46: d('PST_BAD_TC', 'TCROWID', '2.3.4.3.1', (a, b) => `keys of ${a} bytes, values of ${b}`),
  47: d('PST_BAD_TC', 'TCOLDESC', '2.3.4.2', (a, b) => `column ${hex(a)} lies over column ${hex(b)}`),
  50: d('PST_LIMIT', 'HN', '2.3.1.1', (a, b) => `value of ${a} bytes of property ${hex(b)} is too long for a heap`),
  51: d('PST_BAD_VALUE', 'PC', '2.3.3.3', (_, b) => `property ${hex(b)} is damaged and cannot be written again`),
  52: d('PST_LIMIT', 'HN', '2.3.1.1', (a) => `heap is full after ${a} blocks`),
  53: d('PST_BAD_BTH', 'BTH', '2.3.2.2', (a, b) => `key ${hex(a)} follows ${hex(b)}`),
  60: d('PST_BAD_VALUE', 'PidTagRtfCompressed', 'OXRTFCP 2.1.3.1.1', (a, b) => `${a} bytes, header says ${b}`),
  61: d('PST_BAD_VALUE', 'PidTagRtfCompressed', 'OXRTFCP 2.1.3.1.1', (a) => `COMPTYPE ${hex(a)}`),
  62: d(
    'PST_BAD_CRC',
    'PidTagRtfCompressed',
    'OXRTFCP 2.1.3.1.1',
    (a, b) => `stored CRC ${hex(a)}, computed ${hex(b)}`,
  ),
  63: d('PST_ABSURD', 'PidTagRtfCompressed', 'OXRTFCP 2.1.3.1.1', (a, b) => `${a} bytes stated, limit ${b}`),
  64: d('PST_BAD_VALUE', 'PidTagRtfCompressed', 'OXRTFCP 2.2.3', (a, b) => `reference at ${a}, output ${b}`),
};
