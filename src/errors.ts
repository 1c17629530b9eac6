/**
 * Errors. Every failure has a stable `code` for programs and a sentence for people, and says
 * where in the file it happened. Three families, never mixed: `PstError` (the file is at fault),
 * `UsageError` (the caller is), `CoreFault` in core/fault.ts (we are).
 * @module
 */

/** Stable codes of faults in a file. */
export type PstErrorCode =
  | 'PST_NOT_A_STORE' // no magic, or a header that describes nothing we know
  | 'PST_UNSUPPORTED' // a store, but of a kind we do not read (WIP-protected, unknown version)
  | 'PST_TRUNCATED' // a structure reaches past the end of the file
  | 'PST_BAD_CRC'
  | 'PST_BAD_SIG'
  | 'PST_BAD_BID' // a page or block names itself otherwise than its reference
  | 'PST_BAD_PTYPE'
  | 'PST_BAD_TREE' // B-tree order, level, count, cycle
  | 'PST_BAD_BLOCK' // block sizes, XBLOCK, SLBLOCK
  | 'PST_BAD_HEAP' // heap-on-node
  | 'PST_BAD_BTH'
  | 'PST_BAD_PC'
  | 'PST_BAD_TC'
  | 'PST_BAD_VALUE' // a property value that contradicts its type
  | 'PST_MISSING' // a node, block or property that must be there is not
  | 'PST_INFLATE' // a compressed block that does not inflate to what it says
  | 'PST_ABSURD' // a number beyond any real store
  | 'PST_LIMIT'; // a named limit of ours was reached

/** A place in a store. All parts are optional: a layer fills in what it knows. */
export interface Where {
  nid?: number;
  bid?: number;
  ib?: number;
  /** Structure and field, `PAGETRAILER.dwCRC`. */
  field?: string;
  /** Section of [MS-PST], `2.2.2.7.1`. */
  section?: string;
}

export const hex = (n: number): string => `0x${n.toString(16)}`;

export class PstError extends Error {
  override readonly name = 'PstError';
  readonly reason: string;
  constructor(
    readonly code: PstErrorCode,
    message: string,
    readonly where: Where = {},
  ) {
    super(`${message}${place(where)}`);
    this.reason = message;
  }
}

/** The caller asked for something that cannot be done. Exit code 3. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  constructor(
    readonly code: 'USAGE' | 'TARGET_EXISTS' | 'NOT_FOUND' | 'REFUSED' | 'IO',
    message: string,
  ) {
    super(message);
  }
}

function place({ field, section, nid, bid, ib }: Where): string {
  const parts: string[] = [];
  if (field !== undefined) parts.push(field);
  if (section !== undefined) parts.push(`MS-PST ${section}`);
  if (nid !== undefined) parts.push(`nid ${hex(nid)}`);
  if (bid !== undefined) parts.push(`bid ${hex(bid)}`);
  if (ib !== undefined) parts.push(`ib ${hex(ib)}`);
  return parts.length === 0 ? '' : ` [${parts.join(', ')}]`;
}
