/** An exchange and a recorder in one: puts what is said into a venue's words, on sockets that nobody has to open. */
import type { Micros } from '../../model/entry.js';
import type { Instrument } from '../../model/instrument.js';
import type { Snapshot } from '../../model/rules.js';
import { servedVenue } from '../../venues/servers.js';
import type { ServedClient, ServedMarket, ServedMessage, Venue, VenueServer } from '../../venues/venue.js';
import { printerOf } from '../listing.js';
import type { Said } from './sayings.js';
import type { Level, Play, Trouble } from './scenario.js';

/** Ids of the first book and the first trade; one that was started anew counts from lower ones. */
const FIRST_UPDATE = 5_000_000;
const FIRST_TRADE = 7_000_000;
const RESTARTED_UPDATE = 1000;

/** Takes down what the recorder hears. */
export interface Notes {
  entry(entry: object): void;
  message(conn: string, text: string): void;
  http(url: string, status: number, body: string): void;
  now(): Micros;
}

interface Socket {
  conn: string;
  path: string;
  client: ServedClient;
}

export class Desk implements ServedMarket {
  readonly channels: string[];
  readonly #venue: Venue;
  readonly #instrument: Instrument;
  readonly #notes: Notes;
  readonly #separate: boolean;
  readonly #bids: Map<number, number>;
  readonly #asks: Map<number, number>;
  readonly #price: (ticks: number) => string;
  readonly #size: (lots: number) => string;
  #server: VenueServer;
  #sockets: Socket[] = [];
  #opened = 0;
  #update = FIRST_UPDATE;
  /** id of the book before its change number 0 */
  #updateBase = FIRST_UPDATE;
  #trade = FIRST_TRADE;
  #bookAt: Micros = 0;
  readonly #troubles = new Set<Trouble>();

  constructor(venue: Venue, instrument: Instrument, { bids, asks }: Play, sockets: 'one' | 'two', notes: Notes) {
    this.#venue = venue;
    this.#instrument = instrument;
    this.#notes = notes;
    this.#separate = sockets === 'two';
    this.#bids = new Map(bids);
    this.#asks = new Map(asks);
    this.#price = printerOf(instrument.tick);
    this.#size = printerOf(instrument.lot);
    this.channels = ['depth', venue.channels.flow];
    this.#server = this.#start();
  }

  #start(): VenueServer {
    const { id } = this.#venue;
    const venue = servedVenue(id);
    if (venue === null) throw new RangeError(`${id} has no exchange's side`);
    return venue.server(this);
  }

  now(): Micros {
    return this.#notes.now();
  }

  instruments(): Instrument[] {
    return [this.#instrument];
  }

  snapshot(symbol: string, limit: number): Snapshot | null {
    if (symbol !== this.#instrument.symbol) return null;
    const side = (levels: ReadonlyMap<number, number>, order: 1 | -1): [string, string][] =>
      [...levels]
        .sort((a, b) => order * (a[0] - b[0]))
        .slice(0, limit)
        .map((level) => this.#text(level));
    const emitted = this.#notes.now();
    const matched = this.#bookAt === 0 ? emitted : this.#bookAt;
    return { id: this.#update, emitted, matched, bids: side(this.#bids, -1), asks: side(this.#asks, 1) };
  }

  #text([price, size]: Level): [string, string] {
    return [this.#price(price), this.#size(size)];
  }

  /** Opens sockets, asks for everything, and for the book where it does not come by itself. */
  open(): void {
    const { symbol } = this.#instrument;
    const groups = this.#separate ? this.channels.map((channel) => [channel]) : [this.channels];
    this.#sockets = [];
    for (const plan of groups.flatMap((channels) => this.#venue.connections([symbol], channels))) {
      const client = this.#server.connect(plan.path);
      if (client === null) throw new RangeError(`${this.#venue.id} has nothing at ${plan.path}`);
      const socket = { conn: `scene.${++this.#opened}`, path: plan.path, client };
      this.#sockets.push(socket);
      this.#notes.entry({ conn: socket.conn, open: { url: `wss://scene${plan.path}` } });
      for (const { text } of this.#server.greeting?.(client) ?? []) this.#hear(socket, text);
      for (const text of plan.subscribe)
        for (const reply of this.#server.receive(client, text)) this.#hear(socket, reply.text);
    }
    this.#fetch();
  }

  #hear({ conn }: Socket, text: string): void {
    this.#notes.message(conn, text);
  }

  #fetch(): void {
    const { snapshot } = this.#venue.rest;
    if (snapshot === undefined) return;
    const path = snapshot(this.#instrument.symbol);
    const { status, body } = this.#server.rest(path, this);
    this.#notes.http(`https://scene${path}`, status, body);
  }

  /** Writes down one saying; its times count from `start`. */
  say(said: Said, start: Micros): void {
    if (said.kind === 'trouble') this.#befall(said.what);
    else if (said.kind === 'book') this.#sayBook(said, start);
    else this.#sayOrder(said, start);
  }

  #sayBook({ at, matched, bids, asks, changes }: Extract<Said, { kind: 'book' }>, start: Micros): void {
    const previous = this.#update;
    this.#update += changes;
    this.#bookAt = start + matched;
    for (const [side, levels] of [
      [this.#bids, bids],
      [this.#asks, asks],
    ] as const)
      for (const [price, size] of levels) {
        if (size > 0) side.set(price, size);
        else side.delete(price);
      }
    const messages = this.#server.render({
      ...{ kind: 'depth', symbol: this.#instrument.symbol, emitted: start + at, matched: start + matched },
      ...{ first: previous + 1, last: this.#update, previous },
      bids: bids.map((level) => this.#text(level)),
      asks: asks.map((level) => this.#text(level)),
    });
    if (!this.#troubles.delete('lost book')) this.#push(messages);
  }

  #sayOrder({ at, matched, side, fills, offBook, change }: Extract<Said, { kind: 'order' }>, start: Micros): void {
    const prints = fills.map(([price, size]) =>
      this.#server.render({
        ...{ kind: 'trade', symbol: this.#instrument.symbol, emitted: start + at, matched: start + matched },
        ...{ id: ++this.#trade, price: this.#price(price), size: this.#size(size) },
        aggressor: side > 0 ? 'buy' : 'sell',
        ...(offBook === undefined ? {} : { offBook }),
        update: this.#updateBase + change,
      }),
    );
    if (this.#troubles.delete('lost trade')) prints.shift();
    if (this.#troubles.delete('trades swapped')) [prints[0], prints[1]] = [prints[1], prints[0]];
    if (this.#troubles.delete('trades twice')) prints.push(...prints.slice());
    for (const messages of prints) this.#push(messages);
  }

  #push(messages: readonly ServedMessage[]): void {
    for (const { topic, text } of messages)
      for (const socket of this.#sockets) {
        const wrapped = this.#server.wrap(socket.client, topic, text);
        if (wrapped !== null) this.#hear(socket, wrapped);
      }
  }

  #befall(what: Trouble): void {
    if (what === 'rejoined') this.#rejoin();
    else if (what === 'restarted') this.#restart();
    else this.#troubles.add(what);
  }

  /** The recorder saw that the chain of books is broken. */
  #rejoin(): void {
    this.#notes.entry({ gap: { stream: 'depth', from: this.#notes.now() - 1, reason: 'sequence' } });
    this.#reopen();
    this.#fetch();
  }

  /** Books that begin in their stream begin there again. */
  #reopen(): void {
    for (const socket of this.#sockets)
      for (const topic of socket.client.topics) {
        const opening = this.#server.opening?.(topic);
        if (opening) this.#hear(socket, opening.text);
      }
  }

  /** A venue that sends whole books sends one by the sockets that are open; any other one cuts them. */
  #restart(): void {
    this.#updateBase -= this.#update - RESTARTED_UPDATE;
    this.#update = RESTARTED_UPDATE;
    this.#server = this.#start();
    if (this.#venue.rest.snapshot === undefined) {
      this.#reopen();
      return;
    }
    for (const { conn } of this.#sockets) this.#notes.entry({ conn, close: { code: 1006, reason: '' } });
    this.open();
  }
}
