/** Signals as lines for people: the same facts as the JSON, in columns. */
import type { Signal } from '../model/signal.js';
import type { Sums } from './checksum.js';

/** The first 79 columns are enough for a glance; names of detectors fit. */
const WIDTHS = { time: 27, signal: 19, phase: 6, side: 4, price: 10, score: 6, source: 20 } as const;

interface Cells extends Record<keyof typeof WIDTHS, string> {
  facts: string;
}

const whatOf = ({ signal, phase, side }: Cells): string =>
  `${signal.padEnd(WIDTHS.signal)} ${phase.padEnd(WIDTHS.phase)} ${side.padEnd(WIDTHS.side)}`;
const figuresOf = ({ price, score }: Cells): string =>
  `${price.padStart(WIDTHS.price)}  ${score.padStart(WIDTHS.score)}`;

function columns(cells: Cells): string {
  const { time, source, facts } = cells;
  const figures = `${whatOf(cells)} ${figuresOf(cells)}`;
  return `${time.padEnd(WIDTHS.time)}  ${figures}  ${source.padEnd(WIDTHS.source)}  ${facts}`;
}

/** Another order, by which 79 columns say the market too; for that, times go to the millisecond. */
function marketColumns(cells: Cells): string {
  const { time, source, facts } = cells;
  const what = `${time.padEnd(WIDTHS.time - 3)}  ${whatOf(cells)}`;
  return `${what}  ${source.padEnd(WIDTHS.source)} ${figuresOf(cells)}  ${facts}`;
}

/** One line of aligned columns; what differs by signal follows as `name=value`, groups of a group as `group.name=value`. */
export function signalText(signal: Signal): string {
  return columns(cellsOf(signal));
}

/** The same for a terminal on which several markets are shown: the market stands before what may be cut. */
export function marketText(signal: Signal): string {
  const cells = cellsOf(signal);
  return marketColumns({ ...cells, time: `${cells.time.slice(0, 23)}Z` });
}

function cellsOf(signal: Signal): Cells {
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
  const figures = { price: price === null ? '-' : String(price), score: score.toFixed(3) };
  return { time, signal: name, phase, side, ...figures, source: `${venue}:${symbol}`, facts: facts.join(' ') };
}

const TITLES: Cells = {
  ...{ time: 'TIME', signal: 'SIGNAL', phase: 'PHASE', side: 'SIDE' },
  ...{ price: 'PRICE', score: 'SCORE', source: 'SOURCE', facts: 'FACTS' },
};

/** The column titles of `signalText` and of `marketText`. */
export const TEXT_TITLES = columns(TITLES);
export const MARKET_TITLES = marketColumns(TITLES);

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
