/** A digest of everything decoded and rebuilt, cheap enough to show that two ways of scanning did the same work. */

import { touchWord } from '../decode/touch-run.js';
import type { FlowWindow } from '../market/flow.js';
import type { Market, TopVolume } from '../market/market.js';
import { Effect } from '../market/track.js';
import type { Source } from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind, MORE } from '../model/event.js';

const TOP_LEVELS = 10;
const WINDOW = 5_000_000;

/** What was counted and summed over one src. */
export interface Sums {
  src: Source;
  messages: number;
  trades: number;
  depth: number;
  levels: number;
  touches: number;
  /** 32-bit words in hex: decoded trades, book levels, touches; then top-10 sums, 5 s trade sums */
  digest: string;
}

/** The same over a stretch of a src's entries, as it can be joined with that of the stretch that follows. */
export interface SumsPart {
  src: Source;
  messages: number;
  trades: number;
  depth: number;
  levels: number;
  touches: number;
  /** in the order of the digest, and how many terms each has taken in */
  words: number[];
  terms: number[];
}

/** A polynomial goes on where another ended: h(AB) = h(A) 31^|B| + h(B). */
export function joinSums(a: SumsPart, b: SumsPart): SumsPart {
  return {
    src: a.src,
    messages: a.messages + b.messages,
    trades: a.trades + b.trades,
    depth: a.depth + b.depth,
    levels: a.levels + b.levels,
    touches: a.touches + b.touches,
    words: a.words.map((word, i) => (Math.imul(word, power31(b.terms[i])) + b.words[i]) | 0),
    terms: a.terms.map((count, i) => count + b.terms[i]),
  };
}

/** 31^n modulo 2^32; n may be larger than 32 bits hold. */
function power31(n: number): number {
  let power = 1;
  for (let square = 31, left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = Math.imul(power, square);
    square = Math.imul(square, square);
  }
  return power;
}

export function sumsOf({ words, terms: _, ...counts }: SumsPart): Sums {
  return { ...counts, digest: words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('-') };
}

/**
 * Words are polynomials modulo 2^32: h = 31 h + x for each x in order, where x is the low 32 bits of a scaled integer. Any
 * program that decodes the same messages can compute them.
 */
export class Checksum {
  #top: TopVolume;
  #flow: FlowWindow;
  #messages = 0;
  #trades = 0;
  #depth = 0;
  #levels = 0;
  #touches = 0;
  #tradeWord = 0;
  #levelWord = 0;
  #touchWord = 0;
  #topWord = 0;
  #flowWord = 0;
  #tops = 0;
  #flows = 0;

  constructor(market: Market) {
    this.#top = market.top(TOP_LEVELS);
    this.#flow = market.flow(WINDOW);
  }

  /** Goes on with another market of the same src: its instrument changed. */
  moveTo(market: Market): void {
    this.#top = market.top(TOP_LEVELS);
    this.#flow = market.flow(WINDOW);
  }

  /** Forgets what was summed so far: it was read to warm up only. */
  restart(): void {
    this.#messages = 0;
    this.#trades = 0;
    this.#depth = 0;
    this.#levels = 0;
    this.#touches = 0;
    this.#tradeWord = 0;
    this.#levelWord = 0;
    this.#touchWord = 0;
    this.#topWord = 0;
    this.#flowWord = 0;
    this.#tops = 0;
    this.#flows = 0;
  }

  /** The word of touches, for a run of them to go on with. */
  get touchWord(): number {
    return this.#touchWord;
  }

  /** Takes in a run of `count` touches, which took the word on to `word`. */
  touches(count: number, word: number): void {
    this.#messages += count;
    this.#touches += count;
    this.#touchWord = word;
  }

  /** Takes in record `i` after the market did; `effect` is what the track said. */
  add(effect: number, buffer: EventBuffer, i: number): void {
    const e = buffer.events;
    const o = i * EVENT_STRIDE;
    const kind = e[o + Field.KIND];
    if (kind === Kind.touch) {
      this.touches(1, touchWord(e, o, this.#touchWord));
      return;
    }
    if ((e[o + Field.FLAGS] & MORE) === 0) this.#messages++;
    switch (kind) {
      case Kind.trade: {
        this.#trades++;
        const h = Math.imul(this.#tradeWord, 31) + e[o + Field.PRICE];
        this.#tradeWord = (Math.imul(h, 31) + e[o + Field.SIDE] * e[o + Field.SIZE]) | 0;
        if ((effect & Effect.trade) === 0) return;
        this.#flow.expire(e[o + Field.T]);
        this.#flows++;
        this.#flowWord = (Math.imul(this.#flowWord, 31) + (this.#flow.buy - this.#flow.sell)) | 0;
        return;
      }
      case Kind.snapshot:
      case Kind.depth: {
        this.#depth++;
        const count = e[o + Field.SIZE] + e[o + Field.PRICE2];
        const { levels } = buffer;
        const from = (e[o + Field.PRICE] * 2) | 0;
        const to = (from + count * 2) | 0;
        let h = this.#levelWord;
        // integers before they are added, and two levels a step: each step waits for the one before
        let at = from;
        for (; at + 4 <= to; at += 4) {
          const first = Math.imul(levels[at] | 0, 29_791) + Math.imul(levels[at + 1] | 0, 961);
          const second = Math.imul(levels[at + 2] | 0, 31) + (levels[at + 3] | 0);
          h = (Math.imul(h, 923_521) + ((first + second) | 0)) | 0;
        }
        if (at < to) h = (Math.imul(h, 961) + ((Math.imul(levels[at] | 0, 31) + (levels[at + 1] | 0)) | 0)) | 0;
        this.#levelWord = h;
        this.#levels += count;
        if ((effect & (Effect.book | Effect.valid)) === 0) return;
        this.#tops++;
        h = Math.imul(this.#topWord, 31) + this.#top.bid;
        this.#topWord = (Math.imul(h, 31) + this.#top.ask) | 0;
      }
    }
  }

  part(src: Source): SumsPart {
    const [trades, levels, touches] = [this.#trades, this.#levels, this.#touches];
    return {
      src,
      messages: this.#messages,
      trades,
      depth: this.#depth,
      levels,
      touches,
      words: [this.#tradeWord, this.#levelWord, this.#touchWord, this.#topWord, this.#flowWord],
      terms: [2 * trades, 2 * levels, 4 * touches, 2 * this.#tops, this.#flows],
    };
  }
}
