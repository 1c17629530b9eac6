/**
 * A stop in one plain sentence: what happened, how many bytes from which block, at which property of which item.
 * @module
 */
import { hex } from '../errors.js';
import { NID, NID_TYPE, nidName, nidType } from '../wire/nid.js';
import type { Stop } from './fault.js';
import { freerName } from './site.js';

/** Names what the core has only as numbers; mapi/tags.ts has `tagName`. */
export interface Names {
  readonly property?: (tag: number) => string | undefined;
}

const bytes = (n: number): string => `${n.toLocaleString('en-US')} byte${n === 1 ? '' : 's'}`;

/** What a node is, for a sentence. */
const NODE_NOUNS: Readonly<Record<number, string>> = {
  [NID_TYPE.NORMAL_FOLDER]: 'folder',
  [NID_TYPE.SEARCH_FOLDER]: 'search folder',
  [NID_TYPE.NORMAL_MESSAGE]: 'message',
  [NID_TYPE.ASSOC_MESSAGE]: 'associated item',
  [NID_TYPE.ATTACHMENT]: 'attachment',
  [NID_TYPE.HIERARCHY_TABLE]: 'hierarchy table',
  [NID_TYPE.CONTENTS_TABLE]: 'contents table',
  [NID_TYPE.ASSOC_CONTENTS_TABLE]: 'table of associated items',
  [NID_TYPE.SEARCH_CONTENTS_TABLE]: 'search contents table',
  [NID_TYPE.ATTACHMENT_TABLE]: 'attachment table',
  [NID_TYPE.RECIPIENT_TABLE]: 'recipient table',
};

function nodeText(nid: number): string {
  if (nid === NID.MESSAGE_STORE) return 'the store’s own properties (node 0x21)';
  if (nid === NID.NAME_TO_ID_MAP) return 'the map of named properties (node 0x61)';
  const noun = NODE_NOUNS[nidType(nid)];
  return noun === undefined ? `node ${hex(nid)} (${nidName(nid)})` : `${noun} ${hex(nid)}`;
}

/** `PidTagSenderEntryId of message 0x200024`. */
export function itemText({ nid, tag }: Pick<Stop, 'nid' | 'tag'>, names: Names = {}): string {
  const property = tag === 0 ? '' : (names.property?.(tag) ?? `property 0x${tag.toString(16).padStart(8, '0')}`);
  if (nid === 0) return property;
  return property === '' ? nodeText(nid) : `${property} of ${nodeText(nid)}`;
}

/** What happened, where in which block, at which property of which item. */
export function sentence(stop: Stop, names: Names = {}): string {
  const item = itemText(stop, names);
  return `${deed(stop)}${item === '' ? '' : `, at ${item}`}.`;
}

function deed(stop: Stop): string {
  const { kind, address, width, block, size, site, siteId, freeSiteId } = stop;
  const hasBlock = block !== 0;
  const what = hasBlock ? `the ${size.toLocaleString('en-US')}-byte block of ${site}` : 'no block';
  const by = siteId === 0 ? '' : ` (${stop.decoder})`;
  const freer = freerName(freeSiteId);
  const access = width === 0 ? 'An access' : `An access of ${bytes(width)}`;
  const before = block - address;
  const into = address - block;
  const past = into - size;
  const place =
    into < 0
      ? `${bytes(before)} before ${what}${by}`
      : past >= 0
        ? `${past === 0 ? 'right' : bytes(past)} past the end of ${what}${by}`
        : `${bytes(into)} into ${what}${by}`;
  switch (kind) {
    case 'overrun':
      return `${access} went ${place}`;
    case 'underrun':
      return `${access} went ${place}`;
    case 'use after free':
      return `${access} went ${place}, which ${freer} had freed`;
    case 'double free':
      return `${capital(what)}${by} was freed again after ${freer} had freed it`;
    case 'bad free':
      return hasBlock
        ? `An address ${place} was freed: not its start`
        : `Address ${hex(address)} was freed by ${freer}, where no block is`;
    case 'wild access':
      return hasBlock
        ? `${access} went ${place}, by an address that is not the block’s`
        : `${access} went to ${hex(address)}, where no block is`;
    case 'null access':
      return `${access} went to ${hex(address)}, through a null pointer`;
    case 'slack damage':
    case 'suffix damage':
      return `The byte ${place} was overwritten, seen when the block was given back`;
    case 'start stamp damage':
    case 'end stamp damage':
    case 'heap pointer damage':
      return `The ${kind.replace(' damage', '')} ${place} was overwritten, seen when the block was given back`;
    case 'write after free':
      return `The byte ${place} was written after ${freer} had freed the block, seen when the block left the queue of freed blocks`;
    case 'leak':
      return `${capital(what)}${by} was never freed`;
    case 'heap list damage':
      return 'The tables of the page heap were overwritten, seen at the next call of the allocator';
    case 'uninitialised read':
      return `The byte ${place} was read before anything had written it`;
    case 'extreme size':
    case 'memory exhausted':
      return `${bytes(size)} were asked for as ${site}${by}, more than there is`;
    default:
      return `${capital(kind)} at ${hex(address)}`;
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
