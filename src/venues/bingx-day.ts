/** What BingX says of a symbol every second, changed or not: a mark price, and the statistics of its last 24 hours. */
import { formatScaled, scaleDecimal } from '../model/decimal.js';
import type { LevelText } from './served-book.js';
import { millis, withDecimals } from './served-text.js';

const EVERY_MICROS = 1_000_000;

export interface Day {
  /** times in µs */
  trade(price: string, size: string, matched: number): void;
  /** the best quotes changed: what is due by now, by stream; its values but `e`, `E` and `s` */
  touch(bid: LevelText, ask: LevelText, emitted: number): { stream: string; event: string; data: object }[];
}

/** Of trades so far, which are all there were; scaled integers. */
interface Statistics {
  open: number;
  high: number;
  low: number;
  last: number;
  lastSize: number;
  volume: bigint;
  turnover: bigint;
  first: number;
  newest: number;
}

/** Numbers are written with the contract's decimals. */
export function createDay(prices: number, sizes: number): Day {
  let day: Statistics | null = null;
  let said = Number.NaN;
  const write = (value: number, decimals: number): string => withDecimals(formatScaled(value, decimals), decimals);
  const rewrite = (text: string, decimals: number): string => write(scaleDecimal(text, decimals), decimals);

  const ticker = (day: Statistics, [B, b]: LevelText, [A, a]: LevelText): object => {
    const { open, high, low, last, lastSize, volume, turnover, first, newest } = day;
    const price = (value: number): string => write(value, prices);
    const spare = prices + sizes - 2;
    const cents = spare >= 0 ? turnover / 10n ** BigInt(spare) : turnover * 10n ** BigInt(-spare);
    return {
      ...{
        p: price(last - open),
        P: (((last - open) / open) * 100).toFixed(2),
        c: price(last),
        L: write(lastSize, sizes),
      },
      ...{ h: price(high), l: price(low), v: write(Number(volume), sizes), q: write(Number(cents), 2), o: price(open) },
      ...{ O: millis(first), C: millis(newest) },
      // capitals are prices here
      ...{ A: rewrite(A, prices), a: rewrite(a, sizes), B: rewrite(B, prices), b: rewrite(b, sizes) },
    };
  };

  return {
    trade(priceText, sizeText, matched) {
      const [last, lastSize] = [scaleDecimal(priceText, prices), scaleDecimal(sizeText, sizes)];
      day ??= {
        ...{ open: last, high: last, low: last, last, lastSize, volume: 0n, turnover: 0n },
        ...{ first: matched, newest: matched },
      };
      day.high = Math.max(day.high, last);
      day.low = Math.min(day.low, last);
      day.volume += BigInt(lastSize);
      day.turnover += BigInt(last) * BigInt(lastSize);
      Object.assign(day, { last, lastSize, newest: matched });
    },
    touch(bid, ask, emitted) {
      const second = Math.floor(emitted / EVERY_MICROS);
      if (second === said) return [];
      said = second;
      // no index is behind it: the middle of the book has to do
      const middle = Math.round((scaleDecimal(bid[0], prices) + scaleDecimal(ask[0], prices)) / 2);
      const mark = { stream: 'markPrice', event: 'markPriceUpdate', data: { p: write(middle, prices) } };
      return day === null ? [mark] : [mark, { stream: 'ticker', event: '24hTicker', data: ticker(day, bid, ask) }];
    },
  };
}
