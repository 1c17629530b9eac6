/** Who: one person in the three forms MAPI keeps of them, which must agree (identity.md 2). @module */
import { encodeAnsi } from '../mapi/codepage.js';
import { makeAddressBookEntryId, makeOneOff } from '../mapi/entryid.js';
import { upperCase } from './conversation.js';
import { cut } from './properties.js';

/** An address, `ann@example.org`, or the parts. */
export type Address = string | { readonly name?: string; readonly address: string; readonly type?: string };

export interface Person {
  readonly name: string;
  readonly type: string;
  readonly address: string;
  /** A one-off entry id; of the address book when the type is EX and the address a DN. */
  readonly entryId: Uint8Array;
  /** `SMTP:ANN@EXAMPLE.ORG` and a NUL. */
  readonly searchKey: Uint8Array;
}

const LATIN = 1252;

export function personOf(address: Address): Person {
  const given = typeof address === 'string' ? { address } : address;
  const type = given.type ?? 'SMTP';
  const name = cut(given.name === undefined || given.name === '' ? given.address : given.name);
  const key = upperCase(`${type}:${given.address}\0`);
  return {
    name,
    type,
    address: given.address,
    entryId:
      (type === 'EX' ? makeAddressBookEntryId(given.address) : undefined) ?? makeOneOff(name, type, given.address)!,
    searchKey: encodeAnsi(key, LATIN) ?? new TextEncoder().encode(key),
  };
}
