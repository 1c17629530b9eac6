/**
 * The reports of a stop: the verifier's frame, the debugger's block query, the bytes around the fault, and where in the sources. Formats
 * are Pageheap.exe's and WinDbg's (`!heap -p -a`), to the column.
 * @module
 */
import { allocPlace, type CodeFrame, framesOf, freeFrame, freePlaces, siteFrame } from './code.js';
import type { CoreBuild } from './core.js';
import type { CoreFault, Scene, Stop, StopKind } from './fault.js';
import { blockAt, HEAP_ROOT, type HeapBlock, pageState, readHeap } from './heapmap.js';
import { listing } from './options.js';
import { type Names, sentence } from './sentence.js';
import { decoderOf, freerName } from './site.js';
import { ACCESS, EXTREME, LEAK, LIST, type StopCodes, stopCode } from './stopcodes.js';

// --- VERIFIER STOP --------------------------------------------------------------------------------------------------------

type Parameter = readonly [value: number, label: string];

const RULE = '='.repeat(59);
const upper = (n: number, digits = 8): string => n.toString(16).toUpperCase().padStart(digits, '0');

/** The frame of a stop: 8 lines. */
export function frame(stopCode: number, text: string, pid: number, parameters: readonly Parameter[]): string {
  return [
    RULE,
    `VERIFIER STOP ${upper(stopCode)}: pid 0x${upper(pid, 1)}: ${text}`,
    '',
    ...parameters.map(([value, label]) => `        ${upper(value)} : ${label}`.trimEnd()),
    RULE,
  ].join('\n');
}

/** Stamps of the headers, whose value is the fourth parameter of their stops. */
const STAMPS: readonly StopKind[] = ['start stamp damage', 'end stamp damage'];

function parameters(stop: Stop, codeAddress: number, stamp: number): Parameter[] {
  const { kind, address, block, size, siteId } = stop;
  switch (stopCode(kind)) {
    case ACCESS:
      // The record of the core stands for the exception record; there is no context record.
      return [
        [address, 'Invalid address causing the exception'],
        [codeAddress, 'Code address executing the invalid access'],
        [0x1000, 'Exception record'],
        [0, 'Context record'],
      ];
    case EXTREME:
      return [
        [HEAP_ROOT, 'Heap handle'],
        [size, 'Size requested'],
        [0, ''],
        [0, ''],
      ];
    case LEAK:
      return [
        [block, 'Leaked allocation'],
        [siteId, 'Allocation site'],
        [siteId >>> 4, 'Decoder'],
        [0, ''],
      ];
    case LIST:
      return [
        [0, 'Actual heap count'],
        [0, 'Page heap count'],
        [0, ''],
        [0, ''],
      ];
    default:
      return [
        [HEAP_ROOT, 'Heap handle'],
        [block === 0 ? address : block, 'Heap block'],
        [size, 'Block size'],
        STAMPS.includes(kind) ? [stamp, 'Corrupted stamp'] : [0, ''],
      ];
  }
}

export interface FrameOptions {
  readonly codes?: StopCodes;
  readonly pid?: number;
  /** Offset of the faulting code in the module. */
  readonly codeAddress?: number;
  /** The core's memory, for the value of a damaged stamp. */
  readonly memory?: ArrayBuffer;
}

/** VERIFIER STOP for `stop`. */
export function verifierStop(stop: Stop, options: FrameOptions = {}): string {
  const { codes = 'modern', pid = process.pid, codeAddress = 0, memory } = options;
  const { code, text } = stopCode(stop.kind, codes);
  const isThere = memory !== undefined && stop.address + 4 <= memory.byteLength;
  const stamp = isThere && STAMPS.includes(stop.kind) ? new DataView(memory).getUint32(stop.address, true) : 0;
  return frame(code, text, pid, parameters(stop, codeAddress, stamp));
}

// --- !heap -p -a ----------------------------------------------------------------------------------------------------------

const column = (value: number | string): string =>
  (typeof value === 'string' ? value : value.toString(16)).padStart(17);

/** A block as the query prints it. */
export interface QueriedBlock {
  readonly node: number;
  readonly ptr: number;
  readonly size: number;
  readonly virtAddr: number;
  readonly virtSize: number;
  readonly state: 'live' | 'freed';
}

/** A line of the stack: address of the code, `module!function+0x` and offset. */
export const stackLine = ({ module, function: name, offset, functionOffset }: CodeFrame): string =>
  `    ${offset.toString(16).padStart(8, '0')} ${module}!${name}+0x${functionOffset.toString(16).padStart(8, '0')}`;

/** The query's lines for a block with pages of its own. */
export function fullQuery(address: number, root: number, block: QueriedBlock, stack: readonly CodeFrame[]): string {
  const { node, ptr, size, virtAddr, virtSize } = block;
  const head =
    block.state === 'live'
      ? [
          `    in busy allocation (  DPH_HEAP_BLOCK:${column('UserAddr')}${column('UserSize')} -${column('VirtAddr')}${column('VirtSize')})`,
          `${node.toString(16).padStart(40)}:${column(ptr)}${column(size)} -${column(virtAddr)}${column(virtSize)}`,
        ]
      : [
          `    in free-ed allocation (  DPH_HEAP_BLOCK:${column('VirtAddr')}${column('VirtSize')})`,
          `${node.toString(16).padStart(43)}:${column(virtAddr)}${column(virtSize)}`,
        ];
  return [
    `    address ${address.toString(16).padStart(8, '0')} found in`,
    `    _DPH_HEAP_ROOT @ ${root.toString(16)}`,
    ...head,
    ...stack.map(stackLine),
  ].join('\n');
}

/** The same for a block of normal mode, which WinDbg shows as an entry of a plain heap. Sizes of entries count 8 bytes. */
export function normalQuery(address: number, root: number, block: QueriedBlock, stack: readonly CodeFrame[]): string {
  const { node, ptr, size, virtSize } = block;
  const state = block.state === 'live' ? '(busy)' : '(free DelayedFree)';
  const entry = (virtSize / 8).toString(16).padStart(4, '0');
  return [
    `    address ${address.toString(16).padStart(8, '0')} found in`,
    `    _HEAP @ ${root.toString(16)}`,
    '      HEAP_ENTRY: Size : Prev Flags - UserPtr UserSize - state',
    `        ${node.toString(16)}: ${entry} : N/A  [N/A] - ${ptr.toString(16)} (${size.toString(16)}) - ${state}`,
    ...stack.map(stackLine),
  ].join('\n');
}

/**
 * What the heap of `scene` knows of `address`: the allocation stack of a busy block, the free stack of a freed one. `ptr`: the block that
 * is meant, where the address alone would lead to its neighbour.
 */
export function blockQuery(scene: Scene, address: number, ptr = 0): string {
  const heap = readHeap(scene);
  const block = heap.blocks.find((known) => known.ptr === ptr) ?? blockAt(heap, address);
  if (block === undefined)
    return `    address ${address.toString(16).padStart(8, '0')} is in no block of the page heap`;
  const stack = stackOf(scene.build, block);
  return block.kind === 'full'
    ? fullQuery(address, HEAP_ROOT, block, stack)
    : normalQuery(address, HEAP_ROOT, block, stack);
}

/** The call that took the block, or gave it back. A free of which only the decoder is known has no code address. */
function stackOf(build: CoreBuild, { state, site, freeSite }: HeapBlock): CodeFrame[] {
  if (state === 'live') {
    const allocated = siteFrame(build, site);
    return allocated === undefined ? [] : [allocated];
  }
  const freed = freeFrame(build, freeSite);
  return [freed ?? { module: moduleOf(freeSite), function: 'free', offset: 0, functionOffset: 0, places: [] }];
}

const moduleOf = (site: number): string => decoderOf(site) ?? 'unknown';

// --- bytes ----------------------------------------------------------------------------------------------------------------

const ROW = 16;
const ROWS_BEFORE = 3;
const ROWS_AFTER = 2;

/** The bytes around the fault, which stands in brackets; `--` in pages no code may touch. */
export function hexWindow(memory: ArrayBuffer, stop: Pick<Stop, 'address'>): string {
  const { address } = stop;
  const u8 = new Uint8Array(memory);
  const middle = Math.floor(address / ROW);
  const lines: string[] = [];
  for (let row = Math.max(0, middle - ROWS_BEFORE); row <= middle + ROWS_AFTER; row++) {
    let cells = '';
    let text = '';
    for (let at = row * ROW; at < (row + 1) * ROW; at++) {
      const state = pageState(memory, at);
      const byte = state === undefined || state === 'guard' || state === 'unused' ? undefined : u8[at];
      cells += at === address ? '[' : at === address + 1 && at % ROW !== 0 ? ']' : ' ';
      cells += byte === undefined ? '--' : byte.toString(16).padStart(2, '0');
      text += byte === undefined ? ' ' : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
    }
    cells += address === (row + 1) * ROW - 1 ? ']' : ' ';
    lines.push(`    ${(row * ROW).toString(16).padStart(8, '0')} ${cells} ${text}`.trimEnd());
  }
  return lines.join('\n');
}

// --- all of it ------------------------------------------------------------------------------------------------------------

export interface ReportOptions extends Names {
  readonly codes?: StopCodes;
  readonly pid?: number;
}

/** Everything there is to say of a stop. What needs the core's memory is missing when the fault has come without it. */
export interface Report {
  /** Undefined for a trap of the machine, which left no record. */
  readonly code: number | undefined;
  readonly name: string | undefined;
  readonly sentence: string;
  /** The frame. */
  readonly stop: string | undefined;
  /** What `!heap -p -a` would say of the address. */
  readonly query: string | undefined;
  /** `assembly/….ts:line` of the allocation. */
  readonly allocatedAt: string | undefined;
  /** `assembly/….ts:line` of the free; where no more than its decoder is known, all it can have been. */
  readonly freedAt: readonly string[];
  /** The faulting code, the innermost frame first. */
  readonly frames: readonly CodeFrame[];
  readonly window: string | undefined;
  /** Settings of the page heap, in the original's listing form. */
  readonly pageheap: string | undefined;
}

export function makeReport(fault: CoreFault, options: ReportOptions = {}): Report {
  const { stop, scene } = fault;
  const frames = scene === undefined ? [] : framesOf(scene.build, fault.cause);
  const pageheap = scene === undefined ? undefined : listing(scene.pageheap);
  const codeAddress = frames[0]?.offset ?? 0;
  if (stop === undefined) {
    const none = undefined;
    const sentence = `${fault.message}.`;
    return {
      code: none,
      name: none,
      sentence,
      stop: none,
      query: none,
      allocatedAt: none,
      freedAt: [],
      frames,
      window: none,
      pageheap,
    };
  }
  const { code, name } = stopCode(stop.kind, options.codes);
  const memory = scene?.memory;
  return {
    code,
    name,
    sentence: sentence(stop, options),
    stop: verifierStop(stop, { ...options, codeAddress, ...(memory === undefined ? {} : { memory }) }),
    query: scene === undefined ? undefined : blockQuery(scene, stop.address, stop.block),
    allocatedAt: allocPlace(stop.siteId),
    freedAt: stop.freeSiteId === 0 ? [] : freePlaces(stop.freeSiteId),
    frames,
    window: memory === undefined ? undefined : hexWindow(memory, stop),
    pageheap,
  };
}

/** The report for people. Everything in it but the bytes of the window is the program's own. */
export function reportText(fault: CoreFault, options: ReportOptions = {}): string {
  const report = makeReport(fault, options);
  const { stop } = fault;
  const lines: string[] = [];
  if (report.allocatedAt !== undefined) {
    lines.push(`    allocated at ${report.allocatedAt} (${stop?.site}), allocation ${stop?.ordinal} of the operation`);
  }
  if (report.freedAt.length > 0) lines.push(`    ${freedText(stop?.freeSiteId ?? 0, report.freedAt)}`);
  report.frames.forEach((frame, k) => {
    lines.push(`    ${k === 0 ? 'stopped in' : 'called from'} ${frame.module}!${frame.function}, ${placesText(frame)}`);
  });
  return [
    report.sentence,
    ...(report.stop === undefined ? [] : [report.stop]),
    ...(report.query === undefined ? [] : [report.query]),
    ...(lines.length === 0 ? [] : [lines.join('\n')]),
    ...(report.window === undefined ? [] : [report.window]),
    ...(report.pageheap === undefined ? [] : [report.pageheap]),
  ].join('\n\n');
}

const freedText = (site: number, places: readonly string[]): string =>
  places.length === 1
    ? `freed at ${places[0]} (${freerName(site)})`
    : `freed by ${freerName(site)}, at one of ${places.join(', ')}`;

/** Inlined code: where it was inlined first, for that is where the reader looks. */
const placesText = ({ places }: CodeFrame): string =>
  places.length === 2 ? `${places[1]} (in ${places[0]}, inlined)` : places.join(', ');
