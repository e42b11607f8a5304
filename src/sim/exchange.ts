/** A seeded exchange without sockets: several independent markets, advanced in data time. */
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import type { Instrument, InstrumentKind } from '../model/instrument.js';
import type { Snapshot } from '../model/rules.js';
import type { ServedEvent, ServedMarket } from '../venues/venue.js';
import { listingOf, printerOf } from './listing.js';
import { createSymbolMarket, type SymbolMarket } from './market.js';
import type { IdSpace, Publication } from './publisher.js';

export interface ExchangeOptions {
  symbols: string[];
  /** same seed, same bytes; each symbol's stream depends on seed, symbol and its own rate only */
  seed: number;
  /** messages per second of data time, all symbols together, shared equally */
  rate: number;
  /** first moment, µs */
  start: Micros;
  /** default `linear` */
  kind?: InstrumentKind;
  /** default: `own` for spot (every id is in some depth event), else `shared` (ids run on between events) */
  ids?: IdSpace;
  /** how symbols are written, see `listingOf` */
  form?: RegExp | undefined;
}

/** A market that runs: `advance` moves its clock and gives what was emitted meanwhile. */
export interface Exchange extends ServedMarket {
  /** runs up to and with this time (never backwards); events in order of `emitted` */
  advance(until: Micros): ServedEvent[];
  /** the markets inside, for tests */
  readonly markets: readonly SymbolMarket[];
}

interface Listed {
  market: SymbolMarket;
  symbol: string;
  price(ticks: number): string;
  size(lots: number): string;
  /** the book as its readers know it: what was emitted, not what is being conflated */
  bids: Map<number, number>;
  asks: Map<number, number>;
  id: number;
  emitted: Micros;
  matched: Micros;
}

/**
 * @throws {TapedeckError} E_SYMBOL for a symbol of the wrong shape, E_USAGE for no or repeated symbols or a bad rate
 */
export function createExchange(options: ExchangeOptions): Exchange {
  const { symbols, seed, rate, start, kind = 'linear', form } = options;
  const ids = options.ids ?? (kind === 'spot' ? 'own' : 'shared');
  if (symbols.length === 0) throw new TapedeckError('E_USAGE', 'an exchange needs at least one symbol');
  if (new Set(symbols).size < symbols.length) throw new TapedeckError('E_USAGE', 'a symbol is named twice');
  if (!(rate > 0 && Number.isFinite(rate)))
    throw new TapedeckError('E_USAGE', `a rate of ${rate} messages/s is impossible`);

  const listed = symbols.map((symbol): Listed => {
    const listing = listingOf(kind, symbol, form);
    const market = createSymbolMarket({ listing, seed, rate: rate / symbols.length, start, ids });
    const sizes = (side: 'bids' | 'asks'): Map<number, number> =>
      new Map([...market.engine[side].levels.values()].map((level) => [level.price, level.size]));
    return {
      market,
      symbol,
      price: printerOf(listing.instrument.tick),
      size: printerOf(listing.instrument.lot),
      bids: sizes('bids'),
      asks: sizes('asks'),
      id: market.firstId,
      emitted: start,
      matched: start,
    };
  });
  const bySymbol = new Map(listed.map((one) => [one.symbol, one]));
  let now = start;

  return {
    markets: listed.map((one) => one.market),
    now: () => now,
    instruments: (): Instrument[] => listed.map((one) => one.market.listing.instrument),

    snapshot(symbol, limit): Snapshot | null {
      const one = bySymbol.get(symbol);
      if (one === undefined) return null;
      const { id, emitted, matched } = one;
      return { id, emitted, matched, bids: best(one, one.bids, 1, limit), asks: best(one, one.asks, -1, limit) };
    },

    advance(until) {
      now = Math.max(now, until);
      const ready: { one: Listed; publication: Publication }[] = [];
      for (const one of listed) {
        one.market.advance(now);
        const { queue } = one.market;
        let kept = 0;
        for (const publication of queue) {
          if (publication.emitted <= now) ready.push({ one, publication });
          else queue[kept++] = publication;
        }
        queue.length = kept;
      }
      // Stable: equal times keep symbol order, then order of creation, however the time was cut into steps.
      ready.sort((a, b) => a.publication.emitted - b.publication.emitted);
      return ready.map(({ one, publication }) => put(one, publication));
    },
  };
}

/** The event in decimal text; a depth event also moves the published book. */
function put(one: Listed, publication: Publication): ServedEvent {
  const { symbol, price, size } = one;
  const { emitted, matched } = publication;
  switch (publication.kind) {
    case 'trade': {
      const aggressor = publication.aggressor === 1 ? 'buy' : 'sell';
      const { id, update } = publication;
      return {
        kind: 'trade',
        symbol,
        emitted,
        matched,
        id,
        price: price(publication.price),
        size: size(publication.size),
        aggressor,
        update,
      };
    }
    case 'touch': {
      const { id, bid, ask } = publication;
      return {
        kind: 'touch',
        symbol,
        emitted,
        matched,
        id,
        bid: [price(bid[0]), size(bid[1])],
        ask: [price(ask[0]), size(ask[1])],
      };
    }
    case 'depth': {
      const { first, last, previous } = publication;
      one.id = last;
      one.emitted = emitted;
      one.matched = matched;
      const bids = publication.bids.map((level) => change(one, one.bids, level));
      const asks = publication.asks.map((level) => change(one, one.asks, level));
      return { kind: 'depth', symbol, emitted, matched, first, last, previous, bids, asks };
    }
  }
}

function change(one: Listed, side: Map<number, number>, [price, size]: [number, number]): [string, string] {
  if (size === 0) side.delete(price);
  else side.set(price, size);
  return [one.price(price), one.size(size)];
}

function best(one: Listed, side: Map<number, number>, direction: 1 | -1, limit: number): [string, string][] {
  const levels = [...side].sort((a, b) => direction * (b[0] - a[0])).slice(0, Math.max(0, limit));
  return levels.map(([price, size]) => [one.price(price), one.size(size)]);
}

/** Every event up to `until`, in steps of data time; what steps are taken does not matter to the events. */
export function* eventsOf(exchange: Exchange, until: Micros, stepMicros = 50_000): Generator<ServedEvent> {
  while (exchange.now() < until) yield* exchange.advance(Math.min(until, exchange.now() + stepMicros));
}
