/**
 * Property types. MS-OXCDATA 2.11.1.
 *
 * A tag is `id << 16 | type`. A multi-valued type is its base type with MULTIPLE set; the table
 * instance bit 0x2000 of the wire protocols never reaches a store.
 * @module
 */

/** Set in every PtypMultiple… type. */
export const MULTIPLE = 0x1000;

export const PtypUnspecified = 0x0000;
export const PtypNull = 0x0001;
export const PtypInteger16 = 0x0002;
export const PtypInteger32 = 0x0003;
export const PtypFloating32 = 0x0004;
export const PtypFloating64 = 0x0005;
export const PtypCurrency = 0x0006;
export const PtypFloatingTime = 0x0007;
export const PtypErrorCode = 0x000a;
export const PtypBoolean = 0x000b;
export const PtypObject = 0x000d;
export const PtypInteger64 = 0x0014;
export const PtypString8 = 0x001e;
export const PtypString = 0x001f;
export const PtypTime = 0x0040;
export const PtypGuid = 0x0048;
export const PtypServerId = 0x00fb;
export const PtypRestriction = 0x00fd;
export const PtypRuleAction = 0x00fe;
export const PtypBinary = 0x0102;
export const PtypMultipleInteger16 = 0x1002;
export const PtypMultipleInteger32 = 0x1003;
export const PtypMultipleFloating32 = 0x1004;
export const PtypMultipleFloating64 = 0x1005;
export const PtypMultipleCurrency = 0x1006;
export const PtypMultipleFloatingTime = 0x1007;
export const PtypMultipleInteger64 = 0x1014;
export const PtypMultipleString8 = 0x101e;
export const PtypMultipleString = 0x101f;
export const PtypMultipleTime = 0x1040;
export const PtypMultipleGuid = 0x1048;
export const PtypMultipleBinary = 0x1102;

export interface PropertyType {
  readonly type: number;
  /** Name in MS-OXCDATA, `PtypInteger32`. */
  readonly name: string;
  /** Name in mapidefs.h without its `PT_`, lower case: what a person types. `long`, `unicode`. */
  readonly alias: string;
  /** Bytes of one value, 0 when they vary. Canonical: a Boolean is 1 byte, whatever a PC spends on it. */
  readonly size: number;
}

// Name, alias, size of one value; MS-OXCDATA 2.11.1, sizes of an object reference MS-PST 2.3.3.5.
const SINGLE: readonly (readonly [number, string, string, number])[] = [
  [PtypUnspecified, 'Unspecified', 'unspecified', 0],
  [PtypNull, 'Null', 'null', 0],
  [PtypInteger16, 'Integer16', 'short', 2],
  [PtypInteger32, 'Integer32', 'long', 4],
  [PtypFloating32, 'Floating32', 'float', 4],
  [PtypFloating64, 'Floating64', 'double', 8],
  [PtypCurrency, 'Currency', 'currency', 8],
  [PtypFloatingTime, 'FloatingTime', 'apptime', 8],
  [PtypErrorCode, 'ErrorCode', 'error', 4],
  [PtypBoolean, 'Boolean', 'boolean', 1],
  [PtypObject, 'Object', 'object', 8],
  [PtypInteger64, 'Integer64', 'longlong', 8],
  [PtypString8, 'String8', 'string8', 0],
  [PtypString, 'String', 'unicode', 0],
  [PtypTime, 'Time', 'systime', 8],
  [PtypGuid, 'Guid', 'clsid', 16],
  [PtypServerId, 'ServerId', 'svreid', 0],
  [PtypRestriction, 'Restriction', 'srestriction', 0],
  [PtypRuleAction, 'RuleAction', 'actions', 0],
  [PtypBinary, 'Binary', 'binary', 0],
];

/** Base types that MS-OXCDATA 2.11.1 gives a PtypMultiple… form. */
const MULTIPLES: ReadonlySet<number> = new Set([
  PtypInteger16,
  PtypInteger32,
  PtypFloating32,
  PtypFloating64,
  PtypCurrency,
  PtypFloatingTime,
  PtypInteger64,
  PtypString8,
  PtypString,
  PtypTime,
  PtypGuid,
  PtypBinary,
]);

const BY_TYPE = new Map<number, PropertyType>();
for (const [type, name, alias, size] of SINGLE) {
  BY_TYPE.set(type, { type, name: `Ptyp${name}`, alias, size });
  if (!MULTIPLES.has(type)) continue;
  BY_TYPE.set(type | MULTIPLE, { type: type | MULTIPLE, name: `PtypMultiple${name}`, alias: `mv_${alias}`, size });
}
const BY_NAME = new Map<string, PropertyType>();
for (const it of BY_TYPE.values()) {
  BY_NAME.set(it.name.toLowerCase(), it);
  BY_NAME.set(it.alias, it);
}

/** Every type we know, single ones first. */
export const propertyTypes = (): IterableIterator<PropertyType> => BY_TYPE.values();

export const findType = (type: number): PropertyType | undefined => BY_TYPE.get(type);

/** By `PtypString` or by alias, `unicode`; case is ignored. */
export const findTypeNamed = (name: string): PropertyType | undefined => BY_NAME.get(name.toLowerCase());

/** `PtypString`, or `0x1234` for a type nobody defined. */
export const typeName = (type: number): string => BY_TYPE.get(type)?.name ?? `0x${type.toString(16).padStart(4, '0')}`;

export const isMultiple = (type: number): boolean => (type & MULTIPLE) !== 0 && BY_TYPE.has(type);

/** The type of one value of a multi-valued type; any other type is returned as it is. */
export const baseType = (type: number): number => (isMultiple(type) ? type & ~MULTIPLE : type);

/** Bytes of one value (of one element, if multi-valued); 0 when they vary or the type is unknown. */
export const fixedSize = (type: number): number => BY_TYPE.get(type)?.size ?? 0;

export const tagOf = (id: number, type: number): number => ((id << 16) | type) >>> 0;
export const idOf = (tag: number): number => tag >>> 16;
export const typeOf = (tag: number): number => tag & 0xffff;
