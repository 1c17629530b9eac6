/** What counts as the same end of an attempt: of a stop the frees. */
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/replay/bundle.js';
import { compare } from '../../src/replay/replay.js';
import { isSameStop } from '../../src/replay/trial.js';

const freedBy = (freeSiteId: number): Outcome => ({
  kind: 'stop',
  message: 'verifier stop',
  stop: {
    kind: 'use after free',
    address: 0x8700000,
    width: 4,
    block: 0x8700000,
    size: 24,
    site: 'the values of a property context',
    siteId: 0x41,
    freeSite: 'ltp.pc',
    freeSiteId,
    decoder: 'ltp.pc',
    ordinal: 3,
    nid: 0x200024,
    tag: 0,
    operation: 1,
  },
});

describe('two ends are the same', () => {
  it.each([
    ['the same call freed', 0x41, 0x41, true],
    ['another call of the decoder freed', 0x41, 0x42, false],
    ['another decoder freed', 0x41, 0x51, false],
    ['of one no more is known than the decoder, as in bundles of earlier cores', 0x40, 0x42, true],
    ['the same the other way round', 0x42, 0x40, true],
    ['of one no more is known than another decoder', 0x50, 0x42, false],
    ['of one nothing was freed', 0, 0x41, false],
  ] as const)('%s', (_, a, b, isSame) => {
    expect(isSameStop(freedBy(a), freedBy(b))).toBe(isSame);
    expect(compare(freedBy(a), freedBy(b))).toEqual(
      isSame ? [] : [expect.stringMatching(/^free site: .* in the bundle, .* in the replay$/)],
    );
  });
});
