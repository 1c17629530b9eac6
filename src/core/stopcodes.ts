/**
 * Stop codes and their texts, in the two eras of the original: Pageheap.exe printed every corruption as code 8 and told them apart in the
 * text; Application Verifier has a code for each. Facts: the table of stop codes of Application Verifier, GFlags.
 * @module
 */
import type { StopKind } from './fault.js';

export type StopCodes = 'classic' | 'modern';

export interface StopCode {
  readonly code: number;
  readonly name: string;
  readonly text: string;
}

const code = (number: number, name: string, text: string): StopCode => ({ code: number, name, text });

const UNKNOWN = code(0x1, 'UNKNOWN_ERROR', 'unknown');
export const ACCESS = code(0x2, 'ACCESS_VIOLATION', 'access violation exception');
export const EXTREME = code(0x4, 'EXTREME_SIZE_REQUEST', 'extreme size request');
const SWITCHED = code(0x6, 'SWITCHED_HEAP_HANDLE', 'corrupted heap pointer or using wrong heap');
const DOUBLE = code(0x7, 'DOUBLE_FREE', 'block already freed');
const GENERIC = code(0x8, 'CORRUPTED_HEAP_BLOCK', 'generic corruption');
const INFIX = code(0xe, 'CORRUPTED_FREED_HEAP_BLOCK', 'corrupted infix pattern for freed block');
const SUFFIX = code(0xf, 'CORRUPTED_HEAP_BLOCK_SUFFIX', 'corrupted suffix pattern');
const START = code(0x10, 'CORRUPTED_HEAP_BLOCK_START_STAMP', 'corrupted start stamp');
const END = code(0x11, 'CORRUPTED_HEAP_BLOCK_END_STAMP', 'corrupted end stamp');
const PREFIX = code(0x12, 'CORRUPTED_HEAP_BLOCK_PREFIX', 'corrupted prefix pattern');
export const LIST = code(0x14, 'CORRUPTED_HEAP_LIST', 'corrupted heap list');
export const LEAK = code(0x900, 'LEAK_ALLOCATION', 'a heap allocation was leaked');

/**
 * Codes and texts of the kinds of stop; Where the original has no case of its own we chose:
 * a free of what is no block is 8, since the block cannot be classified; damaged slack is 12, since the D0 bytes before a block are what
 * the original calls its prefix; damage to the allocator's tables is 14, whose own case (a wrong number of heaps) cannot occur here;
 * an uninitialised read is 1, since no page heap sees one. Memory exhausted and injected faults never reach a frame: they are errors.
 */
const CODES: Readonly<Record<StopKind, StopCode>> = {
  none: UNKNOWN,
  overrun: ACCESS,
  underrun: ACCESS,
  'use after free': ACCESS,
  'wild access': ACCESS,
  'null access': ACCESS,
  'double free': DOUBLE,
  'bad free': GENERIC,
  'slack damage': PREFIX,
  'extreme size': EXTREME,
  'memory exhausted': EXTREME,
  'suffix damage': SUFFIX,
  'start stamp damage': START,
  'end stamp damage': END,
  'heap pointer damage': SWITCHED,
  'write after free': INFIX,
  leak: LEAK,
  'injected fault': UNKNOWN,
  'heap list damage': LIST,
  'uninitialised read': UNKNOWN,
};

/** Codes that the classic era printed as 8, with their text: 7 to 12. */
const CLASSIC_FROM = DOUBLE.code;
const CLASSIC_TO = PREFIX.code;

/** Code, name and text of a stop. */
export function stopCode(kind: StopKind, codes: StopCodes = 'modern'): StopCode {
  const found = CODES[kind];
  if (codes === 'modern' || found.code < CLASSIC_FROM || found.code > CLASSIC_TO) return found;
  return { ...found, code: GENERIC.code, name: GENERIC.name };
}
