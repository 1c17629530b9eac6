/**
 * The stores that are measured: one that the pst-extractor package ships, and built ones. A built store follows from its
 * shape alone, byte for byte, and is kept between runs beside other temporary files.
 * @module
 */
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildStore } from '../../src/build/store.js';
import { PtypInteger32 } from '../../src/mapi/type.js';

/** What a built store is made of. */
export interface Shape {
  readonly name: string;
  readonly folders: number;
  readonly messages: number;
  /** Attachments together, and their bytes together. */
  readonly attachments: number;
  readonly attachmentBytes: number;
  /** Characters of the average body; there is HTML of twice that beside it in one of two messages, 0: none. */
  readonly body: number;
  readonly recipients: number;
}

/** Issue 2: 200 MB or more, 6,000 messages, 123 MB of attachments. */
export const LARGE: Shape = {
  name: 'large',
  folders: 12,
  messages: 6000,
  attachments: 2400,
  attachmentBytes: 123_000_000,
  body: 3600,
  recipients: 4,
};
/** Seconds instead of minutes, for a smoke run. */
export const SMALL: Shape = {
  name: 'small',
  folders: 3,
  messages: 120,
  attachments: 40,
  attachmentBytes: 2_000_000,
  body: 3600,
  recipients: 4,
};

/** Many small messages in one folder. */
export const flat = (messages: number): Shape => ({
  name: `flat-${messages}`,
  folders: 1,
  messages,
  attachments: 0,
  attachmentBytes: 0,
  body: 300,
  recipients: 2,
});

/** Raise it when what is built changes. */
const EDITION = 1;
export const workFolder = join(tmpdir(), `pstwright-bench-${EDITION}`);

/** The real store of the pst-extractor package. */
export function enron(): string {
  const entry = createRequire(import.meta.url).resolve('pst-extractor');
  return join(dirname(entry), '../example/testdata/enron.pst');
}

/** Path of the store of this shape in `folder`; builds it when it is not there. */
export function builtStore(shape: Shape, folder = workFolder): string {
  const path = join(folder, `${shape.name}.pst`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `${shape.name}.draft`);
  rmSync(draft, { force: true });
  const recordKey = new TextEncoder().encode('pstwright bench!');
  buildStore(draft, { recordKey, now: START, trust: true }, (store) => {
    const text = new Words(7);
    for (let f = 0; f < shape.folders; f++) {
      const folder = store.ipmSubtree.folder(`Folder ${f + 1}`);
      for (let m = f; m < shape.messages; m += shape.folders) folder.message(messageOf(shape, m, text));
      folder.close();
    }
  });
  renameSync(draft, path);
  return path;
}

export const sizeOf = (path: string): number => statSync(path).size;

/** A property set of our own. */
const SET = '7a0c1f52-3b6d-4e8f-9a10-b2c3d4e5f607';
const START = new Date(Date.UTC(2001, 0, 1));
const MINUTE = 60_000;

function messageOf(shape: Shape, m: number, text: Words) {
  const received = new Date(START.getTime() + m * 7 * MINUTE);
  const to = Array.from({ length: 1 + (m % (2 * shape.recipients - 1)) }, (_, k) => ({
    name: text.sentence(2),
    address: `person${(m * 7 + k) % 997}@example.org`,
  }));
  const body = text.paragraphs(Math.round(shape.body * (0.5 + (m % 11) / 10)));
  return {
    subject: `${m % 3 === 0 ? 'RE: ' : ''}${text.sentence(6)}`,
    body,
    ...(m % 2 === 0 || shape.body < 1000 ? {} : { html: `<html><body><p>${body}</p><p>${body}</p></body></html>` }),
    headers: `Received: by mx.example.org; ${received.toUTCString()}\r\nX-Number: ${m}\r\n`.repeat(3),
    messageId: `<${m}.${shape.name}@example.org>`,
    from: { name: text.sentence(2), address: `person${m % 997}@example.org` },
    to,
    sent: new Date(received.getTime() - MINUTE),
    received,
    read: m % 4 !== 0,
    named: [{ set: SET, name: 'Number', type: PtypInteger32, value: m }],
    attachments: attachmentsOf(shape, m, text),
  };
}

/** Sizes rise evenly with the number of the attachment, over two orders of magnitude; together they are `attachmentBytes`. */
function attachmentsOf(shape: Shape, m: number, text: Words) {
  const first = Math.floor((m * shape.attachments) / shape.messages);
  const end = Math.floor(((m + 1) * shape.attachments) / shape.messages);
  const total = (n: number): number =>
    Math.floor(shape.attachmentBytes * (0.02 * (n / shape.attachments) + 0.98 * (n / shape.attachments) ** 2));
  return Array.from({ length: end - first }, (_, k) => {
    // Large and small ones lie mixed in the store.
    const n = ((first + k) * 1009) % shape.attachments;
    return {
      name: `document ${first + k}.bin`,
      mime: 'application/octet-stream',
      data: text.bytes(total(n + 1) - total(n)),
    };
  });
}

const WORDS =
  'the of and to in a is that for it as was with be by on not he this are or his from at which but have an they you were her all she there would their we him been has when who will more no if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over man me even most made after also did many before must through back years where much your way well down should because each just those people how too little state good very make world still own see men work long get here between both life being under never day same another know while last might us great old year off come since against go came right used take three'.split(
    ' ',
  );

/** Text and bytes that look like nothing in particular and are the same every time. */
class Words {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** mulberry32. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  sentence(words: number): string {
    const parts: string[] = [];
    for (let k = 0; k < words; k++) parts.push(WORDS[this.#next() % WORDS.length]!);
    return parts.join(' ');
  }

  paragraphs(characters: number): string {
    let text = '';
    while (text.length < characters)
      text += `${this.sentence(8 + (this.#next() % 12))}.${this.#next() % 5 === 0 ? '\r\n' : ' '}`;
    return text.slice(0, characters);
  }

  bytes(size: number): Uint8Array {
    const words = new Uint32Array(Math.ceil(size / 4));
    for (let k = 0; k < words.length; k++) words[k] = this.#next();
    return new Uint8Array(words.buffer, 0, size);
  }
}
