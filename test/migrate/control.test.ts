/** The wizard's control file: the documented samples, every rule of the grammar, encodings, dates, and what a clone refuses. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type CommandLine, KEYWORDS, parseControl, planControl, readControl } from '../../src/migrate/control.js';
import { decodeText, parseAccounts } from '../../src/migrate/textfile.js';

const parse = (...lines: string[]) => parseControl(lines.join('\r\n'), 'batch.ctl');
const pairsOf = (...lines: string[]) => parse(...lines).pairs.map(({ keyword, value }) => [keyword, value]);
const NOTHING: CommandLine = { hasOut: false, hasStores: false, hasAccounts: false };
const ALL: CommandLine = { hasOut: true, hasStores: true, hasAccounts: true };

/** Forms of every sample of KB Q198957, with other names: blanks, capitals, commas in values, paths of Windows. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  'import of migration files': [
    "! This is a control file for 'File' migrations",
    'Mode,File',
    'File,C:\\Migrate\\Po1225.pkl',
    'Home-Server,HARBOUR01',
    'Public,TRUE',
    'DefFldPerms,none',
    'FldOwner,/o=ACME/ou=EU/cn=Recipients/cn=Administrator',
    'Container,none',
    'Template,/o=ACME/ou=EU/cn=Recipients/cn=TemplateMailbox',
    'NTAccounts,RANDOM',
    'NTDomain,ACME-MAIN',
  ],
  'MS Mail, a user list': [
    'Mode,MSMAILPC',
    'File,C:\\Migrate\\Userlist.csv',
    'Function,Extract',
    'Email,FALSE',
    'PUBLIC,FALSE',
    'PAB,FALSE',
    'Schedule,FALSE',
    'Postoffice,M:\\',
  ],
  'MS Mail, import with dates': [
    'Mode,MSMAILPC',
    'ImportDestination,SERVER',
    'File,C:\\Migrate\\Userlist.csv',
    'Function,IMPORT',
    'PUBLIC,FALSE',
    'Postoffice,M:\\ ',
    'EmailStart,19950101000000',
    'EmailEnd,19950102000000',
    'Home-Server,HARBOUR01',
    'Template,/o=ACME/ou=EU/cn=Recipients /cn=Template/cn=zTemplateMailbox',
    'NTAccounts,RANDOM',
    'NTDomain,ACME-MAIN',
  ],
  'cc:Mail, extract': [
    'Mode,CCMAIL',
    'File,C:\\MIGRATE\\ ',
    'Function,EXTRACT',
    'Public,FALSE',
    'Postoffice,M:\\ ',
    'POName,Region1PO',
  ],
  'GroupWise 4': [
    'Mode,GrpWise',
    'Function,FULL',
    'PostOffice,M:\\ ',
    'File,C:\\MIGRATE',
    'Home-Server,HARBOUR01',
    'Container,/o=ACME/ou=EU/cn=Recipients',
    'NTAccounts,alias',
    'NTDomain,ACME-MAIN',
    'Accounts,C:\\MIGRATE\\HQ\\MIGUSERS.TXT',
    'GWRTF,TRUE',
  ],
  'GroupWise 5': ['Mode, GRPWISE5', 'GWDomain,\\\\SERVER\\SYS\\GRPWISE5', 'POName,North Wing', 'File,C:\\MIGRATE'],
  LDAP: ['Mode, ADSI', 'Postoffice, TOWER/OU=RECIPIENTS,O=ACME', 'File,C:\\MIGRATE'],
  IMAP: ['Mode,IMAP', 'File,C:\\MIGRATE', 'Accounts,C:\\Migrate\\Adsi.001\\Imapusr.csv'],
  Exchange: [
    'Mode,EXCHANGE',
    'Exch55,FALSE',
    'RestrictSearchtoSid,TRUE',
    'ForcePwdChange,FALSE',
    'Accounts,accounts.txt',
    'ImportDestination,PST',
    'PSTPath,copies',
  ],
};

describe('the documented samples', () => {
  it.each(Object.entries(SAMPLES))('%s', (_, lines) => {
    const { pairs } = parse(...lines, '');
    expect(pairs).toHaveLength(lines.filter((line) => !line.startsWith('!')).length);
    expect(pairs[0]?.keyword).toBe('Mode');
  });

  it('keep commas in values, and lose blanks around them', () => {
    expect(pairsOf(...SAMPLES.LDAP!)).toEqual([
      ['Mode', 'ADSI'],
      ['Postoffice', 'TOWER/OU=RECIPIENTS,O=ACME'],
      ['File', 'C:\\MIGRATE'],
    ]);
  });

  it('say keywords and words in one spelling', () => {
    expect(pairsOf('mode,GrpWise', 'restrictsearchtosid,true', 'POSTOFFICE,M:\\')).toEqual([
      ['Mode', 'GRPWISE'],
      ['RestrictSearchToSid', 'TRUE'],
      ['Postoffice', 'M:\\'],
    ]);
  });

  it('cover every keyword there is', () => {
    const values = { boolean: 'TRUE', date: '20060612083000', number: '389', text: 'x' };
    for (const { name, value } of KEYWORDS.slice(1)) {
      const text = typeof value === 'string' ? values[value] : value[0]!;
      expect(pairsOf('Mode,FILE', `${name},${text}`)[1]).toEqual([name, text]);
    }
  });
});

describe('the grammar', () => {
  it.each([
    ['nothing', [''], /no keyword; the first must be Mode/],
    ['only comments', ['! a', '', '!b'], /no keyword/],
    ['Mode not first', ['Function,FULL', 'Mode,FILE'], /line 1: the first keyword must be Mode, not "Function"/],
    ['no Mode', ['Exch55,TRUE'], /must be Mode/],
    ['an unknown keyword', ['Mode,FILE', 'Mailboxes,TRUE'], /line 2: unknown keyword "Mailboxes"/],
    ['a keyword twice', ['Mode,FILE', 'PAB,TRUE', 'pab,FALSE'], /line 3: PAB again; it is in line 2/],
    ['no comma', ['Mode,FILE', 'Function'], /line 2: "Function" has no value/],
    ['no value', ['Mode,FILE', 'Function, '], /line 2: Function has no value/],
    ['an indented comment', ['Mode,FILE', ' ! note'], /line 2: a comment has its "!" in the first column/],
    ['a mode that is none', ['Mode,OUTLOOK'], /line 1: Mode is FILE, MSMAILPC/],
    ['a word that is none', ['Mode,FILE', 'NTAccounts,SOME'], /NTAccounts is RANDOM, ALIAS, NO, not "SOME"/],
    ['a boolean that is none', ['Mode,FILE', 'PAB,YES'], /PAB is TRUE, FALSE, not "YES"/],
    ['an open quote', ['Mode,FILE', 'File,"C:\\My files'], /open quote/],
    ['a quote that ends early', ['Mode,FILE', 'File,"a" b"'], /open quote/],
    ['a port beyond all', ['Mode,FILE', 'Port,65536'], /port number/],
  ])('%s', (_, lines, message) => {
    expect(() => parse(...lines)).toThrow(message);
  });

  it('takes LF, CR LF, blank lines, comments, and a last line without an end', () => {
    const text = '! first\n\r\n  Mode , FILE \r\n!Function,FULL\nFunction,IMPORT';
    expect(parseControl(text, 'x').pairs.map(({ keyword, value, line }) => [keyword, value, line])).toEqual([
      ['Mode', 'FILE', 3],
      ['Function', 'IMPORT', 5],
    ]);
  });

  it('takes quoted values', () => {
    const pairs = pairsOf('Mode,"FILE"', 'File," a, ""b"" "');
    expect(pairs).toEqual([
      ['Mode', 'FILE'],
      ['File', ' a, "b" '],
    ]);
  });

  it('ends in pairs or in a sentence, whatever the text', () => {
    const line = fc.oneof(
      fc.string(),
      fc.tuple(fc.constantFrom(...KEYWORDS.map(({ name }) => name)), fc.string()).map((pair) => pair.join(',')),
    );
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        try {
          const { pairs } = parseControl(`Mode,FILE${end}${lines.join(end)}`, 'x');
          return pairs[0]?.keyword === 'Mode';
        } catch (error) {
          return (error as Error).name === 'UsageError';
        }
      }),
    );
  });
});

describe('dates', () => {
  const time = (text: string) => parse('Mode,FILE', `EmailStart,${text}`).pairs[1]?.time?.toString();

  it('are UTC to the second', () => {
    expect(time('20060612083015')).toMatch(/^2006-06-12T08:30:15/);
    expect(time('16010101000000')).toMatch(/^1601-01-01T00:00:00/);
    expect(time('20000229235959')).toMatch(/^2000-02-29T23:59:59/);
  });

  it.each([
    '20060231000000',
    '19000229000000',
    '20061301000000',
    '20060600000000',
    '20060612240000',
    '20060612006000',
    '20060612000060',
    '16001231235959',
    '2006061200000',
    '200606120000000',
    '2006-06-12',
    'now',
  ])('%s is none', (text) => {
    expect(() => time(text)).toThrow(/line 2: EmailStart is a date YYYYMMDDHHMMSS/);
  });
});

describe('encodings', () => {
  const text = 'Mode,FILE\r\nContainer,Empfänger – “Süd”';
  const check = (bytes: Uint8Array, encoding?: string) => expect(decodeText(bytes, 'x', encoding)).toBe(text);

  it('UTF-8, with and without its mark', () => {
    check(Buffer.from(text));
    check(Buffer.from(`\ufeff${text}`));
    check(Buffer.from(`\ufeff${text}`), 'utf-8');
  });

  it('UTF-16LE with its mark, or named', () => {
    check(Buffer.from(`\ufeff${text}`, 'utf16le'));
    check(Buffer.from(text, 'utf16le'), 'utf-16le');
  });

  const ansi = Buffer.concat([Buffer.from('Mode,FILE\r\nContainer,Empf\xe4nger \x96 \x93S\xfcd\x94', 'latin1')]);
  it.each(['windows-1252', 'cp1252', '1252', 'Windows-1252', 'latin1'])('a named code page: %s', (name) => {
    check(ansi, name);
  });

  it('are never guessed', () => {
    expect(() => decodeText(ansi, 'batch.ctl')).toThrow(
      /batch.ctl is not UTF-8; say what it is, --encoding windows-1252/,
    );
    expect(() => decodeText(Buffer.from(text, 'utf16le'), 'x')).toThrow(/is not text|not UTF-8/);
    expect(() => decodeText(Buffer.from([0xfe, 0xff, 0, 0x4d]), 'x')).toThrow(/high byte first/);
  });

  it('must not contradict the file', () => {
    expect(() => decodeText(Buffer.from(`\ufeff${text}`), 'x', 'windows-1252')).toThrow(/mark of utf-8/);
    expect(() => decodeText(ansi, 'x', 'utf-8')).toThrow(/x is not utf-8/);
    expect(() => decodeText(ansi, 'x', 'klingon')).toThrow(/no such encoding/);
    expect(() => decodeText(Buffer.from('Mode\0FILE'), 'x')).toThrow(/not text/);
  });
});

describe('the plan', () => {
  const plan = (line: CommandLine, ...lines: string[]) =>
    planControl(parseControl(lines.join('\n'), '/runs/batch.ctl'), line);

  it('takes stores, accounts and folder from the file, counted from the file', () => {
    const control = ['Mode,EXCHANGE', 'File,exports', 'Accounts,who.txt', 'ImportDestination,PST', 'PSTPath,/copies'];
    expect(plan(NOTHING, ...control)).toEqual({
      out: '/copies',
      source: '/runs/exports',
      accounts: '/runs/who.txt',
      warnings: [],
    });
  });

  it('lets the command line go first, and says so', () => {
    const control = ['Mode,EXCHANGE', 'File,C:\\x', 'Accounts,who.txt', 'ImportDestination,PST', 'PSTPath,/copies'];
    expect(plan(ALL, ...control)).toEqual({
      out: undefined,
      source: undefined,
      accounts: undefined,
      warnings: ['/runs/batch.ctl: File, Accounts, PSTPath gave way to the command line'],
    });
  });

  it('names all that means nothing offline in one warning', () => {
    const { warnings } = plan(ALL, 'Mode,CCMAIL', 'Home-Server,H', 'NTAccounts,NO', 'ImportDestination,SERVER');
    expect(warnings).toEqual([
      '/runs/batch.ctl: Mode, Home-Server, NTAccounts, ImportDestination mean nothing for a copy from file to file and were ignored',
    ]);
    expect(plan(ALL, 'Mode,FILE', 'NTDomain,X').warnings[0]).toMatch(/NTDomain means nothing .* and was ignored/);
  });

  it.each([
    ['SubjectFile,s.txt'],
    ['EmailStart,16010101000000'],
    ['EmailEnd,20060101000000'],
    ['SchdStart,20060101000000'],
    ['SchdEnd,20060101000000'],
    ['Email,FALSE'],
    ['Schedule,FALSE'],
    ['Notes,FALSE'],
  ])('refuses the filter %s', (line) => {
    expect(() => plan(ALL, 'Mode,EXCHANGE', line)).toThrow(
      `/runs/batch.ctl, line 2: ${line} would leave something out, and a clone takes everything`,
    );
  });

  it('takes what would be taken anyway', () => {
    expect(plan(ALL, 'Mode,FILE', 'Email,TRUE', 'Schedule,TRUE', 'Tasks,TRUE').warnings).toEqual([]);
  });

  it('refuses a folder that the file does not make the target', () => {
    expect(() => plan(NOTHING, 'Mode,FILE', 'PSTPath,/copies')).toThrow(/line 2: PSTPath counts only with/);
    expect(() => plan(NOTHING, 'Mode,FILE', 'ImportDestination,SERVER', 'PSTPath,/x')).toThrow(/PSTPath counts only/);
  });

  it.skipIf(process.platform === 'win32')('refuses a path of another system', () => {
    expect(() => plan(NOTHING, 'Mode,FILE', 'File,C:\\Migrate')).toThrow(
      /path of Windows; name it on the command line/,
    );
  });
});

describe('files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pstwright-control-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are read as they are named', () => {
    const path = join(folder, 'batch.ctl');
    writeFileSync(path, '\ufeffMode,FILE\r\n', 'utf16le');
    expect(readControl(path).pairs).toHaveLength(1);
    expect(() => readControl(join(folder, 'none.ctl'))).toThrow(/no such file/);
    expect(() => readControl(folder)).toThrow(/is no file/);
  });
});

describe('the accounts file', () => {
  it('has an account a line, each once', () => {
    const { names, warnings } = parseAccounts('anna\r\n\r\n! away\r\nBen Ng \r\nANNA\r\n', 'who.txt');
    expect(names).toEqual(['anna', 'Ben Ng']);
    expect(warnings).toEqual([]);
  });

  it('should end its last line', () => {
    const { names, warnings } = parseAccounts('anna\r\nben', 'who.txt');
    expect(names).toEqual(['anna', 'ben']);
    expect(warnings).toEqual(['who.txt: the last line has no end; it was read all the same']);
  });

  it('names somebody', () => {
    expect(() => parseAccounts('\r\n', 'who.txt')).toThrow(/names no account/);
  });
});
