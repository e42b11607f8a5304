/** `--stdout` beside and instead of a tape: the same lines, and readers that are slow or go away. */
import { Writable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { parseEntry } from '../../src/tape/line.js';
import { createRig, type Rig, until } from './harness.js';

let rig: Rig;

afterEach(() => rig.close());

/** Keeps what it is given; can stall, and can go away. */
class Reader extends Writable {
  text = '';
  stalled = false;
  /** how long it takes over each write */
  pauseMs = 0;
  #waiting: (() => void) | null = null;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    if (this.stalled) this.#waiting = done;
    else if (this.pauseMs > 0) setTimeout(done, this.pauseMs);
    else done();
  }

  resume(): void {
    this.stalled = false;
    this.#waiting?.();
  }

  get lines(): string[] {
    return this.text.trimEnd().split('\n');
  }
}

test('prints the lines of the tape, in the order of arrival', async () => {
  rig = await createRig({ symbols: ['BTCUSDT', 'ETHUSDT'] });
  const reader = new Reader();
  const running = rig.start({ live: reader });
  await until('both books are valid', () => rig.status.valid === 2);
  const summary = await running.stop();
  expect(summary).toMatchObject({ written: summary.received, dropped: 0, linesLost: 0 });
  for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
    const printed = reader.lines.filter((line) => line.includes(`"src":"binance-usdm:${symbol}"`));
    const kept = (await rig.lines(symbol)).filter((line) => !/"(index|end)":/.test(line.slice(0, 80)));
    expect(printed).toEqual(kept);
  }
});

test('needs no tape; a reader that goes away is then a normal end, and nothing behind it is dropped', async () => {
  // so many that some are under way when the connections are closed
  rig = await createRig({ rate: 20_000 });
  const reader = new Reader();
  const running = rig.start({ live: reader, tape: null });
  await until('messages came', () => rig.status.received > 50);
  reader.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
  const summary = await running.done;
  expect(summary.received).toBeGreaterThan(50);
  expect(summary).toMatchObject({ written: summary.received, dropped: 0, linesLost: 0 });
  expect(parseEntry(reader.lines[0])).toHaveProperty('tape');
  expect(parseEntry(reader.lines[1])).toHaveProperty('book');
});

test('with a tape a reader that goes away is reported, and recording goes on', async () => {
  rig = await createRig();
  const reader = new Reader();
  const running = rig.start({ live: reader });
  await until('messages came', () => rig.status.received > 50);
  reader.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
  await until('it is reported', () => rig.notes.includes('stdout is closed; recording goes on'));
  const { received } = rig.status;
  await until('more messages came', () => rig.status.received > received + 100);
  const summary = await running.stop();
  expect(summary).toMatchObject({ written: summary.received, dropped: 0 });
});

test('the end waits for a reader that is slow but takes all', async () => {
  rig = await createRig();
  const reader = new Reader();
  reader.pauseMs = 30;
  const running = rig.start({ live: reader, tape: null });
  await until('the book is valid', () => rig.status.valid === 1);
  const summary = await running.stop();
  expect(reader.writableLength).toBe(0);
  expect(reader.lines.filter((line) => 'msg' in parseEntry(line))).toHaveLength(summary.received);
  expect(parseEntry(reader.lines.at(-1) ?? '')).toHaveProperty('clock');
});

test('a slow reader loses lines on stdout only, and drop lines count them', async () => {
  rig = await createRig({ rate: 2000 });
  const reader = new Reader();
  const running = rig.start({ live: reader, liveBound: 20_000 });
  await until('the book is valid', () => rig.status.valid === 1);
  reader.stalled = true;
  await until('lines were lost', () => rig.status.linesLost > 200);
  reader.resume();
  const { received } = rig.status;
  await until('more messages came', () => rig.status.received > received + 200);
  const summary = await running.stop();
  expect(summary).toMatchObject({ written: summary.received, dropped: 0 });
  const printed = reader.lines.map((line) => parseEntry(line));
  const drops = printed.flatMap((entry) => ('drop' in entry ? [entry.drop.count] : []));
  expect(drops.reduce((sum, count) => sum + count, 0)).toBe(summary.linesLost);
  const times = printed.map(({ t }) => t);
  expect(times.every((t, i) => i === 0 || t > times[i - 1])).toBe(true);
  const kept = (await rig.lines('BTCUSDT')).filter((line) => !/"(index|end)":/.test(line.slice(0, 80)));
  expect(kept.some((line) => line.includes('"drop":'))).toBe(false);
  expect(printed.length - drops.length + summary.linesLost).toBe(kept.length);
});
