/** The public API as another program would use it. */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import * as api from '../src/index.js';

const fixtures = new URL('../fixtures', import.meta.url).pathname;

test('a tape is opened, read and scanned with what the package exports', async () => {
  const tape = await api.openTape([join(fixtures, 'full')], Readable.from([]));
  expect(tape.groups).toHaveLength(2);
  let lines = 0;
  for (const flow of tape.flows()) for await (const item of flow) if (!('damage' in item)) lines += item.to - item.from;
  expect(lines).toBeGreaterThan(10_000);
  const settings = api.scanSettings({ warmup: 1_000_000 }, { checksum: true });
  const sums: string[] = [];
  const notes: string[] = [];
  const signals = api.scan(tape.flows(), {
    settings,
    damage: ({ message }) => void notes.push(message),
    note: (text) => void notes.push(text),
    sums: ({ src, messages }) => void sums.push(`${src} ${messages > 50}`),
  });
  for await (const batch of signals) for (const { signal } of batch) expect(signal.venue).toBe('binance-usdm');
  expect(sums.sort()).toEqual(['binance-usdm:BTCUSDT true', 'binance-usdm:ETHUSDT true']);
  // recorded without the channel of one detector's liquidations
  expect(notes.filter((note) => !note.includes('liquidation-cascade is unsupported'))).toEqual([]);
});

test('a scripted scenario is told as a tape, and its sweep is seen', async () => {
  const scenario = api.scenarios.find(({ name }) => name === 'S3') as api.Scenario;
  const { lines, seen } = api.tell(scenario, api.venueById('bybit-linear'));
  const tape = await api.openTape(['-'], Readable.from([Buffer.from(`${lines.join('\n')}\n`)]));
  const found: string[] = [];
  const settings = api.scanSettings({ detect: ['sweep'] }, { checksum: false });
  for await (const batch of api.scan(tape.flows(), { settings, damage: () => {}, note: () => {} }))
    for (const { signal } of batch)
      if (signal.phase !== 'update') found.push(`${signal.phase} ${signal.side} ${signal.evidence.swept_levels}`);
  const expected = seen.filter(({ signal }) => signal === 'sweep');
  expect(found).toEqual(expected.map(({ phase, side, facts }) => `${phase} ${side} ${facts?.swept_levels}`));
  expect(found).toEqual(['point buy 3']);
});

test('a wrong path is an error with a code', async () => {
  await expect(api.openTape([join(fixtures, 'nowhere')], Readable.from([]))).rejects.toMatchObject({
    code: 'E_NOT_FOUND',
  });
});
