/** Scanning flows: ranges, damage, missing headers, other recorders, checksums. */
import { describe, expect, test } from 'vitest';
import type { Damage, LineFlow } from '../../src/model/batch.js';
import { formatTime } from '../../src/model/time.js';
import { signalText, sumsText } from '../../src/scan/text.js';
import { detectors, parseSetting } from '../../src/signals/registry.js';
import { randomTape } from './random-tape.js';
import { flowOf, ladder, MINUTE, SECOND, START, scanFlows, scanLines, summary, TapeBuilder } from './tape-builder.js';

const detect = ['book-imbalance'];

/** A book that leans for some seconds. */
function leaning(tape = new TapeBuilder(), seconds = 20): TapeBuilder {
  tape.snapshot(...ladder(1000, 10, 1));
  for (let i = 0; i < seconds * 10; i++) tape.wait(100_000).clock();
  return tape;
}

describe('units', () => {
  test('an event ends one microsecond before the unit, printed with the first entry after it', async () => {
    const tape = leaning(new TapeBuilder(), 70);
    const scanned = await scanLines(tape.lines, { detect, unit: MINUTE });
    expect(summary(scanned)).toEqual([
      '6.0 book-imbalance onset buy',
      '60.0 book-imbalance end buy hour',
      '61.0 book-imbalance onset buy',
      '70.0 book-imbalance end buy eof',
    ]);
    expect(scanned.signals[1].time).toBe(formatTime(START + MINUTE - 1));
    const cut = tape.lines.filter((line) => Number(line.slice(5, 21)) < START + MINUTE);
    expect((await scanLines(cut, { detect, unit: MINUTE })).signals.map(({ reason }) => reason)).toEqual([
      undefined,
      'eof',
    ]);
  });

  test('a silence of hours ends an event at the end of its own unit', async () => {
    const tape = leaning()
      .wait(3 * 60 * MINUTE)
      .clock();
    const { signals } = await scanLines(tape.lines, { detect, unit: 60 * MINUTE });
    expect(signals[1].time).toBe('2023-11-14T22:59:59.999999Z');
  });
});

describe('ranges', () => {
  test('from and to print what the whole prints for that time, and to ends nothing', async () => {
    const { lines } = leaning(new TapeBuilder(), 130);
    const whole = await scanLines(lines, { detect, unit: MINUTE });
    const [from, to] = [START + 30 * SECOND, START + 90 * SECOND];
    const part = await scanLines(lines, { detect, unit: MINUTE, from, to });
    expect(part.lines).toEqual(
      whole.lines.filter((line) => line.slice(9, 36) >= formatTime(from) && line.slice(9, 36) < formatTime(to)),
    );
    expect(part.signals.map(({ reason, phase }) => reason ?? phase)).toEqual(['hour', 'onset']);
  });

  test('a header with "from" keeps what lies before it silent', async () => {
    const { lines } = leaning(new TapeBuilder(), 130);
    const header = JSON.parse(lines[0]) as { tape: object };
    const from = START + 30 * SECOND;
    const sliced = [JSON.stringify({ ...header, tape: { ...header.tape, from } }), ...lines.slice(1)];
    expect((await scanLines(sliced, { detect, unit: MINUTE })).signals[0]).toMatchObject({
      phase: 'end',
      reason: 'hour',
    });
  });
});

describe('losses', () => {
  test('damage is told, ends what is open, and the scan goes on behind it', async () => {
    const { lines } = leaning();
    const damage: Damage = {
      damage: { code: 'E_FRAME_CORRUPT', file: 'f', frame: 3, line: 9, bytes: 7, message: 'checksum' },
    };
    async function* broken(): LineFlow {
      yield* flowOf(lines);
      yield damage;
      yield* flowOf(leaning(new TapeBuilder({ start: START + 60 * SECOND })).lines.slice(1));
    }
    const scanned = await scanFlows([broken()], { detect });
    expect(scanned.damage).toEqual(['checksum']);
    expect(scanned.signals.map(({ reason, phase }) => reason ?? phase)).toEqual(['onset', 'gap', 'onset', 'eof']);
  });

  test('a line that is no entry is damage too', async () => {
    const { lines } = leaning();
    const scanned = await scanLines([...lines, '{"t":12', ''], { detect });
    expect(scanned.damage).toHaveLength(1);
    expect(scanned.signals.at(-1)?.reason).toBe('gap');
  });

  test('another recorder run is a gap; a new segment of the same run is none', async () => {
    const { lines } = leaning();
    const again = (recorder: string): string[] =>
      leaning(new TapeBuilder({ start: START + 30 * SECOND, recorder })).lines;
    const same = await scanLines(
      [...lines, again('test')[0], ...new TapeBuilder({ start: START + 31 * SECOND }).clock().lines.slice(1)],
      { detect },
    );
    expect(same.signals.map(({ reason, phase }) => reason ?? phase)).toEqual(['onset', 'eof']);
    const other = await scanLines([...lines, ...again('other')], { detect });
    expect(other.signals.map(({ reason, phase }) => reason ?? phase)).toEqual(['onset', 'gap', 'onset', 'eof']);
    expect(other.signals.map(({ evidence }) => evidence.recorder)).toEqual(['test', 'test', 'other', 'other']);
  });

  test('a changed tick starts all state anew', async () => {
    const { lines } = leaning();
    const finer = { tick: '0.01', start: START + 30 * SECOND, price: (ticks: number): string => `${ticks}.01` };
    const scanned = await scanLines([...lines, ...leaning(new TapeBuilder(finer)).lines], { detect });
    expect(scanned.signals.map(({ reason, phase }) => reason ?? phase)).toEqual(['onset', 'gap', 'onset', 'eof']);
    expect(scanned.signals[2].price).toBe(1000.51);
    expect(scanned.sums[0].messages).toBe(2);
  });
});

describe('refusals', () => {
  const refused = (lines: string[]): Promise<string> =>
    scanLines(lines, { detect }).then(
      () => 'nothing refused',
      (error: { code: string; message: string }) => `${error.code} ${error.message}`,
    );

  test('messages without a header, an unknown version, an unknown venue', async () => {
    const { lines } = new TapeBuilder().snapshot(...ladder(1000, 1, 1));
    expect(await refused(lines.slice(1))).toContain('E_HEADER while scanning: a message of binance-usdm:BTCUSDT');
    expect(await refused([lines[0].replace('"version":1', '"version":9')])).toContain('E_VERSION');
    expect(await refused([lines[0].replace('"venue":"binance-usdm"', '"venue":"nyse"')])).toContain('E_VENUE');
  });

  test('messages after a damaged header are skipped and counted', async () => {
    const { lines } = leaning(new TapeBuilder(), 1);
    const scanned = await scanLines(['{broken', ...lines.slice(1)], { detect });
    expect(scanned.notes).toEqual(['binance-usdm:BTCUSDT: 1 messages were skipped: the tape header is lost']);
  });
});

test('a detector that the tape does not support says so once', async () => {
  const { lines } = leaning();
  const scanned = await scanLines([lines[0].replace('"trade",', ''), ...lines.slice(1)]);
  const byTrades = detectors.filter(({ needs }) => needs.includes('trades'));
  expect(scanned.notes).toEqual(
    byTrades.map(({ name }) => `binance-usdm:BTCUSDT: ${name} is unsupported: the tape holds no trade channel`),
  );
  expect(scanned.signals.length).toBeGreaterThan(0);
});

test('a market whose trades come only by a channel that is not the flow is noted; a single trade of the flow is enough', async () => {
  const merged = (count: number): TapeBuilder => {
    const tape = new TapeBuilder({ beside: ['aggTrade'] });
    for (let n = 1; n <= count; n++) {
      const ms = Math.floor(tape.t / 1000);
      const data = {
        e: 'aggTrade',
        E: ms,
        s: 'BTCUSDT',
        a: n,
        p: '100.0',
        q: '1',
        nq: '1',
        f: n,
        l: n,
        T: ms,
        m: true,
      };
      tape.wait(SECOND).entry({ conn: 'test.1', msg: { stream: 'btcusdt@aggTrade', data } });
    }
    return tape;
  };
  const notesOf = async ({ lines }: TapeBuilder): Promise<string[]> => (await scanLines(lines, { detect })).notes;
  expect(await notesOf(merged(9))).toEqual([]);
  expect(await notesOf(merged(10).trade(1, 1000, 1))).toEqual([]);
  expect(await notesOf(merged(10))).toEqual([
    'binance-usdm:BTCUSDT: no trades of trade, which counts as flow, although aggTrade shows some',
  ]);
});

test('a src with detectors of its own says what it says where all have them', async () => {
  const one = randomTape({ seed: 5, minutes: 3 }).lines;
  const other = randomTape({ seed: 6, minutes: 3, symbol: 'ETHUSDT' }).lines;
  const low = ['book-imbalance.on=0.3', 'book-imbalance.off=0.2'];
  const symbols = { 'binance-usdm:ETHUSDT': { detect: ['book-imbalance'], set: low.map(parseSetting) } };
  const given = { unit: MINUTE, detect: ['tape-imbalance'], set: ['tape-imbalance.quantile=0.3'] };
  const both = await scanFlows([flowOf(one), flowOf(other)], { ...given, symbols });
  const of = (symbol: string): string[] => both.lines.filter((line) => line.includes(`"${symbol}"`));
  expect(of('BTCUSDT')).toEqual((await scanLines(one, given)).lines);
  expect(of('ETHUSDT')).toEqual((await scanLines(other, { unit: MINUTE, detect, set: low })).lines);
  expect(of('BTCUSDT').length).toBeGreaterThan(0);
  expect(of('ETHUSDT').length).toBeGreaterThan(0);
});

describe('checksum', () => {
  test('counts and digest do not depend on detectors or batches, and change with any size', async () => {
    const { lines } = randomTape({ seed: 3, minutes: 2 });
    const none = (await scanLines(lines, { detect: ['none'] })).sums;
    expect((await scanLines(lines, {}, 7)).sums).toEqual(none);
    expect(none[0].messages).toBe(lines.filter((line) => line.includes('"msg"')).length);
    expect(none[0].trades).toBe(lines.filter((line) => line.includes('"e":"trade"')).length);
    const trade = lines.findIndex((line) => line.includes('"e":"trade"'));
    const changed = lines.with(
      trade,
      lines[trade].replace(/"q":"(\d+)"/, (_, size: string) => `"q":"${Number(size) + 1}"`),
    );
    const words = (await scanLines(changed, { detect: ['none'] })).sums[0].digest.split('-');
    const before = none[0].digest.split('-');
    // trades and the trade window differ; levels, touches and the top of the book do not
    expect(words.map((word, i) => word === before[i])).toEqual([false, true, true, true, false]);
  });

  test('known answer: polynomials modulo 2^32 of scaled integers', async () => {
    const tape = new TapeBuilder({ tick: '1', lot: '1', price: String }).snapshot([[10, 2]], [[11, 3]]);
    tape
      .trade(1, 11, 2)
      .trade(-1, 10, 1)
      .depth([[10, 5]], [[11, 4]]);
    // two spare decimals: price 11 is 1100, size 2 is 200
    const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    const trades = hex(((1100 * 31 + 200) * 31 + 1000) * 31 - 100);
    const levels = hex(((1000 * 31 + 500) * 31 + 1100) * 31 + 400);
    const top = hex(((200 * 31 + 300) * 31 + 500) * 31 + 400);
    const flow = hex(200 * 31 + 100);
    const [sums] = (await scanLines(tape.lines, { detect: ['none'] })).sums;
    expect(sums).toMatchObject({ messages: 4, trades: 2, depth: 2, levels: 2, touches: 0 });
    expect(sums.digest).toBe([trades, levels, '00000000', top, flow].join('-'));
    expect(sumsText(sums)).toContain('messages=4');
  });
});

test('text holds the facts of the JSON', async () => {
  const { signals } = await scanLines(leaning().lines, { detect });
  const text = signals.map(signalText);
  expect(text[1]).toMatch(
    /^2023-11-14T22:14:20\.\d{6}Z .*book-imbalance +end +buy +100\.05 +0\.818 .*binance-usdm:BTCUSDT .*reason=eof /,
  );
  for (const [name, value] of Object.entries(signals[0].evidence)) expect(text[0]).toContain(`${name}=${value}`);
});

test('and the context, where there is one', async () => {
  const tape = new TapeBuilder().mark('100.12345678', { funding: '-0.0001' });
  const { signals } = await scanLines(leaning(tape).lines, { detect });
  expect(signals[0].context).toMatchObject({ session: 'late', mark: 100.12345678, funding: -0.0001 });
  expect(signalText(signals[0])).toContain(' mark=100.12345678 funding=-0.0001 quality=');
});

test('a gap end and an onset that come with one entry stand in byte order', async () => {
  const given = {
    warmup: SECOND,
    set: [
      'tape-imbalance.basis=time',
      'tape-imbalance.window=2s',
      'tape-imbalance.quantile=0',
      'tape-imbalance.hold=0s',
      'book-imbalance.hold=0s',
      'book-imbalance.window=8s',
    ],
  };
  const tape = new TapeBuilder().snapshot(...ladder(1000, 10, 1));
  for (let i = 0; i < 79; i++) tape.wait(100_000).trade(1, 1001, 1);
  // the window of eight seconds is full with the entry that says trades were lost
  tape.wait(200_000).entry({ gap: { stream: 'trade', from: START, reason: 'silence' } });
  const { signals, lines } = await scanLines(tape.lines, { ...given, detect: ['tape-imbalance', 'book-imbalance'] });
  const said = signals.filter(({ phase }) => phase !== 'update');
  expect(said.slice(1, 3).map(({ signal, phase, reason }) => `${signal} ${reason ?? phase}`)).toEqual([
    'book-imbalance onset',
    'tape-imbalance gap',
  ]);
  expect(said[1].time).toBe(said[2].time);
  expect(lines).toEqual([...lines].sort());
});
