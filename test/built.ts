/**
 * Tests run what `npm run build` made of the program where that is up to date, and its source where it is not: compiled anew for tests,
 * every use of an import is a call, which takes a fifth of the time of the long ones.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Plugin } from 'vitest/config';

const ROOT = new URL('..', import.meta.url).pathname;
const SOURCE = join(ROOT, 'src/');
const BUILT = join(ROOT, 'dist/');
const isBuilt = new RegExp(`^${BUILT.replace(/[^\w/-]/g, '\\$&')}`);

export function builtProgram(): Plugin {
  // all or nothing: of a file in both forms there would be two classes by one name
  const fresh = isFresh();
  return {
    name: 'built-program',
    enforce: 'pre',
    // imported by Node as it stands: what lies within the project is compiled otherwise, compiled or not
    config: () => ({ test: { server: { deps: { external: [isBuilt] } } } }),
    resolveId(id, importer) {
      if (!fresh || importer === undefined || !id.startsWith('.')) return null;
      const path = resolve(dirname(importer), id);
      if (!path.startsWith(SOURCE) || !path.endsWith('.js')) return null;
      return { id: join(BUILT, path.slice(SOURCE.length)), external: true };
    },
  };
}

/** Whether every file of the program was compiled after its last change. */
function isFresh(): boolean {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((name) => /^[^.]+\.ts$/.test(basename(name)))
    .every((name) => timeOf(join(SOURCE, name)) <= timeOf(join(BUILT, name.replace(/\.ts$/, '.js'))));
}

/** When a file was last written; before all others where it is not there. */
function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;
}
