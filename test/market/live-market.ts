/** A market fed with tape lines, for tests of the state that follows it: looked at whenever a test likes. */
import { Market } from '../../src/market/market.js';
import { createTrack, Effect } from '../../src/market/track.js';
import type { HeaderEntry } from '../../src/model/entry.js';
import { EVENT_STRIDE, Field } from '../../src/model/event.js';
import { venueById } from '../../src/venues/registry.js';
import { MINUTE, SECOND } from '../scan/tape-builder.js';
import { applyLine, decodeLines } from './feed.js';

const venue = venueById('binance-usdm');

export interface LiveOptions {
  baselineMinutes?: number;
  warmup?: number;
}

/** A market that has read nothing; `read` feeds it and calls `look` after every line. */
export class LiveMarket {
  readonly market: Market;
  readonly #lines: readonly string[];

  /** @param lines the header first */
  constructor(lines: readonly string[], { baselineMinutes = 5, warmup = 10 * SECOND }: LiveOptions = {}) {
    this.#lines = lines;
    const { instrument, flow } = (JSON.parse(lines[0]) as HeaderEntry).tape;
    const track = createTrack({ instrument, rules: venue, flow });
    this.market = new Market(track, {
      facts: venue.capabilities,
      baselineMinutes,
      warmup,
      htf: 300_000_000,
      lookback: 10 * MINUTE,
    });
  }

  read(look: (t: number) => void = () => {}): this {
    const { market } = this;
    const { track } = market;
    const decoded = decodeLines(Buffer.from(this.#lines.map((line) => `${line}\n`).join('')), venue, track.instrument);
    const { events, count } = decoded.buffer;
    for (let i = 0; i < count; i++) {
      const t = decoded.entries.get(i)?.t ?? events[i * EVENT_STRIDE + Field.T];
      if (i === 0) market.begin(t);
      market.advance(t);
      const effect = applyLine(track, decoded, i);
      if ((effect & (Effect.lost | Effect.tradeGap)) !== 0) market.lose(effect);
      market.apply(effect, decoded.buffer, i);
      look(t);
    }
    return this;
  }
}
