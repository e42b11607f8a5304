/** Reading what venues send as parsed JSON: small questions that several venues ask. */
import { decimalsOf } from '../model/decimal.js';

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that is one JSON object; null for any other. */
export function objectIn(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
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
