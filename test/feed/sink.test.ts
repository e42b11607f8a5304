/** What counts as written: lines the system has, not lines that were accepted. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSourceSink, type MessageCounts } from '../../src/feed/sink.js';
import { entryLine, messageLine } from '../../src/tape/line.js';
import { createTapeWriter } from '../../src/tape/writer.js';

const START = 1_700_000_000_000_000;
const src = 'binance-usdm:X';
let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'tapedeck-sink-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(folder, { recursive: true, force: true });
});

const tape = {
  version: 1,
  recorder: 'k',
  venue: 'binance-usdm',
  symbol: 'X',
  instrument: { symbol: 'X', kind: 'linear' as const, tick: '1', lot: '1', multiplier: '1' },
  channels: [],
  flow: 'trade',
  tool: 'test',
};

test('when the disk fails, what never reached it is taken back from written and counted as dropped', async () => {
  const counts: MessageCounts = { received: 0, written: 0, dropped: 0, bytes: 0 };
  const faults: unknown[] = [];
  const sink = createSourceSink({
    openTape: (now, opening) => createTapeWriter({ out: folder, src, now, opening, flushMs: 1000 }),
    live: null,
    liveSource: { dropLine: () => Buffer.alloc(0) },
    counts,
    failed: (error) => void faults.push(error),
  });
  sink.start(START, (next) => {
    const t = next();
    return [{ t, line: entryLine({ t, src, tape }) }];
  });
  const send = (n: number): void => {
    const t = START + 1000 + n;
    sink.message(t, messageLine(t, src, 'k.1', Buffer.from(`{"n":${n}}`)));
  };
  for (let n = 0; n < 10; n++) send(n);
  sink.tick(START + 2_000_000);
  expect(counts).toMatchObject({ written: 10, dropped: 0 });
  for (let n = 10; n < 17; n++) send(n);
  expect(counts.written).toBe(17);
  vi.spyOn(fs, 'writeSync').mockImplementation(() => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  });
  sink.tick(START + 4_000_000);
  send(17);
  await sink.seal();
  expect(faults).toHaveLength(1);
  expect(counts).toMatchObject({ written: 10, dropped: 8 });
});
