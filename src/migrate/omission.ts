/**
 * Items a clone leaves out (`--on-error skip`): which, where they were, why. And what cannot be left out.
 *
 * The item is a message, normal or associated, with all below it; or an attachment, where the message can be read without it.
 * ARCHITECTURE.md, what is left out.
 * @module
 */
import { CoreFault, InjectedFault } from '../core/fault.js';
import { hex, PstError, type Where } from '../errors.js';
import { readPc } from '../ltp/pc.js';
import { DEFAULT_CODE_PAGE, decodeAnsi, decodeUtf16 } from '../mapi/codepage.js';
import type { Ndb } from '../ndb/ndb.js';
import { NID, NID_TYPE, nidName, nidType, siblingNid } from '../wire/nid.js';

/** Whose fault it is: the file's, nobody's (it was asked for), ours. */
export type Cause = 'damage' | 'injected' | 'stop';

/** An item that is not in the target. It is told by its NID; its subject is nobody's business. */
export interface Omitted {
  readonly nid: number;
  readonly kind: 'message' | 'associated message' | 'attachment' | 'contents table';
  /** Of an attachment: NID of its message, which is in the target. */
  readonly of?: number;
  /** NID of its folder, and the names of folders from below the root down; a name that cannot be read is empty. */
  readonly folder: number;
  readonly path: readonly string[];
  readonly cause: Cause;
  readonly code: string;
  readonly message: string;
  readonly where: Where;
  /** Path of the replay bundle: of the first one only. */
  readonly bundle?: string;
}

/** An operation that failed: NID, place in the NBT, what it threw, and how many blocks the core had taken before. */
export interface Failed {
  readonly i: number;
  readonly nid: number;
  readonly error: PstError | CoreFault | InjectedFault;
  readonly before: number;
}

/** The same failure without the core that stopped, its memory and its stack: a bug of ours may stop one for every message. */
export function lightened(failed: Failed): Failed {
  const { error } = failed;
  if (error instanceof InjectedFault) return { ...failed, error: new InjectedFault(error.stop) };
  if (!(error instanceof CoreFault)) return failed;
  return { ...failed, error: new CoreFault(error.stop, new Error((error.cause as Error).message)) };
}

/** What an operation may throw that says something of its node; a full disk says nothing of it. */
export const isOfNode = (error: unknown): error is Failed['error'] =>
  error instanceof PstError || error instanceof CoreFault || error instanceof InjectedFault;

/** Thrown out of a run that is to go on without the item. */
export class NodeFailure extends Error {
  override readonly name = 'NodeFailure';
  constructor(readonly failed: Failed) {
    super(failed.error.message);
  }
}

/** The store cannot be finished without a node that failed. `cause` is what failed, and of whose family this error is. */
export class EssentialError extends Error {
  override readonly name = 'EssentialError';
  constructor(
    readonly nid: number,
    override readonly cause: unknown,
    what = 'a store cannot be finished without it',
  ) {
    super(`${nidName(nid)} ${hex(nid)} is no item that can be left out: ${what}. ${(cause as Error).message}`);
  }
}

/** What really failed. */
export const rootOf = (error: unknown): unknown => (error instanceof EssentialError ? error.cause : error);

/** Whether the node at hand is an item. */
export const isItem = (nid: number): boolean =>
  nidType(nid) === NID_TYPE.NORMAL_MESSAGE || nidType(nid) === NID_TYPE.ASSOC_MESSAGE;

/** What a target is made without: messages, and attachments by message. */
export interface Left {
  readonly messages: ReadonlySet<number>;
  readonly attachments: ReadonlyMap<number, ReadonlySet<number>>;
}

/** The items of a list. */
export function leftOf(omitted: readonly Pick<Omitted, 'nid' | 'of'>[]): Left {
  const messages = new Set<number>();
  const attachments = new Map<number, Set<number>>();
  for (const { nid, of } of omitted) {
    if (of === undefined) messages.add(nid);
    else attachments.set(of, (attachments.get(of) ?? new Set()).add(nid));
  }
  return { messages, attachments };
}

/** The failed item as it is told: the message, or one of its attachments. */
export function omittedOf(
  ndb: Ndb,
  { i, nid, error }: Failed,
  bundle: string | undefined,
  attachment?: number,
): Omitted {
  const { nbt } = ndb;
  const kind = nidType(nid) === NID_TYPE.ASSOC_MESSAGE ? 'associated message' : 'message';
  return {
    ...(attachment === undefined ? { nid, kind } : { nid: attachment, kind: 'attachment', of: nid }),
    folder: nbt.parent(i),
    path: folderPath(ndb, nbt.parent(i)),
    ...reasonOf(error, nid),
    ...(bundle === undefined ? {} : { bundle }),
  };
}

function reasonOf(error: Failed['error'], nid: number): Pick<Omitted, 'cause' | 'code' | 'message' | 'where'> {
  if (error instanceof PstError) {
    return { cause: 'damage', code: error.code, message: error.reason, where: { nid, ...error.where } };
  }
  const { message } = error;
  if (error instanceof InjectedFault) return { cause: 'injected', code: 'FAULT_INJECTED', message, where: { nid } };
  return { cause: 'stop', code: 'CORE_FAULT', message, where: { nid } };
}

/** A contents table that was made anew, and why. */
export function rebuiltOf(ndb: Ndb, nid: number, failed: Failed | undefined, bundle: string | undefined): Omitted {
  const folder = siblingNid(nid, NID_TYPE.NORMAL_FOLDER);
  const damage = new PstError('PST_BAD_TC', 'its rows cannot be read', { nid });
  return {
    nid,
    kind: 'contents table',
    folder,
    path: folderPath(ndb, folder),
    ...reasonOf(failed?.error ?? damage, nid),
    ...(bundle === undefined ? {} : { bundle }),
  };
}

/** Folders above a folder; a cycle of parents ends here. */
const PATH_MAX = 64;
const DISPLAY_NAME = 0x3001;
const STRING = 0x001f;

/** Names of the folders down to `folder`; the root's own, which is empty, is left out. */
export function folderPath(ndb: Ndb, folder: number): string[] {
  const path: string[] = [];
  for (let nid = folder; nid !== NID.ROOT_FOLDER && path.length < PATH_MAX; ) {
    const i = ndb.nbt.find(nid);
    if (i < 0) break;
    path.unshift(nameOf(ndb, i));
    nid = ndb.nbt.parent(i);
  }
  return path;
}

function nameOf(ndb: Ndb, i: number): string {
  try {
    const stream = readPc(ndb, ndb.nbt.bidData(i), { nid: ndb.nbt.nid(i) });
    const k = stream.findId(DISPLAY_NAME);
    if (k < 0) return '';
    const value = stream.value(k);
    return (stream.tag(k) & 0xffff) === STRING ? decodeUtf16(value) : decodeAnsi(value, DEFAULT_CODE_PAGE);
  } catch (error) {
    if (!(error instanceof PstError)) throw error;
    return '';
  }
}
