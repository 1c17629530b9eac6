/**
 * The allocation maps: each at its place, AMaps marking exactly what is in use, the bytes that summarise them.
 * MS-PST 2.2.2.7.2 (AMap), 2.2.2.7.3 (PMap), 2.2.2.7.4 (DList), 2.2.2.7.5 (FMap), 2.2.2.7.6 (FPMap).
 * @module
 */
import type { PageReader } from '../ndb/page.js';
import { AMAP_VALID } from '../wire/header.js';
import { DLIST, DLIST_ANSI, FMAP, FREE_RUN_MAX, MAP } from '../wire/map.js';
import { PTYPE } from '../wire/page.js';
import { ANSI } from '../wire/variant.js';
import type { Context } from './context.js';
import { hex } from './findings.js';
import { type Extents, isCut, mapCount, mapPages, mappedSize } from './space.js';
import { loadPage } from './trees.js';

/** What the AMaps come to. */
interface Free {
  /** Zero bits by AMap; -1 where the AMap could not be read. */
  readonly slots: Int32Array;
  /** Longest run of zero bits by AMap, at most 255. */
  readonly runs: Uint8Array;
  /** Bits that are set and stand for nothing, by AMap; how many of them in runs of whole pages. */
  readonly extra: { ib: number; bits: number; inPages: number }[];
}

export function checkMaps(context: Context, extents: Extents): void {
  const { variant, ndb } = context;
  const maps = mapCount(mappedSize(context), variant);
  const free: Free = { slots: new Int32Array(maps), runs: new Uint8Array(maps), extra: [] };
  const pages = ndb.pages();
  try {
    let next = 0;
    for (let i = 0; i < maps; i++) next = checkAmap(context, pages, extents, i, next, free);
    reportExtra(context, free);
    checkFreeTotal(context, free);
    for (let i = 0; i < maps; i++) {
      for (const { name, ptype, ib } of mapPages(i, variant)) {
        if (ptype === PTYPE.AMAP) continue;
        const { usable } = loadPage(context, pages, name, ptype, ib, ib);
        if (!usable) continue;
        if (ptype === PTYPE.FMAP) checkFmap(context, pages, i, free, ib);
        else checkFull(context, pages, name, ptype, ib);
      }
    }
    checkHeaderMaps(context, free);
    checkDlist(context, pages, free);
  } finally {
    pages.close();
  }
}

/** Compares AMap `i` with the extents from index `next` on. Returns the first extent that reaches past its interval. */
function checkAmap(context: Context, pages: PageReader, extents: Extents, i: number, next: number, free: Free): number {
  const { ibFirst, interval, unit, bitsSize, bitsAt } = MAP[context.variant];
  const begin = ibFirst + i * interval;
  const end = begin + interval;
  const { usable } = loadPage(context, pages, 'AMap', PTYPE.AMAP, begin, begin);
  const from = pages.at + bitsAt;
  const bits = usable ? context.core.u8.slice(from, from + bitsSize) : undefined;
  const wanted = new Uint8Array(bitsSize);
  while (next < extents.count && extents.ib(next) + extents.size(next) <= begin) next++;
  let k = next;
  for (; k < extents.count && extents.ib(k) < end; k++) {
    const ib = extents.ib(k);
    const first = Math.max(0, Math.floor((ib - begin) / unit));
    const last = Math.min(bitsSize * 8, Math.ceil((ib + extents.size(k) - begin) / unit));
    let missing = 0;
    for (let bit = first; bit < last; bit++) {
      const mask = 0x80 >>> (bit & 7);
      wanted[bit >>> 3]! |= mask;
      if (bits !== undefined && (bits[bit >>> 3]! & mask) === 0) missing++;
    }
    if (missing > 0) {
      const bid = extents.bid(k);
      const what = bid === 0 ? 'a map page' : `the block or page ${hex(bid)}`;
      const message = `${what} is in use, ${missing} of its ${last - first} bits in the AMap at ${hex(begin)} are clear`;
      context.add(
        'amap.unmarked',
        message,
        { bid: bid === 0 ? undefined : bid, ib, found: missing, expected: 0 },
        softened(context),
      );
    }
  }
  if (bits === undefined) {
    free.slots[i] = -1;
    return next;
  }
  let slots = 0;
  let run = 0;
  let longest = 0;
  let extra = 0;
  let firstExtra = -1;
  const inFile = isCut(context, i) ? Math.floor((mappedSize(context) - begin) / unit) : bitsSize * 8;
  for (let bit = 0; bit < bitsSize * 8; bit++) {
    const mask = 0x80 >>> (bit & 7);
    if ((bits[bit >>> 3]! & mask) !== 0) {
      run = 0;
      if ((wanted[bit >>> 3]! & mask) === 0 && bit < inFile) {
        extra++;
        if (firstExtra < 0) firstExtra = bit;
      }
      continue;
    }
    slots++;
    if (++run > longest) longest = run;
  }
  free.slots[i] = slots;
  free.runs[i] = Math.min(longest, FREE_RUN_MAX);
  let inPages = 0;
  for (let k = 0; extra > 0 && k < inFile >>> 3; k++) if (bits[k] === 0xff && wanted[k] === 0) inPages += 8;
  if (extra > 0) free.extra.push({ ib: begin + firstExtra * unit, bits: extra, inPages });
  return next;
}

/** AMaps that the header itself calls out of step are rebuilt by whoever opens the store for writing. 2.2.2.5, 2.6.1.3.7. */
const softened = (context: Context): 'warning' | undefined =>
  context.ndb.header.root.fAMapValid === AMAP_VALID.INVALID ? 'warning' : undefined;

function reportExtra(context: Context, { extra }: Free): void {
  const soft = softened(context);
  // Without both trees nobody knows what is in use.
  if (!context.treesComplete) return;
  for (const part of extra) {
    const message = `${part.bits} bits are set for space that holds nothing, the first at ${hex(part.ib)}`;
    const place = { ib: part.ib, found: part.bits, expected: 0 };
    // Clients before 2007 SP2 mark pages they keep for the PMap. Seen in real stores.
    context.add('amap.extra', message, place, part.inPages === part.bits ? 'note' : (soft ?? 'warning'));
  }
}

/** ROOT.cbAMapFree. 2.2.2.5. */
function checkFreeTotal(context: Context, { slots }: Free): void {
  const { unit } = MAP[context.variant];
  let total = 0;
  for (const count of slots) {
    if (count < 0) return;
    total += count * unit;
  }
  const { cbAMapFree } = context.ndb.header.root;
  if (total === cbAMapFree) return;
  const message = `cbAMapFree is ${cbAMapFree}, the AMaps have ${total} bytes free`;
  context.add('amap.free-total', message, { ib: 0, found: cbAMapFree, expected: total }, softened(context));
}

/** A byte of rgbFM or of an FMap page: not below the longest run of its AMap. 2.2.2.7.5. */
function checkRun(context: Context, where: string, i: number, byte: number, { slots, runs }: Free, ib: number): void {
  if (i >= runs.length || slots[i]! < 0 || byte === FREE_RUN_MAX) return;
  const run = runs[i]!;
  const place = { ib, found: byte, expected: run };
  if (byte < run) context.add('fmap.low', `${where} gives AMap ${i} ${byte} free slots, it has ${run}`, place);
  else if (byte > run) context.add('fmap.high', `${where} gives AMap ${i} ${byte} free slots, it has ${run}`, place);
}

function checkFmap(context: Context, pages: PageReader, i: number, free: Free, ib: number): void {
  const { bitsAt } = MAP[context.variant];
  const bytes = pages.bytes();
  for (let k = 0; k < FMAP.every; k++) checkRun(context, 'the FMap', i + k, bytes[bitsAt + k]!, free, ib);
}

/** PMap and FPMap are out of use: all bits set. 2.2.2.7.3, 2.2.2.7.6. */
function checkFull(context: Context, pages: PageReader, name: string, ptype: number, ib: number): void {
  const { bitsAt, bitsSize } = MAP[context.variant];
  const bytes = pages.bytes().subarray(bitsAt, bitsAt + bitsSize);
  const at = bytes.findIndex((byte) => byte !== 0xff);
  if (at < 0) return;
  const rule = ptype === PTYPE.PMAP ? 'pmap.content' : 'fpmap.content';
  context.add(rule, `${name}: byte ${at} is ${hex(bytes[at]!)}, not 0xff`, { ib, found: bytes[at]!, expected: 0xff });
}

/** rgbFM and rgbFP of the HEADER. 2.2.2.6. */
function checkHeaderMaps(context: Context, free: Free): void {
  if (context.is4K) return;
  const { rgbFM, rgbFP } = context.ndb.header;
  for (let i = 0; i < rgbFM.length; i++) checkRun(context, 'rgbFM', i, rgbFM[i]!, free, 0);
  const at = rgbFP.findIndex((byte) => byte !== 0xff);
  if (at >= 0) {
    const message = `rgbFP[${at}] is ${hex(rgbFP[at]!)}, not 0xff`;
    context.add('header.rgb-fp', message, { ib: 0, found: rgbFP[at]!, expected: 0xff });
  }
}

/** Low 20 bits of an entry: the AMap's index; high 12: its free slots. 2.2.2.7.4.1. */
const DLIST_INDEX_BITS = 20;
const DLIST_INDEX_MASK = 0xfffff;

/** The DList speeds up allocation and nothing else: without a valid trailer it is ignored. 2.2.2.7.4. */
function checkDlist(context: Context, pages: PageReader, { slots }: Free): void {
  const { ibDList } = MAP[context.variant];
  if (ibDList + pages.geometry.size > context.source.size) return; // the file is cut: said by the header part
  pages.load(ibDList);
  // 4K: one place with a BID of its own in each store seen; MS-PST gives none.
  const { bid } = pages;
  // Stores of clients that have none: a page of zeros.
  if (!context.isOwn && pages.bytes().every((byte) => byte === 0)) return;
  const { sound } = loadPage(context, pages, 'DList', PTYPE.DL, bid, ibDList, 'note');
  if (!sound || context.is4K) return;
  const dlist = context.variant === ANSI ? DLIST_ANSI : DLIST;
  const values = dlist.read(pages.view, pages.at);
  const list = new DataView(
    values.rgDListPageEnt.buffer,
    values.rgDListPageEnt.byteOffset,
    values.rgDListPageEnt.byteLength,
  );
  if (values.cEntDList * 4 > list.byteLength) {
    const found = values.cEntDList;
    context.add('dlist.entries', `${found} entries, a page holds ${list.byteLength / 4}`, { ib: ibDList, found });
    return;
  }
  let stale = 0;
  for (let k = 0; k < values.cEntDList; k++) {
    const entry = list.getUint32(4 * k, true);
    const index = entry & DLIST_INDEX_MASK;
    if (index >= slots.length || slots[index] !== entry >>> DLIST_INDEX_BITS) stale++;
  }
  if (stale > 0) {
    const message = `${stale} of ${values.cEntDList} entries differ from the AMaps`;
    context.add('dlist.entries', message, { ib: ibDList, found: stale, expected: 0 });
  }
}
