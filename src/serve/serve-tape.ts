/** Serves a tape as the venues it was recorded from, each on a port of its own, in one time. */
import type { Damage } from '../model/batch.js';
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { parseTimeSpec, type TimeSpec } from '../model/time.js';
import type { Injection } from '../tape/inject.js';
import { type Segment, segmentItems } from '../tape/segment.js';
import type { TimeRange } from '../tape/source.js';
import type { Tape } from '../tape/tape.js';
import { venueById } from '../venues/registry.js';
import { type ServedVenue, servedVenue } from '../venues/servers.js';
import { createTapeClock, type TapeClock } from './tape-clock.js';
import { serveTapeVenue, type TapeExchange } from './tape-exchange.js';
import { findTopics } from './topics-of-tape.js';

export interface ServeTapeOptions {
  tape: Tape;
  range: TimeRange;
  /** tape time over real time; Infinity is as fast as each client reads */
  speed: number;
  /** a wait between two lines is no longer than this */
  maxIdleMicros?: Micros | undefined;
  /** default: true; clients are cut where the recorder was */
  reenact?: boolean;
  /** made anew for each client */
  faults?: (() => Injection) | undefined;
  /** default 127.0.0.1 */
  host?: string;
  /** of the first venue, the others follow; 0, the default, takes free ones */
  port?: number;
  /** milliseconds without a word from the first client after which the tape begins; default 500 */
  settleMs?: number;
  note(text: string): void;
  /** bytes of the tape that cannot be read */
  damaged(damage: Damage['damage']): void;
}

export interface ServedTape {
  /** in the order of their ports */
  venues: { id: string; wsUrl: string; httpUrl: string }[];
  /** messages of topics sent so far */
  readonly sent: number;
  /** resolves when somebody heard the end of the tape, nobody is played to any more, and nobody who was cut is to come back */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

const SETTLE_MS = 500;
const MOST_PORT = 65_535;
const BEGINNING: TimeSpec = { kind: 'start', offset: 0 };

/**
 * Starts serving.
 * @throws {TapedeckError} E_USAGE for a tape that cannot be played more than once or whose venue cannot be served; E_CONNECT
 */
export async function serveTape(options: ServeTapeOptions): Promise<ServedTape> {
  const { tape, range, speed, maxIdleMicros, reenact = true, host = '127.0.0.1', port = 0, note } = options;
  const seen = new Set<string>();
  /** each client comes by the same damage */
  const damaged = (damage: Damage['damage']): void => {
    const place = `${damage.file} ${damage.frame} ${damage.line} ${damage.code}`;
    if (seen.has(place)) return;
    seen.add(place);
    options.damaged(damage);
  };
  const byVenue = venuesOf(tape, damaged);
  if (port + byVenue.size - 1 > MOST_PORT)
    throw new TapedeckError(
      'E_USAGE',
      `while serving: ${byVenue.size} venues need as many ports, and from ${port} on there are none behind ${MOST_PORT}`,
    );
  const clocks = new Map<string, TapeClock>();
  const clockOf = async (from: string | null): Promise<TapeClock> => {
    const start = (await tape.range(from === null ? BEGINNING : parseTimeSpec(from), undefined)).from ?? Number.NaN;
    const at = Math.max(start, range.from ?? Number.NEGATIVE_INFINITY);
    const name = from ?? '';
    const known = clocks.get(name);
    if (known !== undefined) return known;
    const clock = createTapeClock(at, speed, () => performance.now() * 1000);
    clocks.set(name, clock);
    return clock;
  };

  const exchanges: (TapeExchange & { id: string })[] = [];
  let finish: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const changed = (): void => {
    // what nobody was played from, or somebody was and all are gone, is not kept
    for (const [name, clock] of clocks) if (clock.empty && !clock.begun) clocks.delete(name);
    const isAwaited = [...clocks.values()].some(({ awaited }) => awaited);
    if (exchanges.some(({ ended }) => ended) && !isAwaited && exchanges.every(({ playing }) => playing === 0)) finish();
  };
  const stop = async (): Promise<void> => {
    await Promise.all(exchanges.map((exchange) => exchange.stop()));
    finish();
  };
  try {
    for (const [venue, groups] of byVenue) {
      const { topics, headers } = await findTopics(venue, groups, range, damaged);
      const exchange = await serveTapeVenue({
        ...{
          venue,
          groups,
          topics,
          headers,
          range,
          speed,
          maxIdleMicros,
          reenact,
          host,
          clockOf,
          note,
          damaged,
          changed,
        },
        faults: options.faults,
        port: port === 0 ? 0 : port + exchanges.length,
        settleMs: options.settleMs ?? SETTLE_MS,
      });
      exchanges.push(Object.assign(exchange, { id: venue.id }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    venues: exchanges.map(({ id, wsUrl, httpUrl }) => ({ id, wsUrl, httpUrl })),
    get sent() {
      return exchanges.reduce((sum, exchange) => sum + exchange.sent, 0);
    },
    done,
    stop,
  };
}

/** The tape's srcs by venue, in the order in which they were named; files of which nothing can be read are damage. */
function venuesOf(tape: Tape, damaged: (damage: Damage['damage']) => void): Map<ServedVenue, Segment[][]> {
  if (tape.hasStdin)
    throw new TapedeckError('E_USAGE', "while serving: '-' (stdin) can be read once, each client reads a tape anew");
  const byVenue = new Map<ServedVenue, Segment[][]>();
  for (const group of tape.groups) {
    const [{ unreadable, form, path }] = group;
    if (unreadable) {
      for (const item of segmentItems(group[0])) if ('damage' in item) damaged(item.damage);
      continue;
    }
    if (form === 'stream')
      throw new TapedeckError('E_USAGE', 'while serving: a pipe can be read once, each client reads a tape anew', {
        file: path,
      });
    for (const segment of group) segment.header();
    const { id } = venueById(group[0].header().tape.venue);
    const venue = servedVenue(id);
    if (venue === null) throw new TapedeckError('E_USAGE', `while serving: ${id} cannot be served`);
    const groups = byVenue.get(venue) ?? [];
    byVenue.set(venue, [...groups, [...group]]);
  }
  if (byVenue.size === 0)
    throw new TapedeckError('E_NOT_A_TAPE', 'while serving: nothing that was named is a tape that can be read');
  return byVenue;
}
