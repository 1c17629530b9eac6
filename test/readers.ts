/**
 * Readers that others wrote, for tests: what each counts and extracts of a store. pst-extractor runs in process; pffexport
 * (pff-tools) and readpst (pst-utils) are run where they are installed.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PSTFile, type PSTFolder, PSTMessage } from 'pst-extractor';

export const hasProgram = (name: string): boolean => {
  try {
    execFileSync('which', [name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const TIMEOUT_MS = 120_000;

/** Every file a program extracts: how many, and the multiset of their digests. Names hold counters and are left out. */
export interface Extracted {
  readonly files: number;
  readonly digests: readonly string[];
}

function extractedFiles(run: (folder: string) => void): Extracted {
  const folder = mkdtempSync(join(tmpdir(), 'pstwright-readers-'));
  try {
    run(folder);
    const digests: string[] = [];
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, name);
      if (!statSync(path).isFile()) continue;
      digests.push(createHash('sha256').update(readFileSync(path)).digest('hex'));
    }
    return { files: digests.length, digests: digests.sort() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What `pffexport -m items` writes. */
export const pffexport = (store: string): Extracted =>
  extractedFiles((folder) => {
    execFileSync('pffexport', ['-q', '-m', 'items', '-t', join(folder, 'x'), store], {
      stdio: 'ignore',
      timeout: TIMEOUT_MS,
    });
  });

/**
 * What `readpst` writes as one file a message (attachments beside). Its MIME boundaries and calendar file names are
 * random, DTSTAMP is the time of the run, and the UID it gives a calendar item is the BID of a block: these are evened out.
 */
export const readpst = (store: string): Extracted => {
  const folder = mkdtempSync(join(tmpdir(), 'pstwright-readers-'));
  try {
    try {
      execFileSync('readpst', ['-q', '-j', '0', '-S', '-D', '-t', 'eajc', '-o', folder, store], {
        stdio: 'ignore',
        timeout: TIMEOUT_MS,
      });
    } catch (error) {
      // It exits with 1 when the store holds nothing it knows.
      if ((error as { status?: number }).status !== 1) throw error;
    }
    const digests: string[] = [];
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, name);
      if (!statSync(path).isFile()) continue;
      const text = readFileSync(path, 'latin1')
        .replace(/--boundary-LibPST-iamunique-[^\s"]*/g, '--boundary')
        .replace(/^UID:0x[0-9a-f]+/gm, 'UID')
        .replace(/^DTSTAMP:.*$/gm, 'DTSTAMP')
        .replace(/name="i\d+\.ics"/g, 'name="i.ics"');
      digests.push(createHash('sha256').update(text).digest('hex'));
    }
    return { files: digests.length, digests: digests.sort() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** What pst-extractor sees: a line for each folder, message and attachment, in its order. Undefined where it refuses the store. */
export function pstExtractor(store: string): string[] | undefined {
  const lines: string[] = [];
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
  const visitMessage = (message: PSTMessage, depth: number): void => {
    lines.push(
      `message ${message.messageClass} ${digest(message.subject)} ${digest(message.body)} ${digest(message.bodyHTML)} ` +
        `${message.numberOfRecipients} ${message.numberOfAttachments} ${message.descriptorNodeId}`,
    );
    for (let k = 0; k < message.numberOfAttachments; k++) {
      const attachment = message.getAttachment(k);
      lines.push(`attachment ${digest(attachment.longFilename)} ${attachment.filesize} ${attachment.attachMethod}`);
      const embedded = attachment.embeddedPSTMessage;
      if (embedded !== null && depth < 10) visitMessage(embedded, depth + 1);
    }
  };
  const visit = (folder: PSTFolder): void => {
    lines.push(`folder ${digest(folder.displayName)} ${folder.contentCount} ${folder.descriptorNodeId}`);
    if (folder.hasSubfolders) for (const sub of folder.getSubFolders()) visit(sub);
    if (folder.contentCount > 0) {
      for (let child = folder.getNextChild(); child !== null; child = folder.getNextChild()) {
        if (child instanceof PSTMessage) visitMessage(child, 0);
      }
    }
  };
  try {
    visit(new PSTFile(store).getRootFolder());
  } catch {
    return undefined;
  }
  return lines;
}
