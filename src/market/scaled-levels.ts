/** A whole book as scaled levels: from the texts of snapshots and checkpoints, and back. */
import { formatScaled, scaleDecimal } from '../model/decimal.js';
import type { Scale } from '../model/instrument.js';
import type { ScaledLevels } from '../model/rules.js';

type Texts = [price: string, size: string][];

/** Levels as a book holds them; null where one cannot be held exactly. */
export function scaleLevels({ bids, asks }: { bids: Texts; asks: Texts }, { price, size }: Scale): ScaledLevels | null {
  const levels = new Float64Array((bids.length + asks.length) * 2);
  let n = 0;
  for (const side of [bids, asks])
    for (const level of side) {
      levels[n] = scaleDecimal(level[0], price);
      levels[n + 1] = scaleDecimal(level[1], size);
      if (!(levels[n] >= 0 && levels[n + 1] >= 0)) return null;
      n += 2;
    }
  return { bids: bids.length, levels };
}

/** The other way round, of one side. */
export function textsOf(levels: readonly [number, number][], { price, size }: Scale): Texts {
  return levels.map(([p, q]) => [formatScaled(p, price), formatScaled(q, size)]);
}

/** The other way round, of both sides. */
export function wholeTexts({ bids, levels }: ScaledLevels, scale: Scale): { bids: Texts; asks: Texts } {
  const pairs: [number, number][] = [];
  for (let n = 0; n < levels.length; n += 2) pairs.push([levels[n], levels[n + 1]]);
  return { bids: textsOf(pairs.slice(0, bids), scale), asks: textsOf(pairs.slice(bids), scale) };
}

/** A bound of what is known, which may be unknown: NaN, and null as text. */
export function boundText(bound: number, { price }: Scale): string | null {
  return Number.isNaN(bound) ? null : formatScaled(bound, price);
}

export function boundOf(text: string | null, { price }: Scale): number {
  return text === null ? Number.NaN : scaleDecimal(text, price);
}

/** Prices of the last level on either side: beyond them a book that begins with these levels is not known. */
export function coverageOf({ bids, levels }: ScaledLevels): { low: number; high: number } {
  return {
    low: bids > 0 ? levels[(bids - 1) * 2] : Number.NaN,
    high: levels.length > bids * 2 ? levels[levels.length - 2] : Number.NaN,
  };
}
