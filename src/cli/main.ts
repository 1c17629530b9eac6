#!/usr/bin/env node
import { run } from './program.js';

// `pstwright ls STORE | head`: the reader has gone, and nothing is left to say.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

await run(process.argv.slice(2));
