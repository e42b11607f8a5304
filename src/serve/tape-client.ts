/** One client of a served tape: it says what it wants, plays the tape for itself, and is paused where it does not read. */
import type { Duplex } from 'node:stream';
import { setTimeout as sleep, setImmediate as yieldToEvents } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { isOwnClose, type Micros } from '../model/entry.js';
import { pace } from '../tape/pace.js';
import type { ServedClient, ServedMessage } from '../venues/venue.js';
import { LINES_PER_TURN } from './cursor.js';
import type { FaultyPlace, Place } from './places.js';
import type { Step } from './recorded-market.js';
import type { TapeClock } from './tape-clock.js';

export interface TapeClientOptions extends Place {
  socket: WebSocket;
  stream: Duplex;
  served: ServedClient;
  clock: TapeClock;
  /** what it hears where faults are put in; the place itself stays as the tape tells it, as an exchange would */
  faulty: FaultyPlace | null;
  speed: number;
  maxIdleMicros?: Micros | undefined;
  /** it is cut where the tape says that the recorder was */
  reenact: boolean;
  /** milliseconds without a word after which a tape that nobody plays yet begins */
  settleMs: number;
  /** a topic is not on the tape: what becomes of it */
  remark(topic: string, text: string): void;
  /** the tape is played to it from now on */
  started(): void;
  over(ending: Ending): void;
}

/** It heard the whole tape, or lost its connection as the recorder did, or its tape cannot be played on. */
export type Ending =
  | { how: 'ended' }
  | { how: 'lost'; code: number; reason: string }
  | { how: 'failed'; reason: string };

export interface TapeClient extends Place {
  readonly socket: WebSocket;
  readonly stream: Duplex;
  readonly served: ServedClient;
  readonly clock: TapeClock;
  /** the tape is played to it; before that its words only prepare */
  readonly live: boolean;
  /** it is played to, or will be as soon as its words were looked at */
  readonly busy: boolean;
  /** messages of topics sent so far */
  readonly sent: number;
  /** monotonic ms of its newest word */
  readonly saidAt: number;
  say(text: string): void;
  /** takes a text in; null where only the address was said. Texts are answered in order */
  hear(text: string | null): void;
  /** ends its playing */
  stop(): void;
}

/** Bytes that wait for a client before it is paused. */
const PAUSE_BYTES = 1 << 20;
/** Its words that wait before it is not heard any more, until they all were looked at. */
const WORDS_AHEAD = 64;

/** What a timer can hold, and the clock is asked again. */
const MOST_NAP_MS = 1_000_000;

/** To the millisecond: what wakes more exactly keeps all other clients waiting meanwhile. */
const nap = async (micros: Micros, signal?: AbortSignal): Promise<void> => {
  await sleep(Math.min(micros / 1000, MOST_NAP_MS), undefined, signal === undefined ? {} : { signal }).catch(() => {});
};

export function createTapeClient(options: TapeClientOptions): TapeClient {
  const { market, server, made, cursor, socket, stream, served, clock, faulty, speed, reenact } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  /** topics that were looked at, whether they are on the tape */
  const seen = new Set<string>();
  let work: Promise<void> = Promise.resolve();
  /** words taken in and not looked at */
  let waiting = 0;
  let live = false;
  let sent = 0;
  let saidAt = performance.now();
  /** tape time up to which its place was looked up */
  let joined: Micros = Number.NEGATIVE_INFINITY;

  const say = (text: string): void => socket.send(server.pack === undefined ? text : server.pack(text));

  const fail = (error: unknown): void => {
    if (!signal.aborted)
      options.over({ how: 'failed', reason: error instanceof Error ? error.message : String(error) });
  };

  const answer = async (text: string | null): Promise<void> => {
    if (signal.aborted) return;
    if (!live) {
      joined = clock.position();
      await cursor.advance(market, joined);
      if (signal.aborted) return;
    }
    // a book that the server makes already opens by itself; one that it does not make yet is empty to it
    if (text !== null) for (const reply of server.receive(served, text)) say(reply.text);
    lookAtTopics();
    if (!live && served.topics.size > 0) {
      live = true;
      options.started();
      void play().catch(fail);
    }
    if (socket.bufferedAmount > PAUSE_BYTES) await drained();
  };

  /** Topics asked for since the last look: what is not on the tape is made, or silent, and that is said. */
  const lookAtTopics = (): void => {
    const fresh = new Set<string>();
    for (const topic of served.topics) {
      if (seen.has(topic)) continue;
      seen.add(topic);
      if (market.recorded(topic) !== undefined) continue;
      const symbol = server.bookTopic(topic);
      if (symbol === null) {
        options.remark(topic, 'not on the tape, and stays silent');
        continue;
      }
      options.remark(topic, 'not on the tape, made from its book');
      if (made.need(symbol)) fresh.add(symbol);
      // otherwise the ack brought it
      if (!fresh.has(symbol)) continue;
      const opening = server.opening?.(topic) ?? null;
      if (opening !== null) say(opening.text);
    }
    for (const topic of seen) if (!served.topics.has(topic)) seen.delete(topic);
  };

  /** A tape that nobody plays yet begins when this client has said all it wants, and all of it was looked at. */
  const settle = async (): Promise<void> => {
    const left = (): number => saidAt + options.settleMs - performance.now();
    while (!clock.begun && !signal.aborted) {
      if (left() > 0) await sleep(left(), undefined, { signal }).catch(() => {});
      // where this process was kept waiting, what was said meanwhile is still unread
      await yieldToEvents();
      if (left() > 0 || signal.aborted) continue;
      if (waiting === 0) clock.begin();
      else await work;
    }
  };

  const play = async (): Promise<void> => {
    await settle();
    if (signal.aborted) return;
    const { maxIdleMicros } = options;
    const idle = maxIdleMicros === undefined ? {} : { maxIdleMicros };
    await faulty?.cursor.advance(faulty.market, joined);
    const heard = faulty ?? { market, cursor };
    const flow = pace(heard.cursor.rest(), { speed, standsAt: clock.position(), signal, sleep: nap, ...idle });
    let lines = 0;
    for await (const item of flow) {
      if ('damage' in item) continue;
      for (const step of heard.market.play(item)) {
        clock.reached(step.t);
        let more: ServedMessage[] = [];
        if (faulty === null) more = made.follow(step, served.topics);
        else await cursor.advance(market, step.t, (clean) => void more.push(...made.follow(clean, served.topics)));
        if (signal.aborted) return;
        if (step.close !== null && isEvent(step)) {
          await drained();
          if (!signal.aborted) options.over({ how: 'lost', ...step.close });
          return;
        }
        deliver(step, more);
        if (socket.bufferedAmount > PAUSE_BYTES) await drained();
        else if (++lines % LINES_PER_TURN === 0) await yieldToEvents();
        if (signal.aborted) return;
      }
    }
    if (signal.aborted) return;
    await drained();
    if (!signal.aborted) options.over({ how: 'ended' });
  };

  /** Whether the end of a recorded connection is one that this client has to live through. */
  const isEvent = ({ close, conn }: Step): boolean =>
    reenact &&
    conn !== null &&
    close !== null &&
    !isOwnClose(close) &&
    [...served.topics].some((topic) => market.carrier(topic, server.bookTopic(topic)) === conn);

  const deliver = (step: Step, more: readonly ServedMessage[]): void => {
    if (socket.readyState !== socket.OPEN) return;
    const recorded = step.topic === null ? null : recordedText(step, step.topic);
    const texts = more.map(({ topic, text }) => server.wrap(served, topic, text));
    for (const text of [recorded, ...texts]) {
      if (text === null) continue;
      say(text);
      sent++;
    }
  };

  const recordedText = (step: Step, topic: string): string | null => {
    if (server.replay !== undefined) return server.replay(served, topic, step.text());
    return served.topics.has(topic) ? step.text() : null;
  };

  /** Resolves when all that waits was taken, or when the client is gone. */
  const drained = (): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted || !stream.writable) resolve();
      else stream.write('', () => resolve());
    });

  return {
    market,
    server,
    made,
    cursor,
    socket,
    stream,
    served,
    clock,
    get live() {
      return live;
    },
    get busy() {
      return live || waiting > 0;
    },
    get sent() {
      return sent;
    },
    get saidAt() {
      return saidAt;
    },
    say,
    hear(text) {
      if (text !== null) saidAt = performance.now();
      if (++waiting >= WORDS_AHEAD) socket.pause();
      work = work
        .then(() => answer(text))
        .catch(fail)
        .then(() => {
          if (--waiting === 0) socket.resume();
        });
    },
    stop() {
      stopping.abort();
      void cursor.close();
      void faulty?.cursor.close();
    },
  };
}
