// `npm run bench`: whole commands against each other, interleaved, as medians and ratios; each proves equal work.
//
//   npm run bench                      all groups: 500 MB and 2 GB of text; below a promise it ends with 1
//   npm run bench -- --write           the same, and the tables go into README; with --only, the lines of those groups
//   npm run bench -- --ci              50 MB, three rounds: equal work and memory are checked, speed is only printed
//   npm run bench -- --only scan,jobs  some of: scan, peers, length, jobs, replay, import, symbols, detectors,
//                                      startup, pacing, live, record
//   --tape PATH       another tape (binance-usdm, beginning with a snapshot) instead of made ones
//   --archive FILE    another session to make tapes of (hftbacktest, one snapshot); may be repeated
//   --sim             a session of the simulated exchange even where the recordings are
//   --symbol SYMBOL   of the archive; BTCUSDT
//   --size MB --long MB --slice MB --rounds N --pace SECONDS
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { detectAbilities } from './abilities.mjs';
import { coreGroup } from './core.mjs';
import { doublingGroup } from './doubling.mjs';
import { runGroup } from './group.mjs';
import { jobsGroup } from './jobs.mjs';
import { measureLive } from './live.mjs';
import { longGroup } from './long.mjs';
import { measurePacing } from './pacing.mjs';
import { installPeers, peersGroup } from './peers.mjs';
import { importGroup, replayGroup } from './pipes.mjs';
import { measureRecord } from './record.mjs';
import { buildSimdjson } from './simdjson.mjs';
import { SYMBOLS } from './spread.mjs';
import { measureStartup } from './startup.mjs';
import { symbolsGroup } from './symbols.mjs';
import { markdown, writeReadme } from './table.mjs';
import { makeTape, openTape, sessionLines } from './tapes.mjs';

const ALL = [
  'scan',
  'peers',
  'length',
  'jobs',
  'replay',
  'import',
  'symbols',
  'detectors',
  'startup',
  'pacing',
  'live',
  'record',
];
/** what a check of every commit can afford */
const IN_CI = ['scan', 'replay', 'symbols', 'record'];

const { values: options } = parseArgs({
  options: {
    ci: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    size: { type: 'string' },
    long: { type: 'string', default: '2000' },
    slice: { type: 'string', default: '100' },
    rounds: { type: 'string' },
    tape: { type: 'string' },
    archive: { type: 'string', multiple: true, default: [] },
    sim: { type: 'boolean', default: false },
    symbol: { type: 'string', default: 'BTCUSDT' },
    pace: { type: 'string', default: '60' },
    write: { type: 'boolean', default: false },
  },
});
const megabytes = (text) => Number(text) * 1e6;
const wanted = options.only?.flatMap((names) => names.split(',')) ?? (options.ci ? IN_CI : ALL);
for (const name of wanted) if (!ALL.includes(name)) throw new Error(`'${name}' is none of ${ALL.join(', ')}`);
const rounds = Number(options.rounds ?? (options.ci ? 3 : 7));
const root = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
const bin = `${root}/bin/tapedeck.js`;
const tapedeck = `node ${bin}`;
const say = (text) => process.stderr.write(`${text}\n`);

/** Every tape is made when the first group asks for it. */
function createTapes(folder) {
  const { symbol } = options;
  let lines;
  const made = new Map();
  const once = (name, make) => {
    if (!made.has(name)) made.set(name, make());
    return made.get(name);
  };
  const session = async () => {
    lines ??= await sessionLines({ archives: options.archive, sim: options.sim, root });
    return lines;
  };
  const make = async (name, bytes, more = {}) => {
    say(`making a tape of ${(bytes / 1e6).toFixed(0)} MB`);
    return makeTape({ lines: await session(), folder, name, bytes, tapedeck, symbol, ...more });
  };
  const size = megabytes(options.size ?? (options.ci ? 50 : 500));
  return {
    size,
    session,
    main: () =>
      once('main', () =>
        options.tape === undefined
          ? make('main', size, { parts: SYMBOLS, keep: wanted.includes('import') })
          : openTape(options.tape),
      ),
    long: () => once('long', () => make('long', megabytes(options.long))),
    slice: () =>
      once('slice', () =>
        options.tape === undefined ? make('slice', megabytes(options.slice)) : openTape(options.tape),
      ),
  };
}

/** What needs a tape of our own making cannot be done with a given one. */
const NEED_MADE = ['length', 'jobs', 'import', 'symbols', 'detectors'];

/** Either a group to run, or measured already as { notes, faults }, or a sentence that says why neither. */
async function prepare(name, { folder, tapes, has, simdjson, missing }) {
  if (options.tape !== undefined && NEED_MADE.includes(name)) return `${name}: not measured on a tape given by path.`;
  const { symbol } = options;
  switch (name) {
    case 'scan':
      return coreGroup({ tape: await tapes.main(), tapedeck, simdjson: await simdjson(), has });
    case 'peers': {
      const installed = await installPeers(say, missing);
      const [tape, slice] = [await tapes.main(), await tapes.slice()];
      return peersGroup({ slice, tape, tapedeck, folder, installed, has });
    }
    case 'length':
      return longGroup({ tape: await tapes.main(), long: await tapes.long(), tapedeck, simdjson: await simdjson() });
    case 'jobs':
      return has.jobs ? jobsGroup({ long: await tapes.long(), tapedeck }) : 'jobs: not built (scan has no --jobs).';
    case 'replay':
      return replayGroup({ tape: await tapes.main(), tapedeck });
    case 'import':
      return importGroup({ tape: await tapes.main(), tapedeck, folder, symbol });
    case 'symbols':
      return symbolsGroup({
        ...{ lines: await tapes.session(), tape: await tapes.main(), tapedeck, folder, symbol, piped: !options.ci },
      });
    case 'detectors':
      return doublingGroup({ lines: await tapes.session(), bytes: tapes.size, tapedeck, folder, symbol, say });
    case 'startup':
      return measureStartup({ bin, say });
    case 'pacing':
      return measurePacing({ tape: await tapes.main(), tapedeck, folder, seconds: Number(options.pace), say });
    case 'record':
      return measureRecord({ folder, isShort: options.ci, say });
    default:
      return measureLive({ session: await tapes.session(), tape: await tapes.main(), symbol, bin, folder, say });
  }
}

async function bench(folder) {
  const tapes = createTapes(folder);
  const has = await detectAbilities({ root, tapedeck });
  const rows = [];
  const outcomes = [];
  const notes = [];
  const faults = [];
  /** What cannot be measured is said at once and below the tables. */
  const missing = (text) => {
    say(text);
    notes.push(text);
  };
  let program;
  const simdjson = async () => {
    program ??= { path: options.ci ? null : await buildSimdjson(folder, missing) };
    return program.path;
  };
  if (!has.fallback && wanted.includes('scan')) missing('scan: TypeScript only is not built (no TAPEDECK_SCANNER).');
  if (!has.jq && wanted.includes('peers')) missing('jq is not measured: it is not installed.');
  for (const name of wanted) {
    const prepared = await prepare(name, { folder, tapes, has, simdjson, missing });
    if (typeof prepared === 'string') {
      missing(prepared);
      continue;
    }
    const done = 'cases' in prepared ? await runGroup(prepared, { rounds, say }) : prepared;
    for (const note of done.notes) say(`  ${note}`);
    rows.push(...(done.rows ?? []));
    outcomes.push(...(done.outcomes ?? []));
    notes.push(...done.notes);
    faults.push(...done.faults);
  }
  const table = markdown({ outcomes, rows, notes, rounds });
  process.stdout.write(`${table}\n`);
  if (options.write) writeReadme(join(root, 'README.md'), table, options.only === undefined ? null : wanted);
  for (const { text } of faults) say(`promise not kept: ${text}`);
  // a busy machine must not fail a check, so speed decides in full runs only
  return faults.some(({ speed }) => !speed || !options.ci) ? 1 : 0;
}

const folder = mkdtempSync(join(tmpdir(), 'tapedeck-bench-'));
const cleanUp = () => rmSync(folder, { recursive: true, force: true });
for (const [signal, status] of Object.entries({ SIGINT: 130, SIGTERM: 143 }))
  process.on(signal, () => {
    cleanUp();
    process.exit(status);
  });
try {
  process.exitCode = await bench(folder);
} finally {
  cleanUp();
}
