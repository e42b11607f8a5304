/** What the messages of an archive tell about their instrument and channels, where nobody else does. */
import { explain, fieldAt, isObject, type JsonObject } from '../decode/explain.js';
import { decimalsOf, formatScaled, scaleDecimal } from '../model/decimal.js';
import type { Venue } from '../venues/venue.js';

/** Fewer distinct values than this cannot show a coarse step: seven prices may all end in 0 or 5 by chance. */
const ENOUGH_VALUES = 50;
/** More decimals than any market has; such a text is no price. */
const MOST_DECIMALS = 12;

/** Texts of numbers, in the order they were met, and the index of the message. */
export type Seen = ReadonlyMap<string, number>;

export interface Inferred {
  /** smallest step between the prices and sizes seen, decimal text; null where none was seen */
  tick: string | null;
  lot: string | null;
  /** prices and sizes as they were written, and the first message that had each */
  prices: Seen;
  sizes: Seen;
  /** channels of this symbol that were seen, in the venue's order */
  channels: string[];
  /** messages of other instruments, and the name of the first */
  strangers: number;
  stranger: string | null;
  /** messages that one of the venue's layouts of this symbol explains */
  known: number;
}

/** Looks through parsed messages and snapshot bodies (the first thousand are plenty). */
export function inferFrom(messages: readonly unknown[], venue: Venue, symbol: string): Inferred {
  const { layouts } = venue;
  const prices = new Map<string, number>();
  const sizes = new Map<string, number>();
  const channels = new Set<string>();
  let known = 0;
  let strangers = 0;
  let stranger: string | null = null;

  const addStranger = (name: string): void => {
    strangers++;
    stranger ??= name;
  };

  let at = 0;
  const addText = (into: Map<string, number>, value: unknown): void => {
    if (typeof value !== 'string' && typeof value !== 'number') return;
    const text = String(value);
    if (!into.has(text)) into.set(text, at);
  };

  const addLevels = (levels: unknown): void => {
    if (!Array.isArray(levels)) return;
    for (const level of levels) {
      if (!Array.isArray(level)) continue;
      addText(prices, level[0]);
      addText(sizes, level[1]);
    }
  };

  const addMessage = (message: JsonObject): void => {
    const what = explain(message, layouts, symbol);
    if (what.kind === 'stranger') addStranger(what.name);
    if (what.kind !== 'data') return;
    const layout = layouts.messages[what.index];
    const named = layout.fields.find(({ means }) => means === 'symbol');
    const names = what.payloads.map((payload) => named !== undefined && fieldAt(message, payload, named.key));
    const other = names.find((name) => typeof name === 'string' && name !== symbol);
    if (typeof other === 'string') {
      addStranger(other);
      return;
    }
    known++;
    channels.add(layout.of ?? layout.name);
    // open interest is in units of size, but nobody trades it
    if (layout.event === 'derivative') return;
    for (const payload of what.payloads)
      for (const { key, form } of layout.fields) {
        const value = fieldAt(message, payload, key);
        if (form === 'levels') addLevels(value);
        else if (form === 'price') addText(prices, value);
        else if (form === 'size') addText(sizes, value);
      }
  };

  for (const [index, message] of messages.entries()) {
    at = index;
    if (!isObject(message)) continue;
    const snapshot = venue.isSnapshotBody(message) ? venue.readSnapshot(message) : null;
    if (snapshot === null) addMessage(message);
    else for (const levels of [snapshot.bids, snapshot.asks]) addLevels(levels);
  }
  return {
    tick: smallestStep(prices.keys()),
    lot: smallestStep(sizes.keys()),
    prices,
    sizes,
    channels: venue.channels.all.filter((name) => channels.has(name)),
    strangers,
    stranger,
    known,
  };
}

/** The largest step all values are multiples of; of few values, one unit of their finest decimal. Null without values. */
export function smallestStep(texts: Iterable<string>): string | null {
  const values = [...new Set(texts)].filter((text) => Number(text) > 0 && decimalsOf(text) <= MOST_DECIMALS);
  if (values.length === 0) return null;
  const decimals = Math.max(...values.map(decimalsOf));
  const scaled = values.map((text) => scaleDecimal(text, decimals)).filter((value) => value > 0);
  const step = values.length < ENOUGH_VALUES ? 1 : scaled.reduce(greatestDivisor, 0);
  return formatScaled(Math.max(step, 1), decimals);
}

/** The first value that is no multiple of a step; null where all are. What is no number, or cannot be held exactly, shows nothing. */
export function offStep(seen: Seen, step: string): { text: string; at: number } | null {
  for (const [text, at] of seen) {
    if (!(Number(text) > 0 && decimalsOf(text) <= MOST_DECIMALS)) continue;
    const decimals = Math.max(decimalsOf(text), decimalsOf(step));
    // NaN where it cannot be held
    if (scaleDecimal(text, decimals) % scaleDecimal(step, decimals) > 0) return { text, at };
  }
  return null;
}

function greatestDivisor(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}
