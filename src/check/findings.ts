/**
 * Findings: what `check` has to say about a store. Collected, counted, never thrown.
 * @module
 */
import { hex } from '../errors.js';
import { tagName } from '../mapi/tags.js';
import { RULES, type RuleId } from './rules.js';

export type Severity = 'error' | 'warning' | 'note';
/** structure: header, maps, trees, blocks, reference counts, heaps, tables. content: nodes, rows, properties, sizes. */
export type Kind = 'structure' | 'content';
/** own: a store this program built, every rule counts. foreign: any store; what older Outlook does otherwise is milder. */
export type Profile = 'foreign' | 'own';

export interface Finding {
  readonly severity: Severity;
  readonly kind: Kind;
  /** Stable: programs may rely on it. */
  readonly rule: RuleId;
  /** Of MS-PST; `2.2.2.7.7`. */
  readonly section: string;
  readonly message: string;
  readonly nid?: number;
  readonly bid?: number;
  readonly ib?: number;
  /** What the store has, and what it should have. */
  readonly found?: number | string;
  readonly expected?: number | string;
}

export interface Place {
  readonly nid?: number | undefined;
  readonly bid?: number | undefined;
  readonly ib?: number | undefined;
  readonly found?: number | string | undefined;
  readonly expected?: number | string | undefined;
}

export interface CheckCounts {
  /** By severity: all that were found, also those `findings` does not hold. */
  readonly error: number;
  readonly warning: number;
  readonly note: number;
  readonly structure: Readonly<Record<Severity, number>>;
  readonly content: Readonly<Record<Severity, number>>;
  /** By rule. */
  readonly rules: Readonly<Record<string, number>>;
  /** Found, but not kept in `findings`. */
  readonly omitted: number;
}

export interface CheckReport {
  readonly profile: Profile;
  readonly findings: readonly Finding[];
  readonly counts: CheckCounts;
}

/** Against a store in which every row breaks the same rule: memory, and a report nobody reads. Counting goes on. */
const KEPT_PER_RULE = 200;
/** Text from the store in a message. */
const TEXT_MAX = 80;

const zero = (): Record<Severity, number> => ({ error: 0, warning: 0, note: 0 });

export class Findings {
  readonly #kept: Finding[] = [];
  readonly #rules = new Map<RuleId, number>();
  readonly #counts: Record<Kind, Record<Severity, number>> = { structure: zero(), content: zero() };
  #omitted = 0;

  constructor(readonly profile: Profile) {}

  /** `foreign`: the severity in foreign stores when this one finding is milder or graver than its rule. */
  add(rule: RuleId, message: string, place: Place = {}, foreign?: Severity | 'none'): void {
    const { kind, section, own } = RULES[rule];
    const severity = this.profile === 'own' ? own : (foreign ?? RULES[rule].foreign);
    if (severity === 'none') return;
    this.#counts[kind][severity]++;
    const count = (this.#rules.get(rule) ?? 0) + 1;
    this.#rules.set(rule, count);
    if (count > KEPT_PER_RULE) {
      this.#omitted++;
      return;
    }
    const finding: Record<string, unknown> = { severity, kind, rule, section, message };
    for (const [key, value] of Object.entries(place)) if (value !== undefined) finding[key] = value;
    this.#kept.push(finding as unknown as Finding);
  }

  /** How often the rule was broken so far, whatever its severity. */
  countOf(rule: RuleId): number {
    return this.#rules.get(rule) ?? 0;
  }

  report(): CheckReport {
    const { structure, content } = this.#counts;
    return {
      profile: this.profile,
      findings: this.#kept,
      counts: {
        error: structure.error + content.error,
        warning: structure.warning + content.warning,
        note: structure.note + content.note,
        structure,
        content,
        rules: Object.fromEntries([...this.#rules].sort(([a], [b]) => (a < b ? -1 : 1))),
        omitted: this.#omitted,
      },
    };
  }
}

/** `0x0e080003`. */
export const tagHex = (tag: number): string => `0x${tag.toString(16).padStart(8, '0')}`;

/** `PidTagMessageSize (0x0e080003)`, or the number alone when it has no name. */
export function tagText(tag: number): string {
  const name = tagName(tag);
  return name === undefined ? tagHex(tag) : `${name} (${tagHex(tag)})`;
}

/** Text from a store for a message, cut. */
export const textOf = (text: string): string =>
  JSON.stringify(text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text);

export { hex };
