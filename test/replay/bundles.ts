/** Bundles for tests: a generated store cloned under capture, on a core with a planted crime, with an injected fault, or damaged. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateStore } from '../../src/build/generate.js';
import { Core } from '../../src/core/core.js';
import { FULL, type PageHeapOptions } from '../../src/core/options.js';
import { memoryFile } from '../../src/host/memory.js';
import { cloneStore } from '../../src/migrate/clone.js';
import type { Bundle } from '../../src/replay/bundle.js';
import { Capture } from '../../src/replay/capture.js';
import { compilePlanted } from '../planted/crimes.js';

export interface Workshop {
  readonly folder: string;
  readonly store: Uint8Array<ArrayBuffer>;
  /** The default core and the watch build have crime `id` from now on; 0: none. */
  plant(id: number): void;
  /** The bundle a clone leaves that fails. */
  capture(settings?: PageHeapOptions, store?: Uint8Array<ArrayBuffer>, reencode?: boolean): Bundle;
  close(): void;
}

export async function workshop(): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), 'pstwright-replay-'));
  const path = join(folder, 'mailbox.pst');
  generateStore(path, { messages: 40, textBytes: 100_000, attachmentBytes: 400_000 });
  const whole = new Uint8Array(readFileSync(path)); // no Buffer: their slices share memory
  const planted = await compilePlanted('core');
  let map = '';
  const watched = await compilePlanted('watch', (json) => {
    map = json;
  });
  return {
    folder,
    store: whole,
    plant(id) {
      const prepare = (core: Core): void => (core.x as unknown as { plant(n: number): void }).plant(id);
      Core.substitute('core', planted, prepare);
      Core.substitute('watch', watched, prepare, map);
    },
    capture: (settings = FULL, store = whole, reencode = true) => captured(settings, store, reencode),
    close() {
      Core.substitute('core', undefined);
      Core.substitute('watch', undefined);
      Core.settings = FULL;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function captured(settings: PageHeapOptions, bytes: Uint8Array<ArrayBuffer>, reencode: boolean): Bundle {
  Core.settings = settings;
  const source = memoryFile('mailbox.pst', bytes);
  const capture = new Capture({ engine: '9.9.9', build: 'core', reencode, pageheap: settings });
  try {
    cloneStore(source, memoryFile('target'), { reencode, recorder: capture });
  } catch (error) {
    const bundle = capture.bundle(source, error);
    if (bundle !== undefined) return bundle;
    throw error;
  } finally {
    Core.settings = FULL;
  }
  throw new Error('the clone did not fail');
}
