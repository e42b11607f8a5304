/** Lines on their way to a disk that is slow, full or broken: what was taken stands or is counted, and nothing grows without bound. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { recoverFolder } from '../../src/tape/recover.js';
import { createTapeQueue, LineKind, type QueuedTape, type TapeQueueOptions } from '../../src/tape/tape-queue.js';
import '../seed.js';
import { listSegments, readTape } from '../../src/tape/reader.js';
import { createLocalThread, type LocalThread } from './local-thread.js';
import { collect, message, opening, SRC, T0, temporaryFolder, timeIn } from './tapes.js';

afterEach(() => {
  vi.restoreAllMocks();
});

interface Desk {
  thread: LocalThread;
  queue: ReturnType<typeof createTapeQueue>;
  told: string[];
  open(src?: string): QueuedTape;
}

function deskIn(out: string, options: Partial<TapeQueueOptions> = {}): Desk {
  const thread = createLocalThread();
  const told: string[] = [];
  const queue = createTapeQueue({
    start: thread.start,
    now: () => 0,
    failed: ({ code }) => void told.push(code),
    resumed: () => void told.push('resumed'),
    full: (dropping) => void told.push(dropping ? 'full' : 'free'),
    removed: () => {},
    refused: (error) => void told.push(`refused ${(error as { code: string }).code}`),
    ...options,
  });
  return {
    thread,
    queue,
    told,
    open: (src = SRC) => queue.open({ out, src, now: T0, opening, flushMs: 1000, frameBytes: 2000 }),
  };
}

/** Times of the messages on a tape. @throws at damage */
async function timesIn(out: string): Promise<number[]> {
  const { lines, damage } = await collect(readTape([out]));
  expect(damage).toEqual([]);
  const times = lines.map(timeIn);
  expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
  return lines.filter((line) => line.includes('"msg":')).map(timeIn);
}

const send = (tape: QueuedTape, t: number): boolean => tape.write(message(t), t, LineKind.message);

/** One turn of the event loop, in which orders are posted. */
const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

const failing = (code: string): never => {
  throw Object.assign(new Error(`${code}: injected`), { code });
};

test('a disk that does not move takes lines up to the bound, then they are dropped, and once it moves all that were taken stand', async () => {
  const out = temporaryFolder();
  const desk = deskIn(out, { bound: 20_000 });
  const tape = desk.open();
  const size = message(T0 + 1000).length;
  const room = Math.floor(20_000 / size);
  const taken = Array.from({ length: room + 50 }, (_, i) => send(tape, T0 + (i + 1) * 1000));
  expect(taken.filter((one) => one)).toHaveLength(room);
  expect(taken.lastIndexOf(true)).toBe(room - 1);
  expect(desk.queue.bytes).toBe(room * size);
  expect(desk.told).toEqual(['full']);
  tape.tick(T0 + 1e6);
  await turn();
  // nothing is said of the loss while it goes on
  expect(tape.settle()).toBeNull();
  desk.thread.flow();
  expect(desk.queue.bytes).toBe(0);
  expect(desk.told).toEqual(['full', 'free']);
  // still dropped: the mark comes first
  expect(send(tape, T0 + 2e6)).toBe(false);
  expect(tape.settle()).toEqual({ count: 51, from: T0 + room * 1000 });
  expect(tape.settle()).toBeNull();
  expect(send(tape, T0 + 3e6)).toBe(true);
  expect(await tape.seal()).toBe(0);
  expect(await timesIn(out)).toEqual([...Array.from({ length: room }, (_, i) => T0 + (i + 1) * 1000), T0 + 3e6]);
});

test('while the disk is full lines wait; with space again a new segment goes on, and nothing is missing', async () => {
  const out = temporaryFolder();
  const desk = deskIn(out);
  const tape = desk.open();
  desk.thread.flow();
  await tape.opened;
  let t = T0;
  const sendMany = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      t += 1000;
      expect(send(tape, t)).toBe(true);
    }
    tape.tick(t);
    await turn();
  };
  await sendMany(30);
  const full = vi.spyOn(fs, 'writeSync').mockImplementation(() => failing('ENOSPC'));
  await sendMany(100);
  await sendMany(100);
  expect(desk.told).toEqual(['E_DISK_FULL']);
  expect(desk.queue.failing).toBe(1);
  expect(desk.queue.bytes).toBeGreaterThan(100 * message(t).length);
  // backoff
  expect(desk.thread.retries).toEqual([500]);
  await desk.thread.retry();
  expect(desk.thread.retries).toEqual([1000]);
  full.mockRestore();
  await desk.thread.retry();
  expect(desk.told).toEqual(['E_DISK_FULL', 'resumed']);
  expect(desk.queue).toMatchObject({ failing: 0, bytes: 0 });
  await sendMany(10);
  expect(tape.settle()).toBeNull();
  expect(await tape.seal()).toBe(0);
  expect(await timesIn(out)).toEqual(Array.from({ length: 240 }, (_, i) => T0 + (i + 1) * 1000));
  const segments = await listSegments([out]);
  expect(segments.map(({ sealed }) => sealed)).toEqual([true, true]);
});

test('a recording that ends while the disk is full keeps what stands, and counts the rest', async () => {
  const out = temporaryFolder();
  const desk = deskIn(out);
  const tape = desk.open();
  desk.thread.flow();
  for (let i = 1; i <= 50; i++) send(tape, T0 + i * 1000);
  tape.tick(T0 + 2e6);
  await turn();
  const full = vi.spyOn(fs, 'writeSync').mockImplementation(() => failing('EDQUOT'));
  for (let i = 51; i <= 90; i++) send(tape, T0 + 2e6 + i * 1000);
  tape.tick(T0 + 4e6);
  expect(await tape.seal()).toBe(40);
  full.mockRestore();
  await recoverFolder(join(out, 'binance-usdm', 'BTCUSDT'));
  expect(await timesIn(out)).toHaveLength(50);
});

test('a tape that fails alone takes half of the room, and the others go on', async () => {
  const out = temporaryFolder();
  const desk = deskIn(out, { bound: 20_000 });
  const one = desk.open('binance-usdm:A');
  const other = desk.open('binance-usdm:B');
  desk.thread.flow();
  const real = fs.writeSync;
  const inA = new Set<number>();
  const open = fs.openSync;
  vi.spyOn(fs, 'openSync').mockImplementation((path, flags, mode) => {
    if (String(path).includes('/A/') && flags === 'ax') failing('EROFS');
    return open(path, flags, mode);
  });
  vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, bytes: Buffer, offset: number) =>
    inA.has(fd) ? failing('EROFS') : real(fd, bytes, offset)) as typeof fs.writeSync);
  let dropped = 0;
  for (let i = 1; i <= 500; i++) {
    const t = T0 + i * 1e6;
    if (!send(one, t)) dropped++;
    expect(send(other, t)).toBe(true);
    one.tick(t);
    other.tick(t);
    await turn();
  }
  expect(desk.told).toEqual(['E_PERMISSION']);
  expect(dropped).toBeGreaterThan(100);
  expect(desk.queue.bytes).toBeLessThanOrEqual(10_000);
  expect(one.settle()).toBeNull();
  vi.restoreAllMocks();
  await desk.thread.retry();
  expect(one.settle()?.count).toBe(dropped);
  expect(await one.seal()).toBe(0);
  expect(await other.seal()).toBe(0);
  expect(await timesIn(join(out, 'binance-usdm', 'A'))).toHaveLength(500 - dropped);
  expect(await timesIn(join(out, 'binance-usdm', 'B'))).toHaveLength(500);
});

test('a folder that cannot be made, and one that another recorder has, refuse at the start', async () => {
  const out = temporaryFolder();
  const file = join(out, 'file');
  fs.writeFileSync(file, '');
  const desk = deskIn(file);
  const tape = desk.open();
  desk.thread.flow();
  await expect(tape.opened).rejects.toMatchObject({ code: 'E_IO' });
  expect(await tape.seal()).toBe(0);

  const first = deskIn(out).open();
  const second = deskIn(out);
  void first;
  const refused = second.open();
  second.thread.flow();
  // the first one's order was not even carried out: the folder is free
  await expect(refused.opened).resolves.toBeUndefined();
  const third = deskIn(out);
  const late = third.open();
  third.thread.flow();
  await expect(late.opened).rejects.toMatchObject({ code: 'E_EXISTS' });
  await refused.seal();
});

test('a thread that ends by itself is told, and nobody waits for it', async () => {
  const told: unknown[] = [];
  let fail: (error: unknown) => void = () => {};
  const queue = createTapeQueue({
    start(_, failed) {
      fail = failed;
      return { post() {}, close() {} };
    },
    ...{ now: () => 0, failed() {}, resumed() {}, full() {}, removed() {} },
    refused: (error) => void told.push(error),
  });
  const tape = queue.open({ out: temporaryFolder(), src: SRC, now: T0, opening });
  fail('gone');
  await expect(tape.opened).rejects.toMatchObject({ code: 'E_IO' });
  expect(await tape.seal()).toBe(0);
  expect(told).toEqual(['gone']);
});

/** What happens to a tape: lines that follow each other by so many µs, a flush, a rotation, a fault, an attempt. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ lines: fc.integer({ min: 1, max: 12 }), apart: fc.constantFrom(1, 2, 7, 1000) }),
  },
  { weight: 3, arbitrary: fc.constant('flush' as const) },
  { weight: 1, arbitrary: fc.constant('rotate' as const) },
  { weight: 3, arbitrary: fc.record({ failAfter: fc.integer({ min: 0, max: 6 }), part: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant('mend' as const) },
  { weight: 2, arbitrary: fc.constant('retry' as const) },
);

test('whatever fails and when: each message that was taken stands once, in order, or is counted as lost', async () => {
  let resumed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const out = fs.mkdtempSync(join(tmpdir(), 'tapedeck-tape-'));
      const desk = deskIn(out);
      const tape = desk.open();
      desk.thread.flow();
      await tape.opened;
      /** writes left until the disk fails */
      let left = Number.POSITIVE_INFINITY;
      let part = false;
      const real = fs.writeSync;
      const spy = vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, bytes: Buffer, offset?: number) => {
        if (left > 0) {
          left--;
          return real(fd, bytes, offset);
        }
        if (part && bytes.length - (offset ?? 0) > 40) {
          part = false;
          return real(fd, bytes, offset, 40);
        }
        return failing('ENOSPC');
      }) as typeof fs.writeSync);
      let t = T0 + 10;
      const taken: number[] = [];
      let marked = 0;
      for (const one of steps) {
        if (one === 'flush') t += 1e6;
        else if (one === 'mend') left = Number.POSITIVE_INFINITY;
        else if (one === 'retry') await desk.thread.retry();
        else if (one === 'rotate') {
          tape.rotate(t + 1);
          t = tape.last + 1;
        } else if ('failAfter' in one) {
          left = one.failAfter;
          part = one.part;
        } else
          for (let i = 0; i < one.lines; i++) {
            t += one.apart;
            if (send(tape, t)) taken.push(t);
          }
        tape.tick(t);
        await turn();
        marked += tape.settle()?.count ?? 0;
      }
      spy.mockRestore();
      const lost = await tape.seal();
      resumed += desk.told.filter((word) => word === 'resumed').length;
      const standing = await timesIn(out);
      const missing = taken.filter((time) => !standing.includes(time));
      expect(standing.filter((time) => !taken.includes(time))).toEqual([]);
      expect(missing.length).toBe(lost);
      // only lines that leave no room for a seal and a header behind what stands
      expect(lost).toBeLessThanOrEqual(desk.told.length * 6);
      expect(marked).toBeLessThanOrEqual(taken.length);
      fs.rmSync(out, { recursive: true });
    }),
    { numRuns: 50 },
  );
  expect(resumed).toBeGreaterThan(5);
});
