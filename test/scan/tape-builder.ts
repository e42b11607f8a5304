/** Builds small tapes line by line, for tests: a Binance USD-M market whose book and ids stay consistent. */
import type { LineFlow } from '../../src/model/batch.js';
import type { Signal } from '../../src/model/signal.js';
import type { Sums } from '../../src/scan/checksum.js';
import { scan } from '../../src/scan/scan.js';
import { type GivenSettings, type ScanSettings, scanSettings } from '../../src/scan/settings.js';
import { parseSetting } from '../../src/signals/registry.js';
import { checkLine } from './valid-line.js';

export const START = 1_700_000_040_000_000; // 2023-11-14T22:14:00Z, a whole minute
export const SECOND = 1_000_000;
export const MINUTE = 60 * SECOND;

export type Level = [price: number, size: number];

export interface TapeOptions {
  symbol?: string;
  start?: number;
  recorder?: string;
  tick?: string;
  lot?: string;
  /** what a price of the script stands for, in units of the tick */
  price?: (ticks: number) => string;
  size?: (size: number) => string;
  /** channels recorded beside books and trades */
  beside?: string[];
}

/** Prices are whole ticks of 0.1 (1000 is 100.0), sizes whole units, unless `price` and `size` say otherwise. */
export class TapeBuilder {
  readonly lines: string[] = [];
  readonly src: string;
  t: number;
  readonly #options: Required<TapeOptions>;
  #update = 100;
  #trade = 1000;

  constructor(options: TapeOptions = {}) {
    this.#options = {
      symbol: 'BTCUSDT',
      start: START,
      recorder: 'test',
      tick: '0.1',
      lot: '0.001',
      price: (ticks) => `${Math.floor(ticks / 10)}.${ticks % 10}`,
      size: String,
      beside: [],
      ...options,
    };
    const { symbol, start, recorder, tick, lot, beside } = this.#options;
    this.src = `binance-usdm:${symbol}`;
    this.t = start;
    const instrument = { symbol, kind: 'linear', tick, lot, multiplier: '1' };
    const channels = ['trade', 'depth', ...beside];
    this.entry({
      tape: { version: 1, recorder, venue: 'binance-usdm', symbol, instrument, channels, flow: 'trade', tool: 'test' },
    });
  }

  /** Lets time pass; the next line stands at the new time. */
  wait(micros: number): this {
    this.t += micros;
    return this;
  }

  entry(entry: object): this {
    this.lines.push(JSON.stringify({ t: this.t++, src: this.src, ...entry }));
    return this;
  }

  #message(stream: string, data: object): this {
    const topic = `${this.#options.symbol.toLowerCase()}@${stream}`;
    return this.entry({ conn: 'test.1', msg: { stream: topic, data } });
  }

  #levels(levels: readonly Level[]): [string, string][] {
    return levels.map(([price, size]) => [this.#options.price(price), this.#options.size(size)]);
  }

  /** A REST snapshot and the update that joins it. */
  snapshot(bids: readonly Level[], asks: readonly Level[]): this {
    const body = {
      lastUpdateId: this.#update,
      E: this.#ms,
      T: this.#ms,
      bids: this.#levels(bids),
      asks: this.#levels(asks),
    };
    this.entry({ http: { url: 'https://x/depth', status: 200, sent: this.t, body } });
    return this.depth([], []);
  }

  get #ms(): number {
    return Math.floor(this.t / 1000);
  }

  depth(bids: readonly Level[], asks: readonly Level[], { lost = 0 } = {}): this {
    const pu = this.#update + lost;
    this.#update = pu + 5;
    return this.#message('depth@100ms', {
      ...{ e: 'depthUpdate', E: this.#ms, T: this.#ms, s: this.#options.symbol },
      ...{ U: pu + 1, u: this.#update, pu, b: this.#levels(bids), a: this.#levels(asks) },
    });
  }

  /** A print; `order` keeps prints of one taker order together by their matched time. */
  trade(side: 1 | -1, price: number, size: number, { lost = 0, matched = this.#ms, kind = 'MARKET' } = {}): this {
    this.#trade += 1 + lost;
    return this.#message('trade', {
      ...{ e: 'trade', E: this.#ms, T: matched, s: this.#options.symbol, t: this.#trade },
      ...{ p: this.#options.price(price), q: this.#options.size(size), X: kind, m: side < 0 },
    });
  }

  /** The best bid and ask with their sizes, as they are pushed beside the book; such a tape has `bookTicker` beside. */
  quote([bid, bidSize]: Level, [ask, askSize]: Level): this {
    const [[b, B], [a, A]] = this.#levels([
      [bid, bidSize],
      [ask, askSize],
    ]);
    const times = { T: this.#ms, E: this.#ms };
    return this.#message('bookTicker', {
      e: 'bookTicker',
      u: this.#update,
      s: this.#options.symbol,
      b,
      B,
      a,
      A,
      ...times,
    });
  }

  /** What is said of the contract beside its market; prices and rates are decimal texts, what is left out is not said. */
  mark(price: string, { index, funding, next }: { index?: string; funding?: string; next?: number } = {}): this {
    return this.#message('markPrice@1s', {
      ...{ e: 'markPriceUpdate', E: this.#ms, s: this.#options.symbol, p: price },
      ...(index === undefined ? {} : { i: index }),
      ...{ r: funding ?? '', T: next ?? 0 },
    });
  }

  liquidation(side: 1 | -1, price: number, size: number, { state = 'FILLED' } = {}): this {
    const [p, q] = [this.#options.price(price), this.#options.size(size)];
    const times = { T: this.#ms, s: this.#options.symbol };
    const order = { ...times, S: side > 0 ? 'BUY' : 'SELL', q, p, ap: p, X: state, l: q, z: q };
    return this.#message('forceOrder', { e: 'forceOrder', E: this.#ms, o: order });
  }

  clock(): this {
    return this.entry({ clock: { wall: 0, loop: 0, exchange: null } });
  }
}

/** A book of `count` levels a tick apart around the spread between `bid` and `bid + 1`. */
export function ladder(bid: number, bidSize: number, askSize: number, count = 20): [Level[], Level[]] {
  const side = (sign: number, first: number, size: number): Level[] =>
    Array.from({ length: count }, (_, i) => [first + sign * i, size]);
  return [side(-1, bid, bidSize), side(1, bid + 1, askSize)];
}

/** The lines as one flow, in batches of `every` lines. */
export async function* flowOf(lines: readonly string[], every = 100): LineFlow {
  for (let at = 0; at < lines.length; at += every) {
    const bytes = Buffer.from(`${lines.slice(at, at + every).join('\n')}\n`);
    yield { bytes, from: 0, to: bytes.length, file: 'test', frame: -1, line: at + 1 };
  }
}

export interface Scanned {
  lines: string[];
  signals: Signal[];
  notes: string[];
  damage: string[];
  sums: Sums[];
}

export interface TestSettings extends Omit<GivenSettings, 'set'> {
  set?: string[];
  from?: number;
  to?: number;
}

export function settingsOf({ set, from, to, ...given }: TestSettings): ScanSettings {
  const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  return scanSettings({ ...given, set: (set ?? []).map(parseSetting) }, { checksum: true, ...range });
}

/** Scans flows; every line printed is held against the schema. */
export async function scanFlows(flows: LineFlow[], given: TestSettings = {}): Promise<Scanned> {
  const result: Scanned = { lines: [], signals: [], notes: [], damage: [], sums: [] };
  const options = {
    settings: settingsOf(given),
    damage: ({ message }: { message: string }) => void result.damage.push(message),
    note: (text: string) => void result.notes.push(text),
    sums: (sums: Sums) => void result.sums.push(sums),
  };
  for await (const printed of scan(flows, options))
    for (const { line, signal } of printed) {
      checkLine(line);
      result.lines.push(line);
      result.signals.push(signal);
    }
  return result;
}

export function scanLines(lines: readonly string[], given: TestSettings = {}, every = 100): Promise<Scanned> {
  return scanFlows([flowOf(lines, every)], given);
}

/** `onset sell`, `end sell faded`, … with the seconds since the start. */
export function summary({ signals }: Scanned, start = START): string[] {
  return signals.map(({ time, signal, phase, side, reason }) => {
    const micros = Date.parse(`${time.slice(0, 19)}Z`) * 1000 + Number(time.slice(20, 26)) - start;
    const seconds = (micros / SECOND).toFixed(1);
    return [seconds, signal, phase, side, ...(reason === undefined ? [] : [reason])].join(' ');
  });
}
