/** `pstwright pageheap`: the settings of the page heap, and what its options can name. @module */
import type { Command } from 'commander';
import { allocSites } from '../core/code.js';
import { Core, coreHash } from '../core/core.js';
import { buildOf, ENVIRONMENT, listing } from '../core/options.js';
import { DECODERS, decoderOf, siteName } from '../core/site.js';
import { action } from './exit.js';
import { paint, print, printFields, printJson, printTable } from './output.js';
import { settingsOrigin } from './pageheap-options.js';

const HELP = `
Every verb runs the core under a page heap: each block of memory has pages of its own and a closed page behind it, so that the first
access out of bounds stops at once and is reported. These options, those of Pageheap.exe, choose another mode for one run;
${ENVIRONMENT} holds the same words for all runs (random=10 seed=7 protect), and is not read when one of them is typed.

  full      every access is checked against its block and whether it is live
  normal    blocks have stamps and patterns, looked at when they are freed: faster in memory, later in finding
  paranoid  as full, but at every load and store, and bytes that were never written may not be read
  off       nothing is checked

At most one of --pageheap full, --size, --random, --decoders and --sites. Without arguments the settings are printed, the decoders,
and the allocation sites with their numbers and places in the sources.

Examples:
  pstwright pageheap --random 10 --seed 7
  pstwright clone old.pst new.pst --decoders ltp.pc,rtf
  pstwright clone old.pst new.pst --fault 100:5000        one allocation in a hundred fails, after 5000`;

export function register(program: Command): void {
  program
    .command('pageheap')
    .description('print the settings of the page heap, and explain its options')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', HELP)
    .action(action(run));
}

interface Site {
  readonly site: number;
  readonly decoder: string | undefined;
  readonly name: string;
  readonly what: string;
  readonly place: string;
}

const sites = (): Site[] =>
  allocSites()
    .filter(({ site }) => site % 16 !== 0)
    .map(({ site, name, file, line }) => ({
      site,
      decoder: decoderOf(site),
      name,
      what: siteName(site),
      place: `${file}:${line}`,
    }))
    .sort((a, b) => a.site - b.site);

function run(options: { json?: true }): void {
  const { settings } = Core;
  const build = buildOf(settings);
  if (options.json) {
    printJson({
      listing: listing(settings),
      settings,
      from: settingsOrigin(),
      core: { build, sha256: coreHash(build) },
      decoders: DECODERS,
      sites: sites(),
    });
    return;
  }
  print(listing(settings));
  print();
  printFields([
    ['settings from', settingsOrigin()],
    ['core', `${build}, sha256 ${coreHash(build).slice(0, 16)}`],
  ]);
  print();
  print(paint('bold', 'Decoders and their allocation sites'));
  printTable(
    sites().map(({ decoder = '', site, what, place }) => [decoder, site, what, place]),
    { head: ['decoder', 'site', 'block', 'taken at'], indent: 2 },
  );
}
