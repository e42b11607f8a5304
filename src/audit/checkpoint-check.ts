/** Holds a checkpoint of the tape against the state the messages before it make. */
import type { Track } from '../market/track.js';
import { scaleDecimal } from '../model/decimal.js';
import type { Checkpoint } from '../model/entry.js';

/** Says in what the stored checkpoint differs from the rebuilt state; null where they are the same. */
export function checkpointDifference(stored: Checkpoint, track: Track): string | null {
  const rebuilt = track.checkpoint();
  if (stored.state !== rebuilt.state) return `its state is ${stored.state}, rebuilt ${rebuilt.state}`;
  if (!sameJson(stored.streams.depth, rebuilt.streams.depth))
    return `its sequence state is ${JSON.stringify(stored.streams.depth)}, rebuilt ${JSON.stringify(rebuilt.streams.depth)}`;
  // a book that slides is known as far as its levels reach, which are compared below
  for (const bound of track.slides ? [] : (['low', 'high'] as const))
    if (!sameNumber(stored.coverage[bound], rebuilt.coverage[bound], track.scale.price))
      return `its coverage ${bound} is ${stored.coverage[bound]}, rebuilt ${rebuilt.coverage[bound]}`;
  return levelsDifference('bids', stored, rebuilt, track) ?? levelsDifference('asks', stored, rebuilt, track);
}

function levelsDifference(side: 'bids' | 'asks', stored: Checkpoint, rebuilt: Checkpoint, track: Track): string | null {
  const { price, size } = track.scale;
  const ours = rebuilt[side];
  const theirs = stored[side];
  for (let n = 0; n < Math.max(ours.length, theirs.length); n++) {
    const a = theirs[n];
    const b = ours[n];
    if (a !== undefined && b !== undefined && sameNumber(a[0], b[0], price) && sameNumber(a[1], b[1], size)) continue;
    return `level ${n + 1} of its ${theirs.length} ${side} is ${levelText(a)}, rebuilt ${levelText(b)} of ${ours.length}`;
  }
  return null;
}

const levelText = (level: [string, string] | undefined): string =>
  level === undefined ? 'absent' : `${level[1]} at ${level[0]}`;

function sameNumber(a: string | null, b: string | null, decimals: number): boolean {
  return a === b || (a !== null && b !== null && scaleDecimal(a, decimals) === scaleDecimal(b, decimals));
}

/** Equal as JSON, whatever the order of keys. */
function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  const ours = Object.entries(a);
  const theirs = new Map(Object.entries(b));
  return (
    ours.length === theirs.size && ours.every(([key, value]) => theirs.has(key) && sameJson(value, theirs.get(key)))
  );
}

/** Whether the sides of a checkpoint are lists of price and size, both texts: nothing else can be restored. */
export function hasLevels({ bids, asks }: Checkpoint): boolean {
  const isLevel = (level: unknown): boolean =>
    Array.isArray(level) && typeof level[0] === 'string' && typeof level[1] === 'string';
  return bids.every(isLevel) && asks.every(isLevel);
}
