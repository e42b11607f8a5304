/** Times: integer microseconds since the epoch, their ISO text, and what people may type for them. */

import type { Micros } from './entry.js';
import { TapedeckError } from './errors.js';

export const MICROS_PER_SECOND = 1_000_000;
export const MICROS_PER_MINUTE = 60 * MICROS_PER_SECOND;

/** The minute that was formatted last, and its text up to the seconds: of a scan's times many share one, and dates are dear. */
let minute = Number.NaN;
let minuteText = '';

/** `2024-08-08T23:54:15.030314Z`, always with six decimals. */
export function formatTime(t: Micros): string {
  const now = Math.floor(t / MICROS_PER_MINUTE);
  if (now !== minute) {
    minuteText = new Date(now * 60_000).toISOString().slice(0, -'00.000Z'.length);
    minute = now;
  }
  const micros = String(t - now * MICROS_PER_MINUTE).padStart(8, '0');
  return `${minuteText}${micros.slice(0, 2)}.${micros.slice(2)}Z`;
}

/** `20240808T235415.030314Z`, for file names. */
export function formatTimeForFile(t: Micros): string {
  return formatTime(t).replace(/[-:]/g, '');
}

/** What a person typed for a time: absolute, or an offset from the tape's start or end. */
export type TimeSpec =
  | { kind: 'absolute'; t: Micros }
  | { kind: 'start'; offset: Micros }
  | { kind: 'end'; offset: Micros };

const UNITS: Record<string, number> = { us: 1, ms: 1000, s: 1e6, m: 60e6, h: 3600e6, d: 86400e6 };

/** Reads `90s`, `1.5m`, `250ms`, `1h30m`, or plain seconds; NaN when it is none of these. */
export function parseDuration(text: string): Micros {
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1e6);
  if (!/^(\d+(\.\d+)?(us|ms|s|m|h|d))+$/.test(text)) return Number.NaN;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h|d)/g))
    total += Number(number) * UNITS[unit];
  return Math.round(total);
}

/**
 * Reads ISO (`2024-08-08T23:54:15Z`, zone optional: UTC), epoch (s, ms, µs or ns by its digits), or an offset (`+90s`, `-90s`).
 * @throws {TapedeckError} E_USAGE
 */
export function parseTimeSpec(text: string): TimeSpec {
  const trimmed = text.trim();
  if (trimmed.startsWith('+') || trimmed.startsWith('-')) {
    const offset = parseDuration(trimmed.slice(1));
    if (!Number.isNaN(offset))
      return trimmed.startsWith('+') ? { kind: 'start', offset } : { kind: 'end', offset: -offset };
  } else if (/^\d{9,19}(\.\d+)?$/.test(trimmed)) {
    const whole = trimmed.split('.')[0];
    if (whole.length <= 11) return { kind: 'absolute', t: Math.round(Number(trimmed) * 1e6) };
    if (whole.length <= 14) return { kind: 'absolute', t: Math.round(Number(trimmed) * 1e3) };
    if (whole.length <= 16) return { kind: 'absolute', t: Number(whole) };
    return { kind: 'absolute', t: Number(BigInt(whole) / 1000n) };
  } else {
    const iso = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(trimmed);
    if (iso !== null) {
      const ms = Date.parse(`${iso[1]}T${iso[2] ?? '00:00'}:${iso[3] ?? '00'}${iso[5] ?? 'Z'}`);
      // Date.parse takes the 30th of February for the 1st of March
      const isDay = (): boolean => new Date(`${iso[1]}T00:00Z`).toISOString().startsWith(iso[1]);
      if (!Number.isNaN(ms) && isDay())
        return { kind: 'absolute', t: ms * 1000 + Math.floor(Number((iso[4] ?? '0').padEnd(9, '0')) / 1000) };
    }
  }
  throw new TapedeckError(
    'E_USAGE',
    `'${text}' is not a time; give ISO (2024-08-08T23:54:15Z), epoch, or an offset such as +90s or -90s`,
  );
}

/** Turns a typed time into microseconds, given the first and last `t` of the tape. */
export function resolveTime(spec: TimeSpec, first: Micros, last: Micros): Micros {
  if (spec.kind === 'absolute') return spec.t;
  return spec.kind === 'start' ? first + spec.offset : last + spec.offset;
}
