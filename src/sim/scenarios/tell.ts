/** Tells a scenario as a recorder would have written it down: a tape in a venue's words, and what must be seen of it. */
import { type Micros, TAPE_VERSION, type TapeHeader } from '../../model/entry.js';
import type { Instrument } from '../../model/instrument.js';
import { httpLine, messageLine } from '../../tape/line.js';
import type { Venue } from '../../venues/venue.js';
import { Desk } from './desk.js';
import { sayings } from './sayings.js';
import {
  type Conflation,
  mirroredPlay,
  mirroredSeen,
  type Play,
  type ScanWords,
  type Scenario,
  type Seen,
} from './scenario.js';

/** A whole minute, 46 before the next hour: no scenario reaches it. */
export const BEGINNING: Micros = 1_700_000_040_000_000;
const SYMBOL = 'BTCUSDT';
/** Name of the recorder run. */
const RECORDER = 'scene';
/** Decimals of a tick and a lot before they are scaled. */
const TICK_DECIMALS = 1;
/** A recorder tells its clock this often at least, and more often while what matters happens. */
const CLOCK_EVERY: Micros = 1_000_000;
const CLOCK_OFTEN: Micros = 100_000;
/** Of what lasts longer not each moment matters. */
const SHORT: Micros = 120_000_000;

export interface Telling {
  /** which of an order's prints and the book that shows it reaches the recorder first */
  order: 'trades-first' | 'book-first';
  conflation: Conflation;
  /** sides swapped */
  mirrored: boolean;
  /** powers of ten that prices and sizes are multiplied by */
  scale: { price: number; size: number };
  /** trades and books come by one socket, or by one each */
  sockets: 'one' | 'two';
}

export const PLAIN: Telling = {
  order: 'trades-first',
  conflation: 0,
  mirrored: false,
  scale: { price: 0, size: 0 },
  sockets: 'one',
};

/** An expected signal in decimals, as a scan says them. */
export type SeenNumbers = Omit<Seen, 'upTo' | 'bounds'> & { atMost: Readonly<Record<string, number>> };

export interface Told {
  /** without newlines */
  lines: string[];
  seen: SeenNumbers[];
  of: readonly string[];
  settings: ScanWords;
  /** `t` from which on something happens */
  begin: Micros;
}

/** The scenario's tape and answer, told in this way and in this venue's words. */
export function tell(scenario: Scenario, venue: Venue, telling: Telling = PLAIN): Told {
  const script = scenario.play();
  const play = telling.mirrored ? mirroredPlay(script) : script;
  const seen = scenario.seen
    .filter(({ upTo = 100 }) => telling.conflation <= upTo)
    .map((one) => decimals(telling.mirrored ? mirroredSeen(one, script.mirror) : one, telling));
  const begin = BEGINNING + play.begin;
  return { lines: linesOf(play, venue, telling), seen, of: scenario.of, settings: scenario.settings ?? {}, begin };
}

/** Numbers of the script as those of the tape; bounds are exact where each change of the book is told. */
function decimals(seen: Seen, { scale, conflation }: Telling): SeenNumbers {
  const { price, prices = {}, sizes = {}, plan, bounds = {}, upTo: _, ...rest } = seen;
  const times = (factor: number, values: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value * factor]));
  const tick = 10 ** (scale.price - TICK_DECIMALS);
  const lot = 10 ** scale.size;
  return {
    ...rest,
    ...(price === undefined ? {} : { price: price * tick }),
    prices: times(tick, prices),
    sizes: times(lot, conflation === 0 ? { ...sizes, ...bounds } : sizes),
    ...(plan === undefined ? {} : { plan: times(tick, plan) }),
    atMost: times(lot, bounds),
  };
}

function instrumentOf({ scale }: Telling): Instrument {
  const tick = powerOfTen(scale.price - TICK_DECIMALS);
  return { symbol: SYMBOL, kind: 'linear', tick, lot: powerOfTen(scale.size), multiplier: '1' };
}

/** `0.001` for -3, `100` for 2. */
function powerOfTen(exponent: number): string {
  return exponent < 0 ? `0.${'1'.padStart(-exponent, '0')}` : `1${'0'.repeat(exponent)}`;
}

/** Lines as they come, with the clocks between them. */
function linesOf(play: Play, venue: Venue, telling: Telling): string[] {
  const instrument = instrumentOf(telling);
  const src = `${venue.id}:${SYMBOL}`;
  const lines: string[] = [];
  let t: Micros = BEGINNING;
  const entry = (one: object): void => {
    lines.push(JSON.stringify({ t, src, ...one }));
    t++;
  };
  const desk = new Desk(venue, instrument, play, telling.sockets, {
    entry,
    message(conn, text) {
      lines.push(messageLine(t++, src, conn, Buffer.from(text)).toString().trimEnd());
    },
    http(url, status, body) {
      lines.push(httpLine(t, src, { url, status, sent: t }, Buffer.from(body)).toString().trimEnd());
      t++;
    },
    now: () => t,
  });
  const { channels } = desk;
  const { flow } = venue.channels;
  const what = { venue: venue.id, symbol: SYMBOL, instrument, channels, flow };
  entry({ tape: { version: TAPE_VERSION, recorder: RECORDER, ...what, tool: 'tapedeck' } satisfies TapeHeader });
  desk.open();
  let clock = BEGINNING;
  /** Clocks until `end`, told when they are due. */
  const tick = (end: Micros): void => {
    for (;;) {
      const often = play.end - play.begin < SHORT ? BEGINNING + play.begin : BEGINNING + play.end;
      const next = clock < often ? Math.min(clock + CLOCK_EVERY, often) : clock + CLOCK_OFTEN;
      if (next > end) return;
      clock = next;
      t = Math.max(t, clock);
      entry({ clock: { wall: 0, loop: 0, exchange: null } });
    }
  };
  for (const said of sayings(play, telling)) {
    tick(BEGINNING + said.at);
    t = Math.max(t, BEGINNING + said.at);
    desk.say(said, BEGINNING);
  }
  tick(BEGINNING + play.end);
  return lines;
}
