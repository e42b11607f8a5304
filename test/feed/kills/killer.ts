/** Recorders that are killed again and again on one folder, and what must hold after each. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect } from 'vitest';
import { verifyTapes } from '../../../src/audit/verify.js';
import { createRandom, type Random } from '../../../src/sim/prng.js';
import { frameExtent } from '../../../src/tape/frame.js';
import { parseEntry } from '../../../src/tape/line.js';
import { listSegments, readTape } from '../../../src/tape/reader.js';
import { createRig, type Rig, until } from '../harness.js';
import { gapsOf, linesIn, messageIn, only } from '../tape.js';

const root = new URL('../../..', import.meta.url).pathname;
const FLUSH_MS = 100;
/** The recorder looks at its clock this often, and sets out to flush only then. */
const HEARTBEAT_MS = 50;
/** Between the clock of the killed and the time its last messages bear. */
const ROUNDING_MS = 20;
const BEAT_MS = 10;
const CLI = join(root, 'bin/tapedeck.js');

/** `outside` while it records, at any message; `start` at the nth change of a file, so in recovery first; `end` likewise, while it seals. */
export type Kill = { from: 'outside'; messages: number } | { from: 'start' | 'end'; change: number; part: number };

/** A kill of each kind in turn. */
export function plannedKill(n: number, random: Random): Kill {
  const part = random.pick([0, random.next()]);
  switch (n % 4) {
    case 0:
      return { from: 'outside', messages: random.below(1500) };
    case 1:
      return { from: 'start', change: 1 + random.below(20), part };
    case 2:
      return { from: 'start', change: 20 + random.below(60), part };
    default:
      return { from: 'end', change: 1 + random.below(12), part };
  }
}

interface Killed {
  /** wall ms, and the longest that its event loop, or the exchange's, stood still before */
  at: number;
  stallMs: number;
  stderr: string;
  status: number | null;
}

const folderOf = (rig: Rig): string => join(rig.out, 'binance-usdm', 'BTCUSDT');

/** Starts a recorder and waits for its end, of whatever kind. */
async function runRecorder(rig: Rig, kill: Kill | null): Promise<Killed> {
  const status = join(rig.folder, 'status.json');
  const words = ['record', 'binance-usdm:BTCUSDT', '-o', rig.out, '--flush', `${FLUSH_MS}ms`, '--rotate', '1s'];
  const { wsUrl, httpUrl } = rig.exchange;
  const child = spawn(
    process.execPath,
    [
      '--import',
      join(root, 'test/feed/kills/kill.mjs'),
      CLI,
      ...words,
      '--endpoint',
      wsUrl,
      '--rest-endpoint',
      httpUrl,
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        KILL_STATUS: status,
        ...(kill !== null && kill.from !== 'outside'
          ? { KILL: `${kill.from}:${kill.change}`, KILL_PART: String(kill.part) }
          : {}),
      },
    },
  );
  let exchangeStallMs = 0;
  let beatAt = performance.now();
  const beat = setInterval(() => {
    const now = performance.now();
    exchangeStallMs = Math.max(exchangeStallMs, now - beatAt);
    beatAt = now;
  }, BEAT_MS);
  let stderr = '';
  let code: number | null | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<void>((resolve) =>
    child.on('close', (exit) => {
      code = exit;
      resolve();
    }),
  );
  try {
    if (kill?.from !== 'start') {
      const segments = existsSync(folderOf(rig)) ? rig.segmentCount('BTCUSDT') : 0;
      const begun = (): boolean => existsSync(folderOf(rig)) && rig.segmentCount('BTCUSDT') > segments;
      await until('a segment is begun', () => begun() || code !== undefined);
      const sent = rig.exchange.sent + (kill?.from === 'outside' ? kill.messages : 800);
      await until('messages were sent', () => rig.exchange.sent >= sent || code !== undefined);
      child.kill(kill?.from === 'outside' ? 'SIGKILL' : 'SIGINT');
    }
    const killedAt = Date.now();
    await until('the recorder is gone', () => code !== undefined);
    await ended;
    const { at, stallMs } = JSON.parse(readFileSync(status, 'utf8')) as { at: number; stallMs: number };
    // from outside: what it did not live to say is a stall too
    const late = kill?.from === 'outside' ? Math.max(0, killedAt - at) : 0;
    return { at: at + late, stallMs: Math.max(stallMs, late) + exchangeStallMs, stderr, status: code ?? null };
  } finally {
    clearInterval(beat);
    child.kill('SIGKILL');
  }
}

/** Files of the tape by name. */
function filesOf(rig: Rig): Map<string, Buffer> {
  const folder = folderOf(rig);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.ndjson.zst')) : [];
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

/** Bytes of the whole frames at the beginning. */
function wholeBytes(bytes: Buffer): number {
  let at = 0;
  for (let extent = 1; extent > 0 && at < bytes.length; at += Math.max(0, extent))
    extent = frameExtent(bytes.subarray(at), 0);
  return at;
}

/** Lines as a reader gets them from what the killed left; a torn end is no error. */
async function tornLines(rig: Rig): Promise<string[]> {
  if (filesOf(rig).size === 0) return [];
  const lines: string[] = [];
  for await (const batch of readTape([folderOf(rig)])) {
    if ('damage' in batch) expect(batch.damage.code).toBe('E_TRUNCATED');
    else lines.push(...batch.bytes.toString('utf8', batch.from, batch.to).trimEnd().split('\n'));
  }
  return lines;
}

/** What the recorder of a segment adds to it when it ends, or when it is recovered. */
const withoutSeals = (lines: string[]): string[] => lines.filter((line) => !/^\{[^{]*"(index|end)":/.test(line));

/** Kills recorders one after the other, checks after each, and at last lets one end in order. */
export async function killAgainAndAgain(kills: number, seed: number): Promise<void> {
  const random = createRandom(`kills:${seed}`);
  const rig = await createRig({ rate: 2000 });
  const done: string[] = [];
  try {
    let lines: string[] = [];
    for (let n = 0; n < kills; n++) {
      const kill = plannedKill(n, random);
      done.push(JSON.stringify(kill));
      const before = filesOf(rig);
      const killed = await runRecorder(rig, kill);
      expect(killed.status, killed.stderr).toBe(null);
      expectUnchanged(before, filesOf(rig));
      const now = await tornLines(rig);
      expect(withoutSeals(now).slice(0, withoutSeals(lines).length)).toEqual(withoutSeals(lines));
      // the last message that stands was received at most the flush interval before the end
      const own = now.slice(lines.length).filter((line) => messageIn(line) !== null);
      if (own.length > 0 && kill.from !== 'end') {
        const last = parseEntry(own[own.length - 1]).t / 1000;
        const bound = FLUSH_MS + HEARTBEAT_MS + ROUNDING_MS + 2 * killed.stallMs;
        expect(killed.at - last, `of ${bound} ms`).toBeLessThan(bound);
      }
      lines = now;
    }
    const last = await runRecorder(rig, null);
    expect(last.status, last.stderr).toBe(0);
    expect(last.stderr).toMatch(/received \d+, written \d+, dropped 0\n$/);
    await rig.exchange.stop();
    await expectWhole(rig, lines);
  } catch (error) {
    throw new Error(`seed ${seed}, after ${done.join(', ')}`, { cause: error });
  } finally {
    await rig.close();
  }
}

/** Whole frames stand as they stood; a segment only grows behind them. */
function expectUnchanged(before: Map<string, Buffer>, after: Map<string, Buffer>): void {
  for (const [name, bytes] of before) {
    const whole = bytes.subarray(0, wholeBytes(bytes));
    // of a recorder killed while it wrote the header nothing stands, not even the file
    if (whole.length === 0) continue;
    expect(after.get(name)?.subarray(0, whole.length).equals(whole), `${name} is as it was`).toBe(true);
  }
}

/** All segments are sealed, verify finds gaps only, every run but the first says where the last one ended, and all is as it was sent. */
async function expectWhole(rig: Rig, torn: string[]): Promise<void> {
  const unsealed = (await listSegments([rig.out])).filter(({ sealed }) => !sealed);
  expect(unsealed.map(({ path }) => `${path}, ${statSync(path).size} bytes`)).toEqual([]);
  const reports = await verifyTapes({ paths: [rig.out], stdin: Readable.from([]) });
  // whoever lives this short on a busy machine may have no book
  const expected = ['GAP', 'NO_SNAPSHOT'];
  expect(reports.flatMap(({ problems }) => problems).filter(({ code }) => !expected.includes(code))).toEqual([]);

  const lines = await linesIn(folderOf(rig));
  expect(withoutSeals(lines).slice(0, withoutSeals(torn).length)).toEqual(withoutSeals(torn));
  const entries = lines.map((line) => parseEntry(line));
  expect(entries.filter(({ t }, i) => i > 0 && t <= entries[i - 1].t)).toEqual([]);
  const headers = only(entries, 'tape');
  const runs = new Set(headers.map(({ tape }) => tape.recorder));
  const restarts = gapsOf(entries).filter(({ reason }) => reason === 'restart');
  expect(restarts).toHaveLength(runs.size - 1);
  // and no other: nothing was lost while a recorder lived
  expect(gapsOf(entries)).toEqual(restarts);
  for (const gap of restarts) expect(entries.some(({ t }) => t === gap.from)).toBe(true);

  const byClient = new Map<number, string[]>();
  for (const line of readFileSync(join(rig.folder, 'sent.ndjson'), 'utf8').split('\n')) {
    const found = /^\{"t":\d+,"client":(\d+),"topic":.*?,"msg":(.*)\}$/.exec(line);
    if (found === null) continue;
    const all = byClient.get(Number(found[1])) ?? [];
    byClient.set(Number(found[1]), all);
    all.push(found[2]);
  }
  const byConn = new Map<string, string[]>();
  for (const line of lines) {
    const message = messageIn(line);
    const conn = /"conn":"([^"]*)"/.exec(line)?.[1];
    if (message === null || conn === undefined) continue;
    const all = byConn.get(conn) ?? [];
    byConn.set(conn, all);
    all.push(message);
  }
  // of each connection the beginning of what was sent, without a hole
  for (const [conn, kept] of byConn) {
    const isOf = (sent: string[]): boolean => kept.every((message, i) => message === sent[i]);
    expect(
      [...byClient.values()].filter(isOf).length,
      `${conn} has ${kept.length} messages that were sent`,
    ).toBeGreaterThan(0);
  }
  expect(byConn.size).toBeGreaterThanOrEqual(runs.size);
}
