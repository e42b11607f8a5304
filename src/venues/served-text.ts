/** How exchanges write what they serve: numbers of so many decimals, exact products, ids in the form of a UUID. */
import { createHash } from 'node:crypto';
import { type BookSides, type LevelText, withoutZeros } from './served-book.js';

/** µs as the milliseconds that venues write. */
export const millis = (micros: number): number => Math.floor(micros / 1000);

/** `64010.10` for `64010.1` and two decimals. Digits that say something are never cut off. */
export function withDecimals(text: string, decimals: number): string {
  const [whole, fraction = ''] = withoutZeros(text).split('.');
  const padded = fraction.padEnd(decimals, '0');
  return padded === '' ? whole : `${whole}.${padded}`;
}

/** How an exchange writes a market's prices and sizes. */
export interface Writing {
  price(text: string): string;
  size(text: string): string;
}

/** A level as that exchange writes it. */
export function writtenLevel({ price, size }: Writing, level: LevelText): LevelText {
  return [price(level[0]), size(level[1])];
}

/** Both sides of a book as that exchange writes them. */
export function written(writing: Writing, { bids, asks }: BookSides): BookSides {
  const write = (level: LevelText): LevelText => writtenLevel(writing, level);
  return { bids: bids.map(write), asks: asks.map(write) };
}

/** The exact product of two plain decimals above zero, with the decimals of both: `53.03000` of `2651.50` and `0.020`. */
export function productOf(one: string, other: string): string {
  const [a, b] = [one, other].map((text) => {
    const [whole, fraction = ''] = text.split('.');
    return { digits: BigInt(whole + fraction), decimals: fraction.length };
  });
  const decimals = a.decimals + b.decimals;
  const digits = String(a.digits * b.digits).padStart(decimals + 1, '0');
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** In the form of a UUID, and the same in every run. */
export function uuidOf(name: string, id: number): string {
  const hex = createHash('sha1').update(`${name} ${id}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
