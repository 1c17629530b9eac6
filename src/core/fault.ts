/**
 * The core refused an access of its own: a verifier stop, always our bug and never the input's. The
 * record is assembly/memory/stop.ts; the words are here.
 * @module
 */
import { hex } from '../errors.js';
import type { PageHeapOptions } from './options.js';
import { decoderOf, freerName, siteName } from './site.js';

/** Kinds of stop, by number. Mirrors assembly/memory/stop.ts. */
export const STOP_KINDS = [
  'none',
  'overrun',
  'underrun',
  'use after free',
  'double free',
  'bad free',
  'wild access',
  'null access',
  'slack damage',
  'extreme size',
  'memory exhausted',
  'suffix damage',
  'start stamp damage',
  'end stamp damage',
  'heap pointer damage',
  'write after free',
  'leak',
  'injected fault',
  'heap list damage',
  'uninitialised read',
] as const;
export type StopKind = (typeof STOP_KINDS)[number];

/** Where the record lies, and its fields in order. assembly/memory/stop.ts draws it. */
export const STOP_AT = 0x1000;

export interface Stop {
  kind: StopKind;
  /** First byte that was refused. */
  address: number;
  /** Bytes the access wanted. */
  width: number;
  block: number;
  size: number;
  /** What the block was taken for, and by number. */
  site: string;
  siteId: number;
  /** The decoder that freed it, and the call by number. */
  freeSite: string;
  freeSiteId: number;
  /** The decoder that took it. */
  decoder: string;
  /** Which allocation of the operation it is. */
  ordinal: number;
  nid: number;
  tag: number;
  operation: number;
}

export function readStop(memory: ArrayBuffer): Stop | undefined {
  const [kind, address, width, block, size, site, freeSite, ordinal, nid, tag, operation] = new Uint32Array(
    memory,
    STOP_AT,
    11,
  ) as unknown as number[];
  const name = STOP_KINDS[kind!];
  if (name === undefined || name === 'none') return undefined; // the machine's own trap, not one of ours
  return {
    kind: name,
    address: address!,
    width: width!,
    block: block!,
    size: size!,
    site: siteName(site!),
    siteId: site!,
    freeSite: freerName(freeSite!),
    freeSiteId: freeSite!,
    decoder: decoderOf(site!) ?? 'unknown',
    ordinal: ordinal!,
    nid: nid!,
    tag: tag!,
    operation: operation!,
  };
}

const count = (n: number): string => `${n} byte${n === 1 ? '' : 's'}`;

function relation({ kind, address, block, size, site }: Stop): string {
  if (block === 0)
    return kind === 'extreme size' || kind === 'memory exhausted' ? `${count(size)} asked for` : 'in no block';
  const of = `the ${size}-byte block of ${site}`;
  if (address < block) return `${count(block - address)} before ${of}`;
  if (address >= block + size) return `${count(address - block - size)} past the end of ${of}`;
  return `${count(address - block)} into ${of}`;
}

/** An allocation was made to fail (--fault): not our bug and not the file's fault. */
export class InjectedFault extends Error {
  override readonly name = 'InjectedFault';
  constructor(readonly stop: Stop) {
    super(
      `allocation ${stop.ordinal} of the operation, ${count(stop.size)} for ${stop.site}, was made to fail (--fault)`,
    );
  }
}

/** What a core was when it stopped: for the report, which needs its memory. */
export interface Scene {
  readonly memory: ArrayBuffer;
  readonly build: 'core' | 'paranoid' | 'raw' | 'debug' | 'watch';
  readonly pageheap: PageHeapOptions;
  /** Events of the trace ring since the instance began. */
  readonly events: number;
}

export class CoreFault extends Error {
  override readonly name = 'CoreFault';
  /** Not enumerable: nobody prints or clones a core's memory by accident. */
  declare readonly scene: Scene | undefined;
  constructor(
    readonly stop: Stop | undefined,
    cause: unknown,
    scene?: Scene,
  ) {
    super(
      stop === undefined
        ? `the core trapped: ${(cause as Error).message}`
        : `verifier stop: ${stop.kind} at ${hex(stop.address)}, ${relation(stop)}${stop.nid ? `, node ${hex(stop.nid)}` : ''}`,
      { cause },
    );
    Object.defineProperty(this, 'scene', { value: scene });
  }
}
