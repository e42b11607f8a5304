/** What people give an import besides archives, and how its bad lines are told. */
import fs from 'node:fs';
import type { BadLine } from '../formats/hftbacktest.js';
import { decimalsOf } from '../model/decimal.js';
import { fromSystemError, TapedeckError } from '../model/errors.js';
import type { Instrument } from '../model/instrument.js';
import type { Venue } from '../venues/venue.js';

const DECIMALS = ['tick', 'lot', 'multiplier'] as const;

/**
 * Reads an instrument from JSON: an object as tape headers hold it, or the venue's own listing of its instruments.
 * @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_CONFIG, and E_SYMBOL where the listing has no such symbol
 */
export function readInstrumentFile(file: string, venue: Venue, symbol: string): Partial<Instrument> {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw fromSystemError(error, 'reading an instrument', { file });
  }
  const wrong = (why: string): TapedeckError =>
    new TapedeckError('E_CONFIG', `while reading an instrument: ${why}`, { file });
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw wrong('it is not JSON');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw wrong('it is not a JSON object');
  if (!('tick' in body || 'lot' in body || 'multiplier' in body)) {
    const listed = venue.rest.readInstrument(body, symbol);
    if (listed !== null) return listed;
    throw new TapedeckError(
      'E_SYMBOL',
      `while reading an instrument: no tick, lot or multiplier, and no listing of ${symbol}`,
      { file },
    );
  }
  const given: Partial<Instrument> = {};
  const members = new Map<string, unknown>(Object.entries(body));
  for (const key of DECIMALS) {
    const value = members.get(key);
    if (value === undefined) continue;
    const decimal = typeof value === 'number' ? String(value) : value;
    if (typeof decimal !== 'string' || Number.isNaN(decimalsOf(decimal)) || !(Number(decimal) > 0))
      throw wrong(`its ${key} is not a decimal above zero`);
    given[key] = decimal;
  }
  for (const key of ['base', 'quote'] as const) {
    const value = members.get(key);
    if (typeof value === 'string') given[key] = value;
  }
  const named = members.get('symbol');
  if (named !== undefined && named !== symbol) throw wrong(`it is of ${String(named)}, not of ${symbol}`);
  return given;
}

/** `E_IMPORT: … (file F, line 12)`. */
export function describeBadLine({ file, line, why }: BadLine): string {
  return `E_IMPORT: ${why} (file ${file}${line > 0 ? `, line ${line}` : ''})`;
}
