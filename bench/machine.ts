/** What the figures were measured on. Names no host, no path. @module */
import { availableParallelism, cpus, totalmem } from 'node:os';

export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${model}, ${availableParallelism()} cores, ${memory} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}
