/**
 * The tables every store has templates of, column for column as Outlook lays them: MS-PST 2.4.4, 2.4.6, 2.7.3;
 * offsets, bits and the columns the specification lacks are Outlook's own (format.md 8; seen alike in 89 stores).
 * ScanPST matches columns by their full tag.
 * @module
 */
import { type Column, tcInfo } from '../ltp/table.js';
import { fixedSize, isMultiple, PtypObject } from '../mapi/type.js';
import { NID } from '../wire/nid.js';

export interface Template {
  readonly nid: number;
  /** TCINFO with its TCOLDESCs. */
  readonly info: Uint8Array;
  readonly tags: ReadonlySet<number>;
}

/** Bytes of a cell: fixed sizes up to 8 lie in the row, anything else is an HNID. 2.3.4.2. */
function cellSize(type: number): number {
  const size = isMultiple(type) || type === PtypObject ? 0 : fixedSize(type);
  return size >= 1 && size <= 8 ? size : 4;
}

/** `columns` as the fact sheet prints them: tag@offset/bit. */
function template(nid: number, rgib: readonly [number, number, number, number], columns: string): Template {
  const parsed: Column[] = columns
    .trim()
    .split(/\s+/)
    .map((text) => {
      const [, tag, ibData, iBit] = /^([0-9A-F]{8})@(\d+)\/(\d+)$/.exec(text) ?? [];
      const value = Number.parseInt(tag!, 16);
      return { tag: value, ibData: Number(ibData), cbData: cellSize(value & 0xffff), iBit: Number(iBit) };
    });
  return { nid, info: tcInfo(parsed, rgib), tags: new Set(parsed.map(({ tag }) => tag)) };
}

export const HIERARCHY = template(
  NID.HIERARCHY_TABLE_TEMPLATE,
  [52, 52, 53, 55],
  `0E300102@20/6 0E330014@24/7 0E340102@32/8 0E380003@36/9 3001001F@8/2 36020003@12/3 36030003@16/4 360A000B@52/5
   3613001F@40/10 66350003@44/11 66360003@48/12 67F20003@0/0 67F30003@4/1`,
);

export const CONTENTS = template(
  NID.CONTENTS_TABLE_TEMPLATE,
  [120, 120, 122, 126],
  `00170003@20/5 001A001F@12/3 00360003@60/15 0037001F@28/7 00390040@40/9 0042001F@24/6 0057000B@120/13
   0058000B@121/14 0070001F@68/17 00710102@72/18 0E03001F@56/12 0E04001F@52/11 0E060040@32/8 0E070003@16/4
   0E080003@48/10 0E170003@8/2 0E300102@92/22 0E330014@96/23 0E340102@104/24 0E380003@116/27 0E3C0102@112/26
   0E3D0102@108/25 10970003@64/16 30080040@84/21 30130102@76/19 65C60003@80/20 67F20003@0/0 67F30003@4/1`,
);

export const ASSOCIATED = template(
  NID.ASSOC_CONTENTS_TABLE_TEMPLATE,
  [56, 56, 57, 59],
  `001A001F@12/3 0E070003@16/4 0E170003@8/2 3001001F@20/5 67F20003@0/0 67F30003@4/1 6800001F@44/11 6803000B@56/12
   68051003@48/13 682F001F@52/14 70030003@24/6 70040102@28/7 70050102@32/8 7006001F@36/9 70070003@40/10`,
);

export const SEARCH_CONTENTS = template(
  NID.SEARCH_CONTENTS_TABLE_TEMPLATE,
  [72, 72, 75, 78],
  `00170003@28/7 001A001F@20/5 00360003@60/16 0037001F@36/9 0042001F@32/8 0057000B@72/14 0058000B@73/15
   0E03001F@56/13 0E04001F@52/12 0E05001F@12/3 0E060040@40/10 0E070003@24/6 0E080003@48/11 0E170003@16/4
   0E2A000B@74/17 30080040@64/18 67F10003@8/2 67F20003@0/0 67F30003@4/1`,
);

export const RECEIVE_FOLDERS = template(
  NID.RECEIVE_FOLDER_TABLE_TEMPLATE,
  [16, 16, 16, 17],
  '001A001F@12/3 66050003@8/2 67F20003@0/0 67F30003@4/1',
);

export const OUTGOING_QUEUE = template(
  NID.OUTGOING_QUEUE_TABLE_TEMPLATE,
  [24, 24, 24, 25],
  '00390040@16/4 0E100003@12/3 0E140003@8/2 67F20003@0/0 67F30003@4/1',
);

export const ATTACHMENTS = template(
  NID.ATTACHMENT_TABLE,
  [24, 24, 24, 25],
  '0E200003@12/3 3704001F@20/5 37050003@16/4 370B0003@8/2 67F20003@0/0 67F30003@4/1',
);

export const RECIPIENTS = template(
  NID.RECIPIENT_TABLE,
  [48, 48, 50, 52],
  `0C150003@24/7 0E0F000B@48/2 0FF90102@32/9 0FFE0003@36/10 0FFF0102@16/5 3001001F@20/6 3002001F@8/3 3003001F@12/4
   300B0102@28/8 39000003@40/11 39FF001F@44/13 3A40000B@49/12 67F20003@0/0 67F30003@4/1`,
);

// The three tables of replication. In no specification; seen in 74 of 89 stores.
export const REPLICATION_6B6 = template(
  NID.REPLICATION_TEMPLATE_6B6,
  [24, 24, 24, 25],
  '0E330014@8/2 0E370102@16/3 0E380003@20/4 67F20003@0/0 67F30003@4/1',
);
export const REPLICATION_6D7 = template(
  NID.REPLICATION_TEMPLATE_6D7,
  [40, 40, 40, 42],
  `001A001F@36/8 0E300102@16/4 0E310102@12/3 0E330014@28/7 0E340102@24/6 0E380003@20/5 0E3E0102@8/2 67F20003@0/0
   67F30003@4/1`,
);
export const REPLICATION_6F8 = template(
  NID.REPLICATION_TEMPLATE_6F8,
  [24, 24, 24, 25],
  '0E330014@16/3 30070040@8/2 67F20003@0/0 67F30003@4/1',
);

/** Those a new store has without rows. */
export const EMPTY_TEMPLATES: readonly Template[] = [
  HIERARCHY,
  CONTENTS,
  ASSOCIATED,
  SEARCH_CONTENTS,
  OUTGOING_QUEUE,
  ATTACHMENTS,
  RECIPIENTS,
  REPLICATION_6B6,
  REPLICATION_6D7,
  REPLICATION_6F8,
];
