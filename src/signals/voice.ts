/** How a detector speaks: it gives facts, and a whole signal line comes out, with a deterministic id. */
import type { Market } from '../market/market.js';
import type { Micros } from '../model/entry.js';
import type { EndReason, Evidence, Phase, Quality, Side, Signal } from '../model/signal.js';
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
  /** exact decimal; null where unknown */
  price: number | null;
  score: number;
  evidence: Evidence;
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

/** The voice of one detector run. At most one event per side is open. */
export class Voice {
  readonly #name: string;
  readonly #parameters: string;
  readonly #speaker: Speaker;
  readonly #market: Market;
  readonly #provable: boolean;
  readonly #say: Say;
  readonly #open = new Map<number, Open>();

  /** @param parameters canonical text of the options in force; part of every id */
  constructor(name: string, parameters: string, provable: boolean, speaker: Speaker, market: Market, say: Say) {
    this.#name = name;
    this.#parameters = parameters;
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

  /** An event begins. `first` is the `t` of the oldest entry it rests on (NaN: the one at `t`). */
  onset(t: Micros, first: Micros, facts: Facts): void {
    const { venue, symbol } = this.#speaker;
    const id = hashOf([this.#name, this.#parameters, `${venue}:${symbol}`, sideOf(facts), String(t)].join('\n'));
    const open = { id, first: Number.isNaN(first) ? t : first, facts };
    this.#open.set(facts.side, open);
    this.#line(t, t, 'onset', open, undefined, this.#quality());
  }

  update(t: Micros, facts: Facts): void {
    const open = this.#open.get(facts.side);
    if (open === undefined) return;
    open.facts = facts;
    this.#line(t, t, 'update', open, undefined, this.#quality());
  }

  /** The event of that side ends; without `facts`, those of its last line stand. */
  end(t: Micros, side: number, reason: EndReason, facts?: Facts): void {
    const open = this.#open.get(side);
    if (open === undefined) return;
    this.#open.delete(side);
    if (facts !== undefined) open.facts = facts;
    this.#line(t, this.#market.t, 'end', open, reason, reason === 'gap' ? 'suspect' : this.#quality());
  }

  #quality(): Quality {
    return this.#provable ? 'verified' : 'unverifiable';
  }

  #line(t: Micros, last: Micros, phase: Phase, open: Open, reason: EndReason | undefined, quality: Quality): void {
    const { venue, symbol, recorder } = this.#speaker;
    const { facts } = open;
    this.#say(t, {
      time: formatTime(t),
      venue,
      symbol,
      signal: this.#name,
      phase,
      side: sideOf(facts),
      id: open.id,
      ...(reason === undefined ? {} : { reason }),
      price: facts.price,
      score: rounded(facts.score),
      evidence: { ...facts.evidence, recorder, first: open.first, last },
      quality,
    });
  }
}

function sideOf(facts: Facts): Side {
  return facts.side > 0 ? 'buy' : 'sell';
}

/** 16 hex digits: two 32-bit words mixed over the UTF-16 units. A name, not a proof, so speed decides. */
function hashOf(text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return [b, a].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}
