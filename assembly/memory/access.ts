// Every access of a block, told to the host: in the watch build only (WATCH, asconfig.json), which `replay --step` runs. It is the one build
// that imports a function: the host looks at the stack of that call to see which line of code has made the access.
//
//     WATCHED   from u32 · until u32 · count u32
//
// The host writes `from` and `until` (src/core/watch.ts): accesses from <= count < until are told, the others counted only.

import { WATCHED } from './layout';
import { propertyNow } from './stop';
import { traceCount } from './trace';

/** Imported as `access.told`. */
declare function told(address: usize, size: usize, isWrite: u32, events: u32, property: u32): void;

/** Called before the access is checked, so that one that is refused is the last. */
export function noteAccess(address: usize, size: usize, isWrite: bool): void {
  const count = load<u32>(WATCHED, 8);
  store<u32>(WATCHED, count + 1, 8);
  if (count < load<u32>(WATCHED) || count >= load<u32>(WATCHED, 4)) return;
  told(address, size, isWrite ? 1 : 0, traceCount(), propertyNow());
}
