/**
 * Reads and verifies the HEADER. MS-PST 2.2.2.6. Both layouts come out as one `Header`, fields by the spec's names.
 * @module
 */
import type { Core } from '../core/core.js';
import { hex, PstError } from '../errors.js';
import type { Source } from '../host/source.js';
import {
  CLIENT,
  CRC_FULL_SIZE,
  CRC_PARTIAL_SIZE,
  CRC_START,
  CRYPT,
  HEADER,
  HEADER_ANSI,
  MAGIC,
  SENTINEL,
  WVER,
} from '../wire/header.js';
import { ANSI, UNICODE, UNICODE_4K, type Variant } from '../wire/variant.js';

/** Takes a fault that reading can survive. */
export type Report = (finding: PstError) => void;

export interface Bref {
  readonly bid: number;
  readonly ib: number;
}

export interface Root {
  readonly ibFileEof: number;
  readonly ibAMapLast: number;
  readonly cbAMapFree: number;
  readonly cbPMapFree: number;
  readonly nbt: Bref;
  readonly bbt: Bref;
  readonly fAMapValid: number;
}

export interface Header {
  readonly variant: Variant;
  /** 0 none, 1 permute, 2 cyclic: what the core calls the method. */
  readonly crypt: 0 | 1 | 2;
  readonly dwMagic: number;
  readonly dwCRCPartial: number;
  /** ANSI has none. */
  readonly dwCRCFull: number | undefined;
  readonly wMagicClient: number;
  readonly wVer: number;
  readonly wVerClient: number;
  readonly bPlatformCreate: number;
  readonly bPlatformAccess: number;
  readonly dwReserved1: number;
  readonly dwReserved2: number;
  readonly bidNextP: number;
  readonly bidNextB: number;
  readonly dwUnique: number;
  /** Last nidIndex used, by NID type. */
  readonly rgnid: Uint32Array;
  readonly rgbFM: Uint8Array;
  readonly rgbFP: Uint8Array;
  readonly bSentinel: number;
  readonly bCryptMethod: number;
  readonly root: Root;
  /** The header's bytes as they are in the file: 512 (ANSI) or 564. */
  readonly raw: Uint8Array;
}

const field = (name: string) => ({ field: `HEADER.${name}`, section: '2.2.2.6', ib: 0 });

/** What people hand in instead of a store. */
const OTHERS: readonly [string, string][] = [
  ['504b0304', 'a ZIP archive'],
  ['d0cf11e0a1b11ae1', 'an OLE compound file, such as a .msg'],
  ['1f8b', 'a gzip file'],
  ['377abcaf271c', 'a 7z archive'],
  ['52617221', 'a RAR archive'],
  ['46726f6d20', 'an mbox file'],
  ['25504446', 'a PDF file'],
  ['0000000000000000', 'zeros'],
];

function notAStore(name: string, head: Uint8Array): PstError {
  if (head.length === 0) return new PstError('PST_NOT_A_STORE', `${name} is empty`);
  const start = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const other = OTHERS.find(([magic]) => start.startsWith(magic));
  const evidence = other ? `it looks like ${other[1]}` : `it begins with ${start}`;
  return new PstError(
    'PST_NOT_A_STORE',
    `${name} is not a PST or OST: no "!BDN" at its start, ${evidence}`,
    field('dwMagic'),
  );
}

function variantOf(wVer: number): Variant {
  if (wVer === WVER.ANSI || wVer === WVER.ANSI_15) return ANSI;
  if (wVer === WVER.UNICODE) return UNICODE;
  if (wVer === WVER.UNICODE_4K) return UNICODE_4K;
  if (wVer === WVER.UNICODE_4K_WIP) {
    const message = 'the store is version 37, protected by Windows Information Protection: only its owner can read it';
    throw new PstError('PST_UNSUPPORTED', message, field('wVer'));
  }
  throw new PstError('PST_UNSUPPORTED', `the store is of unknown version ${wVer}`, field('wVer'));
}

function cryptOf(bCryptMethod: number): 0 | 1 | 2 {
  if (bCryptMethod === CRYPT.NONE || bCryptMethod === CRYPT.PERMUTE || bCryptMethod === CRYPT.CYCLIC)
    return bCryptMethod;
  const message =
    bCryptMethod === CRYPT.EDPCRYPTED
      ? 'the store is protected by Windows Information Protection: only its owner can read it'
      : `unknown encoding ${hex(bCryptMethod)}`;
  throw new PstError('PST_UNSUPPORTED', message, field('bCryptMethod'));
}

/**
 * Reads the header. Throws PST_NOT_A_STORE, PST_UNSUPPORTED, PST_TRUNCATED, PST_ABSURD; faults that do not keep
 * anyone from reading (checksums, sentinel, file size) go to `report`.
 */
export function readHeader(source: Source, core: Core, report: Report): Header {
  const head = new Uint8Array(Math.min(HEADER.size, source.size));
  const raw = head.subarray(0, source.read(head, 0));
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  if (raw.length < 12 || view.getUint32(0, true) !== MAGIC) throw notAStore(source.name, raw);

  const wMagicClient = view.getUint16(HEADER.at.wMagicClient, true);
  if (!Object.values(CLIENT).some((client) => client === wMagicClient)) {
    const message = `${source.name} is not a PST or OST: the client is ${hex(wMagicClient)}`;
    throw new PstError('PST_NOT_A_STORE', message, field('wMagicClient'));
  }
  const variant = variantOf(view.getUint16(HEADER.at.wVer, true));
  const header = variant === ANSI ? readAnsi(view, raw) : readUnicode(view, raw, variant);

  const ptr = core.put(raw);
  const partial = core.x.crc(ptr, CRC_START, CRC_PARTIAL_SIZE) >>> 0;
  const full = header.dwCRCFull === undefined ? undefined : core.x.crc(ptr, CRC_START, CRC_FULL_SIZE) >>> 0;
  core.x.free(ptr);
  const compare = (name: string, stored: number | undefined, computed: number | undefined): void => {
    if (stored === undefined || computed === undefined || stored === computed) return;
    report(new PstError('PST_BAD_CRC', `stored CRC ${hex(stored)}, computed ${hex(computed)}`, field(name)));
  };
  compare('dwCRCPartial', header.dwCRCPartial, partial);
  compare('dwCRCFull', header.dwCRCFull, full);

  if (header.bSentinel !== SENTINEL) {
    const message = `sentinel is ${hex(header.bSentinel)}, not ${hex(SENTINEL)}`;
    report(new PstError('PST_NOT_A_STORE', message, field('bSentinel')));
  }
  if (source.size < header.root.ibFileEof) {
    const message = `the file has ${source.size} bytes, its header says ${header.root.ibFileEof}`;
    report(new PstError('PST_TRUNCATED', message, { field: 'ROOT.ibFileEof', section: '2.2.2.5' }));
  }
  return header;
}

function readUnicode(view: DataView, raw: Uint8Array, variant: Variant): Header {
  const h = HEADER.read(view);
  return { ...common(h), variant, dwCRCFull: h.dwCRCFull, raw };
}

function readAnsi(view: DataView, raw: Uint8Array): Header {
  const h = HEADER_ANSI.read(view);
  return { ...common(h), variant: ANSI, dwCRCFull: undefined, raw: raw.subarray(0, HEADER_ANSI.size) };
}

function common(h: ReturnType<typeof HEADER.read> | ReturnType<typeof HEADER_ANSI.read>) {
  return {
    crypt: cryptOf(h.bCryptMethod),
    dwMagic: h.dwMagic,
    dwCRCPartial: h.dwCRCPartial,
    wMagicClient: h.wMagicClient,
    wVer: h.wVer,
    wVerClient: h.wVerClient,
    bPlatformCreate: h.bPlatformCreate,
    bPlatformAccess: h.bPlatformAccess,
    dwReserved1: h.dwReserved1,
    dwReserved2: h.dwReserved2,
    bidNextP: h.bidNextP,
    bidNextB: h.bidNextB,
    dwUnique: h.dwUnique,
    rgnid: h.rgnid,
    rgbFM: h.rgbFM,
    rgbFP: h.rgbFP,
    bSentinel: h.bSentinel,
    bCryptMethod: h.bCryptMethod,
    root: {
      ibFileEof: h.root.ibFileEof,
      ibAMapLast: h.root.ibAMapLast,
      cbAMapFree: h.root.cbAMapFree,
      cbPMapFree: h.root.cbPMapFree,
      nbt: h.root.BREFNBT,
      bbt: h.root.BREFBBT,
      fAMapValid: h.root.fAMapValid,
    },
  };
}
