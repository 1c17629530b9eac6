/**
 * Delta debugging (Zeller and Hildebrandt, ddmin) over lists and over bytes: the halves first, then smaller and smaller parts, and single
 * ones until none can go.
 * @module
 */

/** Does the operation still fail in the same way, as everything is now? */
export type Holds = () => boolean;

/** Leaves out as many of `items` as possible; `set` puts a selection in place. Returns whether any went. */
export function ddmin<T>(items: readonly T[], set: (kept: T[]) => void, holds: Holds): boolean {
  let kept = [...items];
  for (let part = kept.length; part >= 1 && kept.length > 0; ) {
    let hasGone = false;
    // From the end: what an operation has read last is the likeliest to be needed last.
    for (let end = kept.length; end > 0; end -= part) {
      const rest = [...kept.slice(0, Math.max(0, end - part)), ...kept.slice(end)];
      set(rest);
      if (!holds()) continue;
      kept = rest;
      hasGone = true;
    }
    if (part > 1) part = Math.min(Math.ceil(part / 2), Math.max(1, kept.length));
    else if (!hasGone) break;
  }
  set(kept);
  return kept.length < items.length;
}

/** Cuts bytes from the end, as many as can go: all of them, or, when one can, by halving what is left between too few and enough. */
export function shorten(of: { bytes: Uint8Array }, holds: Holds): boolean {
  const whole = of.bytes;
  if (whole.length === 0) return false;
  const isEnough = (n: number): boolean => {
    of.bytes = whole.subarray(0, n);
    return holds();
  };
  if (isEnough(0)) return true;
  let tooFew = 0;
  let enough = whole.length - 1;
  if (enough === 0 || !isEnough(enough)) {
    of.bytes = whole;
    return false;
  }
  while (enough - tooFew > 1) {
    const middle = (tooFew + enough) >>> 1;
    if (isEnough(middle)) enough = middle;
    else tooFew = middle;
  }
  of.bytes = whole.subarray(0, enough);
  return true;
}

/** Sets bytes to zero, as many as can be: what is zero need not be kept. */
export function zero(of: { bytes: Uint8Array }, holds: Holds): boolean {
  const whole = of.bytes;
  const places = Array.from(whole, (byte, k) => (byte === 0 ? -1 : k)).filter((k) => k >= 0);
  return ddmin(
    places,
    (kept) => {
      const bytes = new Uint8Array(whole.length);
      for (const k of kept) bytes[k] = whole[k]!;
      of.bytes = bytes;
    },
    holds,
  );
}
