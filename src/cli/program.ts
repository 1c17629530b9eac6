/** The program: its verbs, its help, its version. @module */
import { Command, CommanderError } from 'commander';
import { EXIT, fail } from './exit.js';
import { printJson } from './output.js';
import { addPageHeapOptions, applyPageHeap } from './pageheap-options.js';
import { VERSION } from './version.js';

/** Each verb registers itself; the order is the order of the help text. Loaded when it is needed: half the start is not. */
const VERBS: Readonly<Record<string, () => Promise<{ register(program: Command): void }>>> = {
  info: () => import('./info.js'),
  ls: () => import('./ls.js'),
  cat: () => import('./cat.js'),
  clone: () => import('./clone.js'),
  verify: () => import('./verify.js'),
  check: () => import('./check.js'),
  replay: () => import('./replay.js'),
  page: () => import('./page.js'),
  block: () => import('./block.js'),
  node: () => import('./node.js'),
  pageheap: () => import('./pageheap.js'),
};

const HELP = `
Examples:
  pstwright info mail.pst                     what kind of store it is, and what is in it
  pstwright ls mail.pst                       its folders; --messages for what is in them
  pstwright cat mail.pst 0x200024             everything one message says
  pstwright clone mail.pst copy.pst           a new PST in which every identifier is what it was
  pstwright verify mail.pst copy.pst          that nothing differs, property by property

Where to go next: ls prints the NID of every folder and message; cat takes it. What cat shows is stored as node shows
it, in blocks that block shows, listed on pages that page shows.

Exit codes:
  0  done
  1  done, with warnings
  2  done as far as possible: the store is damaged, or something differs
  3  refused: wrong arguments, not a store, or the target exists; nothing was written
  4  the verifier stopped the core, or the program failed: a bug in pstwright

Numbers (NID, BID, IB) are written 0x8025 or 32805. --json gives one JSON document instead of text. The source is only
ever opened for reading. \`pstwright help VERB\` explains a verb.`;

/** The program with the verb that is called, or with all of them. */
export async function createProgram(called?: string): Promise<Command> {
  const program = new Command('pstwright')
    .description(
      'Reads mailbox stores (PST and OST), shows how they are built, and copies them with every identifier kept.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [verb]', 'explain a verb')
    .addHelpText('after', HELP)
    .showSuggestionAfterError()
    .exitOverride();
  const only = called === undefined || !Object.hasOwn(VERBS, called) ? undefined : VERBS[called];
  for (const load of only === undefined ? Object.values(VERBS) : [only]) (await load()).register(program);
  // Set on the program alone these would not reach the verbs, which were made before.
  for (const verb of program.commands) {
    verb.exitOverride().showSuggestionAfterError();
    addPageHeapOptions(verb);
  }
  program.hook('preAction', (_program, verb) => applyPageHeap(verb));
  return program;
}

/** Runs the program on what was typed behind its name. Returns the exit code, which is also set. Never throws. */
export async function run(args: readonly string[]): Promise<number> {
  process.exitCode = EXIT.OK;
  const program = await createProgram(args[0]);
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      process.exitCode = EXIT.REFUSED;
    } else {
      await program.parseAsync(args, { from: 'user' });
    }
  } catch (error) {
    if (!(error instanceof CommanderError)) fail(error, args.includes('--json'));
    else if (error.exitCode !== 0) {
      process.exitCode = EXIT.REFUSED; // commander has said why on stderr
      if (args.includes('--json')) {
        printJson({ error: { code: 'USAGE', message: error.message.replace(/^error: /, '') } });
      }
    }
  }
  return Number(process.exitCode);
}
