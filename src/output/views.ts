/** Trades, books and footprints as text for people. Sizes and prices come as exact decimals; who calls knows the market. */
import type { Paint } from './colour.js';
import { displayWidth, escapeControl, pad, truncate, truncateStart } from './text.js';

/** `binance-usdm:BTCUSDT`, and where it matters which. */
export interface Source {
  venue: string;
  symbol: string;
}

export interface TradeRow extends Source {
  /** ISO, µs */
  time: string;
  side: 'buy' | 'sell';
  price: number;
  size: number;
  /** in quote units */
  notional: number;
  /** sizes bought minus sold by aggressors since the view began */
  delta: number;
}

/** Widths of price, size, notional and delta: with time and side they fill 77 columns. */
const TRADE_WIDTHS = [10, 10, 12, 12];
const numbersText = (texts: readonly string[]): string =>
  texts.map((text, at) => pad(text, TRADE_WIDTHS[at], 'right')).join(' ');

/** The room for a line of trades. */
export interface TradeRoom {
  /** of a terminal; Infinity where it may be as long as it is */
  columns: number;
  /** of several markets each line has to say which it is of */
  several: boolean;
}

/** Time to the millisecond, side and numbers: what is said of any trade. */
const TRADE_WIDTH = 77;
/** A source in less room than this says nothing; with this much it is whole as a rule. */
const LEAST_SOURCE = 8;
const USUAL_SOURCE = 20;

/** The date gives way where the market has to be told and has no room beside it. */
const hasDate = ({ columns, several }: TradeRoom): boolean => !several || columns > TRADE_WIDTH + USUAL_SOURCE;

export function tradeTitles(room: TradeRoom): string {
  return `${pad('TIME', hasDate(room) ? 24 : 12)} SIDE ${numbersText(['PRICE', 'SIZE', 'NOTIONAL', 'DELTA'])}`;
}

/** One line of time and sales, to the millisecond. */
export function tradeText(row: TradeRow, paint: Paint, room: TradeRoom): string {
  const { time, side, price, size, notional, delta, venue, symbol } = row;
  const numbers = numbersText([String(price), String(size), notional.toFixed(2), String(delta)]);
  const at = hasDate(room) ? `${time.slice(0, 23)}Z` : time.slice(11, 23);
  const line = truncate(`${at} ${pad(side, 4)} ${numbers}`, room.columns);
  const painted = side === 'buy' ? paint.buy(line) : paint.sell(line);
  const left = room.columns - displayWidth(line) - 1;
  if (left < LEAST_SOURCE) return painted;
  return `${painted} ${paint.dim(truncateStart(escapeControl(`${venue}:${symbol}`), left))}`;
}

/** A line where trades were lost. */
export function missingText({ time, venue, symbol }: Source & { time: string }, columns: number): string {
  return truncate(`${time.slice(0, 23)}Z trades are missing here: ${escapeControl(`${venue}:${symbol}`)}`, columns);
}

export interface BookView extends Source {
  /** null before anything was said */
  time: string | null;
  state: string;
  /** [price, size], best first */
  bids: readonly (readonly [number, number])[];
  asks: readonly (readonly [number, number])[];
}

/** Columns of a bar at most. */
const BAR = 24;

/** A ladder: asks above, bids below, the spread between; bars show sizes against the largest one shown. */
export function bookText({ venue, symbol, time, state, bids, asks }: BookView, paint: Paint): string[] {
  const largest = Math.max(0, ...[...bids, ...asks].map(([, size]) => size));
  const width = (at: 0 | 1): number => Math.max(5, ...[...bids, ...asks].map((level) => String(level[at]).length));
  const [prices, sizes] = [width(0), width(1)];
  const row = ([price, size]: readonly [number, number], colour: (text: string) => string): string => {
    const bar = '█'.repeat(Math.max(1, Math.round((size / largest) * BAR)));
    return `${pad(String(price), prices, 'right')}  ${pad(String(size), sizes, 'right')}  ${colour(bar)}`;
  };
  const lines = [`${paint.strong(escapeControl(`${venue}:${symbol}`))}  ${time ?? '-'}  book ${state}`];
  for (const level of [...asks].reverse()) lines.push(row(level, paint.sell));
  const [bid, ask] = [bids[0]?.[0], asks[0]?.[0]];
  if (bid === undefined || ask === undefined) lines.push(paint.dim(bid === ask ? 'no levels' : 'one side is empty'));
  else lines.push(paint.dim(spreadText(bid, ask)));
  for (const level of bids) lines.push(row(level, paint.buy));
  return lines;
}

function spreadText(bid: number, ask: number): string {
  const bps = ((ask - bid) / ((ask + bid) / 2)) * 1e4;
  return `spread ${Number((ask - bid).toPrecision(6))} (${bps.toFixed(3)} bps)`;
}

export interface BarView extends Source {
  start: string;
  /** complete, and no trades missing in it */
  whole: boolean;
  provisional: boolean;
  delta: number;
  volume: number;
  trades: number;
  /** lowest price of the bin of most volume */
  poc: number;
  /** highest first */
  bins: readonly { price: number; buy: number; sell: number }[];
}

/** A bar: what there is to say of it, in lines no longer than `columns`, then its bins from the highest down, sold by aggressors on the left, bought on the right. */
export function barText(
  { venue, symbol, start, whole, provisional, delta, volume, trades, poc, bins }: BarView,
  paint: Paint,
  columns: number,
): string[] {
  const facts = [start, `delta ${delta}`, `volume ${volume}`, `trades ${trades}`];
  if (!whole) facts.push('trades may be missing');
  if (provisional) facts.push('not complete');
  const source = escapeControl(`${venue}:${symbol}`);
  const lines: string[] = [];
  let line = source;
  for (const fact of facts)
    if (displayWidth(line) + 2 + displayWidth(fact) <= columns) line += `  ${fact}`;
    else {
      lines.push(line);
      line = `  ${fact}`;
    }
  lines.push(line);
  lines[0] = paint.strong(source) + lines[0].slice(source.length);
  const width = (values: readonly number[]): number => Math.max(4, ...values.map((value) => String(value).length));
  const prices = width(bins.map(({ price }) => price));
  const sizes = width(bins.flatMap(({ buy, sell }) => [buy, sell]));
  for (const { price, buy, sell } of bins) {
    const left = pad(String(sell), sizes, 'right');
    const right = pad(String(buy), sizes);
    const cell = `${sell > buy ? paint.sell(left) : left} x ${buy > sell ? paint.buy(right) : right}`;
    lines.push(`${pad(String(price), prices, 'right')}  ${cell}${price === poc ? paint.dim('  poc') : ''}`.trimEnd());
  }
  return lines;
}
