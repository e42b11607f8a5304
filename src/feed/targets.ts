/** What to record, as typed: `VENUE:SYM[,SYM]…`, any number of times, or `VENUE SYM…`. */
import { TapedeckError } from '../model/errors.js';
import { venueById } from '../venues/registry.js';
import type { Venue } from '../venues/venue.js';

export interface Target {
  venue: Venue;
  /** each once, in the order typed */
  symbols: string[];
}

/**
 * Reads the words; symbols of the same venue come together.
 * @throws {TapedeckError} E_USAGE for a word without a venue or a venue without symbols, E_VENUE for an unknown venue
 */
export function parseTargets(words: readonly string[]): Target[] {
  const targets = new Map<Venue, Set<string>>();
  const add = (venue: Venue, list: string): void => {
    const symbols = targets.get(venue) ?? new Set<string>();
    targets.set(venue, symbols);
    for (const symbol of list.split(',')) {
      if (symbol === '')
        throw new TapedeckError('E_USAGE', `'${list}' holds an empty symbol; give ${venue.id}:SYM[,SYM]`);
      symbols.add(symbol);
    }
  };
  /** the venue that bare words belong to */
  let named: Venue | null = null;
  for (const word of words) {
    const colon = word.indexOf(':');
    if (colon >= 0) {
      named = null;
      add(venueById(word.slice(0, colon)), word.slice(colon + 1));
    } else if (named !== null) add(named, word);
    else if (targets.size === 0) named = venueById(word);
    else throw new TapedeckError('E_USAGE', `'${word}' has no venue; give VENUE:${word}`);
  }
  if (named !== null && !targets.has(named)) {
    throw new TapedeckError('E_USAGE', `no symbol of ${named.id} is given; give ${named.id}:SYM[,SYM]`);
  }
  return [...targets].map(([venue, symbols]) => ({ venue, symbols: [...symbols] }));
}

/**
 * The channels to record on a venue: those asked for, or its default set.
 * @throws {TapedeckError} E_USAGE for one the venue does not have
 */
export function channelsOf(venue: Venue, asked: readonly string[]): string[] {
  if (asked.length === 0) return [...venue.channels.default];
  const unknown = asked.find((channel) => !venue.channels.all.includes(channel));
  if (unknown !== undefined) {
    throw new TapedeckError(
      'E_USAGE',
      `${venue.id} has no channel '${unknown}'; there are ${venue.channels.all.join(', ')}`,
    );
  }
  return [...new Set(asked)];
}
