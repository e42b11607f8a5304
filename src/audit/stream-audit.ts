/** What one recording proves of each stream: its messages, and the time in which some of them are missing or may be. */
import type { Micros } from '../model/entry.js';
import type { Venue } from '../venues/venue.js';
import { Spans } from './spans.js';

/** What stands in gap entries for all streams. */
const ALL = '*';
/** Book updates at any speed, and whole books among them, are one stream. */
export const BOOK_STREAM = 'depth';

/** Whether the venue's ids prove that nothing of a stream is missing. */
type Proof = 'book' | 'trades' | null;

/** One stream; joined over recordings by `joinStreams`. */
export interface StreamSums {
  messages: number;
  /** gaps, each counted once */
  gaps: number;
  /** µs of the recording, in which it is proven that nothing is missing, and in which something is or may be missing */
  recorded: Micros;
  verified: Micros;
  suspect: Micros;
}

interface StreamState {
  proof: Proof;
  messages: number;
  first: Micros;
  last: Micros;
  suspect: Spans;
}

export class StreamAudit {
  /** in which any stream is suspect */
  readonly suspect = new Spans();
  readonly #venue: Venue;
  readonly #streams = new Map<string, StreamState>();
  /** bytes were lost behind this time, and nothing was read since; NaN else */
  #lostSince = Number.NaN;

  constructor(venue: Venue) {
    this.#venue = venue;
  }

  message(name: string, t: Micros): void {
    const stream = this.#stream(name);
    if (stream.messages++ === 0) stream.first = t;
    stream.last = t;
  }

  /** Bytes of the tape are lost between `from` and the next entry. */
  lost(from: Micros): void {
    if (Number.isNaN(this.#lostSince)) this.#lostSince = from;
  }

  /** An entry was read. */
  read(t: Micros): void {
    if (Number.isNaN(this.#lostSince)) return;
    this.missing(ALL, this.#lostSince, t);
    this.#lostSince = Number.NaN;
  }

  /** Messages of a stream, or of all, are missing or may be; where it is not known since when, it is since its last one. */
  missing(name: string, from: Micros, to: Micros): void {
    if (name !== ALL) {
      const stream = this.#stream(this.#nameOf(name));
      const since = from > 0 ? from : stream.last;
      if (since === 0) return;
      stream.suspect.add(since, to);
      this.suspect.add(since, to);
      return;
    }
    if (from === 0) return;
    for (const stream of this.#streams.values()) stream.suspect.add(from, to);
    this.suspect.add(from, to);
  }

  /** @param book time in which the book is proven @param contradicted time in which it is known to be wrong */
  finish(recorded: Micros, book: Micros, contradicted: Micros): Map<string, StreamSums> {
    const sums = new Map<string, StreamSums>();
    for (const [name, { proof, messages, first, last, suspect }] of this.#streams) {
      const wrong = suspect.total + (name === BOOK_STREAM ? contradicted : 0);
      const proven = { book, trades: Math.max(0, last - first - suspect.total), none: 0 }[proof ?? 'none'];
      const verified = Math.min(proven, Math.max(0, recorded - wrong));
      sums.set(name, { messages, gaps: suspect.count, recorded, verified, suspect: Math.min(wrong, recorded) });
    }
    return sums;
  }

  /** Recorders name a channel, readers the layout of its messages. */
  #nameOf(name: string): string {
    if (this.#streams.has(name)) return name;
    return name.startsWith(BOOK_STREAM) ? BOOK_STREAM : name;
  }

  #stream(name: string): StreamState {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = { proof: proofOf(this.#venue, name), messages: 0, first: 0, last: 0, suspect: new Spans() };
      this.#streams.set(name, stream);
    }
    return stream;
  }
}

function proofOf({ capabilities, layouts }: Venue, name: string): Proof {
  if (name === BOOK_STREAM) return capabilities.bookLossDetected ? 'book' : null;
  const isTrades = layouts.messages.some((layout) => layout.name === name && layout.event === 'trade');
  return isTrades && capabilities.tradeLossDetected ? 'trades' : null;
}

/** Adds the streams of one recording to those of others. */
export function joinStreams(all: Map<string, StreamSums>, more: ReadonlyMap<string, StreamSums>): void {
  for (const [name, sums] of more) {
    const known = all.get(name);
    if (known === undefined) all.set(name, { ...sums });
    else for (const key of ['messages', 'gaps', 'recorded', 'verified', 'suspect'] as const) known[key] += sums[key];
  }
}
