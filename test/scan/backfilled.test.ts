/** Trades that were read over REST later: no signal knows of them, whatever ids, prices and times they have. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entryLine } from '../../src/tape/line.js';
import { randomFrom, randomTape } from './random-tape.js';
import { MINUTE, SECOND, scanLines, type TestSettings } from './tape-builder.js';

const lively: TestSettings = {
  unit: MINUTE,
  baseline: MINUTE,
  htf: MINUTE,
  warmup: 20 * SECOND,
  detect: ['tape-imbalance', 'delta', 'block', 'sweep', 'absorption', 'book-imbalance'],
  set: [
    ...['tape-imbalance.quantile=0.3', 'tape-imbalance.hold=500ms', 'tape-imbalance.groups=5'],
    ...['delta.window=3s', 'delta.quantile=0.6', 'delta.share=0.1', 'delta.hold=500ms', 'delta.buckets=5'],
    ...['block.quantile=0.9', 'block.share=0.02', 'book-imbalance.window=2s', 'book-imbalance.on=0.3'],
    ...['sweep.quantile=0.5', 'sweep.single=3', 'sweep.burst=3', 'sweep.ticks=1', 'absorption.quantile=0.6'],
  ],
};

interface Answer {
  t: number;
  /** id of the newest live trade before it; 0 before any */
  id: number;
}

/** The lines with an answer behind some of them, its body made by `bodyOf`. */
function withAnswers(
  lines: readonly string[],
  src: string,
  seed: number,
  bodyOf: (answer: Answer) => unknown,
): string[] {
  const random = randomFrom(seed);
  let id = 0;
  return lines.flatMap((line, n) => {
    const t = Number(line.slice(5, 21)) + 1;
    id = Number(/"t":(\d+),"p"/.exec(line)?.[1] ?? id);
    const next = Number(lines[n + 1]?.slice(5, 21));
    if (n < 3 || !(t < next) || random() > 0.05) return [line];
    const fills = { stream: 'trade', first: id - 20, last: id + 20, gap: t - 1 };
    const http = { url: 'https://x/trades', status: 200, sent: t - 1, fills, body: bodyOf({ t, id }) };
    return [line, entryLine({ t, src, http }).trimEnd()];
  });
}

test('the signals are those of the same tape whose answers hold nothing', async () => {
  let told = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), fc.boolean(), async (seed, troubled) => {
      const tape = randomTape({ seed, minutes: 3, troubled });
      const trades = withAnswers(tape.lines, tape.src, seed, ({ t, id }) =>
        Array.from({ length: 30 }, (_, n) => {
          const price = n % 2 === 0 ? '1000.0' : '999.0';
          return { id: id - 15 + n, price, qty: '500', time: Math.floor(t / 1000), isBuyerMaker: n % 3 === 0 };
        }),
      );
      const nothing = withAnswers(tape.lines, tape.src, seed, () => []);
      expect(trades.length).toBeGreaterThan(tape.lines.length);
      const [one, other] = [await scanLines(trades, lively), await scanLines(nothing, lively)];
      expect(one.lines).toEqual(other.lines);
      expect(one.sums).toEqual(other.sums);
      told += one.signals.length;
    }),
    { numRuns: 6 },
  );
  expect(told).toBeGreaterThan(10);
});
