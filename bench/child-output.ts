/** What child.ts prints. @module */

export interface ChildOutput<T> {
  readonly result: T;
  /** Of each round, in milliseconds. */
  readonly ms: readonly number[];
  /** The same in processor time, all threads together: other programs on the machine disturb it less. */
  readonly cpuMs: readonly number[];
  readonly peakMegabytes: number;
}

export const childOutput = <T>(stdout: string): ChildOutput<T> => JSON.parse(stdout) as ChildOutput<T>;
