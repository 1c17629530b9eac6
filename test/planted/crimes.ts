/**
 * The planted crimes: what each is, where it comes from, and how each mode of the page heap must end. The code is in assembly/planted-crimes and
 * in the patches below, which change a copy of the core's sources while it is compiled.
 */
import type { StopKind } from '../../src/core/fault.js';
import { compile } from '../core/compile.js';

export interface Crime {
  readonly id: number;
  readonly name: string;
  /** How the full page heap stops: at the access itself. */
  readonly full: {
    readonly kind: StopKind;
    /** First refused byte, counted from the start of the block. */
    readonly distance: number;
    /** Size of the block, where the crime fixes it. */
    readonly size?: number;
    readonly tag?: number;
  };
  /** How normal mode stops: when the block is freed or leaves the queue. */
  readonly normal: StopKind;
  /** Only a table of many rows reaches it. */
  readonly needsRows?: true;
}

const FILENAME = 0x3707001f;
const POSITION = 0x370b0003;
const METHOD = 0x37050003;

const overrun = (size: number, tag: number, distance = size): Crime['full'] => ({
  kind: 'overrun',
  distance,
  size,
  tag,
});

export const CRIMES: readonly Crime[] = [
  {
    id: 1,
    name: 'a sentinel taken as a number, in a text buffer (KB 885455)',
    full: overrun(11, POSITION),
    normal: 'suffix damage',
  },
  { id: 2, name: 'a buffer for 13 characters (Q176397)', full: overrun(26, FILENAME), normal: 'suffix damage' },
  {
    id: 3,
    name: 'size before conversion (CVE-2020-16947)',
    full: { kind: 'overrun', distance: -1, tag: FILENAME },
    normal: 'suffix damage',
  },
  { id: 4, name: 'blanks where a size belongs (Q287056)', full: overrun(28, FILENAME), normal: 'suffix damage' },
  {
    id: 5,
    name: 'a terminator behind a full buffer (Q256879)',
    full: { kind: 'overrun', distance: -1, tag: FILENAME },
    normal: 'suffix damage',
  },
  {
    id: 6,
    name: 'free of an address inside the block',
    full: { kind: 'bad free', distance: 16, size: 48, tag: POSITION },
    normal: 'bad free',
  },
  {
    id: 7,
    name: 'freed on the error path and again at the end',
    full: { kind: 'double free', distance: 0, size: 60000, tag: POSITION },
    normal: 'double free',
  },
  {
    id: 9,
    name: 'a rule list entry written after its free',
    full: { kind: 'use after free', distance: 4, size: 24, tag: METHOD },
    normal: 'write after free',
  },
  { id: 10, name: 'a multi-value loop one round too long', full: overrun(20, POSITION), normal: 'suffix damage' },
  {
    id: 11,
    name: 'a length written before the first byte',
    full: { kind: 'underrun', distance: -1, size: 33, tag: POSITION },
    normal: 'end stamp damage',
  },
  {
    id: 12,
    name: 'a list walked back one entry too far',
    full: { kind: 'underrun', distance: -8, size: 64, tag: POSITION },
    normal: 'end stamp damage',
  },
  {
    id: 13,
    name: 'a capacity one entry too large',
    full: { kind: 'overrun', distance: 24, size: 24 },
    normal: 'suffix damage',
    needsRows: true,
  },
  { id: 14, name: 'a size kept in 16 bits', full: overrun(4, POSITION), normal: 'suffix damage' },
  {
    id: 15,
    name: 'a terminator upper-cased that is not there',
    full: { kind: 'overrun', distance: -1, tag: FILENAME },
    normal: 'suffix damage',
  },
  { id: 16, name: 'size and offset in the wrong order', full: overrun(24, POSITION), normal: 'suffix damage' },
  {
    id: 17,
    name: 'a row index that grows one row too late',
    full: { kind: 'overrun', distance: 1024, size: 1024 },
    normal: 'suffix damage',
    needsRows: true,
  },
  {
    id: 19,
    name: 'a heap block two bytes short',
    full: { kind: 'overrun', distance: 8174, size: 8174 },
    normal: 'suffix damage',
    needsRows: true,
  },
  { id: 20, name: 'room for one value too few', full: { kind: 'overrun', distance: -1 }, normal: 'suffix damage' },
  {
    id: 21,
    name: 'a handle kept from the property before',
    full: { kind: 'use after free', distance: 0, size: 56, tag: POSITION },
    normal: 'write after free',
  },
  { id: 22, name: 'a 70-byte entry id in a 66-byte buffer', full: overrun(66, METHOD), normal: 'suffix damage' },
  {
    id: 23,
    name: 'padding behind a value that fills its buffer',
    full: overrun(21, POSITION),
    normal: 'suffix damage',
  },
  {
    id: 24,
    name: 'an error code written into a block that is gone',
    full: { kind: 'use after free', distance: 124, size: 128, tag: METHOD },
    normal: 'write after free',
  },
  {
    id: 25,
    name: 'a stream sized without the padding of its last value',
    full: { kind: 'overrun', distance: -1 },
    normal: 'suffix damage',
  },
];

/** Crime 8 is a leak: no access is wrong, so it has a test of its own, with --leaks. */
export const LEAK = 8;

const PLANT = "import { atProperty, atValue, planted } from '../planted-crimes/plant';\n";

/** File, what stands there, what is compiled instead. */
const PATCHES: readonly (readonly [string, string, string])[] = [
  [
    'assembly/ltp/pc.ts',
    'put32(p, tag);\n',
    'put32(p, tag);\n    if (planted) {\n      contextOf(tag);\n      atProperty(tag, value);\n      if (size == 0) atValue(tag, chain, variant, value);\n    }\n',
  ],
  [
    'assembly/ltp/pc.ts',
    'alloc(<usize>count * RECORD + 1, SITE_PC_PLAN)',
    'alloc((planted == 20 && count > 24 ? <usize>(count - 1) : <usize>count) * RECORD + 1, SITE_PC_PLAN)',
  ],
  [
    'assembly/ltp/pc.ts',
    'alloc(size, SITE_PC_STREAM)',
    'alloc(planted == 25 && count > 24 ? size - 8 : size, SITE_PC_STREAM)',
  ],
  [
    'assembly/ndb/chain.ts',
    'put32(h + CAPACITY, capacity);',
    'put32(h + CAPACITY, capacity + (planted == 13 ? 1 : 0));',
  ],
  ['assembly/ltp/tcwriter.ts', 'if (index == capacity) {', 'if (index == capacity + (planted == 17 ? 1 : 0)) {'],
  [
    'assembly/ltp/heapwriter.ts',
    'alloc(PAYLOAD, SITE_HEAP_WRITER_BLOCK)',
    'alloc(planted == 19 ? PAYLOAD - 2 : PAYLOAD, SITE_HEAP_WRITER_BLOCK)',
  ],
];

/** The core with the crimes in it, compiled with the flags of `target`. Throws when a patch no longer finds its place. */
export function compilePlanted(
  target: 'core' | 'raw' | 'paranoid' | 'watch',
  onMap?: (json: string) => void,
): Promise<Uint8Array> {
  return compile({
    target,
    ...(onMap === undefined ? {} : { onMap }),
    entry: 'assembly/planted-crimes/entry.ts',
    patch(name, text) {
      const patches = PATCHES.filter(([file]) => name.endsWith(file));
      if (patches.length === 0) return text;
      let out = text;
      for (const [file, from, to] of patches) {
        if (!out.includes(from)) throw new Error(`${file}: nothing to plant at "${from}"`);
        out = out.replace(from, to);
      }
      return PLANT + out;
    },
  });
}
