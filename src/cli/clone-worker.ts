/** Entry of the threads of `clone --out`: a mailbox that fails leaves its replay bundle beside where its copy would be. @module */
import { writeFileSync } from 'node:fs';
import { Core } from '../core/core.js';
import { buildOf } from '../core/options.js';
import { openSource } from '../host/file.js';
import { serve } from '../migrate/batch-worker.js';
import { encodeBundle } from '../replay/bundle.js';
import { Capture } from '../replay/capture.js';

serve(({ store, target, engine, clone }) => {
  const settings = { engine, build: clone.core ?? buildOf(Core.settings), pageheap: Core.settings };
  const capture = new Capture({ ...settings, reencode: clone.reencode === true });
  return {
    recorder: capture,
    save(error) {
      try {
        const source = openSource(store);
        const bundle = capture.bundle(source, error);
        source.close();
        if (bundle === undefined) return undefined;
        writeFileSync(`${target}.replay`, encodeBundle(bundle));
        return `${target}.replay`;
      } catch {
        return undefined; // the error that matters is already on its way
      }
    },
  };
});
