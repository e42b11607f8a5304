/** REST of a served tape: answers from the state of those who play it, or of the tape where it stands. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Micros } from '../model/entry.js';
import type { ServedAnswer } from '../venues/venue.js';
import type { Place, Places } from './places.js';
import type { Answer } from './port.js';
import type { TapeClock } from './tape-clock.js';

export interface TapeRestOptions {
  places: Places;
  /** that may be asked about */
  symbols: readonly string[];
  /** the one who plays the tape by this clock and is furthest; null where nobody does */
  furthest(clock: TapeClock): Place | null;
}

export interface TapeRest {
  /** answers a GET by this clock */
  answer(path: string, clock: TapeClock): Promise<Answer>;
  /** nothing is read any more */
  stop(): void;
}

/** How long a question about a book that is not known yet is held back. */
const UNKNOWN_MS = 10_000;
const ASK_AGAIN_MS = 20;
const NO_TOPICS: ReadonlySet<string> = new Set();

export function createTapeRest({ places, symbols, furthest }: TapeRestOptions): TapeRest {
  let running = true;
  let reading: Promise<unknown> = Promise.resolve();

  const namedIn = (path: string): string[] => {
    const upper = decoded(path).toUpperCase();
    return symbols.filter((symbol) => upper.includes(symbol.toUpperCase()));
  };

  const answerFrom = ({ market, server, made }: Place, path: string): ServedAnswer => {
    for (const symbol of namedIn(path)) made.need(symbol);
    return server.rest(path, market);
  };

  /** The state of the tape where it stands, or from where the book is known on; of the tape only what is asked for is read. */
  const read = async (path: string, position: Micros): Promise<Answer> => {
    const place = places.at(position, namedIn(path));
    try {
      await place.cursor.advance(place.market, position);
      for (;;) {
        const said = answerFrom(place, path);
        if (said.unknown !== true) return said;
        const isKnown = await place.cursor.until(place.market, (step) => {
          place.made.follow(step, NO_TOPICS);
          return step.book?.known === true || !running;
        });
        if (!isKnown || !running) return { status: 503, body: said.body };
      }
    } finally {
      await place.cursor.close();
    }
  };

  /** One after the other: each opens files, and asking costs nothing. */
  const readInTurn = (path: string, position: Micros): Promise<Answer> => {
    const answered = reading.then(() => read(path, position));
    reading = answered.catch(() => {});
    return answered;
  };

  return {
    async answer(path, clock) {
      let said: ServedAnswer | null = null;
      const patience = performance.now() + UNKNOWN_MS;
      while (performance.now() < patience && running) {
        const player = furthest(clock);
        if (player === null || !clock.begun) return await readInTurn(path, clock.position());
        said = answerFrom(player, path);
        if (said.unknown !== true) return said;
        await sleep(ASK_AGAIN_MS);
      }
      return { status: 503, body: said?.body ?? '' };
    },
    stop() {
      running = false;
    },
  };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
