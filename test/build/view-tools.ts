/** The store through libpff (`pffexport`, `pffinfo`) and libpst (`readpst`): other people's programs. @module */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shaOf } from './view.js';

export const hasTool = (name: string): boolean => spawnSync(name, ['-V']).error === undefined;

export interface ToolView {
  /** Messages of folders, by folder path; embedded ones apart. */
  readonly messages: Readonly<Record<string, number>>;
  readonly embedded: number;
  /** SHA-256 of each attachment's bytes, sorted. */
  readonly attachments: readonly string[];
  readonly recipients: number;
}

/** Every file below `folder`, with its path from there. */
function* filesOf(folder: string, above = ''): Generator<string> {
  for (const name of readdirSync(join(folder, above))) {
    const path = join(above, name);
    if (statSync(join(folder, path)).isDirectory()) yield* filesOf(folder, path);
    else yield path;
  }
}

function inScratch<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'pstwright-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `pffinfo` says of a store what its header and store object say. */
export const pffinfo = (path: string): string => execFileSync('pffinfo', [path], { encoding: 'utf8' });

const ITEM = /^(Message|Contact|Meeting|Appointment|Task|Note)\d{5}$/;

/** `pffexport -m items`: a folder for each message, a file for each attachment. */
export function pffView(path: string): ToolView {
  return inScratch((folder) => {
    const target = join(folder, 'x');
    const run = spawnSync('pffexport', ['-m', 'items', '-q', '-t', target, path], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    // Attachments by reference are the one thing it says it cannot export.
    const complaints = run.stderr
      .split('\n')
      .filter(
        (line) =>
          line !== '' && !/unsupported attachment method: 0x00000004|unable to retrieve attachment type/.test(line),
      );
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
    const messages: Record<string, number> = {};
    let embedded = 0;
    let recipients = 0;
    const attachments: string[] = [];
    const export_ = `${target}.export`;
    const items = new Set<string>();
    for (const file of filesOf(export_)) {
      const parts = file.split('/');
      const name = parts.at(-1)!;
      // The innermost item the file is part of.
      const item = parts.findLastIndex((part) => ITEM.test(part));
      const folder_ = parts.slice(0, item + 1).join('/');
      if (item > 0 && !items.has(folder_)) {
        items.add(folder_);
        const isOwn = parts.findIndex((part) => ITEM.test(part)) === item;
        const above = parts.slice(1, item).join('/');
        if (isOwn) messages[above] = (messages[above] ?? 0) + 1;
        else embedded++;
      }
      if (name === 'Recipients.txt') {
        recipients += readFileSync(join(export_, file), 'utf8').match(/^Recipient type:/gm)?.length ?? 0;
      } else if (parts.at(-2) === 'Attachments') {
        attachments.push(shaOf(readFileSync(join(export_, file))));
      }
    }
    return { messages, embedded, attachments: attachments.sort(), recipients };
  });
}

/**
 * `readpst -S`: a file for each message of mail, one beside it for each of its attachments. One job (`-j 0`): several share
 * one file offset and lose messages, others each time.
 */
export function readpstView(path: string): Omit<ToolView, 'recipients' | 'embedded'> {
  return inScratch((folder) => {
    const target = join(folder, 'out');
    mkdirSync(target);
    const run = spawnSync('readpst', ['-j', '0', '-D', '-S', '-q', '-o', target, path], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    if (run.status !== 0) throw new Error(`readpst: ${run.stderr}`);
    const messages: Record<string, number> = {};
    const attachments: string[] = [];
    for (const file of filesOf(target)) {
      const parts = file.split('/');
      const name = parts.at(-1)!;
      const above = parts.slice(1, -1).join('/');
      if (/^\d+$/.test(name)) messages[above] = (messages[above] ?? 0) + 1;
      else if (!name.endsWith('-rtf-body.rtf')) attachments.push(shaOf(readFileSync(join(target, file))));
    }
    return { messages, attachments: attachments.sort() };
  });
}
