/** `tapedeck view`, as users run it: time and sales, the ladder and footprints, as text and as JSON. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { MINUTE, SECOND, START, TapeBuilder } from '../scan/tape-builder.js';

const folder = mkdtempSync(join(tmpdir(), 'tapedeck-view-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Three trades in the first minute, one in the second, and a book of two levels a side. */
function written(): string {
  const tape = new TapeBuilder().snapshot(
    [
      [1000, 5],
      [999, 20],
    ],
    [
      [1001, 10],
      [1002, 1],
    ],
  );
  tape.wait(SECOND).trade(1, 1001, 3).wait(SECOND).trade(-1, 1000, 7).trade(1, 1001, 2);
  tape.trade(1, 1001, 50, { kind: 'INSURANCE_FUND' });
  tape.t = START + MINUTE + 5 * SECOND;
  tape.trade(-1, 999, 4).depth([[1000, 0]], []);
  const path = join(folder, 'tape.ndjson');
  writeFileSync(path, `${tape.lines.join('\n')}\n`);
  return path;
}

const path = written();
const program = new URL('../../bin/tapedeck.js', import.meta.url).pathname;
const view = (...words: string[]) =>
  spawnSync(process.execPath, [program, 'view', ...words], { encoding: 'utf8', env: { NO_COLOR: '1' } });
const rows = (stdout: string): Record<string, unknown>[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('what is broken in the tape of one market is missing of no other', () => {
  const lines = (symbol: string): string[] => {
    const tape = new TapeBuilder({ symbol });
    for (let n = 0; n < 20; n++) tape.wait(SECOND).trade(1, 1001, 1 + n);
    return tape.lines;
  };
  const write = (name: string, all: readonly string[]): string => {
    writeFileSync(join(folder, name), `${all.join('\n')}\n`);
    return join(folder, name);
  };
  const whole = write('whole.ndjson', lines('BTCUSDT'));
  const broken = write(
    'broken.ndjson',
    lines('ETHUSDT').map((line, n) => (n === 9 ? line.slice(5) : line)),
  );
  const { stdout, stderr, status } = view('trades', whole, broken, '--format', 'json');
  expect([status, stderr.startsWith('E_LINE')]).toEqual([1, true]);
  const missing = rows(stdout).filter((row) => row.missing !== undefined);
  expect(new Set(missing.map(({ symbol }) => symbol))).toEqual(new Set(['ETHUSDT']));
});

test('the tape of messages that are of no symbol is no market: no ladder, and no detector is said not to run', () => {
  const shared = join(folder, 'shared.ndjson');
  writeFileSync(shared, `${new TapeBuilder({ symbol: '_venue' }).wait(SECOND).lines.join('\n')}\n`);
  const { stdout, status } = view('book', path, shared, '--format', 'json');
  expect(rows(stdout).map(({ symbol }) => symbol)).toEqual(['BTCUSDT']);
  const scanned = spawnSync(process.execPath, [program, 'scan', shared], { encoding: 'utf8' });
  expect([status, scanned.status, scanned.stdout, scanned.stderr]).toEqual([0, 0, '', '']);
});

describe('trades', () => {
  test('every print of the flow, with its value and the running delta', () => {
    const { stdout, status } = view('trades', path, '--format', 'json');
    expect(status).toBe(0);
    expect(rows(stdout).map(({ side, price, size, notional, delta }) => [side, price, size, notional, delta])).toEqual([
      ['buy', 100.1, 3, 300.3, 3],
      ['sell', 100, 7, 700, -4],
      ['buy', 100.1, 2, 200.2, -2],
      ['sell', 99.9, 4, 399.6, -6],
    ]);
    expect(rows(stdout)[0]).toMatchObject({
      time: '2023-11-14T22:14:01.000003Z',
      venue: 'binance-usdm',
      symbol: 'BTCUSDT',
    });
  });

  test('of one side, of a least value, and from a time on; the delta counts what is shown or not', () => {
    const sold = view('trades', path, '--format', 'json', '--side', 'sell', '--min-notional', '500');
    expect(rows(sold.stdout).map(({ size, delta }) => [size, delta])).toEqual([[7, -4]]);
    const late = view('trades', path, '--format', 'json', '--from', '+1m');
    expect(rows(late.stdout).map(({ size, delta }) => [size, delta])).toEqual([[4, -4]]);
    const early = view('trades', path, '--format', 'json', '--to', '+2s');
    expect(rows(early.stdout)).toHaveLength(1);
  });

  test('text has a line each, none longer than a terminal where it is one', () => {
    const { stdout } = view('trades', path);
    expect(stdout.split('\n')[0]).toBe(
      '2023-11-14T22:14:01.000Z buy       100.1          3       300.30            3 binance-usdm:BTCUSDT',
    );
  });
});

describe('book', () => {
  test('the ladder as it stands at the end, or before a time', () => {
    const { stdout } = view('book', path, '--format', 'json');
    expect(rows(stdout)).toMatchObject([
      {
        state: 'valid',
        bids: [[99.9, 20]],
        asks: [
          [100.1, 10],
          [100.2, 1],
        ],
      },
    ]);
    const before = view('book', path, '--format', 'json', '--to', '+1m', '--levels', '1');
    expect(rows(before.stdout)).toMatchObject([{ bids: [[100, 5]], asks: [[100.1, 10]] }]);
  });

  test('the end of a range is what the last entry before it left, whatever recorder goes on behind', () => {
    const levels = (recorder: string, start: number): TapeBuilder =>
      new TapeBuilder({ recorder, start }).snapshot([[1000, 5]], [[1001, 10]]).depth([[999, 1]], []);
    const write = (name: string, { lines }: TapeBuilder): string => {
      writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
      return join(folder, name);
    };
    const first = write('first-run.ndjson', levels('a', START));
    const second = write('second-run.ndjson', levels('b', START + MINUTE));
    const at = (to: string, ...paths: string[]): string =>
      view('book', ...paths, '--to', to, '--format', 'json').stdout;
    expect(rows(at('+59s', first))).toMatchObject([{ state: 'valid', asks: [[100.1, 10]] }]);
    expect(at('+59s', first, second)).toBe(at('+59s', first));
    expect(at('+60s', first, second)).toBe(at('+59s', first));
    // the header stands there, and no book yet
    expect(rows(at('2023-11-14T22:15:00.000001Z', first, second))).toMatchObject([{ state: 'syncing' }]);
  });

  test('as text: asks above, bids below, bars by size', () => {
    const { stdout } = view('book', path);
    const bar = (length: number): string => '█'.repeat(length);
    expect(stdout).toBe(
      [
        'binance-usdm:BTCUSDT  2023-11-14T22:15:05.000001Z  book valid',
        `100.2      1  ${bar(1)}`,
        `100.1     10  ${bar(12)}`,
        'spread 0.2 (20.000 bps)',
        ` 99.9     20  ${bar(24)}`,
        '',
      ].join('\n'),
    );
  });

  test('a book that is not known is not shown', () => {
    const lost = join(folder, 'lost.ndjson');
    const tape = new TapeBuilder().snapshot([[1000, 5]], [[1001, 5]]).depth([], [], { lost: 3 });
    writeFileSync(lost, `${tape.lines.join('\n')}\n`);
    const { stdout } = view('book', lost, '--format', 'json');
    expect(rows(stdout)).toMatchObject([{ state: 'syncing', bids: [], asks: [] }]);
    expect(view('book', lost).stdout).toContain('no levels');
  });
});

describe('footprint', () => {
  test('a bar a minute, the last one as far as it got', () => {
    const { stdout } = view('footprint', path, '--format', 'json');
    expect(rows(stdout)).toMatchObject([
      {
        ...{ start: '2023-11-14T22:14:00.000000Z', provisional: false, volume: 12, delta: -2, trades: 3, poc: 100 },
        bins: [
          { price: 100.1, buy: 5, sell: 0 },
          { price: 100, buy: 0, sell: 7 },
        ],
      },
      { provisional: true, volume: 4, delta: -4, bins: [{ price: 99.9, buy: 0, sell: 4 }] },
    ]);
  });

  test('as text: sold on the left, bought on the right', () => {
    const { stdout } = view('footprint', path, '--bar', '1h');
    expect(stdout).toContain('delta -6  volume 16  trades 4');
    expect(stdout).toContain('\n100.1     0 x 5\n');
    expect(stdout).toContain('\n  100     7 x 0     poc\n');
  });
});

test('another view, or none, is refused with those there are', () => {
  const { status, stderr } = view('depth', path);
  expect(status).toBe(2);
  expect(stderr).toContain('trades, book, footprint');
});

test('options of another view are refused, not passed over', () => {
  const { status, stderr } = view('book', path, '--min-notional', '5');
  expect(status).toBe(2);
  expect(stderr).toContain('view book: --min-notional is for view trades');
  expect(view('trades', path, '--bar', '5m').stderr).toContain('--bar is for view footprint');
});

test('what a header says is only to warm up is not shown', () => {
  const late = join(folder, 'late.ndjson');
  const tape = new TapeBuilder().snapshot([[1000, 5]], [[1001, 5]]);
  tape.trade(1, 1001, 1).wait(MINUTE).trade(-1, 1000, 2);
  const [header, ...rest] = tape.lines;
  const { tape: facts, ...place } = JSON.parse(header) as { tape: object };
  const from = START + SECOND;
  writeFileSync(late, `${[JSON.stringify({ ...place, tape: { ...facts, from } }), ...rest].join('\n')}\n`);
  expect(rows(view('trades', late, '--format', 'json').stdout).map(({ size }) => size)).toEqual([2]);
  expect(rows(view('footprint', late, '--format', 'json', '--bar', '1s').stdout).map(({ volume }) => volume)).toEqual([
    2,
  ]);
});

test('a bar that the range ends with is complete where the tape goes on', () => {
  const bars = (...range: string[]) => rows(view('footprint', path, '--format', 'json', ...range).stdout);
  expect(bars('--to', '+1m').map(({ provisional }) => provisional)).toEqual([false]);
  expect(bars('--to', '+59s').map(({ provisional }) => provisional)).toEqual([true]);
  expect(bars('--to', '+2m').map(({ provisional }) => provisional)).toEqual([false, true]);
});

test('lost trades are said where they are missing', () => {
  const gap = join(folder, 'gap.ndjson');
  const tape = new TapeBuilder().trade(1, 1001, 1).trade(1, 1001, 2, { lost: 3 });
  writeFileSync(gap, `${tape.lines.join('\n')}\n`);
  expect(rows(view('trades', gap, '--format', 'json').stdout).map(({ size, missing }) => size ?? missing)).toEqual([
    1,
    'trades',
    2,
  ]);
  expect(view('trades', gap).stdout.split('\n')[1]).toBe(
    '2023-11-14T22:14:00.000Z trades are missing here: binance-usdm:BTCUSDT',
  );
});

describe('a recorder that starts again', () => {
  /** Two trades of one run, then two of the next, whose first one follows them but for so many. */
  const restarted = (missing: number, { told = false, symbol = 'BTCUSDT' } = {}): [string, string] => {
    const before = new TapeBuilder({ symbol, recorder: 'a' }).trade(1, 1001, 1).trade(1, 1001, 2);
    const after = new TapeBuilder({ symbol, recorder: 'b', start: START + MINUTE });
    if (told) after.entry({ gap: { stream: '*', from: before.t, reason: 'restart' } });
    after.wait(SECOND).trade(-1, 1000, 3, { lost: 2 + missing });
    after.wait(SECOND).trade(-1, 1000, 4);
    return [before, after].map(({ lines }, n) => {
      const path = join(folder, `${symbol}-${missing}-${told}-${n}.ndjson`);
      writeFileSync(path, `${lines.join('\n')}\n`);
      return path;
    }) as [string, string];
  };
  const outline = (stdout: string) =>
    rows(stdout).map(({ time, size, missing }) => `${String(time).slice(14, 19)} ${size ?? missing}`);
  const prints = ['14:00 1', '14:00 2', '15:01 3', '15:02 4'];
  const withGap = [...prints.slice(0, 2), '15:01 trades', ...prints.slice(2)];

  test.each([false, true])('trades that are missing are said once, where they are missing (told: %s)', (told) => {
    expect(outline(view('trades', ...restarted(5, { told }), '--format', 'json').stdout)).toEqual(withGap);
  });

  test.each([false, true])('where ids go on none is missing (told: %s)', (told) => {
    expect(outline(view('trades', ...restarted(0, { told }), '--format', 'json').stdout)).toEqual(prints);
  });

  test('what is said is in order of time, of another market too', () => {
    const other = new TapeBuilder({ symbol: 'ETHUSDT', start: START + 30 * SECOND }).trade(1, 1001, 9);
    const path = join(folder, 'other.ndjson');
    writeFileSync(path, `${other.lines.join('\n')}\n`);
    const { stdout } = view('trades', ...restarted(5), path, '--format', 'json');
    expect(outline(stdout)).toEqual([...withGap.slice(0, 2), '14:30 9', ...withGap.slice(2)]);
  });
});

describe('two recorders of one market', () => {
  const recorded = (recorder: string, start: number): string => {
    const path = join(folder, `${recorder}-${start}.ndjson`);
    const tape = new TapeBuilder({ recorder, start }).wait(SECOND).trade(1, 1001, 1).wait(SECOND).trade(1, 1001, 2);
    writeFileSync(path, `${tape.lines.join('\n')}\n`);
    return path;
  };

  test.each([
    ['view', ['trades']],
    ['view', ['footprint']],
    ['scan', []],
  ])('that ran at the same time are told: %s %j', (command, words) => {
    const tapes = [recorded('a', START), recorded('b', START + 300)];
    const { stderr, status } = spawnSync(process.execPath, [program, command, ...words, ...tapes], {
      encoding: 'utf8',
    });
    expect([status, stderr.split('\n').filter((line) => line.includes('recorder'))]).toEqual([
      0,
      [
        'binance-usdm:BTCUSDT: recorders a and b ran at the same time: what both received counts twice where no ids tell; merge makes one tape of them',
      ],
    ]);
  });

  test('that ran one after the other are not', () => {
    expect(view('trades', recorded('a', START), recorded('b', START + MINUTE)).stderr).toBe('');
  });
});

test('a loss is said where no trade follows it, and where the first that does is no order flow', () => {
  const write = (name: string, tape: TapeBuilder): string => {
    writeFileSync(join(folder, name), `${tape.lines.join('\n')}\n`);
    return join(folder, name);
  };
  const outline = (path: string) =>
    rows(view('trades', path, '--format', 'json').stdout).map(({ size, missing }) => size ?? missing);
  const closed = new TapeBuilder().trade(1, 1001, 1);
  expect(outline(write('closed.ndjson', closed.entry({ conn: 'test.1', close: { code: 1006, reason: '' } })))).toEqual([
    1,
    'trades',
  ]);
  const fund = new TapeBuilder().trade(1, 1001, 1).trade(1, 1001, 50, { kind: 'INSURANCE_FUND', lost: 3 });
  expect(outline(write('fund.ndjson', fund.trade(1, 1001, 2)))).toEqual([1, 'trades', 2]);
  // of no trade before it is it known which one follows
  const first = new TapeBuilder().entry({ gap: { stream: 'trade', from: START, reason: 'restart' } });
  expect(outline(write('first.ndjson', first.trade(1, 1001, 2)))).toEqual(['trades', 2]);
});

test('a src of which nothing was recorded has no time', () => {
  const empty = join(folder, 'empty.ndjson');
  writeFileSync(empty, `${new TapeBuilder().lines[0]}\n`);
  expect(rows(view('book', empty, '--format', 'json').stdout)).toMatchObject([{ time: null, state: 'empty' }]);
});
