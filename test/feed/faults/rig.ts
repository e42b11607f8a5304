/** A recorder, a relay that makes faults, and an exchange that knows what it published, all on a time of their own. */
import dns from 'node:dns';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { RecordSummary } from '../../../src/feed/recorder.js';
import { type ServedExchange, serveExchange } from '../../../src/serve/exchange.js';
import type { Exchange } from '../../../src/sim/exchange.js';
import { createRandom, type Random } from '../../../src/sim/prng.js';
import { venueById } from '../../../src/venues/registry.js';
import type { Venue, VenueServer } from '../../../src/venues/venue.js';
import { seededMarket } from '../../venues/served.js';
import { startRecording, until } from '../harness.js';
import { linesIn } from '../tape.js';
import { createLedger, type Ledger } from './ledger.js';
import { type Relay, startRelay } from './relay.js';

const START_MS = 1_786_000_000_000;
/** So far time moves at each turn of its timer: what keeps the event loop busy stops it, so that it never looks like silence. */
const STEP_MS = 25;
/** where something takes minutes */
const HURRIED_STEP_MS = 150;
const TURN_MS = 5;
/** A lively connection may be silent so long here; venues allow more. */
export const SILENCE_MS = 2_000;

export interface FaultRig {
  venue: Venue;
  symbol: string;
  channels: string[];
  /** how many a recorder has */
  connections: number;
  random: Random;
  relay: Relay;
  ledger: Ledger;
  out: string;
  notes: string[];
  status: { received: number; valid: number; gaps: number; reconnects: number };
  /** topics of a channel that the recorder listens to */
  topicOf(channel: string): string;
  /** ms by the recorder's monotonic clock */
  now(): number;
  /** sets the wall clock off by so many ms */
  step(ms: number): void;
  /** waits until so many more messages were handed on */
  heard(count: number): Promise<void>;
  /** waits for so many ms of that time */
  passed(ms: number): Promise<void>;
  /** waits while time goes faster */
  hurry(wait: Promise<unknown>): Promise<void>;
  /** waits until the book is valid and messages come */
  recovered(): Promise<void>;
  /** the exchange is gone for so many ms, and comes back with another market, its numbers begun anew */
  restart(awayMs: number): Promise<void>;
  /** while on, the recorder cannot find the exchange by its name */
  unknownHost(on: boolean): void;
  /** stops the market, then the recorder */
  finish(): Promise<RecordSummary>;
  /** lines of the tapes of the symbol, and of those of no symbol */
  lines(): Promise<{ symbol: string[]; others: string[] }>;
  close(): Promise<void>;
}

export interface FaultRigOptions {
  venue: string;
  symbol: string;
  seed: number;
  /** messages a second of that time */
  rate?: number;
  /** of the venue's server */
  server?: Partial<VenueServer>;
}

/** Names of hosts that are this machine, and whether they can be found. */
const hosts = new Map<string, boolean>();

type Lookup = (
  name: string,
  options: dns.LookupAllOptions,
  done: (error: Error | null, found: dns.LookupAddress[]) => void,
) => void;

/** Answers for the hosts above as a name server would; nothing else is asked of anybody. */
function answerNames(): void {
  if (vi.isMockFunction(dns.lookup)) return;
  const lookup: Lookup = dns.lookup;
  const answer: Lookup = (name, options, done) => {
    const isThere = hosts.get(name);
    if (isThere !== false) return lookup(isThere === undefined ? name : '127.0.0.1', options, done);
    process.nextTick(() => done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), []));
  };
  vi.spyOn(dns, 'lookup').mockImplementation(answer as typeof dns.lookup);
}

export async function createFaultRig({
  venue: id,
  symbol,
  seed,
  rate = 250,
  server = {},
}: FaultRigOptions): Promise<FaultRig> {
  answerNames();
  const venue = venueById(id);
  const random = createRandom(`${seed}:${id}`);
  const channels = [...venue.channels.default];
  const folder = await mkdtemp(join(tmpdir(), 'tapedeck-faults-'));
  const out = join(folder, 'tapes');
  const ledger = createLedger(venue, [symbol], channels, server);
  let ms = 0;
  let wallStep = 0;
  let hurried = false;
  /** the exchange's time stands still from here on */
  let frozenMs = Number.POSITIVE_INFINITY;
  const timer = setInterval(() => {
    ms += hurried ? HURRIED_STEP_MS : STEP_MS;
  }, TURN_MS);

  let market: Exchange;
  let marketEnd: () => number;
  let exchange: ServedExchange | null = null;
  /** the exchange can be reached */
  let isThere = true;
  let markets = 0;
  /** when the exchange's time began */
  let origin = Number.NaN;
  const open = async (): Promise<void> => {
    market = seededMarket(venue, [symbol], rate, { seed: seed * 100 + markets++, start: (START_MS + ms) * 1000 });
    origin = Number.NaN;
    const started = market.now();
    marketEnd = () => started + (frozenMs - origin) * 1000;
    exchange = await serveExchange({
      venue: { server: ledger.watch },
      market,
      clock() {
        if (Number.isNaN(origin)) origin = ms;
        return Math.min(ms, frozenMs);
      },
    });
  };
  await open();
  const relay = await startRelay({ venue, target: () => (isThere ? exchange : null) });
  const host = `h${relay.port}.exchange.test`;
  hosts.set(host, true);

  const notes: string[] = [];
  const status = { received: 0, valid: 0, gaps: 0, reconnects: 0 };
  const given = (): number => relay.lines.reduce((sum, line) => sum + line.given.length, 0);
  const recording = startRecording({
    ...{ venue, symbols: [symbol], channels, out },
    origin: { wsUrl: `ws://${host}:${relay.port}`, httpUrl: `http://${host}:${relay.port}` },
    note: (text) => void notes.push(text),
    status: (now) => void Object.assign(status, now),
    time: { wallMs: () => START_MS + ms + wallStep, monoMs: () => ms },
    random: () => random.next() * 0.3,
    adjust: (plan) => ({
      ...plan,
      silenceMs: plan.silenceMs === null ? null : Math.min(plan.silenceMs, SILENCE_MS),
      // the relay answers every ping, and minutes without data are too many messages of the others here
      asks: false,
    }),
    restTimeoutMs: 300,
  });

  const plans = venue.connections([symbol], channels);
  const rig: FaultRig = {
    connections: plans.length,
    ...{ venue, symbol, channels, random, relay, ledger, out, notes, status },
    topicOf(channel) {
      const found = plans.flatMap(({ topics }) => topics).find((topic) => topic.channel === channel);
      if (found === undefined) throw new Error(`no topic of ${channel}`);
      return found.name;
    },
    now: () => ms,
    step(by) {
      wallStep = by;
    },
    async heard(count) {
      const goal = given() + count;
      await until(`${count} more messages came`, () => given() >= goal);
    },
    async passed(span) {
      const goal = ms + span;
      await until(`${span} ms passed`, () => ms >= goal);
    },
    async hurry(wait) {
      hurried = true;
      await wait;
      hurried = false;
    },
    async recovered() {
      // the status is of the newest beat of the recorder: what was done to it shows some beats later
      await rig.passed(500);
      await until('the book is valid', () => status.valid === 1);
      await rig.heard(100 + random.below(100));
      await until('the book is valid still', () => status.valid === 1);
    },
    async restart(awayMs) {
      isThere = false;
      await exchange?.stop();
      await rig.passed(awayMs);
      await open();
      // what it says before anybody can hear it is lost
      const said = (): number => [...ledger.published.values()].reduce((sum, { length }) => sum + length, 0);
      const before = said();
      await until('the exchange says something', () => said() > before);
      isThere = true;
    },
    unknownHost(on) {
      hosts.set(host, !on);
    },
    async finish() {
      frozenMs = ms;
      await until('the market stands still', () => market.now() >= marketEnd());
      for (const line of relay.lines) await line.settled();
      return recording.stop();
    },
    async lines() {
      const all = await linesIn(out);
      const own = `"src":"${id}:${symbol}"`;
      return { symbol: all.filter((line) => line.includes(own)), others: all.filter((line) => !line.includes(own)) };
    },
    async close() {
      clearInterval(timer);
      hosts.delete(host);
      const ended = recording.stop().catch(() => {});
      await relay.close();
      await ended;
      await exchange?.stop();
      await rm(folder, { recursive: true });
    },
  };
  return rig;
}
