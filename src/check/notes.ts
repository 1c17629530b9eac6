/**
 * What the core's inspection found, put into rules and words. Codes: assembly/ltp/inspect.ts, inspecttc.ts.
 * @module
 */
import type { Core } from '../core/core.js';
import { DAMAGES } from '../core/damage.js';
import { hex, tagText } from './findings.js';
import type { RuleId } from './rules.js';

export interface Note {
  readonly rule: RuleId;
  readonly message: string;
  readonly found?: number | undefined;
  readonly expected?: number | undefined;
}

type Say = (a: number, b: number, c: number) => Note;

const n = (rule: RuleId, message: string, found?: number, expected?: number): Note => ({
  rule,
  message,
  found,
  expected,
});

const SAY: Readonly<Record<number, Say>> = {
  10: (a, _, c) => n('hn.map-odd', `ibHnpm of heap block ${c} is ${a}, an odd number`, a),
  11: (a, b, c) => n('hn.map-place', `the page map of heap block ${c} ends at ${a}, the block at ${b}`, a, b),
  12: (a, b, c) =>
    n('hn.first-item', `the first item of heap block ${c} begins at ${a}, its header ends at ${b}`, a, b),
  13: (a, b, c) => n('hn.item-order', `item offset ${a} follows ${b} in heap block ${c}`, a, b),
  14: (a, b, c) => n('hn.last-item', `the last item of heap block ${c} ends at ${a}, the page map is at ${b}`, a, b),
  15: (a, b, c) => n('hn.free-count', `cFree of heap block ${c} is ${a}, items of size 0: ${b}`, a, b),
  16: (a, b, c) => n('hn.item-size', `an item of ${a} bytes in heap block ${c}, at most ${b}`, a, b),
  17: (a, b, c) => n('hn.item-count', `${a} items in heap block ${c}, a HID counts to ${b}`, a, b),
  18: (a, b, c) => n('hn.tail', `the last heap block (${c}) has ${b} bytes, its page map ends at ${a}`, b, a),
  19: (a, b, c) => n('hn.fill-level', `fill level of heap block ${c} is ${a}, computed ${b}`, a, b),
  30: (a, b) => n('bth.key-order', `the key of record ${a} in the item ${hex(b)} does not ascend`),
  31: (a, b) => n('bth.index-key', `index record ${a} in the item ${hex(b)} is not the first key of its child`),
  32: (a) => n('bth.empty-item', `the BTH item ${hex(a)} has no records`),
  33: (a, b) => n('bth.index-key', `index record ${a} in the item ${hex(b)} leads to no item`),
  40: (a, b, c) => n('pc.hid', `${tagText(a)}: HID ${hex(b)} leads nowhere (${reason(c)})`, b),
  41: (a, b) => n('pc.empty-item', `${tagText(a)}: HID ${hex(b)} is an item of size 0; an empty value is HNID 0`, b, 0),
  42: (a, b, c) => n('pc.value-size', `${tagText(a)}: a value of ${b} bytes, its type has ${c}`, b, c),
  43: (a, b) => n('pc.type', `${tagText(a)}: a type nobody defined, value ${hex(b)}`, b),
  44: (a, b) => n('pc.boolean', `${tagText(a)}: a boolean of ${hex(b)}`, b),
  45: (a, b) => n('pc.records', `a PC with keys of ${a} and values of ${b} bytes, they are 2 and 6`),
  50: (a, b) => n('tc.info', `a TCINFO of ${a} bytes for ${b} columns`, a),
  51: (a) => n('tc.info', `bType is ${hex(a)}, expected 0x7c`, a, 0x7c),
  52: (a, b) => n('tc.groups', `a group of columns ends at ${a}, the one before at ${b}`, a, b),
  53: (a, b) => n('tc.bitmap', `rows of ${a} bytes, columns and bitmap make ${b}`, a, b),
  54: (a) => n('tc.index', `hidIndex is ${hex(a)}, it is out of use`, a, 0),
  55: (a, b) => n('tc.column-order', `column ${tagText(a)} follows ${tagText(b)}`),
  56: (a, b, c) => n('tc.column-place', `column ${tagText(a)} lies at ${b}, its group has its border at ${c}`, b, c),
  57: (a, b, c) => n('tc.column-width', `column ${tagText(a)} is ${b} bytes wide, its type takes ${c}`, b, c),
  58: (a, b) => n('tc.column-bit', `column ${tagText(a)} has bit ${b}, taken or out of range`, b),
  59: (a, b) => n('tc.column-overlap', `column ${tagText(a)} at ${b} lies in another column`, b),
  60: (a, b) =>
    a === 0xffff
      ? n('tc.row-id-column', 'there is no column PidTagLtpRowId (0x67f2)')
      : n('tc.row-id-column', `column PidTagLtpRowId (0x67f2) lies at ${a} with bit ${b}, not 0 and 0`, a, 0),
  61: (a, b) =>
    n('tc.row-version-column', `column PidTagLtpRowVer (0x67f3) lies at ${a} with bit ${b}, not 4 and 1`, a, 4),
  62: (a, b) => n('tc.row-index', `a row index with keys of ${a} and values of ${b} bytes`),
  63: (a, b) => n('tc.row-count', `${a} rows in the matrix, ${b} in the row index`, a, b),
  64: (a, b, c) => n('tc.row-index', `row id ${hex(a)} names row ${b} of ${c}`, b, c),
  65: (a, b) => n('tc.row-index', `row id ${hex(a)} names row ${b}, which another names too`, b),
  66: (a, b, c) => n('tc.row-id', `row ${c}: the cell PidTagLtpRowId (0x67f2) is ${hex(a)}, its key ${hex(b)}`, a, b),
  67: (a, b) => n('tc.unused-bits', `row ${b}: bit ${a} is set and belongs to no column`, a),
  68: (a, b) => n('tc.cleared-cell', `row ${b}: the cell ${tagText(a)} does not exist and is not 0`),
  69: (a, b, c) => n('tc.hid', `row ${c}: HID ${hex(b)} of ${tagText(a)} leads nowhere`, b),
  70: (a, b, c) => n('tc.empty-item', `row ${c}: HID ${hex(b)} of ${tagText(a)} is an item of size 0`, b, 0),
  71: (a, b, c) => n('tc.value-size', `row ${b}: a value of ${c} bytes of ${tagText(a)}, its type has another size`, c),
  72: (a) => n('tc.block-tail', `block ${a} of the row matrix has bytes behind its last row`),
  73: (a, b) => n('tc.row-width', `rows of ${a} bytes in blocks of ${b}`, a, b),
  74: (a, b, c) => n('pc.boolean', `row ${c}: a boolean of ${hex(b)} of ${tagText(a)}`, b),
};

function reason(code: number): string {
  return DAMAGES[code]?.field ?? `damage ${code}`;
}

/** Which rule a damage of the readers breaks, by the structure it is about. */
function ruleOfDamage(code: number): RuleId {
  if (code < 20) return 'hn.damage';
  if (code < 30) return 'bth.damage';
  if (code < 40) return 'pc.damage';
  return 'tc.damage';
}

function describe(code: number, a: number, b: number, c: number): Note {
  if (code !== 1) return SAY[code]?.(a, b, c) ?? n('hn.damage', `inspection note ${code} ${a} ${b} ${c}`);
  const damage = DAMAGES[a];
  const message = damage === undefined ? `damage ${a}` : `${damage.say(b, c)} [${damage.field}]`;
  return n(ruleOfDamage(a), message);
}

/** Against a heap of 65,536 broken blocks: what is beyond is counted, not kept. */
const CAPACITY = 128;
const HEADER_SIZE = 16;
const NOTE_SIZE = 16;

/** A block of the core's that inspections write into. */
export class Notes {
  readonly ptr: number;

  constructor(readonly core: Core) {
    this.ptr = core.x.notesNew(CAPACITY);
  }

  /** What was noted since the last call. */
  take(): { notes: Note[]; omitted: number } {
    const { view } = this.core;
    const count = view.getUint32(this.ptr, true);
    view.setUint32(this.ptr, 0, true);
    const notes: Note[] = [];
    for (let k = 0; k < Math.min(count, CAPACITY); k++) {
      const at = this.ptr + HEADER_SIZE + k * NOTE_SIZE;
      const word = (i: number): number => view.getUint32(at + 4 * i, true);
      notes.push(describe(word(0), word(1), word(2), word(3)));
    }
    return { notes, omitted: count - notes.length };
  }

  close(): void {
    this.core.x.free(this.ptr);
  }
}
