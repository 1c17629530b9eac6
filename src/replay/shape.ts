/**
 * Whether what was decoded is a bundle, before anything is built on what it says. A bundle comes from somebody else's machine: nothing in
 * it is believed until it has been looked at.
 * @module
 */
import { STOP_KINDS } from '../core/fault.js';
import { DECODERS, SITE_COUNT } from '../core/site.js';

type Test = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Test>>;

const U16_MAX = 0xffff;
const U32_MAX = 0xffffffff;

const isText: Test = (value) => typeof value === 'string';
const isFlag: Test = (value) => typeof value === 'boolean';
const upTo =
  (most: number): Test =>
  (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most;
const isCount = upTo(Number.MAX_SAFE_INTEGER);
const isU32 = upTo(U32_MAX);
const isPlace: Test = (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 64 + 1;
const oneOf =
  (...words: readonly unknown[]): Test =>
  (value) =>
    words.includes(value);
const listOf =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test);
const pairOf =
  (test: Test): Test =>
  (value) =>
    listOf(test)(value) && (value as unknown[]).length === 2;
const optional =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
/** An object with these fields; `exactly`: and no others. */
const having =
  (fields: Fields, exactly = false): Test =>
  (value) =>
    isObject(value) &&
    Object.entries(fields).every(([name, test]) => test(value[name])) &&
    (!exactly || Object.keys(value).every((name) => Object.hasOwn(fields, name)));

const BUILDS: readonly string[] = ['core', 'paranoid', 'raw', 'debug', 'watch'];

const isPageHeap = having(
  {
    mode: oneOf('full', 'normal', 'off', 'paranoid'),
    size: optional(pairOf(upTo(0x7fffffff))),
    random: optional(upTo(100)),
    decoders: optional(listOf(oneOf(...DECODERS))),
    sites: optional(pairOf(upTo(SITE_COUNT - 1))),
    backwards: optional(isFlag),
    aligned: optional(isFlag),
    leaks: optional(isFlag),
    protect: optional(isFlag),
    noTraces: optional(isFlag),
    fault: optional(having({ rate: upTo(10_000), after: upTo(0x7fffffff) })),
    seed: optional(isU32),
    ignored: optional(listOf(isText)),
  },
  true,
);

const isStop = having({
  kind: oneOf(...STOP_KINDS),
  address: isU32,
  width: isU32,
  block: isU32,
  size: isU32,
  site: isText,
  siteId: isU32,
  freeSite: isText,
  freeSiteId: isU32,
  decoder: isText,
  ordinal: isU32,
  nid: isU32,
  tag: isU32,
  operation: isU32,
});
const isWhere = having(
  {
    nid: optional(isCount),
    // As the damaged file gives them: 64 bits, which are more than numbers are exact.
    bid: optional(isPlace),
    ib: optional(isPlace),
    field: optional(isText),
    section: optional(isText),
  },
  true,
);
const isOutcome: Test = (value) =>
  having({ kind: oneOf('stop', 'fault'), stop: isStop, message: isText })(value) ||
  having({ kind: oneOf('error'), code: isText, message: isText, where: isWhere })(value) ||
  having({ kind: oneOf('none') })(value);

const isBlock: Test = (value) =>
  listOf(isCount)(value) && (value as unknown[]).length === 5 && (value as unknown[]).slice(2).every(upTo(U16_MAX));
/** Ascending by BID, each once: they are searched by halves. */
const isBlockList: Test = (value) =>
  listOf(isBlock)(value) && (value as number[][]).every((block, k, all) => k === 0 || all[k - 1]![0]! < block[0]!);
const isRange = having({ ib: isCount, bytes: (value) => value instanceof Uint8Array });
const isRangeList: Test = (value) => {
  if (!listOf(isRange)(value)) return false;
  let end = 0;
  for (const { ib, bytes } of value as { ib: number; bytes: Uint8Array }[]) {
    if (ib < end) return false;
    end = ib + bytes.length;
  }
  return end <= Number.MAX_SAFE_INTEGER;
};

/** Every field of a bundle of version 1 but format and version. */
const FIELDS: Fields = {
  engine: isText,
  core: having({ build: oneOf(...BUILDS), hash: isText }),
  pageheap: isPageHeap,
  policy: having({ name: oneOf('clone'), reencode: isFlag }),
  source: having({ name: isText, size: isCount, fingerprint: isText }),
  path: listOf(having({ nid: isU32, name: isText })),
  operation: having({ kind: oneOf('open', 'node'), nid: isU32, ordinal: isCount, allocations: isU32 }),
  node: (value) => value === null || having({ nid: isU32, bidData: isCount, bidSub: isCount, parent: isU32 })(value),
  blocks: isBlockList,
  ranges: isRangeList,
  names: optional(listOf(having({ npid: upTo(U16_MAX), set: isText, id: (id) => isText(id) || isU32(id) }))),
  outcome: isOutcome,
  changes: listOf(isText),
  redaction: optional(having({ replaced: isCount, kept: listOf(isText) })),
};

/** The first field of a decoded bundle that is not what it must be; undefined when all are. */
export function bundleFault(bundle: object): string | undefined {
  const value = bundle as Record<string, unknown>;
  const wrong = Object.entries(FIELDS).find(([name, test]) => !test(value[name]));
  if (wrong !== undefined) return wrong[0];
  const { kind } = value.operation as { kind: string };
  return (kind === 'open') === (value.node === null) ? undefined : 'node';
}
