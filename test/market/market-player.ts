/** Plays scripted tapes to a market, piece by piece, for tests of what follows it. */
import { Market } from '../../src/market/market.js';
import { Effect } from '../../src/market/track.js';
import type { Entry } from '../../src/model/entry.js';
import { EVENT_STRIDE, Field } from '../../src/model/event.js';
import type { Instrument } from '../../src/model/instrument.js';
import { venueById } from '../../src/venues/registry.js';
import { SECOND, type TapeBuilder } from '../scan/tape-builder.js';
import { applyLine, decodeLines, newTrack } from './feed.js';

const venue = venueById('binance-usdm');

/** A market that is told a tape's lines as a scan tells it, those since the last time. */
export class MarketPlayer {
  readonly market: Market;
  readonly #tape: TapeBuilder;
  readonly #instrument: Instrument;
  #played = 1;

  constructor(tape: TapeBuilder, { baselineMinutes = 5, warmup = 20 * SECOND } = {}) {
    this.#tape = tape;
    const header = JSON.parse(tape.lines[0]) as { t: number; tape: { instrument: Instrument } };
    this.#instrument = header.tape.instrument;
    const times = { warmup, htf: 300 * SECOND, lookback: 600 * SECOND };
    const options = { facts: venue.capabilities, baselineMinutes, ...times };
    this.market = new Market(newTrack(venue, this.#instrument), options);
    this.market.begin(header.t);
  }

  play(): void {
    const { market } = this;
    const lines = this.#tape.lines.slice(this.#played);
    this.#played += lines.length;
    const decoded = decodeLines(Buffer.from(lines.map((line) => `${line}\n`).join('')), venue, this.#instrument);
    const { buffer, entries } = decoded;
    for (let i = 0; i < buffer.count; i++) {
      market.advance(buffer.events[i * EVENT_STRIDE + Field.T] || (entries.get(i) as Entry).t);
      const effect = applyLine(market.track, decoded, i);
      if ((effect & (Effect.lost | Effect.tradeGap)) !== 0) market.lose(effect);
      market.apply(effect, entries.has(i) ? null : buffer, i);
    }
  }

  /** Lets time pass in steps, with nothing but clocks. */
  quiet(seconds: number, step = SECOND / 10): void {
    const end = this.#tape.t + seconds * SECOND;
    while (this.#tape.t < end) this.#tape.wait(Math.min(step, end - this.#tape.t)).clock();
    this.play();
  }
}
