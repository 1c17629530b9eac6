/**
 * A second opinion on the verifier: the core, compiled with the flags of the default build but not optimised, so that no
 * function of span.ts is inlined, and rewritten by Binaryen so that every load and store calls out with its place. The
 * oracle keeps its own list of live blocks, from hooks around alloc() and free(), and trusts nothing the core says.
 */

import { readFileSync } from 'node:fs';
import binaryen from 'binaryen';

/** Where the pool begins: every byte of every block lies from here on. */
const POOL = Number(/POOL: usize = (0x[0-9a-f]+);/.exec(readFileSync('assembly/memory/layout.ts', 'utf8'))![1]);

const SPAN = 'assembly/memory/span/';
const HEAP = 'assembly/memory/pageheap/';
const EDGES = 'assembly/memory/edges/';

export interface Access {
  what: 'load' | 'store' | 'copy' | 'fill';
  /** Function that did it. */
  by: string;
  address: number;
  bytes: number;
  why: string;
}

export interface Instrumented {
  module: WebAssembly.Module;
  /** Function of each site, by the number Binaryen gave it. */
  sites: readonly string[];
  /** Functions of the core with loads, stores or bulk instructions in their own text. */
  touching: ReadonlySet<string>;
  functions: readonly string[];
}

const { none } = binaryen;

/** Puts `enter` and `leave` (imports that take the arguments, and the result first) around a function. */
function hook(module: binaryen.Module, name: string, enter: string | undefined, leave: string | undefined): void {
  const { params, results, vars, body } = binaryen.getFunctionInfo(module.getFunction(name));
  const types = binaryen.expandType(params);
  module.removeFunction(name);
  module.addFunction(`${name}!`, params, results, [...vars], body);
  const args = (): number[] => types.map((type, k) => module.local.get(k, type));
  const call = module.call(`${name}!`, args(), results);
  const code: number[] = [];
  const addHook = (hook: string, extra: binaryen.Type[]): void => {
    module.addFunctionImport(hook, 'oracle', hook, binaryen.createType([...extra, ...types]), none);
  };
  if (enter !== undefined) {
    addHook(enter, []);
    code.push(module.call(enter, args(), none));
  }
  if (results === none) {
    code.push(call);
    module.addFunction(name, params, results, [], module.block(null, code));
    return;
  }
  const result = types.length;
  code.push(module.local.set(result, call));
  if (leave !== undefined) {
    addHook(leave, [results]);
    code.push(module.call(leave, [module.local.get(result, results), ...args()], none));
  }
  code.push(module.local.get(result, results));
  module.addFunction(name, params, results, [results], module.block(null, code, results));
}

export function instrument(wasm: Uint8Array): Instrumented {
  const module = binaryen.readBinary(wasm);
  module.setFeatures(binaryen.Features.All);
  const touching = new Set<string>();
  const functions: string[] = [];
  for (const [name, text] of texts(module)) {
    functions.push(name);
    if (/\((?:i32|i64|f32|f64|v128)\.(?:load|store)|\(memory\.(?:copy|fill|init)/.test(text)) touching.add(name);
  }
  module.runPasses(['instrument-memory']);
  const sites: string[] = [];
  for (const [name, text] of texts(module)) {
    for (const [, site] of text.matchAll(/\(call \$(?:load|store)_ptr\s+\(i32\.const (\d+)\)/g))
      sites[Number(site)] = name;
  }
  hook(module, `${HEAP}alloc`, undefined, 'onAlloc');
  hook(module, `${HEAP}free`, 'onFree', undefined);
  hook(module, `${SPAN}copy`, 'onCopy', undefined);
  hook(module, `${SPAN}zero`, 'onZero', undefined);
  const binary = module.emitBinary();
  module.dispose();
  return { module: new WebAssembly.Module(new Uint8Array(binary)), sites, touching, functions };
}

function* texts(module: binaryen.Module): IterableIterator<[name: string, text: string]> {
  for (const part of module
    .emitText()
    .split(/\n \(func \$/)
    .slice(1)) {
    yield [part.slice(0, part.search(/[\s)]/)), part];
  }
}

/** Watches one instance. `bad` is what should never have been. */
export class Oracle {
  readonly bad: Access[] = [];
  /** Accesses of stream bytes seen, by function. */
  readonly seen = new Map<string, number>();
  readonly imports: Record<string, unknown>;
  readonly hooks: Record<string, unknown>;
  /** First and end address of the live block on each page of 512 bytes. */
  readonly #live = new Map<number, { from: number; end: number }>();
  readonly #sites: readonly string[];

  constructor({ module, sites }: Instrumented) {
    this.#sites = sites;
    const last = (...args: unknown[]): unknown => args[args.length - 1];
    const env: Record<string, unknown> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) if (from === 'env') env[name] = last;
    const access = (what: 'load' | 'store') => (site: number, bytes: number, offset: number, ptr: number) => {
      const address = (ptr >>> 0) + (offset >>> 0);
      if (address + bytes > POOL) this.#access(what, this.#sites[site]!, address, bytes);
      else if (this.#sites[site]!.startsWith(SPAN))
        this.#note(what, this.#sites[site]!, address, bytes, 'below the pool');
      return ptr;
    };
    env['load_ptr'] = access('load');
    env['store_ptr'] = access('store');
    this.imports = env;
    this.hooks = {
      onAlloc: (ptr: number, size: number) => {
        const block = { from: ptr, end: ptr + size };
        for (let page = ptr >>> 9; page <= (ptr + size - 1) >>> 9; page++) {
          if (this.#live.has(page)) this.#note('store', `${HEAP}alloc`, ptr, size, 'two blocks on one page');
          this.#live.set(page, block);
        }
      },
      onFree: (ptr: number) => {
        const block = this.#live.get(ptr >>> 9);
        if (block?.from !== ptr) {
          this.#note('store', `${HEAP}free`, ptr, 0, 'no live block');
          return;
        }
        for (let page = ptr >>> 9; page <= (block.end - 1) >>> 9; page++) this.#live.delete(page);
      },
      onCopy: (to: number, from: number, n: number) => {
        if (n === 0) return;
        this.#access('copy', `${SPAN}copy`, to, n);
        this.#access('copy', `${SPAN}copy`, from, n);
      },
      onZero: (p: number, n: number) => {
        if (n > 0) this.#access('fill', `${SPAN}zero`, p, n);
      },
    };
  }

  get liveBlocks(): number {
    return new Set(this.#live.values()).size;
  }

  #access(what: Access['what'], by: string, address: number, bytes: number): void {
    const block = this.#live.get(address >>> 9);
    const inside = block !== undefined && address >= block.from && address + bytes <= block.end;
    if (by.startsWith(SPAN)) {
      this.seen.set(by, (this.seen.get(by) ?? 0) + 1);
      if (!inside) this.#note(what, by, address, bytes, 'outside every live block');
      return;
    }
    if (!by.startsWith(HEAP) && !by.startsWith(EDGES)) this.#note(what, by, address, bytes, 'not in span.ts');
    else if (block !== undefined && address + bytes > block.from)
      this.#note(what, by, address, bytes, 'heap in a live block');
  }

  #note(what: Access['what'], by: string, address: number, bytes: number, why: string): void {
    if (this.bad.length < 50) this.bad.push({ what, by, address, bytes, why });
  }
}
