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
  /** µs of the recording, in which nothing is known or suspected to be missing, and of that, in which it is proven */
  recorded: Micros;
  clean: Micros;
  verified: Micros;
}

interface StreamState {
  proof: Proof;
  messages: number;
  first: Micros;
  last: Micros;
  /** without what concerns all streams */
  suspect: Spans;
}

export class StreamAudit {
  /** in which any stream is suspect */
  readonly suspect = new Spans();
  /** in which all are, those too whose first message comes later */
  readonly #all = new Spans();
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
    this.#all.add(from, to);
    this.suspect.add(from, to);
  }

  /**
   * What is suspect outside the recording is counted, but takes none of its time.
   * @param book in which the book is proven @param contradicted in which it is known to be wrong
   */
  finish(recorded: Spans, book: Spans, contradicted: Spans): Map<string, StreamSums> {
    // nothing was read behind the lost bytes: since when they are missing is all that is known
    this.read(this.#lostSince + 1);
    const sums = new Map<string, StreamSums>();
    for (const [name, { proof, messages, first, last, suspect }] of this.#streams) {
      const missing = Spans.union(suspect, this.#all);
      const wrong = name === BOOK_STREAM ? Spans.union(missing, contradicted) : missing;
      const proven = { book, trades: Spans.of(first, last), none: new Spans() }[proof ?? 'none'];
      sums.set(name, {
        ...{ messages, gaps: missing.count, recorded: recorded.total },
        ...{ clean: recorded.without(wrong), verified: proven.without(wrong) },
      });
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
    else for (const key of ['messages', 'gaps', 'recorded', 'clean', 'verified'] as const) known[key] += sums[key];
  }
}
