/** A reader's place on a tape: it moves up to a time without waiting, and from there at a pace. */
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { Damage, LineBatch, LineFlow } from '../model/batch.js';
import type { Micros } from '../model/entry.js';
import { anyTimeOf, endOfLine, timeOf } from '../tape/line.js';
import type { RecordedMarket, Step } from './recorded-market.js';

/** Lines taken between two looks at what clients say. */
export const LINES_PER_TURN = 500;

export interface Cursor {
  /** moves the market to this time; `hear` gets each step. False at the end of the tape */
  advance(market: RecordedMarket, until: Micros, hear?: (step: Step) => void): Promise<boolean>;
  /** moves the market on up to and with the first step that `stop` says yes to; false at the end of the tape */
  until(market: RecordedMarket, stop: (step: Step) => boolean): Promise<boolean>;
  /** all lines that were not taken yet */
  rest(): LineFlow;
  close(): Promise<void>;
}

/** `damaged` hears of what cannot be read when everything before it was taken. */
export function createCursor(flow: LineFlow, damaged: (damage: Damage['damage']) => void): Cursor {
  const items = flow[Symbol.asyncIterator]();
  /** what was read and not taken; the flow is not asked for more before it is */
  let held: LineBatch | null = null;
  let sinceTurn = 0;

  const next = async (): Promise<LineBatch | null> => {
    for (;;) {
      if (held !== null && held.from < held.to) return held;
      const { value, done } = await items.next();
      if (done === true) return null;
      if ('damage' in value) damaged(value.damage);
      else held = value;
    }
  };

  const take = (market: RecordedMarket, batch: LineBatch, end: number, hear?: (step: Step) => void): void => {
    for (const step of market.play({ ...batch, to: end })) hear?.(step);
    held = { ...batch, from: end };
  };

  /** Looks at what clients say now and then. */
  const taken = (lines: number): Promise<void> | undefined => {
    sinceTurn += lines;
    if (sinceTurn < LINES_PER_TURN) return undefined;
    sinceTurn = 0;
    return yieldToEvents();
  };

  return {
    async advance(market, until, hear) {
      for (;;) {
        const batch = await next();
        if (batch === null) return false;
        const { end, lines, isThere } = upTo(batch, until);
        take(market, batch, end, hear);
        if (isThere) return true;
        await taken(lines);
      }
    },
    async until(market, stop) {
      for (let batch = await next(); batch !== null; batch = await next()) {
        for (let p = batch.from; p < batch.to; ) {
          await taken(1);
          const end = endOfLine(batch.bytes, p, batch.to);
          let found = false;
          take(market, { ...batch, from: p }, end, (step) => {
            found = stop(step);
          });
          if (found) return true;
          p = end;
        }
      }
      return false;
    },
    async *rest() {
      for (let batch = await next(); batch !== null; batch = await next()) {
        held = null;
        yield batch;
      }
    },
    async close() {
      await items.return?.();
    },
  };
}

/** Where the first line stands that comes after this time, or so many lines on. */
function upTo({ bytes, from, to }: LineBatch, until: Micros): { end: number; lines: number; isThere: boolean } {
  let p = from;
  let lines = 0;
  for (; p < to && lines < LINES_PER_TURN; lines++) {
    const end = endOfLine(bytes, p, to);
    let t = timeOf(bytes, p);
    if (Number.isNaN(t)) t = anyTimeOf(bytes, p, end);
    if (t > until) return { end: p, lines, isThere: true };
    p = end;
  }
  return { end: p, lines, isThere: false };
}
