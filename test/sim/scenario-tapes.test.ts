/** Tapes of scripted scenarios as tapes: in other venues' words, replayed at other speeds, cut off and left by a killed recorder. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatTime } from '../../src/model/time.js';
import { fits, type Scenario } from '../../src/sim/scenarios/scenario.js';
import { scenarios } from '../../src/sim/scenarios/scenarios.js';
import { PLAIN, type Told, tell } from '../../src/sim/scenarios/tell.js';
import { pace } from '../../src/tape/pace.js';
import { openTape } from '../../src/tape/tape.js';
import { venueById } from '../../src/venues/registry.js';
import { flowOf, scanFlows } from '../scan/tape-builder.js';
import { writeSession } from '../scan/tape-folder.js';
import { temporaryFolder } from '../tape/tapes.js';
import { check, fromBeginning, scanTold, settingsFor } from './played.js';

const usdm = venueById('binance-usdm');
const scenario = (name: string): Scenario => scenarios.find((one) => one.name === name) as Scenario;
const shorter = scenarios.filter(({ rates }) => rates === undefined);

describe.each(['binance-spot', 'bybit-linear', 'okx-swap'])('in the words of %s', (id) => {
  const venue = venueById(id);
  const fitting = shorter.filter((one) => fits(one, venue));

  test.each(fitting.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const told = tell(one, venue);
    const scanned = await scanTold(told);
    expect(scanned.damage).toEqual([]);
    check(told, fromBeginning(scanned, told));
  });
});

test('a venue that was started anew and counts its books from 1 says so by a whole book', async () => {
  const one = scenario('S12 stream');
  const told = tell(one, venueById('bybit-linear'));
  const anew = told.lines.findLastIndex((line) => line.includes('"type":"snapshot"') && line.includes('orderbook'));
  const base = Number(/"u":(\d+)/.exec(told.lines[anew])?.[1]) - 1;
  expect(base).toBeGreaterThan(0);
  const fromOne = told.lines.map((line, at) =>
    at < anew ? line : line.replace(/"u":(\d+)/, (_, u) => `"u":${Number(u) - base}`),
  );
  expect(fromOne[anew]).toContain('"u":1,');
  check(told, fromBeginning(await scanTold(told, [], flowOf(fromOne)), told));
});

test('a lost book message is found at the next one, before the recorder says so', async () => {
  const told = tell(scenario('S11'), usdm);
  const { signals } = await scanTold(told);
  const noted = told.lines.filter((line) => line.includes('"gap":'));
  expect(noted).toHaveLength(1);
  const end = signals.find(({ reason }) => reason === 'gap');
  expect(end?.evidence.last).toBeLessThan(Number(noted[0].slice(5, 21)));
});

describe('replayed', () => {
  /** The tape's lines as a replay gives them out, on a clock that moves only by sleeping. */
  const replayed = (told: Told, speed: number) => {
    let now = 0;
    const sleep = async (micros: number): Promise<void> => {
      now += micros;
    };
    return { flow: pace(flowOf(told.lines, 1000), { speed, clock: () => now, sleep }), clock: () => now };
  };

  test.each(['S3', 'S6', 'S7 wall pulled', 'S11'])('%s at speed 1, 50 and max: the same bytes', async (name) => {
    const told = tell(scenario(name), usdm, { ...PLAIN, conflation: 20 });
    const { lines } = await scanTold(told);
    expect(lines.length).toBeGreaterThan(0);
    const last = Number(told.lines.at(-1)?.slice(5, 21)) - Number(told.lines[0].slice(5, 21));
    for (const [speed, took] of [
      [1, last],
      [50, last / 50],
      [Number.POSITIVE_INFINITY, 0],
    ]) {
      const { flow, clock } = replayed(told, speed);
      expect((await scanTold(told, [], flow)).lines).toEqual(lines);
      expect(clock()).toBeCloseTo(took, -1);
    }
  });
});

describe('cut off', () => {
  const notEof = (line: string): boolean => !line.includes('"reason":"eof"');
  const timeOf = (line: string): string => line.slice(9, 36);

  /**
   * Scans files. Everything seen must be what the whole tape says up to the last whole line; what was open then ends at the end of the
   * tape or, where bytes are torn off, in a gap.
   */
  async function scanFiles(told: Told, paths: string[], whole: readonly string[], lastLine: string): Promise<void> {
    const tape = await openTape(paths, (async function* () {})());
    const { lines, damage } = await scanFlows(tape.flows(), settingsFor(told));
    const last = Number(lastLine.slice(5, 21));
    const limit = formatTime(last);
    const expected = whole.filter((line) => timeOf(line) <= limit && notEof(line));
    const known = new Set(expected);
    expect(lines.filter((line) => known.has(line))).toEqual(expected);
    const reason = damage.length > 0 ? 'gap' : 'eof';
    for (const line of lines.filter((one) => !known.has(one))) {
      expect(timeOf(line)).toBe(formatTime(damage.length > 0 ? last : last + 1));
      expect(line).toContain('"phase":"end"');
      expect(line).toContain(`"reason":"${reason}"`);
    }
  }

  test.each(['S3', 'S6', 'S7 refilled', 'S11 later', 'S14 swapped'])('%s in the middle of a line', async (name) => {
    const told = tell(scenario(name), usdm);
    const { lines: whole } = await scanTold(told);
    const text = `${told.lines.join('\n')}\n`;
    const path = join(temporaryFolder(), 'cut.ndjson');
    // in the warm-up, and wherever something has just been said
    const marks = whole.map(
      (line) => Date.parse(`${timeOf(line).slice(0, 19)}Z`) * 1000 + Number(timeOf(line).slice(20, 26)),
    );
    for (const mark of [told.begin - 5_000_000, ...marks]) {
      const at = told.lines.findIndex((line) => Number(line.slice(5, 21)) > mark);
      if (at < 0) continue;
      const upTo = told.lines.slice(0, at).join('\n').length + 1;
      for (const beyond of [0, 1, 40]) {
        writeFileSync(path, text.slice(0, upTo + beyond));
        await scanFiles(told, [path], whole, told.lines[at - 1]);
      }
    }
  });

  test('S6 as a killed recorder leaves it, and with its last frame torn', async () => {
    const told = tell(scenario('S6'), usdm);
    const out = temporaryFolder();
    const { lines: whole } = await scanTold(told);
    for (const share of [0.93, 0.97, 1]) {
      const kept = told.lines.slice(0, Math.floor(share * told.lines.length));
      const folder = join(out, String(share));
      const [path] = await writeSession(folder, kept, { unsealed: true, checkpointEvery: Number.POSITIVE_INFINITY });
      await scanFiles(told, [path], whole, kept[kept.length - 1]);
      // frames hold 50 lines, the header one of its own
      const inFrames = 1 + 50 * Math.floor((kept.length - 1) / 50);
      const torn = (kept.length - 1) % 50 === 0 ? inFrames - 50 : inFrames;
      truncateSync(path, readFileSync(path).length - 20);
      await scanFiles(told, [path], whole, kept[torn - 1]);
    }
  });
});
