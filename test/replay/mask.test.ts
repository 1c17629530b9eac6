/** Masks: as many bytes as before, the same format, nothing that can be read; values of types that are numbers stay. */
import { describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { encodePc } from '../../src/ltp/pc.js';
import { StreamWriter } from '../../src/ltp/streamwriter.js';
import { encodeValue } from '../../src/mapi/value.js';
import { maskHeap } from '../../src/replay/heap-mask.js';
import { maskBytes, maskValue } from '../../src/replay/mask.js';

const wide = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf16le'));
const narrow = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'));
const read = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf16le');

describe('values', () => {
  it('keep the format of a text, whatever its script', () => {
    expect(read(maskValue(0x1f, wide('RE: Bill 42, for Ada@Example.org')))).toBe('XX: Xxxx 00, xxx Xxx@Xxxxxxx.xxx');
    expect(read(maskValue(0x1f, wide('Татьяна 孝行')))).toBe('xxxxxxx xx');
    expect(Buffer.from(maskValue(0x1e, narrow('One, 2'))).toString()).toBe('Xxx, 0');
    expect(Buffer.from(maskBytes(narrow('<p>Hello</p>'))).toString()).toBe('<x>Xxxxx</x>');
  });

  it('lose every byte but zeros where they are no text', () => {
    expect(maskBytes(Uint8Array.of(0, 1, 0x20, 0x41, 0x31, 0xff))).toEqual(
      Uint8Array.of(0, 0x78, 0x78, 0x58, 0x30, 0x78),
    );
    expect(Buffer.from(maskBytes(wide('孝行 ]['))).includes('孝', 0, 'utf16le')).toBe(false);
  });

  it('of several in one keep where each begins', () => {
    const values = encodeValue(0x101f, ['Wintermute', 'Ларина', '']);
    const masked = maskValue(0x101f, values);
    expect(masked).toEqual(encodeValue(0x101f, ['Xxxxxxxxxx', 'xxxxxx', '']));
    const bent = values.slice();
    bent[5] = 0xff; // the first begins behind the end: nothing of it is believed
    expect(maskValue(0x101f, bent)).toEqual(maskBytes(bent));
  });

  it('are as they were when their type is a number, and have its length', () => {
    const time = Uint8Array.from({ length: 8 }, (_, k) => 0x41 + k);
    expect(maskValue(0x40, time)).toEqual(time);
    expect(maskValue(0x40, narrow('Wintermute'))).toEqual(narrow('Xxxxxxxxxx'));
  });
});

describe('a heap', () => {
  const core = Core.load('raw');
  const heap = (): Uint8Array => {
    const stream = new StreamWriter()
      .set(0x0037001f, wide('Wintermute'))
      .setInline(0x0e070003, 0x41424344)
      .set(
        0x30070040,
        Uint8Array.from({ length: 8 }, (_, k) => 0x41 + k),
      )
      .setExternal(0x1000001f, 0x3f);
    const chain = encodePc(core, stream.build(), {});
    const leaf = core.u8.slice(core.x.chainPtr(chain, 0), core.x.chainPtr(chain, 0) + core.x.chainSize(chain, 0));
    core.x.chainFree(chain);
    return leaf;
  };

  it('is masked where it lies: the same size, properties and numbers, other text', () => {
    const before = heap();
    const masked = maskHeap([before])!;
    expect([...masked.external]).toEqual([[0x3f, 0x1f]]);
    expect(masked.rowsNid).toBe(0);
    const [after] = masked.finish();
    expect(after!.length).toBe(before.length);
    const at = Buffer.from(before).indexOf(wide('Wintermute'));
    const wanted = before.slice();
    wanted.set(wide('Xxxxxxxxxx'), at);
    expect(after).toEqual(wanted);
  });

  it('loses what lies between its items, and items that nothing leads to', () => {
    const before = heap();
    const view = new DataView(before.buffer);
    // Larger by half, with text in the gap before the page map: what deleting leaves behind.
    const map = view.getUint16(0, true);
    const bigger = new Uint8Array(before.length + 40);
    bigger.set(before.subarray(0, map));
    bigger.set(narrow('Straylight'), map + 10);
    bigger.set(before.subarray(map), map + 40);
    new DataView(bigger.buffer).setUint16(0, map + 40, true);
    const [after] = maskHeap([bigger])!.finish();
    expect(Buffer.from(after!).includes('Straylight')).toBe(false);
    expect(after!.subarray(map, map + 40)).toEqual(new Uint8Array(40));
  });

  it('that is none is none: no signature, a page map outside, a BTH of nothing', () => {
    expect(maskHeap([])).toBeUndefined();
    expect(maskHeap([new Uint8Array(3)])).toBeUndefined();
    for (const [at, value] of [
      [0, 0xff],
      [2, 0],
      [3, 0x11],
      [4, 0xe0],
    ] as const) {
      const bent = heap();
      bent[at] = value;
      expect(maskHeap([bent]), `byte ${at}`).toBeUndefined();
    }
  });
});
