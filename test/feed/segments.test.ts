/** Where one segment ends and the next begins: restarts, rotation, steps of the clock. */
import { afterEach, expect, test } from 'vitest';
import { listSegments } from '../../src/tape/reader.js';
import { createRig, type Rig, type RigOptions, until } from './harness.js';
import { follow, gapsOf, only } from './tape.js';

let rig: Rig;

afterEach(() => rig.close());

async function prepare(options?: RigOptions): Promise<Rig> {
  rig = await createRig(options);
  return rig;
}

test('starting again begins a new segment with a gap from the last entry that stands', async () => {
  await prepare();
  for (let run = 0; run < 2; run++) {
    const running = rig.start();
    await until('the book is valid', () => rig.status.valid === 1);
    await running.stop();
    rig.status.valid = 0;
  }
  const segments = await listSegments([rig.out]);
  expect(segments.map(({ sealed }) => sealed)).toEqual([true, true]);
  const entries = await rig.entries();
  const second = entries.findLastIndex((entry) => 'tape' in entry);
  expect(entries[second + 1]).toMatchObject({ gap: { stream: '*', reason: 'restart', from: entries[second - 1].t } });
  expect(gapsOf(entries)).toHaveLength(1);
  expect((await follow(rig, 'BTCUSDT')).valid).toHaveLength(2);
});

test('a rotation after a restart begins without a gap: the restart is told once', async () => {
  await prepare({ rate: 3000 });
  const first = rig.start();
  await until('the book is valid', () => rig.status.valid === 1);
  await first.stop();
  rig.status.valid = 0;
  const second = rig.start({ tape: { out: rig.out, rotateBytes: 60_000, frameBytes: 100_000 } });
  await until('the book is valid again', () => rig.status.valid === 1);
  await until('two more segments were begun', () => rig.segmentCount('BTCUSDT') >= 4);
  const summary = await second.stop();
  expect(summary.gaps).toBe(1);
  expect(gapsOf(await rig.entries()).map(({ reason }) => reason)).toEqual(['restart']);
  expect((await follow(rig, 'BTCUSDT')).valid).toHaveLength(2);
});

test('a full segment is followed by the next without a gap, its book in the checkpoint', async () => {
  await prepare({ rate: 3000 });
  const running = rig.start({ tape: { out: rig.out, rotateBytes: 60_000, frameBytes: 100_000 } });
  await until('the book is valid', () => rig.status.valid === 1);
  await until('three segments were begun', () => rig.segmentCount('BTCUSDT') >= 3);
  const summary = await running.stop();
  await rig.exchange.stop();
  expect(summary).toMatchObject({ gaps: 0, dropped: 0 });
  const entries = await rig.entries();
  const books = only(entries, 'book').filter(({ book }) => book.state === 'valid');
  expect(books.length).toBeGreaterThanOrEqual(2);
  expect((await follow(rig, 'BTCUSDT')).valid).toHaveLength(1);
  const sent = await rig.sent();
  expect((await rig.recorded(['BTCUSDT'])).toSorted()).toEqual(sent.toSorted());
});

test('a step of the wall clock starts a new segment, and a clock entry says so', async () => {
  await prepare();
  const time = { step: 0, wallMs: () => Date.now() + time.step, monoMs: () => performance.now() };
  const running = rig.start({ time });
  await until('the book is valid', () => rig.status.valid === 1);
  time.step = -3_600_000;
  await until('it is said', () => rig.notes.some((note) => /wall clock moved by -(3600|3599)\./.test(note)));
  await until('a second segment was begun', () => rig.segmentCount('BTCUSDT') === 2);
  await running.stop();
  const entries = await rig.entries();
  const stepped = entries.findIndex((entry) => 'clock' in entry && entry.clock.wall < -3_590_000_000);
  expect(entries.slice(stepped + 1, stepped + 5).map((entry) => Object.keys(entry)[2])).toEqual([
    'index',
    'end',
    'tape',
    'book',
  ]);
  const times = entries.map(({ t }) => t);
  expect(times.every((t, i) => i === 0 || t > times[i - 1])).toBe(true);
  expect(gapsOf(entries)).toEqual([]);
});
