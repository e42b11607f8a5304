/** Messages of several trades: detectors look only when the whole message was taken in. */
import { expect, test } from 'vitest';
import { SECOND, START, scanLines } from './tape-builder.js';

const SRC = 'bybit-linear:BTCUSDT';

interface Print {
  side: 'Buy' | 'Sell';
  size: number;
  block?: boolean;
}

/** A tape of one message of prints every 100 ms. */
function tapeOf(messages: readonly Print[][]): string[] {
  const instrument = { symbol: 'BTCUSDT', kind: 'linear', tick: '0.1', lot: '0.001', multiplier: '1' };
  const channels = ['depth', 'trade'];
  const tape = { version: 1, recorder: 'test', venue: 'bybit-linear', symbol: 'BTCUSDT', instrument, channels };
  const entry = (t: number, more: object): string => JSON.stringify({ t, src: SRC, ...more });
  return [
    entry(START, { tape: { ...tape, flow: 'trade', tool: 'test' } }),
    ...messages.map((prints, n) => {
      const t = START + (n + 1) * 100_000;
      const data = prints.map(({ side, size, block = false }) => {
        const T = Math.floor(t / 1000);
        return { T, s: 'BTCUSDT', S: side, v: String(size), p: '100.0', BT: block };
      });
      return entry(t, {
        conn: 'c.1',
        msg: { topic: 'publicTrade.BTCUSDT', type: 'snapshot', ts: Math.floor(t / 1000), data },
      });
    }),
  ];
}

const given = {
  warmup: SECOND,
  detect: ['tape-imbalance'],
  set: ['tape-imbalance.basis=time', 'tape-imbalance.quantile=0', 'tape-imbalance.hold=0s', 'tape-imbalance.window=2s'],
};
const even: Print[] = [
  { side: 'Buy', size: 1 },
  { side: 'Sell', size: 1 },
];
const quiet = Array.from({ length: 60 }, () => even);
/** Times and sides of what began. */
const onsets = async (messages: readonly Print[][]): Promise<string[]> =>
  (await scanLines(tapeOf(messages), given)).signals
    .filter(({ phase }) => phase === 'onset')
    .map(({ time, side }) => `${side} ${time}`);

test('what the last trade of a message takes back was never seen', async () => {
  const buys = Array.from({ length: 5 }, (): Print => ({ side: 'Buy', size: 100 }));
  const sells = Array.from({ length: 5 }, (): Print => ({ side: 'Sell', size: 100 }));
  expect(await onsets([...quiet, [...buys, ...sells], ...quiet])).toEqual([]);
  // the same trades in two messages lean for the time between them
  expect((await onsets([...quiet, buys, sells, ...quiet]))[0]).toMatch(/^buy /);
});

test('a message whose last print is no flow is looked at all the same, at its own time', async () => {
  const buys = Array.from({ length: 5 }, (): Print => ({ side: 'Buy', size: 100 }));
  const plain = await onsets([...quiet, buys]);
  expect(plain).toHaveLength(1);
  expect(await onsets([...quiet, [...buys, { side: 'Sell', size: 900, block: true }]])).toEqual(plain);
});
