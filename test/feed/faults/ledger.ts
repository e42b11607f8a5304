/** What an exchange published, whether anybody was there to hear it or not. */

import { servedVenue } from '../../../src/venues/servers.js';
import type { ServedMarket, Venue, VenueServer } from '../../../src/venues/venue.js';

/** In the place of a message: the exchange counts anew from here on. */
export const ANEW = '';

export interface Ledger {
  /** texts by topic, in order */
  published: Map<string, string[]>;
  /** the book of a topic as everybody should know it now, told anew; null where books do not begin in their stream */
  opening(topic: string): string | null;
  /** the venue's server, what it publishes written down; `edit` is applied to all it says */
  watch(market: ServedMarket): VenueServer;
  /** from now on all numbers of Binance's numberings are more (or less) by so much */
  renumber(by: number): void;
}

const NUMBERS = /"(U|u|pu|t|a|f|l|lastUpdateId)":(\d+)/g;

/** @param symbols, channels what a recorder asks for */
export function createLedger(venue: Venue, symbols: string[], channels: string[], more: Partial<VenueServer>): Ledger {
  let offset = 0;
  const edit = (text: string): string =>
    offset === 0 ? text : text.replace(NUMBERS, (_all, key: string, id: string) => `"${key}":${Number(id) + offset}`);
  const published = new Map<string, string[]>();
  const edited = <T extends { text: string }>(said: T[]): T[] => said.map((one) => ({ ...one, text: edit(one.text) }));
  let newest: VenueServer | null = null;
  const countAnew = (): void => {
    for (const all of published.values()) all.push(ANEW);
  };
  return {
    published,
    renumber(by) {
      offset += by;
      countAnew();
    },
    opening: (topic) => newest?.opening?.(topic)?.text ?? null,
    watch(market) {
      const server = servedVenue(venue.id)?.server(market);
      if (server === undefined) throw new Error(`${venue.id} cannot be simulated`);
      newest = server;
      countAnew();
      // listeners without sockets, which therefore miss nothing
      const witnesses = venue.connections(symbols, channels).map((plan) => {
        const client = server.connect(plan.path);
        if (client === null) throw new Error(`no endpoint ${plan.path}`);
        for (const text of plan.subscribe) server.receive(client, text);
        return client;
      });
      return {
        ...server,
        ...more,
        receive: (client, text) => edited(server.receive(client, text)),
        render(event) {
          const messages = edited(server.render(event));
          for (const { topic, text } of messages) {
            for (const witness of witnesses) {
              const said = server.wrap(witness, topic, text);
              if (said === null) continue;
              const all = published.get(topic) ?? [];
              published.set(topic, all);
              all.push(said);
            }
          }
          return messages;
        },
        rest(path, of) {
          const answer = server.rest(path, of);
          return { ...answer, body: edit(answer.body) };
        },
      };
    },
  };
}
