/** Reading what venues send as parsed JSON: small questions that several venues ask. */
import { isObject, type JsonObject } from '../decode/explain.js';
import { decimalsOf } from '../model/decimal.js';
import { TapedeckError } from '../model/errors.js';
import type { Instrument } from '../model/instrument.js';
import { MAX_NESTING } from '../model/json.js';

export { isObject, type JsonObject };

/** A text that is one JSON object; null for any other, and for one that is nested too deep to be meant. */
export function objectIn(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && !isDeeper(value, MAX_NESTING) ? value : null;
  } catch {
    return null;
  }
}

function isDeeper(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return most === 0 || Object.values(value).some((part) => isDeeper(part, most - 1));
}

/** How an answer names a word that it refuses, whatever stands in its place. */
export function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : String(JSON.stringify(value));
}

/** The objects of a list at a key; empty where there is none. */
export function objectsAt(object: unknown, key: string): JsonObject[] {
  const list = isObject(object) ? object[key] : undefined;
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** A decimal above zero, as text or number; null where there is none. */
export function positive(value: unknown): string | null {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && !Number.isNaN(decimalsOf(text)) && Number(text) > 0 ? text : null;
}

/** `10^-decimals` as decimal text; null where the number of decimals is none. */
export function stepOf(decimals: unknown): string | null {
  if (typeof decimals !== 'number' || !Number.isInteger(decimals) || decimals < 0 || decimals > 15) return null;
  return decimals === 0 ? '1' : `0.${'1'.padStart(decimals, '0')}`;
}

/** Milliseconds, as number or digits, in µs; null where there are none. */
export function microsOf(value: unknown): number | null {
  const ms = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof ms === 'number' && Number.isSafeInteger(ms) && ms > 0 ? ms * 1000 : null;
}

/** Parts of a list, each of `size` elements at most. */
export function partsOf<T>(list: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size));
  return parts;
}

/** The text of a key near a message's start, without parsing the message; null where it does not stand there plainly. */
export function leadingText(bytes: Uint8Array, from: number, to: number, key: string): string | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(to - from, 256)).toString('utf8');
  const lead = `"${key}":"`;
  const at = head.indexOf(lead);
  const end = at < 0 ? -1 : head.indexOf('"', at + lead.length);
  const text = end < 0 ? '' : head.slice(at + lead.length, end);
  return text === '' || text.includes('\\') ? null : text;
}

/** What a message may inflate to: nothing a venue sends is near it, and a bomb throws. */
export const INFLATED = { maxOutputLength: 8 * 1024 * 1024 };

/** @throws {TapedeckError} E_USAGE for a channel that is none of the venue's */
export function checkChannels(venue: string, known: Readonly<Record<string, unknown>>, asked: readonly string[]): void {
  const unknown = asked.find((channel) => !Object.hasOwn(known, channel));
  if (unknown === undefined) return;
  throw new TapedeckError('E_USAGE', `${venue} has no channel '${unknown}'; it has ${Object.keys(known).join(', ')}`);
}

/** Price and size as texts, whatever stands behind them. */
export function isLevels(value: unknown): value is [string, string][] {
  return (
    Array.isArray(value) &&
    value.every((level) => Array.isArray(level) && typeof level[0] === 'string' && typeof level[1] === 'string')
  );
}

/** The names of an instrument's coins, where they are given. */
export function coinsOf(base: unknown, quote: unknown): Pick<Instrument, 'base' | 'quote'> {
  const isName = (name: unknown): name is string => typeof name === 'string' && name !== '';
  return { ...(isName(base) ? { base } : {}), ...(isName(quote) ? { quote } : {}) };
}
