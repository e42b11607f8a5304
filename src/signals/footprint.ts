/** footprint: stacked diagonal imbalances and unfinished auctions of closed bars, as zones that price meets again, or passes. */
import { type CellVolumes, cellVolumes } from '../market/cell-volumes.js';
import { type DiagonalRules, imbalancedCells, opposedAt, stacksOf, ZERO_RULES } from '../market/diagonal.js';
import { type Footprint, type FootprintRules, footprintOf } from '../market/footprint.js';
import type { FootprintBar } from '../market/footprint-bar.js';
import { type Market, Wake } from '../market/market.js';
import { GRID } from '../market/statistic.js';
import type { Micros } from '../model/entry.js';
import type { Evidence } from '../model/signal.js';
import { formatTime } from '../model/time.js';
import { type DetectorRun, defineDetector } from './detector.js';
import type { Values } from './parameters.js';
import type { Voice } from './voice.js';

/** Zones that are followed at once: beyond it the oldest is let go. */
const MOST_ZONES = 64;

const parameters = {
  kind: {
    type: 'choice',
    default: 'stacked',
    choices: ['stacked', 'unfinished', 'both'],
    doc: 'which zones are told',
  },
  bars: { type: 'choice', default: 'time', choices: ['time', 'trades', 'volume'], doc: 'what completes a bar' },
  span: {
    type: 'duration',
    default: '30s',
    min: '1s',
    max: '1h',
    doc: 'length of a time bar; other bars begin anew at its whole multiples, UTC',
  },
  trades: { type: 'integer', default: 1000, min: 1, max: 1_000_000, doc: 'prints of a bar, where trades complete it' },
  size: { type: 'size', default: '100', doc: 'volume of a bar, where volume completes it' },
  ticks: { type: 'integer', default: 1, min: 1, max: 1_000_000, doc: 'a bin is at least so many ticks wide' },
  bps: {
    type: 'number',
    default: 0.25,
    min: 0,
    max: 1000,
    doc: 'and at least so many bps: its ticks are doubled until it is; 0: exactly "ticks"',
  },
  theta: {
    type: 'number',
    default: 3,
    min: 1,
    max: 1000,
    doc: 'imbalanced: so many times the other side of the diagonal',
  },
  stack: { type: 'integer', default: 3, min: 2, max: 1000, doc: 'imbalanced neighbours that make a stack' },
  zero: {
    type: 'choice',
    default: 'floor',
    choices: ZERO_RULES,
    doc: 'what an empty cell on the diagonal counts as: no comparison, one lot, or nothing',
  },
  quantile: { type: 'number', default: 0.7, min: 0, max: 1, doc: 'a cell must reach this quantile of usual cells' },
  volume: { type: 'size', default: '0', doc: 'a cell must reach this size as well' },
  age: { type: 'duration', default: '10m', min: '1s', max: '1h', doc: 'a zone is followed so long' },
} as const;

export default defineDetector({
  name: 'footprint',
  summary: 'Bins of a bar in a row where one side outweighs the other on the diagonal',
  doc: `A footprint bar holds what aggressors bought, Buy(p), and sold, Sell(p), in every price bin from its low to its high; bins
without a trade hold zeros. A bin of width w is imbalanced to the buys where Buy(p) >= theta x Sell(p - w), and to the sells where
Sell(p) >= theta x Buy(p + w); the cell must be as large as the "quantile" of usual cells (one side of one bin, those without a trade
aside, of the bars of the baseline) and "volume". At the edge of the bar, where there is no bin to hold it against, a cell is not
imbalanced. Single cells are many and are only counted, in evidence.buy_cells and sell_cells; a row of "stack" of them is a zone, told when the
bar is complete and not before. It is updated when price comes back to it from at least a bin in front of it, and ends broken once price
was printed beyond its other edge. A stack that price has passed already when its bar is complete is none.
An auction is unfinished where both sides traded in the outermost bin of a bar: such a bin is a zone that ends once price is printed beyond it.
Wide bins make nearly all of them so; it is meant for bins of few ticks (bps=0).
Bars by trades or volume begin anew at whole multiples of "span", and a print is never divided. Bars that may lack trades tell nothing. A stack
says how a bar was traded, not that price will hold there.`,
  needs: ['trades'],
  parameters,
  meaning: {
    side: 'a stack: the side that outweighs; an unfinished auction: buy at the high of the bar, sell at its low',
    price: 'the edge of the zone that has to be passed',
    score:
      'a stack: its bins times (A - B) / (A + B), of its size A and the size B it is held against; an unfinished auction: the smaller side over the larger',
    ends: {
      broken: 'price was printed beyond the zone: a stack failed, an auction went on',
      age: 'it is older than "age", or too many newer ones stand',
    },
    evidence: {
      kind: { type: 'text', choices: ['stacked', 'unfinished'], doc: 'what the zone is' },
      bar: {
        type: 'text',
        doc: 'start of the bar, by which it is known: of its stretch of time, else its first print',
      },
      bar_ms: { type: 'ms', doc: 'length of the bar' },
      bars: { type: 'text', choices: ['time', 'trades', 'volume'], doc: 'what completes a bar' },
      zone_low: { type: 'price', doc: 'lowest price of the zone' },
      zone_high: { type: 'price', doc: 'highest price of the zone' },
      bin_ticks: { type: 'ticks', doc: 'width of a bin' },
      bins: { type: 'count', doc: 'bins of the zone' },
      size: { type: 'size', doc: 'traded in the zone by its side; an unfinished auction: by both' },
      opposed: {
        type: 'size',
        doc: 'what it is held against: a stack: the other side of the bins a step back; an unfinished auction: the smaller side',
      },
      buy_cells: { type: 'count', doc: 'cells of the bar that are imbalanced to the buys' },
      sell_cells: { type: 'count', doc: 'cells of the bar that are imbalanced to the sells' },
      cell_gate: { type: 'size', doc: 'size that a cell had to reach' },
      delta: { type: 'size', doc: 'bought less sold, of the bar' },
      min_delta: { type: 'size', doc: 'lowest delta on the way' },
      max_delta: { type: 'size', doc: 'highest delta on the way' },
      volume: { type: 'size', doc: 'traded in the bar' },
      trades: { type: 'count', doc: 'prints of the bar' },
      poc: { type: 'price', doc: 'lowest price of the bin of most volume' },
      value_low: {
        type: 'price',
        doc: 'lowest price of the bins that hold 70 % of the volume: from the point of control on, the larger of the two bins beside them joins, and of equal ones both',
      },
      value_high: { type: 'price', doc: 'highest price of them' },
      theta: { type: 'ratio', doc: 'the ratio that makes a cell imbalanced' },
      zero: { type: 'text', choices: ZERO_RULES, doc: 'what an empty cell on the diagonal counts as' },
      edge: { type: 'text', choices: ['none'], doc: 'what a cell at the edge of the bar is: not imbalanced' },
      retests: { type: 'count', doc: 'how often price came back to the zone' },
    },
  },
  // bars that were under way when reading began are over by then, and their cells left the baseline or never joined it
  lookback: ({ span }) => span + 3 * GRID,
  create(options, market, voice): DetectorRun {
    return new FootprintZones(options, market, voice);
  },
});

interface Zone {
  readonly kind: 'stacked' | 'unfinished';
  readonly side: number;
  readonly key: string;
  /** lowest price inside, the first above it, and the width of a bin; scaled */
  readonly low: number;
  readonly top: number;
  readonly width: number;
  /** where price passes it: -1 below, +1 above */
  readonly exit: number;
  readonly score: number;
  readonly evidence: Evidence;
  readonly first: Micros;
  /** when it was told; NaN: not yet */
  since: Micros;
  /** price has left it, away from the exit */
  left: boolean;
  retests: number;
  // what prints did since the last message end
  retested: boolean;
  broken: boolean;
}

class FootprintZones implements DetectorRun {
  readonly wake = Wake.trade | Wake.beat;
  readonly #options: Values<typeof parameters>;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #footprint: Footprint;
  readonly #cells: CellVolumes;
  readonly #diagonal: DiagonalRules;
  readonly #least: number;
  /** oldest first */
  #zones: Zone[] = [];
  /** no print at low <= price < high does anything to a zone */
  #calmLow = Number.NEGATIVE_INFINITY;
  #calmHigh = Number.POSITIVE_INFINITY;
  /** something is to be told at the message's end */
  #stirred = false;
  #oldest: Micros = Number.POSITIVE_INFINITY;

  constructor(options: Values<typeof parameters>, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    const { bars, span, trades, ticks, bps, theta, zero } = options;
    const size = bars === 'trades' ? trades : bars === 'volume' ? market.scaledSize(options.size) : 0;
    const rules: FootprintRules = { by: bars, span, size, ticks, bps };
    this.#footprint = footprintOf(market, rules);
    this.#cells = cellVolumes(market, rules);
    this.#least = market.scaledSize(options.volume);
    const lot = market.scaledSize(market.track.instrument.lot);
    this.#diagonal = { theta, zero, lot, least: Number.NaN };
    this.#footprint.onClose((bar) => this.#read(bar));
    market.follow({
      trade: (_t, _side, price) => {
        if (price < this.#calmLow || price >= this.#calmHigh) this.#pass(price);
      },
    });
  }

  /** A bar is complete: its zones, to be told at the message's end. */
  #read(bar: FootprintBar): void {
    if (!bar.whole) return;
    const { kind, stack, quantile } = this.#options;
    const least = Math.max(this.#least, this.#cells.gate(bar, quantile));
    if (Number.isNaN(least)) return; // nothing is known of usual cells
    this.#diagonal.least = least;
    let about: Evidence | null = null;
    const add = (
      zone: Pick<Zone, 'kind' | 'side' | 'exit' | 'score'>,
      from: number,
      to: number,
      own: Evidence,
    ): void => {
      about ??= this.#about(bar);
      this.#add(bar, zone, from, to, { ...own, ...about });
    };
    for (const side of [1, -1]) {
      if (kind !== 'unfinished')
        for (const { from, to } of stacksOf(bar, side, stack, this.#diagonal)) {
          let [size, opposed] = [0, 0];
          for (let i = from; i <= to; i++) {
            size += side > 0 ? bar.buyAt(i) : bar.sellAt(i);
            opposed += opposedAt(bar, i, side);
          }
          const score = (to - from + 1) * ((size - opposed) / (size + opposed));
          add({ kind: 'stacked', side, exit: -side, score }, from, to, this.#sizes(size, opposed));
        }
      if (kind !== 'stacked' && bar.unfinished(side)) {
        const i = side > 0 ? bar.bins - 1 : 0;
        const smaller = Math.min(bar.buyAt(i), bar.sellAt(i));
        const score = smaller / Math.max(bar.buyAt(i), bar.sellAt(i));
        add({ kind: 'unfinished', side, exit: side, score }, i, i, this.#sizes(bar.volumeAt(i), smaller));
      }
    }
  }

  #sizes(size: number, opposed: number): Evidence {
    return { size: this.#market.size(size), opposed: this.#market.size(opposed) };
  }

  /** What is said of the bar with every zone of it. */
  #about(bar: FootprintBar): Evidence {
    const market = this.#market;
    const { theta, zero } = this.#options;
    const { from, to } = bar.valueArea();
    return {
      buy_cells: imbalancedCells(bar, 1, this.#diagonal),
      sell_cells: imbalancedCells(bar, -1, this.#diagonal),
      cell_gate: market.size(this.#diagonal.least),
      delta: market.size(bar.delta),
      min_delta: market.size(bar.minDelta),
      max_delta: market.size(bar.maxDelta),
      volume: market.size(bar.volume),
      trades: bar.trades,
      poc: market.price(bar.priceAt(bar.poc)),
      value_low: market.price(bar.priceAt(from)),
      value_high: market.price(bar.priceAt(to + 1) - this.#tick),
      theta,
      zero,
      edge: 'none',
    };
  }

  get #tick(): number {
    return this.#market.track.book.tick;
  }

  #add(
    bar: FootprintBar,
    about: Pick<Zone, 'kind' | 'side' | 'exit' | 'score'>,
    from: number,
    to: number,
    facts: Evidence,
  ): void {
    const market = this.#market;
    const [low, top] = [bar.priceAt(from), bar.priceAt(to + 1)];
    const { kind } = about;
    const zoneLow = market.price(low);
    const evidence: Evidence = {
      kind,
      bar: formatTime(bar.start),
      bar_ms: (bar.end - bar.start) / 1000,
      bars: this.#options.bars,
      zone_low: zoneLow,
      zone_high: market.price(top - this.#tick),
      bin_ticks: bar.width / this.#tick,
      bins: to - from + 1,
      ...facts,
    };
    this.#zones.push({
      ...about,
      // bars of one message may share their start
      ...{ key: `${kind} ${bar.start} ${bar.index} ${zoneLow}`, low, top, width: bar.width, evidence },
      ...{ first: bar.firstT, since: Number.NaN, left: false, retests: 0, retested: false, broken: false },
    });
    this.#stirred = true;
    this.#pass(bar.closePrice);
  }

  /** A print at a price that may matter to a zone. */
  #pass(price: number): void {
    for (const zone of this.#zones) {
      const { low, top, exit, width } = zone;
      if (isBeyond(price, low, top, exit)) zone.broken = true;
      else if (isBeyond(price, low - width, top + width, -exit)) zone.left = true;
      else if (zone.left && !isBeyond(price, low, top, -exit)) {
        zone.left = false;
        zone.retests++;
        zone.retested = true;
      }
      if (zone.broken || zone.retested) this.#stirred = true;
    }
    this.#calm(price);
  }

  /** Between which edges price may move from here without any effect. */
  #calm(price: number): void {
    let below = Number.NEGATIVE_INFINITY;
    let above = Number.POSITIVE_INFINITY;
    for (const { low, top, width } of this.#zones)
      for (const edge of [low - width, low, top, top + width])
        if (edge <= price) below = Math.max(below, edge);
        else above = Math.min(above, edge);
    this.#calmLow = below;
    this.#calmHigh = above;
  }

  evaluate(t: Micros): void {
    this.#footprint.advance(t);
    if (this.#stirred || t >= this.#oldest) this.#tell(t);
  }

  #tell(t: Micros): void {
    this.#stirred = false;
    const kept: Zone[] = [];
    const { isWarm } = this.#cells;
    const surplus = this.#zones.length - MOST_ZONES;
    for (const [n, zone] of this.#zones.entries()) {
      // what is over before it was told is not worth a line
      if (Number.isNaN(zone.since)) {
        if (zone.broken || n < surplus || !isWarm) continue;
        zone.since = t;
        this.#voice.onset(t, zone.first, this.#facts(zone));
      } else if (zone.broken) {
        this.#voice.end(t, zone.side, 'broken', this.#facts(zone));
        continue;
      } else if (t - zone.since >= this.#options.age || n < surplus) {
        this.#voice.end(t, zone.side, 'age', this.#facts(zone));
        continue;
      } else if (zone.retested) this.#voice.update(t, this.#facts(zone));
      zone.retested = false;
      kept.push(zone);
    }
    this.#zones = kept;
    this.#oldest = kept.length > 0 ? kept[0].since + this.#options.age : Number.POSITIVE_INFINITY;
  }

  #facts({ side, key, low, top, exit, score, evidence, retests }: Zone) {
    const price = this.#market.price(exit < 0 ? low : top - this.#tick);
    return { side, key, price, score, evidence: { ...evidence, retests } };
  }

  reset(): void {
    this.#zones = [];
    this.#stirred = false;
    this.#oldest = Number.POSITIVE_INFINITY;
    this.#calmLow = Number.NEGATIVE_INFINITY;
    this.#calmHigh = Number.POSITIVE_INFINITY;
  }
}

/** Whether a price is outside [low, top), above it (side 1) or below (-1). */
function isBeyond(price: number, low: number, top: number, side: number): boolean {
  return side > 0 ? price >= top : price < low;
}
