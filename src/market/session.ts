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
const SESSIONS: readonly { name: Session; from: number; to: number }[] = [
  { name: 'asia', from: 0, to: 7 },
  { name: 'europe', from: 7, to: 13 },
  { name: 'us', from: 13, to: 21 },
  { name: 'late', from: 21, to: 24 },
];

function sessionOf(t: Micros): (typeof SESSIONS)[number] {
  const hour = (t % DAY) / HOUR;
  return SESSIONS.findLast(({ from }) => hour >= from) ?? SESSIONS[0];
}

/** The session that a time belongs to. */
export function sessionAt(t: Micros): Session {
  return sessionOf(t).name;
}

/** When the session of a time began, and when the next one does. */
export function sessionSpan(t: Micros): { start: Micros; end: Micros } {
  const { from, to } = sessionOf(t);
  const day = t - (t % DAY);
  return { start: day + from * HOUR, end: day + to * HOUR };
}

/** Saturday or Sunday, UTC. 1970 began on a Thursday. */
export function isWeekend(t: Micros): boolean {
  const day = (Math.floor(t / DAY) + 4) % 7;
  return day === 0 || day === 6;
}
