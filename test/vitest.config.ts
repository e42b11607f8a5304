/** How `npm test` runs: with one seed for all properties, so that the same commit gives the same result everywhere. */
import { configDefaults, defineConfig } from 'vitest/config';
import { builtProgram } from './built.js';

const SHARING = ['model', 'market', 'signals', 'study', 'output', 'sim', 'venues', 'formats', 'tape', 'commands'];
const PURE = SHARING.map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  plugins: [builtProgram()],
  test: {
    root: new URL('..', import.meta.url).pathname,
    setupFiles: ['test/seed.ts'],
    // an end for what hangs, far beyond what a busy machine needs: runs are counted, not timed
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // sockets and pipes mostly wait: no more workers than cores would leave a machine of two half idle
    maxWorkers: 4,
    projects: [
      // what these are about keeps nothing between uses, so their files share modules: loading them anew for each took a tenth of all time
      { extends: true, test: { name: 'pure', include: PURE, isolate: false } },
      // with packages of their own: `npm run test:clients`
      { extends: true, test: { name: 'apart', exclude: [...configDefaults.exclude, 'test/clients/**', ...PURE] } },
    ],
  },
});
