/**
 * Stores of any size and shape, for measuring: the same options give the same bytes. What they hold looks like mail (words,
 * people, headers, a few attachments), for the sake of readers whose speed depends on it; it says nothing.
 * @module
 */
import type { Core } from '../core/core.js';
import type { Sink, Source } from '../host/source.js';
import type { Address } from './address.js';
import type { Attachment } from './attachment.js';
import { Dice } from './dice.js';
import type { FolderBuilder } from './folder.js';
import type { Message } from './message.js';
import { type BuiltStore, buildStore, type StoreOptions } from './store.js';

export interface Shape {
  readonly messages: number;
  /** Messages are shared out evenly; 1 by default. */
  readonly folders?: number;
  /** Bytes of all bodies and headers together; 4,000 a message by default. */
  readonly textBytes?: number;
  /** Bytes of all attachments together; none by default. Every second message has some. */
  readonly attachmentBytes?: number;
  readonly seed?: number;
  readonly crypt?: StoreOptions['crypt'];
  /** Leaves out reading the store back. */
  readonly trust?: boolean;
  readonly core?: Core;
}

/** The store of peers.md's tables: 209 MB, 6,000 messages, 123 MB of attachments. */
export const BENCH_SHAPE: Shape = { messages: 6000, folders: 12, textBytes: 54_500_000, attachmentBytes: 123_000_000 };

const WORDS =
  'the meeting report of last week about our plan for spring has been sent to all who asked and those that did not will find it in the folder under accounts please read before noon as we must decide on budget travel rooms and one open question from legal';
const PEOPLE = [
  'Ann Archer',
  'Bob Baker',
  'Čeněk Černý',
  'Dora Diaz',
  'Émile Étienne',
  'Fumiko 文子',
  'Gus Green',
  'Hana Holm',
];
const TYPES = ['pdf', 'docx', 'xlsx', 'png', 'jpg', 'zip', 'txt', 'csv'];
const MIMES = [
  'application/pdf',
  'application/octet-stream',
  'application/octet-stream',
  'image/png',
  'image/jpeg',
  'application/zip',
  'text/plain',
  'text/csv',
];

/** Text and noise are cut from buffers of this size. */
const POOL = 1 << 20;
const EPOCH = Date.UTC(2015, 0, 1);
const MINUTE = 60_000;

class Writer {
  readonly #dice: Dice;
  readonly #text: string;
  readonly #noise: Uint8Array;

  constructor(
    seed: number,
    private readonly textBytes: number,
    private readonly attachmentBytes: number,
  ) {
    this.#dice = new Dice(seed);
    const words = WORDS.split(' ');
    const parts: string[] = [];
    for (let length = 0; length < POOL; ) {
      const word = this.#dice.pick(words) + (this.#dice.roll(12) === 0 ? '.\r\n' : ' ');
      parts.push(word);
      length += word.length;
    }
    this.#text = parts.join('');
    this.#noise = this.#dice.bytes(POOL);
  }

  #cutText(length: number): string {
    const from = this.#dice.roll(POOL - 1);
    let text = this.#text.slice(from, from + length);
    while (text.length < length) text += this.#text.slice(0, length - text.length);
    return text;
  }

  #person(): Address {
    const name = this.#dice.pick(PEOPLE);
    return {
      name,
      address: `${name
        .split(' ')[0]!
        .normalize('NFD')
        .replace(/[^a-z]/gi, '')}${this.#dice.roll(500)}@example.org`,
    };
  }

  #people(count: number): Address[] {
    return Array.from({ length: count }, () => this.#person());
  }

  /** Around the mean, from half of it to one and a half. */
  #around(mean: number): number {
    return Math.floor(mean / 2) + this.#dice.roll(Math.floor(mean) + 1);
  }

  message(index: number): Message {
    const dice = this.#dice;
    const sent = new Date(EPOCH + index * 7 * MINUTE);
    const text = this.#around(this.textBytes);
    // A third of the bytes is the plain body (two bytes a character), a third the HTML, a third the header.
    const body = this.#cutText(Math.floor(text / 6));
    const isHtml = index % 3 !== 0;
    const from = this.#person();
    return {
      subject: `${dice.roll(3) === 0 ? 'RE: ' : ''}${this.#cutText(20 + dice.roll(40))
        .replace(/\s+/g, ' ')
        .trim()}`,
      body,
      ...(isHtml ? { html: `<html><body><p>${this.#cutText(Math.floor(text / 3))}</p></body></html>` } : {}),
      headers: `Message-ID: <${index}@example.org>\r\n${this.#cutText(Math.floor(text / (isHtml ? 6 : 3)))}`,
      from,
      to: this.#people(1 + dice.roll(3)),
      cc: this.#people(dice.roll(3)),
      messageId: `<${index}@example.org>`,
      sent,
      received: new Date(sent.getTime() + MINUTE),
      read: dice.roll(4) !== 0,
      importance: dice.roll(10) === 0 ? 2 : 1,
      attachments: index % 2 === 1 && this.attachmentBytes > 0 ? this.#attachments() : [],
    };
  }

  #attachments(): Attachment[] {
    const count = 1 + this.#dice.roll(3);
    return Array.from({ length: count }, (_, i) => {
      const type = this.#dice.roll(TYPES.length);
      return {
        name: `${this.#cutText(12).replace(/[^a-z]+/g, '-')}${i}.${TYPES[type]}`,
        mime: MIMES[type]!,
        data: this.#pieces(this.#around((2 * this.attachmentBytes) / count)),
      };
    });
  }

  *#pieces(length: number): Generator<Uint8Array> {
    for (let done = 0; done < length; ) {
      const from = this.#dice.roll(POOL - 1);
      const piece = this.#noise.subarray(from, Math.min(POOL, from + length - done));
      yield piece;
      done += piece.length;
    }
  }
}

export function generateStore(target: string | (Sink & Source), shape: Shape): BuiltStore {
  const { messages, folders = 1, textBytes = 4000 * messages, attachmentBytes = 0, seed = 1 } = shape;
  const writer = new Writer(seed, textBytes / messages, attachmentBytes / messages);
  const options = {
    displayName: `${messages} messages`,
    recordKey: new Dice(seed).bytes(16),
    now: new Date(EPOCH),
    ...(shape.crypt === undefined ? {} : { crypt: shape.crypt }),
    ...(shape.trust === undefined ? {} : { trust: shape.trust }),
    ...(shape.core === undefined ? {} : { core: shape.core }),
  };
  return buildStore(target, options, (b) => {
    let folder: FolderBuilder | undefined;
    let made = 0;
    for (let i = 0; i < messages; i++) {
      if (folder === undefined || i >= (made * messages) / folders) {
        folder?.close();
        made++;
        folder = b.ipmSubtree.folder(`Folder ${made}`, { containerClass: 'IPF.Note' });
      }
      folder.message(writer.message(i));
    }
  });
}
