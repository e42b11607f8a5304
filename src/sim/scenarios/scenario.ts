/** What a scripted scenario is: steps of a market with a known answer, and the signals that answer consists of; plain data. */
import type { Micros } from '../../model/entry.js';
import type { EndReason, Phase, Side } from '../../model/signal.js';
import type { Capabilities, OffBook, Venue } from '../../venues/venue.js';
import type { OrderSide } from '../engine.js';

/** Ticks and lots, as all prices and sizes of a script. */
export type Level = readonly [price: number, size: number];

/** Milliseconds of book changes that are put together in one message; 0: each change is told. */
export type Conflation = 0 | 20 | 100;

/** Something that goes wrong on the way to the recorder. */
export type Trouble =
  | 'lost book' // the next book message does not come
  | 'lost trade' // the next trade message does not come
  | 'trades twice' // messages of the next order come twice
  | 'trades swapped' // the first two messages of the next order come in the wrong order
  | 'rejoined' // the recorder noticed a hole in the book, says so and asks for a new one
  | 'restarted'; // the venue counts its books anew, and begins with a whole one

/** What happens at one moment on the exchange. Book levels are what is displayed from now on, 0: nothing. */
export type Act =
  | { kind: 'book'; bids: readonly Level[]; asks: readonly Level[] }
  | { kind: 'order'; side: OrderSide; fills: readonly Level[]; offBook?: OffBook }
  | { kind: 'trouble'; what: Trouble };

/** `at`: µs since the scenario began, whole milliseconds. */
export type Step = { at: Micros } & Act;

/** A market from its first book on. */
export interface Play {
  /** the book at the beginning, which is known as far as its outermost levels */
  bids: readonly Level[];
  asks: readonly Level[];
  /** in order of time */
  steps: readonly Step[];
  /** until then there is nothing but what makes things usual */
  begin: Micros;
  end: Micros;
  /** price p becomes `mirror − p` in the mirror image */
  mirror: number;
}

/** One signal that must be seen, but for its updates. Its numbers are those of the script: prices in ticks, sizes in lots. */
export interface Seen {
  signal: string;
  phase: Exclude<Phase, 'update'>;
  side: Side;
  reason?: EndReason;
  price?: number;
  /** numbers and words of the evidence, by what they are; what a mirror does not change is a fact */
  prices?: Readonly<Record<string, number>>;
  sizes?: Readonly<Record<string, number>>;
  facts?: Readonly<Record<string, number | string | null>>;
  /** numbers that are positive for the buy side */
  signed?: Readonly<Record<string, number>>;
  /** words that say a side: `ask`, `buys` */
  sided?: Readonly<Record<string, string>>;
  /** sizes that are exact where each change is told; lower bounds of the truth, so no larger, where changes are put together */
  bounds?: Readonly<Record<string, number>>;
  /** prices of the plan */
  plan?: Readonly<Record<string, number>>;
  /** the coarsest conflation that still shows it; else all do */
  upTo?: Conflation;
}

/** What a scan has to be told, as a person would. Times in seconds. */
export interface ScanWords {
  /** `detector.parameter=value` */
  set?: readonly string[];
  baseline?: number;
  warmup?: number;
  htf?: number;
}

/** A rule that chance alone fulfils so often: onsets among so many looks that have nothing to do with each other. */
export interface Rate {
  signal: string;
  chance: number;
  looks: number;
}

export interface Scenario {
  /** `S3`, and a word where there are several of it */
  name: string;
  /** one sentence */
  title: string;
  /** detectors of which `seen` has every signal; those that do not exist are asked for nothing */
  of: readonly string[];
  settings?: ScanWords;
  /** what a venue's data must be able to show, for these signals to be seen in it */
  needs?: readonly ('tradeLossDetected' | 'offBookMarked')[];
  /** its answer is that of venues whose books begin over REST, or in their own stream */
  books?: 'rest' | 'stream';
  play(): Play;
  /** in order of their times */
  seen: readonly Seen[];
  /** of other detectors, how many onsets or points there may be after the beginning: no more than by chance */
  rates?: readonly Rate[];
}

/** Whether a scenario can be told in a venue's words. */
export function fits({ needs = [], books }: Scenario, { capabilities, rest }: Venue): boolean {
  if (books !== undefined && (books === 'rest') !== (rest.snapshot !== undefined)) return false;
  return needs.every((need: keyof Capabilities) => capabilities[need] === true);
}

type More = Omit<Seen, 'signal' | 'phase' | 'side' | 'reason'>;

export const onset = (signal: string, side: Side, more: More = {}): Seen => ({ signal, phase: 'onset', side, ...more });
export const point = (signal: string, side: Side, more: More = {}): Seen => ({ signal, phase: 'point', side, ...more });
export const end = (signal: string, side: Side, reason: EndReason, more: More = {}): Seen => ({
  ...{ signal, phase: 'end', side, reason },
  ...more,
});

/** Words that say a side, and names of sizes that do. */
const MIRRORED: Readonly<Record<string, string>> = {
  ...{ ask: 'bid', bid: 'ask', buys: 'sells', sells: 'buys' },
  ...{ ask_size: 'bid_size', bid_size: 'ask_size', buy_size: 'sell_size', sell_size: 'buy_size' },
};
const mirroredWord = (word: string): string => MIRRORED[word] ?? word;

/** A record with its keys and values put through functions; nothing where there is none. */
function mapped<T>(
  name: string,
  values: Readonly<Record<string, T>> | undefined,
  value: (one: T) => T,
): Record<string, Record<string, T>> {
  if (values === undefined) return {};
  return { [name]: Object.fromEntries(Object.entries(values).map(([key, one]) => [mirroredWord(key), value(one)])) };
}

/** The same market with its sides swapped. */
export function mirroredPlay(play: Play): Play {
  const flip = (levels: readonly Level[]): Level[] => levels.map(([price, size]): Level => [play.mirror - price, size]);
  const steps = play.steps.map((step): Step => {
    if (step.kind === 'book') return { ...step, bids: flip(step.asks), asks: flip(step.bids) };
    if (step.kind === 'order') return { ...step, side: step.side > 0 ? -1 : 1, fills: flip(step.fills) };
    return step;
  });
  return { ...play, bids: flip(play.asks), asks: flip(play.bids), steps };
}

/** What must be seen of it then. */
export function mirroredSeen(seen: Seen, mirror: number): Seen {
  const { price, prices, sizes, signed, sided, plan } = seen;
  const flip = (value: number): number => mirror - value;
  return {
    ...seen,
    side: seen.side === 'buy' ? 'sell' : 'buy',
    ...(price === undefined ? {} : { price: flip(price) }),
    ...mapped('prices', prices, flip),
    ...mapped('plan', plan, flip),
    ...mapped('sizes', sizes, (size) => size),
    ...mapped('signed', signed, (value) => -value),
    ...mapped('sided', sided, mirroredWord),
  };
}
