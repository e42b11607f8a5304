/** Lanes: connections of one plan side by side, each replaced before it ends where its end can be known. */
import type { Connection } from './connection.js';
import { createReplacement, type Replacement, replacementRetryMs } from './replacement.js';

/** Why a connection is replaced: its age, or a notice of the venue. */
export type ReplacementCause = 'lifetime' | 'shutdown';

export interface LaneOptions {
  /** monotonic ms before which it stays closed */
  startMs: number;
  /** age at which a connection is replaced; null for none */
  replaceAfterMs: number | null;
  create: () => Connection;
  /** uniform in [0, 1) */
  random: () => number;
  /** a replacement is sought for the connection */
  replacing: (old: Connection, cause: ReplacementCause) => void;
  /** it was in vain, so far */
  unfit: (fresh: Connection, retryMs: number) => void;
}

/** One connection of a plan for as long as the recording lasts, whichever socket it is. */
export interface Lane {
  /** all that are not stopped; the first is in force */
  readonly connections: readonly Connection[];
  /** topics that were late on it and asked for once more, without data since */
  readonly retried: Set<string>;
  /** does what is due at monotonic `nowMs` */
  tick(nowMs: number): void;
  /** data of the topic came */
  arrived(connection: Connection, topic: string, atMs: number): void;
  /** the venue announced that it will end the connection */
  leaving(connection: Connection): void;
  /** an open socket is gone */
  lost(connection: Connection): void;
  stop(): void;
}

/** Between two replacements: a new connection may have the notice of the old one too. */
const REPLACE_EVERY_MS = 10_000;

export function createLane(options: LaneOptions): Lane {
  const { startMs, replaceAfterMs, create, random } = options;
  let current = create();
  let fresh: Connection | null = null;
  let replacement: Replacement | null = null;
  let ending: Connection[] = [];
  let connections: readonly Connection[] = [current];
  const retried = new Set<string>();
  /** connections the venue is about to end */
  const notified = new WeakSet<Connection>();
  let replaceAtMs = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let stopped = false;

  const changed = (): void => {
    connections = [current, ...(fresh === null ? [] : [fresh]), ...ending];
  };

  const begin = (cause: ReplacementCause): void => {
    fresh = create();
    replacement = createReplacement(fresh);
    changed();
    options.replacing(current, cause);
  };

  /** The fresh connection is in force from here on. */
  const promote = (next: Connection): void => {
    ending.push(current);
    current.stop('replaced');
    current = next;
    fresh = null;
    replacement = null;
    failures = 0;
    changed();
  };

  const withdraw = (): void => {
    if (fresh === null) return;
    ending.push(fresh);
    fresh.stop('unfit');
    fresh = null;
    replacement = null;
    changed();
  };

  const dueFor = (nowMs: number): ReplacementCause | null => {
    if (current.state !== 'open' || nowMs < replaceAtMs) return null;
    if (notified.has(current)) return 'shutdown';
    return replaceAfterMs !== null && nowMs - current.openedMs >= replaceAfterMs ? 'lifetime' : null;
  };

  const replace = (nowMs: number): void => {
    if (fresh === null || replacement === null) {
      const cause = dueFor(nowMs);
      if (cause !== null) begin(cause);
      return;
    }
    const fitness = replacement.fitness(nowMs);
    if (fitness === 'ready') {
      promote(fresh);
      replaceAtMs = nowMs + REPLACE_EVERY_MS;
    } else if (fitness === 'unfit') {
      const retryMs = replacementRetryMs(++failures, random);
      replaceAtMs = nowMs + retryMs;
      options.unfit(fresh, retryMs);
      withdraw();
    }
  };

  return {
    retried,
    get connections() {
      return connections;
    },
    tick(nowMs) {
      if (nowMs < startMs) return;
      if (!stopped) replace(nowMs);
      for (const connection of connections) connection.tick(nowMs);
      if (ending.length === 0 || ending.every(({ state }) => state !== 'stopped')) return;
      ending = ending.filter(({ state }) => state !== 'stopped');
      changed();
    },
    arrived(connection, topic, atMs) {
      if (connection === current && retried.size > 0) retried.delete(topic);
      if (replacement === null) return;
      if (connection === current) replacement.wants(topic, atMs);
      else if (connection === fresh) replacement.shows(topic, atMs);
    },
    leaving: (connection) => void notified.add(connection),
    lost(connection) {
      notified.delete(connection);
      if (stopped || fresh === null) return;
      if (connection === fresh) replacement?.lost();
      // an open replacement goes on; else the old one is opened anew, and needs none
      else if (connection === current && fresh.state === 'open') promote(fresh);
      else if (connection === current) withdraw();
    },
    stop() {
      stopped = true;
      for (const connection of connections) connection.stop();
    },
  };
}
