/** What lies where in the heap, for the pictures: every address is of one kind. @module */
import type { Scene } from '../core/fault.js';
import { type HeapBlock, type HeapMap, PAGE, pageState } from '../core/heapmap.js';

/** `slack`: beside a block, in its pages or behind it in its arena; `header`: before it. `outside`: no heap. */
export type Kind = 'live' | 'freed' | 'slack' | 'header' | 'guard' | 'unused' | 'arena' | 'outside';

export interface Region {
  readonly from: number;
  readonly to: number;
  readonly kind: Kind;
  readonly block: HeapBlock | undefined;
}

/** Of the aligned layout. */
const HEADER = 32;

/** `from` up to `to` in regions of one kind each. */
export function regionsOf(heap: HeapMap, scene: Scene, from: number, to: number): Region[] {
  const near = heap.blocks.filter(({ virtAddr, virtSize }) => virtAddr < to && virtAddr + virtSize > from);
  const cuts = new Set([from, to]);
  for (let at = Math.ceil(from / PAGE) * PAGE; at < to; at += PAGE) cuts.add(at);
  const isAligned = scene.pageheap.aligned === true;
  for (const { ptr, size, virtAddr, virtSize } of near) {
    for (const at of [ptr, ptr + size, virtAddr, virtAddr + virtSize]) cuts.add(at);
    if (isAligned) cuts.add(ptr - HEADER);
  }
  const sorted = [...cuts].filter((at) => at >= from && at <= to).sort((a, b) => a - b);
  const regions: Region[] = [];
  for (let k = 0; k + 1 < sorted.length; k++) {
    const at = sorted[k]!;
    const end = sorted[k + 1]!;
    const block = ownerOf(near, at);
    const kind = kindOf(scene, block, at);
    const last = regions.at(-1);
    if (last !== undefined && last.kind === kind && last.block === block) {
      regions[regions.length - 1] = { ...last, to: end };
    } else {
      regions.push({ from: at, to: end, kind, block });
    }
  }
  return regions;
}

const ownerOf = (blocks: readonly HeapBlock[], at: number): HeapBlock | undefined =>
  blocks.find(({ ptr, size }) => at >= ptr && at < ptr + size) ??
  blocks.find(({ virtAddr, virtSize }) => at >= virtAddr && at < virtAddr + virtSize);

function kindOf({ memory, pageheap }: Scene, block: HeapBlock | undefined, at: number): Kind {
  const state = pageState(memory, at);
  if (state === undefined) return 'outside';
  if (state === 'guard' || state === 'unused' || block === undefined) return state;
  if (at >= block.ptr && at < block.ptr + block.size) return block.state;
  const hasHeader = block.kind === 'normal' || (pageheap.aligned === true && block.site !== 0);
  return hasHeader && at < block.ptr && at >= block.ptr - HEADER ? 'header' : 'slack';
}

export const KIND_NAMES: Readonly<Record<Kind, string>> = {
  live: 'live',
  freed: 'freed',
  slack: 'slack',
  header: 'header',
  guard: 'guard',
  unused: 'never used',
  arena: 'arena',
  outside: 'not heap',
};
