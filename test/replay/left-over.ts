/** Looks for strings in a bundle: in what it says, in its bytes as they are and decoded; as UTF-8, UTF-16 and base64. */
import { Core } from '../../src/core/core.js';
import { FULL } from '../../src/core/options.js';
import type { Bundle } from '../../src/replay/bundle.js';
import { sparseSource } from '../../src/replay/sparse.js';
import { isInternal } from '../../src/wire/btree.js';
import { HEADER } from '../../src/wire/header.js';

/** The middle of a text in base64, wherever it begins: three alignments. */
function base64(bytes: Buffer): Buffer[] {
  return [0, 1, 2].map((shift) => {
    const coded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return Buffer.from(coded.slice(shift === 0 ? 0 : shift + 1, -1)); // the rims depend on what is beside them
  });
}

function formsOf(text: string): Buffer[] {
  const [utf8, utf16] = [Buffer.from(text, 'utf8'), Buffer.from(text, 'utf16le')];
  return [utf8, utf16, ...base64(utf8), ...base64(utf16)];
}

/** Those of `strings` that are in the bundle. */
export function leftOver(bundle: Bundle, strings: readonly string[]): string[] {
  const hay = Buffer.concat([
    Buffer.from(JSON.stringify(bundle, (_, value) => (value instanceof Uint8Array ? undefined : value))),
    ...bundle.ranges.map(({ bytes }) => bytes),
    ...decodedBlocks(bundle),
  ]);
  return strings.filter((text) => formsOf(text).some((form) => hay.includes(form)));
}

/** All blocks of a bundle, decoded by the method of its header and by others. */
export function decodedBlocks(bundle: Bundle, others: readonly number[] = [0, 1, 2]): Uint8Array[] {
  const core = Core.load('raw', FULL);
  const source = sparseSource('', bundle.source.size, bundle.ranges);
  const header = new Uint8Array(HEADER.size);
  source.read(header, 0);
  const parts: Uint8Array[] = [];
  for (const [bid, ib, cb] of bundle.blocks) {
    const bytes = new Uint8Array(Math.max(0, Math.min(cb, bundle.source.size - ib)));
    if (bytes.length === 0) continue;
    source.read(bytes, ib);
    for (const method of new Set([isInternal(bid) ? 0 : header[HEADER.at.bCryptMethod]!, ...others])) {
      const ptr = core.put(bytes);
      core.x.blockDecode(ptr, bytes.length, method, bid >>> 0);
      parts.push(core.u8.slice(ptr, ptr + bytes.length));
      core.x.free(ptr);
    }
  }
  return parts;
}
