/** A first look at one recorder's tape of one src: when it was there, what it knows that it missed, and a sample of what it has. */
import { type Gap, type HeaderEntry, isOwnClose, type Micros, SHARED_SYMBOL, type Source } from '../model/entry.js';
import type { Segment } from '../tape/reader.js';
import type { Venue } from '../venues/venue.js';
import type { MergePart } from './merge-input.js';
import { type Item, isHeader, readItems } from './merge-reader.js';
import { BOOK_STREAM } from './stream-audit.js';

/** Digests of one stream that are kept; beyond it every other one goes. */
const SAMPLE = 4096;

/** A time in which messages of a stream (`*`: of all) are missing or may be. */
export interface Hole {
  stream: string;
  from: Micros;
  to: Micros;
}

/** One run of the recorder, from header to last entry. */
export interface Run {
  first: Micros;
  last: Micros;
  /** something came of a connection: until then nobody was there to miss anything */
  isThere: boolean;
  /** it says itself that something is missing */
  isTold: boolean;
  /** of the newest message; of the beginning before any */
  messageT: Micros;
  /** that, where a connection ended and nothing followed yet; else NaN */
  endedT: Micros;
}

/** The time in which a connection brought a stream. */
export interface Brought {
  conn: string;
  first: Micros;
  last: Micros;
}

export interface Survey {
  src: Source;
  segments: readonly Segment[];
  header: HeaderEntry;
  recorders: string[];
  messages: number;
  runs: Run[];
  holes: Hole[];
  /** where files that cannot be read may have stood: by `t` of the header behind them, that of the entry before them */
  lost: Map<Micros, Micros>;
  /** by layout and variant */
  brought: Map<number, Brought[]>;
  /** when connections ended */
  closed: Map<string, Micros>;
  samples: Map<number, Sample>;
  /** the least lag of each stream behind the exchange, where its messages say their time */
  lags: Map<number, Micros>;
  /** places where bytes are lost, the first of them in words */
  damage: string[];
  damaged: number;
}

/** Digests that end in so many zero bits. */
export class Sample {
  bits = 0;
  readonly digests = new Set<string>();

  add(digest: string): void {
    if (!isOf(digest, this.bits)) return;
    this.digests.add(digest);
    while (this.digests.size > SAMPLE) {
      this.bits++;
      for (const one of this.digests) if (!isOf(one, this.bits)) this.digests.delete(one);
    }
  }

  /** How many of the digests that both could have kept both have, and how many the smaller one has. */
  common(other: Sample): { common: number; of: number } {
    const bits = Math.max(this.bits, other.bits);
    const ours = [...this.digests].filter((digest) => isOf(digest, bits));
    const theirs = [...other.digests].filter((digest) => isOf(digest, bits));
    const common = ours.filter((digest) => other.digests.has(digest)).length;
    return { common, of: Math.min(ours.length, theirs.length) };
  }
}

function isOf(digest: string, bits: number): boolean {
  return Buffer.from(digest.slice(0, 8), 'base64').readUInt32LE(0) % 2 ** bits === 0;
}

const LISTED = 20;

/** Recorders write their clock at least once a second: between two segments of one nothing longer is silent. */
const MOST_QUIET: Micros = 2_000_000;

/** @returns null where the tape has no header that can be used */
export async function surveyTape(
  { segments, lacks }: Pick<MergePart, 'segments' | 'lacks'>,
  venue: Venue,
): Promise<Survey | null> {
  let survey: Survey | null = null as Survey | null;
  let last = Number.NaN;
  let lostSince = Number.NaN;
  const damage: string[] = [];
  let damaged = 0;
  for await (const item of readItems(segments, venue)) {
    if ('lost' in item) {
      damaged++;
      if (damage.length < LISTED) damage.push(item.lost);
      if (Number.isNaN(lostSince)) lostSince = last;
      continue;
    }
    if (isHeader(item)) survey = takeHeader(survey, item.entry, segments);
    if (survey === null) continue;
    if (lacks && isHeader(item) && item.t - last > MOST_QUIET) {
      survey.lost.set(item.t, last);
      survey.holes.push({ stream: '*', from: last, to: item.t });
    }
    if (!Number.isNaN(lostSince)) survey.holes.push({ stream: '*', from: lostSince, to: item.t });
    lostSince = Number.NaN;
    takeItem(survey, item, last);
    last = item.t;
  }
  if (survey === null) return null;
  if (!Number.isNaN(lostSince)) survey.holes.push({ stream: '*', from: lostSince, to: last + 1 });
  for (const { endedT, last } of survey.runs)
    if (!Number.isNaN(endedT)) survey.holes.push({ stream: '*', from: endedT, to: last + 1 });
  return Object.assign(survey, { damage, damaged });
}

function takeHeader(known: Survey | null, header: HeaderEntry, segments: readonly Segment[]): Survey {
  const { recorder } = header.tape;
  const survey: Survey = known ?? {
    ...{ src: header.src, segments, header, recorders: [], messages: 0, runs: [], holes: [] },
    ...{ lost: new Map(), damage: [], damaged: 0 },
    ...{ brought: new Map(), closed: new Map(), samples: new Map(), lags: new Map() },
  };
  if (survey.recorders.at(-1) !== recorder) {
    // what names no single symbol comes by connections of the others
    const isThere = header.tape.symbol === SHARED_SYMBOL || header.tape.from !== undefined;
    const { t } = header;
    survey.runs.push({ first: t, last: t, isThere, isTold: false, messageT: t, endedT: Number.NaN });
  }
  if (!survey.recorders.includes(recorder)) survey.recorders.push(recorder);
  return survey;
}

function takeItem(survey: Survey, item: Item, before: Micros): void {
  const { t, entry, conn, id, digest, stream } = item;
  const run = survey.runs[survey.runs.length - 1];
  run.last = t;
  run.isThere ||= conn !== null;
  if (entry !== null) {
    if ('gap' in entry) {
      survey.holes.push(holeOf(entry.gap, t));
      run.isTold = true;
      run.endedT = Number.NaN;
    } else if ('drop' in entry) survey.holes.push({ stream: '*', from: before, to: t });
    else if ('close' in entry) {
      survey.closed.set(entry.conn, t);
      // a peer may not answer our own end
      if (!isOwnClose(entry.close) && entry.close.reason !== 'stop') run.endedT = run.messageT;
    }
    return;
  }
  run.messageT = t;
  run.endedT = Number.NaN;
  survey.messages++;
  if (stream === null) return;
  if (item.lag < (survey.lags.get(id) ?? Number.POSITIVE_INFINITY)) survey.lags.set(id, item.lag);
  let sample = survey.samples.get(id);
  if (sample === undefined) {
    sample = new Sample();
    survey.samples.set(id, sample);
  }
  sample.add(digest);
  if (conn === null) return;
  let brought = survey.brought.get(id);
  if (brought === undefined) {
    brought = [];
    survey.brought.set(id, brought);
  }
  const known = brought.find((one) => one.conn === conn);
  if (known === undefined) brought.push({ conn, first: t, last: t });
  else known.last = t;
}

export function holeOf({ stream, from }: Gap, to: Micros): Hole {
  return { stream: stream.startsWith(BOOK_STREAM) ? BOOK_STREAM : stream, from, to };
}

/** How far the other's clock is before the base's, as the exchange's times tell: of all streams the middle one. 0 where none tells. */
export function clockOf(base: Survey, other: Survey): Micros {
  const apart = [...base.lags].flatMap(([id, lag]) => {
    const theirs = other.lags.get(id);
    return theirs === undefined ? [] : [theirs - lag];
  });
  apart.sort((a, b) => a - b);
  return apart[apart.length >> 1] ?? 0;
}

/** Whether this recorder was there at `t` on its own clock. */
export function isThere(survey: Survey, t: Micros): boolean {
  return survey.runs.some(({ first, last, isThere }) => isThere && first <= t && t <= last);
}

/** Whether this recorder was there all the time from `from` to `to` on its own clock, and missed nothing of the stream (`*`: of any). */
export function isWhole(survey: Survey, stream: string, from: Micros, to: Micros): boolean {
  if (!survey.runs.some(({ first, last, isThere }) => isThere && first <= from && to <= last)) return false;
  const concerns = (hole: Hole): boolean => hole.stream === '*' || stream === '*' || hole.stream === stream;
  return !survey.holes.some((hole) => concerns(hole) && hole.from < to && from < hole.to);
}
