/** How `npm run soak` runs: the long forms of tests, one file after the other, for as many lines as asked for. */
import { defineConfig } from 'vitest/config';
import { builtProgram } from './built.js';

export default defineConfig({
  plugins: [builtProgram()],
  test: {
    root: new URL('..', import.meta.url).pathname,
    setupFiles: ['test/seed.ts'],
    include: ['test/**/*.soak.ts'],
    fileParallelism: false,
    testTimeout: 24 * 3600_000,
  },
});
