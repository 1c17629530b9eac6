/** Runs a job under capture: when it fails, the failing operation goes into a replay bundle. @module */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { Core } from '../core/core.js';
import { buildOf } from '../core/options.js';
import { openSource } from '../host/file.js';
import { EssentialError, isItem, rootOf } from '../migrate/omission.js';
import { encodeBundle, inputBytes } from '../replay/bundle.js';
import { Capture } from '../replay/capture.js';
import { EXIT, exitCodeOf } from './exit.js';
import { escapeText, size } from './output.js';
import { VERSION } from './version.js';

export interface CaptureOptions {
  readonly source: string;
  /** Where the bundle goes if there is one. */
  readonly bundle: string;
  readonly reencode: boolean;
}

/**
 * Runs `job`; what it throws is thrown on, after the bundle is written and said. `save`, which returns its path, is for a failure that the
 * job survives.
 */
export function withCapture<T>(
  options: CaptureOptions,
  job: (capture: Capture, save: (error: unknown) => string | undefined) => T,
): T {
  const capture = new Capture({
    engine: VERSION,
    build: buildOf(Core.settings),
    reencode: options.reencode,
    pageheap: Core.settings,
  });
  const isThere = existsSync(options.bundle);
  let isOwn = false;
  try {
    const result = job(capture, (error) => {
      isOwn = true;
      return writeBundle(options, capture, error, true);
    });
    if (isThere && !isOwn) process.stderr.write(`pstwright: ${earlierBundle(options.bundle)}\n`);
    return result;
  } catch (error) {
    writeBundle(options, capture, rootOf(error), error instanceof EssentialError);
    throw error;
  }
}

/** It stays: under other settings the same operation may fail again, and this is all that is left of the failure. */
export const earlierBundle = (path: string): string =>
  `${escapeText(path)} is of an earlier run that failed; this one did not need it, and it may be removed`;

function writeBundle(
  options: CaptureOptions,
  capture: Capture,
  error: unknown,
  isSkipping: boolean,
): string | undefined {
  if (exitCodeOf(error) === EXIT.REFUSED) return undefined; // no store, a full disk, a wrong word: nothing was done, and nothing is left behind
  try {
    const source = openSource(options.source);
    const bundle = capture.bundle(source, error);
    source.close();
    if (bundle === undefined) return undefined;
    writeWhole(options.bundle, encodeBundle(bundle));
    const { kind, nid } = bundle.operation;
    // Everything else is copied when a message is left out; other nodes are needed.
    const rest = kind === 'node' && isItem(nid) && !isSkipping ? '; --on-error skip copies the rest of the store' : '';
    const what = kind === 'open' ? 'opening the store' : `node 0x${nid.toString(16)}`;
    process.stderr.write(
      `pstwright: the failing operation (${what}, ${size(inputBytes(bundle))} of the store) is in ${escapeText(options.bundle)}; ` +
        `\`pstwright replay ${escapeText(options.bundle)}\` repeats it without the store${rest}\n`,
    );
    return options.bundle;
  } catch {
    return undefined; // capture is a courtesy; the error that matters is on its way
  }
}

/** A bundle that does not fit on the disk is no bundle. */
function writeWhole(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}
