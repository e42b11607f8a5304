/** Where a book without a base gets one: over REST, or in its own stream, which brings a snapshot after a subscription. */
import type { Venue } from '../venues/venue.js';
import type { Connection } from './connection.js';
import type { Route } from './source.js';
import type { Sync } from './sync.js';

export interface SnapshotSeeker {
  /**
   * The book of the topic waits for a snapshot, as its data by `connection` at `atMs` showed.
   * @param isLost it was valid until this very message
   */
  seek(connection: Connection, topic: string, route: Route, atMs: number, isLost: boolean): void;
  /** asks again for what did not come: a stream without a snapshot may say nothing more */
  overdue(connections: readonly Connection[], routes: ReadonlyMap<string, Route>, nowMs: number): void;
  /** the book is there */
  joined(route: Route): void;
}

/** A snapshot in a stream comes at once, or within this after the first update. */
const FIRST_SNAPSHOT_MS = 3_000;
/** Subscriptions to one topic without a snapshot before REST is asked, or else a new connection is tried. */
const MOST_RENEWALS = 2;
/** Subscribing again is limited everywhere. */
const RENEW_MS = 5_000;
const MOST_RENEW_MS = 120_000;

/** A book that crossed: how often in a row, when it may be asked for, and when that is forgotten, monotonic ms. */
interface Crossings {
  times: number;
  nextMs: number;
  untilMs: number;
}

export function createSnapshotSeeker(venue: Venue, snapshots: Sync): SnapshotSeeker {
  const crossings = new WeakMap<Route, Crossings>();

  /** A book that the venue itself crosses would cross again at once: it is asked for less and less often. */
  const putOff = (route: Route, atMs: number): void => {
    const { times, nextMs, untilMs } = crossings.get(route) ?? { times: 0, nextMs: 0, untilMs: 0 };
    const before = atMs < untilMs ? times : 0;
    route.renewAtMs = Math.max(route.renewAtMs, before > 0 ? nextMs : 0);
    const next = Math.max(atMs, route.renewAtMs) + Math.min(MOST_RENEW_MS, RENEW_MS * 2 ** before);
    crossings.set(route, { times: before + 1, nextMs: next, untilMs: next + MOST_RENEW_MS });
  };

  const seek: SnapshotSeeker['seek'] = (connection, topic, route, atMs, isLost) => {
    const { symbol } = route.recorder;
    const { renew } = venue;
    if (renew !== undefined) {
      if (isLost && route.recorder.track.gap?.reason === 'crossed') putOff(route, atMs);
      if (route.renewAtMs === 0 && !isLost) route.renewAtMs = atMs + FIRST_SNAPSHOT_MS;
      if (atMs >= route.renewAtMs) {
        route.renewAtMs = atMs + Math.min(MOST_RENEW_MS, RENEW_MS * 2 ** route.renewals);
        route.renewals++;
        if (route.renewals > MOST_RENEWALS && venue.rest.snapshot === undefined) {
          // there is no other way to a snapshot, and a new connection begins with one
          route.renewals = 0;
          connection.renew();
          return;
        }
        for (const text of renew(topic, route.renewals)) connection.say(text);
      }
      // a stream that brings none after a second subscription never will
      if (route.renewals < MOST_RENEWALS) return;
    }
    if (venue.rest.snapshot === undefined) return;
    snapshots.want(symbol);
    snapshots.tick(atMs);
  };

  return {
    seek,
    overdue(connections, routes, nowMs) {
      for (const connection of connections) {
        if (connection.state !== 'open') continue;
        for (const { name } of connection.plan.topics) {
          const route = routes.get(name)!;
          const isOverdue = route.renewAtMs > 0 && nowMs >= route.renewAtMs;
          if (isOverdue && route.recorder.track.needsSnapshot) seek(connection, name, route, nowMs, false);
        }
      }
    },
    joined(route) {
      snapshots.joined(route.recorder.symbol);
      route.renewAtMs = 0;
      route.renewals = 0;
    },
  };
}
