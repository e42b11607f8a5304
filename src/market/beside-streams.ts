/** The streams of one src that no ids prove: best quotes, and what the venue says beside the market; which connection brings each. */
import { Field, STREAM_SHIFT } from '../model/event.js';
import type { StreamKind } from './stream-kind.js';

/** `origin` before any quote was seen, and where the next one's is to be looked at anew. */
const NO_ORIGIN = -1;

export class BesideStreams {
  readonly #connOf: (origin: number) => string | null;
  /** the newest quote: its stream, layout and variant, -1 before any; its origin, connection and id */
  #quotes = -1;
  #origin = NO_ORIGIN;
  #conn: string | null = null;
  #last = -1;
  /** origin of the newest record of each other stream */
  readonly #others = new Map<number, number>();

  constructor(connOf: (origin: number) => string | null) {
    this.#connOf = connOf;
  }

  /** Takes in the quote at offset `o`. */
  quote(e: Float64Array, o: number): void {
    this.#quotes = e[o + Field.FLAGS] >> STREAM_SHIFT;
    this.#last = e[o + Field.LAST];
    const origin = e[o + Field.ORIGIN];
    if (origin === this.#origin) return;
    this.#origin = origin;
    this.#conn = this.#connOf(origin);
  }

  /** Takes in the record at offset `o` of any other. */
  other(e: Float64Array, o: number): void {
    this.#others.set(e[o + Field.FLAGS] >> STREAM_SHIFT, e[o + Field.ORIGIN]);
  }

  /** The connection that brought a stream's newest record, null where it is not known, and its id, -1 where it has none; null of other streams. */
  newest(stream: number): { conn: string | null; last: number } | null {
    if (stream === this.#quotes) return { conn: this.#conn, last: this.#last };
    const origin = this.#others.get(stream);
    return origin === undefined ? null : { conn: this.#connOf(origin), last: -1 };
  }

  /** Streams that `newest` tells of. */
  get ids(): number[] {
    return this.#quotes < 0 ? [...this.#others.keys()] : [this.#quotes, ...this.#others.keys()];
  }

  /** What a stream is made of; null where it is none of these. */
  kindOf(stream: number): StreamKind | null {
    if (stream === this.#quotes) return 'touch';
    return this.#others.has(stream) ? 'beside' : null;
  }

  /** From here on another connection brings the quotes. */
  quotesMoveTo(conn: string): void {
    this.#conn = conn;
    this.#origin = NO_ORIGIN;
  }

  /** Whether any of them comes by this connection, or may: of some it is not known by which. */
  comeBy(conn: string): boolean {
    const conns = this.ids.map((id) => this.newest(id)?.conn ?? null);
    return conns.some((one) => one === null || one === conn);
  }
}
