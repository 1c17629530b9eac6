/**
 * `check`: everything wrong with a store, collected. Structure from the file up, then content.
 *
 *     header ─ trees ─ blocks ─ references ─ space, maps ─ nodes ─ heaps ─ required nodes ─ folders, messages …
 *
 * Each part passes over what it cannot use; damage in one node hides nothing in another. What reading a store throws is
 * a finding here; only a file that is no store is still thrown.
 * @module
 */
import type { Core } from '../core/core.js';
import { PstError } from '../errors.js';
import type { Source } from '../host/source.js';
import { Ndb } from '../ndb/ndb.js';
import { checkBlocks } from './blocks.js';
import { checkColumns } from './columns.js';
import { Context } from './context.js';
import { type CheckReport, Findings, type Profile } from './findings.js';
import { FolderChecker } from './folders.js';
import { checkHeader, checkNextBids, checkNidCounters, checkUnique } from './header.js';
import { checkHeaps } from './heaps.js';
import { checkHierarchyMap, checkMessageIndex } from './indexes.js';
import { checkMaps } from './maps.js';
import { checkNames } from './names.js';
import { checkNodes } from './nodes.js';
import { checkReferences } from './references.js';
import { checkRequired } from './required.js';
import { checkExtents, collectExtents } from './space.js';
import { checkTrees } from './trees.js';

/**
 * Against trees that share blocks until a pass over them would never end: each of the two passes over nodes may read what
 * all blocks hold this many times. Real stores need three.
 */
const PASS_FACTOR = 8;

export interface CheckOptions {
  readonly profile: Profile;
  /** Called now and then with how much of the work is done. */
  readonly progress?: (done: number, total: number) => void;
}

/**
 * Checks the whole store. Throws PST_NOT_A_STORE and PST_UNSUPPORTED; every other fault of the file is a finding.
 * The source stays open and is only read.
 */
export function checkStore(source: Source, core: Core, options: CheckOptions): CheckReport {
  const findings = new Findings(options.profile);
  const ndb = open(source, core, findings);
  if (ndb === undefined) return findings.report();
  try {
    const total = ndb.bbt.count + 2 * ndb.nbt.count;
    const context = new Context(ndb, findings, total, options.progress);
    checkHeader(context);
    const pages = checkTrees(context);
    const sound = checkBlocks(context);
    const references = checkReferences(context, sound);
    const extents = collectExtents(context, pages);
    checkExtents(context, extents);
    checkMaps(context, extents);
    checkNextBids(context, pages);
    checkNidCounters(context, references.highest);
    checkNodes(context);
    ndb.beginPass(PASS_FACTOR);
    checkHeaps(context, references);
    ndb.endPass();
    ndb.beginPass(PASS_FACTOR);
    checkRequired(context);
    checkColumns(context);
    checkNames(context);
    const folders = new FolderChecker(context);
    folders.run();
    checkUnique(context, folders.facts.highestVersion);
    checkHierarchyMap(context, folders.facts);
    checkMessageIndex(context, folders.facts);
    ndb.endPass();
    options.progress?.(total, total);
  } finally {
    ndb.close();
  }
  return findings.report();
}

/** Opens the store as far as it can be opened; the faults of header and trees are found again, in detail, by their parts. */
function open(source: Source, core: Core, findings: Findings): Ndb | undefined {
  try {
    return Ndb.open(source, core, { damage: () => {} });
  } catch (error) {
    if (!(error instanceof PstError) || error.code === 'PST_NOT_A_STORE' || error.code === 'PST_UNSUPPORTED')
      throw error;
    const { nid, bid, ib } = error.where;
    findings.add('store.unreadable', error.message, { nid, bid, ib });
    return undefined;
  }
}
