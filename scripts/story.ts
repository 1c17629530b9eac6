/**
 * The story of the page heap, told by running it: `npx tsx scripts/story.ts`. Builds a store, plants one fault in a copy of the core (an attachment
 * name in a buffer for 13 characters, KB Q176397), and prints what a raw run does, what the page heap says, the replay and the reduced store.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateStore } from '../src/build/generate.js';
import { Core } from '../src/core/core.js';
import { CoreFault } from '../src/core/fault.js';
import { FULL } from '../src/core/options.js';
import { reportText } from '../src/core/report.js';
import { openSource } from '../src/host/file.js';
import { memoryFile } from '../src/host/memory.js';
import { tagName } from '../src/mapi/tags.js';
import { cloneStore } from '../src/migrate/clone.js';
import { encodeBundle, inputBytes } from '../src/replay/bundle.js';
import { Capture } from '../src/replay/capture.js';
import { minimise } from '../src/replay/minimise.js';
import { writeReducedStore } from '../src/replay/pst.js';
import { replay } from '../src/replay/replay.js';
import { compilePlanted } from '../test/planted/crimes.js';

const CRIME = 2;
const say = (text = ''): boolean => process.stdout.write(`${text}\n`);
const plant = (core: Core): void => (core.x as unknown as { plant(n: number): void }).plant(CRIME);

const folder = mkdtempSync(join(tmpdir(), 'pstwright-story-'));
const store = join(folder, 'mailbox.pst');
generateStore(store, { messages: 300, textBytes: 3_000_000, attachmentBytes: 6_000_000 });
const source = openSource(store);

say('$ pstwright clone --reencode --pageheap off mailbox.pst copy.pst        # a planted fault, nobody watching');
Core.substitute('raw', await compilePlanted('raw'), plant);
Core.settings = { mode: 'off' };
const { counters } = cloneStore(source, memoryFile('copy'), { reencode: true });
say(
  `Everything arrived.  (${counters.messages} messages, ${counters.attachments} attachments; what was written past the buffer nobody knows)`,
);
Core.substitute('raw', undefined);

say();
say('$ pstwright clone --reencode mailbox.pst copy.pst                       # the same core on the page heap');
Core.substitute('core', await compilePlanted('core'), plant);
Core.settings = FULL;
const capture = new Capture({ engine: 'story', build: 'core', reencode: true, pageheap: FULL });
let fault: CoreFault | undefined;
try {
  cloneStore(source, memoryFile('copy'), { reencode: true, recorder: capture });
} catch (error) {
  if (!(error instanceof CoreFault)) throw error;
  fault = error;
}
if (fault === undefined) throw new Error('the planted fault did not stop the clone');
say(reportText(fault, { property: tagName }).split('\n').slice(0, 24).join('\n'));
const bundle = capture.bundle(source, fault)!;
writeFileSync(join(folder, 'copy.pst.replay'), encodeBundle(bundle));

say();
say('$ rm mailbox.pst; pstwright replay copy.pst.replay');
source.close();
rmSync(store);
say(replay(bundle).isReproduced ? 'reproduced' : 'not reproduced');

say();
say('$ pstwright replay copy.pst.replay --minimise --pst reduced.pst');
const small = minimise(bundle);
const nid = writeReducedStore(join(folder, 'reduced.pst'), small.object!);
say(`minimised: ${inputBytes(bundle)} bytes of the store to ${small.after} in ${small.replays} replays`);
say(small.isIrreducible ? 'nothing more can be removed' : 'more might be removed');
say(`what is left is node 0x${nid.toString(16)} of reduced.pst (${statSync(join(folder, 'reduced.pst')).size} bytes)`);
rmSync(folder, { recursive: true, force: true });
