/** `tapedeck view`: trades, book or footprint of a tape, or of a live pipe, for eyes. */
import { ASK, BID } from '../market/book.js';
import { Effect } from '../market/effect.js';
import type { Follower } from '../market/follower.js';
import { footprintOf } from '../market/footprint.js';
import type { FootprintBar } from '../market/footprint-bar.js';
import { rounded } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { unitValue } from '../model/instrument.js';
import { formatTime } from '../model/time.js';
import { createPaint, type Paint } from '../output/colour.js';
import { describeDamage } from '../output/damage.js';
import { createDataWriter } from '../output/stdio.js';
import { barText, bookText, missingText, type TradeRoom, tradeText, tradeTitles } from '../output/views.js';
import { TradeGap } from '../scan/trade-gap.js';
import { isInRange, type Seen, watch } from '../scan/watch.js';
import { interleave } from '../tape/interleave.js';
import { Stop } from '../tape/stop.js';
import { openTape } from '../tape/tape.js';
import {
  type CommandIo,
  defineCommand,
  duration,
  formatOption,
  fromOption,
  noteTerminal,
  noteTo,
  positiveNumber,
  tapesPositional,
  toOption,
  wholeNumber,
} from './command.js';

const VIEWS = ['trades', 'book', 'footprint'] as const;
/** Options that only one of them knows. */
const OWNERS = { side: 'trades', minNotional: 'trades', levels: 'book', bar: 'footprint', bps: 'footprint' } as const;
/** With title and spread, a ladder of so many levels a side fits a terminal of 24 rows. */
const LEVELS = 10;
const BAR: Micros = 60_000_000;
const BIN_BPS = 1;
/** Pictures a second on a terminal, at most. */
const REDRAW_EVERY: Micros = 100_000;
/** Cursor to the top left, and what stands below it away. */
const HOME = '\x1b[H\x1b[J';

export default defineCommand({
  name: 'view',
  describe: 'Show trades, book or footprint of a tape or a live stream',
  positionals: {
    view: {
      describe: 'trades: time and sales; book: the ladder; footprint: who traded at which price',
      required: true,
      choices: VIEWS,
    },
    tape: tapesPositional,
  },
  options: {
    format: formatOption,
    from: fromOption,
    to: toOption,
    side: { value: 'SIDE', describe: 'trades: of these aggressors only', choices: ['buy', 'sell'] },
    'min-notional': { value: 'N', describe: 'trades: of at least this value in quote units', parse: positiveNumber },
    levels: { value: 'N', describe: 'book: levels of each side (10), 1000 at most', parse: wholeNumber(1, 1000) },
    bar: {
      value: 'DURATION',
      describe: 'footprint: length of a bar (1m); bars begin at whole multiples of it, UTC',
      parse: duration,
    },
    bps: {
      value: 'N',
      describe: 'footprint: a bin is at least so many bps wide (1), and a tick',
      parse: positiveNumber,
    },
  },
  examples: [
    ['tapedeck view trades tapes/ --min-notional 100000', 'the large prints'],
    ['tapedeck record binance-usdm:BTCUSDT --stdout | tapedeck view book -', 'a ladder that moves'],
    [
      "tapedeck view book tapes/ --to +90s --format json | jq '.bids[0]'",
      'the best bid as it was a minute and a half in',
    ],
    ['tapedeck view footprint tapes/ --bar 5m', 'five minutes to a bar'],
  ],
  details: `
Several markets are shown as one, in order of time. Tapes of one market by two recorders that ran at the same time are read one behind
the other, which is told: make one of them with tapedeck-merge(1). Prints that are no order flow (insurance fund, RPI, blocks) are left out, as detectors do.

trades prints a line for each print; DELTA sums what aggressors bought minus what they sold since the view began, all prints counted. Where
trades are missing between two prints a line says so; where a recorder or a connection begins anew and trade ids go on, none is missing.

book prints the ladder once, as it stands at the end (or before --to); interrupted before that, or where no entry of a market lies in the range, it prints none. Read from a pipe onto a terminal it is drawn anew up to ten times a second.

footprint prints each bar once it is complete, and the last one as far as it got, marked. A bar that was under way when reading began, or in
which trades are missing, is marked too.

Interrupted (Ctrl-C, SIGTERM) while it reads files, a view says on stderr how far it came, and the exit status is 2. A pipe that is interrupted has
ended.

With --format json each is an object. A trade has time, venue, symbol, side (of the aggressor), price, size, notional and delta; where trades were lost
there is one before the next trade, or at the end, with time, venue, symbol and "missing": "trades". A book has time (null before its first entry), venue, symbol, state, bids and asks, as [price, size], best
first. A bar has start, venue, symbol, whole (no trades missing), provisional (not complete), trades, delta, volume, poc (lowest price of the bin
with most volume) and bins, highest first, each with price (its lowest), buy and sell (sizes of buying and selling aggressors).
`,
  async handler({ view, tape: paths, format, from, to, ...wishes }, io) {
    checkWishes(view, wishes);
    const { side, minNotional, levels = LEVELS, bar = BAR, bps = BIN_BPS } = wishes;
    noteTerminal(paths, io);
    const tape = await openTape(paths, io.stdin, noteTo(io));
    const range = await tape.range(from, to);
    const live = paths.includes('-');
    const out = createDataWriter(io.stdout, { live });
    const screen: Screen = {
      ...{ json: format === 'json', paint: createPaint(io.colour), io, rows: [] },
    };
    const shown =
      view === 'trades'
        ? showTrades(screen, { side, minNotional })
        : view === 'book'
          ? showBooks(screen, { levels, drawn: live && io.stdoutIsTty && format === 'text' && io.env.TERM !== 'dumb' })
          : showFootprints(screen, { bar, bps, to: range.to });
    let damaged = 0;
    // the entry behind the range is read: what ends with the range is known to be complete by it
    const reading = range.from === undefined ? {} : { from: range.from };
    const stop = new Stop();
    const batches = watch(interleave(tape.flows(reading)), {
      ...range,
      open: (seen) => shown.open(seen),
      damage(damage) {
        damaged++;
        io.stderr.write(`${describeDamage(damage)}\n`);
      },
      note: noteTo(io),
      signal: io.signal,
      ...(tape.piped ? {} : { stopped: stop.at }),
    });
    const flush = async (): Promise<void> => {
      if (screen.rows.length === 0) return;
      const text = screen.rows.map((row) => `${row}\n`).join('');
      screen.rows.length = 0;
      await out.write(text);
    };
    for await (const _ of batches) {
      shown.batch?.();
      await flush();
    }
    shown.end?.(stop.reached !== null);
    await flush();
    await out.flush();
    stop.check('viewing');
    return damaged > 0 ? 1 : 0;
  },
});

/** @throws {TapedeckError} E_USAGE for an option of another view */
function checkWishes(view: (typeof VIEWS)[number], wishes: Partial<Record<keyof typeof OWNERS, unknown>>): void {
  for (const [key, owner] of Object.entries(OWNERS) as [keyof typeof OWNERS, string][])
    if (wishes[key] !== undefined && owner !== view)
      throw new TapedeckError(
        'E_USAGE',
        `view ${view}: --${key === 'minNotional' ? 'min-notional' : key} is for view ${owner}`,
      );
}

/** What all views write to. */
interface Screen {
  json: boolean;
  paint: Paint;
  io: CommandIo;
  rows: string[];
}

interface Shown {
  open(seen: Seen): Follower;
  /** a batch was read */
  batch?(): void;
  /** @param stopped it was interrupted before the end of the tape */
  end?(stopped: boolean): void;
}

/** Columns of a line of text: a terminal's width, as a wrapped line cannot be read at a glance; a pipe gets all of it. */
function columnsOf({ stdoutIsTty, columns }: CommandIo): number {
  return stdoutIsTty ? columns : Number.POSITIVE_INFINITY;
}

interface TradeWishes {
  side: 'buy' | 'sell' | undefined;
  minNotional: number | undefined;
}

function showTrades(screen: Screen, { side: wanted, minNotional = 0 }: TradeWishes): Shown {
  const { rows, json, paint, io } = screen;
  const gaps = new Map<string, { gap: TradeGap; seen: Seen }>();
  const roomOf = (): TradeRoom => ({ columns: columnsOf(io), several: gaps.size > 1 });
  let titles = '';
  const put = (text: string): void => {
    const now = json || !io.stdoutIsTty ? '' : tradeTitles(roomOf());
    // again where another market has made less room
    if (now !== titles) rows.push(now);
    titles = now;
    rows.push(text);
  };
  const putMissing = (t: Micros, { venue, symbol }: Seen): void => {
    const time = formatTime(t);
    if (json) put(JSON.stringify({ time, venue, symbol, missing: 'trades' }));
    else put(paint.dim(missingText({ time, venue, symbol }, columnsOf(io))));
  };
  return {
    open(seen) {
      const { venue, symbol, market } = seen;
      let delta = 0;
      const gap = gaps.get(`${venue}:${symbol}`)?.gap ?? new TradeGap();
      gap.restart();
      gaps.set(`${venue}:${symbol}`, { gap, seen });
      const proves = market.options.facts.tradeLossDetected;
      return {
        lose(effect) {
          if ((effect & Effect.tradeGap) !== 0) gap.lose(market.t);
        },
        trade(t, sign, scaledPrice, scaledSize) {
          const isBehindGap = gap.print(t, proves, market.track.counts.tradesMissing);
          if (t < seen.from) return;
          // with the time of the print, so that several markets stay in order of time
          if (isBehindGap) putMissing(t, seen);
          delta += sign * scaledSize;
          const [price, size] = [market.price(scaledPrice), market.size(scaledSize)];
          const side = sign > 0 ? 'buy' : 'sell';
          const notional = rounded(size * unitValue(market.track.instrument, price));
          if ((wanted !== undefined && side !== wanted) || notional < minNotional) return;
          const row = {
            time: formatTime(t),
            venue,
            symbol,
            side,
            price,
            size,
            notional,
            delta: market.size(delta),
          } as const;
          put(json ? JSON.stringify(row) : tradeText(row, paint, roomOf()));
        },
      };
    },
    end() {
      // what no print followed
      const open = [...gaps.values()].filter(({ gap, seen }) => gap.since >= seen.from);
      for (const { gap, seen } of open.sort((a, b) => a.gap.since - b.gap.since)) putMissing(gap.since, seen);
    },
  };
}

interface BookWishes {
  levels: number;
  /** again and again, onto a terminal */
  drawn: boolean;
}

function showBooks({ rows, json, paint, io }: Screen, { levels, drawn }: BookWishes): Shown {
  const seen = new Map<string, Seen>();
  let drawnAt = 0;
  const print = (): void => {
    for (const one of seen.values()) {
      // it may have ended before
      if (!isInRange(one)) continue;
      const { venue, symbol, market } = one;
      const { track } = market;
      const of = (side: typeof BID | typeof ASK): [number, number][] =>
        track.state === 'valid'
          ? track.book.levels(side, levels).map(([price, size]) => [market.price(price), market.size(size)])
          : [];
      const time = track.t === 0 ? null : formatTime(track.t);
      const view = { time, venue, symbol, state: track.state, bids: of(BID), asks: of(ASK) };
      if (json) rows.push(JSON.stringify(view));
      else rows.push(...bookText(view, paint));
    }
  };
  return {
    open(one) {
      seen.set(`${one.venue}:${one.symbol}`, one);
      return {};
    },
    batch() {
      const now = io.now();
      if (!drawn || now - drawnAt < REDRAW_EVERY) return;
      drawnAt = now;
      print();
      rows[0] = `${HOME}${rows[0] ?? ''}`;
    },
    end(stopped) {
      // the ladder was asked for as it stands at the end
      if (stopped) return;
      print();
      if (drawn) rows[0] = `${HOME}${rows[0] ?? ''}`;
    },
  };
}

interface FootprintWishes {
  bar: Micros;
  bps: number;
  /** the end of what is shown; undefined: that of the tape */
  to: Micros | undefined;
}

function showFootprints({ rows, json, paint, io }: Screen, { bar: span, bps, to }: FootprintWishes): Shown {
  /** by src: says the bar under way */
  const running = new Map<string, () => void>();
  const print = ({ venue, symbol, market, from }: Seen, bar: FootprintBar): void => {
    if (bar.start + span <= from) return;
    const bins = Array.from({ length: bar.bins }, (_, i) => ({
      price: market.price(bar.priceAt(i)),
      buy: market.size(bar.buyAt(i)),
      sell: market.size(bar.sellAt(i)),
    })).reverse();
    const { whole, provisional, trades } = bar;
    const view = {
      ...{ start: formatTime(bar.start), venue, symbol, whole, provisional, trades },
      ...{
        delta: market.size(bar.delta),
        volume: market.size(bar.volume),
        poc: market.price(bar.priceAt(bar.poc)),
        bins,
      },
    };
    if (json) rows.push(JSON.stringify(view));
    else rows.push(...barText(view, paint, columnsOf(io)), '');
  };
  return {
    open(seen) {
      const footprint = footprintOf(seen.market, { by: 'time', span, size: 0, ticks: 1, bps });
      footprint.onClose((bar) => print(seen, bar));
      const src = `${seen.venue}:${seen.symbol}`;
      // another instrument: what was counted in the old one's units is over
      running.get(src)?.();
      running.set(src, () => {
        if (seen.done && to !== undefined) footprint.advance(to);
        if (footprint.running !== null) print(seen, footprint.running);
      });
      // a bar is over when its time is, though nobody trades
      return { tick: (t) => footprint.advance(t) };
    },
    end() {
      for (const one of running.values()) one();
    },
  };
}
