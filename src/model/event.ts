/** Market events as fixed-stride numeric records: what decoders write and the market reads. */

/** Record kinds (field KIND). */
export const Kind = {
  /** a line that is not a market message: an entry to be read as JSON, or damage */
  entry: 0,
  trade: 1,
  /** a book update: levels changed, sizes absolute */
  depth: 2,
  /** a whole book */
  snapshot: 3,
  /** best bid and ask (bookTicker) */
  touch: 4,
  /** a fixed top-N view; never applied to the book */
  partial: 5,
  /** a message the venue knows and the scan does not need (candle, ack, …) */
  other: 6,
  /** a message no layout of the venue explains; counted, never guessed */
  unknown: 7,
  /** a market message with a number that cannot be held exactly, or a broken field; the book may not trust it */
  invalid: 8,
  /** a print of a liquidation: public, and no trade of the flow, which has the fills of its own */
  liquidation: 9,
  /** what a venue says of a contract beside its market: mark and index price, funding, open interest; each may be absent */
  derivative: 10,
} as const;

/** Fields of one record; `EVENT_STRIDE` float64 each. Times are µs, prices and sizes scaled integers, absent ids -1, absent times 0. */
export const Field = {
  KIND: 0,
  /** byte range of the whole line in its batch */
  START: 1,
  END: 2,
  /** receive time */
  T: 3,
  /** exchange push time */
  EMITTED: 4,
  /** exchange match time */
  MATCHED: 5,
  /** first and last id inside: book U and u; trade id (aggTrade: a in FIRST and LAST) */
  FIRST: 6,
  LAST: 7,
  /** book: id of the previous update of the same stream; trade: a number that the prints of one taker order share */
  PREVIOUS: 8,
  /** trade: +1 buy aggressor, -1 sell aggressor; liquidation: side of the forced order, which is the aggressor */
  SIDE: 9,
  /** trade price; liquidation price, fine (`fineDecimals`); touch: best bid; book: index of the first level in `levels` (bids first, then asks) */
  PRICE: 10,
  /** trade and liquidation size; touch: bid size; book: number of bid levels */
  SIZE: 11,
  /** touch: best ask; book: number of ask levels */
  PRICE2: 12,
  /** touch: ask size */
  SIZE2: 13,
  /** bits OFF_BOOK, NOT_FLOW and MORE; above: layout and stream */
  FLAGS: 14,
  /** index into `Decoder.origins` */
  ORIGIN: 15,
} as const;

export const EVENT_STRIDE = 16;

/**
 * What a derivative record holds in which field; NaN where the message does not say it, which is not zero. A venue may push
 * whole states or only what changed, so an absent value says nothing.
 */
export const Derivative = {
  /** fine prices (`fineDecimals`) */
  MARK: Field.PRICE,
  INDEX: Field.PRICE2,
  /** the running estimate for the next settlement, a fraction per interval, as an integer of 10^-RATE_DECIMALS; signed */
  FUNDING: Field.SIZE2,
  /** when funding is settled next, µs */
  NEXT_FUNDING: Field.PREVIOUS,
  /** in units of size */
  OPEN_INTEREST: Field.SIZE,
} as const;

/**
 * Decimals of a funding rate: OKX gives 16 of them. Rates up to 0.9 an interval are exact, which is beyond every venue's cap;
 * what is larger or finer makes its message invalid.
 */
export const RATE_DECIMALS = 16;

/**
 * Bit of FLAGS: a public print that is not order flow (insurance fund, ADL, block, RPI); of a liquidation, an order that is not
 * filled, which counts for nothing.
 */
export const OFF_BOOK = 1;
/** Bit of FLAGS: a trade stream beside the one that counts as flow (two would count it twice). */
export const NOT_FLOW = 2;
/** Bit of FLAGS: the message goes on with the next record; it is applied whole, with the last of them. */
export const MORE = 4;
/** FLAGS above this shift name the layout and stream variant. */
export const STREAM_SHIFT = 3;

/** Records of a batch. `events[i * EVENT_STRIDE + Field.X]`; levels are [price, size] pairs. */
export class EventBuffer {
  events: Float64Array;
  levels: Float64Array;
  count = 0;
  /** pairs used in `levels` */
  levelCount = 0;

  /** `events` and `levels` before any message outgrew them */
  readonly #eventsHome: Float64Array;
  readonly #levelsHome: Float64Array;

  /** Room for so many records and level pairs, or room that is there already. */
  constructor(events: number | Float64Array = 4096, levels: number | Float64Array = 32768) {
    this.#eventsHome = typeof events === 'number' ? new Float64Array(events * EVENT_STRIDE) : events;
    this.#levelsHome = typeof levels === 'number' ? new Float64Array(levels * 2) : levels;
    this.events = this.#eventsHome;
    this.levels = this.#levelsHome;
  }

  clear(): void {
    this.count = 0;
    this.levelCount = 0;
    this.events = this.#eventsHome;
    this.levels = this.#levelsHome;
  }

  addLevel(price: number, size: number): void {
    const at = this.levelCount * 2;
    if (at + 2 > this.levels.length) this.growLevels();
    this.levels[at] = price;
    this.levels[at + 1] = size;
    this.levelCount++;
  }

  /** Doubles the room for records; for the rare message of more trades than there is room for. */
  growEvents(): void {
    const grown = new Float64Array(this.events.length * 2);
    grown.set(this.events);
    this.events = grown;
  }

  /** Doubles the room for levels; for the rare message that outgrows it. */
  growLevels(): void {
    const grown = new Float64Array(this.levels.length * 2);
    grown.set(this.levels);
    this.levels = grown;
  }
}
