// What the host may call. Only numbers cross the border: addresses, sizes, counts, codes.

import { initHeap } from './memory/pageheap';
import { initCrc } from './ndb/crc';
import { initTables } from './ndb/tables';

export { hnClient } from './ltp/heap';
export { bthCopy, hnCopy, hnRoot, inspectBth, inspectHeap, inspectPc, notesNew } from './ltp/inspect';
export { inspectTable } from './ltp/inspecttc';
export { pcRead } from './ltp/pc';
export { pcWrite } from './ltp/pcwriter';
export {
  tcBadRows,
  tcClose,
  tcColumnCount,
  tcColumns,
  tcGroup,
  tcHnidRows,
  tcOpen,
  tcOrder,
  tcOtherHeap,
  tcOut,
  tcOutSize,
  tcRead,
  tcRowCount,
  tcRowSize,
  tcRowsHnid,
} from './ltp/tc';
export { twClose, twEnd, twHeap, twNew, twRow, twRows } from './ltp/tcwriter';
export { configure } from './memory/options';
export {
  alloc,
  allocations,
  beginOperation,
  endOperation,
  free,
  pagesLive,
  pagesPeak,
  sizeOf,
} from './memory/pageheap';
export { drawPages } from './memory/pagemap';
export { context } from './memory/stop';
export { traceCount } from './memory/trace';
export { blockCheck, blockCopy, blockLoad, blockSeal, pageSeal, wireSize } from './ndb/block';
export { chainAdd, chainCount, chainFree, chainNew, chainPtr, chainSize, chainTotal } from './ndb/chain';
export { crc } from './ndb/crc';
export { blockDecode } from './ndb/encoding';
export { lzfuDecode } from './text/lzfu';

/** Must be called once, before anything else. */
export function init(): void {
  initCrc();
  initTables();
  initHeap();
}
