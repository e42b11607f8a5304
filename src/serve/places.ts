/** Places on a tape: a market that stands at a time, the venue's side of it, and a reader that moves both on. */
import type { Damage, LineFlow } from '../model/batch.js';
import type { Micros, TapeHeader } from '../model/entry.js';
import type { Injection } from '../tape/inject.js';
import { interleave } from '../tape/interleave.js';
import type { Segment } from '../tape/segment.js';
import { readSegments, type TimeRange } from '../tape/source.js';
import type { ServedVenue } from '../venues/servers.js';
import type { VenueServer } from '../venues/venue.js';
import { type Cursor, createCursor } from './cursor.js';
import { createMadeTopics, type MadeTopics } from './made-topics.js';
import { createRecordedMarket, type RecordedMarket } from './recorded-market.js';
import { type RecordedTopics, withSeveralBooks } from './recorded-topics.js';

/** Somebody's place on the tape, with the venue's side of it. */
export interface Place {
  market: RecordedMarket;
  server: VenueServer;
  made: MadeTopics;
  cursor: Cursor;
}

/** What somebody hears instead where faults are put in. */
export interface FaultyPlace {
  injection: Injection;
  market: RecordedMarket;
  cursor: Cursor;
}

export interface PlacesOptions {
  venue: ServedVenue;
  groups: readonly (readonly Segment[])[];
  topics: RecordedTopics;
  headers: readonly TapeHeader[];
  range: TimeRange;
  /** the faults that one client's messages get; missing where there are none. @throws {TapedeckError} E_USAGE */
  faults?: (() => Injection) | undefined;
  /** bytes of the tape that cannot be read; may hear of the same more than once */
  damaged(damage: Damage['damage']): void;
}

export interface Places {
  /** @param only what of the tape is to be read, by symbol; all of it where missing */
  at(from: Micros, only?: readonly string[]): Place;
  /** null where no faults are put in */
  faultyAt(from: Micros): FaultyPlace | null;
}

export function createPlaces({ venue, groups, topics, headers, range, faults, damaged }: PlacesOptions): Places {
  const parts = groups.map((group) => ({ group, symbol: group[0].header().tape.symbol }));
  const upTo = range.to === undefined ? {} : { to: range.to };
  const marketAt = (from: Micros): RecordedMarket => createRecordedMarket(venue, topics, headers, from);

  const cursorAt = (
    from: Micros,
    market: RecordedMarket,
    only?: readonly string[],
    into: (flow: LineFlow) => LineFlow = (flow) => flow,
  ): Cursor => {
    // a checkpoint has one book: where there are several, reading starts where they do
    const several = withSeveralBooks(topics);
    const read = only === undefined ? parts : parts.filter(({ symbol }) => only.includes(symbol));
    const flows = read.map(({ group, symbol }) =>
      into(readSegments(group, several.has(symbol) ? upTo : { ...upTo, from })),
    );
    return createCursor(interleave(flows), (damage) => {
      damaged(damage);
      market.damaged();
    });
  };

  return {
    at(from, only) {
      const market = marketAt(from);
      const server = venue.server(market);
      return { market, server, made: createMadeTopics(market, server), cursor: cursorAt(from, market, only) };
    },
    faultyAt(from) {
      if (faults === undefined) return null;
      const injection = faults();
      const market = marketAt(from);
      return { injection, market, cursor: cursorAt(from, market, undefined, injection.into) };
    },
  };
}
