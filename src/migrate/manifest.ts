/**
 * The manifest of a clone: what was copied, with a digest for every node, in msgpack beside the target. It proves later that a store
 * still holds what arrived. Fields are listed in {@link Manifest}.
 * @module
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { decode, encode } from '@msgpack/msgpack';
import { flagsText } from '../core/options.js';
import { UsageError } from '../errors.js';
import type { CloneReport, FolderCount } from './clone.js';
import type { Counters } from './digest.js';
import type { Omitted } from './omission.js';
import { type Count, noCount } from './tally.js';

export const MANIFEST_FORMAT = 'pstwright manifest';
export const MANIFEST_VERSION = 1;

export interface Manifest {
  readonly format: typeof MANIFEST_FORMAT;
  readonly version: number;
  readonly engine: string;
  readonly policy: 'clone';
  readonly reencoded: boolean;
  /** Build of the core: which verifier watched. */
  readonly verifier: string;
  /** What it was set to, in the words of PSTWRIGHT_PAGEHEAP. */
  readonly pageheap: string;
  readonly source: { readonly name: string; readonly size: number; readonly crypt: number; readonly dwUnique: number };
  readonly target: { readonly name: string; readonly size: number };
  readonly counters: Counters;
  readonly classes: Readonly<Record<string, number>>;
  readonly folders: readonly FolderCount[];
  readonly blocks: { readonly kept: number; readonly written: number; readonly dropped: number };
  /** SHA-256 over all node digests in NBT order. */
  readonly contentDigest: Uint8Array;
  readonly nids: readonly number[];
  /** 32 bytes a node, in the order of `nids`. */
  readonly digests: Uint8Array;
  readonly findings: readonly { readonly code: string; readonly message: string; readonly nid?: number }[];
  /** Items that are not in the target because they failed, and what was lost with them. `counters` is without them. */
  readonly omitted: readonly Omitted[];
  readonly failed: Count;
}

export function makeManifest(report: CloneReport, engine: string): Manifest {
  return {
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    engine,
    policy: 'clone',
    reencoded: report.reencoded,
    verifier: report.verifier,
    pageheap: flagsText(report.pageheap),
    source: report.source,
    target: report.target,
    counters: report.counters,
    classes: Object.fromEntries(report.classes),
    folders: report.folders,
    blocks: report.blocks,
    contentDigest: report.contentDigest,
    nids: [...report.nids],
    digests: report.digests,
    findings: report.findings.map(({ code, message, where }) => ({
      code,
      message,
      ...(where.nid === undefined ? {} : { nid: where.nid }),
    })),
    omitted: report.omitted,
    failed: report.failed,
  };
}

/** The manifest at `path`; undefined when it is none, or damaged. Throws UsageError NOT_FOUND. */
export function readManifest(path: string): Manifest | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UsageError('NOT_FOUND', `${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    const manifest = decode(bytes) as Manifest;
    const isOurs = manifest.format === MANIFEST_FORMAT && manifest.contentDigest instanceof Uint8Array;
    return isOurs ? { ...manifest, omitted: manifest.omitted ?? [], failed: manifest.failed ?? noCount() } : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the manifest of the target at `targetPath`. Returns its path. Throws UsageError IO, and leaves no part of it then. */
export function writeManifest(manifest: Manifest, targetPath: string): string {
  const path = `${targetPath}.manifest`;
  try {
    writeFileSync(`${path}.partial`, encode(manifest));
    renameSync(`${path}.partial`, path);
  } catch (error) {
    rmSync(`${path}.partial`, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOSPC' ? 'the disk is full' : code;
    throw new UsageError('IO', `${path}: cannot be written (${why})`);
  }
  return path;
}
