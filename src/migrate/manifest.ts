/**
 * The manifest of a clone: what was copied, with a digest for every node, in msgpack beside the target. It proves later that a store
 * still holds what arrived. Fields are listed in {@link Manifest}.
 * @module
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { decode, encode } from '@msgpack/msgpack';
import { flagsText } from '../core/options.js';
import { UsageError } from '../errors.js';
import { msgpackFault } from '../host/msgpack.js';
import type { CloneReport, FolderCount } from './clone.js';
import type { Counters } from './digest.js';
import type { Omitted } from './omission.js';
import { type Count, KINDS, noCount } from './tally.js';

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
  /** Contents tables that were made anew from their messages. */
  readonly rebuilt: readonly Omitted[];
  /** Nodes that went with them because they only list them. */
  readonly indexes: readonly number[];
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
    rebuilt: report.rebuilt,
    indexes: report.indexes,
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
  if (msgpackFault(bytes, ITEMS_BASE + bytes.length / NODE_BYTES) !== undefined) return undefined;
  let manifest: Partial<Manifest> | null;
  try {
    manifest = decode(bytes) as Partial<Manifest> | null;
  } catch {
    return undefined; // keys and texts that are none
  }
  if (typeof manifest !== 'object' || manifest === null) return undefined;
  const { omitted = [], rebuilt = [], indexes = [], failed = noCount() } = manifest;
  const all = { ...manifest, omitted, rebuilt, indexes, failed };
  return isManifest(all) ? all : undefined;
}

/** Items of a manifest that belong to no node: folders, counters, findings. */
const ITEMS_BASE = 1 << 20;
/** A node takes a number and 32 bytes of digest: against a file of nothing but small items. */
const NODE_BYTES = 32;

const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isCountOf = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && KINDS.every((kind) => isSize((value as Count)[kind]));
const isText = (value: unknown): boolean => typeof value === 'string';

/** Whether all that anybody reads of a manifest is there. What it says is proved elsewhere. */
function isManifest(manifest: Partial<Manifest>): manifest is Manifest {
  const { format, target, counters, contentDigest, findings, omitted, rebuilt, failed } = manifest;
  return (
    format === MANIFEST_FORMAT &&
    contentDigest instanceof Uint8Array &&
    isSize(target?.size) &&
    isCountOf(counters) &&
    isCountOf(failed) &&
    Array.isArray(findings) &&
    Array.isArray(omitted) &&
    omitted.every(isOmitted) &&
    Array.isArray(rebuilt) &&
    rebuilt.every(isOmitted)
  );
}

function isOmitted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { nid, of, kind, folder, path, code, message, where, cause } = value as Record<string, unknown>;
  const isPlace =
    isSize(nid) && (of === undefined || isSize(of)) && isSize(folder) && Array.isArray(path) && path.every(isText);
  return isPlace && [kind, code, message, cause].every(isText) && typeof where === 'object' && where !== null;
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
