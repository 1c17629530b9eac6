/**
 * Code pages of 8-bit strings (PtypString8): Windows numbers to text and back.
 *
 * The decoders are the platform's (Encoding Standard, with full ICU). Windows-1252 is our own:
 * Node 20 decodes it as ISO 8859-1, which turns every typographic quote into a control character.
 * @module
 */

/** What a string is read as when its store does not say. */
export const DEFAULT_CODE_PAGE = 1252;

// Windows code page identifier: label of the Encoding Standard. 28591 and 28599 are read as their
// Windows supersets, as every mail reader does; 0 (CP_ACP), 1200 and 20127 occur as message code
// pages of strings that are plain 1252.
const LABELS: Readonly<Record<number, string>> = {
  0: 'windows-1252',
  866: 'ibm866',
  874: 'windows-874',
  932: 'shift_jis',
  936: 'gbk',
  949: 'euc-kr',
  950: 'big5',
  1200: 'windows-1252',
  1250: 'windows-1250',
  1251: 'windows-1251',
  1252: 'windows-1252',
  1253: 'windows-1253',
  1254: 'windows-1254',
  1255: 'windows-1255',
  1256: 'windows-1256',
  1257: 'windows-1257',
  1258: 'windows-1258',
  10000: 'macintosh',
  10007: 'x-mac-cyrillic',
  20127: 'windows-1252',
  20866: 'koi8-r',
  20932: 'euc-jp',
  20936: 'gbk',
  20949: 'euc-kr',
  21866: 'koi8-u',
  28591: 'windows-1252',
  28592: 'iso-8859-2',
  28593: 'iso-8859-3',
  28594: 'iso-8859-4',
  28595: 'iso-8859-5',
  28596: 'iso-8859-6',
  28597: 'iso-8859-7',
  28598: 'iso-8859-8',
  28599: 'windows-1254',
  28600: 'iso-8859-10',
  28601: 'windows-874',
  28603: 'iso-8859-13',
  28604: 'iso-8859-14',
  28605: 'iso-8859-15',
  38598: 'iso-8859-8-i',
  50220: 'iso-2022-jp',
  50221: 'iso-2022-jp',
  50222: 'iso-2022-jp',
  51932: 'euc-jp',
  51936: 'gbk',
  51949: 'euc-kr',
  51950: 'big5',
  54936: 'gb18030',
  65001: 'utf-8',
};

/** 0x80..0x9F of Windows-1252. The five bytes it leaves open decode to the C1 controls, as Windows does. */
const WINDOWS_1252_HIGH = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** Code unit of each byte of Windows-1252. */
const WINDOWS_1252 = Uint16Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252_HIGH.charCodeAt(byte - 0x80) : byte,
);

/** One call of String.fromCharCode takes its units as arguments: this many are safe on every engine. */
const UNITS_PER_CALL = 4096;

/** Label of the Encoding Standard, or undefined when nothing here reads that code page. */
export const codePageLabel = (codePage: number): string | undefined => LABELS[codePage];

/** Whether `decodeAnsi` has the code page; if not it reads 1252, and the caller has a finding. */
export const isKnownCodePage = (codePage: number): boolean => LABELS[codePage] !== undefined;

type Decoder = InstanceType<typeof TextDecoder>;
const decoders = new Map<string, Decoder>();

function decoder(label: string): Decoder {
  let it = decoders.get(label);
  if (it === undefined) {
    it = new TextDecoder(label, { ignoreBOM: true });
    decoders.set(label, it);
  }
  return it;
}

function decode1252(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length);
  for (let k = 0; k < units.length; k++) units[k] = WINDOWS_1252[bytes[k]!]!;
  return decoder('utf-16le').decode(units);
}

/** Never fails: a byte that means nothing becomes U+FFFD, an unknown code page is read as 1252. */
export function decodeAnsi(bytes: Uint8Array, codePage: number): string {
  const label = LABELS[codePage] ?? 'windows-1252';
  return label === 'windows-1252' ? decode1252(bytes) : decoder(label).decode(bytes);
}

/** Code point to one or two bytes (lead << 8 | trail), by label. Built on first use, by decoding everything. */
const encoders = new Map<string, ReadonlyMap<string, number>>();

function encoder(label: string): ReadonlyMap<string, number> {
  let table = encoders.get(label);
  if (table !== undefined) return table;
  const found = new Map<string, number>();
  const read = label === 'windows-1252' ? decode1252 : (bytes: Uint8Array) => decoder(label).decode(bytes);
  const note = (text: string, code: number): void => {
    // One code point, and its first spelling wins: later ones are compatibility duplicates.
    if (text.includes('\ufffd') || [...text].length !== 1 || found.has(text)) return;
    found.set(text, code);
  };
  const lead: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    const text = read(Uint8Array.of(byte));
    note(text, byte);
    if (text.includes('\ufffd')) lead.push(byte);
  }
  for (const byte of lead) {
    for (let trail = 0x30; trail < 256; trail++) note(read(Uint8Array.of(byte, trail)), (byte << 8) | trail);
  }
  table = found;
  encoders.set(label, table);
  return table;
}

/**
 * undefined when the code page is unknown, cannot be written (ISO 2022 switches sets by escapes), or
 * lacks a character of the text. The result decodes to the same text.
 */
export function encodeAnsi(text: string, codePage: number): Uint8Array | undefined {
  const label = LABELS[codePage];
  if (label === undefined || label === 'iso-2022-jp') return undefined;
  if (label === 'utf-8') return isWellFormed(text) ? new TextEncoder().encode(text) : undefined;
  const table = encoder(label);
  const bytes: number[] = [];
  for (const char of text) {
    const code = table.get(char);
    if (code === undefined) return undefined;
    if (code > 0xff) bytes.push(code >>> 8);
    bytes.push(code & 0xff);
  }
  return Uint8Array.from(bytes);
}

/** No half of a surrogate pair alone: UTF-8 has no form for one. */
const isWellFormed = (text: string): boolean =>
  !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);

const utf16 = new TextDecoder('utf-16le', { ignoreBOM: true });

/** UTF-16LE of an even number of bytes. Unlike TextDecoder's, the result keeps unpaired surrogates. */
export function decodeUtf16(bytes: Uint8Array): string {
  const text = utf16.decode(bytes);
  if (!text.includes('\ufffd')) return text;
  let exact = '';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 1 < bytes.length; at += 2 * UNITS_PER_CALL) {
    const count = Math.min(UNITS_PER_CALL, (bytes.length - at) >>> 1);
    exact += String.fromCharCode(...Array.from({ length: count }, (_, i) => view.getUint16(at + 2 * i, true)));
  }
  return exact;
}

export function encodeUtf16(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[2 * i] = unit & 0xff;
    bytes[2 * i + 1] = unit >>> 8;
  }
  return bytes;
}
