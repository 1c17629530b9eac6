/**
 * Every rule of `check`: its id, what kind it is of, where it is written, how grave it is by profile.
 *
 * Sections are those of MS-PST. own: what breaks the rule was written by us and is wrong. foreign: `note` where Outlook
 * before 2007 SP2, or Outlook itself, does otherwise without harm; `none` where the rule is ours alone.
 * @module
 */
import type { Kind, Severity } from './findings.js';

export interface Rule {
  readonly kind: Kind;
  readonly section: string;
  readonly own: Severity | 'none';
  readonly foreign: Severity | 'none';
}

const structure = (section: string, foreign: Severity | 'none' = 'error', own: Severity = 'error'): Rule => ({
  kind: 'structure',
  section,
  own,
  foreign,
});
const content = (section: string, foreign: Severity | 'none' = 'error', own: Severity = 'error'): Rule => ({
  kind: 'content',
  section,
  own,
  foreign,
});

export const RULES = {
  'store.unreadable': structure('2.2.2.6'),
  'check.limit': structure('', 'warning'),

  // header.ts
  'header.crc-partial': structure('2.2.2.6'),
  'header.crc-full': structure('2.2.2.6'),
  'header.sentinel': structure('2.2.2.6'),
  'header.client': structure('2.2.2.6', 'note'),
  'header.platform': structure('2.2.2.6', 'note'),
  'header.version': structure('2.2.2.6', 'none'),
  'header.encoding': structure('2.2.2.6', 'none'),
  'header.bid-unused': structure('2.2.2.6', 'none'),
  'header.amap-valid': structure('2.2.2.5'),
  'header.file-size': structure('2.2.2.5'),
  'header.interval': structure('2.2.2.5'),
  'header.amap-last': structure('2.2.2.5'),
  'header.pmap-free': structure('2.2.2.5', 'note'),
  'header.rgb-fp': structure('2.2.2.6', 'note'),
  'header.next-bid': structure('2.2.2.6'),
  'header.next-page-bid': structure('2.2.2.6'),
  'header.rgnid': structure('2.2.2.6'),
  'header.rgnid-start': structure('2.2.2.6', 'note'),
  'header.rgnid-folders': structure('2.2.2.6', 'note'),
  'header.unique': structure('2.2.2.6'),

  // maps.ts, space.ts
  'page.truncated': structure('2.2.2.7'),
  'page.type': structure('2.2.2.7.1'),
  'page.crc': structure('2.2.2.7.1'),
  'page.signature': structure('2.2.2.7.1'),
  'page.bid': structure('2.2.2.7.1'),
  'amap.unmarked': structure('2.2.2.7.2'),
  'amap.extra': structure('2.2.2.7.2', 'warning'),
  'amap.free-total': structure('2.2.2.5'),
  'pmap.content': structure('2.2.2.7.3', 'note'),
  'fmap.low': structure('2.2.2.7.5', 'note'),
  'fmap.high': structure('2.2.2.7.5', 'note'),
  'fpmap.content': structure('2.2.2.7.6', 'note'),
  'dlist.entries': structure('2.2.2.7.4', 'note'),
  'block.outside': structure('2.2.2.7.2'),
  'block.overlap': structure('2.2.2.7.2'),

  // trees.ts
  'tree.place': structure('2.2.2.7'),
  'tree.shared-page': structure('2.2.2.7.7'),
  'tree.level': structure('2.2.2.7.7.1'),
  'tree.entry-size': structure('2.2.2.7.7.1'),
  'tree.entry-count': structure('2.2.2.7.7.1'),
  'tree.entry-max': structure('2.2.2.7.7.1'),
  'tree.unusable': structure('2.2.2.7.7'),
  'tree.empty-page': structure('2.2.2.7.7.1'),
  'tree.parent-key': structure('2.2.2.7.7.2'),
  'tree.key-order': structure('2.2.2.7.7'),

  // blocks.ts, references.ts
  'block.place': structure('2.2.2.7.7.3'),
  'block.truncated': structure('2.2.2.8'),
  'block.cb': structure('2.2.2.8.1'),
  'block.crc': structure('2.2.2.8.1'),
  'block.signature': structure('2.2.2.8.1'),
  'block.bid': structure('2.2.2.8.1'),
  'block.inflate': structure('2.2.2.8.1'),
  'block.empty': structure('2.2.2.8.3.1', 'warning'),
  'block.role': structure('2.2.2.8.3'),
  'bbt.bid-bit': structure('2.2.2.2'),
  'bbt.refcount': structure('2.2.2.7.7.3.1'),
  'bbt.orphan': structure('2.2.2.7.7.3.1', 'note'),
  'node.data-missing': structure('2.2.2.7.7.4'),
  'node.sub-missing': structure('2.2.2.7.7.4'),
  'datatree.block': structure('2.2.2.8.3.2'),
  'datatree.entries': structure('2.2.2.8.3.2'),
  'datatree.internal-bit': structure('2.2.2.8.3.2'),
  'datatree.missing': structure('2.2.2.8.3.2'),
  'datatree.middle': structure('2.2.2.8.3.2'),
  'datatree.total': structure('2.2.2.8.3.2'),
  'subtree.block': structure('2.2.2.8.3.3'),
  'subtree.entries': structure('2.2.2.8.3.3', 'warning'),
  'subtree.internal-bit': structure('2.2.2.8.3.3'),
  'subtree.order': structure('2.2.2.8.3.3.1'),
  'subtree.key': structure('2.2.2.8.3.3.2'),
  'subtree.data-missing': structure('2.2.2.8.3.3.1.2'),
  'subtree.sub-missing': structure('2.2.2.8.3.3.1.2'),

  // nodes.ts
  'node.unreadable': structure('2.2.2'),
  'node.type': structure('2.2.2.1', 'note'),
  'node.empty': structure('2.2.2.7.7.4'),
  'node.parent': content('2.2.2.7.7.4'),
  'node.parent-cycle': content('2.2.2.7.7.4'),
  'node.table-parent': content('2.2.2.7.7.4'),
  'folder.tables': content('2.4.4'),
  'folder.search-nodes': content('2.4.8.6', 'note'),
  'folder.missing': content('2.4.4'),

  // heaps.ts by way of notes.ts
  'hn.damage': structure('2.3.1'),
  'hn.map-odd': structure('2.3.1.5'),
  'hn.map-place': structure('2.3.1.5'),
  'hn.first-item': structure('2.3.1.5'),
  'hn.item-order': structure('2.3.1.5'),
  'hn.last-item': structure('2.3.1.5'),
  'hn.free-count': structure('2.3.1.5'),
  'hn.item-size': structure('2.3.3.3'),
  'hn.item-count': structure('2.3.1.1'),
  'hn.tail': structure('2.3.1.5'),
  'hn.fill-level': structure('2.3.1.2', 'none'),
  'bth.damage': structure('2.3.2'),
  'bth.key-order': structure('2.3.2.3'),
  'bth.index-key': structure('2.3.2.2'),
  'bth.empty-item': structure('2.3.2'),
  'pc.damage': structure('2.3.3'),
  'pc.records': structure('2.3.3'),
  'pc.hid': structure('2.3.3.2'),
  'pc.empty-item': structure('2.3.3.2'),
  'pc.value-size': structure('2.3.3.3'),
  'pc.value': structure('2.3.3.4'),
  'pc.type': structure('2.3.3.3', 'note'),
  'pc.boolean': structure('2.3.3.3', 'note'),
  'pc.twice': structure('2.3.3.3', 'warning'),
  'pc.trailing-nul': structure('2.3.3.3', 'note'),
  'pc.subnode': structure('2.3.3.2'),
  'pc.subnode-type': structure('2.3.3.2', 'note'),
  'pc.object': structure('2.3.3.5'),
  'tc.damage': structure('2.3.4'),
  'tc.info': structure('2.3.4.1'),
  'tc.groups': structure('2.3.4.1'),
  'tc.bitmap': structure('2.3.4.1'),
  'tc.index': structure('2.3.4.1', 'note'),
  'tc.column-order': structure('2.3.4.2'),
  'tc.column-place': structure('2.3.4.2'),
  'tc.column-width': structure('2.3.4.2'),
  'tc.column-bit': structure('2.3.4.2'),
  'tc.column-overlap': structure('2.3.4.2'),
  'tc.row-id-column': structure('2.3.4.4.1'),
  'tc.row-version-column': structure('2.3.4.4.1'),
  'tc.row-index': structure('2.3.4.3.1'),
  'tc.row-count': structure('2.3.4.3'),
  'tc.row-id': structure('2.3.4.3.1'),
  'tc.row-width': structure('2.3.4.4'),
  'tc.block-tail': structure('2.3.4.4', 'note'),
  'tc.unused-bits': structure('2.3.4.4.1', 'note'),
  'tc.cleared-cell': structure('2.3.4.4.1', 'note'),
  'tc.hid': structure('2.3.4.4.2'),
  'tc.empty-item': structure('2.3.4.4.2'),
  'tc.value-size': structure('2.3.4.4.2'),
  'tc.subnode': structure('2.3.4.4.2'),
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof RULES;
