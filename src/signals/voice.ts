/** How a detector speaks: it gives facts, and a whole signal line comes out, with a deterministic id. */
import type { Market } from '../market/market.js';
import type { Surroundings } from '../market/surroundings.js';
import { rounded } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import type { Confirm, EndReason, Evidence, Phase, Quality, Side, Signal } from '../model/signal.js';
import { formatTime } from '../model/time.js';
import type { Confirmation } from './confirmation.js';
import { Step } from './lifecycle.js';
import { type Intent, makePlan, type PlanSettings } from './plan.js';

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
  /** twice the mid before it, where it is said after the price has moved: a reaction is measured from there */
  before?: number;
  /** of a setup: what its plan is made from */
  intent?: Intent;
}

/** The facts of a running event as they are at `t`. */
export type Fresh = (t: Micros) => Facts;

/** Takes a signal and its time in µs. */
export type Say = (t: Micros, signal: Signal) => void;

interface Open {
  id: string;
  first: Micros;
  facts: Facts;
  fresh?: Fresh | undefined;
  confirm?: Confirm;
}

/** What a voice speaks of, and with what. */
export interface VoiceOptions {
  name: string;
  /** canonical text of the options in force; part of every id */
  parameters: string;
  /** the venue's data shows every loss that matters here */
  provable: boolean;
  speaker: Speaker;
  market: Market;
  around: Surroundings;
  /** judges aggressions; null where a detector's signals are none */
  confirmation: Confirmation | null;
  plan: PlanSettings;
  say: Say;
}

/** The voice of one detector run. At most one event per side and key is open. */
export class Voice {
  readonly #options: VoiceOptions;
  /** what every id of this run begins with, mixed already: options are long texts */
  readonly #seed: Mix;
  readonly #open = new Map<string, Open>();

  constructor(options: VoiceOptions) {
    const { name, parameters, speaker } = options;
    this.#options = options;
    this.#seed = mix(START, `${name}\n${parameters}\n${speaker.venue}:${speaker.symbol}\n`);
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

  /**
   * An event begins. `first` is the `t` of the oldest entry it rests on (NaN: the one at `t`). Lines that the rule has no part in (what is known of
   * its confirmation, an end from outside) carry what `fresh` says; without it, what the last line said.
   */
  onset(t: Micros, first: Micros, facts: Facts, fresh?: Fresh): void {
    const open = this.#begin(t, first, facts);
    open.fresh = fresh;
    this.#open.set(keyOf(facts.side, facts.key), open);
    this.#line(t, t, 'onset', open, undefined, this.#quality());
  }

  #begin(t: Micros, first: Micros, facts: Facts): Open {
    const { key } = facts;
    const id = nameOf(mix(this.#seed, `${sideOf(facts)}\n${t}${key === undefined ? '' : `\n${key}`}`));
    const open: Open = { id, first: Number.isNaN(first) ? t : first, facts };
    const { confirmation, market } = this.#options;
    if (confirmation !== null)
      open.confirm = confirmation.begin(t, facts, open.first, () => {
        open.facts = open.fresh?.(market.t) ?? open.facts;
        this.#line(market.t, market.t, 'update', open, undefined, this.#quality());
      });
    return open;
  }

  update(t: Micros, facts: Facts): void {
    const open = this.#open.get(keyOf(facts.side, facts.key));
    if (open === undefined) return;
    open.facts = facts;
    // lines of one moment are ordered by their bytes, so a second one of this event might stand before this
    if (open.confirm !== undefined) this.#options.confirmation?.settle(open.confirm, t);
    this.#line(t, t, 'update', open, undefined, this.#quality());
  }

  /** The event of that side, and of that key, ends; without `facts`, those of its last line stand. */
  end(t: Micros, side: number, reason: EndReason, facts?: Facts, key = facts?.key): void {
    const at = keyOf(side, key);
    const open = this.#open.get(at);
    if (open === undefined) return;
    this.#open.delete(at);
    if (facts !== undefined) open.facts = facts;
    const { confirmation, market } = this.#options;
    if (open.confirm !== undefined) confirmation?.drop(open.confirm);
    this.#line(t, market.t, 'end', open, reason, reason === 'gap' ? 'suspect' : this.#quality());
  }

  /** Every event that is open ends, for a reason from outside. */
  close(t: Micros, reason: EndReason): void {
    const { market } = this.#options;
    for (const { facts, fresh } of [...this.#open.values()]) {
      // behind a loss nothing is known
      const now = reason === 'gap' ? undefined : fresh?.(market.t);
      this.end(t, facts.side, reason, now, facts.key);
    }
  }

  #quality(): Quality {
    return this.#options.provable ? 'verified' : 'unverifiable';
  }

  #line(t: Micros, last: Micros, phase: Phase, open: Open, reason: EndReason | undefined, quality: Quality): void {
    const { name, speaker, market, around, say } = this.#options;
    const { facts, id, first } = open;
    const { venue, symbol, recorder } = speaker;
    // keys are set one after the other in their order: a spread in a literal took longer than all the rest of a line
    // what a signal must have is set below, in the order of a line
    const signal = { time: formatTime(t), venue, symbol, signal: name, phase, side: sideOf(facts), id } as Signal;
    if (reason !== undefined) signal.reason = reason;
    signal.price = facts.price;
    signal.score = rounded(facts.score);
    signal.evidence = { ...facts.evidence, recorder, first, last };
    if (open.confirm !== undefined) signal.confirm = { ...open.confirm };
    signal.context = around.context(t, facts.side);
    if (facts.intent !== undefined) signal.plan = makePlan(facts.intent, market.track.instrument, this.#options.plan);
    signal.quality = quality;
    say(t, signal);
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
