/** HEADER and ROOT, and its counters. MS-PST 2.2.2.5, 2.2.2.6. @module */
import {
  AMAP_VALID,
  CLIENT,
  CRC_FULL_SIZE,
  CRC_PARTIAL_SIZE,
  CRC_START,
  HEADER,
  RGNID_START,
  SENTINEL,
  WVER,
  WVER_CLIENT,
} from '../wire/header.js';
import { MAP } from '../wire/map.js';
import { NID_TYPE } from '../wire/nid.js';
import { ANSI } from '../wire/variant.js';
import type { Context } from './context.js';
import { hex } from './findings.js';
import type { TreePages } from './trees.js';

const PLATFORM = 1;
/** bidUnused: newer Outlook leaves 0, older this. Seen in real stores. */
const BID_UNUSED = '0400000001000000';
const ZEROS_8 = '0000000000000000';

/** Everything but the counters. */
export function checkHeader(context: Context): void {
  const { ndb, core, source } = context;
  const { header } = ndb;
  const { raw, root } = header;
  const ib = 0;

  const ptr = core.put(raw);
  const crcPartial = core.x.crc(ptr, CRC_START, CRC_PARTIAL_SIZE) >>> 0;
  const crcFull = header.dwCRCFull === undefined ? undefined : core.x.crc(ptr, CRC_START, CRC_FULL_SIZE) >>> 0;
  core.x.free(ptr);
  if (header.dwCRCPartial !== crcPartial) {
    const place = { ib, found: header.dwCRCPartial, expected: crcPartial };
    context.add(
      'header.crc-partial',
      `dwCRCPartial is ${hex(header.dwCRCPartial)}, computed ${hex(crcPartial)}`,
      place,
    );
  }
  if (crcFull !== undefined && header.dwCRCFull !== crcFull) {
    const place = { ib, found: header.dwCRCFull, expected: crcFull };
    context.add('header.crc-full', `dwCRCFull is ${hex(header.dwCRCFull!)}, computed ${hex(crcFull)}`, place);
  }
  const expect = (rule: Parameters<Context['add']>[0], field: string, found: number, expected: number): void => {
    if (found !== expected) {
      context.add(rule, `${field} is ${hex(found)}, expected ${hex(expected)}`, { ib, found, expected });
    }
  };
  expect('header.sentinel', 'bSentinel', header.bSentinel, SENTINEL);
  const isOst = header.wMagicClient === CLIENT.OST;
  expect('header.client', 'wVerClient', header.wVerClient, isOst ? WVER_CLIENT.OST : WVER_CLIENT.PST);
  expect('header.platform', 'bPlatformCreate', header.bPlatformCreate, PLATFORM);
  expect('header.platform', 'bPlatformAccess', header.bPlatformAccess, PLATFORM);
  if (context.isOwn) {
    expect('header.version', 'wMagicClient', header.wMagicClient, CLIENT.PST);
    expect('header.version', 'wVer', header.wVer, WVER.UNICODE);
    if (header.bCryptMethod > 1) {
      context.add('header.encoding', `bCryptMethod is ${header.bCryptMethod}, we write 0 or 1`, {
        ib,
        found: header.bCryptMethod,
        expected: 1,
      });
    }
  }
  if (context.variant !== ANSI) {
    const at = HEADER.at.bidUnused;
    const bidUnused = Buffer.from(raw.subarray(at, at + 8)).toString('hex');
    if (bidUnused !== ZEROS_8 && bidUnused !== BID_UNUSED) {
      context.add('header.bid-unused', `bidUnused is ${bidUnused}`, { ib, found: bidUnused, expected: BID_UNUSED });
    }
  }

  if (root.fAMapValid !== AMAP_VALID.VALID2) {
    const message = `fAMapValid is ${root.fAMapValid}: ${root.fAMapValid === AMAP_VALID.VALID1 ? 'an old value' : 'the maps were not in step when the store was closed'}`;
    const place = { ib, found: root.fAMapValid, expected: AMAP_VALID.VALID2 };
    context.add('header.amap-valid', message, place, root.fAMapValid === AMAP_VALID.VALID1 ? 'none' : 'warning');
  }
  if (source.size !== root.ibFileEof) {
    const message = `the file has ${source.size} bytes, ibFileEof says ${root.ibFileEof}`;
    const place = { ib, found: source.size, expected: root.ibFileEof };
    context.add('header.file-size', message, place, source.size < root.ibFileEof ? 'error' : 'warning');
  }
  const { ibFirst, interval } = MAP[context.variant];
  const covered = root.ibFileEof - ibFirst;
  if (covered <= 0 || covered % interval !== 0) {
    const message = `ibFileEof is ${hex(root.ibFileEof)}, not ${hex(ibFirst)} + n x ${hex(interval)}`;
    // Seen in real stores: 4 of 11 ANSI stores end in the middle of an interval.
    context.add('header.interval', message, { ib, found: root.ibFileEof }, context.variant === ANSI ? 'none' : 'error');
  }
  if (covered > 0) {
    expect('header.amap-last', 'ibAMapLast', root.ibAMapLast, ibFirst + (Math.ceil(covered / interval) - 1) * interval);
  }
  if (root.cbPMapFree !== 0) expect('header.pmap-free', 'cbPMapFree', root.cbPMapFree, 0);
}

/** bidNextB, bidNextP: above everything in use. 2.2.2.6. */
export function checkNextBids(context: Context, pages: TreePages): void {
  const { ndb } = context;
  const { header, bbt } = ndb;
  const lastBid = bbt.count === 0 ? 0 : bbt.bid(bbt.count - 1);
  if (header.bidNextB <= lastBid) {
    const message = `bidNextB is ${hex(header.bidNextB)}, the block ${hex(lastBid)} exists`;
    context.add('header.next-bid', message, { ib: 0, found: header.bidNextB, expected: lastBid + 4 });
  } else if (header.bidNextB % 4 !== 0) {
    const message = `bidNextB is ${hex(header.bidNextB)}, its low bits are not 0`;
    context.add('header.next-bid', message, { ib: 0, found: header.bidNextB }, 'note');
  }
  let lastPage = 0;
  for (const bid of pages.bids) lastPage = Math.max(lastPage, bid);
  if (header.bidNextP <= lastPage) {
    const message = `bidNextP is ${hex(header.bidNextP)}, the page ${hex(lastPage)} exists`;
    context.add('header.next-page-bid', message, { ib: 0, found: header.bidNextP, expected: lastPage + 1 });
  }
}

/** Types whose NIDs are in no counter: search queues and criteria and search tables go by their folder. Seen in real stores. */
const UNCOUNTED: ReadonlySet<number> = new Set([
  NID_TYPE.SEARCH_UPDATE_QUEUE,
  NID_TYPE.SEARCH_CRITERIA_OBJECT,
  NID_TYPE.SEARCH_CONTENTS_TABLE,
]);
const FOLDER_TYPES = [
  NID_TYPE.NORMAL_FOLDER,
  NID_TYPE.HIERARCHY_TABLE,
  NID_TYPE.CONTENTS_TABLE,
  NID_TYPE.ASSOC_CONTENTS_TABLE,
];

/** rgnid against the highest index in use of each type, NBT and all subnodes. 2.2.2.6. */
export function checkNidCounters(context: Context, highest: Uint32Array): void {
  const { rgnid } = context.ndb.header;
  for (let type = 1; type < 32; type++) {
    const counter = rgnid[type]!;
    const used = highest[type]!;
    if (!UNCOUNTED.has(type) && counter < used) {
      const message = `rgnid[${hex(type)}] is ${hex(counter)}, the index ${hex(used)} of that type is in use`;
      context.add('header.rgnid', message, { ib: 0, found: counter, expected: used });
    }
    const start = RGNID_START[type]!;
    if (counter < start) {
      const message = `rgnid[${hex(type)}] is ${hex(counter)}, a new store begins with ${hex(start)}`;
      context.add('header.rgnid-start', message, { ib: 0, found: counter, expected: start });
    }
  }
  const shared = FOLDER_TYPES.map((type) => rgnid[type]!);
  const top = Math.max(...shared);
  if (shared.some((counter) => counter !== top)) {
    const text = shared.map(hex).join(', ');
    const message = `folders share one index with their tables, the counters are ${text}`;
    context.add('header.rgnid-folders', message, { ib: 0, found: text, expected: top });
  }
}

/** dwUnique: above every row version (67F3) in use. scanpst OO 13; measured 19 of 19. */
export function checkUnique(context: Context, highest: number): void {
  const { dwUnique } = context.ndb.header;
  if (dwUnique > highest) return;
  const message = `dwUnique is ${dwUnique}, the row version ${highest} is in use`;
  context.add('header.unique', message, { ib: 0, found: dwUnique, expected: highest + 1 });
}
