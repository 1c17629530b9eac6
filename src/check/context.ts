/**
 * What every part of `check` works with: the store, the profile, the findings, and what earlier parts have learnt.
 * @module
 */
import type { Core } from '../core/core.js';
import { PstError } from '../errors.js';
import type { Source } from '../host/source.js';
import type { Ndb } from '../ndb/ndb.js';
import { CLIENT } from '../wire/header.js';
import { ANSI, UNICODE_4K, type Variant } from '../wire/variant.js';
import type { Findings, Place, Profile, Severity } from './findings.js';
import type { RuleId } from './rules.js';

export class Context {
  readonly core: Core;
  readonly source: Source;
  readonly variant: Variant;
  /** Both B-trees could be walked to their ends: what is in neither is really nowhere. */
  treesComplete = true;
  /** Nodes that could not be read; said once, and not again by parts that come later. */
  readonly #unreadable = new Set<number>();
  /** Ids from 0x8000 on that property contexts use: each needs a name. */
  readonly usedNames = new Set<number>();
  readonly #visited = new Set<string>();
  #done = 0;

  constructor(
    readonly ndb: Ndb,
    readonly findings: Findings,
    readonly total: number,
    readonly progress: ((done: number, total: number) => void) | undefined,
  ) {
    this.core = ndb.core;
    this.source = ndb.source;
    this.variant = ndb.variant;
  }

  get profile(): Profile {
    return this.findings.profile;
  }
  get isOwn(): boolean {
    return this.findings.profile === 'own';
  }
  get isAnsi(): boolean {
    return this.variant === ANSI;
  }
  /** The cache of a server's mailbox: what replication needs is in the rows alone. */
  get isOst(): boolean {
    return this.ndb.header.wMagicClient === CLIENT.OST;
  }
  get is4K(): boolean {
    return this.variant === UNICODE_4K;
  }

  add(rule: RuleId, message: string, place?: Place, foreign?: Severity | 'none'): void {
    this.findings.add(rule, message, place, foreign);
  }

  /** What `read` returns; undefined when the node is damaged, which is one finding, however many ask. */
  attempt<T>(nid: number, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof PstError)) throw error;
      if (!this.#unreadable.has(nid)) {
        this.#unreadable.add(nid);
        const { bid, ib, field, section } = error.where;
        const place = [field, section].filter((part) => part !== undefined).join(', ');
        const rule = error.code === 'PST_LIMIT' ? 'check.limit' : 'node.unreadable';
        this.add(rule, `cannot be read: ${error.reason}${place === '' ? '' : ` [${place}]`}`, { nid, bid, ib });
      }
      return undefined;
    }
  }

  /** True the first time for this key. Against objects that many others share, level by level. */
  once(key: string): boolean {
    if (this.#visited.has(key)) return false;
    this.#visited.add(key);
    return true;
  }

  /** Says that `steps` more of the work is done. */
  advance(steps = 1): void {
    const before = this.#done;
    this.#done = Math.min(this.#done + steps, this.total);
    if (this.progress !== undefined && Math.floor(before / STEP) !== Math.floor(this.#done / STEP)) {
      this.progress(this.#done, this.total);
    }
  }
}

/** Steps between two calls of `progress`. */
const STEP = 64;
