/**
 * How a verb ends: exit codes, and errors as plain sentences. Three families of errors stay apart up to the last line:
 * the file is at fault (2), the caller is (3), we are (4).
 * @module
 */
import { CoreFault, InjectedFault } from '../core/fault.js';
import { makeReport, type ReportOptions, reportText } from '../core/report.js';
import { PstError, UsageError } from '../errors.js';
import { tagName } from '../mapi/tags.js';
import { EssentialError } from '../migrate/omission.js';
import { escapeText, printJson } from './output.js';
import { stopCodesOf } from './pageheap-options.js';

/** Exit codes of every verb. The help text of the program lists them. */
export const EXIT = {
  OK: 0,
  WARNINGS: 1,
  /** Finished, but something in the store is damaged or could not be done. */
  DAMAGE: 2,
  /** Nothing was done: the target exists, an argument is wrong, the file is no store. */
  REFUSED: 3,
  /** The verifier stopped the core, or the program failed: our bug, never the file's fault. */
  STOP: 4,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Errors of the operating system carry the call that failed; ours and JavaScript's own do not. */
const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof EssentialError) return exitCodeOf(error.cause);
  if (error instanceof PstError) {
    return error.code === 'PST_NOT_A_STORE' || error.code === 'PST_UNSUPPORTED' ? EXIT.REFUSED : EXIT.DAMAGE;
  }
  if (error instanceof InjectedFault) return EXIT.DAMAGE;
  if (error instanceof UsageError || isSystemError(error)) return EXIT.REFUSED;
  return EXIT.STOP;
}

/** The error as `--json` gives it. */
export function errorJson(error: unknown): Record<string, unknown> {
  if (error instanceof EssentialError) {
    return { ...errorJson(error.cause), message: error.message, essential: { nid: error.nid } };
  }
  if (error instanceof PstError) return { code: error.code, message: error.reason, where: error.where };
  if (error instanceof UsageError) return { code: error.code, message: error.message };
  if (error instanceof InjectedFault) return { code: 'FAULT_INJECTED', message: error.message, stop: error.stop };
  if (error instanceof CoreFault) {
    return { code: 'CORE_FAULT', message: error.message, stop: error.stop, report: makeReport(error, reportOptions()) };
  }
  if (isSystemError(error)) return { code: 'IO', message: error.message };
  return { code: 'BUG', message: String(error), stack: error instanceof Error ? error.stack : undefined };
}

/** What a person reads on stderr. */
export function errorText(error: unknown): string {
  if (error instanceof EssentialError) {
    const isOurs = exitCodeOf(error) === EXIT.STOP;
    return `pstwright: ${escapeText(error.message)}${isOurs ? `\n${errorText(error.cause)}` : ''}`;
  }
  if (error instanceof PstError) return `pstwright: ${escapeText(error.message)} (${error.code})`;
  if (error instanceof UsageError || error instanceof InjectedFault || isSystemError(error))
    return `pstwright: ${escapeText(error.message)}`;
  if (error instanceof CoreFault) return [...bugText('The verifier stopped the core.'), stopText(error)].join('\n');
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [...bugText('The program failed.'), ...stack.split('\n').map(escapeText)].join('\n');
}

const bugText = (what: string): string[] => [
  `pstwright: ${what} This is a bug in pstwright, not a fault of your file, which was opened for reading only.`,
  'Please report it with the lines below and the version (`pstwright --version`).',
  '',
];

const reportOptions = (): ReportOptions => ({ codes: stopCodesOf(), property: tagName });

/** Lines of a stack that are our own code: the core's part of it is in the report. */
const HOST_FRAMES = 8;

/** The report of a stop, and who had called the core. It shows bytes of the store, and says so. */
function stopText(fault: CoreFault): string {
  const frames = (fault.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at (?!.*(?:wasm:\/\/|node:internal))/.test(line));
  const lines = [...reportText(fault, reportOptions()).split('\n'), '', ...frames.slice(0, HOST_FRAMES)];
  const text = lines.map(escapeText).join('\n');
  if (fault.scene === undefined) return text;
  return `${text}\n\nThe bytes shown may be of your store; leave them out of the report if they are private.`;
}

/** Says what went wrong (with `json`: as the one document on stdout, too) and sets the exit code. */
export function fail(error: unknown, json: boolean): void {
  if (json) printJson({ error: errorJson(error) });
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = exitCodeOf(error);
}

/**
 * Wraps the body of a verb for commander: what it returns becomes the exit code (nothing: 0), what it throws is said
 * and mapped. The options object is commander's last but one argument; `json` in it decides the form.
 */
export function action<A extends unknown[]>(
  // biome-ignore lint/suspicious/noConfusingVoidType: a verb that returns nothing went well
  verb: (...args: A) => ExitCode | void | Promise<ExitCode | void>,
): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      process.exitCode = (await verb(...args)) ?? EXIT.OK;
    } catch (error) {
      const json = args.some((arg) => typeof arg === 'object' && arg !== null && 'json' in arg && arg.json === true);
      fail(error, json);
    }
  };
}
