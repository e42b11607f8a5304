/** Files of the installed package that are opened by path: its manifest, threads' entry files, compiled code. */

/**
 * Where a file of the package lies: `packageFile('dist/scan/worker.js')`. The one place that knows, and right from
 * everywhere: this file, its compiled form and (see bundle.mjs) the bundle are equally deep below the root.
 */
export function packageFile(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}
