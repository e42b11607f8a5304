/** The detectors that run on one market: which can, who is woken by what, and how what is open ends. */
import { Effect } from '../market/effect.js';
import { type Market, Wake } from '../market/market.js';
import { surroundingsOf } from '../market/surroundings.js';
import type { HeaderEntry, Micros } from '../model/entry.js';
import type { EndReason } from '../model/signal.js';
import { Confirmation } from '../signals/confirmation.js';
import type { DetectorRun } from '../signals/detector.js';
import type { PlanSettings } from '../signals/plan.js';
import type { Chosen } from '../signals/registry.js';
import { type Say, type Speaker, Voice } from '../signals/voice.js';
import type { Venue } from '../venues/venue.js';

interface Running {
  run: DetectorRun;
  voice: Voice;
  /** Effect bits that take away what it rests on */
  rests: number;
}

const ANY_WAKE = Wake.trade | Wake.book | Wake.beat | Wake.group;

/** A detector among those that the same Wake bits wake; of these it is told those it asked for. */
interface Look {
  evaluate: DetectorRun['evaluate'];
  why: number;
}

export interface DetectorRunsOptions {
  chosen: readonly Chosen[];
  header: HeaderEntry;
  venue: Venue;
  market: Market;
  speaker: Speaker;
  plan: PlanSettings;
  say: Say;
  /** a sentence for people: why a detector does not run */
  note(text: string): void;
}

/** What chosen detectors keep on one market. */
export class DetectorRuns {
  readonly #options: DetectorRunsOptions;
  readonly #running: readonly Running[];
  /** by Wake bits, whom they wake: who looks for other things is not asked for every message */
  readonly #looks: readonly (readonly Look[])[];
  #confirmation: Confirmation | null = null;

  constructor(options: DetectorRunsOptions) {
    this.#options = options;
    const { chosen, header, venue, note } = options;
    this.#running = chosen.flatMap((one) => {
      const reason = unsupported(one, header, venue);
      if (reason === null) return [this.#create(one)];
      note(`${header.src}: ${one.detector.name} is unsupported: ${reason}`);
      return [];
    });
    this.#looks = Array.from({ length: ANY_WAKE + 1 }, (_, wake) => looksOf(this.#running, wake));
  }

  #confirms(): Confirmation {
    this.#confirmation ??= new Confirmation(this.#options.market);
    return this.#confirmation;
  }

  #create({ detector, options }: Chosen): Running {
    const { venue, market, speaker, plan, say } = this.#options;
    const { capabilities } = venue;
    const byBook = detector.needs.includes('book');
    const byTrades = detector.needs.includes('trades');
    const byLiquidations = detector.needs.includes('liquidations');
    const byTouches = detector.touches === true && market.options.hasTouches === true;
    // no venue numbers its liquidations, and ids of best quotes skip: one that is lost leaves no trace
    const byUnnumbered = byLiquidations || byTouches;
    const provable =
      !(byBook && !capabilities.bookLossDetected) && !(byTrades && !capabilities.tradeLossDetected) && !byUnnumbered;
    const parameters = JSON.stringify(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
    const voice = new Voice({
      ...{ name: detector.name, parameters, provable, speaker, market, plan, say },
      // followed only where there are signals
      around: surroundingsOf(market),
      confirmation: detector.confirms === true ? this.#confirms() : null,
    });
    const beside = byUnnumbered ? Effect.besideGap : 0;
    const rests = (byBook ? Effect.lost : 0) | (byTrades ? Effect.tradeGap : 0) | beside;
    const run = detector.create(options, market, voice);
    if ((run.wake & Wake.group) !== 0) market.hearGroups();
    return { run, voice, rests };
  }

  /** A message's end: those whom these Wake bits wake look at the market. */
  evaluate(t: Micros, wake: number): void {
    const looks = this.#looks[wake];
    for (let n = 0; n < looks.length; n++) {
      const look = looks[n];
      look.evaluate(t, look.why);
    }
    if (wake !== 0 && this.#confirmation?.waits === true) this.#confirmation.look(t);
  }

  /** Ends all that is open, for a reason from outside; everybody starts afresh. */
  close(t: Micros, reason: EndReason): void {
    for (const one of this.#running) close(one, t, reason);
  }

  /** A unit begins: what waits to be confirmed waits no more. */
  beginUnit(): void {
    this.#confirmation?.clear();
  }

  /** Data was lost (Effect bits): what rests on it ends, then the market forgets it, then they do. */
  lose(effect: number, t: Micros): void {
    for (const one of this.#running) if ((one.rests & effect) !== 0) close(one, t, 'gap');
    if ((effect & (Effect.lost | Effect.tradeGap)) !== 0) {
      this.#options.market.lose(effect);
      this.#confirmation?.clear();
    }
    for (const { run, rests } of this.#running) if ((rests & effect) !== 0) run.lose?.();
  }
}

/** Whom these Wake bits wake, in their order. */
function looksOf(running: readonly Running[], wake: number): Look[] {
  return running
    .filter(({ run }) => (run.wake & wake) !== 0)
    .map(({ run }) => ({ evaluate: run.evaluate.bind(run), why: run.wake & wake }));
}

/** Ends what a detector has open, and lets it start afresh. */
function close({ run, voice }: Running, t: Micros, reason: EndReason): void {
  voice.close(t, reason);
  run.reset?.();
}

/** Why a detector cannot work on this tape; null where it can. */
function unsupported({ detector }: Chosen, { tape }: HeaderEntry, venue: Venue): string | null {
  const { channels, flow } = tape;
  const { liquidations } = venue.channels;
  const byLiquidations = detector.needs.includes('liquidations');
  if (byLiquidations && liquidations === undefined) return `${venue.id} pushes no liquidations`;
  if (channels.length === 0) return null; // the header does not say what was recorded
  if (detector.needs.includes('trades') && !channels.includes(flow)) return `the tape holds no ${flow} channel`;
  if (detector.needs.includes('book') && !channels.some((channel) => channel.startsWith('depth')))
    return 'the tape holds no depth channel';
  if (byLiquidations && liquidations !== undefined && !channels.includes(liquidations))
    return `the tape holds no ${liquidations} channel`;
  return null;
}
