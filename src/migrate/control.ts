/**
 * The control file of the Exchange Migration Wizard (KB Q198957, TechNet aa998096), as far as it can be obeyed by a copy from file to
 * file. It is read in full and to the letter; what it asks for and a clone does not do is refused, never dropped.
 *
 *     file     line (EOL line)*                  EOL = CR LF or LF
 *     line     empty | "!" comment | pair        the "!" in the first column
 *     pair     keyword "," value                 split at the first comma, blanks trimmed, the value may stand in quotes
 *
 * The first pair is Mode. No keyword comes twice.
 * @module
 */
import { dirname, isAbsolute, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { FileTime } from '../mapi/filetime.js';
import { linesOf, readText } from './textfile.js';

/** What a keyword is to an offline clone. */
type Use =
  | 'mode' // which kind of source; ours is always a store file
  | 'filter' // leaves something out, whatever the value: refused
  | 'take' // TRUE is what clone does; FALSE leaves something out: refused
  | 'source' // where the stores are, unless the command line says so
  | 'accounts'
  | 'destination'
  | 'folder' // where the copies go, unless the command line says so
  | 'moot'; // about servers, directories and other mail systems: named in the warning

interface Keyword {
  readonly name: string;
  readonly use: Use;
  /** A set of words, or the form of the value. */
  readonly value: readonly string[] | 'boolean' | 'date' | 'number' | 'text';
}

const keyword = (name: string, use: Use, value: Keyword['value']): Keyword => ({ name, use, value });

/** Every documented keyword (mailmig.md 4). */
export const KEYWORDS: readonly Keyword[] = [
  // biome-ignore format: a table
  keyword('Mode', 'mode', ['FILE', 'MSMAILPC', 'CCMAIL', 'EXCHANGE', 'NOTES', 'COLLABRA', 'GRPWISE', 'GRPWISE5', 'ADSI', 'LDAP', 'IMAP']),
  keyword('Function', 'moot', ['FULL', 'EXTRACT', 'IMPORT']),
  keyword('Exch55', 'moot', 'boolean'),
  keyword('RestrictSearchToSid', 'moot', 'boolean'),
  keyword('SubjectFile', 'filter', 'text'),
  keyword('EmailStart', 'filter', 'date'),
  keyword('EmailEnd', 'filter', 'date'),
  keyword('SchdStart', 'filter', 'date'),
  keyword('SchdEnd', 'filter', 'date'),
  keyword('ForcePwdChange', 'moot', 'boolean'),
  keyword('File', 'source', 'text'),
  keyword('Accounts', 'accounts', 'text'),
  keyword('Mailbox', 'moot', 'boolean'),
  keyword('Email', 'take', 'boolean'),
  keyword('Public', 'moot', 'boolean'),
  keyword('PAB', 'moot', 'boolean'),
  keyword('Schedule', 'take', 'boolean'),
  keyword('Phone', 'take', 'boolean'),
  keyword('Appointments', 'take', 'boolean'),
  keyword('Notes', 'take', 'boolean'),
  keyword('Tasks', 'take', 'boolean'),
  keyword('GWRTF', 'moot', 'boolean'),
  keyword('Postoffice', 'moot', 'text'),
  keyword('POName', 'moot', 'text'),
  keyword('GWDomain', 'moot', 'text'),
  keyword('GWUserGRPName', 'moot', 'text'),
  keyword('Port', 'moot', 'number'),
  keyword('Secure', 'moot', 'boolean'),
  keyword('Encrypted', 'moot', 'boolean'),
  keyword('Home-Server', 'moot', 'text'),
  keyword('Container', 'moot', 'text'),
  keyword('Template', 'moot', 'text'),
  keyword('NTAccounts', 'moot', ['RANDOM', 'ALIAS', 'NO']),
  keyword('NTDomain', 'moot', 'text'),
  keyword('DefFldPerms', 'moot', ['NONE', 'AUTHOR', 'PUBEDITOR']),
  keyword('FldOwner', 'moot', 'text'),
  keyword('ImportDestination', 'destination', ['SERVER', 'PST']),
  keyword('PSTPath', 'folder', 'text'),
];
const BY_NAME = new Map(KEYWORDS.map((entry) => [entry.name.toLowerCase(), entry]));

/** Modes whose source is an Exchange mailbox or files: what a PST or OST stands for. */
const MODES_OF_STORES: readonly string[] = ['EXCHANGE', 'FILE'];

/** Port numbers, RFC 793. */
const PORT_MAX = 65_535;

export interface Pair {
  /** As documented, whatever case the file has. */
  readonly keyword: string;
  /** Words and booleans in capitals, the rest as written, without quotes. */
  readonly value: string;
  readonly line: number;
  /** Of a date keyword: UTC. */
  readonly time?: FileTime;
}

/** A control file: its pairs in order. */
export interface Control {
  readonly name: string;
  readonly pairs: readonly Pair[];
}

/** Parses a control file. Throws UsageError with the line. */
export function parseControl(text: string, name: string): Control {
  const pairs: Pair[] = [];
  const seen = new Map<string, number>();
  for (const { number, text: line } of linesOf(text)) {
    const wrong = (message: string): UsageError => new UsageError('USAGE', `${name}, line ${number}: ${message}`);
    const comma = line.indexOf(',');
    const written = (comma < 0 ? line : line.slice(0, comma)).trim();
    if (written.startsWith('!')) throw wrong('a comment has its "!" in the first column');
    const known = BY_NAME.get(written.toLowerCase());
    if (pairs.length === 0 && known?.name !== 'Mode') throw wrong(`the first keyword must be Mode, not "${written}"`);
    if (known === undefined) throw wrong(`unknown keyword "${written}"`);
    if (comma < 0) throw wrong(`"${written}" has no value: write ${known.name},VALUE`);
    const first = seen.get(known.name);
    if (first !== undefined) throw wrong(`${known.name} again; it is in line ${first}`);
    seen.set(known.name, number);
    const raw = unquote(line.slice(comma + 1).trim());
    if (raw === undefined) throw wrong(`the value of ${known.name} has an open quote`);
    if (raw === '') throw wrong(`${known.name} has no value`);
    pairs.push({ keyword: known.name, line: number, ...readValue(known, raw, wrong) });
  }
  if (pairs.length === 0) throw new UsageError('USAGE', `${name} holds no keyword; the first must be Mode`);
  return { name, pairs };
}

/** `"a ""b"" c"` is `a "b" c`. undefined when the quote is not closed. */
function unquote(value: string): string | undefined {
  if (!value.startsWith('"')) return value;
  if (value.length < 2 || !value.endsWith('"')) return undefined;
  const inner = value.slice(1, -1);
  return /^(?:[^"]|"")*$/.test(inner) ? inner.replaceAll('""', '"') : undefined;
}

function readValue(
  known: Keyword,
  raw: string,
  wrong: (message: string) => UsageError,
): { value: string; time?: FileTime } {
  const { name, value: form } = known;
  if (form === 'text') return { value: raw };
  const words = form === 'boolean' ? ['TRUE', 'FALSE'] : form;
  if (typeof words !== 'string') {
    const word = raw.toUpperCase();
    if (!words.includes(word)) throw wrong(`${name} is ${words.join(', ')}, not "${raw}"`);
    return { value: word };
  }
  if (words === 'number') {
    if (!/^\d{1,5}$/.test(raw) || Number(raw) > PORT_MAX) throw wrong(`${name} is a port number, not "${raw}"`);
    return { value: raw };
  }
  return { value: raw, time: readDate(raw) ?? fail(wrong(`${name} is a date YYYYMMDDHHMMSS, not "${raw}"`)) };
}

function fail(error: UsageError): never {
  throw error;
}

/** `YYYYMMDDHHMMSS`, UTC. undefined for what no calendar has. */
function readDate(text: string): FileTime | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  try {
    return FileTime.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  } catch {
    return undefined;
  }
}

/** What a control file comes to for a clone. Paths are absolute. */
export interface ControlPlan {
  /** Folder for the copies, store or folder to copy, accounts file: where the command line names none. */
  readonly out: string | undefined;
  readonly source: string | undefined;
  readonly accounts: string | undefined;
  readonly warnings: readonly string[];
}

/** What the command line says already, and goes before the control file. */
export interface CommandLine {
  readonly hasOut: boolean;
  readonly hasStores: boolean;
  readonly hasAccounts: boolean;
}

/** Turns a control file into a plan. Throws UsageError for what a clone does not do: a filter, a server as the target. */
export function planControl(control: Control, line: CommandLine): ControlPlan {
  const pairs = new Map(control.pairs.map((pair) => [pair.keyword, pair]));
  refuseFilters(control);
  const moot: string[] = [];
  const overruled: string[] = [];
  for (const { keyword: name, value } of control.pairs) {
    const { use } = BY_NAME.get(name.toLowerCase())!;
    if (use === 'moot' || (use === 'mode' && !MODES_OF_STORES.includes(value))) moot.push(name);
    if (use === 'destination' && value === 'SERVER') moot.push(name);
    if ((use === 'source' && line.hasStores) || (use === 'accounts' && line.hasAccounts)) overruled.push(name);
    if (use === 'folder' && line.hasOut) overruled.push(name);
  }
  const isPst = pairs.get('ImportDestination')?.value === 'PST';
  if (pairs.has('PSTPath') && !isPst && !line.hasOut) {
    throw refused(control, 'PSTPath counts only with ImportDestination,PST', pairs.get('PSTPath'));
  }
  const path = (name: string, isOverruled: boolean): string | undefined =>
    isOverruled || !pairs.has(name) ? undefined : pathOf(control, pairs.get(name)!);
  const warnings: string[] = [];
  const are = (names: string[], one: string, more: string): string => (names.length === 1 ? one : more);
  if (moot.length > 0) {
    warnings.push(
      `${control.name}: ${moot.join(', ')} ${are(moot, 'means', 'mean')} nothing for a copy from file to file and ${are(moot, 'was', 'were')} ignored`,
    );
  }
  if (overruled.length > 0) {
    warnings.push(`${control.name}: ${overruled.join(', ')} gave way to the command line`);
  }
  return {
    out: path('PSTPath', line.hasOut),
    source: path('File', line.hasStores),
    accounts: path('Accounts', line.hasAccounts),
    warnings,
  };
}

const refused = ({ name }: Control, message: string, pair?: Pair): UsageError =>
  new UsageError('REFUSED', `${name}${pair === undefined ? '' : `, line ${pair.line}`}: ${message}`);

/** The original drops filters in clone mode without a word (mailmig.md 7, flaw 2). */
function refuseFilters(control: Control): void {
  const filters = control.pairs.filter(({ keyword: name, value }) => {
    const { use } = BY_NAME.get(name.toLowerCase())!;
    return use === 'filter' || (use === 'take' && value === 'FALSE');
  });
  if (filters.length === 0) return;
  const said = filters.map(({ keyword: name, value }) => `${name},${value}`).join(' and ');
  throw refused(control, `${said} would leave something out, and a clone takes everything`, filters[0]);
}

/** A path in the file counts from the file. */
function pathOf(control: Control, pair: Pair): string {
  const isWindows = /^(?:[A-Za-z]:)?\\/.test(pair.value);
  if (isWindows && process.platform !== 'win32' && !isAbsolute(pair.value)) {
    throw refused(control, `${pair.keyword},${pair.value} is a path of Windows; name it on the command line`, pair);
  }
  return resolve(dirname(control.name), pair.value);
}

/** Reads and parses the control file at `path`. Throws UsageError. */
export const readControl = (path: string, encoding?: string): Control => parseControl(readText(path, encoding), path);
