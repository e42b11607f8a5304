// How `npm run build` keeps the compiled code of the bundled program: commands are run once, and what V8 made of each chunk is written beside it.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bundle = join(root, 'dist/bundle');
const tape = join(root, 'fixtures/full/binance-usdm/BTCUSDT');

/** The shortest commands, where a start is felt; a scan is first, as what commands share is kept from who comes first. */
const RUNS = [
  ['scan', tape, '--format', 'json'],
  ['replay', tape, '--speed', 'max'],
  ['view', 'book', tape],
  ['info', tape],
  ['verify', tape],
  ['scan', '--help'],
];

if (process.argv.length > 2) runAndKeep();
else
  for (const words of RUNS) {
    const { status, stderr } = spawnSync(process.execPath, [import.meta.filename, ...words], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`while keeping code: '${words.join(' ')}' ended with ${status}: ${stderr}`);
  }

/** V8 compiles a function when it is first called: at the end of a run it has those that a start needs, and no others. */
function runAndKeep() {
  const { load, loaded } = createRequire(import.meta.url)(join(bundle, 'chunks.cjs'));
  process.on('exit', () => {
    for (const [name, { script }] of loaded) {
      const file = join(bundle, `${name}.code`);
      if (!existsSync(file)) writeFileSync(file, script.createCachedData());
    }
  });
  load('cli.cjs');
}
