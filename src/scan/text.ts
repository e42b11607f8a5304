/** Signals as lines for people: the same facts as the JSON, in columns. */
import type { Signal } from '../model/signal.js';
import type { Sums } from './checksum.js';

/** The first 79 columns are enough for a glance; names of detectors fit. */
const WIDTHS = { time: 27, signal: 19, phase: 6, side: 4, price: 10, score: 6, source: 20 } as const;

function columns(
  [time, signal, phase, side, price, score, source]: readonly [string, string, string, string, string, string, string],
  facts: string,
): string {
  const what = `${signal.padEnd(WIDTHS.signal)} ${phase.padEnd(WIDTHS.phase)} ${side.padEnd(WIDTHS.side)}`;
  const figures = `${price.padStart(WIDTHS.price)}  ${score.padStart(WIDTHS.score)}`;
  return `${time.padEnd(WIDTHS.time)}  ${what} ${figures}  ${source.padEnd(WIDTHS.source)}  ${facts}`;
}

/** One line of aligned columns; what differs by signal follows as `name=value`, groups of a group as `group.name=value`. */
export function signalText(signal: Signal): string {
  const { time, venue, symbol, signal: name, phase, side, id, reason, price, score } = signal;
  const { evidence, confirm, context, plan, quality } = signal;
  const facts = [
    ...factsOf('', { reason }),
    ...factsOf('', evidence),
    ...factsOf('confirm.', confirm),
    ...factsOf('', context),
    ...factsOf('plan.', plan),
    ...factsOf('', { quality, id }),
  ];
  const cells = [time, name, phase, side, price === null ? '-' : String(price), score.toFixed(3)] as const;
  return columns([...cells, `${venue}:${symbol}`], facts.join(' '));
}

/** The column titles of `signalText`. */
export const TEXT_TITLES = columns(['TIME', 'SIGNAL', 'PHASE', 'SIDE', 'PRICE', 'SCORE', 'SOURCE'], 'FACTS');

function factsOf(prefix: string, group: object | undefined): string[] {
  return Object.entries(group ?? {}).flatMap(([name, value]: [string, unknown]) => {
    if (value === undefined) return [];
    if (typeof value === 'object' && value !== null) return factsOf(`${prefix}${name}.`, value);
    return [`${prefix}${name}=${wordOf(value)}`];
  });
}

/** One word, as facts stand apart by blanks. */
function wordOf(value: unknown): string {
  const text = value === null ? '-' : String(value);
  return text === '' || text.includes(' ') ? JSON.stringify(text) : text;
}

export function sumsText({ src, messages, trades, depth, levels, touches, digest }: Sums): string {
  return `checksum  ${src}  messages=${messages} trades=${trades} depth=${depth} levels=${levels} touches=${touches} digest=${digest}`;
}
