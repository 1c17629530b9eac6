/** The page of a replay: well formed, complete, self-contained; hostile names stay text; and it is looked at in a browser. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePlaces } from '../../src/core/code.js';
import type { CoreFault } from '../../src/core/fault.js';
import { FULL } from '../../src/core/options.js';
import { traceAccesses } from '../../src/replay/accesses.js';
import { type Bundle, encodeBundle } from '../../src/replay/bundle.js';
import { renderPage } from '../../src/replay/html.js';
import { numbersOf } from '../../src/replay/html-damage.js';
import { render, visible } from '../../src/replay/html-page.js';
import { itemSection } from '../../src/replay/html-stream.js';
import { namerOf } from '../../src/replay/names.js';
import { streamOf } from '../../src/replay/object.js';
import { observe } from '../../src/replay/steps.js';
import { invoke } from '../cli/invoke.js';
import { type Workshop, workshop } from './bundles.js';
import { CHROMIUM, Chromium } from './chromium.js';
import { parse, textOf } from './markup.js';

let shop: Workshop;

beforeAll(async () => {
  shop = await workshop();
}, 120_000);

afterAll(() => shop?.close());

/** As the command line makes it: of damage there are no accesses to show. */
function pageOf(bundle: Bundle): string {
  const observation = observe(bundle);
  const { kind } = observation.replay.outcome;
  return renderPage(bundle, observation, {
    bundleName: 'mailbox.replay',
    engine: '9.9.9',
    ...(kind === 'stop' || kind === 'fault' ? { accesses: traceAccesses(bundle) } : {}),
  });
}

/** What every page must be. */
function expectSound(html: string): void {
  const elements = parse(html);
  for (const { name, attributes } of elements) {
    for (const forbidden of ['src', 'href', 'srcset', 'action', 'style', 'xlink:href']) {
      expect(attributes.has(forbidden), `${name} has ${forbidden}`).toBe(false);
    }
    for (const key of attributes.keys()) expect(key.startsWith('on')).toBe(false);
    if (name === 'svg' && !attributes.has('aria-hidden')) expect(attributes.get('aria-label')).not.toBe('');
  }
  expect(html).not.toMatch(/https?:|url\(|@import|<link|<iframe/);
  expect(elements.filter(({ name }) => name === 'h1')).toHaveLength(1);
  expect(elements.filter(({ name }) => name === 'script')).toHaveLength(1);
  expect(html).toMatch(/default-src 'none'|default-src &#39;none&#39;/);
}

describe('the page of a stop', () => {
  it('has the sentence, the place, the frame, the pictures, the item, the sites and the facts', () => {
    shop.plant(2);
    const bundle = shop.capture();
    const html = pageOf(bundle);
    expectSound(html);
    const text = textOf(html).replaceAll('\u2011', '-');
    for (const fact of [
      'An access of 2 bytes went right past the end of the 26-byte block',
      'PidTagAttachLongFilename',
      'mailbox.pst',
      'Reproduced',
      'VERIFIER STOP 00000002: pid 0x1: access violation exception',
      'in busy allocation ( DPH_HEAP_BLOCK:',
      'assembly/ltp/pc.ts:',
      'the first byte refused, 0 bytes past its end',
      'the block: 26 bytes',
      '0x3707001f PidTagAttachLongFilename ◂ here PtypString',
      'page heap enabled with flags (full traces',
      bundle.core.hash,
      bundle.source.fingerprint,
      'pstwright replay mailbox.replay --step',
      'as the failed run wrote it',
    ]) {
      expect(text).toContain(fact);
    }
    if (bundle.outcome.kind !== 'stop') throw new Error('a stop is expected');
    expect(text).toContain(`allocation ${bundle.outcome.stop.ordinal} of the operation`);
    expect(html).toMatch(/<tr class="here">/);
    expect(html).toMatch(/<svg id="pages"/);
  });

  it.each([
    [7, FULL, 'was freed again'],
    [9, FULL, 'had freed'],
    [11, FULL, 'before the'],
    [2, { mode: 'normal' }, 'was overwritten, seen when the block was given back'],
    [9, { mode: 'normal' }, 'was written after'],
    [8, { mode: 'normal', leaks: true }, 'was never freed'],
    [2, { mode: 'full', aligned: true }, 'past the end'],
    [11, { mode: 'full', backwards: true }, 'before the'],
    [2, { mode: 'full', noTraces: true }, 'No trace of allocations was kept'],
  ] as const)('crime %i under %o', (crime, settings, words) => {
    shop.plant(crime);
    const html = pageOf(shop.capture(settings));
    expectSound(html);
    expect(textOf(html)).toContain(words);
  });

  it('shows who touched the block, byte by byte, and what was refused', () => {
    shop.plant(2);
    const html = pageOf(shop.capture());
    const text = textOf(html);
    expect(text).toContain(
      'The block: allocation 22, 26 bytes for the values of a property context It had been written 13 times.',
    );
    // The picture: one row for the loop, one for its last round.
    expect(text).toMatch(
      /[\d,]+ write 2 bytes × 13 planted-crimes\/plant\.ts:\d+ refused 2 bytes planted-crimes\/plant\.ts:\d+ written refused/,
    );
    // The table: sixteen rows and the refused one, which is marked.
    const [table] = /<table class="stream">(?:(?!<table)[\s\S])*?Line in assembly[\s\S]*?<\/table>/.exec(html)!;
    expect(table.match(/<tr/g)).toHaveLength(1 + 16 + 1);
    expect(textOf(table)).toMatch(
      /refused 2 22: the values of a property context 26 to 28 of 26 planted-crimes\/plant\.ts:\d+ PidTagAttachLongFilename $/,
    );
    expect(table.match(/class="here"/g)).toHaveLength(1);
  });

  it('shows that the block had been given back, and by whom', () => {
    shop.plant(9);
    const text = textOf(pageOf(shop.capture()));
    expect(text).toMatch(
      /Nothing had read or written it\..* given back by ltp\.pc refused 4 bytes planted-crimes\/plant\.ts:\d+ refused/,
    );
  });

  it('names the line of the free where the core has told it, and else all lines of its decoder', () => {
    shop.plant(9);
    const bundle = shop.capture();
    const [plan, order] = freePlaces(0x40) as [string, string];
    expect(textOf(pageOf(bundle))).toContain(`Freed by ltp.pc, at one of ${plan}, ${order}`);
    const observation = observe(bundle);
    const { stop } = observation.replay.error as CoreFault;
    stop!.freeSiteId = 0x42;
    const html = renderPage(bundle, observation, { bundleName: 'mailbox.replay', engine: '9.9.9' });
    expect(textOf(html)).toContain(`Freed at ${order} (ltp.pc)`);
  });

  it('of another mode shows the access that did it', () => {
    shop.plant(2);
    const text = textOf(pageOf(shop.capture({ mode: 'normal' })));
    expect(text).toContain('was overwritten, seen when the block was given back');
    expect(text).toContain(
      'With every access checked the operation ends otherwise: An access of 2 bytes went right past the end',
    );
    expect(text).toContain('It had been written 13 times.');
  });

  it('without accesses has no such section', () => {
    shop.plant(2);
    const bundle = shop.capture();
    const html = renderPage(bundle, observe(bundle), { bundleName: 'a', engine: '9.9.9' });
    expectSound(html);
    expect(html).not.toContain('id="accesses"');
  });

  it('says so when the replay ends otherwise, and shows how', () => {
    shop.plant(2);
    const bundle = shop.capture();
    shop.plant(9);
    const html = pageOf(bundle);
    expectSound(html);
    expect(textOf(html)).toContain('Not reproduced');
    expect(textOf(html)).toContain('In the replay: An access of 4 bytes');
    shop.plant(0);
    const fine = pageOf(bundle);
    expectSound(fine);
    expect(textOf(fine)).toContain('It passed the place where the run had failed');
  });

  it('of the raw core says that nothing is known of its heap', () => {
    shop.plant(2);
    const bundle = shop.capture();
    const html = renderPage(bundle, observe(bundle, { mode: 'off' }), { bundleName: 'a', engine: '9.9.9' });
    expectSound(html);
    expect(textOf(html)).toContain('The raw core has no page heap');
  });
});

describe('the page of an error', () => {
  it('says what was damaged, with both numbers and the bytes', () => {
    shop.plant(0);
    const store = shop.store.slice();
    const bundle = shop.capture(FULL, damageTrailer(store), false);
    const html = pageOf(bundle);
    expectSound(html);
    const { outcome } = bundle;
    if (outcome.kind !== 'error') throw new Error('damage is expected');
    const text = textOf(html);
    const [stored, computed] = numbersOf(outcome.message);
    expect(text).toContain(`Stored CRC ${stored![1]}`);
    expect(text).toContain(`Computed ${computed![1]}`);
    expect(text).toContain('Field dwCRC');
    expect(text).toContain('[MS-PST] 2.2.2.8.1');
    expect(text).toContain('dwCRC ◂ here');
    expect(text).toContain('This is a fault of the file, not of the program.');
    expect(html).toContain('class="bad"');
  });

  it('of a damaged tree page shows the page', () => {
    const store = shop.store.slice();
    const view = new DataView(store.buffer);
    const ib = Number(view.getBigUint64(0xe0, true)); // BREFNBT.ib, MS-PST 2.2.2.5
    store[ib + 20]! ^= 1;
    const html = pageOf(shop.capture(FULL, store));
    expectSound(html);
    expect(textOf(html)).toContain('in the PAGETRAILER of the page at');
    expect(textOf(html)).toContain('The page, 512 bytes at');
  });

  it('of an injected fault says that it was meant', () => {
    shop.plant(0);
    const html = pageOf(shop.capture({ mode: 'full', fault: { rate: 10_000, after: 400 }, seed: 1 }));
    expectSound(html);
    expect(textOf(html)).toContain('was made to fail');
    expect(textOf(html)).toContain('refused on purpose');
  });

  it('takes the numbers out of messages', () => {
    expect(numbersOf('stored CRC 0x0, computed 0xf6ad732e')).toEqual([
      ['Stored CRC', '0x0'],
      ['Computed', '0xf6ad732e'],
    ]);
    expect(numbersOf('trailer says 12 bytes, the BBT 14')).toEqual([
      ['Found', '12'],
      ['In the BBT', '14'],
    ]);
    expect(numbersOf('page type is 0x0, expected 0x81')).toEqual([
      ['Found', '0x0'],
      ['Expected', '0x81'],
    ]);
    expect(numbersOf('the file has become shorter')).toEqual([]);
  });
});

/** Changes the CRC in the trailer of the block of the largest message: somewhere a clone comes by. */
function damageTrailer(store: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const probe = shop.capture({ mode: 'full', fault: { rate: 10_000, after: 300 }, seed: 1 }, store, false);
  const [, ib, cb] = probe.blocks.find(([bid]) => (bid & 2) === 0)!;
  const trailer = ib + Math.ceil((cb + 16) / 64) * 64 - 16;
  store[trailer + 4]! ^= 0xff;
  return store;
}

describe('hostile text', () => {
  const HOSTILE = '</title><script>alert(1)</script><img src=x onerror=alert(2)>"\'&amp;\u202eexe.\u0007';

  it('in names of store, folders and bundle stays text', () => {
    shop.plant(2);
    const bundle = shop.capture();
    const hostile: Bundle = {
      ...bundle,
      source: { ...bundle.source, name: HOSTILE },
      path: bundle.path.map((step) => ({ ...step, name: step.name === '' ? '' : HOSTILE })),
      changes: [HOSTILE],
      engine: HOSTILE,
    };
    const html = renderPage(hostile, observe(hostile), { bundleName: HOSTILE, engine: '9.9.9' });
    expectSound(html);
    expect(html).not.toContain('<img');
    expect(html).not.toContain('\u202e');
    expect(textOf(html)).toContain(visible(HOSTILE));
  });

  it('in an object that looks like markup stays text', () => {
    shop.plant(2);
    const bundle = shop.capture();
    const markup = { markup: '<img src=x>', toString: () => '<img src=y>' } as unknown as string;
    const hostile: Bundle = {
      ...bundle,
      engine: markup,
      source: { ...bundle.source, fingerprint: markup },
      path: [...bundle.path, { nid: 0x200024, name: markup }],
    };
    const html = renderPage(hostile, observe(hostile), { bundleName: 'a.replay', engine: '9.9.9' });
    expectSound(html);
    expect(html).not.toContain('<img');
  });

  it('in the message of an error stays text', () => {
    shop.plant(0);
    const bundle = shop.capture({ mode: 'full', fault: { rate: 10_000, after: 300 }, seed: 1 });
    const hostile: Bundle = {
      ...bundle,
      outcome: {
        kind: 'error',
        code: 'PST_BAD_CRC',
        message: HOSTILE,
        where: { field: `${HOSTILE}.${HOSTILE}`, section: HOSTILE },
      },
    };
    expectSound(pageOf(hostile));
  });

  it('in properties stays text', () => {
    const bytes = new Uint8Array(Buffer.from(HOSTILE, 'utf16le'));
    const stream = streamOf([{ tag: 0x0037001f, flags: 0, place: 0, bytes }]);
    const item = {
      nids: [0x200024],
      bidData: 4,
      kind: 'pc',
      streams: [stream],
      columns: [],
      rowCount: 0,
      value: undefined,
    } as const;
    const markup = render(itemSection(item, 0x0037001f));
    parse(`<!DOCTYPE html><div>${markup}</div>`);
    expect(markup).not.toMatch(/<script|<img|\u202e|\u0007/);
    expect(textOf(markup)).toContain(`“${visible(HOSTILE)}”`);
  });

  it('in names of named properties stays text', () => {
    const stream = streamOf([{ tag: 0x8001001f, flags: 0, place: 0, bytes: new Uint8Array(2) }]);
    const item = {
      nids: [0x200024],
      bidData: 4,
      kind: 'pc',
      streams: [stream],
      columns: [],
      rowCount: 0,
      value: undefined,
    } as const;
    const names = [{ npid: 0x8001, set: HOSTILE, id: HOSTILE }];
    const markup = render(itemSection(item, 0x8001001f, namerOf({ names })));
    parse(`<!DOCTYPE html><div>${markup}</div>`);
    expect(markup).not.toMatch(/<script|<img|\u202e|\u0007/);
    expect(textOf(markup)).toContain(`:${visible(HOSTILE)}`);
  });
});

describe('replay --html', () => {
  it('writes the file, and never over another', async () => {
    shop.plant(2);
    const path = join(shop.folder, 'a b.replay');
    const out = join(shop.folder, 'a.html');
    writeFileSync(path, encodeBundle(shop.capture()));
    const first = await invoke('replay', path, '--html', out);
    expect(first).toMatchObject({ code: 0 });
    expect(first.out).toContain('the page is');
    const html = readFileSync(out, 'utf8');
    expectSound(html);
    expect(textOf(html)).toContain("pstwright replay 'a b.replay'");
    expect(await invoke('replay', path, '--html', out)).toMatchObject({ code: 3 });
    expect(await invoke('replay', path, '--html', out, '--step')).toMatchObject({ code: 3 });
  });
});

describe('in a browser', () => {
  if (CHROMIUM === undefined) {
    it.skip('skipped: no chromium here', () => {});
    return;
  }
  const MEASURE = `JSON.stringify({
    svgs: [...document.querySelectorAll('.wide > svg')].map((svg) => { const r = svg.getBoundingClientRect(); return [r.width, r.height]; }),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    paper: getComputedStyle(document.body).backgroundColor,
    title: document.title,
    small: [...document.querySelectorAll('p, dd, td, li, h1, h2')].filter((e) => e.textContent.trim() && parseFloat(getComputedStyle(e).fontSize) < 11).length,
    scrolled: [...document.querySelectorAll('.wide')].map((w) => w.scrollLeft),
    note: (() => { const s = document.getElementById('pages'); const r = s.getBoundingClientRect();
      s.dispatchEvent(new PointerEvent('pointermove', { clientX: r.left + r.width * 0.2, clientY: r.top + 8 }));
      return document.getElementById('page-note').textContent; })(),
  })`;
  interface Measures {
    svgs: [number, number][];
    overflow: number;
    paper: string;
    title: string;
    small: number;
    scrolled: number[];
    note: string;
  }
  let browser: Chromium;
  let url = '';

  beforeAll(() => {
    shop.plant(2);
    const path = join(shop.folder, 'page.html');
    writeFileSync(path, pageOf(shop.capture()));
    url = pathToFileURL(path).href;
    browser = new Chromium();
  });
  afterAll(() => browser?.close());

  it.each([
    ['a desk', { width: 1280, height: 1000 }],
    ['a desk at night', { width: 1280, height: 1000, dark: true }],
    ['a phone', { width: 390, height: 844 }],
  ] as const)(
    'on %s',
    async (_, view) => {
      const { complaints, png, value } = await browser.look(url, { ...view, expression: MEASURE });
      expect(complaints).toEqual([]);
      const { svgs, overflow, paper, title, small, scrolled, note } = JSON.parse(value as string) as Measures;
      expect(svgs.length).toBeGreaterThanOrEqual(4);
      for (const [width, height] of svgs) {
        expect(width).toBeGreaterThan(300);
        expect(height).toBeGreaterThan(10);
      }
      expect(overflow).toBe(0);
      expect(small).toBe(0);
      expect(title).toContain('went right past the end');
      expect(note).toMatch(/^0x[0-9a-f]+: /);
      // The fault is brought into view where the picture is wider than the screen.
      if (view.width < 600) expect(Math.max(...scrolled)).toBeGreaterThan(100);
      const [red] = /\d+/.exec(paper)!;
      expect(Number(red) < 128).toBe('dark' in view);
      expect(inked(png)).toBeGreaterThan(0.02);
    },
    60_000,
  );
});

/** Share of bytes of a PNG's filtered rows that are not 0: of a blank picture hardly any. */
function inked(png: Buffer): number {
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const size = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + size));
    at += size + 12;
  }
  const rows = inflateSync(Buffer.concat(parts));
  let set = 0;
  for (const byte of rows) if (byte !== 0) set++;
  return set / rows.length;
}
