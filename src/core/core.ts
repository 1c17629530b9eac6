/**
 * The border to the WebAssembly core. Only integers cross it; bytes stay under it, in the core's memory. The core imports
 * nothing but that memory; the watch build also a function, which it calls with every access. A trap spends the instance: make a new one.
 * @module
 */
import { readFileSync } from 'node:fs';
import { PstError, type Where } from '../errors.js';
import { sha256 } from '../host/digest.js';
import { DAMAGE_AT, DAMAGES } from './damage.js';
import { CoreFault, InjectedFault, readStop, type Scene } from './fault.js';
import { buildOf, FLAG, FULL, MODE, type PageHeapOptions } from './options.js';
import { DECODERS } from './site.js';

/**
 * `core` verifies every span (the default), `paranoid` every access, `raw` nothing, `debug` as paranoid and unoptimised, `watch` as debug
 * and tells of every access.
 */
export type CoreBuild = 'core' | 'paranoid' | 'raw' | 'debug' | 'watch';

/** Pointers are page-heap blocks unless said otherwise; `at` is an offset in one. 0 or -1 = damage, see {@link Core.damage}. */
export interface CoreExports {
  init(): void;
  alloc(size: number, site: number): number;
  free(ptr: number, site?: number): void;
  sizeOf(ptr: number): number;
  allocations(): number;
  configure(
    mode: number,
    sizeFrom: number,
    sizeTo: number,
    percent: number,
    decoders: number,
    siteFrom: number,
    siteTo: number,
    flags: number,
    faultRate: number,
    faultAfter: number,
  ): void;
  /** `before`: allocations of the run so far, as allocations() tells. */
  beginOperation(nid: number, seed: number, before: number): void;
  endOperation(): void;
  traceCount(): number;
  pagesLive(): number;
  pagesPeak(): number;
  drawPages(): void;
  context(nid: number): void;
  /** As a signed 32-bit number: apply `>>> 0`. */
  crc(lo: number, at: number, n: number): number;
  wireSize(cb: number, variant: number): number;
  blockCheck(lo: number, at: number, cb: number, variant: number, bidLo: number, bidHi: number, ibLo: number): number;
  blockLoad(lo: number, at: number, cb: number, method: number, key: number): number;
  blockDecode(ptr: number, n: number, method: number, key: number): void;
  blockSeal(
    dst: number,
    dstAt: number,
    src: number,
    srcAt: number,
    cb: number,
    method: number,
    bidLo: number,
    bidHi: number,
    ibLo: number,
  ): number;
  blockCopy(
    dst: number,
    dstAt: number,
    src: number,
    srcAt: number,
    cb: number,
    bidLo: number,
    bidHi: number,
    ibLo: number,
  ): number;
  pageSeal(dst: number, dstAt: number, ptype: number, bidLo: number, bidHi: number, ibLo: number): void;
  chainNew(capacity: number): number;
  chainAdd(chain: number, ptr: number): void;
  chainCount(chain: number): number;
  chainPtr(chain: number, index: number): number;
  chainSize(chain: number, index: number): number;
  chainTotal(chain: number): number;
  chainFree(chain: number): void;
  hnClient(chain: number): number;
  hnRoot(chain: number): number;
  hnCopy(chain: number, hid: number, variant: number): number;
  bthCopy(chain: number, hid: number, variant: number): number;
  notesNew(capacity: number): number;
  inspectHeap(chain: number, variant: number, notes: number): number;
  inspectBth(chain: number, hid: number, variant: number, notes: number): number;
  inspectPc(chain: number, variant: number, notes: number): number;
  inspectTable(
    chain: number,
    rows: number,
    variant: number,
    notes: number,
    idA: number,
    heapA: number,
    idB: number,
    heapB: number,
  ): number;
  pcRead(chain: number, variant: number): number;
  pcWrite(stream: number, at: number, target?: number): number;
  tcRowsHnid(chain: number, variant: number): number;
  tcOpen(chain: number, rows: number, variant: number): number;
  tcRowCount(table: number): number;
  tcBadRows(table: number): number;
  tcColumnCount(table: number): number;
  tcColumns(table: number): number;
  tcRowSize(table: number): number;
  tcGroup(table: number, group: number): number;
  tcHnidRows(table: number): number;
  tcOrder(table: number): number;
  tcOtherHeap(table: number, index: number, chain: number): void;
  tcRead(table: number, from: number, limit: number): number;
  tcOut(table: number): number;
  tcOutSize(table: number): number;
  tcClose(table: number): void;
  twNew(info: number, rows?: number, isMatrixInHeap?: number): number;
  twRow(writer: number, stream: number, at: number): number;
  twEnd(writer: number, rowsNid: number, target?: number, rowsTarget?: number): number;
  twHeap(writer: number): number;
  twRows(writer: number): number;
  twClose(writer: number): void;
  lzfuDecode(lo: number, at: number, n: number): number;
}

/** As in asconfig.json: 150 MB to begin with (page map and descriptors: nearly all of it never touched), 2 GB at most. */
const INITIAL_PAGES = 2400;
const MAXIMUM_PAGES = 32768;

/** Mirrors assembly/memory/layout.ts. */
const WATCHED = 0x1100;

/** What the watch build says of an access: assembly/memory/access.ts. `events`: allocations and frees before it. */
export type Told = (address: number, size: number, isWrite: number, events: number, property: number) => void;

const modules = new Map<CoreBuild, WebAssembly.Module>();

const fileOf = (build: CoreBuild): URL =>
  new URL(`../../build/${build === 'core' ? 'core.wasm' : `core.${build}.wasm`}`, import.meta.url);

/** Cores that stand in for the built ones: `Core.substitute`. */
interface Substitute {
  readonly wasm: Uint8Array;
  readonly prepare: ((core: Core) => void) | undefined;
  readonly map: string | undefined;
}
const substitutes = new Map<CoreBuild, Substitute>();
const bytesOf = (build: CoreBuild): Uint8Array => substitutes.get(build)?.wasm ?? readFileSync(fileOf(build));

/** The module of a build, with its source map; a substitute may have none. */
export function codeOf(build: CoreBuild): { wasm: Uint8Array; map: string | undefined } {
  const substitute = substitutes.get(build);
  const map = substitute !== undefined ? substitute.map : readFileSync(new URL(`${fileOf(build).href}.map`), 'utf8');
  return { wasm: bytesOf(build), map };
}

/** build/sites.json, by scripts/sites.mjs: where in the sources every site is. */
export const siteTable = (): string => readFileSync(new URL('../../build/sites.json', import.meta.url), 'utf8');

/** SHA-256 of the module of a build, hexadecimal: two machines that agree on it run the same core. */
export function coreHash(build: CoreBuild): string {
  const hash = sha256();
  hash.update(bytesOf(build));
  return Buffer.from(hash.digest()).toString('hex');
}

function moduleOf(build: CoreBuild): WebAssembly.Module {
  let module = modules.get(build);
  if (module === undefined) {
    module = new WebAssembly.Module(bytesOf(build));
    modules.set(build, module);
  }
  return module;
}

export class Core {
  readonly x: CoreExports;
  readonly build: CoreBuild;
  readonly #memory: WebAssembly.Memory;
  #buffer: ArrayBuffer;
  #u8: Uint8Array;
  #view: DataView;
  /** Hears of accesses in the watch build, from and until those that `tellAccesses` names. What it throws ends the call of the core. */
  onAccess: Told | undefined;

  /** Settings of the page heap for every core that is given none: the command line sets them once. */
  static settings: PageHeapOptions = FULL;

  private constructor(
    build: CoreBuild,
    readonly pageheap: PageHeapOptions,
  ) {
    this.build = build;
    this.#memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
    const told: Told = (address, size, isWrite, events, property) =>
      this.onAccess?.(address >>> 0, size >>> 0, isWrite, events >>> 0, property >>> 0);
    const { exports } = new WebAssembly.Instance(moduleOf(build), { env: { memory: this.#memory }, access: { told } });
    this.x = this.#guard(exports);
    this.#buffer = this.#memory.buffer;
    this.#u8 = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
    this.x.init();
    this.#configure();
    substitutes.get(build)?.prepare?.(this);
  }

  #configure(): void {
    const { size, random, decoders, sites, fault, mode, ...flags } = this.pageheap;
    const chosen =
      size !== undefined
        ? MODE.size
        : random !== undefined
          ? MODE.random
          : decoders !== undefined
            ? MODE.decoders
            : sites !== undefined
              ? MODE.sites
              : mode === 'normal'
                ? MODE.normal
                : MODE.full;
    let mask = 0;
    for (const decoder of decoders ?? []) mask |= 1 << DECODERS.indexOf(decoder);
    let bits = 0;
    for (const name of Object.keys(FLAG) as (keyof typeof FLAG)[]) if (flags[name]) bits |= FLAG[name];
    const [sizeFrom, sizeTo] = size ?? [0, 0];
    const [siteFrom, siteTo] = sites ?? [0, 0];
    const { rate, after } = fault ?? { rate: 0, after: 0 };
    this.x.configure(chosen, sizeFrom, sizeTo, random ?? 100, mask, siteFrom, siteTo, bits, rate, after);
    this.begin(0, 0);
  }

  /** Begins an operation on node `nid`: numbers and draws start anew. `before`: allocations of the run so far. */
  begin(nid: number, before = this.x.allocations()): void {
    this.x.beginOperation(nid, this.pageheap.seed ?? 1, before);
  }

  /** Ends the work of this core: freed blocks of normal mode are looked through; with `leaks` a block that is left is a stop. */
  end(): void {
    this.x.endOperation();
  }

  /**
   * From now on `build` is this module, and `prepare` is called with each new instance: a core with a planted fault, in a test.
   * Without bytes, the built one again. `map`: its source map.
   */
  static substitute(
    build: CoreBuild,
    wasm: Uint8Array | undefined,
    prepare?: (core: Core) => void,
    map?: string,
  ): void {
    modules.delete(build);
    if (wasm === undefined) substitutes.delete(build);
    else substitutes.set(build, { wasm, prepare, map });
  }

  /** A fresh instance: its memory holds nothing of any earlier store. */
  static load(build?: CoreBuild, pageheap: PageHeapOptions = Core.settings): Core {
    return new Core(build ?? buildOf(pageheap), pageheap);
  }

  /** Turns a trap of any function into a CoreFault that says what it was. */
  #guard(exports: WebAssembly.Exports): CoreExports {
    const guarded: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== 'function') continue;
      const call = value as (...args: number[]) => number;
      guarded[name] = (
        a: number,
        b: number,
        c: number,
        d: number,
        e: number,
        f: number,
        g: number,
        h: number,
        i: number,
        j: number,
      ) => {
        try {
          return call(a, b, c, d, e, f, g, h, i, j);
        } catch (error) {
          if (!(error instanceof WebAssembly.RuntimeError)) throw error;
          throw this.#fault(error);
        }
      };
    }
    return guarded as unknown as CoreExports;
  }

  #fault(error: WebAssembly.RuntimeError): Error {
    const stop = readStop(this.#memory.buffer);
    if (stop?.kind === 'injected fault') return new InjectedFault(stop);
    if (stop?.kind === 'memory exhausted' || stop?.kind === 'extreme size') {
      return new PstError('PST_LIMIT', `an item asks for ${stop.size} bytes at once, more than there is`, {
        nid: stop.nid,
      });
    }
    return new CoreFault(stop, error, this.scene());
  }

  /** Which accesses `onAccess` hears of, counted from 0 since the instance began: watch build only. */
  tellAccesses(from: number, until: number): void {
    this.view.setUint32(WATCHED, from, true);
    this.view.setUint32(WATCHED + 4, until, true);
  }

  /** Accesses since the instance began; 0 in all builds but the watch build, which counts them. */
  get accesses(): number {
    return this.view.getUint32(WATCHED + 8, true);
  }

  /** The memory of a core that has stopped, and what its report needs beside it. */
  scene(): Scene {
    const { build, pageheap } = this;
    this.x.drawPages(); // the default build draws the page map only when it is looked at
    return { memory: this.#memory.buffer, build, pageheap, events: this.x.traceCount() };
  }

  #renew(): void {
    this.#buffer = this.#memory.buffer;
    this.#u8 = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }

  /** The core's memory. Take it anew after every call: the memory may have grown. */
  get u8(): Uint8Array {
    if (this.#buffer !== this.#memory.buffer) this.#renew();
    return this.#u8;
  }

  get view(): DataView {
    if (this.#buffer !== this.#memory.buffer) this.#renew();
    return this.#view;
  }

  /** Puts `bytes` into a block of its own; the caller frees it. */
  put(bytes: Uint8Array): number {
    const ptr = this.x.alloc(Math.max(bytes.length, 1), 0);
    this.u8.set(bytes, ptr);
    return ptr;
  }

  /** The damage a function has just recorded, with the place the caller knows. */
  damage(where: Where): PstError {
    const code = this.view.getUint32(DAMAGE_AT, true);
    return this.damageOf(
      code,
      this.view.getUint32(DAMAGE_AT + 4, true),
      this.view.getUint32(DAMAGE_AT + 8, true),
      where,
    );
  }

  damageOf(code: number, a: number, b: number, where: Where): PstError {
    const damage = DAMAGES[code];
    if (damage === undefined) throw new Error(`the core recorded no damage (code ${code})`);
    return new PstError(damage.code, damage.say(a, b), { field: damage.field, section: damage.section, ...where });
  }
}
