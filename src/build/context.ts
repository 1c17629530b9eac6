/** What the parts of a store under construction share. @module */
import type { FileTime } from '../mapi/filetime.js';
import type { StoreWriter } from '../ndb/write/store-writer.js';
import type { Identity } from './identity.js';
import type { NamedProperties } from './named.js';
import type { EmptyTables } from './table.js';

export interface Counts {
  folders: number;
  messages: number;
  associated: number;
  embedded: number;
  attachments: number;
  recipients: number;
}

export interface Context {
  readonly writer: StoreWriter;
  readonly empty: EmptyTables;
  readonly identity: Identity;
  readonly names: NamedProperties;
  /** The time of what has none of its own. */
  readonly now: FileTime;
  readonly counts: Counts;
}
