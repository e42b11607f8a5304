/** Keeps connections as a venue does: its pings of both kinds, and the end of those who answer none of them or say nothing. */
import type { WebSocket } from 'ws';
import type { VenueServer } from '../venues/venue.js';

/** A client as far as its connection is concerned. */
export interface Kept {
  readonly socket: WebSocket;
  /** protocol-level pings sent and not answered */
  pings: number;
  /** monotonic ms of its newest word */
  readonly saidAt: number;
}

export interface KeeperOptions<C extends Kept> {
  rules: Pick<VenueServer, 'pingEveryMs' | 'beat' | 'quietMs'>;
  /** monotonic ms from which intervals count */
  since: number;
  /** what a protocol-level ping carries */
  pingText(client: C): string;
  /** the venue's own ping is due to a client */
  beat(client: C): void;
  /** a client answered none of several pings */
  deaf(client: C): void;
  /** a client has said nothing for longer than the venue allows */
  mute(client: C): void;
}

/** A client that answered none of so many pings is gone. */
const PINGS_UNANSWERED = 3;

/** Does what is due at monotonic `now`; a client may be gone behind any of it. */
export type Keeper<C extends Kept> = (clients: Iterable<C>, now: number) => void;

export function createKeeper<C extends Kept>(options: KeeperOptions<C>): Keeper<C> {
  const { rules, since, pingText, beat, deaf, mute } = options;
  const { pingEveryMs, quietMs = Number.POSITIVE_INFINITY } = rules;
  const beatEveryMs = rules.beat?.everyMs ?? Number.POSITIVE_INFINITY;
  let pingAt = since + pingEveryMs;
  let beatAt = since + beatEveryMs;

  const ping = (client: C): void => {
    if (client.pings++ >= PINGS_UNANSWERED) deaf(client);
    else client.socket.ping(pingText(client));
  };

  return (clients, now) => {
    const isPing = now >= pingAt;
    const isBeat = now >= beatAt;
    if (isPing) pingAt = now + pingEveryMs;
    if (isBeat) beatAt = now + beatEveryMs;
    for (const client of [...clients]) {
      if (isPing) ping(client);
      if (isBeat) beat(client);
      if (now - client.saidAt > quietMs) mute(client);
    }
  };
}
