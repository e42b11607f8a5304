/** What `verify` says of one src, put together from the recordings of it. */
import type { Micros, Source } from '../model/entry.js';
import { ClockAudit } from './clock-audit.js';
import type { Problem } from './problems.js';
import type { Quantiles } from './quantiles.js';
import type { SessionResult } from './session.js';
import { Spans } from './spans.js';
import { joinStreams, type StreamSums } from './stream-audit.js';

/** One stream of a src. The three shares are percent of the recorded time; `verified` and `unverifiable` make up `clean`. */
export interface StreamReport {
  stream: string;
  messages: number;
  /** times in which messages of it are missing or may be */
  gaps: number;
  /** nothing is missing, and the venue's own ids prove it */
  verified: number;
  /** nothing is known to be missing, and nothing proves it */
  unverifiable: number;
  /** no gap, no drop, no damage, and no book that its venue contradicts */
  clean: number;
}

/** Times of one kind, in µs. */
export interface TimesReport {
  count: number;
  longest: Micros;
}

/** The shape of `--format json`. */
export interface SourceReport {
  /** null for files of which nothing could be read */
  src: Source | null;
  messages: number;
  /** intervals in which messages are missing or may be, each counted once */
  gaps: number;
  /**
   * percent of the recorded time in which no stream is suspect and the book was joined, unbroken and not contradicted; null without
   * book updates, and where no id of the venue proves a book
   */
  verified: number | null;
  /** percent of the recorded time in which no stream is suspect and no id proves the book */
  unverifiable: number;
  /** percent of the recorded time in which no stream is suspect */
  clean: number;
  touch: { checked: number; agreed: number };
  /** checksums of the book that the venue sends */
  checksums: { checked: number; agreed: number };
  /**
   * levels of the book that could be held against `reads` books over REST; `unsettled` ones differed in a read, and no second one
   * says that it was no question of time
   */
  levels: { reads: number; checked: number; agreed: number; unsettled: number };
  checkpoints: { checked: number; agreed: number };
  book: {
    /** the recorder's own book that was written last, and whether it is the rebuilt one; null where there is none to compare */
    end: { t: Micros; agreed: boolean } | null;
    /** times in which the best bid was not below the best ask */
    crossed: TimesReport;
    /** times of more than ten seconds without an update of a joined book */
    stale: TimesReport;
  };
  clock: {
    readings: number;
    /** the wall clock's way against the monotonic one, and how often it was set meanwhile, by how much at most, µs */
    drift: Micros;
    steps: number;
    largest: Micros;
    /** receive time minus the exchange's time of sending, µs; null where no message has one */
    lag: Quantiles | null;
    /** worst lag of the recorder's event loop in each reading, µs */
    loop: Quantiles | null;
  };
  /** what the recorder itself lost: entries that say so, and how many lines */
  drops: { entries: number; count: number };
  /** of a venue whose ids may skip: updates whose id was not the one before plus one, and how many ids were left out */
  skips: { updates: number; ids: number };
  /** trades that ids say are missing, of all trade streams */
  missing: number;
  /** of these, trades that were read over REST later: they are on the tape, and were never live */
  backfilled: number;
  /** messages that no layout of the venue explains */
  unknown: number;
  /** in order of name */
  streams: StreamReport[];
  problems: Problem[];
}

/** @param provesBook whether the venue's ids prove a book */
export function reportOf(
  src: Source | null,
  messages: number,
  results: readonly SessionResult[],
  problems: Problem[],
  provesBook: boolean,
): SourceReport {
  const sum = (pick: (result: SessionResult) => number): number =>
    results.reduce((total, result) => total + pick(result), 0);
  const agreement = (key: 'touch' | 'checksums' | 'checkpoints'): { checked: number; agreed: number } => ({
    checked: sum((result) => result[key].checked),
    agreed: sum((result) => result[key].agreed),
  });
  const times = (key: 'crossed' | 'stale'): TimesReport => {
    const spans = new Spans();
    for (const result of results) spans.join(result[key]);
    return { count: spans.count, longest: spans.longest };
  };
  const recorded = sum((result) => result.recorded);
  const clean = shareOf(
    sum((result) => result.clean),
    recorded,
  );
  const verified =
    sum(({ depth }) => depth) === 0 || !provesBook
      ? null
      : shareOf(
          sum((result) => result.verified),
          recorded,
        );
  const streams = new Map<string, StreamSums>();
  for (const result of results) joinStreams(streams, result.streams);
  return {
    src,
    messages,
    gaps: sum(({ gaps }) => gaps),
    verified,
    unverifiable: difference(clean, verified ?? 0),
    clean,
    touch: agreement('touch'),
    checksums: agreement('checksums'),
    levels: {
      reads: sum(({ levels }) => levels.reads),
      checked: sum(({ levels }) => levels.checked),
      agreed: sum(({ levels }) => levels.agreed),
      unsettled: sum(({ levels }) => levels.unsettled),
    },
    checkpoints: agreement('checkpoints'),
    book: { end: lastOf(results), crossed: times('crossed'), stale: times('stale') },
    clock: clockOf(results),
    drops: { entries: sum(({ drops }) => drops.entries), count: sum(({ drops }) => drops.count) },
    skips: { updates: sum(({ skips }) => skips.updates), ids: sum(({ skips }) => skips.ids) },
    missing: sum(({ missing }) => missing),
    backfilled: sum(({ backfilled }) => backfilled),
    unknown: sum(({ unknown }) => unknown),
    streams: [...streams].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sums]) => streamOf(name, sums)),
    problems,
  };
}

function streamOf(stream: string, { messages, gaps, recorded, ...times }: StreamSums): StreamReport {
  const [verified, clean] = [shareOf(times.verified, recorded), shareOf(times.clean, recorded)];
  return { stream, messages, gaps, verified, unverifiable: difference(clean, verified), clean };
}

/** The newest of the last checkpoints of all recordings. */
function lastOf(results: readonly SessionResult[]): SourceReport['book']['end'] {
  let last: SourceReport['book']['end'] = null;
  for (const { lastCheckpoint } of results)
    if (lastCheckpoint !== null && lastCheckpoint.t > (last?.t ?? 0)) last = lastCheckpoint;
  return last;
}

function clockOf(results: readonly SessionResult[]): SourceReport['clock'] {
  const all = new ClockAudit();
  for (const { clock } of results) all.join(clock);
  const { readings, drift, steps, largest, lag, loop } = all;
  return { readings, drift, steps, largest, lag: lag.quantiles(), loop: loop.quantiles() };
}

/** Percent with two digits, rounded down: 100 says all of it. */
function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.floor((part / whole) * 10_000) / 100;
}

const difference = (a: number, b: number): number => Math.round((a - b) * 100) / 100;
