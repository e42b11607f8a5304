/** Which stream a src's book is made of, and the connection it comes by; `trade-streams.ts` is the same for trades. */
import { Field, STREAM_SHIFT } from '../model/event.js';

export class BookStream {
  readonly #connOf: (origin: number) => string | null;
  /** layout and variant; -1 until the first book message */
  #id = -1;
  /** null where it is not known */
  #conn: string | null = null;
  #origin = -1;

  constructor(connOf: (origin: number) => string | null) {
    this.#connOf = connOf;
  }

  /** Layout and variant; -1 before any. */
  get id(): number {
    return this.#id;
  }

  /** Whether the book is made of the stream of this layout and variant. */
  is(id: number): boolean {
    return id === this.#id;
  }

  /** Whether the book message at offset `o` is of the stream that is followed; the first to come is. */
  follows(e: Float64Array, o: number): boolean {
    const id = e[o + Field.FLAGS] >> STREAM_SHIFT;
    if (this.#id === -1) this.#id = id;
    else if (this.#id !== id) return false; // another speed or depth of the same book is another chain
    const origin = e[o + Field.ORIGIN];
    if (origin !== this.#origin) {
      this.#origin = origin;
      this.#conn = this.#connOf(origin);
    }
    return true;
  }

  /** Whether it comes by this connection, or may: it is not known by which. */
  comesBy(conn: string): boolean {
    return this.#conn === null || this.#conn === conn;
  }

  /** The connection that brought the newest of it; null where it is not known. */
  get conn(): string | null {
    return this.#conn;
  }

  /** From here on another connection brings it. */
  movesTo(conn: string): void {
    this.#conn = conn;
    this.#origin = -1;
  }

  /** Its connection ended: the next stream to come is followed. */
  forget(): void {
    this.#id = -1;
    this.#conn = null;
    this.#origin = -1;
  }

  /** Plain JSON, for checkpoints. */
  state(): { stream: number; conn: string | null } {
    return { stream: this.#id, conn: this.#conn };
  }

  restore({ stream, conn }: Record<string, unknown>): void {
    this.#id = typeof stream === 'number' ? stream : -1;
    this.#conn = typeof conn === 'string' ? conn : null;
    this.#origin = -1;
  }
}
