/** The program: its verbs, its help, its version. @module */
import { Command, CommanderError } from 'commander';
import { register as block } from './block.js';
import { register as cat } from './cat.js';
import { register as check } from './check.js';
import { register as clone } from './clone.js';
import { EXIT, fail } from './exit.js';
import { register as info } from './info.js';
import { register as ls } from './ls.js';
import { register as node } from './node.js';
import { printJson } from './output.js';
import { register as page } from './page.js';
import { register as pageheap } from './pageheap.js';
import { addPageHeapOptions, applyPageHeap } from './pageheap-options.js';
import { register as replay } from './replay.js';
import { register as verify } from './verify.js';
import { VERSION } from './version.js';

/** Each verb registers itself; the order is the order of the help text. */
const VERBS: readonly ((program: Command) => void)[] = [
  info,
  ls,
  cat,
  clone,
  verify,
  check,
  replay,
  page,
  block,
  node,
  pageheap,
];

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

export function createProgram(): Command {
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
  for (const register of VERBS) register(program);
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
  const program = createProgram();
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
