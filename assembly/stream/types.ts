// How long the values of a property type are. MS-OXCDATA 2.11.1; 2.11.1.1 says what each type is.

/** The size is the value's own. */
export const VARIABLE: u32 = 0;
/** A type that is in no specification. */
export const UNKNOWN: u32 = 255;

// biome-ignore format: a row of 16 types each
const SIZES = memory.data<u8>([
// 0x0002 PtypInteger16 2 · 0003 Integer32 4 · 0004 Floating32 4 · 0005 Floating64 8 · 0006 Currency 8 · 0007 FloatingTime 8
// 0x000a PtypErrorCode 4 · 000b Boolean 1 · 000d Object (NID and size) 8
  255, 255,   2,   4,   4,   8,   8,   8, 255, 255,   4,   1, 255,   8, 255, 255,
// 0x0014 PtypInteger64 8 · 001e String8 · 001f String
  255, 255, 255, 255,   8, 255, 255, 255, 255, 255, 255, 255, 255, 255,   0,   0,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
// 0x0040 PtypTime 8 · 0048 Guid 16
    8, 255, 255, 255, 255, 255, 255, 255,  16, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
// 0x00fb PtypServerId · 00fd Restriction · 00fe RuleAction
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,   0, 255,   0,   0, 255,
// 0x0102 PtypBinary
  255, 255,   0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
]);
const TYPES: u32 = 0x110;

/** Bytes of a value of a fixed-size type, VARIABLE, or UNKNOWN. One load: types follow each other as they like, and a jump for each would be guessed wrong. */
export function fixedSize(type: u32): u32 {
  if (type < TYPES) return <u32>load<u8>(SIZES + <usize>type);
  return type & 0x1000 ? VARIABLE : UNKNOWN;
}
