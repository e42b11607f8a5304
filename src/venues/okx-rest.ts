/** What OKX says over REST of its instruments and of the trades it remembers. */
import type { Instrument } from '../model/instrument.js';
import { withoutZeros } from './served-book.js';
import type { ServedTrades } from './served-trades.js';

const MOST_TRADES = 100;

export const millis = (micros: number): string => String(Math.floor(micros / 1000));

/** A market's trades below an id, newest first; what is wrong with the request where something is. */
export function tradeRows(symbol: string, query: URLSearchParams, trades: ServedTrades): object[] | string {
  const limit = query.get('limit') ?? String(MOST_TRADES);
  const after = query.get('after') ?? '';
  if (!/^[1-9]\d{0,3}$/.test(limit)) return 'Parameter limit error';
  if (!/^\d*$/.test(after)) return 'Parameter after error';
  // paging by time is not served
  if ((query.get('type') ?? '1') !== '1') return 'Parameter type error';
  const before = after === '' ? Number.POSITIVE_INFINITY : Number(after);
  const found = trades.before(symbol, before, Math.min(Number(limit), MOST_TRADES));
  return found.reverse().map(({ id, price, size, aggressor: side, matched }) => ({
    ...{ instId: symbol, side, sz: withoutZeros(size), source: '0', px: withoutZeros(price) },
    ...{ tradeId: String(id), ts: millis(matched) },
  }));
}

/** Sizes of derivatives are contracts of `ctVal` coins, or US dollars where inverse. */
export function describeInstrument({ symbol: instId, kind, tick, lot, multiplier, base = '', quote = '' }: Instrument) {
  const steps = { tickSz: withoutZeros(tick), lotSz: withoutZeros(lot), minSz: withoutZeros(lot) };
  const rest = { ...steps, state: 'live', listTime: '1611916828000', expTime: '', ruleType: 'normal' };
  if (kind === 'spot') {
    const none = { instFamily: '', uly: '', settleCcy: '', ctVal: '', ctMult: '', ctValCcy: '', ctType: '' };
    return { instType: 'SPOT', instId, baseCcy: base, quoteCcy: quote, ...none, ...rest };
  }
  const inverse = kind === 'inverse';
  const pair = `${base}-${quote}`;
  return {
    instType: instId.endsWith('-SWAP') ? 'SWAP' : 'FUTURES',
    instId,
    instFamily: pair,
    uly: pair,
    baseCcy: '',
    quoteCcy: '',
    settleCcy: inverse ? base : quote,
    ctVal: multiplier,
    ctMult: '1',
    ctValCcy: inverse ? quote : base,
    ctType: inverse ? 'inverse' : 'linear',
    ...rest,
  };
}
