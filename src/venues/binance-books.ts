/** Binance's book topics of one symbol: changes at each speed, and the best levels at each speed. */
import type { Snapshot } from '../model/rules.js';
import { type BinanceMarket, padSpot } from './binance-rest.js';
import { type BookWindow, createServedBook, type LevelText, type ServedBook } from './served-book.js';
import { millis } from './served-text.js';
import type { ServedEvent } from './venue.js';

type DepthEvent = Extract<ServedEvent, { kind: 'depth' }>;

/** Speeds by their word in a topic, in ms; what has no word has a speed of its own. */
const SPEEDS: Record<'futures' | 'spot', { changes: Record<string, number>; best: Record<string, number> }> = {
  futures: {
    changes: { '': 250, '@500ms': 500, '@100ms': 100, '@0ms': 0 },
    best: { '': 250, '@500ms': 500, '@100ms': 100 },
  },
  spot: { changes: { '': 1000, '@100ms': 100 }, best: { '': 1000, '@100ms': 100 } },
};
/** Of a simulated market every event is pushed at this speed, so that its rate is the rate asked for. */
const SIMULATED_MS = 100;
const DEPTHS = [5, 10, 20];

/** `depth`, `depth20`, `depth@100ms`, `depth5@500ms`; whether there is such a speed is asked elsewhere. */
const BOOK_STREAM = /^depth(5|10|20)?(@\d+ms)?$/;

/** Whether a stream shows the book: `depth@100ms`, `depth20`, `bookTicker`. */
export function isBookStream(market: BinanceMarket, stream: string): boolean {
  if (stream === 'bookTicker') return true;
  const found = BOOK_STREAM.exec(stream);
  if (found === null) return false;
  const { changes, best } = SPEEDS[market === 'spot' ? 'spot' : 'futures'];
  return Object.hasOwn(found[1] === undefined ? changes : best, found[2] ?? '');
}

/** Changes since something was said, put together. */
interface Changes {
  stream: string;
  everyMs: number;
  said: number;
  bids: Map<string, LevelText>;
  asks: Map<string, LevelText>;
  /** first id in them; NaN where there are none */
  first: number;
  /** last id of what was said before */
  previous: number;
}

/** The best levels of one topic. */
interface Best {
  stream: string;
  depth: number;
  window: BookWindow;
  previous: number;
}

export interface BookTopics {
  render(event: DepthEvent): { topic: string; text: string }[];
}

/** Starts with the book as it is known; one that is empty is not known yet. */
export function createBookTopics(
  market: BinanceMarket,
  symbol: string,
  snapshot: Snapshot,
  isSimulated: boolean,
): BookTopics {
  const spanOf = (ms: number): number => (isSimulated && ms === SIMULATED_MS ? 0 : ms);
  const { changes: changeSpeeds, best: bestSpeeds } = SPEEDS[market === 'spot' ? 'spot' : 'futures'];
  const lower = symbol.toLowerCase();
  const book: ServedBook = createServedBook(snapshot, market === 'spot' ? padSpot : (text) => text);
  const changes = Object.entries(changeSpeeds).map(
    ([word, everyMs]): Changes => ({
      stream: `depth${word}`,
      everyMs: spanOf(everyMs),
      said: Number.NaN,
      bids: new Map(),
      asks: new Map(),
      first: Number.NaN,
      previous: snapshot.id,
    }),
  );
  const best = DEPTHS.flatMap((depth) =>
    Object.entries(bestSpeeds).map(
      ([word, everyMs]): Best => ({
        stream: `depth${depth}${word}`,
        depth,
        window: book.window(depth, spanOf(everyMs)),
        previous: snapshot.id,
      }),
    ),
  );

  /** The event with all that was held back since the last one that was said; null where it is too early. */
  const gather = (topic: Changes, event: DepthEvent): DepthEvent | null => {
    if (event.last < event.first) {
      // ids began anew: nothing links what is held to what comes
      forget(topic);
      return null;
    }
    if (topic.everyMs === 0) return event;
    for (const [held, levels] of [
      [topic.bids, event.bids],
      [topic.asks, event.asks],
    ] as const)
      for (const level of levels) held.set(level[0], level);
    if (Number.isNaN(topic.first)) {
      topic.first = event.first;
      topic.previous = event.previous;
    }
    const span = Math.floor(event.emitted / (topic.everyMs * 1000));
    if (span === topic.said) return null;
    topic.said = span;
    const order = (sign: 1 | -1) => (a: LevelText, b: LevelText) => sign * (Number(a[0]) - Number(b[0]));
    const said: DepthEvent = {
      ...event,
      first: topic.first,
      previous: topic.previous,
      bids: [...topic.bids.values()].sort(order(-1)),
      asks: [...topic.asks.values()].sort(order(1)),
    };
    forget(topic);
    return said;
  };

  const forget = (topic: Changes): void => {
    topic.bids.clear();
    topic.asks.clear();
    topic.first = Number.NaN;
  };

  return {
    render(event) {
      const messages: { topic: string; text: string }[] = [];
      for (const topic of changes) {
        const said = gather(topic, event);
        if (said !== null) messages.push({ topic: `${lower}@${topic.stream}`, text: changesText(market, said) });
      }
      book.apply(event);
      for (const topic of best) {
        if (topic.window.move(event.emitted) === null) continue;
        const { bids, asks } = topic.window.levels();
        const said = { ...event, previous: topic.previous, bids, asks };
        topic.previous = event.last;
        messages.push({ topic: `${lower}@${topic.stream}`, text: bestText(market, said) });
      }
      return messages;
    },
  };
}

function levelsText(levels: readonly LevelText[], put: (text: string) => string = (text) => text): string {
  let text = '[';
  for (const [price, size] of levels) text += `${text === '[' ? '' : ','}["${put(price)}","${put(size)}"]`;
  return `${text}]`;
}

function changesText(market: BinanceMarket, event: DepthEvent): string {
  if (market !== 'spot') return futuresText(market, event, [...event.bids].reverse());
  const { symbol, first, last } = event;
  const sides = `"b":${levelsText(event.bids, padSpot)},"a":${levelsText(event.asks, padSpot)}`;
  return `{"e":"depthUpdate","E":${millis(event.emitted)},"s":"${symbol}","U":${first},"u":${last},${sides}}`;
}

/** On futures nothing but the topic tells it from changes; on spot it names neither event nor symbol. */
function bestText(market: BinanceMarket, event: DepthEvent): string {
  if (market !== 'spot') return futuresText(market, event, event.bids);
  return `{"lastUpdateId":${event.last},"bids":${levelsText(event.bids)},"asks":${levelsText(event.asks)}}`;
}

/** Of changes, futures list both sides by rising price. COIN-M names the pair: `BTCUSD` of `BTCUSD_PERP`; on USD-M it is the symbol without a date. */
function futuresText(market: 'usdm' | 'coinm', event: DepthEvent, bids: readonly LevelText[]): string {
  const { symbol, first, last, previous } = event;
  const times = `"E":${millis(event.emitted)},"T":${millis(event.matched)}`;
  const names = `"s":"${symbol}","ps":"${symbol.split('_')[0]}"`;
  const sides = `"b":${levelsText(bids)},"a":${levelsText(event.asks)}`;
  const type = market === 'usdm' ? 1 : 2;
  return `{"e":"depthUpdate",${times},${names},"U":${first},"u":${last},"pu":${previous},${sides},"st":${type}}`;
}
