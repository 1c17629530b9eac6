/** Node ids: 5 bits of type, 27 bits of index. MS-PST 2.2.2.1 (types), 2.4.1 (fixed nodes). @module */

/** nidType. The types 0x14 to 0x19 of OSTs are not in MS-PST and have no name here. */
export const NID_TYPE = {
  HID: 0x00,
  INTERNAL: 0x01,
  NORMAL_FOLDER: 0x02,
  SEARCH_FOLDER: 0x03,
  NORMAL_MESSAGE: 0x04,
  ATTACHMENT: 0x05,
  SEARCH_UPDATE_QUEUE: 0x06,
  SEARCH_CRITERIA_OBJECT: 0x07,
  ASSOC_MESSAGE: 0x08,
  CONTENTS_TABLE_INDEX: 0x0a,
  RECEIVE_FOLDER_TABLE: 0x0b,
  OUTGOING_QUEUE_TABLE: 0x0c,
  HIERARCHY_TABLE: 0x0d,
  CONTENTS_TABLE: 0x0e,
  ASSOC_CONTENTS_TABLE: 0x0f,
  SEARCH_CONTENTS_TABLE: 0x10,
  ATTACHMENT_TABLE: 0x11,
  RECIPIENT_TABLE: 0x12,
  SEARCH_TABLE_INDEX: 0x13,
  LTP: 0x1f,
} as const;

/** Nodes with a fixed id. 2.4.1; the templates 2.4.4, 2.4.6; the last group seen in real stores. */
export const NID = {
  MESSAGE_STORE: 0x21,
  NAME_TO_ID_MAP: 0x61,
  NORMAL_FOLDER_TEMPLATE: 0xa1,
  SEARCH_FOLDER_TEMPLATE: 0xc1,
  ROOT_FOLDER: 0x122,
  SEARCH_MANAGEMENT_QUEUE: 0x1e1,
  SEARCH_ACTIVITY_LIST: 0x201,
  RESERVED1: 0x241,
  SEARCH_DOMAIN_OBJECT: 0x261,
  SEARCH_GATHERER_QUEUE: 0x281,
  SEARCH_GATHERER_DESCRIPTOR: 0x2a1,
  RESERVED2: 0x2e1,
  RESERVED3: 0x301,
  SEARCH_GATHERER_FOLDER_QUEUE: 0x321,
  HIERARCHY_TABLE_TEMPLATE: 0x60d,
  CONTENTS_TABLE_TEMPLATE: 0x60e,
  ASSOC_CONTENTS_TABLE_TEMPLATE: 0x60f,
  SEARCH_CONTENTS_TABLE_TEMPLATE: 0x610,
  RECEIVE_FOLDER_TABLE_TEMPLATE: 0x62b,
  OUTGOING_QUEUE_TABLE_TEMPLATE: 0x64c,
  ATTACHMENT_TABLE: 0x671,
  RECIPIENT_TABLE: 0x692,
  REPLICATION_TEMPLATE_6B6: 0x6b6,
  REPLICATION_TEMPLATE_6D7: 0x6d7,
  REPLICATION_TEMPLATE_6F8: 0x6f8,
  HIERARCHY_MAP: 0xc01,
  MESSAGE_INDEX: 0xe01,
} as const;

export const nidType = (nid: number): number => nid & 0x1f;
export const nidIndex = (nid: number): number => nid >>> 5;
export const makeNid = (type: number, index: number): number => ((index << 5) | type) >>> 0;
/** The node of another type that shares the index: a folder's tables. 2.4.4. */
export const siblingNid = (nid: number, type: number): number => ((nid & ~0x1f) | type) >>> 0;

const TYPE_NAMES = new Map<number, string>(Object.entries(NID_TYPE).map(([name, type]) => [type, name]));
const FIXED_NAMES = new Map<number, string>(Object.entries(NID).map(([name, nid]) => [nid, name]));

/** `NORMAL_MESSAGE`; `type 0x14` for a type without a name. */
export const nidTypeName = (nid: number): string =>
  TYPE_NAMES.get(nidType(nid)) ?? `type 0x${nidType(nid).toString(16)}`;

/** `ROOT_FOLDER` for a fixed node, else the name of the type. */
export const nidName = (nid: number): string => FIXED_NAMES.get(nid) ?? nidTypeName(nid);
