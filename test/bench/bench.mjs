// `npm run bench`: whole commands against each other on one core, interleaved, as medians and ratios.
//
//   npm run bench                     the full table (about 500 MB of text); below a floor it ends with 1
//   npm run bench -- --write          the same, and the table goes into README
//   npm run bench -- --ci             50 MB, three rounds: equal work and memory are checked, speed is only printed
//   npm run bench -- --tape DIR       another tape (binance-usdm) instead of the made one
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { interleaved, median, run } from './measure.mjs';
import { measurePacing } from './pacing.mjs';
import { recordedSession, simulatedSession, writeRepeats } from './session.mjs';
import { markdownTable, writeReadme } from './table.mjs';

const { values: options } = parseArgs({
  options: {
    ci: { type: 'boolean', default: false },
    size: { type: 'string' },
    rounds: { type: 'string' },
    tape: { type: 'string' },
    pace: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const size = Number(options.size ?? (options.ci ? 50 : 500)) * 1e6;
const rounds = Number(options.rounds ?? (options.ci ? 3 : 7));
const paceSeconds = Number(options.pace ?? (options.ci ? 0 : 60));

const root = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
const tapedeck = `node ${root}/bin/tapedeck.js`;
const say = (text) => process.stderr.write(`${text}\n`);

/** Floors of the project; below one of them the run fails. Ratios are speeds: other's seconds over ours. */
const FLOORS = [
  { name: 'core scan', against: 'zstd -dc', least: 0.2 },
  { name: 'core scan', against: 'JSON.parse and sorted arrays', least: 3 },
  { name: 'replay --speed max to a pipe', against: 'zstd -dc to a pipe', least: 0.5 },
];
const MOST_MEMORY_MB = 250;

async function makeTape(folder) {
  const lines = recordedSession(join(root, '../shared')) ?? (await simulatedSession(60, 3000));
  const text = join(folder, 'session.dat');
  const counts = writeRepeats(lines, text, size);
  const tape = join(folder, 'tape');
  const common = `--venue binance-usdm --symbol BTCUSDT --level 9`;
  await run(`${tapedeck} import hftbacktest ${text} ${common} -o ${tape} -q`, { cores: null });
  return { tape, counts, text };
}

/** The counts of the scan, of the plain reader and of what was written must be the same, or the times compare nothing. */
function checkWork(results, counts) {
  const { checksum: scan } = JSON.parse(results['core scan'].stdout);
  const plain = JSON.parse(results['JSON.parse and sorted arrays'].stdout);
  for (const key of ['messages', 'depth', 'trades']) {
    const made = counts?.[key] ?? plain[key];
    if (scan[key] !== made || plain[key] !== made)
      throw new Error(`unequal work: ${key} made ${made}, scan ${scan[key]}, plain reader ${plain[key]}`);
  }
  if (scan.levels !== (counts?.levels ?? scan.levels))
    throw new Error(`scan read ${scan.levels} levels of ${counts.levels}`);
  if (plain.gaps > 0) throw new Error(`the tape has ${plain.gaps} gaps`);
}

async function bench(folder) {
  say('making the tape');
  const { tape, counts, text } = options.tape === undefined ? await makeTape(folder) : { tape: options.tape };
  const files = `$(find ${tape} -name '*.ndjson.zst' | LC_ALL=C sort)`;
  const plain = `node ${root}/test/bench/json-baseline.mjs`;
  const cases = {
    'zstd -dc': `zstd -dc ${files} > /dev/null`,
    'core scan': `${tapedeck} scan ${tape} --detect none --checksum --format json`,
    'scan with all detectors': `${tapedeck} scan ${tape} --format json > /dev/null`,
    'JSON.parse and sorted arrays': `zstd -dc ${files} | ${plain}`,
    'zstd -dc to a pipe': `zstd -dc ${files} | cat > /dev/null`,
    'replay --speed max to a pipe': `${tapedeck} replay ${tape} --speed max | cat > /dev/null`,
  };
  if (text !== undefined) {
    mkdirSync(join(folder, 'again'));
    const words = `${text} --venue binance-usdm --symbol BTCUSDT --level 9 -o ${folder}/again -q`;
    cases['zstd -9 of the same text'] = `zstd -9 -c ${text} > ${folder}/again.zst`;
    cases['import hftbacktest'] = `${tapedeck} import hftbacktest ${words} && rm -r ${folder}/again/*`;
  }
  const bytes = Number((await run(`zstd -dc ${files} | wc -c`)).stdout);
  const results = await interleaved(cases, rounds, say);
  checkWork(results, counts);

  const seconds = Object.fromEntries(Object.entries(results).map(([name, result]) => [name, median(result.seconds)]));
  // ratios inside one round first: the machine's slow minutes cancel
  const ratio = (name, against) => median(results[name].seconds.map((own, n) => results[against].seconds[n] / own));
  const rows = Object.keys(cases).map((name) => ({
    name,
    megabytes: bytes / 1e6 / seconds[name],
    zstd: ratio(name, 'zstd -dc'),
    plain: ratio(name, 'JSON.parse and sorted arrays'),
    peakMB: results[name].peakMB,
  }));
  const faults = [];
  for (const { name, against, least } of FLOORS) {
    const value = ratio(name, against);
    say(`${name} / ${against}: ${value.toFixed(2)} (floor ${least})`);
    // a busy machine must not fail a check, so speed decides in full runs only
    if (value < least && !options.ci) faults.push(`${name} is ${value.toFixed(2)} of ${against}, below ${least}`);
  }
  for (const name of ['core scan', 'scan with all detectors', 'replay --speed max to a pipe']) {
    if (results[name].peakMB > MOST_MEMORY_MB)
      faults.push(`${name} took ${results[name].peakMB.toFixed(0)} MB of memory`);
  }
  const pacing = paceSeconds > 0 ? await measurePacing(tapedeck, tape, paceSeconds) : null;
  const table = markdownTable({ rows, bytes, rounds, counts, pacing });
  process.stdout.write(`${table}\n`);
  if (options.write) writeReadme(join(root, 'README.md'), table);
  for (const fault of faults) say(`below the floor: ${fault}`);
  return faults.length === 0 ? 0 : 1;
}

const folder = mkdtempSync(join(tmpdir(), 'tapedeck-bench-'));
try {
  process.exitCode = await bench(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
