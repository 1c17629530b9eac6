/**
 * msgpack is decoded by a package that builds whatever the bytes say; forty kilobytes, inflated, can say an array in an array forty million
 * times over, and end the process. Here the bytes are walked through first, and nothing is built.
 * @module
 */

/** Against arrays in arrays in arrays: what this program writes nests five deep. */
const DEPTH_MAX = 16;

/** Bytes of the head behind the first byte, by the first byte from 0xc0 on: msgpack's spec.md, "Overview". */
// biome-ignore format: a table
const HEADS: readonly number[] = [
  0, -1, 0, 0, 1, 2, 4, 2, 3, 5, 4, 8, 1, 2, 4, 8, // nil · never used · false true · bin 8 16 32 · ext 8 16 32 · float 32 64 · uint 8 16 32 64
  1, 2, 4, 8, 2, 3, 5, 9, 17, 1, 2, 4, 2, 4, 2, 4, // int 8 16 32 64 · fixext 1 2 4 8 16 · str 8 16 32 · array 16 32 · map 16 32
];

/**
 * What is wrong with `bytes` as one value of msgpack that may be decoded: an item that reaches past the end, more than `itemsMax` items (a
 * pair of a map is two), arrays in arrays too deep. undefined when nothing is.
 */
export function msgpackFault(bytes: Uint8Array, itemsMax: number): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open: number[] = []; // items to come, of each array and map that is open
  let at = 0;
  let items = 0;
  do {
    if (++items > itemsMax) return `more than ${itemsMax} items`;
    if (at >= bytes.length) return 'it ends in the middle';
    const first = bytes[at++]!;
    let payload = 0;
    let children = 0;
    if (first >= 0x80 && first < 0xa0) children = first < 0x90 ? 2 * (first & 15) : first & 15;
    else if (first >= 0xa0 && first < 0xc0) payload = first & 31;
    else if (first >= 0xc0 && first < 0xe0) {
      const head = HEADS[first - 0xc0]!;
      if (head < 0) return `the byte 0x${first.toString(16)} begins nothing`;
      if (head > bytes.length - at) return 'it ends in the middle';
      const isExt = first >= 0xc7 && first <= 0xc9;
      const width = isExt ? head - 1 : head;
      const isSized = (first >= 0xc4 && first <= 0xc9) || (first >= 0xd9 && first <= 0xdf);
      if (isSized) {
        const size = width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at) : view.getUint32(at);
        if (first >= 0xde) children = 2 * size;
        else if (first >= 0xdc) children = size;
        else payload = size;
      }
      at += head;
    }
    if (payload > bytes.length - at) return 'it ends in the middle';
    at += payload;
    if (open.length > 0) open[open.length - 1]!--;
    if (children > 0) {
      if (open.length === DEPTH_MAX) return `more than ${DEPTH_MAX} levels`;
      open.push(children);
    }
    while (open.length > 0 && open[open.length - 1] === 0) open.pop();
  } while (open.length > 0);
  return at === bytes.length ? undefined : `${bytes.length - at} bytes behind its end`;
}
