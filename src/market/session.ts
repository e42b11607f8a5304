/** The session clock: which part of the world trades, by the hour UTC. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_MINUTE } from '../model/time.js';

export type Session = 'asia' | 'europe' | 'us' | 'late';

const HOUR = 60 * MICROS_PER_MINUTE;
const DAY = 24 * HOUR;

/**
 * Crypto never closes; these are the hours in which activity changes hands: Asia from 0, Europe from 7, the United States from 13 to
 * 21 UTC. No summer time: the hours are names for a part of the day, not opening times.
 */
export function sessionAt(t: Micros): Session {
  const hour = Math.floor((t % DAY) / HOUR);
  if (hour < 7) return 'asia';
  if (hour < 13) return 'europe';
  return hour < 21 ? 'us' : 'late';
}

/** Saturday or Sunday, UTC. 1970 began on a Thursday. */
export function isWeekend(t: Micros): boolean {
  const day = (Math.floor(t / DAY) + 4) % 7;
  return day === 0 || day === 6;
}
