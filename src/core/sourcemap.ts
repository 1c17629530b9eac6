/** Source maps, version 3, as far as the core's need it: one line of generated code, whose columns are offsets in the module. @module */

/** From `offset` on the code comes from `line` (from 1) and `column` of `source`. */
export interface Segment {
  readonly offset: number;
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Segments of a source map, ascending by offset. */
export function parseSourceMap(json: string): Segment[] {
  const { sources, mappings } = JSON.parse(json) as { sources: string[]; mappings: string };
  const segments: Segment[] = [];
  let offset = 0;
  let source = 0;
  let line = 0;
  let column = 0;
  for (const text of mappings.split(',')) {
    const fields = variableLength(text);
    offset += fields[0] ?? 0;
    if (fields.length < 4) continue;
    source += fields[1]!;
    line += fields[2]!;
    column += fields[3]!;
    segments.push({ offset, source: sources[source] ?? '', line: line + 1, column });
  }
  return segments;
}

/** Base 64, 5 bits to a digit, the lowest first; bit 5 says that more follow, the lowest bit of the whole is the sign. */
function variableLength(text: string): number[] {
  const fields: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of text) {
    const digit = DIGITS.indexOf(character);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    fields.push(value & 1 ? -(value >>> 1) : value >>> 1);
    value = 0;
    shift = 0;
  }
  return fields;
}

/** Index of the segment that holds `offset`, -1 before the first. */
export function segmentAt(segments: readonly Segment[], offset: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (segments[middle]!.offset <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
