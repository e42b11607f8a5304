// The tapes of the bench: made from a session by `import`, or given by path.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './measure.mjs';
import { readArchives, recordedSession, repeatsFor, simulatedSession, writeRepeats } from './session.mjs';

/**
 * A tape: `path` for tapedeck, `files` for a shell, `bytes` of text, and what was written to it where the bench made it.
 * @typedef {{ path: string, files: string, bytes: number, counts?: Record<string, number>, repeats?: number, wholeHours?: number,
 *   archive?: string, archiveBytes?: number }} Tape
 */

/** The lines that tapes are made of: given archives, else the recordings where they stand, else the simulator. */
export async function sessionLines({ archives, sim, root }) {
  if (archives.length > 0) return readArchives(archives);
  const recorded = sim ? null : recordedSession(join(root, '../shared'));
  return recorded ?? (await simulatedSession(60, 3000));
}

/** A tape by its path. */
export async function openTape(path) {
  const files = `$(find ${path} -name '*.ndjson.zst' | LC_ALL=C sort)`;
  return { path, files, bytes: Number((await run(`zstd -dc ${files} | wc -c`)).stdout) };
}

/**
 * Imports about `bytes` of text of the session, repeated, at level 9, or as many repeats as are given. Where a number of parts
 * is given, the repeats divide it.
 * @returns {Promise<Tape>} with `archive`, the gzip file it was imported from, when `keep`
 */
export async function makeTape({ lines, folder, name, tapedeck, symbol, keep = false, ...length }) {
  const repeats = length.repeats ?? nearestDivisor(repeatsFor(lines, length.bytes), length.parts);
  const text = join(folder, `${name}.dat`);
  const { counts, bytes: archiveBytes, wholeHours } = writeRepeats(lines, text, repeats);
  if (keep) await run(`gzip -6 ${text}`, { cores: null });
  const archive = keep ? `${text}.gz` : text;
  const path = join(folder, name);
  await run(`${importCommand({ tapedeck, archive, symbol, out: path })} > /dev/null`, { cores: null });
  if (!keep) rmSync(archive);
  return { ...(await openTape(path)), counts, repeats, wholeHours, ...(keep ? { archive, archiveBytes } : {}) };
}

export function importCommand({ tapedeck, archive, symbol, out }) {
  return `${tapedeck} import hftbacktest ${archive} --venue binance-usdm --symbol ${symbol} --level 9 -o ${out} -q`;
}

/** A tape of these lines as they are. */
export async function importLines({ lines, folder, name, tapedeck, symbol = 'BTCUSDT' }) {
  const archive = join(folder, `${name}.dat`);
  writeFileSync(archive, `${lines.join('\n')}\n`);
  await run(`${importCommand({ tapedeck, archive, symbol, out: join(folder, name) })} > /dev/null`, { cores: null });
  rmSync(archive);
}

function nearestDivisor(wanted, parts) {
  if (parts === undefined) return wanted;
  let best = 1;
  for (let n = 1; n <= parts; n++) if (parts % n === 0 && Math.abs(n - wanted) < Math.abs(best - wanted)) best = n;
  return best;
}
