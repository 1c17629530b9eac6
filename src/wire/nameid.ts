/** Named properties: the entries of the map at NID_NAME_TO_ID_MAP. MS-PST 2.4.7. @module */
import { struct, u16, u32 } from './struct.js';

export const NAMEID = struct('NAMEID', '2.4.7.1', 8, {
  dwPropertyID: u32, // a number, or the offset of the name in the string stream; in a hash bucket the name's CRC
  wGuid: u16, // bit 0 (N): 1 for a string; the rest: index of the GUID
  wPropIdx: u16, // the property id is NPID_FIRST + this
});

/** Property id of ordinal 0. 2.4.7.1. */
export const NPID_FIRST = 0x8000;
/** GUID indices 0, 1, 2 are fixed; n is GUID n - GUID_INDEX_FIRST of the GUID stream. 2.4.7.1. */
export const GUID_INDEX = { NONE: 0, PS_MAPI: 1, PS_PUBLIC_STRINGS: 2 } as const;
export const GUID_INDEX_FIRST = 3;
/** Tags in the map's PC. 2.4.7.2 to 2.4.7.5. */
export const NAMEID_PROP = {
  BUCKET_COUNT: 0x0001,
  GUIDS: 0x0002,
  ENTRIES: 0x0003,
  STRINGS: 0x0004,
  BUCKET_FIRST: 0x1000,
} as const;
/** Value of PidTagNameidBucketCount. 2.4.7.1. */
export const BUCKET_COUNT = 251;
