// Settings of the page heap, and the decisions they lead to. Names and meanings are Pageheap.exe's; the host parses and
// checks them (src/core/options.ts). Decisions are drawn from a seeded generator, begun anew with each operation, so that
// an operation decides the same alone as in its run.

import { PAGE, PAGES_4K } from './descriptor';

/** The grain without --aligned: see `grain`. */
export const PLAIN_GRAIN: usize = CHECK == 1 ? PAGES_4K : 1;

export const MODE_FULL: u32 = 0;
export const MODE_NORMAL: u32 = 1;
export const MODE_SIZE: u32 = 2;
export const MODE_RANDOM: u32 = 3;
export const MODE_DECODERS: u32 = 4;
export const MODE_SITES: u32 = 5;

export const FLAG_BACKWARDS: u32 = 1;
export const FLAG_ALIGNED: u32 = 2;
export const FLAG_LEAKS: u32 = 4;
export const FLAG_PROTECT: u32 = 8;
export const FLAG_NO_TRACES: u32 = 16;

let mode: u32 = MODE_FULL;
let sizeFrom: u32 = 0;
let sizeTo: u32 = 0;
let percent: u32 = 100;
let decoders: u32 = 0;
let siteFrom: u32 = 0;
let siteTo: u32 = 0;
let faultRate: u32 = 0;
let faultAfter: u32 = 0;
let generator: u32 = 1;

export let flags: u32 = 0;
/** Pages that places and guards are rounded to: PAGES_4K where Pageheap.exe's layout or the reach of its guard counts, else 1. */
export let grain: usize = PLAIN_GRAIN;
/** Bytes of a grain, less one. */
export let grainMask: usize = PLAIN_GRAIN * PAGE - 1;
/** Anything but full for all: the allocator asks further only then. */
export let isSpecial: bool = false;

export function configure(
  newMode: u32,
  newSizeFrom: u32,
  newSizeTo: u32,
  newPercent: u32,
  newDecoders: u32,
  newSiteFrom: u32,
  newSiteTo: u32,
  newFlags: u32,
  newFaultRate: u32,
  newFaultAfter: u32,
): void {
  mode = newMode;
  sizeFrom = newSizeFrom;
  sizeTo = newSizeTo;
  percent = newPercent;
  decoders = newDecoders;
  siteFrom = newSiteFrom;
  siteTo = newSiteTo;
  flags = newFlags;
  grain = newFlags & FLAG_ALIGNED ? PAGES_4K : PLAIN_GRAIN;
  grainMask = grain * PAGE - 1;
  faultRate = newFaultRate;
  faultAfter = newFaultAfter;
  isSpecial = mode != MODE_FULL || faultRate != 0 || (flags & (FLAG_BACKWARDS | FLAG_ALIGNED | FLAG_PROTECT)) != 0;
}

/** Begins the generator anew. Any number will do; 0 is none. */
export function reseed(seed: u32): void {
  generator = seed ? seed : 0x9e3779b9;
  for (let k = 0; k < 4; k++) next();
}

/** Marsaglia's xorshift, 13 17 5. */
function next(): u32 {
  generator ^= generator << 13;
  generator ^= generator >>> 17;
  generator ^= generator << 5;
  return generator;
}

/** Does a block of this size and site get pages of its own? */
export function wantsFull(size: usize, site: u32): bool {
  switch (mode) {
    case MODE_FULL:
      return true;
    case MODE_SIZE:
      return size >= <usize>sizeFrom && size <= <usize>sizeTo;
    case MODE_RANDOM:
      return next() % 100 < percent;
    case MODE_DECODERS:
      return ((decoders >>> (site >>> 4)) & 1) != 0;
    case MODE_SITES:
      return site >= siteFrom && site <= siteTo;
    default:
      return false;
  }
}

/** Shall this allocation, the `total`th of the run, fail? */
export function failsNow(total: u32): bool {
  return faultRate != 0 && total > faultAfter && (faultRate >= 10000 || next() % 10000 < faultRate);
}
