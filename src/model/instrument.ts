/** What is traded: tick, lot and how a size becomes notional. */
import { decimalsOf } from './decimal.js';

/** `linear` and `spot` sizes are base units; `inverse` sizes are contracts of `multiplier` quote units each. */
export type InstrumentKind = 'linear' | 'inverse' | 'spot';

export interface Instrument {
  symbol: string;
  kind: InstrumentKind;
  /** decimal text, as the venue gave it */
  tick: string;
  lot: string;
  /** linear and spot: base units per size unit; inverse: quote units per contract; decimal text */
  multiplier: string;
  base?: string;
  quote?: string;
  /** what nobody gave: names, or true for tick and lot; those are inferred from messages, a multiplier is assumed */
  inferred?: boolean | readonly Inferable[];
}

/** Numbers of an instrument, in the order they are told. */
export const INFERABLE = ['tick', 'lot', 'multiplier'] as const;
export type Inferable = (typeof INFERABLE)[number];

/** Which numbers of an instrument nobody gave. */
export function inferredOf({ inferred }: Pick<Instrument, 'inferred'>): Inferable[] {
  const names: readonly unknown[] = inferred === true ? ['tick', 'lot'] : Array.isArray(inferred) ? inferred : [];
  return INFERABLE.filter((name) => names.includes(name));
}

/** What one unit of size is worth in quote units at a price, both as decimals: base units cost the price, contracts of quote units do not. */
export function unitValue({ kind, multiplier }: Pick<Instrument, 'kind' | 'multiplier'>, price: number): number {
  return kind === 'inverse' ? Number(multiplier) : Number(multiplier) * price;
}

/** Whether what a header says of its instrument can be reckoned with: decimal texts above zero. */
export function isUsable({ tick, lot, multiplier }: Readonly<Record<'tick' | 'lot' | 'multiplier', unknown>>): boolean {
  return [tick, lot, multiplier].every(
    (text) => typeof text === 'string' && !Number.isNaN(decimalsOf(text)) && Number(text) > 0,
  );
}

/** How many decimals prices and sizes of one `src` are held with. */
export interface Scale {
  price: number;
  size: number;
}

/** Two spare decimals below tick and lot: a tick made finer mid-life still fits, and nothing is rounded. */
const SPARE_DECIMALS = 2;

/** The scale for an instrument; prices to 9e15 / 10^(tick decimals + 2) are exact. */
export function scaleOf(instrument: Instrument): Scale {
  return { price: decimalsOf(instrument.tick) + SPARE_DECIMALS, size: decimalsOf(instrument.lot) + SPARE_DECIMALS };
}

/** What averages are given with, whatever the tick. */
const LEAST_FINE_DECIMALS = 8;
/** Beyond those of a price; so a fine price is exact to 9e8 ticks. */
const MORE_FINE_DECIMALS = 5;

/** Decimals of prices that are averages, finer than the tick: mark and index prices, and the fills of a liquidation. */
export function fineDecimals({ price }: Scale): number {
  return Math.max(LEAST_FINE_DECIMALS, price + MORE_FINE_DECIMALS);
}
