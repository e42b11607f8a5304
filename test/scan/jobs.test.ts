/** A divided scan prints what one scan prints, byte for byte: text, JSON, notes, damage and sums, however it is divided. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { importArchives } from '../../src/audit/import.js';
import type { Entry } from '../../src/model/entry.js';
import type { Signal } from '../../src/model/signal.js';
import { formatTime } from '../../src/model/time.js';
import type { Sums } from '../../src/scan/checksum.js';
import { type JobsOptions, planJobs } from '../../src/scan/jobs.js';
import type { FromWorker, ToWorker } from '../../src/scan/messages.js';
import { scan } from '../../src/scan/scan.js';
import { type GivenSettings, readingStart, scanSettings } from '../../src/scan/settings.js';
import { signalText } from '../../src/scan/text.js';
import { Plan } from '../../src/scan/units.js';
import { parseSetting } from '../../src/signals/registry.js';
import { openTape } from '../../src/tape/tape.js';
import { venueById } from '../../src/venues/registry.js';
import { inTurns, splitLines } from '../market/several.js';
import { randomTape } from './random-tape.js';
import { MINUTE, SECOND, START } from './tape-builder.js';
import { type TapeFolderOptions, writeSession } from './tape-folder.js';
import { endWarmThreads, useWarmThreads } from './warm-threads.js';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const lively: GivenSettings = {
  unit: MINUTE,
  baseline: MINUTE,
  htf: MINUTE,
  warmup: 20 * SECOND,
  set: [
    ...['tape-imbalance.quantile=0.3', 'tape-imbalance.hold=500ms', 'tape-imbalance.groups=5'],
    ...['absorption.quantile=0.6', 'absorption.window=5s', 'absorption.hold=500ms', 'absorption.ratio=0.3'],
    ...['book-imbalance.window=2s', 'book-imbalance.on=0.3', 'book-imbalance.off=0.2'],
  ].map(parseSetting),
};

interface Output {
  json: string[];
  text: string[];
  notes: string[];
  damage: string[];
  sums: Sums[];
}

interface Range {
  from?: number;
  to?: number;
}

/** What a scan gives; `jobs` 0 is the undivided scan. */
async function outputOf(
  paths: string[],
  jobs: number,
  { given = lively, ...more }: Partial<JobsOptions> & Range = {},
): Promise<Output & { threads: number }> {
  const { from, to } = more;
  const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const output: Output = { json: [], text: [], notes: [], damage: [], sums: [] };
  const options = {
    damage: (damage: object) => void output.damage.push(JSON.stringify(damage)),
    note: (text: string) => void output.notes.push(text),
    sums: (sums: Sums) => void output.sums.push(sums),
  };
  const tape = await openTape(paths, process.stdin);
  const settings = scanSettings(given, { checksum: true, ...range });
  const divided = planJobs(tape.groups, { ...more, ...options, given, checksum: true, jobs, leastBytes: 0 });
  const signals =
    jobs === 0
      ? scan(tape.flows(from === undefined ? {} : { from: readingStart(settings, from) }), { settings, ...options })
      : divided.scan();
  for await (const printed of signals)
    for (const { line, signal } of printed) {
      output.json.push(line);
      output.text.push(signalText(signal));
    }
  output.sums.sort((a, b) => (a.src < b.src ? -1 : 1));
  return { ...output, threads: jobs === 0 ? 0 : divided.threads };
}

async function expectEqual(paths: string[], jobs: number, more: Partial<JobsOptions> & Range = {}): Promise<number> {
  return (await equalOutput(paths, jobs, more)).threads;
}

/** What the divided scan gives, which is what the undivided one gives. */
async function equalOutput(
  paths: string[],
  jobs: number,
  more: Partial<JobsOptions> & Range = {},
): Promise<Output & { threads: number }> {
  const { threads: _, ...whole } = await outputOf(paths, 0, more);
  const { threads, ...parts } = await outputOf(paths, jobs, more);
  expect(parts).toEqual(whole);
  return { threads, ...whole };
}

const folders: string[] = [];
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'tapedeck-jobs-'));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('generated tapes', () => {
  useWarmThreads();
  const seeds = fc.integer({ min: 1, max: 1_000_000 });

  test('one src in one or several segments, with and without gaps, is divided and equal', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.boolean(), fc.boolean(), fc.integer({ min: 0, max: 59 }), async (seed, ...how) => {
        const [troubled, several, offset] = how;
        const folder = newFolder();
        const start = START + offset * SECOND;
        const { lines } = randomTape({ seed, minutes: 9, troubled, extras: seed % 2 === 0, start });
        await writeSession(folder, lines, {
          checkpointEvery: 20 * SECOND,
          ...(several ? { segmentEvery: 100 * SECOND } : {}),
        });
        expect(await expectEqual([folder], 3)).toBe(3);
      }),
      { numRuns: 4 },
    );
  });

  test('sums alone are divided within a unit, too', async () => {
    const given: GivenSettings = { detect: ['none'] };
    await fc.assert(
      fc.asyncProperty(seeds, fc.boolean(), async (seed, troubled) => {
        const folder = newFolder();
        const { lines } = randomTape({ seed, minutes: 9, troubled, extras: true });
        await writeSession(folder, lines, { checkpointEvery: 20 * SECOND, segmentEvery: 100 * SECOND });
        expect(await expectEqual([folder], 3, { given })).toBeGreaterThan(1);
        const range = { from: START + 170 * SECOND + seed, to: START + 450 * SECOND };
        await expectEqual([folder], 2, { given, ...range });
      }),
      { numRuns: 3 },
    );
  });

  test('several connections that miss messages and end in turns', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.boolean(), async (seed, troubled) => {
        const folder = newFolder();
        const tape = randomTape({ seed, minutes: 9, troubled, extras: true, touches: true });
        const lines = splitLines(tape.lines, inTurns(START, 540, seed), seed);
        await writeSession(folder, lines, { checkpointEvery: 20 * SECOND, segmentEvery: 100 * SECOND });
        expect(await expectEqual([folder], 3)).toBeGreaterThan(1);
      }),
      { numRuns: 2 },
    );
  });

  test('recorder restarts, and several srcs that begin and end at their own times', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const folder = newFolder();
        const options: TapeFolderOptions = { checkpointEvery: 25 * SECOND, segmentEvery: 2 * MINUTE };
        const one = randomTape({ seed, minutes: 5, troubled: true, recorder: 'one' });
        await writeSession(folder, one.lines, options);
        const two = randomTape({ seed: seed + 1, minutes: 5, recorder: 'two', start: one.t + 40 * SECOND });
        await writeSession(folder, two.lines, options);
        expect(await expectEqual([folder], 3)).toBe(3);
        const eth = randomTape({ seed: seed + 2, minutes: 7, symbol: 'ETHUSDT', start: START + 30 * SECOND });
        await writeSession(folder, eth.lines, options);
        expect(await expectEqual([folder], 2)).toBe(2);
        const range = { from: START + 200 * SECOND + 1, to: START + 500 * SECOND };
        await expectEqual([folder], 3, range);
        const late = randomTape({ seed: seed + 3, minutes: 2, symbol: 'XRPUSDT', start: START + 5 * MINUTE });
        await writeSession(folder, late.lines, options);
        await expectEqual([folder], 4);
      }),
      { numRuns: 2 },
    );
  });

  test('presets and detectors of single symbols are those of one scan', async () => {
    const folder = newFolder();
    for (const symbol of ['BTCUSDT', 'ETHUSDT'])
      await writeSession(folder, randomTape({ seed: 4, minutes: 5, symbol }).lines, { checkpointEvery: 25 * SECOND });
    const symbols = {
      'binance-usdm:*': { set: [parseSetting('book-imbalance.levels=3')] },
      'binance-usdm:ETHUSDT': { detect: ['book-imbalance'] },
    };
    const given: GivenSettings = { ...lively, preset: 'scalp', symbols };
    const { threads, json } = await equalOutput([folder], 3, { given });
    expect(threads).toBeGreaterThan(1);
    const said = json.map((line) => JSON.parse(line) as Signal);
    const names = (symbol: string): Set<string> =>
      new Set(said.filter((one) => one.symbol === symbol).map((one) => one.signal));
    expect(names('ETHUSDT')).toEqual(new Set(['book-imbalance']));
    expect(names('BTCUSDT').size).toBeGreaterThan(1);
    for (const { signal, evidence } of said) if (signal === 'book-imbalance') expect(evidence.levels).toBe(3);
  });

  test('a flow that is silent is noted where all of the tape has none, not one part of it', async () => {
    const [header, ...lines] = randomTape({ seed: 8, minutes: 6 }).lines;
    const channels = header.replace('"trade","depth"', '"trade","aggTrade","depth"');
    const notesOf = async (silentFrom: number): Promise<string[]> => {
      const folder = newFolder();
      const told = lines.map((line) => (timeOf(line) < silentFrom ? line : merged(line)));
      await writeSession(folder, [channels, ...told], { checkpointEvery: 20 * SECOND });
      const { threads, notes } = await equalOutput([folder], 2);
      expect(threads).toBe(2);
      return notes.filter((note) => note.includes('no trades of trade'));
    };
    expect(await notesOf(START + 40 * SECOND)).toEqual([]);
    expect(await notesOf(START)).toHaveLength(1);
  });

  test('a src that cannot be divided goes through one thread', async () => {
    const folder = newFolder();
    const { lines } = randomTape({ seed: 3, minutes: 8 });
    const [path] = await writeSession(folder, lines, { unsealed: true });
    expect(await expectEqual([folder], 4)).toBe(1);
    const sealed = await writeSession(newFolder(), lines);
    expect((await outputOf(sealed, 4)).threads).toBeGreaterThan(1);
    expect(await expectEqual([path, ...sealed], 4)).toBe(1);
    // a copy, as the same file would be read once
    const copies = sealed.map((file) => {
      const copy = join(newFolder(), basename(file));
      copyFileSync(file, copy);
      return copy;
    });
    expect(await expectEqual([...sealed, ...copies], 4)).toBe(1);
  });
});

describe('what cannot be proven is read through', () => {
  useWarmThreads();
  const { lines } = randomTape({ seed: 11, minutes: 10 });
  const dense: TapeFolderOptions = { checkpointEvery: 20 * SECOND };

  test('damage in any part is told once, and everything else is as it would be', async () => {
    const folder = newFolder();
    const [path] = await writeSession(folder, lines, dense);
    const tape = await openTape([path], process.stdin);
    const { frames } = tape.groups[0][0].index();
    const whole = readFileSync(path);
    expect((await outputOf([path], 3)).threads).toBe(3);
    // behind the first damage lines are counted otherwise, so the second has another place than its index says
    for (const shares of [[0.02], [0.3], [0.45], [0.1, 0.9]]) {
      const bytes = Buffer.from(whole);
      for (const share of shares) {
        const { offset } = frames[Math.floor(share * frames.length)];
        bytes.fill(0x55, offset + 20, offset + 40);
      }
      writeFileSync(path, bytes);
      const { damage } = await equalOutput([path], 3);
      expect(damage.length).toBe(shares.length);
    }
  });

  test('lines that are no entries, here and there', async () => {
    const folder = newFolder();
    const broken = lines.map((line, n) => (n > 10 && n % 331 === 0 ? `${line.slice(0, 60)}` : line));
    await writeSession(folder, broken, dense);
    const { damage } = await equalOutput([folder], 3);
    expect(damage.length).toBeGreaterThan(5);
  });

  test('a checkpoint that is not the book of the messages', async () => {
    const folder = newFolder();
    // as by a tool that counts the streams of a venue otherwise: who starts there hears no update of the book
    const falsify = (entry: Entry): Entry =>
      'book' in entry ? { ...entry, book: { ...entry.book, streams: { ...entry.book.streams, stream: 99 } } } : entry;
    await writeSession(folder, lines, { ...dense, falsify });
    expect(await expectEqual([folder], 3)).toBe(3);
  });

  test('a connection that ends before a trade told which one brings them', async () => {
    const folder = newFolder();
    // trades stop for minutes, and meanwhile another connection ends: no trade is lost by that
    const quiet = lines.filter((line) => {
      const t = Number(line.slice(5, 21)) - START;
      return !(line.includes('"e":"trade"') && t > 0.8 * MINUTE && t < 6.95 * MINUTE);
    });
    const renumbered = renumber(quiet);
    for (const minute of [5.93, 6.93]) {
      const at = renumbered.findIndex((line) => Number(line.slice(5, 21)) > START + minute * MINUTE);
      const t = Number(renumbered[at].slice(5, 21)) - 100;
      const close = JSON.stringify({
        t,
        src: 'binance-usdm:BTCUSDT',
        conn: 'test.2',
        close: { code: 1006, reason: '' },
      });
      const out = join(folder, String(minute));
      await writeSession(out, renumbered.toSpliced(at, 0, close), dense);
      const given = { ...lively, warmup: 40 * SECOND, detect: ['tape-imbalance', 'book-imbalance'] };
      for (const jobs of [2, 3]) expect(await expectEqual([out], jobs, { given })).toBe(jobs);
    }
  });
});

const timeOf = (line: string): number => Number(line.slice(5, 21));

/** A trade as the merged stream tells it. */
function merged(line: string): string {
  return line
    .replace('@trade"', '@aggTrade"')
    .replace(/"e":"trade"(.*)"t":(\d+),("p":"[^"]*","q":"[^"]*")/, '"e":"aggTrade"$1"a":$2,$3,"f":$2,"l":$2');
}

/** Trade ids without holes, after trades were left out. */
function renumber(lines: readonly string[]): string[] {
  let id = 1000;
  return lines.map((line) =>
    line.includes('"e":"trade"') ? line.replace(/"t":\d+,"p"/, () => `"t":${++id},"p"`) : line,
  );
}

describe('recordings', () => {
  const data = new URL('../../../shared/data/', import.meta.url).pathname;
  const sessions = [
    { venue: 'binance-usdm', symbol: 'BTCUSDT', names: ['btcusdt_20230404.dat.gz', 'btcusdt_20230405.dat.gz'] },
    { venue: 'binance-coinm', symbol: 'ETHUSD_PERP', names: ['ethusd_perp_20240808.gz', 'ethusd_perp_20240809.gz'] },
  ];
  const files = sessions.map(({ venue, names }) => names.map((name) => join(data, `${venue}_${name}`)));
  if (!files.flat().every((path) => existsSync(path))) {
    // the recordings are other people's and no part of the project, so a user's machine lacks them
    test.skip('the recordings are not here (../shared/data)', () => {});
    return;
  }
  useWarmThreads();
  const out = newFolder();
  beforeAll(async () => {
    for (const [n, { venue, symbol }] of sessions.entries()) {
      const options = {
        venue: venueById(venue),
        symbol,
        instrument: { multiplier: '10' },
        tool: 'test',
        bad: () => {},
      };
      await importArchives({ format: 'hftbacktest', ...options, files: files[n], out, level: 1 });
    }
  });
  const given: GivenSettings = {
    ...{ unit: MINUTE, baseline: MINUTE, htf: MINUTE },
    set: ['tape-imbalance.quantile=0.3', 'absorption.quantile=0.8', 'absorption.kind=A', 'absorption.window=5s'].map(
      parseSetting,
    ),
  };

  test.each(sessions)('$venue $symbol by time', async ({ venue }) => {
    const jobs = venue === 'binance-usdm' ? 2 : 3;
    expect(await expectEqual([join(out, venue)], jobs, { given })).toBe(jobs);
  });

  test('both, by src', async () => {
    expect(await expectEqual([out], 2, { given })).toBe(2);
  });
});

describe('threads', () => {
  const folder = newFolder();
  const options = {
    ...{ given: lively, checksum: true, jobs: 3, leastBytes: 0 },
    ...{ damage: () => {}, note: () => {} },
  };
  beforeAll(async () => {
    await endWarmThreads();
    await writeSession(folder, randomTape({ seed: 21, minutes: 10 }).lines, { checkpointEvery: 20 * SECOND });
  });
  const plan = async (more: Partial<JobsOptions> = {}) => {
    const tape = await openTape([folder], process.stdin);
    return planJobs(tape.groups, { ...options, ...more });
  };
  const rejection = async (jobs: { scan(): AsyncGenerator }): Promise<string> => {
    try {
      for await (const printed of jobs.scan()) void printed;
    } catch (error) {
      return `${(error as { code?: string }).code}: ${(error as Error).message}`;
    }
    return 'nothing went wrong';
  };

  test('an abort ends what is being printed where it stands, nothing comes after, and the time reached is said', async () => {
    const whole = await outputOf([folder], 0);
    for (const share of [0.02, 0.25]) {
      // threads that may hold back one line only are in the midst of things when the signal comes
      const stopping = new AbortController();
      const lines: string[] = [];
      const sums: Sums[] = [];
      const stopped: number[] = [];
      const told = { sums: (one: Sums) => void sums.push(one), stopped: (t: number) => void stopped.push(t) };
      const more = { signal: stopping.signal, mostWaiting: 1, ...told };
      for await (const printed of (await plan(more)).scan()) {
        // time for the runs behind this one to have something to say
        if (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 400));
        lines.push(...printed.map(({ line }) => line));
        if (lines.length > share * whole.json.length) stopping.abort();
      }
      expect(lines).toEqual(whole.json.slice(0, lines.length));
      // well before the end of the first of three runs
      expect(lines.length).toBeLessThan((share + 0.05) * whole.json.length);
      expect(sums).toEqual([]);
      // all up to that time is there, and all that is there is up to that time
      const until = formatTime(stopped[0]);
      expect([stopped.length, whole.json.filter((line) => line.slice(9, 36) <= until)]).toEqual([1, lines]);
    }
  });

  test('a signal that came before does not start what will not be printed', async () => {
    let batches = 0;
    for await (const printed of (await plan({ signal: AbortSignal.abort() })).scan()) batches += printed.length;
    // a thread hears of it after some batches
    expect(batches).toBeLessThan((await outputOf([folder], 0)).json.length / 3);
  });

  test('a reader that goes away ends all of it', async () => {
    const signals = (await plan({ mostWaiting: 1 })).scan();
    await signals.next();
    await signals.return(undefined);
    expect(process.getActiveResourcesInfo().filter((name) => name === 'MessagePort')).toEqual([]);
  });

  test('a thread that dies is one error with a code', async () => {
    const worker = new URL('data:text/javascript,throw new Error("boom")');
    expect(await rejection(await plan({ worker }))).toBe('E_IO: while scanning: a worker thread failed: boom');
    const silent = new URL('data:text/javascript,');
    expect(await rejection(await plan({ worker: silent }))).toContain('E_IO: while scanning: a worker thread failed');
  });

  test('so is one that died before there was work for it', async () => {
    const jobs = await plan({ worker: new URL('data:text/javascript,throw new Error("early")') });
    while (process.getActiveResourcesInfo().includes('MessagePort')) await new Promise(setImmediate);
    expect(await rejection(jobs)).toBe('E_IO: while scanning: a worker thread failed: early');
  });

  test('threads that a plan does not want end, and none is started where there is little to read', async () => {
    const ports = (): number => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
    const before = ports();
    // a unit that is longer than the tape
    expect((await plan({ given: { ...lively, unit: 1440 * 60 * SECOND } })).threads).toBe(1);
    while (ports() > before) await new Promise(setImmediate);
    expect((await plan({ leastBytes: 1e9 })).threads).toBe(1);
    expect(ports()).toBe(before);
  });

  test('an error in a thread comes with its code and place', async () => {
    const gone = newFolder();
    const [path] = await writeSession(gone, randomTape({ seed: 22, minutes: 8 }).lines);
    const tape = await openTape([gone], process.stdin);
    const jobs = planJobs(tape.groups, options);
    rmSync(path);
    expect(jobs.threads).toBeGreaterThan(1);
    expect(await rejection(jobs)).toMatch(/^E_NOT_FOUND: /);
  });

  test('what waits for its turn is bounded, and nothing waits for ever', async () => {
    const most = 3000;
    const tape = await openTape([folder], process.stdin);
    const { lanes } = new Plan(tape.groups, scanSettings(lively, { checksum: true }), { jobs: 2, leastBytes: 0 });
    const worker = new Worker(new URL('../../dist/scan/worker.js', import.meta.url));
    const say = (message: ToWorker): void => worker.postMessage(message);
    let waiting = 0;
    let largest = 0;
    let worst = 0;
    let total = 0;
    await new Promise<void>((resolve) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'end') resolve();
        if (message.kind !== 'printed') return;
        waiting += message.bytes;
        total += message.bytes;
        largest = Math.max(largest, message.bytes);
        worst = Math.max(worst, waiting);
        if (waiting <= most) return;
        // time enough for a thread that does not wait to send everything
        setTimeout(() => {
          say({ kind: 'taken', bytes: waiting });
          waiting = 0;
        }, 20);
      });
      const task = { run: lanes[0].runs[1], given: lively, checksum: true, mostWaiting: most };
      say({ kind: 'run', task });
    });
    await worker.terminate();
    expect(total).toBeGreaterThan(4 * (most + largest));
    expect(worst).toBeLessThanOrEqual(most + largest);
    await expectEqual([folder], 3, { mostWaiting: 1 });
  });
});
