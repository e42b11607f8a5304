/** block: one taker order that is large against the usual ones and against the book it meets. */

import { ASK, BID } from '../market/book.js';
import { type BookHistory, bookHistory } from '../market/book-history.js';
import { groupSizes } from '../market/group-sizes.js';
import type { Group } from '../market/groups.js';
import { type Market, Wake } from '../market/market.js';
import type { GridStatistic } from '../market/statistic.js';
import { rounded } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import { type DetectorRun, defineDetector } from './detector.js';
import type { Parameters, Values } from './parameters.js';
import type { Voice } from './voice.js';

/** A group is looked at when it is complete, which is hardly ever so long after its first print. */
const LONGEST_GROUP: Micros = 1_000_000;
/** What a quantile from the 25th to the 75th spans, in deviations of a normal distribution. */
const QUARTILES = 1.349;

const parameters = {
  quantile: {
    type: 'number',
    default: 0.995,
    min: 0,
    max: 1,
    doc: 'the size must exceed this quantile of the sizes of aggressor groups',
  },
  volume: { type: 'size', default: '0', doc: 'the size must reach this size' },
  share: { type: 'number', default: 0.05, min: 0, max: 1000, doc: 'least size over the depth before within "bps"' },
  bps: { type: 'number', default: 10, min: 0.1, max: 100, doc: 'depth is measured within this many bps of the mid' },
} as const satisfies Parameters;

export default defineDetector({
  name: 'block',
  summary: 'One taker order is large against usual orders and against the book',
  doc: `An aggressor group (the prints of one taker order) whose size exceeds the quantile of the sizes of groups in the baseline,
and is at least the share "share" of what the other side displayed within "bps" of the mid before it. Nothing more is asked: a block may move the
price or be taken in without a tick, and what follows is not known when it is said. The book before is the last one the venue timed
before the order, of those that had come when it was said (where nothing is timed, the one an update interval before). z says how far the logarithm of the size is
from the usual median, in deviations taken from the quartiles; it tells sizes of different markets apart, and decides nothing.`,
  needs: ['book', 'trades'],
  confirms: true,
  parameters,
  meaning: {
    point: true,
    side: 'the aggressor',
    price: 'the last price it traded at',
    score: 'its size over the depth before, on the other side, within "bps"',
    evidence: {
      group_conf: {
        type: 'text',
        choices: ['exact', 'strong', 'heuristic'],
        doc: 'how surely the prints of one order are known to be one order, on this venue',
      },
      size: { type: 'size', doc: 'its size' },
      usual_size: { type: 'size', doc: 'the quantile of usual sizes, which it had to exceed' },
      z: {
        type: 'ratio',
        nullable: true,
        doc: 'logarithm of its size over the usual median, in deviations; null where the quartiles are one size',
      },
      prints: { type: 'count', doc: 'trades' },
      levels: { type: 'count', doc: 'distinct prices' },
      first_price: { type: 'price', doc: 'the first price it traded at' },
      pre_touch: { type: 'price', doc: 'best price it met before' },
      touch_share: { type: 'ratio', doc: 'its size over what that price displayed' },
      depth: { type: 'size', doc: 'displayed before within "bps"' },
      depth_share: { type: 'ratio', doc: 'its size over that' },
    },
  },
  lookback: () => 5 * LONGEST_GROUP,
  create(options, market, voice): DetectorRun {
    return new BlockRun(options, market, voice);
  },
});

type BlockOptions = Values<typeof parameters>;

/** A group that is large enough, and the size it had to exceed. */
interface Large {
  readonly group: Group;
  readonly usual: number;
}

class BlockRun implements DetectorRun {
  readonly wake = Wake.group;
  readonly #options: BlockOptions;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #history: BookHistory;
  readonly #sizes: GridStatistic;
  readonly #least: number;
  /** complete since detectors were last asked */
  #large: Large[] = [];

  constructor(options: BlockOptions, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    this.#history = bookHistory(market, LONGEST_GROUP, 2 * options.bps);
    this.#sizes = groupSizes(market);
    this.#least = market.scaledSize(options.volume);
    market.onGroup((group) => this.#complete(group));
  }

  #complete(group: Group): void {
    const usual = this.#market.usual(this.#sizes, this.#options.quantile);
    // NaN while the baseline is cold; where orders of one size are usual, that size is not large
    if (group.volume > usual && group.volume >= this.#least) this.#large.push({ group: { ...group }, usual });
  }

  evaluate(t: number): void {
    if (this.#large.length === 0) return;
    for (const large of this.#large) this.#look(t, large);
    this.#large = [];
  }

  #look(t: number, { group, usual }: Large): void {
    const market = this.#market;
    const { share, bps } = this.#options;
    const { side, volume, matched, firstT, lastPrice } = group;
    const past = this.#history.before(side > 0 ? ASK : BID, matched, firstT);
    if (past === null) return;
    const depth = past.depthWithin(bps);
    if (!(depth > 0 && volume / depth >= share)) return;
    const evidence = {
      group_conf: market.groupConf(group.order),
      size: market.size(volume),
      usual_size: market.size(usual),
      z: this.#z(volume),
      prints: group.prints,
      levels: group.levels,
      first_price: market.price(group.firstPrice),
      pre_touch: market.price(past.touch),
      touch_share: rounded(volume / past.before(past.touch)),
      depth: market.size(depth),
      depth_share: rounded(volume / depth),
    };
    // several may be complete at one time, in one message of many trades too
    const key = `${firstT} ${market.price(group.firstPrice)}`;
    const facts = { side, key, price: market.price(lastPrice), score: volume / depth, evidence };
    this.#voice.point(t, firstT, { ...facts, before: past.bid + past.ask });
  }

  /** Deviations of the logarithm of a size from the usual median; null where there is no spread. */
  #z(size: number): number | null {
    const { baseline } = this.#sizes;
    const spread = Math.log(baseline.quantile(0.75) / baseline.quantile(0.25));
    return spread > 0 ? rounded((Math.log(size / baseline.quantile(0.5)) / spread) * QUARTILES) : null;
  }

  lose(): void {
    this.#large = [];
  }
}
