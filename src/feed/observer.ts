/** A running recorder as seen from outside: whether it is well, and what it counts. */
import type { TapeQueue } from '../tape/tape-queue.js';
import type { RecordSummary } from './heartbeat.js';
import { exposition, type Family, type Labels } from './metrics.js';
import type { Recent } from './recent.js';
import type { SourceRecorder } from './source.js';
import type { VenueFeed } from './venue-feed.js';

export interface Health {
  ok: boolean;
  /** what is wrong, a sentence each; empty when all is well */
  problems: string[];
}

export interface RecordObserver {
  health(): Health;
  /** Prometheus text, version 0.0.4 */
  metrics(): string;
}

export interface Observed {
  feeds: readonly VenueFeed[];
  sources: readonly SourceRecorder[];
  /** null when nothing is written */
  queue: TapeQueue | null;
  queueBound: number;
  summary: () => RecordSummary;
  /** of the event loop, ms */
  loopLags: Recent;
  /** monotonic ms */
  now: () => number;
  /** seconds since 1970 */
  startedAt: number;
  version: string;
}

/** A stream that always speaks may be quiet for this long, or for three times what its first message may take. */
const QUIET_MS = 30_000;
/** The thread that writes reports with every heartbeat; a disk that takes longer stands still. */
const STALL_MS = 5_000;
/** `/health` is a small answer. */
const MOST_PROBLEMS = 20;

const RANKS = [0.5, 0.9, 0.99, 1] as const;

export function createObserver(observed: Observed): RecordObserver {
  const startedMs = observed.now();
  const health = (): Health => {
    const problems = [
      ...observed.feeds.flatMap((feed) => troubleOf(feed, observed.now(), startedMs)),
      ...troubleOfDisk(observed.queue),
    ];
    return { ok: problems.length === 0, problems: problems.slice(0, MOST_PROBLEMS) };
  };
  return { health, metrics: () => exposition(familiesOf(observed, health().ok)) };
}

function troubleOf({ venue, lanes, sources }: VenueFeed, nowMs: number, startedMs: number): string[] {
  const problems: string[] = [];
  const quiet = new Set<string>();
  for (const { connections } of lanes) {
    // a replacement that is not open yet is no trouble, and one that goes on is as good as the first
    const open = connections.filter(({ state }) => state === 'open');
    const { plan, state, url } = open[0] ?? connections[0];
    const silentMs = nowMs - Math.max(...open.map(({ lastMessageMs }) => lastMessageMs));
    if (open.length === 0) problems.push(`${venue}: the connection to ${url} is ${state}`);
    // half of what the recorder waits before it gives a connection up
    else if (plan.silenceMs !== null && silentMs > plan.silenceMs / 2)
      problems.push(`${venue}: the connection to ${url} says nothing since ${seconds(silentMs)}`);
    for (const { symbol, channel, firstDataMs } of plan.topics) {
      if (firstDataMs === null) continue;
      const ageMs = nowMs - (sources.get(symbol)?.streams.get(channel)?.lastMs ?? startedMs);
      if (ageMs > Math.max(QUIET_MS, 3 * firstDataMs))
        quiet.add(`${venue}:${symbol}: ${channel} says nothing since ${seconds(ageMs)}`);
    }
  }
  return [...problems, ...quiet];
}

function troubleOfDisk(queue: TapeQueue | null): string[] {
  if (queue === null) return [];
  const problems: string[] = [];
  if (queue.dropping) problems.push('messages are dropped: the disk does not take them');
  if (queue.failing > 0) problems.push(`${queue.failing} tapes cannot be written`);
  if (queue.waitingMs > STALL_MS) problems.push(`the disk took nothing since ${seconds(queue.waitingMs)}`);
  return problems;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function familiesOf(observed: Observed, isWell: boolean): Family[] {
  const { feeds, sources, queue, summary, loopLags, now } = observed;
  const totals = summary();
  const nowMs = now();
  const bySource = (value: (source: SourceRecorder) => number): Family['samples'] =>
    sources.map((source) => ({ labels: labelsOf(source), value: value(source) }));
  const byStream = (value: (stream: StreamCounts) => number): Family['samples'] =>
    sources.flatMap((source) =>
      [...source.streams].map(([stream, counts]) => ({
        labels: { ...labelsOf(source), stream },
        value: value(counts),
      })),
    );
  const books = sources.filter(({ links }) => links.length > 0);
  const one = (value: number): Family['samples'] => [{ labels: {}, value }];
  return [
    gauge('build_info', 'What runs: always 1.', [
      { labels: { version: observed.version, node: process.version }, value: 1 },
    ]),
    gauge('start_time_seconds', 'When the recording began, in seconds since 1970.', one(observed.startedAt)),
    gauge('healthy', 'Whether /health answers 200.', one(isWell ? 1 : 0)),
    counter('received_messages', 'Messages received, answers of the exchange included.', one(totals.received)),
    counter('received_bytes', 'Bytes of messages received.', one(totals.bytes)),
    counter('written_messages', 'Messages written, or about to be.', one(totals.written)),
    counter('dropped_messages', 'Messages received and lost here.', one(totals.dropped)),
    counter(
      'messages',
      'Messages of a stream.',
      byStream(({ messages }) => messages),
    ),
    counter(
      'message_bytes',
      'Bytes of messages of a stream.',
      byStream(({ bytes }) => bytes),
    ),
    gauge(
      'last_message_age_seconds',
      'Time since the newest message of a stream.',
      byStream(({ lastMs }) => Math.max(0, nowMs - lastMs) / 1000),
    ),
    counter(
      'gaps',
      'Gap entries written.',
      bySource(({ losses }) => losses.count),
    ),
    gauge('book_valid', 'Whether the book of a symbol can be trusted now.', [
      ...books.map((source) => ({ labels: labelsOf(source), value: source.track.state === 'valid' ? 1 : 0 })),
    ]),
    counter('reconnects', 'Connections lost and opened again.', [
      ...feeds.map(({ venue, reconnects }) => ({ labels: { venue }, value: reconnects })),
    ]),
    gauge('connections_open', 'Connections that are open; one that is being replaced counts once.', [
      ...feeds.map(({ venue, lanes }) => ({
        labels: { venue },
        value: lanes.filter(({ connections }) => connections.some(({ state }) => state === 'open')).length,
      })),
    ]),
    gauge('connections', 'Connections there are to be.', [
      ...feeds.map(({ venue, lanes }) => ({ labels: { venue }, value: lanes.length })),
    ]),
    summaryOf(
      'exchange_lag_seconds',
      'Receive time minus exchange time of the newest messages; negative where the clock here is behind.',
      books.map((source) => ({ labels: labelsOf(source), values: source.lags, scale: 1e-6 })),
    ),
    summaryOf('event_loop_lag_seconds', 'How late the heartbeat of the recorder came, in the last minute.', [
      { labels: {}, values: loopLags, scale: 1e-3 },
    ]),
    gauge('queue_bytes', 'Bytes of lines that wait for the disk.', one(queue?.bytes ?? 0)),
    gauge('queue_bound_bytes', 'Bytes that may wait before messages are dropped.', one(observed.queueBound)),
    gauge('queue_wait_seconds', 'Time since the disk took something, while something waits.', [
      ...one((queue?.waitingMs ?? 0) / 1000),
    ]),
    gauge('tapes_failing', 'Tapes that cannot be written for now.', one(queue?.failing ?? 0)),
    counter('disk_outages', 'Times that tapes could not be written.', one(totals.outages)),
    counter('removed_segments', 'Segments removed by --keep.', one(totals.removed)),
    counter('stdout_lost_lines', 'Lines that a slow reader of stdout did not get.', one(totals.linesLost)),
  ];
}

type StreamCounts = { messages: number; bytes: number; lastMs: number };

function labelsOf({ src, symbol }: SourceRecorder): Labels {
  return { venue: src.slice(0, src.length - symbol.length - 1), symbol };
}

const gauge = (name: string, help: string, samples: Family['samples']): Family => ({
  ...{ name: `tapedeck_${name}`, type: 'gauge', help, samples },
});

const counter = (name: string, help: string, samples: Family['samples']): Family => ({
  ...{ name: `tapedeck_${name}_total`, type: 'counter', help, samples },
});

function summaryOf(name: string, help: string, of: { labels: Labels; values: Recent; scale: number }[]): Family {
  const samples = of.flatMap(({ labels, values, scale }) => [
    ...values.quantiles(RANKS).map((value, at) => ({
      labels: { ...labels, quantile: String(RANKS[at]) },
      value: value * scale,
    })),
    { suffix: '_sum', labels, value: values.sum * scale },
    { suffix: '_count', labels, value: values.count },
  ]);
  return { name: `tapedeck_${name}`, type: 'summary', help, samples };
}
