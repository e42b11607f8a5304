/** How `npm test` runs: with one seed for all properties, so that the same commit gives the same result everywhere. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { root: new URL('..', import.meta.url).pathname, setupFiles: ['test/seed.ts'] },
});
