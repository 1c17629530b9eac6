/** What happened, in words. @module */
import type { Stop, StopKind } from '../core/fault.js';
import { itemText, sentence } from '../core/sentence.js';
import { freerName } from '../core/site.js';
import type { Bundle, Outcome } from './bundle.js';
import { distanceText } from './html-bytes.js';
import { bytes, hex, number } from './html-page.js';
import { type Namer, namerOf } from './names.js';

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The item of an operation: `message 0x200044`. */
export const itemName = (nid: number): string => itemText({ nid, tag: 0 });

/** What ended the operation, in one sentence. */
export function titleOf(bundle: Bundle): string {
  const { outcome, operation } = bundle;
  if (outcome.kind === 'stop') return sentence(outcome.stop, { property: namerOf(bundle) });
  if (outcome.kind === 'fault') {
    const { ordinal, size, site } = outcome.stop;
    return `Allocation ${number(ordinal)}, ${bytes(size)} for ${site}, was made to fail.`;
  }
  if (outcome.kind !== 'error') return 'The operation ended well.';
  const { message, where } = outcome;
  const [structure] = (where.field ?? '').split('.');
  const isPage = structure === 'PAGETRAILER' || structure === 'BTPAGE';
  const at =
    isPage && where.ib !== undefined
      ? ` of the page at ${hex(where.ib)}`
      : where.bid !== undefined
        ? ` of block ${hex(where.bid)}`
        : where.ib !== undefined
          ? ` at ${hex(where.ib)}`
          : '';
  const inside = structure === '' ? '' : ` in the ${structure}${at}`;
  const item = operation.kind === 'open' ? ', while the store was opened' : `, at ${itemName(operation.nid)}`;
  return `${capital(message)}${inside}${item}.`;
}

/** Over the title. */
export function kindOf(outcome: Outcome): string {
  if (outcome.kind === 'stop') return `Verifier stop: ${outcome.stop.kind}`;
  if (outcome.kind === 'fault') return 'Injected fault';
  return outcome.kind === 'error' ? `Damage in the store: ${outcome.code}` : 'No failure';
}

/** How the page heap came to see it. */
const SEEN: Partial<Record<StopKind, string>> = {
  overrun:
    'The page heap puts every block at the end of its own pages and closes the page behind it. The access reached past the block, so it was refused before it read or wrote anything. Without the page heap it would have gone to whatever lies there.',
  underrun:
    'The access reached before the first byte of its block, where nothing is the program’s to touch, so it was refused before it read or wrote anything.',
  'use after free':
    'The pages of a freed block stay closed until many others have been freed. The access went through an old address of the block, so it was refused before it read or wrote anything.',
  'double free':
    'The block had been given back before. A plain heap would have put it into its free list twice, and handed the same bytes to two owners.',
  'bad free':
    'What was given back is not the start of any block. A plain heap would have taken the bytes before it for its own notes.',
  'wild access': 'The address lies in no block the program has taken, so the access was refused.',
  'null access': 'The address lies in the first page, which is never anyone’s, so the access was refused.',
  'slack damage':
    'The bytes beside a block in its pages are stamped when it is taken and looked at when it is given back. One was no longer as stamped: something had written beside the block.',
  'suffix damage':
    'The bytes behind a block are stamped when it is taken and looked at when it is given back. One was no longer as stamped: something had written past the block in the meantime. Normal mode cannot say what did; full mode stops at the access itself.',
  'start stamp damage':
    'The header before a block is looked at when the block is given back. Its first stamp was overwritten: something had written before the block. Full mode stops at the access itself.',
  'end stamp damage':
    'The header before a block is looked at when the block is given back. Its last stamp was overwritten: something had written right before the block. Full mode stops at the access itself.',
  'heap pointer damage':
    'The header before a block names its heap. That name was overwritten: something had written before the block.',
  'write after free':
    'A freed block is filled with F0 and kept for a while. When it left the queue a byte was no longer F0: something had written to the block after it was given back. Full mode stops at the access itself.',
  leak: 'At the end of the operation every block it took must have been given back. This one was not.',
  'heap list damage': 'The allocator’s own tables were no longer as it had left them: something had written there.',
  'uninitialised read': 'The paranoid build knows which bytes have been written. This one was read before.',
};

/** Two or three short paragraphs. */
export function story(bundle: Bundle): string[] {
  const { outcome, operation, policy } = bundle;
  const doing = policy.reencode ? 'decode and encode anew' : 'read and copy';
  const task =
    operation.kind === 'open'
      ? 'The run was opening the store: its header, then the trees of nodes and blocks.'
      : `The run was at its operation ${number(operation.ordinal)}: to ${doing} ${itemName(operation.nid)}.`;
  if (outcome.kind === 'error') {
    return [
      `${task} It found the store damaged, and stopped there: what contradicts itself is not guessed at.`,
      'This is a fault of the file, not of the program. The store was opened for reading only and is as it was.',
    ];
  }
  if (outcome.kind === 'fault') {
    const { fault } = bundle.pageheap;
    const rule =
      fault === undefined
        ? ''
        : ` (--fault ${fault.rate}:${fault.after}: ${fault.rate / 100} % of allocations after the first ${number(fault.after)})`;
    return [
      `${task} Allocation ${number(outcome.stop.ordinal)} of the operation was refused on purpose${rule}, to see how the program takes it.`,
      'Nothing is wrong with the store, nor with the program as long as it ended in a clear error and left nothing behind.',
    ];
  }
  if (outcome.kind !== 'stop') return [task];
  const { stop } = outcome;
  const property = stop.tag === 0 ? '' : ` It had come to ${namerOf(bundle)(stop.tag)}.`;
  const block =
    stop.block === 0
      ? ''
      : `The block is allocation ${number(stop.ordinal)} of the operation: ${bytes(stop.size)} for ${stop.site}. `;
  return [
    `${task}${property}`,
    `${block}${SEEN[stop.kind] ?? ''}`,
    'A verifier stop is a fault of the program, never of the store, which was opened for reading only.',
  ];
}

/** Kinds that refused an access as it was made; the others found a trace of one. */
const ACCESSES: readonly StopKind[] = ['overrun', 'underrun', 'use after free', 'wild access', 'null access'];

/** The numbers that matter most, for the strip under the title. */
export function keyFacts(stop: Stop, name: Namer): (readonly [name: string, value: string, small: string])[] {
  const distance = distanceText(stop);
  return [
    ...(distance === undefined
      ? []
      : [
          [
            'Distance',
            distance,
            ACCESSES.includes(stop.kind) && stop.width > 0 ? `${bytes(stop.width)} wanted` : '',
          ] as const,
        ]),
    ...(stop.size === 0 ? [] : [['Block', bytes(stop.size), stop.site] as const]),
    ...(stop.tag === 0 ? [] : [['Property', name(stop.tag), `0x${stop.tag.toString(16).padStart(8, '0')}`] as const]),
    ...(stop.ordinal === 0 ? [] : [['Allocation', `no. ${number(stop.ordinal)}`, 'of the operation'] as const]),
    ['Decoder', stop.decoder, stop.freeSiteId === 0 ? '' : `freed by ${freerName(stop.freeSiteId)}`],
  ];
}
