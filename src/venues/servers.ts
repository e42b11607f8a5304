/** The exchange's side of venues, for who serves a simulated or a recorded market: apart from what readers need, which is most of the program. */
import { binanceServer } from './binance-server.js';
import { bingxServer } from './bingx-server.js';
import { bybitServer } from './bybit-server.js';
import { mexcServer } from './mexc-server.js';
import { okxServer } from './okx-server.js';
import { venues } from './registry.js';
import type { ServedMarket, Venue, VenueServer } from './venue.js';
import { weexServer } from './weex-server.js';

/** Makes the server of one running exchange, before the market moves, since it may count messages. */
export type CreateServer = (market: ServedMarket) => VenueServer;

const servers: Readonly<Record<string, CreateServer>> = {
  'binance-usdm': (market) => binanceServer('usdm', market),
  'binance-coinm': (market) => binanceServer('coinm', market),
  'binance-spot': (market) => binanceServer('spot', market),
  'bybit-linear': (market) => bybitServer('linear', market),
  'bybit-inverse': (market) => bybitServer('inverse', market),
  'bybit-spot': (market) => bybitServer('spot', market),
  'bingx-swap': bingxServer,
  'weex-futures': weexServer,
  'mexc-futures': mexcServer,
  'okx-swap': (market) => okxServer('swap', market),
  'okx-spot': (market) => okxServer('spot', market),
};

/** A venue that can be served. */
export interface ServedVenue extends Venue {
  readonly server: CreateServer;
}

/** All venues that can be served, in the order they are listed to people. */
export const servedVenues: readonly ServedVenue[] = venues.flatMap((venue) => {
  const server = servers[venue.id];
  return server === undefined ? [] : [{ ...venue, server }];
});

/** The venue with its exchange's side; null where it has none. */
export function servedVenue(id: string): ServedVenue | null {
  return servedVenues.find((venue) => venue.id === id) ?? null;
}
