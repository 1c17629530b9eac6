/**
 * Whatever carries properties: the store, folders, messages, attachments, recipients, table rows. The properties are one
 * property stream; a value is decoded when it is asked for, and one that lies in a subnode is read then.
 * @module
 */
import { hex, PstError, UsageError, type Where } from '../errors.js';
import { DAMAGED, EXTERNAL, type PropertyStream } from '../ltp/stream.js';
import { FileTime } from '../mapi/filetime.js';
import { findLid, type PropertyName } from '../mapi/named.js';
import { findTag, NAMED_ID_FIRST, tagName } from '../mapi/tags.js';
import * as ptyp from '../mapi/type.js';
import { decodeValue, type ObjectRef, type PropertyValue } from '../mapi/value.js';
import type { SubnodeIndex } from '../ndb/subnode.js';
import { windowsCodePage } from './codepages.js';
import { Sequence } from './sequence.js';
import type { Store } from './store.js';

/**
 * Largest value that `get` brings into memory at once; `chunks` has no limit. Against data trees that name the same leaves
 * over and over.
 */
export const VALUE_BYTES_MAX = 1 << 30;

/** An id or a tag (`0x0037`, `0x0037001f`), or a name: `PidTagSubject`, `PidLidReminderSet`. */
export type PropertyKey = number | string;

const MESSAGE_CODE_PAGE = 0x3ffd0003; // PidTagMessageCodepage
const INTERNET_CODE_PAGE = 0x3fde0003; // PidTagInternetCodepage

/** One property of an object. Its value is read when it is asked for. */
export class Property {
  constructor(
    readonly owner: PropertyHolder,
    readonly index: number,
    /** id << 16 | type. */
    readonly tag: number,
  ) {}

  get id(): number {
    return this.tag >>> 16;
  }
  get type(): number {
    return this.tag & 0xffff;
  }
  /** `PidTagSubject`; undefined for named properties and unknown ones. */
  get name(): string | undefined {
    return tagName(this.tag);
  }
  /** What the store's map says of an id from 0x8000 up. */
  get named(): PropertyName | undefined {
    return this.id >= NAMED_ID_FIRST ? this.owner.store.names.find(this.id) : undefined;
  }
  /** The value lies in a subnode of its own. */
  get isExternal(): boolean {
    return (this.owner.stream.flags(this.index) & EXTERNAL) !== 0;
  }
  get isDamaged(): boolean {
    return (this.owner.stream.flags(this.index) & DAMAGED) !== 0;
  }
  /** Bytes of the value as stored. */
  get size(): number {
    return this.owner.valueSize(this.index);
  }
  /** See {@link PropertyHolder.get}. */
  get value(): PropertyValue | undefined {
    return this.owner.valueAt(this.index);
  }
  /** The value's bytes, leaf by leaf when it is external. */
  chunks(): Sequence<Uint8Array> {
    return this.owner.chunksAt(this.index);
  }
}

export abstract class PropertyHolder implements Iterable<Property> {
  #stream: PropertyStream | undefined;
  #subnodes: SubnodeIndex | undefined;
  #codePage: number | undefined;

  constructor(
    readonly store: Store,
    /** Of the node or subnode; of a row, its id. */
    readonly nid: number,
  ) {}

  protected abstract readStream(): PropertyStream;
  /** The subnodes in which external values lie. */
  protected abstract readSubnodes(): SubnodeIndex;
  /** For messages of errors. */
  get where(): Where {
    return { nid: this.nid };
  }

  /** The properties as they were decoded. Read at first use; throws PstError when they cannot be. */
  get stream(): PropertyStream {
    return (this.#stream ??= this.readStream());
  }

  get subnodes(): SubnodeIndex {
    return (this.#subnodes ??= this.readSubnodes());
  }

  /**
   * Code page of 8-bit strings: the object's own, else what the owner says. MS-OXCMSG 2.2.1.2 (PidTagMessageCodepage). Of an object whose
   * properties cannot be read, which is a finding, what the owner says: its recipients can be.
   */
  get codePage(): number {
    return (this.#codePage ??= this.store.attempt(() => this.findCodePage()) ?? this.inheritedCodePage());
  }

  protected findCodePage(): number | undefined {
    const { stream } = this;
    const internet = stream.inline(INTERNET_CODE_PAGE);
    return stream.inline(MESSAGE_CODE_PAGE) ?? (internet === undefined ? undefined : windowsCodePage(internet));
  }

  protected inheritedCodePage(): number {
    return this.store.codePage;
  }

  /** Every property, by ascending tag. */
  *[Symbol.iterator](): IterableIterator<Property> {
    const { stream } = this;
    for (let index = 0; index < stream.count; index++) yield new Property(this, index, stream.tag(index));
  }

  get propertyCount(): number {
    return this.stream.count;
  }

  has(key: PropertyKey): boolean {
    return this.indexOf(key) >= 0;
  }

  /**
   * The property's value, or undefined when it is not there (or is a time or number of no bytes, as stores have them).
   * Strings of either width answer to each other's tag; a name or a bare id finds the id whatever its type. Throws
   * PST_BAD_VALUE, PST_MISSING or PST_LIMIT when it is there and cannot be read, UsageError for a name nobody knows.
   */
  get(key: PropertyKey): PropertyValue | undefined {
    const index = this.indexOf(key);
    return index < 0 ? undefined : this.valueAt(index);
  }

  /** By set (a GUID, or a name as `PSETID_Common`) and number or string. */
  getNamed(set: string, id: number | string): PropertyValue | undefined {
    const npid = this.store.names.findId(set, id);
    return npid === undefined ? undefined : this.get(npid);
  }

  /** The value when it is a string. */
  text(key: PropertyKey): string | undefined {
    const value = this.get(key);
    return typeof value === 'string' ? value : undefined;
  }

  integer(key: PropertyKey): number | undefined {
    const value = this.get(key);
    return typeof value === 'number' ? value : undefined;
  }

  flag(key: PropertyKey): boolean | undefined {
    const value = this.get(key);
    return typeof value === 'boolean' ? value : undefined;
  }

  binary(key: PropertyKey): Uint8Array | undefined {
    const value = this.get(key);
    return value instanceof Uint8Array ? value : undefined;
  }

  /** The value when it is a time, and one that means a moment. */
  date(key: PropertyKey): Date | undefined {
    const value = this.get(key);
    return value instanceof FileTime ? value.toDate() : undefined;
  }

  /** The bytes of a property, leaf by leaf when they lie in a subnode; nothing when there is no such property. */
  chunks(key: PropertyKey): Sequence<Uint8Array> {
    const index = this.indexOf(key);
    return index < 0 ? new Sequence<Uint8Array>(() => [].values()) : this.chunksAt(index);
  }

  /** Index in the stream, or -1. */
  indexOf(key: PropertyKey): number {
    const { stream } = this;
    if (typeof key === 'string') return this.#indexOfName(key);
    if (key <= 0xffff) return stream.findId(key);
    const index = stream.find(key >>> 0);
    const type = key & 0xffff;
    if (index >= 0 || ((type & ~ptyp.MULTIPLE) !== ptyp.PtypString && (type & ~ptyp.MULTIPLE) !== ptyp.PtypString8)) {
      return index;
    }
    return stream.find((key ^ ptyp.PtypString ^ ptyp.PtypString8) >>> 0);
  }

  #indexOfName(name: string): number {
    const tag = findTag(name);
    if (tag !== undefined) {
      const index = this.indexOf(tag.tag);
      return index >= 0 ? index : this.stream.findId(tag.id);
    }
    const number = /^0x([0-9a-f]{1,8})$/i.exec(name);
    if (number !== null) return this.indexOf(Number.parseInt(number[1]!, 16));
    const lid = findLid(name);
    if (lid === undefined) throw new UsageError('USAGE', `no property is called "${name}"`);
    const npid = this.store.names.findId(lid.set, lid.lid);
    return npid === undefined ? -1 : this.stream.findId(npid);
  }

  /** The value at an index of the stream. See `get`. */
  valueAt(index: number): PropertyValue | undefined {
    const { stream } = this;
    const type = stream.tag(index) & 0xffff;
    const flags = stream.flags(index);
    if (flags & EXTERNAL) return this.#external(index, type);
    if (flags & DAMAGED) throw this.#damage(index, this.#whereOf(index));
    const bytes = stream.value(index);
    if (bytes.length === 0 && flags === 0 && !ptyp.isMultiple(type) && ptyp.fixedSize(type) > 0) return undefined;
    return this.#decode(index, type, bytes);
  }

  /** Says whose value it is only when it is a bad one. */
  #decode(index: number, type: number, bytes: Uint8Array): PropertyValue {
    try {
      return decodeValue(type, bytes, isAnsi(type) ? this.codePage : 0);
    } catch (error) {
      if (!(error instanceof PstError)) throw error;
      throw new PstError(error.code, error.reason, { ...error.where, ...this.#whereOf(index) });
    }
  }

  #external(index: number, type: number): PropertyValue {
    const nid = this.stream.place(index);
    const where = this.#whereOf(index);
    const bidData = this.#externalBid(nid, where);
    const { ndb } = this.store;
    if (type === ptyp.PtypObject) return { nid, size: ndb.treeSize(bidData, where) } satisfies ObjectRef;
    const bytes = ndb.readBytes(bidData, where, VALUE_BYTES_MAX);
    return this.#decode(index, type, bytes);
  }

  #externalBid(nid: number, where: Where): number {
    const at = this.subnodes.find(nid);
    if (at < 0) {
      throw new PstError('PST_MISSING', `the subnode ${hex(nid)} that holds the value is not there`, {
        ...where,
        section: '2.3.3.2',
      });
    }
    return this.subnodes.bidData(at);
  }

  /** Bytes of the value, wherever they lie. */
  valueSize(index: number): number {
    const { stream } = this;
    if (!(stream.flags(index) & EXTERNAL)) return stream.flags(index) & DAMAGED ? 0 : stream.length(index);
    const where = this.#whereOf(index);
    return this.store.ndb.treeSize(this.#externalBid(stream.place(index), where), where);
  }

  chunksAt(index: number): Sequence<Uint8Array> {
    const { stream } = this;
    const flags = stream.flags(index);
    const where = this.#whereOf(index);
    if (flags & DAMAGED) throw this.#damage(index, where);
    if (!(flags & EXTERNAL)) return new Sequence(() => [stream.value(index)].values());
    return this.chunksOf(() => this.#externalBid(stream.place(index), where), where);
  }

  /** Copies of the leaves of a data tree, one after the other. */
  protected chunksOf(bid: () => number, where: Where): Sequence<Uint8Array> {
    const { ndb } = this.store;
    return new Sequence(function* () {
      for (const { ptr, size } of ndb.leaves(bid(), where)) yield ndb.core.u8.slice(ptr, ptr + size);
    });
  }

  #whereOf(index: number): Where {
    return { ...this.where, field: tagName(this.stream.tag(index)) ?? hex(this.stream.tag(index)) };
  }

  #damage(index: number, where: Where): PstError {
    const { stream } = this;
    return this.store.ndb.core.damageOf(stream.length(index), stream.place(index), 0, where);
  }
}

const isAnsi = (type: number): boolean => (type & ~ptyp.MULTIPLE) === ptyp.PtypString8;

/** A holder whose properties are a property context of its own: a node or a subnode. */
export abstract class NodeHolder extends PropertyHolder {
  constructor(
    store: Store,
    nid: number,
    readonly bidData: number,
    readonly bidSub: number,
  ) {
    super(store, nid);
  }

  protected override readStream(): PropertyStream {
    return this.store.readPc(this.bidData, this.where);
  }

  protected override readSubnodes(): SubnodeIndex {
    return this.store.ndb.subnodes(this.bidSub, this.where);
  }
}
