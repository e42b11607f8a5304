/** A third decoder for tests, written from the venue's documentation alone: no layouts, big integers, objects. */

export interface NaiveSource {
  market: 'futures' | 'spot';
  symbol: string;
  priceDecimals: number;
  sizeDecimals: number;
  flow: string;
}

export interface NaiveRecord {
  kind: 'trade' | 'depth' | 'touch' | 'partial' | 'liquidation' | 'derivative' | 'other' | 'unknown' | 'invalid';
  t: number;
  src: string;
  conn: string | null;
  /** channel and stream; only where the message was understood */
  channel?: string;
  stream?: string;
  emitted?: number;
  matched?: number;
  first?: number;
  last?: number;
  previous?: number;
  side?: number;
  price?: number;
  size?: number;
  price2?: number;
  size2?: number;
  offBook?: boolean;
  notFlow?: boolean;
  mark?: number;
  index?: number;
  funding?: number;
  nextFunding?: number;
  bids?: [number, number][];
  asks?: [number, number][];
}

class Unreadable extends Error {}

const FUTURES_STREAMS: Record<string, [channel: string, type: string]> = {
  'depth@100ms': ['depth', 'depthUpdate'],
  'depth@500ms': ['depth', 'depthUpdate'],
  'depth@0ms': ['depth', 'depthUpdate'],
  depth: ['depth', 'depthUpdate'],
  trade: ['trade', 'trade'],
  aggTrade: ['aggTrade', 'aggTrade'],
  bookTicker: ['bookTicker', 'bookTicker'],
  markPrice: ['markPrice', 'markPriceUpdate'],
  'markPrice@1s': ['markPrice', 'markPriceUpdate'],
  forceOrder: ['forceOrder', 'forceOrder'],
};
const SPOT_STREAMS: Record<string, [channel: string, type: string | undefined]> = {
  'depth@100ms': ['depth', 'depthUpdate'],
  depth: ['depth', 'depthUpdate'],
  trade: ['trade', 'trade'],
  aggTrade: ['aggTrade', 'aggTrade'],
  bookTicker: ['bookTicker', undefined],
};
for (const n of [5, 10, 20]) {
  for (const speed of ['', '@100ms', '@500ms']) FUTURES_STREAMS[`depth${n}${speed}`] = ['partialDepth', 'depthUpdate'];
  for (const speed of ['', '@100ms']) SPOT_STREAMS[`depth${n}${speed}`] = ['partialDepth', undefined];
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An exact decimal text as an integer of 10^-decimals; negative ones only where they are `signed`. */
export function naiveDecimal(value: unknown, decimals: number, signed = false): number {
  if (typeof value !== 'string') throw new Unreadable();
  const parts = /^([+-]?)([0-9]+)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?$/.exec(value);
  if (parts === null) throw new Unreadable();
  const [, sign, whole, fraction = '', exponent = '0'] = parts;
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const power = Number(exponent) - fraction.length + decimals;
  let scaled: bigint;
  if (power >= 0) scaled = digits * 10n ** BigInt(power);
  else {
    const divisor = 10n ** BigInt(-power);
    if (digits % divisor !== 0n) throw new Unreadable();
    scaled = digits / divisor;
  }
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  if ((!signed && scaled < 0n) || scaled > most || scaled < -most) throw new Unreadable();
  return Number(scaled);
}

function id(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Unreadable();
  return value;
}

const time = (value: unknown): number => (id(value) >= 1e15 ? id(value) : id(value) * 1000);

function levels(value: unknown, source: NaiveSource): [number, number][] {
  if (!Array.isArray(value)) throw new Unreadable();
  return value.map((level: unknown) => {
    if (!Array.isArray(level)) throw new Unreadable();
    return [naiveDecimal(level[0], source.priceDecimals), naiveDecimal(level[1], source.sizeDecimals)];
  });
}

/** Decodes a line; null where it is an entry for the caller: no message, no JSON, no time, or a src nobody knows. */
export function naiveDecode(line: Uint8Array, sources: Map<string, NaiveSource>): NaiveRecord | null {
  const text = Buffer.from(line).toString('utf8');
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(entry) || !Object.hasOwn(entry, 'msg') || !/^[ \t]*\{[ \t]*"t"[ \t]*:/.test(text)) return null;
  const { t, src, conn, msg } = entry;
  if (typeof t !== 'number' || !Number.isSafeInteger(t) || t < 1e15 || typeof src !== 'string') return null;
  const source = sources.get(src);
  if (source === undefined) return null;
  const record: NaiveRecord = { kind: 'unknown', t, src, conn: typeof conn === 'string' ? conn : null };
  if (!isObject(msg)) return record;
  const { stream, data } = msg;
  if ((stream === undefined || stream === '') && ['result', 'error', 'code'].some((key) => Object.hasOwn(msg, key)))
    return { ...record, kind: 'other' };
  const topic = `${source.symbol.toLowerCase()}@`;
  if (typeof stream !== 'string' || !stream.startsWith(topic) || !isObject(data)) return record;
  const name = stream.slice(topic.length);
  const streams = source.market === 'futures' ? FUTURES_STREAMS : SPOT_STREAMS;
  if (!Object.hasOwn(streams, name) || data.e !== streams[name][1]) return record;
  const channel = streams[name][0];
  try {
    const told = payload(channel, data, source);
    return told.kind === 'unknown' ? record : { ...record, ...told, channel, stream: name };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ...record, kind: 'invalid' };
  }
}

function payload(channel: string, data: Json, source: NaiveSource): Partial<NaiveRecord> & Pick<NaiveRecord, 'kind'> {
  const futures = source.market === 'futures';
  const symbol = (): void => {
    if (data.s !== source.symbol) throw new Unreadable();
  };
  const price = (value: unknown): number => naiveDecimal(value, source.priceDecimals);
  const size = (value: unknown): number => naiveDecimal(value, source.sizeDecimals);
  const times = (): Partial<NaiveRecord> => ({ emitted: time(data.E), matched: time(data.T) });
  switch (channel) {
    case 'depth':
      symbol();
      return {
        kind: 'depth',
        emitted: time(data.E),
        ...(futures ? { matched: time(data.T), previous: id(data.pu) } : {}),
        first: id(data.U),
        last: id(data.u),
        bids: levels(data.b, source),
        asks: levels(data.a, source),
      };
    case 'partialDepth':
      if (!futures) {
        const last = id(data.lastUpdateId);
        return { kind: 'partial', first: last, last, bids: levels(data.bids, source), asks: levels(data.asks, source) };
      }
      return { ...payload('depth', data, source), kind: 'partial' };
    case 'trade':
    case 'aggTrade': {
      symbol();
      const trade = id(channel === 'trade' ? data.t : data.a);
      if (typeof data.m !== 'boolean') throw new Unreadable();
      const print = futures && channel === 'trade' ? data.X : 'MARKET';
      if (typeof print !== 'string') throw new Unreadable();
      const hasNet = futures && channel === 'aggTrade' && data.nq !== undefined && data.nq !== null;
      const whole = size(data.q);
      const net = hasNet ? size(data.nq) : whole;
      return {
        kind: 'trade',
        ...times(),
        first: trade,
        last: trade,
        price: price(data.p),
        size: net > 0 ? net : whole,
        side: data.m ? -1 : 1,
        offBook: print !== 'MARKET' || (hasNet && net === 0),
        notFlow: channel !== source.flow && ['trade', 'aggTrade'].includes(source.flow),
      };
    }
    case 'bookTicker':
      symbol();
      return {
        kind: 'touch',
        ...(futures ? times() : {}),
        first: id(data.u),
        last: id(data.u),
        price: price(data.b),
        size: size(data.B),
        price2: price(data.a),
        size2: size(data.A),
      };
    case 'markPrice': {
      symbol();
      const isSaid = (value: unknown): boolean => value !== undefined && value !== null && value !== '';
      const fine = Math.max(8, source.priceDecimals + 5);
      return {
        kind: 'derivative',
        emitted: time(data.E),
        mark: naiveDecimal(data.p, fine),
        ...(isSaid(data.i) ? { index: naiveDecimal(data.i, fine) } : {}),
        ...(isSaid(data.r) ? { funding: naiveDecimal(data.r, 16, true) } : {}),
        ...(data.T === undefined || data.T === null || data.T === 0 ? {} : { nextFunding: time(data.T) }),
      };
    }
    case 'forceOrder': {
      const orders = Array.isArray(data.o) ? data.o : [data.o];
      if (orders.length === 0) return { kind: 'other' };
      const [order] = orders;
      if (orders.length > 1 || !isObject(order)) return { kind: 'unknown' };
      if (order.s !== source.symbol || typeof order.X !== 'string') throw new Unreadable();
      if (order.S !== 'BUY' && order.S !== 'SELL') throw new Unreadable();
      return {
        kind: 'liquidation',
        emitted: time(data.E),
        matched: time(order.T),
        side: order.S === 'BUY' ? 1 : -1,
        price: naiveDecimal(order.ap, Math.max(8, source.priceDecimals + 5)),
        size: size(order.z),
        offBook: order.X !== 'FILLED',
      };
    }
    default:
      throw new Error(`no channel ${channel}`);
  }
}
