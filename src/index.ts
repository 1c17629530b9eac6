/**
 * pstwright: reads PST and OST stores of every kind, builds stores, clones and proves them.
 *
 *     import { openStore } from 'pstwright';
 *
 *     const store = openStore('archive.pst');
 *     for (const folder of store.folders()) {
 *       for await (const message of folder.messages()) {
 *         console.log(message.subject, message.get('PidTagImportance'), message.getNamed('PSETID_Common', 0x8503));
 *         for (const attachment of message.attachments()) for (const chunk of attachment.data()) hash.update(chunk);
 *       }
 *     }
 *     for (const finding of store.findings) console.warn(finding.message);
 *     store.close();
 *
 * What is read is read when it is asked for. `store.walk(visitor)` reads everything, at the speed of the core.
 * @module
 */
export type { Attachment as AttachmentInput } from './build/attachment.js';
export type { FolderBuilder, FolderOptions } from './build/folder.js';
export type { Message as MessageInput } from './build/message.js';
export { type BuiltStore, buildStore, type StoreBuilder, type StoreOptions as BuildOptions } from './build/store.js';
export { checkStore } from './check/check.js';
export type { CheckReport, Finding } from './check/findings.js';
export { Core, type CoreBuild } from './core/core.js';
export { CoreFault } from './core/fault.js';
export { type PageHeapOptions, parsePageHeap } from './core/options.js';
export { makeReport, type Report, reportText } from './core/report.js';
export { PstError, type PstErrorCode, UsageError, type Where } from './errors.js';
export { openSink, openSource } from './host/file.js';
export type { Sink, Source } from './host/source.js';
export { DAMAGED, EXTERNAL, INLINE, PropertyStream } from './ltp/stream.js';
export type { Column } from './ltp/table.js';
export { FileTime } from './mapi/filetime.js';
export { PROPERTY_SETS, type PropertyName, propertyNameText } from './mapi/named.js';
export { findTag, type Tag, tagName } from './mapi/tags.js';
export { typeName } from './mapi/type.js';
export type { ObjectRef, PropertyValue, SingleValue } from './mapi/value.js';
export { ATTACH_METHOD, Attachment } from './messaging/attachment.js';
export { Folder, type FolderTable } from './messaging/folder.js';
export { MESSAGE_FLAG, Message, type Party } from './messaging/message.js';
export { type NamedProperty, NameMap } from './messaging/names.js';
export { Property, PropertyHolder, type PropertyKey } from './messaging/properties.js';
export { Recipient, type RecipientKind } from './messaging/recipient.js';
export { Sequence } from './messaging/sequence.js';
export type { SpecialFolder, SpecialFolders } from './messaging/special.js';
export { openStore, Store, type StoreOptions } from './messaging/store.js';
export { Row, TableView } from './messaging/tableview.js';
export type { ObjectKind, RowKind, Visitor, WalkedObject, WalkOptions } from './messaging/walk.js';
export { type CloneOptions, type CloneReport, cloneFile, cloneStore } from './migrate/clone.js';
export { type VerifyOptions, type VerifyReport, verifyStores } from './migrate/verify.js';
