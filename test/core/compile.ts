/**
 * Compiles a core of its own for a test, with the flags of a target of asconfig.json, in memory: test-only entries never
 * lie beside the cores that ship.
 */
import { readFileSync } from 'node:fs';
import { main } from 'assemblyscript/asc';

export interface Target {
  /** Target of asconfig.json whose flags are used. */
  readonly target: 'core' | 'raw' | 'paranoid' | 'debug' | 'watch';
  readonly entry: string;
  /** More or other options of the target. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Changes the source of a file before it is compiled. */
  readonly patch?: (name: string, text: string) => string;
  /** Hears the source map. */
  readonly onMap?: (json: string) => void;
}

export async function compile({
  target,
  entry,
  options = {},
  patch = (_, text) => text,
  onMap,
}: Target): Promise<Uint8Array<ArrayBuffer>> {
  const config = JSON.parse(readFileSync('asconfig.json', 'utf8')) as {
    targets: Record<string, Record<string, unknown>>;
  };
  const { textFile: _, ...flags } = config.targets[target]!;
  const own = { ...config, entries: [entry], targets: { [target]: { ...flags, ...options } } };
  let wasm: Uint8Array | undefined;
  const { error, stderr } = await main(['--config', 'asconfig.json', '--target', target], {
    readFile: (name) => {
      if (name.endsWith('asconfig.json')) return JSON.stringify(own);
      try {
        return patch(name, readFileSync(name, 'utf8'));
      } catch {
        return null; // asc asks for files that need not be there
      }
    },
    writeFile: (name, contents) => {
      if (name === flags['outFile']) wasm = contents as Uint8Array; // and goes nowhere
      if (name === `${flags['outFile']}.map`) onMap?.(String(contents));
    },
    listFiles: () => null,
  });
  if (error !== null || wasm === undefined) throw new Error(`asc: ${error?.message}\n${stderr.toString()}`);
  return new Uint8Array(wasm);
}
