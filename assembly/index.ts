// What the host may call. Only numbers cross the border: addresses, sizes, counts, codes.

import { initCrc } from './ndb/crc';
import { initTables } from './ndb/tables';
import { initHeap } from './memory/pageheap';

export { alloc, allocations, free, pagesLive, pagesPeak, sizeOf } from './memory/pageheap';
export { context } from './memory/stop';
export { crc } from './ndb/crc';
export { blockDecode } from './ndb/encoding';
export { blockCheck, blockCopy, blockLoad, blockSeal, pageSeal, wireSize } from './ndb/block';
export { chainAdd, chainCount, chainFree, chainNew, chainPtr, chainSize, chainTotal } from './ndb/chain';
export { hnClient } from './ltp/heap';
export { bthCopy, hnCopy, hnRoot, inspectBth, inspectHeap, inspectPc, notesNew } from './ltp/inspect';
export { inspectTable } from './ltp/inspecttc';
export { pcRead } from './ltp/pc';
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
  tcRowsHnid,
  tcRowSize,
} from './ltp/tc';
export { pcWrite } from './ltp/pcwriter';
export { lzfuDecode } from './text/lzfu';
export { twClose, twEnd, twHeap, twNew, twRow, twRows } from './ltp/tcwriter';

/** Must be called once, before anything else. */
export function init(): void {
  initCrc();
  initTables();
  initHeap();
}
