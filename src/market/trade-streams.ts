/** The trade streams of one src: their ids, which of them is the flow, and the connections they come by. */
import type { TradeChain } from '../model/continuity.js';
import { Field, NOT_FLOW, STREAM_SHIFT } from '../model/event.js';
import { TradeIds } from './trade-ids.js';

interface TradeStream {
  ids: TradeIds;
  origin: number;
  /** null where it is not known */
  conn: string | null;
  isFlow: boolean;
}

/** `origin` before any trade was seen, and where the next one's is to be looked at anew. */
const UNHEARD = -1;
const NO_ORIGIN = -2;

/** What `take` says of a trade besides what its ids tell. */
export const NOT_OF_FLOW = -3;

export class TradeStreams {
  readonly #createChain: () => TradeChain;
  readonly #connOf: (origin: number) => string | null;
  /** by layout and variant */
  readonly #streams = new Map<number, TradeStream>();
  /** a stream's connection, its being the flow or whether an id is a repeat was asked for while only a checkpoint told of the stream */
  guessed = false;

  constructor(createChain: () => TradeChain, connOf: (origin: number) => string | null) {
    this.#createChain = createChain;
    this.#connOf = connOf;
  }

  /**
   * Judges the trade record at offset `o` by its id.
   * @returns as `TradeIds.next`, or NOT_OF_FLOW
   */
  take(events: Float64Array, o: number): number {
    const flags = events[o + Field.FLAGS];
    const origin = events[o + Field.ORIGIN];
    const stream = this.#streamOf(flags >> STREAM_SHIFT);
    if (stream.origin !== origin) {
      stream.origin = origin;
      stream.conn = this.#connOf(origin);
      stream.isFlow = (flags & NOT_FLOW) === 0;
    }
    const missing = stream.ids.next(events[o + Field.FIRST], events[o + Field.LAST], events[o + Field.MATCHED]);
    if (missing < 0 && stream.ids.unsure) this.guessed = true;
    return stream.isFlow ? missing : NOT_OF_FLOW;
  }

  #streamOf(id: number): TradeStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = { ids: new TradeIds(this.#createChain()), origin: UNHEARD, conn: null, isFlow: true };
      this.#streams.set(id, stream);
    }
    return stream;
  }

  /** Whether the stream of this layout and variant is the flow. */
  isFlow(id: number): boolean {
    const stream = this.#streams.get(id);
    if (stream !== undefined && isUnheard(stream)) this.guessed = true;
    return stream?.isFlow === true;
  }

  /** Layouts and variants of which trades were seen. */
  get ids(): number[] {
    return [...this.#streams.keys()];
  }

  /** The connection that brought the newest trade of a stream, null where it is not known, and its id; null before any. */
  newest(id: number): { conn: string | null; last: number } | null {
    const stream = this.#streams.get(id);
    return stream === undefined ? null : { conn: stream.conn, last: stream.ids.last };
  }

  /** From here on another connection brings the stream. */
  movesTo(id: number, conn: string): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.conn = conn;
    if (!isUnheard(stream)) stream.origin = NO_ORIGIN;
  }

  /** Whether the flow comes by this connection, or may: before any trade it is not known which connection brings them. */
  comesBy(conn: string): boolean {
    for (const stream of this.#streams.values())
      if (isUnheard(stream) && (stream.conn === null || stream.conn === conn)) this.guessed = true;
    for (const stream of this.#streams.values())
      if (stream.isFlow && (stream.conn === null || stream.conn === conn)) return true;
    return this.#streams.size === 0;
  }

  /** No run of repeats is being counted. */
  get plain(): boolean {
    for (const { ids } of this.#streams.values()) if (!ids.plain) return false;
    return true;
  }

  /** Plain JSON, for checkpoints. */
  state(): Record<string, unknown> {
    return Object.fromEntries([...this.#streams].map(([id, { ids }]) => [String(id), ids.state()]));
  }

  restore(state: Record<string, unknown>): void {
    for (const [id, ids] of Object.entries(state))
      this.#streamOf(Number(id)).ids.restore(typeof ids === 'object' && ids !== null ? { ...ids } : {});
  }
}

/** Restored from a checkpoint, and no trade of it seen since. */
function isUnheard({ origin }: TradeStream): boolean {
  return origin === UNHEARD;
}
