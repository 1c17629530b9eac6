/**
 * The head of a Unicode store: HEADER at 0, the DList page at 0x4200, zeros between. MS-PST 2.2.2.6,
 * 2.2.2.7.4. Written last: until then the file is no store.
 * @module
 */
import type { Core } from '../../core/core.js';
import { SITE_HOST } from '../../core/site.js';
import type { Sink } from '../../host/source.js';
import {
  AMAP_VALID,
  CLIENT,
  CRC_FULL_SIZE,
  CRC_PARTIAL_SIZE,
  CRC_START,
  CRYPT,
  HEADER,
  MAGIC,
  RGNID_START,
  SENTINEL,
  WVER,
  WVER_CLIENT,
} from '../../wire/header.js';
import { DFL_BACKFILL_COMPLETE, DLIST } from '../../wire/map.js';
import { PTYPE } from '../../wire/page.js';
import { DLIST_IB, FIRST_AMAP } from './maps.js';
import { high32, low32 } from './space.js';

export type CryptMethod = 0 | 1 | 2;

/** What the header says beside the places of things. Every field has the default of a new store. */
export interface HeaderOptions {
  /** bCryptMethod: how data blocks are encoded. */
  readonly crypt?: CryptMethod;
  readonly magicClient?: 'SM' | 'SO';
  readonly verClient?: number;
  /** Counters: the next BID of a block (low two bits 0), the next of a page. */
  readonly bidNextB?: number;
  readonly bidNextP?: number;
  /** Next row version; every 67F3 in the store is below it. */
  readonly dwUnique?: number;
  /** 32 counters: the last index used of each NID type. */
  readonly rgnid?: Uint32Array;
  readonly dwReserved1?: number;
  readonly dwReserved2?: number;
  readonly bidUnused?: Uint8Array;
}

/** Older Outlook writes 0x0000000100000004 here, newer 0; both are accepted (scanpst.md section 2). */
const BID_UNUSED = Uint8Array.of(4, 0, 0, 0, 1, 0, 0, 0);
/** The next BIDs of a store that has none yet. 0 is "no block", so the first is 4. */
const FIRST_BID = 4;
const FIRST_PAGE_BID = 1;

export const withDefaults = (options: HeaderOptions): Required<HeaderOptions> => ({
  crypt: CRYPT.PERMUTE,
  magicClient: 'SM',
  verClient: options.magicClient === 'SO' ? WVER_CLIENT.OST : WVER_CLIENT.PST,
  bidNextB: FIRST_BID,
  bidNextP: FIRST_PAGE_BID,
  dwUnique: 1,
  rgnid: RGNID_START,
  dwReserved1: 0,
  dwReserved2: 0,
  bidUnused: BID_UNUSED,
  ...options,
});

/** What only the end of writing knows. */
export interface HeaderPlaces {
  readonly bidNextB: number;
  readonly bidNextP: number;
  readonly bidDList: number;
  readonly dwUnique: number;
  readonly rgnid: Uint32Array;
  readonly ibFileEof: number;
  readonly ibAMapLast: number;
  readonly cbAMapFree: number;
  readonly nbt: { readonly bid: number; readonly ib: number };
  readonly bbt: { readonly bid: number; readonly ib: number };
}

/** Writes the first 0x4400 bytes of the store. */
export function writeHead(core: Core, sink: Sink, options: Required<HeaderOptions>, places: HeaderPlaces): void {
  const head = core.x.alloc(FIRST_AMAP, SITE_HOST);
  core.u8.fill(0, head, head + FIRST_AMAP);
  const view = core.view;
  HEADER.write(view, head, {
    dwMagic: MAGIC,
    dwCRCPartial: 0,
    wMagicClient: options.magicClient === 'SO' ? CLIENT.OST : CLIENT.PST,
    wVer: WVER.UNICODE,
    wVerClient: options.verClient,
    bPlatformCreate: 1,
    bPlatformAccess: 1,
    dwReserved1: options.dwReserved1,
    dwReserved2: options.dwReserved2,
    bidUnused: options.bidUnused,
    bidNextP: places.bidNextP,
    dwUnique: places.dwUnique,
    rgnid: places.rgnid,
    qwUnused: new Uint8Array(8),
    root: {
      dwReserved: 0,
      ibFileEof: places.ibFileEof,
      ibAMapLast: places.ibAMapLast,
      cbAMapFree: places.cbAMapFree,
      cbPMapFree: 0,
      BREFNBT: { bid: places.nbt.bid, ib: places.nbt.ib },
      BREFBBT: { bid: places.bbt.bid, ib: places.bbt.ib },
      fAMapValid: AMAP_VALID.VALID2,
      bReserved: 0,
      wReserved: 0,
    },
    dwAlign: 0,
    // Deprecated maps of free runs. FF is what Outlook writes since 2007 SP2; less is a finding of ScanPST.
    rgbFM: new Uint8Array(128).fill(0xff),
    rgbFP: new Uint8Array(128).fill(0xff),
    bSentinel: SENTINEL,
    bCryptMethod: options.crypt,
    rgbReserved: new Uint8Array(2),
    bidNextB: places.bidNextB,
    dwCRCFull: 0,
    rgbReserved2: new Uint8Array(3),
    bReserved: 0,
    rgbReserved3: new Uint8Array(32),
  });
  // An empty DList whose backfill is complete: nothing to read from it, so nothing in it can be stale.
  view.setUint8(head + DLIST_IB + DLIST.at.bFlags, DFL_BACKFILL_COMPLETE);
  core.x.pageSeal(head, DLIST_IB, PTYPE.DL, low32(places.bidDList), high32(places.bidDList), DLIST_IB);

  const partial = core.x.crc(head, CRC_START, CRC_PARTIAL_SIZE) >>> 0;
  const full = core.x.crc(head, CRC_START, CRC_FULL_SIZE) >>> 0;
  core.view.setUint32(head + HEADER.at.dwCRCPartial, partial, true);
  core.view.setUint32(head + HEADER.at.dwCRCFull, full, true);
  sink.write(core.u8.subarray(head, head + FIRST_AMAP), 0);
  core.x.free(head);
}
