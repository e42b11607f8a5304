// What this build and this machine can do, so that what is missing is said and not measured.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './measure.mjs';

/** @returns {Promise<{ jobs: boolean, fallback: boolean, jq: boolean }>} */
export async function detectAbilities({ root, tapedeck }) {
  const { stdout: help } = await run(`${tapedeck} scan --help`);
  const { stdout: jq } = await run('command -v jq || true');
  const dist = join(root, 'dist');
  const files = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.js'));
  return {
    jobs: help.includes('--jobs'),
    fallback: files.some((name) => readFileSync(join(dist, name), 'utf8').includes('TAPEDECK_SCANNER')),
    jq: jq !== '',
  };
}
