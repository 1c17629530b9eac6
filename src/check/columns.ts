/**
 * Columns that tables must have, by full tag: a column of another type does not count. MS-PST 2.4.4.4 to 2.4.6.1, 2.7.3.
 *
 * Measured on stores made by Outlook (89 alike), where the tables of MS-PST print other types for 0E30 and 3613. Typed
 * here once more, not taken from the writer: what checks must not share the mistake of what is checked.
 * @module
 */

import { CLIENT_SIGNATURE } from '../wire/heap.js';
import { NID, NID_TYPE, nidType } from '../wire/nid.js';
import { ANSI, type Variant } from '../wire/variant.js';
import type { Context } from './context.js';
import { hex, tagHex, tagText } from './findings.js';
import { clientOf, withTable } from './objects.js';

/** Types by letter: 4 i4, 8 i8, o boolean, s string, t time, b binary, m multiple i4. */
const TYPES: Readonly<Record<string, number>> = {
  '4': 0x0003,
  '8': 0x0014,
  o: 0x000b,
  s: 0x001f,
  t: 0x0040,
  b: 0x0102,
  m: 0x1003,
};

interface Layout {
  readonly tag: number;
  readonly ibData: number;
  readonly iBit: number;
  /** Not in every store of Outlook 97 to 2007 or in OSTs. Seen in real stores. */
  readonly isNew: boolean;
}

/** `id type @ibData/iBit`; a `?` for columns that not every Outlook makes. */
const parse = (text: string): readonly Layout[] =>
  text
    .trim()
    .split(/\s+/)
    .map((item) => {
      const [, id, letter, ibData, iBit, mark] = /^([0-9a-f]{4})([48ostbm])@(\d+)\/(\d+)(\??)$/.exec(item)!;
      const tag = ((Number.parseInt(id!, 16) << 16) | TYPES[letter!]!) >>> 0;
      return { tag, ibData: Number(ibData), iBit: Number(iBit), isNew: mark === '?' };
    });

const HIERARCHY = parse(
  `67f24@0/0 67f34@4/1 0e30b@20/6? 0e338@24/7? 0e34b@32/8? 0e384@36/9? 3001s@8/2 36024@12/3 36034@16/4 360ao@52/5 3613s@40/10?
   66354@44/11? 66364@48/12?`,
);
const CONTENTS = parse(
  `67f24@0/0 67f34@4/1 00174@20/5 001as@12/3 00364@60/15 0037s@28/7 0039t@40/9? 0042s@24/6 0057o@120/13 0058o@121/14
   0070s@68/17? 0071b@72/18? 0e03s@56/12 0e04s@52/11 0e06t@32/8 0e074@16/4 0e084@48/10 0e174@8/2 0e30b@92/22? 0e338@96/23?
   0e34b@104/24? 0e384@116/27? 0e3cb@112/26? 0e3db@108/25? 10974@64/16? 3008t@84/21? 3013b@76/19? 65c64@80/20?`,
);
const ASSOCIATED = parse(
  `67f24@0/0 67f34@4/1 001as@12/3 0e074@16/4 0e174@8/2 3001s@20/5 6800s@44/11 6803o@56/12 6805m@48/13 682fs@52/14?
   70034@24/6 7004b@28/7 7005b@32/8 7006s@36/9 70074@40/10`,
);
const SEARCH = parse(
  `67f24@0/0 67f34@4/1 00174@28/7 001as@20/5 00364@60/16 0037s@36/9 0042s@32/8 0057o@72/14 0058o@73/15 0e03s@56/13
   0e04s@52/12 0e05s@12/3 0e06t@40/10 0e074@24/6 0e084@48/11 0e174@16/4 0e2ao@74/17? 3008t@64/18? 67f14@8/2`,
);
const ATTACHMENTS = parse('67f24@0/0 67f34@4/1 0e204@12/3 3704s@20/5 37054@16/4 370b4@8/2');
const RECIPIENTS = parse(
  `67f24@0/0 67f34@4/1 0c154@24/7 0e0fo@48/2 0ff9b@32/9 0ffe4@36/10 0fffb@16/5 3001s@20/6 3002s@8/3 3003s@12/4 300bb@28/8
   39004@40/11 39ffs@44/13 3a40o@49/12`,
);
const RECEIVE = parse('67f24@0/0 67f34@4/1 66054@8/2 001as@12/3');
const OUTGOING = parse('67f24@0/0 67f34@4/1 0e144@8/2 0e104@12/3 0039t@16/4');

/** Node and what it must have; whether it is a template without rows. */
const TEMPLATES: readonly (readonly [number, readonly Layout[]])[] = [
  [NID.HIERARCHY_TABLE_TEMPLATE, HIERARCHY],
  [NID.CONTENTS_TABLE_TEMPLATE, CONTENTS],
  [NID.ASSOC_CONTENTS_TABLE_TEMPLATE, ASSOCIATED],
  [NID.SEARCH_CONTENTS_TABLE_TEMPLATE, SEARCH],
  [NID.ATTACHMENT_TABLE, ATTACHMENTS],
  [NID.RECIPIENT_TABLE, RECIPIENTS],
  [NID.OUTGOING_QUEUE_TABLE_TEMPLATE, OUTGOING],
];

const FOLDER_TABLES: Readonly<Record<number, readonly Layout[]>> = {
  [NID_TYPE.HIERARCHY_TABLE]: HIERARCHY,
  [NID_TYPE.CONTENTS_TABLE]: CONTENTS,
  [NID_TYPE.ASSOC_CONTENTS_TABLE]: ASSOCIATED,
  [NID_TYPE.SEARCH_CONTENTS_TABLE]: SEARCH,
};

/** Strings of ANSI stores are 8-bit. */
const tagIn = (variant: Variant, tag: number): number =>
  variant === ANSI && (tag & 0xffff) === 0x001f ? ((tag & ~0xffff) | 0x001e) >>> 0 : tag;

/** Templates: there, with their columns at Outlook's places, without rows. Tables of folders: with their columns. */
export function checkColumns(context: Context): void {
  const { nbt } = context.ndb;
  const templates = new Set<number>();
  for (const [nid, layout] of TEMPLATES) {
    templates.add(nid);
    if (nbt.find(nid) < 0) {
      context.add('required.template', `the template ${hex(nid)} does not exist`, { nid });
      continue;
    }
    checkTable(context, nid, layout, true);
  }
  templates.add(NID.RECEIVE_FOLDER_TABLE_TEMPLATE);
  if (nbt.find(NID.RECEIVE_FOLDER_TABLE_TEMPLATE) >= 0) {
    checkTable(context, NID.RECEIVE_FOLDER_TABLE_TEMPLATE, RECEIVE, false);
  }
  for (let i = 0; i < nbt.count; i++) {
    const nid = nbt.nid(i);
    const layout = FOLDER_TABLES[nidType(nid)];
    if (layout !== undefined && !templates.has(nid)) checkTable(context, nid, layout, false);
  }
}

function checkTable(context: Context, nid: number, layout: readonly Layout[], isTemplate: boolean): void {
  const { nbt } = context.ndb;
  const i = nbt.find(nid);
  if (clientOf(context, nid) !== CLIENT_SIGNATURE.TC) return; // said by the heaps part; or a type 0x10 that is no table
  withTable(context, nid, nid, nbt.bidData(i), nbt.bidSub(i), (table) => {
    const columns = new Map(table.columns.map((column) => [column.tag, column]));
    for (const { tag, ibData, iBit, isNew } of layout) {
      const wanted = tagIn(context.variant, tag);
      const column = columns.get(wanted);
      if (column === undefined) {
        const place = { nid, expected: tagHex(wanted) };
        context.add('tc.required-column', `there is no column ${tagText(wanted)}`, place, isNew ? 'none' : undefined);
      } else if (isTemplate && context.isOwn && (column.ibData !== ibData || column.iBit !== iBit)) {
        const found = `${column.ibData}/${column.iBit}`;
        const text = `the column ${tagText(wanted)} lies at ${found}, Outlook has it at ${ibData}/${iBit}`;
        context.add('required.template-layout', text, { nid, found, expected: `${ibData}/${iBit}` });
      }
    }
    if (isTemplate && table.rowCount > 0) {
      const text = `the template ${hex(nid)} has ${table.rowCount} rows`;
      context.add('required.template-rows', text, { nid, found: table.rowCount, expected: 0 });
    }
  });
}
