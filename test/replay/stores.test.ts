/**
 * Real stores with one leaf of their largest message damaged: captured, minimised, redacted; no word that a person could read in what was
 * captured is left, in the blocks as they are or decoded.
 */
import { afterAll, expect } from 'vitest';
import { Core } from '../../src/core/core.js';
import { FULL } from '../../src/core/options.js';
import { openSource } from '../../src/host/file.js';
import { memoryFile } from '../../src/host/memory.js';
import { cloneStore } from '../../src/migrate/clone.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { type Bundle, decodeBundle, encodeBundle, inputBytes } from '../../src/replay/bundle.js';
import { Capture } from '../../src/replay/capture.js';
import { minimise } from '../../src/replay/minimise.js';
import { redact } from '../../src/replay/redact.js';
import { replay } from '../../src/replay/replay.js';
import { wireSize } from '../../src/wire/block.js';
import { NID_TYPE, nidType } from '../../src/wire/nid.js';
import { UNICODE } from '../../src/wire/variant.js';
import { describeStores } from '../stores.js';
import { decodedBlocks } from './left-over.js';

/** The leaf that is read last of those below the message with the most bytes. */
function lastLeaf(ndb: Ndb): number {
  const { nbt, bbt } = ndb;
  let most = { bytes: 0, leaf: 0 };
  for (let i = 0; i < nbt.count; i++) {
    if (nidType(nbt.nid(i)) !== NID_TYPE.NORMAL_MESSAGE) continue;
    let sum = ndb.treeSize(nbt.bidData(i), {});
    let leaf = ndb.findLeaves(nbt.bidData(i), {}).indices.at(-1) ?? -1;
    for (const sub of ndb.nestedSubnodes(nbt.bidSub(i), {})) {
      sum += ndb.treeSize(sub.bidData, {});
      leaf = ndb.findLeaves(sub.bidData, {}).indices.at(-1) ?? leaf;
    }
    if (leaf >= 0 && sum > most.bytes) most = { bytes: sum, leaf: bbt.bid(leaf) };
  }
  return most.leaf;
}

function captured(path: string): Bundle | undefined {
  const source = openSource(path);
  const bytes = new Uint8Array(source.size);
  source.read(bytes, 0);
  source.close();
  const ndb = Ndb.open(memoryFile('kept', bytes), Core.load('raw'));
  if (ndb.variant !== UNICODE) return undefined;
  const leaf = lastLeaf(ndb);
  if (leaf === 0) return undefined;
  const i = ndb.bbt.find(leaf);
  bytes[ndb.bbt.ib(i) + wireSize(ndb.bbt.cb(i), UNICODE) - 12]! ^= 0x55; // dwCRC
  const damaged = memoryFile('damaged', bytes);
  const capture = new Capture({ engine: 'test', build: 'core', reencode: false, pageheap: FULL });
  try {
    cloneStore(damaged, memoryFile('target'), { recorder: capture });
  } catch (error) {
    return capture.bundle(damaged, error);
  }
  throw new Error('the clone did not fail');
}

/** Words of six letters and more, of one byte each or two; a run of few letters is structure: zeros, lengths, colours. */
function wordsOf(bundle: Bundle): Set<string> {
  const words = new Set<string>();
  const hay = Buffer.concat(decodedBlocks(bundle, [])).toString('latin1');
  for (const [run] of [...hay.matchAll(/[A-Za-z]{6,}/g), ...hay.matchAll(/(?:[A-Za-z]\0){6,}/g)]) {
    const word = run.replaceAll('\0', '');
    if (new Set(word).size >= 4) words.add(word);
  }
  return words;
}

/** Cannot be opened as they are. */
const DAMAGED = /AddingBulkMessages/;

const lines: string[] = [];
afterAll(() => console.log(lines.join('\n')));

describeStores(
  'a damaged leaf, minimised; redacted: the bundle holds none of its words',
  ({ name, path }) => {
    const bundle = captured(path);
    if (bundle === undefined) return;
    expect(bundle.outcome).toMatchObject({ kind: 'error', code: 'PST_BAD_CRC' });
    const hidden = redact(bundle);
    expect(hidden.refused).toBeUndefined();
    expect(replay(decodeBundle(encodeBundle(hidden.bundle), 'hidden'))).toMatchObject({ isReproduced: true });
    const before = wordsOf(bundle);
    const left = [...wordsOf(hidden.bundle)].filter((word) => before.has(word) && !/^x+$/i.test(word));
    expect(left).toEqual([]);
    const small = minimise(bundle);
    expect(small.isIrreducible).toBe(true);
    expect(small.after).toBeLessThan(Math.max(100, 0.05 * small.before));
    lines.push(
      `${name}: ${small.before} -> ${small.after} in ${small.replays}; ${before.size} words, ${hidden.replaced} runs hidden in ${inputBytes(hidden.bundle)} bytes`,
    );
  },
  ({ name, catalog }) => catalog?.variant === 'Unicode' && !DAMAGED.test(name),
);
