/** What info says of mark prices, funding, open interest and liquidations, and that tapes without them are not read for it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, test } from 'vitest';
import { type Beside, createBesideReader } from '../../src/audit/beside.js';
import { inspectTapes } from '../../src/audit/info.js';
import { openSegment } from '../../src/tape/reader.js';
import { missing, recorded, sourceOf, unless, usdm } from '../decode/recordings.js';
import { MINUTE, SECOND, START, TapeBuilder } from '../scan/tape-builder.js';
import { market, SRC, tapeLines, temporaryFolder, writeSegment } from './market-lines.js';

/** Lines of a market with all that is said beside it, whose header names these channels. */
function linesOf(channels: readonly string[], tape = new TapeBuilder()): string[] {
  tape.mark('100.12345678', { index: '100.2', funding: '0.0001', next: 1_700_006_400_000 });
  tape.wait(SECOND).mark('100.5', { index: '100.25' }).wait(SECOND).mark('100.25', { funding: '-0.00002754' });
  tape.liquidation(1, 1001, 3).liquidation(-1, 1000, 2).liquidation(-1, 1000, 5);
  tape.liquidation(1, 1000, 100, { state: 'NEW' }).trade(1, 1000, 7);
  return withChannels(tape, channels);
}

function withChannels({ lines }: TapeBuilder, channels: readonly string[]): string[] {
  return lines.map((line) => `${line.replace(/"channels":\[.*?\]/, `"channels":${JSON.stringify(channels)}`)}\n`);
}

const ALL = ['depth', 'trade', 'markPrice', 'forceOrder'];
const BTC = 'binance-usdm:BTCUSDT';
const WANTED: Beside = {
  mark: { count: 3, last: '100.25', t: START + 3 + 2 * SECOND },
  index: { count: 2, last: '100.25', t: START + 2 + SECOND },
  funding: { count: 2, last: '-0.00002754', t: START + 3 + 2 * SECOND },
  nextFunding: { count: 1, last: 1_700_006_400_000_000, t: START + 1 },
  liquidations: { buys: 1, buySize: '3', sells: 2, sellSize: '7' },
};

/** What is found in a tape; `-` is a pipe of these chunks. */
async function besideIn(path: string, chunks: readonly (readonly string[])[], src = BTC): Promise<Beside | undefined> {
  const beside = createBesideReader();
  await inspectTapes([path], Readable.from(chunks.map((lines) => Buffer.from(lines.join('')))), { beside });
  return beside.of(src);
}

async function besideOf(lines: readonly string[], src = BTC): Promise<Beside | undefined> {
  return await besideIn('-', [lines], src);
}

describe('what was said, how often and last, and what was liquidated', () => {
  it('is the same of a sealed segment, one that is not, and a pipe', async () => {
    const lines = linesOf(ALL);
    const [sealed, open] = ['a', 'b'].map((name) => join(temporaryFolder(), `${name}.ndjson.zst`));
    await writeSegment(sealed, lines, 3);
    await writeSegment(open, lines, 3, false);
    for (const path of [sealed, open, '-']) expect([path, await besideIn(path, [lines])]).toEqual([path, WANTED]);
  });

  it('goes on where the lot becomes finer or coarser: in a next segment, in one file, in a pipe', async () => {
    const fine = { start: START + MINUTE, recorder: 'later', lot: '0.0000001' };
    const later = new TapeBuilder({ ...fine, size: (size) => `0.000000${size}` });
    later.liquidation(-1, 1000, 1).liquidation(1, 1000, 2).mark('101');
    const first = linesOf(ALL);
    const next = withChannels(later, ALL);
    const wanted = {
      ...WANTED,
      mark: { count: 4, last: '101', t: START + MINUTE + 3 },
      liquidations: { buys: 2, buySize: '3.0000002', sells: 3, sellSize: '7.0000001' },
    };
    const folder = temporaryFolder();
    await writeSegment(join(folder, 'a.ndjson.zst'), first);
    await writeSegment(join(folder, 'b.ndjson.zst'), next);
    const plain = join(temporaryFolder(), 'both.ndjson');
    writeFileSync(plain, [...first, ...next].join(''));
    for (const path of [folder, plain]) expect([path, await besideIn(path, [])]).toEqual([path, wanted]);
    for (const [one, two] of [
      [first, next],
      [next, first],
    ]) {
      // both headers come in one read, or the second with the end of the first tape
      for (const cut of [0, 2]) {
        const chunks = [one.slice(0, cut), [...one.slice(cut), ...two]].filter(({ length }) => length > 0);
        expect((await besideIn('-', chunks))?.liquidations).toEqual(wanted.liquidations);
      }
    }
  });

  it('none is told from no channel: zeros only where liquidations would be', async () => {
    const quiet = new TapeBuilder().clock();
    expect(await besideOf(withChannels(quiet, ['depth', 'trade', 'markPrice']))).toEqual({});
    expect(await besideOf(withChannels(quiet, ['depth', 'trade', 'forceOrder']))).toEqual({
      liquidations: { buys: 0, buySize: '0', sells: 0, sellSize: '0' },
    });
    expect(await besideOf(linesOf(['depth', 'markPrice']))).toEqual({ ...WANTED, liquidations: undefined });
  });

  it('of each src of a pipe, whatever others are in it', async () => {
    const other = new TapeBuilder({ symbol: 'ETHUSDT' }).mark('7').lines.map((line) => `${line}\n`);
    const third = linesOf(['markPrice'], new TapeBuilder({ symbol: 'XRPUSDT' }));
    const lines = [...other.slice(0, 1), ...linesOf(ALL), ...other.slice(1), ...third];
    const beside = createBesideReader();
    await inspectTapes(['-'], Readable.from([Buffer.from(lines.join(''))]), { beside });
    expect(beside.of(BTC)).toEqual(WANTED);
    expect(beside.of('binance-usdm:ETHUSDT')).toBeUndefined();
    expect(beside.of('binance-usdm:XRPUSDT')?.mark?.count).toBe(3);
  });

  it('nothing of a market whose header is broken, or of spot, whose tickers say none of it', async () => {
    for (const [from, to] of [
      ['"venue":"binance-usdm"', '"venue":"elsewhere"'],
      ['"tick":"0.1"', '"tick":"x"'],
    ])
      expect(await besideOf(linesOf(ALL).map((line) => line.replace(from, to)))).toBeUndefined();
    const instrument = { symbol: 'BTCUSDT', kind: 'spot', tick: '0.1', lot: '0.001', multiplier: '1' };
    const tape = {
      version: 1,
      recorder: 'r',
      venue: 'bybit-spot',
      symbol: 'BTCUSDT',
      instrument,
      channels: ['ticker'],
    };
    const head = JSON.stringify({
      t: START,
      src: 'bybit-spot:BTCUSDT',
      tape: { ...tape, flow: 'trade', tool: 'test' },
    });
    expect(await besideOf([`${head}\n`], 'bybit-spot:BTCUSDT')).toBeUndefined();
  });
});

test('a sealed segment without such channels is not read', async () => {
  const path = join(temporaryFolder(), 'a.ndjson.zst');
  const lines = tapeLines(market(100));
  await writeSegment(path, lines);
  const bytes = readFileSync(path);
  const { frames } = openSegment(path).index();
  bytes.fill(0, frames[2].offset, frames[4].offset);
  writeFileSync(path, bytes);
  const taken: number[] = [];
  const reader = createBesideReader();
  const beside = { ...reader, take: () => void taken.push(1) };
  const { sources } = await inspectTapes([path], Readable.from([]), { beside });
  expect([sources[0].entries, taken, beside.of(SRC)]).toEqual([lines.length + 1, [], undefined]);
});

test.skipIf(missing)(`the USD-M session${unless}: every mark price, the last ones as JSON.parse has them`, async () => {
  const { text } = recorded(usdm);
  const src = sourceOf(usdm);
  const tape = { version: 1, recorder: 'r', venue: usdm.venue, symbol: 'BTCUSDT', instrument: usdm.instrument };
  const head = JSON.stringify({
    ...{ t: 1_680_000_000_000_000, src },
    tape: { ...tape, channels: ['depth', 'trade', 'markPrice'], flow: 'trade', tool: 'test' },
  });
  const said = text
    .toString('latin1')
    .split('\n')
    .filter((line) => line.includes('markPriceUpdate'))
    .map((line): { t: number; msg: { data: Record<'p' | 'i' | 'r', string> & { T: number } } } => JSON.parse(line));
  expect(said).toHaveLength(514);
  const { t, msg } = said[513];
  const plain = (decimal: string): string => String(Number(decimal));
  expect(await besideOf([`${head}\n`, text.toString('latin1')], src)).toEqual({
    mark: { count: 514, last: plain(msg.data.p), t },
    index: { count: 514, last: plain(msg.data.i), t },
    funding: { count: 514, last: plain(msg.data.r), t },
    nextFunding: { count: 514, last: msg.data.T * 1000, t },
  });
});
