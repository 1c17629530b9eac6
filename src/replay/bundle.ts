/**
 * A replay bundle: one operation that failed, with exactly what it read, so that it can be repeated without the store. msgpack, deflated.
 * @module
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { decode, encode } from '@msgpack/msgpack';
import type { CoreBuild } from '../core/core.js';
import type { Stop } from '../core/fault.js';
import type { PageHeapOptions } from '../core/options.js';
import { UsageError, type Where } from '../errors.js';
import { msgpackFault } from '../host/msgpack.js';
import { bundleFault } from './shape.js';

export const BUNDLE_FORMAT = 'pstwright replay';
export const BUNDLE_VERSION = 1;

/** Against a bundle that inflates without end: the largest we write holds 256 MB of blocks, and at most 64 MB that say where they lie. */
const INFLATED_MAX = 320 << 20;

/**
 * Against megabytes of empty arrays, each an object once decoded: a bundle has six items for each block looked up, and a value of 4 GB
 * is half a million blocks.
 */
const ITEMS_MAX = 1 << 22;

/** How the operation ended. */
export type Outcome =
  | { readonly kind: 'stop' | 'fault'; readonly stop: Stop; readonly message: string }
  | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly where: Where }
  | { readonly kind: 'none' };

export interface Bundle {
  readonly format: typeof BUNDLE_FORMAT;
  readonly version: number;
  /** Version of pstwright that wrote the bundle, and SHA-256 of its core. */
  readonly engine: string;
  readonly core: { readonly build: CoreBuild; readonly hash: string };
  /** Settings of the page heap, as core/options.ts has them. */
  readonly pageheap: PageHeapOptions;
  readonly policy: { readonly name: 'clone'; readonly reencode: boolean };
  readonly source: { readonly name: string; readonly size: number; readonly fingerprint: string };
  /** Mailbox, folders from the root down, item: what a person calls the place. */
  readonly path: readonly { readonly nid: number; readonly name: string }[];
  /** `open`: header and trees. `node`: one node; the `ordinal`th of the run, before which the core had taken `allocations` blocks. */
  readonly operation: {
    readonly kind: 'open' | 'node';
    readonly nid: number;
    readonly ordinal: number;
    readonly allocations: number;
  };
  /** NBT entry of the node. */
  readonly node: {
    readonly nid: number;
    readonly bidData: number;
    readonly bidSub: number;
    readonly parent: number;
  } | null;
  /** BBT entries the operation looked up: bid, ib, cb, inflated size, cRef; ascending by bid. */
  readonly blocks: readonly (readonly [number, number, number, number, number])[];
  /** What the operation read, ascending by offset, none overlapping. */
  readonly ranges: readonly { readonly ib: number; readonly bytes: Uint8Array }[];
  /** Names of the named properties that the item has, by the ids that the store gives them. */
  readonly names?: readonly { readonly npid: number; readonly set: string; readonly id: number | string }[];
  readonly outcome: Outcome;
  /** What was done to the bundle since: `minimised`, `redacted`. */
  readonly changes: readonly string[];
  /** Of a redacted one: how many values were replaced, and what had to stay, a sentence each. */
  readonly redaction?: { readonly replaced: number; readonly kept: readonly string[] };
}

export function encodeBundle(bundle: Bundle): Uint8Array {
  return deflateSync(encode(bundle));
}

/** Throws UsageError when `bytes` are no bundle of ours. */
export function decodeBundle(bytes: Uint8Array, name: string): Bundle {
  const none = (): UsageError => new UsageError('USAGE', `${name} is not a replay bundle`);
  let packed: Uint8Array;
  try {
    packed = inflateSync(bytes, { maxOutputLength: INFLATED_MAX });
  } catch {
    throw none();
  }
  if (msgpackFault(packed, ITEMS_MAX) !== undefined) throw none();
  let bundle: Bundle;
  try {
    bundle = decode(packed) as Bundle;
  } catch {
    throw none(); // keys and texts that are none
  }
  if (bundle?.format !== BUNDLE_FORMAT) throw none();
  if (!Number.isSafeInteger(bundle.version)) throw none();
  if (bundle.version !== BUNDLE_VERSION) {
    throw new UsageError(
      'USAGE',
      `${name} is a bundle of version ${bundle.version}; this program reads ${BUNDLE_VERSION}`,
    );
  }
  const fault = bundleFault(bundle);
  if (fault !== undefined) throw new UsageError('USAGE', `${name} is a damaged bundle: its ${fault} cannot be`);
  return bundle;
}

/** Bytes of the store that the bundle carries. */
export const inputBytes = (bundle: Bundle): number => bundle.ranges.reduce((sum, { bytes }) => sum + bytes.length, 0);
