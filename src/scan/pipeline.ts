/** One src from entries to signals: track, market state, units, and the order of what is printed. */

import { TouchRun } from '../decode/touch-run.js';
import { scannerBooks } from '../decode/wasm-books.js';
import type { Follower } from '../market/follower.js';
import { Market } from '../market/market.js';
import { createTrack, Effect, type Track } from '../market/track.js';
import { type OneStream, Union } from '../market/union.js';
import {
  type Checkpoint,
  type Entry,
  type HeaderEntry,
  type Micros,
  SHARED_SYMBOL,
  type Source,
} from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind, MORE } from '../model/event.js';
import type { Instrument } from '../model/instrument.js';
import type { ScaledLevels } from '../model/rules.js';
import type { Signal } from '../model/signal.js';
import { MICROS_PER_MINUTE } from '../model/time.js';
import { witnessOf } from '../model/witness.js';
import type { Venue } from '../venues/venue.js';
import { Checksum, type SumsPart } from './checksum.js';
import { DetectorRuns } from './detector-runs.js';
import { type ChosenFits, chooseFits } from './fits.js';
import type { FlowCount } from './flow-count.js';
import { lookback, type ScanSettings } from './settings.js';

/** A signal and its JSON line without the newline. */
export interface Printed {
  line: string;
  signal: Signal;
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
  #runs: DetectorRuns;
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
  /** trades of the flow, and others, that tracks before this one counted */
  #counted: [number, number] = [0, 0];
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
    this.#runs = this.#createRuns();
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

  #createRuns(): DetectorRuns {
    const { view } = this.#sink;
    // messages that are of no symbol make no market
    const isMarket = this.#header.tape.symbol !== SHARED_SYMBOL;
    if (isMarket) for (const note of this.#fits.notes) this.#note(note);
    if (isMarket && view !== undefined) this.#market.follow(view(this.#seen()));
    return new DetectorRuns({
      chosen: isMarket ? this.#settings.detectors.of(this.src) : [],
      ...{ header: this.#header, venue: this.#venue, market: this.#market, speaker: this.#speaker },
      plan: this.#settings.plan,
      say: (t, signal) => this.#say(t, signal),
      note: (text) => this.#note(text),
    });
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

  #note(text: string): void {
    if (this.#noted.has(text)) return;
    this.#noted.add(text);
    this.#sink.note(text);
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

  /** Applies an entry that is no decoded message; `levels`: those of its body, where they were read apart. */
  entry(entry: Entry, levels?: ScaledLevels): void {
    if (entry.t > this.#t) this.#move(entry.t);
    if (this.done) return;
    const beat = this.#market.advance(this.#t);
    this.#follow(this.#union.entry(entry, this.#one, levels), beat, null, 0);
  }

  /** the newest time it has met */
  get t(): Micros {
    return Math.max(this.#t, this.#header.t);
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
    const { to } = this.#settings;
    // a viewer is shown the market as the range left it; of detectors, what is open ends with the recorder that saw it
    if (this.#sink.view !== undefined && to !== undefined && header.t >= to) {
      this.done = true;
      return;
    }
    const before = this.#header.tape;
    this.#header = header;
    const { tape } = header;
    this.#from = Math.max(this.#from, tape.from ?? Number.NEGATIVE_INFINITY);
    const sameQuotes = this.#market.options.hasTouches === holdsTouches(header, this.#venue);
    const sameMarket = sameInstrument(before.instrument, tape.instrument) && before.flow === tape.flow && sameQuotes;
    if (sameMarket && before.recorder === tape.recorder) return;
    if (before.recorder !== tape.recorder && header.t <= this.#t) this.#noteBeside(before.recorder, tape.recorder);
    this.#lost('restart');
    this.#speaker.recorder = tape.recorder;
    if (sameMarket) return;
    // another scale of sizes and prices, or another source of quotes: all state starts anew, sums go on
    const { trades, besideFlow } = this.#track.counts;
    this.#counted = [this.#counted[0] + trades - besideFlow, this.#counted[1] + besideFlow];
    this.#track = this.#createTrack();
    this.#union = this.#createUnion(this.#track);
    this.#market = this.#createMarket();
    this.#runs = this.#createRuns();
    this.#checksum?.moveTo(this.#market);
  }

  /** Their tapes are read one behind the other all the same: which of their messages are one, only a merge can tell. */
  #noteBeside(one: string, other: string): void {
    this.#note(
      `${this.src}: recorders ${one} and ${other} ran at the same time: what both received counts twice where no ids tell; merge makes one tape of them`,
    );
  }

  /** Nobody looks at the market any more: the next one has the memory of its book. */
  leave(): void {
    this.#track.book.leave();
  }

  /** Bytes of the tape are lost at this place. */
  damage(): void {
    if (this.done && this.#sink.view !== undefined) return;
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
    this.#runs.close(this.#t + 1, 'eof');
    this.#flush();
  }

  /** What was met of trades; null where no other channel shows whether they are missing. */
  get flowCount(): FlowCount | null {
    const { flow, channels } = this.#header.tape;
    const witness = witnessOf(this.#venue, flow, channels);
    if (witness === null) return null;
    const { trades, besideFlow } = this.#track.counts;
    const [before, beside] = this.#counted;
    return { src: this.src, flow, trades: before + trades - besideFlow, witness, beside: beside + besideFlow };
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
      this.#runs.close(this.#unitEnd - 1, 'hour');
      this.#flush();
      const start = Math.floor(t / unit) * unit;
      this.#market.beginUnit(start);
      this.#runs.beginUnit();
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
    this.#runs.evaluate(t, wake);
    // an entry in the last microsecond of a unit shares its time with the ends of that unit
    if (this.#said.length > 0 && t !== this.#unitEnd - 1) this.#flush();
  }

  /** The market takes a record in; detectors look at message ends. Returns Wake bits. */
  #take(effect: number, buffer: EventBuffer | null, i: number): number {
    if ((effect & (Effect.lost | Effect.tradeGap | Effect.besideGap)) !== 0) this.#runs.lose(effect, this.#t);
    return this.#market.apply(effect, buffer, i);
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
