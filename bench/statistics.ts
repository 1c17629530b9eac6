/** Medians and ratios of paired runs: A B A B …, so that what else the machine does falls on both. @module */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted[sorted.length - 1]!, count: sorted.length };
}

/** `numerators[k] / denominators[k]`, pair by pair. */
export function ratios(numerators: readonly number[], denominators: readonly number[]): Spread {
  const count = Math.min(numerators.length, denominators.length);
  return spread(Array.from({ length: count }, (_, k) => numerators[k]! / denominators[k]!));
}

/** `12.3 (11.9 – 14.0)`: three figures are what a measurement holds. */
export const spreadText = ({ median, min, max }: Spread): string =>
  `${figure(median)} (${figure(min)} – ${figure(max)})`;

export function figure(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}
