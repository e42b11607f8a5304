/** How a detector speaks: it gives facts, and a whole signal line comes out, with a deterministic id. */
import type { Market } from '../market/market.js';
import type { Micros } from '../model/entry.js';
import type { EndReason, Evidence, Phase, Plan, Quality, Side, Signal } from '../model/signal.js';
import { formatTime } from '../model/time.js';
import { Step } from './lifecycle.js';

/** Which src speaks; `recorder` changes when a new recorder run goes on with the tape. */
export interface Speaker {
  venue: string;
  symbol: string;
  recorder: string;
}

export interface Facts {
  /** +1 buy, -1 sell */
  side: number;
  /** tells events of one side apart that may run at the same time: a kind, a level; part of the id */
  key?: string;
  /** exact decimal; null where unknown */
  price: number | null;
  score: number;
  evidence: Evidence;
  plan?: Plan;
}

/** Takes a signal and its time in µs. */
export type Say = (t: Micros, signal: Signal) => void;

/** Ratios are printed with this many decimals. */
const DIGITS = 1e6;

/** A ratio for output: a fixed number of decimals, so that it does not depend on scales or summation order. */
export function rounded(value: number): number {
  const size = Math.round(Math.abs(value) * DIGITS) / DIGITS;
  return value < 0 && size > 0 ? -size : size;
}

interface Open {
  id: string;
  first: Micros;
  facts: Facts;
}

/** The voice of one detector run. At most one event per side and key is open. */
export class Voice {
  readonly #name: string;
  /** what every id of this run begins with, mixed already: options are long texts */
  readonly #seed: Mix;
  readonly #speaker: Speaker;
  readonly #market: Market;
  readonly #provable: boolean;
  readonly #say: Say;
  readonly #open = new Map<string, Open>();

  /** @param parameters canonical text of the options in force; part of every id */
  constructor(name: string, parameters: string, provable: boolean, speaker: Speaker, market: Market, say: Say) {
    this.#name = name;
    this.#seed = mix(START, `${name}\n${parameters}\n${speaker.venue}:${speaker.symbol}\n`);
    this.#provable = provable;
    this.#speaker = speaker;
    this.#market = market;
    this.#say = say;
  }

  /** Says what a lifecycle's step was, if it was anything; `reason` is that of an end by the rule itself. */
  tell(step: number, t: Micros, first: Micros, facts: Facts, reason: EndReason): void {
    if (step === Step.onset) this.onset(t, first, facts);
    else if (step === Step.update) this.update(t, facts);
    else if (step === Step.end) this.end(t, facts.side, reason, facts);
  }

  /** Something that has no duration happened: one line, and no end. `first` as for an onset. */
  point(t: Micros, first: Micros, facts: Facts): void {
    this.#line(t, t, 'point', this.#begin(t, first, facts), undefined, this.#quality());
  }

  /** An event begins. `first` is the `t` of the oldest entry it rests on (NaN: the one at `t`). */
  onset(t: Micros, first: Micros, facts: Facts): void {
    const open = this.#begin(t, first, facts);
    this.#open.set(keyOf(facts.side, facts.key), open);
    this.#line(t, t, 'onset', open, undefined, this.#quality());
  }

  #begin(t: Micros, first: Micros, facts: Facts): Open {
    const { key } = facts;
    const id = nameOf(mix(this.#seed, `${sideOf(facts)}\n${t}${key === undefined ? '' : `\n${key}`}`));
    return { id, first: Number.isNaN(first) ? t : first, facts };
  }

  update(t: Micros, facts: Facts): void {
    const open = this.#open.get(keyOf(facts.side, facts.key));
    if (open === undefined) return;
    open.facts = facts;
    this.#line(t, t, 'update', open, undefined, this.#quality());
  }

  /** The event of that side, and of that key, ends; without `facts`, those of its last line stand. */
  end(t: Micros, side: number, reason: EndReason, facts?: Facts, key = facts?.key): void {
    const at = keyOf(side, key);
    const open = this.#open.get(at);
    if (open === undefined) return;
    this.#open.delete(at);
    if (facts !== undefined) open.facts = facts;
    this.#line(t, this.#market.t, 'end', open, reason, reason === 'gap' ? 'suspect' : this.#quality());
  }

  #quality(): Quality {
    return this.#provable ? 'verified' : 'unverifiable';
  }

  #line(t: Micros, last: Micros, phase: Phase, open: Open, reason: EndReason | undefined, quality: Quality): void {
    const { venue, symbol, recorder } = this.#speaker;
    const { facts, id, first } = open;
    const time = formatTime(t);
    const signal = this.#name;
    const side = sideOf(facts);
    const { price } = facts;
    const score = rounded(facts.score);
    const evidence = { ...facts.evidence, recorder, first, last };
    const context = this.#market.derivatives.context(t);
    if (context !== undefined) {
      const why = reason === undefined ? {} : { reason };
      this.#say(t, { time, venue, symbol, signal, phase, side, id, ...why, price, score, evidence, context, quality });
      return;
    }
    // two literals, as a spread in the middle of one took longer than all the rest of a line
    if (reason === undefined)
      this.#say(t, { time, venue, symbol, signal, phase, side, id, price, score, evidence, quality });
    else this.#say(t, { time, venue, symbol, signal, phase, side, id, reason, price, score, evidence, quality });
  }
}

function keyOf(side: number, key = ''): string {
  return `${side} ${key}`;
}

function sideOf(facts: Facts): Side {
  return facts.side > 0 ? 'buy' : 'sell';
}

/** Two 32-bit words mixed over UTF-16 units. */
type Mix = readonly [number, number];

const START: Mix = [0xdeadbeef, 0x41c6ce57];

function mix([a, b]: Mix, text: string): Mix {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  return [a, b];
}

/** 16 hex digits of what was mixed. A name, not a proof, so speed decides. */
function nameOf([a, b]: Mix): string {
  const low = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  const high = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  return hex(high) + hex(low);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
