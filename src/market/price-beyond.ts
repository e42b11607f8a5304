/** Prices so many basis points beyond another. */
import { ASK, type BookSide } from './book.js';

/**
 * Rounding may not decide whether a level exactly at a limit counts. A tick is a hundred units of a scaled price or more, and
 * those are below 2^53, so this much more lets no other level in.
 */
const ROUNDING = 1e-15;

/** The last scaled price, a whole number, within `bps` of `price` away from the spread: above it for asks, below it for bids. */
export function priceBeyond(side: BookSide, price: number, bps: number): number {
  return side === ASK
    ? Math.floor(price * (1 + bps / 1e4) * (1 + ROUNDING))
    : Math.ceil(price * (1 - bps / 1e4) * (1 - ROUNDING));
}
