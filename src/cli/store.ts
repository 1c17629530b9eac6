/** Opens the store a verb was given, damaged or not. @module */
import { Core } from '../core/core.js';
import { PstError, UsageError, type Where } from '../errors.js';
import { openSource } from '../host/file.js';
import type { Source } from '../host/source.js';
import { Store } from '../messaging/store.js';
import { Ndb } from '../ndb/ndb.js';
import { EXIT, type ExitCode, exitCodeOf } from './exit.js';
import { count, escapeText, paint, print } from './output.js';

/** Findings printed after a verb's own output; `check` lists them all. */
const FINDINGS_SHOWN = 20;

/** A finding as `--json` gives it. */
export const faultJson = (fault: PstError): Record<string, unknown> => ({
  code: fault.code,
  message: fault.reason,
  where: fault.where,
});

/** What is wrong with a store, gathered while a verb shows what is there. */
export class Faults {
  readonly #all: PstError[] = [];
  readonly #said = new Set<string>();
  #hasDamage = false;
  #store: Store | undefined;
  #taken = 0;

  get all(): readonly PstError[] {
    this.#take();
    return this.#all;
  }

  /** Something could not be read, or only by searching for it. */
  get hasDamage(): boolean {
    this.#take();
    return this.#hasDamage;
  }

  /** Reading went on as if nothing was wrong. */
  warn(fault: PstError): void {
    if (this.#said.has(fault.message)) return;
    this.#said.add(fault.message);
    this.#all.push(fault);
  }

  damage(fault: PstError): void {
    this.#hasDamage = true;
    this.warn(fault);
  }

  /** From now on what `store` finds while it is read counts, too. */
  follow(store: Store): void {
    this.#store = store;
    this.#taken = store.findings.length;
  }

  /** What a store reports of its own accord was read around: a disagreement of tables and nodes, or real damage. */
  #take(): void {
    const found = this.#store?.findings ?? [];
    for (; this.#taken < found.length; this.#taken++) {
      const fault = found[this.#taken]!;
      if (fault.code === 'PST_MISSING' || fault.code === 'PST_UNSUPPORTED') this.warn(fault);
      else this.damage(fault);
    }
  }

  /** Runs `read`; damage it meets is noted and gives undefined. Only faults of the file: anything else passes. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof PstError)) throw error;
      this.damage(error);
      return undefined;
    }
  }

  /** For what was asked for and is not there: the caller's fault, unless damage may be why. */
  absent(message: string, where: Where): Error {
    return this.hasDamage ? new PstError('PST_MISSING', message, where) : new UsageError('NOT_FOUND', message);
  }

  get exitCode(): ExitCode {
    return this.hasDamage ? EXIT.DAMAGE : this.all.length > 0 ? EXIT.WARNINGS : EXIT.OK;
  }

  get json(): Record<string, unknown>[] {
    return this.all.map(faultJson);
  }

  /** The findings, at the end of a verb's text. */
  print(): void {
    if (this.all.length === 0) return;
    print();
    print(paint(this.hasDamage ? 'red' : 'yellow', `${count(this.all.length, 'finding')} while reading:`));
    for (const fault of this.all.slice(0, FINDINGS_SHOWN)) print(`  ${fault.code}  ${escapeText(fault.message)}`);
    const left = this.all.length - FINDINGS_SHOWN;
    if (left > 0) print(`  … ${count(left, 'more finding')}; --json lists them all`);
  }
}

/** Opens `path`, hands it to `use`, closes it. */
export function withSource<T>(path: string, use: (source: Source) => T): T {
  const source = openSource(path);
  try {
    return use(source);
  } finally {
    source.close();
  }
}

/**
 * Opens the store at `path` and closes it after `use`. When its header or B-trees are damaged it is opened again for
 * salvage: what is usable is there, what is not is among the faults. Throws when the file is no store at all.
 */
export function withNdb<T>(path: string, use: (ndb: Ndb, faults: Faults) => T): T {
  return withSource(path, (source) => {
    const faults = new Faults();
    const ndb = openNdb(source, faults);
    try {
      const result = use(ndb, faults);
      ndb.core.end();
      return result;
    } finally {
      ndb.close();
    }
  });
}

/** The same one layer up: what reading meets later joins the faults before they are printed. */
export function withStore<T>(path: string, use: (store: Store, faults: Faults) => T): T {
  return withNdb(path, (ndb, faults) => {
    const store = new Store(ndb, () => {}, {});
    faults.follow(store);
    return use(store, faults);
  });
}

export function openNdb(source: Source, faults: Faults): Ndb {
  try {
    const ndb = Ndb.open(source, Core.load());
    for (const finding of ndb.findings) faults.warn(finding);
    return ndb;
  } catch (error) {
    if (!(error instanceof PstError) || exitCodeOf(error) !== EXIT.DAMAGE) throw error;
    // A core of its own: the failed attempt has left its blocks in the other.
    return Ndb.open(source, Core.load(), { damage: (fault) => faults.damage(fault) });
  }
}
