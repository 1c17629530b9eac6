/**
 * PidTagAdditionalRenEntryIdsEx: the ids of the special folders that came after those with a property of their own. MS-OXOSFLD 2.2.5.
 *
 *     PersistData      PersistID u16 · DataElementsSize u16 · elements …         PersistID 0: the end
 *     PersistElement   ElementID u16 · ElementDataSize u16 · data                 1 entry id · 2 header u32 · 0 end
 *
 * Seen in real stores (76 values): a block with one element has no element end; two values have no end at all.
 * @module
 */

const HEAD = 4;
/** MS-OXOSFLD 2.2.5.1, PERSIST_SENTINEL; 2.2.5.2, RSF_ELID_ENTRYID, ELEMENT_SENTINEL. */
const PERSIST_SENTINEL = 0;
const ELID_ENTRYID = 1;
const ELEMENT_SENTINEL = 0;

export interface PersistData {
  /** PersistID → entry id, in the order of the file; of two with one id, the first. */
  readonly entryIds: ReadonlyMap<number, Uint8Array>;
  /** What is wrong with the value, when something is: the rest of it was not read. */
  readonly damage: string | undefined;
}

/** Never throws. Blocks and elements of unknown kinds are passed over by their sizes; entry ids are views of `bytes`. */
export function parsePersistData(bytes: Uint8Array): PersistData {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entryIds = new Map<number, Uint8Array>();
  const wrong = (what: string, at: number, size: number, room: number): PersistData => ({
    entryIds,
    damage: `${what} at ${at} claims ${size} bytes, there are ${room}`,
  });
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < HEAD) return wrong('a block', at, HEAD, bytes.length - at);
    const id = view.getUint16(at, true);
    const size = view.getUint16(at + 2, true);
    if (id === PERSIST_SENTINEL) break;
    const from = at + HEAD;
    if (size > bytes.length - from) return wrong('a block', at, size, bytes.length - from);
    const end = from + size;
    for (let element = from; element < end; ) {
      if (end - element < HEAD) return wrong('an element', element, HEAD, end - element);
      const kind = view.getUint16(element, true);
      const length = view.getUint16(element + 2, true);
      if (kind === ELEMENT_SENTINEL) break;
      const data = element + HEAD;
      if (length > end - data) return wrong('an element', element, length, end - data);
      if (kind === ELID_ENTRYID && !entryIds.has(id)) entryIds.set(id, bytes.subarray(data, data + length));
      element = data + length;
    }
    at = end;
  }
  return { entryIds, damage: undefined };
}
