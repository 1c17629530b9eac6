/**
 * Values of a property context: what its type asks for, and that what it names is there. MS-PST 2.3.3.3 to 2.3.3.5.
 * @module
 */

import { PstError } from '../errors.js';
import { EXTERNAL, type PropertyStream } from '../ltp/stream.js';
import * as ptyp from '../mapi/type.js';
import { decodeValue } from '../mapi/value.js';
import type { SubnodeIndex } from '../ndb/subnode.js';
import { NPID_FIRST } from '../wire/nameid.js';
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import type { Context } from './context.js';
import { hex, tagText } from './findings.js';

/** 0xFFFF is no property id. */
const NPID_END = 0xffff;

export function checkValues(
  context: Context,
  top: number,
  nid: number,
  stream: PropertyStream,
  subnodes: SubnodeIndex,
): void {
  const inside = top === nid ? '' : `subnode ${hex(nid)}: `;
  for (let k = 0; k < stream.count; k++) {
    const tag = stream.tag(k);
    const type = ptyp.typeOf(tag);
    const id = ptyp.idOf(tag);
    if (id >= NPID_FIRST && id < NPID_END && nid !== NID.NAME_TO_ID_MAP) context.usedNames.add(id);
    if (id === 0x67f2 || id === 0x67f3) {
      context.add('pc.row-id', `${inside}${tagText(tag)} is stored in a property context, it belongs to rows`, {
        nid: top,
      });
    }
    if (k > 0 && ptyp.idOf(stream.tag(k - 1)) === ptyp.idOf(tag)) {
      context.add('pc.twice', `${inside}${tagText(tag)} and ${tagText(stream.tag(k - 1))} have one id`, { nid: top });
    }
    const flags = stream.flags(k);
    if (flags & EXTERNAL) {
      checkExternal(context, top, inside, tag, stream.place(k), subnodes);
      continue;
    }
    if (flags !== 0) continue; // inline, or damaged, which the core has noted
    const bytes = stream.value(k);
    if (type === ptyp.PtypObject) {
      checkObject(context, top, inside, tag, bytes, subnodes);
      continue;
    }
    if (bytes.length === 0) continue; // HNID 0
    if (
      type === ptyp.PtypString &&
      bytes.length >= 2 &&
      bytes[bytes.length - 1] === 0 &&
      bytes[bytes.length - 2] === 0
    ) {
      context.add('pc.trailing-nul', `${inside}${tagText(tag)} ends with a NUL`, { nid: top });
    }
    if (type !== ptyp.PtypString && !ptyp.isMultiple(type)) continue;
    try {
      decodeValue(type, bytes);
    } catch (error) {
      if (!(error instanceof PstError)) throw error;
      context.add('pc.value', `${inside}${tagText(tag)}: ${error.reason}`, { nid: top });
    }
  }
}

function checkExternal(
  context: Context,
  top: number,
  inside: string,
  tag: number,
  place: number,
  subnodes: SubnodeIndex,
): void {
  const index = subnodes.find(place);
  if (index < 0) {
    const message = `${inside}${tagText(tag)} is in subnode ${hex(place)}, which is not there`;
    context.add('pc.subnode', message, { nid: top, found: place });
    return;
  }
  if (nidType(place) !== NID_TYPE.LTP) {
    const message = `${inside}${tagText(tag)} is in subnode ${hex(place)}, values have type 0x1f`;
    context.add('pc.subnode-type', message, { nid: top, found: nidType(place), expected: NID_TYPE.LTP });
  }
  const size = ptyp.fixedSize(ptyp.typeOf(tag));
  if (size === 0 && ptyp.typeOf(tag) !== ptyp.PtypString) return;
  const bytes = context.attempt(top, () => context.ndb.treeSize(subnodes.bidData(index), { nid: top }));
  if (bytes === undefined) return;
  const isMultiple = ptyp.isMultiple(ptyp.typeOf(tag));
  if (size > 0 ? (isMultiple ? bytes % size !== 0 : bytes !== size) : bytes % 2 !== 0) {
    context.add('pc.value-size', `${inside}${tagText(tag)}: a value of ${bytes} bytes`, { nid: top, found: bytes });
  }
}

/** PtypObject: NID of a subnode, and its size; the size is compared where attachments are. 2.3.3.5. */
function checkObject(
  context: Context,
  top: number,
  inside: string,
  tag: number,
  bytes: Uint8Array,
  subnodes: SubnodeIndex,
): void {
  if (bytes.length !== 8) {
    if (bytes.length === 0) context.add('pc.object', `${inside}${tagText(tag)}: an object without NID`, { nid: top });
    return;
  }
  const target = new DataView(bytes.buffer, bytes.byteOffset, 8).getUint32(0, true);
  if (subnodes.find(target) < 0) {
    const message = `${inside}${tagText(tag)} leads to subnode ${hex(target)}, which is not there`;
    context.add('pc.object', message, { nid: top, found: target });
  }
}
