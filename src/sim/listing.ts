/** What the simulated exchange lists: instruments with a first price and a usual order size. */
import { scaleDecimal, writtenDecimals } from '../model/decimal.js';
import { TapedeckError } from '../model/errors.js';
import type { Instrument, InstrumentKind } from '../model/instrument.js';

export interface Listing {
  instrument: Instrument;
  /** first mid price, in ticks */
  price: number;
  /** a usual resting order, in lots */
  unit: number;
}

interface Terms {
  tick: string;
  lot: string;
  price: number;
  /** a usual resting order, in size units */
  order: number;
  /** what one size unit is, where not 1; contracts */
  multiplier?: string;
}

const TERMS: Record<InstrumentKind, Record<string, Terms>> = {
  linear: {
    BTCUSDT: { tick: '0.10', lot: '0.001', price: 64000, order: 0.25 },
    ETHUSDT: { tick: '0.01', lot: '0.001', price: 3200, order: 4 },
    SOLUSDT: { tick: '0.0100', lot: '0.01', price: 150, order: 60 },
    'BTC-USDT-SWAP': { tick: '0.1', lot: '0.01', price: 64000, order: 25, multiplier: '0.01' },
    'ETH-USDT-SWAP': { tick: '0.01', lot: '0.01', price: 3200, order: 40, multiplier: '0.1' },
    'SOL-USDT-SWAP': { tick: '0.01', lot: '0.01', price: 150, order: 60 },
    'BTC-USDT': { tick: '0.1', lot: '0.0001', price: 64000, order: 0.25 },
    'ETH-USDT': { tick: '0.01', lot: '0.01', price: 3200, order: 4 },
    'SOL-USDT': { tick: '0.01', lot: '0.1', price: 150, order: 60 },
    BTC_USDT: { tick: '0.1', lot: '1', price: 64000, order: 2500, multiplier: '0.0001' },
    ETH_USDT: { tick: '0.01', lot: '1', price: 3200, order: 400, multiplier: '0.01' },
    SOL_USDT: { tick: '0.01', lot: '1', price: 150, order: 600, multiplier: '0.1' },
  },
  inverse: {
    BTCUSD_PERP: { tick: '0.1', lot: '1', price: 64000, order: 120, multiplier: '100' },
    ETHUSD_PERP: { tick: '0.01', lot: '1', price: 3200, order: 400, multiplier: '10' },
    BTCUSD: { tick: '0.10', lot: '1', price: 64000, order: 12000 },
    ETHUSD: { tick: '0.01', lot: '1', price: 3200, order: 4000 },
    BTC_USD: { tick: '0.1', lot: '1', price: 64000, order: 120, multiplier: '100' },
    ETH_USD: { tick: '0.01', lot: '1', price: 3200, order: 400, multiplier: '10' },
    'BTC-USD-SWAP': { tick: '0.1', lot: '0.1', price: 64000, order: 120, multiplier: '100' },
    'ETH-USD-SWAP': { tick: '0.01', lot: '0.1', price: 3200, order: 400, multiplier: '10' },
  },
  spot: {
    BTCUSDT: { tick: '0.01000000', lot: '0.00001000', price: 64000, order: 0.1 },
    ETHUSDT: { tick: '0.01000000', lot: '0.00010000', price: 3200, order: 1.5 },
    SOLUSDT: { tick: '0.01000000', lot: '0.00100000', price: 150, order: 25 },
    'BTC-USDT': { tick: '0.1', lot: '0.00001', price: 64000, order: 0.1 },
    'ETH-USDT': { tick: '0.01', lot: '0.0001', price: 3200, order: 1.5 },
    'SOL-USDT': { tick: '0.01', lot: '0.001', price: 150, order: 25 },
  },
};

/** Any other symbol: a price of its own near 100, the same for every seed. */
const OTHERS: Record<InstrumentKind, Terms> = {
  linear: { tick: '0.0100', lot: '0.1', price: 100, order: 40 },
  inverse: { tick: '0.001', lot: '1', price: 100, order: 300 },
  spot: { tick: '0.01000000', lot: '0.01000000', price: 100, order: 40 },
};

/** Where a venue says nothing of its own. */
const SHAPES: Record<InstrumentKind, RegExp> = {
  linear: /^[A-Z0-9]{2,20}(_[0-9]{6})?$/,
  inverse: /^[A-Z0-9]{2,16}USD_(PERP|[0-9]{6})$/,
  spot: /^[A-Z0-9]{2,20}$/,
};

const QUOTES = ['USDT', 'USDC', 'FDUSD', 'USD1', 'USD', 'BTC', 'ETH', 'BNB', 'EUR', 'TRY'];

/**
 * The listing of a symbol of this kind of market; `form` is how such symbols are written, where not as usual.
 * @throws {TapedeckError} E_SYMBOL when it has not the shape of a symbol
 */
export function listingOf(market: InstrumentKind, symbol: string, form: RegExp = SHAPES[market]): Listing {
  // a market of swaps has both kinds: those in US dollars are worth their coin
  const kind = market === 'linear' && /-USD-|_USD$/.test(symbol) ? 'inverse' : market;
  if (!form.test(symbol)) {
    const sample = Object.keys(TERMS[market]).find((known) => form.test(known));
    throw new TapedeckError(
      'E_SYMBOL',
      `while listing '${symbol}': not a symbol of this market, which look like ${sample}`,
    );
  }
  const terms = TERMS[kind][symbol] ?? OTHERS[kind];
  const instrument: Instrument = {
    symbol,
    kind,
    tick: terms.tick,
    lot: terms.lot,
    multiplier: terms.multiplier ?? otherMultiplier(kind, symbol),
    ...coinsOf(symbol),
  };
  return {
    instrument,
    price: Math.round(terms.price / Number(terms.tick)),
    unit: Math.max(1, Math.round(terms.order / Number(terms.lot))),
  };
}

/** Contracts of 100 or 10 US dollars where the name says that it is a contract, else of one. */
function otherMultiplier(kind: InstrumentKind, symbol: string): string {
  if (kind !== 'inverse' || !/[_-]/.test(symbol)) return '1';
  return symbol.startsWith('BTC') ? '100' : '10';
}

/** `BTC` and `USDT` of `BTCUSDT`, `BTCUSDT_261225`, `BTC-USDT-SWAP`, `BTCUSDT-25DEC26`, `BTCUSDZ26`; `BTCPERP` is in USDC. */
function coinsOf(symbol: string): { base?: string; quote?: string } {
  const [name, second = ''] = symbol.split(/[_-]/);
  if (QUOTES.includes(second)) return { base: name, quote: second };
  if (name.endsWith('PERP') && name.length > 4) return { base: name.slice(0, -4), quote: 'USDC' };
  const undated = name.replace(/(USD)[HMUZ]\d{2}$/, '$1');
  const quote = QUOTES.find((end) => undated.endsWith(end) && undated.length > end.length);
  return quote === undefined ? {} : { base: undated.slice(0, -quote.length), quote };
}

/** Prints integer counts of `step` (a tick or a lot) with the decimals the step is written with. */
export function printerOf(step: string): (count: number) => string {
  const decimals = writtenDecimals(step);
  const scaled = scaleDecimal(step, decimals);
  if (decimals === 0) return (count) => String(count * scaled);
  const unit = 10 ** decimals;
  return (count) => {
    const value = count * scaled;
    const whole = Math.floor(value / unit);
    return `${whole}.${String(value - whole * unit).padStart(decimals, '0')}`;
  };
}
