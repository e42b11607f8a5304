/** One src from entries to signals: track, market state, detectors, units. */

import { TouchRun } from '../decode/touch-run.js';
import { scannerBooks } from '../decode/wasm-books.js';
import type { Follower } from '../market/follower.js';
import { Market, Wake } from '../market/market.js';
import { surroundingsOf } from '../market/surroundings.js';
import { createTrack, Effect, type Track } from '../market/track.js';
import { type OneStream, Union } from '../market/union.js';
import type { Checkpoint, Entry, HeaderEntry, Micros, Source } from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind, MORE } from '../model/event.js';
import type { Instrument } from '../model/instrument.js';
import type { EndReason, Signal } from '../model/signal.js';
import { MICROS_PER_MINUTE } from '../model/time.js';
import { Confirmation } from '../signals/confirmation.js';
import type { DetectorRun } from '../signals/detector.js';
import type { Chosen } from '../signals/registry.js';
import { Voice } from '../signals/voice.js';
import type { Venue } from '../venues/venue.js';
import { Checksum, type SumsPart } from './checksum.js';
import { type ChosenFits, chooseFits } from './fits.js';
import { lookback, type ScanSettings } from './settings.js';

/** A signal and its JSON line without the newline. */
export interface Printed {
  line: string;
  signal: Signal;
}

interface Running {
  run: DetectorRun;
  voice: Voice;
  /** Effect bits that take away what it rests on */
  rests: number;
}

const ANY_WAKE = Wake.trade | Wake.book | Wake.beat | Wake.group;

/** A detector among those that the same Wake bits wake; of these it is told those it asked for. */
interface Look {
  evaluate: DetectorRun['evaluate'];
  why: number;
}

/** A market that is looked at without being judged. */
export interface Seen {
  readonly venue: string;
  readonly symbol: string;
  readonly market: Market;
  /** what came before is not to be shown */
  readonly from: Micros;
  /** an entry at or behind the end of the range was met: all before it is known */
  readonly done: boolean;
}

/** What a src's scan tells its owner. */
export interface PipelineSink {
  print(printed: Printed): void;
  /** a sentence for people */
  note(text: string): void;
  /** asked for every market, and again when its instrument changes: who follows it beside the detectors */
  view?: ((seen: Seen) => Follower) | undefined;
}

/**
 * Scans one src. Signals of one entry are printed in byte order of their lines, and those of later entries are later in time;
 * so everything printed is in byte order.
 */
export class Pipeline {
  readonly src: Source;
  /** an entry at or after `to` was met: nothing more is to come */
  done = false;
  readonly #settings: ScanSettings;
  readonly #sink: PipelineSink;
  readonly #venue: Venue;
  readonly #connOf: (origin: number) => string | null;
  readonly #speaker: { venue: string; symbol: string; recorder: string };
  #track: Track;
  #union: Union;
  readonly #one: OneStream;
  #fits: ChosenFits = { fits: [], notes: [] };
  #market: Market;
  readonly #checksum: Checksum | null;
  readonly #run = new TouchRun();
  #running: Running[] = [];
  /** by Wake bits, whom they wake: who looks for other things is not asked for every message */
  #looks: readonly (readonly Look[])[] = [];
  #confirmation: Confirmation | null = null;
  #header: HeaderEntry;
  #t: Micros = 0;
  #begun = false;
  /** what lies before the next entry was not recorded, or is lost: trades are whole from there on */
  #resumes = false;
  #unitEnd = Number.POSITIVE_INFINITY;
  /** before this time nothing begins or ends, and time only moves on */
  #turn: Micros = Number.NEGATIVE_INFINITY;
  #from: Micros;
  /** Wake bits of the records before the last of a message */
  #wake = 0;
  #said: Printed[] = [];
  /** what was said of detectors that cannot work, so that another header does not say it again */
  readonly #noted = new Set<string>();

  /** @param connOf the connection that records of an origin came by */
  constructor(
    header: HeaderEntry,
    venue: Venue,
    settings: ScanSettings,
    connOf: (origin: number) => string | null,
    sink: PipelineSink,
  ) {
    this.src = header.src;
    this.#settings = settings;
    this.#sink = sink;
    this.#venue = venue;
    this.#header = header;
    const { symbol, recorder } = header.tape;
    this.#speaker = { venue: header.tape.venue, symbol, recorder };
    this.#from = Math.max(settings.from ?? Number.NEGATIVE_INFINITY, header.tape.from ?? Number.NEGATIVE_INFINITY);
    this.#connOf = connOf;
    this.#track = this.#createTrack();
    this.#union = this.#createUnion(this.#track);
    this.#one = { record: (buffer, i) => this.#record(buffer, i), nothing: (t) => this.#pass(t) };
    this.#market = this.#createMarket();
    this.#checksum = settings.checksum ? new Checksum(this.#market) : null;
    this.#createRuns();
  }

  #createTrack(): Track {
    const { instrument, flow } = this.#header.tape;
    return createTrack({ instrument, rules: this.#venue, flow, connOf: this.#connOf, rooms: scannerBooks });
  }

  #createUnion(track: Track): Union {
    return new Union({ track, rules: this.#venue, connOf: this.#connOf });
  }

  #createMarket(): Market {
    const { baseline, warmup, htf } = this.#settings;
    const facts = this.#venue.capabilities;
    const baselineMinutes = baseline / MICROS_PER_MINUTE;
    const hasTouches = holdsTouches(this.#header, this.#venue);
    const times = { warmup, baselineMinutes, htf, lookback: lookback(this.#settings) };
    this.#fits = chooseFits(this.#settings.fits, this.#header, this.#from, this.#settings.detectors.of(this.src));
    return new Market(this.#track, { facts, ...times, hasTouches, fits: this.#fits.fits });
  }

  #createRuns(): void {
    const { view } = this.#sink;
    for (const note of this.#fits.notes) this.#note(note);
    if (view !== undefined) this.#market.follow(view(this.#seen()));
    for (const chosen of this.#settings.detectors.of(this.src)) {
      const reason = unsupported(chosen, this.#header, this.#venue);
      if (reason === null) this.#running.push(this.#createRun(chosen));
      else this.#note(`${this.src}: ${chosen.detector.name} is unsupported: ${reason}`);
    }
    this.#looks = Array.from({ length: ANY_WAKE + 1 }, (_, wake) => looksOf(this.#running, wake));
  }

  #seen(): Seen {
    const { venue, symbol } = this.#speaker;
    const [from, done] = [() => this.#from, () => this.done];
    return {
      ...{ venue, symbol, market: this.#market },
      get from() {
        return from();
      },
      get done() {
        return done();
      },
    };
  }

  #confirms(): Confirmation {
    this.#confirmation ??= new Confirmation(this.#market);
    return this.#confirmation;
  }

  #note(text: string): void {
    if (this.#noted.has(text)) return;
    this.#noted.add(text);
    this.#sink.note(text);
  }

  #createRun({ detector, options }: Chosen): Running {
    const { capabilities } = this.#venue;
    const byBook = detector.needs.includes('book');
    const byTrades = detector.needs.includes('trades');
    const byLiquidations = detector.needs.includes('liquidations');
    const byTouches = detector.touches === true && this.#market.options.hasTouches === true;
    // no venue numbers its liquidations, and ids of best quotes skip: one that is lost leaves no trace
    const byUnnumbered = byLiquidations || byTouches;
    const provable =
      !(byBook && !capabilities.bookLossDetected) && !(byTrades && !capabilities.tradeLossDetected) && !byUnnumbered;
    const parameters = JSON.stringify(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
    const voice = new Voice({
      ...{ name: detector.name, parameters, provable, speaker: this.#speaker, market: this.#market },
      // followed only where there are signals
      around: surroundingsOf(this.#market),
      confirmation: detector.confirms === true ? this.#confirms() : null,
      plan: this.#settings.plan,
      say: (t, signal) => this.#say(t, signal),
    });
    const beside = byUnnumbered ? Effect.besideGap : 0;
    const rests = (byBook ? Effect.lost : 0) | (byTrades ? Effect.tradeGap : 0) | beside;
    const run = detector.create(options, this.#market, voice);
    if ((run.wake & Wake.group) !== 0) this.#market.hearGroups();
    return { run, voice, rests };
  }

  /**
   * Applies record `i` of a decoded batch, and those behind it that are this src's too.
   * @returns the first record it left alone
   */
  records(buffer: EventBuffer, i: number): number {
    const { events } = buffer;
    const origin = events[i * EVENT_STRIDE + Field.ORIGIN];
    const union = this.#union;
    union.meet(origin);
    // what one connection brings alone passes as it comes
    const end = union.several ? union.alone(buffer, i) : buffer.count;
    if (end === i) return union.take(buffer, i, this.#one);
    let n = i;
    do {
      const before = n;
      if (events[n * EVENT_STRIDE + Field.KIND] === Kind.touch) n = this.#touches(events, n, end);
      if (n === before) this.#record(buffer, n++);
    } while (n < end && events[n * EVENT_STRIDE + Field.ORIGIN] === origin);
    return n;
  }

  /** Best quotes are most of all messages and only time looks at them: where nothing is due they pass as a run. */
  #touches(events: Float64Array, i: number, count: number): number {
    const run = this.#run;
    const checksum = this.#checksum;
    const track = this.#track;
    const quiet = Math.min(this.#turn, this.#market.due);
    const n = run.take(events, i, count, this.#t, quiet, track.emitted, checksum === null ? 0 : checksum.touchWord);
    if (n === i) return i;
    this.#t = run.t;
    this.#market.t = run.t;
    track.touches(events, n - 1, n - i, run.emitted);
    checksum?.touches(n - i, run.word);
    if (this.#market.hearsTouches) this.#market.touches(events, i, n);
    return n;
  }

  /** Applies record `i` of a decoded batch. */
  #record(buffer: EventBuffer, i: number): void {
    const t = buffer.events[i * EVENT_STRIDE + Field.T];
    if (t > this.#t) {
      if (t < this.#turn) this.#t = t;
      else this.#move(t);
    }
    if (this.done) return;
    const beat = this.#market.advance(this.#t);
    const effect = this.#track.apply(buffer, i);
    if ((effect & Effect.touch) !== 0 && this.#market.hearsTouches) this.#market.touches(buffer.events, i, i + 1);
    if ((buffer.events[i * EVENT_STRIDE + Field.FLAGS] & MORE) !== 0)
      this.#wake |= beat | this.#take(effect, buffer, i);
    else if ((beat | this.#wake) !== 0 || (effect & ~Effect.touch) !== 0) this.#follow(effect, beat, buffer, i);
    this.#checksum?.add(effect, buffer, i);
  }

  /** Applies an entry that is no decoded message. */
  entry(entry: Entry): void {
    if (entry.t > this.#t) this.#move(entry.t);
    if (this.done) return;
    const beat = this.#market.advance(this.#t);
    this.#follow(this.#union.entry(entry, this.#one), beat, null, 0);
  }

  /** True where a checkpoint says nothing new: it was reached with a valid book. */
  get knowsBook(): boolean {
    return this.#track.state === 'valid';
  }

  /** An entry at `t` that only moves time. */
  pass(t: Micros): void {
    if (t > this.#t) this.#move(t);
    if (this.done) return;
    const beat = this.#market.advance(this.#t);
    this.#union.pass(t, this.#one);
    this.#follow(Effect.none, beat, null, 0);
  }

  /** A message at `t` that brought nothing new. */
  #pass(t: Micros): void {
    if (t > this.#t) this.#move(t);
    if (!this.done) this.#follow(Effect.none, this.#market.advance(this.#t), null, 0);
  }

  /** A header of the same src: another segment, another recorder run, or a changed instrument. */
  header(header: HeaderEntry): void {
    const before = this.#header.tape;
    this.#header = header;
    const { tape } = header;
    this.#from = Math.max(this.#from, tape.from ?? Number.NEGATIVE_INFINITY);
    const sameQuotes = this.#market.options.hasTouches === holdsTouches(header, this.#venue);
    const sameMarket = sameInstrument(before.instrument, tape.instrument) && before.flow === tape.flow && sameQuotes;
    if (sameMarket && before.recorder === tape.recorder) return;
    this.#lost('restart');
    this.#speaker.recorder = tape.recorder;
    if (sameMarket) return;
    // another scale of sizes and prices, or another source of quotes: all state starts anew, sums go on
    this.#track = this.#createTrack();
    this.#union = this.#createUnion(this.#track);
    this.#market = this.#createMarket();
    this.#running = [];
    this.#confirmation = null;
    this.#createRuns();
    this.#checksum?.moveTo(this.#market);
  }

  /** Bytes of the tape are lost at this place. */
  damage(): void {
    this.#lost('damage');
  }

  #lost(reason: 'damage' | 'restart'): void {
    const gap = { stream: '*', from: this.#t, reason };
    this.#union.end(this.#t, this.#one);
    this.#follow(this.#track.entry({ t: this.#t, src: this.src, gap }), 0, null, 0);
    this.#resumes = true;
    this.#turn = Number.NEGATIVE_INFINITY;
  }

  /**
   * Input has ended: what is open ends one microsecond after the last entry, so that no end stands before its onset. Where
   * the scan was done before the input was, that time is out of range and nothing is said.
   */
  finish(): void {
    for (const one of this.#running) close(one, this.#t + 1, 'eof');
    this.#flush();
  }

  sums(): SumsPart | null {
    return this.#checksum?.part(this.src) ?? null;
  }

  /** What was summed so far belongs to someone else. */
  restartSums(): void {
    this.#checksum?.restart();
  }

  /** Whether who starts reading at this checkpoint, just passed, knows the same of book, sequences and trade ids. */
  agreesWith(checkpoint: Checkpoint): boolean {
    if (checkpoint.state !== 'valid' || !this.#track.plain || !this.#union.plain) return false;
    const reader = this.#createTrack();
    const union = this.#createUnion(reader);
    reader.restore(checkpoint);
    union.restore(checkpoint);
    return knowledgeOf(union) === knowledgeOf(this.#union);
  }

  /** True where a checkpoint left something open that has mattered since. */
  get guessed(): boolean {
    return this.#track.guessed || this.#union.guessed;
  }

  /** Time goes on to `t`: the first entry begins, a unit ends, or the scan is done. */
  #move(t: Micros): void {
    const { unit, to } = this.#settings;
    this.#t = t;
    if (t >= this.#unitEnd) {
      for (const one of this.#running) close(one, this.#unitEnd - 1, 'hour');
      this.#flush();
      const start = Math.floor(t / unit) * unit;
      this.#market.beginUnit(start);
      this.#confirmation?.clear();
      this.#unitEnd = start + unit;
    }
    this.done = to !== undefined && t >= to;
    if (!this.#begun || this.#resumes) {
      this.#begun = true;
      this.#resumes = false;
      this.#unitEnd = (Math.floor(t / unit) + 1) * unit;
      this.#market.begin(t);
    }
    this.#turn = Math.min(this.#unitEnd, to ?? Number.POSITIVE_INFINITY);
  }

  #follow(effect: number, beat: number, buffer: EventBuffer | null, i: number): void {
    const wake = this.#take(effect, buffer, i) | beat | this.#wake;
    this.#wake = 0;
    const t = this.#t;
    const looks = this.#looks[wake];
    for (let n = 0; n < looks.length; n++) {
      const look = looks[n];
      look.evaluate(t, look.why);
    }
    if (wake !== 0 && this.#confirmation?.waits === true) this.#confirmation.look(t);
    // an entry in the last microsecond of a unit shares its time with the ends of that unit
    if (this.#said.length > 0 && t !== this.#unitEnd - 1) this.#flush();
  }

  /** The market takes a record in; detectors look at message ends. Returns Wake bits. */
  #take(effect: number, buffer: EventBuffer | null, i: number): number {
    if ((effect & (Effect.lost | Effect.tradeGap | Effect.besideGap)) !== 0) this.#lose(effect);
    return this.#market.apply(effect, buffer, i);
  }

  #lose(effect: number): void {
    for (const one of this.#running) if ((one.rests & effect) !== 0) close(one, this.#t, 'gap');
    if ((effect & (Effect.lost | Effect.tradeGap)) !== 0) {
      this.#market.lose(effect);
      this.#confirmation?.clear();
    }
    for (const { run, rests } of this.#running) if ((rests & effect) !== 0) run.lose?.();
  }

  #say(t: Micros, signal: Signal): void {
    const { to } = this.#settings;
    if (t >= this.#from && (to === undefined || t < to)) this.#said.push({ line: JSON.stringify(signal), signal });
  }

  #flush(): void {
    if (this.#said.length === 0) return;
    const said = this.#said;
    this.#said = [];
    if (said.length > 1) said.sort((a, b) => compareBytes(a.line, b.line));
    for (const printed of said) this.#sink.print(printed);
  }
}

/** Whom these Wake bits wake, in their order. */
function looksOf(running: readonly Running[], wake: number): Look[] {
  return running
    .filter(({ run }) => (run.wake & wake) !== 0)
    .map(({ run }) => ({ evaluate: run.evaluate.bind(run), why: run.wake & wake }));
}

/** Ends what a detector has open, and lets it start afresh. */
function close({ run, voice }: Running, t: Micros, reason: EndReason): void {
  voice.close(t, reason);
  run.reset?.();
}

/** What is known of a src as text, times aside that no signal depends on. */
function knowledgeOf(union: Union): string {
  const { streams, ...rest } = union.checkpoint();
  const known = { ...rest, streams: { ...streams, lastBookT: 0, lastTradeT: 0, emitted: 0 } };
  // checkpoints of before told of no eras; whoever needs one says that it guessed
  return JSON.stringify(known, (key, value: unknown) => (key === 'era' ? undefined : value));
}

const SURROGATE = /[\ud800-\udfff]/;

/** Byte order of UTF-8, as `LC_ALL=C sort` has it. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  // without surrogates UTF-16 has the same order
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

function sameInstrument(a: Instrument, b: Instrument): boolean {
  return a.tick === b.tick && a.lot === b.lot && a.multiplier === b.multiplier && a.kind === b.kind;
}

/** Whether best quotes were recorded beside the book; where a header does not say what was, they count as missing. */
function holdsTouches({ tape }: HeaderEntry, { layouts }: Venue): boolean {
  return layouts.messages.some(({ event, name }) => event === 'touch' && tape.channels.includes(name));
}

/** Why a detector cannot work on this tape; null where it can. */
function unsupported({ detector }: Chosen, { tape }: HeaderEntry, venue: Venue): string | null {
  const { channels, flow } = tape;
  const { liquidations } = venue.channels;
  const byLiquidations = detector.needs.includes('liquidations');
  if (byLiquidations && liquidations === undefined) return `${venue.id} pushes no liquidations`;
  if (channels.length === 0) return null; // the header does not say what was recorded
  if (detector.needs.includes('trades') && !channels.includes(flow)) return `the tape holds no ${flow} channel`;
  if (detector.needs.includes('book') && !channels.some((channel) => channel.startsWith('depth')))
    return 'the tape holds no depth channel';
  if (byLiquidations && liquidations !== undefined && !channels.includes(liquidations))
    return `the tape holds no ${liquidations} channel`;
  return null;
}
