/** How `npm run test:clients` runs: beside `npm test`, since what it needs is installed for it alone. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('.', import.meta.url).pathname,
    // they mostly wait, so two files run at a time
    maxWorkers: 2,
    // real sockets on a machine with other work
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
