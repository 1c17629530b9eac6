/**
 * pstwright: reads PST and OST stores of every kind.
 *
 *     import { openStore } from 'pstwright';
 *     const store = openStore('archive.pst');
 *     for (const folder of store.folders()) {
 *       for await (const message of folder.messages()) console.log(message.subject);
 *     }
 *     store.close();
 *
 * @module
 */
export { CoreFault } from './core/fault.js';
export { PstError, type PstErrorCode, UsageError, type Where } from './errors.js';
export { openSource } from './host/file.js';
export type { Source } from './host/source.js';
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
