/**
 * Book updates while there is no joined book. Those that a snapshot joins later are applied again one by one, so that
 * each can be audited; and while no snapshot ever came, a provisional book is made of the updates alone.
 */
import type { Decoder } from '../decode/decoder.js';
import { createTrack, Effect, type Track } from '../market/track.js';
import type { HttpEntry, Micros } from '../model/entry.js';
import { EVENT_STRIDE, EventBuffer, Field } from '../model/event.js';
import type { Instrument } from '../model/instrument.js';
import type { VenueRules } from '../model/rules.js';

const MAX_LINES = 20_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** A line of a tape and where it stands, kept beyond its batch. */
interface KeptLine {
  bytes: Buffer;
  frame: number;
  line: number;
}

export interface UnjoinedOptions {
  instrument: Instrument;
  rules: VenueRules;
  decoder: Decoder;
}

export class UnjoinedUpdates {
  readonly #options: UnjoinedOptions;
  readonly #buffer = new EventBuffer(4, 4096);
  #kept: KeptLine[] = [];
  #bytes = 0;

  constructor(options: UnjoinedOptions) {
    this.#options = options;
  }

  /** Keeps a book update that was not applied; the oldest go when there are too many. */
  keep(bytes: Buffer, start: number, end: number, frame: number, line: number): void {
    this.#kept.push({ bytes: Buffer.from(bytes.subarray(start, end)), frame, line });
    this.#bytes += end - start;
    if (this.#kept.length <= MAX_LINES && this.#bytes <= MAX_BYTES) return;
    for (const { bytes: old } of this.#kept.splice(0, this.#kept.length >> 1)) this.#bytes -= old.length;
  }

  forget(): void {
    this.#kept = [];
    this.#bytes = 0;
  }

  /** The snapshot was joined: applies what was kept to it, one by one, and forgets it. */
  replay(
    snapshot: HttpEntry,
    applied: (track: Track, last: number, t: Micros, frame: number, line: number) => void,
  ): void {
    const { instrument, rules, decoder } = this.#options;
    const kept = this.#kept;
    this.forget();
    const track = createTrack({ instrument, rules });
    track.entry(snapshot);
    const e = this.#buffer.events;
    for (const { bytes, frame, line } of kept) {
      this.#buffer.clear();
      decoder.decode(bytes, 0, bytes.length, this.#buffer);
      if (this.#buffer.count === 0) continue;
      const effect = track.apply(this.#buffer, 0);
      if ((effect & (Effect.book | Effect.valid)) !== 0) applied(track, e[Field.LAST], e[Field.T], frame, line);
    }
  }
}

/** A book of updates alone: near the touch it soon is right, but nothing proves it. */
export class ProvisionalBook {
  readonly #options: UnjoinedOptions;
  #track: Track | null = null;

  constructor(options: UnjoinedOptions) {
    this.#options = options;
  }

  /** Applies a record. Returns the book where it was applied, and whether the chain of updates was broken before it. */
  apply(buffer: EventBuffer, i: number): { track: Track | null; broken: boolean } {
    let broken = false;
    if (this.#track !== null) {
      const effect = this.#track.apply(buffer, i);
      if ((effect & (Effect.book | Effect.valid)) !== 0) return { track: this.#track, broken };
      if ((effect & Effect.lost) === 0) return { track: null, broken };
      broken = true;
    }
    this.#track = this.#begin(buffer, i);
    return { track: this.#track, broken };
  }

  /** The chain is known to be broken: begins anew with the next update. */
  restart(): void {
    this.#track = null;
  }

  /** A book that begins with this update, as if an empty snapshot ended just before it; null where that does not join. */
  #begin(buffer: EventBuffer, i: number): Track | null {
    const e = buffer.events;
    const o = i * EVENT_STRIDE;
    const previous = e[o + Field.PREVIOUS];
    const { instrument, rules } = this.#options;
    const track = createTrack({ instrument, rules });
    const id = previous >= 0 ? previous : e[o + Field.FIRST] - 1;
    track.snapshot({ id, emitted: 0, matched: 0, bids: [], asks: [] });
    return (track.apply(buffer, i) & Effect.valid) !== 0 ? track : null;
  }
}
