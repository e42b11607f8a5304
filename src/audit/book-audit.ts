/** Audits the rebuilt book of one recording against the venue's best quotes, before and after a snapshot is joined. */
import type { Decoder } from '../decode/decoder.js';
import { ASK, BID } from '../market/book.js';
import type { Track } from '../market/track.js';
import { formatScaled } from '../model/decimal.js';
import type { HttpEntry, Micros } from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field } from '../model/event.js';
import { type Instrument, type Scale, scaleOf } from '../model/instrument.js';
import type { VenueRules } from '../model/rules.js';
import type { Problems } from './problems.js';
import type { Spans } from './spans.js';
import { type Mismatch, TouchAudit } from './touch-audit.js';
import { ProvisionalBook, UnjoinedUpdates } from './unjoined.js';

/** Where a record stands; one object is reused. */
export interface Place {
  file: string;
  frame: number;
  line: number;
}

export interface BookAuditOptions {
  instrument: Instrument;
  rules: VenueRules;
  decoder: Decoder;
  problems: Problems;
}

export class BookAudit {
  readonly #scale: Scale;
  readonly #problems: Problems;
  readonly #unjoined: UnjoinedUpdates;
  readonly #touch: TouchAudit;
  /** while no snapshot was ever joined */
  #provisional: { book: ProvisionalBook; touch: TouchAudit } | null;
  readonly #files: string[] = [];

  constructor(options: BookAuditOptions) {
    this.#scale = scaleOf(options.instrument);
    this.#problems = options.problems;
    this.#unjoined = new UnjoinedUpdates(options);
    this.#touch = this.#createTouch();
    this.#provisional = { book: new ProvisionalBook(options), touch: this.#createTouch(true) };
  }

  /** An update was applied to the joined book. */
  applied(track: Track, id: number, t: Micros, place: Place): void {
    this.#top(this.#touch, track, id, t, place.file, place.frame, place.line);
  }

  /**
   * An update came while there is no joined book; `bytes` holds its line.
   * @returns whether the provisional book took it (`applied`), and whether the chain of updates was `broken` before it
   */
  waiting(bytes: Buffer, buffer: EventBuffer, i: number, place: Place): { applied: boolean; broken: boolean } {
    const e = buffer.events;
    const o = i * EVENT_STRIDE;
    this.#unjoined.keep(bytes, e[o + Field.START], e[o + Field.END], place.frame, place.line);
    if (this.#provisional === null) return { applied: false, broken: false };
    const { book, touch } = this.#provisional;
    const { track, broken } = book.apply(buffer, i);
    if (broken) touch.lost(e[o + Field.T]);
    if (track !== null) this.#top(touch, track, e[o + Field.LAST], e[o + Field.T], place.file, place.frame, place.line);
    return { applied: track !== null, broken };
  }

  /** The book is joined: updates a snapshot joined after they came were applied with it, and are audited one by one. */
  joined(snapshot: HttpEntry | null, place: Place): void {
    if (snapshot !== null)
      this.#unjoined.replay(snapshot, (track, id, t, frame, line) =>
        this.#top(this.#touch, track, id, t, place.file, frame, line),
      );
    this.#unjoined.forget();
    this.#provisional = null;
  }

  /** The joined book is lost; `t` is its last good moment. */
  lost(t: Micros): void {
    this.#touch.lost(t);
  }

  quote(e: Float64Array, o: number): void {
    const id = e[o + Field.LAST];
    const bid = e[o + Field.PRICE];
    const bidSize = e[o + Field.SIZE];
    const ask = e[o + Field.PRICE2];
    const askSize = e[o + Field.SIZE2];
    this.#touch.quote(id, bid, bidSize, ask, askSize);
    this.#provisional?.touch.quote(id, bid, bidSize, ask, askSize);
  }

  /** Updates kept so far lead to no book. */
  forgetUpdates(): void {
    this.#unjoined.forget();
  }

  /** Updates may be missing here. */
  interruptUpdates(): void {
    this.#unjoined.forget();
    this.#provisional?.book.restart();
  }

  /** Best quotes may be missing here. */
  interruptQuotes(): void {
    this.#touch.interrupt();
    this.#provisional?.touch.interrupt();
  }

  /** Decides what is pending; of the provisional book when none was ever joined. `t` is the end. */
  finish(t: Micros): { checked: number; agreed: number; contradicted: Spans } {
    const touch = this.#provisional?.touch ?? this.#touch;
    touch.finish(t);
    const { checked, agreed, contradicted } = touch;
    return { checked, agreed, contradicted };
  }

  #top(touch: TouchAudit, track: Track, id: number, t: Micros, file: string, frame: number, line: number): void {
    const { book } = track;
    const bid = book.bestBid();
    const ask = book.bestAsk();
    const bidSize = Number.isNaN(bid) ? 0 : book.sizeAt(BID, bid);
    const askSize = Number.isNaN(ask) ? 0 : book.sizeAt(ASK, ask);
    if (this.#files.at(-1) !== file) this.#files.push(file);
    touch.top(id, t, bid, bidSize, ask, askSize, this.#files.length - 1, frame, line);
  }

  #createTouch(partial = false): TouchAudit {
    return new TouchAudit((mismatch) => {
      const { id, book, quote, file, frame, line } = mismatch;
      const message = `after update ${id} the book's touch is ${this.#text(book)}, the venue's ${this.#text(quote)}`;
      this.#problems.add('TOUCH', message, { file: this.#files[file], frame, line });
    }, partial);
  }

  /** `1.003 at 100 / 1 at 100.1` */
  #text([bid, bidSize, ask, askSize]: Mismatch['book']): string {
    const { price, size } = this.#scale;
    const side = (p: number, q: number): string =>
      Number.isNaN(p) ? 'nothing' : `${formatScaled(q, size)} at ${formatScaled(p, price)}`;
    return `${side(bid, bidSize)} / ${side(ask, askSize)}`;
  }
}
