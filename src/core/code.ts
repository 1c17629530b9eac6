/**
 * Places in the core's code: from the frames of a trap, or from the site of an allocation or a free, to decoder, function and offset, and
 * through the source map to `assembly/….ts:line`. Code that was inlined maps to where it was written; the place it was inlined into is looked for beside it.
 * @module
 */
import { type CoreBuild, codeOf, siteTable } from './core.js';
import { decoderOf, isOneCall } from './site.js';
import { parseSourceMap, type Segment, segmentAt } from './sourcemap.js';

export interface CodeFrame {
  /** Decoder, or for code that is none's the file: `ltp.pc`, `memory.pageheap`. */
  readonly module: string;
  readonly function: string;
  /** In the module, and behind the start of the function. */
  readonly offset: number;
  readonly functionOffset: number;
  /** `assembly/ltp/pc.ts:48`; the innermost first, then, for inlined code, where it was inlined. Without a source map the file alone. */
  readonly places: readonly string[];
}

interface CodeFunction {
  readonly name: string;
  readonly from: number;
  readonly end: number;
}

interface Code {
  readonly wasm: Uint8Array;
  readonly functions: readonly CodeFunction[];
  readonly segments: readonly Segment[];
}

const codes = new Map<CoreBuild, Code>();

function load(build: CoreBuild): Code {
  const { wasm, map } = codeOf(build);
  const known = codes.get(build);
  if (known !== undefined && Buffer.compare(known.wasm, wasm) === 0) return known;
  const code = { wasm, functions: functionsOf(wasm), segments: map === undefined ? [] : parseSourceMap(map) };
  codes.set(build, code);
  return code;
}

// --- the module ---------------------------------------------------------------------------------------------------------

/** Sections of a module, WebAssembly 5.5. */
const CUSTOM = 0;
const IMPORTS = 2;
const CODE = 10;
const HEADER = 8;
/** Subsection of the name section that names functions. */
const FUNCTION_NAMES = 1;

class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
  ) {}
  byte(): number {
    return this.bytes[this.at++] ?? 0;
  }
  /** LEB128, unsigned. */
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }
  text(): string {
    const length = this.number();
    this.at += length;
    return Buffer.from(this.bytes.subarray(this.at - length, this.at)).toString();
  }
}

/** Every function of a module: its name, and where its body lies. Those it imports have the first indices. */
function functionsOf(wasm: Uint8Array): CodeFunction[] {
  const reader = new Reader(wasm, HEADER);
  let imported = 0;
  const bodies: [from: number, end: number][] = [];
  const names = new Map<number, string>();
  while (reader.at < wasm.length) {
    const id = reader.byte();
    const size = reader.number();
    const end = reader.at + size;
    if (id === IMPORTS) {
      imported = importedFunctions(reader);
    } else if (id === CODE) {
      for (let count = reader.number(); count > 0; count--) {
        const length = reader.number();
        bodies.push([reader.at, reader.at + length]);
        reader.at += length;
      }
    } else if (id === CUSTOM && reader.text() === 'name') {
      while (reader.at < end) {
        const kind = reader.byte();
        const next = reader.number() + reader.at;
        if (kind === FUNCTION_NAMES) {
          for (let count = reader.number(); count > 0; count--) names.set(reader.number(), reader.text());
        }
        reader.at = next;
      }
    }
    reader.at = end;
  }
  return bodies.map(([from, end], index) => ({
    name: names.get(imported + index) ?? `function ${imported + index}`,
    from,
    end,
  }));
}

/** Kinds of imports, WebAssembly 5.5.5: of ours functions and memories. */
const IMPORTED_FUNCTION = 0;

function importedFunctions(reader: Reader): number {
  let functions = 0;
  for (let count = reader.number(); count > 0; count--) {
    reader.text(); // of which module
    reader.text();
    if (reader.byte() === IMPORTED_FUNCTION) {
      functions++;
      reader.number(); // its type
    } else if (reader.number() & 1) {
      reader.number(); // limits of a memory: the least, then the most
      reader.number();
    } else {
      reader.number();
    }
  }
  return functions;
}

// --- places -------------------------------------------------------------------------------------------------------------

/** Files whose decoder is not called as they are. */
const DECODER_OF_FILE: Readonly<Record<string, string>> = {
  'ltp/heapwriter': 'ltp.heap.write',
  'ltp/bthwriter': 'ltp.pc.write',
  'ltp/pcwriter': 'ltp.pc.write',
  'ltp/tcwriter': 'ltp.tc.write',
  'ltp/inspect': 'check',
  'ltp/inspecttc': 'check',
  'text/lzfu': 'rtf',
};

/** `assembly/ltp/pc/pcRead` to module, file and function. A function inside another is named behind a `~`. */
function nameParts(name: string): { module: string; file: string; function: string } {
  const cut = name.lastIndexOf('/');
  const file = name.slice(0, cut).replace(/^assembly\//, '');
  return {
    module: DECODER_OF_FILE[file] ?? file.replaceAll('/', '.'),
    file: `assembly/${file}.ts`,
    function: name.slice(cut + 1),
  };
}

/** The page heap and its spans: never where a fault is, always where it is seen. */
const isHeap = (source: string): boolean => source.startsWith('assembly/memory/');

const placeOf = ({ source, line }: Segment): string => `${source}:${line}`;

function frameAt({ functions, segments }: Code, offset: number, asModule?: string): CodeFrame | undefined {
  const found = functions.find(({ from, end }) => offset >= from && offset < end);
  if (found === undefined) return undefined;
  const parts = nameParts(found.name);
  return {
    module: asModule ?? parts.module,
    function: parts.function,
    offset,
    functionOffset: offset - found.from,
    places: placesAt(segments, offset, found, parts.file),
  };
}

function placesAt(segments: readonly Segment[], offset: number, { from }: CodeFunction, file: string): string[] {
  const index = segmentAt(segments, offset);
  const segment = segments[index];
  if (segment === undefined || segment.offset < from) return [file];
  const places = [placeOf(segment)];
  // take() and its like are inlined: what called them lies right before, as their arguments are computed first.
  if (isHeap(segment.source) && !isHeap(file)) {
    for (let k = index - 1; k >= 0 && segments[k]!.offset >= from; k--) {
      if (isHeap(segments[k]!.source)) continue;
      places.push(placeOf(segments[k]!));
      break;
    }
  }
  return places;
}

/** A frame of WebAssembly in a stack as V8 writes it. */
const FRAME = /wasm:\/\/[^\s]*:wasm-function\[\d+\]:0x([0-9a-f]+)/g;

/** Frames of the trap that `cause` is, the innermost first, the page heap's own left out. */
export function framesOf(build: CoreBuild, cause: unknown): CodeFrame[] {
  const stack = cause instanceof Error ? (cause.stack ?? '') : '';
  const code = load(build);
  const frames = [...stack.matchAll(FRAME)].map(([, offset]) => frameAt(code, Number.parseInt(offset!, 16)));
  return frames.filter((frame) => frame !== undefined).filter(({ module }) => !module.startsWith('memory.'));
}

/** Frames looked at for an access: the import, the watch, the span, and what called it. */
const ACCESS_FRAMES = 9;

/**
 * Finds the place of an access, in the call that tells of it: the innermost frame outside the page heap. There are thousands, so it takes the
 * frames as they are, without the text of a stack, and remembers what it has found.
 */
export function accessFinder(build: CoreBuild): () => CodeFrame | undefined {
  const code = load(build);
  const known = new Map<number, CodeFrame | undefined>();
  const at = (offset: number): CodeFrame | undefined => {
    if (!known.has(offset)) {
      const frame = frameAt(code, offset);
      known.set(offset, frame?.module.startsWith('memory.') ? undefined : frame);
    }
    return known.get(offset);
  };
  return () => {
    for (const offset of stackOffsets()) {
      const frame = at(offset);
      if (frame !== undefined) return frame;
    }
    return undefined;
  };
}

/** Offsets in the module of the frames of WebAssembly on the stack, the innermost first. */
function stackOffsets(): number[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = ACCESS_FRAMES;
    Error.prepareStackTrace = (_, sites) => sites;
    Error.captureStackTrace(holder, stackOffsets);
    const sites = holder.stack as (NodeJS.CallSite & { getPosition(): number })[];
    return sites.filter((site) => site.getFileName()?.startsWith('wasm://')).map((site) => site.getPosition());
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  }
}

// --- sites --------------------------------------------------------------------------------------------------------------

export interface SitePlace {
  readonly site: number;
  /** `SITE_PC_CELLS`. */
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

let table: { allocs: readonly SitePlace[]; frees: readonly SitePlace[] } | undefined;

function sites(): NonNullable<typeof table> {
  try {
    table ??= JSON.parse(siteTable()) as NonNullable<typeof table>;
  } catch {
    table = { allocs: [], frees: [] }; // a package without the list: reports name sites in words only
  }
  return table;
}

/** Every allocation site with its place in the sources. */
export const allocSites = (): readonly SitePlace[] => sites().allocs;

/** `assembly/ltp/pc.ts:48` for an allocation site; undefined for the host's. */
export function allocPlace(site: number): string | undefined {
  const found = sites().allocs.find((place) => place.site === site && isOneCall(site));
  return found === undefined ? undefined : `${found.file}:${found.line}`;
}

/** Every call that frees, with its place in the sources. */
export const freeSites = (): readonly SitePlace[] => sites().frees;

/** Where a block was given back: the line of the call; for place 0 of a decoder all lines of it, one of which it was. */
export const freePlaces = (site: number): string[] =>
  sites()
    .frees.filter((place) => (isOneCall(site) ? place.site === site : decoderOf(place.site) === decoderOf(site)))
    .map(({ file, line }) => `${file}:${line}`);

/** The call at an allocation site in the code of `build`, as a frame of the stack it had. */
export function siteFrame(build: CoreBuild, site: number): CodeFrame | undefined {
  return callFrame(build, site, sites().allocs);
}

/** The same for the call that freed; undefined where only its decoder is known, or where it was inlined more than once. */
export function freeFrame(build: CoreBuild, site: number): CodeFrame | undefined {
  return callFrame(build, site, sites().frees);
}

/** WebAssembly 5.4.1. */
const CALL = 0x10;

function callFrame(build: CoreBuild, site: number, places: readonly SitePlace[]): CodeFrame | undefined {
  const place = places.find((known) => known.site === site && isOneCall(site));
  if (place === undefined) return undefined;
  const code = load(build);
  const onLine = code.segments.filter(({ source, line }) => source === place.file && line === place.line);
  const there = onLine.filter(({ column }) => column === place.column);
  const calls = there.filter(({ offset }) => code.wasm[offset] === CALL);
  if (calls.length > 1) return undefined; // inlined here and there: nothing tells which of them it was
  const call = calls[0] ?? there[0] ?? onLine.at(-1);
  return call === undefined ? undefined : frameAt(code, call.offset, decoderOf(site));
}
