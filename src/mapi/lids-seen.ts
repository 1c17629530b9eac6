/**
 * Numbers of named properties that stand in stores but not in MS-OXPROPS; names of Microsoft's MAPI reference. As lids.ts.
 * @module
 */
export const LIDS_SEEN = `
PSETID_Common
850F bin FormStorage
8513 bin PageDirStream
851B bin FormPropStream
8540 bin PropertyDefinitionStream
8541 bin ScriptStream
8542 i4 CustomFlag
8578 i4 HeaderItem
PSETID_Address
8081 bin Email1EntryId
8086 bin Email1RichText
8091 bin Email2EntryId
8096 bin Email2RichText
80A1 bin Email3EntryId
80A6 bin Email3RichText
80B0 str Fax1DisplayName
80B1 bin Fax1EntryId
80B6 bin Fax1RichText
80C0 str Fax2DisplayName
80C1 bin Fax2EntryId
80C6 bin Fax2RichText
80D0 str Fax3DisplayName
80D1 bin Fax3EntryId
80D6 bin Fax3RichText
PSETID_Remote
8F01 bin RemoteEntryId
8F02 str RemoteMessageClass
8F04 i4 RemoteTransferTime
8F05 i4 RemoteTransferSize
8F06 bin RemoteSearchKey
8F07 bool RemoteAttachment
`;
