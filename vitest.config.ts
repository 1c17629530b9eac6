import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A core of its own per process: instances of WebAssembly memory are given back when the process ends.
    pool: 'forks',
    maxWorkers: 2,
    // Whole stores are read, cloned and checked; on two busy processors that takes its time.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
