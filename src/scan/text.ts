/** Signals as lines for people: the same facts as the JSON, in columns. */
import type { Signal } from '../model/signal.js';
import type { Sums } from './checksum.js';

/** One line of aligned columns, the first 80 of them enough for a glance; what differs by signal follows as `name=value`. */
export function signalText(signal: Signal): string {
  const {
    time,
    venue,
    symbol,
    signal: name,
    phase,
    side,
    id,
    reason,
    price,
    score,
    evidence,
    context,
    quality,
  } = signal;
  const columns = [
    time,
    name.padEnd(14),
    phase.padEnd(6),
    side.padEnd(4),
    (price === null ? '-' : String(price)).padStart(10),
    score.toFixed(3).padStart(6),
    `${venue}:${symbol}`.padEnd(20),
  ];
  const facts = Object.entries({ ...(reason === undefined ? {} : { reason }), ...evidence, ...context, quality, id });
  return `${columns.join('  ')}  ${facts.map(([key, value]) => `${key}=${value ?? '-'}`).join(' ')}`;
}

/** The column titles of `signalText`. */
export const TEXT_TITLES = [
  'TIME'.padEnd(27),
  'SIGNAL'.padEnd(14),
  'PHASE '.padEnd(6),
  'SIDE',
  'PRICE'.padStart(10),
  'SCORE'.padStart(6),
  'SOURCE'.padEnd(20),
  'FACTS',
].join('  ');

export function sumsText({ src, messages, trades, depth, levels, touches, digest }: Sums): string {
  return `checksum  ${src}  messages=${messages} trades=${trades} depth=${depth} levels=${levels} touches=${touches} digest=${digest}`;
}
