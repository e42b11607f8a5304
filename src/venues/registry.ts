/** The venues tapedeck knows, by name. */
import { TapedeckError } from '../model/errors.js';
import { didYouMean } from '../model/nearest.js';
import { binanceCoinm, binanceSpot, binanceUsdm } from './binance.js';
import { bingxSwap } from './bingx.js';
import { bybitInverse, bybitLinear, bybitSpot } from './bybit.js';
import { mexcFutures } from './mexc.js';
import { okxSpot, okxSwap } from './okx.js';
import type { Venue } from './venue.js';
import { weexFutures } from './weex.js';

/** All venues, in the order they are listed to people. */
export const venues: readonly Venue[] = [
  binanceUsdm,
  binanceCoinm,
  binanceSpot,
  bybitLinear,
  bybitInverse,
  bybitSpot,
  bingxSwap,
  weexFutures,
  mexcFutures,
  okxSwap,
  okxSpot,
];

/**
 * The venue of that name.
 * @throws {TapedeckError} E_VENUE, naming the venues there are
 */
export function venueById(id: string): Venue {
  const venue = venues.find((one) => one.id === id);
  if (venue !== undefined) return venue;
  const ids = venues.map((one) => one.id);
  const hint = didYouMean(id, ids);
  throw new TapedeckError(
    'E_VENUE',
    `no venue '${id}'${hint === '' ? '; there' : `${hint} There`} are ${ids.join(', ')}`,
  );
}
