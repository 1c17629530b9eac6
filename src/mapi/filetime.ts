/**
 * FILETIME: 100-nanosecond ticks since 1601-01-01 UTC, unsigned 64 bits. MS-DTYP 2.3.3.
 *
 * A JS Date holds milliseconds within ±275,760 years, so the whole range of a FILETIME (up to the
 * year 60,056) fits, but the last four digits are lost: the ticks are what is kept.
 * @module
 */
import { UsageError } from '../errors.js';

/** Ticks from 1601-01-01 to 1970-01-01. */
const UNIX_EPOCH = 116_444_736_000_000_000n;
const TICKS_PER_MS = 10_000n;
const TICKS_PER_SECOND = 10_000_000n;

/**
 * Values that mean "no time". 0 and the two maxima are nobody's moment; 4501-01-01 is how Outlook
 * writes "None" in date fields (MS-OXOTASK 2.2.2.2.4 and others: 0x5AE980E0 minutes since 1601).
 */
const NONE: ReadonlySet<bigint> = new Set([
  0n,
  0x0cb34557a3dd4000n, // 4501-01-01T00:00Z
  0x7fff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_ffffn,
]);

export class FileTime {
  readonly ticks: bigint;

  constructor(ticks: bigint) {
    this.ticks = BigInt.asUintN(64, ticks);
  }

  static fromDate(date: Date): FileTime {
    const ms = date.getTime();
    if (Number.isNaN(ms)) throw new UsageError('USAGE', 'the date is invalid');
    return FileTime.#checked(BigInt(ms) * TICKS_PER_MS + UNIX_EPOCH, date.toString());
  }

  /** Takes what `toString` gives: ISO 8601 in UTC with up to seven digits of a second. */
  static parse(text: string): FileTime {
    const parts = /^([+-]\d{6}|\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?Z)?$/.exec(text);
    const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = ''] = parts ?? [];
    const whole = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
    const ms = parts === null ? Number.NaN : Date.parse(`${whole}Z`);
    // Date.parse takes 30 February for 2 March; what it read must print as what was given.
    if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(whole)) {
      throw new UsageError('USAGE', `"${text}" is no UTC time like 2006-06-12T08:30:00Z`);
    }
    return FileTime.#checked(BigInt(ms) * TICKS_PER_MS + UNIX_EPOCH + BigInt(fraction.padEnd(7, '0')), text);
  }

  static #checked(ticks: bigint, text: string): FileTime {
    if (ticks < 0n || ticks >= 1n << 64n) throw new UsageError('USAGE', `${text} is outside 1601 … 60056`);
    return new FileTime(ticks);
  }

  /** The value says "no time" and is not to be shown as one. */
  get isNone(): boolean {
    return NONE.has(this.ticks);
  }

  /** Floored to the millisecond. undefined when the value says "no time". */
  toDate(): Date | undefined {
    return this.isNone ? undefined : this.#date();
  }

  /** ISO 8601, UTC, all seven digits of a second, for every value: also for the ones that mean "no time". */
  toString(): string {
    const fraction = this.ticks % TICKS_PER_SECOND;
    return this.#date()
      .toISOString()
      .replace(/\.\d{3}Z$/, `.${fraction.toString().padStart(7, '0')}Z`);
  }

  toJSON(): string | null {
    return this.isNone ? null : this.toString();
  }

  #date(): Date {
    // Ticks are counted from 1601 and never negative, so dividing first floors on both sides of 1970.
    return new Date(Number(this.ticks / TICKS_PER_MS - UNIX_EPOCH / TICKS_PER_MS));
  }
}
